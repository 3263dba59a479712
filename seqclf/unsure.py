"""Which answers stand: those that are as probable as the user wants them at least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from seqclf.errors import ConfigError, unknown
from seqclf.wording import counted

OPTION = "--at-least"
MOSTLY = 0.5  # unknown tokens of a text: with a greater share its answer is a guess
SHOWN_TEXTS = 3


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The probability that an answer needs in order to stand; below it is unsure.

    Attributes:
      every: Of all labels that are not named, a fraction in (0, 1); None: they stand.
      of_label: Of labels by name, fractions in (0, 1).
    """

    every: float | None = None
    of_label: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what is no probability between 0 and 1."""
        given = [*self.of_label.values()]
        for value in given if self.every is None else [self.every, *given]:
            if not 0 < value < 1:
                raise ConfigError(_no_probability(f"{value:g}"))

    def __str__(self) -> str:
        """Returns it as it is typed, such as `0.8, spam=0.95`."""
        named = [f"{label}={value:g}" for label, value in self.of_label.items()]
        return ", ".join(named if self.every is None else [f"{self.every:g}", *named])


def parse(given: Sequence[str]) -> AtLeast | None:
    """Reads thresholds as they are typed: `0.8` for every label, `spam=0.95` for one.

    Raises:
      ConfigError: If one is no probability, or a label, or every label, has two.
    """
    every, of_label = None, dict[str, float]()
    for text in given:
        label, equals, number = text.rpartition("=")
        value = _probability(number)
        if label in of_label or (not equals and every is not None):
            what = f"the label {label!r}" if equals else "every label"
            raise ConfigError(f"{OPTION} has two thresholds for {what}; give one.")
        if equals:
            of_label[label] = value
        else:
            every = value
    return AtLeast(every, of_label) if given else None


def _probability(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(_no_probability(text)) from None


def _no_probability(came: str) -> str:
    return (
        f"{OPTION} must be a probability between 0 and 1, got {came}; such as "
        f"{OPTION} 0.8, or {OPTION} LABEL=0.8 for the answers of one label."
    )


def floors_of(at_least: AtLeast | None, labels: Sequence[str]) -> np.ndarray | None:
    """Returns the probability that each label needs, float64 [labels]; None for None.

    Raises:
      ConfigError: If a label is named that there is not, or no answer could be below:
        of k labels the likeliest has at least 1 / k.
    """
    if at_least is None:
        return None
    floors = np.full(len(labels), at_least.every or 0.0)
    for name, value in at_least.of_label.items():
        if name not in labels:
            raise ConfigError(f"{OPTION}: {unknown('label', name, labels)}")
        floors[labels.index(name)] = value
    if (floors <= 1 / len(labels)).all():
        raise ConfigError(
            f"{OPTION} {at_least} would do nothing: the likeliest of {len(labels)} "
            f"labels has {1 / len(labels):.3g} at least; give more than that."
        )
    return floors


def refuse_of_several(at_least: AtLeast | None, run: str, several: bool) -> None:
    """Refuses thresholds of a run, by its name, of which texts may have several labels.

    Raises:
      ConfigError: If there are any.
    """
    if several and at_least is not None:
        raise ConfigError(
            f"{OPTION} {at_least} is for texts of one label, and a text of {run} may "
            f"have several, each with a threshold of its own, chosen on validation. "
            f"Leave {OPTION} out; predict --json shows every probability."
        )


def stands(probabilities: np.ndarray, floors: np.ndarray | None) -> np.ndarray:
    """Returns whether each answer reaches what its own label needs, bool [n].

    Args:
      probabilities: float32 [n, labels]; of NaN, no answer, it does not.
      floors: float64 [labels], see `floors_of`; None: all answers stand.
    """
    highest = probabilities.max(axis=1).astype(np.float64)
    if floors is None:
        return ~np.isnan(highest)
    return np.asarray(highest >= floors[probabilities.argmax(axis=1)])


class Tally:
    """Counts answers that are unsure, and texts of mostly unknown tokens.

    `at_least` is what answers need, of a run with these `labels`; `done` texts were
    answered before.
    """

    def __init__(
        self, at_least: AtLeast | None, labels: Sequence[str], done: int = 0
    ) -> None:
        self._at_least, self._floors = at_least, floors_of(at_least, labels)
        self._done = done
        self._texts = self._answered = self._unsure = self._strange = 0
        self._first: list[str] = []

    def add(self, probabilities: np.ndarray, unknown: np.ndarray) -> None:
        """Counts the next texts, in order; NaN are rows without an answer.

        Args:
          probabilities: float32 [n, labels].
          unknown: float32 [n], the share of tokens that the vocabulary lacks.
        """
        strange = np.flatnonzero(unknown > MOSTLY)
        missing = SHOWN_TEXTS - len(self._first)
        for place in strange[:missing].tolist():
            number = self._done + self._texts + place + 1
            self._first.append(f"text {number:,}, {100 * unknown[place]:.0f} %")
        has_answer = ~np.isnan(unknown)
        self._unsure += int((has_answer & ~stands(probabilities, self._floors)).sum())
        self._texts += len(unknown)
        self._answered += int(has_answer.sum())
        self._strange += len(strange)

    def said(self, name: str, unit: str) -> list[str]:
        """Returns what to tell of answers of a run; `unit` is what a token of it is."""
        texts, told = counted(self._answered, "text"), []
        if self._at_least is not None:
            given = f"{OPTION} {self._at_least}"
            told.append(f"Unsure: {self._unsure:,} of {texts} ({given}).")
        if self._strange:
            more = self._strange - len(self._first)
            shown = "; ".join([*self._first, *([f"{more:,} more"] if more else [])])
            told.append(
                f"Guesses: {self._strange:,} of {texts}, most {unit}s of which are "
                f"unknown to {name} ({shown})."
            )
        return told
