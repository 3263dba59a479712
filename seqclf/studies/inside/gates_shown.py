"""What `gates` found: sentence, table and notes; `gates_drawn` has the figure."""

from __future__ import annotations

from seqclf.cells import LSTM
from seqclf.records.inside import Effect, GatesFindings, HalfLife
from seqclf.report.table import Table
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.gates_counted import LONGEST_HALF_LIFE
from seqclf.studies.inside.unrolled import inside_of
from seqclf.studies.question import Question

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


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


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
    parts = [
        _remembers(cell, one.half_life) for cell, one in cells.items() if one.half_life
    ]
    lstm = cells.get(LSTM.name)
    if lstm and lstm.exposed:
        parts.append(
            f"the LSTM shows {_percent(lstm.exposed.mean)} of its memory "
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
    drawn_texts = (
        "the texts that were given" if question.texts else "test texts of two labels"
    )
    return (
        unrolled.of_accuracies(findings.accuracy),
        f"Counted over {findings.tokens:,} tokens of {findings.texts} test "
        f"texts, evenly spread over the split. Gates and states were recomputed "
        f"from the weights; they differ from the layers' own states by at most "
        f"{findings.difference:.1g}.",
        "Half-life: ln 0.5 / mean ln of the forget gate (LSTM) or of the update gate "
        "(GRU), by the direct way alone. Plain RNNs have neither.",
        f"Drawn: {drawn_texts}, at most the first {MOST_TOKENS} tokens; "
        f"{MOST_UNITS} units of each cell at most, the same in all its panels, from "
        f"the shortest memory (above) to the longest; words unknown to the vocabulary "
        f"in brackets. The models read the whole text.",
    )
