"""Which character encoding a text file is in."""

from __future__ import annotations

import codecs
import contextlib
import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from seqclf.errors import DataError
from seqclf.records.reading import Known

UTF_8 = "utf-8"
BLOCK = 1 << 20  # bytes decoded at a time
# Byte order marks; that of UTF-32 LE begins like that of UTF-16 LE.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
# What files that are not UTF-8 are in, the likeliest first.
CANDIDATES = (
    UTF_8, "cp1252", "latin-1", "cp1250", "cp1251", "gb18030", "big5", "shift_jis",
    "euc-kr", "mac_roman",
)  # fmt: skip
READS_ANYTHING = "latin-1"
SHOWN, SHOWN_CHARACTERS = 3, 40
JUDGED = 2000  # characters beyond ASCII that a guess rests on
PLAUSIBLE_SIGNS = "’‘“”„«»–—…•€£°´¡¿·„№、。，！？「」"
START = 1000  # bytes that tell UTF-16 without a mark


def encoding_of(start: bytes, known: Known) -> str:
    """Returns the encoding to read a file in, from its first 1,000 bytes or so.

    The one that was given; else what a byte order mark says, or NUL in every other
    byte; else that of the training; else UTF-8.
    """
    if known.given.encoding is not None:
        return known.given.encoding
    marked = (name for mark, name in MARKS.items() if start.startswith(mark))
    of_itself = next(marked, None) or _of_zeros(start[:START])
    return of_itself or known.usual.encoding or UTF_8


def _of_zeros(start: bytes) -> str | None:
    pairs = len(start) // 2
    for name, at in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = start[at::2].count(0), start[1 - at :: 2].count(0)
        if pairs >= 4 and zeros > pairs / 2 and others < pairs / 8:
            return name
    return None


def is_whole(text: str) -> bool:
    """Tells whether a text has no half of a character (a lone surrogate)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_utf_8(encoding: str) -> bool:
    """Tells whether an encoding is UTF-8, with a byte order mark or without."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def decoded(content: Any, place: str, encoding: str) -> pa.Buffer:
    """Returns a text file's content as UTF-8, without a byte order mark.

    Raises:
      DataError: Names the byte that is not of the encoding, and the encodings in
        which the file can be read.
    """
    content = pa.py_buffer(content)
    if not is_utf_8(encoding):
        text = "".join(blocks(content, place, encoding)).removeprefix("\ufeff")
        return pa.py_buffer(text.encode())
    for _ in blocks(content, place, UTF_8):
        pass  # only to find what is not UTF-8
    mark = len(codecs.BOM_UTF8)
    return content[mark:] if content[:mark].to_pybytes() == codecs.BOM_UTF8 else content


def blocks(content: pa.Buffer, place: str, encoding: str) -> Iterator[str]:
    """Yields a buffer's characters, a block at a time; raises as `decoded` does."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(content).cast("B")
    for start in range(0, len(view), BLOCK):
        block = view[start : start + BLOCK]
        before = start - len(decoder.getstate()[0])
        try:
            yield decoder.decode(block, final=start + BLOCK >= len(view))
        except UnicodeError as error:
            at = before + getattr(error, "start", 0)
            line = bytes(view[:at]).count(b"\n") + 1
            raise DataError(
                f"{place}, line {line:,}: byte {at:,} (0x{view[at]:02x}) "
                f"is not {encoding}. {readable_as(bytes(view), at, encoding)}"
            ) from error


def readable_as(content: bytes, at: int, refused: str) -> str:
    """Says in which encodings a file can be read, and how a line would read in each.

    `content` is all bytes of a file; the byte `at` is not of the encoding `refused`.
    """
    beyond = dict(_readable(content, refused))
    ranked = sorted(beyond, key=lambda name: _implausible(beyond[name]))
    chosen = list(dict.fromkeys([*ranked[:SHOWN], READS_ANYTHING]))
    start = content.rfind(b"\n", 0, at) + 1
    end = content.find(b"\n", at)
    line = content[start : end if end >= 0 else len(content)]
    shown = [
        f"{name} reads that line as {_around(line.decode(name, 'replace'))} "
        f"(--encoding {name})"
        for name in chosen
        if name in beyond
    ]
    return f"It can be read in another one: {'; '.join(shown)}."


def _readable(content: bytes, refused: str) -> Iterator[tuple[str, list[str]]]:
    """Yields the encodings that bytes may be in, and what is judged of them.

    That are the first characters beyond ASCII, each behind the one before it.
    """
    for name in CANDIDATES:
        if codecs.lookup(name) != codecs.lookup(refused):
            with contextlib.suppress(UnicodeDecodeError):
                yield name, _beyond_ascii(content, name)


def _beyond_ascii(content: bytes, encoding: str) -> list[str]:
    """Decodes all, block by block; raises a UnicodeDecodeError where it cannot be."""
    decoder = codecs.getincrementaldecoder(encoding)()
    found: list[str] = []
    before = " "
    for start in range(0, len(content), BLOCK):
        text = decoder.decode(
            content[start : start + BLOCK], start + BLOCK >= len(content)
        )
        if len(found) < JUDGED:
            pairs = map("".join, zip(before + text, text, strict=False))
            odd = (pair for pair in pairs if pair[1] > "\x7f")
            found += itertools.islice(odd, JUDGED - len(found))
        before = text[-1:] or before
    return found


def _implausible(beyond: Sequence[str]) -> float:
    """Returns how implausible characters beyond ASCII are, on average, 0 to 3.

    Each is the second of two.
    """
    judged = [_oddness(pair[1], pair[0]) for pair in beyond]
    return sum(judged) / max(len(judged), 1)


def _oddness(character: str, before: str) -> int:
    """Returns how implausible a character beyond ASCII is behind another one, 0 to 3.

    Most of all letters behind those of another script; less so rare signs, capitals
    within a word and accented Latin letters in a row.
    """
    if unicodedata.category(character)[0] != "L":
        return int(character not in PLAUSIBLE_SIGNS)
    if not before.isalpha():
        return 0
    is_latin = unicodedata.name(character, "").startswith("LATIN")
    was_latin = unicodedata.name(before, "").startswith("LATIN")
    if is_latin != was_latin:
        return 3
    is_capital_within = character.isupper() and before.islower()
    return int(is_capital_within or (is_latin and not before.isascii()))


def _around(line: str) -> str:
    """Returns the part of a line that holds its first character beyond ASCII."""
    line = line.strip()
    at = next((i for i, c in enumerate(line) if c > "\x7f"), 0)
    start = max(0, at - SHOWN_CHARACTERS // 2)
    part = line[start : start + SHOWN_CHARACTERS]
    return repr(f"{'…' * (start > 0)}{part}{'…' * (len(line) > start + len(part))}")
