"""Where the time of a command goes: seconds of its phases, by name."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping


class Clock:
    """Adds up the seconds of phases, in the order in which they first began."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def of(self, phase: str) -> Iterator[None]:
        """Counts what is done inside for a phase, also if it ends with an error."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.add({phase: time.perf_counter() - start})

    def add(self, seconds: Mapping[str, float]) -> None:
        """Counts what other clocks have measured."""
        for phase, more in seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + more


def took(seconds: Mapping[str, float], least: float = 0.5) -> str:
    """Returns `Took 41 s: data 2, training 35, timing 4`, or nothing of no phases.

    Phases of less than so many seconds are in the sum alone.
    """
    long = [f"{phase} {one:.0f}" for phase, one in seconds.items() if one >= least]
    if not seconds:
        return ""
    whole = f"Took {sum(seconds.values()):.0f} s"
    return f"{whole}: {', '.join(long)}." if long else f"{whole}."
