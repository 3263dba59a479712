"""From label columns to the names of labels, and what to say of them.

Notes are for the user, a sentence each; the position of a label name is its id.
"""

from __future__ import annotations

import dataclasses
import itertools
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data import spelling
from seqclf.data.columns import FEWEST_FOR_A_GUESS, columns_hint
from seqclf.data.dataset import NO_LABEL, TRAIN, UNLABELED, Found
from seqclf.data.label_columns import LabelColumn, LabelReader, label_name
from seqclf.data.label_ids import ids_of
from seqclf.data.label_lists import Labelled
from seqclf.data.label_rows import SEPARATOR_OPTION
from seqclf.errors import DataError
from seqclf.notes import note
from seqclf.wording import counted

NAMES_SUFFIX = "_text"  # label_text beside label names its ids, as many do on the Hub

# The columns of a split, a part each, by split.
_Columns = Mapping[str, Sequence[LabelColumn]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """The labels of a source as text, and what the user should know, a sentence each.

    There is a column for each part of a split. The position of a name is its label id.
    """

    columns: _Columns
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def labels_of(found: Found, given: str, config: DataConfig) -> Labelled:
    """Returns the label ids of all rows, and the names of the ids in order.

    `given` names the label column; `config` says whether rows without a label are left
    out, labels that differ by case and the like merged, and rare labels allowed.

    Raises:
      DataError: If there is no such column, or a label is missing or cannot be one.
    """
    labels = _labels_in(found, given, config)
    ids = {
        split: [ids_of(column, labels.names) for column in columns]
        for split, columns in labels.columns.items()
    }
    return Labelled(ids=ids, names=labels.names, notes=labels.notes)


def _labels_in(found: Found, given: str, config: DataConfig) -> _Labels:
    reader = LabelReader(config.drop_unlabeled)
    columns: _Columns = {
        split: [reader.column(part, label_name(part, given)) for part in parts]
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
        return _Labels(columns=columns, names=known, notes=notes)
    if named := _named_beside(columns):
        return dataclasses.replace(named, notes=notes)
    values = tuple(sorted(_values(columns), key=spelling.order))
    lists = tuple(_about_lists(values, column))
    if config.min_per_label is None:
        _refuse_text(columns[TRAIN], lists)
    notes = (*notes, *_about_missing(columns), *lists)
    return _Labels(columns=columns, names=values, notes=notes)


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


def _named_beside(columns: _Columns) -> _Labels | None:
    """Takes the names of integer ids from a column such as `label_text`, if there."""
    ids: dict[str, int] = {}
    named: dict[str, list[LabelColumn]] = {split: [] for split in columns}
    for split, column in ((split, c) for split, some in columns.items() for c in some):
        given, table = column.values, column.part.table
        beside = column.name + NAMES_SUFFIX
        is_integer = pa.types.is_integer(table[column.name].type)
        if not is_integer or beside not in table.column_names:
            return None
        reader = LabelReader(drop=given.null_count > 0)
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
    return _Labels(columns=named, names=tuple(sorted(ids, key=ids.__getitem__)))


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
            f"like lists, such as {spelling.quoted(max(lists, key=len))}, and each "
            f"counts as one label. {SEPARATOR_OPTION} {shlex.quote(separator)} makes "
            f"several labels of it.",
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
