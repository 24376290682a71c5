"""A scripted service: the page's own messages, set to one scene, for looks and layout.

Behaviour is tested against the real service; this one holds still (a fault, 32 channels, a lost
camera), which a real one does not. The scene is the first part of the host's name, and browsers
take every such name for loopback: ``python -m tests.browser.scripted 8401``, then
``http://fault.localhost:8401``.
"""

import asyncio
import math
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Self

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from api.messages import (
    METERS_HZ,
    Glance,
    Heartbeat,
    Hello,
    LineUpView,
    MeterSlot,
    MutedView,
    SessionView,
    Snapshot,
    SourceView,
    SpecView,
)
from monitor.lines import Stream
from monitor.records import LinedUp, Part, Take
from monitor.rules.model import Acknowledgement, Alert, LevelTrace

STOP_S = 10.0
DIST = Path(__file__).parents[2] / "dashboard" / "dist"
NAMES = ("Mix L", "Mix R", "Boom", "Ana", "Joe", "Plant", "Amb L", "Amb R")
PEAKS_DBFS = (-12.0, -13.0, -9.8, -14.0, -30.0, -26.0, -33.0, -34.0)
SCENES = (
    "ok",
    "check",
    "fault",
    "lost",
    "first-run",
    "channels-32",
    "channels-64",
    "four-cameras",
    "long-names",
    "not-recorded",
    "view-only",
    "sound-only",
    "muted",
    "line-up",
    "repeated",
)
LONG = "Kamerateam B mit sehr langem Namen"
PER_CHANNEL = ("sample_peak_dbfs", "rms_dbfs", "true_peak_dbtp", "true_peak_max_dbtp")
PROGRAMME = {
    "programme_momentary_lufs": -23.4,
    "programme_short_term_lufs": -24.1,
    "programme_integrated_lufs": -23.8,
    "programme_loudness_range_lu": 6.2,
    "integrating": 1.0,
    "integrated_s": 48.0,
}
CAMERA = {
    "picture_size_px": (1920.0, 1080.0),
    "frame_rate_hz": (25.0,),
    "bit_rate_1s_bps": (18.2e6,),
    "frames_dropped_total": (0.0,),
}


def _names(scene: str) -> list[str]:
    if scene == "long-names":
        return [f"Ansteckmikrofon {name} Reserve" for name in NAMES]
    count = {"channels-32": 32, "channels-64": 64}.get(scene, 8)
    extra = [f"Radio mic {n}" for n in range(9, count + 1)]
    return [*NAMES, *extra][:count]


def _sound(scene: str, now_ns: int) -> SourceView:
    names = _names(scene)
    stream = Stream(
        index=0, kind="audio", time_base="1/48000", channels=len(names), channel_names=names
    )
    return SourceView(
        id="cart",
        name="Sound cart",
        kind="audio_device",
        group="sound",
        department="sound",
        practice=False,
        state="live",
        why=None,
        since_utc_ns=now_ns,
        last_seen_utc_ns=now_ns,
        streams=[stream],
        programme=[0, 1],
        muted=[MutedView(stream=0, channel=4, who="Kim", since_utc_ns=now_ns - 95 * 10**9)]
        if scene == "muted"
        else [],
        line_up=_line_up(names, now_ns) if scene == "line-up" else LineUpView(),
    )


def _line_up(names: list[str], now_ns: int) -> LineUpView:
    """Return a line-up half done: tone on three channels, two that nobody has spoken into."""
    channels = [
        LinedUp(
            name=name,
            heard=n < 6,
            muted=n == 4,
            noise_floor_dbfs=-58.3 - n if n < 6 else None,
            tone_hz=1000.0 if n < 3 else None,
            tone_level_dbfs=-20.02 if n < 3 else None,
            tone_thdn_db=-84.0 if n < 3 else None,
        )
        for n, name in enumerate(names)
    ]
    learned_ns = now_ns - 600 * 10**9
    return LineUpView(learned_utc_ns=learned_ns, who="Kim", learned=len(names), channels=channels)


