"""From label columns to label ids, and what the ids are called.

Notes are for the user, a sentence each; the position of a label name is its id.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data import spelling
from seqclf.data.columns import (
    FEWEST_FOR_A_GUESS,
    actual_name,
    all_match,
    column_of,
    columns_hint,
    existing_name,
    first_row,
)
from seqclf.data.dataset import NO_LABEL, TRAIN, UNLABELED, Found, Part
from seqclf.data.formats.json_files import is_scores
from seqclf.data.names import LABEL
from seqclf.errors import DataError, unknown
from seqclf.notes import note
from seqclf.records.reading import split_names
from seqclf.wording import counted

LABELS_FILE = "labels.json"
NAMES_SUFFIX = "_text"  # label_text beside label names its ids, as many do on the Hub
INTEGER = r"^-?\d{1,9}$"
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


# The columns of a split, a part each, by split.
_Columns = Mapping[str, Sequence[LabelColumn]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of a source, and what the user should know, a sentence each.

    There is a column for each part of a split. The position of a name is its label id.
    """

    columns: _Columns
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


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


def labels_of(found: Found, given: str, config: DataConfig) -> Labels:
    """Returns the labels as they are, and the names of all label ids in order.

    `given` names the label column; `config` says whether rows without a label are left
    out, labels that differ by case and the like merged, and rare labels allowed.

    Raises:
      DataError: If there is no such column, or a label is missing or cannot be one.
    """
    reader = _LabelReader(config.drop_unlabeled)
    columns: _Columns = {
        split: [reader.column(part, _label_name(part, given)) for part in parts]
        for split, parts in found.parts.items()
        if split != UNLABELED
    }
    column = columns[TRAIN][0].name
    known = found.label_names.get(column)
    columns, notes = _whole_numbers(columns, known)
    notes = reader.notes() + notes
    _refuse_hidden(columns, is_known=known is not None)
    if known is not None:
        columns = _spelled_as(known, columns) if config.merge_labels else columns
        return Labels(columns=columns, names=known, notes=notes)
    if named := _named_beside(columns):
        return dataclasses.replace(named, notes=notes)
    values = tuple(sorted(_values(columns), key=spelling.order))
    lists = tuple(_about_lists(values, column))
    if config.min_per_label is None:
        _refuse_text(columns[TRAIN], lists)
    notes = (*notes, *_about_missing(columns), *lists)
    return Labels(columns=columns, names=values, notes=notes)


def _label_name(part: Part, given: str) -> str:
    """Returns the name of the label column, as the part writes it."""
    if actual_name(part, given) is None and "," in given:
        several = [existing_name(part, n, LABEL) for n in split_names(given)]
        raise DataError(
            f"{part.place}: {' and '.join(map(repr, several))} are {len(several)} "
            f"columns, and seqclf learns one label a text; name one of them: "
            f"--label-column {shlex.quote(several[0])}"
        )
    return existing_name(part, given, LABEL)


@dataclass(frozen=True, slots=True)
class _LabelReader:
    """Reads label columns as strings, and counts what it leaves out if it is to `drop`.

    With `drop`, rows without a label are, counted by what they have in place of it.
    """

    drop: bool
    left_out: Counter[str] = field(default_factory=Counter)

    def column(self, part: Part, name: str) -> LabelColumn:
        """Reads a column; null where a label is missing and to be left out."""
        labels = _as_names(_accepted(part, name), name, part)
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


def _accepted(part: Part, name: str) -> pa.ChunkedArray:
    """Returns a label column; of spaCy's `cats` (a number a label) the label with 1.

    Null beside an answer of Prodigy's that is not `accept`.
    """
    column = column_of(part, name)
    if is_scores(column.type):
        column = _chosen(column)
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
            f"{part.place}: a label must be one value, column {name!r} holds several a "
            f"row, and one label a text is what seqclf learns. Keep the rows with one "
            f"label, or name another column: {columns_hint(part, LABEL)}"
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
        f"with --drop-unlabeled{also}."
    )


def _all(columns: _Columns) -> Iterator[LabelColumn]:
    return itertools.chain(*columns.values())


def _values(columns: _Columns) -> set[str]:
    return {value for column in _all(columns) for value in _distinct(column)}


def _distinct(column: LabelColumn) -> list[str]:
    return list(column.values.unique().drop_null().to_pylist())


def _whole_numbers(
    columns: _Columns, known: tuple[str, ...] | None
) -> tuple[_Columns, tuple[str, ...]]:
    """Writes `1.0` as `1` if all labels are whole numbers and the source names none."""
    values = _values(columns)
    wholes = {value: spelling.as_whole(value) for value in values}
    changed = sorted((v for v in values if wholes[v] != v), key=spelling.order)
    if not changed or None in wholes.values() or values <= set(known or ()):
        return columns, ()
    said = ", ".join(f"{value} is {wholes[value]}" for value in changed[:3])
    return _renamed(columns, wholes), (f"labels that are whole numbers: {said}.",)


def _spelled_as(known: tuple[str, ...], columns: _Columns) -> _Columns:
    """Spells names as the source itself does, where only one of its names is meant."""
    keys = Counter(map(spelling.key, known))
    meant = {spelling.key(name): name for name in known}
    strange = {value: spelling.key(value) for value in _values(columns) - set(known)}
    other = {value: meant[key] for value, key in strange.items() if keys[key] == 1}
    return _renamed(columns, other) if other else columns


