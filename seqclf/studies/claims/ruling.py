"""What may be said of a claim, and how an interval says it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.studies.question import Answer

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "not decided here"
EQUAL = "practically equal"
NOT_JUDGED = "not judged"  # the models did not learn enough, or the data is too short
POINT = 0.01  # of accuracy: a smaller difference is practically none
NOT_RUN = "not run"  # what was asked for could not have decided it


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a study says of a claim: one of the verdicts above.

    `evidence` are the numbers behind it, with their intervals, in a sentence or two.
    """

    verdict: str
    evidence: str


def depends_on(what: str) -> str:
    """Returns the verdict on what holds here and fails there."""
    return f"depends on {what}"


def by_interval(
    low: float | None, high: float | None, bound: float = 0.0, margin: float = 0.0
) -> str:
    """Returns the verdict on "it is more than `bound`", from an interval of it.

    An interval that keeps within the margin is practically equal, be it on one side;
    one that leaves out all that is more by the margin contradicts. Without ends, as for
    a single training, nothing is decided.
    """
    if low is None or high is None:
        return UNDECIDED
    if high < bound + margin:
        return EQUAL if low > bound - margin else CONTRADICTED
    return SUPPORTED if low > bound else UNDECIDED


def any_of(found: Iterable[tuple[float, float, float]]) -> str:
    """Returns the verdict on "one of them gains", of intervals of accuracy and p each.

    Gains within a point are practically none. One is enough; none may be open.
    """
    verdicts = set()
    for low, high, p in found:
        one = by_interval(low, high, margin=POINT)
        verdicts.add(UNDECIDED if one == SUPPORTED and p >= SIGNIFICANCE else one)
    for one in (SUPPORTED, UNDECIDED, EQUAL):
        if one in verdicts:
            return one
    return CONTRADICTED


def by_ratio(low: float | None, high: float | None, alike: float = 1.0) -> str:
    """Returns the verdict on "the ratio is above 1", from an interval of it.

    One between `1 / alike` and `alike` is practically equal. Ends are positive.
    """
    if low is None or high is None:
        return UNDECIDED
    return by_interval(math.log(low), math.log(high), margin=math.log(alike))


def all_of(verdicts: Iterable[str]) -> str:
    """Returns the verdict on a claim about all cells: one exception contradicts it.

    Where it holds of one and another is practically equal, it depends on the cell.
    """
    found = set(verdicts)
    if CONTRADICTED in found:
        return CONTRADICTED
    if found == {SUPPORTED, EQUAL}:
        return depends_on("the cell")
    return found.pop() if len(found) == 1 else UNDECIDED


def agreed(verdicts: Iterable[str], on: str) -> str:
    """Returns the verdict on a claim that was judged in several ways.

    It depends on what they differ in, `on`, if two are decided otherwise; it is that of
    all if all agree, and else undecided.
    """
    found = set(verdicts)
    if len(found) == 1:
        return found.pop()
    return depends_on(on) if len(found - {UNDECIDED, NOT_JUDGED}) > 1 else UNDECIDED


def of_one(answer: Answer[Any]) -> str:
    """Returns a sentence to add where each cell was trained once, else nothing."""
    return " One training each." if len(answer.about.seeds) < 2 else ""
