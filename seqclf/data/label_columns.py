"""Label columns, read as text; what is no label is left out or refused."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data import spelling
from seqclf.data.columns import (
    column_of,
    columns_hint,
    existing_name,
    first_row,
)
from seqclf.data.dataset import Part
from seqclf.data.formats.json_files import is_scores
from seqclf.data.names import LABEL
from seqclf.errors import DataError
from seqclf.wording import counted

ANSWER, ACCEPTED = "answer", "accept"  # Prodigy's: whether a label is right
ANSWERS = frozenset((ACCEPTED, "reject", "ignore"))
BROKEN = r"[\r\n\x00]"  # labels are written a line each


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The labels of a part, and what it calls the column.

    `values` are string [rows], names or ids as digits; null where a row has no label
    and is to be left out.
    """

    part: Part
    name: str
    values: pa.ChunkedArray


def label_name(part: Part, given: str) -> str:
    """Returns the name of the label column, as the part writes it."""
    return existing_name(part, given, LABEL)


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Reads label columns as strings, and counts what it leaves out if it is to `drop`.

    With `drop`, rows without a label are, counted by what they have in place of it.
    """

    drop: bool
    left_out: Counter[str] = field(default_factory=Counter)

    def column(self, part: Part, name: str) -> LabelColumn:
        """Reads a column; null where a label is missing and to be left out."""
        labels = _as_names(accepted(part, name), name, part)
        stripped = pc.utf8_trim_whitespace(labels)
        labels = pc.if_else(pc.equal(stripped, ""), None, labels)
        seeming = pc.is_in(stripped, pa.array(spelling.MISSING))
        if self.drop:
            self.left_out.update(labels.filter(seeming).to_pylist())
            self.left_out.update({"": labels.null_count})
            labels = pc.if_else(seeming, None, labels)
        elif labels.null_count:
            raise DataError(_missing(labels, pc.sum(seeming).as_py(), part))
        broken = pc.match_substring_regex(labels, BROKEN)
        if pc.any(broken).as_py():
            place = f"{part.place}, row {first_row(part, broken):,}"
            raise DataError(f"{place}: a label with a line break or NUL in it.")
        return LabelColumn(part, name, labels)

    def notes(self) -> tuple[str, ...]:
        """Says what was left out."""
        if not self.drop:
            return ()
        counts = [(name, n) for name, n in sorted(self.left_out.items()) if n]
        if not counts:
            return ("--drop-unlabeled: every row has a label.",)
        some = [f"{n:,} with {repr(name) if name else 'nothing'}" for name, n in counts]
        said, total = ", ".join(some), counted(sum(n for _, n in counts), "row")
        return (f"--drop-unlabeled left out {total}: {said} for a label.",)


def accepted(part: Part, name: str) -> pa.ChunkedArray:
    """Returns a label column; of spaCy's `cats` (a number a label) the label with 1.

    Where a row of `cats` has several labels, the column as it is.

    Null beside an answer of Prodigy's that is not `accept`.
    """
    column = column_of(part, name)
    if is_scores(column.type):
        column = _chosen(column)
    return accepted_rows(part, name, column)


def accepted_rows(part: Part, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns a column with null beside an answer of Prodigy's that is not `accept`."""
    if ANSWER not in part.table.column_names or name == ANSWER:
        return column
    answers = column_of(part, ANSWER)
    if not set(answers.unique().to_pylist()) <= ANSWERS:
        return column
    is_right = pc.fill_null(pc.equal(answers, ACCEPTED), False)
    return pc.if_else(is_right, column, pa.scalar(None, column.type))


def _chosen(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns the one label whose number is 1 in each row; null where none is."""
    chosen = []
    for row in column.to_pylist():
        ones = [label for label, number in (row or {}).items() if number == 1]
        if len(ones) > 1:
            return column  # several labels a text; whoever reads them says so
        chosen.append(ones[0] if ones else None)
    return pa.chunked_array([pa.array(chosen, pa.string())])


def _as_names(column: pa.ChunkedArray, name: str, part: Part) -> pa.ChunkedArray:
    """Returns labels as text; numbers as other programs write them, 1.0 and not 1."""
    if pa.types.is_nested(column.type):
        raise DataError(
            f"{part.place}: column {name!r} holds {column.type}, which are no labels. "
            f"{columns_hint(part, LABEL)}"
        )
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    names = pc.replace_substring_regex(column.cast(pa.string()), r"^(-?\d+)$", r"\1.0")
    return pc.if_else(pc.is_nan(column), None, names)


def _missing(labels: pa.ChunkedArray, seeming: int | None, part: Part) -> str:
    also = f", and the {seeming:,} whose label looks missing" if seeming else ""
    return (
        f"{part.place} has {labels.null_count:,} rows without a label, the first is "
        f"row {first_row(part, pc.is_null(labels)):,}; fill them, or leave them out "
        f"with --drop-unlabeled{also}.{_about_separator(labels)}"
    )


def _about_separator(labels: pa.ChunkedArray) -> str:
    """Says what to type if labels look like several in one, of which none is a set."""
    found = spelling.lists_among(labels.unique().drop_null().to_pylist())
    if found is None:
        return ""
    return (
        f" If a text may have several labels, or none: --labels-separator "
        f"{shlex.quote(found[0])}"
    )
