"""Completes a data set: missing splits are held out of train, and said aloud."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from seqclf.config import DataConfig, fold_of
from seqclf.data.dataset import TEST, TRAIN, VALIDATION, Dataset, RawData, numbered
from seqclf.data.folds import fold_rows
from seqclf.data.groups import whole_groups
from seqclf.data.quality import drop_duplicates, warnings
from seqclf.data.resample import group_bootstrap, seeds_of, stratified_bootstrap
from seqclf.data.spelling import looks_missing, shown
from seqclf.data.stratified import at_random, shares, stratified
from seqclf.errors import ConfigError, DataError
from seqclf.wording import counted, percent


def complete(raw: RawData, config: DataConfig, fingerprint: str) -> Dataset:
    """Holds out the missing splits and takes the sample that is asked for.

    That is `limit` rows, or a `resample` of them.

    Splits of `raw` are completed in place: a large one is never in memory twice.
    Notes say what was done and what looks wrong.

    Returns:
      A data set with train, validation and test, and the fingerprint given.

    Raises:
      DataError: If train has one label only, a label one text only, or too few
        examples to be divided.
      ConfigError: If a fraction is given for a split that is there.
    """
    _refuse_unusable(_dataset(raw, fingerprint))
    notes = _hold_out(raw, config)
    dataset = _dataset(raw, fingerprint).noted(*notes)
    if config.drop_duplicates:
        dataset = drop_duplicates(dataset)
        _refuse_unusable(dataset)
    sampled = _limit if config.resample is None else _resampled
    dataset = sampled(dataset, config)
    return dataset.noted(*warnings(dataset))


def _dataset(raw: RawData, fingerprint: str) -> Dataset:
    """Returns raw data as a data set, its name in characters of every file system."""
    name = re.sub(r"[^\w.]+", "-", raw.name).strip("-.").lower() or "data"
    values = {one.name: getattr(raw, one.name) for one in dataclasses.fields(raw)}
    changed = {"name": name, "splits": dict(raw.splits), "fingerprint": fingerprint}
    return Dataset(**(values | changed))


def _refuse_unusable(dataset: Dataset) -> None:
    counts = dataset.label_counts(TRAIN)
    if (counts > 0).sum() < 2:
        present = [dataset.labels[i] for i in np.flatnonzero(counts)]
        raise DataError(
            f"{dataset.source}: train needs at least two labels, it has "
            f"{', '.join(map(repr, present)) or 'no rows'}."
        )
    lone = [dataset.labels[i] for i in np.flatnonzero(counts == 1)]
    if lone:
        way = "give each label at least two."
        if all(map(looks_missing, lone)):
            way = "it looks missing: --drop-unlabeled leaves such rows out."
        elif (counts > 1).sum() > 1:
            one = ", and with --other they are one label" if len(lone) > 1 else ""
            way = f"--min-per-label 2 leaves out such labels, {len(lone):,} rows{one}."
        raise DataError(
            f"{dataset.source}: train has one text only of {shown(lone)}; {way}"
        )


def _hold_out(raw: RawData, config: DataConfig) -> tuple[str, ...]:
    """Takes missing test and validation splits out of train; returns what to say."""
    strata, groups = raw.strata(TRAIN), raw.groups(TRAIN)
    left, chosen, notes = np.arange(len(strata)), {}, []
    if config.fold is not None:
        chosen[TEST] = _tested(raw, config)
        left = np.delete(left, chosen[TEST])
        notes.append(
            f"test is part {config.fold} of the {len(strata):,} training rows: "
            f"{len(chosen[TEST]):,} (stratified, seed {config.split_seed})."
        )
    for split in (TEST, VALIDATION):
        fraction = getattr(config, f"{split}_fraction")
        if split in chosen:
            continue
        if split in raw.splits:
            if fraction != getattr(DataConfig(), f"{split}_fraction"):
                raise ConfigError(
                    f"{split}_fraction does nothing here: {raw.source} has a {split} "
                    f"split."
                )
            continue
        seed = config.split_seed if split == TEST else seeds_of(config)[0]
        of_left = None if groups is None else groups[left]
        names = raw.labels if raw.label_sets is None else ()
        drawn = held_out(strata[left], names, split, fraction, seed, of_left)
        notes.append(
            f"no {split} split in {raw.source}: held {len(drawn):,} of {len(left):,} "
            f"training rows out ({_whole(of_left, drawn)}stratified, "
            f"{_by(config, split)})."
        )
        chosen[split] = left[drawn]
        left = np.delete(left, drawn)
    if chosen:
        raw.splits.update(_divided(raw.splits.pop(TRAIN), {TRAIN: left} | chosen))
    return tuple(notes)


def _tested(raw: RawData, config: DataConfig) -> np.ndarray:
    """Returns the rows of train that the fold tests on, int64, ascending."""
    if TEST in raw.splits:
        raise ConfigError(
            f"--folds and --fold test on parts of the training texts, and {raw.source} "
            f"has a test split: leave them out, or give the file of its train alone."
        )
    if config.test_fraction != DataConfig().test_fraction:
        raise ConfigError("test_fraction does nothing here: a fold is tested on.")
    strata, groups = raw.strata(TRAIN), raw.groups(TRAIN)
    fold = fold_of(config.fold or "")
    if raw.label_sets is not None and np.bincount(strata).max() < fold[1]:
        strata = np.zeros_like(strata)  # more strata than could be dealt out
    try:
        return fold_rows(strata, groups, fold, config.split_seed)
    except ValueError:
        what, most = "rows of any label", int(np.bincount(strata).max())
        if groups is not None:
            what, most = "groups", len(np.unique(groups))
        raise DataError(
            f"{raw.source} cannot be divided into {fold[1]} parts: there are no more "
            f"than {most:,} {what}. Take fewer folds."
        ) from None


def _by(config: DataConfig, split: str) -> str:
    """Says which seed drew a split."""
    if split == TEST or config.resample is None:
        return f"seed {config.split_seed}"
    return f"by --resample {config.resample}"


def _whole(groups: np.ndarray | None, drawn: np.ndarray) -> str:
    """Says how many groups were drawn, and which part of the rows they are."""
    if groups is None:
        return ""
    some, every = len(np.unique(groups[drawn])), len(np.unique(groups))
    share = percent(len(drawn) / len(groups))
    return f"{share} %, {some:,} of {counted(every, 'group')}; "


def held_out(
    label_ids: np.ndarray,
    labels: Sequence[str],
    split: str,
    fraction: float,
    seed: int,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Draws the rows of train that become another split, stratified.

    `label_ids` are int [train], see `RawData.strata`; `labels` include those that train
    lacks; `fraction`, in (0, 1), is drawn, a row a label at least. Without labels, for
    a text may have several, a row is enough. Of `groups`, int [train], whole ones are
    drawn, about that fraction: see `whole_groups`.

    Returns:
      int64 [drawn], ascending.

    Raises:
      DataError: If there are too few rows, or groups.
    """
    if groups is not None:
        whole = whole_groups(label_ids, groups, fraction, seed)
        if not len(whole):
            raise _too_few_groups(groups, split)
        return whole
    size = max(round(len(label_ids) * fraction), len(labels), 1)
    drawn = stratified(label_ids, size, seed)
    if drawn is None and not labels:
        drawn = at_random(len(label_ids), size, seed)
    if drawn is None:
        raise DataError(
            f"cannot hold out a {split} split of {size:,} from {len(label_ids):,} "
            f"training rows: the others must have each of {len(labels)} labels. Give "
            f"each label more texts, three or more, or give a {split} split."
        )
    return drawn


