"""A file whose pictures several threads decode gives the items of one, or says it is damaged."""

import random
from pathlib import Path
from zlib import crc32

import pytest

from capture.source import Block, Ended, Frame, Item, Lost, NeedsOneThread, Packet
from capture.sources.media_file import MediaFile, MediaFileOptions
from tests.rigs.clips import Clips

B_PICTURES = ("-c:v", "libx264", "-preset", "medium", "-bf", "3", "-g", "25")
OPEN_GOPS = (*B_PICTURES, "-x264-params", "open-gop=1:slices=4:log=-1")
FIELDS = (*B_PICTURES, "-flags", "+ildct+ilme")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:open-gop=1")


def clip(clips: Clips, suffix: str, *coder: str, seconds: int = 2) -> Path:
    """Return noisy pictures with sound."""
    picture = ("-f", "lavfi", "-i", "testsrc2=size=160x96:rate=25,noise=alls=8:allf=t")
    sound = ("-f", "lavfi", "-i", "sine=sample_rate=48000")
    return clips.make(suffix, *picture, *sound, "-t", str(seconds), *coder, "-c:a", "aac")


def told(path: Path, threads: int) -> list[object]:
    """Return all items of a file in their order, pictures by their checksum."""
    file = MediaFile(MediaFileOptions(path=str(path)), threads)
    file.open()
    seen: list[object] = []
    try:
        while True:
            item = file.read(1.0)
            assert item is not None
            seen.append(one(item))
            if isinstance(item, Ended):
                return seen
    finally:
        file.close()


def one(item: Item) -> object:
    """Return what of an item does not depend on when it was read."""
    if isinstance(item, Packet):
        return item.stream, item.pts, item.dts, item.size_bytes, item.key, item.corrupt
    if isinstance(item, Frame):
        sums = [crc32(plane.tobytes()) for plane in (item.luma, *item.planes)]
        return item.stream, item.pts, item.key, item.corrupt, item.interlaced, item.coding, *sums
    if isinstance(item, Block):
        return item.stream, item.start, len(item.samples), crc32(item.samples.tobytes())
    if isinstance(item, Lost):
        return item.stream, item.start, item.amount, item.reason
    return type(item)


@pytest.mark.parametrize(
    ("suffix", "coder"),
    [
        (".mp4", B_PICTURES),
        (".mp4", FIELDS),
        (".ts", OPEN_GOPS),
        (".mkv", HEVC),
        (".mov", ("-c:v", "prores_ks")),
        (".mp4", ("-c:v", "mpeg4", "-bf", "2", "-g", "25")),
        (".mkv", ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime")),
        (".ts", ("-c:v", "mpeg2video", "-bf", "2")),
        (".mp4", (*B_PICTURES, "-vf", "select='mod(n,7)*mod(n,5)'", "-fps_mode", "vfr")),
    ],
    ids=["h264", "fields", "open-gops", "hevc", "prores", "mpeg4", "vp9", "mpeg2", "vfr"],
)
def test_threads_give_the_items_of_one_in_their_order(
    clips: Clips, suffix: str, coder: tuple[str, ...]
) -> None:
    path = clip(clips, suffix, *coder)
    alone = told(path, 1)
    assert sum(isinstance(item, tuple) and len(item) > 6 for item in alone) >= 30  # pictures
    for threads in (2, 3):
        assert told(path, threads) == alone


def test_a_file_of_a_few_pictures_is_for_one_thread(clips: Clips) -> None:
    with pytest.raises(NeedsOneThread, match="too short"):
        told(clips.picture(frames=2, codec=B_PICTURES), 3)


def test_no_damage_that_one_thread_tells_is_passed_over_by_several(
    clips: Clips, tmp_path: Path
) -> None:
    """A packet of a transport stream, or a byte of a picture, is lost in 12 places each."""
    for suffix in (".ts", ".mp4"):
        noise = "noise=alls=8:allf=t"
        whole = clips.picture(suffix, size="160x96", filters=noise, codec=B_PICTURES).read_bytes()
        path = tmp_path / f"damaged{suffix}"
        noticed = 0
        for seed in range(12):
            path.write_bytes(damaged(whole, seed, by_packets=suffix == ".ts"))
            alone = told(path, 1)
            try:
                assert told(path, 3) == alone
            except NeedsOneThread:
                noticed += 1
        assert noticed >= 8


def damaged(whole: bytes, seed: int, *, by_packets: bool) -> bytes:
    """Return a file in the middle of which a few bytes are others, or a TS packet is missing."""
    place = random.Random(seed)
    at = place.randrange(len(whole) // 5, len(whole) * 4 // 5)
    if by_packets:
        return whole[: at - at % 188] + whole[at - at % 188 + 188 :]
    return whole[:at] + place.randbytes(32) + whole[at + 32 :]
