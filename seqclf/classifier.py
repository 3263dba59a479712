"""Texts in, probabilities out: a finished run, opened to predict."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np

from seqclf.arrow import is_array, pa
from seqclf.config import TextConfig
from seqclf.errors import DataError, RunError
from seqclf.keywords import models_folder
from seqclf.linear.model import LinearModel
from seqclf.model.keras_file import open_keras
from seqclf.model.onnx_graph import onnx_predict
from seqclf.model.scoring import Predict, batched_logits, probabilities_of
from seqclf.runs import AnyRun, Mean, Run, members_of
from seqclf.runs.comparisons import run_or_default
from seqclf.runs.files import LINEAR_FILE, MODEL_FILE, ONNX_FILE
from seqclf.runs.mean import mean
from seqclf.several import applying
from seqclf.system import cores
from seqclf.text.arrays import strings
from seqclf.text.batching import sorted_order
from seqclf.text.encoding import Examples
from seqclf.text.few import are_few, encode_few
from seqclf.text.tokens import UNKNOWN_ID
from seqclf.text.vocabulary import Vocabulary, encode_texts

# One thread a session and batches of so many positions, side by side: faster than ONNX
# Runtime's own threads and than Keras for GRU and LSTM (docs/speed.md).
BATCH_TOKENS = 4000
BATCH_SIZE = 64  # of Keras


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of texts, in their order.

    Attributes:
      probabilities: float32 [texts, labels].
      unknown: float32 [texts], in [0, 1]: the share of a text's tokens, of those that
        are read, that the vocabulary lacks; 1 for a text without tokens. Of a mean it
        is that of the model that knows most of the text.
    """

    probabilities: np.ndarray
    unknown: np.ndarray


