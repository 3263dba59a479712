"""A data set as token ids: encoded once, cached, memory-mapped by all twins."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.arrow import pa, release
from seqclf.config import DataConfig, TextConfig, as_before, division
from seqclf.data.dataset import (
    GROUP,
    TEST,
    TRAIN,
    UNLABELED,
    VALIDATION,
    Dataset,
    members_of,
)
from seqclf.errors import SeqclfError
from seqclf.records.dataset import DatasetInfo, TokenCounts
from seqclf.records.plain import from_plain, to_plain
from seqclf.storage import strict_json, write_json, write_text
from seqclf.text.free import free_batches
from seqclf.text.tokens import (
    TokenizedTexts,
    lengths_of,
    rules_to_json,
    tokenize,
    tokenize_table,
)
from seqclf.text.vocabulary import Vocabulary, encode

VOCABULARY_FILE = "vocabulary.txt"
DATASET_FILE = "dataset.json"
IDS_SUFFIX = ".ids"  # int32 and nothing else, for they are written as they come
OFFSETS_SUFFIX, LABELS_SUFFIX = ".offsets.npy", ".labels.npy"
TEXTS_SUFFIX = ".texts.arrow"  # kept, for the source may be a pipe or may change
LABELLED_SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True, slots=True)
class Examples:
    """One encoded split.

    Attributes:
      token_ids: int32 [sum of lengths], text behind text; never 0.
      offsets: int64 [examples + 1]; text i is token_ids[offsets[i]:offsets[i + 1]].
      label_ids: int32 [examples]; where a text may have several labels, which it has,
        bool [examples, labels].
      targets: float32 [examples, labels], what to learn where that is more than a
        label; None is the labels.
    """

    token_ids: np.ndarray
    offsets: np.ndarray
    label_ids: np.ndarray
    targets: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.label_ids)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, int64 [examples], at least 1."""
        return np.diff(self.offsets)


def take(examples: Examples, rows: np.ndarray) -> Examples:
    """Returns the named examples, int [rows], in that order; at least one."""
    starts, ends = examples.offsets[rows], examples.offsets[rows + 1]
    parts = [examples.token_ids[a:b] for a, b in zip(starts, ends, strict=True)]
    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    return Examples(np.concatenate(parts), offsets, examples.label_ids[rows])


def has_several(label_ids: np.ndarray) -> bool:
    """Tells whether they are of texts that may have several labels, see `Examples`."""
    return label_ids.ndim == 2


@dataclass(frozen=True, slots=True)
class EncodedDataset:
    """The splits as token ids, with the vocabulary and the labels they refer to.

    `path` is the cache folder it is in, `about` what a run's `dataset.json` has. The
    vocabulary has nothing of what is held out; the position of a label is its id.
    """

    path: Path
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    splits: Mapping[str, Examples]
    about: DatasetInfo

    def has_texts(self, split: str) -> bool:
        """Whether it has the texts of a split, such as `unlabeled`."""
        return (self.path / f"{split}{TEXTS_SUFFIX}").exists()

    def texts(self, split: str) -> pa.ChunkedArray:
        """Returns the texts of a split, string [examples], memory-mapped."""
        return self.rows(split)["text"]

    def rows(self, split: str) -> pa.Table:
        """Returns the same as a table, with `GROUP` if rows have groups."""
        file = pa.memory_map(str(self.path / f"{split}{TEXTS_SUFFIX}"))
        return pa.ipc.open_file(file).read_all()


def encode_dataset(
    dataset: Dataset,
    data: DataConfig,
    text: TextConfig,
    cache: Path,
    is_wide: bool = False,
) -> EncodedDataset:
    """Encodes a data set, or opens what an equal call encoded before.

    Args:
      dataset: The texts.
      data: The settings it was loaded with.
      text: Gives vocabulary and lengths.
      cache: A folder; it is made if it is not there.
      is_wide: Whether the vocabulary is counted on unlabelled texts, too, but for those
        that are held out.
    """
    is_wide = is_wide and UNLABELED in dataset.splits
    path = cache / f"{dataset.name}-{_key(dataset, data, text, is_wide)}"
    encoded = _cached(path)
    if encoded is None:
        _write_whole(dataset, text, path, is_wide)
        encoded = open_encoded(path)
    # The cache may have been made from an equal data set of another name.
    return dataclasses.replace(encoded, about=_info(dataset, encoded.about.tokens))


def _cached(path: Path) -> EncodedDataset | None:
    """Opens what was encoded before; None if it is not there, or damaged."""
    with contextlib.suppress(OSError, EOFError, ValueError, SeqclfError):
        encoded = open_encoded(path)
        if encoded.about.tokens:  # version 0.1.0 did not count them
            return encoded
    return None


def _write_whole(dataset: Dataset, text: TextConfig, path: Path, is_wide: bool) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    for old in (path, partial):  # numbers of processes repeat, above all in containers
        shutil.rmtree(old, ignore_errors=True)
    try:
        _write(dataset, text, partial, is_wide)
        try:
            partial.rename(path)
        except OSError:  # another process may have been faster
            if not path.exists():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _key(dataset: Dataset, data: DataConfig, text: TextConfig, is_wide: bool) -> str:
    settings = division(data) | as_before(dataclasses.asdict(text))
    if UNLABELED in dataset.splits:  # of which version 0.1.0 kept no texts
        settings |= {"unlabeled": "counted" if is_wide else "kept"}
    known = (dataset.fingerprint, settings, rules_to_json(text))
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:12]


