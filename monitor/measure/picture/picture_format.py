"""What a picture is: size, pixel format, scan. A change in mid-stream is an event on that frame."""

from capture.source import Frame, Item
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import FrameClock
from monitor.metrics import Value, declare

SCAN_FRAMES = 10  # frames in a row before a changed scan counts: mixed streams flag frame by frame

SIZE = declare("picture_size_px", "px", "vector", "last", "Width and height of the decoded picture")
PIXELS = declare("pixel_format", "", "scalar", "last", "Layout and depth of samples, FFmpeg's name")
SCAN = declare("scan", "", "scalar", "last", "progressive or interlaced, as the frames are flagged")


def describe(frame: Frame, scan: str) -> str:
    """Say a frame's format in words, for example ``1920×1080 yuv420p progressive``."""
    return f"{frame.width_px}×{frame.height_px} {frame.pixel_format} {scan}"


@measure("picture_format", is_video, detectors=("format_changed",))
class PictureFormat:
    """Watches size, pixel format and scan of every decoded frame."""

    def __init__(self, setup: Setup) -> None:
        self.clock = FrameClock(setup.stream)
        self.span = Span("format_changed", "")
        self.size: tuple[int, int] | None = None
        self.pixels: str | None = None
        self.scan: str | None = None
        self.words = ""
        self.other_scan = 0
        self.fresh = False

    def feed(self, item: Item) -> None:
        """Take the next frame; other items say nothing of the picture's format."""
        if not isinstance(item, Frame):
            return
        tick = self.clock.tick(item)
        size, pixels = (item.width_px, item.height_px), item.pixel_format
        scan = "interlaced" if item.interlaced else "progressive"
        self.other_scan = self.other_scan + 1 if scan != self.scan else 0
        rescanned = self.scan is None or self.other_scan >= SCAN_FRAMES
        if self.size == size and self.pixels == pixels and not rescanned:
            return
        words = describe(item, scan if rescanned else self.scan or scan)
        if self.size is not None:
            detail = f"{self.words} → {words}"
            self.span.open(tick, 1, detail)
            self.span.close(tick + self.clock.duration, 1, detail)
        self.size, self.pixels, self.words, self.fresh = size, pixels, words, True
        if rescanned:
            self.scan, self.other_scan = scan, 0

    def drain(self) -> dict[str, Value]:
        """Return the format, when it is known and new since the last drain."""
        if not self.fresh or self.size is None:
            return {}
        self.fresh = False
        return {SIZE.key: list(self.size), PIXELS.key: self.pixels, SCAN.key: self.scan}

    def events(self) -> list[Detection]:
        """Return the changes since the last call, each opened and closed at once."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated; the format is told again."""
        self.fresh = self.size is not None

    def finish(self) -> None:
        """Nothing is open."""
