r"""The patterns of the text rules in a form that other engines than RE2 can apply.

Python's `re` does not know classes such as `\p{Han}`, and what other engines make of
them depends on their version of Unicode. Here every such class is written out as ranges
of characters. `classes.json` has them, read from RE2 itself; a test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

Range = tuple[int, int]  # first and last code point

_CLASS = r"\\p(?:\{\w+\}|\w)"
# A bracket with a Unicode class in it, or such a class by itself.
_WITH_CLASS = re.compile(rf"\[(?:[^\]\\]|\\x\{{\w+\}})*{_CLASS}[^\]]*\]|{_CLASS}")
_ITEM = re.compile(rf"(?P<class>{_CLASS})|\\x\{{(?P<point>\w+)\}}|(?P<other>.)", re.S)


def portable(pattern: str) -> str:
    """Writes the Unicode classes of an RE2 pattern out as ranges of characters.

    The result is for Python's `re` and, with the flags g and u, for JavaScript's
    RegExp.
    """
    return _WITH_CLASS.sub(lambda found: _written_out(found[0]), pattern)


def _written_out(bracket: str) -> str:
    is_negated = bracket.startswith("[^")
    inside = bracket[1 + is_negated : -1] if bracket.startswith("[") else bracket
    parts = [
        _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}"
        for first, last in _merged(inside)
    ]
    return f"[{'^' if is_negated else ''}{''.join(parts)}]"


def _merged(inside: str) -> list[Range]:
    """Returns the characters of a bracket in order, neighbouring ranges as one."""
    merged: list[Range] = []
    for first, last in sorted(_ranges(inside)):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged


def _ranges(inside: str) -> Iterator[Range]:
    for item in _ITEM.finditer(inside):
        if item["class"]:
            points = _classes()[item["class"][2:].strip("{}")]
            yield from zip(points[::2], points[1::2], strict=True)
        else:
            point = int(item["point"], 16) if item["point"] else ord(item["other"])
            yield point, point


def _literal(point: int) -> str:
    character = chr(point)
    return f"\\{character}" if character in "\\]^-[" else character


@cache
def _classes() -> dict[str, list[int]]:
    text = resources.files("seqclf.text").joinpath("classes.json").read_text("ascii")
    table: dict[str, list[int]] = json.loads(text)
    return table
