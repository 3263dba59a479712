"""Finished comparisons, read from their files; without what training needs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from seqclf.errors import RunError, SeqclfError
from seqclf.marker import COMPARISON_FILE, COMPLETE_FILE, QUESTION_FILE
from seqclf.records.comparison import MEAN, VERSION, ComparisonResult, Row
from seqclf.records.plain import from_plain
from seqclf.runs.manifest import DamagedError, check
from seqclf.runs.mean import AnyRun, Mean, members_of, open_any
from seqclf.runs.places import list_runs, no_runs
from seqclf.runs.run import Run
from seqclf.storage import strict_json

_UNUSABLE = (OSError, ValueError, RecursionError, RunError, DamagedError)


def read_comparison(folder: Path) -> ComparisonResult:
    """Reads the `comparison.json` of a finished comparison, also of version 1.

    Raises:
      RunError: If it is unfinished, damaged, or of a later version of seqclf.
    """
    file = folder / COMPARISON_FILE
    if (folder / QUESTION_FILE).exists() and not file.exists():
        raise RunError(
            f"{folder} is unfinished; type the command that began it again, and it "
            f"continues with the runs that are missing."
        )
    try:
        written = check(folder, COMPARISON_FILE, Run(folder).checksums)
        values = strict_json(written.read_text("utf-8"))
        if not _is_later(values):
            return from_plain(ComparisonResult, _migrated(values))
    except _UNUSABLE as error:
        raise RunError(
            f"{file} could not be used ({error}); type the command that made it "
            f"again, and it is rewritten from its runs."
        ) from error
    raise RunError(f"{file} was written by a later version of seqclf; update seqclf.")


def _is_later(values: Any) -> bool:
    match values:
        case {"version": int(version)}:
            return version > VERSION
    return False


def _migrated(values: Any) -> Any:
    """Turns what version 1 wrote into version 2; leaves anything else as it is.

    Version 1 had the name of a row under `cell`, that of a twin beginning with its
    cell, and called twins `recurrent`.
    """
    match values:
        case {"version": _}:
            return values
        case {"rows": list(rows)}:
            return values | {"rows": [_migrated_row(row) for row in rows]}
    return values


def _migrated_row(row: Any) -> Any:
    match row:
        case {"kind": "recurrent", "cell": str(name)}:
            return row | {"name": name, "cell": name.partition(" ")[0], "kind": "twin"}
        case {"cell": name}:
            return row | {"name": name, "cell": None}
    return row


def find_comparisons(models: Path) -> list[Path]:
    """Returns the directories of finished comparisons, by name."""
    if not models.is_dir():
        return []
    found = sorted(file.parent for file in models.glob(f"*/{COMPARISON_FILE}"))
    return [path for path in found if (path / COMPLETE_FILE).exists()]


def runs_of(result: ComparisonResult, models: Path) -> list[Run]:
    """Returns the finished runs of a comparison, also linear ones, row by row.

    `models` is the folder in which they are.
    """
    paths = [path for row in result.rows if row.kind != MEAN for path in row.runs]
    found = [Run(models / Path(path).name) for path in dict.fromkeys(paths)]
    return [run for run in found if run.is_finished]


def run_or_default(named: Path | None, models: Path) -> AnyRun:
    """Returns the run, or mean of runs, of a name or path; None takes `default_run`.

    Raises:
      RunError: If there is none, or it is unfinished.
    """
    return default_run(models) if named is None else open_any(named, models)


def default_run(models: Path) -> AnyRun:
    """Returns the run that `predict` takes if none is named, see `run_by_default`."""
    return run_by_default(models)[0]


def run_by_default(models: Path, single: bool = False) -> tuple[AnyRun, str]:
    """Returns the run that `predict` takes if none is named, and why.

    The newest `train`, or the best by validation loss of the newest `compare`, twins,
    linear rows and means alike, whichever was asked for last. Damaged ones do not
    count, nor do means if it shall be a `single` run.

    Returns:
      The run, and a sentence; of a `train` it is empty.

    Raises:
      RunError: If there is no finished run.
    """
    asked: list[tuple[str, AnyRun, str]] = []
    for path in [run.path for run in list_runs(models)] + find_comparisons(models):
        with contextlib.suppress(SeqclfError):
            complete = Run(path).complete
            if complete.command == "train":
                asked.append((complete.time, Run(path), ""))
            elif best := _best_run(path, single):
                asked.append((complete.time, *best))
    if not asked:
        raise RunError(f"no run to predict with; {no_runs(models)}")
    return max(asked, key=lambda one: one[0])[1:]


def _best_run(path: Path, single: bool) -> tuple[AnyRun, str] | None:
    """Returns the run of a comparison with the least validation loss, and why."""
    if not (path / COMPARISON_FILE).exists():
        return None
    losses: list[tuple[float, AnyRun]] = []
    for row in read_comparison(path).rows:
        for one in row.runs:
            found = _run_of(row, path.parent / Path(one).name, single)
            if found and (loss := found.validation_loss) is not None:
                losses.append((loss, found))
    by_loss = sorted(losses, key=lambda one: one[0])
    if not by_loss:
        return None
    (loss, best), *others = by_loss
    why = f"{best.name} has the least validation loss of {path.name}: {loss:.3f}"
    rivals = [(other, run) for other, run in others if _kind(run) != _kind(best)]
    if rivals:
        why += f"; the next, {rivals[0][1].name}, has {rivals[0][0]:.3f}"
    return best, f"{why}."


def _run_of(row: Row, path: Path, single: bool) -> AnyRun | None:
    """Returns a run of a row; None if it is gone, or is no `single` one as asked."""
    if row.kind == MEAN:
        with contextlib.suppress(RunError):  # one of its runs is gone
            found = open_any(Path(path.name), path.parent)
            return found if isinstance(found, Mean) and not single else None
        return None
    run = Run(path)
    # Of 0.1.0 a baseline was no run, and another may have its folder's name.
    is_there = run.is_finished and run.is_linear == (row.kind == "baseline")
    return run if is_there else None


def _kind(run: AnyRun) -> list[tuple[str, str | None]]:
    models = [member.config.model for member in members_of(run)]
    return [(model.cell, model.baseline) for model in models]
