"""Word vectors from which words stand near which, in seconds.

A truncated singular value decomposition of positive pointwise mutual information; its
vectors are as good as those of word2vec (Levy, Goldberg & Dagan 2015, TACL Q15-1016,
from whom the settings are).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from seqclf.text.tokens import UNKNOWN_ID

WINDOW = 5  # tokens to each side; nearer ones count more
LEAST_COUNT = 1.5  # of a pair: what was seen once says little
SMOOTHING = 0.75  # exponent of the neighbours' counts, or rare ones weigh too much
SPREAD = 0.15  # standard deviation of the numbers, see docs/recipe.md


def cooccurrence_vectors(
    token_ids: np.ndarray, offsets: np.ndarray, tokens: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Makes vectors of the tokens that stand beside others often enough.

    Args:
      token_ids: int32 [sum of lengths], text behind text.
      offsets: int64 [texts + 1]; text i is token_ids[offsets[i]:offsets[i + 1]].
      tokens: Size of the vocabulary; padding and unknown get no vector.
      size: Numbers of a vector.

    Returns:
      The vectors, float32 [tokens, size], and which tokens have one, bool [tokens].
      Where the texts have fewer dimensions than `size` the others are 0.
    """
    information = _positive_information(pair_counts(token_ids, offsets, tokens))
    vectors = np.zeros((tokens, size), np.float32)
    rank = min(size, tokens - 1)
    if information.nnz:
        from sklearn.utils.extmath import randomized_svd

        left, values, _ = randomized_svd(information, rank, n_iter=4, random_state=0)
        vectors[:, :rank] = left * np.sqrt(values)
    known = np.diff(information.indptr) > 0
    return spread_out(vectors, known), known


def spread_out(vectors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns vectors, float32 [tokens, size], scaled to the spread of this recipe.

    Only the rows of `known`, bool [tokens], count.
    """
    spread = float(vectors[known].std()) if known.any() else 0.0
    return vectors * np.float32(SPREAD / spread) if spread else vectors


def pair_counts(token_ids: np.ndarray, offsets: np.ndarray, tokens: int) -> Any:
    """Counts which tokens stand near which within a text.

    A neighbour d tokens away counts (6 - d) / 5, as word2vec's random windows do on
    average; padding and unknown do not count.

    Returns:
      Sparse float32 [tokens, tokens], symmetric.
    """
    from scipy.sparse import csr_matrix

    total = csr_matrix((tokens, tokens), dtype=np.float32)
    for weight, keys in _neighbours(token_ids, offsets, tokens):
        found, counts = np.unique(keys, return_counts=True)
        where = found // tokens, found % tokens
        own = (weight * counts).astype(np.float32)
        total = total + csr_matrix((own, where), shape=(tokens, tokens))
    return (total + total.T).tocsr()


def _neighbours(
    token_ids: np.ndarray, offsets: np.ndarray, tokens: int
) -> Iterator[tuple[float, np.ndarray]]:
    """Yields for each distance its weight, and first x tokens + second of each pair."""
    texts = np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))
    is_word = token_ids > UNKNOWN_ID
    for distance in range(1, WINDOW + 1):
        first, second = token_ids[:-distance], token_ids[distance:]
        counts = is_word[:-distance] & is_word[distance:]
        counts &= texts[:-distance] == texts[distance:]
        keys = first[counts].astype(np.int64) * tokens + second[counts]
        yield (WINDOW + 1 - distance) / WINDOW, keys


def _positive_information(counts: Any) -> Any:
    """Returns the logarithm of how much more often a pair occurs than by chance.

    Takes counts, sparse [tokens, tokens], and returns the same shape, float32, of what
    is above 0.
    """
    from scipy.sparse import csr_matrix

    pairs = counts.tocoo()
    often = pairs.data >= LEAST_COUNT
    rows, columns = pairs.row[often], pairs.col[often]
    seen = pairs.data[often].astype(np.float64)
    of_row = np.bincount(rows, seen, counts.shape[0])
    of_column = np.bincount(columns, seen, counts.shape[0]) ** SMOOTHING
    by_chance = of_row[rows] * of_column[columns] / of_column.sum()
    information = np.log(seen / by_chance)
    positive = information > 0
    values = information[positive].astype(np.float32)
    where = rows[positive], columns[positive]
    return csr_matrix((values, where), shape=counts.shape)
