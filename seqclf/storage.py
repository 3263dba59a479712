"""Writes files whole or not at all, reads JSON strictly, and numbers names."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from seqclf.system import sync


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Writes next to `path` and renames, so that nobody reads half a file.

    Args:
      path: The file; its folder must exist.
      write: Writes the file at the path it is given, which has the same suffix.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        write(partial)
        sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync(path.parent)  # the new name, too


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text, whole or not at all."""
    write_bytes(path, text.encode())  # bytes: no platform turns the line ends


def write_json(path: Path, values: Any) -> None:
    """Writes readable JSON, whole or not at all; NaN is refused."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes bytes, whole or not at all."""

    def write(partial: Path) -> None:
        partial.write_bytes(content)

    write_whole(path, write)


def strict_json(text: str) -> Any:
    """Parses JSON as seqclf writes it.

    Raises:
      ValueError: On anything else, such as NaN or a repeated key.
    """
    return STRICT_JSON.decode(text)


def strict_object(text: str) -> dict[str, object]:
    """Parses a JSON object as seqclf writes it.

    Raises:
      ValueError: On anything else.
    """
    values = strict_json(text)
    if not isinstance(values, dict):
        raise ValueError("it holds no object")
    return values


def read_object(file: Path) -> dict[str, object]:
    """Returns the object in a JSON file of seqclf's, {} if none can be read there."""
    try:
        return strict_object(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def numbered(name: str) -> Iterator[str]:
    """Yields a name and those that it gets where it is taken: name-2, name-3, ..."""
    yield name
    for number in itertools.count(2):
        yield f"{name}-{number}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key is repeated")
    return values


STRICT_JSON = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_without_repeats
)
