import { expect, it } from "vitest";
import { folded, spanOf, timesOf } from "./folding";
import type { Alert } from "./messages";
import { byUrgency } from "./reduce";

const WHO = { who: "Kim", t_ns: 0, utc_ns: 0 };

function clip(id: string, at_s: number, changes: Partial<Alert> = {}): Alert {
  const bare = {
    id,
    group: "c1",
    take: "t1",
    severity: "CHECK",
    condition: "cleared",
    acknowledged: null,
    count: 1,
    onset_ns: at_s * 1e9,
    end_ns: at_s * 1e9 + 1,
    worst: 5,
    limit: 3,
  };
  return { ...bare, ...changes } as Alert;
}

it("folds the clips of one channel and take into one row with all counts together", () => {
  const clips = Array.from({ length: 23 }, (_, at) => clip(`c${at + 1}`, 10 * at));
  const [fold, ...rest] = folded(clips);
  expect(rest).toEqual([]);
  expect(fold).toMatchObject({ count: 23, newest: { id: "c23" }, asks: { id: "c23" } });
  expect(fold?.members.map((one) => one.onset_ns)).toEqual(clips.map((one) => one.onset_ns).reverse());
  expect(spanOf(fold!, 0)).toBeCloseTo(220);
});

it("keeps another channel's, another take's and an ungrouped alert in rows of their own", () => {
  const others = [
    clip("c2", 1, { group: "c2" }),
    clip("c3", 2, { take: "t2" }),
    clip("old", 3, { group: "" }),
    clip("older", 4, { group: "" }),
  ];
  expect(folded([clip("c1", 0), ...others]).map((fold) => fold.members.length)).toEqual([1, 1, 1, 1, 1]);
});

it("shows the gravest, then the one farthest from its limit, and asks for the newest not acknowledged", () => {
  const [fold] = folded([
    clip("c1", 0, { severity: "FAULT", worst: 4 }),
    clip("c2", 1, { severity: "FAULT", worst: 9 }),
    clip("c3", 2, { worst: 40 }),
    clip("c4", 3, { acknowledged: WHO }),
  ]);
  expect([fold?.worst.id, fold?.asks?.id, fold?.newest.id]).toEqual(["c2", "c3", "c4"]);
  const [low] = folded([
    clip("c1", 0, { worst: -30, limit: -20 }),
    clip("c2", 1, { worst: -41, limit: -20 }),
    clip("c3", 2, { worst: -22, limit: -20 }),
  ]);
  expect(low?.worst.id).toBe("c2");
});

it("stands where its most urgent member stood, and asks nothing once all are acknowledged", () => {
  const lav = clip("l1", 9, { group: "l1" });
  const shown = [lav, clip("c1", 0, { severity: "FAULT" }), clip("c2", 20)].sort(byUrgency);
  expect(folded(shown).map((fold) => fold.key)).toEqual(["c1 t1", "l1 t1"]);
  expect(folded([clip("c1", 0, { acknowledged: WHO })])[0]?.asks).toBeNull();
});

it("counts faults as times, pictures as frames, and says nothing of what happened once", () => {
  const said = (...alerts: Alert[]): string => timesOf(folded(alerts)[0]!);
  expect(said(clip("c1", 0))).toBe("");
  expect(said(clip("c1", 0, { count: 4 }), clip("c2", 9))).toBe("5 times");
  expect(said(clip("c1", 0, { count: 29, unit: "frames" }))).toBe("29 frames");
});

it("spans until now while its newest goes on", () => {
  const [fold] = folded([clip("c1", 10), clip("c2", 20, { condition: "active", end_ns: null })]);
  expect(spanOf(fold!, 70e9)).toBe(60);
});
