"""How good predictions are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The accuracy on n texts, a fraction, and its 95 % Wilson interval."""

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthAccuracy(Accuracy):
    """The accuracy on texts of `shortest` to `longest` tokens."""

    shortest: int
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredAccuracy(Accuracy):
    """The accuracy on the texts that are answered, where others are unsure.

    Attributes:
      coverage: The share of all texts that they are, in (0, 1].
      at_least: The probability of the least sure answer among them, in (0, 1].
    """

    coverage: float
    at_least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Accuracy against coverage, see `evaluation.coverage`.

    Attributes:
      aurc: Area under the curve of risk (share of errors) and coverage, in [0, 1];
        least is best.
      surest: Of the surest 100, 90, ... 10 % of the texts, in this order.
    """

    aurc: float
    surest: tuple[CoveredAccuracy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScores:
    """Precision, recall and F1 of a label, fractions, and how many texts have it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores(Accuracy):
    """All scores of a split; `per_label` in the order of the labels.

    Attributes:
      macro_f1: Mean F1 of the labels.
      log_loss: Mean negative log probability of the true label, in nats.
      roc_auc: Area under the ROC curve, one label against the rest, averaged; None
        where it is not defined.
      calibration_error: Expected calibration error, a fraction.
      confusion_matrix: Counts, rows true, columns predicted.
      by_length: Quarters of the texts, from short to long.
    """

    macro_f1: float
    log_loss: float
    roc_auc: float | None
    calibration_error: float
    per_label: tuple[LabelScores, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    by_length: tuple[LengthAccuracy, ...]


Metrics = dict[str, Scores]  # by split
