"""Fits a model: one recipe, step for step the same for every twin."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from seqclf.config import EQUAL, TrainingConfig
from seqclf.errors import TrainingError
from seqclf.model.backend import import_keras
from seqclf.model.scoring import calibrate, logits_of, losses_of_several
from seqclf.records.training import Epoch, EpochEnded, Report, Resumed
from seqclf.text import batching
from seqclf.text.encoding import Examples, has_several
from seqclf.training.callbacks import keeper, reporter
from seqclf.training.checkpoint import Checkpoints, Standing
from seqclf.training.optimizer import optimizer_for
from seqclf.training.proof import shortened, watched
from seqclf.training.recipe import resolved

EVALUATION_BATCH_SIZE = 256

# What models were compiled for, see `compile_model`.
_compiled: WeakKeyDictionary[Any, tuple[TrainingConfig, int, bool]] = (
    WeakKeyDictionary()
)


class DivergedError(TrainingError):
    """A training whose loss is not a number.

    `found` is what was found, without what would do, for those who know better.
    """

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"{found} {advice}")
        self.found = found


@dataclass(frozen=True, slots=True)
class History:
    """What happened in training.

    Attributes:
      best_epoch: The epoch of the least validation loss, from 1; the model has its
        weights.
      padding_share: Fraction of positions in the first epoch that held padding.
      batches: A hash an epoch of the batches that Keras got, in their order.
      temperature: What calibration divided the logits by, see `scoring.calibrate`.
      cuts: Times the training was interrupted and resumed.
    """

    epochs: list[Epoch]
    best_epoch: int
    padding_share: float
    batches: list[str]
    temperature: float
    cuts: int = 0

    @property
    def seconds_to_best(self) -> float:
        """Seconds of training up to the end of the best epoch."""
        return float(sum(e.seconds for e in self.epochs[: self.best_epoch]))


def fit(
    model: Any,
    train: Examples,
    validation: Examples,
    config: TrainingConfig,
    report: Report = lambda event: None,
    checkpoints: Checkpoints = Checkpoints(),  # noqa: B008 -- frozen
) -> History:
    """Trains until the epochs are over or the validation loss no longer improves.

    Args:
      model: From `build_model`; gets the weights of its best epoch, calibrated.
      train: What it learns from.
      validation: What chooses the epoch, and the temperature.
      config: The recipe.
      report: Receives where it resumes (`Resumed`), if it was interrupted, then each
        epoch (`EpochEnded`) and, several times a second, the steps (`Stepped`).
      checkpoints: Where its checkpoint is kept. Training resumes from one that
        is there, and all numbers become those of an uninterrupted training.

    Raises:
      DivergedError: If the loss is not a number.
    """
    training = prepared(model, train, validation, config)
    standing = checkpoints.restore(model)
    if standing.cuts:
        report(
            Resumed(epoch=standing.epoch, step=standing.step, history=standing.history)
        )
    else:
        checkpoints.keep(model, standing)
    while not training.is_over(standing):
        standing = train_epoch(training, standing, report, checkpoints)
        checkpoints.keep(model, standing)
        checkpoints.save(model, standing)
    model.set_weights(standing.best_weights)
    temperature = calibrate(model, validation, EVALUATION_BATCH_SIZE)
    order = batching.epoch_order(train.lengths, training.config, epoch=1)
    return History(
        list(standing.history),
        standing.best_epoch,
        batching.padding_share(order, train.lengths),
        list(standing.batches),
        temperature,
        standing.cuts,
    )


@dataclass(frozen=True, slots=True)
class Training:
    """A model before its first step, and all that decides what its steps do.

    Attributes:
      model: Compiled, its optimizer built.
      train: What it learns from.
      validation: What each epoch is judged by.
      config: The recipe, with what was automatic decided.
      steps: Steps of each epoch.
      weights_of_labels: See `label_weights`.
    """

    model: Any
    train: Examples
    validation: Examples
    config: TrainingConfig
    steps: tuple[int, ...]
    weights_of_labels: np.ndarray | None

    def is_over(self, standing: Standing) -> bool:
        """Tells whether the epochs are over, or have not improved for too long."""
        patience = self.config.patience
        return standing.epoch > len(self.steps) or standing.waited >= patience


def prepared(
    model: Any, train: Examples, validation: Examples, config: TrainingConfig
) -> Training:
    """Makes a model ready for its first step; the arguments are those of `fit`."""
    labels = model.output_shape[-1]
    config = resolved(config, train.lengths)
    every = range(1, (config.epochs or 0) + 1)
    steps = [batching.num_batches(train.lengths, config, epoch) for epoch in every]
    compile_model(model, config, sum(steps), has_several(train.label_ids))
    model.optimizer.build(model.trainable_variables)
    weights = label_weights(train.label_ids, labels, config)
    return Training(model, train, validation, config, tuple(steps), weights)


def train_epoch(
    training: Training,
    standing: Standing,
    report: Report = lambda event: None,
    checkpoints: Checkpoints = Checkpoints(),  # noqa: B008 -- frozen
) -> Standing:
    """Trains the model to the end of its current epoch; as `fit`, which calls this.

    Returns:
      Where the training is then: its last record is that of the epoch.

    Raises:
      TrainingError: If the loss diverged.
    """
    model, train, config = training.model, training.train, training.config
    epoch, epochs = standing.epoch, len(training.steps)
    now, tokens = training.steps[epoch - 1], int(train.lengths.sum())
    seen = hashlib.sha256()
    batches = watched(batching.training_batches(train, config, epoch), seen)
    left = itertools.islice(batches, standing.step, None)
    labels, weights = model.output_shape[-1], training.weights_of_labels
    dataset = as_tf_dataset(left, now - standing.step, labels, weights, train.targets)
    callbacks = [
        reporter(standing, epochs, now, tokens / now, report),
        keeper(standing, checkpoints, now - standing.step),
    ]
    start = time.perf_counter()
    trained = model.fit(dataset, shuffle=False, verbose=0, callbacks=callbacks)
    seconds = time.perf_counter() - start + standing.seconds
    loss, accuracy = validate(model, training.validation)
    record = Epoch(
        epoch=epoch,
        loss=float(trained.history["loss"][0]),
        accuracy=float(trained.history["accuracy"][0]),
        seconds=seconds,
        tokens_per_second=tokens / seconds,
        validation_loss=loss,
        validation_accuracy=accuracy,
    )
    report(EpochEnded(epochs=epochs, record=record))
    _refuse_divergence(record, config)
    return standing.after_epoch(record, shortened(seen), model.get_weights())


def compile_model(
    model: Any, config: TrainingConfig, steps: int, several: bool = False
) -> None:
    """Gives a model its loss, optimizer and schedule over so many steps.

    Where texts may have `several` labels, the loss is the mean of the labels' own, and
    accuracy, while training, the share of labels that are right. A model that was
    given the same before keeps the graph of its step; its optimizer begins anew.
    """
    keras, asked = import_keras(), (dataclasses.replace(config, seed=0), steps, several)
    if _compiled.get(model) == asked:
        for variable in model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        return
    losses, metrics = keras.losses, keras.metrics
    loss = losses.BinaryCrossentropy if several else losses.CategoricalCrossentropy
    model.compile(
        optimizer_for(config, steps),
        loss=loss(from_logits=True, label_smoothing=config.label_smoothing),
        metrics=[
            metrics.BinaryAccuracy("accuracy", threshold=0.0) if several else "accuracy"
        ],
        # XLA is two to six times slower here (benchmarks/RESULTS.md), and "auto" would
        # compile some of the twins and not others.
        jit_compile=False,
    )
    # Keras would make the sums of the metrics while it draws the graph of a step, and
    # TensorFlow draws a graph in which variables are made a second time.
    nothing = np.zeros((1, model.output_shape[-1]), np.float32)
    model.compute_metrics(None, nothing, nothing)
    model.reset_metrics()
    _compiled[model] = asked


def label_weights(
    label_ids: np.ndarray, num_labels: int, config: TrainingConfig
) -> np.ndarray | None:
    """Returns float32 [labels]: examples / (labels present x count), or None."""
    if config.class_weights == EQUAL:
        return None
    counts = np.bincount(label_ids, minlength=num_labels)
    present = (counts > 0).sum()
    return (len(label_ids) / (present * np.maximum(counts, 1))).astype(np.float32)


def as_tf_dataset(
    batches: Iterator[batching.Batch],
    steps: int,
    num_labels: int,
    weights_of_labels: np.ndarray | None,
    targets: np.ndarray | None = None,
) -> Any:
    """Hands batches of any widths to Keras as one epoch.

    Returns:
      A tf.data.Dataset of so many steps: token_ids, what is to be learnt (0 or 1 for
      each label or, if given, the rows of `targets`, float32 [examples, labels]) and,
      where labels have them, weights (float32 [labels]).
    """
    import tensorflow as tf

    one_hot = np.eye(num_labels, dtype=np.float32)
    signature = [
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, num_labels], tf.float32),
    ]
    if weights_of_labels is not None:
        signature.append(tf.TensorSpec([None], tf.float32))

    def examples() -> Iterator[tuple[np.ndarray, ...]]:
        for batch in batches:
            if targets is not None:
                learnt = targets[batch.indices]
            elif has_several(batch.label_ids):
                learnt = batch.label_ids.astype(np.float32)
            else:
                learnt = one_hot[batch.label_ids]
            values: tuple[np.ndarray, ...] = (batch.token_ids, learnt)
            if weights_of_labels is not None:
                values += (weights_of_labels[batch.label_ids],)
            yield values

    return pipeline(examples, steps, tuple(signature))


def pipeline(
    rows: Callable[[], Iterator[tuple[np.ndarray, ...]]],
    steps: int,
    signature: tuple[Any, ...],
) -> Any:
    """Returns a tf.data.Dataset of so many steps, without tf.data's autotuning.

    An autotuned pipeline waits for its tuner's next tick when an epoch ends, up to
    as long as the epoch took. `rows` gives arrays by the TensorSpecs of `signature`.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = tf.data.Dataset.from_generator(rows, output_signature=signature)
    counted = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return counted.prefetch(2).with_options(options)


