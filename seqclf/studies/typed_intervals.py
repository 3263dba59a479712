"""What `intervals` returns, as records."""

from __future__ import annotations

from seqclf.comparison.pairs import Right
from seqclf.records.details import Reach
from seqclf.records.inside import Difference
from seqclf.studies import intervals


def accuracy(right: Right) -> Reach:
    """Returns a cell's mean accuracy, see `intervals.accuracy`."""
    return Reach(**intervals.accuracy(right))


def difference(a: Right, b: Right) -> Difference:
    """Compares two groups of trained models, see `intervals.difference`."""
    return Difference(**intervals.difference(a, b))
