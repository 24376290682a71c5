import { describe, expect, it } from "vitest";
import type { Alert, Hello, Record as Row, ServerMessage, Snapshot, Take } from "./messages";
import { lastTakeLine } from "./places";
import { byUrgency, HISTORY_LIMIT, isEarlier, isShown, NOTHING, reduce, rollingTake, TAKES_LIMIT, type State } from "./reduce";

function alert(changes: Partial<Alert> = {}): Alert {
  return {
    id: "a1",
    group: "",
    rule: "audio.clipping",
    department: "sound",
    source: "cart",
    source_name: "Cart",
    stream: 0,
    channel: 2,
    channel_name: "Boom",
    channels: [2],
    severity: "CHECK",
    condition: "active",
    latched: false,
    acknowledged: null,
    suppressed_by: null,
    shelved_until_ns: null,
    onset_ns: 1,
    active_ns: 1,
    cleared_ns: null,
    start: null,
    end: null,
    end_ns: null,
    worst: 4,
    limit: 3,
    unit: "samples",
    count: 1,
    count_1s: 1,
    message: "clipped once",
    advice: "",
    ebu_qc: [],
    cause: null,
    take: "t1",
    timecode: null,
    trace: null,
    muted_ns: null,
    ...changes,
  };
}

function take(id: string, cut_ns: number | null, changes: Partial<Take> = {}): Take {
  return {
    id,
    production: "P",
    unit: "U",
    day: "D",
    scene: "27",
    slate: "27/7",
    take: 1,
    notes: "",
    circled: false,
    false_start: false,
    parts: [{ group: "sound", roll_ns: 0, roll_utc_ns: 0, cut_ns, cut_utc_ns: cut_ns }],
    deleted: false,
    loudness: {},
    ...changes,
  };
}

function row(seq: number, body: Row["body"], durable = true): ServerMessage {
  const record: Row = {
    seq,
    utc_ns: 0,
    t_ns: 0,
    boot_id: "b",
    production: "P",
    unit: "U",
    day: "D",
    who: null,
    durable,
    body,
  };
  return { type: "record", record };
}

function raised(seq: number, of: Alert): ServerMessage {
  return row(seq, { kind: "alert", what: "raised", alert: of });
}

function hello(journal_id: string): Hello {
  return {
    type: "hello",
    protocol: 1,
    version: "0",
    journal_id,
    server_utc_ns: 0,
    missed: 0,
    heartbeat_s: 0.25,
    meters: [],
    layout: 1,
  };
}

function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    type: "snapshot",
    seq: 7,
    session: {
      mode: "monitoring",
      production: "P",
      unit: "U",
      day: "D",
      recording: true,
      role: "operate",
      who: "Priya",
    },
    spec: {
      name: "",
      title: "",
      stage: "feed",
      limits: {},
      peak_max_dbfs: null,
      target_min_dbfs: null,
      target_max_dbfs: null,
    },
    phase: "idle",
    sources: [],
    glance: [],
    alerts: [],
    takes: [],
    next_take: take("next", null, { parts: [] }),
    clock_offset_ns: 5,
    ...changes,
  };
}

function after(...messages: ServerMessage[]): State {
  return messages.reduce(reduce, NOTHING);
}

