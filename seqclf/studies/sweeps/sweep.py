"""Sweeps: cells x seeds x a setting that varies, trained by the engine of `compare`.

A study defines how the setting varies (`points`) and how to evaluate the trained points
(`read`); this module does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic

from seqclf.comparison.pairs import Right
from seqclf.config import RunConfig, twin
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.records.estimates import MeanShare
from seqclf.runs import Run
from seqclf.studies import intervals
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, F, Question
from seqclf.wording import joined

SPLITS, SCORES = (TRAIN, VALIDATION, TEST), ("accuracy", "log_loss")
FACTS = ("parameters", "epochs", "best_epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of what varies: the recipe with it, and a name, unique in the study.

    Cell and seed of the config are replaced. `values` are what varies, scalars by
    name, as in the rows of the answer.
    """

    name: str
    config: RunConfig
    values: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A point trained for one cell and seed; the run is unfinished if it diverged."""

    point: Point
    cell: str
    seed: int
    run: Run


@dataclass(frozen=True, slots=True)
class Sweep(Generic[F]):
    """A study that varies a setting.

    Attributes:
      points: From the question to the points, the longest training last.
      read: From the question and the trained points to the answer.
      may_diverge: Whether a diverged training is a result, not a failure.
    """

    points: Callable[[Question, Lab], Sequence[Point]]
    read: Callable[[Question, Sequence[Trained]], Answer[F]]
    may_diverge: bool = False

    def run(self, question: Question, lab: Lab) -> Answer[F]:
        """Trains what is missing, and reads it.

        A quick question is answered for the last two cells only.
        """
        asked, question = question, question.narrowed
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
        if question.cells == asked.cells:
            return answer
        note = f"Quick: {joined(question.cells)} alone."
        return replace(answer, notes=(*answer.notes, note))


def points_of(trained: Sequence[Trained]) -> list[Point]:
    """Returns the points of a sweep, in their order."""
    return list({one.point.name: one.point for one in trained}.values())


def runs_of(trained: Sequence[Trained], cell: str, point: Point) -> list[Run]:
    """Returns the runs of a cell at a point, in the order of the seeds."""
    return [o.run for o in trained if o.cell == cell and o.point.name == point.name]


def row(one: Trained) -> dict[str, object]:
    """Returns the row of a training: what varied, and its scores.

    Returns:
      cell, seed, the point's values, parameters, epochs, best_epoch, and accuracy and
      log_loss of train (as many texts as validation has), validation and test; None
      where the training diverged.
    """
    start: dict[str, object] = {"cell": one.cell, "seed": one.seed, **one.point.values}
    names = [(split, score) for split in SPLITS for score in SCORES]
    if not one.run.is_finished:
        return start | dict.fromkeys([*FACTS, *(f"{s}_{m}" for s, m in names)])
    metrics, environment = one.run.metrics, one.run.environment
    facts = {key: getattr(environment, key) for key in FACTS}
    return start | facts | {f"{s}_{m}": getattr(metrics[s], m) for s, m in names}


def guess(run: Run, split: str) -> float:
    """Returns the accuracy of always giving the split's most frequent label."""
    counts = run.dataset.label_counts[split]
    return float(max(counts) / sum(counts))


def beats_guessing(runs: Sequence[Run]) -> bool:
    """Tells whether a cell surely beats always guessing, on validation."""
    right = {r.config.training.seed: r.predictions(VALIDATION).right for r in runs}
    return intervals.accuracy(right).low > guess(runs[0], VALIDATION)


def accuracy(right: Right) -> MeanShare:
    """Returns a cell's test accuracy, see `intervals`."""
    found = intervals.accuracy(right)
    return MeanShare(mean=found.accuracy, low=found.low, high=found.high)


def scope(question: Question, trials: int) -> str:
    """Says how many trainings and seeds are behind an answer."""
    seeds = len(question.seeds)
    if seeds > 1:
        return f"{trials} trainings, {seeds} seeds a cell."
    return (
        f"{trials} trainings, one model each: it concerns these trained models, not "
        "the cells."
    )
