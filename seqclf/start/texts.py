"""Texts to learn words from that no score may be taken on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import TextConfig
from seqclf.data.dataset import TEST, TRAIN, UNLABELED, VALIDATION
from seqclf.runs.run import WHOLE
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


def free_texts(data: EncodedDataset) -> FreeTexts:
    """Returns the training and unlabelled texts that are not in validation or test."""
    given = [data.texts(TRAIN)]
    if data.has_texts(UNLABELED):
        given.append(data.texts(UNLABELED))
    held_out = [data.texts(VALIDATION), data.texts(TEST)]
    return without(given, held_out, data.vocabulary)


def without(
    given: Sequence[pa.ChunkedArray],
    held_out: Sequence[pa.ChunkedArray],
    vocabulary: Vocabulary,
) -> FreeTexts:
    """Returns the texts given but those that are held out; both are string [texts]."""
    whole = TextConfig(max_length=WHOLE)
    batches = free_batches(given, held_out)
    parts = [encode_texts(batch, vocabulary, whole) for batch in batches]
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    dropped = sum(map(len, given)) - len(lengths)
    return FreeTexts(np.concatenate([ids for ids, _ in parts]), offsets, dropped)


def free_batches(
    given: Sequence[pa.ChunkedArray], held_out: Sequence[pa.ChunkedArray]
) -> Iterator[pa.Array]:
    """Yields the texts given, string [batch], but those that are held out.

    Texts are the same if they are once each run of white space is one space and capital
    letters are small.
    """
    hidden = pa.concat_arrays([_plain(c) for texts in held_out for c in texts.chunks])
    for texts in given:
        for batch in pa.table({"text": texts}).to_batches(max_chunksize=BLOCK_ROWS):
            is_hidden = pc.is_in(_plain(batch["text"]), value_set=hidden)
            yield batch["text"].filter(pc.invert(is_hidden))


def _plain(texts: pa.Array) -> pa.Array:
    spaced = pc.replace_substring_regex(texts, pattern=r"\s+", replacement=" ")
    return pc.utf8_lower(pc.utf8_trim_whitespace(spaced))
