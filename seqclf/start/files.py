"""Word vectors from files, as GloVe, word2vec and fastText publish them in text."""

from __future__ import annotations

import dataclasses
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from seqclf.data.hub.single import hub_file
from seqclf.errors import DataError
from seqclf.start.cooccurrence import spread_out
from seqclf.start.start import Start
from seqclf.text.tokens import RESERVED, folding
from seqclf.text.vocabulary import Vocabulary

HEADER = re.compile(rb"\d+\s+\d+\s*")  # of word2vec and fastText: lines, numbers each
HUB_FILE = re.compile(r"([\w.-]+/[\w.-]+)/([\w./-]+)")
KINDS = "vectors in text, as GloVe, word2vec and fastText (.vec) have them, also .gz"


def read_vectors(named: str, vocabulary: Vocabulary) -> Start:
    """Reads the vectors of a vocabulary's tokens.

    A line is a token and its numbers, between spaces. A token has the vector of its own
    spelling; without one, that of the first which is folded to it (`The` for `the`).

    Args:
      named: A file, or OWNER/NAME/FILE on the Hugging Face Hub.
      vocabulary: Whose tokens are looked up.

    Returns:
      The vectors, of one spread whatever the file's own.

    Raises:
      DataError: If there is no such file, it is none of vectors, or no token is in it.
    """
    path = _path_of(named)
    try:
        with _opened(path) as lines:
            found = _found(lines, vocabulary)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"{path} could not be read: {error}; --vectors takes {KINDS}."
        ) from error
    if not found:
        some = ", ".join(vocabulary.tokens[len(RESERVED) :][:5])
        raise DataError(
            f"{path} has no vector for any of the {len(vocabulary):,} tokens of the "
            f"vocabulary, such as {some}: is it of another language?"
        )
    vectors = np.zeros((len(vocabulary), len(next(iter(found.values())))), np.float32)
    known = np.zeros(len(vocabulary), bool)
    known[list(found)] = True
    vectors[list(found)] = list(found.values())
    start = Start(spread_out(vectors, known), known, "")
    about = f"vectors of {path.name} for {start.share}"
    return dataclasses.replace(start, about=about)


def _path_of(named: str) -> Path:
    path, match = Path(named), HUB_FILE.fullmatch(named)
    if path.is_file():
        return path
    if path.exists():
        raise DataError(f"--vectors takes a file, and {named} is a folder.")
    if match is None:
        raise DataError(
            f"there is no file {named}; --vectors takes {KINDS}, or OWNER/NAME/FILE on "
            f"the Hugging Face Hub."
        )
    return hub_file(match[1], match[2])


def _opened(path: Path) -> IO[bytes]:
    opened = gzip.open if path.suffix == ".gz" else open
    return opened(path, "rb")  # type: ignore[return-value]


def _found(lines: IO[bytes], vocabulary: Vocabulary) -> dict[int, np.ndarray]:
    """Returns the vectors that are there, float32 [size], by the token's id.

    Raises:
      ValueError: Says which line is no vector, or has another size than the first.
    """
    ids = vocabulary.by_token
    fold = str.maketrans(folding()["from"], folding()["to"])
    own: dict[int, np.ndarray] = {}
    others: dict[int, np.ndarray] = {}
    size = 0
    for number, token, rest in _divided(lines):
        place = ids.get(token)
        found = own if place is not None else others
        place = ids.get(token.translate(fold)) if place is None else place
        if size and (place is None or place < len(RESERVED) or place in found):
            continue
        vector = _numbers(rest, number)
        size = size or len(vector)
        if len(vector) != size:
            raise ValueError(f"line {number:,} has {len(vector)} numbers, not {size}")
        if place is not None and place >= len(RESERVED):
            found[place] = vector
    return others | own


def _divided(lines: IO[bytes]) -> Iterator[tuple[int, str, bytes]]:
    """Yields each line's number, token and the rest of it, but not a header."""
    for number, line in enumerate(lines, 1):
        parts = line.split(None, 1)
        if len(parts) == 2 and not (number == 1 and HEADER.fullmatch(line)):
            yield number, parts[0].decode("utf-8", "replace"), parts[1]


def _numbers(rest: bytes, number: int) -> np.ndarray:
    try:
        vector = np.array(rest.split(), np.float32)
    except ValueError:
        raise ValueError(f"line {number:,} is no token with numbers") from None
    if not np.isfinite(vector).all():
        raise ValueError(f"line {number:,} has a number that is not finite")
    return vector
