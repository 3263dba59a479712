"""From what `--input` names to files of one format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqclf.data.files import READERS, TEXT_SUFFIX
from seqclf.data.formats.contents import format_of, kind_of
from seqclf.data.layout import is_pattern, matching
from seqclf.errors import DataError

FORMATS = (*READERS, TEXT_SUFFIX)


@dataclass(frozen=True, slots=True)
class Source:
    """Files whose rows follow one another.

    Attributes:
      name: What the user named.
      files: The files in the order of their names, one at least, all of one format.
      suffix: Their format, as `kind_of` tells it; in `.txt` a file is one text, or a
        line is.
      aside: Names of files of a folder that are of no such format.
    """

    name: str
    files: tuple[Path, ...]
    suffix: str
    aside: tuple[str, ...] = ()


def find_source(given: Path) -> Source:
    """Finds a file, the files of a folder (not of those in it), or those of a pattern.

    Args:
      given: A path, or a pattern such as `parts/*.csv`; `**` goes into folders.

    Raises:
      DataError: If there is none, or they are of several formats.
    """
    if given.is_file():
        return _source(given, [given])
    if given.is_dir():
        children = sorted(given.iterdir())
        there = [c for c in children if c.is_file() and not c.name.startswith(".")]
        known = [file for file in there if format_of(file) in FORMATS]
        if not known:
            raise DataError(
                f"{given} holds no {', '.join(FORMATS)} file. Files in folders below "
                f"it are named by a pattern: '{given}/**/*.txt'."
            )
        aside = tuple(file.name for file in there if file not in known)
        return _source(given, known, aside)
    if is_pattern(str(given)):
        return _source(given, matching(str(given)))
    raise DataError(f"{given}: there is no file or folder of that name.")


def _source(given: Path, files: Sequence[Path], aside: tuple[str, ...] = ()) -> Source:
    formats = {kind_of(file): file for file in reversed(files)}
    if len(formats) > 1:
        raise DataError(
            f"{given} has files of several formats, {', '.join(sorted(formats))}; take "
            f"those of one by a pattern such as '{files[0].parent}/*{min(formats)}'."
        )
    return Source(str(given), tuple(files), next(iter(formats)), aside)
