"""Texts that may have several labels, or none: which apply, and how right that is.

What is true and what was answered are bool [n, labels]; probabilities, float [n,
labels], are of each label by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from seqclf.metrics import (
    CALIBRATION_BINS,
    accuracy,
    binned_gap,
    by_length,
    f1_shares,
    per_label,
    roc_auc,
)
from seqclf.records.scores import Scores, SeveralScores

DEFAULT_THRESHOLD = 0.5
FEWEST_TO_CHOOSE = 5  # texts with a label; with fewer its threshold is a half


def thresholds(
    truth: np.ndarray, probabilities: np.ndarray, is_learnt: np.ndarray
) -> np.ndarray:
    """Returns the probability from which on each label applies, float32 [labels].

    It is that of the greatest F1 of the label (Yang 2001, SIGIR, "SCut"; Lipton et al.
    2014, ECML PKDD, arXiv:1402.1892), half-way between the two probabilities that it
    parts. A label with too few texts has a half, and so has one that nothing could be
    learnt of. Where all texts have the same probabilities, the answer that all get is
    the best of those that are the k commonest labels, by example F1.

    Args:
      truth: bool [n, labels], of validation.
      probabilities: float [n, labels].
      is_learnt: bool [labels], whether some training texts have the label, and some
        not; see `learnt`.
    """
    if len(probabilities) > 1 and (probabilities == probabilities[0]).all():
        return _one_answer(truth, probabilities[0])
    found = np.full(truth.shape[1], DEFAULT_THRESHOLD, np.float32)
    is_enough = truth.sum(axis=0) >= FEWEST_TO_CHOOSE
    for label in np.flatnonzero(is_learnt & is_enough):
        found[label] = _best_threshold(truth[:, label], probabilities[:, label])
    return found


def learnt(truth: np.ndarray) -> np.ndarray:
    """Returns which labels some texts have and some not, bool [labels]."""
    return np.asarray(truth.any(axis=0) & ~truth.all(axis=0))


def _one_answer(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns thresholds with which all texts get the best answer for all."""
    best = np.argmax(_guesses(truth, np.argsort(-probabilities, kind="stable")))
    places = np.argsort(np.argsort(-probabilities, kind="stable"))
    above = np.nextafter(probabilities, np.float32(2), dtype=np.float32)
    return np.where(places < best, probabilities, above).astype(np.float32)


def _best_threshold(truth: np.ndarray, probabilities: np.ndarray) -> float:
    order = np.argsort(-probabilities, kind="stable")
    falling = probabilities[order].astype(np.float64)
    hits, said = np.cumsum(truth[order]), np.arange(1, len(order) + 1)
    f1 = 2 * hits / (said + truth.sum())
    # No threshold parts equal probabilities.
    parts = np.append(falling[:-1] > falling[1:], True)
    last = int(np.where(parts, f1, -1.0).argmax())
    below = falling[last + 1] if last + 1 < len(falling) else 0.0
    between = np.float32((falling[last] + below) / 2)
    return float(between if between > below else falling[last])  # neighbours in float32


def answered(probabilities: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Returns which labels apply, bool [n, labels], by thresholds float32 [labels]."""
    return np.asarray(probabilities >= least)


def applying(
    probabilities: np.ndarray, least: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the labels that apply to texts, those of each text the likeliest first.

    Arguments are those of `answered`.

    Returns:
      Label ids, int64 [sum of counts], text behind text, and the counts, int64 [n].
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    said = np.take_along_axis(answered(probabilities, least), order, axis=1)
    return order[said], said.sum(axis=1)


def scores(
    truth: np.ndarray,
    probabilities: np.ndarray,
    said: np.ndarray,
    labels: Sequence[str],
    lengths: np.ndarray,
) -> Scores:
    """Scores the predictions of one split.

    Args:
      truth: bool [n, labels].
      probabilities: float [n, labels].
      said: bool [n, labels], the answers.
      labels: Label names.
      lengths: int [n], tokens of each text, for the accuracy by length.
    """
    right = (truth == said).all(axis=1)
    commonest = np.argsort(-truth.sum(axis=0), kind="stable")
    return Scores(
        **dataclasses.asdict(accuracy(right)),
        macro_f1=float(f1_shares(truth, said).mean()),
        log_loss=float(losses(truth, probabilities).mean()),
        roc_auc=roc_auc(truth, probabilities),
        calibration_error=binned_gap(
            probabilities.ravel(), truth.ravel(), CALIBRATION_BINS
        ),
        per_label=per_label(truth, said, labels),
        confusion_matrix=(),
        by_length=by_length(right, lengths),
        several=SeveralScores(
            micro_f1=_f1(truth.ravel(), said.ravel()),
            example_f1=float(example_f1(truth, said).mean()),
            average_precision=average_precision(truth, probabilities),
            labels_per_text=float(truth.sum(axis=1).mean()),
            answered_per_text=float(said.sum(axis=1).mean()),
            guessed_accuracy=_commonest_set(truth),
            guessed_example_f1=max(_guesses(truth, commonest)),
        ),
    )


def losses(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns the loss of each text: the mean of its labels' log losses.

    Probabilities are clipped to [ε, 1 - ε] of float64, as in `metrics.losses`.

    Returns:
      float64 [n], in nats, at least 0.
    """
    least = np.finfo(np.float64).eps
    own = np.where(truth, probabilities, 1 - probabilities.astype(np.float64))
    return np.asarray(-np.log(np.clip(own, least, 1 - least)).mean(axis=1))


def example_f1(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Returns the F1 of each text's labels, float64 [n], in [0, 1].

    It is 1 where a text has no label and gets none.
    """
    counted = truth.sum(axis=1) + said.sum(axis=1)
    both = 2 * (truth & said).sum(axis=1)
    return np.where(counted, both / np.maximum(counted, 1), 1.0)


def average_precision(truth: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Returns the mean of the labels' average precision, those that no text has apart.

    None if no label is left. See Manning, Raghavan & Schütze 2008, section 8.4.
    """
    from sklearn.metrics import average_precision_score

    present = np.flatnonzero(truth.any(axis=0))
    every = [average_precision_score(truth[:, k], probabilities[:, k]) for k in present]
    return float(np.mean(every)) if every else None


def _f1(truth: np.ndarray, said: np.ndarray) -> float:
    counted = int(truth.sum() + said.sum())
    return 2 * int((truth & said).sum()) / counted if counted else 1.0


def _commonest_set(truth: np.ndarray) -> float:
    _, counts = np.unique(truth, axis=0, return_counts=True)
    return float(counts.max() / len(truth))


def _guesses(truth: np.ndarray, order: np.ndarray) -> list[float]:
    """Returns the example F1 of one answer for all texts: none, then label by label."""
    said, found = np.zeros_like(truth), []
    for label in (None, *order.tolist()):
        if label is not None:
            said[:, label] = True
        found.append(float(example_f1(truth, said).mean()))
    return found
