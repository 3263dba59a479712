"""Texts to learn words from that no score may be taken on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seqclf.config import TextConfig
from seqclf.data.dataset import TEST, TRAIN, UNLABELED, VALIDATION
from seqclf.runs.run import WHOLE
from seqclf.text.encoding import EncodedDataset
from seqclf.text.free import free_batches
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
