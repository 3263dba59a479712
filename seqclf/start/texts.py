"""Texts to learn words from that no score may be taken on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import TextConfig
from seqclf.data.dataset import GROUP, NO_GROUP, TEST, TRAIN, UNLABELED, VALIDATION
from seqclf.runs.run import WHOLE
from seqclf.text.arrays import booleans
from seqclf.text.encoding import EncodedDataset
from seqclf.text.tokens import BLOCK_ROWS
from seqclf.text.vocabulary import Vocabulary, encode_texts


@dataclass(frozen=True, slots=True)
class FreeTexts:
    """Texts, read whole.

    Attributes:
      token_ids: int32 [sum of lengths], text behind text.
      offsets: int64 [texts + 1]; text i is token_ids[offsets[i]:offsets[i + 1]].
      dropped: Texts that were left out, for they are held out elsewhere.
    """

    token_ids: np.ndarray
    offsets: np.ndarray
    dropped: int

    def __len__(self) -> int:
        return len(self.offsets) - 1


def free_texts(data: EncodedDataset, text: TextConfig) -> FreeTexts:
    """Returns the training and unlabelled texts that are not held out.

    `text` says what a token is.
    """
    every = TRAIN, UNLABELED
    given = [data.rows(split) for split in every if data.has_texts(split)]
    return without(given, held_out_rows(data), data.vocabulary, text)


def held_out_rows(data: EncodedDataset) -> list[pa.Table]:
    """Returns the rows of validation and test, see `EncodedDataset.rows`."""
    return [data.rows(VALIDATION), data.rows(TEST)]


def without(
    given: Sequence[pa.Table],
    held_out: Sequence[pa.Table],
    vocabulary: Vocabulary,
    text: TextConfig,
) -> FreeTexts:
    """Returns the texts given but those that are held out, see `free_batches`."""
    whole = dataclasses.replace(text, max_length=WHOLE)
    batches = free_batches(given, held_out)
    parts = [encode_texts(batch, vocabulary, whole) for batch in batches]
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    dropped = sum(map(len, given)) - len(lengths)
    return FreeTexts(np.concatenate([ids for ids, _ in parts]), offsets, dropped)


def free_batches(
    given: Sequence[pa.Table], held_out: Sequence[pa.Table]
) -> Iterator[pa.Array]:
    """Yields the texts given, string [batch], but those that are held out.

    Texts are the same if they are once each run of white space is one space and capital
    letters are small. Rows may have groups, a column `GROUP`: then a text of a group
    that has rows held out is left out too.
    """
    chunks = [chunk for rows in held_out for chunk in rows["text"].chunks]
    texts = pa.concat_arrays([_plain(chunk) for chunk in chunks])
    groups = np.concatenate([_groups(rows) for rows in held_out])
    groups = groups[groups != NO_GROUP]
    for rows in given:
        for batch in rows.to_batches(max_chunksize=BLOCK_ROWS):
            is_text = pc.is_in(_plain(batch["text"]), value_set=texts).to_numpy(False)
            is_hidden = is_text | np.isin(_groups(batch), groups)
            yield batch["text"].filter(booleans(~is_hidden))


def _groups(rows: pa.Table | pa.RecordBatch) -> np.ndarray:
    """Returns the group of each row, int32 [rows]."""
    if GROUP.name not in rows.schema.names:
        return np.full(rows.num_rows, NO_GROUP, np.int32)
    return np.asarray(rows[GROUP.name].to_numpy(zero_copy_only=False))


def _plain(texts: pa.Array) -> pa.Array:
    spaced = pc.replace_substring_regex(texts, pattern=r"\s+", replacement=" ")
    return pc.utf8_lower(pc.utf8_trim_whitespace(spaced))