def _camera(letter: str, scene: str, now_ns: int) -> SourceView:
    lost = scene == "lost" and letter == "B"
    stream = Stream(
        index=0,
        kind="video",
        time_base="1/90000",
        width_px=1920,
        height_px=1080,
        scan="progressive",
        frame_rate="25/1",
    )
    return SourceView(
        id=f"cam-{letter.lower()}",
        name=LONG if scene == "long-names" else f"{letter} camera",
        kind="network_feed",
        group=f"{letter} camera",
        department="camera",
        practice=False,
        state="lost" if lost else "live",
        why="no packet for 1.0 s" if lost else None,
        since_utc_ns=now_ns,
        last_seen_utc_ns=now_ns - 4_000_000_000,
        streams=[stream],
        still=f"/api/stills/{letter.lower()}",
    )


def _trace(*, clipped: bool) -> LevelTrace:
    """Return 5 s of speech that clips, or falls silent, 3 s in."""
    speech = [-26.0 + 9 * math.sin(0.4 * n) + 5 * math.sin(1.7 * n) for n in range(100)]
    fault = slice(60, 64) if clipped else slice(60, 70)
    speech[fault] = [0.0 if clipped else -120.0] * (fault.stop - fault.start)
    return LevelTrace(start_s=-3.0, values=[round(level, 1) for level in speech])


def _alert(now_ns: int, **changes: object) -> Alert:
    base: dict[str, object] = {
        "id": "a1",
        "rule": "audio.clipping",
        "department": "sound",
        "source": "cart",
        "source_name": "Sound cart",
        "stream": 0,
        "channel": 2,
        "channel_name": "Boom",
        "severity": "CHECK",
        "condition": "cleared",
        "latched": True,
        "onset_ns": now_ns - 190_000_000_000,
        "end_ns": now_ns - 189_000_000_000,
        "count": 1,
        "message": "clipped once, 4 samples",
        "advice": "Ask for the boom again, 6 dB down",
        "take": "t3",
        "trace": _trace(clipped=True),
    }
    return Alert.model_validate({**base, **changes})


def _alerts(scene: str, now_ns: int) -> list[Alert]:
    priya = Acknowledgement(who="Priya", t_ns=now_ns, utc_ns=now_ns - 60_000_000_000)
    seen = _alert(now_ns, id="a0", acknowledged=priya, latched=False, take="t2")
    rate = {
        "rule": "video.frame_rate",
        "department": "camera",
        "source": "cam-b",
        "source_name": "B camera",
        "channel": None,
        "channel_name": None,
        "condition": "active",
        "onset_ns": now_ns - 41_000_000_000,
        "end_ns": None,
        "message": "23.976 fps, the spec asks for 25",
        "advice": "Check the camera's project rate",
        "trace": None,
    }
    if scene in ("check", "channels-32", "four-cameras"):
        return [seen, _alert(now_ns), _alert(now_ns, id="a2", **rate)]
    if scene == "fault":
        hot = {"severity": "FAULT", "condition": "active", "count": 7, "end_ns": now_ns}
        said = {"message": "clipped 7 times, 3 within 1 s"}
        return [seen, _alert(now_ns, id="a3", **hot, **said), _alert(now_ns, id="a2", **rate)]
    if scene == "muted":
        gone = {"rule": "audio.silence", "channel": 3, "channel_name": "Ana", "end_ns": None}
        words: dict[str, object] = {
            "condition": "active", "latched": False, "message": "Ana: digital silence for 4.2 s",
            "advice": "Check the transmitter, the cable and the channel's routing.",
            "trace": _trace(clipped=False), "onset_ns": now_ns - 4_200_000_000,
        }  # fmt: skip
        return [seen, _alert(now_ns, id="a5", **gone, **words)]
    if scene == "repeated":
        return [seen, *(_shout(now_ns, number) for number in range(23))]
    return [seen]


def _shout(now_ns: int, number: int) -> Alert:
    onset_ns = now_ns - (220 - 9 * number) * 10**9
    words = {"message": f"Boom clipped once, longest {4 + number % 6} samples", "advice": ""}
    times = {"onset_ns": onset_ns, "end_ns": onset_ns + 10**8, "worst": 4 + number % 6, "limit": 3}
    return _alert(now_ns, id=f"c{number}", group="c0", **words, **times)


