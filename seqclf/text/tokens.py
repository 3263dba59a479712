"""The one path from text to tokens, as rules.

Arrow arrays come in and numpy arrays go out; no Python object is made for a token.

The rules are an ordered list of RE2 replacements and one character table, so that
Arrow, a TensorFlow graph and a few lines of any language can carry them out with the
same result. Characters are two replacements more; pieces of words are looked up in the
vocabulary, see `text.pieces`.

Case is folded by that table and not by an engine's own lower-casing: engines disagree
on rare letters, on a final sigma, and TensorFlow's depends on the locale of the
process.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeVar

import numpy as np

from seqclf.arrow import pa, pc
from seqclf.config import CHAR, SUBWORD, WORD, TextConfig
from seqclf.system import cores
from seqclf.text.arrays import as_numpy, booleans, integers, strings, text_lengths

PADDING_ID, UNKNOWN_ID = 0, 1
RESERVED = ("[PAD]", "[UNK]")  # no token looks like this: brackets stand alone
RULES_VERSION, PIECES_VERSION = 1, 2  # readers of 1 do not know the step `pieces`
LONGEST = 16  # characters of a piece of a word, the sign of its beginning among them
BLOCK_ROWS = 20_000  # texts tokenized at a time; bounds memory, changes no result

P = TypeVar("P")
R = TypeVar("R")

Rule = tuple[str, str]  # an RE2 pattern, and what it is replaced by

# Scripts that are written without spaces: each letter is a token, with its marks.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"

# On whole texts: markup is a space, and so is every run of spaces and controls.
TEXT_RULES: tuple[Rule, ...] = (
    (r"</?[a-zA-Z][^<>]*>", " "),
    (r"[\pZ\pC]+", " "),
)
# What Arrow carries out in their place: plain spaces, nine tenths of what the second
# finds, may stay, for words are split at runs of them.
_TEXT_RULES: tuple[Rule, ...] = (TEXT_RULES[0], (r"(?:[^\PZ ]|\pC)+", " "))
# Behind the character table. None of them looks across a space, so they may be
# applied to a text or to each of its words. U+0001, which no text has any more,
# stands for an apostrophe inside a word while the others are set apart.
WORD_RULES: tuple[Rule, ...] = (
    (r"([\pL\pN\pM])'", "\\1\x01"),
    ("\x01($|[^\\pL\\pN\\pM])", " ' \\1"),
    (rf"((?:[^\pL\pN\pM\x{{1}} ]|[{_UNSPACED}])\pM*)", r" \1 "),
    ("\x01", "'"),
)
# Characters and pieces are of words: the first of each word begins with this sign, and
# so differs from the same one inside. In a text the sign is a word of its own, so that
# no text can pass for it.
BEGIN = "\u2581"
_MARK: Rule = (r"([^ ]+)", rf"{BEGIN}\1")
_ALONE = r"([^\pL\pN\pM\x{1} ]\pM*)"  # the third word rule, without the scripts above

# Pieces may span several letters of a script without spaces: which belong together is
# learnt, and so a run of them is one word.
RULES_OF: dict[str, tuple[Rule, ...]] = {
    WORD: WORD_RULES,
    CHAR: (*WORD_RULES, _MARK, (rf"({BEGIN}?[^ ]\pM*)", r"\1 ")),
    SUBWORD: (*WORD_RULES[:2], (_ALONE, r" \1 "), WORD_RULES[3], _MARK),
}


@cache
def folding() -> dict[str, str]:
    """Returns the character table as two strings of equal length, `from` and `to`.

    It holds Unicode 14's one-to-one lower-casing, and four decisions: the dotted
    capital I becomes i, both small sigmas are one, and the typographic apostrophe
    is the plain one.
    """
    text = resources.files("seqclf.text").joinpath("folding.json").read_text("utf-8")
    table: dict[str, str] = json.loads(text)
    return table


@cache
def _folding_table() -> np.ndarray:
    table = np.arange(0x110000, dtype=np.uint32)
    pairs = folding()
    table[[ord(c) for c in pairs["from"]]] = [ord(c) for c in pairs["to"]]
    return table


def rules_to_json(config: TextConfig) -> dict[str, Any]:
    """Returns all that turns a text into tokens, in order, as plain values."""
    in_pieces = config.tokens == SUBWORD
    rules = RULES_OF[config.tokens]
    return {
        "version": PIECES_VERSION if in_pieces else RULES_VERSION,
        "steps": [
            *({"replace": pattern, "with": to} for pattern, to in TEXT_RULES),
            {"translate": folding()},
            *({"replace": pattern, "with": to} for pattern, to in rules),
            {"split": " "},
            *([{"pieces": LONGEST}] if in_pieces else []),
        ],
        "max_length": config.max_length,
        "keep": config.keep,
        "empty": RESERVED[UNKNOWN_ID],
    }


@dataclass(frozen=True, slots=True)
class TokenizedTexts:
    """Texts as runs of codes into a table of distinct tokens.

    Attributes:
      tokens: Distinct tokens, in the order of their first appearance.
      codes: int32 [sum of lengths], indices into `tokens`, text behind text.
      offsets: int64 [texts + 1]; text i is codes[offsets[i]:offsets[i + 1]].
    """

    tokens: pa.StringArray
    codes: np.ndarray
    offsets: np.ndarray

    def to_pylist(self) -> list[list[str]]:
        """Returns the tokens of each text, for people and tests."""
        tokens = self.tokens.to_pylist()
        bounds = zip(self.offsets[:-1], self.offsets[1:], strict=True)
        return [[tokens[code] for code in self.codes[a:b]] for a, b in bounds]


def tokenize(texts: pa.Array, kind: str = WORD) -> TokenizedTexts:
    """Splits texts into tokens by the rules.

    The word rules run once for each distinct word, which are few, and not over the
    running text.

    Args:
      texts: string [texts], without nulls; one of nothing but markup and spaces has no
        tokens.
      kind: The setting `tokens`. Of `subword` the tokens are still whole words, to be
        divided by a vocabulary, see `text.vocabulary`.
    """
    words = _split(_replace(texts, _TEXT_RULES))
    distinct = words.values.dictionary_encode()
    running = TokenizedTexts(
        distinct.dictionary, as_numpy(distinct.indices), as_numpy(words.offsets)
    )
    return divided(running, _split(_replace(_fold(running.tokens), RULES_OF[kind])))


def divided(texts: TokenizedTexts, parts: pa.ListArray) -> TokenizedTexts:
    """Puts in the place of each token its parts, list<string> [distinct tokens]."""
    codes = parts.values.dictionary_encode()
    bounds = as_numpy(parts.offsets)
    starts, lengths = bounds[:-1][texts.codes], np.diff(bounds)[texts.codes]
    sums = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=sums[1:])
    return TokenizedTexts(
        tokens=codes.dictionary,
        codes=gather(as_numpy(codes.indices), starts, lengths),
        offsets=sums[texts.offsets],
    )


def tokenize_table(table: pa.Table, kind: str = WORD) -> list[TokenizedTexts]:
    """Tokenizes the column `text` of a table, at most `BLOCK_ROWS` rows at a time."""
    rows = min(BLOCK_ROWS, max(math.ceil(table.num_rows / cores()), 1))
    batches = table.select(["text"]).to_batches(max_chunksize=rows)
    return on_all_cores(lambda batch: tokenize(batch.column(0), kind), batches)


def on_all_cores(function: Callable[[P], R], parts: Iterable[P]) -> list[R]:
    """Returns what a function gives of each part, in order, some in threads at a time.

    Arrow works without Python's lock, and numpy mostly does.
    """
    # Predicting a few texts, which has half a second, needs no threads.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, parts))


def lengths_of(blocks: Sequence[TokenizedTexts]) -> np.ndarray:
    """Returns the tokens of each text, int64 [texts]."""
    return np.concatenate([np.diff(block.offsets) for block in blocks])


def _replace(texts: pa.Array, rules: Iterable[Rule]) -> pa.Array:
    for pattern, to in rules:
        texts = pc.replace_substring_regex(texts, pattern=pattern, replacement=to)
    return texts


def _fold(words: pa.Array) -> pa.Array:
    # Of ASCII Arrow does the same as the table, in threads that do not wait for each
    # other as Python's do.
    folded = pc.ascii_lower(words)
    is_other = pc.invert(pc.string_is_ascii(words))
    others = words.filter(is_other)
    if not len(others):
        return folded
    # One long string, so that the table is applied to all letters at once. No word
    # holds a line feed: the text rules made spaces of them.
    joined = "\n".join(others.to_pylist())
    points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    by_table = _folding_table()[points].tobytes().decode("utf-32-le")
    return pc.replace_with_mask(folded, is_other, strings(by_table.split("\n")))


def _split(texts: pa.Array) -> pa.ListArray:
    """Splits at runs of U+0020 into list<string>, from offset 0, without empties."""
    parts = pc.split_pattern(texts, " ")
    values, offsets = parts.values, as_numpy(parts.offsets)
    full = text_lengths(values) > 0
    counts = np.zeros(len(full) + 1, np.int32)
    np.cumsum(full, out=counts[1:])
    kept = counts[offsets]
    starts = integers(kept - kept[0])
    return pa.ListArray.from_arrays(starts, values.filter(booleans(full)))


def gather(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Puts the ranges values[start:start + length] one behind the other."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    # Half the memory to go through, wherever it is enough.
    kind = np.int32 if max(total, len(values)) < 2**31 else np.int64
    places = np.repeat((starts - (ends - lengths)).astype(kind), lengths)
    places += np.arange(total, dtype=kind)
    return values[places]
