"""An equal budget for every cell: the same trials, judged on validation alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqclf import config as settings
from seqclf.comparison.design import Design, twins
from seqclf.config import RunConfig
from seqclf.data.dataset import VALIDATION
from seqclf.errors import RunError
from seqclf.runs import Run

FOLDER = "tuning"
# Of no final training, so that none is chosen for the luck of its own seed.
TUNING_SEED = 1000
UNITS = (64, 96, 128, 192)
LEARNING_RATES = (5e-4, 1e-2)  # the ends, drawn evenly between their logarithms
DROPOUT_RATES = (0.2, 0.7)


def draws(config: RunConfig, trials: int) -> list[RunConfig]:
    """Returns the recipes to be tried: the given one, then random ones.

    They are the same for every cell: learning rate, dropout and units, drawn at random
    (Bergstra & Bengio 2012, JMLR 13:281).
    """
    from scipy.stats import loguniform, uniform
    from sklearn.model_selection import ParameterSampler

    low, high = DROPOUT_RATES
    space = {
        "learning_rate": loguniform(*LEARNING_RATES),
        "dropout_rate": uniform(low, high - low),
        "units": list(UNITS),
    }
    sampled = ParameterSampler(space, trials - 1, random_state=0) if trials > 1 else ()
    return [config, *(_with(config, values) for values in sampled)]


def _with(config: RunConfig, values: dict[str, Any]) -> RunConfig:
    model = dataclasses.replace(
        config.model,
        units=int(values["units"]),
        dropout_rate=round(float(values["dropout_rate"]), 2),
    )
    rate = float(f"{values['learning_rate']:.1e}")
    training = dataclasses.replace(config.training, learning_rate=rate)
    return dataclasses.replace(config, model=model, training=training)


def tuning_configs(design: Design) -> dict[str, list[RunConfig]]:
    """Returns what each cell tries, by cell; units are matched within each draw."""
    seeded = dataclasses.replace(design, seeds=(TUNING_SEED,))
    tried = [twins(seeded, draw) for draw in draws(design.config, design.tune)]
    return {cell: [one[cell] for one in tried] for cell in design.cells}


def trial_path(path: Path, cell: str, number: int) -> Path:
    """Returns where a comparison keeps a trial, counted from 1."""
    return path / FOLDER / f"{cell}-{number}"


def is_done(path: Path, config: RunConfig) -> bool:
    """Tells whether a trial was finished with these settings."""
    run = Run(path)
    return run.is_finished and settings.same_question(run.config, config)


def choose(design: Design, path: Path) -> tuple[dict[str, RunConfig], dict[str, Any]]:
    """Picks each cell's trial of least validation loss.

    Args:
      design: What is compared.
      path: The comparison, with its trials.

    Returns:
      The chosen configs by cell, of the first seed of the design, and the record for
      `comparison.json`: by cell, the trials and the number of the chosen one, from 1.

    Raises:
      RunError: If not every trial is finished: the budgets would not be equal.
    """
    chosen, record = {}, {}
    for cell, configs in tuning_configs(design).items():
        tried = [
            _tried(trial_path(path, cell, number), config)
            for number, config in enumerate(configs, 1)
        ]
        best = min(range(len(tried)), key=lambda i: tried[i]["validation_loss"])
        training = dataclasses.replace(configs[best].training, seed=design.seeds[0])
        chosen[cell] = dataclasses.replace(configs[best], training=training)
        record[cell] = {"trials": tried, "chosen": best + 1}
    return chosen, record


def _tried(path: Path, config: RunConfig) -> dict[str, Any]:
    if not is_done(path, config):
        raise RunError(
            f"{path} is not finished, so the cells have not had the same number of "
            f"trials; type the command again, and it goes on."
        )
    scores = Run(path).metrics[VALIDATION]
    return {
        "learning_rate": config.training.learning_rate,
        "dropout_rate": config.model.dropout_rate,
        "units": config.model.units,
        "validation_loss": scores["log_loss"],
        "validation_accuracy": scores["accuracy"],
    }


def unfinished(design: Design, path: Path) -> Sequence[tuple[Path, RunConfig]]:
    """Returns the trials that are to be trained, one of each cell after another."""
    by_cell = tuning_configs(design)
    return [
        (place, configs[number - 1])
        for number in range(1, design.tune + 1)
        for cell, configs in by_cell.items()
        if not is_done(place := trial_path(path, cell, number), configs[number - 1])
    ]
