"""Weights that a network begins with instead of random ones."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.model.build import CONVOLUTION, EMBEDDING, OF_CELLS
from seqclf.storage import write_whole
from seqclf.text.tokens import RESERVED

_LAYER = "layer:"  # before a weight's path, in a file


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to begin with; whatever is not among them is drawn as usual.

    Attributes:
      vectors: float32 [tokens, size], the embedding of each token of a vocabulary.
      known: bool [tokens], which of them count.
      about: What they are, in words.
      seconds: What it took to make them.
      layers: Further weights, float32, by the path that Keras gives them.
    """

    vectors: np.ndarray
    known: np.ndarray
    about: str
    seconds: float = 0.0
    layers: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @property
    def share(self) -> str:
        """How many tokens are known, such as `9,312 of 10,023 tokens`."""
        known = int(self.known[len(RESERVED) :].sum())
        return f"{known:,} of {len(self.known) - len(RESERVED):,} tokens"

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return int(self.vectors.shape[1])

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of SHA-256 over all that counts."""
        hashed = hashlib.sha256(repr(self.vectors.shape).encode())
        hashed.update(np.packbits(self.known).tobytes())
        hashed.update(self.vectors[self.known].tobytes())
        for path in sorted(self.layers):
            hashed.update(f"{path}{self.layers[path].shape}".encode())
            hashed.update(self.layers[path].tobytes())
        return hashed.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Writes it whole, or not at all."""
        arrays: dict[str, Any] = {
            "vectors": self.vectors, "known": self.known, "about": self.about,
            "seconds": self.seconds,
        }  # fmt: skip
        arrays |= {f"{_LAYER}{name}": value for name, value in self.layers.items()}

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.savez(file, **arrays)

        write_whole(path, write)

    @classmethod
    def load(cls, path: Path) -> Start:
        """Reads what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            layers = {
                name.removeprefix(_LAYER): file[name]
                for name in file.files
                if name.startswith(_LAYER)
            }
            own = file["vectors"], file["known"], str(file["about"])
            return cls(*own, float(file["seconds"]), layers)


def begin_with(model: Any, start: Start) -> tuple[str, ...]:
    """Gives a Keras model the weights to begin with.

    Returns:
      The paths of the weights that were set, or set in part. A weight that the model
      has not, or has in another shape, is left out.
    """
    done = []
    embedding = model.get_layer(EMBEDDING)
    drawn = embedding.get_weights()[0]
    if drawn.shape == start.vectors.shape:
        embedding.set_weights([np.where(start.known[:, None], start.vectors, drawn)])
        done.append(embedding.embeddings.path)
    for variable in model.weights:
        value = start.layers.get(variable.path)
        if value is not None and value.shape == tuple(variable.shape):
            variable.assign(value)
            done.append(variable.path)
    return tuple(done)


def layers_to_keep(model: Any) -> dict[str, np.ndarray]:
    """Returns the weights between a model's embedding and its output, by path."""
    return {
        variable.path: variable.numpy()
        for variable in model.weights
        if variable.path.startswith((*OF_CELLS, CONVOLUTION))
    }
