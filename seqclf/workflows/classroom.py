"""`seqclf classroom` as functions."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from pathlib import Path

from seqclf import steps
from seqclf.classroom import grade as grading
from seqclf.classroom.assignment import (
    assigned,
    numbered_students,
    read_assignment,
    read_roster,
    refuse_what_cannot_be_graded,
    write_assignment,
)
from seqclf.classroom.cell_example import contract_cells, example
from seqclf.classroom.check_cell import CellCheck, check_cell
from seqclf.comparison.design import parse_cells
from seqclf.config import RunConfig, require_count
from seqclf.errors import ConfigError, RunError, unknown
from seqclf.marker import RUN, kind_of
from seqclf.model import backend
from seqclf.records.classroom import Assignment, Grade
from seqclf.runs import Run, files, open_run
from seqclf.steps import Listener, Target
from seqclf.wording import listed

ALL = "all"
MOST_STUDENTS = 10_000


def class_names(students: int | None, roster: Path | None) -> list[str]:
    """Returns the names of a roster, or of so many students; one of the two is given.

    Raises:
      ConfigError: If not, or the number is out of range, or the roster has no names.
    """
    if (students is None) == (roster is None):
        raise ConfigError(
            "give --students N, or --roster NAMES.txt with a name a line; one of them."
        )
    if roster is not None:
        return read_roster(roster)
    count = students or 0
    require_count("--students", count)
    if count > MOST_STUDENTS:
        raise ConfigError(f"--students takes at most {MOST_STUDENTS:,}, got {count:,}.")
    return numbered_students(count)


def assign_class(
    config: RunConfig,
    names: Sequence[str],
    cells: str,
    first_seed: int,
    target: Target,
    listener: Listener,
    questions: Path | None = None,
    given: Collection[str] = (),
) -> Assignment:
    """Writes an assignment: a cell and a seed of one recipe for each student.

    Args:
      config: The recipe; cell and seed are replaced.
      names: Of the students, see `class_names`.
      cells: Cells, separated by commas, given in turns.
      first_seed: Of the first student; the others have the next ones.
      target: Its `models` is the folder of the assignment.
      listener: Hears what is to be known of the data.
      questions: The lecturer's own, in Markdown; None makes some.
      given: Fields of model and training that the user gave.

    Raises:
      ConfigError: If a setting is out of range, or would do nothing.
      RunError: If another assignment is in the folder.
    """
    parsed = parse_cells(cells)
    require_count("--first-seed", first_seed, least=0)
    refuse_what_cannot_be_graded(config)
    config = steps.checked(config, parsed, target, given)
    own = _read(questions) if questions is not None else None
    data = steps.load_and_encode(config, target.cache, listener)
    assignment = assigned(config, data.about, names, parsed, first_seed)
    write_assignment(target.models, assignment, data.about, own)
    return assignment


def grade_runs(
    paths: Sequence[Path],
    assignment: Path | None,
    replay: str,
    draw: int | None,
    models: Path,
    cache: Path,
    listener: Listener,
) -> tuple[list[Grade], int]:
    """Checks that runs are what their config, data and seed give.

    Args:
      paths: Runs, by path or by name in `models`, or folders with runs below.
      assignment: Folder of the assignment; None holds runs to their own config.
      replay: Epochs of each to train again, or `all`.
      draw: The seed by which they are drawn; None draws one.
      models: Folder of runs.
      cache: Folder of encoded data.
      listener: Hears what is under way, and who handed in nothing, or twice.

    Returns:
      A grade a run, and the seed of the draw.

    Raises:
      ConfigError: If `replay` or `draw` is out of range.
      RunError: If a path is no run, or there is no such assignment.
    """
    backend.refuse_other_backends()
    epochs = _epochs(replay)
    drawn = secrets.randbelow(10**6) if draw is None else draw
    require_count("--draw", drawn, least=0)
    asked = None if assignment is None else read_assignment(assignment)
    finished = [run for path in paths for run in _found(path, models)]
    grades = list(grading.grade(finished, asked, epochs, drawn, cache, listener))
    if asked is not None:
        tell_students(grades, asked, listener)
    return grades, drawn


def example_of(cell: str) -> str:
    """Returns the file to be filled in for a cell.

    Raises:
      ConfigError: If a student cannot write it.
    """
    if cell not in contract_cells():
        raise ConfigError(unknown("cell", cell, contract_cells()))
    return example(cell)


def check_file(
    file: Path | None, cell: str, seconds: int, listener: Listener
) -> CellCheck:
    """Compares a cell written in numpy with Keras's layer, see `check_cell`.

    Raises:
      ConfigError: If there is no such file or cell, or no time.
    """
    backend.refuse_other_backends()
    if file is None:
        raise ConfigError(
            "name the file to check; seqclf classroom check-cell --example gru shows "
            "one to be filled in."
        )
    require_count("--seconds", seconds)
    listener.note(f"{file} runs now, with your rights, for at most {seconds} s.")
    return check_cell(file, cell, seconds)


def _read(questions: Path) -> str:
    try:
        text = questions.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{questions} could not be read: {error}") from error
    if not text.strip():
        raise ConfigError(f"{questions} has no question.")
    return text


def _epochs(replay: str) -> int | None:
    if replay == ALL:
        return None
    if not replay.isdecimal() or int(replay) < 1:
        raise ConfigError(f"--replay takes a number of epochs, or all, got {replay!r}.")
    return int(replay)


def _found(path: Path, models: Path) -> list[Run]:
    """Returns a run, or the networks below a folder.

    Also those that may be unfinished or damaged, which is a finding. Linear models are
    no training that could be graded; alone by its name one is told so.
    """
    for candidate in (path, models / path):
        if kind_of(candidate) == RUN:
            return [Run(candidate)]
    if not path.is_dir():
        return [open_run(path, models)]
    below = [file.parent for file in sorted(path.rglob(files.CONFIG_FILE))]
    found = [Run(one) for one in below if kind_of(one) == RUN]
    found = [run for run in found if not (run.path / files.LINEAR_FILE).exists()]
    if not found:
        raise RunError(f"{path} is no run of seqclf, and has none below it.")
    return found


def tell_students(
    grades: Sequence[Grade], assignment: Assignment, listener: Listener
) -> None:
    """Says which students handed in more than one run, and which none."""
    by_student: dict[str, list[str]] = {one.name: [] for one in assignment.students}
    for one in grades:
        if one.student:
            by_student[one.student].append(one.run)
    for student, paths in by_student.items():
        if len(paths) > 1:
            listener.insist(f"Handed in more than once, {student}: {', '.join(paths)}.")
    missing = [student for student, paths in by_student.items() if not paths]
    if missing:
        listener.insist(f"No run of {listed(missing, most=20)}.")
