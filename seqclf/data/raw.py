"""From what a source holds to texts and label ids."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data.columns import checked_texts
from seqclf.data.dataset import NO_LABEL, SCHEMA, TRAIN, UNLABELED, Found, RawData
from seqclf.data.labels import ids_of, labels_of
from seqclf.data.relabel import without_doubles, without_rare


def to_raw(found: Found, config: DataConfig) -> RawData:
    """Finds the text and label columns and turns labels into ids.

    Labels are named by what the source says of its ids (`labels.json`, a ClassLabel,
    a column `<label>_text`), else by their values: numbers in their order, names in
    alphabetical order. The config says what becomes of missing labels, of those that
    are spelled in several ways, and of rare ones.

    Raises:
      DataError: If a column is missing or of the wrong kind, or a text or label is.
    """
    text_column, label_column = str(found.text_column), str(found.label_column)
    texts = {
        split: [checked_texts(part, text_column) for part in parts]
        for split, parts in found.parts.items()
    }
    labels = labels_of(found, label_column, config)
    splits = {}
    for split in found.parts:
        tables = []
        for index, of_part in enumerate(texts[split]):
            if split == UNLABELED:
                ids = pa.chunked_array([pa.repeat(NO_LABEL, len(of_part))])
            else:
                ids = ids_of(labels.columns[split][index], labels.names)
            table = pa.table([of_part, ids.cast(pa.int32())], schema=SCHEMA)
            tables.append(table.filter(pc.is_valid(ids)) if ids.null_count else table)
        splits[split] = pa.concat_tables(tables)
    raw = RawData(
        name=found.name,
        splits=splits,
        labels=labels.names,
        source=found.source,
        revision=found.revision,
        notes=found.notes + labels.notes,
        reading=dataclasses.replace(
            found.reading, text_column=text_column, label_column=label_column
        ),
    )
    raw = without_doubles(raw, config.merge_labels)
    if config.min_per_label is not None:
        raw = without_rare(raw, config.min_per_label, config.other)
    return _without_emptied(raw, found)


def _without_emptied(raw: RawData, found: Found) -> RawData:
    """Takes out the splits beside train whose rows were all left out."""
    emptied = [
        split
        for split, table in raw.splits.items()
        if split != TRAIN
        and not table.num_rows
        and any(part.table.num_rows for part in found.parts[split])
    ]
    if not emptied:
        return raw
    splits = {s: table for s, table in raw.splits.items() if s not in emptied}
    said = f"no row is left of {' and '.join(emptied)}."
    return dataclasses.replace(raw, splits=splits).noted(said)
