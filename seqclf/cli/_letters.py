"""Output where a console has fewer letters than Unicode, as one of code page 1252."""

from __future__ import annotations

import codecs
import sys

BLOCKS = "▁▂▃▄▅▆▇█"  # of a line of bars: their heights
# What tables and sentences use beyond ASCII; any other letter is escaped.
PLAIN = {
    "−": "-", "≥": ">=", "≤": "<=", "→": "->", "…": "...", "–": "-", "†": "+",
    "×": "x", "±": "+-", "“": '"', "”": '"', "’": "'",
    **{block: str(height) for height, block in enumerate(BLOCKS, start=1)},
}  # fmt: skip
_NAME = "seqclf-plain"


def use_plain_letters() -> None:
    """Has the standard streams write what they can in place of what they cannot.

    Python's own way is an error in the middle of a line.
    """
    codecs.register_error(_NAME, _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stand-in for one may not
            stream.reconfigure(errors=_NAME)


def escapes() -> bool:
    """Tells whether JSON for stdout has to escape letters, which it does in its way."""
    return not (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    plain = "".join(PLAIN.get(letter) or _escaped(letter) for letter in letters)
    return plain, error.end


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode("ascii")
