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
class SeveralScores:
    """What only texts that may have several labels have; all fractions but the counts.

    Attributes:
      micro_f1: F1 over all labels of all texts.
      example_f1: Mean over the texts of the F1 of their labels; 1 where a text has no
        label and gets none.
      average_precision: Mean over the labels of the area under precision and recall;
        None if no text has a label.
      labels_per_text: Mean number of labels that a text has.
      answered_per_text: Mean number that it got.
      guessed_accuracy: What the commonest set of labels reaches for all texts.
      guessed_example_f1: The same of the best of the answers that are the k commonest
        labels.
    """

    micro_f1: float
    example_f1: float
    average_precision: float | None
    labels_per_text: float
    answered_per_text: float
    guessed_accuracy: float
    guessed_example_f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedScores:
    """How far answers are off, where labels are whole numbers, such as 1 to 5 stars.

    Attributes:
      mean_absolute_error: Mean distance of the answer from the true number.
      quadratic_kappa: Agreement beyond chance, distances weighted by their square
        (Cohen 1968), at most 1; None where it is not defined.
    """

    mean_absolute_error: float
    quadratic_kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores(Accuracy):
    """All scores of a split; `per_label` in the order of the labels.

    Where a text may have several labels, it is right if all of them are, and the
    log loss, in nats, is the mean of the labels' own.

    Attributes:
      macro_f1: Mean F1 of the labels.
      log_loss: Mean negative log probability of the true label, in nats.
      roc_auc: Area under the ROC curve, one label against the rest, averaged; None
        where it is not defined.
      calibration_error: Expected calibration error, a fraction.
      confusion_matrix: Counts, rows true, columns predicted; empty of several labels.
      by_length: Quarters of the texts, from short to long.
      several: Of texts that may have several labels.
      ordered: Of labels that are whole numbers.
    """

    macro_f1: float
    log_loss: float
    roc_auc: float | None
    calibration_error: float
    per_label: tuple[LabelScores, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]
    by_length: tuple[LengthAccuracy, ...]
    several: SeveralScores | None = None
    ordered: OrderedScores | None = None

    @property
    def further(self) -> dict[str, float]:
        """What only some labels have, by name: several a text, or numbers."""
        found: dict[str, float | None] = {}
        if self.several is not None:
            found["micro_f1"] = self.several.micro_f1
            found["average_precision"] = self.several.average_precision
        if self.ordered is not None:
            found["mean_absolute_error"] = self.ordered.mean_absolute_error
            found["quadratic_kappa"] = self.ordered.quadratic_kappa
        return {name: value for name, value in found.items() if value is not None}

    @property
    def example_f1(self) -> float | None:
        """Of texts that may have several labels, see `SeveralScores`."""
        return None if self.several is None else self.several.example_f1


Metrics = dict[str, Scores]  # by split
