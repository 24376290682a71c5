"""Sound from an audio interface, through PortAudio.

``latency_s`` is one block: on the virtual card a block's last sample was 20 ms old on arrival
(960 frames, median), where PortAudio states its whole buffer of 120 ms.

The callback only copies into a ring that was allocated before; everything else happens in
``read``. An unplugged device often says nothing at all, so the time of the last callback is
watched here. ``abort()`` is used, never ``stop()``, which hangs on a device whose clock stands.
"""

import threading
import time
from collections import deque
from fractions import Fraction
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from capture.sound_devices import INSTALL, list_inputs
from capture.source import (
    OPEN_LIMIT_S,
    Block,
    DeviceMissing,
    Found,
    Item,
    LibraryMissing,
    Lost,
    OpenFailed,
    SourceLost,
    StreamInfo,
    source,
)

STALL_S = 1.0
FIRST_BLOCK_S = 3.0  # PulseAudio takes 1.2 s to begin
RING_S = 1.0  # the reader looks every 0.1 s; a ring this long rides out a busy second
BUFFER_S = 0.1  # PortAudio's "high", 40 ms, overran 20 times in 3 s at a load of 10 a core; 0 here
LISTED_LIMIT = 12  # devices named in an error message
CODECS = {"int32": "pcm_s32le", "float32": "pcm_f32le"}


class AudioDeviceOptions(BaseModel):
    """Options of an audio interface."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    device: str = Field(min_length=1, max_length=200)
    """Its name, or a part of it that no other has; never a number, which may change."""
    channels: int | None = Field(default=None, ge=1, le=256)
    """How many of its channels; by default all."""
    sample_rate_hz: int | None = Field(default=None, ge=8_000, le=384_000)
    """By default the device's own."""
    blocksize: int = Field(default=960, ge=64, le=9_600)
    """Frames in one callback: 480 to 2400 are cheap and quick."""
    sample_format: Literal["int32", "float32"] | None = None
    """By default int32 where the device takes it, else float32."""
    bit_depth: int | None = Field(default=None, ge=8, le=32)
    """Bits that carry sound; PortAudio does not tell. By default 24 for int32."""


class Flags(Protocol):
    """What PortAudio tells with a callback, as far as it is of use here."""

    input_overflow: bool


