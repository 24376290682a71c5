import { describe, expect, it } from "vitest";
import { deflection, fall, FALL_DB_PER_S, FLOOR_DBFS, hold, HOLD_S, MARKS_DBFS } from "./levels";

describe("the scale", () => {
  it("goes from −60 at the bottom to 0 at the top and never turns back", () => {
    expect(deflection(FLOOR_DBFS)).toBe(0);
    expect(deflection(0)).toBe(1);
    for (let db = -60; db < 0; db += 0.25) {
      expect(deflection(db + 0.25)).toBeGreaterThan(deflection(db));
    }
  });

  it("spreads the upper decibels: 10 dB near the top take more room than at the bottom", () => {
    expect(deflection(-10) - deflection(-20)).toBeGreaterThan(deflection(-50) - deflection(-60));
  });

  it("keeps unknown, silence and overs inside the bar", () => {
    expect(deflection(NaN)).toBe(0);
    expect(deflection(-Infinity)).toBe(0);
    expect(deflection(3)).toBe(1);
  });

  it("has marks inside it", () => {
    for (const mark of MARKS_DBFS) {
      expect(mark).toBeGreaterThanOrEqual(FLOOR_DBFS);
      expect(mark).toBeLessThanOrEqual(0);
    }
  });
});

describe("ballistics", () => {
  it("rise at once and fall at 20 dB in 1.7 s", () => {
    expect(fall(-40, -12, 0.04)).toBe(-12);
    expect(fall(-12, -60, 1.7)).toBeCloseTo(-32, 6);
    expect(fall(-12, -20, 0.1)).toBeCloseTo(-12 - FALL_DB_PER_S * 0.1, 6);
  });

  it("fall from what was known when the level becomes unknown", () => {
    expect(fall(-12, NaN, 0.1)).toBeLessThan(-12);
    expect(fall(NaN, NaN, 0.1)).toBe(-Infinity);
  });

  it("hold the highest for the hold time, then fall", () => {
    const held = hold({ db: NaN, since_s: 0 }, -6, 10, 0.04);
    expect(held).toEqual({ db: -6, since_s: 10 });
    expect(hold(held, -30, 10 + HOLD_S - 0.01, 0.04).db).toBe(-6);
    expect(hold(held, -30, 10 + HOLD_S, 0.04).db).toBeLessThan(-6);
  });

  it("start the hold again at a new highest", () => {
    expect(hold({ db: -6, since_s: 10 }, -5, 11, 0.04)).toEqual({ db: -5, since_s: 11 });
  });
});
