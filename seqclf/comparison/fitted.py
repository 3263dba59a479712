"""The baselines of a comparison that are fitted: one each, or one for each draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqclf.comparison.pairs import Right
from seqclf.data.dataset import TEST
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


def right_by_draw(draws: Fitted) -> Right:
    """Returns which test texts a baseline has right, by its draw as by a seed."""
    return {draw or 0: run.predictions(TEST).right for draw, run in draws.items()}
