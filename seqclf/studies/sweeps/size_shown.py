"""What `size` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqclf.cells import GRU, LSTM
from seqclf.comparison.said import title
from seqclf.records.estimates import Mean, MeanShare
from seqclf.records.sweeps import FittedLaw, Gaps, SizeFindings, SizePair, SizePoint
from seqclf.report import figures
from seqclf.report.readings import Place, readable
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.drawing import reach
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import learning_curve, sweep
from seqclf.studies.sweeps.learning_curve import PowerLaw
from seqclf.wording import interval, percent, points, points_at_length, with_interval

FEWEST_STEPS = 16  # of an epoch, as far as batches of 8 allow


def sentence(question: Question, found: SizeFindings) -> str:
    """Says what the findings support, and no more."""
    sizes = found.sizes
    start = f"From {sizes[0]:,} to {sizes[-1]:,} training texts: "
    falls = [
        f"{title(cell)}'s test error falls as n^−{fit.b:.2f} "
        f"({fit.b_low:.2f} to {fit.b_high:.2f})"
        for cell, fit in found.fits.items()
        if fit
    ]
    parts = [f"{start}{'; '.join(falls) or 'too few sizes beat guessing for a curve'}."]
    near = [pair for pair in found.pairs if {pair.a, pair.b} == {GRU.name, LSTM.name}]
    parts += [_about_pair(pair, sizes[-1]) for pair in near or found.pairs[:1]]
    parts += _about_gaps(found.gaps)
    trials = len(found.curves) * len(question.seeds)
    return " ".join([*parts, sweep.scope(question, trials)])


def _about_pair(pair: SizePair, most: int) -> str:
    names = f"{title(pair.a)} less {title(pair.b)}"
    apart = points_at_length(pair.difference, pair.low, pair.high)
    text = f"With {most:,} texts {names} is {apart}; "
    crossing = pair.crossing
    size, low, high = crossing.size, crossing.low, crossing.high
    if size is not None and low is not None and high is not None:
        ahead = pair.a if crossing.first_is_better_beyond else pair.b
        return (
            f"{text}their fitted curves cross at about {round(size):,} texts "
            f"({round(low):,} to {round(high):,}), beyond which {title(ahead)} is "
            "ahead."
        )
    if crossing.status == learning_curve.NO_CROSSING:
        return f"{text}their curves do not cross within these sizes."
    if crossing.status == learning_curve.UNDECIDED:
        return (
            f"{text}whether their curves cross within these sizes cannot be told "
            f"({percent(crossing.share or 0)} % of the resamples cross)."
        )
    return f"{text}no crossing could be looked for."


def _about_gaps(gaps: Gaps | None) -> list[str]:
    if gaps is None:
        return []
    reach = f" (95 % interval over seeds {interval(gaps.low, gaps.high)})"
    return [
        f"LSTM's gap between train and validation accuracy less GRU's is "
        f"{points(gaps.mean)}{'' if gaps.low is None else reach}, the mean over the "
        f"sizes from which on both beat guessing."
    ]


def table(curves: Sequence[SizePoint]) -> Table:
    """Returns a line a size and cell."""
    header = (
        "training texts", "cell", "test accuracy, %", "log loss",
        "train − validation, points",
    )  # fmt: skip
    rows = [
        (
            f"{one.rows:,}",
            one.cell,
            with_interval(one.accuracy.mean, one.accuracy.low, one.accuracy.high),
            f"{one.log_loss:.3f}",
            with_interval(one.gap.mean, one.gap.low, one.gap.high),
        )
        for one in curves
    ]
    return Table(header=header, rows=tuple(rows))


def notes(question: Question) -> tuple[str, ...]:
    """Says what was held fixed, and what no interval covers."""
    drawn = "test texts" if len(question.seeds) == 1 else "seeds and test texts"
    training = question.config.training
    automatic = training.epochs is None and not question.quick
    epochs = "5 to 30 epochs, by their size" if automatic else "equally many epochs"
    batches = "as the recipe gives them for so many texts"
    if training.batch_size is not None:
        batches = f"so that an epoch has about {FEWEST_STEPS} steps"
    return (
        "Samples are stratified, one for each size, the same for all cells and seeds: "
        "no interval covers another sample. The vocabulary comes from the sample "
        "alone; validation and test are whole at every size.",
        f"Small samples have smaller batches, {batches}; they are trained for "
        f"{epochs}. The gap is that of the epoch with the least validation loss, which "
        "is kept.",
        f"Curves: least squares of error = a n^−b + c, of the sizes that beat "
        f"guessing, c = 0 with fewer than {learning_curve.FEWEST_FOR_FLOOR} of them; "
        f"intervals of exponents and crossings by {learning_curve.RESAMPLES} "
        f"bootstrap draws of {drawn}.",
        *question.quick_note("two sizes."),
    )


def figure(answer: Answer[SizeFindings]) -> str:
    """Draws accuracy with the fitted curves, and the gap, by training texts."""
    found = answer.findings

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        for index, (cell, fit) in enumerate(found.fits.items()):
            curve = [one for one in found.curves if one.cell == cell]
            look = figures.style(cell, index)
            _draw_accuracy(left, curve, fit, look)
            x = [one.rows for one in curve]
            line = right.plot(x, [100 * one.gap.mean for one in curve], **look)
            _let_read(right, curve, [one.gap for one in curve], line)
        left.axhline(100 * found.guess, color=INK, linewidth=0.8, alpha=0.5)
        right.axhline(0, color=INK, linewidth=0.8, alpha=0.5)
        left.set(ylabel="test accuracy, %")
        right.set(ylabel="train − validation accuracy, points")
        for axes in (left, right):
            axes.set(xscale="log", xlabel="training texts")
            figures.plain_ticks(axes)
            axes.grid(alpha=0.25)
        figures.legend(figure, [left])

    return figures.drawn(draw, "size", 9.2, 3.8)


def _draw_accuracy(
    axes: Any,
    curve: Sequence[SizePoint],
    fit: FittedLaw | None,
    look: dict[str, object],
) -> None:
    """Draws a cell's points with their intervals; the line is the fitted curve."""
    x = [one.rows for one in curve]
    means = [100 * one.accuracy.mean for one in curve]
    found = [(o.accuracy.mean, o.accuracy.low, o.accuracy.high) for o in curve]
    line = look["linestyle"] if fit is None else "none"
    dots = look | {"linestyle": line, "capsize": 2}
    bars = axes.errorbar(x, means, yerr=reach(found), **dots)
    parts = list(bars.get_children())
    axes.plot([], [], label=curve[0].cell, **look)  # of the legend
    if fit is not None:
        law = PowerLaw(fit.a, fit.b, fit.c)
        along = np.geomspace(fit.sizes[0], fit.sizes[-1], 100)
        parts += axes.plot(along, 100 * (1 - law.at(along)), **look | {"marker": ""})
    _let_read(axes, curve, [one.accuracy for one in curve], parts)


def _let_read(
    axes: Any,
    curve: Sequence[SizePoint],
    means: Sequence[Mean | MeanShare],
    artists: Sequence[Any],
) -> None:
    """Lets the page read out a mean at each size, in per cent or points."""
    places = [
        Place(one.rows, f"{one.rows:,}", with_interval(mean.mean, mean.low, mean.high))
        for one, mean in zip(curve, means, strict=True)
    ]
    readable(axes, curve[0].cell, places, artists, "95 % interval")
