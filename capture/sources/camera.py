"""A USB or HDMI capture device of this machine, through OpenCV (V4L2, AVFoundation, DirectShow).

A driver gives what it can, not what it was asked for: both are told. ``read`` may hang for ever in
a driver whose device was pulled; the worker's watchdog then ends the process, which is the one
thing that helps. Pictures come decoded, so nothing is known of an encoder: there are no packets.
"""

import math
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from capture.source import (
    OPEN_LIMIT_S,
    DeviceMissing,
    Found,
    Frame,
    Item,
    LibraryMissing,
    OpenFailed,
    SourceLost,
    StreamInfo,
    source,
)

STALL_S = 1.0
TICKS_PER_S = 90_000  # drivers stamp to the microsecond, OpenCV gives milliseconds with decimals
FIRST_PICTURES = 5  # a device may give an empty buffer or two before its first picture
LISTED_LIMIT = 12  # devices named in an error message
RATE_LIMIT_HZ = 1_000  # more is no frame rate but a driver that does not know
DEVICES = Path("/sys/class/video4linux")


class CameraOptions(BaseModel):
    """Options of ``kind = "camera"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    device: str = Field(min_length=1, max_length=200)
    """Its name, a part of it that no other has, or its path; never a number, which may change."""
    width_px: int | None = Field(default=None, ge=16, le=16_384)
    height_px: int | None = Field(default=None, ge=16, le=16_384)
    frame_rate: float | None = Field(default=None, gt=0, le=RATE_LIMIT_HZ)
    pixel_format: str | None = Field(default=None, pattern=r"^[A-Z0-9 ]{4}$")
    """A FOURCC, for example YUYV or MJPG. Each by default the device's own."""
    latency_s: float = Field(default=0.0, ge=0, le=30)
    """How late its pictures are, if it is known."""


class Capture(Protocol):
    """What is used of an OpenCV capture."""

    def isOpened(self) -> bool: ...  # noqa: D102, N802  (OpenCV's name)
    def read(self) -> tuple[bool, Any]: ...  # noqa: D102
    def get(self, propId: int, /) -> float: ...  # noqa: D102, N803
    def set(self, propId: int, value: float, /) -> bool: ...  # noqa: D102, N803
    def release(self) -> None: ...  # noqa: D102


def listed(root: Path = DEVICES) -> dict[str, str]:
    """Return the names of Linux's capture devices by path; a device's further nodes are left out.

    A webcam has a node for its pictures, index 0, and others for its metadata.
    """
    found = {}
    for node in sorted(root.glob("video*"), key=lambda node: (len(node.name), node.name)):
        try:
            if int((node / "index").read_text()) == 0:
                found[f"/dev/{node.name}"] = (node / "name").read_text().strip()
        except (OSError, ValueError):
            continue  # unplugged while we looked
    return found


def find_cameras(root: Path = DEVICES) -> list[Found]:
    """Return the capture devices of this machine; nothing is opened."""
    return [
        Found(kind="camera", name=name, options={"device": name}, detail=path)
        for path, name in listed(root).items()
    ]


def choose(wanted: str, devices: dict[str, str]) -> str:
    """Return the path of the one device that is meant. Raises ``DeviceMissing``."""
    exact = [path for path, name in devices.items() if wanted in (path, name)]
    near = exact or [path for path, name in devices.items() if wanted.lower() in name.lower()]
    if len(near) == 1:
        return near[0]
    there = ", ".join(f"{name} ({path})" for path, name in list(devices.items())[:LISTED_LIMIT])
    what = "no capture device" if not near else f"{len(near)} capture devices"
    raise DeviceMissing(f"{what} called {wanted!r}; there is {there or 'none'}")


def open_device(device: str) -> Capture:
    """Open a device of this machine by name. Raises ``OpenFailed``."""
    try:
        import cv2
    except ImportError as error:
        raise LibraryMissing(
            f"OpenCV is not installed ({error}); pip install opencv-python-headless"
        ) from error
    if sys.platform.startswith("linux"):
        return cv2.VideoCapture(choose(device, listed()), cv2.CAP_V4L2)
    if not device.isdecimal():
        raise DeviceMissing(f"device is {device!r}; on this system only numbers, from 0, are known")
    return cv2.VideoCapture(int(device), cv2.CAP_ANY)


