"""What may be wrong with a data set, counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.arrow import release
from seqclf.data.dataset import NO_GROUP, TEST, TRAIN, VALIDATION, Dataset
from seqclf.data.spelling import shown
from seqclf.notes import note
from seqclf.wording import counted

HELD_OUT = (VALIDATION, TEST)
HALF = 0xFFFFFFFF  # of a hash
ROWS = 20_000  # texts that are Python objects at a time
HEAVY_IMBALANCE = 10  # times as many texts of the commonest label as of the rarest


def copies(dataset: Dataset, split: str) -> int:
    """Counts the rows of a split whose very text occurs earlier in it."""
    texts = dataset.texts(split)
    return len(texts) - int(pc.count_distinct(texts).as_py())


def shared(dataset: Dataset, split: str, other: str) -> int:
    """Counts the rows of a split whose very text occurs in another, larger one."""
    common = dataset.texts(other).filter(_stands_in(dataset, other, (split,)))
    rows = pc.is_in(dataset.texts(split), value_set=common.unique())
    return int(pc.sum(rows).as_py() or 0)


def empty(dataset: Dataset, split: str) -> int:
    """Counts the texts of a split that hold nothing but spaces."""
    texts = dataset.texts(split)
    blank = (pc.equal(pc.utf8_trim_whitespace(chunk), "") for chunk in texts.chunks)
    return sum(int(pc.sum(one).as_py() or 0) for one in blank)


def torn(dataset: Dataset, split: str) -> tuple[int, int]:
    """Counts the texts of a split that occur in it with two labels or more.

    Returns:
      Such texts, each counted once, and the rows in which they occur.
    """
    texts, label_ids = dataset.texts(split), dataset.label_ids(split)
    rows = _suspects(texts, label_ids)
    if not len(rows):
        return 0, 0
    is_suspect = np.zeros(len(texts), bool)
    is_suspect[rows] = True  # `take` would copy all texts first
    found = texts.filter(pa.array(is_suspect))
    encoded = found.dictionary_encode().unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in encoded.chunks])
    one_label = np.zeros(codes.max() + 1, np.int32)
    one_label[codes] = label_ids[rows]
    is_torn = np.zeros(len(one_label), bool)
    is_torn[codes[label_ids[rows] != one_label[codes]]] = True
    return int(is_torn.sum()), int(is_torn[codes].sum())


def _suspects(texts: pa.ChunkedArray, label_ids: np.ndarray) -> np.ndarray:
    """Returns the rows, int64, whose text may occur with another label, and few more.

    By half of Python's hash: a table of all texts would be as large as they are.
    """
    hashes = np.empty(len(texts), np.uint32)
    row = 0
    for batch in pa.table({"text": texts}).to_batches(max_chunksize=ROWS):
        some = [hash(text) & HALF for text in batch["text"].to_pylist()]
        hashes[row : row + len(some)] = some
        row += len(some)
    keys = hashes.astype(np.uint64) << 32 | label_ids.astype(np.uint64)
    keys.sort()
    is_other = keys[1:] != keys[:-1]
    ordered = (keys >> 32).astype(np.uint32)
    del keys
    found = ordered[1:][is_other & (ordered[1:] == ordered[:-1])]
    if not len(found):
        return np.empty(0, np.int64)
    # `isin` would sort all hashes and remember their places.
    places = np.searchsorted(found, hashes, side="right") - 1
    return np.flatnonzero(found[places] == hashes)


def groups(dataset: Dataset, split: str) -> int | None:
    """Counts the groups of a split; None if nothing says which rows belong together."""
    found = dataset.groups(split)
    if found is None or (found == NO_GROUP).all():
        return None
    return len(np.unique(found[found != NO_GROUP]))


def drop_duplicates(dataset: Dataset) -> Dataset:
    """Takes out of train what validation or test hold too, and notes how many rows."""
    train = dataset.splits[TRAIN]
    kept = train.filter(pc.invert(_stands_in(dataset, TRAIN, HELD_OUT)))
    splits = dataset.splits | {TRAIN: kept}
    return dataclasses.replace(dataset, splits=splits).noted(
        f"--drop-duplicates took {train.num_rows - kept.num_rows:,} of "
        f"{train.num_rows:,} rows out of train, whose texts are in validation or test "
        f"too."
    )


def warnings(dataset: Dataset) -> tuple[str, ...]:
    """Says what the user should know before believing a score, a sentence each."""
    checks = (
        _about_torn, _about_shared, _about_empty, _about_balance, _about_absent,
        _about_groups,
    )  # fmt: skip
    said: list[str] = []
    for check in checks:
        said += check(dataset)
        release()
    return tuple(said)


def _stands_in(
    dataset: Dataset, split: str, others: tuple[str, ...]
) -> pa.ChunkedArray:
    chunks = [c for other in others for c in dataset.texts(other).chunks]
    texts = pa.chunked_array(chunks, pa.string())
    return pc.is_in(dataset.texts(split), value_set=texts)


def _about_torn(dataset: Dataset) -> Iterator[str]:
    texts, rows = torn(dataset, TRAIN)
    if texts:
        what = "labels" if dataset.label_sets is None else "sets of labels"
        yield note(
            "SQ004",
            f"{texts:,} texts of train have two {what} or more, in {rows:,} of "
            f"{dataset.splits[TRAIN].num_rows:,} rows: no classifier can be right "
            f"about all of them.",
        )


def _about_shared(dataset: Dataset) -> Iterator[str]:
    for split in HELD_OUT:
        count, rows = shared(dataset, split, TRAIN), dataset.splits[split].num_rows
        if count:
            yield note(
                "SQ005",
                f"{count:,} of {rows:,} {split} texts are in train too, so their score "
                f"is partly memory; --drop-duplicates takes them out of train.",
            )


def _about_empty(dataset: Dataset) -> Iterator[str]:
    counts = {split: empty(dataset, split) for split in (TRAIN, *HELD_OUT)}
    found = [f"{count:,} in {split}" for split, count in counts.items() if count]
    if found:
        text = f"empty texts: {', '.join(found)}; they count as one unknown token."
        yield note("SQ006", text)


def _about_balance(dataset: Dataset) -> Iterator[str]:
    counts = dataset.label_counts(TRAIN)
    present = np.flatnonzero(counts)
    most = present[np.argmax(counts[present])]
    least = present[np.argmin(counts[present])]
    if counts[most] >= HEAVY_IMBALANCE * counts[least]:
        share = 100 * counts[most] / dataset.splits[TRAIN].num_rows
        is_one = dataset.label_sets is None
        remedy = ", or try --class-weights balanced" if is_one else ""
        yield note(
            "SQ007",
            f"train is out of balance: {dataset.labels[most]!r} has {counts[most]:,} "
            f"texts ({share:.0f} %), {dataset.labels[least]!r} {counts[least]:,}. Look "
            f"at macro F1 beside accuracy{remedy}.",
        )


def _about_absent(dataset: Dataset) -> Iterator[str]:
    for split, consequence in (
        (TRAIN, "they cannot be learnt"),
        (TEST, "how well they are recognised is not measured"),
    ):
        absent = np.flatnonzero(dataset.label_counts(split) == 0)
        if len(absent):
            names = shown([dataset.labels[i] for i in absent])
            text = f"no {split} text has the label {names}: {consequence}."
            yield note("SQ008", text)


def _about_groups(dataset: Dataset) -> Iterator[str]:
    train = dataset.groups(TRAIN)
    for split in HELD_OUT:
        groups = dataset.groups(split)
        if train is None or groups is None:
            return
        common = groups[np.isin(groups, train)]  # every row of train has a group
        if some := len(np.unique(common)):
            yield note(
                "SQ012",
                f"{split} shares {counted(some, 'group')} with train, "
                f"{len(common):,} of its {len(groups):,} rows, so its score is partly "
                f"memory. Give all rows as train, without a {split} split, and whole "
                f"groups are held out.",
            )
