import { describe, expect, it } from "vitest";
import { decode, MeterBank } from "./meters";

function snapshot(...values: number[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, at) => view.setFloat32(at * 4, value, true));
  return view.buffer;
}

const SLOTS = [
  { source: "cart", stream: 0, metric: "rms_dbfs", offset: 0, count: 2 },
  { source: "cam", stream: 1, metric: "frame_rate_hz", offset: 2, count: 1 },
];

describe("binary meters", () => {
  it("are little-endian float32 with the serial number and the age in front", () => {
    const frame = decode(new Uint8Array([0, 0, 128, 63, 0, 0, 0, 63, 0, 0, 200, 193]).buffer);
    expect(frame?.serial).toBe(1);
    expect(frame?.age_s).toBe(0.5);
    expect([...(frame?.values ?? [])]).toEqual([-25]);
  });

  it("are refused when cut short", () => {
    expect(decode(new ArrayBuffer(4))).toBeNull();
    expect(decode(new ArrayBuffer(13))).toBeNull();
    expect(new MeterBank().feed(new ArrayBuffer(3), 0)).toBe(false);
  });

  it("are found by source, stream and metric", () => {
    const bank = new MeterBank();
    bank.layout(SLOTS);
    expect(bank.feed(snapshot(7, 0.02, -18, -20, 25), 1000)).toBe(true);
    expect([...bank.list("cart", 0, "rms_dbfs")]).toEqual([-18, -20]);
    expect(bank.value("cam", 1, "frame_rate_hz")).toBe(25);
    expect(bank.serial).toBe(7);
  });

  it("are unknown where the layout names nothing, or the snapshot is too short", () => {
    const bank = new MeterBank();
    bank.layout(SLOTS);
    bank.feed(snapshot(1, 0, -18, -20), 0);
    expect(bank.value("cam", 1, "frame_rate_hz")).toBeNaN();
    expect(bank.value("cart", 0, "true_peak_dbtp")).toBeNaN();
  });

  it("keep NaN as unknown", () => {
    const bank = new MeterBank();
    bank.layout(SLOTS);
    bank.feed(snapshot(1, 0, NaN, -20, 25), 0);
    expect(bank.value("cart", 0, "rms_dbfs", 0)).toBeNaN();
    expect(bank.value("cart", 0, "rms_dbfs", 1)).toBe(-20);
  });

  it("are forgotten when the layout changes, so that no value is read at a wrong place", () => {
    const bank = new MeterBank();
    bank.layout(SLOTS);
    bank.feed(snapshot(1, 0, -18, -20, 25), 0);
    bank.layout([{ source: "cart", stream: 0, metric: "rms_dbfs", offset: 1, count: 2 }]);
    expect(bank.value("cart", 0, "rms_dbfs")).toBeNaN();
  });
});
