"""From label columns to label ids, and what the ids are called."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.columns import (
    FEWEST_FOR_A_GUESS,
    all_match,
    column_of,
    columns_hint,
    existing_name,
    refuse_missing,
)
from seqclf.data.dataset import NO_LABEL, TRAIN, UNLABELED, Found, Part
from seqclf.errors import DataError, unknown

LABELS_FILE = "labels.json"
NAMES_SUFFIX = "_text"  # label_text beside label names its ids, as many do on the Hub
INTEGER = r"^-?\d{1,9}$"


def read_label_names(folder: Path, found: Found) -> Found:
    """Adds the names in `labels.json`, if there is one, for every column of ids.

    Raises:
      DataError: If it is no list of different names.
    """
    file = folder / LABELS_FILE
    if not file.exists():
        return found
    try:
        names = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file} could not be read: {error}") from error
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise DataError(f"{file} must be a list of label names, one for each label id.")
    if len(set(names)) < len(names):
        raise DataError(f"{file} names a label twice.")
    columns = {
        column
        for parts in found.parts.values()
        for part in parts
        for column in part.table.column_names
    }
    return dataclasses.replace(found, label_names=dict.fromkeys(columns, tuple(names)))


# From a split's name to its parts' labels: names, or ids as digits, without nulls.
_LabelColumns = Mapping[str, Sequence[pa.ChunkedArray]]


def labels_of(found: Found, given: str) -> tuple[_LabelColumns, tuple[str, ...]]:
    """Returns the labels as they stand, and the names of all label ids in order."""
    labelled = {s: parts for s, parts in found.parts.items() if s != UNLABELED}
    names = {
        s: [existing_name(p, given, "label") for p in labelled[s]] for s in labelled
    }
    columns = {
        split: [
            _label_column(part, name)
            for part, name in zip(parts, names[split], strict=True)
        ]
        for split, parts in labelled.items()
    }
    known = found.label_names.get(names[TRAIN][0])
    _refuse_hidden(labelled, columns, is_known=known is not None)
    if known is not None:
        return columns, known
    named = _named_beside(labelled, names)
    if named is not None:
        return named
    values = {v for parts in columns.values() for c in parts for v in _distinct(c)}
    _refuse_text(found.parts[TRAIN][0], names[TRAIN][0], columns[TRAIN])
    return columns, tuple(sorted(values, key=_label_order))


def _label_column(part: Part, name: str) -> pa.ChunkedArray:
    """Returns labels as strings; an empty one counts as missing."""
    column = column_of(part, name)
    if pa.types.is_nested(column.type):
        raise DataError(
            f"{part.place}: a label must be one value, column {name!r} holds lists."
        )
    labels = column.cast(pa.string())
    empty = pc.equal(pc.utf8_trim_whitespace(labels), "")
    labels = pc.if_else(empty, None, labels)
    refuse_missing(labels, "a label", part)
    broken = pc.match_substring_regex(labels, r"[\r\n]")
    if pc.any(broken).as_py():
        row = part.row(pc.index(broken, True).as_py())
        raise DataError(f"{part.place}, row {row:,}: a label with a line break in it.")
    return labels


def _distinct(column: pa.ChunkedArray) -> list[str]:
    return list(column.unique().to_pylist())


def _label_order(name: str) -> tuple[bool, float, str]:
    try:
        return (False, float(name), name)
    except ValueError:
        return (True, 0.0, name)


def _refuse_hidden(
    labelled: Mapping[str, Sequence[Part]], columns: _LabelColumns, is_known: bool
) -> None:
    """Refuses -1 for a label that the makers keep to themselves.

    Where nothing names the ids, -1 may be a label like others, unless a split beside
    train has nothing else.
    """
    hidden = str(NO_LABEL)
    in_train = any(hidden in _distinct(column) for column in columns[TRAIN])
    for split, parts in labelled.items():
        for part, column in zip(parts, columns[split], strict=True):
            distinct = _distinct(column)
            only = distinct == [hidden] and not in_train
            if hidden in distinct and (is_known or only):
                count = pc.sum(pc.equal(column, hidden)).as_py()
                raise DataError(
                    f"{part.place}: the labels of {count:,} of {len(column):,} rows "
                    f"are hidden (-1), so they cannot be scored. Take a copy of the "
                    f"data set with all labels, or save the labelled rows as files of "
                    f"your own: train.csv and, if you like, test.csv in a folder."
                )


def _named_beside(
    labelled: Mapping[str, Sequence[Part]], names: Mapping[str, Sequence[str]]
) -> tuple[_LabelColumns, tuple[str, ...]] | None:
    """Takes the names of integer ids from a column such as `label_text`, if there."""
    ids: dict[str, int] = {}
    columns: dict[str, list[pa.ChunkedArray]] = {}
    for split, parts in labelled.items():
        columns[split] = []
        for part, name in zip(parts, names[split], strict=True):
            beside = name + NAMES_SUFFIX
            is_integer = pa.types.is_integer(part.table[name].type)
            if not is_integer or beside not in part.table.column_names:
                return None
            columns[split].append(_label_column(part, beside))
            pairs = pa.table({"id": part.table[name], "name": columns[split][-1]})
            for pair in pairs.group_by(["id", "name"]).aggregate([]).to_pylist():
                if ids.setdefault(pair["name"], pair["id"]) != pair["id"]:
                    return None  # not a name of the id, but something else
    if len(set(ids.values())) < len(ids):
        return None
    return columns, tuple(sorted(ids, key=ids.__getitem__))


def _refuse_text(part: Part, name: str, columns: Sequence[pa.ChunkedArray]) -> None:
    """Refuses a label column with about as many values as rows."""
    column = pa.chunked_array([chunk for c in columns for chunk in c.chunks])
    count = pc.count_distinct(column).as_py()
    if count >= FEWEST_FOR_A_GUESS and 2 * count >= len(column):
        raise DataError(
            f"{part.place}: column {name!r} has {count:,} different values in "
            f"{len(column):,} rows, such as {_short(column[0].as_py())}; labels have "
            f"few. {columns_hint(part, 'label')}"
        )


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:39] + "…")


def ids_of(
    column: pa.ChunkedArray, labels: tuple[str, ...], part: Part
) -> pa.ChunkedArray:
    """Turns label names, or ids where something names them, into int32 ids."""
    ids = pc.index_in(column, pa.array(labels, pa.string()))
    if ids.null_count == len(ids) and all_match(column, INTEGER):
        ids = column.cast(pa.int32())
        if pc.min(ids).as_py() < 0 or pc.max(ids).as_py() >= len(labels):
            outside = pc.or_(pc.less(ids, 0), pc.greater_equal(ids, len(labels)))
            row = pc.index(outside, True).as_py()
            raise DataError(
                f"{part.place}, row {part.row(row):,}: label id {ids[row].as_py()} is "
                f"outside 0 to {len(labels) - 1}, the {len(labels)} labels that have "
                f"names."
            )
    if ids.null_count:
        row = pc.index(pc.is_null(ids), True).as_py()
        raise DataError(
            f"{part.place}, row {part.row(row):,}: "
            f"{unknown('label', column[row].as_py(), labels)}"
        )
    return ids
