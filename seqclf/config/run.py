"""All settings of a run, and the configs that are made of another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

from seqclf.config.data import DataConfig, fold_of
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


def drawn(config: RunConfig, folds: int | None = None) -> RunConfig:
    """Returns the config whose training seed draws its data, too.

    That is which of so many `folds` is tested on or, without them, a `resample`.
    """
    seed = config.training.seed
    drew = {"fold": f"{seed + 1}/{folds}"} if folds else {"resample": seed}
    data = dataclasses.replace(config.data, **drew)
    return dataclasses.replace(config, data=data)


def undrawn(config: RunConfig) -> RunConfig:
    """Returns the config without what its draw decides: which texts it learns from.

    Vectors of a file are those of the draw's vocabulary, and so is their digest.
    """
    fold = config.data.fold
    if fold is not None:  # how many there are is the same for all
        fold = f"1/{fold_of(fold)[1]}"
    data = dataclasses.replace(config.data, resample=None, fold=fold)
    start = dataclasses.replace(config.start, digest=None)
    return dataclasses.replace(config, data=data, start=start)


def draw_of(config: RunConfig) -> int | None:
    """Returns by which number the data was drawn, from 0; None if none was.

    Of folds it is the fold's, counted from 0.
    """
    if config.data.fold is not None:
        return fold_of(config.data.fold)[0] - 1
    return config.data.resample


def has_own_draw(config: RunConfig) -> bool:
    """Tells whether the training seed drew the data; a linear model has no other."""
    draw = draw_of(config)
    is_linear = config.model.baseline is not None
    return draw is not None and (is_linear or draw == config.training.seed)


def are_drawn_anew(configs: Iterable[RunConfig]) -> bool:
    """Tells whether each training seed drew its own data, and these are several."""
    every = list(configs)
    draws = {draw_of(config) for config in every}
    return len(draws) > 1 and all(map(has_own_draw, every))


def linear(config: RunConfig, baseline: str) -> RunConfig:
    """Returns the config of a linear model on the same data.

    It has no network and no epochs, and reads texts whole.
    """
    return RunConfig(data=config.data, model=ModelConfig(baseline=baseline))
