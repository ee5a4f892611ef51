"""Loss curves as one small SVG: two axes, a line for each curve, a legend. Pure; all text is escaped."""

import math
from collections.abc import Sequence
from html import escape

from reconciler.app.comparing.curves import Curve, Points
from reconciler.app.surroundings.errors import NotFound

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 40, 50
MAX_POINTS = 400
"""A line with more is drawn from the means of as many stretches."""
_COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#4b5563", "#0891b2", "#b91c1c")
_LEGEND_LINE = 18
_STEPS = (1, 2, 5, 10)
_LEAST_SPAN = 1e-6
"""Of an axis, as a share of its largest number: what differs by less is drawn as equal."""


def drawing(title: str, curves: Sequence[Curve]) -> str:
    """Return the SVG.

    Raises:
        NotFound: there is no point to draw.
    """
    points = [point for curve in curves for point in curve.points]
    if not points:
        raise NotFound("no loss has been measured yet, so there is no curve to draw")
    names = list(dict.fromkeys(curve.name for curve in curves))
    height = HEIGHT + _LEGEND_LINE * len(names)
    scale = _Scale(points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *_axes(scale),
        *(_line(curve, _colour(names, curve.name), scale) for curve in curves),
        *_legend(names, curves),
        "</svg>\n",
    ]
    return "\n".join(parts)


class _Scale:
    """From step and loss to a place in the drawing."""

    def __init__(self, points: Points | Sequence[tuple[int, float]]) -> None:
        self.x_ticks = _ticks(min(step for step, _ in points), max(step for step, _ in points))
        self.y_ticks = _ticks(min(loss for _, loss in points), max(loss for _, loss in points))

    def x(self, step: float) -> float:
        first, last = self.x_ticks[0], self.x_ticks[-1]
        return LEFT + (step - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(self, loss: float) -> float:
        first, last = self.y_ticks[0], self.y_ticks[-1]
        return HEIGHT - BOTTOM - (loss - first) / (last - first) * (HEIGHT - TOP - BOTTOM)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers, the first not above `low` and the last not below `high`."""
    span = max(high - low, _LEAST_SPAN * max(abs(high), 1.0))
    unit = 10.0 ** math.floor(math.log10(span / 5))
    step = next(unit * factor for factor in _STEPS if unit * factor * 5 >= span * 0.999)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _axes(scale: _Scale) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for loss in scale.y_ticks:
        y = f"{scale.y(loss):.1f}"
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y}" dy="4" text-anchor="end">{loss:g}</text>')
    for step in scale.x_ticks:
        x = f"{scale.x(step):.1f}"
        parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{step:,g}</text>')
    parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}" stroke="#6b7280"/>')
    parts.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{bottom + 38}" text-anchor="middle">step</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 6}" text-anchor="end">nats</text>')
    return parts


def _line(curve: Curve, colour: str, scale: _Scale) -> str:
    dash = ' stroke-dasharray="5 4"' if curve.is_held_out else ""
    places = [(scale.x(step), scale.y(loss)) for step, loss in _thinned(curve.points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in places]
    shown = "".join(dots) if curve.is_held_out or len(dots) == 1 else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{dash}/>{shown}'


def _thinned(points: Points) -> list[tuple[float, float]]:
    """Return at most MAX_POINTS points, each the mean of a stretch; the last one stays as it is."""
    if len(points) <= MAX_POINTS:
        return [(float(step), loss) for step, loss in points]
    size = math.ceil(len(points) / (MAX_POINTS - 1))
    stretches = [points[start : start + size] for start in range(0, len(points), size)]
    means = [
        (sum(step for step, _ in part) / len(part), sum(loss for _, loss in part) / len(part))
        for part in stretches
    ]
    return [*means, (float(points[-1][0]), points[-1][1])]


def _legend(names: Sequence[str], curves: Sequence[Curve]) -> list[str]:
    parts = []
    for place, name in enumerate(names):
        y = HEIGHT + _LEGEND_LINE * place + 4
        has_held_out = any(curve.is_held_out for curve in curves if curve.name == name)
        colour, more = _colour(names, name), " (dashed: held-out)" if has_held_out else ""
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + 24}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}"/>')
        parts.append(f'<text x="{LEFT + 32}" y="{y}">{escape(name)}{more}</text>')
    return parts


def _colour(names: Sequence[str], name: str) -> str:
    return _COLOURS[names.index(name) % len(_COLOURS)]
