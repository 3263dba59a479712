"""Variants of the network beside the plain one: the reading of `depth` and `mix`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf import statistics
from seqclf.comparison.pairs import SIGNIFICANCE, right_answers
from seqclf.comparison.verdict import title
from seqclf.comparison.words import signed
from seqclf.data.dataset import TEST
from seqclf.report import figures
from seqclf.report.svg import INK
from seqclf.studies import intervals
from seqclf.studies.question import Answer, Question, Record, Table
from seqclf.studies.sweeps import sweep
from seqclf.studies.sweeps.sweep import Point, Trained


def read(
    question: Question, trained: Sequence[Trained], words: Mapping[str, str]
) -> Answer:
    """Compares each variant with the plain one, the first point, within its cell.

    Args:
      question: What was asked.
      trained: The trainings.
      words: study, title and note of the study.

    Returns:
      The answer. Its findings: `plain`, the name of the plain variant; `variants`, a
      record a cell and variant with cell, variant, accuracy (mean, low, high),
      log_loss, parameters, and, None of the plain one, difference (of accuracy, to the
      plain one), low, high, p (Holm's over all of them), p_unadjusted and `of`, see
      `intervals.difference`.
    """
    every = sweep.points_of(trained)
    records = [
        _record(trained, cell, point, every[0])
        for point in every
        for cell in question.cells
    ]
    adjust(records)
    findings = {
        "plain": every[0].name,
        "variants": records,
        "seeds": len(question.seeds),
    }
    return Answer(
        study=words["study"],
        title=words["title"],
        sentence=sentence(question, findings),
        table=_table(records),
        rows=tuple(map(sweep.row, trained)),
        findings=findings,
        trials=len(trained),
        notes=(words["note"],),
    )


def _record(
    trained: Sequence[Trained], cell: str, point: Point, plain: Point
) -> Record:
    group = sweep.runs_of(trained, cell, point)
    right = right_answers(group)
    apart: Record = dict.fromkeys(("difference", "low", "high", "p", "of"))
    if point is not plain:
        reference = right_answers(sweep.runs_of(trained, cell, plain))
        apart = intervals.difference(right, reference)
    return {
        "cell": cell,
        "variant": point.name,
        "accuracy": sweep.accuracy(right),
        "log_loss": float(np.mean([run.metrics[TEST].log_loss for run in group])),
        "parameters": group[0].environment.parameters,
        **apart,
        "p_unadjusted": apart["p"],
    }


def adjust(records: Sequence[Record]) -> None:
    """Replaces the p-values of the differences by Holm's."""
    compared = [one for one in records if one["p"] is not None]
    adjusted = statistics.holm([one["p"] for one in compared])
    for one, p in zip(compared, adjusted, strict=True):
        one["p"] = p


def sentence(question: Question, found: Mapping[str, Any]) -> str:
    """Says which variants differ from the plain one, and no more."""
    compared = [one for one in found["variants"] if one["p"] is not None]
    shown = [one for one in compared if one["p"] < SIGNIFICANCE]
    said = [
        f"{title(one['cell'])}, {one['variant']}: {sweep.points(one)}"
        for one in sorted(shown, key=lambda one: -abs(one["difference"]))
    ]
    plain, rest = found["plain"], len(compared) - len(shown)
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
    trials = len(found["variants"]) * len(question.seeds)
    return " ".join([*parts, sweep.scope(question, trials)])


def _table(records: Sequence[Record]) -> Table:
    header = (
        "variant", "cell", "test accuracy, %", "to the plain one, points", "p",
        "parameters",
    )  # fmt: skip
    return Table(header=header, rows=tuple(map(_line, records)))


def _line(one: Record) -> tuple[str, ...]:
    apart = ("–", "–")
    if one["p"] is not None:
        value = signed(100 * one["difference"])
        apart = (
            f"{value} ({sweep.reach(one['low'], one['high'])})",
            f"{one['p']:.3f}" if one["p"] >= 0.001 else "< 0.001",
        )
    return (
        one["variant"],
        one["cell"],
        sweep.with_interval(one["accuracy"]),
        *apart,
        f"{one['parameters']:,}",
    )


def figure(answer: Answer) -> str:
    """Draws each variant's accuracy, and its difference to the plain one, by cell."""
    records = answer.findings["variants"]
    names = list(dict.fromkeys(one["variant"] for one in records))
    cells = list(dict.fromkeys(one["cell"] for one in records))

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for index, cell in enumerate(cells):
            shift = 0.18 * (index - (len(cells) - 1) / 2)
            look = figures.style(cell, index) | {"linestyle": "none", "capsize": 2}
            for one in (r for r in records if r["cell"] == cell):
                place = names.index(one["variant"]) + shift
                label = cell if one["variant"] == names[0] else None
                _draw(left, one["accuracy"], "mean", place, look | {"label": label})
                if one["p"] is not None:
                    _draw(right, one, "difference", place, look | _face(one))
        right.axvline(0, color=INK, linewidth=0.8)
        left.set_yticks(range(len(names)), [figures.clipped(name) for name in names])
        left.set_ylim(len(names) - 0.5, -0.5)
        left.set_xlabel("test accuracy, %")
        right.set_xlabel(f"difference to {names[0]}, points (filled: p < 0.05)")
        for axes in (left, right):
            axes.grid(axis="x", alpha=0.25)
        figures.legend(figure, [left])

    return figures.drawn(draw, answer.study, 9.2, 1.4 + 0.55 * len(names))


def _face(one: Record) -> Record:
    return {} if one["p"] < SIGNIFICANCE else {"markerfacecolor": "none"}


def _draw(axes: Any, one: Record, key: str, place: float, look: Record) -> None:
    value, low, high = (100 * one[k] for k in (key, "low", "high"))
    reach = [[max(value - low, 0)], [max(high - value, 0)]]
    axes.errorbar([value], [place], xerr=reach, **look)
