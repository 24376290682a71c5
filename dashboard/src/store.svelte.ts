// The page's one store: the live connection, what it said, and what this page asks of the service.

import { MeterBank } from "./meters";
import type { Alert, Glance, ServerMessage, SourceView, TakeEdit } from "./messages";
import { NOTHING, isShown, reduce, rollingTake, byUrgency, type State } from "./reduce";
import { backoff_ms, isStale } from "./staleness";

/** Numbers that are read, not watched, are redrawn this often: a digit is legible for 200 ms. */
const TICK_MS = 200;
const STALE_CHECK_MS = 100;
/** A message to the user stays this long; one with a way back stays longer. */
const TOAST_MS = 6000;
const UNDO_MS = 10_000;
const NANO = 1e6;

export interface Step {
  label: string;
  run: () => void;
}

export interface Toast {
  id: number;
  text: string;
  kind: "error" | "done";
  steps: Step[];
}

export class Store {
  state: State = $state.raw(NOTHING);
  /** True until heartbeats come, and again 1.5 s after the last one: nothing is known. */
  stale = $state(true);
  everLive = $state(false);
  /** The service refused the connection for want of a session: this tablet is not paired. */
  unpaired = $state(false);
  lastSeen_ms = $state(NaN);
  /** Grows every TICK_MS; whatever shows a measured figure reads it. */
  tick = $state(0);
  now_ms = $state(Date.now());
  toasts: Toast[] = $state.raw([]);
  readonly bank = new MeterBank();

  private socket: WebSocket | null = null;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private heartbeat_at = -Infinity;
  private skew_ms = 0;
  private toastId = 0;

  readonly live = $derived(!this.stale && this.state.ready);
  readonly role = $derived(this.state.session?.role ?? "view");
  readonly mayLog = $derived(this.live && this.role !== "view");
  readonly mayOperate = $derived(this.live && this.role === "operate");
  readonly shown = $derived(this.state.alerts.filter(isShown).sort(byUrgency));
  readonly unacknowledged = $derived(this.shown.filter((alert) => alert.acknowledged === null));
  /** What somebody has to answer: notes are for reading. */
  readonly asking = $derived(this.unacknowledged.filter((alert) => alert.severity !== "NOTE"));
  readonly take = $derived(rollingTake(this.state.takes));

  start(): void {
    this.connect();
    setInterval(() => this.judge(), STALE_CHECK_MS);
    setInterval(() => {
      this.tick += 1;
      this.now_ms = Date.now() + this.skew_ms;
    }, TICK_MS);
    document.addEventListener("visibilitychange", () => {
      this.judge();
      if (document.visibilityState !== "visible") return;
      void this.stayAwake();
      if (this.stale) this.reconnect();
    });
    window.addEventListener("online", () => this.reconnect());
    void this.stayAwake();
  }

  /** Ask for a screen that stays on; browsers grant it over https and on this machine only. */
  private async stayAwake(): Promise<void> {
    try {
      await navigator.wakeLock?.request("screen");
    } catch {
      // refused, or the page is hidden: asked again when it is seen
    }
  }

  /** Seconds since a time on the engine's axis. */
  since_s(t_ns: number): number {
    return (this.now_ms - this.utc_ms(t_ns)) / 1000;
  }

  /** UTC milliseconds of a time on the engine's axis. */
  utc_ms(t_ns: number): number {
    return (t_ns + this.state.clock_offset_ns) / NANO;
  }

  glance(department: Glance["department"]): Glance | undefined {
    return this.state.glance.find((one) => one.department === department);
  }

  source(id: string): SourceView | undefined {
    return this.state.sources.find((one) => one.id === id);
  }

  // -- the live connection

  private judge(): void {
    const stale = isStale(this.heartbeat_at, performance.now());
    if (stale && !this.stale) this.bank.forget();
    this.stale = stale;
    // A socket can look open and be dead (a locked screen): let go of it and try again.
    if (stale && this.socket?.readyState === WebSocket.OPEN && this.everLive) this.reconnect();
  }

