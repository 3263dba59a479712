"""All settings of a run, and the configs that are made of another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

from seqclf.config.data import DataConfig
from seqclf.config.model import ModelConfig
from seqclf.config.start import LANGUAGE_MODEL, StartConfig
from seqclf.config.text import TextConfig
from seqclf.config.training import TrainingConfig
from seqclf.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """The whole question that a run answers."""

    data: DataConfig = field(default_factory=DataConfig)
    text: TextConfig = field(default_factory=TextConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    start: StartConfig = field(default_factory=StartConfig)

    def __post_init__(self) -> None:
        is_pretrained = self.start.pretrain == LANGUAGE_MODEL
        if is_pretrained and self.model.conv_width is not None:
            raise ConfigError(
                "--pretrain lm and --conv-width exclude each other: through a "
                "convolution a place sees the token that it is to tell."
            )


def twin(config: RunConfig, cell: str, seed: int | None = None) -> RunConfig:
    """Returns the config that differs in its cell (and, if given, its seed) only."""
    training = config.training
    if seed is not None:
        training = dataclasses.replace(training, seed=seed)
    return dataclasses.replace(
        config, model=dataclasses.replace(config.model, cell=cell), training=training
    )


def drawn(config: RunConfig) -> RunConfig:
    """Returns the config whose training seed draws its data, too."""
    data = dataclasses.replace(config.data, resample=config.training.seed)
    return dataclasses.replace(config, data=data)


def undrawn(config: RunConfig) -> RunConfig:
    """Returns the config without what its draw decides: which texts it learns from.

    Vectors of a file are those of the draw's vocabulary, and so is their digest.
    """
    data = dataclasses.replace(config.data, resample=None)
    start = dataclasses.replace(config.start, digest=None)
    return dataclasses.replace(config, data=data, start=start)


def has_own_draw(config: RunConfig) -> bool:
    """Tells whether the training seed drew the data; a linear model has no other."""
    draw = config.data.resample
    is_linear = config.model.baseline is not None
    return draw is not None and (is_linear or draw == config.training.seed)


def are_drawn_anew(configs: Iterable[RunConfig]) -> bool:
    """Tells whether each training seed drew its own data, and these are several."""
    every = list(configs)
    draws = {config.data.resample for config in every}
    return len(draws) > 1 and all(map(has_own_draw, every))


def linear(config: RunConfig, baseline: str) -> RunConfig:
    """Returns the config of a linear model on the same data.

    It has no network and no epochs, and reads texts whole.
    """
    return RunConfig(data=config.data, model=ModelConfig(baseline=baseline))