def _write(dataset: Dataset, text: TextConfig, folder: Path, is_wide: bool) -> None:
    folder.mkdir(parents=True)
    blocks = tokenize_table(dataset.splits[TRAIN], text.tokens)
    more = _unlabelled(dataset, text) if is_wide else []
    vocabulary = Vocabulary.build([*blocks, *more], text)
    del more
    release()
    tokens: dict[str, TokenCounts] = {}
    for split in LABELLED_SPLITS:  # train is the first
        blocks = blocks or tokenize_table(dataset.splits[split], text.tokens)
        blocks = [vocabulary.read(block, text) for block in blocks]
        read = text if split == TRAIN else text.reading
        tokens[split] = _tokens(blocks, read)
        label_ids = dataset.label_ids(split)
        _write_split(folder, split, blocks, label_ids, vocabulary, read)
    for split, table in dataset.splits.items():
        kept = [name for name in ("text", GROUP) if name in table.column_names]
        _write_table(folder / f"{split}{TEXTS_SUFFIX}", table.select(kept))
    write_text(folder / VOCABULARY_FILE, vocabulary.to_text())
    write_json(folder / DATASET_FILE, to_plain(_info(dataset, tokens)))


def _unlabelled(dataset: Dataset, text: TextConfig) -> list[TokenizedTexts]:
    """Returns the unlabelled texts that are not held out."""
    held_out = [dataset.splits[split] for split in (VALIDATION, TEST)]
    batches = free_batches([dataset.splits[UNLABELED]], held_out)
    return [tokenize(batch, text.tokens) for batch in batches]


def _tokens(blocks: list[TokenizedTexts], text: TextConfig) -> TokenCounts:
    """Returns the median length of a split's texts, and how many are to be cut."""
    lengths = lengths_of(blocks)
    return TokenCounts(
        median=int(np.percentile(lengths, 50, method="higher")),
        cut=int((lengths > text.max_length).sum()),
    )


def _write_split(
    folder: Path,
    split: str,
    blocks: list[TokenizedTexts],
    label_ids: np.ndarray,
    vocabulary: Vocabulary,
    text: TextConfig,
) -> None:
    """Writes what `_open_split` opens; the blocks are used up, and freed on the way."""
    lengths = [np.zeros(1, np.int64)]
    blocks.reverse()
    with (folder / f"{split}{IDS_SUFFIX}").open("wb") as file:
        while blocks:
            ids, offsets = encode(blocks.pop(), vocabulary, text)
            ids.tofile(file)
            lengths.append(np.diff(offsets))
    np.save(folder / f"{split}{OFFSETS_SUFFIX}", np.cumsum(np.concatenate(lengths)))
    np.save(folder / f"{split}{LABELS_SUFFIX}", label_ids)


def _write_table(path: Path, table: pa.Table) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


def _info(dataset: Dataset, tokens: dict[str, TokenCounts]) -> DatasetInfo:
    return DatasetInfo(
        name=dataset.name,
        source=dataset.source,
        revision=dataset.revision,
        fingerprint=dataset.fingerprint,
        labels=tuple(dataset.labels),
        sizes={name: table.num_rows for name, table in dataset.splits.items()},
        label_counts={
            s: tuple(dataset.label_counts(s).tolist()) for s in LABELLED_SPLITS
        },
        notes=tuple(dataset.notes),
        label_sets=dataset.label_sets,
        reading=dataset.reading,
        tokens=tokens,
    )


def open_encoded(path: Path) -> EncodedDataset:
    """Memory-maps what `encode_dataset` wrote."""
    values = strict_json((path / DATASET_FILE).read_text("utf-8"))
    about = from_plain(DatasetInfo, values)
    vocabulary = Vocabulary.from_text((path / VOCABULARY_FILE).read_text("utf-8"))
    members = None
    if about.label_sets is not None:
        members = members_of(about.label_sets, len(about.labels))
    splits = {split: _open_split(path, split, members) for split in LABELLED_SPLITS}
    return EncodedDataset(path, vocabulary, about.labels, splits, about)


def _open_split(folder: Path, split: str, members: np.ndarray | None) -> Examples:
    """Opens a split; `members` are those of the sets that its ids stand for, if so."""
    token_ids = np.memmap(folder / f"{split}{IDS_SUFFIX}", np.int32, "r")
    offsets = np.load(folder / f"{split}{OFFSETS_SUFFIX}", "r")
    label_ids = np.load(folder / f"{split}{LABELS_SUFFIX}", "r")
    if (len(token_ids), len(label_ids)) != (offsets[-1], len(offsets) - 1):
        raise ValueError(f"{folder} is damaged: {split} has other ids than offsets.")
    return Examples(
        token_ids=np.asarray(token_ids),
        offsets=np.asarray(offsets),
        label_ids=np.asarray(label_ids) if members is None else members[label_ids],
    )
