"""Who is right more often, two at a time: models by seed, and cells over seeds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf import statistics
from seqclf.data.dataset import TEST
from seqclf.runs import Run

# From seed to bool [texts]: which test texts a model has right.
Right = dict[int, np.ndarray]
NO_RECURRENCE = "none"


def right_answers(group: Sequence[Run]) -> Right:
    """Returns which test texts the runs have right, by seed."""
    return {run.config.training.seed: right_answer(run) for run in group}


def right_answer(run: Run, split: str = TEST) -> np.ndarray:
    """Returns which texts a run, or a fitted baseline, has right: bool [texts]."""
    predictions = run.predictions(split)
    right: np.ndarray = predictions.probabilities.argmax(1) == predictions.label_ids
    return right


def accuracy_interval(right: Right) -> tuple[float, float]:
    """Returns the 95 % interval of a cell's accuracy over seeds and texts, in [0, 1].

    At least two seeds are needed; of one model, Wilson's interval tells.
    """
    low, high = statistics.crossed_mean(np.array(list(right.values()))).interval()
    return max(low, 0.0), min(high, 1.0)


def compare_pairs(rights: Mapping[str, Right]) -> list[dict[str, Any]]:
    """Compares all cells, two at a time.

    Args:
      rights: What the twins have right, by cell.

    Returns:
      A record a pair, the better cell first, as in `comparison.json`: a, b, difference
      (of accuracy, of the seeds both have), low, high, p and p_unadjusted, which are
      None where there is one seed only; `models`, the records of `compare_models` by
      seed, and their mcnemar_p as a list; `settled_by`. p is Holm's over the pairs of
      cells that recur.
    """
    pairs = [
        _pair(a, b, rights[a], rights[b]) for a, b in itertools.combinations(rights, 2)
    ]
    asked = [p for p in pairs if p["p"] is not None and _is_recurrent(p)]
    adjusted = statistics.holm([pair["p"] for pair in asked])
    for pair, p in zip(asked, adjusted, strict=True):
        pair["p"] = p
    return pairs


def compare_with(
    name: str, right: Right, references: Mapping[str, Right]
) -> list[dict[str, Any]]:
    """Compares a cell with baselines, each of which has been fitted once."""
    return [
        _pair(name, other, right, dict.fromkeys(right, next(iter(fitted.values()))))
        for other, fitted in references.items()
    ]


def _is_recurrent(pair: Mapping[str, Any]) -> bool:
    return NO_RECURRENCE not in (pair["a"].split()[0], pair["b"].split()[0])


def _pair(a: str, b: str, right_a: Right, right_b: Right) -> dict[str, Any]:
    seeds = sorted(right_a.keys() & right_b.keys())
    if seeds and sum(right_a[s].sum() - int(right_b[s].sum()) for s in seeds) < 0:
        a, b, right_a, right_b = b, a, right_b, right_a
    models = [{"seed": s} | compare_models(right_a[s], right_b[s]) for s in seeds]
    return {
        "a": a,
        "b": b,
        "seeds": seeds,
        **_difference(right_a, right_b, seeds),
        "mcnemar_p": [model["mcnemar_p"] for model in models],
        "models": models,
    }


def compare_models(right_a: np.ndarray, right_b: np.ndarray) -> dict[str, Any]:
    """Compares two trained models on the same texts.

    Args:
      right_a: bool [texts].
      right_b: bool [texts].

    Returns:
      only_a and only_b (texts that one alone has right), difference of accuracy with
      its bootstrap interval low and high, and mcnemar_p.
    """
    only_a = int((right_a & ~right_b).sum())
    only_b = int((right_b & ~right_a).sum())
    low, high = statistics.paired_bootstrap(only_a, only_b, len(right_a))
    return {
        "only_a": only_a,
        "only_b": only_b,
        "difference": (only_a - only_b) / len(right_a),
        "low": low,
        "high": high,
        "mcnemar_p": statistics.mcnemar_mid_p(only_a, only_b),
    }


def _difference(right_a: Right, right_b: Right, seeds: Sequence[int]) -> dict[str, Any]:
    """Returns the difference of two cells, as far as the seeds tell of it."""
    nothing = dict.fromkeys(("low", "high", "p", "p_unadjusted", "settled_by"))
    if not seeds:
        return {"difference": None} | nothing
    values = np.array([right_a[s].astype(np.int8) - right_b[s] for s in seeds])
    mean = float(values.mean(dtype=np.float64))
    if len(seeds) == 1 or values.shape[1] == 1:
        return {"difference": mean} | nothing
    estimate = statistics.crossed_mean(values)
    low, high = estimate.interval()
    low, high = max(low, -1.0), min(high, 1.0)  # accuracies differ by no more
    settled_by = {
        "seeds": statistics.seeds_to_settle(values),
        "rows": statistics.rows_to_settle(values),
    }
    return {
        "difference": mean,
        "low": low,
        "high": high,
        "p": estimate.p,
        "p_unadjusted": estimate.p,
        "settled_by": settled_by,
    }
