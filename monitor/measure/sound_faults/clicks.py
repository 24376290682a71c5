"""Clicks of a bad contact and crackle of a radio link, told as bursts on one microphone.

The second difference of the samples leaves little of voices and much of a jump. Its largest
magnitude in every millisecond is held against what is usual in the 60 ms around: the middle rank of
each 20 ms, and the median of three of those, so that a burst does not hide itself. A millisecond
eight times over that is a click, unless more microphones than copies of one signal explain have one
within 12 ms: a real blow is heard by all. What lasts longer than a millisecond, as the crack of a
blow or a drop on a roof does, is counted once, where it begins. One click is not alert-grade; four
within a second are.

Why there is no linear prediction: docs/decisions/0127-clicks-without-linear-prediction.md; why a
click is counted once: docs/decisions/0129-a-click-is-counted-once.md.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup, StepPhase
from monitor.measure.sound.hops import HISTORY, Scratch
from monitor.measure.sound.listener import Hop, listen
from monitor.metrics import Value

WINDOWS_PER_S: Final = 1000
CHUNK: Final = 20  # windows: a voice's pulses come every 3 to 12 ms
RANK: Final = 10
OVER: Final = 8.0  # 18 dB
LEAST: Final = 10 ** (-70 / 20)  # smaller jumps are heard by nobody
AROUND: Final = 12  # windows: sound is 4 m on
COPIES: Final = 2  # a microphone and the mix
COPIES_SHARE: Final = 1 / 3  # of the channels: mix, safety and transmission copies of one
BURST: Final = 4  # clicks
BURST_S: Final = 1.0
CLOSE_AFTER_S: Final = 2.0
RECENT_S: Final = 10.0  # what the worst rate is counted over
UPDATE_S: Final = 0.5

Table = NDArray[np.float32]
Flags = NDArray[np.bool_]


class Jumps:
    """Largest magnitude of the second difference in every millisecond of every channel."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.frames = max(1, round(sample_rate_hz / WINDOWS_PER_S))
        self._scratch = (Scratch(), Scratch())
        self._begun: Table = np.zeros(channels, np.float32)
        self._have = 0

    def feed(self, hop: Hop) -> Table:
        """Return the windows a hop finished, (channels, n); their grid starts anew after a hole."""
        if not hop.follows:
            self._have, self._begun[:] = 0, 0.0
        jumps = self._differences(hop)
        frames = hop.frames
        missing = min(frames, self.frames - self._have)
        np.maximum(self._begun, jumps[:, :missing].max(axis=1), out=self._begun)
        self._have += missing
        if self._have < self.frames:
            return self._begun[:, None][:, :0]
        whole = (frames - missing) // self.frames
        end = missing + whole * self.frames
        windows = np.empty((len(jumps), 1 + whole), np.float32)
        windows[:, 0] = self._begun
        if whole:
            split = (len(jumps), whole, self.frames)
            jumps[:, missing:end].reshape(split).max(axis=2, out=windows[:, 1:])
        self._have = frames - end
        self._begun[:] = jumps[:, end:].max(axis=1) if self._have else 0.0
        return windows

    def _differences(self, hop: Hop) -> Table:
        """Return |x[n] - 2·x[n-1] + x[n-2]| of the hop, (channels, frames)."""
        samples, frames = hop.with_history, hop.frames
        first = self._scratch[0].empty(len(samples), frames + 1)
        second = self._scratch[1].empty(len(samples), frames)
        np.subtract(samples[:, HISTORY - 1 :], samples[:, HISTORY - 2 : -1], out=first)
        np.subtract(first[:, 1:], first[:, :-1], out=second)
        np.abs(second, out=second)
        if not hop.follows:
            second[:, :2] = 0.0  # across a hole, or from nothing: a jump that nobody made
        return second


def middle_of_three(a: Table, b: Table, c: Table) -> Table:
    """Return the median of three tables, value by value."""
    middle: Table = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return middle


def clicks_in(chunks: Table) -> Flags:
    """Return which windows of (channels, n, CHUNK) are far over what is usual around them.

    Shape (channels, n - 2, CHUNK): the first and the last chunk are only around others.
    """
    ranks = np.partition(chunks, RANK, axis=2)[..., RANK]
    usual = middle_of_three(ranks[:, :-2], ranks[:, 1:-1], ranks[:, 2:])
    clicks: Flags = chunks[:, 1:-1] > np.maximum(OVER * usual, LEAST)[..., None]
    return clicks


@dataclass(slots=True, kw_only=True)
class _Burst:
    """The clicks of one channel: those of the last seconds, and the episode while it lasts."""

    recent: deque[int] = field(default_factory=deque)
    start: int | None = None
    end: int = 0
    count: int = 0
    count_1s: int = 0
    worst: int = 0
    worst_tick: int = 0
    told_tick: int = 0
    told_count: int = 0


