"""What `flow` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.comparison.said import title
from seqclf.records.flow import FlowFindings, FlowPoint
from seqclf.report.figures import drawn, legend, short, style
from seqclf.report.readings import Place, readable
from seqclf.report.table import Table
from seqclf.studies.inside.gradients_judged import LIMIT
from seqclf.studies.inside.gradients_shown import power_of_ten, scientific, with_range
from seqclf.studies.question import Answer

# Of the dials: on the axes, and in table and sentences.
TITLES = {
    "inputs": "inputs, between plus and minus",
    "matrix": "recurrent matrix, times",
    "opening": "bias of the keeping gate",
}
SHORT = {"inputs": "inputs ±", "matrix": "matrix ×", "opening": "gate bias "}
LOWEST_DRAWN, HIGHEST_DRAWN = 1e-24, 1e12


def sentence(findings: FlowFindings) -> str:
    """Says what the gradients are as Keras starts, and how far the dials move them."""
    said = []
    for cell, points in findings.cells.items():
        usual = next(one for one in points if one.is_usual)
        factors = [one.way.factor for one in points]
        reach = f"{scientific(min(factors))} to {scientific(max(factors))}"
        now = f"{scientific(usual.way.factor)}, {usual.way.verdict}"
        said.append(f"{title(cell)} {now} ({reach} by the dials)")
    return (
        f"Before any training, the gradient norm {findings.span} tokens before the "
        f"end, relative to the last token, as Keras starts with small inputs: "
        f"{'; '.join(said)}. What vanishes depends on the initialisation."
    )


def table(findings: FlowFindings) -> Table:
    """Returns a line a cell and place of a dial."""
    return Table(
        header=(
            "cell", "dial", f"factor over {findings.span} tokens", "verdict",
            "by the memory's own way",
        ),
        rows=tuple(
            _line(cell, one)
            for cell, points in findings.cells.items()
            for one in points
        ),
    )  # fmt: skip


def _line(cell: str, one: FlowPoint) -> tuple[str, ...]:
    place = said_at(one) + (", usual" if one.is_usual else "")
    own = "–" if one.by_memory is None else scientific(one.by_memory)
    factor = scientific(one.way.factor)
    return cell, place, factor, one.way.verdict, own


def said_at(one: FlowPoint) -> str:
    """Returns where a dial stands, such as `inputs ±0.02`."""
    return f"{SHORT[one.dial]}{one.value:.3g}"


def notes(findings: FlowFindings) -> tuple[str, ...]:
    """Says what was measured, and what the columns mean."""
    most = short(10**LIMIT)
    kept = ", ".join(
        f"{cell} {'its cell c' if state == 'c' else 'its state h'}"
        for cell, state in findings.memory.items()
    )
    return (
        f"{findings.networks} networks of each setting, of {findings.units} inputs and "
        f"{findings.units} units, drawn as the twins are; nothing is trained. The "
        f"gradient is by what is kept from token to token: {kept}.",
        f"Vanishing: the 95 % interval of the factor is below 1/{most}; exploding: "
        f"above {most}; steady: between; else not decided.",
        "Inputs of ±1.73 have variance 1, as in textbooks; those of ±0.02 are the "
        "recipe's word vectors before training, as are the usual places of the others.",
        "The memory's own way: what the formula of the keeping gate, or of tanh and "
        "the recurrent matrix, passes back. What is more comes by the other ways "
        "through the recurrent matrices.",
        "Keras starts the recurrent matrix orthogonal, which stretches nothing, and "
        "small inputs keep tanh where it is nearly straight: a plain network passes "
        "its gradient on. It takes both. With larger inputs it vanishes as the "
        "textbooks have it, and with a matrix that stretches it explodes.",
        "Trained networks are another matter: `seqclf study gradients`.",
    )


def figure(answer: Answer[FlowFindings]) -> str:
    """Draws the factor against each dial, the usual place filled."""
    findings = answer.findings
    dials = [
        dial
        for dial in TITLES
        if any(one.dial == dial for some in findings.cells.values() for one in some)
    ]

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(dials), sharey=True, squeeze=False)[0]
        for axes, dial in zip(panels, dials, strict=True):
            axes.axhspan(
                10**-LIMIT, 10**LIMIT, color="#777777", alpha=0.12, linewidth=0
            )
            for cell, points in findings.cells.items():
                _draw_cell(axes, cell, [one for one in points if one.dial == dial])
            places = [f"{value:.3g}" for value in _places(findings, dial)]
            axes.set_xticks(range(len(places)), places)
            axes.set(yscale="log", ylim=(LOWEST_DRAWN, HIGHEST_DRAWN))
            axes.set_xlabel(TITLES[dial])
            axes.grid(alpha=0.25)
        panels[0].yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
        panels[0].set_ylabel(f"gradient left over {findings.span} tokens")
        legend(figure, panels)

    return drawn(draw, "flow", 9.2, 3.8)


def _places(findings: FlowFindings, dial: str) -> list[float]:
    found = {
        one.value
        for some in findings.cells.values()
        for one in some
        if one.dial == dial
    }
    return sorted(found)


def _draw_cell(axes: Any, cell: str, points: Sequence[FlowPoint]) -> None:
    """Draws a cell's line over a dial, if it has it; the usual place is filled."""
    if not points:
        return
    values = [max(one.way.factor, LOWEST_DRAWN) for one in points]
    usual = [place for place, one in enumerate(points) if one.is_usual]
    look = style(cell)
    lines = axes.plot(
        range(len(points)), values, label=cell, markerfacecolor="none", **look
    )
    filled = look | {"linestyle": "none"}
    lines += axes.plot(usual, [values[place] for place in usual], **filled)
    read = [
        Place(place, f"{one.value:.3g}", with_range(one.way))
        for place, one in enumerate(points)
    ]
    readable(axes, cell, read, lines, "95 % interval")
