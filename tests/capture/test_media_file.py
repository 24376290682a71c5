"""A media file gives every packet, every sample and every picture, and says what is missing."""

import random
import struct
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from capture.planes import luma_and_chroma
from capture.source import Block, Ended, Frame, Item, Lost, OpenFailed, Packet, StreamInfo
from capture.sources.media_file import MediaFile, MediaFileOptions
from tests.rigs.clips import Clips

ITEMS_LIMIT = 5_000


def read_all(path: Path, **options: bool) -> tuple[tuple[StreamInfo, ...], list[Item]]:
    file = MediaFile(MediaFileOptions(path=str(path), **options))
    infos = file.open()
    items: list[Item] = []
    try:
        while len(items) < ITEMS_LIMIT:
            item = file.read(1.0)
            assert item is not None
            items.append(item)
            if isinstance(item, Ended):
                break
    finally:
        file.close()
    return infos, items


def samples_of(items: list[Item]) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    return np.concatenate([item.samples for item in items if isinstance(item, Block)])


def wav(
    path: Path,
    data: bytes,
    *,
    channels: int = 2,
    bits: int = 24,
    declared: int | None = None,
    tag: bytes = b"RIFF",
    before: bytes = b"",
) -> Path:
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", 1, channels, 48_000, 48_000 * frame, frame, bits)
    size = len(data) if declared is None else declared
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", 16) + fmt
    body += b"data" + struct.pack("<I", size) + data
    path.write_bytes(tag + struct.pack("<I", min(len(body) + size, 0xFFFFFFFF)) + body)
    return path


def noise(
    frames: int, channels: int = 2
) -> tuple[bytes, np.ndarray[tuple[int, ...], np.dtype[np.int32]]]:
    values = np.random.default_rng(1).integers(-(1 << 23), 1 << 23, (frames, channels), np.int32)
    raw = (values << 8).astype("<i4").view(np.uint8).reshape(frames, channels, 4)[:, :, 1:]
    return raw.tobytes(), values << 8


def test_a_24_bit_wav_comes_out_bit_for_bit_and_left_justified(tmp_path: Path) -> None:
    data, expected = noise(10_000)
    infos, items = read_all(wav(tmp_path / "a.wav", data))
    assert infos[0].bit_depth == 24
    assert (infos[0].sample_rate_hz, infos[0].channels) == (48_000, 2)
    assert infos[0].time_base == Fraction(1, 48_000)
    np.testing.assert_array_equal(samples_of(items), expected)


def test_blocks_follow_one_another_to_the_sample(clips: Clips) -> None:
    for suffix in (".mp4", ".mkv", ".ts"):
        _, items = read_all(clips.both(suffix))
        blocks = [item for item in items if isinstance(item, Block)]
        for one, two in pairwise(blocks):
            assert two.start == one.start + len(one.samples)


@pytest.mark.parametrize(
    ("codec", "dtype", "depth"),
    [
        ("pcm_u8", np.int16, 8),
        ("pcm_s16le", np.int16, 16),
        ("pcm_s32le", np.int32, 32),
        ("pcm_f32le", np.float32, 32),
        ("pcm_f64le", np.float32, 64),
    ],
)
def test_every_sample_format_gives_a_sine_of_the_same_level(
    clips: Clips, codec: str, dtype: type, depth: int
) -> None:
    infos, items = read_all(clips.sound(codec=("-c:a", codec)))
    samples = samples_of(items)
    full_scale = 1.0 if dtype is np.float32 else float(np.iinfo(dtype).max) + 1
    assert samples.dtype == dtype
    assert samples.flags.c_contiguous
    assert infos[0].bit_depth == depth
    assert np.abs(samples).max() / full_scale == pytest.approx(1 / 8, abs=0.005)


def test_lossless_depth_is_the_coded_one_and_lossy_sound_has_none(clips: Clips) -> None:
    coded = (("flac", "s32", 24), ("flac", "s16", 16), ("alac", "s32p", 24), ("aac", "fltp", None))
    for codec, sample_format, depth in coded:
        made = clips.sound(".mkv", codec=("-c:a", codec, "-sample_fmt", sample_format))
        assert read_all(made)[0][0].bit_depth == depth


