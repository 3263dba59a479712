"""Rows that know where they are from: split, file, line, and their other columns."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seqclf.data import names
from seqclf.data.columns import column_of, is_double
from seqclf.data.dataset import ORIGIN, TRAIN, Dataset, Part
from seqclf.data.labels import NAMES_SUFFIX

_Parts = Mapping[str, Sequence[Part]]


def number_rows(parts: _Parts) -> dict[str, list[Part]]:
    """Numbers the rows of a source from 0, part behind part, as `Part.first`."""
    first, known = 0, {split: list(some) for split, some in parts.items()}
    for some in known.values():
        for index, part in enumerate(some):
            some[index] = dataclasses.replace(part, first=first)
            first += part.table.num_rows
    return known


def with_origins(part: Part) -> pa.Table:
    """Returns the table of a numbered part with the numbers of its rows, `ORIGIN`."""
    first = part.first or 0
    origins = np.arange(first, first + part.table.num_rows)
    return part.table.append_column(ORIGIN, pa.array(origins))


@dataclass(frozen=True, slots=True)
class Traced:
    """A data set, and where its rows are from.

    Attributes:
      dataset: Its tables have a column `ORIGIN`.
      parts: What the source holds, by its own splits, numbered.
      text_column: The column of texts, or several, separated by commas.
      label_column: The column of labels.
    """

    dataset: Dataset
    parts: _Parts
    text_column: str
    label_column: str

    def origins(self, split: str) -> np.ndarray:
        """Returns the number of each row of a split, int64 [rows]."""
        return self.dataset.splits[split][ORIGIN].to_numpy()

    def place(self, origin: int) -> tuple[str, int]:
        """Returns what messages call the source of a row, and the row's number there.

        That is the line that it begins in, of a text file; the row, from 1, of others.
        """
        part = self._every[bisect.bisect_right(self._firsts, origin) - 1]
        return part.place, part.row(origin - (part.first or 0))

    def sources(self, split: str) -> tuple[str, ...]:
        """Returns what messages call the sources of a split's rows, in their order."""
        found = np.searchsorted(self._firsts, self.origins(split), side="right") - 1
        places = (self._every[index].place for index in np.unique(found).tolist())
        return tuple(dict.fromkeys(places))

    @property
    def _every(self) -> list[Part]:
        return list(itertools.chain(*self.parts.values()))

    @property
    def _firsts(self) -> list[int]:
        return [part.first or 0 for part in self._every]

    def other_columns(self) -> dict[str, pa.ChunkedArray]:
        """Returns the columns that train has beside texts, labels and groups.

        Each has a value for every row of the dataset's train split, null where a file
        has no such column; of their own types where all files agree, else string.
        Nested ones, and of a name that two columns have, are left out.
        """
        some = self.parts[TRAIN]
        there = dict.fromkeys(n for part in some for n in part.table.column_names)
        texts = names.parts_of(self.text_column, list(there))
        label = self.label_column
        used = {*texts, label, label + NAMES_SUFFIX}  # the latter names its numbers
        plain = {names.plain(name) for name in used}
        rows = pa.array(self.origins(TRAIN) - (some[0].first or 0))
        found = {}
        for name in there:
            if names.plain(name) in plain:
                continue
            column = _whole(some, name)
            if column is not None:
                found[name] = column.take(rows)
        return found


def _whole(parts: Sequence[Part], name: str) -> pa.ChunkedArray | None:
    """Returns a column of all parts, one behind the other; None if it is not plain."""
    columns: list[pa.ChunkedArray | None] = []
    for part in parts:
        if is_double(part, name):
            return None
        columns.append(
            column_of(part, name) if name in part.table.column_names else None
        )
    kinds = {column.type for column in columns if column is not None}
    if any(map(pa.types.is_nested, kinds)):
        return None
    kind = kinds.pop() if len(kinds) == 1 else pa.string()
    chunks = []
    for part, column in zip(parts, columns, strict=True):
        if column is None:
            chunks.append(pa.nulls(part.table.num_rows, kind))
        else:
            chunks += column.cast(kind).chunks
    return pa.chunked_array(chunks, kind)
