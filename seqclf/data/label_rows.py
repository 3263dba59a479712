"""The labels of each row, where a text may have several, however they are written."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from seqclf.data import spelling
from seqclf.data.columns import (
    actual_name,
    column_of,
    columns_hint,
    existing_name,
    is_double,
)
from seqclf.data.dataset import Part
from seqclf.data.formats.json_files import is_scores
from seqclf.data.label_columns import BROKEN, accepted, accepted_rows
from seqclf.data.names import LABEL
from seqclf.errors import DataError
from seqclf.records.reading import split_names
from seqclf.wording import counted

SEPARATOR_OPTION = "--labels-separator"
YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
QUOTES = "'\" "  # around the names in a list that was written as text
BROKEN_NAME = re.compile(BROKEN)
Names = tuple[str, ...]  # the labels of a text, as they came


def columns_in(part: Part, given: str) -> list[str]:
    """Returns the columns that `given` names, where they are several; else none."""
    if actual_name(part, given) is not None or "," not in given:
        return []
    return [existing_name(part, name, LABEL) for name in split_names(given)]


def lists_of(part: Part, name: str) -> pa.ChunkedArray:
    """Returns a label column whose lists are not yet taken for what is in them."""
    column = part.table[name] if not is_double(part, name) else column_of(part, name)
    is_plain = is_list(column.type) or is_scores(column.type)
    return accepted_rows(part, name, column) if is_plain else accepted(part, name)


def is_list(kind: pa.DataType) -> bool:
    """Tells whether values of a type are lists, of any kind."""
    tests = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    return any(test(kind) for test in tests)


@dataclass(slots=True)
class Reader:
    """Reads the labels of parts, and counts what is to be told.

    Attributes:
      given: The column, or several.
      separator: What stands between names.
      drop: Whether what is missing, or looks so, counts as no label.
      empty: Texts without a label.
      twice: Texts that have a label twice.
      separated: Texts with several names that the separator took apart.
    """

    given: str
    separator: str | None
    drop: bool = False
    empty: int = 0
    twice: int = 0
    separated: int = 0

    def rows(self, part: Part) -> list[Names]:
        """Returns the labels of each row of a part.

        Raises:
          DataError: Names the first row with what is no label.
        """
        rows = []
        for index, read in enumerate(self._read(part)):
            names = read
            if self.drop:
                named = read or ()
                names = tuple(n for n in named if not spelling.looks_missing(n))
            if names is None:
                raise DataError(
                    f"{part.place}, row {part.row(index):,} has no list of labels; "
                    f"write an empty one, [], if it has no label, or take it out."
                )
            for name in names:
                if not name.strip() or BROKEN_NAME.search(name):
                    raise DataError(
                        f"{part.place}, row {part.row(index):,}: "
                        f"{spelling.quoted(name)} is no label; give it a letter at "
                        f"least, on one line."
                    )
            self.empty += not names
            self.twice += len(set(names)) < len(names)
            rows.append(names)
        return rows

    def _read(self, part: Part) -> Iterator[Names | None]:
        if columns := columns_in(part, self.given):
            return _of_columns(part, columns)
        name = existing_name(part, self.given, LABEL)
        column = lists_of(part, name)
        if is_scores(column.type):
            return _of_scores(column, part, name)
        if is_list(column.type):
            return _of_lists(column, part, name)
        values = [(v or "").strip() for v in column.cast(pa.string()).to_pylist()]
        if self.separator is None:  # a label each, where other parts have lists
            return ((value,) if value else () for value in values)
        return self._separated(values)

    def _separated(self, values: Sequence[str]) -> Iterator[Names]:
        # Either the column was written as lists, or a bracket belongs to a name.
        as_lists = all(v.startswith("[") and v.endswith("]") for v in values if v)
        for value in values:
            names = separated(value, str(self.separator), as_lists)
            self.separated += len(names) > 1
            yield names

    def notes(self) -> Iterator[str]:
        """Says what was found."""
        yield "a text may have several labels: each is learnt, and answered, by itself."
        if self.twice:
            yield (
                f"{counted(self.twice, 'text')} had a label twice, which counts once."
            )
        if self.empty and not self.drop:
            yield (
                f"{counted(self.empty, 'text')} without a label: none applies there; "
                f"--drop-unlabeled leaves them out."
            )


def separated(value: str, separator: str, as_list: bool = False) -> Names:
    """Returns the names in `war | comedy`, or in a list that was written as text."""
    if as_list:
        with contextlib.suppress(ValueError, SyntaxError):
            read = ast.literal_eval(value or "[]")
            if isinstance(read, list):
                return tuple(str(name) for name in read)
        value = value[1:-1]  # of another language, or without quotes
    around = QUOTES if as_list else " \t\u00a0"
    names = (part.strip(around) for part in value.split(separator))
    return tuple(name for name in names if name)


def _of_columns(part: Part, columns: Sequence[str]) -> Iterator[Names]:
    """Yields the names of the columns that say yes in each row."""
    flags = [list(_flags(part, name)) for name in columns]
    for row in zip(*flags, strict=True):
        yield tuple(name for name, flag in zip(columns, row, strict=True) if flag)


def _flags(part: Part, name: str) -> Iterator[bool]:
    column = column_of(part, name)
    if pa.types.is_nested(column.type):
        raise DataError(f"{part.place}: {_no_flag(part, name, 'lists')}")
    for index, value in enumerate(column.to_pylist()):
        said = str(value).strip().lower()
        if said not in YES + NO:
            where = f"{part.place}, row {part.row(index):,}"
            raise DataError(f"{where}: {_no_flag(part, name, repr(value))}")
        yield said in YES


def _no_flag(part: Part, name: str, came: str) -> str:
    return (
        f"column {name!r} holds {came}; of several label columns each holds 1 where "
        f"its label applies and 0 where not. Probabilities and counts are to be made "
        f"so first, by a threshold. {columns_hint(part, LABEL)}"
    )


def _of_scores(
    column: pa.ChunkedArray, part: Part, name: str
) -> Iterator[Names | None]:
    """Yields, of objects such as spaCy's `cats`, the labels whose number is 1."""
    for index, row in enumerate(column.to_pylist()):
        if row is None:
            yield None
            continue
        for value in row.values():
            if value not in (None, 0, 1):
                where = f"{part.place}, row {part.row(index):,}"
                raise DataError(f"{where}: {_no_flag(part, name, repr(value))}")
        yield tuple(label for label, number in row.items() if number == 1)


