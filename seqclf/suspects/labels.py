"""Labels that are likely wrong: confident learning.

Northcutt, Jiang & Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset
Labels, arXiv:1911.00068. Probabilities are those of models that have not seen the text.
"""

from __future__ import annotations

import numpy as np

UNSURE = -1  # in place of a label: no probability reaches its threshold


def thresholds(probabilities: np.ndarray, label_ids: np.ndarray) -> np.ndarray:
    """Returns how probable each label is, on average, in the texts that have it.

    Equation 2 of the paper, the mean self-confidence.

    Args:
      probabilities: float [texts, labels].
      label_ids: int [texts], the given labels.

    Returns:
      float64 [labels]; infinite of a label that no text has.
    """
    width = probabilities.shape[1]
    own = probabilities[np.arange(len(label_ids)), label_ids].astype(np.float64)
    counts = np.bincount(label_ids, minlength=width)
    sums = np.bincount(label_ids, own, minlength=width)
    return np.divide(sums, counts, out=np.full(width, np.inf), where=counts > 0)


def confident_labels(probabilities: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Returns the likeliest label of those that reach their threshold.

    Equation 1 of the paper: which count a text goes to.

    Args:
      probabilities: float [texts, labels].
      limits: float [labels], see `thresholds`.

    Returns:
      int64 [texts]; `UNSURE` where none does.
    """
    reached = np.where(probabilities >= limits, probabilities, -1.0)
    best = reached.argmax(axis=1)
    return np.where(reached.max(axis=1) < 0, UNSURE, best)


def expected_wrong(
    label_ids: np.ndarray, confident: np.ndarray, num_labels: int
) -> float:
    """Returns how many given labels are wrong, by the calibrated confident joint.

    Equation 3 of the paper: the counts of given and confident labels, each row scaled
    to the texts that have the given label; the sum off the diagonal. A label of which
    no text is confident counts as right.

    Args:
      label_ids: int [texts], the given labels.
      confident: int [texts], see `confident_labels`.
      num_labels: How many labels there are.
    """
    sure = confident != UNSURE
    joint = np.zeros((num_labels, num_labels))
    np.add.at(joint, (label_ids[sure], confident[sure]), 1)
    counts, totals = np.bincount(label_ids, minlength=num_labels), joint.sum(axis=1)
    wrong = totals - joint.diagonal()
    return float((counts * wrong / np.maximum(totals, 1)).sum())


def doubted(
    probabilities: np.ndarray, label_ids: np.ndarray, confident: np.ndarray
) -> np.ndarray:
    """Returns the texts that are likely mislabelled, the most doubtful first.

    They are confidently of another label, off the diagonal of the confident joint, and
    that label is also likelier than the given one. They are ranked by self-confidence,
    the probability of the given label.

    Args:
      probabilities: float [texts, labels].
      label_ids: int [texts], the given labels.
      confident: int [texts], see `confident_labels`.

    Returns:
      int64 [doubted], rows.
    """
    rows = np.arange(len(label_ids))
    own, other = probabilities[rows, label_ids], probabilities[rows, confident]
    is_other = (confident != UNSURE) & (confident != label_ids) & (other > own)
    found = np.flatnonzero(is_other)
    return found[np.argsort(own[found], kind="stable")]
