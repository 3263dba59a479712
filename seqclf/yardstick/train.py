"""Fits a pre-trained encoder to a data set; validation chooses what is to be chosen."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.config import TrainingConfig
from seqclf.errors import TrainingError
from seqclf.linear.fit import columns_of
from seqclf.model.backend import import_keras
from seqclf.model.build import LOGITS, glorot
from seqclf.model.scoring import Predict, fit_temperature, logits_of
from seqclf.records.training import Report
from seqclf.text.encoding import Examples
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.fit import DivergedError, History, fit
from seqclf.yardstick.encoder import ROWS_AT_A_TIME, averaging, in_parts

EPOCHS, BATCH_SIZE = 4, 16
# Within what both BERT (Devlin et al. 2019, N19-1423, appendix A.3: 2 to 4 epochs of
# batches of 16 or 32 at 2 to 5e-5) and RoBERTa (Liu et al. 2019, arXiv:1907.11692,
# table 10: 16 or 32, 1 to 3e-5, warmed up for 6 %, weight decay 0.1) were fine-tuned
# by; validation chooses the epoch, as with the twins.
RECIPE = TrainingConfig(
    epochs=EPOCHS,  # or more of little data, see `recipe_for`
    batch_size=BATCH_SIZE,
    learning_rate=3e-5,
    warmup_fraction=0.1,
    weight_decay=0.01,
    clip_norm=1.0,
    word_dropout_rate=0.0,
    label_smoothing=0.0,
    patience=3,
)
# Little data makes so few steps that an encoder would end half trained, and differently
# with each seed (Mosbach et al. 2021, arXiv:2006.04884).
FEWEST_STEPS, MOST_EPOCHS = 1_000, 10
DROPOUT_RATE = 0.1  # before the output layer, as in both
INSTEAD = "A smaller encoder, or --yardstick-mode features, would do instead."
REGULARIZATIONS = (1e-4, 1e-3, 1e-2, 0.1, 1.0)  # C of the linear model


def recipe_for(num_texts: int, seed: int) -> TrainingConfig:
    """Returns the recipe for so many training texts.

    It has 4 epochs or, of fewer than 4,000 texts, as many as make 1,000 steps, but at
    most 10.
    """
    steps = math.ceil(num_texts / BATCH_SIZE)
    epochs = max(EPOCHS, min(math.ceil(FEWEST_STEPS / steps), MOST_EPOCHS))
    return dataclasses.replace(RECIPE, epochs=epochs, seed=seed)


@dataclass(frozen=True, slots=True)
class Fitted:
    """An encoder that was fitted, and what that took.

    Attributes:
      predict: From token_ids int32 [batch, time] to calibrated logits float32 [batch,
        labels].
      parameters: All weights.
      chosen: What validation chose, by name.
      seconds_to_best: As `TrainedYardstick` has it, and the others.
      seconds_per_epoch: Median; None where there are no epochs.
      tokens_per_second: Likewise.
    """

    predict: Predict
    parameters: int
    chosen: dict[str, float]
    seconds_to_best: float
    seconds_per_epoch: float | None = None
    tokens_per_second: float | None = None


def fine_tuned(
    backbone: Any,
    train: Examples,
    validation: Examples,
    num_labels: int,
    recipe: TrainingConfig,
    report: Report = lambda event: None,
    checkpoints: Checkpoints = Checkpoints(),  # noqa: B008 -- frozen
) -> Fitted:
    """Trains an encoder and an output layer, as the twins are trained, see `fit`.

    Args:
      backbone: The encoder's network; it is changed.
      train: Pieces of the training texts.
      validation: Those of the validation texts, which choose epoch and temperature.
      num_labels: Width of the logits.
      recipe: See `recipe_for`.
      report: Receives the progress.
      checkpoints: Where the state is kept, to resume from.

    Raises:
      TrainingError: If the loss diverged.
    """
    model = _with_head(backbone, num_labels, recipe.seed)
    try:
        history = fit(model, train, validation, recipe, report, checkpoints)
    except DivergedError as error:  # its learning rate is nobody's to set
        raise TrainingError(f"{error.found} {INSTEAD}") from error
    return Fitted(
        predict=model.predict_on_batch,
        parameters=int(model.count_params()),
        chosen={"epoch": history.best_epoch, "temperature": history.temperature},
        seconds_to_best=history.seconds_to_best,
        seconds_per_epoch=_median(history, "seconds"),
        tokens_per_second=_median(history, "tokens_per_second"),
    )


def _with_head(backbone: Any, num_labels: int, seed: int) -> Any:
    keras = import_keras()
    mean = averaging(backbone)
    dropped = keras.layers.Dropout(DROPOUT_RATE, seed=seed)(mean.output)
    head = keras.layers.Dense(
        num_labels, kernel_initializer=glorot(seed, LOGITS), name=LOGITS
    )
    return in_parts(mean.input, head(dropped))


def _median(history: History, name: str) -> float:
    return float(np.median([getattr(epoch, name) for epoch in history.epochs]))


def on_features(
    backbone: Any, train: Examples, validation: Examples, num_labels: int
) -> Fitted:
    """Fits a linear model on what an encoder, which stays as it is, says of texts.

    Logistic regression on the mean of the last layer, each number of which is scaled
    by its mean and deviation on train. Arguments as in `fine_tuned`; validation
    chooses the strength of the penalty, and the temperature.
    """
    start = time.perf_counter()
    model = averaging(backbone)
    features = {
        name: logits_of(model, one, ROWS_AT_A_TIME)
        for name, one in (("train", train), ("validation", validation))
    }
    head = linear_head(
        features["train"], train.label_ids, features["validation"],
        validation.label_ids, num_labels,
    )  # fmt: skip
    return Fitted(
        predict=lambda token_ids: head.logits_of(model.predict_on_batch(token_ids)),
        parameters=int(model.count_params()) + head.weights.size + head.bias.size,
        chosen={"C": head.c, "temperature": head.temperature},
        seconds_to_best=time.perf_counter() - start,
    )


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A calibrated linear model on features.

    Attributes:
      weights: float32 [features, labels].
      bias: float32 [labels].
      c: The inverse strength of the penalty that validation chose.
      temperature: What weights and bias were divided by.
    """

    weights: np.ndarray
    bias: np.ndarray
    c: float
    temperature: float

    def logits_of(self, features: np.ndarray) -> np.ndarray:
        """Returns float32 [n, labels] for float32 [n, features]."""
        return features @ self.weights + self.bias