def _too_few_groups(groups: np.ndarray, split: str) -> DataError:
    sizes = np.bincount(numbered(groups))
    return DataError(
        f"cannot hold out a {split} split from {counted(len(groups), 'training row')} "
        f"in {counted(len(sizes), 'group')}, the largest of {sizes.max():,}: each has "
        f"more than half of the rows, or all rows of a label. Give each label rows in "
        f"three or more groups, or give a {split} split, or do without groups."
    )


def _divided(table: pa.Table, rows: Mapping[str, np.ndarray]) -> dict[str, pa.Table]:
    """Divides a table, freeing chunk after chunk of it where nobody else holds it.

    `rows` gives the numbers of the rows of each part, ascending.
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
        return dataset.noted(
            f"--limit {config.limit:,}: train has {table.num_rows:,} rows, all used."
        )
    label_ids, seed = dataset.strata(TRAIN), config.split_seed
    chosen = stratified(label_ids, config.limit, seed, is_train=True)
    if chosen is None and dataset.label_sets is not None:
        chosen = at_random(table.num_rows, config.limit, seed)
    if chosen is None:
        raise _too_few_for_labels(config.limit, label_ids)
    return _trained_on(dataset, chosen).noted(
        f"training on {config.limit:,} of {table.num_rows:,} rows (stratified)."
    )


def _too_few_for_labels(limit: int, label_ids: np.ndarray) -> DataError:
    least = len(np.unique(label_ids))
    return DataError(
        f"--limit {limit} is fewer rows than train has labels; a sample with each of "
        f"them has at least {least:,}: --limit {least}"
    )


def _trained_on(dataset: Dataset, rows: np.ndarray) -> Dataset:
    """Returns the data set with these rows of train in place of all, ascending."""
    train = _divided(dataset.splits[TRAIN], {TRAIN: rows})
    return dataclasses.replace(dataset, splits=dataset.splits | train)


def _resampled(dataset: Dataset, config: DataConfig) -> Dataset:
    """Draws the rows to train on with replacement: as many, or as `limit` says."""
    label_ids, groups = dataset.strata(TRAIN), dataset.groups(TRAIN)
    rows, seed = len(label_ids), seeds_of(config)[1]
    size = min(config.limit or rows, rows)
    if size < len(np.unique(label_ids)):
        if dataset.label_sets is None:
            raise _too_few_for_labels(size, label_ids)
        label_ids = np.zeros_like(label_ids)  # fewer rows than strata: without them
    if groups is None:
        drawn = stratified_bootstrap(label_ids, shares(label_ids, size), seed)
        how = "stratified, "
    else:
        drawn = group_bootstrap(label_ids, groups, size, seed)
        how = f"{counted(len(np.unique(groups[drawn])), 'group')}, whole; "
    return _trained_on(dataset, drawn).noted(
        f"training on {len(drawn):,} rows drawn from {rows:,} with replacement, "
        f"{len(np.unique(drawn)):,} different ones ({how}by --resample "
        f"{config.resample})."
    )
