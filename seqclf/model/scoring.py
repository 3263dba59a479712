"""Runs a fitted model over examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from seqclf.text.batching import sorted_batches
from seqclf.text.encoding import Examples

# From token_ids int32 [batch, time] to logits float32 [batch, labels].
Predict = Callable[[np.ndarray], np.ndarray]


def logits_of(model: Any, examples: Examples, batch_size: int) -> np.ndarray:
    """Returns a Keras model's logits in the examples' order, float32 [n, labels]."""
    width = model.output_shape[-1]
    return batched_logits(model.predict_on_batch, examples, width, batch_size)


def batched_logits(
    predict: Predict, examples: Examples, num_labels: int, batch_size: int
) -> np.ndarray:
    """Returns the logits of all examples in their own order, float32 [n, labels]."""
    logits = np.empty((len(examples), num_labels), np.float32)
    for batch in sorted_batches(examples, batch_size):
        logits[batch.indices] = predict(batch.token_ids)
    return logits


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """Returns softmax(logits) over the last axis, float32 [n, labels]."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)
