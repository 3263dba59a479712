"""From parameters to the config of a run, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from seqclf.config import RunConfig
from seqclf.errors import (
    ConfigError,
    DataError,
    InputError,
    ParameterError,
    RunError,
    TrainingError,
)
from seqclf.keywords import fields, in_python, to_config

SOURCE = "texts given to fit"
MOST_SEEDS = 2**31


def config_of(parameters: Mapping[str, object]) -> RunConfig:
    """Returns the config that a run with these parameters has."""
    values = {key: plain(value) for key, value in parameters.items()}
    seed = values.pop("random_state")
    if seed is None or isinstance(seed, np.random.RandomState):
        seed = int(check_random_state(seed).randint(np.iinfo(np.int32).max))
    if not isinstance(seed, int) or not 0 <= seed < MOST_SEEDS:
        raise ParameterError(
            f"random_state must be a whole number from 0 to {MOST_SEEDS - 1:,}, a "
            f"numpy RandomState or None, got {seed!r}."
        )
    try:
        return to_config(values | {"data": SOURCE, "seed": seed, "split_seed": seed})
    except ConfigError as error:
        raise ParameterError(in_python(str(error))) from error


@contextlib.contextmanager
def speaking_of_parameters() -> Iterator[None]:
    """Has errors name parameters, and those that are of them be a ParameterError."""
    try:
        yield
    except (InputError, TrainingError) as error:
        error.args = (in_python(str(error)),)
        raise
    except (ConfigError, DataError, RunError) as error:
        raise ParameterError(in_python(str(error))) from error


def parameters_of(config: RunConfig, names: Collection[str]) -> dict[str, Any]:
    """Returns the parameters, of these names, that give a run's config."""
    parameters = {
        name: getattr(getattr(config, part), field.name)
        for name, field, _, part in fields()
        if name in names
    }
    return parameters | {"random_state": config.training.seed}


def plain(value: Any) -> Any:
    """Returns numpy's numbers, as a search hands them out, as Python's."""
    return value.item() if isinstance(value, np.generic) else value
