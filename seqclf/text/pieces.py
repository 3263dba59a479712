"""Pieces of words: learnt from training words, found again as the longest that fit.

Learning is byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909), by a package
that is needed for nothing else. A word is divided from its beginning on, each time by
the longest piece that the vocabulary has: of all ways to divide, the one that needs no
more than the vocabulary and a few lines of any language, and no worse for
classification or morphology than the others (Uzan et al. 2024, arXiv:2403.01289).
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import chain, repeat

import numpy as np

from seqclf.arrow import pa
from seqclf.config import SUBWORD, TextConfig
from seqclf.errors import ConfigError
from seqclf.installed import install_line
from seqclf.text.arrays import integers, strings
from seqclf.text.tokens import LONGEST


def learn(words: pa.Array, counts: np.ndarray, config: TextConfig) -> frozenset[str]:
    """Learns pieces, and all characters, from words and how often each occurs.

    Neighbouring pieces become one, the most frequent pair first, while there are fewer
    than `config.vocabulary_size` pieces and pairs that occur `config.min_count` times.
    All is counted in whole numbers, so equal words give equal pieces.

    Args:
      words: Distinct words, string [words].
      counts: int64 [words].
      config: The text settings.

    Raises:
      ConfigError: If the package is not installed.
    """
    try:
        from tokenizers import Tokenizer, models, trainers
    except ImportError as error:
        raise ConfigError(
            f"--tokens {SUBWORD} learns pieces of words with a package that is not "
            f"installed: {install_line('subword')}; or take --tokens char."
        ) from error
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary_size,
        min_frequency=config.min_count,
        show_progress=False,
    )
    model = Tokenizer(models.BPE())
    running = chain.from_iterable(map(repeat, words.to_pylist(), counts.tolist()))
    model.train_from_iterator(running, trainer)
    # Its own bound of the length counts bytes, and so is another for each script.
    return frozenset(piece for piece in model.get_vocab() if len(piece) <= LONGEST)


def pieces_of(words: pa.Array, known: Set[str]) -> pa.ListArray:
    """Returns the pieces of each word, list<string> [words]; see `pieces`."""
    found = [list(pieces(word, known)) for word in words.to_pylist()]
    bounds = integers(np.cumsum([0, *map(len, found)]))
    return pa.ListArray.from_arrays(bounds, strings([*chain.from_iterable(found)]))


def pieces(word: str, known: Set[str]) -> Iterator[str]:
    """Yields the longest known beginning, again and again; else one character."""
    start = 0
    while start < len(word):
        ends = range(min(len(word), start + LONGEST), start + 1, -1)
        end = next((end for end in ends if word[start:end] in known), start + 1)
        yield word[start:end]
        start = end
