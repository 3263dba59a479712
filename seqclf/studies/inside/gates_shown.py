"""What `gates` found, in a sentence, a table and a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.report.figures import clipped, drawn, legend, short, style
from seqclf.report.svg import INK
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.activations import GATES, KEEPS, STATES
from seqclf.studies.question import Answer, Question, Record, Table

BINS = 10
LONGEST_HALF_LIFE = 1e6
MOST_TOKENS, MOST_UNITS = 60, 16  # drawn
FIT_TO_DRAW = (8, 24)  # tokens of a text that is chosen to be drawn
# Of an effect: the gate, and whether it shall be small where the gate is open.
EFFECTS = {"copying": ("update", True), "dropping": ("reset", False)}
SAID = {
    "copying": "the GRU's state moves",
    "dropping": "the old state moves the candidate",
}
WHERE = {
    "copying": ("z > 0.9", "z < 0.1"),
    "dropping": ("r < 0.1", "r > 0.9"),
    "copying_tenths": ("the tenth of the greatest z", "that of the least"),
    "dropping_tenths": ("the tenth of the least r", "that of the greatest"),
}
GATE_MARKERS = {"update": "^", "reset": "v", "input": "o", "forget": "D", "output": "s"}

# A text's words, and by (cell, gate) values [units, tokens].
Block = tuple[list[str], dict[tuple[str, str], np.ndarray]]


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _share(value: float) -> str:
    """Returns a share in per cent; what is rare is not rounded away to nothing."""
    return "< 0.5" if 0 < value < 0.005 else f"{100 * value:.0f}"


def _tokens(value: float) -> str:
    if value >= LONGEST_HALF_LIFE:
        return "1,000,000 or more"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def sentence(findings: Record, models: str) -> str:
    """Says how long the cells remember, what they show, and what their gates do.

    Args:
      findings: See `gates.run`.
      models: What the figures stand for.
    """
    cells: Mapping[str, Record] = findings["cells"]
    parts = [_remembers(cell, one) for cell, one in cells.items() if one["half_life"]]
    if cells.get("lstm"):
        shown = cells["lstm"]["exposed"]
        parts.append(
            f"the LSTM shows {_percent(shown['mean'])} of its memory "
            f"(‖h‖ by ‖tanh c‖), the GRU, by its formula, all of its state"
        )
    parts += [
        f"the {gate} gate of {cell} stays {one['state']}"
        for cell, values in cells.items()
        for gate, one in values["gates"].items()
        if one["state"] != "in use"
    ]
    if findings["copying"]:
        parts += [_effect_of(name, findings) for name in EFFECTS]
    about = f"({models}, {findings['texts']} test texts, over which the intervals are)."
    return f"{_capital('; '.join(parts) or 'Plain RNNs have no gates')} {about}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _remembers(cell: str, one: Record) -> str:
    half = one["half_life"]
    return (
        f"by its {KEEPS[cell]} gate the median unit of {cell} has lost half of what it "
        f"holds after {_tokens(half['median'])} tokens (quartiles "
        f"{_tokens(half['low'])} and {_tokens(half['high'])})"
    )


def _effect_of(name: str, findings: Record) -> str:
    """Says what was found at the bounds, or else between the outer tenths."""
    kind = name if findings[name]["ratio"] is not None else f"{name}_tenths"
    one, (small, large) = findings[kind], WHERE[kind]
    if one["ratio"] is None:
        return f"of where {SAID[name]} nothing can be said"
    bounds = (one["low"], one["high"])
    reach = "" if None in bounds else " ({:.2g} to {:.2g})".format(*bounds)
    return (
        f"at {small}, {SAID[name]} {one['ratio']:.2g} times{reach} as far as at {large}"
    )


def table(findings: Record) -> Table:
    """Returns a line a gate, or a cell that has none."""
    rows: list[tuple[str, ...]] = []
    for cell, one in findings["cells"].items():
        for gate, values in one["gates"].items():
            shown = [f"{values['mean']:.2f}"]
            shown += [_share(values[key]) for key in ("low", "high")]
            half = one["half_life"] if KEEPS[cell] == gate else None
            rows.append((f"{cell}, {gate}", *shown, values["state"], *_lives(half)))
        if not one["gates"]:
            size = (f"{one['size']:.2f}", "–", _share(one["saturated"]))
            rows.append((f"{cell}, |hidden|", *size, "–", *_lives(None)))
    return Table(
        header=(
            "gate", "mean", "< 0.1, %", "> 0.9, %", "the gate is",
            "half-life, tokens (quartiles)", "units > 10, %", "units > 100, %",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _lives(half: Record | None) -> tuple[str, str, str]:
    if half is None:
        return "–", "–", "–"
    low, high = _tokens(half["low"]), _tokens(half["high"])
    return (
        f"{_tokens(half['median'])} ({low} to {high})",
        _share(half["above_10"]),
        _share(half["above_100"]),
    )


def notes(findings: Record, question: Question) -> tuple[str, ...]:
    """Says what was counted, and what is drawn."""
    drawn_texts = (
        "the texts that were given" if question.texts else "test texts of two labels"
    )
    return (
        unrolled.of_accuracies(findings["accuracy"]),
        f"Counted over {findings['tokens']:,} tokens of {findings['texts']} test "
        f"texts, evenly spread over the split. Gates and states were computed anew "
        f"from the weights; they differ from the layers' own states by at most "
        f"{findings['difference']:.1g}.",
        "Half-life: ln 0.5 / mean ln of the forget gate (LSTM) or of the update gate "
        "(GRU), by the direct way alone. Plain RNNs have neither.",
        f"Drawn: {drawn_texts}, at most the first {MOST_TOKENS} tokens; "
        f"{MOST_UNITS} units of each cell at most, the same in all its panels, from "
        f"the shortest memory (above) to the longest; words unknown to the vocabulary "
        f"in brackets. The models read the whole text.",
    )


def figure(answer: Answer) -> str:
    """Draws half-lives, saturation and effects, and below them token by token."""
    rows = answer.rows
    blocks = _blocks([row for row in rows if row["part"] == "token"])
    columns = 2 if max(len(words) for words, _ in blocks) <= FIT_TO_DRAW[1] + 4 else 1
    columns = min(columns, len(blocks))
    lines = math.ceil(len(blocks) / columns)
    panels = sum(len(GATES[cell] + STATES[cell]) for cell in answer.findings["cells"])
    height = 1.0 + 0.42 * panels

    def draw(figure: Any) -> None:
        above, *below, bars = figure.subfigures(
            2 + lines, 1, height_ratios=[3.2, *[height] * lines, 0.8]
        )
        _draw_summary(above, answer)
        places = [
            place
            for line in below
            for place in np.atleast_1d(line.subfigures(1, columns, squeeze=True))
        ]
        for place, (words, values) in zip(places, blocks, strict=False):
            _draw_text(place, words, values)
        _draw_bars(bars)

    return drawn(draw, "gates", 10.2, 4.0 + height * lines)


def _blocks(rows: Sequence[Record]) -> list[Block]:
    """Returns each text's words, and by (cell, gate) values [units, tokens]."""
    by_text: dict[int, dict[tuple[str, str], list[Record]]] = {}
    for row in rows:
        panels = by_text.setdefault(row["text"], {})
        panels.setdefault((row["cell"], row["gate"]), []).append(row)
    blocks: list[Block] = []
    for panels in by_text.values():
        first = next(iter(panels.values()))
        words = {row["position"]: row["token"] for row in first}
        values = {
            key: np.array([row["value"] for row in some]).reshape(len(words), -1).T
            for key, some in panels.items()
        }
        blocks.append(([str(word) for word in words.values()], values))
    return blocks


