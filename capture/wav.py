"""What a WAV header says: how much sound there should be, and the tracks' names. Read-only.

RIFF, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088). FFmpeg reads what is there and does not say
that a file was cut short, so the declared size is read here.
"""

import html
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNKS_LIMIT = 1_000  # a file has a dozen; more is garbage
TEXT_LIMIT_BYTES = 1 << 20  # iXML and bext are some kilobytes
PCM_FORMATS = {1, 3, 0xFFFE}  # integers, float, and either with a channel mask
UNKNOWN_32 = 0xFFFFFFFF  # the true size is in ds64

_TRACK = re.compile(r"<TRACK>(.*?)</TRACK>", re.DOTALL | re.IGNORECASE)
_BEXT_TRACK = re.compile(r"^[sd]TRK(\d+)=(.*?)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WavHeader:
    """Sizes in bytes. ``declared`` is None where the writer never finished the header.

    ``is_pcm``: samples as they are, integers or float.
    """

    declared: int | None
    present: int
    bytes_per_second: int
    is_pcm: bool = True
    track_names: tuple[str, ...] = ()

    @property
    def length_s(self) -> float:
        """Seconds of sound the file holds."""
        return self.present / self.bytes_per_second if self.bytes_per_second else 0.0

    @property
    def short_by_s(self) -> float:
        """Seconds of sound the header declares and the file does not hold."""
        if self.declared is None or not self.bytes_per_second:
            return 0.0
        return max(0, self.declared - self.present) / self.bytes_per_second


def _field(name: str, text: str) -> str | None:
    found = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL | re.IGNORECASE)
    return html.unescape(found.group(1)).strip() if found else None


def _position(track: str) -> int | None:
    number = _field("INTERLEAVE_INDEX", track) or _field("CHANNEL_INDEX", track) or ""
    return int(number) if number.isdigit() and 0 < int(number) <= 256 else None


def ixml_track_names(text: str) -> dict[int, str]:
    """Return names by channel from 1. iXML has no schema: every field may be missing."""
    tracks = ((_position(track), _field("NAME", track)) for track in _TRACK.findall(text))
    return {position: name for position, name in tracks if position and name}


def bext_track_names(text: str) -> dict[int, str]:
    """Return names by channel from 1 out of a bext description's ``sTRK1=Boom`` lines."""
    pairs = ((int(number), name.strip()) for number, name in _BEXT_TRACK.findall(text))
    return {number: name for number, name in pairs if name and 0 < number <= 256}


def _text(file: BinaryIO, size: int) -> str:
    return file.read(min(size, TEXT_LIMIT_BYTES)).decode("utf-8", errors="replace")


def read_wav_header(path: Path) -> WavHeader | None:
    """Return what the header says, or None when the file is no WAV with a data chunk."""
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
            return None
        return _walk(file, length)


def _walk(file: BinaryIO, length: int) -> WavHeader | None:
    form, rate, channels, large = 0, 0, 0, 0
    declared: int | None = None
    present: int | None = None
    names: dict[int, str] = {}
    for _ in range(CHUNKS_LIMIT):
        head = file.read(8)
        if len(head) < 8:
            break
        tag, size = head[:4], int(struct.unpack("<I", head[4:])[0])
        begin = file.tell()
        if tag == b"ds64":
            large = int(struct.unpack("<Q", file.read(24)[8:16].ljust(8, b"\0"))[0])
        elif tag == b"fmt ":
            form, channels, _, rate = struct.unpack("<HHII", file.read(12).ljust(12, b"\0"))
        elif tag == b"iXML":
            names |= ixml_track_names(_text(file, size))
        elif tag == b"bext":
            names = bext_track_names(_text(file, min(size, 256))) | names
        elif tag == b"data":
            declared, present = _data_size(size, large, length - begin)
            size = declared if declared is not None else length - begin
        if begin + size + size % 2 >= length:
            break
        file.seek(begin + size + size % 2)
    if present is None:
        return None
    ordered = tuple(names.get(n, "") for n in range(1, channels + 1)) if names else ()
    return WavHeader(
        declared=declared,
        present=present,
        bytes_per_second=rate,
        is_pcm=form in PCM_FORMATS,
        track_names=ordered,
    )


def _data_size(size: int, large: int, there: int) -> tuple[int | None, int]:
    """Return what a data chunk declares (None: never filled in) and what is there of it."""
    if size == UNKNOWN_32 or (large and size == 0):
        return (large, min(large, there)) if large else (None, there)
    if size == 0 and there > 0:
        return None, there
    return size, min(size, there)
