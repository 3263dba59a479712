"""The numbers of notes: each stands in docs/notes.md, with what to do about it."""

from __future__ import annotations

TITLES = {
    "SQ001": "Most texts are cut",
    "SQ002": "No better than guessing the commonest label",
    "SQ003": "A label is never predicted",
    "SQ004": "One text has two labels",
    "SQ005": "Texts stand in two splits",
    "SQ006": "Empty texts",
    "SQ007": "Labels are out of balance",
    "SQ008": "A split lacks a label",
    "SQ009": "A label looks missing",
    "SQ010": "One label is spelled in two ways",
    "SQ011": "Labels look like lists",
    "SQ012": "Groups stand in two splits",
}


def note(code: str, sentence: str) -> str:
    """Returns a sentence with its number in front, such as `SQ006: empty texts: 1.`.

    Raises:
      KeyError: If there is no such number.
    """
    if code not in TITLES:
        raise KeyError(code)
    return f"{code}: {sentence}"


def is_numbered(sentence: str) -> bool:
    """Tells whether a note has a number, and so a place in docs/notes.md."""
    return sentence.split(":")[0] in TITLES
