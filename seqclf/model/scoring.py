"""Runs a fitted model over examples."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from seqclf.model.build import LOGITS
from seqclf.text.batching import pad, sorted_order
from seqclf.text.encoding import Examples

LEAST_LOG = -30.0  # of a probability, or one text of such a label is an endless loss

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


def calibrate(model: Any, examples: Examples, batch_size: int) -> float:
    """Divides a Keras model's logits by what fits examples best, see `fit_temperature`.

    It divides the weights of the output layer, so that every copy of the model is
    calibrated; its answers stay the same.

    Returns:
      The temperature.
    """
    logits = logits_of(model, examples, batch_size)
    temperature, _ = fit_temperature(logits, examples.label_ids)
    layer, scale = model.get_layer(LOGITS), np.float32(1 / temperature)
    layer.set_weights([weights * scale for weights in layer.get_weights()])
    return temperature


def fit_temperature(logits: np.ndarray, label_ids: np.ndarray) -> tuple[float, float]:
    """Returns what to divide logits by for the least log loss, and that loss.

    The true label counts for (n + 1) / (n + 2) and the others for the rest, or a few
    texts that are all right would ask for certainty (Guo et al. 2017, arXiv:1706.04599;
    Platt 1999, section 2.2).

    Args:
      logits: float [n, labels].
      label_ids: int [n], the true labels.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    n, width = logits.shape
    targets = np.full((n, width), 1 / ((n + 2) * (width - 1)))
    targets[np.arange(n), label_ids] = (n + 1) / (n + 2)

    def loss(log_temperature: float) -> float:
        logs = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-(targets * np.maximum(logs, LEAST_LOG)).sum(axis=1).mean())

    found = minimize_scalar(loss, bounds=(-7, 7), method="bounded")
    return float(np.exp(found.x)), float(found.fun)
