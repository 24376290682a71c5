// Written by `python -m api.page_types` from api/messages.py. Do not edit: a test compares.

export const PROTOCOL = 1;

export const HEARTBEAT_S = 0.25;

export const METERS_HZ = 25;

/** Who took note, and when (engine axis and UTC). */
export interface Acknowledgement {
  who: string;
  t_ns: number;
  utc_ns: number;
}

/** An alert's whole state; every transition is journalled as one of these. */
export interface Alert {
  id: string;
  group: string;
  rule: string;
  department: "sound" | "camera" | "both";
  source: string;
  source_name: string;
  stream: number | null;
  channel: number | null;
  channel_name: string | null;
  channels: number[];
  severity: "NOTE" | "CHECK" | "FAULT";
  condition: "pending" | "active" | "cleared";
  latched: boolean;
  acknowledged: Acknowledgement | null;
  suppressed_by: string | null;
  shelved_until_ns: number | null;
  muted_ns: number | null;
  onset_ns: number;
  active_ns: number | null;
  cleared_ns: number | null;
  start: Place | null;
  end: Place | null;
  end_ns: number | null;
  worst: number | number[] | string | null;
  limit: number | number[] | string | null;
  unit: string;
  count: number;
  count_1s: number;
  message: string;
  advice: string;
  ebu_qc: string[];
  cause: "device" | "link" | "encoder" | "lens_or_light" | "setting" | null;
  take: string | null;
  timecode: string | null;
  trace: LevelTrace | null;
}

/** An alert's transition. */
export interface AlertBody {
  kind: "alert";
  what: string;
  alert: Alert;
}

/** A record sent as not durable is durable now. */
export interface Confirm {
  type: "confirm";
  seq: number;
}

/** Body of ``POST /api/takes/current/cut``. Empty groups: all that roll. */
export interface CutRequest {
  groups?: string[] | null;
}

/** Something is known to be lost. */
export interface GapBody {
  kind: "gap";
  gap: GapRecord;
}

/** A gap, as the worker counted it or as the service saw it (source ``service``). */
export interface GapRecord {
  source: string;
  stream: number | null;
  amount: number;
  unit: string;
  reason: string;
  t_ns: number;
}

/** The state word of a department, its headline, and one line to say at the cut. */
export interface Glance {
  department: "sound" | "camera" | "both";
  word: "OK" | "STANDBY" | "CHECK" | "FAULT" | "NOT MONITORED";
  subject: string;
  detail: string;
  say: string;
  since_utc_ns: number;
}

/** Four times a second; the page goes NOT MONITORED 1.5 s after the last one. */
export interface Heartbeat {
  type: "heartbeat";
  server_utc_ns: number;
}

/** First message on connect. */
export interface Hello {
  type: "hello";
  protocol: number;
  version: string;
  journal_id: string;
  server_utc_ns: number;
  missed: number;
  heartbeat_s: number;
  meters: MeterSlot[];
  layout: number;
}

/** The layout of the binary meters changed. */
export interface Layout {
  type: "layout";
  layout: number;
  meters: MeterSlot[];
}

/** The highest sample of a channel in steps around an alert, dBFS, oldest first. */
export interface LevelTrace {
  start_s: number;
  step_s: number;
  values: (number | null)[];
}

/** The line-up of a source was learned: the proof, and the baseline its day goes by. */
export interface LineUpBody {
  kind: "line_up";
  source: string;
  source_name: string;
  channels: LinedUp[];
  baseline: { [key: string]: number | string | (number | null)[] | null };
}

/** The line-up of a source: when it was learned and by whom, what its channels show now. */
export interface LineUpView {
  learned_utc_ns: number | null;
  who: string | null;
  learned: number;
  channels: LinedUp[];
}

/** What one channel showed in the line-up; unknown is null, a tone that never came too. */
export interface LinedUp {
  name: string;
  heard: boolean;
  muted: boolean;
  noise_floor_dbfs: number | null;
  tone_hz: number | null;
  tone_level_dbfs: number | null;
  tone_thdn_db: number | null;
}

/** Where one metric of one stream lies in the binary snapshot. */
export interface MeterSlot {
  source: string;
  stream: number;
  metric: string;
  offset: number;
  count: number;
}

/** A channel marked as muted on purpose: by whom, and since when. */
export interface MutedView {
  stream: number;
  channel: number;
  who: string;
  since_utc_ns: number;
}

/** Something about the monitor itself: journal lost, disk short, coarser counts. */
export interface NoticeBody {
  kind: "notice";
  text: string;
  level: "info" | "warning";
}

/** Body of ``POST /api/devices``: the link's token exchanged for a session. */
export interface PairRequest {
  token: string;
  name: string;
  department: "sound" | "camera" | "script" | "production" | "post";
}

/** One group of sources in a take: its roll and cut, engine axis and UTC. */
export interface Part {
  group: string;
  roll_ns: number;
  roll_utc_ns: number;
  cut_ns: number | null;
  cut_utc_ns: number | null;
}

