// Where an alert is, and what a department's last take came to: words made from the state.

import { folded, timesOf, type Fold } from "./folding";
import type { Alert, SourceView, Stream, Take } from "./messages";
import { isOpen, RANK } from "./reduce";
import { count, runningTime } from "./words";

/** Channels and streams count from 0 in data, from 1 in words. */
export function place(alert: Alert): string {
  if (alert.channel_name !== null) return `${alert.source_name} · ${alert.channel_name}`;
  if (alert.channel !== null) return `${alert.source_name} · channel ${alert.channel + 1}`;
  return alert.source_name;
}

/** An alert's message with its place in front. */
export function alertWords(alert: Alert): string {
  return saidOnce(alert.channel_name ?? alert.source_name, alert.message);
}

export interface Channel {
  source: string;
  stream: number;
  index: number;
  name: string;
}

export function audioStreams(source: SourceView): Stream[] {
  return source.streams.filter((stream) => stream.kind === "audio");
}

export function videoStream(source: SourceView): Stream | undefined {
  return source.streams.find((stream) => stream.kind === "video");
}

/** All channels of a source's sound, named as the operator did or numbered from 1. */
export function channels(source: SourceView): Channel[] {
  return audioStreams(source).flatMap((stream) =>
    Array.from({ length: stream.channels ?? 0 }, (_, index) => ({
      source: source.id,
      stream: stream.index,
      index,
      name: stream.channel_names?.[index]?.trim() || String(index + 1),
    })),
  );
}

function sharedWords(names: readonly string[][]): number {
  const [first = [], ...rest] = names;
  let shared = 0;
  while (shared < first.length - 1 && rest.every((one) => one[shared] === first[shared])) shared += 1;
  const shortest = Math.min(...names.map((one) => one.length));
  return Math.min(shared, shortest - 1);
}

/** Channel names cut to what tells them apart: words that all share go, then words in front of the
 * last become initials. Never cut in mid-word here; what is still too long is for the page to trim. */
export function shortNames(names: readonly string[], limit: number): string[] {
  if (names.every((name) => name.length <= limit)) return [...names];
  let words = names.map((name) => name.split(/\s+/));
  if (words.length > 1) {
    const front = sharedWords(words);
    words = words.map((one) => one.slice(front));
    const back = sharedWords(words.map((one) => [...one].reverse()));
    words = words.map((one) => one.slice(0, one.length - back));
  }
  return words.map((one) => {
    const whole = one.join(" ");
    if (whole.length <= limit || one.length < 2) return whole;
    const initials = one.slice(0, -1).map((word) => word.charAt(0));
    return `${initials.join("")} ${one.at(-1)}`;
  });
}

/** Sources with meters: sound's own; only where there are none, what cameras carry. */
export function metered(sources: readonly SourceView[]): SourceView[] {
  const own = sources.filter((one) => one.department !== "camera" && isSound(one));
  return own.length > 0 ? own : sources.filter(isSound);
}

function isSound(source: SourceView): boolean {
  return audioStreams(source).length > 0 || (source.department === "sound" && !source.streams.length);
}

/** Sources a line-up is about: those with sound, the cart before the cameras. */
export function lineUpSources(sources: readonly SourceView[]): SourceView[] {
  return [...sources.filter(isSound)].sort(
    (one, other) => Number(isCamera(one)) - Number(isCamera(other)),
  );
}

export function isCamera(source: SourceView): boolean {
  return videoStream(source) !== undefined || source.department === "camera";
}

export function belongs(alert: Alert, department: Alert["department"]): boolean {
  return alert.department === department || alert.department === "both";
}

/** A message with whom it is about in front, said once: messages often begin with the name. */
export function saidOnce(name: string, message: string): string {
  const bare = message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
  return bare.startsWith(name) || name === "" ? bare : `${name}: ${bare}`;
}

/** The same without the name, for where it already stands beside. */
export function saidWithout(name: string, message: string): string {
  const said = saidOnce(name, message);
  return name === "" ? said : said.slice(name.length).replace(/^[: ]+/, "");
}

/** The same without the numbers of single frames, which nobody reads from two metres or says. */
export function withoutFrames(message: string): string {
  return message.replace(/ \([a-z ]+: frames? [\d–, …]+\)/, "");
}

export function takeName(take: Take): string {
  return `${take.slate || take.scene || "–"} take ${take.take}`;
}

export function takeSeconds(take: Take, now_utc_ns: number): number {
  const rolls = take.parts.map((part) => part.roll_utc_ns);
  const cuts = take.parts.map((part) => part.cut_utc_ns ?? now_utc_ns);
  return rolls.length === 0 ? NaN : (Math.max(...cuts) - Math.min(...rolls)) / 1e9;
}

const FAULT_SHARE_LEAST = 0.015;

/** Whether it says something of its take: not told by its cause, and no silence on purpose. */
export function countsInTake(alert: Alert): boolean {
  return alert.suppressed_by === null && alert.muted_ns === null;
}

