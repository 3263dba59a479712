"""Who is right more often, two at a time: models by seed, and cells over seeds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf import statistics
from seqclf.data.dataset import TEST
from seqclf.metrics import wilson
from seqclf.runs import Run

# From seed to bool [texts]: which test texts a model has right.
Right = dict[int, np.ndarray]
NO_RECURRENCE = "none"
SIGNIFICANCE = 0.05


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

    At least two seeds are needed; of one model, Wilson's interval tells. It also does
    where all seeds have all texts right, or none: what does not vary in a few texts may
    still vary in others.
    """
    values = np.array(list(right.values()))
    if values.all() or not values.any():
        rows = values.shape[1]
        return wilson(rows if values.all() else 0, rows)
    low, high = statistics.crossed_mean(values).interval()
    return max(low, 0.0), min(high, 1.0)


def compare_pairs(rights: Mapping[str, Right]) -> list[dict[str, Any]]:
    """Compares all cells, two at a time.

    Args:
      rights: What the twins have right, by cell.

    Returns:
      A record a pair, the better cell first, as in `comparison.json`: a, b, difference
      (of accuracy, of the seeds both have), low, high, p and p_unadjusted, which are
      None where there is one seed only; `models`, the records of `compare_models` by
      seed, and their mcnemar_p as a list; `settled_by`; `adjusted_for` and
      `is_decided`. p is Holm's over the pairs of cells that recur, and adjusted_for
      their number; of a single question it is 1. low and high are the pair's own.
    """
    every = list(itertools.combinations(rights, 2))
    asked = [
        (a, b)
        for a, b in every
        if _both_recur(a, b) and _tell_of_cells(rights[a], rights[b])
    ]
    pairs = {
        (a, b): _pair(a, b, rights[a], rights[b], len(asked) if (a, b) in asked else 1)
        for a, b in every
    }
    adjusted = statistics.holm([pairs[names]["p"] for names in asked])
    for names, p in zip(asked, adjusted, strict=True):
        pairs[names]["p"] = p
    return [_judged(pair) for pair in pairs.values()]


def compare_with(
    name: str, right: Right, references: Mapping[str, Right]
) -> list[dict[str, Any]]:
    """Compares a cell with baselines, each of which has been fitted once."""
    return [
        _judged(
            _pair(name, other, right, dict.fromkeys(right, next(iter(fitted.values()))))
        )
        for other, fitted in references.items()
    ]


def is_decided(pair: Mapping[str, Any]) -> bool:
    """Tells whether a pair differs: its cells, or with one seed its two models.

    Of two models, test and interval are of two kinds; where they disagree, at the
    border, nothing is decided.
    """
    if pair["p"] is not None:
        return bool(pair["p"] < SIGNIFICANCE)
    return bool(pair["mcnemar_p"]) and _is_small(pair) and leaves_out_0(pair)


def _is_small(pair: Mapping[str, Any]) -> bool:
    return max(pair["mcnemar_p"]) < SIGNIFICANCE


def is_border_case(pair: Mapping[str, Any]) -> bool:
    """Tells whether a pair is undecided although its interval or test alone is not.

    Of cells: its own interval leaves 0 out, and Holm's adjustment undoes that.
    """
    if is_decided(pair) or not pair["seeds"]:
        return False
    return leaves_out_0(pair) or (pair["p"] is None and _is_small(pair))


def leaves_out_0(pair: Mapping[str, Any]) -> bool:
    """Tells whether the interval of a difference does not hold 0."""
    low, high = bounds(pair)
    return low > 0 or high < 0


def bounds(pair: Mapping[str, Any]) -> tuple[float, float]:
    """Returns the interval of a difference: of the cells, or of two models."""
    if pair["low"] is not None:
        return pair["low"], pair["high"]
    model = pair["models"][0]
    return model["low"], model["high"]


def _judged(pair: dict[str, Any]) -> dict[str, Any]:
    return pair | {"is_decided": is_decided(pair)}


def _both_recur(*names: str) -> bool:
    return NO_RECURRENCE not in (name.split()[0] for name in names)


def _tell_of_cells(right_a: Right, right_b: Right) -> bool:
    """Tells whether two seeds and two texts, at least, are in common."""
    rows = len(next(iter(right_a.values())))
    return min(len(right_a.keys() & right_b.keys()), rows) > 1


def _pair(
    a: str, b: str, right_a: Right, right_b: Right, compared: int = 1
) -> dict[str, Any]:
    seeds = sorted(right_a.keys() & right_b.keys())
    if seeds and sum(right_a[s].sum() - int(right_b[s].sum()) for s in seeds) < 0:
        a, b, right_a, right_b = b, a, right_b, right_a
    models = [{"seed": s} | compare_models(right_a[s], right_b[s]) for s in seeds]
    return {
        "a": a,
        "b": b,
        "seeds": seeds,
        **_difference(right_a, right_b, seeds, compared),
        "adjusted_for": compared,
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


def _difference(
    right_a: Right, right_b: Right, seeds: Sequence[int], compared: int
) -> dict[str, Any]:
    """Returns the difference of two cells, as far as the seeds tell of it."""
    nothing = dict.fromkeys(("low", "high", "p", "p_unadjusted", "settled_by"))
    if not seeds:
        return {"difference": None} | nothing
    values = np.array([right_a[s].astype(np.int8) - right_b[s] for s in seeds])
    mean = float(values.mean(dtype=np.float64))
    if not _tell_of_cells(right_a, right_b):
        return {"difference": mean} | nothing
    estimate = statistics.crossed_mean(values)
    low, high = estimate.interval()
    low, high = max(low, -1.0), min(high, 1.0)  # accuracies differ by no more
    # The strictest level that Holm's adjustment may ask of this pair.
    confidence = 1 - SIGNIFICANCE / compared
    settled_by = {
        "seeds": statistics.seeds_to_settle(values, confidence),
        "rows": statistics.rows_to_settle(values, confidence),
    }
    return {
        "difference": mean,
        "low": low,
        "high": high,
        "p": estimate.p,
        "p_unadjusted": estimate.p,
        "settled_by": settled_by,
    }