def _renamed(columns: _Columns, names: Mapping[str, str | None]) -> _Columns:
    """Replaces labels by others; those without another are kept."""

    def renamed(column: LabelColumn) -> LabelColumn:
        chunks = []
        for chunk in column.values.dictionary_encode().unify_dictionaries().chunks:
            other = [names.get(v, v) for v in chunk.dictionary.to_pylist()]
            chunks.append(pa.array(other, pa.string()).take(chunk.indices))
        values = pa.chunked_array(chunks, pa.string())
        return dataclasses.replace(column, values=values)

    return {split: list(map(renamed, some)) for split, some in columns.items()}


def _refuse_hidden(columns: _Columns, is_known: bool) -> None:
    """Refuses -1 for a label that the makers keep to themselves.

    Where nothing names the ids, -1 may be a label like others, unless a split beside
    train has nothing else.
    """
    hidden = str(NO_LABEL)
    in_train = any(hidden in _distinct(column) for column in columns[TRAIN])
    for column in _all(columns):
        distinct = _distinct(column)
        only = distinct == [hidden] and not in_train
        if hidden in distinct and (is_known or only):
            count = pc.sum(pc.equal(column.values, hidden)).as_py()
            raise DataError(
                f"{column.part.place}: the labels of {count:,} of "
                f"{len(column.values):,} rows are hidden (-1), so they cannot be "
                f"scored. Take a copy of the data set with all labels, or save the "
                f"labelled rows as files of your own: train.csv and, if you like, "
                f"test.csv in a folder."
            )


def _named_beside(columns: _Columns) -> Labels | None:
    """Takes the names of integer ids from a column such as `label_text`, if there."""
    ids: dict[str, int] = {}
    named: dict[str, list[LabelColumn]] = {split: [] for split in columns}
    for split, column in ((split, c) for split, some in columns.items() for c in some):
        given, table = column.values, column.part.table
        beside = column.name + NAMES_SUFFIX
        is_integer = pa.types.is_integer(table[column.name].type)
        if not is_integer or beside not in table.column_names:
            return None
        reader = _LabelReader(drop=given.null_count > 0)
        texts = reader.column(column.part, beside).values
        texts = pc.if_else(pc.is_valid(given), texts, None)
        if texts.null_count > given.null_count:
            return None
        named[split].append(dataclasses.replace(column, values=texts))
        pairs = pa.table([table[column.name], texts], names=["id", "name"]).drop_null()
        pairs = pairs.group_by(["id", "name"]).aggregate([])
        for id, name in zip(*(c.to_pylist() for c in pairs.columns), strict=True):
            if ids.setdefault(name, id) != id:
                return None  # not a name of the id, but something else
    if len(set(ids.values())) < len(ids):
        return None
    return Labels(columns=named, names=tuple(sorted(ids, key=ids.__getitem__)))


def _about_missing(columns: _Columns) -> Iterator[str]:
    """Says so if a label is what exporters write for none."""
    counts: Counter[str] = Counter()
    for column in _all(columns):
        stripped = pc.utf8_trim_whitespace(column.values)
        seeming = pc.is_in(stripped, pa.array(spelling.MISSING))
        counts.update(column.values.filter(seeming).to_pylist())
    for name, count in sorted(counts.items()):
        yield note(
            "SQ009",
            f"{name!r} looks like a missing label ({counted(count, 'row')}); "
            f"--drop-unlabeled leaves such rows out. If it is a class, all is well.",
        )


def _about_lists(names: Sequence[str], column: str) -> Iterator[str]:
    """Says so if labels are several labels in one."""
    if found := spelling.lists_among(names):
        separator, lists = found
        yield note(
            "SQ011",
            f"{len(lists):,} of the {len(names):,} labels in column {column!r} look "
            f"like lists, such as {spelling.quoted(max(lists, key=len))}. One label a "
            f"text is what seqclf learns: each list counts as one label. To "
            f"learn from the texts of one label, take the rows with {separator!r} in "
            f"that column out of the file; --min-per-label 20 leaves out rare lists.",
        )


def _refuse_text(columns: Sequence[LabelColumn], lists: tuple[str, ...]) -> None:
    """Refuses a label column with about as many values as rows; lists are said."""
    part, name = columns[0].part, columns[0].name
    chunks = [chunk for column in columns for chunk in column.values.chunks]
    column = pa.chunked_array(chunks).drop_null()
    counts = column.value_counts().field("counts").to_numpy()
    if len(counts) >= FEWEST_FOR_A_GUESS and 2 * len(counts) >= len(column):
        hint = "".join(f" {sentence}" for sentence in lists)
        if (counts > 1).sum() > 1:
            hint += " If these are labels, --min-per-label 2 leaves out the rarest."
        raise DataError(
            f"{part.place}: column {name!r} has {len(counts):,} different values in "
            f"{len(column):,} rows, such as {spelling.quoted(column[0].as_py())}; "
            f"labels have few. {columns_hint(part, 'label')}{hint}"
        )


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
