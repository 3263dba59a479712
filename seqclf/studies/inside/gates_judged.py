"""What `gates` concludes: from counts to findings and rows."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.cells import GRU, Values
from seqclf.records import inside
from seqclf.records.estimates import MeanShare
from seqclf.studies.inside import unrolled
from seqclf.studies.inside.gates_counted import Summary, Sums, UnitShares
from seqclf.studies.intervals import middle

FORCED = 0.99  # share of all values beyond which a gate counts as shut or open


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A text to draw: its tokens, and gates and states, float [tokens, chosen]."""

    tokens: list[str]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured in a run: its summary, the chosen units, their drawings."""

    summary: Summary
    chosen: list[int]
    drawn: list[Drawing]


def judge(
    by_cell: Mapping[str, Sequence[Summary]],
    texts: int,
    accuracy: dict[str, float],
    guessing: tuple[str, ...] = (),
) -> inside.GatesFindings:
    """Returns the findings, from a summary of each cell and seed.

    `texts` is their number, `accuracy` by cell that on the test split, `guessing` are
    the cells that may have learnt nothing.
    """
    everything = [one for seeds in by_cell.values() for one in seeds]
    gru = [one.effects for one in by_cell.get(GRU.name, ()) if one.effects]
    names = gru[0] if gru else {}
    return inside.GatesFindings(
        tokens=everything[0].tokens,
        difference=max(one.difference for one in everything),
        cells={cell: _of_cell(seeds) for cell, seeds in by_cell.items()},
        texts=texts,
        accuracy=accuracy,
        guessing=guessing,
        **{name: ratio([one[name] for one in gru]) for name in names},
    )


def _of_cell(seeds: Sequence[Summary]) -> inside.CellGates:
    lives = [one.half_lives for one in seeds if one.half_lives is not None]
    return inside.CellGates(
        gates={
            gate: _of_gate([one.units[gate] for one in seeds])
            for gate in seeds[0].units
        },
        size=float(np.mean([one.size.mean for one in seeds])),
        saturated=float(np.mean([one.size.high for one in seeds])),
        half_life=_half_life(np.concatenate(lives)) if lives else None,
        exposed=_exposed(seeds) if lives else None,
    )


def _of_gate(seeds: Sequence[UnitShares]) -> inside.GateUse:
    mean = np.concatenate([one.mean for one in seeds])
    low = np.concatenate([one.low for one in seeds])
    high = np.concatenate([one.high for one in seeds])
    forced = "open" if high.mean() > FORCED else "in use"
    return inside.GateUse(
        mean=float(mean.mean()),
        low=float(low.mean()),
        high=float(high.mean()),
        units_shut=float((low > FORCED).mean()),
        units_open=float((high > FORCED).mean()),
        state="shut" if low.mean() > FORCED else forced,
    )


def _half_life(values: np.ndarray) -> inside.HalfLife:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return inside.HalfLife(
        median=median, low=low, high=high, above_10=float((values > 10).mean()),
        above_100=float((values > 100).mean()),
    )  # fmt: skip


def _exposed(seeds: Sequence[Summary]) -> MeanShare:
    sums = [one.exposed for one in seeds if one.exposed]
    if not sums:  # without an output gate the cell shows all of its state
        return MeanShare(mean=1.0, low=1.0, high=1.0)
    found = _total(sums)
    drawn = unrolled.bootstrap(found.sums, found.counts)[:, 0]
    low, high = middle(drawn)
    mean = float(found.sums.sum() / found.counts.sum())
    return MeanShare(mean=mean, low=low, high=high)


def _total(seeds: Sequence[Sums]) -> Sums:
    return Sums(
        sums=np.sum([one.sums for one in seeds], axis=0),
        counts=np.sum([one.counts for one in seeds], axis=0),
    )


def ratio(seeds: Sequence[Sums]) -> inside.Effect:
    """Returns the means where the effect should be small and large, and their ratio."""
    found = _total(seeds)
    numbers = found.counts.sum(axis=0)
    n_small, n_large = int(numbers[0]), int(numbers[1])
    if not numbers.all() or not found.sums[:, 1].sum():
        return inside.Effect(n_small=n_small, n_large=n_large)
    small, large = (found.sums.sum(axis=0) / numbers).tolist()
    means = unrolled.bootstrap(found.sums, found.counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = unrolled.bounds(means[:, 0] / means[:, 1])
    return inside.Effect(
        n_small=n_small, n_large=n_large, small=small, large=large,
        ratio=small / large, low=low, high=high,
    )  # fmt: skip


def rows_of(
    measured: Mapping[tuple[str, int], Measured], first_seed: int
) -> Iterator[inside.GateRow]:
    """Yields all rows, by cell and seed, with the drawings of the first seed."""
    for (cell, seed), one in measured.items():
        yield from _unit_rows(cell, seed, one.summary)
        if seed == first_seed:
            yield from _token_rows(cell, seed, one)


def _unit_rows(cell: str, seed: int, one: Summary) -> Iterator[inside.GateRow]:
    row = functools.partial(inside.GateRow, cell=cell, seed=seed)
    for gate, units in one.units.items():
        columns = (column.tolist() for column in (units.mean, units.low, units.high))
        for unit, (mean, low, high) in enumerate(zip(*columns, strict=True)):
            yield row(part="unit", gate=gate, unit=unit, value=mean, low=low, high=high)
    if one.half_lives is not None:
        for unit, value in enumerate(one.half_lives.tolist()):
            yield row(part="half-life", unit=unit, value=value)
    for gate, bins in one.bins.items():
        for place, (count, mean) in enumerate(bins):
            value = mean if count else None
            yield row(part="bin", gate=gate, position=place, value=value, count=count)


def _token_rows(cell: str, seed: int, one: Measured) -> Iterator[inside.GateRow]:
    for text, drawing in enumerate(one.drawn):
        for gate, values in drawing.values.items():
            for position, token in enumerate(drawing.tokens):
                for place, unit in enumerate(one.chosen):
                    value = round(float(values[position, place]), 4)
                    yield inside.GateRow(
                        part="token", cell=cell, seed=seed, gate=gate, unit=unit,
                        text=text, position=position, token=token, value=value,
                    )  # fmt: skip
