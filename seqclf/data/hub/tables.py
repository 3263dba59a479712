"""From the tables that the `datasets` library made to `Found`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from seqclf.data.dataset import SPLIT_NAMES, TRAIN, Found, Part
from seqclf.data.hub.names import NO_HINTS, HubName
from seqclf.errors import DataError

Features = Mapping[str, Any]  # the columns, as the library describes them
Tables = Mapping[str, list[pa.Table]]


def found_of(
    tables: Tables,
    features: Features,
    *,
    place: str,
    name: str,
    source: str,
    hints: HubName = NO_HINTS,
    revision: str | None = None,
    notes: tuple[str, ...] = (),
) -> Found:
    """Puts tables, by the names that a data set gives its splits, under those of here.

    `tables` are by the names that the data set gives its splits, `features` its
    columns; `place` is what messages call it, `name` its short name, for runs, and
    `source` says where it came from. `hints` are columns that it has, if the table of
    short names is right; `revision` is the commit that was loaded.

    Raises:
      DataError: If it has no train split; those it has are listed.
    """
    from datasets import ClassLabel

    parts: dict[str, list[Part]] = {}
    for split, pieces in tables.items():
        if split.lower() in SPLIT_NAMES:
            where = f"{place}, split {split}"
            rows = parts.setdefault(SPLIT_NAMES[split.lower()], [])
            rows.extend(Part(where, piece) for piece in pieces)
    if TRAIN not in parts:
        raise DataError(
            f"{place} has no train split, only {', '.join(tables) or 'none at all'}. "
            f"Another --subset or --revision may have one."
        )
    left = [split for split in tables if split.lower() not in SPLIT_NAMES]
    if left:
        notes = (*notes, f"splits of {place} that were left out: {', '.join(left)}.")
    return Found(
        name=name,
        source=source,
        parts=parts,
        label_names={
            column: tuple(inner.names)
            for column, feature in features.items()
            # Of a list, what is in it: a text may have several labels.
            if isinstance(inner := getattr(feature, "feature", feature), ClassLabel)
            and inner.names
        },
        text_column=_if_there(hints.text_column, features),
        label_column=_if_there(hints.label_column, features),
        revision=revision,
        notes=notes,
    )


def _if_there(columns: str | None, features: Features) -> str | None:
    there = columns and all(column in features for column in columns.split(","))
    return columns if there else None
