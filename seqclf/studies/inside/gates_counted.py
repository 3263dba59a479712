"""What `gates` counts: from gates and states, token by token, to findings and rows.

Plain functions of arrays; `gates` collects them, and says where each comes from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from seqclf.studies.inside import unrolled
from seqclf.studies.inside.activations import GATES, KEEPS, MOVED, Values
from seqclf.studies.inside.gates_shown import BINS, EFFECTS, LONGEST_HALF_LIFE
from seqclf.studies.question import Record

SHUT, OPEN = 0.1, 0.9
FORCED = 0.99  # share of all values beyond which a gate does not gate


def summary(cell: str, collected: Values, texts: int) -> Record:
    """Counts and averages what `gates.collect` returned.

    Returns:
      tokens; difference; units, by gate: mean, low and high, float [units], see
      `gates.run`; size, the same of |h|; half_lives, float [units] or None; memory,
      float [units], by which units are sorted; effects, by name and, with `_tenths`,
      once more: sums and counts, float [texts, 2], of what shall be small and of what
      shall be large; bins, by gate pairs of count and mean; exposed, sums and counts
      [texts, 1], or None.
    """
    hidden, before = collected["hidden"], collected["before"]
    moves = np.abs(hidden - before)
    half_lives = half_life(collected[KEEPS[cell]]) if cell in KEEPS else None
    found: Record = {
        "tokens": len(hidden),
        "difference": float(collected["difference"].max()),
        "units": {gate: shares(collected[gate]) for gate in GATES[cell]},
        "size": shares(np.abs(hidden)),
        "half_lives": half_lives,
        # Without gates the units that move least come last.
        "memory": -moves.mean(axis=0) if half_lives is None else half_lives,
        "effects": {},
        "bins": {},
        "exposed": None,
    }
    if cell == "gru":
        later = collected["position"] > 0  # before the first token there is no state
        text = collected["text"][later]
        for name, effect in (("copying", moves), ("dropping", collected[MOVED])):
            gate, is_small_if_open = EFFECTS[name]
            values, size = collected[gate][later], effect[later]
            for suffix, cuts in (("", (SHUT, OPEN)), ("_tenths", tenths(values))):
                found["effects"][name + suffix] = contrast(
                    values, size, text, texts, cuts, is_small_if_open
                )
            found["bins"][gate] = by_bin(values, size)
    if cell == "lstm":
        found["exposed"] = exposure(collected, texts)
    return found


def shares(values: np.ndarray) -> dict[str, np.ndarray]:
    """Returns each unit's mean, and its shares < 0.1 and > 0.9, of [tokens, units]."""
    return {
        "mean": values.mean(axis=0, dtype=np.float64),
        "low": (values < SHUT).mean(axis=0),
        "high": (values > OPEN).mean(axis=0),
    }


def half_life(kept: np.ndarray) -> np.ndarray:
    """Returns each unit's memory half-life in tokens, at most a million.

    Args:
      kept: Shares of the old state that are kept, [tokens, units].
    """
    mean_log = np.log(np.maximum(kept, 1e-30), dtype=np.float64).mean(axis=0)
    return math.log(0.5) / np.minimum(mean_log, math.log(0.5) / LONGEST_HALF_LIFE)


def tenths(values: np.ndarray) -> tuple[float, float]:
    """Returns below and above what a tenth of the values lies."""
    low, high = np.quantile(values, [0.1, 0.9])
    return float(low), float(high)


def contrast(
    gate: np.ndarray,
    effect: np.ndarray,
    text: np.ndarray,
    texts: int,
    cuts: tuple[float, float],
    is_small_if_open: bool,
) -> dict[str, np.ndarray]:
    """Sums an effect where a gate is shut and where it is open, text by text.

    Args:
      gate: Values [tokens, units].
      effect: What is seen there, [tokens, units].
      text: The text of each token, int [tokens].
      texts: How many there are.
      cuts: Below the first the gate is shut, above the second it is open.
      is_small_if_open: Whether open comes first in what is returned.

    Returns:
      sums and counts, float [texts, 2].
    """
    sides = [gate < cuts[0], gate > cuts[1]]
    if is_small_if_open:
        sides.reverse()

    def by_text(values: np.ndarray) -> np.ndarray:
        return np.bincount(text, values.sum(axis=1, dtype=np.float64), texts)

    return {
        "sums": np.stack([by_text(effect * side) for side in sides], axis=1),
        "counts": np.stack([by_text(side) for side in sides], axis=1),
    }


def by_bin(gate: np.ndarray, effect: np.ndarray) -> list[tuple[int, float]]:
    """Returns count and mean of an effect in each tenth of a gate's range."""
    places = np.minimum((gate * BINS).astype(int), BINS - 1).ravel()
    counts = np.bincount(places, minlength=BINS)
    sums = np.bincount(places, effect.ravel().astype(np.float64), BINS)
    return [
        (int(n), float(total / n) if n else 0.0)
        for n, total in zip(counts, sums, strict=True)
    ]


def exposure(collected: Values, texts: int) -> dict[str, np.ndarray]:
    """Sums ‖h‖ / ‖tanh c‖ over the tokens of each text: sums, counts [texts, 1]."""
    memory = np.linalg.norm(np.tanh(collected["cell"]), axis=1)
    shown = np.linalg.norm(collected["hidden"], axis=1) / np.maximum(memory, 1e-30)
    text = collected["text"]
    return {
        "sums": np.bincount(text, shown, texts)[:, None],
        "counts": np.bincount(text, minlength=texts)[:, None].astype(float),
    }


