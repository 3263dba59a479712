"""What `--with NAME=FILE` names: rows that other systems' answers make."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqclf.cells import CELLS
from seqclf.errors import ConfigError, DataError
from seqclf.evaluation.baselines import BASELINES

# How rows begin that are made of a cell's: its means, and runs that differ in more.
MADE_OF_CELLS = re.compile(rf"({'|'.join(CELLS)})( \+ |, | \()")


@dataclass(frozen=True, slots=True)
class Given:
    """A file of answers, and the name of the row that it is of.

    `digest` is the SHA-256 of its bytes, 64 hexadecimal digits.
    """

    name: str
    file: Path
    digest: str


def named_files(asked: Iterable[str]) -> list[tuple[str, Path]]:
    """Returns names and files of texts such as `roberta=answers.csv`.

    Raises:
      ConfigError: If one is not of that form.
    """
    found = []
    for one in asked:
        name, is_there, file = one.partition("=")
        if not (is_there and file):
            raise ConfigError(
                f"--with takes NAME=FILE, such as roberta=answers.csv, got {one!r}."
            )
        found.append((name, Path(file)))
    return found


def given_files(named: Iterable[tuple[str, Path]]) -> tuple[Given, ...]:
    """Returns the files of answers that are named, in their order.

    Raises:
      ConfigError: If a name is none, or that of another row, or one name has the same
        answers twice.
      DataError: If a file is not there.
    """
    found: list[Given] = []
    for name, file in named:
        one = Given(_checked(name.strip()), file, _digest(file))
        for other in found:
            if (other.name, other.digest) == (one.name, one.digest):
                raise ConfigError(
                    f"{other.file} and {file} are the same answers of {one.name}; "
                    f"name them once."
                )
        found.append(one)
    return tuple(found)


def _checked(name: str) -> str:
    if not name or not name.isprintable():
        raise ConfigError(
            f"a file of answers needs a name on one line for its row, got {name!r}: "
            f"--with roberta=answers.csv"
        )
    if is_taken(name):
        raise ConfigError(
            f"{name} is what another row is called; give the answers another name, "
            f"such as --with my-{name.partition(' ')[0].rstrip(',').casefold()}=FILE"
        )
    return name


def is_taken(name: str) -> bool:
    """Tells whether a cell, a baseline or what is made of them has a row so called."""
    taken = {*CELLS, *BASELINES}
    taken |= {cell.title.casefold() for cell in CELLS.values()}
    taken |= {baseline.title for baseline in BASELINES.values()}
    return name.casefold() in taken or MADE_OF_CELLS.match(name) is not None


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"the answers in {file} could not be read: {error.strerror}."
        ) from error


def question(given: Sequence[Given]) -> dict[str, object]:
    """Returns plain values that tell a comparison with these files from others.

    Nothing without any: then it is the same as before there were such files.
    """
    digests: dict[str, list[str]] = {}
    for one in given:
        digests.setdefault(one.name, []).append(one.digest)
    return {"with": {n: sorted(some) for n, some in digests.items()}} if given else {}


def as_options(given: Sequence[Given]) -> list[str]:
    """Returns the options that name these files."""
    return [part for one in given for part in ("--with", f"{one.name}={one.file}")]
