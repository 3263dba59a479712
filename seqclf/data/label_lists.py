"""Several labels a text: lists, a column for each label, or names with a separator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data import spelling
from seqclf.data.columns import actual_name
from seqclf.data.dataset import TRAIN, UNLABELED, Found, LabelSets, Part
from seqclf.data.formats.json_files import is_scores
from seqclf.data.label_rows import (
    SEPARATOR_OPTION,
    Names,
    Reader,
    columns_in,
    is_list,
    lists_of,
)
from seqclf.errors import ConfigError, DataError, unknown
from seqclf.notes import note


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """The label ids of a source, by split and part, and what they mean.

    Attributes:
      ids: int32 [rows] of each part; null where a row is to be left out.
      names: Label names; the position is the label id.
      label_sets: Of texts with several labels, what ids stand for; see `RawData`.
      notes: What the user should know, a sentence each.
    """

    ids: Mapping[str, Sequence[pa.ChunkedArray]]
    names: tuple[str, ...]
    label_sets: LabelSets | None = None
    notes: tuple[str, ...] = ()


def has_several(found: Found, given: str, separator: str | None) -> bool:
    """Tells whether a source may give a text several labels, or none.

    That is where labels are lists (unless each has one label), where `given` names
    several columns, and where names are to be taken apart at a separator.

    Raises:
      ConfigError: If the separator would do nothing.
    """
    parts = [
        part for split, some in found.parts.items() if split != UNLABELED
        for part in some
    ]  # fmt: skip
    if columns_in(parts[0], given) or any(_has_lists(part, given) for part in parts):
        if separator is not None:
            raise ConfigError(
                f"{SEPARATOR_OPTION} {separator!r} does nothing here: {parts[0].place} "
                f"has lists of labels, or a column for each; leave it out."
            )
        return True
    return separator is not None


def several_labels(
    found: Found, given: str, separator: str | None, drop: bool, is_known: bool = False
) -> Labelled:
    """Reads the labels of texts that may have several, or none.

    Args:
      found: The source.
      given: Its label column, or those of its labels, separated by commas.
      separator: What stands between the names in a text column; None of other columns.
      drop: Whether what is missing, or looks so, counts as no label; else it is an
        error, and a name.
      is_known: Whether it was learnt from such data, so that nothing here needs to
        show it.

    Raises:
      DataError: If a value is no label, or none of a set; if nothing is separated.
    """
    reader = Reader(given, separator, drop)
    rows = {
        split: [reader.rows(part) for part in some]
        for split, some in found.parts.items()
        if split != UNLABELED
    }
    every = {
        name for some in rows.values() for part in some for r in part for name in r
    }
    if separator is not None and not (reader.separated or is_known):
        raise DataError(
            f"{found.source}: no label in column {given!r} has {separator!r} in it; "
            f"leave {SEPARATOR_OPTION} out, or give what stands between labels."
        )
    column = actual_name(found.parts[TRAIN][0], given) or given
    known = found.label_names.get(column)
    names = _names(every, known, found.source)
    by_id = not every <= set(names)
    place = {str(i) if by_id else name: i for i, name in enumerate(names)}
    sets = {
        split: [[tuple(sorted({place[n] for n in r})) for r in part] for part in some]
        for split, some in rows.items()
    }
    label_sets = tuple(sorted(set(itertools.chain(*itertools.chain(*sets.values())))))
    number = {label_set: i for i, label_set in enumerate(label_sets)}
    ids = {
        split: [
            pa.chunked_array([pa.array([number[s] for s in part], pa.int32())])
            for part in some
        ]
        for split, some in sets.items()
    }
    said = (*reader.notes(), *_about_missing(names))
    return Labelled(ids=ids, names=names, label_sets=label_sets, notes=said)


def _has_lists(part: Part, given: str) -> bool:
    """Tells whether a row of the column may have another number of labels than one."""
    name = actual_name(part, given)
    if name is None:
        return False
    column = lists_of(part, name)
    if is_scores(column.type):
        rows = (row.values() for row in column.drop_null().to_pylist())
        return any(sum(v == 1 for v in row) != 1 for row in rows)
    if not is_list(column.type):
        return False
    lengths = pc.list_value_length(column).drop_null()
    return bool(pc.any(pc.not_equal(lengths, 1)).as_py())


def _names(every: set[str], known: Names | None, source: str) -> Names:
    """Returns the label names, in the order of their ids."""
    if known is None:
        return tuple(sorted(every, key=spelling.order))
    if every <= set(known) or every <= set(map(str, range(len(known)))):
        return known
    strange = min(every - set(known), key=spelling.order)
    raise DataError(f"{source}: {unknown('label', strange, known)}")


def _about_missing(names: Names) -> Iterator[str]:
    for name in filter(spelling.looks_missing, names):
        yield note(
            "SQ009",
            f"{name!r} looks like a missing label. If it is a class, all is well; if "
            f"not, write an empty list in its place.",
        )
