"""Finished runs side by side, without training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from seqclf import config as settings
from seqclf.cells import CELLS
from seqclf.comparison.card import disagreements, twin_card
from seqclf.comparison.pairs import (
    Right,
    accuracy_interval,
    compare_pairs,
    compare_with,
    right_answer,
    right_answers,
)
from seqclf.comparison.verdict import best_of, verdict
from seqclf.config import twin
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import RunError
from seqclf.evaluation.baselines import BaselineTask
from seqclf.metrics import wilson
from seqclf.records.scores import Scores
from seqclf.runs import Run


def compare_runs(
    finished: Sequence[Run],
    baselines: Sequence[BaselineTask] = (),
    timing: Mapping[str, Any] | None = None,
    chosen: Collection[str] = (),
) -> dict[str, Any]:
    """Puts finished runs side by side, without training.

    Args:
      finished: Runs on the same data, divided in the same way.
      baselines: Rows to beat; those that are not fitted are left out.
      timing: Of the twins alone, by cell, see `training.timing`; it replaces what the
        runs measured themselves, perhaps beside others.
      chosen: Settings that were chosen for each cell, in which twins may differ.

    Returns:
      Rows, pairs of twins, the best twin against each baseline, a verdict and the
      card of what is equal, as in `comparison.json`.

    Raises:
      RunError: If the runs are not comparable; what differs is named.
    """
    if not finished:
        raise RunError("there is nothing to compare: no run is finished.")
    for run in finished:
        run.require_scores()
    _refuse_different_data(finished)
    groups = group_runs(finished)
    rights = {name: right_answers(group) for name, group in groups.items()}
    rows = [
        _row(name, group, rights[name], (timing or {}).get(name))
        for name, group in groups.items()
    ]
    fitted = {b.name: Run(b.path) for b in baselines if b.is_fitted}
    rows = [_baseline_row(name, run) for name, run in fitted.items()] + rows
    best = best_of(rows)["cell"]
    others = {name: {0: right_answer(run)} for name, run in fitted.items()}
    pairs = compare_pairs(rights)
    references = compare_with(best, rights[best], others)
    card = twin_card(finished, chosen)
    return {
        "rows": rows,
        "pairs": pairs,
        "references": references,
        "verdict": verdict(rows, pairs, references, disagreements(card)),
        "card": card,
    }


def _refuse_different_data(finished: Sequence[Run]) -> None:
    first = finished[0]
    for run in finished[1:]:
        different = [
            f"{key}: {getattr(first.dataset, key)}, {getattr(run.dataset, key)}"
            for key in ("fingerprint", "labels", "sizes")
            if getattr(first.dataset, key) != getattr(run.dataset, key)
        ]
        different += [
            line
            for line in settings.differences(first.config, run.config)
            if line.startswith("data.")
        ]
        if different:
            raise RunError(
                f"{first.name} and {run.name} cannot be compared, their data "
                f"differs: {'; '.join(different)}."
            )


def group_runs(finished: Sequence[Run]) -> dict[str, list[Run]]:
    """Puts runs that differ in their seed only together, named by cell."""
    groups: list[list[Run]] = []
    for run in finished:
        for group in groups:
            same_seed = twin(run.config, run.config.model.cell, _seed(group[0]))
            if settings.same_question(group[0].config, same_seed):
                _refuse_twice(run, group)
                group.append(run)
                break
        else:
            groups.append([run])
    places = list(CELLS)
    groups.sort(key=lambda group: places.index(group[0].config.model.cell))
    cells = [group[0].config.model.cell for group in groups]
    return {
        cell if cells.count(cell) == 1 else f"{cell} ({group[0].name})": group
        for cell, group in zip(cells, groups, strict=True)
    }


def _refuse_twice(run: Run, group: Sequence[Run]) -> None:
    for other in group:
        if _seed(other) == _seed(run):
            raise RunError(
                f"{other.path} and {run.path} are the same training, seed "
                f"{_seed(run)} of {run.config.model.cell}; name it once."
            )


def _seed(run: Run) -> int:
    return run.config.training.seed


def _row(
    name: str, group: Sequence[Run], right: Right, timing: Mapping[str, Any] | None
) -> dict[str, Any]:
    test = [run.metrics[TEST] for run in group]
    environment = [run.environment for run in group]

    def mean(key: str) -> float:
        return float(np.mean([getattr(values, key) for values in environment]))

    return {
        "cell": name,
        "kind": "recurrent",
        "seeds": [_seed(run) for run in group],
        "runs": [str(run.path) for run in group],
        "units": group[0].config.model.units if name.split()[0] != "none" else None,
        "parameters": environment[0].parameters,
        "recurrent_parameters": environment[0].recurrent_parameters,
        **_quality(test, right),
        **_times(mean, timing),
        "peak_memory_bytes": max(e.peak_memory_bytes for e in environment),
        "kernel": ", ".join(sorted({e.kernel for e in environment})),
        "validation_loss": float(
            np.mean([run.metrics[VALIDATION].log_loss for run in group])
        ),
    }


def _times(
    mean: Callable[[str], float], timing: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Returns the times of the pass in which the twins ran alone, else the runs' own.

    With such a pass, the seconds to the best epoch are those of an epoch times their
    number.
    """
    if timing is not None:
        to_best = timing["seconds_per_epoch"] * mean("best_epoch")
        return dict(timing) | {"seconds_to_best": to_best, "timed": "alone"}
    own = (
        "seconds_per_epoch",
        "seconds_to_best",
        "tokens_per_second",
        "milliseconds_per_prediction",
    )
    return {key: mean(key) for key in own} | {"timed": "while training"}


def _baseline_row(name: str, run: Run) -> dict[str, Any]:
    return {
        "cell": name,
        "kind": "baseline",
        "runs": [str(run.path)],
        "parameters": None,
        **_quality([run.metrics[TEST]], {}),
        "seconds_to_best": run.baseline_environment.seconds,
        "peak_memory_bytes": run.baseline_environment.peak_memory_bytes,
    }


def _quality(test: Sequence[Scores], right: Right) -> dict[str, Any]:
    """Returns the test scores: their mean, and how far they reach.

    low and high are the interval over seeds and texts, of one model Wilson's; least
    and most are the range over seeds.
    """
    accuracies = [scores.accuracy for scores in test]
    mean, n = float(np.mean(accuracies)), test[0].n
    several = len(test) > 1 and n > 1
    low, high = accuracy_interval(right) if several else wilson(round(mean * n), n)
    return {
        "n": n,
        "accuracy": {
            "mean": mean,
            "low": low,
            "high": high,
            "least": min(accuracies),
            "most": max(accuracies),
        },
        "macro_f1": float(np.mean([scores.macro_f1 for scores in test])),
        "log_loss": float(np.mean([scores.log_loss for scores in test])),
    }
