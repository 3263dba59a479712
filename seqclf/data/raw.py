"""From what a source holds to texts and label ids; without what has no labels."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data import dataset
from seqclf.data.columns import actual_name, checked_texts, column_of, has_column
from seqclf.data.dataset import TEST, TRAIN, UNLABELED, VALIDATION, Found, Part, RawData
from seqclf.data.label_lists import has_several, several_labels
from seqclf.data.labels import labels_of
from seqclf.data.relabel import without_doubles, without_empty_sets, without_rare
from seqclf.records.reading import NOTHING_SAID, Reading


def to_raw(found: Found, config: DataConfig, usual: Reading = NOTHING_SAID) -> RawData:
    """Finds the text and label columns and turns labels into ids.

    Labels are named by what the source says of its ids (`labels.json`, a ClassLabel,
    a column `<label>_text`), else by their values: numbers in their order, names in
    alphabetical order. The config says what becomes of missing labels, of those that
    are spelled in several ways, and of rare ones; `usual` how a training read its
    files, which counts where the config does not say what separates several labels.

    Raises:
      DataError: If a column is missing or of the wrong kind, or a text or label is.
    """
    text_column, label_column = str(found.text_column), str(found.label_column)
    texts = {
        split: [checked_texts(part, text_column) for part in parts]
        for split, parts in found.parts.items()
    }
    separator = _separator(
        found, label_column, config.labels_separator, usual.labels_separator
    )
    is_known, drop = bool(usual.has_several), config.drop_unlabeled
    if has_several(found, label_column, separator) or is_known:
        asked = (found, label_column, separator, drop, is_known)
        labels = several_labels(*asked)
    else:
        labels = labels_of(found, label_column, config)
    splits = {}
    for split in found.parts:
        tables = []
        for index, of_part in enumerate(texts[split]):
            if split == UNLABELED:
                ids = pa.chunked_array([pa.repeat(dataset.NO_LABEL, len(of_part))])
            else:
                ids = labels.ids[split][index]
            tables.append(_table(of_part, ids, found.parts[split][index]))
        splits[split] = pa.concat_tables(tables)
    raw = RawData(
        name=found.name,
        splits=splits,
        labels=labels.names,
        label_sets=labels.label_sets,
        source=found.source,
        revision=found.revision,
        notes=found.notes + labels.notes,
        reading=dataclasses.replace(
            found.reading,
            text_column=text_column,
            label_column=label_column,
            labels_separator=separator,
            has_several=None if labels.label_sets is None else True,
        ),
    )
    raw = without_doubles(raw, config.merge_labels)
    if config.min_per_label is not None:
        raw = without_rare(raw, config.min_per_label, config.other)
    if drop and raw.label_sets is not None:
        raw = without_empty_sets(raw)
    return _without_emptied(raw, found)


def _separator(
    found: Found, label_column: str, given: str | None, usual: str | None
) -> str | None:
    """Returns what separates labels: as given, else as in training, if it is there."""
    part = found.parts[TRAIN][0]
    name = actual_name(part, label_column)
    if given is not None or usual is None or name is None:
        return given
    column = column_of(part, name)
    is_text = pa.types.is_string(column.type)
    is_there = is_text and pc.any(pc.match_substring(column, usual)).as_py()
    return usual if is_there else None


def _table(texts: pa.ChunkedArray, ids: pa.ChunkedArray, part: Part) -> pa.Table:
    """Returns the rows that have a label id, as `RawData.splits` has them."""
    table = pa.table([texts, ids.cast(pa.int32())], schema=dataset.schema())
    if part.groups is not None:
        table = table.append_column(dataset.GROUP, pa.array(part.groups))
    if part.first is not None:
        origins = np.arange(part.first, part.first + len(texts))
        table = table.append_column(dataset.ORIGIN, pa.array(origins))
    return table.filter(pc.is_valid(ids)) if ids.null_count else table


def _without_emptied(raw: RawData, found: Found) -> RawData:
    """Takes out the splits beside train whose rows were all left out."""
    had_rows = {
        s for s, some in found.parts.items() if any(p.table.num_rows for p in some)
    }
    empty = [s for s, table in raw.splits.items() if not table.num_rows]
    gone = [split for split in empty if split != TRAIN and split in had_rows]
    if not gone:
        return raw
    splits = {s: table for s, table in raw.splits.items() if s not in gone}
    said = f"no row is left of {' and '.join(gone)}."
    return dataclasses.replace(raw, splits=splits).noted(said)


def without_unlabelled(found: Found) -> Found:
    """Leaves aside test and validation splits that have no labels at all, and says so.

    They cannot be scored, and their texts are not trained on either; such a split is
    held out of train instead.
    """
    label = str(found.label_column)
    trained = [_values(part, label) for part in found.parts[TRAIN]]
    hides = any(str(dataset.NO_LABEL) in one.to_pylist() for one in trained)
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
        several = "," in label and has_column(part, label)
        return pa.array(["lists"] if several else [], pa.string())
    column = column_of(part, name)
    if pa.types.is_nested(column.type):
        return pa.array(["lists"])  # whoever takes them for labels says so
    return column.unique().cast(pa.string())


def _is_unlabelled(part: Part, label: str, hides: bool) -> bool:
    """Tells whether no row has a label: no column, nothing in it, or -1 throughout.

    Where train has a label -1 (`hides`), it is a label here too.
    """
    values = pc.utf8_trim_whitespace(_values(part, label).drop_null()).to_pylist()
    return set(values) <= ({""} if hides else {"", str(dataset.NO_LABEL)})


def _told(part: Part, split: str, label: str) -> str:
    said = (
        f"{part.place} has no labels (column {label!r}), so it cannot be scored: left "
        f"aside, and a {split} split is held out of train instead."
    )
    if Path(part.place).is_file():
        said += " To label it after a training: seqclf predict --input "
        said += f"{shlex.quote(part.place)} --output predictions.csv"
    return said