def _glance(scene: str, now_ns: int) -> list[Glance]:
    quiet = {"subject": "", "detail": "", "say": "", "since_utc_ns": now_ns}
    sound: dict[str, object] = {"department": "sound", "word": "OK", **quiet}
    camera: dict[str, object] = {"department": "camera", "word": "OK", **quiet}
    since = now_ns - 41_000_000_000
    boom = "Boom: clipped 7 times, 3 within 1 s"
    rate = "B camera: 23.976 fps, the spec asks for 25"
    if scene in ("check", "fault", "channels-32", "four-cameras", "long-names"):
        told = {
            "subject": LONG if scene == "long-names" else "B camera",
            "detail": "23.976 fps, the spec asks for 25",
        }
        camera |= {"word": "CHECK", "say": rate, "since_utc_ns": since, **told}
    if scene in ("check", "channels-32"):
        told = {"subject": "Boom", "detail": "clipped once, 4 samples"}
        sound |= {"word": "CHECK", "say": "Boom: clipped once, 4 samples", **told}
    if scene == "muted":
        told = {"subject": "Ana", "detail": "Ana: digital silence for 4.2 s"}
        sound |= {"word": "CHECK", "say": "Ana: digital silence for 4.2 s", **told}
    if scene == "fault":
        told = {"subject": "Boom", "detail": "clipped 7 times, 3 within 1 s"}
        sound |= {"word": "FAULT", "say": boom, "since_utc_ns": since, **told}
    if scene == "lost":
        told = {"subject": "B camera", "detail": "no packet for 1.0 s"}
        camera |= {
            "word": "NOT MONITORED",
            "say": "Part of this take was not monitored: B camera",
            **told,
        }
    if scene == "line-up":
        sound |= {"word": "STANDBY"}
        camera |= {"word": "STANDBY"}
    told_of = [sound] if scene == "sound-only" else [sound, camera]
    return [Glance.model_validate(one) for one in told_of]


def _take(number: int, now_ns: int, roll_s: int, cut_s: int | None, **more: object) -> Take:
    def part(group: str) -> Part:
        cut_ns = None if cut_s is None else now_ns - cut_s * 10**9
        roll_ns = now_ns - roll_s * 10**9
        return Part(
            group=group, roll_ns=roll_ns, roll_utc_ns=roll_ns, cut_ns=cut_ns, cut_utc_ns=cut_ns
        )

    base: dict[str, object] = {
        "id": f"t{number}",
        "production": "The Long Field",
        "unit": "Main unit",
        "day": "Day 14",
        "scene": "27",
        "slate": "27/7",
        "take": number,
        "parts": [part("sound"), part("A camera"), part("B camera")],
    }
    return Take.model_validate({**base, **more})


def snapshot(scene: str) -> Snapshot:
    """Return the whole page of one scene. Engine axis and UTC are the same here."""
    now_ns = time.time_ns()
    letters = {"four-cameras": "ABCD", "sound-only": ""}.get(scene, "AB")
    title = "Die unendliche Geschichte der langen Titel, Teil 2" if scene == "long-names" else None
    first = scene == "first-run"
    takes = [
        _take(1, now_ns, 700, 640, notes="Boom in shot at the end", false_start=True),
        _take(2, now_ns, 400, 300, circled=True, notes="Best for Ana"),
        _take(
            3, now_ns, 230 if scene != "ok" else 48, None, notes="Plane at 0:31. Lav rustle on Ana?"
        ),
    ]
    return Snapshot(
        seq=100,
        session=SessionView(
            mode="first_run" if first else "monitoring",
            production=title or "The Long Field",
            unit="Main unit",
            day="Day 14",
            recording=scene != "not-recorded",
            role="view" if scene == "view-only" else "operate",
            who="Priya",
        ),
        spec=SpecView(
            name="tv-25p-hd",
            title="TV 25p HD",
            stage="feed",
            limits={"video.frame_rate": "25"},
            peak_max_dbfs=-9.0,
            target_min_dbfs=-20.0,
            target_max_dbfs=-9.0,
        ),
        phase="idle" if first else "line_up" if scene == "line-up" else "rolling",
        sources=[]
        if first
        else [_sound(scene, now_ns), *(_camera(letter, scene, now_ns) for letter in letters)],
        glance=[] if first else _glance(scene, now_ns),
        alerts=[] if first else _alerts(scene, now_ns),
        takes=[] if first or scene == "line-up" else takes,
        next_take=_take(4, now_ns, 0, None, parts=[]),
        clock_offset_ns=0,
    )


def layout(page: Snapshot) -> list[MeterSlot]:
    """Return where each metric of the page's sources lies."""
    slots: list[MeterSlot] = []
    offset = 0
    for source in page.sources:
        stream = source.streams[0]
        wanted = (
            dict.fromkeys(PER_CHANNEL, stream.channels or 0) | dict.fromkeys(PROGRAMME, 1)
            if stream.kind == "audio"
            else {name: len(values) for name, values in CAMERA.items()}
        )
        for metric, count in wanted.items():
            slots.append(
                MeterSlot(source=source.id, stream=0, metric=metric, offset=offset, count=count)
            )
            offset += count
    return slots


