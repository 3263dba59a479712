"""What the range test of `sensitivity` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.comparison.verdict import title
from seqclf.config import RunConfig
from seqclf.records.sweeps import RangeFindings, RangeStep, RangeTurns
from seqclf.report import figures
from seqclf.report.table import Table
from seqclf.studies.question import QUICK_ROWS, Answer, Question
from seqclf.wording import MISSING

LEAST_RATE, MOST_RATE = 1e-5, 1.0


def sentence(found: Sequence[RangeTurns]) -> str:
    """Says where the loss of each cell turns."""
    said = [
        f"{title(one.cell)}'s loss is lowest at {one.least_rate:.1g} and "
        + (
            f"back at its initial value at {one.diverging_rate:.1g}"
            if one.diverging_rate
            else f"not back at its initial value up to {MOST_RATE:g}"
        )
        for one in found
    ]
    return (
        f"As the learning rate rises, {'; '.join(said)}. One training each: how far "
        "another seed would move these is not known."
    )


def table(found: Sequence[RangeTurns]) -> Table:
    """Returns a line a cell."""
    header = (
        "cell", "learning rate of the lowest loss", "lowest loss", "diverges at"
    )  # fmt: skip
    rows = [
        (
            one.cell,
            f"{one.least_rate:.1e}",
            f"{one.least_loss:.3f}",
            f"{one.diverging_rate:.1e}" if one.diverging_rate else MISSING,
        )
        for one in found
    ]
    return Table(header=header, rows=tuple(rows))


def notes(
    question: Question, base: RunConfig, steps: int, width: int, seeds: int
) -> tuple[str, ...]:
    """Says how the losses were measured, over `width` steps each."""
    return (
        f"One training each, {steps} steps from {LEAST_RATE:g} to {MOST_RATE:g}, "
        f"the same batches for each cell; the loss is the mean of {width} "
        f"steps. The recipe's peak learning rate is {base.training.learning_rate:g}. "
        f"Gradients are clipped to its norm of {base.training.clip_norm:g}, which "
        "hides some of the effect of too high a rate.",
        *about_seeds(seeds),
        *question.quick_note(f"fewer steps, at most {QUICK_ROWS:,} texts."),
    )


def about_seeds(seeds: int) -> tuple[str, ...]:
    """Says that only the first of several seeds was used."""
    said = f"Of the {seeds} seeds that were asked for this study takes the first."
    return () if seeds == 1 else (said,)


def figure(answer: Answer[RangeFindings]) -> str:
    """Draws the smoothed loss against the learning rate, the least marked."""
    found = answer.findings.range
    rows: Sequence[RangeStep] = answer.rows

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for index, one in enumerate(found):
            own = [row for row in rows if row.cell == one.cell]
            _draw_curve(axes, own, one, figures.style(one.cell, index))
        start = max(row.smoothed_loss for row in rows if row.step == 1)
        least = min(one.least_loss for one in found)
        # A diverged loss would flatten the rest.
        axes.set_ylim(least - 0.15 * (start - least), start + 0.8 * (start - least))
        axes.set(xscale="log", xlabel="learning rate (marked: lowest loss)")
        axes.set(ylabel="training loss, smoothed")
        axes.xaxis.set_major_formatter(lambda value, _: figures.short(value))
        axes.grid(alpha=0.25)
        figures.legend(figure, [axes])

    return figures.drawn(draw, "range_test", 6.4, 3.8)


def _draw_curve(
    axes: Any, own: Sequence[RangeStep], one: RangeTurns, look: dict[str, object]
) -> None:
    x = [row.learning_rate for row in own]
    y = [row.smoothed_loss for row in own]
    marked = [i for i, rate in enumerate(x) if rate == one.least_rate]
    axes.plot(x, y, label=one.cell, markevery=marked, **look)