class Ring:
    """Blocks between the callback and ``read``; allocated once, filled and emptied by counters.

    One thread fills, one empties; a full ring counts what it could not take.
    """

    def __init__(self, slots: int, frames: int, channels: int, dtype: str) -> None:
        self._blocks = np.zeros((slots, frames, channels), dtype)
        self._counts = [0] * slots
        self._arrivals_ns = [0] * slots
        self._overflows = [False] * slots
        self._missed = [0] * slots
        self._slots = slots
        self._written = 0
        self._taken = 0
        self._missing = 0
        self._ready = threading.Event()
        self.last_ns = 0

    def put(self, samples: NDArray[Any], overflow: bool, t_arrival_ns: int) -> None:
        """Copy one callback's samples in; called from the audio thread."""
        self.last_ns = t_arrival_ns
        if self._written - self._taken >= self._slots:
            self._missing += len(samples)
            return
        slot = self._written % self._slots
        self._blocks[slot, : len(samples)] = samples
        self._counts[slot] = len(samples)
        self._arrivals_ns[slot] = t_arrival_ns
        self._overflows[slot] = overflow
        self._missed[slot], self._missing = self._missing, 0
        self._written += 1
        self._ready.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is something to take."""
        if self._written == self._taken:
            self._ready.clear()
            if self._written == self._taken:
                self._ready.wait(timeout_s)
        return self._written > self._taken

    def wake(self) -> None:
        """End a wait early."""
        self._ready.set()

    def take(self) -> tuple[NDArray[Any], bool, int, int]:
        """Return a copy of the oldest block, its overflow flag, frames missed before, arrival."""
        slot = self._taken % self._slots
        samples = self._blocks[slot, : self._counts[slot]].copy()
        found = samples, self._overflows[slot], self._missed[slot], self._arrivals_ns[slot]
        self._taken += 1
        return found


def lost_frames(gap_ns: int, frames: int, rate_hz: int) -> int:
    """Return how many frames an overrun cost: the time since the last block, less this block.

    PortAudio says that input was lost, not how much; the clock knows to about a millisecond.
    At least one: something was lost.
    """
    return max(1, round(gap_ns * rate_hz / 1e9) - frames)


def choose(wanted: str, names: list[str]) -> int:
    """Return the index of the device meant: by its whole name, else by a part only it has.

    Raises ``DeviceMissing``; the message lists what is there.
    """
    if wanted in names:
        return names.index(wanted)
    folded = wanted.casefold()
    partly = [index for index, name in enumerate(names) if folded in name.casefold()]
    if len({names[index] for index in partly}) == 1:
        return partly[0]
    listed = ", ".join(repr(name) for name in names[:LISTED_LIMIT]) or "none"
    several = "several inputs match" if partly else "no sound input is called"
    raise DeviceMissing(f"{several} {wanted!r}; inputs here: {listed}")


def find() -> list[Found]:
    """Return the sound inputs of this machine. Raises ``LibraryMissing``, ``OpenFailed``."""
    return [
        Found(
            kind="audio_device",
            name=entry.name,
            options={"device": entry.name},
            detail=f"{entry.channels} channels, {entry.sample_rate_hz} Hz, {entry.api}",
        )
        for entry in list_inputs()
    ]


@source("audio_device", AudioDeviceOptions, find)
class AudioDevice:
    """One audio interface."""

    stall_s = STALL_S
    open_limit_s = OPEN_LIMIT_S
    practice = False
    has_peer = False

    def __init__(self, options: AudioDeviceOptions) -> None:
        """Remember the options; nothing is opened yet."""
        self._options = options
        self._stream: Any = None
        self._ring: Ring | None = None
        self._pending: deque[Item] = deque()
        self._finished = False
        self._start = 0
        self._rate_hz = 0
        self._opened_ns = 0
        self._before_ns: int | None = None
        self.latency_s = 0.0

    def open(self) -> tuple[StreamInfo, ...]:
        """Open the device and start it. Raises ``OpenFailed`` and its kinds."""
        try:
            import sounddevice
        except OSError as fault:
            raise LibraryMissing(INSTALL) from fault
        inputs = [
            (index, device)
            for index, device in enumerate(sounddevice.query_devices())
            if device["max_input_channels"] > 0
        ]
        index, device = inputs[choose(self._options.device, [d["name"] for _, d in inputs])]
        channels = self._channels(device["name"], device["max_input_channels"])
        self._rate_hz = self._options.sample_rate_hz or round(device["default_samplerate"])
        try:
            form = self._start_stream(sounddevice, index, channels)
        except (sounddevice.PortAudioError, ValueError) as fault:
            self.close()
            raise OpenFailed(
                f"{device['name']} did not open with {channels} channels at {self._rate_hz} Hz: "
                f"{fault}"
            ) from fault
        self._opened_ns = time.monotonic_ns()
        return (self._describe(channels, form),)

    def _channels(self, name: str, there: int) -> int:
        wanted = self._options.channels or there
        if wanted > there:
            raise OpenFailed(f"{name} has {there} input channels, {wanted} are wanted")
        return wanted

    def _describe(self, channels: int, form: str) -> StreamInfo:
        depth = self._options.bit_depth or (24 if form == "int32" else None)
        return StreamInfo(
            index=0,
            kind="audio",
            codec=CODECS[form],
            time_base=Fraction(1, self._rate_hz),
            sample_rate_hz=self._rate_hz,
            channels=channels,
            sample_format=form,
            bit_depth=depth,
        )

    def _start_stream(self, sounddevice: ModuleType, index: int, channels: int) -> str:
        """Start the callback in the first sample format the device takes; return the format."""
        wanted = self._options.sample_format
        forms = [wanted] if wanted else ["int32", "float32"]
        form = next(
            (form for form in forms if self._takes(sounddevice, index, channels, form)), forms[-1]
        )
        slots = max(4, round(RING_S * self._rate_hz / self._options.blocksize))
        ring = Ring(slots, self._options.blocksize, channels, form)

        def arrived(samples: NDArray[Any], _frames: int, _times: object, flags: Flags) -> None:
            ring.put(samples, bool(flags.input_overflow), time.monotonic_ns())

        def finished() -> None:
            self._finished = True
            ring.wake()

        self._ring = ring
        self._stream = sounddevice.InputStream(
            device=index,
            channels=channels,
            samplerate=self._rate_hz,
            dtype=form,
            blocksize=self._options.blocksize,
            latency=BUFFER_S,
            callback=arrived,
            finished_callback=finished,
            clip_off=True,
            dither_off=True,
        )
        self._stream.start()
        self.latency_s = min(float(self._stream.latency), self._options.blocksize / self._rate_hz)
        return form

    def _takes(self, sounddevice: ModuleType, index: int, channels: int, form: str) -> bool:
        try:
            sounddevice.check_input_settings(
                device=index, channels=channels, dtype=form, samplerate=self._rate_hz
            )
        except (sounddevice.PortAudioError, ValueError):
            return False
        return True

    def read(self, timeout_s: float) -> Item | None:
        """Return the next block or loss, or None. Raises ``SourceLost``."""
        assert self._ring is not None, "read before open"
        if not self._pending and self._ring.wait(timeout_s):
            self._take(self._ring)
        if self._pending:
            return self._pending.popleft()
        self._watch(self._ring)
        return None

    def _take(self, ring: Ring) -> None:
        """Queue the oldest block, and before it what was lost."""
        samples, overflow, missed, t_arrival_ns = ring.take()
        if missed:
            self._lose(missed, "the reader was too slow", t_arrival_ns)
        elif overflow:
            gap_ns = t_arrival_ns - (self._before_ns or t_arrival_ns)
            amount = lost_frames(gap_ns, len(samples), self._rate_hz)
            self._lose(amount, "the device overran", t_arrival_ns)
        self._before_ns = t_arrival_ns
        self._pending.append(
            Block(stream=0, epoch=0, start=self._start, samples=samples, t_arrival_ns=t_arrival_ns)
        )
        self._start += len(samples)

    def _lose(self, amount: int, reason: str, t_arrival_ns: int) -> None:
        self._pending.append(
            Lost(
                stream=0,
                epoch=0,
                start=self._start,
                amount=float(amount),
                unit="samples",
                reason=reason,
                t_arrival_ns=t_arrival_ns,
            )
        )
        self._start += amount

    def _watch(self, ring: Ring) -> None:
        """Raise ``SourceLost`` where the device ended, or has been quiet for too long."""
        name = self._options.device
        if self._finished:
            raise SourceLost(f"{name} has gone")
        now = time.monotonic_ns()
        if not ring.last_ns:
            if now - self._opened_ns > max(FIRST_BLOCK_S, self.stall_s) * 1e9:
                raise SourceLost(f"{name} was opened but gives no sound")
        elif now - ring.last_ns > self.stall_s * 1e9:
            raise SourceLost(f"{name} has given no sound for {self.stall_s:.1f} s")

    def close(self) -> None:
        """Abort and close the stream; safe to call twice."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
