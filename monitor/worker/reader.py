"""The reading thread of a worker: it opens, reads and closes the source, all in one thread.

Native libraries want it so: closing from another thread while one reads is use-after-free.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.source import (
    Block,
    Changed,
    Ended,
    Frame,
    Item,
    Packet,
    Source,
    SourceError,
    StreamInfo,
)
from monitor.worker.arrivals import Arrivals
from monitor.worker.handover import HandOver, Outcome

READ_TIMEOUT_S = 0.1  # how long a quiet source keeps the reader from looking up
STILL_EVERY_NS = 1_000_000_000
STILL_WIDTH_PX = 480  # the width of a camera's tile


class Reader:
    """One source's thread. ``beat_ns`` is when the source last let go of it."""

    def __init__(self, source: Source, door: HandOver) -> None:
        self._source = source
        self._door = door
        self._stop = threading.Event()
        self._still_ns: dict[int, int] = {}
        self.beat_ns = time.monotonic_ns()
        self.item_ns = self.beat_ns
        self.is_open = False
        self.arrivals = Arrivals()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        """Begin to open the source."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to close the source and wait; False when it is stuck."""
        self._stop.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            outcome = self._read_all()
        except Exception as fault:  # noqa: BLE001  a decoder's surprise is a lost source, said so
            outcome = Outcome("lost", f"{type(fault).__name__}: {fault}")
        self.is_open = False
        self.beat_ns = time.monotonic_ns()
        self._door.finish(outcome)  # before closing, which may hang on a device that has gone
        self._source.close()

    def _read_all(self) -> Outcome:
        try:
            self._opened(self._source.open())
            return self._read()
        except SourceError as fault:
            return Outcome("lost" if self.is_open else "failed", str(fault))

    def _opened(self, streams: tuple[StreamInfo, ...]) -> None:
        self.beat_ns = self.item_ns = time.monotonic_ns()
        self.is_open = True
        self.arrivals = self._watched(streams)
        self._door.opened(streams)

    def _watched(self, streams: tuple[StreamInfo, ...]) -> Arrivals:
        return Arrivals(streams if self._source.has_peer else ())

    def _read(self) -> Outcome:
        while not self._stop.is_set():
            item = self._source.read(READ_TIMEOUT_S)
            self.beat_ns = time.monotonic_ns()
            if item is None:
                continue
            self.item_ns = self.beat_ns
            if isinstance(item, Changed):
                self.arrivals = self._watched(item.streams)
            self.arrivals.take(item)
            self._hand_over(item)
            if isinstance(item, Ended):
                return Outcome("ended", item.reason)
        return Outcome("ended", "closed")

    def _hand_over(self, item: Item) -> None:
        if isinstance(item, (Block, Packet, Frame)) and not self._door.has_room(item):
            self._door.lose(item)
            return
        self._door.put(self._keep_frame(item) if isinstance(item, Frame) else item)

    def _keep_frame(self, frame: Frame) -> Frame:
        """Render a picture where a still is due: only this thread may ask the decoder's library."""
        due = frame.t_arrival_ns - self._still_ns.get(frame.stream, -STILL_EVERY_NS)
        bgr: Callable[[int], NDArray[np.uint8]] = NoStill()
        if due >= STILL_EVERY_NS:
            self._still_ns[frame.stream] = frame.t_arrival_ns
            bgr = Rendered(frame.bgr(STILL_WIDTH_PX))
        return replace(frame, bgr=bgr)


class NoStill:
    """Stands for the picture of a frame no still is due for: nothing in colour was kept of it."""

    def __call__(self, width_px: int) -> NDArray[np.uint8]:
        """Return an empty picture."""
        return np.empty((0, width_px, 3), np.uint8)


class Rendered:
    """A picture rendered in the reader's thread, scaled on demand."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._picture = picture

    def __call__(self, width_px: int) -> NDArray[np.uint8]:
        """Return the picture at the wanted width."""
        height, width = self._picture.shape[:2]
        if width == width_px:
            return self._picture
        size = (width_px, max(1, round(height * width_px / width)))
        return np.asarray(cv2.resize(self._picture, size, interpolation=cv2.INTER_AREA), np.uint8)
