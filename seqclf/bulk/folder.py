"""Keeps which files of a folder of outputs are finished, so that it can be resumed.

In the folder, in `.partial/`, are `question.json`, which says what the files answer,
and `finished.json`, the names of those that are whole. It goes when all are. What an
unfinished file has is beside it, see `bulk.parts`.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqclf.bulk.parts import (
    LOCK_FILE,
    Question,
    folder_of,
    refuse_other_question,
)
from seqclf.bulk.sources import Source
from seqclf.bulk.writers import refuse_format
from seqclf.data.files import TEXT_SUFFIX
from seqclf.errors import ConfigError
from seqclf.marker import QUESTION_FILE
from seqclf.storage import strict_json, write_json, write_whole
from seqclf.system import locked

STATE, FINISHED_FILE = ".partial", "finished.json"


@dataclass(slots=True)
class Outputs:
    """The outputs of one folder.

    Attributes:
      folder: Where they are.
      replaces: Whether they replace files that are there: as asked, or because a file
        that was not there when it was begun is ours.
      finished: The names of those that are whole.
    """

    folder: Path
    replaces: bool = False
    finished: list[str] = field(default_factory=list)

    def place_of(self, name: str) -> Path:
        """Returns a folder in which another process may write such a file."""
        return self.folder / STATE / f"{name}.folder"

    def keep(self, file: Path, name: str) -> None:
        """Puts a finished file from elsewhere where it belongs, whole.

        Raises:
          ConfigError: If there is one by now, and it is not to be replaced.
        """
        output = self.folder / name
        if output.exists() and not self.replaces:
            raise ConfigError(f"{output} is there already; --overwrite replaces it.")
        write_whole(output, functools.partial(shutil.copyfile, file))
        self.add(name)

    def add(self, name: str) -> None:
        """Keeps that a file is whole; on the disk when this returns."""
        self.finished.append(name)
        write_json(self.folder / STATE / FINISHED_FILE, self.finished)


def is_folder(output: Path) -> bool:
    """Tells whether an output is a folder: it is one, or has no suffix."""
    return output.is_dir() or not output.suffix


def refuse_unfit(source: Source, folder: Path, lines: bool) -> None:
    """Refuses files that cannot have an output each, by their names, in a folder.

    `lines` says whether each line of a plain text file is a text.

    Raises:
      ConfigError: If the folder could not be made, two files have one name, an output
        would be one of them, or the format cannot be written.
    """
    refuse_folder(folder)
    if source.suffix == TEXT_SUFFIX and not lines:
        raise ConfigError(
            f"each file of {source.name} is one text; a file takes all answers: "
            f"--output {folder}.csv"
        )
    refuse_same_names(source)
    for file in source.files:
        refuse_format(folder / file.name)
        if (folder / file.name).resolve() == file.resolve():
            raise ConfigError(f"{folder} has the files of the input; name another.")


def refuse_same_names(source: Source) -> None:
    """Raises ConfigError if two files have one name, and so one output."""
    names = Counter(file.name for file in source.files)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ConfigError(
            f"{source.name} has two files named {twice[0]}, which cannot both be "
            f"written to one folder; predict one folder after the other."
        )


def refuse_folder(folder: Path) -> None:
    """Raises ConfigError if the folder of a folder is not there."""
    if not folder.absolute().parent.is_dir():
        raise ConfigError(f"{folder}: there is no folder {folder.absolute().parent}.")


@contextlib.contextmanager
def begun_folder(
    folder: Path, names: Sequence[str], question: Question, *,
    resume: bool, overwrite: bool,
) -> Iterator[Outputs]:  # fmt: skip
    """Begins the outputs of these names, or resumes them; `parts.begun` for a folder.

    Raises:
      ConfigError: If one is there already, or they were begun and neither `resume` nor
        `overwrite` is given, or `resume` is and they answer another question, or
        another process is at work on them.
    """
    state = folder / STATE
    was_begun = (state / QUESTION_FILE).exists()
    goes_on = was_begun and resume
    outputs = Outputs(folder, replaces=overwrite or goes_on)
    if goes_on:
        refuse_other_question(state / QUESTION_FILE, question, folder)
    elif was_begun and not overwrite:
        raise ConfigError(
            f"{folder} was begun before and interrupted; --resume continues it, "
            f"--overwrite starts over."
        )
    elif not overwrite:
        _refuse_what_is_there(folder, names)
    state.mkdir(parents=True, exist_ok=True)
    refusal = ConfigError(
        f"another process is writing {folder}; wait for it, or name another --output."
    )
    with locked(state / LOCK_FILE, refusal):
        if goes_on:
            with contextlib.suppress(OSError, ValueError):
                known = strict_json((state / FINISHED_FILE).read_text("utf-8"))
                outputs.finished = list(known)
        else:
            (state / FINISHED_FILE).unlink(missing_ok=True)
            write_json(state / QUESTION_FILE, question)
        try:
            yield outputs
        except BaseException:
            files = [folder / name for name in names]
            if not any(f.exists() or folder_of(f).exists() for f in files):
                shutil.rmtree(state, ignore_errors=True)  # nothing is to be continued
            raise
        (state / QUESTION_FILE).unlink()  # from here on nothing is begun
        shutil.rmtree(state)


def _refuse_what_is_there(folder: Path, names: Sequence[str]) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ConfigError(
            f"{folder / there[0]} is there already; --overwrite replaces it."
        )
