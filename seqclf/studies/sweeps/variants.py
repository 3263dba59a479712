"""Variants of the network beside the plain one: the evaluation of `depth` and `mix`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from seqclf.comparison.pairs import right_answers
from seqclf.data.dataset import TEST
from seqclf.records.sweeps import Variant, VariantsFindings
from seqclf.studies import intervals
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import sweep, variants_shown
from seqclf.studies.sweeps.sweep import Point, Trained


def read(
    question: Question,
    trained: Sequence[Trained],
    study: str,
    title: str,
    notes: Sequence[str],
) -> Answer[VariantsFindings]:
    """Compares each variant with the plain one, the first point, within its cell."""
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
        study=study,
        title=title,
        sentence=variants_shown.sentence(question, findings),
        table=variants_shown.table(findings.variants),
        rows=tuple(map(sweep.row, trained)),
        findings=findings,
        trials=len(trained),
        notes=(" ".join(notes),),
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
