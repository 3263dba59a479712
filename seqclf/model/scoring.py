"""Runs a fitted model over examples."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from seqclf.text.batching import pad, sorted_order
from seqclf.text.encoding import Examples

# From token_ids int32 [batch, time] to logits float32 [batch, labels].
Predict = Callable[[np.ndarray], np.ndarray]


def logits_of(model: Any, examples: Examples, batch_size: int) -> np.ndarray:
    """Returns a Keras model's logits in the examples' order, float32 [n, labels]."""
    order = sorted_order(examples.lengths, batch_size)
    width = model.output_shape[-1]
    return batched_logits(model.predict_on_batch, examples, order, width)


def batched_logits(
    predict: Predict,
    examples: Examples,
    order: Sequence[np.ndarray],
    num_labels: int,
    threads: int = 1,
) -> np.ndarray:
    """Returns the logits of all examples in their own order, float32 [n, num_labels].

    Args:
      predict: The model; called from several threads if there are several.
      examples: What to predict.
      order: The batches, see `text.batching.sorted_order`.
      num_labels: Width of the logits.
      threads: Batches at a time.
    """
    logits = np.empty((len(examples), num_labels), np.float32)

    def fill(indices: np.ndarray) -> None:
        logits[indices] = predict(pad(examples, indices).token_ids)

    if threads == 1 or len(order) == 1:
        for indices in order:
            fill(indices)
    else:
        with ThreadPoolExecutor(threads) as pool:
            deque(pool.map(fill, order), maxlen=0)  # raises what a batch raised
    return logits


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """Returns softmax(logits) over the last axis, float32 [n, labels]."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
