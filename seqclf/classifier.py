"""Texts in, probabilities out: a finished run, opened to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seqclf.config import TextConfig
from seqclf.errors import RunError
from seqclf.model.backend import import_keras
from seqclf.model.onnx_graph import LOGITS, TOKEN_IDS, open_session
from seqclf.model.scoring import Predict, batched_logits, probabilities_of
from seqclf.runs import Run
from seqclf.runs.run import MODEL_FILE, ONNX_FILE
from seqclf.text.arrays import strings
from seqclf.text.encoding import Examples
from seqclf.text.vocabulary import Vocabulary, encode_texts

BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained model with everything that stands between it and a text.

    Attributes:
      logits: The model, from token_ids int32 [batch, time] to logits.
      vocabulary: The tokens it knows.
      text: Length settings it was trained with.
      labels: Label names; the column of its probabilities.
    """

    logits: Predict
    vocabulary: Vocabulary
    text: TextConfig
    labels: tuple[str, ...]

    @classmethod
    def open(cls, run: Run, *, many: bool = False) -> Classifier:
        """Opens a finished run.

        Args:
          run: The run.
          many: Whether so many texts will come that Keras, which takes seconds to
            start and then is faster, is worth it. Else ONNX Runtime predicts, which
            starts in a tenth of a second; a run without `model.onnx` has Keras only.

        Raises:
          RunError: If its model cannot be read.
        """
        use_keras = many or not (run.path / ONNX_FILE).exists()
        logits = _open_keras(run) if use_keras else _open_onnx(run)
        return cls(logits, run.vocabulary, run.config.text, run.labels)

    def predict(self, texts: Sequence[str] | pa.Array) -> np.ndarray:
        """Returns the probabilities of the labels, float32 [texts, labels].

        Any text does, the empty one too; order is kept.
        """
        array = texts if isinstance(texts, pa.Array) else strings(texts)
        if not len(array):
            return np.empty((0, len(self.labels)), np.float32)
        token_ids, offsets = encode_texts(array, self.vocabulary, self.text)
        examples = Examples(token_ids, offsets, np.zeros(len(array), np.int32))
        width = len(self.labels)
        return probabilities_of(
            batched_logits(self.logits, examples, width, BATCH_SIZE)
        )

    def lengths(self, texts: pa.Array) -> np.ndarray:
        """Returns how many tokens of each text the model reads, int64 [texts]."""
        return np.diff(encode_texts(texts, self.vocabulary, self.text)[1])


def _open_keras(run: Run) -> Predict:
    keras = import_keras()
    file = run.path / MODEL_FILE
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{file} could not be opened: {error}") from error
    predict: Predict = model.predict_on_batch
    return predict


def _open_onnx(run: Run) -> Predict:
    file = run.path / ONNX_FILE
    try:
        session = open_session(str(file))
    except Exception as error:  # ONNX Runtime raises classes of its own, without a base
        raise RunError(f"{file} could not be opened: {error}") from error

    def predict(token_ids: np.ndarray) -> np.ndarray:
        logits: np.ndarray = session.run([LOGITS], {TOKEN_IDS: token_ids})[0]
        return logits

    return predict
