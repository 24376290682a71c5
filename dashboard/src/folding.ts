// Alerts that repeat, folded into one row a group and take. Every alert stays as it is.

import type { Alert } from "./messages";
import { RANK } from "./reduce";

export interface Fold {
  key: string;
  /** Newest first; never empty. */
  members: Alert[];
  newest: Alert;
  worst: Alert;
  /** Faults of all members together. */
  count: number;
  /** The newest that nobody has acknowledged: taking note of it takes note of those before it. */
  asks: Alert | null;
}

/** How far an alert's value lies from its limit, in its unit. */
function distance(alert: Alert): number {
  if (typeof alert.worst !== "number") return 0;
  return Math.abs(alert.worst - (typeof alert.limit === "number" ? alert.limit : 0));
}

function worse(one: Alert, other: Alert): Alert {
  const rank = RANK[one.severity] - RANK[other.severity];
  return rank > 0 || (rank === 0 && distance(one) > distance(other)) ? one : other;
}

function foldOf(key: string, alerts: readonly Alert[]): Fold {
  const members = [...alerts].sort((one, other) => other.onset_ns - one.onset_ns);
  return {
    key,
    members,
    newest: members[0]!,
    worst: members.reduce((worst, one) => worse(one, worst)),
    count: members.reduce((sum, one) => sum + one.count, 0),
    asks: members.find((one) => one.acknowledged === null) ?? null,
  };
}

/** One row a group and take, in the order in which each group is first met. */
export function folded(alerts: readonly Alert[]): Fold[] {
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const key = `${alert.group || alert.id} ${alert.take ?? ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [alert]);
    else group.push(alert);
  }
  return [...groups].map(([key, members]) => foldOf(key, members));
}

/** How often, in words: ``23 times``, ``57 frames``; nothing for what happened once. */
export function timesOf(fold: Fold): string {
  if (fold.count <= 1) return "";
  return `${fold.count} ${fold.worst.unit === "frames" ? "frames" : "times"}`;
}

/** When an alert was last true, on the engine's axis; null while it goes on. */
export function endOf(alert: Alert): number | null {
  return alert.condition === "active" ? null : (alert.end_ns ?? alert.cleared_ns ?? alert.onset_ns);
}

/** Seconds from a fold's first onset to its last end; ``now_ns`` while it goes on. */
export function spanOf(fold: Fold, now_ns: number): number {
  const ends = fold.members.map((one) => endOf(one) ?? now_ns);
  return (Math.max(...ends) - fold.members.at(-1)!.onset_ns) / 1e9;
}
