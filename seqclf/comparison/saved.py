"""Finished comparisons, read from their files; without what training needs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from seqclf import runs
from seqclf.data.dataset import VALIDATION
from seqclf.errors import RunError
from seqclf.marker import COMPARISON_FILE as COMPARISON_FILE
from seqclf.marker import QUESTION_FILE as QUESTION_FILE
from seqclf.runs import Run
from seqclf.runs import run as files
from seqclf.runs.manifest import DamagedError, check
from seqclf.storage import read_object, strict_json

DETAILS_FILE = "details.json"
REPORT_FILE = "report.html"
TIMING_FILE = "timing.json"
TIMES = ("seconds_per_epoch", "tokens_per_second", "milliseconds_per_prediction")
_UNUSABLE = (ValueError, KeyError, TypeError, RecursionError, RunError, DamagedError)


def read_timing(folder: Path) -> dict[str, Any]:
    """Returns what the twins' timing pass measured, by cell; nothing if it was not."""
    timing = read_object(folder / TIMING_FILE)
    return {cell: one for cell, one in timing.items() if _is_timing(one)}


def _is_timing(one: Any) -> bool:
    values = [one.get(key) for key in TIMES] if isinstance(one, dict) else [None]
    return all(isinstance(value, int | float) for value in values)


def read_details(folder: Path) -> dict[str, Any] | None:
    """Returns the `details.json` of a comparison; None if it cannot be read."""
    return read_object(folder / DETAILS_FILE) or None


def read_comparison(folder: Path) -> dict[str, Any]:
    """Reads the `comparison.json` of a finished comparison.

    Raises:
      RunError: If it is unfinished or damaged.
    """
    file = folder / COMPARISON_FILE
    if (folder / QUESTION_FILE).exists() and not file.exists():
        raise RunError(
            f"{folder} is unfinished; type the command that began it again, and it "
            f"goes on with the runs that are missing."
        )
    try:
        checksums = Run(folder).checksums
        written = check(folder, COMPARISON_FILE, checksums)
        result: dict[str, Any] = strict_json(written.read_text("utf-8"))
        all((result["verdict"], result["card"], *map(_parts_used, result["rows"])))
    except (OSError, *_UNUSABLE) as error:
        raise RunError(
            f"{file} could not be used ({error}); type the command that made it "
            f"again, and it is written anew from its runs."
        ) from error
    return result


def _parts_used(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["cell"], row["kind"], row["runs"]


def find_comparisons(models: Path) -> list[Path]:
    """Returns the directories of finished comparisons, by name."""
    if not models.is_dir():
        return []
    found = sorted(file.parent for file in models.glob(f"*/{COMPARISON_FILE}"))
    return [path for path in found if (path / files.COMPLETE_FILE).exists()]


def default_run(models: Path) -> Run:
    """Returns the run that `predict` takes if none is named.

    The newest `train`, or the best by validation loss of the newest `compare`,
    whichever was asked for last. Damaged ones do not count.

    Raises:
      RunError: If there is no finished run.
    """
    asked: list[tuple[str, Run]] = []
    for path in [run.path for run in runs.list_runs(models)] + find_comparisons(models):
        with contextlib.suppress(RunError, KeyError, TypeError):
            complete = Run(path).complete
            best = Run(path) if complete.command == "train" else _best_run(path)
            if best is not None:
                asked.append((complete.time, best))
    if not asked:
        raise RunError(f"no run to predict with; {runs.no_runs(models)}")
    return max(asked, key=lambda one: one[0])[1]


def _best_run(path: Path) -> Run | None:
    """Returns the run of a comparison with the least validation loss."""
    if not (path / COMPARISON_FILE).exists():
        return None
    found = [
        Run(path.parent / Path(one).name)
        for row in read_comparison(path)["rows"]
        if row["kind"] == "recurrent"
        for one in row["runs"]
    ]
    there = [run for run in found if run.is_finished]
    return min(there, key=lambda r: r.metrics[VALIDATION].log_loss, default=None)
