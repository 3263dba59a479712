"""Trainings and looks in turn, until every pair is decided or an end is reached."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from seqclf.clock import Clock
from seqclf.comparison import plan as planning
from seqclf.comparison import until
from seqclf.comparison.design import Design, Limits
from seqclf.comparison.metric import ranked_by
from seqclf.comparison.plan import Ended, Plan
from seqclf.comparison.until import Looks, Trained
from seqclf.errors import RunError
from seqclf.records.looks import Why
from seqclf.runs import Run
from seqclf.steps import Listener

AGAIN = "Type the same command again to go on."
# From the seeds of each cell to what is finished of them, and what is left to do.
PlanOf = Callable[[Mapping[str, Sequence[int]]], Plan]


def train_until_decided(
    design: Design, so_far: Looks, plan: Plan, plan_of: PlanOf, listener: Listener
) -> Ended:
    """Trains round by round, each cell as long as it helps, and looks after each.

    Where the budget ends, or Ctrl-C is pressed, what is finished by then is looked at,
    and trainings that were cut off are resumed another time. What was asked for and
    looked at is written at once, so that to go on spends nothing twice.

    Args:
      design: What is compared, and where it ends.
      so_far: The looks before, see `until.begin`.
      plan: What is left to do of what was asked for so far.
      plan_of: Makes the plan of a round.
      listener: Hears of each round.

    Raises:
      RunError: If no training was finished within the budget.
      KeyboardInterrupt: If none was before Ctrl-C.
    """
    limits, margin = design.until or Limits(), design.margin / 100
    clock = Clock()
    with clock.of("baselines"):
        failures = _prepare(plan, so_far, listener)
    deadline = time.monotonic() + (limits.budget_seconds or math.inf)
    while True:
        with clock.of("training"):
            failures, why = _train(plan, failures, deadline, listener)
        finished = planning.finished_runs(plan)
        if why:
            _cut_off(finished, why, listener)
        metric = ranked_by(design.metric, finished[0].dataset).metric
        trained = Trained.of(finished, metric)
        so_far = until.take_look(trained, so_far, margin)
        until.keep(plan.path, so_far)
        pairs = until.open_pairs(trained, so_far, margin)
        more = {} if why else until.next_seeds(trained, so_far, pairs, plan.jobs)
        if not (pairs and more):
            break
        number = len(so_far.looks) + 1
        listener.note(until.about_round(number, more, pairs, trained))
        so_far = until.with_asked(so_far, more)
        until.keep(plan.path, so_far)
        plan = plan_of(so_far.asked)
        with clock.of("baselines"):
            failures |= _fit_baselines(plan, failures, listener)
    if why != "interrupted":
        with clock.of("timing"), listener.progress({}) as report:
            failures |= planning.time_twins(replace(plan, trials=[]), report)
    how = until.outcome(so_far, trained, pairs, limits, why)
    return Ended(plan, finished, failures, clock.seconds, so_far.at, how)


def _prepare(plan: Plan, so_far: Looks, listener: Listener) -> dict[str, str]:
    """Says where it begins, and fits the baselines; returns why some could not be."""
    if plan.finished:
        reused = ", ".join(run.name for run in plan.finished)
        listener.note(f"Finished with these settings and data, reused: {reused}.")
    if so_far.looks:
        listener.note(f"Goes on after look {len(so_far.looks)}.")
    else:
        listener.note(
            f"Round 1: {len(plan.trials)} trainings; then seeds are added where they "
            f"help most."
        )
    return _fit_baselines(plan, {}, listener)


def _fit_baselines(
    plan: Plan, failures: Mapping[str, str], listener: Listener
) -> dict[str, str]:
    """Fits what baselines are not fitted; returns why some could not be."""
    missing = [b for b in plan.baselines if b.shown not in failures]
    with listener.progress({}) as report:
        return planning.fit_baselines(missing, report, plan.jobs, plan.cluster)


def _train(
    plan: Plan, failures: dict[str, str], deadline: float, listener: Listener
) -> tuple[dict[str, str], Why | None]:
    """Trains a round; returns failures, those of before too, and what cut it off."""
    trials = [t for t in plan.trials if planning.name_of(t) not in failures]
    with listener.progress(planning.costs(trials), plan.jobs) as report:
        try:
            found = planning.train(
                trials, report, plan.jobs, deadline=deadline, cluster=plan.cluster
            )
        except KeyboardInterrupt:
            return failures, "interrupted"
    return failures | found, None if time.monotonic() < deadline else "budget"


def _cut_off(finished: Sequence[Run], why: Why | None, listener: Listener) -> None:
    """Says what cut the trainings off; raises if there is nothing to compare."""
    if finished:
        ended = "Interrupted" if why == "interrupted" else "The budget is over"
        listener.insist(f"{ended}; what is finished is compared. {AGAIN}")
    elif why == "interrupted":
        raise KeyboardInterrupt
    else:
        raise RunError(f"no training was finished within --budget. {AGAIN}")