@listen("clicks", detectors=("clicks",))
class Clicks:
    """Bursts of clicks on every channel."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._rate = sample_rate_hz
        self._jumps = Jumps(channels, sample_rate_hz)
        self._copies = max(COPIES, int(channels * COPIES_SHARE))
        self._bursts = [_Burst() for _ in range(channels)]
        self._steps: list[Detection] = []
        self._channels = channels
        self._forget(0)

    def _forget(self, tick: int) -> None:
        self._tick = tick
        """After the last chunk judged."""
        self._waiting: Table = np.zeros((self._channels, 0), np.float32)
        self._chunks: Table = np.zeros((self._channels, 0, CHUNK), np.float32)
        """The last two, (channels, n, CHUNK): around the next."""
        self._clicked: Flags = np.zeros((self._channels, 0, CHUNK), np.bool_)
        """Clicks of the last two before the newest, same shape."""

    def hear(self, hop: Hop) -> None:
        """Judge the chunks a hop finished; a click is known two chunks, 40 ms, later."""
        if not hop.follows:
            self._forget(hop.start)
        windows = np.concatenate([self._waiting, self._jumps.feed(hop)], axis=1)
        whole = windows.shape[1] - windows.shape[1] % CHUNK
        if whole:
            self._judge(windows[:, :whole].reshape(len(windows), -1, CHUNK))
        self._waiting = windows[:, whole:].copy()
        for channel, burst in enumerate(self._bursts):
            if burst.start is not None:
                self._go_on(channel, burst, hop.end)

    def _judge(self, fresh: Table) -> None:
        """Take the next chunks; find clicks up to the newest but one, confirm up to that before."""
        chunks = np.concatenate([self._chunks, fresh], axis=1)
        self._chunks = chunks[:, -2:].copy()
        self._tick += fresh.shape[1] * CHUNK * self._jumps.frames
        if chunks.shape[1] < 3:
            return
        clicked = np.concatenate([self._clicked, clicks_in(chunks)], axis=1)
        self._clicked = clicked[:, -2:].copy()
        count = clicked.shape[1]
        for at in (1 + np.flatnonzero(clicked[:, 1:-1].any(axis=(0, 2)))).tolist():
            tick = self._tick - (count + 1 - at) * CHUNK * self._jumps.frames
            self._confirm(tick, clicked[:, at - 1], clicked[:, at], clicked[:, at + 1])

    def _confirm(self, tick: int, before: Flags, now: Flags, after: Flags) -> None:
        """Note the clicks that begin in a chunk from ``tick`` on and that few microphones have."""
        wide = np.concatenate([before[:, -AROUND:], now, after[:, :AROUND]], axis=1)
        begins = now & ~wide[:, AROUND - 1 : AROUND - 1 + CHUNK]
        for channel, window in zip(*(found.tolist() for found in np.nonzero(begins)), strict=True):
            having = wide[:, window : window + 2 * AROUND + 1].any(axis=1).sum()
            if having <= self._copies:
                self._note(channel, tick + window * self._jumps.frames)

    def _note(self, channel: int, tick: int) -> None:
        if self._is_over(self._bursts[channel], tick):
            self._close(channel)
        burst = self._bursts[channel]
        burst.recent.append(tick)
        while burst.recent[0] <= tick - RECENT_S * self._rate:
            burst.recent.popleft()
        second = sum(1 for other in burst.recent if other > tick - BURST_S * self._rate)
        begins = burst.start is None
        if begins and second < BURST:
            return
        if begins:
            burst.start = burst.told_tick = burst.recent[-second]
            burst.count, burst.count_1s, burst.worst = second - 1, 0, 0
        burst.end = tick + self._jumps.frames
        burst.count += 1
        burst.count_1s = max(burst.count_1s, second)
        if len(burst.recent) > burst.worst:
            burst.worst, burst.worst_tick = len(burst.recent), tick
        if begins:
            self._tell("open", channel, tick)

    def _is_over(self, burst: _Burst, tick: int) -> bool:
        """Say whether a burst has ended if no click of it is before a tick."""
        return burst.start is not None and tick > burst.end + CLOSE_AFTER_S * self._rate

    def _go_on(self, channel: int, burst: _Burst, tick: int) -> None:
        if self._is_over(burst, self._tick - 2 * CHUNK * self._jumps.frames):
            self._close(channel)
        elif burst.count != burst.told_count and tick > burst.told_tick + UPDATE_S * self._rate:
            self._tell("update", channel, tick)

    def _close(self, channel: int) -> None:
        self._tell("close", channel, self._bursts[channel].end)
        self._bursts[channel] = _Burst()

    def _tell(self, phase: StepPhase, channel: int, tick: int) -> None:
        burst = self._bursts[channel]
        assert burst.start is not None
        burst.told_tick, burst.told_count = tick, burst.count
        self._steps.append(
            Detection(
                detector="clicks",
                key=f"clicks-{channel}-{burst.start}",
                phase=phase,
                start=burst.start,
                end=burst.end if phase == "close" else None,
                channels=(channel,),
                worst=float(burst.worst),
                worst_tick=burst.worst_tick,
                unit="clicks in 10 s",
                count=burst.count,
                count_1s=burst.count_1s,
            )
        )

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: there are only episodes."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Do nothing: nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes."""
        for channel, burst in enumerate(self._bursts):
            if burst.start is not None:
                self._close(channel)
