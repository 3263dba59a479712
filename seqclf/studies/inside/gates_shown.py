"""What `gates` found: sentence, table, notes and figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.cells import GRU, LSTM
from seqclf.records.inside import Effect, GateRow, GatesFindings, HalfLife
from seqclf.report.figures import clipped, drawn, legend, short, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.gates_counted import BINS, LONGEST_HALF_LIFE, RESET, UPDATE
from seqclf.studies.inside.unrolled import inside_of
from seqclf.studies.question import Answer, Question, grouped

MOST_TOKENS, MOST_UNITS = 60, 16  # drawn
FIT_TO_DRAW = (8, 24)  # tokens of a text that is chosen to be drawn
Ends = tuple[str, str]  # names where an effect should be small, and where large
# What moves; at the ends of a gate; at its outer tenths.
COPYING: tuple[str, Ends, Ends] = (
    "the GRU's state moves",
    ("z > 0.9", "z < 0.1"),
    ("the tenth of the greatest z", "that of the least"),
)
DROPPING: tuple[str, Ends, Ends] = (
    "the old state moves the candidate",
    ("r < 0.1", "r > 0.9"),
    ("the tenth of the least r", "that of the greatest"),
)

GATE_MARKERS = {UPDATE: "^", RESET: "v", "input": "o", "forget": "D", "output": "s"}

# A text's words, and by (cell, gate) values [units, tokens].
Block = tuple[list[str], dict[tuple[str, str], np.ndarray]]


def _share(value: float) -> str:
    """Returns a share in per cent; a rare one is not rounded to 0."""
    return "< 0.5" if 0 < value < 0.005 else f"{100 * value:.0f}"


def _tokens(value: float) -> str:
    if value >= LONGEST_HALF_LIFE:
        return "1,000,000 or more"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def sentence(findings: GatesFindings, models: str) -> str:
    """Says how long the cells remember, what they show, and what their gates do.

    `models` names what the numbers are about, such as `one model of each cell`.
    """
    cells = findings.cells
    parts = [_remembers(c, one.half_life) for c, one in cells.items() if one.half_life]
    lstm = cells.get(LSTM.name)
    if lstm and lstm.exposed:
        parts.append(
            f"the LSTM shows {100 * lstm.exposed.mean:.0f} % of its memory "
            f"(‖h‖ by ‖tanh c‖), the GRU, by its formula, all of its state"
        )
    parts += [
        f"the {gate} gate of {cell} stays {one.state}"
        for cell, values in cells.items()
        for gate, one in values.gates.items()
        if one.state != "in use"
    ]
    parts += _effect_of(COPYING, findings.copying, findings.copying_tenths)
    parts += _effect_of(DROPPING, findings.dropping, findings.dropping_tenths)
    about = f"({models}, {findings.texts} test texts, over which the intervals are)."
    said = "; ".join(parts) or "Plain RNNs have no gates"
    return f"{said[0].upper()}{said[1:]} {about}"


def _remembers(cell: str, half: HalfLife) -> str:
    return (
        f"by its {inside_of(cell).keeps} gate the median unit of {cell} has lost half "
        f"of what it holds after {_tokens(half.median)} tokens (quartiles "
        f"{_tokens(half.low)} and {_tokens(half.high)})"
    )


def _effect_of(
    words: tuple[str, Ends, Ends], one: Effect | None, tenths: Effect | None
) -> list[str]:
    """Says what was found at the gate's ends, or else at its outer tenths."""
    if one is None or tenths is None:
        return []
    what, (small, large), outer = words
    if one.ratio is None:
        one, (small, large) = tenths, outer
    if one.ratio is None:
        return [f"of where {what} nothing can be said"]
    has_bounds = one.low is not None and one.high is not None
    reach = f" ({one.low:.2g} to {one.high:.2g})" if has_bounds else ""
    return [f"at {small}, {what} {one.ratio:.2g} times{reach} as far as at {large}"]