def planes_of(
    picture: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], tuple[NDArray[np.uint8], ...], str]:
    """Return luma, chroma and the pixel format of what OpenCV gave.

    YUYV comes untouched, (height, width, 2), and is looked at without a copy; grey likewise. What
    OpenCV had to decode comes as BGR and is turned into limited-range YUV.
    """
    import cv2

    if picture.ndim == 2:
        return picture, (), "gray"
    if picture.shape[2] == 2:
        return picture[:, :, 0], (picture[:, 0::2, 1], picture[:, 1::2, 1]), "yuyv422"
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    flat = cv2.cvtColor(np.ascontiguousarray(picture[:height, :width]), cv2.COLOR_BGR2YUV_I420)
    luma = np.asarray(flat[:height], np.uint8)
    u, v = np.asarray(flat[height:], np.uint8).reshape(2, height // 2, width // 2)
    return luma, (u, v), "bgr24"


def small(picture: NDArray[np.uint8], width_px: int) -> NDArray[np.uint8]:
    """Return the picture in colour at a width, never enlarged."""
    import cv2

    if picture.ndim == 2:
        bgr = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    elif picture.shape[2] == 2:
        bgr = cv2.cvtColor(picture, cv2.COLOR_YUV2BGR_YUYV)
    else:
        bgr = picture
    width = min(width_px, bgr.shape[1])
    size = (width, max(1, round(bgr.shape[0] * width / bgr.shape[1])))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def _fourcc(code: float) -> str | None:
    raw = int(code).to_bytes(4, "little", signed=True) if math.isfinite(code) else b""
    text = raw.decode("ascii", errors="replace").strip("\0 ")
    return text.lower() if text.isprintable() and text else None


@source("camera", CameraOptions, find=find_cameras)
class Camera:
    """One device: asked for a format, then read picture by picture."""

    open_limit_s = OPEN_LIMIT_S
    practice = False
    has_peer = True

    def __init__(
        self, options: CameraOptions, opener: Callable[[str], Capture] = open_device
    ) -> None:
        self.options = options
        self.latency_s = options.latency_s
        self.stall_s = STALL_S
        self._opener = opener
        self._device: Capture | None = None
        self._first: NDArray[np.uint8] | None = None
        self._last_pts: int | None = None

    def open(self) -> tuple[StreamInfo, ...]:
        """Open the device, ask for the format, prove a picture. Raises ``OpenFailed``."""
        self._device = device = self._opener(self.options.device)
        if not device.isOpened():
            self.close()
            raise OpenFailed(
                f"{self.options.device}: cannot be opened; another program may hold it"
            )
        self._ask(device)
        for _ in range(FIRST_PICTURES):
            taken, picture = device.read()
            if taken:
                self._first = picture
                return (self._stream(device, picture),)
        self.close()
        raise OpenFailed(f"{self.options.device}: opens, but gives no picture")

    def _ask(self, device: Capture) -> None:
        """Ask for the format; the pixel format first, for sizes depend on it."""
        import cv2

        options = self.options
        if options.pixel_format:
            code = sum(ord(letter) << 8 * at for at, letter in enumerate(options.pixel_format))
            device.set(cv2.CAP_PROP_FOURCC, code)
        for property_id, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, options.width_px),
            (cv2.CAP_PROP_FRAME_HEIGHT, options.height_px),
            (cv2.CAP_PROP_FPS, options.frame_rate),
        ):
            if value is not None:
                device.set(property_id, value)
        if device.get(cv2.CAP_PROP_FOURCC) == cv2.VideoWriter.fourcc(*"YUYV"):
            device.set(cv2.CAP_PROP_CONVERT_RGB, 0)  # its own luma, not one made from colours

    def _stream(self, device: Capture, picture: NDArray[np.uint8]) -> StreamInfo:
        import cv2

        rate = device.get(cv2.CAP_PROP_FPS)
        known = 0 < rate <= RATE_LIMIT_HZ
        return StreamInfo(
            index=0,
            kind="video",
            codec=_fourcc(device.get(cv2.CAP_PROP_FOURCC)),
            time_base=Fraction(1, TICKS_PER_S),
            width_px=picture.shape[1],
            height_px=picture.shape[0],
            pixel_format=planes_of(picture)[2],
            bit_depth=8,
            frame_rate=Fraction(rate).limit_denominator(1001) if known else None,
            asked=self._asked(),
        )

    def _asked(self) -> str | None:
        options = self.options
        size = (
            f"{options.width_px or 'any'}×{options.height_px or 'any'}"
            if options.width_px or options.height_px
            else None
        )
        rate = f"{options.frame_rate:g} fps" if options.frame_rate else None
        return ", ".join(part for part in (size, rate, options.pixel_format) if part) or None

    def read(self, timeout_s: float) -> Item | None:
        """Return the next picture; it waits for the driver, whatever ``timeout_s`` is."""
        if self._device is None:
            raise SourceLost(f"{self.options.device}: read before open, or after close")
        picture, self._first = self._first, None
        if picture is None:
            taken, picture = self._device.read()
            if not taken:
                raise SourceLost(f"{self.options.device}: gives no more pictures; is it unplugged?")
        return self._frame(self._device, np.asarray(picture, np.uint8))

    def _stamp(self, device: Capture) -> int | None:
        """Return the driver's stamp in ticks; None where it has none, or where it stands."""
        import cv2

        at_ms = device.get(cv2.CAP_PROP_POS_MSEC)
        pts = round(at_ms * TICKS_PER_S / 1000) if math.isfinite(at_ms) and at_ms >= 0 else None
        if pts is None or pts == self._last_pts:
            return None
        self._last_pts = pts
        return pts

    def _frame(self, device: Capture, picture: NDArray[np.uint8]) -> Frame:
        luma, chroma, pixel_format = planes_of(picture)
        return Frame(
            stream=0,
            epoch=0,
            pts=self._stamp(device),
            luma=luma,
            planes=chroma,
            width_px=luma.shape[1],
            height_px=luma.shape[0],
            pixel_format=pixel_format,
            bit_depth=8,
            full_range=False,
            interlaced=False,
            key=True,
            corrupt=False,
            t_arrival_ns=time.monotonic_ns(),
            bgr=partial(small, picture),
        )

    def close(self) -> None:
        """Let the device go; safe to call twice."""
        device, self._device = self._device, None
        self._first = None
        if device is not None:
            device.release()