def test_every_picture_and_packet_of_a_file_arrives(clips: Clips) -> None:
    infos, items = read_all(clips.both())
    video, audio = infos
    assert (video.kind, video.codec, video.width_px, video.height_px) == ("video", "h264", 320, 180)
    assert (video.frame_rate, video.scan, audio.codec) == (Fraction(25), "progressive", "aac")
    frames = [item for item in items if isinstance(item, Frame)]
    assert len(frames) == 50
    assert [frame.pts for frame in frames] == [
        n * frames[1].pts for n in range(50) if frames[1].pts
    ]
    assert sum(isinstance(item, Packet) and item.stream == 0 for item in items) == 50
    assert frames[0].luma.shape == (180, 320)
    assert frames[0].key
    assert items[-1] == Ended(reason="end of file", t_arrival_ns=items[-1].t_arrival_ns)


@pytest.mark.parametrize(
    ("pixel_format", "codec", "bits"),
    [
        ("yuv420p", "rawvideo", 8),
        ("nv12", "rawvideo", 8),
        ("yuyv422", "rawvideo", 8),
        ("uyvy422", "rawvideo", 8),
        ("yuv422p10le", "rawvideo", 10),
        ("gray", "rawvideo", 8),
        ("rgb24", "rawvideo", 8),
    ],
)
def test_luma_codes_are_the_same_in_every_pixel_format(
    clips: Clips, pixel_format: str, codec: str, bits: int
) -> None:
    # 0x80 grey is code 126 in limited range, and 128 where grey is stored as full range
    made = clips.picture(
        ".nut",
        source="color=c=0x808080",
        frames=2,
        codec=("-c:v", codec, "-pix_fmt", pixel_format),
    )
    frame = next(item for item in read_all(made)[1] if isinstance(item, Frame))
    assert (frame.pixel_format, frame.bit_depth) == (pixel_format, bits)
    assert frame.luma.mean() / (1 << (bits - 8)) == pytest.approx(126, abs=2)


