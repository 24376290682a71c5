"""A decoded picture's planes as arrays, without a copy where the layout allows it.

Imported inside ``open()`` only, for it needs the native library.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

_LUMA_FIRST = re.compile(r"^(yuvj?|yuva|gray|nv)\d*")
_PACKED_LUMA = {"yuyv422": 0, "yvyu422": 0, "uyvy422": 1}
_HIGH_BITS = {"p010le": 6, "p012le": 4, "p016le": 0, "p210le": 6, "p212le": 4, "p410le": 6}


def picture_bit_depth(frame_format: VideoFormat) -> int:
    """Return the bits of the first component of a pixel format."""
    components = frame_format.components
    return int(components[0].bits) if components else 8


def _rows(plane: VideoPlane, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a plane's rows, padding included, as a view into the decoder's buffer."""
    flat: NDArray[Any] = np.frombuffer(cast("bytes", plane), dtype=dtype)
    return flat.reshape(plane.height, -1)


def _plane(frame: VideoFrame, index: int, dtype: type[np.generic]) -> NDArray[Any]:
    plane = frame.planes[index]
    return _rows(plane, dtype)[:, : plane.width]


def _chroma(frame: VideoFrame, dtype: type[np.generic]) -> tuple[NDArray[Any], ...]:
    name = frame.format.name
    if name.startswith("gray") or len(frame.planes) < 2:
        return ()
    if len(frame.planes) == 2:  # NV12, P010 and kin: Cb and Cr alternate
        both = _rows(frame.planes[1], dtype)[:, : 2 * frame.planes[1].width]
        return (both[:, 0::2], both[:, 1::2])
    return (_plane(frame, 1, dtype), _plane(frame, 2, dtype))


def luma_and_chroma(frame: VideoFrame) -> tuple[NDArray[Any], tuple[NDArray[Any], ...], int, bool]:
    """Return luma, chroma planes, bits a sample, and whether a conversion to YUV was needed.

    Planar YUV, semi-planar and grey formats are views without a copy; RGB, palettes and
    big-endian formats pass through swscale (3 to 5 ms a 1080p frame), which gives limited range.
    """
    name = frame.format.name
    if name in _PACKED_LUMA:
        rows = _rows(frame.planes[0], np.uint8)
        return rows[:, _PACKED_LUMA[name] : 2 * frame.width : 2], (), 8, False
    bits = picture_bit_depth(frame.format)
    if name in _HIGH_BITS:
        shift = _HIGH_BITS[name]
        planes = [_plane(frame, 0, np.uint16), *_chroma(frame, np.uint16)]
        low = [plane >> shift for plane in planes] if shift else planes
        return low[0], tuple(low[1:]), bits, False
    if _LUMA_FIRST.match(name) and not frame.format.is_big_endian and 8 <= bits <= 16:
        dtype = np.uint8 if bits == 8 else np.uint16
        return _plane(frame, 0, dtype), _chroma(frame, dtype), bits, False
    deep = bits > 8
    yuv = frame.reformat(format="yuv422p10le" if deep else "yuv420p")
    dtype = np.uint16 if deep else np.uint8
    return _plane(yuv, 0, dtype), _chroma(yuv, dtype), 10 if deep else 8, True


def small_bgr(frame: VideoFrame, shape: Fraction | None) -> Callable[[int], NDArray[np.uint8]]:
    """Return a function that renders the frame at a given width; ``shape`` is its pixels' aspect.

    The picture is never enlarged; heights and widths are even and at least 2.
    """

    def render(width_px: int) -> NDArray[np.uint8]:
        aspect = Fraction(frame.width, frame.height) * (shape or 1)
        width = max(2, min(width_px, frame.width) // 2 * 2)
        height = max(2, int(width / aspect) // 2 * 2)
        small = frame.reformat(width=width, height=height, format="bgr24")
        return np.asarray(small.to_ndarray(), dtype=np.uint8)

    return render