def _slot_values(slot: MeterSlot, t_s: float) -> list[float]:
    if slot.metric in PROGRAMME:
        return [PROGRAMME[slot.metric]]
    if slot.metric in CAMERA:
        wrong = slot.source == "cam-b" and slot.metric == "frame_rate_hz"
        return [24000 / 1001] if wrong else list(CAMERA[slot.metric])
    below = {"sample_peak_dbfs": 4.0, "rms_dbfs": 11.0, "true_peak_dbtp": 2.0}
    lower = below.get(slot.metric, 0.0)
    moves = 0.0 if slot.metric == "true_peak_max_dbtp" else 2.5
    return [PEAKS_DBFS[n % 8] - lower + moves * math.sin(2.1 * t_s + n) for n in range(slot.count)]


def meters(slots: list[MeterSlot], serial: int, t_s: float) -> bytes:
    """Return one binary snapshot."""
    values = [float(serial), 0.02]
    for slot in slots:
        values.extend(_slot_values(slot, t_s))
    return struct.pack(f"<{len(values)}f", *values)


async def _speak(page: WebSocket, scene: str) -> None:
    whole = snapshot(scene)
    slots = layout(whole)
    hello = Hello(
        version="0.1.0",
        journal_id="scripted",
        server_utc_ns=time.time_ns(),
        meters=slots,
        layout=1,
    )
    await page.send_text(hello.model_dump_json())
    await page.send_text(whole.model_dump_json())
    for serial in range(METERS_HZ * 3600):
        if serial % 6 == 0:
            await page.send_text(Heartbeat(server_utc_ns=time.time_ns()).model_dump_json())
        await page.send_bytes(meters(slots, serial, serial / METERS_HZ))
        await asyncio.sleep(1 / METERS_HZ)


def _still(letter: str) -> str:
    sky, land = ("#3f5f83", "#c8b493") if letter in "ac" else ("#4a5a50", "#a9865a")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360"><defs>'
        f'<linearGradient id="s" x2="0" y2="1"><stop stop-color="{sky}"/>'
        f'<stop offset="1" stop-color="#93a4ad"/></linearGradient></defs>'
        f'<rect width="640" height="360" fill="url(#s)"/><circle cx="470" cy="120" r="34" '
        f'fill="#f3e3c0" opacity=".8"/>'
        f'<path d="M0 250C160 190 240 260 380 225S560 190 640 214V360H0z" '
        f'fill="{land}"/><path d="M0 300C200 250 330 320 640 262V360H0z" fill="#4b3b2a"/></svg>'
    )


def create() -> FastAPI:
    """Return the application; the scene is in the host's name."""
    app = FastAPI()

    @app.websocket("/api/live")
    async def live(page: WebSocket) -> None:
        await page.accept()
        try:
            scene = (page.url.hostname or "").partition(".")[0]
            await _speak(page, scene)
        except WebSocketDisconnect:
            return

    @app.get("/api/stills/{letter}")
    async def still(letter: str) -> Response:
        return Response(_still(letter), media_type="image/svg+xml")

    @app.get("/api/inputs")
    async def inputs() -> JSONResponse:
        return JSONResponse(
            {
                "inputs": [
                    {"index": 0, "name": "MixPre-10 II", "detail": "USB · 12 channels, 48 kHz"},
                    {"index": 1, "name": "Built-in microphone", "detail": "1 channel, 44.1 kHz"},
                ]
            }
        )

    app.mount("/", StaticFiles(directory=DIST, html=True))
    return app


class ScriptedService:
    """Serves on a free port of loopback, on a thread, as a context."""

    def __init__(self) -> None:
        config = uvicorn.Config(create(), log_level="warning", ws="websockets-sansio")
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        """Start; the socket listens already, so that no connection is refused."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join(STOP_S)
        self._socket.close()

    def address(self, scene: str) -> str:
        """Return where a scene's page is."""
        assert scene in SCENES, scene
        return f"http://{scene}.localhost:{self._socket.getsockname()[1]}"


if __name__ == "__main__":
    uvicorn.run(create(), port=int(sys.argv[1]), log_level="warning")
