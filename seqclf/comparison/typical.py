"""Which trained twin of each cell is looked at, where only one can be."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from seqclf.errors import RunError
from seqclf.records.comparison import ComparisonResult
from seqclf.runs import Run


def typical_runs(result: ComparisonResult, models: Path) -> list[Run]:
    """Returns a run of each row of twins: the nearest to the row's median.

    That is the median of the validation losses of the row's runs, so that the test
    split chooses nothing; of equally near ones, the first. The runs are in `models`.

    Raises:
      RunError: If no run of a row is there any more.
    """
    return [_typical([_run(one, models) for one in row.runs]) for row in result.twins]


def _run(path: str, models: Path) -> Run:
    return Run(models / Path(path).name)


def _typical(runs: Sequence[Run]) -> Run:
    there = [run for run in runs if run.is_finished]
    if not there:
        raise RunError(f"{runs[0].path} is no longer there")
    losses = [run.validation_loss for run in there]
    middle = statistics.median(losses)
    return min(zip(there, losses, strict=True), key=lambda one: abs(one[1] - middle))[0]
