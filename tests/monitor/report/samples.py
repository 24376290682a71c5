"""A check and a shooting day with something of everything, for the golden files."""

import math
from zoneinfo import ZoneInfo

from monitor.records import (
    AlertBody,
    Body,
    GapBody,
    GapRecord,
    LinedUp,
    LineUpBody,
    NoticeBody,
    Part,
    Record,
    SourceBody,
    SourceRecord,
    Take,
    TakeBody,
)
from monitor.report.day import day_document
from monitor.report.day_records import Header, SourceName
from monitor.report.document import (
    AudioStream,
    BitRate,
    CheckAlert,
    CheckBatch,
    CheckDocument,
    Colour,
    DayDocument,
    FrameRate,
    Loudness,
    MediaTime,
    Trace,
    VideoStream,
)
from monitor.rules.model import Acknowledgement, Alert

SECOND = 1_000_000_000
DAWN = 1_795_420_800 * SECOND  # 2026-11-23 08:00 UTC
HOSTILE = "=cmd|' /C calc'!A0"


def loudness(integrated: float) -> Loudness:
    return Loudness(
        integrated_lufs=integrated,
        range_lu=5.1,
        momentary_max_lufs=integrated + 5,
        short_term_max_lufs=integrated + 3,
    )


def audio() -> AudioStream:
    return AudioStream(
        stream=1,
        codec="pcm_s24le",
        sample_rate_hz=48000,
        channels=2,
        bit_depth=24,
        bit_rate_bps=BitRate(mean=2304000, min_1s=2304000, max_1s=2304000),
        programme=[0, 1],
        loudness=loudness(-23.02),
        channel_loudness=[loudness(-26.0), Loudness()],
        true_peak_dbtp=[-3.1, None],
        sample_peak_dbfs=[-3.2, None],
        dc_offset=[0.0, -0.00012],
        noise_floor_dbfs=[-61.0, None],
    )


def video() -> VideoStream:
    return VideoStream(
        stream=0,
        codec="h264",
        width=1920,
        height=1080,
        pixel_format="yuv420p",
        bit_depth=8,
        scan="progressive",
        frame_rate=FrameRate(
            declared="24000/1001", measured=23.976024, error=0.000012, cadence="constant"
        ),
        frames=2500,
        frames_dropped=0,
        frames_repeated=2,
        bit_rate_bps=BitRate(mean=8000000, min_1s=6100000, max_1s=9900000),
        profile="High",
        level="4.1",
        chroma="4:2:0",
        pixel_aspect="1/1",
        field_order="progressive",
        colour=Colour(matrix="bt709", range="limited"),
        undeclared=["colour.primaries", "colour.transfer"],
        key_frame_interval_max_s=0.5,
    )


def check_alert(rule: str = "audio.clipping", **changed: object) -> CheckAlert:
    values: dict[str, object] = {
        "rule": rule,
        "severity": "FAULT",
        "stream": 1,
        "channel": 0,
        "start_s": 12.34,
        "end_s": 12.36,
        "start": MediaTime(ticks=592320, time_base="1/48000"),
        "end": MediaTime(ticks=593280, time_base="1/48000"),
        "timecode": None,
        "worst": 5,
        "limit": 3,
        "unit": "samples",
        "message": "channel 1 clipped 3 times in 20 ms",
    }
    return CheckAlert.model_validate(values | changed)


