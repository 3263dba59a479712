"""Finished comparisons, read from their files; without what training needs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from seqclf.data.dataset import VALIDATION
from seqclf.errors import RunError
from seqclf.marker import COMPARISON_FILE, COMPLETE_FILE, QUESTION_FILE
from seqclf.records.comparison import VERSION, ComparisonResult
from seqclf.records.plain import from_plain
from seqclf.runs.manifest import DamagedError, check
from seqclf.runs.places import list_runs, no_runs, open_run
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


def run_or_default(named: Path | None, models: Path) -> Run:
    """Returns the run of a name or path; None takes `default_run`.

    Raises:
      RunError: If there is none, or it is unfinished.
    """
    return default_run(models) if named is None else open_run(named, models)


def default_run(models: Path) -> Run:
    """Returns the run that `predict` takes if none is named, see `run_by_default`."""
    return run_by_default(models)[0]


def run_by_default(models: Path) -> tuple[Run, str]:
    """Returns the run that `predict` takes if none is named, and why.

    The newest `train`, or the best by validation loss of the newest `compare`, twins
    and linear rows alike, whichever was asked for last. Damaged ones do not count.

    Returns:
      The run, and a sentence; of a `train` it is empty.

    Raises:
      RunError: If there is no finished run.
    """
    asked: list[tuple[str, Run, str]] = []
    for path in [run.path for run in list_runs(models)] + find_comparisons(models):
        with contextlib.suppress(RunError):
            complete = Run(path).complete
            if complete.command == "train":
                asked.append((complete.time, Run(path), ""))
            elif best := _best_run(path):
                asked.append((complete.time, *best))
    if not asked:
        raise RunError(f"no run to predict with; {no_runs(models)}")
    return max(asked, key=lambda one: one[0])[1:]


def _best_run(path: Path) -> tuple[Run, str] | None:
    """Returns the run of a comparison with the least validation loss, and why."""
    if not (path / COMPARISON_FILE).exists():
        return None
    found = [
        (row, Run(path.parent / Path(one).name))
        for row in read_comparison(path).rows
        for one in row.runs
    ]
    by_loss = sorted(
        (
            (run.metrics[VALIDATION].log_loss, run)
            for row, run in found
            # Of 0.1.0 a baseline was no run, and another may have its folder's name.
            if run.is_finished and run.is_linear == (row.kind == "baseline")
        ),
        key=lambda one: one[0],
    )
    if not by_loss:
        return None
    (loss, best), *others = by_loss
    why = f"{best.name} has the least validation loss of {path.name}: {loss:.3f}"
    rivals = [(other, run) for other, run in others if _kind(run) != _kind(best)]
    if rivals:
        why += f"; the next, {rivals[0][1].name}, has {rivals[0][0]:.3f}"
    return best, f"{why}."


def _kind(run: Run) -> tuple[str, str | None]:
    model = run.config.model
    return model.cell, model.baseline
