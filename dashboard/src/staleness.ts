// When is what is on the page still true? The worst failure is stale green.

import type { SourceView } from "./messages";

/** The page says NOT MONITORED this long after the last heartbeat: six of them missed. */
export const STALE_MS = 1500;
/** First wait before connecting again, and the longest one: a tablet back in range within 3 s. */
export const BACKOFF_FIRST_MS = 250;
export const BACKOFF_LAST_MS = 3000;

/** Whether everything on the page has to be taken for unknown. */
export function isStale(last_heartbeat_ms: number, now_ms: number): boolean {
  return !(now_ms - last_heartbeat_ms < STALE_MS);
}

/** Wait before connection attempt ``attempt`` (from 0); ``dice`` in 0..1 spreads the tablets. */
export function backoff_ms(attempt: number, dice: number): number {
  const whole = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 8));
  return whole * (0.75 + 0.25 * dice);
}

export type Seen = "live" | "waiting" | "lost" | "ended";

/** A source's state as its tile shows it. */
export function seen(source: Pick<SourceView, "state">): Seen {
  if (source.state === "live") return "live";
  if (source.state === "ended") return "ended";
  return source.state === "starting" ? "waiting" : "lost";
}
