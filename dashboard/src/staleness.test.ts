import { describe, expect, it } from "vitest";
import { backoff_ms, BACKOFF_LAST_MS, isStale, seen, STALE_MS } from "./staleness";

describe("staleness", () => {
  it("begins 1.5 s after the last heartbeat", () => {
    expect(isStale(1000, 1000 + STALE_MS - 1)).toBe(false);
    expect(isStale(1000, 1000 + STALE_MS)).toBe(true);
  });

  it("is what a page begins with", () => {
    expect(isStale(-Infinity, 0)).toBe(true);
    expect(isStale(NaN, 0)).toBe(true);
  });

  it("leaves time to say NOT MONITORED within 2 s", () => {
    expect(STALE_MS + 100).toBeLessThan(2000);
  });
});

describe("connecting again", () => {
  it("waits longer each time, never longer than its bound", () => {
    expect(backoff_ms(1, 0.5)).toBeGreaterThan(backoff_ms(0, 0.5));
    for (let attempt = 0; attempt < 5000; attempt += 7) {
      expect(backoff_ms(attempt, 1)).toBeLessThanOrEqual(BACKOFF_LAST_MS);
      expect(backoff_ms(attempt, 0)).toBeGreaterThan(0);
    }
  });
});

describe("a source", () => {
  it("counts as lost whatever it is called, unless it is live, starting or at its end", () => {
    expect(seen({ state: "live" })).toBe("live");
    expect(seen({ state: "starting" })).toBe("waiting");
    expect(seen({ state: "ended" })).toBe("ended");
    for (const state of ["lost", "stalled", "anything else"]) expect(seen({ state })).toBe("lost");
  });
});