describe("the store", () => {
  it("knows nothing before the snapshot", () => {
    expect(after(hello("j")).ready).toBe(false);
    expect(after(hello("j"), snapshot()).ready).toBe(true);
  });

  it("keeps an alert by its id and takes the newest transition", () => {
    const state = after(snapshot(), raised(8, alert()), raised(9, alert({ count: 3 })));
    expect(state.alerts.map((one) => one.count)).toEqual([3]);
    expect(state.seq).toBe(9);
  });

  it("is the same after a record has come twice, as it does on a resume", () => {
    const once = after(snapshot(), raised(8, alert()));
    expect(reduce(once, raised(8, alert()))).toEqual(once);
  });

  it("shows a cleared alert as long as it is latched", () => {
    expect(isShown(alert({ condition: "cleared", latched: true }))).toBe(true);
    expect(isShown(alert({ condition: "cleared" }))).toBe(false);
    expect(isEarlier(alert({ condition: "cleared" }))).toBe(true);
    expect(isEarlier(alert({ condition: "cleared", suppressed_by: "another" }))).toBe(false);
    expect(isEarlier(alert({ condition: "active" }))).toBe(false);
  });

  it("shows neither what is pending, nor suppressed, nor shelved", () => {
    expect(isShown(alert({ condition: "pending" }))).toBe(false);
    expect(isEarlier(alert({ condition: "pending" }))).toBe(false);
    expect(isShown(alert({ suppressed_by: "a0" }))).toBe(false);
    expect(isShown(alert({ shelved_until_ns: 9 }))).toBe(false);
  });

  it("forgets an alert that was only pending", () => {
    expect(after(snapshot(), raised(8, alert({ condition: "pending" }))).alerts).toEqual([]);
  });

  it("puts what nobody has acknowledged first, then the worst, then the newest", () => {
    const who = { who: "Priya", t_ns: 0, utc_ns: 0 };
    const list = [
      alert({ id: "known", severity: "FAULT", acknowledged: who }),
      alert({ id: "old", onset_ns: 1 }),
      alert({ id: "new", onset_ns: 2 }),
      alert({ id: "bad", severity: "FAULT" }),
    ];
    expect(list.sort(byUrgency).map((one) => one.id)).toEqual(["bad", "new", "old", "known"]);
  });

  it("bounds what it keeps: cleared alerts and takes, never an open alert", () => {
    const cleared = Array.from({ length: HISTORY_LIMIT + 20 }, (_, at) =>
      raised(at, alert({ id: `c${at}`, condition: "cleared" })),
    );
    const takes = Array.from({ length: TAKES_LIMIT + 5 }, (_, at) =>
      row(at, { kind: "take", what: "cut", take: take(`t${at}`, 1) }),
    );
    const state = after(snapshot(), raised(1, alert({ id: "open" })), ...cleared, ...takes);
    expect(state.alerts.length).toBe(HISTORY_LIMIT + 1);
    expect(state.alerts.some((one) => one.id === "open")).toBe(true);
    expect(state.takes.length).toBe(TAKES_LIMIT);
    expect(state.takes.at(-1)?.id).toBe(`t${TAKES_LIMIT + 4}`);
  });

  it("edits a take in its place", () => {
    const rolled = row(8, { kind: "take", what: "rolled", take: take("t1", null) });
    const other = row(9, { kind: "take", what: "rolled", take: take("t2", null) });
    const edit = { kind: "take", what: "edited", take: take("t1", 4, { circled: true }) } as const;
    const state = after(snapshot(), rolled, other, row(10, edit));
    expect(state.takes.map((one) => [one.id, one.circled])).toEqual([["t1", true], ["t2", false]]);
    expect(rollingTake(state.takes)?.id).toBe("t2");
  });

  it("does not count a deleted take as rolling", () => {
    expect(rollingTake([take("t1", null, { deleted: true })])).toBeNull();
  });

  it("counts a record as pending until it is confirmed durable", () => {
    const body = { kind: "notice", text: "x", level: "info" } as const;
    const sent = after(snapshot(), row(8, body, false));
    expect(sent.pending).toEqual([8]);
    expect(reduce(sent, { type: "confirm", seq: 8 }).pending).toEqual([]);
  });

  it("keeps what it knew of the day when it resumes the same journal, nothing of another", () => {
    const before = after(hello("j"), snapshot(), raised(9, alert({ condition: "cleared" })));
    expect(reduce(before, hello("j")).alerts.length).toBe(1);
    const other = reduce(before, hello("other"));
    expect([other.alerts.length, other.takes.length, other.seq]).toEqual([0, 0, 0]);
  });

  it("takes the view's newest words and leaves the alerts alone", () => {
    const { session, sources, glance, next_take } = snapshot();
    const state = reduce(after(snapshot(), raised(8, alert())), {
      type: "view",
      session,
      phase: "rolling",
      sources,
      glance,
      next_take,
    });
    expect(state.phase).toBe("rolling");
    expect(state.alerts.length).toBe(1);
  });
});

describe("the last take", () => {
  it("is told with its worst alert and who knows of it", () => {
    const who = { who: "Priya", t_ns: 0, utc_ns: 0 };
    const found = [alert({ acknowledged: who }), alert({ id: "note", severity: "NOTE" })];
    const line = lastTakeLine([take("t1", 48e9)], found, "sound");
    expect(line?.text).toBe("Boom: clipped once, acknowledged by Priya");
  });

  it("says when nothing was found, and leaves the other department's alerts out", () => {
    expect(lastTakeLine([take("t1", 48e9)], [alert()], "camera")?.text).toBe("nothing found in 0:48");
  });

  it("is not the one that still rolls", () => {
    expect(lastTakeLine([take("t1", null)], [], "sound")).toBeNull();
  });
});
