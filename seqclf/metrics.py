"""Arrays in, numbers out: how good a set of predictions is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from seqclf.records.scores import (
    Accuracy,
    LabelScores,
    LengthAccuracy,
    OrderedScores,
    Scores,
)

CALIBRATION_BINS = 15
WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
FEWEST_ORDERED = 3  # labels; of two, the distance is the error
MOST_ORDERED = 1000  # from the least number to the greatest; more are codes


def scores(
    label_ids: np.ndarray,
    probabilities: np.ndarray,
    labels: Sequence[str],
    lengths: np.ndarray,
) -> Scores:
    """Scores the predictions of one split.

    Args:
      label_ids: int [n], the true labels.
      probabilities: float [n, labels], rows sum to 1.
      labels: Label names.
      lengths: int [n], tokens of each text, for the accuracy by length.
    """
    from sklearn.metrics import confusion_matrix, f1_score, log_loss

    probabilities = _normalised(probabilities)
    predicted = probabilities.argmax(axis=1)
    every = np.arange(len(labels))
    confusion = confusion_matrix(label_ids, predicted, labels=every)
    right = label_ids == predicted
    return Scores(
        **dataclasses.asdict(accuracy(right)),
        macro_f1=float(f1_score(label_ids, predicted, average="macro")),
        log_loss=float(log_loss(label_ids, probabilities, labels=every)),
        roc_auc=roc_auc(label_ids, probabilities),
        calibration_error=calibration_error(label_ids, probabilities),
        per_label=per_label(label_ids, predicted, labels),
        confusion_matrix=tuple(map(tuple, confusion.tolist())),
        by_length=by_length(right, lengths),
        ordered=ordered(label_ids, predicted, labels),
    )


def ordered(
    label_ids: np.ndarray, predicted: np.ndarray, labels: Sequence[str]
) -> OrderedScores | None:
    """Returns how far answers are off; None unless labels are numbers, three or more.

    Numbers that lie thousands apart are codes, and no distance says anything of them.

    Args:
      label_ids: int [n], the true labels.
      predicted: int [n], the answers.
      labels: Label names; whole numbers, as in `1`, `2`, `5`.
    """
    from sklearn.metrics import cohen_kappa_score

    if len(labels) < FEWEST_ORDERED or not all(map(WHOLE.fullmatch, labels)):
        return None
    numbers = np.array(list(map(int, labels)))
    if np.ptp(numbers) >= MOST_ORDERED:
        return None
    true, said = numbers[label_ids], numbers[predicted]
    # Every number between counts for the distance, whether a label has it or not.
    between = np.arange(numbers.min(), numbers.max() + 1)
    kappa = None
    if len(np.union1d(true, said)) > 1:
        kappa = float(
            cohen_kappa_score(true, said, weights="quadratic", labels=between)
        )
    error = float(np.abs(true - said).mean())
    return OrderedScores(mean_absolute_error=error, quadratic_kappa=kappa)


def losses(label_ids: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns the loss of each text, of which the log loss is the mean.

    That is minus the logarithm of the probability of its true label, which is clipped
    as scikit-learn clips it, to [ε, 1 - ε] of float64.

    Args:
      label_ids: int [n], the true labels.
      probabilities: float [n, labels].

    Returns:
      float64 [n], in nats, at least 0.
    """
    own = _normalised(probabilities)[np.arange(len(label_ids)), label_ids]
    least = np.finfo(np.float64).eps
    return np.asarray(-np.log(np.clip(own, least, 1 - least)))


