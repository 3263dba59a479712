"""Which cells get the next seeds: those that tell most in the time they take."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

DOUBT = 2  # degrees of freedom for which the variance of the other cells stands


@dataclass(frozen=True, slots=True)
class Sampled:
    """What is known of a cell by its trainings.

    Attributes:
      seeds: Number of its trainings.
      variance: Of its score between them, see `steadied`.
      seconds: That a training takes, about.
    """

    seeds: int
    variance: float
    seconds: float


@dataclass(frozen=True, slots=True)
class OpenPair:
    """Two cells that are not told apart yet, and their variance between the texts.

    `of_rows` is the part of the variance of their difference that no seed takes away.
    """

    a: str
    b: str
    of_rows: float


def steadied(accuracies: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Returns the variance of each cell's accuracies, made steady where they are few.

    Three seeds that happen to agree say little. So each variance is averaged, by its
    degrees of freedom, with the median of all cells', which counts for two.
    """
    own = {
        cell: float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
        for cell, values in accuracies.items()
    }
    known = [own[cell] for cell, values in accuracies.items() if len(values) > 1]
    middle = float(np.median(known)) if known else 0.0
    return {
        cell: (freedom * own[cell] + DOUBT * middle) / (freedom + DOUBT)
        for cell, freedom in ((c, max(len(v) - 1, 0)) for c, v in accuracies.items())
    }


def next_seeds(
    number: int,
    cells: Mapping[str, Sampled],
    pairs: Collection[OpenPair],
    most: int,
) -> dict[str, int]:
    """Chooses cells for the next trainings, one after the other.

    Each goes to the cell whose next seed takes most from the summed standard errors of
    the open pairs for each second of its training; of equals, to the one that has
    fewest seeds.

    Args:
      number: Trainings to give away.
      cells: All cells of the pairs.
      pairs: The open pairs.
      most: Seeds that a cell may have.

    Returns:
      Trainings by cell; fewer than asked for where the cells have all they may have.
    """
    now, given = dict(cells), dict.fromkeys(cells, 0)
    asked = {cell for pair in pairs for cell in (pair.a, pair.b)}
    for _ in range(number):
        free = [cell for cell in cells if cell in asked and now[cell].seeds < most]
        if not free:
            break
        chosen = max(free, key=lambda c: (_gain(c, now, pairs), -now[c].seeds))
        now[chosen] = _with_another(now[chosen])
        given[chosen] += 1
    return {cell: count for cell, count in given.items() if count}


def _with_another(cell: Sampled) -> Sampled:
    return replace(cell, seeds=cell.seeds + 1)


def _gain(
    cell: str, cells: Mapping[str, Sampled], pairs: Collection[OpenPair]
) -> float:
    """Returns what another seed takes from the summed standard errors, by second."""
    after = {**cells, cell: _with_another(cells[cell])}
    touched = [pair for pair in pairs if cell in (pair.a, pair.b)]
    less = sum(_error(pair, cells) - _error(pair, after) for pair in touched)
    return less / cells[cell].seconds


def _error(pair: OpenPair, cells: Mapping[str, Sampled]) -> float:
    a, b = cells[pair.a], cells[pair.b]
    of_seeds = a.variance / max(a.seeds, 1) + b.variance / max(b.seeds, 1)
    return math.sqrt(of_seeds + pair.of_rows)


def round_size(seeds: Sequence[int], jobs: int) -> int:
    """Returns how many trainings come before the next look.

    Half as many as the cells of the open pairs have, rounded up to whole rounds of
    `jobs` at a time: few looks, which all cost a part of the level, and none far
    beyond what was needed.
    """
    return math.ceil(max(sum(seeds), 2) / 2 / jobs) * jobs