def test_codes_in_the_high_bits_are_moved_to_the_low_ones() -> None:
    plain = av.VideoFrame(64, 32, "yuv420p10le")
    for plane, code in zip(plain.planes, (940, 400, 600), strict=True):
        plane.update(np.full(plane.buffer_size // 2, code, np.uint16).tobytes())
    luma, (cb, cr), bits, converted = luma_and_chroma(plain.reformat(format="p010le"))
    assert (bits, converted) == (10, False)
    assert [set(np.unique(x)) for x in (luma, cb, cr)] == [{940}, {400}, {600}]
    assert (luma.shape, cb.shape) == ((32, 64), (16, 32))


def test_a_still_is_small_and_keeps_the_pictures_shape(clips: Clips) -> None:
    frame = next(item for item in read_all(clips.both())[1] if isinstance(item, Frame))
    assert frame.bgr(160).shape == (90, 160, 3)


def test_a_wav_cut_short_says_by_how_much(tmp_path: Path) -> None:
    data, expected = noise(48_000)
    path = wav(tmp_path / "cut.wav", data[: 24_000 * 6], declared=len(data))
    _, items = read_all(path)
    assert isinstance(items[-1], Ended)
    assert items[-1].short_by_s == pytest.approx(0.5)
    assert not any(isinstance(item, Lost) for item in items)  # what is missing is told once
    np.testing.assert_array_equal(samples_of(items), expected[:24_000])


def test_an_rf64_cut_short_is_measured_against_its_ds64_chunk(tmp_path: Path) -> None:
    data, _ = noise(48_000)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, len(data) + 72, len(data), 48_000, 0)
    path = wav(
        tmp_path / "cut.wav",
        data[: 12_000 * 6],
        declared=0xFFFFFFFF,
        tag=b"RF64",
        before=ds64,
    )
    ended = read_all(path)[1][-1]
    assert isinstance(ended, Ended)
    assert ended.short_by_s == pytest.approx(0.75)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_other_containers_cut_short_say_so_within_a_packet(
    clips: Clips, suffix: str, tmp_path: Path
) -> None:
    whole = clips.both(suffix, output=("-movflags", "+faststart") if suffix == ".mp4" else ())
    complete = read_all(whole)[1][-1]
    assert isinstance(complete, Ended)
    assert complete.short_by_s == 0
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    ended = read_all(cut)[1][-1]
    assert isinstance(ended, Ended)
    assert 0.3 < ended.short_by_s < 1.5


def test_a_header_that_was_never_finished_is_not_short(tmp_path: Path) -> None:
    data, expected = noise(1_000)
    _, items = read_all(wav(tmp_path / "open.wav", data, declared=0xFFFFFFFF))
    assert isinstance(items[-1], Ended)
    assert items[-1].short_by_s == 0
    np.testing.assert_array_equal(samples_of(items), expected)


def test_ixml_track_names_become_channel_names(tmp_path: Path) -> None:
    tracks = "".join(
        f"<TRACK><INTERLEAVE_INDEX>{n}</INTERLEAVE_INDEX><NAME>{name}</NAME></TRACK>"
        for n, name in ((1, "Boom &amp; Co"), (2, "Lav 1"))
    )
    text = f"<BWFXML><TRACK_LIST>{tracks}</TRACK_LIST></BWFXML>".encode()
    text += b" " * (len(text) % 2)
    chunk = b"iXML" + struct.pack("<I", len(text)) + text
    infos, _ = read_all(wav(tmp_path / "a.wav", noise(100)[0], before=chunk))
    assert infos[0].channel_names == ("Boom & Co", "Lav 1")


def test_damaged_packets_are_lost_and_decoding_goes_on(clips: Clips, tmp_path: Path) -> None:
    whole = bytearray(clips.both(".ts").read_bytes())
    packets = len(whole) // 188
    del whole[188 * (packets // 2) : 188 * (packets // 2 + 12)]
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(whole)
    _, items = read_all(damaged)
    last = [item for item in items if isinstance(item, Frame)][-1]
    assert any(isinstance(item, Lost) and item.unit == "packets" for item in items)
    assert any(isinstance(item, Packet) and item.corrupt for item in items)
    assert last.pts is not None
    assert not last.corrupt


def test_random_bytes_are_never_media(tmp_path: Path) -> None:
    suffixes = (".wav", ".mp3", ".mp4", ".g722", ".raw", ".aac", ".flac", ".txt", "")
    for seed in range(60):
        rng = random.Random(seed)
        path = tmp_path / f"random{rng.choice(suffixes)}"
        path.write_bytes(rng.randbytes(rng.choice((1, 100, 5_000, 60_000))))
        with pytest.raises(OpenFailed, match="not media") as caught:
            MediaFile(MediaFileOptions(path=str(path))).open()
        assert "\n" not in str(caught.value)


def test_what_is_no_file_is_named_in_one_clear_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    for path, words in (
        (empty, "is empty"),
        (tmp_path, "is a folder"),
        (tmp_path / "x", "no such"),
    ):
        with pytest.raises(OpenFailed, match=words):
            MediaFile(MediaFileOptions(path=str(path))).open()


def test_a_playlist_opens_no_other_file(clips: Clips, tmp_path: Path) -> None:
    other = clips.both(".ts")
    lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{other}\n#EXT-X-ENDLIST\n"
    for name, text in (
        ("a.m3u8", lines),
        ("a.ffconcat", f"ffconcat version 1.0\nfile '{other}'\n"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(OpenFailed):
            MediaFile(MediaFileOptions(path=str(tmp_path / name))).open()


def test_real_time_takes_as_long_as_the_media(clips: Clips) -> None:
    began = time.monotonic()
    read_all(clips.sound(duration_s=0.5), real_time=True)
    assert 0.35 < time.monotonic() - began < 2.0


def test_a_loop_goes_on_without_a_gap(clips: Clips) -> None:
    file = MediaFile(MediaFileOptions(path=str(clips.both()), loop=True))
    file.open()
    items = [file.read(1.0) for _ in range(1_000)]
    file.close()
    blocks = [item for item in items if isinstance(item, Block)]
    stamps = [item.pts for item in items if isinstance(item, Frame) and item.pts is not None]
    assert not any(isinstance(item, Lost | Ended) for item in items)
    assert len(stamps) > 150
    assert len({two - one for one, two in pairwise(stamps)}) == 1
    assert blocks[-1].start > 6 * 48_000


def test_progress_goes_from_nothing_to_all(clips: Clips) -> None:
    file = MediaFile(MediaFileOptions(path=str(clips.both())))
    assert file.progress == 0
    file.open()
    seen = [0.0]
    while not isinstance(file.read(1.0), Ended):
        seen.append(file.progress)
    assert seen == sorted(seen)
    assert file.progress == 1
    file.close()


@pytest.mark.parametrize("rate_hz", [1, 7, 3_362, 2**31 - 1])
def test_a_sample_rate_nobody_records_at_is_refused_in_words(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "odd.wav"
    header = struct.pack("<HHIIHH", 1, 1, rate_hz, (2 * rate_hz) % 2**32, 2, 16)
    data = bytes(range(256)) * 16
    path.write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + header
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip
    source = MediaFile(MediaFileOptions(path=str(path)))
    with pytest.raises(OpenFailed, match=f"claims {rate_hz} samples a second"):
        source.open()