/** The phase changed. */
export interface PhaseBody {
  kind: "phase";
  phase: "idle" | "line_up" | "rolling";
}

/** Body of ``PUT /api/line-up``: start or end the line-up. */
export interface PhaseRequest {
  line_up: boolean;
}

/** A point in media time. */
export interface Place {
  ticks: number;
  time_base: string;
  epoch: number;
}

/** One row of the journal. */
export interface Record {
  seq: number;
  utc_ns: number;
  t_ns: number;
  boot_id: string;
  production: string;
  unit: string;
  day: string;
  who: string | null;
  durable: boolean;
  body: AlertBody | TakeBody | GapBody | SourceBody | PhaseBody | LineUpBody | NoticeBody;
}

/** A row of the journal, as soon as it is durable (or after 50 ms, ``durable: false``). */
export interface RecordMessage {
  type: "record";
  record: Record;
}

/** Body of ``POST /api/takes``. Empty groups: all. */
export interface RollRequest {
  scene?: string | null;
  slate?: string | null;
  take?: number | null;
  groups?: string[] | null;
  back_s?: number;
}

/** Body of ``POST /api/session``: start practice feeds, or watch inputs that were found. */
export interface SessionRequest {
  practice?: boolean;
  inputs?: number[];
}

/** What this service is doing: nothing yet, practising, or monitoring. */
export interface SessionView {
  mode: "first_run" | "practice" | "monitoring";
  production: string;
  unit: string;
  day: string;
  recording: boolean;
  role: "view" | "log" | "operate";
  who: string;
}

/** Body of ``POST /api/shelves``: rule × source × channel, with a reason. */
export interface ShelveRequest {
  rule: string;
  source: string;
  channel?: number | null;
  until: "cut" | "5min" | "15min" | "60min";
  reason: string;
}

/** Everything the page needs to draw itself from nothing. */
export interface Snapshot {
  type: "snapshot";
  seq: number;
  session: SessionView;
  spec: SpecView;
  phase: "idle" | "line_up" | "rolling";
  sources: SourceView[];
  glance: Glance[];
  alerts: Alert[];
  takes: Take[];
  next_take: Take;
  clock_offset_ns: number;
}

/** A source's state changed. */
export interface SourceBody {
  kind: "source";
  source: SourceRecord;
}

/** A source changed its state. */
export interface SourceRecord {
  source: string;
  state: string;
  why: string | null;
  t_ns: number;
}

/** One source as the page shows it. */
export interface SourceView {
  id: string;
  name: string;
  kind: string;
  group: string;
  department: "sound" | "camera" | "both";
  practice: boolean;
  state: string;
  why: string | null;
  since_utc_ns: number;
  last_seen_utc_ns: number | null;
  streams: Stream[];
  programme: number[] | null;
  still: string | null;
  words: { [key: string]: string };
  muted: MutedView[];
  line_up: LineUpView;
}

/** The spec in force, as the page quotes it. */
export interface SpecView {
  name: string;
  title: string;
  stage: string;
  limits: { [key: string]: string };
  peak_max_dbfs: number | null;
  target_min_dbfs: number | null;
  target_max_dbfs: number | null;
}

/** One elementary stream of a source, as ``hello`` describes it; unknown is null. */
export interface Stream {
  index: number;
  kind: "audio" | "video" | "data";
  codec: string | null;
  time_base: string;
  sample_rate_hz: number | null;
  channels: number | null;
  layout: string | null;
  channel_names: string[] | null;
  sample_format: string | null;
  bit_depth: number | null;
  width_px: number | null;
  height_px: number | null;
  pixel_format: string | null;
  scan: "progressive" | "interlaced" | null;
  frame_rate: string | null;
  declared_duration_s: number | null;
  asked: string | null;
}

/** One take, whole. ``id`` never changes, whatever is edited. */
export interface Take {
  id: string;
  production: string;
  unit: string;
  day: string;
  scene: string;
  slate: string;
  take: number;
  notes: string;
  circled: boolean;
  false_start: boolean;
  parts: Part[];
  deleted: boolean;
  loudness: { [key: string]: number | null };
}

/** A take was rolled, cut or edited. */
export interface TakeBody {
  kind: "take";
  what: "rolled" | "cut" | "edited" | "moved" | "deleted" | "restored";
  take: Take;
}

/** Body of ``PATCH /api/takes/{id}`` (``next`` edits the slate of the next roll). */
export interface TakeEdit {
  scene?: string | null;
  slate?: string | null;
  take?: number | null;
  notes?: string | null;
  circled?: boolean | null;
  false_start?: boolean | null;
  deleted?: boolean | null;
  roll_back_s?: number | null;
}

/** What changed in the page's derived state; sent merged, newest wins. */
export interface View {
  type: "view";
  session: SessionView;
  phase: "idle" | "line_up" | "rolling";
  sources: SourceView[];
  glance: Glance[];
  next_take: Take;
}

export type ServerMessage = Hello | Layout | Snapshot | RecordMessage | Confirm | View | Heartbeat;

export type Word = Glance["word"];
