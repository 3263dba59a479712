r"""The text rules in a form that the regular expressions of any language can apply.

Patterns such as `\p{Han}` are RE2's; Python's `re` does not know them, and what other
engines make of them depends on their version of Unicode. An artefact's tokenizer.json
therefore says each pattern once more, with every such class written out as ranges of
characters, read from RE2 itself.
"""

from __future__ import annotations

import json
import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import TextConfig
from seqclf.text.tokens import rules_to_json
from seqclf.text.vocabulary import kept_ends

_CLASS = r"\\p(?:\{\w+\}|\w)"
# A bracket with a Unicode class in it, or such a class by itself.
_WITH_CLASS = re.compile(rf"\[(?:[^\]\\]|\\x\{{\w+\}})*{_CLASS}[^\]]*\]|{_CLASS}")


def portable_rules(config: TextConfig) -> dict[str, object]:
    """Returns `rules_to_json` with what an engine other than RE2 needs.

    Each replacement gets `portable`, its pattern for Python's `re` and, with the flags
    g and u, for JavaScript's RegExp; `head` and `tail` are `kept_ends`.
    """
    rules = rules_to_json(config)
    steps = [
        step | {"portable": portable(step["replace"])} if "replace" in step else step
        for step in rules["steps"]
    ]
    head, tail = kept_ends(config)
    return rules | {"steps": steps, "head": head, "tail": tail}


def portable_json(config: TextConfig) -> str:
    """Returns `portable_rules` as JSON in ASCII."""
    return json.dumps(portable_rules(config), indent=2) + "\n"


def portable(pattern: str) -> str:
    """Writes the Unicode classes of an RE2 pattern out as ranges of characters."""
    return _WITH_CLASS.sub(lambda found: _written_out(found[0]), pattern)


@cache
def _written_out(bracket: str) -> str:
    points, characters = _characters()
    found = pc.match_substring_regex(characters, pattern=bracket)
    negated = bracket.startswith("[^")
    points = points[found.to_numpy(zero_copy_only=False) != negated]
    cuts = np.flatnonzero(np.diff(points) > 1) + 1
    ranges = [(part[0], part[-1]) for part in np.split(points, cuts)]
    parts = [
        _literal(first) if first == last else f"{_literal(first)}-{_literal(last)}"
        for first, last in ranges
    ]
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _literal(point: int) -> str:
    character = chr(point)
    return f"\\{character}" if character in "\\]^-[" else character


@cache
def _characters() -> tuple[np.ndarray, pa.StringArray]:
    """Returns all characters of texts, so no surrogates: code points and strings."""
    points = np.arange(0x110000, dtype=np.int32)
    points = points[(points < 0xD800) | (points > 0xDFFF)]
    return points, pa.array([chr(point) for point in points], pa.string())
