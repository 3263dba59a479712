"""Runs a fitted model over examples."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from seqclf.model.build import LOGITS
from seqclf.text.batching import pad, sorted_order
from seqclf.text.encoding import Examples, has_several

LEAST_LOG = -30.0  # of a probability, or one text of such a label is an endless loss
LEAST_LOGIT = -80.0  # of a label by itself; below it exp would leave float32

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


def probabilities_of(logits: np.ndarray, several: bool = False) -> np.ndarray:
    """Returns softmax(logits) over the last axis, float32 [n, labels].

    Where a text may have `several` labels, each has a probability of its own: the
    logistic function of its logit.
    """
    if several:
        return np.asarray(1 / (1 + np.exp(-np.maximum(logits, LEAST_LOGIT))))
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
    rescale_logits(model, 1 / temperature)
    return temperature


def rescale_logits(model: Any, times: float) -> None:
    """Multiplies a Keras model's logits, which changes none of its answers."""
    layer = model.get_layer(LOGITS)
    layer.set_weights([weights * np.float32(times) for weights in layer.get_weights()])


def losses_of_several(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the log loss of each label of each text, in nats, float [n, labels].

    `targets`, in [0, 1], are the probabilities that labels shall have.
    """
    # softplus(x) - x t, of which the logarithm of the logistic function is the same.
    return np.asarray(np.logaddexp(0, logits) - logits * targets)


def fit_temperature(logits: np.ndarray, label_ids: np.ndarray) -> tuple[float, float]:
    """Returns what to divide logits by for the least log loss, and that loss.

    The true label counts for (n + 1) / (n + 2) and the others for the rest, or a few
    texts that are all right would ask for certainty (Guo et al. 2017, arXiv:1706.04599;
    Platt 1999, section 2.2).

    Args:
      logits: float [n, labels].
      label_ids: int [n], the true labels, or bool [n, labels] of several.
    """
    from scipy.optimize import minimize_scalar

    loss_at = _loss_of_several if has_several(label_ids) else _loss_of_one
    scaled_loss = loss_at(logits, label_ids)

    def loss(log_temperature: float) -> float:
        return scaled_loss(np.exp(log_temperature))

    found = minimize_scalar(loss, bounds=(-7, 7), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _loss_of_one(logits: np.ndarray, label_ids: np.ndarray) -> Callable[[float], float]:
    """Returns the log loss by temperature, where a text has one label."""
    from scipy.special import log_softmax

    n, width = logits.shape
    targets = np.full((n, width), 1 / ((n + 2) * (width - 1)))
    targets[np.arange(n), label_ids] = (n + 1) / (n + 2)

    def loss(temperature: float) -> float:
        logs = log_softmax(logits / temperature, axis=1)
        return float(-(targets * np.maximum(logs, LEAST_LOG)).sum(axis=1).mean())

    return loss


def _loss_of_several(
    logits: np.ndarray, label_ids: np.ndarray
) -> Callable[[float], float]:
    """Returns the log loss by temperature, where a text may have several labels."""
    if not logits.shape[1]:
        return lambda temperature: abs(np.log(temperature))  # nothing to go by: 1
    n = len(logits)
    targets = np.where(label_ids, (n + 1) / (n + 2), 1 / (n + 2))
    bounded = np.maximum(logits, LEAST_LOGIT).astype(np.float64)
    return lambda temperature: float(
        losses_of_several(bounded / temperature, targets).mean()
    )
