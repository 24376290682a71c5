"""A small plot as SVG: bands over a common axis, one colour a meter, labels instead of a legend."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 880, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 46, 52
COLOURS = ("#0b7a3b", "#1f5fbf", "#b3541e", "#7a3fa0")
GAP = 34  # px between two labels of two lines, at least


class Axes:
    """Map data to pixels."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self._x, self._y = x, y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return a point's pixels; what is outside the axes is put on their edge."""
        (x0, x1), (y0, y1) = self._x, self._y
        across = (min(max(x, x0), x1) - x0) / (x1 - x0)
        up = (min(max(y, y0), y1) - y0) / (y1 - y0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (
            HEIGHT - TOP - BOTTOM
        )


def _points(axes: Axes, rows: NDArray[np.float64]) -> str:
    return " ".join("{:.1f},{:.1f}".format(*axes.at(float(x), float(y))) for x, y in rows)


def _band(axes: Axes, rows: NDArray[np.float64], colour: str) -> str:
    """Draw what lies between the lowest and the highest error, with both edges."""
    low, high = rows[:, [0, 1]], rows[:, [0, 2]]
    around = _points(axes, np.concatenate([low, high[::-1]]))
    edges = "".join(
        f'<polyline points="{_points(axes, edge)}" fill="none" stroke="{colour}" '
        'stroke-width="1.6" stroke-linejoin="round"/>'
        for edge in (low, high)
    )
    return f'<polygon points="{around}" fill="{colour}" fill-opacity="0.16"/>{edges}'


def _text(x: float, y: float, words: str, *, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def _grid(axes: Axes, xs: Sequence[float], ys: Sequence[float]) -> str:
    parts = []
    for y in ys:
        (x0, at), (x1, _) = axes.at(-1e9, y), axes.at(1e9, y)
        weight = 1.2 if y == 0 else 0.6
        parts.append(
            f'<line x1="{x0}" x2="{x1}" y1="{at:.1f}" y2="{at:.1f}" stroke="#889" '
            f'stroke-width="{weight}"/>'
        )
        label = f"{y:+.1f}".replace("-", "−") if y else "0"
        parts.append(_text(x0 - 8, at + 4, label, anchor="end"))
    for x in xs:
        at_x, at_y = axes.at(x, -1e9)
        parts.append(_text(at_x, at_y + 20, f"{x:g}", anchor="middle"))
    return "".join(parts)


def spread(positions: Sequence[float]) -> list[float]:
    """Return label positions moved apart to at least GAP, in the order given by position."""
    order = np.argsort(positions)
    out = list(positions)
    last = -np.inf
    for index in order:
        out[index] = last = max(out[index], last + GAP)
    return out


def bands(
    title: str,
    curves: Mapping[str, NDArray[np.float64]],
    *,
    x_says: str,
    y_says: str,
    aim_db: float,
    limits_db: tuple[float, float],
) -> str:
    """Return an SVG of bands (rows of x, low, high), worst first so that the best lies on top."""
    axes = Axes((0.0, 0.45), limits_db)
    low, high = limits_db
    ticks = [round(v, 1) for v in np.arange(np.ceil(low * 10) / 10, high + 0.01, 0.1)]
    x0, y0 = axes.at(-1e9, aim_db)
    x1, y1 = axes.at(1e9, -aim_db)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#223">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(LEFT, 24, title, more='font-size="15" font-weight="bold"'),
        f'<rect x="{x0}" y="{y0:.1f}" width="{x1 - x0}" height="{y1 - y0:.1f}" fill="#dfe6df"/>',
        _grid(axes, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45], ticks),
    ]
    colours = dict(zip(curves, COLOURS, strict=False))
    parts += [_band(axes, curves[name], colours[name]) for name in reversed(list(curves))]
    ends = [float(rows[-1, 1:].mean()) for rows in curves.values()]
    middles = [axes.at(0.45, end)[1] for end in ends]
    for name, at, rows in zip(curves, spread(middles), curves.values(), strict=True):
        worst = f"{rows[:, 1].min():+.2f} / {rows[:, 2].max():+.2f} dB".replace("-", "−")
        bold = f'fill="{colours[name]}" font-weight="bold"'
        parts.append(_text(WIDTH - RIGHT + 10, at, name, more=bold))
        parts.append(_text(WIDTH - RIGHT + 10, at + 14, worst, more=f'fill="{colours[name]}"'))
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 12, x_says, anchor="middle"))
    turned = f'transform="rotate(-90 16 {HEIGHT / 2})"'
    parts.append(_text(16, HEIGHT / 2, y_says, anchor="middle", more=turned))
    return "".join([*parts, "</svg>\n"])
