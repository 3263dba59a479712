"""When two sets of numbers agree: bit for bit, or within what machines differ by.

The same training gives the same bits with the same packages on the same processor with
as many threads. Elsewhere sums are rounded in another order. `near` is what still
agrees there, and is wider than what was measured (docs/classroom.md); `far` is what no
rounding explains; in between nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.records.classroom import Finding
from seqclf.records.plain import to_plain
from seqclf.wording import MISSING

AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
Arrays = Mapping[str, np.ndarray]
SHOWN = 200  # characters of what was expected, and of what came


@dataclass(frozen=True, slots=True)
class Bounds:
    """Distances up to which numbers of another machine agree, and from which not."""

    near: float
    far: float

    def result(self, distance: float) -> str:
        """Returns what a distance says; one that is no number agrees with nothing."""
        if distance <= self.near:
            return AGREES
        return UNDECIDED if distance < self.far else DIFFERS


def same(what: str, expected: Any, came: Any, tolerance: float = 0.0) -> Finding:
    """Returns whether two values are equal, as they are on every machine.

    Values are plain, records, or containers of them; floats may be apart by the
    tolerance. What differs is named, the first few parts of it.
    """
    one, other = (dict(_leaves(to_plain(value))) for value in (expected, came))
    names = [
        name
        for name in {**one, **other}
        if name not in one or name not in other
        or not _equal(one[name], other[name], tolerance)
    ]  # fmt: skip
    if not names:
        return Finding(what=what, result=AGREES)
    shown = (
        ", ".join(f"{name} {values.get(name, MISSING)}".strip() for name in names[:3])
        for values in (one, other)
    )
    return differs(what, *shown)


def _leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the single values in a plain one, with where each is."""
    if isinstance(values, dict | list | tuple):
        pairs = values.items() if isinstance(values, dict) else enumerate(values)
        for key, value in pairs:
            yield from _leaves(value, f"{name} {key}".strip())
    else:
        yield name, values


def _equal(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= tolerance or one == other
    return bool(one == other)


def differs(what: str, expected: str, came: str) -> Finding:
    """Returns that something is not what was expected."""
    expected, came = (_clipped(text) for text in (expected, came))
    return Finding(what=what, result=DIFFERS, expected=expected, came=came)


def undecided(what: str, why: str) -> Finding:
    """Returns that something could not be checked here."""
    return Finding(what=what, result=UNDECIDED, came=_clipped(why))


def compared(
    what: str,
    expected: Arrays,
    came: Arrays,
    bounds: Bounds | None,
    before: Arrays | None = None,
) -> Finding:
    """Compares arrays of the same names.

    Args:
      what: What they are, in words.
      expected: What this machine finds.
      came: What the run has; whole numbers have to be equal everywhere.
      bounds: Of their distance, see `distance`; None: bit for bit.
      before: What they were before a training; None takes absolute differences.
    """
    shapes = [{name: a.shape for name, a in one.items()} for one in (expected, came)]
    if shapes[0] != shapes[1]:
        return differs(what, str(shapes[0]), str(shapes[1]))
    unequal = [name for name in expected if not _bits_equal(expected[name], came[name])]
    if not unequal:
        return Finding(what=what, result=AGREES, distance=0.0)
    apart = distance(expected, came, before)
    is_whole = any(expected[name].dtype.kind in "iub" for name in unequal)
    result = DIFFERS if bounds is None or is_whole else bounds.result(apart)
    name = unequal[0]
    place = first_difference(expected[name], came[name])
    where = f"{name} {list(place)}" if place else name
    values = [one[name][place] for one in (expected, came)]
    return Finding(
        what=what,
        result=result,
        expected=f"{where}: {values[0]:.9g}",
        came=f"{values[1]:.9g}, {len(unequal)} of {len(expected)} arrays differ",
        distance=apart if np.isfinite(apart) else None,
    )


def distance(expected: Arrays, came: Arrays, before: Arrays | None = None) -> float:
    """Returns how far arrays are apart.

    The greatest absolute difference; or, where it is known what they were `before`, the
    norm of their difference relative to that of their way: 1 is as far as a training
    went, whatever the scale of the weights.
    """
    pairs = [(name, np.asarray(expected[name], np.float64)) for name in expected]
    if before is None:
        # NaN, which no comparison finds, is handed on: it agrees with nothing.
        return float(np.max([np.abs(one - came[name]).max() for name, one in pairs]))
    apart = sum(float(((one - came[name]) ** 2).sum()) for name, one in pairs)
    way = sum(float(((one - before[name]) ** 2).sum()) for name, one in pairs)
    return float(np.sqrt(apart / max(way, np.finfo(np.float64).tiny)))


def first_difference(expected: np.ndarray, came: np.ndarray) -> tuple[int, ...]:
    """Returns the index of the first entry that differs; () of single numbers."""
    flat = np.flatnonzero(~_equal_entries(expected, came))
    return tuple(int(i) for i in np.unravel_index(flat[0], expected.shape))


def _bits_equal(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(_equal_entries(one, other).all())


def _equal_entries(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    if one.dtype.kind != "f":
        return np.asarray(one == other)
    both_nan = np.isnan(one) & np.isnan(other)
    is_alike = (one == other) & (np.signbit(one) == np.signbit(other))
    return np.asarray(is_alike | both_nan)


def _clipped(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
