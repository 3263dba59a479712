"""What each cell costs: parameters, arithmetic, and time on this machine.

The parameters of the recurrent layers are counted in the built model and by their
formulas (d inputs, h units): SimpleRNN has one block of h(h + d) weights, GRU three
(Cho et al. 2014), LSTM four (Hochreiter & Schmidhuber 1997, Gers et al. 2000). Each
weight of a matrix multiplies once a token. Time is measured as in `compare`, with
nothing else running: training steps of all cells in turns on the same batches, and
single texts on ONNX Runtime.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from seqclf.cells import CELLS, GRU
from seqclf.comparison.said import title
from seqclf.config import ModelConfig, RunConfig
from seqclf.errors import ConfigError, RunError
from seqclf.model.build import recurrent_parameters
from seqclf.records.side_by_side import CellCost, CostFindings, Median
from seqclf.records.training import TimedTwin
from seqclf.report.figures import drawn, short, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.statistics import CONFIDENCE
from seqclf.studies.drawing import name_lines
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, grouped, trainings
from seqclf.studies.timed import twins_timed
from seqclf.wording import counted, interval, joined


def run(question: Question, lab: Lab) -> Answer[CostFindings]:
    """Counts and times the cells.

    Raises:
      ConfigError: If GRU, which the others are compared with, is not asked for.
      RunError: If formula and count disagree.
    """
    if GRU.name not in question.cells:
        raise ConfigError("cost sets the cells beside gru; name it in --cells too.")
    config = question.recipe
    configs = trainings(question, config)[: len(question.cells)]
    measured = twins_timed(configs, lab)
    base = measured[question.cells.index(GRU.name)]
    rows = [_row(c, timed, base) for c, timed in zip(configs, measured, strict=True)]
    return Answer(
        study="cost", title="What each cell costs", sentence=sentence(rows),
        table=table(rows), rows=tuple(rows), findings=_findings(rows), trials=0,
        notes=notes(config, rows, question),
    )  # fmt: skip


def multiply_adds(config: ModelConfig) -> int:
    """Returns the multiply-adds a token of the recurrent layers' matrices, by formula.

    Each weight multiplies once, a bias never. Elementwise products, at most 3 a unit,
    are not counted.
    """
    width = config.units * config.layers * (1 + config.bidirectional)
    return recurrent_parameters(config) - CELLS[config.cell].biases * width


def _row(config: RunConfig, timed: TimedTwin, base: TimedTwin) -> CellCost:
    """Returns the costs of a cell; `base` is GRU, timed with it."""
    cell, formula = config.model.cell, recurrent_parameters(config.model)
    if formula != timed.recurrent_parameters:
        raise RunError(
            f"{cell}: the formula gives {formula} recurrent parameters, the built "
            f"model has {timed.recurrent_parameters}."
        )
    step = timed.milliseconds_per_step
    ratio = ratio_by_round(step.rounds, base.milliseconds_per_step.rounds)
    single = ratio_by_round(timed.predictions, base.predictions)
    return CellCost(
        cell=cell, recurrent_parameters=formula, parameters=timed.parameters,
        multiply_adds_per_token=multiply_adds(config.model),
        milliseconds_per_step=step.median, milliseconds_per_step_least=step.least,
        milliseconds_per_step_most=step.most, tokens_per_second=timed.tokens_per_second,
        milliseconds_per_prediction=timed.milliseconds_per_prediction,
        kernel=timed.kernel, step_ratio=ratio.median, step_ratio_low=ratio.low,
        step_ratio_high=ratio.high, prediction_ratio=single.median,
        prediction_ratio_low=single.low, prediction_ratio_high=single.high,
    )  # fmt: skip


def ratio_by_round(times: Sequence[float], base: Sequence[float]) -> Median:
    """Returns the median ratio of times to GRU's, `base`, round by round.

    A round is one of training steps, or a text to predict. The cells take turns, so
    that a slow moment of the machine affects both times of a round.
    """
    ratios = [one / other for one, other in zip(times, base, strict=True)]
    low, high = interval_of_median(ratios)
    return Median(median=statistics.median(ratios), low=low, high=high)


def interval_of_median(values: Sequence[float]) -> tuple[float, float]:
    """Returns a 95 % interval of the median of at least 6 independent values.

    By order statistics (Conover 1999, section 3.2), for any distribution.
    """
    from scipy.stats import quantile_test

    found = quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
    return float(found.low), float(found.high)


def _findings(rows: Sequence[CellCost]) -> CostFindings:
    steps, singles = (
        {row.cell: _median(row, name) for row in rows}
        for name in ("step_ratio", "prediction_ratio")
    )
    ratios = {"step_ratio", "prediction_ratio"}
    names = {one.name for one in fields(CostFindings)} - ratios
    values = {name: {row.cell: getattr(row, name) for row in rows} for name in names}
    return CostFindings(**values, step_ratio=steps, prediction_ratio=singles)


def _median(row: CellCost, name: str) -> Median:
    middle, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    return Median(median=middle, low=low, high=high)


def sentence(rows: Sequence[CellCost]) -> str:
    """Says what the cells cost beside GRU."""
    base = next(row for row in rows if row.cell == GRU.name)
    others = [row for row in rows if row is not base]
    weights = f"GRU has {base.recurrent_parameters:,} recurrent parameters"
    if not others:
        return f"{weights} and takes {base.milliseconds_per_step:.1f} ms a step."
    counts = [f"{title(r.cell)} {r.recurrent_parameters:,}" for r in others]
    steps, singles = (
        joined([f"{title(r.cell)} {_times(_median(r, name))}" for r in others])
        for name in ("step_ratio", "prediction_ratio")
    )
    return (
        f"{weights}, {joined(counts)}. A training step alone on this machine, times "
        f"that of GRU: {steps}; a prediction: {singles}. In brackets the 95 % interval "
        f"of the median over the rounds."
    )


def _times(one: Median) -> str:
    return f"{one.median:.2f} ({interval(one.low, one.high, scale=1, digits=2)})"


def table(rows: Sequence[CellCost]) -> Table:
    """Returns a line a cell."""
    return Table(
        header=(
            "cell", "recurrent parameters", "multiply-adds a token", "ms a step",
            "beside GRU (95 % interval)", "ms a prediction",
            "beside GRU (95 % interval)",
        ),
        rows=tuple(
            (
                row.cell,
                f"{row.recurrent_parameters:,}",
                f"{row.multiply_adds_per_token:,}",
                f"{row.milliseconds_per_step:.2f}",
                _times(_median(row, "step_ratio")),
                f"{row.milliseconds_per_prediction:.3f}",
                _times(_median(row, "prediction_ratio")),
            )
            for row in rows
        ),
    )  # fmt: skip


def notes(
    config: RunConfig, rows: Sequence[CellCost], question: Question
) -> tuple[str, ...]:
    """Says what was counted and timed, and what does not compare."""
    model = config.model
    directions = "two directions" if model.bidirectional else "one direction"
    said = [
        f"{counted(model.layers, 'recurrent layer')}, {directions}, {model.units} "
        f"units, {model.embedding_size} inputs; formula and count of the built model "
        f"agree.",
        "Multiply-adds are those of the recurrent matrices, forward; training takes "
        "about three times as many.",
        "Steps of all cells are timed in turns on the same batches, without tracing; "
        "beside GRU is the median of the ratios by round. A prediction is one text on "
        "ONNX Runtime, of all cells in turns.",
        f"Kernel of a training step: {_kernels(rows)}.",
    ]
    if len({row.kernel for row in rows if CELLS[row.cell].recurs}) > 1:
        said.append("The cells ran on different kernels: their times do not compare.")
    quick = question.quick_note("the recurrent parameters do not depend on that.")
    return (*said, *quick)


def _kernels(rows: Sequence[CellCost]) -> str:
    cells = grouped((row.kernel, row.cell) for row in rows)
    return ", ".join(f"{kernel} ({joined(names)})" for kernel, names in cells.items())


def figure(answer: Answer[CostFindings]) -> str:
    """Draws parameters and times as bars; a line spans the rounds."""
    rows: Sequence[CellCost] = answer.rows
    names = [row.cell for row in rows]
    steps = [row.milliseconds_per_step for row in rows]
    ends = [(r.milliseconds_per_step_least, r.milliseconds_per_step_most) for r in rows]
    weights = [float(row.recurrent_parameters) for row in rows]
    predictions = [row.milliseconds_per_prediction for row in rows]

    def draw(figure: Any) -> None:
        left, middle, right = figure.subplots(1, 3, sharey=True)
        _draw_bars(left, "recurrent parameters", names, weights, "{:,.0f}")
        _draw_bars(middle, "ms a training step", names, steps, "{:.1f}", ends)
        _draw_bars(right, "ms a prediction", names, predictions, "{:.3f}")
        name_lines(left, names)

    return drawn(draw, "cost", 9.2, 0.9 + 0.42 * len(rows))


def _draw_bars(
    axes: Any,
    label: str,
    names: Sequence[str],
    values: Sequence[float],
    form: str,
    rounds: Sequence[tuple[float, float]] = (),
) -> None:
    """Draws a bar a cell; `rounds` are its fastest and its slowest."""
    from matplotlib.ticker import MaxNLocator

    ends = rounds or [(value, value) for value in values]
    for place, (cell, value, (least, most)) in enumerate(
        zip(names, values, ends, strict=True)
    ):
        axes.barh([place], [value], height=0.62, color=style(cell, place)["color"])
        if most > least:
            axes.plot([least, most], [place, place], color=INK, linewidth=1.2)
        axes.annotate(
            form.format(value), (most, place), (4, 0), va="center",
            textcoords="offset points",
        )  # fmt: skip
    axes.set(xlabel=label, xlim=(0, 1.4 * max(most for _, most in ends) or 1))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
