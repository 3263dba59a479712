"""What kinds of value the columns of JSON Lines hold, found a line at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from seqclf.data.formats.json_files import Row
from seqclf.errors import DataError

STRING, BOOLEAN, INTEGER, NUMBER = "a string", "a boolean", "an integer", "a number"
LIST, OBJECT = "a list", "an object"
TYPES = {STRING: pa.string(), BOOLEAN: pa.bool_(), INTEGER: pa.int64()}
TYPES |= {NUMBER: pa.float64()}


def kind_of(value: object) -> str | None:
    """Returns the kind of a JSON value, in words; None of null."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return INTEGER if -(1 << 63) <= value < 1 << 63 else NUMBER
    kinds = {str: STRING, bool: BOOLEAN, float: NUMBER, list: LIST, dict: OBJECT}
    return kinds[type(value)]


class Kinds:
    """The columns of lines and the kinds of their values."""

    def __init__(self) -> None:
        # For each column, its kinds and where each was seen first.
        self._first: dict[str, dict[str, str]] = {}
        self._nested: dict[str, pa.DataType] = {}

    @property
    def names(self) -> list[str]:
        """The columns, in the order of their first appearance."""
        return list(self._first)

    def add(self, row: Row, at: str) -> None:
        """Takes a line into account; `at` says where it is, for messages.

        Raises:
          DataError: If values within lists or objects are of several kinds.
        """
        for name, value in row.items():
            kinds = self._first.setdefault(name, {})
            kind = kind_of(value)
            if kind is not None:
                kinds.setdefault(kind, at)
            if kind in (LIST, OBJECT):
                self._widen(name, value, at)

    def are_mixed(self, names: Collection[str]) -> bool:
        """Tells whether one of the columns has values of several kinds."""
        return any(len(self._first[name]) > 1 for name in names)

    def schema(self, texts: Collection[str]) -> pa.Schema:
        """Returns the columns with their types.

        Those of `texts` are string if one value of them is.

        Raises:
          DataError: If another column is of several kinds; names two lines.
        """
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

    def _widen(self, name: str, value: Any, at: str) -> None:
        """Widens the type of a column of lists or objects, so that it takes a value."""
        try:
            found = pa.array([value]).type
            known = self._nested.setdefault(name, found)
            if found != known:
                both = [pa.schema([(name, kind)]) for kind in (known, found)]
                wider = pa.unify_schemas(both, promote_options="permissive")
                self._nested[name] = wider.field(0).type
        except (pa.ArrowException, OverflowError) as error:
            raise DataError(
                f"{at}: within {name!r} values are of several kinds ({error})."
            ) from error