@dataclass(frozen=True, slots=True)
class Classifier:
    """A trained model with everything that is needed between it and a text.

    Attributes:
      logits: The model, from token_ids int32 [batch, time] to logits.
      vocabulary: The tokens it knows.
      text: How it reads texts.
      labels: Label names; the column of its probabilities.
      thresholds: Where a text may have several labels, the probability from which on
        each applies, float32 [labels]; else None.
      threads: Batches that it predicts at a time.
      others: Models whose probabilities are averaged with its own.
    """

    logits: Predict
    vocabulary: Vocabulary
    text: TextConfig
    labels: tuple[str, ...]
    thresholds: np.ndarray | None = None
    threads: int = 1
    others: tuple[Classifier, ...] = ()

    @classmethod
    def open(
        cls,
        run: AnyRun | str | os.PathLike[str] | None = None,
        models_dir: str | os.PathLike[str] | None = None,
    ) -> Classifier:
        """Opens a finished run with ONNX Runtime, or a linear one with numpy.

        A run whose `model.onnx` was not written, for it did not agree with Keras, is
        opened with Keras, which takes seconds to start.

        Args:
          run: A run, its path, its name in `models_dir`, or `hf://OWNER/NAME` on the
            Hub; names joined by `+` take the mean of their probabilities. None takes
            what `seqclf predict` takes, and names it to the logger `seqclf`.
          models_dir: Folder of the runs; None takes $SEQCLF_MODELS, else `models`.

        Raises:
          RunError: If there is no such run, or its model cannot be read.
        """
        if not isinstance(run, Run | Mean):
            run = _find(run, models_folder(models_dir))
        first, *more = members_of(run)
        return cls(
            logits=_open(first),
            vocabulary=first.vocabulary,
            text=first.text,
            labels=first.labels,
            thresholds=run.thresholds,
            threads=1 if first.model_file == MODEL_FILE else cores(),
            others=tuple(cls.open(one) for one in more),
        )

    def predict(
        self, texts: Sequence[str] | pa.Array
    ) -> list[str] | list[tuple[str, ...]]:
        """Returns the most probable label of each text, as scikit-learn's `predict`.

        Where a text may have several labels, those that apply to it, the
        likeliest first. Texts and errors are those of `predict_proba`.
        """
        probabilities = self.predict_proba(texts)
        if self.thresholds is not None:
            return self.applying(probabilities)
        return [self.labels[label_id] for label_id in probabilities.argmax(axis=1)]

    def applying(self, probabilities: np.ndarray) -> list[tuple[str, ...]]:
        """Returns the labels that apply, of float32 [texts, labels], likeliest first.

        Only where a text may have several.
        """
        ids, counts = applying(probabilities, np.asarray(self.thresholds))
        parts = np.split(ids, np.cumsum(counts))[:-1]  # the last is behind all texts
        return [tuple(self.labels[i] for i in part) for part in parts]

    def predict_proba(self, texts: Sequence[str] | pa.Array) -> np.ndarray:
        """Returns the probabilities of `labels`, float32 [texts, labels].

        A row sums to 1, unless a text may have several labels.

        Texts and errors are those of `answer`.
        """
        return self.answer(texts).probabilities

    def answer(self, texts: Sequence[str] | pa.Array) -> Answers:
        """Returns probabilities, and how much of each text the vocabulary lacks.

        Any text does, the empty one too; order is kept.

        Raises:
          DataError: If one text is given where a list of texts belongs.
        """
        if isinstance(texts, str):
            raise DataError(f"predict takes a list of texts; write [{texts[:20]!r}].")
        if not len(texts):
            empty = np.empty((0, len(self.labels)), np.float32)
            return Answers(empty, np.empty(0, np.float32))
        if not is_array(texts) and not are_few(texts):
            texts = strings(texts)
        every = [self._answer(texts), *(other.answer(texts) for other in self.others)]
        return Answers(
            mean([one.probabilities for one in every]),
            reduce(np.minimum, [one.unknown for one in every]),
        )

    def _answer(self, texts: Sequence[str] | pa.Array) -> Answers:
        token_ids, offsets = self._encoded(texts)
        examples = Examples(token_ids, offsets, np.zeros(len(texts), np.int32))
        width = len(self.labels)
        tokens = BATCH_TOKENS if self.threads > 1 else None
        order = sorted_order(examples.lengths, BATCH_SIZE, tokens)
        logits = batched_logits(self.logits, examples, order, width, self.threads)
        # Each text has a token at least: that of an empty one is the unknown one.
        unknown = np.add.reduceat(token_ids == UNKNOWN_ID, offsets[:-1], dtype=np.int64)
        share = (unknown / examples.lengths).astype(np.float32)
        several = self.thresholds is not None
        return Answers(probabilities_of(logits, several), share)

    def _encoded(
        self, texts: Sequence[str] | pa.Array
    ) -> tuple[np.ndarray, np.ndarray]:
        encoded = encode_texts if is_array(texts) else encode_few
        return encoded(texts, self.vocabulary, self.text)

    def lengths(self, texts: Sequence[str] | pa.Array) -> np.ndarray:
        """Returns how many tokens of each text are read at most, int64 [texts]."""
        texts = texts if is_array(texts) else strings(texts)
        own = np.diff(encode_texts(texts, self.vocabulary, self.text)[1])
        return reduce(np.maximum, [other.lengths(texts) for other in self.others], own)


def _find(named: str | os.PathLike[str] | None, models: Path) -> AnyRun:
    run = run_or_default(None if named is None else Path(named), models)
    if named is None:
        logging.getLogger("seqclf").info("the newest run is opened: %s", run.path)
    return run


def keras_predict(file: Path) -> Predict:
    """Opens a `.keras` file, as data and not as code.

    Raises:
      RunError: If it is none of seqclf's.
    """
    predict: Predict = open_keras(file).predict_on_batch
    return predict


def _open(run: Run) -> Predict:
    if run.model_file == LINEAR_FILE:
        return LinearModel.open(
            run.file(LINEAR_FILE), run.vocabulary, len(run.labels)
        ).predict
    if run.model_file == ONNX_FILE:
        return _open_onnx(run)
    return keras_predict(run.file(MODEL_FILE))


def _open_onnx(run: Run) -> Predict:
    file = run.file(ONNX_FILE)
    try:
        return onnx_predict(str(file))
    except Exception as error:  # ONNX Runtime raises its own classes, without a base
        raise RunError(f"{file} could not be opened: {error}") from error
