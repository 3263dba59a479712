"""Parts that the figures of several studies share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.report.figures import clipped


def reach(values: Sequence[tuple[float, float, float]]) -> list[list[float]]:
    """Returns error bars, in points, from estimates with low and high, fractions."""
    below = [100 * max(value - low, 0) for value, low, _ in values]
    return [below, [100 * max(high - value, 0) for value, _, high in values]]


def bar(
    axes: Any, place: float, value: float, low: float, high: float, look: Any
) -> None:
    """Draws a fraction in per cent at a height, with its interval across."""
    error = reach([(value, low, high)])
    axes.errorbar([100 * value], [place], xerr=error, **look | {"linestyle": "none"})


def name_lines(axes: Any, names: Sequence[str]) -> None:
    """Names the lines of a figure at its left, the first at the top."""
    axes.set_yticks(range(len(names)), [clipped(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