def check_batch() -> CheckBatch:
    peaks = [round(-12 + 8 * math.sin(i / 7), 2) if not 60 < i < 70 else None for i in range(200)]
    bits = [round(8e6 + 1.9e6 * math.sin(i / 5)) for i in range(100)]
    failed = CheckDocument(
        file="A001 <script>alert(1)</script>.mov",
        spec="film-24p-hd",
        stage="recording",
        verdict="fail",
        not_checked=["audio.level_low", "audio.hum", "video.focus", "storage.low"],
        duration_s=100.0,
        audio=[audio()],
        video=[video()],
        alerts=[
            check_alert(
                "video.frame_rate", stream=0, channel=None, start_s=0.0, end_s=100.0, start=None,
                end=None, timecode="10:00:00:00", worst=23.976, limit=24, unit="Hz",
                message="23.976 frames a second, expected 24",
                cause="setting",
            ),
            check_alert(),
            check_alert("audio.peak", severity="NOTE", channel=1, start_s=80.34, end_s=81.0,
                        worst=-3.2, limit=-9, unit="dBFS", message=HOSTILE),
        ],
        traces=[
            Trace(stream=1, metric="true peak dBTP", unit="dBTP", step_s=0.5, values=peaks,
                  limits=[("at most −1.0", -1.0)]),
            Trace(stream=0, metric="bit rate over 1 s", unit="bit/s", step_s=1.0, values=bits),
        ],
    )  # fmt: skip
    unreadable = CheckDocument(
        file="+rubbish\x1b[2J.bin",
        spec="film-24p-hd",
        stage="recording",
        verdict="unreadable",
        error="is empty (0 bytes); expected a media file",
    )
    passed = CheckDocument(
        file="49WTT01.WAV",
        spec="film-24p-hd",
        stage="recording",
        verdict="pass",
        duration_s=20.0,
        audio=[audio()],
    )
    return CheckBatch(
        files=[failed, unreadable, passed],
        generated="2026-11-23T15:30:00.000+00:00",
        software="takewatch 0.1.0",
    )


