"""Draws rows so that each label keeps its share."""

from __future__ import annotations

import numpy as np


def stratified(
    label_ids: np.ndarray, size: int, seed: int, is_train: bool = False
) -> np.ndarray | None:
    """Draws rows, each label in its share.

    Where every label can be on both sides, the rows are those that scikit-learn's
    `train_test_split` draws; else the rows to train on have every label.

    Args:
      label_ids: int [rows], from 0.
      size: How many rows to draw.
      seed: Of the draw.
      is_train: Whether the drawn rows are those to train on, or the others.

    Returns:
      int64 [size], ascending. None if the rows to train on would lack a label, or
      none would be left for the other side.
    """
    counts = np.bincount(label_ids)
    counts, others = counts[counts > 0], len(label_ids) - size
    if not len(counts):
        return None
    if counts.min() > 1 and min(size, others) >= len(counts):
        return _as_scikit_learn(label_ids, counts, size, seed)
    learnt = size if is_train else others
    if not len(counts) <= learnt < len(label_ids):
        return None
    chosen = _sample(label_ids, learnt, seed)
    return chosen if is_train else np.delete(np.arange(len(label_ids)), chosen)


def at_random(rows: int, size: int, seed: int) -> np.ndarray | None:
    """Draws rows without strata, int64 [size], ascending; None if none is left."""
    if size >= rows:
        return None
    return np.sort(np.random.default_rng(seed).permutation(rows)[:size])


def shares(label_ids: np.ndarray, size: int) -> np.ndarray:
    """Returns how many of so many rows each label has, int64 [labels].

    That is its share of label_ids, int [train], but one at least; `size` is between the
    numbers of labels and of rows.
    """
    counts = np.bincount(label_ids)
    share = size * counts / len(label_ids)
    drawn = np.minimum(np.maximum(np.floor(share), 1), counts).astype(np.int64)
    while drawn.sum() != size:
        step = 1 if drawn.sum() < size else -1
        can = drawn < counts if step > 0 else drawn > 1
        lacking = np.where(can, step * (share - drawn), -np.inf)
        drawn[np.argmax(lacking)] += step
    return drawn


def _as_scikit_learn(
    label_ids: np.ndarray, counts: np.ndarray, size: int, seed: int
) -> np.ndarray:
    """Draws the rows of `train_test_split(rows, train_size=size, stratify=label_ids)`.

    Of five million rows that one makes Python lists, 200 MB; another draw would divide
    every data set in another way than before. `counts` are the rows of each label that
    has some.
    """
    generator = np.random.RandomState(seed)
    drawn = _rounded(counts, size, generator)
    # The other side is rounded too; what it takes of the generator counts.
    _rounded(counts - drawn, len(label_ids) - size, generator)
    by_label = np.argsort(label_ids, kind="stable")
    starts = np.cumsum(counts) - counts
    ranges = zip(starts, counts, drawn, strict=True)
    parts = [by_label[at + generator.permutation(n)[:k]] for at, n, k in ranges]
    return np.sort(np.concatenate(parts))


def _rounded(
    counts: np.ndarray, size: int, generator: np.random.RandomState
) -> np.ndarray:
    """Divides `size` by largest remainder; equal ones are drawn. Returns int64."""
    exact = counts / counts.sum() * size
    whole = np.floor(exact)
    rest, missing = exact - whole, int(size - whole.sum())
    for value in np.unique(rest)[::-1]:
        if missing <= 0:
            break
        equal = np.flatnonzero(rest == value)
        more = generator.choice(equal, min(len(equal), missing), replace=False)
        whole[more] += 1
        missing -= len(more)
    return whole.astype(np.int64)


def _sample(label_ids: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Draws rows of label_ids, int [train]: at least one a label, else its share.

    Returns int64 [size], ascending; `size` is at least the number of labels.
    """
    counts, drawn = np.bincount(label_ids), shares(label_ids, size)
    order = np.random.default_rng(seed).permutation(len(label_ids))
    by_label = order[np.argsort(label_ids[order], kind="stable")]
    place = np.arange(len(order)) - (np.cumsum(counts) - counts)[label_ids[by_label]]
    return np.sort(by_label[place < drawn[label_ids[by_label]]])
