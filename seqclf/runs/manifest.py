"""Which bytes a finished directory was written with, so that damage is seen.

A run may come from a stranger, too: it is read as data. Only plain files inside its
directory count, of sizes that such files have.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

# Bytes, by the end of the name; what is longer is nothing that seqclf wrote.
MOST_BYTES = {
    ".json": 2**28, ".jsonl": 2**26, ".txt": 2**28, ".parquet": 2**34,
    ".onnx": 2**31, ".keras": 2**33, ".npz": 2**33,
    "": 2**22,
}  # fmt: skip


class DamagedError(Exception):
    """A file is not what was written; says in which way."""


def digests(folder: Path, leave_out: frozenset[str]) -> dict[str, str]:
    """Returns SHA-256, as 64 hexadecimal digits, of each file, by its relative path.

    Links in the folder are left out, and what `leave_out` names, as it may change.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_plain = path.is_file() and not path.is_symlink()
        if is_plain and name not in leave_out and not path.name.startswith("."):
            found[name] = _digest(path)
    return found


def check(folder: Path, name: str, expected: Mapping[str, str] | None) -> Path:
    """Returns the path of a file of a folder that is as it was written.

    `expected` is what `digests` returned when all was written; None does not compare.

    Raises:
      DamagedError: If it is not there, no plain file, too large, or has other bytes.
    """
    path = folder / name
    try:
        about = path.lstat()
    except OSError as error:
        raise DamagedError(error.strerror or "cannot be read") from error
    if not stat.S_ISREG(about.st_mode) or path.parent.is_symlink():
        raise DamagedError("is no plain file")
    if about.st_size > MOST_BYTES[path.suffix]:
        raise DamagedError(f"has {about.st_size:,} bytes, more than any such file has")
    if expected is None:
        return path
    if name not in expected:
        raise DamagedError("was not there when the run was finished")
    try:
        differs = _digest(path) != expected[name]
    except OSError as error:
        raise DamagedError(error.strerror or "cannot be read") from error
    if differs:
        raise DamagedError("is not as it was written: its checksum differs")
    return path


def _digest(path: Path) -> str:
    # Not through a link, should one have taken the file's place meanwhile.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