class Day:
    """Records of one day, in order; times are seconds after dawn."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def put(self, at_s: float, body: Body, who: str | None = None) -> None:
        at = int(at_s * SECOND)
        self.records.append(
            Record(
                seq=len(self.records) + 1,
                utc_ns=DAWN + at,
                t_ns=at,
                boot_id="boot",
                production="The Long Field",
                unit="Main unit",
                day="2026-11-23",
                who=who,
                body=body,
            )
        )

    def state(self, at_s: float, source: str, state: str, why: str | None = None) -> None:
        record = SourceRecord(source=source, state=state, why=why, t_ns=int(at_s * SECOND))
        self.put(at_s, SourceBody(source=record))

    def take(
        self, key: str, slate: str, number: int, roll_s: float, cut_s: float | None,
        groups: tuple[str, ...] = ("sound", "A camera", "B camera"), **more: object,
    ) -> None:  # fmt: skip
        roll, cut = int(roll_s * SECOND), None if cut_s is None else int(cut_s * SECOND)
        parts = [
            Part(
                group=group,
                roll_ns=roll,
                roll_utc_ns=DAWN + roll,
                cut_ns=cut,
                cut_utc_ns=None if cut is None else DAWN + cut,
            )
            for group in groups
        ]
        values: dict[str, object] = {
            "id": key, "production": "The Long Field", "unit": "Main unit", "day": "2026-11-23",
            "scene": slate.partition("/")[0], "slate": slate, "take": number, "parts": parts,
        }  # fmt: skip
        take = Take.model_validate(values | more)
        self.put(cut_s or roll_s, TakeBody(what="rolled" if cut is None else "cut", take=take))

    def alert(
        self, key: str, rule: str, severity: str, source: str, onset_s: float,
        end_s: float | None, *, what: str | None = None, who: str | None = None, **more: object,
    ) -> None:  # fmt: skip
        onset, end = int(onset_s * SECOND), None if end_s is None else int(end_s * SECOND)
        values: dict[str, object] = {
            "id": key, "rule": rule, "severity": severity, "source": source,
            "source_name": SOURCES[source].name if source in SOURCES else source,
            "department": "sound", "condition": "active" if end is None else "cleared",
            "onset_ns": onset, "active_ns": onset, "end_ns": end, "cleared_ns": end,
        }  # fmt: skip
        alert = Alert.model_validate(values | more)
        told = what or ("active" if end is None else "cleared")
        self.put(onset_s if end_s is None else end_s, AlertBody(what=told, alert=alert), who)

    def gap(self, at_s: float, source: str, amount: float, unit: str, reason: str) -> None:
        gap = GapRecord(
            source=source, stream=None, amount=amount, unit=unit, reason=reason,
            t_ns=int(at_s * SECOND),
        )  # fmt: skip
        self.put(at_s, GapBody(gap=gap))

    def document(self, until_s: float = 4000.0, **more: object) -> DayDocument:
        values: dict[str, object] = {"coarser": {"cart": 12}} | more
        header = Header(
            production="The Long Field",
            unit="Main unit",
            day="2026-11-23",
            spec="film-24p-hd",
            generated_utc_ns=DAWN + int(until_s * SECOND),
            software="takewatch 0.1.0",
            zone=ZoneInfo("Europe/Berlin"),
        )
        coarser = values["coarser"]
        assert isinstance(coarser, dict)
        return day_document(self.records, header, sources=SOURCES, coarser=coarser)


TRACE = {"start_s": -0.2, "values": [-24.5, -31.0, None, -22.0, 0.0, -120.0]}
SOURCES = {
    "cart": SourceName(name="Sound cart", group="sound"),
    "cam-a": SourceName(name="A camera", group="A camera"),
    "cam-b": SourceName(name="B camera", group="B camera"),
    "demo": SourceName(name="Practice", group="sound", practice=True),
}


def live_day() -> Day:
    """A day on which all three sources came up before the first take."""
    day = Day()
    for source in ("cart", "cam-a", "cam-b"):
        day.state(1, source, "live")
    return day


def whole_day() -> Day:
    day = live_day()
    day.take("t1", "27/7", 1, 600, 648, circled=True, notes="Plane at 0:31. Lav rustle on Ana?",
             loudness={"cart/programme_integrated_lufs": -23.8,
                       "cart/programme_loudness_range_lu": None})  # fmt: skip
    note = Acknowledgement(who="Priya", t_ns=640 * SECOND, utc_ns=DAWN + 640 * SECOND)
    day.alert("x1", "audio.clipping", "FAULT", "cart", 612.4, 613.2, channel=2, worst=7.0,
              channel_name="Boom", limit=3.0, unit="samples", count=4, acknowledged=note,
              message="Boom clipped 4 times in 800 ms", timecode="14:22:08:17",
              trace=TRACE)  # fmt: skip
    day.take("t2", "27/7", 2, 700, 762)
    day.alert("x2", "video.frame_rate", "CHECK", "cam-b", 650, 1051, worst=23.976, limit=24.0,
              unit="Hz", message="B camera: 23.976 frames a second, expected 24",
              cause="setting")  # fmt: skip
    day.state(1100, "cart", "lost", "no samples for 1.0 s")
    day.state(1120, "cart", "live")
    day.take("t3", "27/8", 1, 1080, 1172, circled=True, notes=HOSTILE)
    for number, (onset_s, clips) in enumerate(((1085.2, 1), (1092.0, 3), (1160.4, 2))):
        day.alert(f"y{number}", "audio.clipping", "CHECK", "cart", onset_s, onset_s + 0.4 * clips,
                  group="y0", channel=3, channel_name="Ana", worst=4.0 + clips, limit=3.0,
                  unit="samples", count=clips, message=f"Ana clipped, {clips} in a row",
                  acknowledged=note if number == 0 else None)  # fmt: skip
    day.take("t4", "28A/1", 1, 1300, 1330, false_start=True)
    day.gap(1310, "cart", 480, "samples", "overflow")
    day.gap(1400, "service", 12.5, "s", "service restarted")
    day.take("t5", "29/1", 1, 1500, 1520, groups=("drone",))
    day.take("t6", "<b>30</b>", 1, 1600, 1610, deleted=True)
    day.alert("x3", "audio.clipping", "FAULT", "demo", 605, 606)
    shown = {"noise_floor_dbfs": -61.5, "tone_hz": 1000.0, "tone_level_dbfs": -20.02}
    boom = LinedUp.model_validate({"name": "Boom", "heard": True, "tone_thdn_db": -80.0, **shown})
    lined_up = [boom, LinedUp(name="Ana", heard=False, muted=True)]
    learned = LineUpBody(source="cart", source_name="Sound cart", channels=lined_up, baseline={})
    day.put(500, learned, "Priya")
    day.put(1700, NoticeBody(text="room for 14 minutes left", level="warning"))
    return day
