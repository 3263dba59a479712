"""Token ids of a few texts, in plain Python: as `vocabulary.encode_texts`, but sooner.

Arrow compiles the rules anew in every call, which takes milliseconds whatever the text
is. Python compiles them once, and needs no Arrow at all to read one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import numpy as np

from seqclf.config import SUBWORD, WORD, TextConfig
from seqclf.text.pieces import pieces
from seqclf.text.portable import portable
from seqclf.text.tokens import RULES_OF, TEXT_RULES, UNKNOWN_ID, Rule, folding
from seqclf.text.vocabulary import Vocabulary, kept_ends

# Characters of all texts together up to which this is the faster of the two ways
# (benchmarks/single.py).
FEW = 20_000


def are_few(texts: Sequence[str]) -> bool:
    """Tells whether texts are faster read in plain Python."""
    return len(texts) < FEW and sum(map(len, texts)) < FEW


def encode_few(
    texts: Sequence[str], vocabulary: Vocabulary, config: TextConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Tokenizes and encodes; see `vocabulary.encode` for the result.

    Raises:
      UnicodeEncodeError: If a text has half of a surrogate pair, which is no character.
    """
    rows = [_kept(_ids(text, vocabulary, config), config) for text in texts]
    offsets = np.cumsum([0, *map(len, rows)])
    return np.array([i for row in rows for i in row], np.int32), offsets


def _ids(text: str, vocabulary: Vocabulary, config: TextConfig) -> list[int]:
    id_of = vocabulary.by_token.get
    return [id_of(token, UNKNOWN_ID) for token in _tokens(text, vocabulary, config)]


def _kept(ids: list[int], config: TextConfig) -> list[int]:
    """Returns the head and the tail that are kept; at least one id."""
    if len(ids) <= config.max_length:
        return ids or [UNKNOWN_ID]
    head, tail = kept_ends(config)
    return ids[:head] + ids[len(ids) - tail :]


def _tokens(text: str, vocabulary: Vocabulary, config: TextConfig) -> Iterator[str]:
    text.encode()  # a text that Arrow cannot have is refused here, too
    kind = config.tokens
    for word in _replaced(text, TEXT_RULES).split():
        if kind == WORD and word.isascii() and word.isalnum():
            yield word.lower()  # no rule does more with it
            continue
        parts = _replaced(word.translate(_folding()), RULES_OF[kind]).split()
        if kind != SUBWORD:
            yield from parts
            continue
        for part in parts:
            yield from pieces(part, vocabulary.by_token.keys())


def _replaced(text: str, rules: Sequence[Rule]) -> str:
    for rule in rules:
        text = _substitution(rule)(text)
    return text


@cache
def _substitution(rule: Rule) -> Callable[[str], str]:
    pattern, to = rule
    return partial(re.compile(portable(pattern)).sub, to)


@cache
def _folding() -> dict[int, int]:
    pairs = folding()
    return str.maketrans(pairs["from"], pairs["to"])
