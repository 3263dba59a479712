"""The names of label ids, where a folder gives them in `labels.json`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from seqclf.data.dataset import Found
from seqclf.errors import DataError

LABELS_FILE = "labels.json"


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
