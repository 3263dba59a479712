"""What `memory` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.comparison.verdict import title
from seqclf.records.inside import AccuracyAt, CellMemory, MemoryFindings
from seqclf.report.figures import drawn, legend, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.drawing import reach
from seqclf.studies.memory_tasks import LARGE, SERIES, SMALL
from seqclf.studies.question import Answer, Question
from seqclf.wording import (
    MISSING,
    interval,
    joined,
    models_each,
    percent,
    with_interval,
)


def sentence(findings: MemoryFindings, seeds: int) -> str:
    """Says of each task which cells fall with distance, and where."""
    parts = [
        f"{one.title.capitalize()} (chance {percent(one.chance)} %): "
        + "; ".join(_said(cell, found) for cell, found in one.cells.items())
        for one in findings.series.values()
    ]
    n = next(iter(findings.series.values())).n
    basis = f"Test n = {n:,}, {models_each(seeds)}, for these tasks as trained here."
    return ". ".join([*parts, basis])


def _said(cell: str, found: CellMemory) -> str:
    name, last = title(cell), found.accuracy[-1]
    if not found.learnt:
        return f"{name} did not learn it at any distance"
    if found.half_way is not None:
        return f"{name} falls half-way to chance at about {found.half_way:.0f} tokens"
    value = f"{percent(last.accuracy)} %, {interval(last.low, last.high)}"
    return f"{name} does not up to {last.distance} ({value})"


def table(findings: MemoryFindings) -> Table:
    """Returns a line a task and cell."""
    header = (
        "task, cell",
        *(f"{distance} tokens, %" for distance in findings.distances),
        "half-way at",
    )
    rows = [
        (f"{one.title}, {cell}", *map(_accuracy, found.accuracy), _half_way(found))
        for one in findings.series.values()
        for cell, found in one.cells.items()
    ]
    return Table(header=header, rows=tuple(rows))


def _accuracy(one: AccuracyAt) -> str:
    return with_interval(one.accuracy, one.low, one.high)


def _half_way(found: CellMemory) -> str:
    if not found.learnt:
        return "not learnt"
    return MISSING if found.half_way is None else f"{found.half_way:.0f}"


def notes(findings: MemoryFindings, question: Question, units: int) -> tuple[str, ...]:
    """Says what was held fixed, and what the figures mean."""
    series = findings.series
    lines = [
        "One layer, one direction, the last state read out, "
        f"{units} units; made-up texts, not the data set named.",
        "Word dropout, dropout, label smoothing and weight decay of the recipe are "
        "off, because they would hide the one token that decides; settings that you "
        "give are kept.",
        "Training texts have distances from 0 up to the one tested, drawn evenly, the "
        "same for all cells: short ones help to learn long ones. Validation and test "
        "have the distance itself.",
        "Half-way: interpolated between the distances tested, on their logarithm.",
    ]
    if "recall_short" in series:
        lines.append(
            f"Mostly short: the distances are drawn evenly on a logarithm. Small "
            f"embeddings: the embedding initialisation range is {SMALL:g} instead of "
            f"{LARGE:g}, and all training texts are at the distance tested."
        )
    left = [f"“{one.title}”" for name, one in SERIES.items() if name not in series]
    if question.quick:
        distances = joined(list(map(str, findings.distances)))
        lines.append(
            f"Quick: the distances {distances} alone, and without the tasks "
            f"{joined(left)}."
        )
    return tuple(lines)


def figure(answer: Answer[MemoryFindings]) -> str:
    """Draws accuracy against distance, a panel a task, with chance."""
    series, distances = answer.findings.series, answer.findings.distances

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(series), sharey=True, squeeze=False)[0]
        for axes, one in zip(panels, series.values(), strict=True):
            axes.axhline(100 * one.chance, color=INK, linewidth=0.8, alpha=0.6)
            at = (0.02, 100 * one.chance)
            axes.annotate("chance", at, (0, 2), fontsize=8, textcoords="offset points",
                          xycoords=("axes fraction", "data"))  # fmt: skip
            for index, (cell, found) in enumerate(one.cells.items()):
                _curve(axes, cell, found.accuracy, index)
            axes.set(xscale="log", ylim=(0, 103), xlabel="distance, tokens")
            axes.set_xticks(distances, [str(d) for d in distances], rotation=45)
            axes.minorticks_off()
            axes.set_title(one.title, fontsize=10)
            axes.grid(alpha=0.25)
        panels[0].set_ylabel("test accuracy, %")
        legend(figure, panels)

    return drawn(draw, "memory", max(2.6 * len(series), 5.2), 3.6)


def _curve(axes: Any, cell: str, reached: Sequence[AccuracyAt], index: int) -> None:
    values = [100 * one.accuracy for one in reached]
    error = reach([(one.accuracy, one.low, one.high) for one in reached])
    # Shifted a little, so that equal curves do not hide each other.
    at = [one.distance * 1.04 ** (index - 1) for one in reached]
    axes.errorbar(at, values, yerr=error, capsize=2, label=cell, **style(cell, index))
