"""What a source calls its label ids, and the ids of labels."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data import spelling
from seqclf.data.columns import all_match, first_row
from seqclf.data.dataset import Found
from seqclf.data.label_columns import BROKEN, LabelColumn
from seqclf.errors import DataError, unknown

LABELS_FILE = "labels.json"
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
    for position, name in enumerate(names, 1):
        if not name.strip() or re.search(BROKEN, name):
            raise DataError(
                f"{file}, label {position}: {spelling.quoted(name)} is no name; give "
                f"it one of at least a letter, on one line."
            )
    parts = itertools.chain(*found.parts.values())
    columns = [column for part in parts for column in part.table.column_names]
    return dataclasses.replace(found, label_names=dict.fromkeys(columns, tuple(names)))


def ids_of(column: LabelColumn, labels: tuple[str, ...]) -> pa.ChunkedArray:
    """Turns label names, or ids where something names them, into int32 ids.

    Where a label is null its id is null too.

    Raises:
      DataError: If there is no such label.
    """
    values, part = column.values, column.part
    ids = pc.index_in(values, pa.array(labels, pa.string()))
    if ids.null_count == len(ids) and all_match(values, INTEGER):
        ids = values.cast(pa.int32())
        outside = pc.or_(pc.less(ids, 0), pc.greater_equal(ids, len(labels)))
        if pc.any(outside).as_py():
            raise DataError(
                f"{part.place}, row {first_row(part, outside):,}: label id "
                f"{ids.filter(outside)[0]} is outside 0 to {len(labels) - 1}, the "
                f"{len(labels)} labels that have names."
            )
    if ids.null_count > values.null_count:
        strange = pc.and_(pc.is_null(ids), pc.is_valid(values))
        name = values.filter(strange)[0].as_py()
        raise DataError(
            f"{part.place}, row {first_row(part, strange):,}: "
            f"{unknown('label', name, labels)}{remedy(name, labels)}"
        )
    return ids


def remedy(name: str, labels: Iterable[str]) -> str:
    """Says which option helps with a label that is not among others, if one does."""
    for known in labels:
        if spelling.key(known) == spelling.key(name):
            both = f"{spelling.quoted(name)} and {spelling.quoted(known)}"
            how = spelling.difference((known, name))
            return f" {both} differ only by {how}: --merge-labels takes them for one."
    if spelling.looks_missing(name):
        return f" {name!r} looks missing: --drop-unlabeled leaves such rows out."
    return ""
