"""How fast the cells learn: training until a validation loss is first reached.

One training for each cell and seed, shared with `compare`. Each curve starts at the
loss of guessing evenly, the logarithm of the number of labels, where an untrained model
is, and is linear between epochs. Chung et al. (2014) compared GRU and LSTM by such
curves, over updates and over seconds; GRU was ahead on some of their data sets.

The losses to reach are on the way from stating the labels' shares to the best loss of
the least successful training of GRU or LSTM, so that all of these reach all of them.
Steps are compared by the mean of their logarithms over seeds, with Welch's interval:
twins of one seed see the same batches, but have no more in common than twins of two.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqclf.cells import GRU, LSTM
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.errors import ConfigError
from seqclf.evaluation.failed import guessed
from seqclf.records.estimates import Mean
from seqclf.records.side_by_side import ConvergenceFindings, EpochReached, Level
from seqclf.runs import Run
from seqclf.studies import convergence_shown
from seqclf.studies.intervals import welch_difference
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, grouped, trainings
from seqclf.studies.timed import twins_timed
from seqclf.text.batching import num_batches

FIRST, SECOND = GRU.name, LSTM.name
SHARES = (0.5, 0.75, 1.0)  # of the way from guessing to the hardest loss
LEAST_WAY = 0.05  # of the loss of guessing; below, hardly anything was learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A training's history; all lists begin before the first epoch, at step 0.

    Attributes:
      steps: Steps by the end of each epoch.
      seconds: Wall-clock seconds of training by then.
      losses: Validation loss; the first is that of guessing evenly.
      guessing: That of stating the labels' shares, which no text is needed for.
    """

    cell: str
    seed: int
    steps: tuple[int, ...]
    seconds: tuple[float, ...]
    losses: tuple[float, ...]
    guessing: float

    @property
    def best_epoch(self) -> int:
        """The epoch of the least validation loss, from 1."""
        return self.losses.index(min(self.losses[1:]), 1)

    def reached(self, loss: float) -> float | None:
        """Returns the epochs until the loss is first reached; None if never.

        Within an epoch the loss is interpolated linearly.
        """
        for epoch in range(1, len(self.losses)):
            before, after = self.losses[epoch - 1 : epoch + 1]
            if before <= loss:
                return float(epoch - 1)
            if after <= loss:
                return epoch - 1 + (before - loss) / (before - after)
        return None

    def steps_to(self, loss: float) -> float | None:
        """Returns the steps until the loss is first reached; None if never."""
        epochs = self.reached(loss)
        if epochs is None:
            return None
        whole = min(int(epochs), len(self.steps) - 2)
        before, after = self.steps[whole : whole + 2]
        return before + (epochs - whole) * (after - before)


def run(question: Question, lab: Lab) -> Answer[ConvergenceFindings]:
    """Trains the twins, or reuses them, and reads how fast they learnt.

    A quick question has GRU and LSTM alone.

    Raises:
      ConfigError: If GRU or LSTM is not among the cells.
      TrainingError: If a training failed.
    """
    if not {FIRST, SECOND} <= set(question.cells):
        raise ConfigError(
            f"convergence sets gru beside lstm; name both in --cells, got "
            f"{','.join(question.cells)}."
        )
    asked = question
    if question.quick:
        question = replace(question, cells=(FIRST, SECOND))
    config = question.recipe
    finished = lab.train(trainings(question, config))
    # Not from the run's own data source, which may have been moved since.
    lengths = lab.load(config).splits[TRAIN].lengths
    curves = [_curve(run, lengths) for run in finished]
    # As `cost` asks it, which has its answer then.
    timed = twins_timed(trainings(asked, config)[: len(asked.cells)], lab)
    medians = [one.milliseconds_per_step.median for one in timed]
    of_cell = dict(zip(asked.cells, medians, strict=True))
    steps_alone = {cell: of_cell[cell] for cell in question.cells}
    findings = found(curves, steps_alone)
    return Answer(
        study="convergence", title="How fast the cells learn",
        sentence=convergence_shown.sentence(findings),
        table=convergence_shown.table(findings), rows=tuple(_rows(curves)),
        findings=findings, trials=len(curves),
        notes=convergence_shown.notes(question, finished, findings),
    )  # fmt: skip


