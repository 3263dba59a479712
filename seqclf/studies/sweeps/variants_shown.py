"""What `depth` and `mix` found: sentence, table and figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.comparison.verdict import title
from seqclf.records.sweeps import Variant, VariantsFindings
from seqclf.report import figures
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.drawing import bar, name_lines
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import sweep
from seqclf.wording import MISSING, p_value, points_at_length, with_interval


def sentence(question: Question, found: VariantsFindings) -> str:
    """Says which variants differ from the plain one, and no more."""
    compared = [(one, one.apart) for one in found.variants if one.apart]
    told = [(one, apart) for one, apart in compared if apart.p < SIGNIFICANCE]
    said = [
        f"{title(one.cell)}, {one.variant}: "
        + points_at_length(apart.difference, apart.low, apart.high)
        for one, apart in sorted(told, key=lambda pair: -abs(pair[1].difference))
    ]
    plain, rest = found.plain, len(compared) - len(told)
    parts = [f"Beside {plain}, the plain one: {'; '.join(said)}."] if said else []
    if rest and said:
        parts.append(
            f"The other {rest} of {len(compared)} comparisons show no difference."
        )
    elif rest:
        parts.append(
            f"None of {rest} comparisons with the plain network, {plain}, shows a "
            f"difference."
        )
    parts.append(f"p is adjusted for {len(compared)} comparisons (Holm).")
    trials = len(found.variants) * len(question.seeds)
    return " ".join([*parts, sweep.scope(question, trials)])


def table(variants: Sequence[Variant]) -> Table:
    """Returns a line a variant and cell."""
    header = (
        "variant", "cell", "test accuracy, %", "to the plain one, points", "p",
        "parameters",
    )  # fmt: skip
    return Table(header=header, rows=tuple(map(_line, variants)))


def _line(one: Variant) -> tuple[str, ...]:
    said, apart = (MISSING, MISSING), one.apart
    if apart is not None:
        points = with_interval(apart.difference, apart.low, apart.high)
        said = (points, p_value(apart.p))
    accuracy = with_interval(one.accuracy.mean, one.accuracy.low, one.accuracy.high)
    return (one.variant, one.cell, accuracy, *said, f"{one.parameters:,}")


def figure(answer: Answer[VariantsFindings]) -> str:
    """Draws each variant's accuracy, and its difference to the plain one, by cell."""
    variants = answer.findings.variants
    names = list(dict.fromkeys(one.variant for one in variants))
    cells = list(dict.fromkeys(one.cell for one in variants))

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for one in variants:
            index, line = cells.index(one.cell), names.index(one.variant)
            place = line + 0.18 * (index - (len(cells) - 1) / 2)
            look = figures.style(one.cell, index) | {"capsize": 2}
            named = look | {"label": None if line else one.cell}
            own, apart = one.accuracy, one.apart
            bar(left, place, own.mean, own.low, own.high, named)
            if apart is not None:
                face = {} if apart.p < SIGNIFICANCE else {"markerfacecolor": "none"}
                bar(right, place, apart.difference, apart.low, apart.high, look | face)
        right.axvline(0, color=INK, linewidth=0.8)
        name_lines(left, names)
        left.set_xlabel("test accuracy, %")
        right.set_xlabel(f"difference to {names[0]}, points (filled: p < 0.05)")
        for axes in (left, right):
            axes.grid(axis="x", alpha=0.25)
        figures.legend(figure, [left])

    return figures.drawn(draw, answer.study, 9.2, 1.4 + 0.55 * len(names))
