"""What `wins` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.cells import GRU, LSTM, NO_RECURRENCE
from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.records.sweeps import Compared, WinsFindings
from seqclf.report.figures import drawn, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.drawing import bar, name_lines
from seqclf.studies.question import Answer
from seqclf.wording import counted, interval, percent, signed


def sentence(findings: WinsFindings) -> str:
    """Says what the count supports, and no more."""
    n, first, second = findings.data_sets, findings.first, findings.second
    if not n:
        return (
            "No comparison of data of your own: that of the built-in corpus is shown, "
            "and does not count."
        )
    ties = f", and {findings.ties} equal" if findings.ties else ""
    lead = (
        f"GRU had the higher test accuracy on {first} of {counted(n, 'data set')}, "
        f"LSTM on {second}{ties}"
    )
    apart = findings.told_apart
    told = (
        f"Over seeds and texts GRU is better on {apart.first}, LSTM on "
        f"{apart.second}, of {apart.of} with several seeds"
    )
    p = findings.p
    if p is None:
        return f"{lead}. {told}."
    test = f"sign test p = {p:.2g}"
    if p >= SIGNIFICANCE:
        return f"{lead} ({test}): that does not show which is ahead in general. {told}."
    ahead = "GRU" if first > second else "LSTM"
    return f"{lead} ({test}): {ahead} is ahead more often than chance. {told}."


def table(rows: Sequence[Compared]) -> Table:
    """Returns a line a comparison."""
    return Table(
        header=("data", "GRU, %", "LSTM, %", "difference", "95 % interval", "seeds"),
        rows=tuple(
            (
                name_of(row) + ("" if row.counts else " (not counted)"),
                percent(row.gru),
                percent(row.lstm),
                signed(100 * row.difference, 2),
                interval(row.low, row.high, digits=2)
                + ("" if row.p is not None else " *"),
                str(row.seeds),
            )
            for row in rows
        ),
    )


def name_of(row: Compared) -> str:
    """Returns the name of a comparison in table and figure."""
    return row.comparison.removesuffix("-compare")


def notes(rows: Sequence[Compared], findings: WinsFindings) -> tuple[str, ...]:
    """Says what was held fixed, what counts, and what the marks mean."""
    said = [
        "Recipe, seeds and data are those of the comparisons found.",
        "In the figure, filled is over seeds, open one training of each, grey not "
        "counted.",
    ]
    decided = findings.first + findings.second
    if findings.least_p >= SIGNIFICANCE:
        said.append(
            f"With {counted(decided, 'data set')} even a count all on one side has "
            f"p = {findings.least_p:.2g}: six are needed for the sign test to find "
            f"anything."
        )
    if any(row.p is None for row in rows):
        said.append(
            "* one training of each: the interval is of these two models on such "
            "texts, not of the cells."
        )
    if any(row.is_synthetic for row in rows):
        said.append("The built-in corpus is synthetic, and does not count.")
    if any(not row.counts and not row.is_synthetic for row in rows):
        said.append(
            "A data set that was compared more than once counts once: the most seeds, "
            "then equal settings before tuned or matched ones."
        )
    return tuple(said)


def figure(answer: Answer[WinsFindings]) -> str:
    """Draws differences: filled over seeds, open of two models, grey not counted."""
    rows: Sequence[Compared] = answer.rows

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, row in enumerate(rows):
            ahead = GRU.name if row.difference >= 0 else LSTM.name
            look = style(ahead) | {"capsize": 3}
            if not row.counts:
                look["color"] = NO_RECURRENCE.look.colour
            if row.p is None:
                look["markerfacecolor"] = "none"
            bar(axes, place, row.difference, row.low, row.high, look)
        name_lines(axes, [name_of(row) for row in rows])
        axes.set_xlabel("GRU − LSTM, points of accuracy")
        above = {"transform": axes.transAxes, "va": "bottom", "fontsize": 9}
        axes.text(0, 1.02, "← LSTM better", ha="left", **above)
        axes.text(1, 1.02, "GRU better →", ha="right", **above)
        axes.grid(axis="x", alpha=0.25)

    return drawn(draw, "wins", 6.8, 1.2 + 0.36 * len(rows))
