"""Digital silence: a channel whose samples stop changing, sample-exact.

A live microphone has noise; a channel that is exactly constant (zero, or any other value) is a
muted fader, a dead link or a stopped converter. The episode opens when a channel that has carried
signal has been constant for ``silence_s`` (limit; by default 0.25 s), and closes at the first
sample that differs. A channel that was constant from the start raises nothing: it is not in use;
its ``silent_s`` tells.

Speed: a block is cut into segments shorter than the limit, and a segment where any of a few probes
differs from its first sample cannot lie inside a silence; only suspicious channels are read whole.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item, Lost
from monitor.measure.measurement import Detection, Setup, StepPhase, is_audio, measure
from monitor.metrics import Value, declare

SILENCE_S = 0.25  # the on-delay of DESIGN's rule: longer than any closure in speech coding
PROBES = 16

SILENT_S = declare(
    "silent_s", "s", "channels", "last", "Length so far of the current run of unchanging samples."
)


def constant_head(column: NDArray[Any], value: Any) -> int:  # noqa: ANN401  any sample type
    """Return how many leading samples equal ``value``."""
    differs = column != value
    return int(differs.argmax()) if differs.any() else len(column)


def probe(segment: NDArray[Any]) -> NDArray[np.bool_]:
    """Say for each channel whether a few probes all equal its first sample."""
    step = max(1, len(segment) // PROBES)
    same = np.logical_and.reduce(segment[::step] == segment[0], axis=0)
    flat: NDArray[np.bool_] = same & (segment[-1] == segment[0])
    return flat


@measure("silence", is_audio, detectors=("silence",))
class Silence:
    """The current unchanging run of every channel, and episodes of silence."""

    def __init__(self, setup: Setup) -> None:
        self._rate = setup.stream.sample_rate_hz or 48000
        self._hold = max(2, round(setup.limit("silence_s", SILENCE_S) * self._rate))
        self._segment = max(1, min(self._hold // 2, self._rate // 8))
        self._last: NDArray[Any] | None = None
        self._run_start: list[int] = []
        self._carried: list[bool] = []
        self._open: list[int | None] = []
        self._details: dict[int, str] = {}
        self._next = 0
        self._steps: list[Detection] = []
        self._full_scale = 1.0

    def feed(self, item: Item) -> None:
        """Take a block; lost samples neither end a silence nor make one."""
        if isinstance(item, Lost) or not isinstance(item, Block) or not item.samples.size:
            return
        samples = item.samples
        if self._last is None:
            self._begin(samples, item.start)
        for at in range(0, len(samples), self._segment):
            self._scan(samples[at : at + self._segment], item.start + at)

    def _begin(self, samples: NDArray[Any], tick: int) -> None:
        channels = samples.shape[1]
        self._last = samples[0].copy()
        self._run_start = [tick] * channels
        self._carried = [False] * channels
        self._open = [None] * channels
        is_int = samples.dtype.kind == "i"
        self._full_scale = 2.0 ** (samples.dtype.itemsize * 8 - 1) if is_int else 1.0

    def _scan(self, segment: NDArray[Any], tick: int) -> None:
        goes_on = segment[0] == self._last
        flat = probe(segment)
        tail = segment[-1] == segment[-2] if len(segment) > 1 else goes_on
        self._next = tick + len(segment)
        for index in range(segment.shape[1]):
            if goes_on[index] or flat[index] or tail[index] or self._open[index] is not None:
                self._read(segment[:, index], index, tick, bool(goes_on[index]))
            else:
                self._run_start[index] = tick + len(segment) - 1
                self._carried[index] = True
        self._last = segment[-1].copy()

    def _read(self, column: NDArray[Any], index: int, tick: int, goes_on: bool) -> None:
        """Read one channel of a segment whole."""
        head = constant_head(column, column[0]) if goes_on else 0
        if head < len(column):
            if tick + head - self._run_start[index] >= self._hold and self._last is not None:
                self._silent(index, self._last[index])
            self._end_run(index, tick + head)
            tail = constant_head(column[::-1], column[-1])
            self._run_start[index] = tick + len(column) - tail
            self._carried[index] = True
        if self._next - self._run_start[index] >= self._hold:
            self._silent(index, column[-1])

    def _silent(self, index: int, value: Any) -> None:  # noqa: ANN401  any sample type
        if self._open[index] is None and self._carried[index]:
            self._open[index] = self._run_start[index]
            level = float(value) / self._full_scale
            constant = f"constant at {level:.6f} of full scale"
            self._details[index] = "exact zeros" if level == 0 else constant
            self._tell("open", index, None)

    def _end_run(self, index: int, tick: int) -> None:
        if self._open[index] is not None:
            self._tell("close", index, tick)
            self._open[index] = None

    def _tell(self, phase: StepPhase, index: int, end: int | None) -> None:
        start = self._open[index]
        assert start is not None
        length = self._hold if end is None else end - start
        self._steps.append(
            Detection(
                detector="silence",
                key=f"silence-{index}-{start}",
                phase=phase,
                start=start,
                end=end,
                channels=(index,),
                worst=length / self._rate,
                worst_tick=start,
                unit="s",
                detail=self._details[index],
            )
        )

    def drain(self) -> Mapping[str, Value]:
        """Return the current runs' lengths."""
        if self._last is None:
            return {}
        return {SILENT_S.key: [(self._next - start) / self._rate for start in self._run_start]}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes where the stream ends."""
        for index in range(len(self._open)):
            self._end_run(index, self._next)
