"""``takewatch probe``: say what an address or a file carries, declared and measured."""

import json
import re
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, TextIO

import click

from api.cli import MISUSE
from api.output import Word, put

if TYPE_CHECKING:
    from capture.source import Item, Source, StreamInfo
    from monitor.metrics import Value

FORMATS = ("text", "json")
SECONDS_DEFAULT = 2.5  # two seconds of time-stamps, which a frame rate needs, and a start
SECONDS_LIMIT = 60.0
ITEMS_LIMIT = 200_000  # a file of many small packets whose stamps do not advance
GRACE_S = 3.0  # beyond the wanted seconds, for a feed that comes in bursts
DRAIN_ITEMS = 20
OPEN_S = 10.0
ADDRESS_LIMIT = 4_096  # a line of a file; what an address may be is checked where it is used
WIDTH_COLUMNS = 100
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+:")

Row = dict[str, object]


@click.command(name="probe", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("address", metavar="ADDRESS_OR_FILE", required=False)
@click.option(
    "--format", "form", type=Word(FORMATS), default="text", show_default=True,
    metavar="FORMAT", help=f"What is written: {', '.join(FORMATS)}.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(0.5, SECONDS_LIMIT), default=SECONDS_DEFAULT,
    show_default=True, help="How much of it is measured.",
)  # fmt: skip
@click.option(
    "--transport", type=Word(("tcp", "udp")), default="tcp", show_default=True,
    metavar="TRANSPORT", help="How RTSP carries media: tcp or udp.",
)  # fmt: skip
@click.option("--listen", is_flag=True, help="Wait for an encoder that pushes to the address.")
@click.option("--sdp", metavar="FILE", help="Of rtp://: the session description.")
@click.option(
    "--address-file", metavar="FILE", type=click.File("r"),
    help="Read the address from a file, or with - ask for it: other users can read what stands "
    "on the command line, a password too.",
)  # fmt: skip
def command(
    address: str | None,
    form: str,
    seconds: float,
    transport: str,
    listen: bool,
    sdp: str | None,
    address_file: TextIO | None,
) -> None:
    """Say what an address or a file carries: its streams, as declared and as measured.

    Addresses: rtsp, rtmp, srt, udp, tcp, rtp, http and their secured kin; see docs/sources.md.
    User, password and stream keys are never shown; --address-file keeps them out of the process
    list.

    Exit status: 0 when something is there; 2 with one line when not.
    """
    from capture.source import SourceError
    from config.secrets import redact

    address = _wanted(address, address_file)
    options = {"transport": transport, "listen": listen, "open_timeout_s": OPEN_S}
    try:
        source = _source(address, options | ({"sdp": sdp} if sdp else {}))
        rows = measured(source, seconds)
    except SourceError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(MISUSE)
    shown = redact(address) if "://" in address else address
    put(_json(shown, rows) if form == "json" else _text(shown, rows), None)


def _wanted(address: str | None, file: TextIO | None) -> str:
    """Return the address from the one place it was given at; at a terminal it is asked for."""
    if (address is None) == (file is None):
        raise click.UsageError("expected one ADDRESS_OR_FILE, or --address-file FILE")
    if file is None:
        return address or ""
    if file.isatty():
        return str(click.prompt("Address", hide_input=True, err=True))
    return file.readline(ADDRESS_LIMIT).strip()


def _source(address: str, options: dict[str, object]) -> "Source":
    from pathlib import Path

    from pydantic import ValidationError

    from capture.address import check_address
    from capture.sources.media_file import MediaFile, MediaFileOptions
    from capture.sources.network_feed import NetworkFeed, NetworkFeedOptions

    try:
        if _SCHEME.match(address) and not Path(address).exists():
            check_address(address)
            return NetworkFeed(NetworkFeedOptions.model_validate({"address": address, **options}))
        return MediaFile(MediaFileOptions(path=address))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        name = str(wrong["loc"][-1])
        raise click.UsageError(f"{name}: {wrong['msg'].removeprefix('Value error, ')}") from None
    except ValueError:
        raise click.BadParameter("expected an address or a file") from None


class _Gathering:
    """Feeds what a source gives into its measurements and notes how far its media time came."""

    def __init__(self, infos: "tuple[StreamInfo, ...]") -> None:
        from monitor.measure.pipeline import Pipeline

        self.pipeline = Pipeline("probe", infos)
        self.bases = {info.index: info.time_base for info in infos}
        self.first: dict[int, int] = {}
        self.reached_s = 0.0
        self.values: dict[int, dict[str, Value]] = {}
        self.count = 0

    def take(self, item: "Item") -> None:
        from capture.source import Block, Frame, Packet

        self.pipeline.feed(item)
        self.count += 1
        if isinstance(item, Block):
            self._reach(item.stream, item.start)
        elif isinstance(item, Frame | Packet) and item.pts is not None:
            self._reach(item.stream, item.pts)
        if self.count % DRAIN_ITEMS == 0:
            self.drain()

    def _reach(self, stream: int, stamp: int) -> None:
        begin = self.first.setdefault(stream, stamp)
        self.reached_s = max(self.reached_s, float((stamp - begin) * self.bases[stream]))

    def drain(self) -> None:
        from monitor.metrics import merge_values

        for reading in self.pipeline.readings(0):
            old = self.values.get(reading.stream, {})
            self.values[reading.stream] = merge_values(old, reading.values)


def measured(
    source: "Source", seconds: float, now_s: Callable[[], float] = time.monotonic
) -> list[Row]:
    """Open the source, measure ``seconds`` of it and return one row a stream.

    A feed that breaks off while it is measured is described by what came. Raises ``OpenFailed``.
    """
    from capture.source import Ended, SourceLost

    try:
        infos = source.open()
        gathering = _Gathering(infos)
        deadline_s = now_s() + seconds + GRACE_S
        while gathering.reached_s < seconds and gathering.count < ITEMS_LIMIT:
            item = source.read(0.25)
            if item is not None:
                gathering.take(item)
            if isinstance(item, Ended) or now_s() > deadline_s:
                break
    except SourceLost:
        pass
    finally:
        source.close()
    gathering.drain()
    return [_row(info, gathering.values.get(info.index, {})) for info in infos]


def _rate(declared: Fraction | None) -> str | None:
    return None if declared is None else str(declared)


def _row(info: "StreamInfo", values: "dict[str, Value]") -> Row:
    common: Row = {"stream": info.index, "kind": info.kind, "codec": info.codec}
    bit_rate = values.get("bit_rate_1s_bps") or values.get("bit_rate_mean_bps")
    if info.kind == "audio":
        return common | {
            "sample_rate_hz": info.sample_rate_hz,
            "channels": info.channels,
            "layout": info.layout,
            "channel_names": list(info.channel_names) if info.channel_names else None,
            "bit_depth": info.bit_depth,
            "bit_rate_bps": bit_rate,
            "sample_peak_dbfs": values.get("sample_peak_dbfs"),
        }
    size = values.get("picture_size_px")
    width, height = size if isinstance(size, list) else (info.width_px, info.height_px)
    return common | {
        "width": width,
        "height": height,
        "pixel_format": values.get("pixel_format") or info.pixel_format,
        "bit_depth": info.bit_depth,
        "scan": values.get("scan") or info.scan,
        "frame_rate": {
            "declared": _rate(info.frame_rate),
            "measured": values.get("frame_rate_hz"),
            "error": values.get("frame_rate_error_hz"),
        },
        "bit_rate_bps": bit_rate,
    }


def _json(shown: str, rows: list[Row]) -> str:
    return json.dumps({"address": shown, "streams": rows}, ensure_ascii=False) + "\n"


def _bit_rate_words(value: object) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value / 1e6:.2f} Mb/s" if value >= 1e6 else f"{value / 1e3:.0f} kb/s"