def _curve(run: Run, lengths: np.ndarray) -> Curve:
    config, history = run.config, run.history
    steps = [num_batches(lengths, config.training, record.epoch) for record in history]
    seconds = [record.seconds for record in history]
    untrained = math.log(len(run.labels))
    return Curve(
        cell=config.model.cell,
        seed=config.training.seed,
        steps=tuple(itertools.accumulate(steps, initial=0)),
        seconds=tuple(itertools.accumulate(seconds, initial=0.0)),
        losses=(untrained, *(record.validation_loss for record in history)),
        guessing=guessed(run.metrics[VALIDATION])["log_loss"],
    )


def found(curves: Sequence[Curve], step_ms: dict[str, float]) -> ConvergenceFindings:
    """Returns the findings of `run`, from the curve of each training.

    GRU and LSTM have the same seeds; `step_ms`, by cell, are those of a step alone.
    """
    best = grouped((curve.cell, curve.best_epoch) for curve in curves)
    guessing = curves[0].guessing
    hardest = hardest_loss(curves)
    way = max(1 - hardest / guessing, 0.0) if guessing > 0 else 0.0
    levels: list[Level] = []
    if way >= LEAST_WAY:
        losses = [guessing + share * (hardest - guessing) for share in SHARES[:-1]]
        levels = [_level(curves, loss, step_ms) for loss in (*losses, hardest)]
    fewer, more = _decided(levels)
    return ConvergenceFindings(
        levels=tuple(levels), hardest=levels[-1] if levels else None,
        best_epoch={cell: statistics.fmean(epochs) for cell, epochs in best.items()},
        milliseconds_per_step=dict(step_ms), guessing=guessing, way=way,
        fewer=fewer, more=more, seeds=sum(curve.cell == FIRST for curve in curves),
        last=_last(curves, hardest, step_ms) if levels else (None, None),
    )  # fmt: skip


def _decided(levels: Sequence[Level]) -> tuple[int, int]:
    """Counts the levels for which GRU needs fewer steps, or more, by the intervals."""
    ratios = [level.ratio for level in levels]
    fewer = sum(one.high is not None and one.high < 1 for one in ratios)
    return fewer, sum(one.low is not None and one.low > 1 for one in ratios)


def _last(
    curves: Sequence[Curve], loss: float, step_ms: dict[str, float]
) -> tuple[float, float]:
    """Returns the most steps, and seconds alone, that a GRU or LSTM needs."""
    steps = [(c.steps_to(loss), c.cell) for c in curves if c.cell in (FIRST, SECOND)]
    there = [(value, cell) for value, cell in steps if value is not None]
    seconds = [value * step_ms[cell] / 1000 for value, cell in there]
    return max(value for value, _ in there), max(seconds)


def hardest_loss(curves: Sequence[Curve]) -> float:
    """Returns the least loss that every training of GRU and LSTM reaches."""
    return max(min(c.losses[1:]) for c in curves if c.cell in (FIRST, SECOND))


def _level(curves: Sequence[Curve], loss: float, step_ms: dict[str, float]) -> Level:
    reached = grouped((curve.cell, curve.steps_to(loss)) for curve in curves)
    means = {cell: _mean(values) for cell, values in reached.items()}
    faster = step_ms[FIRST] / step_ms[SECOND]
    ratio = ratio_of_means(reached[FIRST], reached[SECOND])
    return Level(
        loss=loss,
        trainings={c: sum(s is not None for s in v) for c, v in reached.items()},
        steps=means,
        seconds_alone={
            cell: None if steps is None else steps * step_ms[cell] / 1000
            for cell, steps in means.items()
        },
        ratio=ratio,
        seconds_ratio=ratio.mapped(lambda steps: steps * faster),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if len(there) == len(values) else None


def ratio_of_means(
    first: Sequence[float | None], second: Sequence[float | None]
) -> Mean:
    """Returns the ratio of the geometric means of two cells' steps, one a training.

    Its interval is Welch's, on the logarithms; a single training has none. Steps are
    positive; None, of a training that did not get there, is left out.
    """
    logs = [[math.log(one) for one in steps if one] for steps in (first, second)]
    return welch_difference(*logs).mapped(math.exp)


def _rows(curves: Sequence[Curve]) -> list[EpochReached]:
    return [
        EpochReached(
            cell=curve.cell, seed=curve.seed, epoch=epoch, steps=curve.steps[epoch],
            seconds=curve.seconds[epoch], validation_loss=loss,
            is_best=int(epoch == curve.best_epoch),
        )
        for curve in curves
        for epoch, loss in enumerate(curve.losses)
    ]  # fmt: skip
