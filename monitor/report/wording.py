"""How reports say things to people: figures with their units, times, streams and channels from 1.

A minus is the typographic minus, a missing value an en dash. Text that came from outside (names,
notes, file names) passes :func:`one_line` before it reaches a terminal or a table.
"""

from fractions import Fraction

from config.spec import RANK, RULE_NAMES, Cause
from monitor.report.document import (
    AudioStream,
    AvOffset,
    CheckAlert,
    CheckDocument,
    DayAlert,
    LineUpChannel,
    LineUpRow,
    Moment,
    VideoStream,
    Worst,
)
from monitor.report.folding import Fold

MISSING = "–"
VERDICTS = {
    "pass": "PASS",
    "fail": "FAIL",
    "unreadable": "UNREADABLE",
    "not_measured": "NOT MEASURED",
}
TONES = {"OK": "ok", "CHECK": "check", "FAULT": "fault", "NOT MONITORED": "gone"}
"""The style of a take's verdict on the page."""
NOT_OF_A_FILE = frozenset(
    {"source.lost", "source.stalled", "storage.low", "monitoring.lost", "monitoring.thinned"}
)
"""Rules about monitoring itself; people are not told that a file was not checked for them."""
CAUSES: dict[Cause, str] = {
    "device": "the device or its cable",
    "link": "the link: packets are lost",
    "encoder": "the encoder: short of bits or of time",
    "lens_or_light": "lens or light",
    "setting": "a setting",
}


def figure(value: float | None, digits: int = 1) -> str:
    """Return a number with a fixed count of decimals, or the sign for a missing one."""
    if value is None:
        return MISSING
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) != 0 else text.lstrip("-")


def quantity(value: float | None, unit: str, digits: int = 1) -> str:
    """Return a number with its unit, or the sign for a missing one."""
    return MISSING if value is None else f"{figure(value, digits)} {unit}".rstrip()


def likely(cause: Cause | None) -> str:
    """Return what an alert most likely comes from, in words; nothing where it is not known."""
    return "" if cause is None else f"likely {CAUSES[cause]}"


def av_offset(found: AvOffset) -> str:
    """Return how far sound and picture are apart, in words."""
    apart = f"{figure(abs(found.offset_ms), 0)} ms {'early' if found.offset_ms > 0 else 'late'}"
    flashes = counted(found.pairs, "flash", "flashes")
    return f"sound {apart} ±{figure(found.error_ms, 0)} ms, by {flashes}"


def plain(value: float) -> str:
    """Return a number with no more decimals than it needs, three at most."""
    return figure(value, 3).rstrip("0").rstrip(".") if value % 1 else figure(value, 0)


def worst(value: Worst, unit: str) -> str:
    """Return an alert's worst value or limit in words."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return one_line(f"{value} {unit}".rstrip())
    if isinstance(value, list):
        joined = "×".join(plain(number) for number in value)
        return f"{joined} {unit}".rstrip()
    if unit == "bit/s":
        return bit_rate(value)
    return f"{plain(value)} {unit}".rstrip()


def bit_rate(value: float | None) -> str:
    """Return bits a second in the unit people use."""
    if value is None:
        return MISSING
    if value >= 1e6:
        return quantity(value / 1e6, "Mb/s", 2 if value < 1e8 else 0)
    return quantity(value / 1e3, "kb/s", 0)


def clock(seconds: float | None, digits: int = 0) -> str:
    """Return a length or position as ``1:02:03`` or ``0:03.250``, cut and not rounded up."""
    if seconds is None:
        return MISSING
    scale = 10**digits
    whole, part = divmod(int(abs(seconds) * scale + 1e-6), scale)
    hours, rest = divmod(whole, 3600)
    text = f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
    sign = "−" if seconds < 0 and (whole or part) else ""
    return sign + text + (f".{part:0{digits}}" if digits else "")


def position(seconds: float | None) -> str:
    """Return where in a take an alert began; what was there before the roll began with it."""
    return "at roll" if seconds is not None and seconds < 0 else clock(seconds, 1)


def lasted(seconds: float | None) -> str:
    """Return how long an alert's condition held; a handful of samples is not ``0.0 s``."""
    if seconds is None or seconds >= 60:
        return clock(seconds)
    return "< 0.1 s" if seconds < 0.1 else quantity(seconds, "s")


