"""Variants of the network beside the plain one: the reading of `depth` and `mix`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from seqclf.comparison.pairs import SIGNIFICANCE, right_answers
from seqclf.comparison.verdict import title
from seqclf.data.dataset import TEST
from seqclf.records.sweeps import Difference, Variant, VariantsFindings
from seqclf.report import figures
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies import intervals
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import sweep
from seqclf.studies.sweeps.sweep import Point, Trained
from seqclf.wording import interval, points_at_length, signed, with_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Name and title of a study, and its note."""

    study: str
    title: str
    note: str


def read(
    question: Question, trained: Sequence[Trained], words: Words
) -> Answer[VariantsFindings]:
    """Compares each variant with the plain one, the first point, within its cell.

    Args:
      question: What was asked.
      trained: The trainings.
      words: What the study is called, and what is to be noted.
    """
    every = sweep.points_of(trained)
    found = [
        _variant(trained, cell, point, every[0])
        for point in every
        for cell in question.cells
    ]
    findings = VariantsFindings(
        plain=every[0].name,
        variants=tuple(sweep.adjusted(found)),
        seeds=len(question.seeds),
    )
    return Answer(
        study=words.study,
        title=words.title,
        sentence=sentence(question, findings),
        table=_table(findings.variants),
        rows=tuple(map(sweep.row, trained)),
        findings=findings,
        trials=len(trained),
        notes=(words.note,),
    )


def _variant(
    trained: Sequence[Trained], cell: str, point: Point, plain: Point
) -> Variant:
    group = sweep.runs_of(trained, cell, point)
    right = right_answers(group)
    one = Variant(
        cell=cell,
        variant=point.name,
        accuracy=sweep.accuracy(right),
        log_loss=float(np.mean([run.metrics[TEST].log_loss for run in group])),
        parameters=group[0].environment.parameters,
    )
    if point is plain:
        return one
    reference = right_answers(sweep.runs_of(trained, cell, plain))
    apart = intervals.difference(right, reference)
    return replace(one, **asdict(apart), p_unadjusted=apart.p)


def sentence(question: Question, found: VariantsFindings) -> str:
    """Says which variants differ from the plain one, and no more."""
    compared = [(one, one.apart) for one in found.variants if one.apart]
    told = [(one, apart) for one, apart in compared if apart.p < SIGNIFICANCE]
    said = [
        f"{title(one.cell)}, {one.variant}: {_apart(apart)}"
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


def _apart(one: Difference) -> str:
    return points_at_length(one.difference, one.low, one.high)


def _table(variants: Sequence[Variant]) -> Table:
    header = (
        "variant", "cell", "test accuracy, %", "to the plain one, points", "p",
        "parameters",
    )  # fmt: skip
    return Table(header=header, rows=tuple(map(_line, variants)))


def _line(one: Variant) -> tuple[str, ...]:
    said, apart = ("–", "–"), one.apart
    if apart is not None:
        said = (
            f"{signed(100 * apart.difference)} ({interval(apart.low, apart.high)})",
            f"{apart.p:.3f}" if apart.p >= 0.001 else "< 0.001",
        )
    accuracy = with_interval(one.accuracy.mean, one.accuracy.low, one.accuracy.high)
    return (one.variant, one.cell, accuracy, *said, f"{one.parameters:,}")


def figure(answer: Answer[VariantsFindings]) -> str:
    """Draws each variant's accuracy, and its difference to the plain one, by cell."""
    variants = answer.findings.variants
    names = list(dict.fromkeys(one.variant for one in variants))
    cells = list(dict.fromkeys(one.cell for one in variants))

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for index, cell in enumerate(cells):
            shift = 0.18 * (index - (len(cells) - 1) / 2)
            look = figures.style(cell, index) | {"linestyle": "none", "capsize": 2}
            for one in (v for v in variants if v.cell == cell):
                place = names.index(one.variant) + shift
                label = cell if one.variant == names[0] else None
                own, apart = one.accuracy, one.apart
                _draw(
                    left, (own.mean, own.low, own.high), place, look | {"label": label}
                )
                if apart is not None:
                    found = (apart.difference, apart.low, apart.high)
                    face = {} if apart.p < SIGNIFICANCE else {"markerfacecolor": "none"}
                    _draw(right, found, place, look | face)
        right.axvline(0, color=INK, linewidth=0.8)
        left.set_yticks(range(len(names)), [figures.clipped(name) for name in names])
        left.set_ylim(len(names) - 0.5, -0.5)
        left.set_xlabel("test accuracy, %")
        right.set_xlabel(f"difference to {names[0]}, points (filled: p < 0.05)")
        for axes in (left, right):
            axes.grid(axis="x", alpha=0.25)
        figures.legend(figure, [left])

    return figures.drawn(draw, answer.study, 9.2, 1.4 + 0.55 * len(names))


def _draw(axes: Any, found: Sequence[float], place: float, look: Any) -> None:
    value, low, high = (100 * one for one in found)
    reach = [[max(value - low, 0)], [max(high - value, 0)]]
    axes.errorbar([value], [place], xerr=reach, **look)
