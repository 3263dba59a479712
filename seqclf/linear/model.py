"""A linear model on n-grams: weights, a bias, and how an n-gram counts."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.errors import RunError
from seqclf.linear.ngrams import NGrams, tokenized
from seqclf.storage import write_whole
from seqclf.text.tokens import TokenizedTexts

LINEAR_FILE = "linear.npz"


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

    def logits(self, texts: pa.StringArray) -> np.ndarray:
        """Returns logits, float32 [texts, labels]; softmax makes probabilities."""
        return self.logits_of(tokenized(texts))

    def logits_of(self, texts: Sequence[TokenizedTexts]) -> np.ndarray:
        """The same, of texts that are tokenized."""
        features = features_of(self.ngrams.counts(texts), self.idf)
        return np.asarray(features @ self.weights + self.bias, np.float32)

    def save(self, folder: Path) -> None:
        """Writes `linear.npz`: arrays, and no code."""
        idf = {} if self.idf is None else {"idf": self.idf}
        words = "\n".join(self.ngrams.words.to_pylist()).encode()
        arrays = {
            "words": np.frombuffer(words, np.uint8),
            "keys": self.ngrams.keys,
            "longest": np.int64(self.ngrams.longest),
            "weights": self.weights,
            "bias": self.bias,
        }
        write_whole(folder / LINEAR_FILE, partial(_savez, arrays | idf))

    @classmethod
    def open(cls, file: Path) -> LinearModel:
        """Reads `linear.npz`.

        Raises:
          RunError: If it is damaged.
        """
        try:
            with (
                file.open("rb") as stream,  # np.load leaves a broken one open
                np.load(stream, allow_pickle=False) as arrays,
            ):
                text = arrays["words"].tobytes().decode()
                words = pa.array(text.split("\n") if text else [], pa.string())
                ngrams = NGrams(words, arrays["keys"], int(arrays["longest"]))
                idf = arrays.get("idf")
                return cls(ngrams, idf, arrays["weights"], arrays["bias"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise RunError(f"{file} could not be read: {error}") from error


def _savez(arrays: dict[str, Any], file: Path) -> None:
    with file.open("wb") as stream:  # a name would get the suffix .npz
        np.savez_compressed(stream, **arrays)


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
