"""From what was measured in a file to the figures of its document. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

from capture.source import StreamInfo
from monitor.measure.picture.picture_format import KEYS as FORMAT_KEYS
from monitor.measure.picture.picture_format import UNDECLARED
from monitor.metrics import Value, merge_values
from monitor.report.document import (
    AudioStream,
    AvOffset,
    BitRate,
    Colour,
    FrameRate,
    Loudness,
    Trace,
    VideoStream,
)

TRACE_LIMIT = 1200  # points a plot can show; beyond twice as many, neighbours become one
DIGITS = 2  # of levels: the tolerance of the standards is 0.1
FINE_DIGITS = 6  # of rates and offsets

FIGURES = frozenset((
    "integrated_lufs", "loudness_range_lu", "momentary_max_lufs", "short_term_max_lufs",
    "programme_integrated_lufs", "programme_loudness_range_lu", "programme_momentary_max_lufs",
    "programme_short_term_max_lufs", "true_peak_max_dbtp", "sample_peak_max_dbfs", "dc_offset",
    "noise_floor_dbfs", "bit_rate_mean_bps", "bit_rate_min_1s_bps", "bit_rate_max_1s_bps",
    "frame_rate_hz", "frames_total", "frames_dropped_total", "frames_repeated_total",
    "av_offset_ms", "av_offset_error_ms", "av_offset_pairs",
    "frame_rate_error_hz", "cadence", "frames_out_of_order_total", "key_frame_interval_max_s",
    *FORMAT_KEYS,
))  # fmt: skip
"""Metrics a document tells; all hold since the beginning of the stream."""


@dataclass(slots=True, kw_only=True)
class Trail:
    """A metric over time in bounded memory: the highest value of each step."""

    step_s: float
    values: list[float | None] = field(default_factory=list)

    def put(self, start_s: float, end_s: float, value: float | None) -> None:
        """Take the value of an interval; intervals may come in any order."""
        while end_s >= 2 * TRACE_LIMIT * self.step_s:
            self._halve()
        first = max(0, int(start_s / self.step_s))
        last = max(first, ceil(end_s / self.step_s) - 1)
        self.values.extend([None] * (last + 1 - len(self.values)))
        for at in range(first, last + 1):
            self.values[at] = _higher(self.values[at], value)

    def _halve(self) -> None:
        padded = [*self.values, None] if len(self.values) % 2 else self.values
        self.values = [
            _higher(one, other) for one, other in zip(padded[::2], padded[1::2], strict=True)
        ]
        self.step_s *= 2


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


TRACES: dict[Literal["audio", "video", "data"], tuple[tuple[str, str, str, str], ...]] = {
    "audio": (
        ("true_peak_dbtp", "true peak dBTP", "dBTP", "audio.true_peak"),
        ("programme_short_term_lufs", "short-term loudness LUFS", "LUFS", "audio.loudness"),
    ),
    "video": (("bit_rate_1s_bps", "bit rate over 1 s", "bit/s", "video.bitrate"),),
    "data": (),
}
"""What is drawn, by kind of stream: metric, its words, its unit, the rule whose limit it meets."""


@dataclass(slots=True, kw_only=True)
class Measured:
    """One stream of one epoch: its figures and the trails of what is drawn."""

    info: StreamInfo
    programme: tuple[int, ...] | None
    step_s: float
    values: dict[str, Value] = field(default_factory=dict)
    trails: dict[str, Trail] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    """Metrics that had a value at some time: silence has none."""
    measured: set[str] = field(default_factory=set)
    """Metrics that were measured, though what was found may be silence."""

    def put(self, start_s: float, end_s: float, values: Mapping[str, Value]) -> None:
        """Take one reading's values, measured from one moment of the file to another."""
        told = {key: values[key] for key in values if key in FIGURES}
        if told:  # a piece of a file's peaks has none
            self.values = merge_values(self.values, told)
        self.measured.update(values)
        news = values.keys() - self.known
        self.known.update(key for key in news if _is_known(values[key]))
        for key, *_ in TRACES[self.info.kind]:
            if key in values:
                trail = self.trails.setdefault(key, Trail(step_s=self.step_s))
                trail.put(start_s, end_s, _top(values[key]))


def _is_known(value: Value) -> bool:
    return any(one is not None for one in value) if isinstance(value, list) else value is not None


def _top(value: Value) -> float | None:
    if isinstance(value, list):
        return max((one for one in value if one is not None), default=None)
    return None if isinstance(value, str) else value


def _number(values: Mapping[str, Value], key: str, digits: int = DIGITS) -> float | None:
    value = values.get(key)
    return None if isinstance(value, str | list) or value is None else _rounded(value, digits)


def _rounded(value: float, digits: int) -> float:
    return round(float(value), digits) + 0.0  # no −0.0


def _whole(values: Mapping[str, Value], key: str) -> int | None:
    value = _number(values, key, 0)
    return None if value is None else int(value)


def _word(values: Mapping[str, Value], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) else None


DECLARES = {
    "codec_profile": "profile", "codec_level": "level", "pixel_aspect": "pixel_aspect",
    "field_order": "field_order", "colour_primaries": "colour.primaries",
    "colour_transfer": "colour.transfer", "colour_matrix": "colour.matrix",
    "colour_range": "colour.range", "timecode_first": "timecode",
}  # fmt: skip
"""What a picture may say of itself: the metric, and the document's key."""


