"""The network of a process: built and traced once, whatever the seed.

To import TensorFlow and to trace a step takes as long as to train on a thousand texts.
Trainings that differ in their seed alone have one graph; what differs are the values of
the variables that it reads, the state of dropout among them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.config import RunConfig
from seqclf.model.backend import import_keras
from seqclf.model.build import build_model
from seqclf.model.kernels import use_kernel


@dataclass(frozen=True, slots=True)
class Network:
    """A network with the weights of a seed.

    Attributes:
      model: What is trained: a keras.Model from `build_model`, maybe of another seed.
      own: The model of its own seed. Only its configuration is of use.
    """

    model: Any
    own: Any

    def save(self, file: Path) -> None:
        """Writes a `.keras` file, the same whatever the process did before."""
        if self.own is not self.model:
            self.own.compile_from_config(self.model.get_compile_config())
            _copy(self.model.optimizer.variables, self.own.optimizer.variables)
            _copy(self.model.variables, self.own.variables)
        self.own.save(file)


_kept: dict[tuple[object, ...], Any] = {}  # one at most


def network(config: RunConfig, vocabulary_size: int, num_labels: int) -> Network:
    """Returns a network with freshly drawn weights, see `build_model`.

    The process keeps it. Where all but the seed is as it was the last time, that
    network is taken again, with the weights of this seed.
    """
    asked = (config.model, config.training.kernel, vocabulary_size, num_labels)
    model = _kept.get(asked)
    if model is None:
        _kept.clear()
    # Or layers without a name of their own would be numbered on from those before.
    import_keras().backend.clear_session()
    own = build_model(config.model, vocabulary_size, num_labels, config.training.seed)
    if model is None:
        use_kernel(own, config.training.kernel)
        _kept[asked] = own
        return Network(own, own)
    _copy(own.variables, model.variables)
    return Network(model, own)


def _copy(source: Any, target: Any) -> None:
    for one, other in zip(source, target, strict=True):
        other.assign(one)


def kind_of(config: RunConfig) -> str:
    """Returns what trainings must share to be done by one process, one after another.

    That is all of their settings but the seed; with equal data, threads and so on.
    """
    training = dataclasses.replace(config.training, seed=0)
    return repr((config.text, config.model, training, config.start))