def wall(moment: Moment | None) -> str:
    """Return the wall clock's time of day, ``14:22:08``."""
    return MISSING if moment is None else moment.wall[11:19]


def hertz(value: int | None) -> str:
    """Return a sample rate as ``48 kHz``."""
    return MISSING if value is None else f"{plain(value / 1000)} kHz"


def frame_rate(declared: str | None) -> str:
    """Return a declared rate as people say it, ``23.976`` for ``24000/1001``."""
    if declared is None:
        return MISSING
    return f"{float(Fraction(declared)):.3f}".rstrip("0").rstrip(".")


def channel_count(count: int | None) -> str:
    """Return ``mono``, ``stereo`` or ``8 channels``."""
    if count is None:
        return MISSING
    return {1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def line_up(row: LineUpRow) -> str:
    """Return what was learned of a source: ``8 channels, 7 of them had carried sound``."""
    heard = sum(channel.heard for channel in row.channels)
    by = f" by {one_line(row.who)}" if row.who else ""
    return (
        f"learned {wall(row.learned)[:5]}{by}, {counted(len(row.channels), 'channel')},"
        f" {heard} of them had carried sound"
    )


def lined_up(channel: LineUpChannel) -> str:
    """Return what one channel showed: ``floor −62.0 dBFS, tone 1000.0 Hz at −20.0 dBFS``."""
    told = ["" if channel.heard else "no sound", "muted" if channel.muted else ""]
    if channel.noise_floor_dbfs is not None:
        told.append(f"floor {quantity(channel.noise_floor_dbfs, 'dBFS')}")
    if channel.tone_hz is not None:
        level = quantity(channel.tone_level_dbfs, "dBFS", 2)
        told.append(f"tone {quantity(channel.tone_hz, 'Hz')} at {level}")
    return ", ".join(word for word in told if word) or "sound"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: ``1 take``, ``2 takes``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def audio_format(stream: AudioStream) -> str:
    """Return a sound stream's format in one phrase."""
    parts = [
        stream.codec or "unknown codec",
        hertz(stream.sample_rate_hz),
        channel_count(stream.channels),
        f"{stream.bit_depth} bit" if stream.bit_depth else "",
        bit_rate(stream.bit_rate_bps.mean),
    ]
    return " · ".join(part for part in parts if part and part != MISSING)


def colour(stream: VideoStream) -> str:
    """Return what a stream says of its colour; what it does not say is called undeclared."""
    found = stream.colour
    words = (found.primaries, found.transfer, found.matrix)
    missing = "colour.primaries" in stream.undeclared
    if not any(words) and not missing:
        return ""
    named = "/".join(word or "undeclared" for word in words) if any(words) else "undeclared"
    return f"colour {named}" + (f", {found.range} range" if found.range else "")


def video_format(stream: VideoStream) -> str:
    """Return a picture stream's format in one phrase."""
    size = f"{stream.width}×{stream.height}" if stream.width and stream.height else ""
    fields = f", {stream.field_order}" if stream.scan == "interlaced" and stream.field_order else ""
    parts = [
        " ".join(word for word in (stream.codec or "unknown codec", stream.profile) if word),
        size,
        f"pixels {stream.pixel_aspect}" if stream.pixel_aspect not in (None, "1/1") else "",
        f"{stream.scan or ''}{fields}",
        stream.pixel_format or "",
        f"{stream.bit_depth} bit" if stream.bit_depth else "",
        colour(stream),
        bit_rate(stream.bit_rate_bps.mean),
    ]
    return " · ".join(part for part in parts if part and part != MISSING)


def place(alert: CheckAlert) -> str:
    """Return where in a file an alert belongs: ``stream 2, channel 1``."""
    words = [] if alert.stream is None else [f"stream {alert.stream + 1}"]
    if alert.channel is not None:
        words.append(f"channel {alert.channel + 1}")
    return ", ".join(words) or "file"


def day_place(alert: DayAlert) -> str:
    """Return the camera, or the source and channel, of a day's alert."""
    if alert.channel is None:
        return one_line(alert.source_name)
    name = alert.channel_name or f"channel {alert.channel + 1}"
    return one_line(f"{alert.source_name}, {name}")


def often(fold: Fold) -> str:
    """Return how often what a row tells came, ``23 times, last 14:25:40``; nothing where once."""
    if len(fold.members) == 1:
        return ""
    word = "frames" if fold.worst.unit == "frames" else "times"
    return f"{fold.count} {word}, last {wall(fold.last.start)}"


def noted(fold: Fold) -> str:
    """Return who took note of a row: ``Priya``, ``Priya, 3 of 5``; nothing where nobody did."""
    found = [alert.acknowledged for alert in fold.noted if alert.acknowledged]
    if not found:
        return ""
    names = ", ".join(dict.fromkeys(one_line(note.who) for note in found))
    share = f", {len(found)} of {len(fold.members)}" if len(found) < len(fold.members) else ""
    return names + share


def one_line(text: str) -> str:
    """Return text with every control character spelt out, so that it cannot move a cursor."""
    return "".join(char if _harmless(char) else _spelt(char) for char in text)


def _harmless(char: str) -> bool:
    return char.isprintable() or char in "\u200d\u200c"


def _spelt(char: str) -> str:
    if char in "\n\r\t":
        return " "
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else "�"


def not_checked(names: list[str]) -> str:
    """Return the checks that were not made, by group: ``audio: clicks, hum; video: focus``."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if name not in NOT_OF_A_FILE:
            group, _, rest = name.partition(".")
            groups.setdefault(group, []).append(rest.replace("_", " "))
    whole = {name.partition(".")[0] for name in RULE_NAMES} - {
        name.partition(".")[0] for name in RULE_NAMES if name not in names
    }
    return "; ".join(
        f"all of {group}" if group in whole else f"{group}: {', '.join(rest)}"
        for group, rest in groups.items()
    )


def silent_channels(audio: AudioStream) -> str:
    """Return which channels never left digital silence, in words; nothing where all did."""
    silent = [str(at + 1) for at, peak in enumerate(audio.sample_peak_dbfs) if peak is None]
    if not silent:
        return ""
    if len(silent) == len(audio.sample_peak_dbfs):
        return "digital silence throughout"
    return f"digital silence throughout on channel{'s' * (len(silent) > 1)} {', '.join(silent)}"


def metric(key: str) -> str:
    """Return a loudness metric's name as the page's figures are labelled."""
    words = {
        "integrated_lufs": "I LUFS",
        "loudness_range_lu": "LRA LU",
        "momentary_max_lufs": "M max LUFS",
        "short_term_max_lufs": "S max LUFS",
    }
    return words.get(key.removeprefix("programme_"), key.replace("_", " "))


def worst_alert(checked: CheckDocument) -> CheckAlert | None:
    """Return the first of a file's most severe alerts."""
    return max(checked.alerts, key=lambda alert: RANK[alert.severity], default=None)


def tone(checked: CheckDocument) -> str:
    """Return the style of a file's verdict on the page: ok, check, fault or gone."""
    if checked.verdict in ("unreadable", "not_measured"):
        return "gone"
    alert = worst_alert(checked)
    if checked.verdict == "pass" or alert is None:
        return "ok"
    return alert.severity.lower()
