"""Looking at a comparison again and again: what each look may spend of the 5 %."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

from seqclf.statistics.ranks import holm

K = TypeVar("K", bound=Hashable)


def share_of_look(
    left: float,
    before: Mapping[str, int],
    now: Mapping[str, int],
    cells: Collection[str],
    most: int,
) -> float:
    """Returns what a look may spend of the significance level, in [0, 1].

    Of what is left, as large a part as was gone of the way that was left, to the most
    seeds that each cell of an open pair may have. While the same cells stay open, n of
    at most N seeds have spent n / N together: the linear plan of Lan & DeMets (1983,
    Biometrika 70:659). All looks of a comparison spend 1 at most, however many they are
    and wherever one stops, and a look that comes early costs nothing more. Added up
    like that, false alarms stay at the level whatever the looks have in common.

    Args:
      left: What the looks before did not spend, in [0, 1].
      before: Seeds of each cell at the look before; 0 where there was none.
      now: The same of today.
      cells: Cells of the pairs that were open before.
      most: Seeds that a cell may have.
    """
    gone = way = 0
    for cell in cells:
        there = min(before.get(cell, 0), now[cell])  # fewer now: one was removed
        gone += now[cell] - there
        way += max(most, now[cell]) - there
    return left * gone / way if way else 0.0


def adjusted(
    p_values: Mapping[K, float], share: float = 1.0, others: int = 0
) -> dict[K, float]:
    """Adjusts p-values after Holm and for the look, so that the level stays the same.

    Args:
      p_values: Of the hypotheses that are tested.
      share: What of the level the look may spend, see `share_of_look`; 1 of a
        comparison that is looked at once.
      others: Hypotheses that are tested no more, and yet were not rejected: Holm's
        method counts them. Those that were rejected count no longer.
    """
    every = holm([*p_values.values(), *[1.0] * others])
    return {
        key: min(p / share, 1.0) if share else 1.0
        for key, p in zip(p_values, every, strict=False)
    }
