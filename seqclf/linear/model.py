"""A linear model on n-grams: weights, a bias, and how an n-gram counts."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.errors import RunError
from seqclf.linear.ngrams import LONGEST, NGrams
from seqclf.runs.files import LINEAR_FILE
from seqclf.storage import write_whole
from seqclf.text.tokens import RESERVED, TokenizedTexts
from seqclf.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class LinearModel:
    """From texts to logits.

    Attributes:
      ngrams: Which n-grams have a weight.
      idf: What makes TF-IDF of counts, float32 [columns]: a count t is 1 + ln t, times
        this, and a text has length 1. None: an n-gram counts 1 however often it occurs.
      weights: float32 [columns, labels].
      bias: float32 [labels].
    """

    ngrams: NGrams
    idf: np.ndarray | None
    weights: np.ndarray
    bias: np.ndarray

    def logits_of(self, texts: Sequence[TokenizedTexts]) -> np.ndarray:
        """Returns logits, float32 [texts, labels]; softmax makes probabilities."""
        features = features_of(self.ngrams.counts(texts), self.idf)
        return np.asarray(features @ self.weights + self.bias, np.float32)

    def predict(self, token_ids: np.ndarray) -> np.ndarray:
        """Returns the same logits of padded texts; it needs no scipy.

        Args:
          token_ids: int32 [batch, time], by `vocabulary`, 0 behind the end of a text.
        """
        numbers = np.maximum(token_ids.astype(np.int64) - (len(RESERVED) - 1), 0)
        batch, time = token_ids.shape  # 0 for padding and unknown tokens: in no n-gram
        offsets = np.arange(0, batch * time + 1, time)
        rows, columns = self.ngrams.places(numbers.ravel(), offsets)
        width = max(len(self.ngrams.keys), 1)
        keys, counts = np.unique(rows * width + columns, return_counts=True)
        rows, columns = np.divmod(keys, width)
        values = self._values(rows, columns, counts, batch)
        logits = np.tile(self.bias, (batch, 1))
        for label, weights in enumerate(self.weights.T):
            products = values * weights[columns]
            logits[:, label] += np.bincount(rows, products, minlength=batch)
        return logits

    def _values(
        self, rows: np.ndarray, columns: np.ndarray, counts: np.ndarray, batch: int
    ) -> np.ndarray:
        """Returns what an n-gram counts in its text, float [n]; see `features_of`."""
        if self.idf is None:
            return np.ones(len(rows), np.float32)
        values = (1 + np.log(counts)) * self.idf[columns]
        norms = np.sqrt(np.bincount(rows, values * values, minlength=batch))
        return np.asarray(values / norms[rows])

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the n-grams, behind the two reserved tokens."""
        return Vocabulary((*RESERVED, *self.ngrams.words.to_pylist()))

    def save(self, folder: Path) -> None:
        """Writes `linear.npz`: arrays, and no code; the words are in `vocabulary`.

        They are not compressed, so that a file of bounded size holds no more than that.
        """
        idf = {} if self.idf is None else {"idf": self.idf}
        arrays = {
            "keys": self.ngrams.keys,
            "longest": np.int64(self.ngrams.longest),
            "weights": self.weights,
            "bias": self.bias,
        }
        write_whole(folder / LINEAR_FILE, partial(_savez, arrays | idf))

    @classmethod
    def open(cls, file: Path, vocabulary: Vocabulary, num_labels: int) -> LinearModel:
        """Reads `linear.npz`, which may come from a stranger.

        Args:
          file: The file.
          vocabulary: That of the model, see `vocabulary`.
          num_labels: Width of its logits.

        Raises:
          RunError: If it is damaged.
        """
        try:
            with (
                file.open("rb") as stream,  # np.load leaves a broken one open
                np.load(stream, allow_pickle=False) as arrays,
            ):
                _refuse_packed(arrays.zip.infolist())
                words = vocabulary.array[len(RESERVED) :]
                ngrams = NGrams(words, arrays["keys"], int(arrays["longest"]))
                model = cls(
                    ngrams, arrays.get("idf"), arrays["weights"], arrays["bias"]
                )
            model._check(num_labels)
        except (OSError, EOFError, MemoryError, ValueError, TypeError, KeyError,
                zipfile.BadZipFile) as error:  # fmt: skip
            raise RunError(f"{file} could not be read: {error}") from error
        return model

    def _check(self, num_labels: int) -> None:
        """Raises ValueError unless the arrays belong together."""
        keys = self.ngrams.keys
        if not 1 <= self.ngrams.longest <= LONGEST:
            raise ValueError(f"n-grams of {self.ngrams.longest} tokens")
        if keys.dtype != np.int64 or keys.ndim != 1 or (np.diff(keys) <= 0).any():
            raise ValueError("keys that do not ascend")
        shapes = {
            "weights": (self.weights, (len(keys), num_labels)),
            "bias": (self.bias, (num_labels,)),
            "idf": (self.idf, keys.shape),
        }
        for name, (array, shape) in shapes.items():
            if array is None:  # not TF-IDF
                continue
            if array.shape != shape or array.dtype != np.float32:
                raise ValueError(f"{name} of {array.dtype} and shape {array.shape}")


def _refuse_packed(members: Sequence[zipfile.ZipInfo]) -> None:
    if any(one.compress_type != zipfile.ZIP_STORED for one in members):
        raise ValueError("compressed arrays")


def _savez(arrays: dict[str, Any], file: Path) -> None:
    with file.open("wb") as stream:  # a name would get the suffix .npz
        np.savez(stream, **arrays)


def features_of(counts: Any, idf: np.ndarray | None) -> Any:
    """Returns what a linear model multiplies, sparse float32 [texts, columns].

    Args:
      counts: How often each n-gram occurs, sparse float32 [texts, columns].
      idf: As in `LinearModel`.
    """
    from scipy import sparse

    features = counts.copy()
    if idf is None:
        features.data[:] = 1
        return features
    features.data = 1 + np.log(features.data)
    features = (features @ sparse.diags_array(idf)).tocsr()
    norms = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    scale = np.divide(1, norms, out=np.ones_like(norms), where=norms > 0)
    return (sparse.diags_array(scale) @ features).tocsr()
