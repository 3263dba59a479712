"""What ranks rows over what they cost: plain values in, SVG out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seqclf.comparison.metric import metric_of
from seqclf.comparison.verdict import GUESSING, goodness
from seqclf.records.comparison import MEAN, Row
from seqclf.report.figures import (
    clipped,
    drawn,
    label,
    legend,
    plain_ticks,
    style,
)
from seqclf.report.svg import INK
from seqclf.wording import joined

Cost = Callable[[Row], float | None]
COSTS: tuple[tuple[str, Cost], ...] = (
    ("seconds to the best epoch", lambda row: row.seconds_to_best),
    ("parameters", lambda row: row.parameters),
    ("ms a text, predicted alone", lambda row: row.milliseconds_per_prediction),
)


def costs(rows: Sequence[Row]) -> str:
    """Draws what ranks, such as accuracy, over time, parameters and latency.

    A line joins the rows that no other beats in both (the Pareto front), and they are
    ringed; better is always up. Guessing the commonest label is left out: it is no
    model, and would squeeze the others together.
    """
    metric = metric_of(rows[0])

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(COSTS), sharey=True)
        for axes, (name, cost_of) in zip(panels, COSTS, strict=True):
            front = [
                (cost_of(row), metric.scale * row.score.mean)
                for row in on_front(rows, cost_of)
            ]
            axes.plot(*zip(*front, strict=True) if front else ([], []), color=INK,
                      linewidth=0.8, alpha=0.6, marker="o", markersize=13,
                      markerfacecolor="none")  # fmt: skip
            for index, row in enumerate(rows):
                if row.name == GUESSING or not cost_of(row):
                    continue
                look = style(row.name, index) | {"linestyle": "none"}
                value = metric.scale * row.score.mean
                axes.plot([cost_of(row)], [value], label=clipped(row.name), **look)
            axes.set_xscale("log")
            axes.margins(0.2)
            plain_ticks(axes)
            axes.set_xlabel(name)
            axes.grid(alpha=0.25)
        panels[0].set_ylabel(label(metric))
        if metric.sign < 0:
            panels[0].invert_yaxis()
        legend(figure, panels)

    return drawn(draw, "costs", 9.2, 3.4)


def on_front(rows: Sequence[Row], cost_of: Cost) -> list[Row]:
    """Returns the rows that no other beats in cost and score, the cheapest first.

    Those without the cost are left out, and guessing the commonest label.
    """
    priced = {
        (cost, goodness(row)): row
        for row in rows
        if row.name != GUESSING and (cost := cost_of(row))
    }
    return [priced[point] for point in pareto_front(list(priced))]


def speed_said(rows: Sequence[Row]) -> str:
    """Returns what the caption of `costs` says of single texts, after a space.

    That is which rows are on the front there, and of which no time was measured.
    """
    _, milliseconds = COSTS[-1]
    metric = metric_of(rows[0])
    front = [
        f"{row.name} ({milliseconds(row):.2g} ms, {metric.said(row.score.mean)})"
        for row in on_front(rows, milliseconds)
    ]
    untimed = [r for r in rows if r.name != GUESSING and not milliseconds(r)]
    lacking = [row.name for row in untimed if row.kind != MEAN]
    lacking += ["the means of probabilities"] if len(untimed) > len(lacking) else []
    said = ""
    if front:
        said += f" By the time of a single text the front is {joined(front)}."
    if lacking:
        said += f" That time was not measured of {joined(lacking)}, not drawn there."
    return said


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Returns the points (cost, quality) that no other beats in both, by cost."""
    front: list[tuple[float, float]] = []
    for cost, quality in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or quality > front[-1][1]:
            front.append((cost, quality))
    return front
