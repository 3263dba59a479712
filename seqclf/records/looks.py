"""Looks at a comparison that goes on until its pairs are decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Why a pair was left open: no time, no seeds more, too few texts, Ctrl-C, or no
# training of one of its cells.
Why = Literal["budget", "max_seeds", "texts", "interrupted", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at all pairs that were open.

    Attributes:
      level: What it spent of the 5 %, a fraction: a pair was decided if its p, after
        Holm, was below. The levels of all looks add up to 0.05 at most.
      seeds: By cell, the seeds that were finished.
      decided: The pairs that were, the better one first.
    """

    level: float
    seeds: dict[str, tuple[int, ...]]
    decided: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOpen:
    """Two cells that were left open, and why."""

    a: str
    b: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilDecided:
    """How a comparison went that added seeds until its pairs were decided.

    Attributes:
      looks: All of them, also those before an interruption.
      max_seeds: Seeds that a cell might have; the levels were planned by it.
      budget_seconds: Time for trainings, the last time it ran; None without an end.
      left_open: Pairs that are not decided.
    """

    looks: tuple[Look, ...]
    max_seeds: int
    budget_seconds: float | None = None
    left_open: tuple[LeftOpen, ...] = ()

    @property
    def was_interrupted(self) -> bool:
        """Whether Ctrl-C left a pair open."""
        return any(one.why == "interrupted" for one in self.left_open)

    @property
    def trainings(self) -> int:
        """The trainings that the last look saw."""
        return sum(map(len, self.looks[-1].seeds.values())) if self.looks else 0
