"""What of the recipe goes by the size of the data: batches, learning rate, epochs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection

import numpy as np

from seqclf.config import ADAMW, MOMENTUM, RATES, SGD, TrainingConfig
from seqclf.errors import ConfigError
from seqclf.text.batching import BATCH_SIZE, batch_size_of

AUTOMATIC_TOKENS = 1_750_000
FEWEST_EPOCHS, MOST_EPOCHS = 5, 20
# Of an automatic batch size: steps to make, and epochs that may be spent on them.
FEWEST_STEPS, MOST_FOR_STEPS = 1_000, 30


def of_optimizer(config: TrainingConfig, given: Collection[str]) -> TrainingConfig:
    """Returns the recipe with what suits its optimizer.

    Another one than AdamW has its own learning rate, of `RATES`, unless one is among
    the settings that were `given`; and no weight decay.

    Raises:
      ConfigError: If weight decay was given for one that has none.
    """
    name, rate, decay = config.optimizer, config.learning_rate, config.weight_decay
    if name == ADAMW:
        return config
    if decay and (decay != TrainingConfig().weight_decay or "weight_decay" in given):
        raise ConfigError(
            f"--weight-decay {decay:g} does nothing with --optimizer {name}: {ADAMW} "
            f"alone decays weights. Leave it out."
        )
    if rate == RATES[ADAMW] and "learning_rate" not in given:
        rate = RATES[name]
    return dataclasses.replace(config, learning_rate=rate, weight_decay=0.0)


def resolved(config: TrainingConfig, lengths: np.ndarray) -> TrainingConfig:
    """Returns the recipe with what is automatic decided; see docs/recipe.md for why.

    Args:
      config: Its `batch_size` and `epochs` may be None.
      lengths: int [texts], tokens of each training text.

    Returns:
      The config. An automatic batch size of less than 64 has a learning rate that is
      smaller by the square root of their ratio (Malladi et al. 2022, arXiv:2205.10287,
      for Adam and RMSprop), of SGD and momentum by their ratio (Goyal et al. 2017,
      arXiv:1706.02677), and a clip norm that is smaller by their ratio. Automatic
      epochs are as many as make 1.75 million tokens, but 5 to 20; with an automatic
      batch size also as many as make 1,000 steps, but at most 30.
    """
    size, texts = batch_size_of(config, len(lengths)), len(lengths)
    epochs, rate, clip_norm = config.epochs, config.learning_rate, config.clip_norm
    if epochs is None:
        wanted = round(AUTOMATIC_TOKENS / int(lengths.sum()))
        epochs = min(max(wanted, FEWEST_EPOCHS), MOST_EPOCHS)
    if config.batch_size is None and config.batch_tokens is None:
        ratio = size / BATCH_SIZE
        rate *= ratio if config.optimizer in (SGD, MOMENTUM) else math.sqrt(ratio)
        clip_norm *= ratio
        if config.epochs is None:
            for_steps = math.ceil(FEWEST_STEPS / math.ceil(texts / size))
            epochs = max(epochs, min(for_steps, MOST_FOR_STEPS))
    return dataclasses.replace(
        config,
        batch_size=size,
        learning_rate=rate,
        epochs=epochs,
        clip_norm=clip_norm,
    )
