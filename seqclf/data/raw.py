"""From what a source holds to texts and label ids."""

from __future__ import annotations

import dataclasses

import pyarrow as pa

from seqclf.config import DataConfig
from seqclf.data.columns import checked_texts
from seqclf.data.dataset import NO_LABEL, SCHEMA, UNLABELED, Found, RawData
from seqclf.data.labels import ids_of, labels_of


def to_raw(found: Found, config: DataConfig) -> RawData:
    """Finds the text and label columns and turns labels into ids.

    Labels are named by what the source says of its ids (`labels.json`, a ClassLabel,
    a column `<label>_text`), else by their values: numbers in their order, names in
    alphabetical order.

    Args:
      found: What the source holds.
      config: Names of the columns, if they were given.

    Returns:
      Tables of `SCHEMA`.

    Raises:
      DataError: If a column is missing or of the wrong kind, or a text or label is.
    """
    text_column, label_column = str(found.text_column), str(found.label_column)
    texts = {
        split: [checked_texts(part, text_column) for part in parts]
        for split, parts in found.parts.items()
    }
    columns, names = labels_of(found, label_column)
    splits = {}
    for split, parts in found.parts.items():
        tables = []
        for index, part in enumerate(parts):
            if split == UNLABELED:
                ids = pa.chunked_array([pa.repeat(NO_LABEL, part.table.num_rows)])
            else:
                ids = ids_of(columns[split][index], names, part)
            tables.append(
                pa.table([texts[split][index], ids.cast(pa.int32())], schema=SCHEMA)
            )
        splits[split] = pa.concat_tables(tables)
    return RawData(
        name=found.name,
        splits=splits,
        labels=names,
        source=found.source,
        revision=found.revision,
        notes=found.notes,
        reading=dataclasses.replace(
            found.reading, text_column=text_column, label_column=label_column
        ),
    )
