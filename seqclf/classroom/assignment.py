"""An assignment is a folder: `assignment.json`, a sheet a student, and an overview."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqclf import config as settings
from seqclf.classroom.sheets import overview, sheet, sheet_names
from seqclf.config import RunConfig
from seqclf.data.layout import STANDARD_INPUT
from seqclf.errors import ConfigError, RunError
from seqclf.records.classroom import VERSION, Assignment, Student
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import from_plain, to_plain
from seqclf.storage import strict_object, write_json, write_text
from seqclf.versions import package_versions

ASSIGNMENT_FILE, OVERVIEW_FILE = "assignment.json", "overview.md"


def read_roster(file: Path) -> list[str]:
    """Returns the names of a file, one a line; empty lines do not count.

    Raises:
      ConfigError: If it cannot be read, has no name, or one twice.
    """
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} could not be read as UTF-8: {error}") from error
    names = [" ".join(line.split()) for line in lines if line.strip()]
    if not names:
        raise ConfigError(f"{file} has no name; write one a line.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"{file} has {twice[0]!r} twice; write the name of each student once, such "
            f"as with an initial."
        )
    return names


def numbered_students(count: int) -> list[str]:
    """Returns names for students without a roster, such as `student 01`."""
    width = max(len(str(count)), 2)
    return [f"student {place:0{width}}" for place in range(1, count + 1)]


def refuse_what_cannot_be_graded(config: RunConfig) -> None:
    """Refuses a recipe whose runs could not be computed anew from seed and data.

    Raises:
      ConfigError: What is in the way is named.
    """
    if not config.start.is_random or config.training.teach is not None:
        raise ConfigError(
            "--vectors, --init-from, --pretrain and --teach have no place in an "
            "assignment: grade could not compute from the seed what a run began with."
        )
    if config.data.source == STANDARD_INPUT:
        raise ConfigError(
            "an assignment needs data that everybody can name; --data - is read once."
        )


def assigned(
    config: RunConfig,
    about: DatasetInfo,
    names: Sequence[str],
    cells: Sequence[str],
    first_seed: int,
) -> Assignment:
    """Gives every student a seed of their own, and the cells in turns."""
    students = tuple(
        Student(name=name, cell=cells[place % len(cells)], seed=first_seed + place)
        for place, name in enumerate(names)
    )
    return Assignment(
        data=about.name,
        fingerprint=about.fingerprint,
        recipe=settings.to_dict(config),
        students=students,
        versions=package_versions(),
    )


def write_assignment(
    folder: Path, assignment: Assignment, about: DatasetInfo, own: str | None
) -> None:
    """Writes an assignment; the same again changes nothing.

    Args:
      folder: It is made if it is not there.
      assignment: What is asked of whom.
      about: The data.
      own: The lecturer's questions, in Markdown; None makes some.

    Raises:
      RunError: If another assignment is there, or a sheet that was changed by hand;
        nothing was written.
    """
    texts = {
        name: sheet(assignment, student, about, own)
        for name, student in zip(
            sheet_names(assignment), assignment.students, strict=True
        )
    }
    texts[OVERVIEW_FILE] = overview(assignment, about, own)
    _refuse_another(folder, assignment, texts)
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, text)
    write_json(folder / ASSIGNMENT_FILE, to_plain(assignment))


def read_assignment(folder: Path) -> Assignment:
    """Reads the assignment of a folder.

    Raises:
      RunError: If there is none, or it is of a later version.
    """
    file = folder / ASSIGNMENT_FILE
    try:
        values = strict_object(file.read_text("utf-8"))
        found = from_plain(Assignment, values)
        settings.of_run(found.recipe)
    except (OSError, ValueError, RecursionError, ConfigError) as error:
        raise RunError(
            f"{file} is no assignment ({error}); make one with seqclf classroom assign."
        ) from error
    if found.version > VERSION:
        raise RunError(f"{file} was written by a later version of seqclf; update it.")
    return found


def _refuse_another(
    folder: Path, assignment: Assignment, texts: dict[str, str]
) -> None:
    file = folder / ASSIGNMENT_FILE
    if file.exists() and read_assignment(folder) != assignment:
        raise RunError(
            f"{folder} holds another assignment, and was left as it is; choose another "
            f"--output."
        )
    for name, text in texts.items():
        path = folder / name
        if path.exists() and path.read_bytes() != text.encode():
            raise RunError(
                f"{path} has something else, and was left as it is; choose another "
                f"--output, or remove it."
            )
