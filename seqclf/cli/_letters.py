"""Output where a console has fewer letters than Unicode, as one of code page 1252."""

from __future__ import annotations

import codecs
import sys

BLOCKS = "▁▂▃▄▅▆▇█"  # of a line of bars: their heights
# What tables and sentences use beyond ASCII; any other letter is escaped.
PLAIN = {
    "−": "-", "≥": ">=", "≤": "<=", "→": "->", "…": "...", "–": "-", "†": "+",
    "×": "x", "±": "+-", "’": "'",
    **{block: str(height) for height, block in enumerate(BLOCKS, start=1)},
}  # fmt: skip
DEFAULT = ("strict", "backslashreplace")  # of stdout, of stderr
_NAME = "seqclf-plain"


def use_plain_letters() -> None:
    """Has the standard streams write what they can in place of what they cannot.

    Python's own way is an error in the middle of a line. What a person chose
    (PYTHONIOENCODING), and bytes of names that are no text, stay as they are.
    """
    codecs.register_error(_NAME, _plain)
    for stream in (sys.stdout, sys.stderr):
        # A stand-in for a stream may be told nothing.
        if hasattr(stream, "reconfigure") and stream.errors in DEFAULT:
            stream.reconfigure(errors=_NAME)


def escapes() -> bool:
    """Tells whether JSON for stdout has to escape letters, which it does in its way."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return not encoding.lower().startswith("utf")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    plain = "".join(PLAIN.get(letter) or _escaped(letter) for letter in letters)
    return plain, error.end


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode("ascii")
