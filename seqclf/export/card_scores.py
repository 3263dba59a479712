"""The scores that a model card tells, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqclf.data.dataset import TEST
from seqclf.records.scores import Scores, SeveralScores
from seqclf.runs import AnyRun, Predictions
from seqclf.several import example_f1

RESAMPLES, NORMAL_95, REACH = 1000, 1.96, (0.025, 0.975)
F1 = ("Macro F1", "Micro F1", "Example F1")  # of several labels a text


@dataclass(frozen=True, slots=True)
class Score:
    """One score of the test split, with its 95 % interval, `low` to `high`.

    The Hub calls it by its `type`, people by its `name`.
    """

    type: str
    name: str
    value: float
    low: float
    high: float


def scores(run: AnyRun) -> list[Score]:
    """Returns the scores of the test split with their 95 % intervals.

    Accuracy has Wilson's interval, F1 a percentile bootstrap over the texts, log loss
    the normal interval of a mean.
    """
    test, predictions = run.metrics[TEST], run.predictions(TEST)
    if test.several is None:
        name, f1s = "Accuracy", [_macro_f1_of(test)]
    else:
        name, f1s = "Subset accuracy", _f1_of_several(test, test.several, predictions)
    reach = NORMAL_95 * predictions.losses.std() / np.sqrt(test.n)
    loss = test.log_loss
    return [
        Score("accuracy", name, test.accuracy, test.accuracy_low, test.accuracy_high),
        *f1s,
        Score("log_loss", "Log loss", loss, loss - reach, loss + reach),
    ]


def _macro_f1_of(test: Scores) -> Score:
    confusion = np.array(test.confusion_matrix)
    rng, n = np.random.default_rng(0), int(confusion.sum())
    shares = confusion.ravel() / n
    drawn = (rng.multinomial(n, shares) for _ in range(RESAMPLES))
    found = [macro_f1(some.reshape(confusion.shape)) for some in drawn]
    low, high = np.quantile(found, REACH)
    return Score("f1", "Macro F1", test.macro_f1, float(low), float(high))


def macro_f1(confusion: np.ndarray) -> float:
    """Returns macro F1 of confusions int [labels, labels], rows true."""
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    # As scikit-learn: a label that is neither there nor predicted does not count.
    f1 = 2 * np.diag(confusion)[both > 0] / both[both > 0]
    return float(f1.mean())


def _f1_of_several(
    test: Scores, several: SeveralScores, predictions: Predictions
) -> list[Score]:
    rng, n = np.random.default_rng(0), test.n
    truth, said = predictions.label_ids, predictions.answers
    drawn = (np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(RESAMPLES))
    lows, highs = np.quantile([f1(truth, said, times) for times in drawn], REACH, 0)
    values = (test.macro_f1, several.micro_f1, several.example_f1)
    return [
        Score("f1", name, value, float(low), float(high))
        for name, value, low, high in zip(F1, values, lows, highs, strict=True)
    ]


def f1(truth: np.ndarray, said: np.ndarray, times: np.ndarray) -> list[float]:
    """Returns the F1 scores `F1` where a text counts several `times`, int [n].

    Args:
      truth: bool [n, labels].
      said: bool [n, labels], the answers.
      times: How often each text is there.
    """
    hits = 2 * (times @ (truth & said))
    named = times @ truth + times @ said
    known = named > 0
    macro = (hits[known] / named[known]).mean() if known.any() else 0.0
    micro = hits.sum() / named.sum() if known.any() else 1.0
    return [
        float(macro),
        float(micro),
        float(times @ example_f1(truth, said) / len(said)),
    ]
