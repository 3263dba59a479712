"""Sweeps: cells x seeds x a setting that varies, trained by the engine of `compare`.

A study that sweeps says how the setting varies (`points`) and what the trained points
tell (`read`); what lies between is here, the same for all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from seqclf import statistics
from seqclf.comparison.pairs import Right
from seqclf.config import RunConfig, twin
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.records.sweeps import (
    Correlation,
    Mean,
    MeanAccuracy,
    SpreadPair,
    Variant,
)
from seqclf.runs import Run
from seqclf.studies import intervals
from seqclf.studies.lab import Lab
from seqclf.studies.question import QUICK_CELLS, Answer, F, Question
from seqclf.wording import joined

Tested = TypeVar("Tested", Variant, SpreadPair, Correlation)
SPLITS, SCORES = (TRAIN, VALIDATION, TEST), ("accuracy", "log_loss")
FACTS = ("parameters", "epochs", "best_epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of what varies.

    Attributes:
      name: What it is called; no other point of the study has it.
      config: The recipe with that value; cell and seed are replaced.
      values: What varies, scalars by name, as they stand in the rows of the answer.
    """

    name: str
    config: RunConfig
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A point, trained for one cell and seed.

    Attributes:
      point: The point.
      cell: The cell.
      seed: The training seed.
      run: What came out; unfinished if its loss ran away.
    """

    point: Point
    cell: str
    seed: int
    run: Run


@dataclass(frozen=True, slots=True)
class Sweep(Generic[F]):
    """A study that varies a setting.

    Attributes:
      points: How it varies: from the question to the points, the longest training
        last.
      read: What the trained points tell.
      may_diverge: Whether a loss that runs away is a result, not a failure.
    """

    points: Callable[[Question, Lab], Sequence[Point]]
    read: Callable[[Question, Sequence[Trained]], Answer[F]]
    may_diverge: bool = False

    def run(self, question: Question, lab: Lab) -> Answer[F]:
        """Trains what is missing, seed by seed and the longest first, and reads it.

        Quick, of the last two cells alone.
        """
        left_out = question.cells[:-QUICK_CELLS] if question.quick else ()
        cells = tuple(cell for cell in question.cells if cell not in left_out)
        question = dataclasses.replace(question, cells=cells)
        points = list(self.points(question, lab))
        keys = [
            (point, cell, seed)
            for seed in question.seeds
            for point in reversed(points)
            for cell in question.cells
        ]
        configs = [twin(point.config, cell, seed) for point, cell, seed in keys]
        runs = lab.train(configs, may_diverge=self.may_diverge)
        trained = [
            Trained(point=point, cell=cell, seed=seed, run=run)
            for (point, cell, seed), run in zip(keys, runs, strict=True)
        ]
        trained.sort(key=lambda one: points.index(one.point))
        answer = self.read(question, trained)
        if not left_out:
            return answer
        note = f"Quick: {joined(cells)} alone."
        return dataclasses.replace(answer, notes=(*answer.notes, note))


def points_of(trained: Sequence[Trained]) -> list[Point]:
    """Returns the points of a sweep, in their order."""
    return list({one.point.name: one.point for one in trained}.values())


def runs_of(trained: Sequence[Trained], cell: str, point: Point) -> list[Run]:
    """Returns the runs of a cell at a point, in the order of the seeds."""
    return [o.run for o in trained if o.cell == cell and o.point.name == point.name]


def row(one: Trained) -> dict[str, Any]:
    """Returns what an answer holds of a training: what varied, and its scores.

    Returns:
      cell, seed, the point's values, parameters, epochs, best_epoch, and accuracy and
      log_loss of train (as many texts as validation has), validation and test; None
      where the loss ran away.
    """
    start = {"cell": one.cell, "seed": one.seed, **one.point.values}
    names = [(split, score) for split in SPLITS for score in SCORES]
    if not one.run.is_finished:
        return start | dict.fromkeys([*FACTS, *(f"{s}_{m}" for s, m in names)])
    metrics, environment = one.run.metrics, one.run.environment
    facts = {key: getattr(environment, key) for key in FACTS}
    return start | facts | {f"{s}_{m}": getattr(metrics[s], m) for s, m in names}


def accuracy(right: Right) -> MeanAccuracy:
    """Returns a cell's test accuracy, see `intervals`."""
    found = intervals.accuracy(right)
    return MeanAccuracy(mean=found.accuracy, low=found.low, high=found.high)


def student_mean(values: Sequence[float]) -> Mean:
    """Returns the mean of independent values, such as one a seed.

    The interval is by Student's t; a single value has none.
    """
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return Mean(mean=mean)
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(t.isf((1 - statistics.CONFIDENCE) / 2, len(values) - 1)) * error
    return Mean(mean=mean, low=mean - reach, high=mean + reach)


def adjusted(records: Sequence[Tested]) -> list[Tested]:
    """Returns records, the p-values of those that have one replaced by Holm's."""
    p_values = [one.p for one in records if one.p is not None]
    by_holm = iter(statistics.holm(p_values))
    return [
        one if one.p is None else dataclasses.replace(one, p=next(by_holm))
        for one in records
    ]


def scope(question: Question, trials: int) -> str:
    """Says what a sentence stands on: so many trainings, of one seed or several."""
    seeds = len(question.seeds)
    if seeds > 1:
        return f"{trials} trainings, {seeds} seeds a cell."
    return (
        f"{trials} trainings, one model each: it concerns these trained models, not "
        "the cells."
    )


def quick_notes(question: Question, what: str) -> tuple[str, ...]:
    """Returns the note of a quick answer, and nothing of a full one.

    Args:
      question: The question.
      what: What was left out, after `Quick: `.
    """
    return (f"Quick: {what}",) if question.quick else ()
