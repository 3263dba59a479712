"""Finished runs side by side, without training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from seqclf.cells import CELLS
from seqclf.comparison.at_look import ONCE, AtLook
from seqclf.comparison.card import disagreements, twin_card
from seqclf.comparison.draws import FOLDS, SEED, covered, folds_of, vary_of
from seqclf.comparison.fitted import Fitted, fitted_on_all, gains_by_draw
from seqclf.comparison.groups import (
    are_beside,
    group_runs,
    means_with,
    seed_of,
    tested,
)
from seqclf.comparison.metric import ACCURACY, AUTO, Metric, Values, ranked_by
from seqclf.comparison.others.other import Other, answer_files, beside
from seqclf.comparison.others.yardstick import costs, one_training_said, trainings
from seqclf.comparison.pairs import MARGIN, compare_pairs, compare_with
from seqclf.comparison.summary import summary
from seqclf.comparison.verdict import best_of, verdict
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import RunError
from seqclf.evaluation.baselines import BaselineTask
from seqclf.evaluation.failed import failed_seeds
from seqclf.records.comparison import MEAN, OTHER, YARDSTICK, ComparisonResult, Row
from seqclf.records.looks import UntilDecided
from seqclf.records.scores import Scores
from seqclf.records.training import Environment, Timing
from seqclf.runs import AnyRun, Mean, Run
from seqclf.runs.mean import refuse_different_data

N_GRAMS = "nb-svm"  # the linear model that each twin is averaged with
TIMES = (
    "seconds_per_epoch", "seconds_to_best", "tokens_per_second",
    "milliseconds_per_prediction",
)  # fmt: skip


def compare_runs(  # noqa: PLR0913 -- all that a comparison is made of
    finished: Sequence[Run],
    baselines: Sequence[BaselineTask] = (),
    timing: Mapping[str, Timing] | None = None,
    chosen: Collection[str] = (),
    margin: float = MARGIN,
    at: AtLook = ONCE,
    until_decided: UntilDecided | None = None,
    metric: str = AUTO,
    others: Sequence[Other] = (),
) -> ComparisonResult:
    """Compares finished runs, without training.

    Args:
      finished: Runs on the same data, divided in the same way.
      baselines: Rows to beat; those that are not fitted are left out.
      timing: Of the twins alone, by cell, see `training.timing`; it replaces what the
        runs measured themselves, perhaps while others ran.
      chosen: Settings that were chosen for each cell, in which twins may differ.
      margin: Difference, a fraction or in nats, below which two are practically equal.
      at: The look that this is, where seeds are added until all pairs are decided.
      until_decided: How that went.
      metric: What ranks them, see `metric.ranked_by`.
      others: Other systems, or a yardstick, to stand beside them, with answers to the
        same texts.

    Raises:
      ConfigError: If no metric is called so.
      RunError: If the runs are not comparable; what differs is named.
    """
    if not finished:
        raise RunError("there is nothing to compare: no run is finished.")
    for run in finished:
        run.require_scores()
        if run.is_linear:
            raise RunError(
                f"{run.name} is a linear model; a comparison fits those by itself: "
                f"name networks."
            )
    refuse_different_data(finished)
    ranking, why = ranked_by(metric, finished[0].dataset)
    groups = group_runs(finished)
    values = {name: ranking.gains(group) for name, group in groups.items()}
    twins = [
        _row(name, group, ranking, (timing or {}).get(name))
        for name, group in groups.items()
    ]
    fitted = fitted_on_all(baselines)
    best = best_of(twins).name
    of_baselines = {
        name: gains_by_draw(draws, ranking) for name, draws in fitted.items()
    }
    of_others = {one.name: beside(values[best], one.gains(ranking)) for one in others}
    failed = {row.name: row.failed for row in twins if row.failed}
    recurrent = [row.name for row in twins if row.recurs]
    folds = folds_of(finished)
    pairs = compare_pairs(values, recurrent, failed, margin, at, ranking, folds)
    judged = (best in failed, margin, at, ranking, folds)
    references = compare_with(best, values[best], of_baselines, *judged)
    failed_others = {
        other.name for other in others if other.failed(ranking.field) or ()
    }
    references += compare_with(
        best, values[best], of_others, *judged, failed=failed_others
    )
    combined = means_with(groups, fitted.get(N_GRAMS, {}))
    if best in combined:
        name, n_grams = _with_n_grams(best), {N_GRAMS: of_baselines[N_GRAMS]}
        gains = ranking.gains(combined[best])
        references += compare_with(name, gains, n_grams, *judged)
    rows = (
        *(_baseline_row(name, draws, ranking) for name, draws in fitted.items()),
        *twins,
        *(_other_row(one, ranking) for one in others),
        *(
            _mean_row(_with_n_grams(of), of, group, ranking, failed.get(of, ()))
            for of, group in combined.items()
        ),
        *_rows_over_seeds(groups, ranking),
    )
    card = replace(
        twin_card(finished, chosen),
        answer_files=answer_files(others),
        yardstick=trainings(others),
    )
    if different := disagreements(card):  # nothing of them is ranked
        pairs = references = ()
    said = verdict(rows, pairs, references, different, margin, until_decided, why)
    said += one_training_said(others)
    if card.vary != SEED:
        said += f" {covered(finished)}"
    return ComparisonResult(
        rows=rows,
        pairs=pairs,
        references=references,
        verdict=said,
        card=card,
        margin=margin,
        until_decided=until_decided,
        metric=ranking.name,
        metric_why=why,
    )


def _rows_over_seeds(
    groups: Mapping[str, Sequence[Run]], metric: Metric
) -> Iterator[Row]:
    """Yields a row for the mean over the seeds of each row that has several.

    Where each seed drew its training texts with replacement, that is bagging (Breiman
    1996, Machine Learning 24:123).
    """
    for of, group in groups.items():
        vary = vary_of(group)
        # Of folds no two were tested on the same texts.
        if len(group) > 1 and vary != FOLDS and are_beside(group):
            how = "mean" if vary == SEED else "bagging"
            name = f"{of}, {how} of {len(group)}"
            yield _mean_row(name, of, [Mean(tuple(group))], metric, ())


def _with_n_grams(name: str) -> str:
    return f"{name} + {N_GRAMS}"


def _row(name: str, group: Sequence[Run], metric: Metric, timing: Timing | None) -> Row:
    model = group[0].config.model
    environment = [run.environment for run in group]
    failed = failed_seeds(group, metric.field)
    return _scored_runs(
        group,
        metric,
        lambda one: one.gains(group),
        failed,
        kind="twin",
        name=name,
        cell=model.cell,
        seeds=tuple(seed_of(run) for run in group),
        failed=failed,
        units=model.units if CELLS[model.cell].has_layer else None,
        parameters=environment[0].parameters,
        recurrent_parameters=environment[0].recurrent_parameters,
        peak_memory_bytes=max(e.peak_memory_bytes for e in environment),
        kernel=", ".join(sorted({e.kernel for e in environment})),
        seconds_before=_mean([e.seconds_before for e in environment]) or None,
        validation_loss=_mean([run.metrics[VALIDATION].log_loss for run in group]),
        **_times(environment, timing),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _times(environment: Sequence[Environment], timing: Timing | None) -> dict[str, Any]:
    """Returns the times of the pass in which the twins ran alone, else the runs' own.

    With such a pass, the seconds to the best epoch are those of an epoch times their
    number.
    """
    if timing is None:
        own = {name: _mean([getattr(e, name) for e in environment]) for name in TIMES}
        return own | {"timed": "while training"}
    kept = {field.name for field in fields(Row)}
    named = (field.name for field in fields(Timing) if field.name in kept)
    alone = {name: getattr(timing, name) for name in named}
    to_best = timing.seconds_per_epoch * _mean([e.best_epoch for e in environment])
    return alone | {"seconds_to_best": to_best, "timed": "alone"}


def _baseline_row(name: str, draws: Fitted, metric: Metric) -> Row:
    group = list(draws.values())
    environment = [run.baseline_environment for run in group]
    return _scored_runs(
        group,
        metric,
        lambda one: gains_by_draw(draws, one),
        (),
        kind="baseline",
        name=name,
        seeds=tuple(draw or 0 for draw in draws) if len(group) > 1 else (),
        validation_loss=_mean([run.metrics[VALIDATION].log_loss for run in group]),
        seconds_to_best=_mean([one.seconds for one in environment]),
        peak_memory_bytes=max(one.peak_memory_bytes for one in environment),
    )


def _mean_row(
    name: str,
    of: str,
    group: Sequence[Mean],
    metric: Metric,
    failed: Collection[int],
) -> Row:
    twins = [run for one in group for run in one.members if not run.is_linear]
    losses = [one.validation_loss for one in group]
    known = [loss for loss in losses if loss is not None]
    return _scored_runs(
        group,
        metric,
        lambda one: one.gains(group),
        failed,
        kind=MEAN,
        name=name,
        of=of,
        seeds=tuple(map(seed_of, twins)),
        validation_loss=_mean(known) if known else None,
    )


def _other_row(other: Other, metric: Metric) -> Row:
    failed = other.failed(metric.field)
    row = _scored(
        other.scores,
        metric,
        other.gains,
        failed or (),
        failed=failed,
        kind=YARDSTICK if other.trained else OTHER,
        name=other.name,
        n=other.scores[0].n,
        runs=(),
        seeds=other.seeds,
        **costs(other.trained),
    )
    return row if other.has_probabilities else replace(row, log_loss=None)


def _scored_runs(
    group: Sequence[AnyRun],
    metric: Metric,
    gains: Callable[[Metric], Values],
    failing: Collection[int],
    **others: Any,
) -> Row:
    test = [run.metrics[TEST] for run in group]
    runs, folds = tuple(str(run.path) for run in group), folds_of(group)
    n = test[0].n if folds is None else tested(group)
    return _scored(test, metric, gains, failing, folds, n=n, runs=runs, **others)


def _scored(
    test: Sequence[Scores],
    metric: Metric,
    gains: Callable[[Metric], Values],
    failing: Collection[int],
    folds: int | None = None,
    **others: Any,
) -> Row:
    """Returns a row with its test scores: their mean, and how far they reach.

    `gains` are the values of its runs on test, by seed or draw. Where trainings of some
    seeds are `failing`, no interval over the seeds would hold; `folds` are as in
    `summary`.
    """
    scores = functools.partial(summary, test, failing=failing, folds=folds)
    return Row(
        accuracy=scores(ACCURACY, gains(ACCURACY)),
        macro_f1=_mean([scores.macro_f1 for scores in test]),
        log_loss=_mean([scores.log_loss for scores in test]),
        example_f1=_example_f1(test),
        further=_further(test),
        metric=metric.name,
        by_metric=None if metric is ACCURACY else scores(metric, gains(metric)),
        **others,
    )


def _example_f1(test: Sequence[Scores]) -> float | None:
    known = [one.example_f1 for one in test if one.example_f1 is not None]
    return _mean(known) if known else None


def _further(test: Sequence[Scores]) -> dict[str, float]:
    every = [one.further for one in test]
    return {
        name: _mean([one[name] for one in every if name in one]) for name in every[0]
    }
