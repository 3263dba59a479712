"""From the columns that a source has to texts and label ids."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data.dataset import (
    NO_LABEL,
    SCHEMA,
    TRAIN,
    UNLABELED,
    Found,
    Part,
    RawData,
)
from seqclf.errors import DataError, unknown

# Names under which columns are found, the likeliest first; case does not matter.
TEXT_COLUMNS = (
    "text", "sentence", "review", "content", "comment", "document", "body", "message",
    "tweet", "utterance", "question", "query", "description", "headline", "title",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "class", "category", "sentiment", "target", "intent", "topic", "emotion",
    "polarity", "rating", "stars", "score",
)  # fmt: skip
NAMES_SUFFIX = "_text"  # label_text beside label names its ids, as many do on the Hub
JOINT = "\n"  # stands between the parts of a joined text
INTEGER = r"^-?\d{1,9}$"
NUMBER = r"^\s*[-+]?\d+([.,]\d+)?\s*$"
FEWEST_FOR_A_GUESS = 20  # below it a column of any values may well be one of labels


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
    text_given = config.text_column or found.text_column
    label_given = config.label_column or found.label_column
    texts = {
        split: [_checked_texts(part, text_given) for part in parts]
        for split, parts in found.parts.items()
    }
    columns, names = _labels(found, label_given)
    splits = {}
    for split, parts in found.parts.items():
        tables = []
        for index, part in enumerate(parts):
            if split == UNLABELED:
                ids = pa.chunked_array([pa.repeat(NO_LABEL, part.table.num_rows)])
            else:
                ids = _ids(columns[split][index], names, part)
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
        notes=found.notes + _guesses(found.parts[TRAIN][0], text_given, label_given),
    )


def with_usual(found: Found, config: DataConfig, usual: DataConfig) -> Found:
    """Lets a source call its columns as another one did, where it has such columns.

    Args:
      found: What the source holds.
      config: Names of the columns, if they were given; they count first.
      usual: Names of the other source's columns, if they were given.

    Returns:
      The same rows; what the source itself calls its columns is kept.
    """
    names, notes = {}, []
    for kind in ("text", "label"):
        field = f"{kind}_column"
        own = getattr(found, field) or getattr(config, field)
        name = getattr(usual, field)
        if own is None and name is not None and _is_everywhere(found, kind, name):
            names[field] = name
            notes.append(f"column {name!r} for {kind}s")
    if not names:
        return found
    said = f"took {' and '.join(notes)}, as in training."
    return dataclasses.replace(found, **names, notes=(*found.notes, said))


def _is_everywhere(found: Found, kind: str, name: str) -> bool:
    """Tells whether a column, or all that are to be joined, are in every part."""
    parts = [
        part
        for split, some in found.parts.items()
        for part in some
        if kind == "text" or split != UNLABELED
    ]
    names = [one.strip() for one in name.split(",")] if kind == "text" else [name]
    return all(
        name in part.table.column_names or set(names) <= set(part.table.column_names)
        for part in parts
    )


def _guesses(part: Part, text: str | None, label: str | None) -> tuple[str, ...]:
    """Says which columns were taken, unless they were named or could not be others."""
    guessed = {
        kind: _found(part, names, kind)
        for kind, names, given in (
            ("text", TEXT_COLUMNS, text),
            ("label", LABEL_COLUMNS, label),
        )
        if given is None
    }
    if all(kind == name for kind, name in guessed.items()):
        return ()
    said = " and ".join(f"column {name!r} for {k}s" for k, name in guessed.items())
    options = " and ".join(f"--{kind}-column" for kind in guessed)
    return (f"took {said}; {options} name others.",)


def texts_of(part: Part, given: str | None) -> pa.ChunkedArray:
    """Returns the texts of a part, string, without nulls.

    Args:
      part: Rows of a source.
      given: Name of the column, or of several to join, separated by commas; None finds
        one by its name.

    Raises:
      DataError: If there is no such column, it holds no text, or a row has none.
    """
    texts = texts_or_nulls(part, given)
    names = text_names(part, given)
    _refuse_missing(texts, " and ".join(map(repr, names)), part)
    return texts


def texts_or_nulls(part: Part, given: str | None) -> pa.ChunkedArray:
    """Returns the texts of a part, string, with a null where a row has none.

    Args:
      part: Rows of a source.
      given: As in `texts_of`.

    Raises:
      DataError: If there is no such column, or it holds no text.
    """
    columns = [_text_column(part, name) for name in text_names(part, given)]
    texts = columns[0]
    if len(columns) > 1:
        nothing = pc.and_kleene(*map(pc.is_null, columns[:2]))
        for column in columns[2:]:
            nothing = pc.and_kleene(nothing, pc.is_null(column))
        joined = pc.binary_join_element_wise(
            *columns, JOINT, null_handling="replace", null_replacement=""
        )
        texts = pc.if_else(nothing, None, joined)
    return texts


def _checked_texts(part: Part, given: str | None) -> pa.ChunkedArray:
    """Returns the texts of a part; a column of mere numbers is refused."""
    texts = texts_of(part, given)
    if len(texts) >= FEWEST_FOR_A_GUESS and _all_match(texts, NUMBER):
        raise DataError(
            f"{part.place}: column {text_names(part, given)[0]!r} holds nothing but "
            f"numbers, such as "
            f"{texts[0].as_py()!r}, and no text. {_columns_hint(part, 'text')}"
        )
    return texts


def text_names(part: Part, given: str | None) -> list[str]:
    """Returns the names of the text columns: those given, or the likeliest one.

    Raises:
      DataError: If there is no such column.
    """
    if given is None:
        return [_found(part, TEXT_COLUMNS, "text")]
    if given in part.table.column_names:
        return [given]
    names = [name.strip() for name in given.split(",")]
    for name in names:
        _refuse_unknown(part, name, "text")
    return names


def _text_column(part: Part, name: str) -> pa.ChunkedArray:
    column = _column(part, name)
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataError(
            f"{part.place}: column {name!r} holds {kind}, not text. "
            f"{_columns_hint(part, 'text')}"
        )
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:  # bytes that are no UTF-8, in a binary format
        raise DataError(f"{part.place}, column {name!r}: {error}.") from error
    return column.cast(pa.string())


def _column(part: Part, name: str) -> pa.ChunkedArray:
    if part.table.column_names.count(name) > 1:
        raise DataError(f"{part.place} has two columns named {name!r}; rename one.")
    column = part.table[name]
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def _found(part: Part, likely: Iterable[str], kind: str) -> str:
    """Returns the name of the likeliest column that is there."""
    there = {name.lower(): name for name in reversed(part.table.column_names)}
    for name in likely:
        if name in there:
            return there[name]
    raise DataError(f"{part.place}: no {kind} column. {_columns_hint(part, kind)}")


def _refuse_unknown(part: Part, name: str, kind: str) -> None:
    if name not in part.table.column_names:
        raise DataError(
            f"{part.place}: no column {name!r}. {_columns_hint(part, kind)}"
        )


def _columns_hint(part: Part, kind: str) -> str:
    columns = ", ".join(map(repr, part.table.column_names))
    return f"It has {columns}; choose with --{kind}-column."


def _refuse_missing(column: pa.ChunkedArray, name: str, part: Part) -> None:
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py() + part.first_row
        raise DataError(
            f"{part.place} has {column.null_count:,} rows without {name}, the first "
            f"is row {row:,}; fill them or take them out."
        )


def _all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


# From a split's name to its parts' labels: names, or ids as digits, without nulls.
_LabelColumns = Mapping[str, Sequence[pa.ChunkedArray]]


def _labels(found: Found, given: str | None) -> tuple[_LabelColumns, tuple[str, ...]]:
    """Returns the labels as they stand, and the names of all label ids in order."""
    labelled = {s: parts for s, parts in found.parts.items() if s != UNLABELED}
    names = {s: [_label_name(part, given) for part in labelled[s]] for s in labelled}
    columns = {
        split: [
            _label_column(part, name)
            for part, name in zip(parts, names[split], strict=True)
        ]
        for split, parts in labelled.items()
    }
    known = found.label_names.get(names[TRAIN][0])
    _refuse_hidden(labelled, columns, is_known=known is not None)
    if known is not None:
        return columns, known
    named = _named_beside(labelled, names)
    if named is not None:
        return named
    values = {v for parts in columns.values() for c in parts for v in _distinct(c)}
    _refuse_text(found.parts[TRAIN][0], names[TRAIN][0], columns[TRAIN])
    return columns, tuple(sorted(values, key=_label_order))


def _label_name(part: Part, given: str | None) -> str:
    if given is None:
        return _found(part, LABEL_COLUMNS, "label")
    _refuse_unknown(part, given, "label")
    return given


def _label_column(part: Part, name: str) -> pa.ChunkedArray:
    """Returns labels as strings; an empty one counts as missing."""
    column = _column(part, name)
    if pa.types.is_nested(column.type):
        raise DataError(
            f"{part.place}: a label must be one value, column {name!r} holds lists."
        )
    labels = column.cast(pa.string())
    empty = pc.equal(pc.utf8_trim_whitespace(labels), "")
    labels = pc.if_else(empty, None, labels)
    _refuse_missing(labels, "a label", part)
    broken = pc.match_substring_regex(labels, r"[\r\n]")
    if pc.any(broken).as_py():
        row = pc.index(broken, True).as_py() + 1
        raise DataError(f"{part.place}, row {row:,}: a label with a line break in it.")
    return labels


def _distinct(column: pa.ChunkedArray) -> list[str]:
    return list(column.unique().to_pylist())


def _label_order(name: str) -> tuple[bool, float, str]:
    try:
        return (False, float(name), name)
    except ValueError:
        return (True, 0.0, name)


def _refuse_hidden(
    labelled: Mapping[str, Sequence[Part]], columns: _LabelColumns, is_known: bool
) -> None:
    """Refuses -1 for a label that the makers keep to themselves.

    Where nothing names the ids, -1 may be a label like others, unless a split beside
    train has nothing else.
    """
    hidden = str(NO_LABEL)
    in_train = any(hidden in _distinct(column) for column in columns[TRAIN])
    for split, parts in labelled.items():
        for part, column in zip(parts, columns[split], strict=True):
            distinct = _distinct(column)
            only = distinct == [hidden] and not in_train
            if hidden in distinct and (is_known or only):
                count = pc.sum(pc.equal(column, hidden)).as_py()
                raise DataError(
                    f"{part.place}: the labels of {count:,} of {len(column):,} rows "
                    f"are hidden (-1), so they cannot be scored. Take a copy of the "
                    f"data set with all labels, or save the labelled rows as files of "
                    f"your own: train.csv and, if you like, test.csv in a folder."
                )


def _named_beside(
    labelled: Mapping[str, Sequence[Part]], names: Mapping[str, Sequence[str]]
) -> tuple[_LabelColumns, tuple[str, ...]] | None:
    """Takes the names of integer ids from a column such as `label_text`, if there."""
    ids: dict[str, int] = {}
    columns: dict[str, list[pa.ChunkedArray]] = {}
    for split, parts in labelled.items():
        columns[split] = []
        for part, name in zip(parts, names[split], strict=True):
            beside = name + NAMES_SUFFIX
            is_integer = pa.types.is_integer(part.table[name].type)
            if not is_integer or beside not in part.table.column_names:
                return None
            columns[split].append(_label_column(part, beside))
            pairs = pa.table({"id": part.table[name], "name": columns[split][-1]})
            for pair in pairs.group_by(["id", "name"]).aggregate([]).to_pylist():
                if ids.setdefault(pair["name"], pair["id"]) != pair["id"]:
                    return None  # not a name of the id, but something else
    if len(set(ids.values())) < len(ids):
        return None
    return columns, tuple(sorted(ids, key=ids.__getitem__))


def _refuse_text(part: Part, name: str, columns: Sequence[pa.ChunkedArray]) -> None:
    """Refuses a label column with about as many values as rows."""
    column = pa.chunked_array([chunk for c in columns for chunk in c.chunks])
    count = pc.count_distinct(column).as_py()
    if count >= FEWEST_FOR_A_GUESS and 2 * count >= len(column):
        raise DataError(
            f"{part.place}: column {name!r} has {count:,} different values in "
            f"{len(column):,} rows, such as {_short(column[0].as_py())}; labels have "
            f"few. {_columns_hint(part, 'label')}"
        )


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:39] + "…")


def _ids(
    column: pa.ChunkedArray, labels: tuple[str, ...], part: Part
) -> pa.ChunkedArray:
    """Turns label names, or ids where something names them, into int32 ids."""
    ids = pc.index_in(column, pa.array(labels, pa.string()))
    if ids.null_count == len(ids) and _all_match(column, INTEGER):
        ids = column.cast(pa.int32())
        if pc.min(ids).as_py() < 0 or pc.max(ids).as_py() >= len(labels):
            outside = pc.or_(pc.less(ids, 0), pc.greater_equal(ids, len(labels)))
            row = pc.index(outside, True).as_py()
            raise DataError(
                f"{part.place}, row {row + 1:,}: label id {ids[row].as_py()} is "
                f"outside 0 to {len(labels) - 1}, the {len(labels)} labels that have "
                f"names."
            )
    if ids.null_count:
        row = pc.index(pc.is_null(ids), True).as_py()
        raise DataError(
            f"{part.place}, row {row + 1:,}: "
            f"{unknown('label', column[row].as_py(), labels)}"
        )
    return ids
