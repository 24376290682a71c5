"""Practice feeds: speech-like sound and two cameras, with faults that come by a script.

Nothing is encoded: the cameras' packets carry the sizes a constant-quality encoder at about
8 Mb/s would give (key frames every second, small ones while the picture stands still), so that
bitrate, frame rate and drops are measured as on a real feed; the codec is called ``practice``.
Always ``practice``: never in a report.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from capture.practice_faults import SCRIPTS, Fault, What, is_on, spoil
from capture.source import (
    OPEN_LIMIT_S,
    Block,
    Ended,
    Found,
    Frame,
    Item,
    Lost,
    Packet,
    SourceLost,
    StreamInfo,
    source,
)

if TYPE_CHECKING:
    from capture.practice_picture import Planes

BLOCK_FRAMES = 960  # 20 ms at 48 kHz, the block size asked of real devices
TICKS_PER_S = 90_000  # the time base of MPEG streams
FRAME_RATE = Fraction(25)
WRONG_FRAME_RATE = Fraction(24)
KEY_EVERY = 25
KEY_BYTES = 118_000
PICTURE_BYTES = 36_500
STILL_BYTES = 900
STALL_S = 1.0
FAULTS_LIMIT = 64
BEHIND_LIMIT_S = 1.0  # a process stopped for longer loses what it missed, as a device would


class SyntheticOptions(BaseModel):
    """Options of a practice feed. Without ``faults`` the scene's own gentle script plays."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    scene: Literal["sound", "camera_a", "camera_b"] = "sound"
    channels: int = Field(default=8, ge=1, le=64)
    sample_rate_hz: Literal[44_100, 48_000, 96_000] = 48_000
    seed: int = Field(default=27, ge=0)
    faults: tuple[Fault, ...] | None = Field(default=None, max_length=FAULTS_LIMIT)
    real_time: bool = True
    """False: as fast as it is read, with arrivals stamped as if in real time."""
    duration_s: float | None = Field(default=None, gt=0)

    @property
    def script(self) -> tuple[Fault, ...]:
        """The faults that will play."""
        return SCRIPTS[self.scene] if self.faults is None else self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time a practice feed lives in: what it reads and how it waits."""

    now_ns: Callable[[], int] = time.monotonic_ns
    sleep: Callable[[float], None] = time.sleep


class _Sound:
    """Blocks of sound, one after the other."""

    def __init__(self, options: SyntheticOptions) -> None:
        from capture import practice_sound

        self.ticks_per_s = options.sample_rate_hz
        self.tick = 0
        self._script = options.script
        self._loop = practice_sound.loop(options.channels, options.sample_rate_hz, options.seed)
        self.stream = StreamInfo(
            index=0,
            kind="audio",
            codec="pcm_s24le",
            time_base=Fraction(1, options.sample_rate_hz),
            sample_rate_hz=options.sample_rate_hz,
            channels=options.channels,
            channel_names=practice_sound.channel_names(options.channels),
            sample_format="int32",
            bit_depth=24,
        )

    def due(self) -> int:
        """Return the tick at which the next block is complete."""
        return self.tick + BLOCK_FRAMES

    def skip_to(self, tick: int) -> tuple[float, Literal["samples"]]:
        """Leave out everything before a tick and return how much that is."""
        missed = tick - self.tick
        self.tick = tick
        return missed, "samples"

    def produce(self, t_arrival_ns: int) -> list[Item]:
        """Return the next block, spoilt by the script."""
        at = self.tick % len(self._loop)
        samples = np.take(self._loop, np.arange(at, at + BLOCK_FRAMES), axis=0, mode="wrap")
        spoil(samples, self.tick, self.ticks_per_s, self._script)
        block = Block(
            stream=0, epoch=0, start=self.tick, samples=samples, t_arrival_ns=t_arrival_ns
        )
        self.tick += BLOCK_FRAMES
        return [block]


class _Camera:
    """A packet and a frame for every picture."""

    ticks_per_s = TICKS_PER_S

    def __init__(self, options: SyntheticOptions) -> None:
        from capture import practice_picture

        self.tick = 0
        self._script = options.script
        self._art = practice_picture
        self._scene = practice_picture.Scene(
            "a" if options.scene == "camera_a" else "b", options.seed
        )
        self._sizes = np.random.default_rng(options.seed)
        self._count = 0
        self._last: Planes | None = None
        self.stream = StreamInfo(
            index=0,
            kind="video",
            codec="practice",
            time_base=Fraction(1, TICKS_PER_S),
            width_px=practice_picture.WIDTH_PX,
            height_px=practice_picture.HEIGHT_PX,
            pixel_format="yuv420p",
            bit_depth=8,
            scan="progressive",
            frame_rate=FRAME_RATE,
        )

    def _on(self, what: What) -> bool:
        return any(f.what == what and is_on(f, self.tick, TICKS_PER_S) for f in self._script)

    def _period(self) -> int:
        rate = WRONG_FRAME_RATE if self._on("frame_rate") else FRAME_RATE
        return int(TICKS_PER_S / rate)

    def due(self) -> int:
        """Return the tick at which the next picture is complete."""
        return self.tick + self._period()

    def skip_to(self, tick: int) -> tuple[float, Literal["frames"]]:
        """Leave out everything before a tick and return how much that is."""
        period = self._period()
        missed = -(-(tick - self.tick) // period)
        self.tick += missed * period
        self._count += missed
        return missed, "frames"

    def _paint(self) -> tuple["Planes", bool]:
        """Return the picture of now and whether it stands still."""
        if self._last is not None and self._on("freeze"):
            return self._last, True
        if self._on("black"):
            return self._art.black(), True
        return self._scene.render(self._count), False

    def _size(self, key: bool, still: bool) -> int:
        """Return what an encoder would have spent on the picture, in bytes."""
        typical = KEY_BYTES if key else STILL_BYTES if still else PICTURE_BYTES
        return int(typical * self._sizes.uniform(0.88, 1.12))

    def produce(self, t_arrival_ns: int) -> list[Item]:
        """Return the next picture's packet and frame, or nothing where the script drops it."""
        tick, period, key = self.tick, self._period(), self._count % KEY_EVERY == 0
        dropped = self._on("drop_frames") and self._count % 2 == 1
        items: list[Item] = [] if dropped else self._shoot(tick, period, key, t_arrival_ns)
        self.tick += period
        self._count += 1
        return items

    def _shoot(self, tick: int, period: int, key: bool, t_arrival_ns: int) -> list[Item]:
        planes, still = self._paint()
        self._last = planes
        packet = Packet(
            stream=0,
            epoch=0,
            pts=tick,
            dts=tick,
            duration=period,
            size_bytes=self._size(key, still),
            key=key,
            corrupt=False,
            t_arrival_ns=t_arrival_ns,
        )
        return [packet, self._frame(planes, tick, key, t_arrival_ns)]

    def _frame(self, planes: "Planes", tick: int, key: bool, t_arrival_ns: int) -> Frame:
        return Frame(
            stream=0,
            epoch=0,
            pts=tick,
            luma=planes.luma,
            planes=(planes.u, planes.v),
            width_px=planes.luma.shape[1],
            height_px=planes.luma.shape[0],
            pixel_format="yuv420p",
            bit_depth=8,
            full_range=False,
            interlaced=False,
            key=key,
            corrupt=False,
            t_arrival_ns=t_arrival_ns,
            bgr=lambda width_px: self._art.to_bgr(planes, width_px),
        )


