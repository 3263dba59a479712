"""What Keras calls while an epoch is trained: who hears of it, what is kept of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seqclf.model.backend import import_keras
from seqclf.records.training import Report, Stepped
from seqclf.training.checkpoint import Checkpoints, Standing


def reporter(
    standing: Standing, epochs: int, steps: int, tokens_a_step: float, report: Report
) -> Any:
    """Returns a callback that reports the steps, at most five times a second."""
    keras = import_keras()

    class Reporter(keras.callbacks.Callback):  # type: ignore
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.start = self.last = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
            now, step = time.perf_counter(), standing.step + batch + 1
            if now - self.last < 0.2 and step < steps:
                return
            self.last = now
            report(
                Stepped(
                    epoch=standing.epoch,
                    epochs=epochs,
                    step=step,
                    steps=steps,
                    loss=float(logs["loss"]),
                    accuracy=float(logs["accuracy"]) if "accuracy" in logs else None,
                    tokens_per_second=(batch + 1) * tokens_a_step / (now - self.start),
                )
            )

    return Reporter()


def keeper(standing: Standing, checkpoints: Checkpoints, left: int) -> Any:
    """Returns a callback that writes checkpoints within an epoch of which some is left.

    It also lets the epoch's loss and accuracy continue from where it was interrupted.
    Behind the last step it writes none: nothing would be left to train on, and the
    epoch's own checkpoint follows.
    """
    keras = import_keras()

    class Keeper(keras.callbacks.Callback):  # type: ignore
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.start = self.saved = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 0 and standing.metrics:  # Keras makes the sums with this step
                sums = self.model.metrics_variables
                for variable, value in zip(sums, standing.metrics, strict=True):
                    variable.assign_add(value)
            now = time.perf_counter()
            if now - self.saved < checkpoints.every or batch + 1 == left:
                return
            sums = tuple(v.numpy() for v in self.model.metrics_variables)
            place = replace(
                standing,
                step=standing.step + batch + 1,
                seconds=standing.seconds + now - self.start,
                metrics=sums,
            )
            checkpoints.save(self.model, place)
            self.saved = time.perf_counter()

    return Keeper()
