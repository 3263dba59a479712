"""`depth`: recurrent layers on top of each other, reading in one or two directions.

1 to 3 layers (as in Graves, Mohamed & Hinton 2013, arXiv:1303.5778, for speech) in one
and two directions (Schuster & Paliwal 1997), each compared with one layer of the
recipe's directions and the same cell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from seqclf.config import RunConfig
from seqclf.records.sweeps import VariantsFindings
from seqclf.studies.lab import Lab
from seqclf.studies.question import QUICK_ROWS, Answer, Question
from seqclf.studies.sweeps import variants
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained
from seqclf.wording import counted

LAYERS, QUICK_LAYERS = (1, 2, 3), (1, 2)


def points(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe with other layers and directions, the plain one first."""
    config = question.recipe
    own = config.model.bidirectional
    if question.quick:
        return [_point(config, layers, own) for layers in QUICK_LAYERS]
    return [
        _point(config, layers, both) for both in (own, not own) for layers in LAYERS
    ]


def _point(config: RunConfig, layers: int, bidirectional: bool) -> Point:
    way = "two-way" if bidirectional else "one-way"
    model = dataclasses.replace(
        config.model, layers=layers, bidirectional=bidirectional
    )
    return Point(
        name=f"{counted(layers, 'layer')}, {way}",
        config=dataclasses.replace(config, model=model),
        values={"layers": layers, "bidirectional": bidirectional},
    )


def read(question: Question, trained: Sequence[Trained]) -> Answer[VariantsFindings]:
    """Compares depths and directions."""
    way = "two directions" if question.config.model.bidirectional else "one direction"
    note = (
        f"The plain network has one layer of {way}; all but the number of layers is as "
        "in the recipe. Deeper ones have more parameters and the same training."
    )
    quick = question.quick_note(
        f"1 and 2 layers, at most {QUICK_ROWS:,} texts, few epochs."
    )
    title = "Recurrent layers and directions"
    return variants.read(question, trained, "depth", title, [note, *quick])


SWEEP = Sweep(points, read)
