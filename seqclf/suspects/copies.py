"""Near-duplicates: texts that share most of their runs of characters.

How alike two texts are is the Jaccard index of their sets of shingles, runs of
`SHINGLE` characters (Broder 1997, On the Resemblance and Containment of Documents).
Candidates are found by sketches: each shingle has a hash, which falls into one of
`BINS`, and of each bin the least hash is kept (one permutation: Li, Owen & Zhang 2012,
arXiv:1208.1259; empty bins borrow from the next: Shrivastava & Li 2014,
arXiv:1406.4784). Texts that agree in all bins of a band are candidates, and their
resemblance is computed exactly. Of pairs that are just 0.8 alike about one in 200 is
missed (14 of 3,000 made-up ones); nothing is found that is less alike.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LEAST = 0.8  # of a near-duplicate's similarity
SHINGLE = 5  # characters
MOST_CHARACTERS = 20_000  # of a text that are looked at; bounds memory
BANDS, IN_BAND = 21, 6
BINS = BANDS * IN_BAND
NEIGHBOURS = 8  # that are looked at on each side in a band's bucket
SURELY_LESS = 0.25  # below `LEAST`, what a sketch may estimate too little
BLOCK = 1_000_000  # characters sketched at a time
PAIRS = 50_000  # whose sketches are compared at a time
KEPT = 1_000_000  # characters of the texts whose shingles are kept

_EMPTY = np.uint64(2**64 - 1)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_BASE = np.uint64(0x9E3779B97F4A7C15)

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def plain(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns texts, string, without what near-duplicates may differ in.

    That is upper case, and signs and blanks, each run of which is one blank. Of a text
    of nothing else the signs stay. The first `MOST_CHARACTERS` are kept.
    """
    cut = pc.utf8_slice_codeunits(texts, 0, MOST_CHARACTERS)
    lower = pc.utf8_lower(cut)
    words = pc.replace_substring_regex(lower, r"[^\pL\pN\pM]+", " ")
    words = pc.utf8_trim_whitespace(words)
    return pc.if_else(pc.equal(words, ""), pc.utf8_trim_whitespace(lower), words)


def near_pairs(texts: list[str], seed: int = 0) -> Pairs:
    """Finds the pairs of different texts that are nearly the same.

    In a crowd of more than `NEIGHBOURS` texts that are all alike, not every pair is
    looked at, but each text is compared to some of the others, drawn by `seed`.

    Args:
      texts: As `plain` gives them, all different.
      seed: Of the order within crowds.

    Returns:
      Two texts, int64 [pairs] each, the first before the second, and their similarity,
      float64 [pairs], at least `LEAST`.
    """
    first, second = _likely(_sketches(texts), seed)
    mean = sum(map(len, texts)) / max(len(texts), 1)
    kept = max(int(KEPT / max(mean, 1)), 2)
    cached = functools.lru_cache(kept)(lambda text: shingles(texts[text]))
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    values = np.array([_jaccard(cached(a), cached(b)) for a, b in pairs], np.float64)
    near = values >= LEAST
    return first[near], second[near], values[near]


def similarity(a: str, b: str) -> float:
    """Returns the Jaccard index of two texts' shingles, in [0, 1]."""
    return _jaccard(shingles(a), shingles(b))


def shingles(text: str) -> frozenset[str]:
    """Returns all runs of `SHINGLE` characters of a text; itself if it is shorter."""
    starts = range(max(len(text) - SHINGLE + 1, 1))
    return frozenset(text[start : start + SHINGLE] for start in starts)


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def _sketches(texts: list[str]) -> np.ndarray:
    """Returns the sketch of each text, uint32 [texts, BINS]."""
    sketches = np.empty((len(texts), BINS), np.uint32)
    for start, end in _blocks([len(text) for text in texts]):
        sketches[start:end] = _sketched(texts[start:end])
    return sketches


def _blocks(lengths: list[int]) -> Iterator[tuple[int, int]]:
    """Yields ranges of texts of `BLOCK` characters at most, one text at least."""
    start, characters = 0, 0
    for place, length in enumerate(lengths):
        if characters + length > BLOCK and place > start:
            yield start, place
            start, characters = place, 0
        characters += length
    if start < len(lengths):
        yield start, len(lengths)


