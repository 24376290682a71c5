"""A still is a JPEG of the right size that fits its line, whatever the picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.source import Frame
from monitor.measure.picture.still import LIMIT_BYTES, still_jpeg
from tests.monitor.measure.feeding import picture, stream_items
from tests.rigs.clips import Clips


def test_a_still_of_a_1080p_picture_is_480_wide_and_fits(clips: Clips) -> None:
    _, items = stream_items(clips.picture(size="1920x1080", frames=2))
    frame = next(item for item in items if isinstance(item, Frame))
    data = still_jpeg(frame)
    assert data is not None
    assert len(data) <= LIMIT_BYTES
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (270, 480, 3)


def test_noise_gives_way_in_quality_then_in_width() -> None:
    def noise(width_px: int) -> NDArray[np.uint8]:
        size = (width_px * 9 // 16, width_px, 3)
        return np.random.default_rng(0).integers(0, 256, size, np.uint8)

    data = still_jpeg(picture(0, bgr=noise))
    assert data is not None
    assert len(data) <= LIMIT_BYTES
    assert still_jpeg(picture(0, bgr=noise), limit_bytes=500) is None
