"""Which columns of a source hold texts and labels; the texts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data.dataset import (
    UNLABELED,
    Found,
    Part,
)
from seqclf.errors import DataError

# Names under which columns are found, the likeliest first; case does not matter.
TEXT_COLUMNS = (
    "text", "sentence", "review", "content", "comment", "document", "body", "message",
    "tweet", "utterance", "question", "query", "description", "headline", "title",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "class", "category", "sentiment", "target", "intent", "topic", "emotion",
    "polarity", "rating", "stars", "score",
)  # fmt: skip
JOINT = "\n"  # stands between the parts of a joined text
NUMBER = r"^\s*[-+]?\d+([.,]\d+)?\s*$"
FEWEST_FOR_A_GUESS = 20  # below it a column of any values may well be one of labels


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


def guesses(part: Part, text: str | None, label: str | None) -> tuple[str, ...]:
    """Says which columns were taken, unless they were named or could not be others."""
    guessed = {
        kind: found_name(part, names, kind)
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
    refuse_missing(texts, " and ".join(map(repr, names)), part)
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


def checked_texts(part: Part, given: str | None) -> pa.ChunkedArray:
    """Returns the texts of a part; a column of mere numbers is refused."""
    texts = texts_of(part, given)
    if len(texts) >= FEWEST_FOR_A_GUESS and all_match(texts, NUMBER):
        raise DataError(
            f"{part.place}: column {text_names(part, given)[0]!r} holds nothing but "
            f"numbers, such as "
            f"{texts[0].as_py()!r}, and no text. {columns_hint(part, 'text')}"
        )
    return texts


def text_names(part: Part, given: str | None) -> list[str]:
    """Returns the names of the text columns: those given, or the likeliest one.

    Raises:
      DataError: If there is no such column.
    """
    if given is None:
        return [found_name(part, TEXT_COLUMNS, "text")]
    if given in part.table.column_names:
        return [given]
    names = [name.strip() for name in given.split(",")]
    for name in names:
        refuse_unknown(part, name, "text")
    return names


def _text_column(part: Part, name: str) -> pa.ChunkedArray:
    column = column_of(part, name)
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataError(
            f"{part.place}: column {name!r} holds {kind}, not text. "
            f"{columns_hint(part, 'text')}"
        )
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:  # bytes that are no UTF-8, in a binary format
        raise DataError(f"{part.place}, column {name!r}: {error}.") from error
    return column.cast(pa.string())


def column_of(part: Part, name: str) -> pa.ChunkedArray:
    """Returns a column by its name; of a dictionary its values."""
    if part.table.column_names.count(name) > 1:
        raise DataError(f"{part.place} has two columns named {name!r}; rename one.")
    column = part.table[name]
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    return column


def found_name(part: Part, likely: Iterable[str], kind: str) -> str:
    """Returns the name of the likeliest column that is there."""
    there = {name.lower(): name for name in reversed(part.table.column_names)}
    for name in likely:
        if name in there:
            return there[name]
    raise DataError(f"{part.place}: no {kind} column. {columns_hint(part, kind)}")


def refuse_unknown(part: Part, name: str, kind: str) -> None:
    """Raises a DataError unless there is a column of that name."""
    if name not in part.table.column_names:
        raise DataError(f"{part.place}: no column {name!r}. {columns_hint(part, kind)}")


def columns_hint(part: Part, kind: str) -> str:
    """Says which columns there are, and how to choose one for texts or labels."""
    columns = ", ".join(map(repr, part.table.column_names))
    return f"It has {columns}; choose with --{kind}-column."


def refuse_missing(column: pa.ChunkedArray, name: str, part: Part) -> None:
    """Raises a DataError if a row has nothing; counts them and names the first."""
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py() + part.first_row
        raise DataError(
            f"{part.place} has {column.null_count:,} rows without {name}, the first "
            f"is row {row:,}; fill them or take them out."
        )


def all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    """Tells whether a regular expression is found in every value."""
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())
