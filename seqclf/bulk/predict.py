"""Answers the rows of a table, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.bulk.chunks import Chunk
from seqclf.bulk.writers import ADDED
from seqclf.classifier import Classifier
from seqclf.text.arrays import booleans, integers, strings


@dataclass(frozen=True, slots=True)
class Answered:
    """Some rows with the answers to them.

    Attributes:
      chunk: The rows.
      probabilities: float32 [rows, labels]; NaN for bad rows.
    """

    chunk: Chunk
    probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.chunk.texts)


def predict_rows(classifier: Classifier, chunks: Iterable[Chunk]) -> Iterator[Answered]:
    """Classifies chunks as they are read; yields all of them, in order."""
    for chunk in chunks:
        yield Answered(chunk, _probabilities(classifier, chunk))


def _probabilities(classifier: Classifier, chunk: Chunk) -> np.ndarray:
    if not chunk.problems:
        return classifier.predict_proba(chunk.texts)
    probabilities = np.full(
        (len(chunk.texts), len(classifier.labels)), np.nan, np.float32
    )
    good = np.delete(np.arange(len(chunk.texts)), list(chunk.problems))
    probabilities[good] = classifier.predict_proba(chunk.texts.drop_null())
    return probabilities


def with_predictions(answered: Answered, labels: tuple[str, ...]) -> pa.Table:
    """Returns the rows with two more columns, `ADDED`; null for bad rows."""
    highest = answered.probabilities.max(axis=1)
    best = strings(labels).take(integers(answered.probabilities.argmax(axis=1)))
    probability = pa.array(highest, pa.float32())
    if answered.chunk.problems:
        is_good = booleans(~np.isnan(highest))
        best = pc.if_else(is_good, best, pa.scalar(None, best.type))
        probability = pc.if_else(is_good, probability, pa.scalar(None, pa.float32()))
    table = answered.chunk.table
    for field, column in zip(ADDED, (best, probability), strict=True):
        table = table.append_column(field, column)
    return table
