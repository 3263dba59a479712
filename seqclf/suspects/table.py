"""What looks wrong as one table, a row a suspicion, for files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from seqclf.records.suspects import RowOf, Suspects

LABEL, NEAR_DUPLICATE = "label", "near-duplicate"  # the kinds beside those of leaks

SCHEMA = pa.schema(
    [
        ("kind", pa.string()), ("split", pa.string()), ("row", pa.int64()),
        ("source", pa.string()), ("line", pa.int64()), ("text", pa.string()),
        ("label", pa.string()), ("suggestion", pa.string()), ("value", pa.float64()),
        ("of_split", pa.string()), ("of_row", pa.int64()), ("of_source", pa.string()),
        ("of_line", pa.int64()), ("of_text", pa.string()),
    ]
)  # fmt: skip


def to_table(found: Suspects) -> pa.Table:
    """Returns a row for each suspicion, in the order of the record.

    `value` is the probability of a likelier label (`suggestion`), the similarity of a
    near-duplicate (its `suggestion` is the other text's label, if that is another), the
    share that a leak has right. Of a leak, `text` is what tells the label.
    """
    return pa.Table.from_pylist(list(_rows(found)), schema=SCHEMA)


def _rows(found: Suspects) -> Iterator[dict[str, Any]]:
    for doubt in found.doubtful_labels:
        yield _at(doubt.at) | {
            "kind": LABEL,
            "text": doubt.text,
            "label": doubt.label,
            "suggestion": doubt.likelier,
            "value": doubt.probability,
        }
    for one in found.near_duplicates:
        other = {f"of_{key}": value for key, value in _at(one.of).items()}
        is_other = one.of_label != one.label
        yield (
            _at(one.at)
            | other
            | {
                "kind": NEAR_DUPLICATE,
                "text": one.text,
                "label": one.label,
                "suggestion": one.of_label if is_other else None,
                "value": one.similarity,
                "of_text": one.of_text,
            }
        )
    for leak in found.leaks:
        yield {
            "kind": leak.kind,
            "split": "train",
            "text": leak.name,
            "label": leak.label,
            "value": leak.right,
        }


def _at(place: RowOf) -> dict[str, Any]:
    return {
        "split": place.split,
        "row": place.row,
        "source": place.source,
        "line": place.line,
    }