  private connect(): void {
    clearTimeout(this.retry);
    const address = new URL("/api/live", window.location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    if (this.state.seq > 0) address.searchParams.set("since", String(this.state.seq));
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.socket === socket) this.receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.closed();
    };
  }

  private closed(): void {
    this.socket = null;
    const wait = backoff_ms(this.attempt, Math.random());
    this.attempt += 1;
    if (!this.everLive || this.attempt % 4 === 0) void this.askWhetherPaired();
    this.retry = setTimeout(() => this.connect(), wait);
  }

  private reconnect(): void {
    this.attempt = 0;
    const old = this.socket;
    this.socket = null;
    this.heartbeat_at = -Infinity;
    old?.close();
    this.connect();
  }

  /** A refused WebSocket says nothing to a page; a plain request tells "not paired" from "gone". */
  private async askWhetherPaired(): Promise<void> {
    try {
      const answer = await fetch("/api/sources", { cache: "no-store" });
      this.unpaired = answer.status === 401 || answer.status === 403;
    } catch {
      this.unpaired = false;
    }
  }

  private receive(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      this.bank.feed(data, performance.now());
      return;
    }
    if (typeof data !== "string") return;
    // The schema is the server's own (messages.ts is generated from it).
    this.accept(JSON.parse(data) as ServerMessage);
  }

  private accept(message: ServerMessage): void {
    if (message.type === "hello" || message.type === "layout") this.bank.layout(message.meters);
    if (message.type === "hello" || message.type === "heartbeat") this.beat(message.server_utc_ns);
    const before = this.state.notice;
    this.state = reduce(this.state, message);
    const notice = this.state.notice;
    if (notice !== null && notice !== before && notice.level === "warning") {
      this.toast(notice.text, "error");
    }
  }

  private beat(server_utc_ns: number): void {
    this.heartbeat_at = performance.now();
    this.skew_ms = server_utc_ns / NANO - Date.now();
    this.lastSeen_ms = server_utc_ns / NANO;
    this.stale = false;
    this.everLive = true;
    this.unpaired = false;
    this.attempt = 0;
  }

  // -- what this page asks; the answer comes back over the live connection

  /** Send a request; true when the service did it. Errors are told in its own words. */
  async ask(method: string, path: string, body: unknown = {}): Promise<boolean> {
    try {
      const answer = await fetch(`/api/${path}`, {
        method,
        headers: { "Content-Type": "application/json" },
        credentials: "same-origin",
        body: JSON.stringify(body),
      });
      if (answer.ok) return true;
      this.toast(await errorWords(answer), "error");
    } catch {
      this.toast("Not done: the monitor does not answer.", "error");
    }
    return false;
  }

  async roll(): Promise<void> {
    if (!(await this.ask("POST", "takes", {}))) return;
    this.toast("Rolled. Did it start earlier?", "done", [
      ...[5, 10, 30].map((back_s) => ({
        label: `${back_s} s`,
        run: () => this.editRolling({ roll_back_s: back_s }),
      })),
      { label: "Undo roll", run: () => void this.undoRoll() },
    ]);
  }

  async cut(): Promise<void> {
    const take = this.take;
    const cut_at = performance.now();
    if (!(await this.ask("POST", "takes/current/cut", {})) || take === null) return;
    this.toast(`Cut ${take.slate} take ${take.take}.`, "done", [
      {
        label: "Still rolling",
        run: () => {
          // A take that was cut stays cut; the next one picks up where it ended.
          const back_s = Math.min(60, (performance.now() - cut_at) / 1000);
          const { scene, slate } = take;
          void this.ask("POST", "takes", { scene, slate, take: take.take, back_s });
        },
      },
    ]);
  }

  private async undoRoll(): Promise<void> {
    const take = this.take;
    if (take === null) return;
    if (!(await this.ask("POST", "takes/current/cut", {}))) return;
    await this.ask("PATCH", `takes/${take.id}`, { deleted: true });
    await this.ask("PATCH", "takes/next", {
      scene: take.scene,
      slate: take.slate,
      take: take.take,
    });
  }

  private editRolling(edit: TakeEdit): void {
    if (this.take !== null) void this.edit(this.take.id, edit);
  }

  edit(id: string, edit: TakeEdit): Promise<boolean> {
    return this.ask("PATCH", `takes/${encodeURIComponent(id)}`, edit);
  }

  async remove(id: string, name: string): Promise<void> {
    if (!(await this.edit(id, { deleted: true }))) return;
    this.toast(`Deleted ${name}.`, "done", [
      { label: "Restore", run: () => void this.edit(id, { deleted: false }) },
    ]);
  }

  acknowledge(id: string): Promise<boolean> {
    return this.ask("POST", `alerts/${encodeURIComponent(id)}/acknowledge`, {});
  }

  async mute(alert: Alert): Promise<void> {
    const { source, stream, channel } = alert;
    if (!(await this.ask("POST", "mutes", { source, stream, channel }))) return;
    const name = alert.channel_name ?? alert.source_name;
    this.toast(`${name} is marked as muted until it speaks again.`, "done", [
      { label: "Undo", run: () => void this.unmute(source, stream ?? 0, channel ?? 0) },
    ]);
  }

  unmute(source: string, stream: number, channel: number): Promise<boolean> {
    return this.ask("DELETE", `mutes/${encodeURIComponent(source)}/${stream}/${channel}`);
  }

  // -- words to the user, in the header's row: they never cover meters or the cut button

  toast(text: string, kind: Toast["kind"], steps: Step[] = []): void {
    const id = ++this.toastId;
    this.toasts = [{ id, text, kind, steps }];
    setTimeout(() => this.dismiss(id), steps.length > 0 ? UNDO_MS : TOAST_MS);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((one) => one.id !== id);
  }
}

async function errorWords(answer: Response): Promise<string> {
  try {
    const body = (await answer.json()) as { error?: unknown };
    if (typeof body.error === "string") return sentence(body.error);
  } catch {
    // not JSON: say the status below
  }
  if (answer.status === 403) return "This tablet may not do that.";
  return `Not done: the monitor answered ${answer.status}.`;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

export const store = new Store();
