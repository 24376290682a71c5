// The meter's scale and ballistics. IEC-style: the spread is the usual one of digital peak meters;
// IEC 60268-18 was not available, so no compliance is claimed.

export const FLOOR_DBFS = -60;
export const MARKS_DBFS: readonly number[] = [0, -9, -20, -30, -40, -50, -60];
/** At and below this the fill is blue: quiet, or only the room. */
export const QUIET_DBFS = -20;
export const HOLD_S = 1.5;
/** A fall of 20 dB in 1.7 s. */
export const FALL_DB_PER_S = 20 / 1.7;

const POINTS: readonly (readonly [number, number])[] = [
  [-60, 0],
  [-50, 0.085],
  [-40, 0.2],
  [-30, 0.34],
  [-20, 0.52],
  [-9, 0.79],
  [0, 1],
];

/** Deflection, 0 to 1, of a level in dBFS; unknown and below the floor are 0. */
export function deflection(level_dbfs: number): number {
  if (!(level_dbfs > FLOOR_DBFS)) return 0;
  for (let at = 1; at < POINTS.length; at++) {
    const [low, low_at] = POINTS[at - 1]!;
    const [high, high_at] = POINTS[at]!;
    if (level_dbfs <= high) {
      return low_at + ((level_dbfs - low) / (high - low)) * (high_at - low_at);
    }
  }
  return 1;
}

/** Peak with instant attack and a slow fall; unknown falls too, from what was known. */
export function fall(shown_db: number, level_db: number, dt_s: number): number {
  const fallen = shown_db - FALL_DB_PER_S * dt_s;
  const level = Number.isNaN(level_db) ? -Infinity : level_db;
  return Number.isNaN(shown_db) ? level : Math.max(level, fallen);
}

export interface Held {
  db: number;
  since_s: number;
}

/** The hold line: stays HOLD_S at the highest, then falls. */
export function hold(held: Held, level_db: number, now_s: number, dt_s: number): Held {
  const level = Number.isNaN(level_db) ? -Infinity : level_db;
  if (!(held.db > level)) return { db: level, since_s: now_s };
  if (now_s - held.since_s < HOLD_S) return held;
  return { db: Math.max(level, held.db - FALL_DB_PER_S * dt_s), since_s: held.since_s };
}
