"""Where a comparison is kept: its directory, by its name and its question."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqclf import marker, runs
from seqclf.comparison.design import Design
from seqclf.comparison.metric import ranked_by
from seqclf.comparison.others.given import Given
from seqclf.comparison.others.given import question as of_files
from seqclf.errors import RunError
from seqclf.marker import COMPARISON_FILE, QUESTION_FILE
from seqclf.runs import Run
from seqclf.storage import numbered, read_object, write_json
from seqclf.text.encoding import EncodedDataset

# What distinguishes a comparison from others, as `question.json` has it.
Question = Mapping[str, object]


def begin(
    design: Design,
    data: EncodedDataset,
    models: Path,
    name: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Creates, or finds, the directory of a comparison; removes another's files in it.

    It is called <data>-compare unless a name is given; under that, another comparison
    is replaced only to `overwrite` it.
    """
    question = _question(design, data)
    if name is not None:
        path = _named_path(models, question, name, overwrite)
    else:
        paths = (models / one for one in numbered(f"{data.about.name}-compare"))
        path = next(path for path in paths if _is_free_for(path, question))
    begin_at(path, question)
    return path


def _question(design: Design, data: EncodedDataset) -> Question:
    metric = ranked_by(design.metric, data.about).metric
    return design.question(data.about.fingerprint, metric.name)


def begin_at(path: Path, question: Question) -> None:
    """Creates the directory; removes what another question left there."""
    if path.exists() and not _is_free_for(path, question):
        marker.remove(path)
    marker.begin(path, marker.COMPARISON)
    write_json(path / QUESTION_FILE, question)


def _named_path(models: Path, question: Question, name: str, overwrite: bool) -> Path:
    runs.check_name(name)
    path = models / name
    if _is_free_for(path, question):
        return path
    if not marker.is_ours(path, marker.COMPARISON):
        raise RunError(f"{path} is no comparison; choose another --name.")
    if not overwrite:
        was = ", of trials that do not count today" if _is_old(path, question) else ""
        raise RunError(
            f"{path} already holds another comparison{was}; pass --overwrite to "
            f"replace it, or choose another --name."
        )
    return path


def tuned_by_old_trials(design: Design, data: EncodedDataset, models: Path) -> str:
    """Names the comparisons that ask the same, tuned as earlier versions did."""
    question = _question(design, data)
    places = sorted(file.parent for file in models.glob(f"*/{QUESTION_FILE}"))
    return ", ".join(path.name for path in places if _is_old(path, question))


def _is_old(path: Path, question: Question) -> bool:
    """Tells whether a directory has the question but for what the trials are."""
    if "tuning" not in question or not marker.is_ours(path, marker.COMPARISON):
        return False
    kept = read_object(path / QUESTION_FILE)
    return kept != question and kept | {"tuning": question["tuning"]} == question


def place_for(
    finished: Sequence[Run],
    models: Path,
    name: str,
    overwrite: bool = False,
    others: Sequence[Given] = (),
) -> tuple[Path, Question]:
    """Returns the directory and question of a comparison of finished runs.

    `others` are files with the answers of other systems beside them.

    Raises:
      RunError: If the name is taken, unless by a comparison to `overwrite`, or a run is
        inside what would be replaced.
    """
    paths = sorted(str(run.path.resolve()) for run in finished)
    question = {"finished": paths, **of_files(others)}
    path = _named_path(models, question, name, overwrite)
    for run in finished:
        if path.resolve() in run.path.resolve().parents:
            raise RunError(f"{run.path} lies in {path}; choose another --name.")
    return path, question


def _is_free_for(path: Path, question: Question) -> bool:
    """Tells whether a path is free, or has the comparison of this question."""
    if not os.path.lexists(path):
        return True
    is_ours = marker.is_ours(path, marker.COMPARISON)
    if is_ours and not (path / QUESTION_FILE).exists():
        return not (path / COMPARISON_FILE).exists()  # interrupted at its start
    return is_ours and read_object(path / QUESTION_FILE) == question