def linear_head(
    features: np.ndarray,
    label_ids: np.ndarray,
    validation: np.ndarray,
    validation_ids: np.ndarray,
    num_labels: int,
) -> LinearHead:
    """Fits logistic regression, with the least validation log loss of several C.

    Args:
      features: float32 [n, features] of the training texts.
      label_ids: int [n], their labels.
      validation: float32 [m, features] of the validation texts.
      validation_ids: int [m], theirs.
      num_labels: Width of the logits; a label that train lacks is never predicted.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation == 0] = 1
    fit = _regression((features - mean) / deviation, label_ids, num_labels)
    heads = []
    for c in REGULARIZATIONS:
        weights, bias = fit(c)
        weights /= deviation[:, None]  # of features that are not scaled
        bias -= mean @ weights
        logits = validation @ weights + bias
        temperature, loss = fit_temperature(logits, validation_ids)
        scale = np.float32(temperature)
        head = LinearHead(weights / scale, bias / scale, c, temperature)
        heads.append((loss, head))
    return min(heads, key=lambda one: one[0])[1]


def _regression(
    features: np.ndarray, label_ids: np.ndarray, num_labels: int
) -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
    from sklearn.linear_model import LogisticRegression

    def fit(c: float) -> tuple[np.ndarray, np.ndarray]:
        regression = LogisticRegression(C=c, max_iter=1000)
        regression.fit(features, label_ids)
        return columns_of(regression, num_labels)

    return fit
