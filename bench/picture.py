"""Picture kernels: CPU milliseconds a 1080p picture, against decoding it and FFmpeg's filters.

``python -m bench.picture`` makes a 1080p50 clip of 12 Mb/s, decodes it in one thread and times
every picture kernel apart, FFmpeg's filters of the same purpose and four more in the same process,
and what a packet costs where nothing is decoded. CPU time of the thread that does it, the least of
``ROUNDS``: other work on the machine makes figures larger, so ratios within one run are what
counts.
"""

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import av
from av.filter import Graph

import monitor.measure  # noqa: F401  (fills the registry)
from capture.demux import Demuxer
from capture.source import Ended, Frame
from capture.sources.media_file import MediaFile, MediaFileOptions
from monitor.measure.measurement import MEASUREMENTS, Setup
from monitor.measure.picture.still import still_jpeg
from monitor.measure.picture.viewer import VIEWERS
from monitor.measure.pipeline import Pipeline
from tests.rigs.clips import Clips

FRAMES = 100
ROUNDS = 4
RATE = 50
PACKETS = 2_000
DRAINED_PACKETS = 12  # a reading four times a second
BY_PACKETS = ("bit_rate", "frame_rate", "frames", "key_frames", "picture_format", "punctuality")
SAME_PURPOSE = ("blackdetect", "freezedetect")
FIVE = ("blackdetect", "freezedetect", "signalstats", "blockdetect", "blurdetect")


def clip(folder: Path) -> Path:
    """Return a moving, noisy 1080p50 clip of 12 Mb/s."""
    return Clips(folder).picture(
        size="1920x1080",
        rate="50",
        frames=FRAMES,
        filters="noise=alls=6:allf=t",
        codec=("-c:v", "libx264", "-preset", "veryfast", "-b:v", "12M", "-pix_fmt", "yuv420p"),
    )


def kernels_ms(path: Path) -> dict[str, float]:
    """Return CPU milliseconds a picture: of reading and decoding, of each kernel, of a still.

    Viewers share a view: each alone costs more than its part of ``viewing``, which is all of them.
    """
    file = MediaFile(MediaFileOptions(path=str(path)))
    info = next(stream for stream in file.open() if stream.kind == "video")
    kinds = [kind for kind in MEASUREMENTS.values() if kind.suits(info)]
    made = {kind.name: kind.make(Setup(stream=info)) for kind in kinds}
    for name in VIEWERS:
        alone = Setup(stream=info, only=frozenset([name]))
        made[f"{name} alone"] = MEASUREMENTS["viewing"].make(alone)
    spent = dict.fromkeys(("decode", *made, "a still"), 0)
    while True:
        began = time.thread_time_ns()
        item = file.read(1.0)
        spent["decode"] += time.thread_time_ns() - began
        if item is None or isinstance(item, Ended):
            break
        for name, measurement in made.items():
            began = time.thread_time_ns()
            measurement.feed(item)
            spent[name] += time.thread_time_ns() - began
        if isinstance(item, Frame):
            began = time.thread_time_ns()
            still_jpeg(item)
            spent["a still"] += time.thread_time_ns() - began
    file.close()
    return {name: ns / 1e6 / FRAMES for name, ns in spent.items()}


def packets_ms(path: Path) -> dict[str, float]:
    """Return CPU milliseconds a packet where nothing is decoded: live, drained four times a second.

    Reading is FFmpeg's; all else is what conformance by packets costs.
    """
    with av.open(str(path)) as container:
        demuxer = Demuxer(container, time.monotonic_ns)
        (info,) = demuxer.infos()
        pipeline = Pipeline("bench", (info,), live=True, only=BY_PACKETS)
        decoder = demuxer.decoders[info.index]
        spent = dict.fromkeys(("reading", "items and measuring"), 0)
        count = 0
        while True:
            began = time.thread_time_ns()
            packet = demuxer.next_packet()
            read = time.thread_time_ns()
            spent["reading"] += read - began
            if packet is None or packet.size == 0:
                break
            arrival_ns = count * 1_000_000_000 // RATE
            pipeline.feed(decoder.packet(packet, False, arrival_ns))
            pipeline.events()
            count += 1
            if count % DRAINED_PACKETS == 0:
                pipeline.readings(arrival_ns)
            spent["items and measuring"] += time.thread_time_ns() - read
    return {name: ns / 1e6 / count for name, ns in spent.items()}


def filters_ms(path: Path, names: tuple[str, ...]) -> float:
    """Return CPU milliseconds a picture that FFmpeg's filters take, decoding left out."""
    container = av.open(str(path))
    stream = container.streams.video[0]
    graph = Graph()
    graph.threads = 1
    chain = [graph.add_buffer(template=stream), *(graph.add(name) for name in names)]
    chain.append(graph.add("buffersink"))
    for one, two in pairwise(chain):
        one.link_to(two)
    graph.configure()
    spent = 0
    for frame in container.decode(stream):
        began = time.thread_time_ns()
        graph.push(frame)
        graph.pull()
        spent += time.thread_time_ns() - began
    container.close()
    return spent / 1e6 / FRAMES


def main() -> None:
    """Print the table of docs/performance.md: of every figure the least of ``ROUNDS``."""
    with tempfile.TemporaryDirectory() as folder:
        path = clip(Path(folder))
        runs = [kernels_ms(path) for _ in range(ROUNDS)]
        least = {name: min(run[name] for run in runs) for name in runs[0]}
        kernels = sum(ms for name, ms in least.items() if name in MEASUREMENTS)
        rows = [*least.items(), ("all kernels", kernels)]
        small = Clips(Path(folder)).picture(rate=str(RATE), frames=PACKETS)
        by_packets = [packets_ms(small) for _ in range(ROUNDS)]
        for names in (SAME_PURPOSE, FIVE):
            peer = min(filters_ms(path, names) for _ in range(ROUNDS))
            rows.append((f"FFmpeg: {', '.join(names)}", peer))
    print("| 1080p picture | CPU ms | of decoding |\n|---|---|---|")
    for name, cost in rows:
        print(f"| {name} | {cost:.2f} | {cost / least['decode']:.2f} |")
    print("\n| packet, nothing decoded | CPU ms |\n|---|---|")
    for name in by_packets[0]:
        print(f"| {name} | {min(run[name] for run in by_packets):.4f} |")


if __name__ == "__main__":
    main()
