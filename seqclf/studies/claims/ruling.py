"""What may be said of a claim, and how an interval says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seqclf.studies.question import Answer

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "not decided here"
EQUAL, DEPENDS = "practically equal", "depends on initialisation"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a study says of a claim: one of the verdicts above.

    `evidence` are the numbers behind it, with their intervals, in a sentence or two.
    """

    verdict: str
    evidence: str


def by_interval(low: float | None, high: float | None, bound: float = 0.0) -> str:
    """Returns the verdict on "it is more than `bound`", from an interval of it.

    Without ends, as for a single training, nothing is decided. `bound` is 0 for a
    difference, 1 for a ratio.
    """
    if low is None or high is None:
        return UNDECIDED
    if low > bound:
        return SUPPORTED
    return CONTRADICTED if high < bound else UNDECIDED


def all_of(verdicts: Iterable[str]) -> str:
    """Returns the verdict on a claim about all: one exception contradicts it."""
    found = set(verdicts)
    if CONTRADICTED in found:
        return CONTRADICTED
    return SUPPORTED if found == {SUPPORTED} else UNDECIDED


def of_one(answer: Answer[Any]) -> str:
    """Returns a sentence to add where each cell was trained once, else nothing."""
    return " One training each." if len(answer.about.seeds) < 2 else ""
