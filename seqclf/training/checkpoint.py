"""Checkpoints: a training resumes, wherever it was interrupted, to the same numbers.

A checkpoint has all that later steps depend on: the weights, the optimizer's moments
and step count, the states of the dropout generators, the running sums of loss and
accuracy, the best epoch so far, and the place in the epoch. The batches and the dropped
words need not be kept: they follow from (seed, epoch).
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.records.plain import from_plain, to_plain
from seqclf.records.training import Epoch
from seqclf.storage import strict_json, write_whole

STATE = "state"
_PLAIN = ("epoch", "step", "seconds", "batches", "best_epoch", "best_loss", "cuts")
HISTORY = "records"  # what checkpoints call the finished epochs


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a training is.

    Attributes:
      epoch: The current epoch, from 1; one more than the last when all are over.
      step: Steps of it that are done; `seconds` is what they took.
      history: The finished epochs.
      batches: A hash of the batches of each finished epoch.
      best_epoch: The finished epoch of the least validation loss; 0 if there is none.
      best_loss: That loss; None if there is none.
      best_weights: The model's weights after that epoch.
      cuts: Times it was interrupted and resumed.
      metrics: Running sums of loss and accuracy in the current epoch, see
        `keras.Model.metrics_variables`; none at its beginning.
    """

    epoch: int = 1
    step: int = 0
    seconds: float = 0.0
    history: tuple[Epoch, ...] = ()
    batches: tuple[str, ...] = ()
    best_epoch: int = 0
    best_loss: float | None = None
    cuts: int = 0
    best_weights: tuple[np.ndarray, ...] = field(default=(), repr=False)
    metrics: tuple[np.ndarray, ...] = field(default=(), repr=False)

    @property
    def waited(self) -> int:
        """Finished epochs since the best one."""
        return len(self.history) - self.best_epoch

    def after_epoch(
        self, record: Epoch, batches: str, weights: list[np.ndarray]
    ) -> Standing:
        """Returns where a training is after its current epoch.

        That has this record and hash of batches, and left the model with these weights.
        """
        done = replace(
            self,
            epoch=self.epoch + 1,
            step=0,
            seconds=0.0,
            metrics=(),
            history=(*self.history, record),
            batches=(*self.batches, batches),
        )
        loss = record.validation_loss
        if self.best_loss is not None and not loss < self.best_loss:
            return done
        return replace(
            done, best_epoch=self.epoch, best_loss=loss, best_weights=tuple(weights)
        )


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where a training keeps its checkpoint, and how often.

    Attributes:
      path: The file, in an existing folder; None keeps none.
      about: What has to be equal for a training to resume, as plain values.
      every: Seconds of work between two within an epoch; each epoch also ends in one.
      states: A folder for what each epoch began with and ended in, see `keep`; None
        keeps none.
    """

    path: Path | None = None
    about: Mapping[str, object] = field(default_factory=dict)
    every: float = 600.0
    states: Path | None = None

    def save(self, model: Any, standing: Standing) -> None:
        """Writes the checkpoint of a compiled model, whole or not at all."""
        if self.path is not None:
            self._write(self.path, model, standing)

    def keep(self, model: Any, standing: Standing) -> None:
        """Writes the state between two epochs, so that each can be replayed.

        State n, see `state_file`, is what a checkpoint behind n epochs has, but for the
        weights of the best: those are in the state of that epoch. State 0 is what the
        training begins with; states of another one are removed before it.
        """
        if self.states is None:
            return
        finished = len(standing.history)
        if not finished:
            shutil.rmtree(self.states, ignore_errors=True)
            self.states.mkdir()
        bare = replace(standing, best_weights=())
        self._write(state_file(self.states, finished), model, bare)

    def _write(self, path: Path, model: Any, standing: Standing) -> None:
        values = {name: getattr(standing, name) for name in _PLAIN}
        values |= {"about": self.about, HISTORY: to_plain(standing.history)}
        arrays = {STATE: np.frombuffer(json.dumps(values).encode(), np.uint8)}
        arrays |= _numbered("model", [v.numpy() for v in variables_of(model)])
        arrays |= _numbered("best", standing.best_weights)
        arrays |= _numbered("metrics", standing.metrics)

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]

        write_whole(path, write)

    def restore(self, model: Any) -> Standing:
        """Restores a compiled model whose optimizer is built.

        Returns:
          Where it was interrupted; the start, and the model is as it was, if there is
          no checkpoint, it is damaged, it was written under other circumstances, or
          states are to be kept and those of before were not.
        """
        if self.path is None:
            return Standing()
        try:
            with self.path.open("rb") as f, np.load(f, allow_pickle=False) as arrays:
                state = strict_json(arrays[STATE].tobytes().decode())
                values = _listed("model", arrays)
                about, history = state.pop("about"), state.pop(HISTORY)
                standing = from_plain(Standing, state | {"history": history})
                best, metrics = _listed("best", arrays), _listed("metrics", arrays)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return Standing()
        variables = variables_of(model)
        shapes = [tuple(variable.shape) for variable in variables]
        if about != self.about or shapes != [value.shape for value in values]:
            return Standing()
        if not self._has_states(len(standing.history)):
            return Standing()
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        cuts = standing.cuts + 1
        return replace(standing, cuts=cuts, best_weights=best, metrics=metrics)

    def _has_states(self, finished: int) -> bool:
        """Tells whether the states of so many epochs are there, or none are wanted."""
        if self.states is None:
            return True
        return all(state_file(self.states, n).exists() for n in range(finished + 1))


def state_file(states: Path, finished: int) -> Path:
    """Returns the file, in the folder of states, of that behind so many epochs."""
    return states / f"{finished}.npz"


def variables_of(model: Any) -> list[Any]:
    """Returns all that steps change but the metrics, which Keras makes with the first.

    The model's are its weights and the states of its dropout generators, and behind
    them come those of the optimizer.
    """
    return [*model.variables, *model.optimizer.variables]


def _numbered(prefix: str, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}_{i}": array for i, array in enumerate(arrays)}


def _listed(prefix: str, arrays: Any) -> tuple[np.ndarray, ...]:
    count = sum(name.startswith(f"{prefix}_") for name in arrays.files)
    return tuple(arrays[f"{prefix}_{i}"] for i in range(count))