def _carries(row: Row) -> str:
    if row["kind"] == "audio":
        depth = f", {row['bit_depth']} bit" if row["bit_depth"] else ""
        names = row["channel_names"]
        listed = f" ({', '.join(names)})" if isinstance(names, list) else ""
        many = "channel" if row["channels"] == 1 else "channels"
        return f"{row['channels']} {many} at {row['sample_rate_hz']} Hz{depth}{listed}"
    scan = f" {row['scan']}" if row["scan"] else ""
    return f"{row['width']}×{row['height']}{scan}, {row['pixel_format']}"


def _rate_words(row: Row) -> tuple[str, str]:
    rate = row.get("frame_rate")
    if not isinstance(rate, dict):
        return "–", "–"
    declared = Fraction(rate["declared"]) if rate["declared"] else None
    said = "–" if declared is None else f"{float(declared):.6g}"
    if rate["measured"] is None:
        return said, "–"
    return said, f"{rate['measured']:.3f} ± {rate['error']:.3f}"


def _text(shown: str, rows: list[Row]) -> str:
    """Return the table; one line says when nothing can be measured yet."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=shown, title_justify="left", title_style="bold")
    for title in ("stream", "codec", "carries", "declared fps", "measured fps", "bit rate"):
        table.add_column(title, overflow="fold")
    for row in rows:
        declared, found = _rate_words(row)
        number = int(str(row["stream"])) + 1  # counted from 1 in words
        words = f"{number} {'picture' if row['kind'] == 'video' else 'sound'}"
        rate = _bit_rate_words(row["bit_rate_bps"])
        table.add_row(words, str(row["codec"]), _carries(row), declared, found, rate)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_COLUMNS, markup=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()
