"""What random trials of the settings tell of a cell: best so far, spread, and why."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.statistics import CONFIDENCE, RESAMPLES, holm
from seqclf.studies.question import Record
from seqclf.studies.sweeps.sweep import student_mean

FEWEST_DRAWS = 6  # fewer tell too little of a spread for an interval
QUARTILES = (0.25, 0.5, 0.75)


def expected_best(values: Sequence[float]) -> list[float]:
    """Returns the best value that 1, 2, ... n trials may be expected to find.

    The trials are drawn with replacement from the n that were made, of which the
    maximum has the distribution F(v)^k (Dodge et al. 2019, arXiv:1909.03004).

    Args:
      values: What each trial reached, more is better.

    Returns:
      The exact expectation for k = 1 ... n; the first is the mean.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    n = len(ordered)
    ranks = np.arange(n + 1) / n  # of equal values together they sum to the same
    return [float(ordered @ np.diff(ranks**k)) for k in range(1, n + 1)]


def spreads(by_cell: Mapping[str, Sequence[float]]) -> tuple[list[Record], ...]:
    """Returns how far the trials of each cell lie apart, and of two cells compared.

    Two cells are compared by the mean distance from their medians (Brown & Forsythe
    1974, JASA 69:364), trial by trial, as both have made the same ones; standard
    deviations of a few skewed values have no interval to be trusted.

    Args:
      by_cell: What each trial reached, by cell, in the same order of trials.

    Returns:
      A record a cell: cell, n, best, sd, quartiles, quartile_range with its bootstrap
      interval (quartile_range_low, quartile_range_high), and deviation, the mean
      distance from the median, with Student's (deviation_low, deviation_high); and a
      record a pair: a, b, the difference of their deviations, a - b, under the same
      names, and p, of Student's test, Holm's over the pairs. Intervals and p are None
      with fewer than six trials.
    """
    far = {cell: _distances(values) for cell, values in by_cell.items()}
    own = [
        {
            "cell": cell,
            "n": len(values),
            "best": max(values),
            "sd": float(np.std(values, ddof=1)),
            "quartiles": np.quantile(values, QUARTILES).tolist(),
            **_quartile_range(np.asarray(values, np.float64)),
            **_deviation(far[cell]),
        }
        for cell, values in by_cell.items()
    ]
    apart = [
        {"a": a, "b": b, **_deviation(far[a] - far[b]), "p": _p(far[a] - far[b])}
        for a, b in itertools.combinations(by_cell, 2)
    ]
    known = [pair for pair in apart if pair["p"] is not None]
    for pair, p in zip(known, holm([pair["p"] for pair in known]), strict=True):
        pair["p"] = p
    return own, apart


def _p(differences: np.ndarray) -> float | None:
    """Returns the p of Student's test that these are 0 on average; 1 if all are."""
    from scipy.stats import ttest_1samp

    if len(differences) < FEWEST_DRAWS:
        return None
    return float(ttest_1samp(differences, 0).pvalue) if differences.any() else 1.0


def _distances(values: Sequence[float]) -> np.ndarray:
    """Returns each value's distance from the median, float64 [trials].

    They are enlarged by n / (n - 1), for the median lies amid these very values.
    """
    n = len(values)
    return np.abs(np.asarray(values, np.float64) - np.median(values)) * n / (n - 1)


def _deviation(distances: np.ndarray) -> Record:
    found = student_mean(distances.tolist())
    return {
        "deviation": found["mean"],
        **_known("deviation", found["low"], found["high"], len(distances)),
    }


def _quartile_range(values: np.ndarray) -> Record:
    """Returns the distance of the quartiles with its percentile interval."""
    n = len(values)
    drawn = values[np.random.default_rng(0).integers(n, size=(RESAMPLES, n))]
    ends = [QUARTILES[0], QUARTILES[-1]]
    first, last = np.quantile(drawn, ends, axis=1)
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    low, high = np.quantile(last - first, tails).tolist()
    return {
        "quartile_range": float(np.diff(np.quantile(values, ends))[0]),
        **_known("quartile_range", low, high, n),
    }


def _known(name: str, low: float | None, high: float | None, n: int) -> Record:
    """Returns the bounds under their names; None of too few trials."""
    enough = n >= FEWEST_DRAWS
    return {
        f"{name}_low": low if enough else None,
        f"{name}_high": high if enough else None,
    }


def correlations(
    settings: Mapping[str, Sequence[float]], values: Sequence[float]
) -> list[Record]:
    """Ranks the settings of trials by how well they order what the trials reached.

    Args:
      settings: By name, the setting of each trial.
      values: What each trial reached.

    Returns:
      Records with setting, rho (Spearman's rank correlation), n and p, Holm's over the
      settings; the strongest first. rho is None where nothing varies or with fewer
      than three trials, p with fewer than six.
    """
    records = [{"setting": k, **_spearman(v, values)} for k, v in settings.items()]
    known = [one for one in records if one["p"] is not None]
    adjusted = holm([one["p"] for one in known])
    for one, p in zip(known, adjusted, strict=True):
        one["p"] = p
    return sorted(records, key=lambda one: -abs(one["rho"] or 0.0))


def _spearman(setting: Sequence[float], values: Sequence[float]) -> Record:
    from scipy.stats import spearmanr

    n = len(values)
    if n < 3 or len(set(setting)) == 1 or len(set(values)) == 1:
        return {"rho": None, "n": n, "p": None}
    rho, p = spearmanr(setting, values)
    return {"rho": float(rho), "n": n, "p": float(p) if n >= FEWEST_DRAWS else None}


def explaining(found: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Returns the setting with the strongest correlation, if chance would not do."""
    first = found[0]
    return first if first["p"] is not None and first["p"] < SIGNIFICANCE else None
