"""What a classifier said of a split, beside what is true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf import metrics, several
from seqclf.data.dataset import joined
from seqclf.records.scores import Scores


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a classifier said of a split, with what is true.

    Attributes:
      label_ids: int32 [n], the true labels; where a text may have several, which it
        has, bool [n, labels].
      probabilities: float32 [n, labels]; rows sum to 1, unless there may be several.
      lengths: int32 [n], tokens of each text as the model saw it.
      thresholds: Of several labels, the probability from which on each applies,
        float32 [labels]; else None.
    """

    label_ids: np.ndarray
    probabilities: np.ndarray
    lengths: np.ndarray
    thresholds: np.ndarray | None = None

    @property
    def answers(self) -> np.ndarray:
        """The likeliest label of each text, int64 [n]; of several bool [n, labels]."""
        if self.thresholds is not None:
            return several.answered(self.probabilities, self.thresholds)
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def right(self) -> np.ndarray:
        """Whether that is what is true, bool [n]; of several, whether all of it is."""
        same = np.asarray(self.answers == self.label_ids)
        return same if self.thresholds is None else np.asarray(same.all(axis=1))

    @property
    def confidence(self) -> np.ndarray:
        """The probability of each answer, float32 [n]; of several the least sure."""
        if self.thresholds is None:
            return np.asarray(self.probabilities.max(axis=1))
        own = np.where(self.answers, self.probabilities, 1 - self.probabilities)
        return np.asarray(own.min(axis=1))

    @property
    def losses(self) -> np.ndarray:
        """The log loss of each text, float64 [n], in nats."""
        losses = metrics.losses if self.thresholds is None else several.losses
        return losses(self.label_ids, self.probabilities)

    def named(self, labels: Sequence[str], answers: np.ndarray) -> list[str]:
        """Returns what people read of true labels or answers, given as these have them.

        `labels` are the names.
        """
        if self.thresholds is None:
            return [labels[label_id] for label_id in answers.tolist()]
        sets = (np.flatnonzero(one).tolist() for one in answers)
        return [joined([labels[i] for i in one]) for one in sets]

    def scores(self, labels: Sequence[str]) -> Scores:
        """Returns how good they are; `labels` are the names."""
        if self.thresholds is None:
            return metrics.scores(
                self.label_ids, self.probabilities, labels, self.lengths
            )
        return several.scores(
            self.label_ids, self.probabilities, self.answers, labels, self.lengths
        )
