"""How the meters' cost grows with channels, rate and hop: ``python -m bench.audio_growth``.

CPU nanoseconds a channel-sample of the meters alone on white noise, drained after every hop; the
least of the rounds, interleaved. ``--plot`` writes the table of channels and hops as a picture.
"""

import argparse
from itertools import product
from math import log2
from pathlib import Path

from bench.audio import meters, noise, spent

CHANNELS = (1, 2, 8, 32, 64, 128)
HOPS_S = (0.001, 0.01, 0.04, 0.1, 1.0)
RATES_HZ = (44100, 48000, 96000, 192000)
SAMPLES = 1 << 18  # of all channels together: as long a run for each
HOPS_LIMIT = 60  # and no more hops than say enough
ROUNDS = 5
COLOURS = ("#7a3e9d", "#b3541e", "#0b6e4f", "#1f5fbf", "#444444")


def frames_of(channels: int, hop: int) -> int:
    """Return how many frames to run: whole hops, at least three."""
    return hop * max(3, min(HOPS_LIMIT, SAMPLES // (channels * hop)))


def costs_ns(cases: list[tuple[int, int, float]]) -> dict[tuple[int, int, float], float]:
    """Return ns a channel-sample of each (channels, rate, hop in seconds)."""
    works, sizes = {}, {}
    for channels, rate, hop_s in cases:
        hop = round(hop_s * rate)
        samples = noise(frames_of(channels, hop), channels)
        name = f"{channels} {rate} {hop_s}"
        works[name], sizes[name] = meters(samples, hop, rate), samples.size
    least = {name: one.least_s / sizes[name] for name, one in spent(works, ROUNDS).items()}
    return {case: least[f"{case[0]} {case[1]} {case[2]}"] * 1e9 for case in cases}


def plot(costs: dict[tuple[int, int, float], float]) -> str:
    """Return the picture: a line a hop, channels across, ns up, both as powers of two."""
    left, top, step, octave = 60, 40, 84, 32
    bottom = top + 11 * octave  # 1 to 2048 ns

    def at(column: int, cost: float) -> tuple[float, float]:
        return left + column * step, bottom - octave * log2(cost)

    lines = []
    for power in range(0, 12, 1):
        line = bottom - octave * power
        lines.append(f'<path d="M{left} {line}h{5 * step}" stroke="#ddd"/>')
        lines.append(f'<text x="{left - 8}" y="{line + 4}" text-anchor="end">{2**power}</text>')
    for column, channels in enumerate(CHANNELS):
        across = left + column * step
        lines.append(f'<text x="{across}" y="{bottom + 18}" text-anchor="middle">{channels}</text>')
    for colour, hop_s in zip(COLOURS, HOPS_S, strict=True):
        points = [at(n, costs[c, 48000, hop_s]) for n, c in enumerate(CHANNELS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[0]  # where the lines lie far apart
        name = f"{hop_s * 1000:g} ms"
        lines.append(f'<text x="{x + 8}" y="{y - 6:.1f}" fill="{colour}">{name}</text>')
    lines.append(f'<text x="{left}" y="{bottom + 38}">channels, by length of hop')
    lines.append("(up: CPU ns a channel-sample)</text>")
    body = "\n".join(lines)
    size = f'width="{left + 5 * step + 80}" height="{bottom + 50}"'
    style = 'font-family="sans-serif" font-size="12"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    """Print the tables, and write the picture where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="where to write the picture (SVG)")
    wanted = parser.parse_args()
    by_hop = costs_ns([(c, 48000, hop_s) for c, hop_s in product(CHANNELS, HOPS_S)])
    print("| channels at 48 kHz | " + " | ".join(f"{h * 1000:g} ms" for h in HOPS_S) + " |")
    print("|---|" + "---|" * len(HOPS_S))
    for channels in CHANNELS:
        row = [f"{by_hop[channels, 48000, hop_s]:.1f}" for hop_s in HOPS_S]
        print(f"| {channels} | " + " | ".join(row) + " |")
    by_rate = costs_ns([(c, rate, 0.1) for c, rate in product((2, 32), RATES_HZ)])
    rates = " | ".join(f"{rate / 1000:g} kHz" for rate in RATES_HZ)
    print(f"\n| channels, hops of 100 ms | {rates} |")
    print("|---|" + "---|" * len(RATES_HZ))
    for channels in (2, 32):
        row = [f"{by_rate[channels, rate, 0.1]:.1f}" for rate in RATES_HZ]
        print(f"| {channels} | " + " | ".join(row) + " |")
    if wanted.plot is not None:
        wanted.plot.write_text(plot(by_hop))


if __name__ == "__main__":
    main()
