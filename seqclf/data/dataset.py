"""The one shape that every source of texts takes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from seqclf.arrow import pa, pc
from seqclf.records.reading import NOTHING_SAID, Reading

TRAIN, VALIDATION, TEST, UNLABELED = "train", "validation", "test", "unlabeled"
# Test texts, the tokens of each in a random order: all, or as many as tell what the
# order is worth to within a point.
SHUFFLED = "test_shuffled"
MOST_SHUFFLED = 5_000
NO_LABEL = -1
# The group of each row, a third column where rows that belong together stay together.
GROUP = "group"  # int32
NO_GROUP = -1
# The number of each row among all of its source, a column where one asked for it.
ORIGIN = "origin"  # int64

# The label ids of each set of labels that occurs, where a text may have several labels.
LabelSets = tuple[tuple[int, ...], ...]
FEWEST_OF_A_SET = 10  # training rows; rarer sets are divided by their rarest label

# What splits are called elsewhere, in lower case.
SPLIT_NAMES = {
    "train": TRAIN, "training": TRAIN,
    "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "dev": VALIDATION,
    "test": TEST,
    "unlabeled": UNLABELED, "unlabelled": UNLABELED, "unsupervised": UNLABELED,
    "unsup": UNLABELED,
}  # fmt: skip


def one_based(index: int) -> int:
    """Returns the number of a row where rows are all there is."""
    return index + 1


def shuffled_rows(texts: int) -> np.ndarray:
    """Returns which of so many test texts are shuffled, ascending int64."""
    return np.linspace(0, texts - 1, min(texts, MOST_SHUFFLED)).astype(np.int64)


def schema() -> pa.Schema:
    """Returns that of every split's table: `text`, and `label`, the label's id."""
    return pa.schema([("text", pa.string()), ("label", pa.int32())])


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a split, all columns as they are.

    Attributes:
      place: What messages call where they are from, such as `reviews.csv`.
      table: Any columns.
      row: From a row's index to its number as an editor shows it, for messages: in a
        text file the line that it begins in.
      notes: What was found out about how they are written, a sentence each.
      reading: How they were read.
      groups: As `RawData.groups`; the table has no such column then.
      first: The number of its first row among all of the source; None if nobody asks.
    """

    place: str
    table: pa.Table
    row: Callable[[int], int] = one_based
    notes: tuple[str, ...] = ()
    reading: Reading = NOTHING_SAID
    groups: np.ndarray | None = None
    first: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _FromSource:
    """What is known of a source beside its rows.

    Attributes:
      name: Short name, as in the names of runs.
      source: Where the texts came from, in words.
      revision: The commit that was read, 40 hexadecimal digits, of a source that
        has such a thing.
      notes: What the user should know, a sentence each.
      reading: How it was read.
    """

    name: str
    source: str
    revision: str | None = None
    notes: tuple[str, ...] = ()
    reading: Reading = NOTHING_SAID

    def noted(self, *notes: str) -> Self:
        """Returns the same with more notes."""
        return dataclasses.replace(self, notes=self.notes + notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(_FromSource):
    """What a source holds, all columns as they are.

    Attributes:
      parts: The rows by split; `train` is there, others may be missing.
      label_names: By column, the names of the label ids 0, 1, 2, ...
      text_column: What the source itself calls its texts; None if it does not say.
      label_column: The same for its labels.
    """

    parts: Mapping[str, Sequence[Part]]
    label_names: Mapping[str, tuple[str, ...]]
    text_column: str | None = None
    label_column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawData(_FromSource):
    """Texts and labels of a source, before splits are completed.

    Attributes:
      splits: Tables of `schema` by split, with `GROUP` if rows have groups, and
        `ORIGIN` if it was asked for; `train` is there, others may be missing. A label
        is an index into `labels`, or, where a text may have several, into
        `label_sets`; -1 in `unlabeled` means none.
      labels: Label names; their order gives the label ids.
      label_sets: The different sets of labels; None where each text has one label.
    """

    splits: dict[str, pa.Table]
    labels: tuple[str, ...]
    label_sets: LabelSets | None = None

    def texts(self, split: str) -> pa.ChunkedArray:
        """Returns the texts of a split, string [examples]."""
        return self.splits[split]["text"]

    def label_ids(self, split: str) -> np.ndarray:
        """Returns the label ids of a split, or those of its sets, int32 [examples]."""
        return self.splits[split]["label"].to_numpy()

    def strata(self, split: str) -> np.ndarray:
        """Returns what a split is divided by in equal shares, int [examples], from 0.

        That is the label. Where a text may have several, their set, or the rarest of
        its labels where the set has few rows (as pure label sets would have strata of
        one row each; Sechidis et al. 2011, ECML PKDD, section 3).
        """
        ids = self.label_ids(split)
        if self.label_sets is None:
            return ids
        members = members_of(self.label_sets, len(self.labels))
        rows = np.bincount(ids, minlength=len(members))
        of_labels = np.where(members, rows @ members, np.iinfo(np.int64).max)
        rarest = len(members) + of_labels.argmin(axis=1)
        is_own = (rows >= FEWEST_OF_A_SET) | ~members.any(axis=1)
        stratum = np.where(is_own, np.arange(len(members)), rarest)
        return np.unique(stratum[ids], return_inverse=True)[1]

    def groups(self, split: str) -> np.ndarray | None:
        """Returns the group of each row, int32 [examples]; None without a group column.

        Rows of one number, in whatever splits, belong together. `NO_GROUP` where the
        files of the split have no such column.
        """
        table = self.splits[split]
        has_groups = GROUP in table.column_names
        return table[GROUP].to_numpy() if has_groups else None

    def label_counts(self, split: str) -> np.ndarray:
        """Returns the number of examples of each label, int64 [labels]."""
        label_ids = self.label_ids(split)
        known = label_ids[label_ids >= 0]
        if self.label_sets is None:
            return np.bincount(known, minlength=len(self.labels))
        members = members_of(self.label_sets, len(self.labels))
        return np.asarray(np.bincount(known, minlength=len(members)) @ members)

    def named(self, label_id: int) -> str:
        """Returns the name of a label id; of a set, its names with a bar between."""
        if self.label_sets is None:
            return self.labels[label_id]
        return joined([self.labels[i] for i in self.label_sets[label_id]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(RawData):
    """Labelled texts in `train`, `validation` and `test`; perhaps `unlabeled` ones.

    The fingerprint is that of what the source held, before any split was made here.
    """

    fingerprint: str


def members_of(label_sets: LabelSets, num_labels: int) -> np.ndarray:
    """Returns which labels are in each set, bool [sets, num_labels]."""
    members = np.zeros((len(label_sets), num_labels), bool)
    for row, label_ids in enumerate(label_sets):
        members[row, list(label_ids)] = True
    return members


def joined(names: Sequence[str]) -> str:
    """Returns the labels of a text as people read them: `war | comedy`, or `(none)`."""
    return " | ".join(names) or "(none)"


def fingerprint(
    splits: Mapping[str, pa.Table],
    labels: tuple[str, ...],
    label_sets: LabelSets | None = None,
) -> str:
    """Returns a hash of texts, labels and their order, whatever the format and chunks.

    Where rows have groups, also of which belong together, whatever groups are called.
    It is the first 16 hexadecimal digits of a SHA-256. The arguments are as in
    `RawData`.
    """
    digest = hashlib.sha256(repr(labels).encode())
    if label_sets is not None:
        digest.update(repr(label_sets).encode())
    for name in sorted(splits):
        table = splits[name]
        digest.update(f"{name}:{table.num_rows}".encode())
        digest.update(_column_hash(table["text"]))
        digest.update(table["label"].to_numpy().astype("<i4").tobytes())
    tables = [splits[name] for name in sorted(splits)]
    if all(GROUP in table.column_names for table in tables):
        groups = np.concatenate([table[GROUP].to_numpy() for table in tables])
        known = np.where(groups == NO_GROUP, NO_GROUP, numbered(groups))
        digest.update(known.astype("<i4").tobytes())
    return digest.hexdigest()[:16]


def fingerprint_of(raw: RawData) -> str:
    """Returns the fingerprint of what a source holds."""
    return fingerprint(raw.splits, raw.labels, raw.label_sets)


def numbered(values: np.ndarray) -> np.ndarray:
    """Numbers values, any [n], 0, 1, 2, ... as they first occur; int64 [n]."""
    _, first, places = np.unique(values, return_index=True, return_inverse=True)
    return first.argsort().argsort()[places]


def _column_hash(texts: pa.ChunkedArray) -> bytes:
    # Lengths and bytes apart, so that chunks do not matter.
    lengths, contents = hashlib.sha256(), hashlib.sha256()
    for chunk in texts.cast(pa.large_string()).chunks:
        lengths.update(pc.binary_length(chunk).to_numpy().astype("<i4").tobytes())
        _, offsets, data = chunk.buffers()
        bounds = np.frombuffer(offsets, np.int64)[chunk.offset :][: len(chunk) + 1]
        if data is not None:
            contents.update(data[int(bounds[0]) : int(bounds[-1])])
    return lengths.digest() + contents.digest()
