"""Another training set of the same texts: a bootstrap, as one seed draws it.

Texts are drawn with replacement, as many as there are (or as `--limit` says): what one
such draw gives and another does not, is what another training set of that size would
(Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 6; for comparisons of
learners Bouthillier et al. 2021, arXiv:2103.03098). docs/statistics.md has the reasons.
"""

from __future__ import annotations

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.dataset import numbered


def seeds_of(config: DataConfig) -> tuple[int, int]:
    """Returns the seeds of the validation split and of the training texts.

    Without `resample` both are `split_seed`; else they depend on both settings, and
    have nothing in common.
    """
    if config.resample is None:
        return config.split_seed, config.split_seed
    sequence = np.random.SeedSequence([config.split_seed, config.resample])
    of_validation, of_train = sequence.generate_state(2).tolist()
    return of_validation, of_train


def stratified_bootstrap(
    label_ids: np.ndarray, counts: np.ndarray, seed: int
) -> np.ndarray:
    """Draws rows with replacement, of each label as many as asked for.

    Args:
      label_ids: int [rows], from 0.
      counts: int [labels]; 0 of a label that no row has.
      seed: Of the draw.

    Returns:
      int64 [sum of counts], ascending; a row stands there as often as it was drawn.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        rng.choice(np.flatnonzero(label_ids == label), size=count)
        for label, count in enumerate(counts.tolist())
        if count
    ]
    return np.sort(np.concatenate(drawn))


def group_bootstrap(
    label_ids: np.ndarray, groups: np.ndarray, size: int, seed: int
) -> np.ndarray:
    """Draws whole groups with replacement, until about so many rows are drawn.

    That is, one group after another, up to the one that comes nearest to `size`; then,
    for each label that none of them has, one of the groups that have it.

    Args:
      label_ids: int [rows].
      groups: int [rows]; which numbers they are does not matter.
      size: Rows wanted.
      seed: Of the draw.

    Returns:
      int64 [drawn], ascending; a row stands there as often as its group was drawn.
    """
    groups, rng = numbered(groups), np.random.default_rng(seed)
    sizes = np.bincount(groups)
    order = rng.integers(len(sizes), size=size)  # a group has a row at least
    number = int(np.abs(np.cumsum(sizes[order]) - size).argmin()) + 1
    times = np.bincount(order[:number], minlength=len(sizes))
    for label in np.unique(label_ids):
        having = np.unique(groups[label_ids == label])
        if not times[having].any():
            times[rng.choice(having)] += 1
    return np.repeat(np.arange(len(groups)), times[groups])
