import { expect, it } from "vitest";
import type { Alert, SourceView, Take } from "./messages";
import { channels, clipsOf, earlierTake, faultSpan, isCamera, metered, saidOnce, saidWithout, shortNames, withoutFrames } from "./places";

function source(id: string, department: SourceView["department"], kinds: ("audio" | "video")[]): SourceView {
  const nothing = {
    codec: null,
    sample_rate_hz: null,
    layout: null,
    sample_format: null,
    bit_depth: null,
    width_px: null,
    height_px: null,
    pixel_format: null,
    scan: null,
    frame_rate: null,
    declared_duration_s: null,
  asked: null,
  };
  return {
    id,
    name: id,
    kind: "network_feed",
    group: id,
    department,
    practice: false,
    state: "live",
    why: null,
    since_utc_ns: 0,
    last_seen_utc_ns: null,
    programme: null,
    still: null,
    words: {},
    muted: [],
    line_up: { learned_utc_ns: null, who: null, learned: 0, channels: [] },
    streams: kinds.map((kind, index) => ({
      ...nothing,
      index,
      kind,
      time_base: "1/48000",
      channels: kind === "audio" ? 2 : null,
      channel_names: kind === "audio" ? ["Boom", " "] : null,
    })),
  };
}

it("says a name once, whether or not the message begins with it", () => {
  expect(saidOnce("Boom", "clipped twice")).toBe("Boom: clipped twice");
  expect(saidOnce("Boom", "Boom clipped twice")).toBe("Boom clipped twice");
  expect(saidOnce("Boom", "Boom: Boom clipped twice")).toBe("Boom clipped twice");
  expect(saidOnce("", "no packet")).toBe("no packet");
});

it("leaves the name out where it already stands", () => {
  expect(saidWithout("Boom", "Boom clipped twice")).toBe("clipped twice");
  expect(saidWithout("Boom", "Boom: Boom clipped twice")).toBe("clipped twice");
  expect(saidWithout("B camera", "23.976 fps")).toBe("23.976 fps");
});

it("leaves the numbers of single frames to the list of alerts, and other brackets alone", () => {
  expect(withoutFrames("5 frames dropped (missing: frame 4125, 4127, 4129 …)")).toBe("5 frames dropped");
  expect(withoutFrames("2 frames repeated (repeated: frame 12–13)")).toBe("2 frames repeated");
  expect(withoutFrames("silence for 1.5 s (exact zeros)")).toBe("silence for 1.5 s (exact zeros)");
});

it("names channels as the operator did, else numbers them from 1", () => {
  const names = channels(source("cart", "sound", ["audio"])).map((one) => one.name);
  expect(names).toEqual(["Boom", "2"]);
});

it("meters sound's own sources, and a camera's sound only where there is nothing else", () => {
  const cart = source("cart", "sound", ["audio"]);
  const camera = source("cam", "camera", ["video", "audio"]);
  expect(metered([cart, camera])).toEqual([cart]);
  expect(metered([camera])).toEqual([camera]);
  expect(isCamera(cart)).toBe(false);
  expect(isCamera(camera)).toBe(true);
});

it("keeps a place for a sound source that has not opened yet", () => {
  expect(metered([source("cart", "sound", [])]).length).toBe(1);
});

it("shortens long names to what tells them apart, and leaves short ones alone", () => {
  expect(shortNames(["Boom", "Ana"], 8)).toEqual(["Boom", "Ana"]);
  expect(shortNames(["Lavalier Ana spare", "Lavalier Joe spare"], 8)).toEqual(["Ana", "Joe"]);
  expect(shortNames(["Boom", "Radio mic 9", "Radio mic 10"], 8)).toEqual(["Boom", "Rm 9", "Rm 10"]);
  expect(shortNames(["Radio mic", "Radio mic 2"], 8)).toEqual(["mic", "mic 2"]);
  expect(shortNames(["Donaudampfschifffahrt"], 8)).toEqual(["Donaudampfschifffahrt"]);
});

function clip(changes: Partial<Alert>): Alert {
  const bare = { rule: "audio.clipping", severity: "CHECK", acknowledged: null, count: 1, onset_ns: 1 };
  return { ...bare, ...changes } as Alert;
}

it("shows a channel's clips as one: all of them counted, the gravest, the age of the newest", () => {
  const clips = clipsOf([
    clip({ id: "old", severity: "FAULT", count: 3 }),
    clip({ id: "new", onset_ns: 9 }),
    clip({ id: "seen", onset_ns: 12, acknowledged: { who: "Kim", t_ns: 0, utc_ns: 0 } }),
    clip({ id: "peak", rule: "audio.peak" }),
  ]);
  expect(clips).toMatchObject({ count: 4, severity: "FAULT", newest: { id: "new" } });
  expect(clips?.waiting.map((one) => one.id)).toEqual(["old", "new"]);
});

it("keeps the flag of a clip that goes on after it was acknowledged", () => {
  const clips = clipsOf([clip({ acknowledged: { who: "Kim", t_ns: 0, utc_ns: 0 } })]);
  expect(clips).toMatchObject({ count: 1, waiting: [] });
  expect(clipsOf([])).toBeNull();
});

it("says which take an alert waits from, while another rolls", () => {
  const takes = [3, 4].map((number) => ({ id: `t${number}`, slate: "27/7", take: number }) as Take);
  const waiting = clip({ condition: "cleared", take: "t3" });
  expect(earlierTake(waiting, takes, takes[1]!)).toBe("27/7 take 3");
  expect(earlierTake(waiting, takes, takes[0]!)).toBe("");
  expect(earlierTake(waiting, takes, null)).toBe("");
  expect(earlierTake(clip({ condition: "active", take: "t3" }), takes, takes[1]!)).toBe("");
});

it("lays the fault over its level trace, and never too thin to see", () => {
  const trace = { start_s: -2.5, step_s: 0.05, values: Array<number>(100).fill(-30) };
  const clip = { onset_ns: 10e9, end_ns: 10.001e9 } as Alert;
  expect(faultSpan(clip, trace)).toEqual({ from: 0.5, share: 0.015 });
  const lasting = { onset_ns: 10e9, end_ns: null } as Alert;
  expect(faultSpan(lasting, trace)).toEqual({ from: 0.5, share: 0.5 });
  const long = { onset_ns: 10e9, end_ns: 99e9 } as Alert;
  expect(faultSpan(long, { ...trace, start_s: -4.9 }).from).toBeCloseTo(0.98);
});
