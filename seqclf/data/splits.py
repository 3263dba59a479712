"""Completes a data set: missing splits are held out of train, and said aloud."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from seqclf.config import DataConfig
from seqclf.data.dataset import TEST, TRAIN, VALIDATION, Dataset, RawData
from seqclf.data.quality import drop_duplicates, warnings
from seqclf.errors import ConfigError, DataError


def complete(raw: RawData, config: DataConfig, fingerprint: str) -> Dataset:
    """Holds out the missing splits and takes the sample that `limit` asks for.

    Args:
      raw: What the source holds; at least train. Its splits are completed in place, so
        that a large one is never in memory twice.
      config: Fractions, seed and limit.
      fingerprint: Hash of what the source held.

    Returns:
      A data set with train, validation and test; what was done, and what looks wrong
      with it, stands in its notes.

    Raises:
      DataError: If train has one label only, a label one text only, or too few
        examples to be divided.
      ConfigError: If a fraction is given for a split that is there.
    """
    _refuse_unusable(_dataset(raw, fingerprint))
    notes = raw.notes + _hold_out(raw, config)
    dataset = dataclasses.replace(_dataset(raw, fingerprint), notes=notes)
    if config.drop_duplicates:
        dataset = drop_duplicates(dataset)
        _refuse_unusable(dataset)
    dataset = _limit(dataset, config)
    return dataclasses.replace(dataset, notes=dataset.notes + warnings(dataset))


def _dataset(raw: RawData, fingerprint: str) -> Dataset:
    return Dataset(
        name=_slug(raw.name),
        splits=dict(raw.splits),
        labels=raw.labels,
        source=raw.source,
        fingerprint=fingerprint,
        revision=raw.revision,
        reading=raw.reading,
    )


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


def _hold_out(raw: RawData, config: DataConfig) -> tuple[str, ...]:
    """Takes missing test and validation splits out of train; returns what to say."""
    label_ids = raw.splits[TRAIN]["label"].to_numpy()
    left, chosen, notes = np.arange(len(label_ids)), {}, []
    for split in (TEST, VALIDATION):
        fraction = getattr(config, f"{split}_fraction")
        if split in raw.splits:
            _refuse_idle_fraction(raw, split, fraction)
            continue
        seed = config.split_seed
        drawn = held_out(label_ids[left], raw.labels, split, fraction, seed)
        notes.append(
            f"no {split} split in {raw.source}: held {len(drawn):,} of {len(left):,} "
            f"training rows out (stratified, seed {seed})."
        )
        chosen[split] = left[drawn]
        left = np.delete(left, drawn)
    if chosen:
        raw.splits.update(_divided(raw.splits.pop(TRAIN), {TRAIN: left} | chosen))
    return tuple(notes)


def held_out(
    label_ids: np.ndarray, labels: Sequence[str], split: str, fraction: float, seed: int
) -> np.ndarray:
    """Draws the rows of train that become another split, stratified.

    Args:
      label_ids: int [train].
      labels: Label names.
      split: What they become, for messages.
      fraction: Fraction in (0, 1) to draw; a row a label at least.
      seed: Seed of the draw.

    Returns:
      int64 [drawn], ascending.

    Raises:
      DataError: If there are too few rows.
    """
    size = max(round(len(label_ids) * fraction), len(labels))
    return _stratified(label_ids, labels, size, seed, f"hold out a {split} split")


def _refuse_idle_fraction(raw: RawData, split: str, fraction: float) -> None:
    if fraction != getattr(DataConfig(), f"{split}_fraction"):
        raise ConfigError(
            f"{split}_fraction does nothing here: {raw.source} has a {split} split."
        )


def _divided(table: pa.Table, rows: Mapping[str, np.ndarray]) -> dict[str, pa.Table]:
    """Divides a table, freeing chunk after chunk of it where nobody else holds it.

    Args:
      table: Any columns.
      rows: Numbers of the rows of each part, ascending.

    Returns:
      A table a part.
    """
    schema, chunks = table.schema, table.to_batches()[::-1]
    del table
    parts: dict[str, list[pa.RecordBatch]] = {name: [] for name in rows}
    start = 0
    while chunks:
        chunk = chunks.pop()
        for name, numbers in rows.items():
            first, last = np.searchsorted(numbers, (start, start + chunk.num_rows))
            parts[name].append(chunk.take(pa.array(numbers[first:last] - start)))
        start += chunk.num_rows
    return {name: pa.Table.from_batches(part, schema) for name, part in parts.items()}


def _limit(dataset: Dataset, config: DataConfig) -> Dataset:
    table = dataset.splits[TRAIN]
    if config.limit is None:
        return dataset
    if config.limit >= table.num_rows:
        note = f"--limit {config.limit:,}: train has {table.num_rows:,} rows, all used."
        return dataclasses.replace(dataset, notes=(*dataset.notes, note))
    chosen = _stratified(
        table["label"].to_numpy(),
        dataset.labels,
        config.limit,
        config.split_seed,
        "take a sample",
    )
    note = f"training on {config.limit:,} of {table.num_rows:,} rows (stratified)."
    splits = dict(dataset.splits) | {TRAIN: table.take(pa.array(chosen))}
    return dataclasses.replace(dataset, splits=splits, notes=(*dataset.notes, note))


def _stratified(
    label_ids: np.ndarray, labels: Sequence[str], size: int, seed: int, purpose: str
) -> np.ndarray:
    """Draws `size` of the rows of train, each label in its share; ascending."""
    from sklearn.model_selection import train_test_split

    try:
        chosen, _ = train_test_split(
            np.arange(len(label_ids)),
            train_size=size,
            stratify=label_ids,
            random_state=seed,
        )
    except ValueError as error:
        counts = np.bincount(label_ids)
        present = np.flatnonzero(counts)
        rarest = present[np.argmin(counts[present])]
        raise DataError(
            f"cannot {purpose} of {size:,} from {len(label_ids):,} training rows with "
            f"{len(present)} labels; the rarest, {labels[rarest]!r}, has "
            f"{counts[rarest]}. Give each label at least two rows in train, and ask "
            f"for more rows than there are labels."
        ) from error
    return np.sort(chosen)
