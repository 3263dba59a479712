"""An equal budget for every cell: the same trials, judged on validation alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from seqclf import config as settings
from seqclf.comparison.design import PARAMETERS, Design, twins
from seqclf.config import RunConfig
from seqclf.data.dataset import VALIDATION
from seqclf.errors import RunError, TrainingError
from seqclf.records.comparison import Tried, Tuned
from seqclf.records.training import Report
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.training.trial import Trial, run_trial

FOLDER = "tuning"
FAILED_FILE = "failed.json"
# No final training has it, so that none is chosen for a lucky seed.
TUNING_SEED = 1000
UNITS = (64, 96, 128, 192)
LEARNING_RATES = (5e-4, 1e-2)  # the ends, drawn evenly between their logarithms
DROPOUT_RATES = (0.2, 0.7)


def draws(design: Design) -> list[RunConfig]:
    """Returns the recipes to be tried: the given one, then random ones.

    They are the same for every cell: learning rate, dropout and, unless parameters are
    matched, units, drawn at random (Bergstra & Bengio 2012, JMLR 13:281).
    """
    from scipy.stats import loguniform, uniform
    from sklearn.model_selection import ParameterSampler

    low, high = DROPOUT_RATES
    space = {
        "learning_rate": loguniform(*LEARNING_RATES),
        "dropout_rate": uniform(low, high - low),
        "units": [design.config.model.units] if design.match == PARAMETERS else UNITS,
    }
    sampled = ParameterSampler(space, design.tune - 1, random_state=0)
    return [design.config, *(_drawn(design.config, **values) for values in sampled)]


def _drawn(
    config: RunConfig, units: int, learning_rate: float, dropout_rate: float
) -> RunConfig:
    model = dataclasses.replace(
        config.model, units=int(units), dropout_rate=round(float(dropout_rate), 2)
    )
    rate = float(f"{learning_rate:.1e}")
    training = dataclasses.replace(config.training, learning_rate=rate)
    return dataclasses.replace(config, model=model, training=training)


def tuning_configs(design: Design) -> dict[str, list[RunConfig]]:
    """Returns what each cell tries, by cell; units are matched within each draw."""
    seeded = dataclasses.replace(design, seeds=(TUNING_SEED,))
    tried = [twins(seeded, draw) for draw in draws(design)]
    return {cell: [one[cell] for one in tried] for cell in design.cells}


def trial_path(path: Path, cell: str, number: int) -> Path:
    """Returns where a comparison keeps a trial, counted from 1."""
    return path / FOLDER / f"{cell}-{number}"


def run_tuning_trial(trial: Trial, report: Report) -> None:
    """Trains a trial as `run_trial` does; one that diverges counts as done."""
    try:
        run_trial(trial, report)
    except TrainingError as error:
        write_json(trial.path / FAILED_FILE, {"reason": str(error)})


def is_done(path: Path, config: RunConfig) -> bool:
    """Tells whether a trial with these settings is done."""
    run = Run(path)
    ended = run.is_finished or (path / FAILED_FILE).exists()
    return ended and settings.same_question(run.config, config)


def choose(
    design: Design, path: Path, failures: Mapping[str, str] | None = None
) -> tuple[dict[str, RunConfig], dict[str, Tuned]]:
    """Picks each cell's trial of least validation loss.

    Returns:
      The chosen configs, of the first seed of the design, and what was tried, by cell.

    Raises:
      RunError: If a trial is not done, for one of the failures (by name) or another
        reason, as the budgets would not be equal, or if all of a cell failed.
    """
    if failures:
        reasons = "; ".join(f"{name}: {error}" for name, error in failures.items())
        raise RunError(
            f"not every cell has had the same number of trials. {reasons}. Type the "
            f"command again to continue."
        )
    chosen, tuned = {}, {}
    for cell, configs in tuning_configs(design).items():
        tried = tuple(
            _tried(trial_path(path, cell, number), config)
            for number, config in enumerate(configs, 1)
        )
        losses = [one.validation_loss for one in tried]
        if set(losses) == {None}:
            raise RunError(
                f"all trials of {cell} failed: their loss diverged. Try another "
                f"--learning-rate."
            )
        best = losses.index(min(loss for loss in losses if loss is not None))
        training = dataclasses.replace(configs[best].training, seed=design.seeds[0])
        chosen[cell] = dataclasses.replace(configs[best], training=training)
        tuned[cell] = Tuned(trials=tried, chosen=best + 1)
    return chosen, tuned


def _tried(path: Path, config: RunConfig) -> Tried:
    if not is_done(path, config):
        raise RunError(
            f"{path} is not finished, so the cells have not had the same number of "
            f"trials; type the command again to continue."
        )
    has_failed = not Run(path).is_finished
    scores = None if has_failed else Run(path).metrics[VALIDATION]
    return Tried(
        learning_rate=config.training.learning_rate,
        dropout_rate=config.model.dropout_rate,
        units=config.model.units,
        validation_loss=scores.log_loss if scores else None,
        validation_accuracy=scores.accuracy if scores else None,
    )


def unfinished(design: Design, path: Path) -> Sequence[tuple[Path, RunConfig]]:
    """Returns the trials that are to be trained, one of each cell after another."""
    by_cell = tuning_configs(design)
    return [
        (place, configs[number - 1])
        for number in range(1, design.tune + 1)
        for cell, configs in by_cell.items()
        if not is_done(place := trial_path(path, cell, number), configs[number - 1])
    ]
