"""Which trained twin of each cell is looked at, where only one can be."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqclf.comparison.draws import SEED
from seqclf.errors import RunError
from seqclf.records.comparison import ComparisonResult
from seqclf.runs import Run


def typical_runs(result: ComparisonResult, models: Path) -> list[Run]:
    """Returns a run of each row of twins: the nearest to the row's median.

    That is the median of the validation losses of the row's runs, so that the test
    split chooses nothing; of equally near ones, the first. The runs are in `models`.
    Where each seed drew its texts, and so its vocabulary, all are of one seed: that
    whose runs are the nearest, together.

    Raises:
      RunError: If no run of a row is there any more, or no seed has a run of each.
    """
    rows = [_distances([_run(one, models) for one in row.runs]) for row in result.twins]
    if result.card.vary != SEED:
        return _of_one_seed(rows)
    return [min(row, key=row.__getitem__) for row in rows]


def _of_one_seed(rows: Sequence[Mapping[Run, float]]) -> list[Run]:
    by_seed = [{run.config.training.seed: run for run in row} for row in rows]
    common = sorted(set[int].intersection(*(set(one) for one in by_seed)))
    if not common:
        raise RunError("the rows have no seed in common whose runs are all there")
    each = [[one[seed] for one in by_seed] for seed in common]
    return min(
        each,
        key=lambda runs: sum(row[run] for row, run in zip(rows, runs, strict=True)),
    )


def _run(path: str, models: Path) -> Run:
    return Run(models / Path(path).name)


def _distances(runs: Sequence[Run]) -> dict[Run, float]:
    """Returns how far the validation loss of each run is from their median."""
    there = [run for run in runs if run.is_finished]
    if not there:
        raise RunError(f"{runs[0].path} is no longer there")
    losses = [run.validation_loss for run in there]
    middle = statistics.median(losses)
    return {run: abs(loss - middle) for run, loss in zip(there, losses, strict=True)}
