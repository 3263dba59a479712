"""What kinds of value the columns of JSON Lines hold, found a line at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa

from seqclf.errors import DataError

STRING, BOOLEAN, INTEGER, NUMBER = "a string", "a boolean", "an integer", "a number"
LIST, OBJECT = "a list", "an object"
TYPES = {STRING: pa.string(), BOOLEAN: pa.bool_(), INTEGER: pa.int64()}
TYPES |= {NUMBER: pa.float64()}
NESTED_AT_A_TIME = 1000


def kind_of(value: object) -> str | None:
    """Returns the kind of a JSON value, in words; None of null."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return INTEGER if -(1 << 63) <= value < 1 << 63 else NUMBER
    kinds = {str: STRING, bool: BOOLEAN, float: NUMBER, list: LIST, dict: OBJECT}
    return kinds[type(value)]


class Kinds:
    """The columns of lines and their kinds; holds a few lines at a time."""

    def __init__(self) -> None:
        # For each column, its kinds and where each was seen first.
        self._first: dict[str, dict[str, str]] = {}
        self._nested: dict[str, pa.DataType] = {}
        self._waiting: dict[str, list[Any]] = {}

    @property
    def names(self) -> list[str]:
        """The columns, in the order of their first appearance."""
        return list(self._first)

    def add(self, row: Mapping[str, Any], at: str) -> None:
        """Takes a line into account.

        Args:
          row: Its values by column.
          at: Where it stands, for messages.

        Raises:
          DataError: If values within lists or objects are of several kinds.
        """
        for name, value in row.items():
            kinds = self._first.setdefault(name, {})
            kind = kind_of(value)
            if kind is not None:
                kinds.setdefault(kind, at)
            if kind in (LIST, OBJECT):
                waiting = self._waiting.setdefault(name, [])
                waiting.append(value)
                if len(waiting) == NESTED_AT_A_TIME:
                    self._infer(name, at)

    def are_mixed(self, names: Collection[str]) -> bool:
        """Tells whether one of the columns has values of several kinds."""
        return any(len(self._first[name]) > 1 for name in names)

    def schema(self, texts: Collection[str]) -> pa.Schema:
        """Returns the columns with their types.

        Args:
          texts: The text columns; these are string if one value of them is.

        Raises:
          DataError: If another column is of several kinds; names two lines.
        """
        for name in list(self._waiting):
            self._infer(name, "the last lines")
        return pa.schema([(name, self._type(name, texts)) for name in self._first])

    def _type(self, name: str, texts: Collection[str]) -> pa.DataType:
        kinds = self._first[name]
        if not kinds:
            return pa.string() if name in texts else pa.null()
        if name in texts and STRING in kinds:
            return pa.string()
        if set(kinds) == {INTEGER, NUMBER}:
            return pa.float64()
        if len(kinds) > 1:
            (one, first), (other, here) = list(kinds.items())[:2]
            raise DataError(
                f"{here}: {name!r} is {other} here and {one} in {first}; use one kind."
            )
        kind = next(iter(kinds))
        return self._nested[name] if kind in (LIST, OBJECT) else TYPES[kind]

    def _infer(self, name: str, at: str) -> None:
        """Widens the type of a column of lists or objects by the values that wait."""
        values = self._waiting.pop(name)
        try:
            found = pa.schema([(name, pa.infer_type(values))])
            pa.array(values, found.field(0).type)  # inference lets some slip
            if name in self._nested:
                known = pa.schema([(name, self._nested[name])])
                found = pa.unify_schemas([known, found], promote_options="permissive")
        except (pa.ArrowException, OverflowError) as error:
            raise DataError(
                f"{at} or up to {NESTED_AT_A_TIME:,} lines before: within {name!r} "
                f"values are of several kinds ({error})."
            ) from error
        self._nested[name] = found.field(0).type
