"""What each cell costs: weights, arithmetic, and time on this machine.

Nothing is trained to an end. The weights of the recurrent layers are counted in the
built model and by their formulas (d inputs, h units): SimpleRNN has one block of
h(h + d) weights, GRU three (Cho et al. 2014), LSTM four (Hochreiter & Schmidhuber 1997,
Gers et al. 2000). Each weight of a matrix multiplies once a token; so the arithmetic
follows from them. Time is what `compare` measures with nothing else running: training
steps of all cells in turns on the same batches, and single texts on ONNX Runtime.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from seqclf.comparison.verdict import title
from seqclf.comparison.words import joined
from seqclf.config import ModelConfig, RunConfig
from seqclf.errors import ConfigError, RunError
from seqclf.model.build import recurrent_parameters
from seqclf.report.figures import drawn, short, style
from seqclf.report.svg import INK
from seqclf.statistics import CONFIDENCE
from seqclf.studies.lab import Lab
from seqclf.studies.question import (
    QUICK_ROWS,
    Answer,
    Question,
    Record,
    Table,
    quick_config,
    trainings,
)
from seqclf.studies.timed import twins_timed

REFERENCE = "gru"
# Biases a unit: GRU's reset_after has one for the input and one for the state.
BIASES = {"none": 0, "rnn": 1, "gru": 6, "lstm": 4}


def run(question: Question, lab: Lab) -> Answer:
    """Counts and times the cells.

    Returns:
      The answer. Its findings, each by cell: recurrent_parameters, parameters (of the
      whole model), multiply_adds_per_token, milliseconds_per_step (median),
      milliseconds_per_prediction, kernel; and step_ratio, the time of a step beside
      GRU's of the same round: median over the rounds, and its interval, low and high.

    Raises:
      ConfigError: If GRU, the one that the others are set beside, is not asked for.
      RunError: If formula and count disagree.
    """
    if REFERENCE not in question.cells:
        raise ConfigError("cost sets the cells beside gru; name it in --cells too.")
    config = quick_config(question.config) if question.quick else question.config
    configs = trainings(question, config)[: len(question.cells)]
    measured = twins_timed(configs, lab)
    rows = [_row(*pair) for pair in zip(configs, measured, strict=True)]
    rows = beside_reference(rows, [m["milliseconds_per_step"] for m in measured])
    return Answer(
        study="cost",
        title="What each cell costs",
        sentence=_sentence(rows),
        table=_table(rows),
        rows=tuple(rows),
        findings=_findings(rows),
        trials=0,
        notes=_notes(config, rows, question.quick),
    )


def multiply_adds(config: ModelConfig) -> int:
    """Counts the multiply-adds of the recurrent layers' matrices a token, by formula.

    Each weight multiplies once, a bias never. The products element by element, at
    most 3 a unit, are left out.
    """
    width = config.units * config.layers * (1 + config.bidirectional)
    return recurrent_parameters(config) - BIASES[config.cell] * width


def _row(config: RunConfig, measured: Record) -> Record:
    cell, formula = config.model.cell, recurrent_parameters(config.model)
    if formula != measured["recurrent_parameters"]:
        raise RunError(
            f"{cell}: the formula gives {formula} recurrent parameters, the built "
            f"model has {measured['recurrent_parameters']}."
        )
    step = measured["milliseconds_per_step"]
    return {
        "cell": cell,
        "recurrent_parameters": formula,
        "parameters": measured["parameters"],
        "multiply_adds_per_token": multiply_adds(config.model),
        "milliseconds_per_step": step["median"],
        "milliseconds_per_step_least": step["least"],
        "milliseconds_per_step_most": step["most"],
        "tokens_per_second": measured["tokens_per_second"],
        "milliseconds_per_prediction": measured["milliseconds_per_prediction"],
        "kernel": measured["kernel"],
    }


def beside_reference(rows: list[Record], steps: Sequence[Record]) -> list[Record]:
    """Adds the time of a step beside GRU's.

    Args:
      rows: A record a cell, one of them GRU's.
      steps: For each, the milliseconds_per_step of `run_timing`.

    Returns:
      The records with step_ratio, the median over the rounds, and its interval,
      step_ratio_low and step_ratio_high, see `interval_of_median`. The cells take
      turns, so that a slow moment of the machine slows both times of a round.
    """
    place = [row["cell"] for row in rows].index(REFERENCE)
    base = steps[place]["rounds"]
    found = []
    for row, step in zip(rows, steps, strict=True):
        ratios = [one / other for one, other in zip(step["rounds"], base, strict=True)]
        low, high = interval_of_median(ratios)
        middle = statistics.median(ratios)
        ends = {"step_ratio_low": low, "step_ratio_high": high}
        found.append(row | {"step_ratio": middle} | ends)
    return found


def interval_of_median(values: Sequence[float]) -> tuple[float, float]:
    """Returns an interval of 95 % of the median, whatever the distribution.

    By order statistics (Conover 1999, section 3.2): one slow moment of the machine
    does not move it.

    Args:
      values: At least 6, independent.
    """
    from scipy.stats import quantile_test

    found = quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
    return float(found.low), float(found.high)


def _findings(rows: Sequence[Record]) -> Record:
    keys = (
        "recurrent_parameters",
        "parameters",
        "multiply_adds_per_token",
        "milliseconds_per_step",
        "milliseconds_per_prediction",
        "kernel",
    )
    found: Record = {key: {row["cell"]: row[key] for row in rows} for key in keys}
    ratios = {
        row["cell"]: {
            "median": row["step_ratio"],
            "low": row["step_ratio_low"],
            "high": row["step_ratio_high"],
        }
        for row in rows
    }
    return found | {"step_ratio": ratios}


def _sentence(rows: Sequence[Record]) -> str:
    by_cell = {row["cell"]: row for row in rows}
    base, others = by_cell[REFERENCE], [r for r in rows if r["cell"] != REFERENCE]
    weights = f"GRU has {base['recurrent_parameters']:,} recurrent parameters"
    if not others:
        return f"{weights} and takes {base['milliseconds_per_step']:.1f} ms a step."
    counts = [f"{title(r['cell'])} {r['recurrent_parameters']:,}" for r in others]
    times = [
        f"{title(r['cell'])} {r['step_ratio']:.2f} times ({_spread(r)}) that of GRU"
        for r in others
    ]
    return (
        f"{weights}, {joined(counts)}. A training step alone on this machine took "
        f"{joined(times)}; in brackets the 95 % interval of the median over the rounds."
    )


def _spread(row: Record) -> str:
    return f"{row['step_ratio_low']:.2f} to {row['step_ratio_high']:.2f}"


def _table(rows: Sequence[Record]) -> Table:
    return Table(
        header=(
            "cell", "recurrent parameters", "multiply-adds a token", "ms a step",
            "beside GRU (95 % interval)", "ms a prediction",
        ),
        rows=tuple(
            (
                row["cell"],
                f"{row['recurrent_parameters']:,}",
                f"{row['multiply_adds_per_token']:,}",
                f"{row['milliseconds_per_step']:.2f}",
                f"{row['step_ratio']:.2f} ({_spread(row)})",
                f"{row['milliseconds_per_prediction']:.3f}",
            )
            for row in rows
        ),
    )  # fmt: skip


def _notes(
    config: RunConfig, rows: Sequence[Record], is_quick: bool
) -> tuple[str, ...]:
    model = config.model
    directions = "two directions" if model.bidirectional else "one direction"
    notes = [
        f"{model.layers} recurrent layer{'s' * (model.layers > 1)}, {directions}, "
        f"{model.units} units, {model.embedding_size} inputs; formula and count of the "
        f"built model agree.",
        "Multiply-adds are those of the recurrent matrices, forward; training takes "
        "about three times as many.",
        "Steps of all cells in turns on the same batches, tracing not counted; beside "
        "GRU stands the median of the ratios, round by round. A prediction is one text "
        "on ONNX Runtime.",
        f"Kernel of a training step: {_kernels(rows)}.",
    ]
    if len({row["kernel"] for row in rows if row["cell"] != "none"}) > 1:
        notes.append("The cells ran on different kernels: their times do not compare.")
    if is_quick:
        notes.append(
            f"Quick: batches and vocabulary of at most {QUICK_ROWS:,} training texts; "
            "the recurrent parameters do not depend on them."
        )
    return tuple(notes)


def _kernels(rows: Sequence[Record]) -> str:
    cells: dict[str, list[str]] = {}
    for row in rows:
        cells.setdefault(row["kernel"], []).append(row["cell"])
    return ", ".join(f"{kernel} ({joined(names)})" for kernel, names in cells.items())


PANELS = (
    ("recurrent_parameters", "recurrent parameters", "{:,.0f}"),
    ("milliseconds_per_step", "ms a training step", "{:.1f}"),
    ("milliseconds_per_prediction", "ms a prediction", "{:.3f}"),
)


def figure(answer: Answer) -> str:
    """Draws parameters and times as bars; a line goes from least to most round."""
    rows = answer.rows

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(PANELS), sharey=True)
        for axes, (key, label, form) in zip(panels, PANELS, strict=True):
            for place, row in enumerate(rows):
                colour = style(row["cell"], place)["color"]
                axes.barh([place], [row[key]], height=0.62, color=colour)
                least, most = _ends(row, key)
                if most > least:
                    axes.plot([least, most], [place, place], color=INK, linewidth=1.2)
                axes.annotate(
                    form.format(row[key]), (most, place), (4, 0), va="center",
                    textcoords="offset points",
                )  # fmt: skip
            widest = max(_ends(row, key)[1] for row in rows)
            axes.set_xlim(0, 1.4 * widest or 1)
            axes.set_xlabel(label)
            axes.xaxis.set_major_locator(_few_ticks())
            axes.xaxis.set_major_formatter(lambda value, _: short(value))
        panels[0].set_yticks(range(len(rows)), [row["cell"] for row in rows])
        panels[0].set_ylim(len(rows) - 0.5, -0.5)

    return drawn(draw, "cost", 9.2, 0.9 + 0.42 * len(rows))


def _ends(row: Record, key: str) -> tuple[float, float]:
    """Returns the least and the most over the rounds; twice the value without them."""
    least, most = f"{key}_least", f"{key}_most"
    if least not in row:
        return row[key], row[key]
    return row[least], row[most]


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3)
