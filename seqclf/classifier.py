"""Texts in, probabilities out: a finished run, opened to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.config import TextConfig
from seqclf.errors import RunError
from seqclf.model.backend import import_keras
from seqclf.model.scoring import logits_of, probabilities_of
from seqclf.runs import Run
from seqclf.runs.run import MODEL_FILE
from seqclf.text.encoding import Examples
from seqclf.text.vocabulary import Vocabulary, encode_texts

BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained model with everything that stands between it and a text.

    Attributes:
      model: The Keras model.
      vocabulary: The tokens it knows.
      text: Length settings it was trained with.
      labels: Label names; the column of its probabilities.
    """

    model: Any
    vocabulary: Vocabulary
    text: TextConfig
    labels: tuple[str, ...]

    @classmethod
    def open(cls, run: Run) -> Classifier:
        """Opens a finished run.

        Raises:
          RunError: If its model cannot be read.
        """
        keras = import_keras()
        file = run.path / MODEL_FILE
        try:
            model = keras.models.load_model(file, compile=False, safe_mode=True)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(f"{file} could not be opened: {error}") from error
        return cls(model, run.vocabulary, run.config.text, run.labels)

    def predict(self, texts: Sequence[str] | pa.Array) -> np.ndarray:
        """Returns the probabilities of the labels, float32 [texts, labels].

        Any text does, the empty one too; order is kept.
        """
        array = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
        if not len(array):
            return np.empty((0, len(self.labels)), np.float32)
        token_ids, offsets = encode_texts(array, self.vocabulary, self.text)
        examples = Examples(token_ids, offsets, np.zeros(len(array), np.int32))
        return probabilities_of(logits_of(self.model, examples, BATCH_SIZE))

    def lengths(self, texts: pa.Array) -> np.ndarray:
        """Returns how many tokens of each text the model reads, int64 [texts]."""
        return np.diff(encode_texts(texts, self.vocabulary, self.text)[1])
