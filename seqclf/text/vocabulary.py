"""Token ids: the vocabulary of a training set, and texts encoded with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import TextConfig
from seqclf.errors import RunError
from seqclf.text.arrays import as_numpy, strings
from seqclf.text.tokens import RESERVED, UNKNOWN_ID, TokenizedTexts, gather, tokenize


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens that have an id; 0 is padding and 1 unknown.

    Attributes:
      tokens: string [size]; the position is the id.
    """

    tokens: pa.StringArray

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def build(cls, blocks: Sequence[TokenizedTexts], config: TextConfig) -> Vocabulary:
        """Takes the most frequent tokens of the training texts.

        Order is by (-count, token), so equal texts give equal ids; at most
        `config.vocabulary_size` come behind the two reserved ones.
        """
        found = [np.bincount(b.codes, minlength=len(b.tokens)) for b in blocks]
        counts = pa.concat_tables(
            pa.table({"token": block.tokens, "n": n})
            for block, n in zip(blocks, found, strict=True)
        )
        counts = counts.group_by("token").aggregate([("n", "sum")])
        counts = counts.filter(pc.field("n_sum") >= config.min_count)
        counts = counts.sort_by([("n_sum", "descending"), ("token", "ascending")])
        known = counts["token"][: config.vocabulary_size].combine_chunks()
        return cls(pa.concat_arrays([strings(RESERVED), known]))

    def ids(self, tokens: pa.Array) -> np.ndarray:
        """Returns the id of each token, int32 [tokens]; 1 for unknown ones."""
        ids = pc.index_in(tokens, self.tokens)
        return as_numpy(ids, null=UNKNOWN_ID)

    def to_text(self) -> str:
        """Returns a token a line; the line number, from 0, is the id."""
        return "".join(f"{token}\n" for token in self.tokens.to_pylist())

    @classmethod
    def from_text(cls, text: str) -> Vocabulary:
        """Reads what `to_text` wrote.

        Raises:
          RunError: If it does not begin with the reserved tokens.
        """
        tokens = text.split("\n")[:-1]
        if tuple(tokens[: len(RESERVED)]) != RESERVED:
            raise RunError(
                f"a vocabulary begins with {', '.join(RESERVED)}, this one with "
                f"{tokens[:2]}; the file is damaged."
            )
        return cls(strings(tokens))


def encode(
    tokenized: TokenizedTexts, vocabulary: Vocabulary, config: TextConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Turns tokens into ids and keeps at most `config.max_length` of each text.

    Returns:
      token_ids int32 [sum of lengths], never 0, and offsets int64 [texts + 1]. A
      text without tokens becomes one unknown token.
    """
    table = vocabulary.ids(tokenized.tokens)
    token_ids = np.append(table[tokenized.codes], np.int32(UNKNOWN_ID))
    starts, lengths = _kept_ranges(tokenized.offsets, config)
    empty = lengths.sum(axis=1) == 0
    starts[empty, 0], lengths[empty, 0] = len(token_ids) - 1, 1
    offsets = np.concatenate([[0], np.cumsum(lengths.sum(axis=1))])
    return gather(token_ids, starts.ravel(), lengths.ravel()), offsets


def kept_ends(config: TextConfig) -> tuple[int, int]:
    """Returns how many tokens of a long text are kept at its head and at its tail."""
    head = {"head": config.max_length, "tail": 0}.get(
        config.keep, (config.max_length + 1) // 2
    )
    return head, config.max_length - head


def kept_codes(tokenized: TokenizedTexts, config: TextConfig) -> np.ndarray:
    """Returns the codes of the tokens that `encode` keeps, int32, text behind text."""
    starts, lengths = _kept_ranges(tokenized.offsets, config)
    return gather(tokenized.codes, starts.ravel(), lengths.ravel())


def _kept_ranges(
    offsets: np.ndarray, config: TextConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Returns starts and lengths, int64 [texts, 2], of the head and tail to keep."""
    full = np.diff(offsets)
    most_at_head, most_at_tail = kept_ends(config)
    fits = full <= config.max_length
    head = np.where(fits, full, most_at_head)
    tail = np.where(fits, 0, most_at_tail)
    starts = np.stack([offsets[:-1], offsets[1:] - tail], axis=1)
    return starts, np.stack([head, tail], axis=1)


def encode_texts(
    texts: pa.Array, vocabulary: Vocabulary, config: TextConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes and encodes; the path of prediction. See `encode` for the result."""
    return encode(tokenize(texts), vocabulary, config)
