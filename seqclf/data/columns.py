"""The columns of a part: found by name, as plain types; the texts."""

from __future__ import annotations

import functools
import re
import shlex

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data import names
from seqclf.data.dataset import Part
from seqclf.data.names import TEXT
from seqclf.errors import DataError
from seqclf.wording import listed

JOINT = "\n"  # between the parts of a joined text
NUMBER = r"^\s*[-+]?\d+([.,]\d+)?\s*$"
NUMBERED = re.compile(r"column_\d+")
FEWEST_FOR_A_GUESS = 20  # below it a column of any values may well be one of labels
SAMPLE = 1000  # rows that a guess rests on
SHOWN_NAMES, SHOWN_CHARACTERS = 12, 40
# Types of text beside string.
OTHER_TEXTS = (
    pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(),
    pa.binary_view(),
)  # fmt: skip


def texts_or_nulls(part: Part, given: str) -> pa.ChunkedArray:
    """Returns the texts of a part, string, with a null where a row has none.

    `given` names the column, or several to join, separated by commas.

    Raises:
      DataError: If there is no such column, or it holds no text.
    """
    columns = [_text_column(part, name) for name in text_names(part, given)]
    if len(columns) == 1:
        return columns[0]
    nothing = functools.reduce(pc.and_, map(pc.is_null, columns))
    joined = pc.binary_join_element_wise(
        *columns, JOINT, null_handling="replace", null_replacement=""
    )
    return pc.if_else(nothing, None, joined)


def checked_texts(part: Part, given: str) -> pa.ChunkedArray:
    """Returns the texts of a part, string, without nulls; as `texts_or_nulls`.

    Raises:
      DataError: Also if a row has no text, or if all texts are numbers.
    """
    texts = texts_or_nulls(part, given)
    columns = list(map(repr, text_names(part, given)))
    if texts.null_count:
        raise DataError(
            f"{part.place} has {texts.null_count:,} rows without "
            f"{' and '.join(columns)}, the first is row "
            f"{first_row(part, pc.is_null(texts)):,}; fill them or take them out."
        )
    if len(texts) >= FEWEST_FOR_A_GUESS and all_match(texts, NUMBER):
        raise DataError(
            f"{part.place}: column {columns[0]} holds nothing but numbers, such as "
            f"{texts[0].as_py()!r}, and no text. {columns_hint(part, 'text')}"
        )
    return texts


def text_names(part: Part, given: str) -> list[str]:
    """Returns the names of the text columns, as the part writes them.

    Raises:
      DataError: If there is no such column.
    """
    wanted = names.parts_of(given, part.table.column_names)
    return [existing_name(part, name, TEXT) for name in wanted]


def actual_name(part: Part, name: str) -> str | None:
    """Returns a column's name as the part writes it, in other case or with blanks."""
    there = part.table.column_names
    alike = [one for one in there if names.plain(one) == names.plain(name)]
    return name if name in there else alike[0] if len(alike) == 1 else None


def existing_name(part: Part, name: str, kind: str) -> str:
    """Returns a column's name as the part writes it.

    Raises:
      DataError: If there is no such column.
    """
    actual = actual_name(part, name)
    if actual is None:
        raise DataError(
            f"{part.place}: no column {_clipped(name)}. {columns_hint(part, kind)}"
        )
    return actual


def _text_column(part: Part, name: str) -> pa.ChunkedArray:
    column = column_of(part, name)
    kind = column.type
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if not pa.types.is_string(kind):
        raise DataError(
            f"{part.place}: column {name!r} holds {kind}, not text. "
            f"{columns_hint(part, 'text')}"
        )
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:  # bytes that are no UTF-8, in a binary format
        raise DataError(f"{part.place}, column {name!r}: {error}.") from error
    return column


def is_double(part: Part, name: str) -> bool:
    """Tells whether two columns have a name."""
    return len(part.table.schema.get_all_field_indices(name)) > 1


def column_of(part: Part, name: str) -> pa.ChunkedArray:
    """Returns a column by its name, in the plainest type that holds the same.

    A dictionary becomes its values, lists of one value each become that value, and
    whatever holds text becomes string.

    Raises:
      DataError: If two columns have the name.
    """
    if is_double(part, name):
        raise DataError(f"{part.place} has two columns named {name!r}; rename one.")
    column = part.table[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = _of_one(column)
    return _as_string(column)


def _of_one(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns the values of lists that hold one each at most."""
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    if (pc.max(lengths).as_py() or 0) != 1:
        return column
    filled = pc.if_else(pc.equal(lengths, 1), column, pa.scalar(None, column.type))
    return pc.list_element(filled, 0)


def _as_string(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type not in OTHER_TEXTS:
        return column
    if pa.types.is_binary_view(column.type):
        column = column.cast(pa.binary())
    # Not checked here whether bytes are UTF-8: whoever takes them for texts does.
    return pc.cast(column, options=pc.CastOptions(pa.string(), allow_invalid_utf8=True))


def columns_hint(part: Part, *kinds: str) -> str:
    """Says which columns there are, and how to choose one for texts or labels."""
    there = part.table.column_names
    shown = listed(list(map(_clipped, there)), SHOWN_NAMES)
    bare = ", and no header" if all(map(NUMBERED.fullmatch, there)) else ""
    options = [f"--{kind}-column{_example(part, kind)}" for kind in kinds]
    example = ", for example" if all(" " in option for option in options) else ""
    return f"It has {shown}{bare}; choose with {' '.join(options)}{example}."


def _example(part: Part, kind: str) -> str:
    """Returns the likeliest column as one would type it; nothing if none is likely."""
    if not part.table.num_rows or part.table.num_columns < 2:
        return ""
    text, labels = likeliest_in(part)
    likely = text if kind == TEXT else labels[0]
    if not likely.strip() or len(likely) > SHOWN_CHARACTERS:
        return ""
    return f" {shlex.quote(likely)}"


def _clipped(name: str) -> str:
    is_short = len(name) <= SHOWN_CHARACTERS
    return repr(name if is_short else f"{name[: SHOWN_CHARACTERS - 1]}…")


def first_row(part: Part, rows: pa.ChunkedArray) -> int:
    """Returns the number, for messages, of the first row where bool `rows` is true."""
    return part.row(pc.index(rows, True).as_py())


def all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    """Tells whether a regular expression is found in every value."""
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def has_column(part: Part, name: str) -> bool:
    """Tells whether a part has a column, or all those that a name joins by commas."""
    wanted = names.parts_of(name, part.table.column_names)
    return all(actual_name(part, one) is not None for one in wanted)


def likeliest_in(part: Part) -> tuple[str, list[str]]:
    """Returns the columns of texts and of labels by content, see `names.likeliest`."""
    head = part.table.slice(0, SAMPLE)
    columns = [[str(v) for v in column.to_pylist()] for column in head.columns]
    text, labels = names.likeliest(list(zip(*columns, strict=True)))
    there = part.table.column_names
    return there[text], [there[label] for label in labels]