def table(findings: GatesFindings) -> Table:
    """Returns a line a gate, or a cell that has none."""
    rows: list[tuple[str, ...]] = []
    for cell, one in findings.cells.items():
        for gate, values in one.gates.items():
            shown = (f"{values.mean:.2f}", _share(values.low), _share(values.high))
            half = one.half_life if gate == inside_of(cell).keeps else None
            rows.append((f"{cell}, {gate}", *shown, values.state, *_lives(half)))
        if not one.gates:
            size = (f"{one.size:.2f}", "–", _share(one.saturated))
            rows.append((f"{cell}, |hidden|", *size, "–", *_lives(None)))
    return Table(
        header=(
            "gate", "mean", "< 0.1, %", "> 0.9, %", "the gate is",
            "half-life, tokens (quartiles)", "units > 10, %", "units > 100, %",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _lives(half: HalfLife | None) -> tuple[str, str, str]:
    if half is None:
        return "–", "–", "–"
    return (
        f"{_tokens(half.median)} ({_tokens(half.low)} to {_tokens(half.high)})",
        _share(half.above_10),
        _share(half.above_100),
    )


def notes(findings: GatesFindings, question: Question) -> tuple[str, ...]:
    """Says what was counted, and what is drawn."""
    kind = "the texts that were given" if question.texts else "test texts of two labels"
    return (
        unrolled.of_accuracies(findings.accuracy),
        f"Counted over {findings.tokens:,} tokens of {findings.texts} test "
        f"texts, evenly spread over the split. Gates and states were recomputed "
        f"from the weights; they differ from the layers' own states by at most "
        f"{findings.difference:.1g}.",
        "Half-life: ln 0.5 / mean ln of the forget gate (LSTM) or of the update gate "
        "(GRU), by the direct way alone. Plain RNNs have neither.",
        f"Drawn: {kind}, at most the first {MOST_TOKENS} tokens; "
        f"{MOST_UNITS} units of each cell at most, the same in all its panels, from "
        f"the shortest memory (above) to the longest; words unknown to the vocabulary "
        f"in brackets. The models read the whole text.",
    )


def figure(answer: Answer[GatesFindings]) -> str:
    """Draws half-lives, saturation and effects, and below them token by token."""
    rows: tuple[GateRow, ...] = answer.rows
    blocks = _blocks([row for row in rows if row.part == "token"])
    columns = 2 if max(len(words) for words, _ in blocks) <= FIT_TO_DRAW[1] + 4 else 1
    columns = min(columns, len(blocks))
    lines = math.ceil(len(blocks) / columns)
    panels = sum(len(unrolled.shown_of(cell)) for cell in answer.findings.cells)
    height = 1.0 + 0.42 * panels

    def draw(figure: Any) -> None:
        above, *below, bars = figure.subfigures(
            2 + lines, 1, height_ratios=[3.2, *[height] * lines, 0.8]
        )
        _draw_summary(above, rows)
        places = [
            place
            for line in below
            for place in np.atleast_1d(line.subfigures(1, columns, squeeze=True))
        ]
        for place, (words, values) in zip(places, blocks, strict=False):
            _draw_text(place, words, values)
        _draw_bars(bars)

    return drawn(draw, "gates", 10.2, 4.0 + height * lines)


def _blocks(rows: Sequence[GateRow]) -> list[Block]:
    """Returns each text's words, and by (cell, gate) values [units, tokens]."""
    blocks: list[Block] = []
    for of_text in grouped((row.text, row) for row in rows).values():
        panels = grouped(((row.cell, row.gate or ""), row) for row in of_text)
        first = next(iter(panels.values()))
        words = {row.position: row.token for row in first}
        values = {
            key: np.array([row.value for row in some]).reshape(len(words), -1).T
            for key, some in panels.items()
        }
        blocks.append(([str(word) for word in words.values()], values))
    return blocks


def _draw_text(
    place: Any, words: Sequence[str], values: Mapping[tuple[str, str], np.ndarray]
) -> None:
    panels = np.atleast_1d(place.subplots(len(values), 1, sharex=True))
    for axes, ((cell, gate), matrix) in zip(panels, values.items(), strict=True):
        inside = inside_of(cell)
        if gate in inside.gates:
            look = {"cmap": "cividis", "vmin": 0, "vmax": 1}
        else:
            most = max(float(np.abs(matrix).max()), 1e-9)
            look = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
        axes.imshow(matrix, aspect="auto", interpolation="nearest", **look)
        axes.set_yticks([])
        reach = f" ±{look['vmax']:.2g}" if gate in inside.states else ""
        name = f"{cell} {gate}{reach}"
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        axes.tick_params(length=0)
    names = [clipped(word, 14) for word in words]
    panels[-1].set_xticks(range(len(words)), names, rotation=90, fontsize=8)


def _draw_bars(place: Any) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    panels = place.subplots(1, 2)
    kinds: tuple[tuple[str, str, dict[float, str]], ...] = (
        ("gate", "cividis", {0: "0, shut", 0.5: "0.5", 1: "1, open"}),
        ("state or candidate", "RdBu_r", {-1: "−", 0: "0", 1: "+, its greatest"}),
    )
    for axes, (name, colours, ticks) in zip(panels, kinds, strict=True):
        mapping = ScalarMappable(Normalize(min(ticks), 1), colours)
        bar = place.colorbar(mapping, cax=axes, orientation="horizontal", label=name)
        bar.set_ticks(list(ticks), labels=list(ticks.values()))


def _draw_summary(place: Any, rows: Sequence[GateRow]) -> None:
    panels = place.subplots(1, 3)
    draws = (_draw_half_lives, _draw_saturation, _draw_effects)
    for axes, draw in zip(panels, draws, strict=True):
        draw(axes, rows)
        axes.grid(alpha=0.25)
    legend(place, panels[:1])


def _draw_half_lives(axes: Any, rows: Sequence[GateRow]) -> None:
    by_cell = grouped(
        (row.cell, row.value)
        for row in rows
        if row.part == "half-life" and row.value is not None
    )
    for cell, values in by_cell.items():
        shares_below = [100 * (i + 1) / len(values) for i in range(len(values))]
        look = style(cell) | {"marker": ""}
        axes.plot(sorted(values), shares_below, label=cell, **look)
    most = max([100, *map(max, by_cell.values())])
    axes.set(xscale="log", xlim=(0.1, 1.5 * most))
    axes.set(xlabel="memory half-life, tokens", ylabel="units below, %")
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.minorticks_off()


def _draw_saturation(axes: Any, rows: Sequence[GateRow]) -> None:
    """Draws a mark a unit: how often its gate is nearly shut, and nearly open."""
    by_gate = grouped(
        ((row.cell, row.gate or ""), (100 * row.low, 100 * row.high))
        for row in rows
        if row.part == "unit" and row.low is not None and row.high is not None
    )
    for (cell, gate), marks in by_gate.items():
        x, y = zip(*marks, strict=True)
        look = {"marker": GATE_MARKERS[gate], "color": style(cell)["color"]}
        face = {} if gate == inside_of(cell).keeps else {"facecolors": "none"}
        axes.scatter(x, y, s=14, alpha=0.6, linewidths=0.8, label=gate, **look, **face)
    axes.plot([0, 100], [100, 0], color=INK, linewidth=0.6, alpha=0.5)
    axes.set(xlim=(-5, 105), ylim=(-5, 105))
    axes.set(xlabel="tokens with gate < 0.1, %", ylabel="tokens with gate > 0.9, %")
    if by_gate:
        axes.legend(fontsize=8, loc="upper right")


def _draw_effects(axes: Any, rows: Sequence[GateRow]) -> None:
    """Draws how far things move by the value of the GRU's gates."""
    bins = [row for row in rows if row.part == "bin" and row.cell == GRU.name]
    names = {UPDATE: "state, by update gate", RESET: "candidate, by reset gate"}
    for gate, line in ((UPDATE, "-"), (RESET, ":")):
        by_place = grouped(
            (row.position, row.value)
            for row in bins
            if row.gate == gate and row.position is not None and row.value is not None
        )
        if by_place:
            x = [(place + 0.5) / BINS for place in sorted(by_place)]
            y = [float(np.mean(by_place[place])) for place in sorted(by_place)]
            look = {"color": style(GRU.name)["color"], "marker": GATE_MARKERS[gate]}
            axes.plot(x, y, linestyle=line, label=names[gate], **look)
    axes.set(xlim=(0, 1), ylim=(0, None))
    axes.set(xlabel="value of the gate (gru)", ylabel="moved by, on average")
    if bins:
        axes.legend(fontsize=8)
