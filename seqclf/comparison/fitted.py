"""The baselines of a comparison that are fitted: one each, or one for each draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqclf.comparison.metric import Metric, Values
from seqclf.evaluation.baselines import BaselineTask
from seqclf.runs import Run

Fitted = Mapping[int | None, Run]  # a baseline's runs by draw; None where none was made


def fitted_on_all(baselines: Sequence[BaselineTask]) -> dict[str, Fitted]:
    """Returns the runs of the baselines, by name; those fitted on all draws alone."""
    found: dict[str, dict[int | None, Run]] = {}
    missing = set()
    for task in baselines:
        run = Run(task.path)
        if run.is_finished:
            found.setdefault(task.name, {})[task.draw] = run
        else:
            missing.add(task.name)
    return {name: found[name] for name in found if name not in missing}


def gains_by_draw(draws: Fitted, metric: Metric) -> Values:
    """Returns a baseline's values on test, by its draw as by a seed."""
    return {draw or 0: metric.gain(run) for draw, run in draws.items()}
