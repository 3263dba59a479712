"""What of the recipe goes by the size of the data: batches, learning rate, epochs."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from seqclf.config import TrainingConfig
from seqclf.text.batching import BATCH_SIZE, batch_size_of

AUTOMATIC_TOKENS = 1_750_000
FEWEST_EPOCHS, MOST_EPOCHS = 5, 20
# Of an automatic batch size: steps to make, and epochs that may be spent on them.
FEWEST_STEPS, MOST_FOR_STEPS = 1_000, 30


def resolved(config: TrainingConfig, lengths: np.ndarray) -> TrainingConfig:
    """Returns the recipe with what is automatic decided; see docs/recipe.md for why.

    Args:
      config: Its `batch_size` and `epochs` may be None.
      lengths: int [texts], tokens of each training text.

    Returns:
      The config. An automatic batch size of less than 64 has a learning rate that is
      smaller by the square root of their ratio (Malladi et al. 2022, arXiv:2205.10287,
      for Adam). Automatic epochs are as many as make 1.75 million tokens, but 5 to 20;
      with an automatic batch size also as many as make 1,000 steps, but at most 30.
    """
    size, texts = batch_size_of(config, len(lengths)), len(lengths)
    epochs, rate = config.epochs, config.learning_rate
    if epochs is None:
        wanted = round(AUTOMATIC_TOKENS / int(lengths.sum()))
        epochs = min(max(wanted, FEWEST_EPOCHS), MOST_EPOCHS)
    if config.batch_size is None and config.batch_tokens is None:
        rate *= math.sqrt(size / BATCH_SIZE)
        if config.epochs is None:
            for_steps = math.ceil(FEWEST_STEPS / math.ceil(texts / size))
            epochs = max(epochs, min(for_steps, MOST_FOR_STEPS))
    return dataclasses.replace(
        config, batch_size=size, learning_rate=rate, epochs=epochs
    )
