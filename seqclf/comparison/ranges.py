"""What a random search varies, and within which range.

Settings are drawn at random and not on a grid (Bergstra & Bengio 2012, JMLR 13:281),
those that scale what they act on evenly by their logarithm. Each range has the recipe
within it, and was made around what is known of these cells (docs/recipe.md):

Attributes:
  LEARNING_RATES: By logarithm, from an eighth of the recipe's 4e-3 to 2.5 times it:
    SimpleRNN falls over at the recipe's and wants about a quarter of it, the gated
    cells learn too little below 1e-3 in so few steps. Of another optimizer they are in
    proportion to its own rate.
  DROPOUT_RATES: Evenly; few texts want more than the recipe's 0.5, many less.
  UNITS: Half of the recipe's to one and a half times, as the shapes of kernels like
    it. Not drawn where parameters are matched, for they decide the units.
  EPOCHS: By logarithm, from half of what the recipe takes on the data to twice that,
    so that no cell has a budget of another order of magnitude. The learning rate falls
    to 0 over them: fewer are a steeper schedule, and not the same one cut off.
  CLIP_NORMS: By logarithm, a quarter of the recipe's 1 to four times it: exploding
    gradients (Pascanu et al. 2013, arXiv:1211.5063) are SimpleRNN's alone to tame.
  WARMUP_FRACTIONS: Evenly, from none to 0.4: with 0.3 SimpleRNN learns an order that it
    does not with the recipe's 0.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

from seqclf.config import ADAMW, RATES, RunConfig

LEARNING_RATES = (5e-4, 1e-2)
DROPOUT_RATES = (0.2, 0.7)
UNITS = (64, 96, 128, 192)
EPOCHS = (0.5, 2.0)  # times the recipe's
CLIP_NORMS = (0.25, 4.0)
WARMUP_FRACTIONS = (0.0, 0.4)

OF_MODEL = ("dropout_rate", "units")
OF_TRAINING = ("clip_norm", "epochs", "learning_rate", "warmup_fraction")


def drawn(
    config: RunConfig, names: Collection[str], count: int, epochs: int = 1
) -> list[RunConfig]:
    """Returns configs to be tried: the given one, then random ones.

    Args:
      config: The recipe.
      names: Settings to draw, of `OF_MODEL` and `OF_TRAINING`; equal names give equal
        draws.
      count: Of configs, the given one among them.
      epochs: What the recipe takes on the data, see `training.recipe.resolved`; only
        where epochs are drawn.
    """
    from sklearn.model_selection import ParameterSampler

    every = _space(learning_rates(config.training.optimizer))
    space = {name: value for name, value in every.items() if name in names}
    sampled = ParameterSampler(space, count - 1, random_state=0)
    return [config, *(_with(config, values, epochs) for values in sampled)]


def learning_rates(optimizer: str) -> tuple[float, float]:
    """Returns the range of an optimizer, around the rate that suits it."""
    times = RATES[optimizer] / RATES[ADAMW]
    low, high = LEARNING_RATES
    return times * low, times * high


def _space(rates: tuple[float, float]) -> dict[str, Any]:
    """Returns the distributions of SciPy, or choices, to draw from.

    Learning rates are so many times those of AdamW.
    """
    from scipy.stats import loguniform, uniform

    def even(low: float, high: float) -> Any:
        return uniform(low, high - low)

    return {
        "learning_rate": loguniform(*rates),
        "dropout_rate": even(*DROPOUT_RATES),
        "units": UNITS,
        "epochs": loguniform(*EPOCHS),
        "clip_norm": loguniform(*CLIP_NORMS),
        "warmup_fraction": even(*WARMUP_FRACTIONS),
    }


def _with(config: RunConfig, values: dict[str, Any], epochs: int) -> RunConfig:
    """Returns the config with drawn values, rounded to what one would type."""
    rounded: dict[str, Callable[[Any], Any]] = {
        "learning_rate": lambda rate: float(f"{rate:.1e}"),
        "clip_norm": lambda norm: float(f"{norm:.1e}"),
        "dropout_rate": lambda rate: round(float(rate), 2),
        "warmup_fraction": lambda share: round(float(share), 2),
        "units": int,
        "epochs": lambda times: max(round(times * epochs), 1),
    }
    made = {name: rounded[name](value) for name, value in values.items()}
    model = {name: value for name, value in made.items() if name in OF_MODEL}
    training = {name: value for name, value in made.items() if name in OF_TRAINING}
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **model),
        training=dataclasses.replace(config.training, **training),
    )