def f1_shares(label_ids: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Returns the share of each text in macro F1, which is their mean.

    F1 of a label is a ratio of two means: 2 tp to d, over the texts, where tp is 1 for
    a text that has the label and gets it, and d counts both. A text's share in a ratio
    R = mean(u) / mean(d) is R + (u - R d) / mean(d): the mean of the shares is R, and
    their variance that of R to the first order (the delta method; Särndal, Swensson &
    Wretman 1992, Model Assisted Survey Sampling, 5.6). Labels that no text has and none
    gets do not count, as in scikit-learn.

    Args:
      label_ids: int [n], the true labels; of several, bool [n, labels].
      predicted: int [n], the answers; of several, bool [n, labels].

    Returns:
      float64 [n]; a share may be below 0 or above 1.
    """
    if label_ids.ndim == 2:
        return _shares_of_several(label_ids, predicted)
    n, right = len(label_ids), label_ids == predicted
    most = int(max(label_ids.max(), predicted.max())) + 1
    true, said, both = (
        np.bincount(ids, minlength=most)
        for ids in (label_ids, predicted, label_ids[right])
    )
    counted = np.maximum(true + said, 1)  # of a label that does not occur: F1 is 0
    f1, weight = 2 * both / counted, n / counted  # 1 / mean(d)
    own = 2 * right * weight[label_ids]
    own -= (f1 * weight)[label_ids] + (f1 * weight)[predicted]
    return np.asarray((f1.sum() + own) / np.count_nonzero(true + said))


def _shares_of_several(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Returns the same of several labels a text: each label is a ratio of its own."""
    both, counted = 2 * (truth & said), truth.astype(np.int64) + said
    occurs = counted.any(axis=0)
    both, counted = both[:, occurs], counted[:, occurs]
    ratio, weight = both.sum(axis=0) / counted.sum(axis=0), 1 / counted.mean(axis=0)
    shares = ratio + (both - ratio * counted) * weight
    return np.asarray(shares.mean(axis=1)) if occurs.any() else np.zeros(len(truth))


def _normalised(probabilities: np.ndarray) -> np.ndarray:
    """Returns float64 probabilities, the rows of which sum to 1."""
    exact = probabilities.astype(np.float64)
    return np.asarray(exact / exact.sum(axis=1, keepdims=True))


def accuracy(correct: np.ndarray) -> Accuracy:
    """Returns the accuracy, and its interval, of bool [n]."""
    low, high = wilson(int(correct.sum()), len(correct))
    mean = float(correct.mean())
    return Accuracy(n=len(correct), accuracy=mean, accuracy_low=low, accuracy_high=high)


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Returns Wilson's score interval of a proportion (Wilson 1927, JASA 22:209)."""
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def roc_auc(label_ids: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the area under the ROC curve, one label against the rest, averaged.

    Labels that all examples have, or none, have no curve and do not count; None if
    no label is left. `label_ids` are int [n], or bool [n, labels] of several.
    """
    from sklearn.metrics import roc_auc_score

    truth = label_ids
    if truth.ndim == 1:
        truth = label_ids[:, None] == np.arange(probabilities.shape[1])
    present = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    areas = [roc_auc_score(truth[:, k], probabilities[:, k]) for k in present]
    return float(np.mean(areas)) if areas else None


def calibration_error(
    label_ids: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS
) -> float:
    """Returns the expected calibration error, a fraction in [0, 1].

    The mean gap between confidence and accuracy over equal bins of confidence,
    weighted by their size (Guo et al. 2017, arXiv:1706.04599, eq. 3).
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == label_ids
    return binned_gap(confidence, correct, bins)


def binned_gap(confidence: np.ndarray, correct: np.ndarray, bins: int) -> float:
    """Returns the mean gap between confidence, float [n], and what is so, bool [n]."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


def by_length(correct: np.ndarray, lengths: np.ndarray) -> tuple[LengthAccuracy, ...]:
    """Returns the accuracy within each quarter of the texts, from short to long.

    Args:
      correct: bool [n].
      lengths: int [n], tokens. Quarters that equal lengths leave empty are missing.
    """
    return tuple(
        LengthAccuracy(
            **dataclasses.asdict(accuracy(correct[inside])),
            shortest=int(lengths[inside].min()),
            longest=int(lengths[inside].max()),
        )
        for inside in quarters(lengths)
    )


def quarters(lengths: np.ndarray) -> list[np.ndarray]:
    """Returns bool [n] for each quarter, from short to long, that holds any text."""
    edges = np.quantile(lengths, [0.25, 0.5, 0.75])
    quarter = np.searchsorted(edges, lengths, side="left")
    return [quarter == index for index in np.unique(quarter)]


def per_label(
    label_ids: np.ndarray, predicted: np.ndarray, labels: Sequence[str]
) -> tuple[LabelScores, ...]:
    """Returns the scores of each label; arguments are as in `f1_shares`."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(
        label_ids, predicted, labels=np.arange(len(labels)), zero_division=0
    )
    lists = [column.tolist() for column in columns]
    return tuple(
        LabelScores(label=label, precision=precision, recall=recall, f1=f1, support=n)
        for label, precision, recall, f1, n in zip(labels, *lists, strict=True)
    )
