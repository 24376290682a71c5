// Figures and times in words. A true minus sign, a narrow gap before units, unknown is a dash.

import type { Alert } from "./messages";

export const UNKNOWN = "–";
const MINUS = "\u2212";

/** A number with a fixed count of decimals and a typographic minus. */
export function figure(value: number, decimals = 1): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** A level; minus infinity is digital silence, said so. */
export function level(value: number): string {
  return value === -Infinity ? `${MINUS}∞` : figure(value);
}

/** Distortion in dB as the percentage people know: -60 dB is 0.1 %. */
export function distortion(db: number): string {
  const percent = 100 * 10 ** (db / 20);
  return `${figure(percent, percent < 0.1 ? 3 : percent < 1 ? 2 : 1)} %`;
}

/** Bits a second as an assistant says them. */
export function bitRate(value_bps: number): string {
  if (!Number.isFinite(value_bps)) return UNKNOWN;
  if (value_bps >= 1e6) return `${figure(value_bps / 1e6, value_bps >= 1e8 ? 0 : 1)} Mb/s`;
  return `${figure(value_bps / 1e3, 0)} kb/s`;
}

/** A measured frame rate: three decimals tell 23.976 from 24.000. */
export function frameRate(value_hz: number): string {
  return figure(value_hz, 3);
}

/** A declared rate given as a fraction, in three decimals. */
export function declaredRate(fraction: string | null): string {
  if (fraction === null) return UNKNOWN;
  const [top, bottom] = fraction.split("/").map(Number);
  return figure((top ?? NaN) / (bottom ?? 1), 3);
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}

/** Seconds as a running time: 0:48, 12:05, 1:02:03. */
export function runningTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** How long ago, in the fewest words: now, 12 s, 3 min, 2 h. */
export function age(seconds: number): string {
  if (!Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 2) return "now";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** The same with ``ago``, for sentences. */
export function ago(seconds: number): string {
  const word = age(seconds);
  return word === "now" || word === UNKNOWN ? word : `${word} ago`;
}

/** Time of day on this tablet's clock: 14:22:06. */
export function clock(utc_ms: number): string {
  if (!Number.isFinite(utc_ms)) return "--:--:--";
  const when = new Date(utc_ms);
  return `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`;
}

/** A count with its noun: 1 channel, 8 channels. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** Rule names as people say them; a rule not listed reads as its name. */
const RULES: { [rule: string]: string } = {
  "audio.clipping": "Clipping",
  "audio.true_peak": "True peak high",
  "audio.peak": "Peak high",
  "audio.level_low": "Level low",
  "audio.silence": "Digital silence",
  "audio.dropout": "Dropout",
  "audio.clicks": "Clicks",
  "audio.hum": "Hum",
  "audio.dc_offset": "DC offset",
  "audio.polarity": "Polarity inverted",
  "audio.dual_mono": "Same sound twice",
  "audio.rumble": "Wind or rumble",
  "audio.noise_floor": "Noise floor",
  "audio.clock_drift": "Clock drift",
  "audio.loudness": "Loudness",
  "audio.format": "Sound format",
  "audio.bitrate": "Sound bitrate",
  "video.resolution": "Picture size",
  "video.frame_rate": "Frame rate",
  "video.frames_dropped": "Frames dropped",
  "video.frames_repeated": "Frames repeated",
  "video.freeze": "Frozen picture",
  "video.black": "Black picture",
  "video.block_loss": "Picture damaged",
  "video.pixellation": "Pixellation",
  "video.bitrate": "Bitrate",
  "video.format": "Picture format",
  "video.av_offset": "Sound and picture apart",
  "video.colour_bars": "Colour bars",
  "video.colour_shift": "Colour shifted",
  "source.lost": "Source lost",
  "source.stalled": "Source stalled",
  "source.gap": "Stretch missing",
  "storage.low": "Disk nearly full",
  "monitoring.lost": "Monitoring lost",
  "monitoring.thinned": "Checks left out",
};

export function ruleWords(rule: string): string {
  const known = RULES[rule];
  if (known !== undefined) return known;
  const words = rule.replace(/^[a-z]+\./, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

type Cause = NonNullable<Alert["cause"]>;

const CAUSES: Record<Cause, string> = {
  device: "the device or its cable",
  link: "the link: packets are lost",
  encoder: "the encoder: short of bits or of time",
  lens_or_light: "lens or light",
  setting: "a setting",
};

/** What an alert most likely comes from: ``Likely the link: packets are lost``. */
export function causeWords(cause: Cause): string {
  return `Likely ${CAUSES[cause]}`;
}