def practice_feeds() -> list[Found]:
    """Return the three practice feeds, to be offered where there is no input.

    They are not listed among the inputs found: nobody should take them for one.
    """
    names = {"sound": "Practice sound", "camera_a": "Practice A cam", "camera_b": "Practice B cam"}
    details = {"sound": "8 channels, 48 kHz", "camera_a": "1080p25", "camera_b": "1080p25"}
    return [
        Found(kind="synthetic", name=name, options={"scene": scene}, detail=details[scene])
        for scene, name in names.items()
    ]


@source("synthetic", SyntheticOptions)
class Synthetic:
    """A practice feed, paced by the monotonic clock unless ``real_time`` is off."""

    latency_s = 0.0
    stall_s = STALL_S
    open_limit_s = OPEN_LIMIT_S
    practice = True
    has_peer = False

    def __init__(self, options: SyntheticOptions, clock: Clock | None = None) -> None:
        """Remember what to make; nothing is painted before ``open``."""
        self._options = options
        self._clock = clock or Clock()
        self._maker: _Sound | _Camera | None = None
        self._pending: deque[Item] = deque()
        self._start_ns = 0
        self._silent_since: int | None = None
        self._silent_amount = 0.0

    def open(self) -> tuple[StreamInfo, ...]:
        """Compute the loop or paint the scene, and start the clock."""
        self._maker = (_Sound if self._options.scene == "sound" else _Camera)(self._options)
        self._start_ns = self._clock.now_ns()
        return (self._maker.stream,)

    def close(self) -> None:
        """Let the loop or the scene go."""
        self._maker = None
        self._pending.clear()

    def read(self, timeout_s: float) -> Item | None:
        """Return the next item when its time has come. Raises ``SourceLost`` by the script."""
        assert self._maker is not None, "read before open"
        if not self._pending and self._is_over():
            return Ended(reason="practice is over", t_arrival_ns=self._stamp())
        if not self._pending and not self._wait(timeout_s):
            return None
        if not self._pending:
            self._pending.extend(self._make())
        return self._pending.popleft() if self._pending else None

    def _is_over(self) -> bool:
        end_s = self._options.duration_s
        maker = self._maker
        return maker is not None and end_s is not None and maker.tick >= end_s * maker.ticks_per_s

    def _at_ns(self, tick: int) -> int:
        assert self._maker is not None
        return self._start_ns + tick * 1_000_000_000 // self._maker.ticks_per_s

    def _stamp(self) -> int:
        """Return the arrival time of what was made up to now."""
        assert self._maker is not None
        return self._clock.now_ns() if self._options.real_time else self._at_ns(self._maker.tick)

    def _wait(self, timeout_s: float) -> bool:
        """Wait for the next item's time; False when it has not come within the time-out."""
        assert self._maker is not None
        if not self._options.real_time:
            return True
        ahead_s = (self._at_ns(self._maker.due()) - self._clock.now_ns()) / 1e9
        if ahead_s > 0:
            self._clock.sleep(min(ahead_s, timeout_s))
        return ahead_s <= timeout_s

    def _make(self) -> list[Item]:
        """Make what is due: a loss where the process slept, nothing while the feed is lost."""
        maker = self._maker
        assert maker is not None
        behind_s = (self._clock.now_ns() - self._at_ns(maker.due())) / 1e9
        if self._options.real_time and behind_s > BEHIND_LIMIT_S:
            return [self._lose(maker.tick + int(behind_s * maker.ticks_per_s), "overrun")]
        if self._pulled():
            return self._stay_silent()
        self._silent_since = None
        t_arrival_ns = self._stamp() if self._options.real_time else self._at_ns(maker.due())
        return maker.produce(t_arrival_ns)

    def _pulled(self) -> bool:
        """Say whether the script has the cable pulled now."""
        maker = self._maker
        assert maker is not None
        script = self._options.script
        return any(f.what == "lost" and is_on(f, maker.tick, maker.ticks_per_s) for f in script)

    def _stay_silent(self) -> list[Item]:
        """Pass over one block in silence; the last one tells the whole loss.

        Too long, and the source is lost.
        """
        maker = self._maker
        assert maker is not None
        if self._silent_since is None:
            self._silent_since, self._silent_amount = maker.tick, 0.0
        lost = self._lose(maker.due(), "practice: cable pulled")
        self._silent_amount += lost.amount
        if maker.tick - self._silent_since > self.stall_s * maker.ticks_per_s:
            raise SourceLost(f"nothing arrived for {self.stall_s:.1f} s (practice: cable pulled)")
        if self._pulled():
            return []
        return [replace(lost, start=self._silent_since, amount=self._silent_amount)]

    def _lose(self, tick: int, reason: str) -> Lost:
        assert self._maker is not None
        start = self._maker.tick
        amount, unit = self._maker.skip_to(tick)
        return Lost(
            stream=0,
            epoch=0,
            start=start,
            amount=amount,
            unit=unit,
            reason=reason,
            t_arrival_ns=self._stamp(),
        )