def validate(model: Any, validation: Examples) -> tuple[float, float]:
    """Returns loss and accuracy of the validation split.

    Of texts that may have several labels those with all of them right count, a label
    being said from a probability of a half on.
    """
    logits = logits_of(model, validation, EVALUATION_BATCH_SIZE).astype(np.float64)
    if has_several(validation.label_ids):
        loss = float(losses_of_several(logits, validation.label_ids).mean())
        right = (logits > 0) == validation.label_ids
        return loss, float(right.all(axis=1).mean())
    top = logits.max(axis=1, keepdims=True)
    log_probabilities = logits - top
    log_probabilities -= np.log(np.exp(log_probabilities).sum(axis=1, keepdims=True))
    rows = np.arange(len(validation))
    loss = float(-log_probabilities[rows, validation.label_ids].mean())
    return loss, float((logits.argmax(1) == validation.label_ids).mean())


def _refuse_divergence(record: Epoch, config: TrainingConfig) -> None:
    if math.isfinite(record.loss) and math.isfinite(record.validation_loss):
        return
    norm = config.clip_norm
    clipping = f"a clip norm of {norm:g}" if norm else "no clipping"
    raise DivergedError(
        f"the loss is not a number in epoch {record.epoch} (train "
        f"{record.loss}, validation {record.validation_loss}).",
        f"The usual cause is too high a learning rate: it was "
        f"{config.learning_rate:g}, with {clipping}. Try --learning-rate "
        f"{config.learning_rate / 10:g}.",
    )
