"""A capture device by OpenCV: what was asked and what came, its luma, its loss.

There is no device here; OpenCV's file backend stands behind the same calls, with real pictures.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from capture.source import DeviceMissing, Frame, OpenFailed, SourceLost
from capture.sources.camera import (
    Camera,
    CameraOptions,
    Capture,
    choose,
    find_cameras,
    listed,
    planes_of,
    small,
)
from tests.rigs.clips import Clips


def plugged(path: Path) -> Callable[[str], Capture]:
    """Return an opener that plays a file as if it were the device, until it is pulled."""
    return lambda _: cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)


def camera(path: Path, **options: object) -> Camera:
    wanted = CameraOptions.model_validate({"device": "HDMI capture", **options})
    return Camera(wanted, plugged(path))


def play(source: Camera, into: list[Frame]) -> None:
    """Take pictures until the source is lost."""
    while isinstance(item := source.read(0.1), Frame):
        into.append(item)


def frames(source: Camera) -> list[Frame]:
    taken: list[Frame] = []
    with pytest.raises(SourceLost, match="unplugged"):
        play(source, taken)
    return taken


def test_every_picture_comes_with_its_stamp_until_the_device_is_pulled(clips: Clips) -> None:
    source = camera(clips.picture(".avi", rate="25", frames=30, codec=("-c:v", "mjpeg")))
    source.open()
    taken = frames(source)
    source.close()
    assert len(taken) == 30
    stamps = [frame.pts for frame in taken if frame.pts is not None]
    assert set(np.diff(stamps)) == {3_600}


def test_what_was_asked_and_what_came_are_both_told(clips: Clips) -> None:
    source = camera(
        clips.picture(".avi", rate="25", codec=("-c:v", "mjpeg")),
        width_px=1920, height_px=1080, frame_rate=50.0, pixel_format="MJPG",
    )  # fmt: skip
    (stream,) = source.open()
    source.close()
    assert stream.asked == "1920×1080, 50 fps, MJPG"
    assert (stream.width_px, stream.height_px) == (320, 180)
    assert stream.frame_rate == Fraction(25)
    assert stream.codec == "mjpg"


def test_nothing_asked_is_nothing_told(clips: Clips) -> None:
    source = camera(clips.picture(".avi", codec=("-c:v", "mjpeg")))
    (stream,) = source.open()
    source.close()
    assert stream.asked is None


def test_a_device_that_opens_without_a_picture_is_refused(tmp_path: Path) -> None:
    source = camera(tmp_path / "nothing.avi")
    with pytest.raises(OpenFailed, match="cannot be opened"):
        source.open()
    source.close()


def test_luma_of_yuyv_is_the_devices_own_and_is_not_copied() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (18, 32, 2), np.uint8)
    luma, (u, v), name = planes_of(picture)
    assert name == "yuyv422"
    assert np.shares_memory(luma, picture)
    assert np.array_equal(luma, picture[:, :, 0])
    assert u.shape == v.shape == (18, 16)


def test_black_and_white_decoded_by_opencv_are_the_ends_of_limited_range() -> None:
    for level, code in ((0, 16), (255, 235)):
        luma, chroma, _ = planes_of(np.full((18, 32, 3), level, np.uint8))
        assert set(luma.ravel()) == {code}
        assert all(set(plane.ravel()) == {128} for plane in chroma)


@pytest.mark.parametrize("shape", [(18, 32), (18, 32, 2), (18, 32, 3), (17, 31, 3)])
def test_a_still_has_the_width_that_is_wanted_and_is_never_enlarged(shape: tuple[int, ...]) -> None:
    picture = np.zeros(shape, np.uint8)
    assert small(picture, 16).shape[1:] == (16, 3)
    assert small(picture, 480).shape[1] == shape[1]
    luma, _, _ = planes_of(picture)
    assert luma.ndim == 2


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """A folder like /sys/class/video4linux: a webcam with its metadata node, and grabbers."""
    for node, index, name in (
        ("video0", 0, "Webcam: Integrated"),
        ("video1", 1, "Webcam: Integrated"),
        ("video10", 0, "HDMI Grabber B"),
        ("video2", 0, "HDMI Grabber A"),
    ):
        folder = tmp_path / node
        folder.mkdir()
        (folder / "index").write_text(f"{index}\n")
        (folder / "name").write_text(f"{name}\n")
    (tmp_path / "video3").mkdir()  # unplugged while it is looked at
    return tmp_path


def test_every_device_is_listed_once_in_the_order_of_its_nodes(devices: Path) -> None:
    found = find_cameras(devices)
    assert [entry.name for entry in found] == [
        "Webcam: Integrated", "HDMI Grabber A", "HDMI Grabber B",
    ]  # fmt: skip
    assert CameraOptions.model_validate(found[0].options).device == "Webcam: Integrated"
    assert find_cameras(devices / "none") == []


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/dev/video10", "/dev/video10"),
        ("HDMI Grabber A", "/dev/video2"),
        ("webcam", "/dev/video0"),
    ],
)
def test_a_device_is_meant_by_its_name_a_part_of_it_or_its_path(
    wanted: str, path: str, devices: Path
) -> None:
    assert choose(wanted, listed(devices)) == path


@pytest.mark.parametrize(
    ("wanted", "words"), [("hdmi", "2 capture devices"), ("SDI", "no capture")]
)
def test_what_is_not_one_device_is_told_with_what_there_is(
    wanted: str, words: str, devices: Path
) -> None:
    with pytest.raises(DeviceMissing, match=words) as caught:
        choose(wanted, listed(devices))
    assert "HDMI Grabber A (/dev/video2)" in str(caught.value)
