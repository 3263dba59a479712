"""Completes a data set: missing splits are held out of train, and said aloud."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pyarrow as pa

from seqclf.config import DataConfig
from seqclf.data.dataset import TEST, TRAIN, VALIDATION, Dataset, RawData
from seqclf.data.quality import drop_duplicates, warnings
from seqclf.errors import ConfigError, DataError


def complete(raw: RawData, config: DataConfig, fingerprint: str) -> Dataset:
    """Holds out the missing splits and takes the sample that `limit` asks for.

    Args:
      raw: What the source holds; at least train.
      config: Fractions, seed and limit.
      fingerprint: Hash of what the source holds.

    Returns:
      A data set with train, validation and test; what was done, and what looks wrong
      with it, stands in its notes.

    Raises:
      DataError: If train has one label only, a label one text only, or too few
        examples to be divided.
      ConfigError: If a fraction is given for a split that is there.
    """
    dataset = Dataset(
        name=_slug(raw.name),
        splits=dict(raw.splits),
        labels=raw.labels,
        source=raw.source,
        fingerprint=fingerprint,
        revision=raw.revision,
        notes=raw.notes,
    )
    _refuse_unusable(dataset)
    dataset = _hold_out(dataset, TEST, config.test_fraction, config.split_seed)
    dataset = _hold_out(
        dataset, VALIDATION, config.validation_fraction, config.split_seed
    )
    if config.drop_duplicates:
        dataset = drop_duplicates(dataset)
        _refuse_unusable(dataset)
    dataset = _limit(dataset, config)
    return dataclasses.replace(dataset, notes=dataset.notes + warnings(dataset))


def _slug(name: str) -> str:
    """Returns the name in characters that suit every file system."""
    return re.sub(r"[^\w.]+", "-", name).strip("-.").lower() or "data"


def _refuse_unusable(dataset: Dataset) -> None:
    counts = dataset.label_counts(TRAIN)
    if (counts > 0).sum() < 2:
        present = [dataset.labels[i] for i in np.flatnonzero(counts)]
        raise DataError(
            f"{dataset.source}: train needs at least two labels, it has "
            f"{', '.join(map(repr, present)) or 'no rows'}."
        )
    if (counts == 1).any():
        lone = [repr(dataset.labels[i]) for i in np.flatnonzero(counts == 1)]
        more = f" and {len(lone) - 5} more" if len(lone) > 5 else ""
        raise DataError(
            f"{dataset.source}: train has one text only of {', '.join(lone[:5])}"
            f"{more}; give each label at least two, or take the label out."
        )


def _hold_out(dataset: Dataset, split: str, fraction: float, seed: int) -> Dataset:
    if split in dataset.splits:
        if fraction != getattr(DataConfig(), f"{split}_fraction"):
            raise ConfigError(
                f"{split}_fraction does nothing here: {dataset.source} has a {split} "
                f"split."
            )
        return dataset
    table = dataset.splits[TRAIN]
    size = max(round(table.num_rows * fraction), len(dataset.labels))
    chosen = _stratified(dataset, size, seed, f"hold out a {split} split")
    kept = np.setdiff1d(np.arange(table.num_rows), chosen)
    splits = dict(dataset.splits) | {
        TRAIN: table.take(pa.array(kept)),
        split: table.take(pa.array(chosen)),
    }
    note = (
        f"no {split} split in {dataset.source}: held {len(chosen):,} of "
        f"{table.num_rows:,} training rows out (stratified, seed {seed})."
    )
    return dataclasses.replace(dataset, splits=splits, notes=(*dataset.notes, note))


def _limit(dataset: Dataset, config: DataConfig) -> Dataset:
    table = dataset.splits[TRAIN]
    if config.limit is None:
        return dataset
    if config.limit >= table.num_rows:
        note = f"--limit {config.limit:,}: train has {table.num_rows:,} rows, all used."
        return dataclasses.replace(dataset, notes=(*dataset.notes, note))
    chosen = _stratified(dataset, config.limit, config.split_seed, "take a sample")
    note = f"training on {config.limit:,} of {table.num_rows:,} rows (stratified)."
    splits = dict(dataset.splits) | {TRAIN: table.take(pa.array(chosen))}
    return dataclasses.replace(dataset, splits=splits, notes=(*dataset.notes, note))


def _stratified(dataset: Dataset, size: int, seed: int, purpose: str) -> np.ndarray:
    """Draws `size` row numbers of train, each label in its share; sorted."""
    from sklearn.model_selection import train_test_split

    label_ids = dataset.splits[TRAIN]["label"].to_numpy()
    try:
        chosen, _ = train_test_split(
            np.arange(len(label_ids)),
            train_size=size,
            stratify=label_ids,
            random_state=seed,
        )
    except ValueError as error:
        counts = dataset.label_counts(TRAIN)
        present = np.flatnonzero(counts)
        rarest = present[np.argmin(counts[present])]
        raise DataError(
            f"cannot {purpose} of {size:,} from {len(label_ids):,} training rows with "
            f"{len(present)} labels; the rarest, {dataset.labels[rarest]!r}, has "
            f"{counts[rarest]}. Give each label at least two rows in train, and ask "
            f"for more rows than there are labels."
        ) from error
    return np.sort(chosen)
