"""What `cost` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.cells import CELLS, GRU
from seqclf.comparison.verdict import title
from seqclf.config import RunConfig
from seqclf.records.sweeps import CellCost, CostFindings
from seqclf.report.figures import drawn, short, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.drawing import name_lines
from seqclf.studies.question import QUICK_ROWS, Answer, Question
from seqclf.wording import counted, interval, joined


def sentence(rows: Sequence[CellCost]) -> str:
    """Says what the cells cost beside GRU."""
    base = next(row for row in rows if row.cell == GRU.name)
    others = [row for row in rows if row is not base]
    weights = f"GRU has {base.recurrent_parameters:,} recurrent parameters"
    if not others:
        return f"{weights} and takes {base.milliseconds_per_step:.1f} ms a step."
    counts = [f"{title(r.cell)} {r.recurrent_parameters:,}" for r in others]
    times = [
        f"{title(r.cell)} {r.step_ratio:.2f} times ({_spread(r)}) that of GRU"
        for r in others
    ]
    return (
        f"{weights}, {joined(counts)}. A training step alone on this machine took "
        f"{joined(times)}; in brackets the 95 % interval of the median over the rounds."
    )


def _spread(row: CellCost) -> str:
    return interval(row.step_ratio_low, row.step_ratio_high, scale=1, digits=2)


def table(rows: Sequence[CellCost]) -> Table:
    """Returns a line a cell."""
    return Table(
        header=(
            "cell", "recurrent parameters", "multiply-adds a token", "ms a step",
            "beside GRU (95 % interval)", "ms a prediction",
        ),
        rows=tuple(
            (
                row.cell,
                f"{row.recurrent_parameters:,}",
                f"{row.multiply_adds_per_token:,}",
                f"{row.milliseconds_per_step:.2f}",
                f"{row.step_ratio:.2f} ({_spread(row)})",
                f"{row.milliseconds_per_prediction:.3f}",
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
        "ONNX Runtime.",
        f"Kernel of a training step: {_kernels(rows)}.",
    ]
    if len({row.kernel for row in rows if CELLS[row.cell].recurs}) > 1:
        said.append("The cells ran on different kernels: their times do not compare.")
    quick = (
        f"batches and vocabulary of at most {QUICK_ROWS:,} training texts; the "
        "recurrent parameters do not depend on them."
    )
    return (*said, *question.quick_note(quick))


def _kernels(rows: Sequence[CellCost]) -> str:
    cells: dict[str, list[str]] = {}
    for row in rows:
        cells.setdefault(row.kernel, []).append(row.cell)
    return ", ".join(f"{kernel} ({joined(names)})" for kernel, names in cells.items())


def figure(answer: Answer[CostFindings]) -> str:
    """Draws parameters and times as bars; a line spans the rounds."""
    rows: Sequence[CellCost] = answer.rows
    names = [row.cell for row in rows]
    steps = [row.milliseconds_per_step for row in rows]
    rounds = [
        (row.milliseconds_per_step_least, row.milliseconds_per_step_most)
        for row in rows
    ]
    weights = [float(row.recurrent_parameters) for row in rows]
    predictions = [row.milliseconds_per_prediction for row in rows]

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 3, sharey=True)
        _draw_bars(panels[0], names, weights, "{:,.0f}")
        _draw_bars(panels[1], names, steps, "{:.1f}", rounds)
        _draw_bars(panels[2], names, predictions, "{:.3f}")
        panels[0].set(xlabel="recurrent parameters")
        panels[1].set(xlabel="ms a training step")
        panels[2].set(xlabel="ms a prediction")
        name_lines(panels[0], names)

    return drawn(draw, "cost", 9.2, 0.9 + 0.42 * len(rows))


def _draw_bars(
    axes: Any,
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
    axes.set_xlim(0, 1.4 * max(most for _, most in ends) or 1)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
