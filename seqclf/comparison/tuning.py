"""An equal budget for every cell: the same trials, judged on validation alone.

A trial is a recipe, trained `len(TUNING_SEEDS)` times; its loss is their mean. One
training would choose by the luck of its seed, the more so for SimpleRNN, which learns
with some seeds and not with others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf import config as settings
from seqclf.comparison import ranges
from seqclf.comparison.card import SCORES
from seqclf.comparison.design import PARAMETERS, TUNING_SEEDS, Design, twins
from seqclf.config import RunConfig, twin
from seqclf.data.dataset import VALIDATION
from seqclf.errors import RunError, TrainingError
from seqclf.records.training import Report
from seqclf.records.twins import Check, Tried, Tuned
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.training.recipe import resolved
from seqclf.training.trial import Trial, run_trial

FOLDER = "tuning"
FAILED_FILE = "failed.json"


@dataclass(frozen=True, slots=True)
class Search:
    """What a comparison tries for its cells.

    Attributes:
      path: The directory of the comparison.
      configs: What each cell tries, by cell, in the order of the trials; units are
        matched within each draw.
      epochs: What the recipe takes on the data, where a config leaves it open.
    """

    path: Path
    configs: Mapping[str, Sequence[RunConfig]]
    epochs: int

    def trainings(self, cell: str, number: int) -> Iterator[tuple[Path, RunConfig]]:
        """Yields the trainings of a trial, counted from 1: where, and with what."""
        for seed in TUNING_SEEDS:
            place = self.path / FOLDER / f"{cell}-{number}-{seed}"
            yield place, twin(self.configs[cell][number - 1], cell, seed)

    @property
    def every(self) -> Iterator[tuple[Path, RunConfig]]:
        """All trainings, one trial of each cell after another."""
        for number in range(1, max(map(len, self.configs.values())) + 1):
            for cell in self.configs:
                yield from self.trainings(cell, number)


def search_of(design: Design, path: Path, lengths: np.ndarray) -> Search:
    """Returns the trials of a comparison: the recipe as given, then random ones.

    They are the same for every cell. `lengths` are those of the training texts, int
    [texts]: they decide how many epochs the recipe takes.
    """
    epochs = resolved(design.config.training, lengths).epochs or 1
    names = {*ranges.OF_MODEL, *ranges.OF_TRAINING}
    if design.match == PARAMETERS:
        names -= {"units"}
    draws = ranges.drawn(design.config, names, design.tune, epochs)
    tried = [twins(design, draw) for draw in draws]
    return Search(path, {c: [one[c] for one in tried] for c in design.cells}, epochs)


def run_tuning_trial(trial: Trial, report: Report) -> None:
    """Trains a trial as `run_trial` does; one that diverges counts as done."""
    try:
        run_trial(trial, report)
    except TrainingError as error:
        write_json(trial.path / FAILED_FILE, {"reason": str(error)})


def is_done(path: Path, config: RunConfig) -> bool:
    """Tells whether a training with these settings is done."""
    run = Run(path)
    ended = run.is_finished or (path / FAILED_FILE).exists()
    return ended and settings.same_question(run.config, config)


def unfinished(search: Search) -> list[tuple[Path, RunConfig]]:
    """Returns the trainings that are left to do, in their order."""
    return [
        (path, config) for path, config in search.every if not is_done(path, config)
    ]


def choose(
    search: Search, failures: Mapping[str, str] | None = None
) -> tuple[dict[str, RunConfig], dict[str, Tuned]]:
    """Picks each cell's trial of least validation loss.

    Returns:
      The chosen configs, and what was tried, by cell.

    Raises:
      RunError: If a training is not done, for one of the failures (by name) or another
        reason, as the budgets would not be equal, or if all trials of a cell failed.
    """
    if failures:
        reasons = "; ".join(f"{name}: {error}" for name, error in failures.items())
        raise RunError(
            f"not every cell has had the same number of trials. {reasons}. Type the "
            f"command again to continue."
        )
    chosen, tuned = {}, {}
    for cell, configs in search.configs.items():
        numbers = range(1, len(configs) + 1)
        tried = tuple(_tried(search, cell, number) for number in numbers)
        losses = [one.validation_loss for one in tried]
        if set(losses) == {None}:
            raise RunError(
                f"all trials of {cell} failed: their loss diverged. Try another "
                f"--learning-rate."
            )
        best = losses.index(min(loss for loss in losses if loss is not None))
        chosen[cell] = configs[best]
        tuned[cell] = Tuned(trials=tried, chosen=best + 1)
    return chosen, tuned


def _tried(search: Search, cell: str, number: int) -> Tried:
    """Returns a trial and the means of its trainings; none if one of them diverged."""
    scores = []
    for path, wanted in search.trainings(cell, number):
        if not is_done(path, wanted):
            raise RunError(
                f"{path} is not finished, so the cells have not had the same number of "
                f"trials; type the command again to continue."
            )
        run = Run(path)
        scores.append(run.metrics[VALIDATION] if run.is_finished else None)
    known = [one for one in scores if one is not None]
    is_whole = len(known) == len(scores)
    config = search.configs[cell][number - 1]
    return Tried(
        learning_rate=config.training.learning_rate,
        dropout_rate=config.model.dropout_rate,
        units=config.model.units,
        epochs=config.training.epochs or search.epochs,
        clip_norm=config.training.clip_norm,
        warmup_fraction=config.training.warmup_fraction,
        losses=tuple(one.log_loss if one else None for one in scores),
        validation_loss=_mean([one.log_loss for one in known]) if is_whole else None,
        validation_accuracy=(
            _mean([one.accuracy for one in known]) if is_whole else None
        ),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def budget(tuned: Mapping[str, Tuned]) -> Check:
    """Returns the line of the twin card that the cells were tuned by equal budgets.

    Equal in trials, and in trainings of each: how long these take is each cell's own.
    """
    budgets = {
        cell: sorted(len(one.losses) for one in own.trials)
        for cell, own in tuned.items()
    }
    first = next(iter(budgets.values()))
    differing = tuple(cell for cell, own in budgets.items() if own != first)
    return Check(
        what="trials of each cell's tuning",
        value=f"{len(first)} of {max(first)} trainings each",
        equal=not differing,
        differing=differing,
        concerns=SCORES,
    )