def _of_lists(column: pa.ChunkedArray, part: Part, name: str) -> Iterator[Names | None]:
    inner = column.type.value_type
    if pa.types.is_nested(inner) or pa.types.is_floating(inner):
        raise DataError(
            f"{part.place}: column {name!r} holds lists of {inner}, no labels. "
            f"Probabilities and counts are to be made lists of the labels that apply "
            f"first, by a threshold. {columns_hint(part, LABEL)}"
        )
    rows = column.to_pylist()
    _refuse_vectors(rows, part, name)
    for index, row in enumerate(rows):
        if row is not None and None in row:
            raise DataError(
                f"{part.place}, row {part.row(index):,}: a label in the list is null."
            )
        yield None if row is None else tuple(map(str, row))


def _refuse_vectors(rows: Sequence[list[object] | None], part: Part, name: str) -> None:
    """Refuses lists with a 0 or 1 for each label: nothing says which label is which."""
    known = [row for row in rows if row is not None]
    lengths = {len(row) for row in known}
    values = {str(v) for row in known for v in row}
    if len(lengths) == 1 and max(lengths) > 1 and values <= {"0", "1"}:
        raise DataError(
            f"{part.place}: column {name!r} holds {lengths.pop()} numbers of 0 and 1 a "
            f"row, and nothing says which label each is of. Write the names of those "
            f"that apply as a list, or a column for each label and --label-column "
            f"one,two."
        )
