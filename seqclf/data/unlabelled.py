"""Test splits that come without their labels, as those of competitions do."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.columns import actual_name, column_of
from seqclf.data.dataset import NO_LABEL, TEST, TRAIN, VALIDATION, Found, Part


def without_unlabelled(found: Found) -> Found:
    """Leaves aside test and validation splits that have no labels at all, and says so.

    They cannot be scored, and their texts are not trained on either; such a split is
    held out of train instead.
    """
    label = str(found.label_column)
    trained = [_values(part, label) for part in found.parts[TRAIN]]
    hides = any(str(NO_LABEL) in one.to_pylist() for one in trained)
    parts, notes = dict(found.parts), []
    for split in (TEST, VALIDATION):
        some = parts.get(split, [])
        if some and all(_is_unlabelled(part, label, hides) for part in some):
            del parts[split]
            notes.append(_told(some[0], split, label))
    return dataclasses.replace(found, parts=parts).noted(*notes)


def _values(part: Part, label: str) -> pa.Array:
    """Returns the different labels of a part, as strings."""
    name = actual_name(part, label)
    if name is None:
        return pa.array([], pa.string())
    column = column_of(part, name)
    if pa.types.is_nested(column.type):
        return pa.array(["lists"])  # whoever takes them for labels says so
    return column.unique().cast(pa.string())


def _is_unlabelled(part: Part, label: str, hides: bool) -> bool:
    """Tells whether no row has a label: no column, nothing in it, or -1 throughout.

    Where train has a label -1 (`hides`), it is a label here too.
    """
    values = pc.utf8_trim_whitespace(_values(part, label).drop_null()).to_pylist()
    return set(values) <= ({""} if hides else {"", str(NO_LABEL)})


def _told(part: Part, split: str, label: str) -> str:
    file = shlex.quote(part.place)
    then = (
        f" To label it after a training: seqclf predict --input {file} --output "
        f"predictions.csv"
        if Path(part.place).is_file()
        else ""
    )
    return (
        f"{part.place} has no labels (column {label!r}), so it cannot be scored: left "
        f"aside, and a {split} split is held out of train instead.{then}"
    )
