"""Parts of the training texts that are tested on in turn: cross-validation."""

from __future__ import annotations

import warnings

import numpy as np


def fold_rows(
    label_ids: np.ndarray,
    groups: np.ndarray | None,
    fold: tuple[int, int],
    seed: int,
) -> np.ndarray:
    """Returns the rows of one of K parts, in which labels have about equal shares.

    The K parts of a division hold each row once. Of groups, whole ones are in a part.

    Args:
      label_ids: int [rows].
      groups: int [rows], or None where each row is one.
      fold: Which part, from 1, and K; above K it is of another division.
      seed: Of the first division; the next ones take those behind it.

    Returns:
      int64 [rows of the part], ascending.

    Raises:
      ValueError: If there are fewer than K rows of every label, or fewer groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    number, parts = fold
    division, place = divmod(number - 1, parts)
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    divided = kind(parts, shuffle=True, random_state=seed + division)
    with warnings.catch_warnings():
        # A label with fewer rows than parts is missing from some, and that may be.
        warnings.simplefilter("ignore", UserWarning)
        every = list(divided.split(label_ids, label_ids, groups))
    return np.sort(every[place][1])
