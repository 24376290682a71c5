// What the page knows, as a function of what the service said. Nothing is guessed ahead: the state
// shown is the server's.

import type {
  Alert,
  Glance,
  Record as Row,
  ServerMessage,
  SessionView,
  Snapshot,
  SourceView,
  SpecView,
  Take,
} from "./messages";

/** Takes and cleared alerts kept on the page; the whole day is in the report. */
export const TAKES_LIMIT = 50;
export const HISTORY_LIMIT = 2000;
/** Records not yet durable: as many as the service queues for one tablet. */
export const PENDING_LIMIT = 256;

export interface Notice {
  seq: number;
  text: string;
  level: "info" | "warning";
}

export interface State {
  ready: boolean;
  journal: string;
  version: string;
  seq: number;
  missed: number;
  session: SessionView | null;
  spec: SpecView | null;
  phase: Snapshot["phase"];
  sources: SourceView[];
  glance: Glance[];
  alerts: Alert[];
  takes: Take[];
  next_take: Take | null;
  clock_offset_ns: number;
  pending: number[];
  notice: Notice | null;
}

export const NOTHING: State = {
  ready: false,
  journal: "",
  version: "",
  seq: 0,
  missed: 0,
  session: null,
  spec: null,
  phase: "idle",
  sources: [],
  glance: [],
  alerts: [],
  takes: [],
  next_take: null,
  clock_offset_ns: 0,
  pending: [],
  notice: null,
};

/** Whether an alert still asks for something: it goes on, or waits to be acknowledged. */
export function isOpen(alert: Alert): boolean {
  if (alert.condition === "pending") return false;
  return alert.condition === "active" || alert.latched;
}

/** Whether it belongs on the list: open, and neither shelved, muted on purpose nor told by its cause. */
export function isShown(alert: Alert): boolean {
  const aside = alert.shelved_until_ns !== null || alert.muted_ns !== null;
  return isOpen(alert) && alert.suppressed_by === null && !aside;
}

/** Whether it belongs below the list: over, and it was not told by its cause. */
export function isEarlier(alert: Alert): boolean {
  return alert.condition !== "pending" && !isOpen(alert) && alert.suppressed_by === null;
}

export function rolling(take: Take): boolean {
  return !take.deleted && take.parts.some((part) => part.cut_ns === null);
}

export function rollingTake(takes: readonly Take[]): Take | null {
  return takes.findLast(rolling) ?? null;
}

export const RANK = { FAULT: 3, CHECK: 2, NOTE: 1 } as const;

/** Worst first, what is not acknowledged first, newest first. */
export function byUrgency(one: Alert, other: Alert): number {
  const asked = Number(one.acknowledged !== null) - Number(other.acknowledged !== null);
  if (asked !== 0) return asked;
  const rank = RANK[other.severity] - RANK[one.severity];
  return rank !== 0 ? rank : other.onset_ns - one.onset_ns;
}

function withAlert(alerts: readonly Alert[], alert: Alert): Alert[] {
  const rest = alerts.filter((old) => old.id !== alert.id);
  if (alert.condition === "pending") return rest;
  const all = [...rest, alert];
  const closed = all.filter((one) => !isOpen(one));
  const drop = new Set(closed.slice(0, Math.max(0, closed.length - HISTORY_LIMIT)));
  return drop.size === 0 ? all : all.filter((one) => !drop.has(one));
}

function withTake(takes: readonly Take[], take: Take): Take[] {
  const at = takes.findIndex((old) => old.id === take.id);
  if (at < 0) return [...takes, take].slice(-TAKES_LIMIT);
  return takes.map((old, index) => (index === at ? take : old));
}

function withRow(state: State, row: Row): State {
  const seq = Math.max(state.seq, row.seq);
  const pending = row.durable ? state.pending : [...state.pending, row.seq].slice(-PENDING_LIMIT);
  const next = { ...state, seq, pending };
  switch (row.body.kind) {
    case "alert":
      return { ...next, alerts: withAlert(state.alerts, row.body.alert) };
    case "take":
      return { ...next, takes: withTake(state.takes, row.body.take) };
    case "phase":
      return { ...next, phase: row.body.phase };
    case "notice":
      return { ...next, notice: { seq: row.seq, text: row.body.text, level: row.body.level } };
    default:
      return next;
  }
}

/** The state after one message. */
export function reduce(state: State, message: ServerMessage): State {
  switch (message.type) {
    case "hello": {
      const same = message.journal_id === state.journal;
      return {
        ...state,
        journal: message.journal_id,
        version: message.version,
        missed: message.missed,
        seq: same ? state.seq : 0,
        pending: same ? state.pending : [],
        alerts: same ? state.alerts : [],
        takes: same ? state.takes : [],
      };
    }
    case "snapshot": {
      const { type: _type, ...rest } = message;
      const closed = state.alerts.filter(
        (old) => !isOpen(old) && !rest.alerts.some((alert) => alert.id === old.id),
      );
      return { ...state, ...rest, alerts: [...closed, ...rest.alerts], ready: true };
    }
    case "record":
      return withRow(state, message.record);
    case "confirm":
      return { ...state, pending: state.pending.filter((seq) => seq !== message.seq) };
    case "view": {
      const { type: _type, ...rest } = message;
      return { ...state, ...rest };
    }
    case "layout":
    case "heartbeat":
      return state;
  }
}
