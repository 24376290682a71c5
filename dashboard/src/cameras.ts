// What a camera's line-up reads: its rate over half a minute, its focus against the best so far,
// and how two cameras differ in the middle of the picture. Pure.

import { count, figure, frameRate, UNKNOWN } from "./words";

export const RATE_S = 30;
const UNSEEN_S = 2; // as long as a tile may show what it no longer sees
const GREY = 0.01; // Cb and Cr of a card that is grey: 1 %, about what an eye tells side by side
const MATCHED = { luma: 0.02, chroma: 0.01 };

/** A rate being measured over RATE_S: its extremes, how long there was none, and pictures dropped. */
export interface RateRun {
  since_ms: number;
  now_ms: number;
  unseen_ms: number;
  low: number;
  high: number;
  dropped: number;
  droppedBefore: number;
}

/** Goes on with a run, or begins one; time without a rate is counted. */
export function followed(run: RateRun | null, now_ms: number, rate: number, dropped: number): RateRun {
  const known = Number.isFinite(dropped) ? dropped : (run?.dropped ?? 0);
  const before = run ?? {
    since_ms: now_ms,
    now_ms,
    unseen_ms: 0,
    low: Infinity,
    high: -Infinity,
    dropped: known,
    droppedBefore: known,
  };
  if (isDone(before)) return before;
  return {
    ...before,
    now_ms,
    unseen_ms: before.unseen_ms + (Number.isFinite(rate) ? 0 : now_ms - before.now_ms),
    low: Number.isFinite(rate) ? Math.min(before.low, rate) : before.low,
    high: Number.isFinite(rate) ? Math.max(before.high, rate) : before.high,
    dropped: known,
    // a source that began anew counts from 0: what was dropped until then is kept
    droppedBefore: before.droppedBefore - (known < before.dropped ? before.dropped : 0),
  };
}

export function isDone(run: RateRun): boolean {
  return run.now_ms - run.since_ms >= RATE_S * 1000;
}

/** The run in words: one rate or both its ends, what was dropped, and how long nothing was seen. */
export function rateWords(run: RateRun): string {
  if (run.low > run.high) return "no rate seen";
  const [low, high] = [frameRate(run.low), frameRate(run.high)];
  const lost = run.dropped - run.droppedBefore;
  const dropped = `${lost > 0 ? count(lost, "picture") : "none"} dropped`;
  const unseen_s = run.unseen_ms / 1000;
  const unseen = unseen_s >= UNSEEN_S ? `, not seen for ${figure(unseen_s, 0)} s` : "";
  return `${low === high ? low : `${low} to ${high}`} fps, ${dropped}${unseen}`;
}

/** A number as a percentage with its sign: +1.2 %. */
export function signed(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const text = figure(100 * value);
  return `${Number(text) > 0 ? "+" : ""}${text} %`;
}

/** The middle of a picture: luma 0 to 1, colour differences around 0. */
export interface Patch {
  luma: number;
  cb: number;
  cr: number;
}

/** What is in the middle, for a grey card: its level, and whether it is grey. */
export function cardWords({ luma, cb, cr }: Patch): string {
  if (!Number.isFinite(luma)) return UNKNOWN;
  const level = `${figure(100 * luma)} %`;
  if (!Number.isFinite(cb)) return `${level}, no colour`;
  return Math.hypot(cb, cr) <= GREY ? `${level}, neutral` : `${level}, ${tint(cb, cr)}`;
}

function tint(cb: number, cr: number): string {
  return `Cb ${signed(cb)}, Cr ${signed(cr)}`;
}

/** How one camera differs from another in the middle of the picture. */
export function matchWords(mine: Patch, other: Patch): { matched: boolean; text: string } | null {
  const [luma, cb, cr] = [mine.luma - other.luma, mine.cb - other.cb, mine.cr - other.cr];
  if (![luma, cb, cr].every(Number.isFinite)) return null;
  const matched = Math.abs(luma) <= MATCHED.luma && Math.hypot(cb, cr) <= MATCHED.chroma;
  return { matched, text: `Y′ ${signed(luma)}, ${tint(cb, cr)}` };
}

/** How far sound is off its picture, in words. Positive is early. */
export function offsetWords(offset_ms: number, error_ms: number, pairs: number): string {
  if (!Number.isFinite(offset_ms)) return "not shown yet";
  const way = Math.round(offset_ms) === 0 ? "" : offset_ms > 0 ? " early" : " late";
  return `sound ${figure(Math.abs(offset_ms), 0)} ms${way} ±${figure(error_ms, 0)} ms · ${count(pairs, "flash", "flashes")}`;
}
