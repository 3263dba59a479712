"""`mix`: a convolution in front of the recurrent layer, and attention on top of it.

A convolution over three tokens in front (as in Zhou et al. 2015, arXiv:1511.08630),
attention over the states on top (Yang et al. 2016, ACL N16-1174), and both, each
compared with the recipe's pooling, no convolution and the same cell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from seqclf.config import RunConfig
from seqclf.errors import ConfigError
from seqclf.records.sweeps import VariantsFindings
from seqclf.studies.lab import Lab
from seqclf.studies.question import QUICK_ROWS, Answer, Question
from seqclf.studies.sweeps import variants
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained

CONV_WIDTH = 3
ATTENTION = "attention"


def points(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe with convolution, attention and both, the plain one first.

    Raises:
      ConfigError: If the recipe has one of them already.
    """
    model = question.config.model
    if model.pooling == ATTENTION or model.conv_width is not None:
        raise ConfigError(
            "the study mix adds attention and a convolution by itself; leave "
            "--pooling attention and --conv-width out."
        )
    base = question.recipe
    pooling = model.pooling
    plain = _point(base, f"{pooling} pooling", None, pooling)
    both = _point(base, "both", CONV_WIDTH, ATTENTION)
    if question.quick:
        return [plain, both]
    front = _point(base, "convolution in front", CONV_WIDTH, pooling)
    top = _point(base, "attention on top", None, ATTENTION)
    return [plain, front, top, both]


def _point(base: RunConfig, name: str, conv_width: int | None, pooling: str) -> Point:
    model = dataclasses.replace(base.model, conv_width=conv_width, pooling=pooling)
    return Point(
        name=name,
        config=dataclasses.replace(base, model=model),
        values={"conv_width": conv_width, "pooling": pooling},
    )


def read(question: Question, trained: Sequence[Trained]) -> Answer[VariantsFindings]:
    """Compares the mixtures."""
    note = (
        f"The convolution reads {CONV_WIDTH} tokens and has as many filters as a token "
        "vector has numbers. All else is as in the recipe, which was chosen without "
        "either."
    )
    quick = question.quick_note(
        f"both at once or neither, at most {QUICK_ROWS:,} texts, few epochs."
    )
    title = "Convolution in front, attention on top"
    return variants.read(question, trained, "mix", title, [note, *quick])


SWEEP = Sweep(points, read)
