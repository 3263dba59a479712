"""Rows that belong together: which they are, and whole groups to hold out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data import names
from seqclf.data.columns import actual_name, column_of
from seqclf.data.dataset import NO_GROUP, TRAIN, Found, Part, numbered
from seqclf.data.names import LABEL, TEXT
from seqclf.errors import ConfigError, DataError, unknown

LEAST = 1e-9  # less of a chi-square is rounding, and could go to and fro for ever


def with_groups(found: Found, config: DataConfig) -> Found:
    """Takes the group column, if one is named, out of the tables, as `Part.groups`.

    So nobody takes it for texts or labels. A note counts the rows without a value.

    Raises:
      ConfigError: If it is the column of texts or labels.
      DataError: If train has no such column, or it has several values a row.
    """
    given = config.group_column
    if given is None:
        return found
    _refuse_other_use(found, config, given)
    # In the order of the splits' names, whatever the order of files.
    every = sorted(found.parts.items())
    rows = [(split, part) for split, parts in every for part in parts]
    columns = [_values(part, given, split) for split, part in rows]
    values = pa.chunked_array([c for one in columns for c in one.chunks], pa.string())
    each = np.split(group_ids(values), np.cumsum([len(one) for one in columns])[:-1])
    taken: dict[str, list[Part]] = {split: [] for split in found.parts}
    for (split, part), ids in zip(rows, each, strict=True):
        taken[split].append(_set_aside(part, given, ids))
    found = dataclasses.replace(found, parts=taken)
    lone = values.null_count
    said = f"{lone:,} of {len(values):,} rows have no {given!r}: each is its own group."
    return found.noted(said) if lone else found


def _refuse_other_use(found: Found, config: DataConfig, given: str) -> None:
    there = found.parts[TRAIN][0].table.column_names
    for kind in (TEXT, LABEL):
        field = f"{kind}_column"
        other = getattr(config, field) or getattr(found, field) or kind
        if names.plain(given) in map(names.plain, names.parts_of(other, there)):
            raise ConfigError(
                f"--group-column {given!r} is the column of {kind}s; name one that "
                f"says which rows belong together, or another --{kind}-column."
            )


def _values(part: Part, given: str, split: str) -> pa.ChunkedArray:
    """Returns the group names of a part; none if it is not train and has no column."""
    name = actual_name(part, given)
    if name is not None:
        return group_names(column_of(part, name), f"{part.place}: column {name!r}")
    if split != TRAIN:
        return pa.chunked_array([], pa.string())
    there = part.table.column_names
    if set(there) <= {TEXT, LABEL}:
        raise DataError(
            f"{part.place} has texts and labels alone, and no column {given!r}; leave "
            f"--group-column out, or give a file that says which rows belong together."
        )
    raise DataError(
        f"{part.place}: {unknown('column', given, there)} --group-column names the one "
        f"that says which rows belong together."
    )


def group_names(column: pa.ChunkedArray, place: str) -> pa.ChunkedArray:
    """Returns values of any plain type as string, without white space around them.

    Null where there is none. `place` is what messages call the column.

    Raises:
      DataError: If a row has several values.
    """
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    try:
        stripped = pc.utf8_trim_whitespace(column.cast(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{place} holds {column.type}; the group of a row must be one value, a "
            f"string or a number."
        ) from error
    return pc.if_else(pc.equal(stripped, ""), pa.scalar(None, pa.string()), stripped)


def group_ids(values: pa.ChunkedArray) -> np.ndarray:
    """Numbers groups by their names, string [rows]; a null is a group of its own.

    Returns:
      int32 [rows], from 0 on.
    """
    known = values.unique().drop_null()
    found = pc.index_in(values, value_set=known)
    ids = pc.fill_null(found, NO_GROUP).to_numpy().copy()
    lone = np.flatnonzero(ids == NO_GROUP)
    ids[lone] = len(known) + np.arange(len(lone))
    return ids


def _set_aside(part: Part, given: str, ids: np.ndarray) -> Part:
    """Returns a part without its group column, but with the groups of its rows."""
    name = actual_name(part, given)
    if name is None:
        nothing = np.full(part.table.num_rows, NO_GROUP, np.int32)
        return dataclasses.replace(part, groups=nothing)
    table = part.table.drop_columns([name])
    return dataclasses.replace(part, table=table, groups=ids)


def whole_groups(
    label_ids: np.ndarray, groups: np.ndarray, fraction: float, seed: int
) -> np.ndarray:
    """Draws groups that have about a fraction of the rows, and of those of each label.

    From groups in a random order, one is taken, or given back, if that brings the
    counts of labels nearer to what is wanted, by chi-square, until none does. (The
    folds of scikit-learn's StratifiedGroupKFold have no other fractions than 1/2, 1/3,
    ...) None is taken with the last rows of a label, nor beyond half of the rows,
    unless more was asked for. If all that could be are too large, the nearest is taken.

    Args:
      label_ids: int [rows].
      groups: int [rows]; which numbers they are does not matter.
      fraction: In (0, 1).
      seed: Of the order.

    Returns:
      The rows drawn, int64, ascending; none if no group can be taken.
    """
    groups = numbered(groups)
    draw = _Draw(label_ids, groups, fraction)
    order = np.random.default_rng(seed).permutation(len(draw.tallies)).tolist()
    while sum(draw.moves(group) for group in order):
        pass
    could = [] if draw.taken else filter(draw.can_take, order)
    drawn = draw.taken or sorted(could, key=draw.cost)[:1]
    return np.flatnonzero(np.isin(groups, list(drawn)))


_Tally = list[tuple[int, int]]  # the labels of a group, each with its rows


def _tallies(label_ids: np.ndarray, groups: np.ndarray, labels: int) -> list[_Tally]:
    """Returns the tally of each group, 0, 1, 2, ...; a matrix might be too large."""
    pairs, counts = np.unique(groups * labels + label_ids, return_counts=True)
    tallies: list[_Tally] = [[] for _ in range(int(groups.max()) + 1)]
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        tallies[pair // labels].append((pair % labels, count))
    return tallies


class _Draw:
    """Groups held out so far; plain numbers, for there may be very many groups."""

    def __init__(
        self, label_ids: np.ndarray, groups: np.ndarray, fraction: float
    ) -> None:
        self.totals = np.bincount(label_ids).tolist()
        self.tallies = _tallies(label_ids, groups, len(self.totals))
        self.wanted = [fraction * total for total in self.totals]
        self.held = [0] * len(self.totals)
        self.most = max(len(groups) / 2, round(len(groups) * fraction))
        self.taken: set[int] = set()

    def can_take(self, group: int) -> bool:
        """Tells whether each label, and half of all rows, stay in train."""
        tally = self.tallies[group]
        if sum(self.held) + sum(n for _, n in tally) > self.most:
            return False
        return all(self.held[label] + n < self.totals[label] for label, n in tally)

    def cost(self, group: int, sign: int = 1) -> float:
        """Returns by how much taking it, or -1 times it, raises the chi-square."""
        cost = 0.0
        for label, n in self.tallies[group]:
            wanted = self.wanted[label]
            cost += n * (n + 2 * sign * (self.held[label] - wanted)) / wanted
        return cost

    def moves(self, group: int) -> bool:
        """Takes a group, or gives it back, if it may and that lowers the chi-square."""
        sign = -1 if group in self.taken else 1
        if self.cost(group, sign) > -LEAST or (sign > 0 and not self.can_take(group)):
            return False
        for label, n in self.tallies[group]:
            self.held[label] += sign * n
        self.taken ^= {group}
        return True
