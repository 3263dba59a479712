"""A run that is checked, with what this machine makes of its config and its data."""

from __future__ import annotations

import platform
import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from seqclf.classroom.agreement import Bounds
from seqclf.classroom.states import State, read_state
from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.model import backend
from seqclf.model.build import build_model
from seqclf.model.kernels import recurrent_layers, use_kernel
from seqclf.records.training import Environment, Epoch
from seqclf.runs import Run, files
from seqclf.system import cores, processor
from seqclf.text.encoding import EncodedDataset
from seqclf.training.checkpoint import variables_of
from seqclf.training.fit import Training, prepared
from seqclf.versions import package_versions

MOST_THREADS = 8  # a core: a run that claims more is replayed with this machine's own


@dataclass(frozen=True, slots=True)
class Case:
    """A run that is checked.

    Attributes:
      run: Its files are as they were written.
      config: Its question, that of the assignment if there is one.
      data: What this machine reads and encodes for it.
      training: The network, with the initial weights of its seed, before any step.
      history: The epochs as `history.jsonl` has them.
      otherwise: What is otherwise here than where it was trained.
      replay: How many epochs to train again; None for all.
      draw: The seed by which they are drawn.
    """

    run: Run
    config: RunConfig
    data: EncodedDataset
    training: Training
    history: tuple[Epoch, ...]
    otherwise: tuple[str, ...]
    replay: int | None
    draw: int

    def bounds(self, bounds: Bounds) -> Bounds | None:
        """Returns the tolerance that holds here; None: bit for bit."""
        return bounds if self.otherwise else None

    def state(self, finished: int) -> State:
        """Reads the kept state behind so many epochs."""
        states, model = self.run.path / files.STATES_FOLDER, self.training.model
        return read_state(states, finished, variables_of(model))

    def load(self, state: State) -> None:
        """Gives model and optimizer the values of a state."""
        variables = variables_of(self.training.model)
        for variable, value in zip(variables, state.values, strict=True):
            variable.assign(value)

    def named(self, values: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
        """Returns the values of all variables by place and name."""
        variables = variables_of(self.training.model)
        return {
            f"{i} {variable.path}": value
            for i, (variable, value) in enumerate(zip(variables, values, strict=True))
        }

    @property
    def idle(self) -> set[str]:
        """Names of `named` of random generators that recurrent layers never use.

        Keras gives each layer one for a dropout of its own, which ours do not have,
        and draws its seed from nowhere.
        """
        model = self.training.model
        weights = {id(one) for one in model.weights}
        unused = {
            id(variable)
            for layer in recurrent_layers(model)
            for variable in layer.variables
            if id(variable) not in weights
        }
        variables = enumerate(variables_of(model))
        return {f"{i} {one.path}" for i, one in variables if id(one) in unused}

    def weights(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns those of `named` that are weights that a training moves."""
        moved = {variable.path for variable in self.training.model.trainable_variables}
        return {k: v for k, v in values.items() if k.partition(" ")[2] in moved}

    @property
    def best_epoch(self) -> int:
        """The first epoch of the least validation loss, from 1."""
        losses = [epoch.validation_loss for epoch in self.history]
        return losses.index(min(losses)) + 1

    @property
    def replayed(self) -> tuple[int, ...]:
        """The epochs to train again, from 1, in their order."""
        every = range(1, len(self.history) + 1)
        if self.replay is None or self.replay >= len(every):
            return tuple(every)
        # For no secret: the seed is told, so that the same epochs can be drawn again.
        drawn = random.Random(self.draw).sample(every, self.replay)  # noqa: S311
        return tuple(sorted(drawn))


def open_case(run: Run, data: EncodedDataset, replay: int | None, draw: int) -> Case:
    """Opens a run whose config and data are known to be right, with its own threads."""
    config, environment = run.config, run.environment
    threads = min(max(environment.threads, 1), MOST_THREADS * cores())
    backend.set_threads(threads)
    seed = config.training.seed
    model = build_model(config.model, len(data.vocabulary), len(data.labels), seed)
    use_kernel(model, config.training.kernel)
    parts = data.splits[TRAIN], data.splits[VALIDATION]
    training = prepared(model, *parts, config.training)
    otherwise = _otherwise(environment, threads)
    history = tuple(run.history)
    return Case(run, config, data, training, history, otherwise, replay, draw)


def other_versions(run: Run) -> bool:
    """Tells whether the packages here are others than those that a run names."""
    return dict(run.environment.versions) != package_versions()


def _otherwise(environment: Environment, threads: int) -> tuple[str, ...]:
    """Returns in what this machine differs from that of a run, as far as bits go."""
    versions = package_versions()
    then: dict[str, object] = {
        "processor": environment.processor,
        "platform": environment.platform,
        "python": environment.python,
        "threads": environment.threads,
        **{name: environment.versions.get(name) for name in versions},
    }
    here: dict[str, object] = {
        "processor": processor(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "threads": threads,
        **versions,
    }
    found = [f"{k} {then[k] or 'unknown'}, here {here[k]}" for k in here
             if then[k] != here[k]]  # fmt: skip
    # On a GPU sums are made in an order of its own each time.
    gpus = {environment.device, *backend.gpus()} - {"CPU"}
    return tuple(found + [f"a GPU, {name}" for name in sorted(gpus)])