/** The worst alert of a take, or null. */
export function worstOf(alerts: readonly Alert[], take: string): Alert | null {
  const mine = alerts.filter((alert) => alert.take === take && countsInTake(alert));
  return mine.reduce<Alert | null>(
    (worst, one) => (worst === null || RANK[one.severity] > RANK[worst.severity] ? one : worst),
    null,
  );
}

/** What a take's alerts come to: the worst, how often it was, and how many other things there are. */
export function takeWords(alerts: readonly Alert[], worst: Alert): { text: string; more: number } {
  const folds = folded(alerts.filter((one) => one.take === worst.take));
  const fold = folds.find((one) => one.members.includes(worst));
  return { text: fold ? foldWords(fold) : alertWords(worst), more: folds.length - 1 };
}

function foldWords(fold: Fold): string {
  const words = alertWords(fold.worst);
  return fold.members.length > 1 ? `${words}; ${timesOf(fold)} in all` : words;
}

/** One line on the last take of a department: what was found, who knows. */
export function lastTakeLine(
  takes: readonly Take[],
  alerts: readonly Alert[],
  department: Alert["department"],
): { lead: string; text: string } | null {
  const done = takes.findLast((one) => !one.deleted && one.parts.every((p) => p.cut_ns !== null));
  if (done === undefined || done.parts.length === 0) return null;
  const mine = alerts.filter(
    (alert) => belongs(alert, department) && alert.severity !== "NOTE" && countsInTake(alert),
  );
  const worst = worstOf(mine, done.id);
  const lead = `Last, ${takeName(done)}:`;
  if (worst === null) return { lead, text: `nothing found in ${runningTime(takeSeconds(done, 0))}` };
  const who = worst.acknowledged === null ? "" : `, acknowledged by ${worst.acknowledged.who}`;
  const { text, more } = takeWords(mine, worst);
  const rest = more > 0 ? ` and ${count(more, "more", "more")}` : "";
  return { lead, text: `${text}${rest}${who}` };
}

/** A channel marked as muted on purpose, with its name. */
export interface Muted {
  source: SourceView;
  channel: Channel;
  who: string;
  since_utc_ns: number;
}

export function mutedOf(sources: readonly SourceView[]): Muted[] {
  return sources.flatMap((source) =>
    source.muted.flatMap(({ stream, channel: index, who, since_utc_ns }) => {
      const found = channels(source).find((one) => one.stream === stream && one.index === index);
      return found === undefined ? [] : [{ source, channel: found, who, since_utc_ns }];
    }),
  );
}

/** Whether one tap can say that this silence is on purpose: it goes on, at a channel. */
export function canMute(alert: Alert): boolean {
  return alert.rule === "audio.silence" && alert.condition === "active" && alert.channel !== null;
}

/** Open alerts of one place, worst first by the given order. */
export function alertsAt(
  alerts: readonly Alert[],
  source: string,
  channel: Channel | null,
): Alert[] {
  return alerts.filter(
    (alert) =>
      isOpen(alert) &&
      alert.source === source &&
      (channel === null || (alert.channel === channel.index && alert.stream === channel.stream)),
  );
}

/** What the flag over a channel says: its clips that nobody has acknowledged, as one. */
export interface Clips {
  count: number;
  severity: Alert["severity"];
  newest: Alert;
  waiting: Alert[];
}

/** All clips of one channel together, or null. Each stands for itself in the list of alerts. */
export function clipsOf(here: readonly Alert[]): Clips | null {
  const clips = here.filter((alert) => alert.rule === "audio.clipping");
  const waiting = clips.filter((alert) => alert.acknowledged === null);
  const told = waiting.length > 0 ? waiting : clips;
  const [first, ...rest] = told;
  if (first === undefined) return null;
  return {
    count: told.reduce((sum, one) => sum + one.count, 0),
    severity: rest.reduce((worst, one) => (RANK[one.severity] > RANK[worst] ? one.severity : worst), first.severity),
    newest: rest.reduce((newest, one) => (one.onset_ns > newest.onset_ns ? one : newest), first),
    waiting,
  };
}

/** Where the fault lies in its level trace: its left edge and its width as shares of the whole. */
export function faultSpan(
  alert: Alert,
  trace: NonNullable<Alert["trace"]>,
): { from: number; share: number } {
  const whole_s = trace.values.length * trace.step_s;
  const end_s = alert.end_ns === null ? whole_s : (alert.end_ns - alert.onset_ns) / 1e9 - trace.start_s;
  const from = Math.min(1, Math.max(0, -trace.start_s / whole_s));
  const to = Math.min(1, Math.max(from, end_s / whole_s));
  const share = Math.max(to - from, FAULT_SHARE_LEAST); // the shortest fault must still be seen
  return { from: Math.min(from, 1 - share), share };
}

/** The name of the take an alert waits from, where another rolls: that one is not damaged. */
export function earlierTake(alert: Alert | undefined, takes: readonly Take[], rolling: Take | null): string {
  if (alert === undefined || alert.condition !== "cleared" || rolling === null) return "";
  if (alert.take === null || alert.take === rolling.id) return "";
  const take = takes.find((one) => one.id === alert.take);
  return take === undefined ? "" : takeName(take);
}
