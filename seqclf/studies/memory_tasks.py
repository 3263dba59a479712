"""Texts that test how far back a network remembers: three tasks of any distance.

`SERIES` lists the variants in which the study trains them.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.data.demo import LABELS as OPINIONS
from seqclf.data.demo import compose

VERSION = 1  # another number wherever equal arguments give other texts

MARKERS = ("alpha", "beta", "gamma", "delta")
DISTRACTORS = tuple("abcdefgh")
DIGITS = 10
SUMS = ("low", "high")
MIDDLE = DIGITS - 1  # of two digits' sum, 0 to 18; it has no label
FEWEST_DIGITS = 4  # so that the first half has two places

LARGE, SMALL = 0.5, 0.02  # embedding initialisation ranges

# From a random generator, a label id and a distance in tokens to a text.
Make = Callable[[random.Random, int, int], str]


@dataclass(frozen=True, slots=True)
class Task:
    """A task of adjustable distance: names of equally frequent labels, and its texts.

    `longest_extra` is the most tokens that a text has beyond its distance.
    """

    labels: tuple[str, ...]
    make: Make
    longest_extra: int

    @property
    def chance(self) -> float:
        """Accuracy of a guess, in (0, 1)."""
        return 1 / len(self.labels)


def recall(rng: random.Random, label: int, distance: int) -> str:
    """Returns a marker, the label, followed by `distance` meaningless tokens."""
    choices = len(DISTRACTORS)
    rest = [DISTRACTORS[_below(rng, choices)] for _ in range(distance)]
    return " ".join([MARKERS[label], *rest])


def adding(rng: random.Random, label: int, distance: int) -> str:
    """Returns `distance` digits, two of them marked: is their sum above the middle?

    The adding problem of Hochreiter & Schmidhuber (1997, Neural Computation 9:1735,
    experiment 4) with two labels. As there, one mark is in the first tenth and the
    other in the first half, so that at least half of the distance follows both. A
    marked digit is a separate token, such as `m7`.
    """
    length = max(distance, FEWEST_DIGITS)
    first = _below(rng, max(length // 10, 1))
    second = first
    while second == first:
        second = _below(rng, length // 2)
    digits = [f"d{_below(rng, DIGITS)}" for _ in range(length)]
    one, other = _two_digits(rng, label)
    digits[first], digits[second] = f"m{one}", f"m{other}"
    return " ".join(digits)


def _two_digits(rng: random.Random, label: int) -> tuple[int, int]:
    while True:
        one, other = _below(rng, DIGITS), _below(rng, DIGITS)
        if one + other != MIDDLE and (one + other > MIDDLE) == bool(label):
            return one, other


def opinion(rng: random.Random, label: int, distance: int) -> str:
    """Returns a review of `demo` with neutral sentences of the corpus behind it.

    Its opinion is at least `distance` tokens from the end.
    """
    return compose(rng, label, tail=distance).text


TASKS: dict[str, Task] = {
    "recall": Task(MARKERS, recall, 1),
    "adding": Task(SUMS, adding, FEWEST_DIGITS),
    "opinion": Task(OPINIONS, opinion, 200),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A task of `TASKS` with its title, training texts (`rows`) and maximum epochs.

    Attributes:
      spread: How the distances of the training texts are drawn, from 0 up to the one
        tested: `even`; `log`, evenly on a logarithm, so that half of them are short;
        `none`, all at the distance tested.
      embedding_range: Embedding initialisation range.
    """

    title: str
    task: str
    spread: str = "even"
    embedding_range: float = LARGE
    rows: int = 4000
    epochs: int = 12


SERIES = {
    "recall": Series(title="first token", task="recall"),
    "recall_short": Series(
        title="first token, mostly short", task="recall", spread="log"
    ),
    "recall_small": Series(
        title="first token, small embeddings",
        task="recall",
        spread="none",
        embedding_range=SMALL,
    ),
    "adding": Series(title="adding", task="adding"),
    "opinion": Series(title="opinion pushed away", task="opinion"),
}
RECALL_SERIES = ("recall", "recall_short", "recall_small")


def texts(
    task: str,
    distance: int,
    sizes: Mapping[str, int],
    spread: str = "even",
    seed: int = 0,
) -> dict[str, pa.Table]:
    """Makes a data set.

    Args:
      task: One of `TASKS`.
      distance: Tokens between the deciding token and the end, at least 1, in all texts
        of validation and test.
      sizes: Texts by split; the labels are equally frequent, but for a remainder.
      spread: Distances of the training texts, see `Series`.
      seed: Equal arguments give equal texts, on every machine.

    Returns:
      By split, tables with text: string and label: string.
    """
    # Only Random.random is promised to draw the same numbers in every version.
    known = f"{VERSION}/{task}/{distance}/{spread}/{seed}"
    rng = random.Random(zlib.crc32(known.encode()))
    return {
        TRAIN: _table(task, sizes[TRAIN], _spread(rng, distance, spread), rng),
        VALIDATION: _table(task, sizes[VALIDATION], _spread(rng, distance), rng),
        TEST: _table(task, sizes[TEST], _spread(rng, distance), rng),
    }


def _table(
    task: str, rows: int, distances: Iterator[int], rng: random.Random
) -> pa.Table:
    one = TASKS[task]
    label_ids = [row % len(one.labels) for row in range(rows)]
    made = [
        one.make(rng, label, distance)
        for label, distance in zip(label_ids, distances, strict=False)
    ]
    labels = pa.array([one.labels[label] for label in label_ids], pa.string())
    return pa.table({"text": pa.array(made, pa.string()), "label": labels})


def _spread(rng: random.Random, distance: int, spread: str = "none") -> Iterator[int]:
    """Yields distances without end."""
    draw: Callable[[], int] = {
        "even": lambda: _below(rng, distance + 1),
        "log": lambda: int((distance + 2) ** rng.random()) - 1,
        "none": lambda: distance,
    }[spread]
    while True:
        yield draw()


def _below(rng: random.Random, n: int) -> int:
    return int(rng.random() * n)
