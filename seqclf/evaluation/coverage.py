"""Accuracy against coverage: how right a model is where it is sure."""

from __future__ import annotations

import dataclasses

import numpy as np

from seqclf import metrics
from seqclf.records.scores import Coverage, CoveredAccuracy

TENTHS = range(10, 0, -1)  # of the texts
CONFIDENCE = 0.95  # that a wanted accuracy holds


def coverage_of(label_ids: np.ndarray, probabilities: np.ndarray) -> Coverage:
    """Returns the accuracy on the surest texts, and the area under risk and coverage.

    How sure a text is, is the probability of its answer. Texts that are equally sure
    stand or fall together, so that order decides nothing: the surest tenth are all
    texts that reach the greatest probability which a tenth of them reaches, and may be
    more than a tenth. The area is the mean, over the texts, of the share of errors
    among those that are as sure or surer (Geifman, Uziel & El-Yaniv 2019,
    arXiv:1805.08206, section 3).

    Args:
      label_ids: int [n], the true labels.
      probabilities: float32 [n, labels].
    """
    right = probabilities.argmax(axis=1) == label_ids
    sure = probabilities.max(axis=1)
    order = np.argsort(-sure)
    descending, n = sure[order], len(sure)
    surer = np.searchsorted(-descending, -descending, side="right")  # or as sure
    errors = np.cumsum(~right[order])[surer - 1]
    least = [descending[-(-tenths * n // 10) - 1] for tenths in TENTHS]
    return Coverage(
        aurc=float((errors / surer).mean()),
        surest=tuple(_covered(right, sure, sure >= one) for one in least),
    )


def covered(
    label_ids: np.ndarray, probabilities: np.ndarray, chosen: np.ndarray
) -> CoveredAccuracy | None:
    """Returns the accuracy on the `chosen` texts, bool [n]; None if there are none."""
    right = probabilities.argmax(axis=1) == label_ids
    if not chosen.any():
        return None
    return _covered(right, probabilities.max(axis=1), chosen)


def reaching(
    label_ids: np.ndarray, probabilities: np.ndarray, wanted: float
) -> CoveredAccuracy | None:
    """Returns the most of the surest texts whose accuracy is shown to be `wanted`.

    Of the ten of `coverage_of`, whose arguments these are, it is the greatest whose
    accuracy is above `wanted`, in (0, 1), by a one-sided Clopper-Pearson bound (1934,
    Biometrika 26:404) at a tenth of 5 %: so the threshold holds for new texts with a
    confidence of 95 %, though ten are looked at (as Geifman & El-Yaniv 2017,
    arXiv:1705.08500, who look at fewer, by halves). None if there is none.
    """
    level = (1 - CONFIDENCE) / len(TENTHS)
    for one in coverage_of(label_ids, probabilities).surest:
        if _least(round(one.accuracy * one.n), one.n, level) >= wanted:
            return one
    return None


def _least(hits: int, n: int, level: float) -> float:
    """Returns the lower bound of a share, at a one-sided level."""
    from scipy.stats import beta

    return float(beta.ppf(level, hits, n - hits + 1)) if hits else 0.0


def _covered(
    right: np.ndarray, sure: np.ndarray, chosen: np.ndarray
) -> CoveredAccuracy:
    return CoveredAccuracy(
        **dataclasses.asdict(metrics.accuracy(right[chosen])),
        coverage=float(chosen.mean()),
        at_least=float(sure[chosen].min()),
    )
