// The binary meter snapshots: little-endian float32, word 0 the serial number, word 1 the age of
// the oldest value in seconds, then the values in the order of the layout. Unknown is NaN.

import type { MeterSlot } from "./messages";

export const HEADER_WORDS = 2;

export interface MeterFrame {
  serial: number;
  age_s: number;
  values: Float32Array;
}

/** Decode one snapshot; null for anything that is not whole float32 words with a header. */
export function decode(buffer: ArrayBuffer): MeterFrame | null {
  if (buffer.byteLength % 4 !== 0 || buffer.byteLength < HEADER_WORDS * 4) return null;
  const view = new DataView(buffer);
  const words = new Float32Array(buffer.byteLength / 4);
  for (let at = 0; at < words.length; at++) words[at] = view.getFloat32(at * 4, true);
  return {
    serial: words[0] ?? NaN,
    age_s: words[1] ?? NaN,
    values: words.subarray(HEADER_WORDS),
  };
}

/** The name under which one metric of one stream is found. */
export function slotKey(source: string, stream: number, metric: string): string {
  return `${source}/${stream}/${metric}`;
}

const EMPTY = new Float32Array(0);

/** The newest snapshot, read by place. Not reactive: canvases and a slow tick read it. */
export class MeterBank {
  private slots = new Map<string, MeterSlot>();
  private values: Float32Array = EMPTY;
  serial = NaN;
  age_s = NaN;
  arrived_ms = -Infinity;

  /** Take a new layout; values of the old one are forgotten, they would be read at wrong places. */
  layout(slots: readonly MeterSlot[]): void {
    this.slots = new Map(slots.map((slot) => [slotKey(slot.source, slot.stream, slot.metric), slot]));
    this.values = EMPTY;
    this.serial = NaN;
  }

  /** Take a snapshot that arrived at ``now_ms``; says whether it was one. */
  feed(buffer: ArrayBuffer, now_ms: number): boolean {
    const frame = decode(buffer);
    if (frame === null) return false;
    this.values = frame.values;
    this.serial = frame.serial;
    this.age_s = frame.age_s;
    this.arrived_ms = now_ms;
    return true;
  }

  forget(): void {
    this.values = EMPTY;
    this.serial = NaN;
  }

  /** Whether the service measures this at all. */
  has(source: string, stream: number, metric: string): boolean {
    return this.slots.has(slotKey(source, stream, metric));
  }

  /** Values of one metric, one a channel; empty while unknown. */
  list(source: string, stream: number, metric: string): Float32Array {
    const slot = this.slots.get(slotKey(source, stream, metric));
    if (slot === undefined || this.values.length < slot.offset + slot.count) return EMPTY;
    return this.values.subarray(slot.offset, slot.offset + slot.count);
  }

  /** One value of one metric; NaN while unknown. */
  value(source: string, stream: number, metric: string, index = 0): number {
    return this.list(source, stream, metric)[index] ?? NaN;
  }
}