def judge(by_cell: Mapping[str, Sequence[Record]]) -> Record:
    """Turns what was measured into the findings, see `gates.run`.

    Args:
      by_cell: What `summary` returned, a record a seed.
    """
    effects = {
        name + suffix: ratio([one["effects"][name + suffix] for one in by_cell["gru"]])
        if "gru" in by_cell
        else None
        for name in EFFECTS
        for suffix in ("", "_tenths")
    }
    everything = [one for seeds in by_cell.values() for one in seeds]
    return {
        "tokens": everything[0]["tokens"],
        "difference": max(one["difference"] for one in everything),
        "cells": {cell: _of_cell(cell, seeds) for cell, seeds in by_cell.items()},
        **effects,
    }


def _of_cell(cell: str, seeds: Sequence[Record]) -> Record:
    return {
        "gates": {
            gate: _of_gate([one["units"][gate] for one in seeds])
            for gate in GATES[cell]
        },
        "size": float(np.mean([one["size"]["mean"] for one in seeds])),
        "saturated": float(np.mean([one["size"]["high"] for one in seeds])),
        "half_life": _half_life(seeds) if cell in KEEPS else None,
        "exposed": _exposed(cell, seeds) if cell in KEEPS else None,
    }


def _of_gate(seeds: Sequence[Mapping[str, np.ndarray]]) -> Record:
    mean, low, high = (
        np.concatenate([one[key] for one in seeds]) for key in ("mean", "low", "high")
    )
    state = "in use"
    if low.mean() > FORCED:
        state = "shut"
    elif high.mean() > FORCED:
        state = "open"
    return {
        "mean": float(mean.mean()),
        "low": float(low.mean()),
        "high": float(high.mean()),
        "units_shut": float((low > FORCED).mean()),
        "units_open": float((high > FORCED).mean()),
        "state": state,
    }


def _half_life(seeds: Sequence[Record]) -> Record:
    values = np.concatenate([one["half_lives"] for one in seeds])
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return {
        "median": median,
        "low": low,
        "high": high,
        "above_10": float((values > 10).mean()),
        "above_100": float((values > 100).mean()),
    }


def _exposed(cell: str, seeds: Sequence[Record]) -> Record:
    if cell == "gru":
        return {"mean": 1.0, "low": 1.0, "high": 1.0}
    sums, counts = (
        np.sum([one["exposed"][key] for one in seeds], axis=0)
        for key in ("sums", "counts")
    )
    low, high = unrolled.bounds(unrolled.bootstrap(sums, counts)[:, 0])
    return {"mean": float(sums.sum() / counts.sum()), "low": low, "high": high}


def ratio(seeds: Sequence[Mapping[str, np.ndarray]]) -> Record:
    """Returns the means of what shall be small and large, and their ratio."""
    sums, counts = (
        np.sum([one[key] for one in seeds], axis=0) for key in ("sums", "counts")
    )
    numbers = counts.sum(axis=0)
    found: Record = {"n_small": int(numbers[0]), "n_large": int(numbers[1])}
    names = ("small", "large", "ratio", "low", "high")
    if not numbers.all() or not sums[:, 1].sum():
        return found | dict.fromkeys(names)
    small, large = (sums.sum(axis=0) / numbers).tolist()
    means = unrolled.bootstrap(sums, counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = unrolled.bounds(means[:, 0] / means[:, 1])
    values = (small, large, small / large, low, high)
    return found | dict(zip(names, values, strict=True))


_EMPTY: Record = dict.fromkeys(
    ("part", "cell", "seed", "gate", "unit", "text", "position", "token", "value",
     "low", "high", "count"),
)  # fmt: skip


def rows_of(
    measured: Mapping[tuple[str, int], Record], first_seed: int
) -> list[Record]:
    """Returns all rows, see `gates.run`; the drawings are those of the first seed."""
    rows: list[Record] = []
    for (cell, seed), one in measured.items():
        about = _EMPTY | {"cell": cell, "seed": seed}
        rows += [about | record for record in _unit_rows(one)]
        if seed == first_seed:
            rows += [about | record for record in _token_rows(one)]
    return rows


def _unit_rows(one: Record) -> list[Record]:
    rows: list[Record] = []
    for gate, units in one["units"].items():
        columns = (units[key].tolist() for key in ("mean", "low", "high"))
        for unit, (mean, low, high) in enumerate(zip(*columns, strict=True)):
            values = {"value": mean, "low": low, "high": high}
            rows.append({"part": "unit", "gate": gate, "unit": unit, **values})
    if one["half_lives"] is not None:
        for unit, value in enumerate(one["half_lives"].tolist()):
            rows.append({"part": "half-life", "unit": unit, "value": value})
    for gate, bins in one["bins"].items():
        for place, (count, mean) in enumerate(bins):
            about = {"part": "bin", "gate": gate, "position": place}
            rows.append({**about, "value": mean if count else None, "count": count})
    return rows


def _token_rows(one: Record) -> list[Record]:
    return [
        {
            "part": "token", "gate": gate, "unit": unit, "text": text,
            "position": position, "token": token,
            "value": round(float(values[position, place]), 4),
        }
        for text, drawing in enumerate(one["drawn"])
        for gate, values in drawing["values"].items()
        for position, token in enumerate(drawing["tokens"])
        for place, unit in enumerate(one["chosen"])
    ]  # fmt: skip