def _declared(values: Mapping[str, Value], key: str) -> str | None:
    """Return a word that a picture may declare; None where it does not."""
    word = _word(values, key)
    return None if word == UNDECLARED else word


def _each(
    values: Mapping[str, Value], key: str, channels: int, digits: int = DIGITS
) -> list[float | None]:
    """Return a metric's value a channel; unknown where it was never measured."""
    found = values.get(key)
    if not isinstance(found, list) or len(found) != channels:
        return [None] * channels
    return [None if value is None else _rounded(value, digits) for value in found]


def _bit_rate(values: Mapping[str, Value]) -> BitRate:
    return BitRate(
        mean=_whole(values, "bit_rate_mean_bps"),
        min_1s=_whole(values, "bit_rate_min_1s_bps"),
        max_1s=_whole(values, "bit_rate_max_1s_bps"),
    )


def _channel_loudness(values: Mapping[str, Value], channels: int) -> list[Loudness]:
    columns = (
        _each(values, "integrated_lufs", channels),
        _each(values, "loudness_range_lu", channels),
        _each(values, "momentary_max_lufs", channels),
        _each(values, "short_term_max_lufs", channels),
    )
    return [
        Loudness(
            integrated_lufs=integrated,
            range_lu=spread,
            momentary_max_lufs=momentary,
            short_term_max_lufs=short_term,
        )
        for integrated, spread, momentary, short_term in zip(*columns, strict=True)
    ]


def _programme_loudness(values: Mapping[str, Value]) -> Loudness:
    return Loudness(
        integrated_lufs=_number(values, "programme_integrated_lufs"),
        range_lu=_number(values, "programme_loudness_range_lu"),
        momentary_max_lufs=_number(values, "programme_momentary_max_lufs"),
        short_term_max_lufs=_number(values, "programme_short_term_max_lufs"),
    )


def audio_stream(measured: Measured) -> AudioStream:
    """Return a sound stream's figures."""
    info, values = measured.info, measured.values
    channels = info.channels or 0
    programme = measured.programme
    return AudioStream(
        stream=info.index,
        codec=info.codec,
        sample_rate_hz=info.sample_rate_hz,
        channels=info.channels,
        bit_depth=info.bit_depth,
        bit_rate_bps=_bit_rate(values),
        programme=None if programme is None else list(programme),
        loudness=None if programme is None else _programme_loudness(values),
        channel_loudness=_channel_loudness(values, channels),
        true_peak_dbtp=_each(values, "true_peak_max_dbtp", channels),
        sample_peak_dbfs=_each(values, "sample_peak_max_dbfs", channels),
        dc_offset=_each(values, "dc_offset", channels, FINE_DIGITS),
        noise_floor_dbfs=_each(values, "noise_floor_dbfs", channels),
    )


def video_stream(measured: Measured) -> VideoStream:
    """Return a picture stream's figures."""
    info, values = measured.info, measured.values
    told = {key: _declared(values, metric) for metric, key in DECLARES.items()}
    return VideoStream(
        stream=info.index,
        codec=info.codec,
        width=info.width_px,
        height=info.height_px,
        pixel_format=_word(values, "pixel_format") or info.pixel_format,
        bit_depth=_whole(values, "picture_bit_depth") or info.bit_depth,
        scan=_word(values, "scan") or info.scan,
        frame_rate=FrameRate(
            declared=None
            if info.frame_rate is None
            else f"{info.frame_rate.numerator}/{info.frame_rate.denominator}",
            measured=_number(values, "frame_rate_hz", FINE_DIGITS),
            error=_number(values, "frame_rate_error_hz", FINE_DIGITS),
            cadence=_word(values, "cadence"),
        ),
        frames=_whole(values, "frames_total") or 0,
        frames_dropped=_whole(values, "frames_dropped_total") or 0,
        frames_repeated=_whole(values, "frames_repeated_total") or 0,
        bit_rate_bps=_bit_rate(values),
        profile=told["profile"],
        level=told["level"],
        chroma=_declared(values, "chroma"),
        pixel_aspect=told["pixel_aspect"],
        field_order=told["field_order"],
        colour=Colour(
            primaries=told["colour.primaries"],
            transfer=told["colour.transfer"],
            matrix=told["colour.matrix"],
            range=told["colour.range"],
        ),
        undeclared=[key for metric, key in DECLARES.items() if values.get(metric) == UNDECLARED],
        timecode=told["timecode"],
        frames_out_of_order=_whole(values, "frames_out_of_order_total") or 0,
        key_frame_interval_max_s=_number(values, "key_frame_interval_max_s", FINE_DIGITS),
        av_offset=_av_offset(values),
    )


def _av_offset(values: Mapping[str, Value]) -> AvOffset | None:
    offset, error = _number(values, "av_offset_ms"), _number(values, "av_offset_error_ms")
    if offset is None or error is None:
        return None
    pairs = _whole(values, "av_offset_pairs") or 0
    return AvOffset(offset_ms=offset, error_ms=error, pairs=pairs)


def traces(measured: Measured, limits: Mapping[str, Sequence[tuple[str, float]]]) -> list[Trace]:
    """Return what is drawn of a stream; ``limits``: lines across the plot, by rule."""
    return [
        Trace(
            stream=measured.info.index,
            metric=words,
            unit=unit,
            step_s=measured.trails[key].step_s,
            values=measured.trails[key].values,
            limits=list(limits.get(rule, ())),
        )
        for key, words, unit, rule in TRACES[measured.info.kind]
        if key in measured.trails
    ]
