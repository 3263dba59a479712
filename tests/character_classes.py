"""Writes seqclf/text/classes.json: the characters of each Unicode class of the rules.

`python tests/character_classes.py` writes it again; tests/test_few.py holds it to
RE2, from which it is read.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FILE = Path(__file__).parents[1] / "seqclf" / "text" / "classes.json"
NAMES = (
    "L", "N", "M", "Z", "C",
    "Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar",
)  # fmt: skip


def ranges(name: str, points: np.ndarray, characters: pa.Array) -> list[int]:
    """Returns first and last code point of each run of characters, one list."""
    found = pc.match_substring_regex(characters, pattern=rf"\p{{{name}}}")
    inside = points[found.to_numpy(zero_copy_only=False)]
    cuts = np.flatnonzero(np.diff(inside) > 1) + 1
    return [int(p) for run in np.split(inside, cuts) for p in (run[0], run[-1])]


def classes() -> dict[str, list[int]]:
    """Returns the ranges of every class, without surrogates, which no text has."""
    points = np.arange(0x110000, dtype=np.int32)
    points = points[(points < 0xD800) | (points > 0xDFFF)]
    characters = pa.array([chr(point) for point in points], pa.string())
    return {name: ranges(name, points, characters) for name in NAMES}


if __name__ == "__main__":
    lines = (f'"{name}": {json.dumps(found)}' for name, found in classes().items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")
