"""Texts as sparse counts of their n-grams.

An n-gram is a run of 1 to `longest` neighbouring tokens, by the rules of the recurrent
models. Texts are read whole. scikit-learn's vectorizers count the same; these arrays
take a third of the time, can be saved without pickle, and need no scikit-learn to
predict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.arrow import pa, pc
from seqclf.text import tokens
from seqclf.text.arrays import as_numpy
from seqclf.text.tokens import TokenizedTexts

LONGEST = 3  # tokens of an n-gram
MOST_WORDS = 2_000_000  # below the cube root of 2^63, so that three fit into one key


@dataclass(frozen=True, slots=True)
class NGrams:
    """Which n-grams have a column.

    Attributes:
      words: The tokens they are made of, string [words].
      keys: int64 [columns], ascending: the numbers of an n-gram's tokens, counted from
        1, as the digits of one number to the base words + 1.
      longest: Tokens of the longest n-gram, 1 to 3.
    """

    words: pa.StringArray
    keys: np.ndarray
    longest: int

    def counts(self, texts: Sequence[TokenizedTexts]) -> Any:
        """Returns how often each n-gram occurs, as sparse float32 [texts, columns]."""
        from scipy.sparse import csr_matrix

        ids, offsets = _numbered(texts, self.words)
        where = self.places(ids, offsets)
        ones = np.ones(len(where[0]), np.float32)
        return csr_matrix((ones, where), shape=(len(offsets) - 1, len(self.keys)))

    def places(
        self, ids: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns where n-grams occur: the text and the column of each occurrence.

        Args:
          ids: int64 [tokens], the number of each token from 1; 0 has none.
          offsets: int64 [texts + 1]; text i is ids[offsets[i]:offsets[i + 1]].
        """
        rows, columns = [], []
        for row, keys in _keys(ids, offsets, len(self.words) + 1, self.longest):
            place = np.searchsorted(self.keys, keys)
            place[place == len(self.keys)] = 0
            found = self.keys[place] == keys if len(self.keys) else place < 0
            rows.append(row[found])
            columns.append(place[found])
        return np.concatenate(rows), np.concatenate(columns)

    def names(self) -> list[str]:
        """Returns the n-grams, their tokens between spaces; for people and tests."""
        return [self.name(column) for column in range(len(self.keys))]

    def name(self, column: int) -> str:
        """Returns an n-gram by its column, its tokens between spaces."""
        digits = _digits(self.keys[column], len(self.words) + 1)
        return " ".join(self.words[digit - 1].as_py() for digit in digits)


def _digits(key: int, base: int) -> list[int]:
    digits = []
    while key:
        key, digit = divmod(int(key), base)
        digits.append(digit)
    return digits[::-1]


def tokenized(texts: pa.StringArray | pa.ChunkedArray) -> list[TokenizedTexts]:
    """Returns the tokens of texts, a block of them after the other."""
    batches = pa.table({"text": texts}).to_batches(max_chunksize=tokens.BLOCK_ROWS)
    return [tokens.tokenize(batch["text"]) for batch in batches]


def fit_ngrams(texts: Sequence[TokenizedTexts], longest: int, least: int) -> NGrams:
    """Finds the n-grams of training texts.

    Args:
      texts: Their tokens, see `tokenized`.
      longest: Tokens of the longest n-gram, 1 to 3.
      least: Texts that an n-gram must occur in, at least 1.
    """
    if not 1 <= longest <= LONGEST:
        raise ValueError(f"longest is 1 to {LONGEST}, got {longest}")
    words = _frequent_words(texts, least)
    ids, offsets = _numbered(texts, words)
    found = []
    for row, keys in _keys(ids, offsets, len(words) + 1, longest):
        distinct, in_texts = _texts_with(row, keys)
        found.append(distinct[in_texts >= least])
    return NGrams(words, np.sort(np.concatenate(found)), longest)


def _frequent_words(texts: Sequence[TokenizedTexts], least: int) -> pa.StringArray:
    """Returns the tokens in at least so many texts; rarer ones are in no n-gram."""
    counts: dict[str, int] = {}
    for block in texts:
        row = np.repeat(np.arange(len(block.offsets) - 1), np.diff(block.offsets))
        in_texts = _texts_with(row, block.codes.astype(np.int64))
        for code, count in zip(*(one.tolist() for one in in_texts), strict=True):
            word = block.tokens[code].as_py()
            counts[word] = counts.get(word, 0) + count
    kept = [word for word, count in counts.items() if count >= least]
    kept.sort(key=lambda word: -counts[word])
    return pa.array(kept[:MOST_WORDS], pa.string())


def _numbered(
    texts: Sequence[TokenizedTexts], words: pa.StringArray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 [tokens], from 1, 0 for a token that is no word; and offsets."""
    ids, lengths = [np.zeros(0, np.int64)], [np.zeros(1, np.int64)]
    for block in texts:
        number = pc.fill_null(pc.index_in(block.tokens, value_set=words), -1)
        ids.append(as_numpy(number).astype(np.int64)[block.codes] + 1)
        lengths.append(np.diff(block.offsets))
    return np.concatenate(ids), np.cumsum(np.concatenate(lengths))


def _keys(
    ids: np.ndarray, offsets: np.ndarray, base: int, longest: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the text and the key of every n-gram of known tokens, n by n."""
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    start = np.flatnonzero(ids)
    key = ids[start]
    yield row[start], key
    for n in range(1, longest):
        inside = start + n < offsets[1:][row[start]]
        start, key = start[inside], key[inside]
        following = ids[start + n]
        known = following > 0
        start, key = start[known], key[known] * base + following[known]
        yield row[start], key


def _texts_with(row: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the distinct keys, ascending, and how many texts each occurs in.

    Args:
      row: int64 [n], the text of each key, ascending.
      keys: int64 [n].
    """
    order = np.argsort(keys, kind="stable")  # rows stay ascending within a key
    keys, row = keys[order], row[order]
    is_first = np.diff(keys, prepend=-1) != 0
    is_new = is_first | (np.diff(row, prepend=-1) != 0)  # of a text, within the key
    starts = np.flatnonzero(is_first)
    if not len(starts):
        return keys, keys
    return keys[starts], np.add.reduceat(is_new.astype(np.int64), starts)