def _draw_text(
    place: Any, words: Sequence[str], values: Mapping[tuple[str, str], np.ndarray]
) -> None:
    panels = np.atleast_1d(place.subplots(len(values), 1, sharex=True))
    for axes, ((cell, gate), matrix) in zip(panels, values.items(), strict=True):
        if gate in GATES[cell]:
            look = {"cmap": "cividis", "vmin": 0, "vmax": 1}
        else:
            most = max(float(np.abs(matrix).max()), 1e-9)
            look = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
        axes.imshow(matrix, aspect="auto", interpolation="nearest", **look)
        axes.set_yticks([])
        reach = f" ±{look['vmax']:.2g}" if gate in STATES[cell] else ""
        name = f"{cell} {gate}{reach}"
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        axes.tick_params(length=0)
    panels[-1].set_xticks(
        range(len(words)),
        [clipped(word, 14) for word in words],
        rotation=90,
        fontsize=8,
    )


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


def _draw_summary(place: Any, answer: Answer) -> None:
    lives, saturation, effects = place.subplots(1, 3)
    _draw_half_lives(lives, [r for r in answer.rows if r["part"] == "half-life"])
    _draw_saturation(saturation, [r for r in answer.rows if r["part"] == "unit"])
    _draw_effects(effects, [r for r in answer.rows if r["part"] == "bin"])
    for axes in (lives, saturation, effects):
        axes.grid(alpha=0.25)
    legend(place, [lives])


