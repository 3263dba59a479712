"""What `gradients` found: sentence, table, notes and figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from seqclf.records import inside
from seqclf.report.figures import drawn, legend, short, style
from seqclf.report.readings import Place, readable
from seqclf.report.table import Table
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.gradients_judged import STAGES
from seqclf.studies.question import Answer

LAST = STAGES[-1]
LOWEST_DRAWN = 1e-30


def scientific(value: float) -> str:
    """Returns a number such as `0.03`, `12` or `2e-17`."""
    if value == 0 or 1e-3 <= value < 1e5:
        return f"{value:.2g}" if value < 99.5 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def sentence(findings: inside.GradientsFindings, models: str) -> str:
    """Says how much of the gradient is left over the span, at the best epoch.

    `models` names what the numbers are about, such as `one model of each cell`.
    """
    parts = []
    for cell, stages in findings.cells.items():
        state = findings.memory[cell]
        now = stages[LAST].states[state]
        parts.append(
            f"{cell} {with_range(now)}, {now.verdict}"
            + (", in its memory cell" if state == "c" else "")
        )
    clipped = ", ".join(
        f"{cell} {100 * stages[LAST].clipped:.0f} %"
        for cell, stages in findings.cells.items()
    )
    return (
        f"At the best epoch, the gradient norm {findings.span} tokens before the "
        f"end, relative to the last token: {'; '.join(parts)} "
        f"({models}, {findings.texts} long test texts). Training batches whose "
        f"gradient is clipped there: {clipped}."
    )


def with_range(way: inside.WayBack) -> str:
    """Returns the factor with its interval, such as `2e-8 (1e-8 to 2e-8)`."""
    return _ranged(way.factor, way.factor_low, way.factor_high)


def _ranged(value: float, low: float, high: float) -> str:
    return f"{scientific(value)} ({scientific(low)} to {scientific(high)})"


def table(findings: inside.GradientsFindings) -> Table:
    """Returns a line a cell, stage and state."""
    span = findings.span
    rows = [
        _line(cell, stage, state, one)
        for cell, stages in findings.cells.items()
        for stage, one in stages.items()
        for state in one.states
    ]
    return Table(
        header=(
            "cell", "stage", f"factor over {span} tokens", "× a token", "verdict",
            "spectral radius", "singular value", "clipped, %",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _line(
    cell: str, stage: str, state: str, one: inside.StageGradients
) -> tuple[str, ...]:
    way, matrices = one.states[state], one.matrices.values()
    return (
        f"{cell}, {state}", stage, with_range(way), f"{10**way.slope:.3f}", way.verdict,
        _range([m.spectral_radius for m in matrices]),
        _range([m.singular_value for m in matrices]), f"{100 * one.clipped:.0f}",
    )  # fmt: skip


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low}–{high}"


def notes(findings: inside.GradientsFindings, distance: int) -> tuple[str, ...]:
    """Says what was measured, and what the verdicts mean."""
    span, most = findings.span, short(findings.threshold)
    return (
        unrolled.of_accuracies(findings.accuracy),
        f"Norms of the derivative of each text's cross-entropy by the hidden state h, "
        f"in the LSTM also by the memory cell c, for the {findings.texts} longest "
        f"test texts; all of them have {distance + 1} tokens or more.",
        f"Vanishing: the 95 % interval of the factor over {span} tokens is below "
        f"1/{most}; exploding: above {most}; steady: between; else not decided.",
        "× a token: what each token multiplies it by, from the slope of a line through "
        "all distances. Of a gradient that falls within few tokens and then no more, "
        "that is nearer to 1 than the factor would have it.",
        _about_clipping(findings),
        "Spectral radius and largest singular value are those of the recurrent matrix; "
        "where a cell has several, the least and the greatest. Keras initialises that "
        "of a plain RNN as an orthogonal matrix, with all singular values 1 (Saxe, "
        "McClelland & Ganguli 2014, arXiv:1312.6120); the gates' matrices are parts of "
        "one such matrix. With the recipe's small word vectors, which keep tanh nearly "
        "straight, a plain network's gradient is steady at the start for both reasons: "
        "see `seqclf study flow`.",
    )


def _about_clipping(findings: inside.GradientsFindings) -> str:
    if not findings.clip_norm:
        return "Clipped: no gradient was, as --clip-norm 0 asked."
    return (
        f"Clipped: of {findings.batches} training batches, with dropout and word "
        f"dropout, those whose gradient norm exceeded {findings.clip_norm:g}."
    )


def figure(answer: Answer[inside.GradientsFindings]) -> str:
    """Draws the norms against the distance from the last token, stage by stage."""
    rows: tuple[inside.GradientRow, ...] = answer.rows

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(STAGES), sharey=True)
        for axes, stage in zip(panels, STAGES, strict=True):
            _draw_stage(axes, [row for row in rows if row.stage == stage])
            axes.set(yscale="log", xlabel="tokens from the end")
            axes.set_title(stage, fontsize=10)
            axes.grid(alpha=0.25)
        least = min(row.median for row in rows)
        if least < LOWEST_DRAWN:
            panels[0].set_ylim(bottom=LOWEST_DRAWN)
        panels[0].yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
        panels[0].set_ylabel("norm of the gradient")
        legend(figure, panels)

    return drawn(draw, "gradients", 9.2, 3.8)


def power_of_ten(value: float) -> str:
    """Returns a label such as `10⁻⁹`."""
    digits = str(round(math.log10(value)))
    return "10" + digits.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _draw_stage(axes: Any, rows: Sequence[inside.GradientRow]) -> None:
    """Draws medians, the quartiles around them, and the LSTM's h more faintly."""
    for cell, state in dict.fromkeys((row.cell, row.state) for row in rows):
        curve = [row for row in rows if (row.cell, row.state) == (cell, state)]
        x = [row.distance for row in curve]
        is_memory = unrolled.inside_of(cell).memory == state
        look = style(cell) | {"markevery": max(len(x) // 6, 1), "markersize": 5}
        if not is_memory:
            look |= {"linewidth": 1, "alpha": 0.6, "markerfacecolor": "none"}
        name = _name(cell, state)
        parts = axes.plot(x, [row.median for row in curve], label=name, **look)
        if is_memory:
            band = {"color": look["color"], "alpha": 0.15, "linewidth": 0}
            low, high = [row.low for row in curve], [row.high for row in curve]
            parts.append(axes.fill_between(x, low, high, **band))
        read = [
            Place(
                one.distance, str(one.distance), _ranged(one.median, one.low, one.high)
            )
            for one in curve
        ]
        readable(axes, name, read, parts, "quartiles of the texts")


def _name(cell: str, state: str) -> str:
    if unrolled.inside_of(cell).memory == "h":
        return cell
    return f"{cell}, memory cell c" if state == "c" else f"{cell}, hidden state h"