def _sketched(texts: list[str]) -> np.ndarray:
    # Blanks at the end fill short texts up to one shingle; `plain` leaves none there.
    filled = [text.ljust(SHINGLE) for text in texts]
    lengths = np.array([len(text) for text in filled])
    points = np.frombuffer("".join(filled).encode("utf-32-le"), np.uint32)
    hashes = np.zeros(len(points) - SHINGLE + 1, np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * _BASE + points[place : place + len(hashes)]
    owner = np.repeat(np.arange(len(texts)), lengths)[: len(hashes)]
    ends = np.cumsum(lengths)
    inside = np.arange(len(hashes)) + SHINGLE <= ends[owner]
    hashes, owner = _mixed(hashes[inside]), owner[inside]
    bins = (hashes >> np.uint64(32)) % np.uint64(BINS)
    least = np.full(len(texts) * BINS, _EMPTY)
    np.minimum.at(least, owner * BINS + bins.astype(np.int64), hashes & 0xFFFFFFFF)
    return _filled(least.reshape(-1, BINS))


def _mixed(values: np.ndarray) -> np.ndarray:
    """Returns hashes whose bits all depend on all bits of the values (splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


def _filled(least: np.ndarray) -> np.ndarray:
    """Lets empty bins borrow from the next full one, at how far it is; uint32."""
    for row in np.flatnonzero((least == _EMPTY).any(axis=1)):
        full = np.flatnonzero(least[row] != _EMPTY)
        places = np.arange(BINS)
        following = full[np.searchsorted(full, places) % len(full)]
        distance = ((following - places) % BINS).astype(np.uint64)
        least[row] = _mixed(least[row, following] + (distance << np.uint64(32)))
    return least.astype(np.uint32)


def _likely(sketches: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the candidates that are similar by the sketches, int64 [pairs] each."""
    first, second = _candidates(sketches, seed)
    kept = np.zeros(len(first), bool)
    for start in range(0, len(first), PAIRS):
        some = slice(start, start + PAIRS)
        alike = (sketches[first[some]] == sketches[second[some]]).mean(axis=1)
        kept[some] = alike >= LEAST - SURELY_LESS
    return first[kept], second[kept]


def _candidates(sketches: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns pairs of texts that agree in a band, int64 [pairs] each, none twice."""
    count = len(sketches)
    order = np.random.default_rng(seed).permutation(count)
    found = [np.empty(0, np.int64)]
    for band in range(BANDS):
        own = sketches[order, band * IN_BAND : (band + 1) * IN_BAND]
        keys = np.zeros(count, np.uint64)
        for column in own.T:
            keys = _mixed(keys * _BASE + column)
        by_key = np.argsort(keys, kind="stable")
        keys, rows = keys[by_key], order[by_key]
        for offset in range(1, min(NEIGHBOURS, count - 1) + 1):
            same = np.flatnonzero(keys[offset:] == keys[:-offset])
            if not len(same):
                break
            a, b = rows[same], rows[same + offset]
            found.append(np.minimum(a, b) * count + np.maximum(a, b))
    pairs = np.unique(np.concatenate(found))
    first, second = np.divmod(pairs, max(count, 1))
    return first, second


def repeated(
    texts: pa.ChunkedArray, kinds: np.ndarray
) -> Iterator[tuple[int, int, float]]:
    """Yields each row that nearly repeats an earlier row of another kind.

    Texts of nothing but blanks repeat none.

    Args:
      texts: string [rows].
      kinds: int [rows], what sets rows apart that may repeat each other.

    Yields:
      The row, ascending; the most similar earlier row, the first of these; and their
      similarity, in [`LEAST`, 1].
    """
    encoded = plain(texts).combine_chunks().dictionary_encode()
    distinct, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    alike = _alike(distinct)
    # Of each text and kind the first row: the others say the same.
    _, first = np.unique(np.stack([codes, kinds]), axis=1, return_index=True)
    heads: list[list[int]] = [[] for _ in distinct]
    for row in np.sort(first).tolist():
        heads[codes[row]].append(row)
    alone = [len(heads[text]) == 1 and not near for text, near in enumerate(alike)]
    for row in np.flatnonzero(~np.array(alone, bool)[codes]).tolist():
        text = int(codes[row])
        if not distinct[text]:
            continue
        earlier = [
            (-value, other)
            for near, value in [(text, 1.0), *alike[text]]
            for other in heads[near]
            if other < row and kinds[other] != kinds[row]
        ]
        if earlier:
            value, other = min(earlier)
            yield row, other, -value


def _alike(texts: list[str]) -> list[list[tuple[int, float]]]:
    """Returns for each text those that are nearly the same, with their similarity."""
    alike: list[list[tuple[int, float]]] = [[] for _ in texts]
    for a, b, value in zip(*(one.tolist() for one in near_pairs(texts)), strict=True):
        alike[a].append((b, value))
        alike[b].append((a, value))
    return alike
