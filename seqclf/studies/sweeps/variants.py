"""`depth` and `mix`: variants of the network, each beside the plain one of its cell.

`depth` has 1 to 3 recurrent layers on top of each other (as in Graves, Mohamed & Hinton
2013, arXiv:1303.5778, for speech) that read in one and two directions (Schuster &
Paliwal 1997); the plain one is one layer of the recipe's directions. `mix` has a
convolution over three tokens in front (as in Zhou et al. 2015, arXiv:1511.08630),
attention over the states on top (Yang et al. 2016, ACL N16-1174), and both; the plain
one has the recipe's pooling and no convolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.pairs import Right, right_answers
from seqclf.comparison.said import title
from seqclf.data.dataset import TEST
from seqclf.errors import ConfigError
from seqclf.records.sweeps import Variant, VariantsFindings
from seqclf.report import figures
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies import intervals
from seqclf.studies.drawing import bar, name_lines
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import sweep
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained
from seqclf.wording import MISSING, counted, p_value, points_at_length, with_interval

LAYERS, QUICK_LAYERS = (1, 2, 3), (1, 2)
CONV_WIDTH = 3
ATTENTION = "attention"


def depths(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe with other layers and directions, the plain one first."""
    own = question.recipe.model.bidirectional
    layers = QUICK_LAYERS if question.quick else LAYERS
    ways = (own,) if question.quick else (own, not own)
    return [
        _point(
            question,
            f"{counted(n, 'layer')}, {'two' if both else 'one'}-way",
            layers=n,
            bidirectional=both,
        )
        for both in ways
        for n in layers
    ]


def mixtures(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe with convolution, attention and both, the plain one first.

    Raises:
      ConfigError: If the recipe has one of them already.
    """
    model = question.config.model
    own = model.pooling
    if own == ATTENTION or model.conv_width is not None:
        raise ConfigError(
            "the study mix adds attention and a convolution by itself; leave "
            "--pooling attention and --conv-width out."
        )
    named = {
        f"{own} pooling": (None, own),
        "convolution in front": (CONV_WIDTH, own),
        "attention on top": (None, ATTENTION),
        "both": (CONV_WIDTH, ATTENTION),
    }
    points = [
        _point(question, name, conv_width=width, pooling=pooling)
        for name, (width, pooling) in named.items()
    ]
    return [points[0], points[-1]] if question.quick else points


def _point(question: Question, name: str, **values: Any) -> Point:
    config = question.recipe
    model = replace(config.model, **values)
    return Point(name=name, config=replace(config, model=model), values=values)


def read_depths(
    question: Question, trained: Sequence[Trained]
) -> Answer[VariantsFindings]:
    """Compares depths and directions."""
    way = "two directions" if question.config.model.bidirectional else "one direction"
    note = (
        f"The plain network has one layer of {way}; all but the number of layers is as "
        "in the recipe. Deeper ones have more parameters and the same training."
    )
    quick = question.quick_note("1 and 2 layers.")
    title = "Recurrent layers and directions"
    return read(question, trained, "depth", title, [note, *quick])


def read_mixtures(
    question: Question, trained: Sequence[Trained]
) -> Answer[VariantsFindings]:
    """Compares the mixtures."""
    note = (
        f"The convolution reads {CONV_WIDTH} tokens and has as many filters as a token "
        "vector has numbers. All else is as in the recipe, which was chosen without "
        "either."
    )
    quick = question.quick_note("both at once or neither.")
    title = "Convolution in front, attention on top"
    return read(question, trained, "mix", title, [note, *quick])


def read(
    question: Question,
    trained: Sequence[Trained],
    study: str,
    title: str,
    notes: Sequence[str],
) -> Answer[VariantsFindings]:
    """Compares each variant with the plain one, the first point, within its cell."""
    every = sweep.points_of(trained)
    keys = [(point, cell) for point in every for cell in question.cells]
    groups = {
        (point.name, cell): right_answers(sweep.runs_of(trained, cell, point))
        for point, cell in keys
    }
    found = [_variant(trained, cell, point, every[0], groups) for point, cell in keys]
    findings = VariantsFindings(
        plain=every[0].name,
        variants=tuple(intervals.adjusted(found)),
        seeds=len(question.seeds),
        guessing=tuple(
            cell
            for cell in question.cells
            if not sweep.beats_guessing(sweep.runs_of(trained, cell, every[0]))
        ),
    )
    return Answer(
        study=study, title=title, sentence=sentence(question, findings),
        table=table(findings.variants), rows=tuple(map(sweep.row, trained)),
        findings=findings, trials=len(trained), notes=(" ".join(notes),),
    )  # fmt: skip


def _variant(
    trained: Sequence[Trained],
    cell: str,
    point: Point,
    plain: Point,
    groups: Mapping[tuple[str, str], Right],
) -> Variant:
    group, right = sweep.runs_of(trained, cell, point), groups[point.name, cell]
    one = Variant(
        cell=cell,
        variant=point.name,
        accuracy=sweep.accuracy(right),
        log_loss=float(np.mean([run.metrics[TEST].log_loss for run in group])),
        parameters=group[0].environment.parameters,
    )
    if point is plain:
        return one
    reference = groups[plain.name, cell]
    apart = intervals.difference(right, reference, list(groups.values()))
    return replace(one, **asdict(apart), p_unadjusted=apart.p)


def sentence(question: Question, found: VariantsFindings) -> str:
    """Says which variants differ from the plain one, and no more."""
    compared = [(one, one.apart) for one in found.variants if one.apart]
    told = [(one, apart) for one, apart in compared if apart.p < SIGNIFICANCE]
    said = [
        f"{title(one.cell)}, {one.variant}: "
        + points_at_length(apart.difference, apart.low, apart.high)
        for one, apart in sorted(told, key=lambda pair: -abs(pair[1].difference))
    ]
    n, plain = len(compared), found.plain
    rest = n - len(told)
    parts = [f"Beside {plain}, the plain one: {'; '.join(said)}."] if said else []
    if rest and said:
        parts.append(f"The other {rest} of {n} comparisons show no difference.")
    elif rest:
        parts.append(
            f"None of {rest} comparisons with the plain network, {plain}, shows a "
            f"difference."
        )
    parts.append(f"p is adjusted for {n} comparisons (Holm).")
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


DEPTH, MIX = Sweep(depths, read_depths), Sweep(mixtures, read_mixtures)
