"""Token ids: the vocabulary of a training set, and texts encoded with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from seqclf.arrow import pa, pc
from seqclf.config import SUBWORD, WORD, TextConfig
from seqclf.errors import RunError
from seqclf.system import cores
from seqclf.text.arrays import as_numpy, strings
from seqclf.text.pieces import learn, pieces_of
from seqclf.text.tokens import (
    BEGIN,
    RESERVED,
    UNKNOWN_ID,
    TokenizedTexts,
    divided,
    gather,
    on_all_cores,
    tokenize,
)

MANY = 1 << 20  # bytes of texts, some 60 ms: from there on threads are worth it


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that have an id; 0 is padding and 1 unknown.

    Attributes:
      tokens: The position is the id.
    """

    tokens: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def build(cls, blocks: Sequence[TokenizedTexts], config: TextConfig) -> Vocabulary:
        """Takes the most frequent tokens of the training texts.

        Order is by (-count, token), so equal texts give equal ids; at most
        `config.vocabulary_size` come behind the two reserved ones. Pieces of words are
        learnt first; those that are left out occur too rarely for their ids to be.

        Args:
          blocks: From `tokenize`, of the kind that `config` says.
          config: The text settings.
        """
        found = [np.bincount(b.codes, minlength=len(b.tokens)) for b in blocks]
        counts = _summed(
            pa.concat_tables(
                pa.table({"token": block.tokens, "n": n})
                for block, n in zip(blocks, found, strict=True)
            )
        )
        if config.tokens == SUBWORD:
            counts = _in_pieces(counts, config)
        counts = counts.filter(pc.field("n_sum") >= config.min_count)
        counts = counts.sort_by([("n_sum", "descending"), ("token", "ascending")])
        known = counts["token"][: config.vocabulary_size].combine_chunks()
        return cls((*RESERVED, *known.to_pylist()))

    def ids(self, tokens: pa.Array) -> np.ndarray:
        """Returns the id of each token, int32 [tokens]; 1 for unknown ones."""
        ids = pc.index_in(tokens, self.array)
        return as_numpy(ids, null=UNKNOWN_ID)

    @cached_property
    def array(self) -> pa.StringArray:
        """The tokens as string [size]."""
        return strings(self.tokens)

    @cached_property
    def by_token(self) -> dict[str, int]:
        """The id of each token: the first, if a damaged file has one twice."""
        return {token: i for i, token in reversed([*enumerate(self.tokens)])}

    def read(self, words: TokenizedTexts, config: TextConfig) -> TokenizedTexts:
        """Returns the tokens that have ids: of `subword` the pieces of the words."""
        if config.tokens != SUBWORD:
            return words
        return divided(words, pieces_of(words.tokens, self.by_token.keys()))

    def begins_word(self, config: TextConfig) -> np.ndarray:
        """Returns whether a token begins a word, bool [size]; no unknown one does."""
        if config.tokens == WORD:
            return np.ones(len(self), bool)
        return np.array([one.startswith(BEGIN) for one in self.tokens])

    def to_text(self) -> str:
        """Returns a token a line; the line number, from 0, is the id."""
        return "".join(f"{token}\n" for token in self.tokens)

    @classmethod
    def from_text(cls, text: str) -> Vocabulary:
        """Reads what `to_text` wrote.

        Raises:
          RunError: If it does not begin with the reserved tokens.
        """
        tokens = tuple(text.split("\n")[:-1])
        if tokens[: len(RESERVED)] != RESERVED:
            raise RunError(
                f"a vocabulary begins with {', '.join(RESERVED)}, this one with "
                f"{list(tokens[:2])}; the file is damaged."
            )
        return cls(tokens)


def _summed(counts: pa.Table) -> pa.Table:
    """Returns distinct tokens with `n_sum`, of a table of `token` and `n`."""
    return counts.group_by("token").aggregate([("n", "sum")])


def _in_pieces(words: pa.Table, config: TextConfig) -> pa.Table:
    """Learns pieces from words with `n_sum`, and counts them in these words."""
    tokens = words["token"].combine_chunks()
    counts = words["n_sum"].to_numpy()
    parts = pieces_of(tokens, learn(tokens, counts, config))
    n = np.repeat(counts, np.diff(as_numpy(parts.offsets)))
    return _summed(pa.table({"token": parts.values, "n": n}))


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


def tokens_of(
    texts: pa.Array, vocabulary: Vocabulary, config: TextConfig
) -> TokenizedTexts:
    """Splits texts into the tokens that `encode` takes; the path of prediction."""
    return vocabulary.read(tokenize(texts, config.tokens), config)


def encode_texts(
    texts: pa.Array, vocabulary: Vocabulary, config: TextConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes and encodes, many texts on all cores; see `encode` for the result."""

    def encoded(part: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        return encode(tokens_of(part, vocabulary, config), vocabulary, config)

    if texts.nbytes < MANY:
        return encoded(texts)
    rows = math.ceil(len(texts) / cores())
    parts = [texts.slice(at, rows) for at in range(0, len(texts), rows)]
    token_ids, offsets = zip(*on_all_cores(encoded, parts), strict=True)
    lengths = [np.diff(one) for one in offsets]
    return np.concatenate(token_ids), np.cumsum(np.concatenate([[0], *lengths]))