def _draw_half_lives(axes: Any, rows: Sequence[Record]) -> None:
    for cell in dict.fromkeys(row["cell"] for row in rows):
        values = sorted(row["value"] for row in rows if row["cell"] == cell)
        shares_below = [100 * (i + 1) / len(values) for i in range(len(values))]
        look = style(cell) | {"marker": ""}
        axes.plot(values, shares_below, label=cell, **look)
    axes.set_xscale("log")
    axes.set_xlim(0.1, max([100, *(row["value"] for row in rows)]) * 1.5)
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.minorticks_off()
    axes.set_xlabel("memory half-life, tokens")
    axes.set_ylabel("units below, %")


def _draw_saturation(axes: Any, rows: Sequence[Record]) -> None:
    """Draws a mark a unit: how often its gate is nearly shut, and nearly open."""
    for cell, gate in dict.fromkeys((row["cell"], row["gate"]) for row in rows):
        some = [r for r in rows if (r["cell"], r["gate"]) == (cell, gate)]
        look = {"marker": GATE_MARKERS[gate], "color": style(cell)["color"]}
        filled = {} if gate in KEEPS.values() else {"facecolors": "none"}
        axes.scatter(
            [100 * row["low"] for row in some], [100 * row["high"] for row in some],
            s=14, alpha=0.6, linewidths=0.8, label=gate, **{**look, **filled},
        )  # fmt: skip
    axes.plot([0, 100], [100, 0], color=INK, linewidth=0.6, alpha=0.5)
    axes.set_xlim(-5, 105)
    axes.set_ylim(-5, 105)
    axes.set_xlabel("tokens with gate < 0.1, %")
    axes.set_ylabel("tokens with gate > 0.9, %")
    if rows:
        axes.legend(fontsize=8, loc="upper right")


def _draw_effects(axes: Any, rows: Sequence[Record]) -> None:
    """Draws how far things move by the value of the GRU's gates."""
    names = {"update": "state, by update gate", "reset": "candidate, by reset gate"}
    for gate, line in (("update", "-"), ("reset", ":")):
        means = [
            [r["value"] for r in rows if (r["gate"], r["position"]) == (gate, place)]
            for place in range(BINS)
        ]
        points = [
            ((place + 0.5) / BINS, float(np.mean([v for v in some if v is not None])))
            for place, some in enumerate(means)
            if any(v is not None for v in some)
        ]
        if points:
            x, y = zip(*points, strict=True)
            look = {"color": style("gru")["color"], "marker": GATE_MARKERS[gate]}
            axes.plot(x, y, linestyle=line, label=names[gate], **look)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("value of the gate (gru)")
    axes.set_ylabel("moved by, on average")
    if rows:
        axes.legend(fontsize=8)
