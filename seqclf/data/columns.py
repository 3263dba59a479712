"""Which columns of a source hold texts and labels; the texts."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data import names
from seqclf.data.dataset import TRAIN, UNLABELED, Found, Part
from seqclf.data.names import LABEL, TEXT
from seqclf.data.reading import NOTHING_SAID, Reading
from seqclf.errors import DataError

JOINT = "\n"  # stands between the parts of a joined text
NUMBER = r"^\s*[-+]?\d+([.,]\d+)?\s*$"
NUMBERED = re.compile(r"column_\d+")
FEWEST_FOR_A_GUESS = 20  # below it a column of any values may well be one of labels
SAMPLE = 1000  # rows that a guess rests on
SHOWN_NAMES, SHOWN_CHARACTERS = 12, 40
TIMES_MORE_WORDS = 2  # than any other column has, for one without a name of texts


def with_columns(
    found: Found, config: DataConfig, usual: Reading = NOTHING_SAID
) -> Found:
    """Decides which columns hold texts and labels, once for all splits.

    Those that were given; else what the source itself calls them; else those of the
    training, where the source has them; else those that their names and their content
    speak for.

    Args:
      found: What the source holds.
      config: Names of the columns, if they were given.
      usual: How the training read its data.

    Returns:
      The same rows, with the names of both columns, and notes on those that were not
      named.

    Raises:
      DataError: If there is no such column, or nothing tells which it is.
    """
    trained: dict[str, str] = {}
    guessed: dict[str, str] = {}
    missing: list[str] = []
    train = found.parts[TRAIN][0]
    for kind in (TEXT, LABEL):
        field = f"{kind}_column"
        name = getattr(config, field) or getattr(found, field)
        if name is None and _is_everywhere(found, kind, getattr(usual, field)):
            name = trained[kind] = getattr(usual, field)
        if name is None:
            name = _guessed(train, kind)
            if name is None:
                missing.append(kind)
                continue
            guessed[kind] = name
            found = _renamed(found, kind, name)
        found = dataclasses.replace(found, **{field: name})
    if missing:
        raise _not_found(train, missing)
    return dataclasses.replace(found, notes=found.notes + _told(trained, guessed))


def _told(trained: Mapping[str, str], guessed: Mapping[str, str]) -> tuple[str, ...]:
    """Says which columns were taken, unless they are called what they hold."""
    notes = []
    if trained:
        notes.append(f"took {_columns(trained)}, as in training.")
    if any(kind != name for kind, name in guessed.items()):
        options = " and ".join(f"--{kind}-column" for kind in guessed)
        notes.append(f"took {_columns(guessed)}; {options} name others.")
    return tuple(notes)


def _columns(taken: Mapping[str, str]) -> str:
    return " and ".join(f"column {name!r} for {kind}s" for kind, name in taken.items())


def _is_everywhere(found: Found, kind: str, name: str | None) -> bool:
    """Tells whether a column, or all that are to be joined, are in every part."""
    parts = [
        part
        for split, some in found.parts.items()
        for part in some
        if kind == TEXT or split != UNLABELED
    ]
    return name is not None and all(has_column(part, kind, name) for part in parts)


def has_column(part: Part, kind: str, name: str) -> bool:
    """Tells whether a part has a column, or all the text columns that are joined."""
    there = part.table.column_names
    wanted = names.parts_of(name, there) if kind == TEXT else [name]
    return all(actual_name(part, one) is not None for one in wanted)


def _renamed(found: Found, kind: str, name: str) -> Found:
    """Lets all splits call a column as train does, where another name was found."""
    notes, parts = [], {}
    for split, some in found.parts.items():
        parts[split] = list(some)
        for index, part in enumerate(some):
            other = None if has_column(part, kind, name) else _named(part, kind)
            if other is not None:
                columns = [name if c == other else c for c in part.table.column_names]
                table = part.table.rename_columns(columns)
                parts[split][index] = dataclasses.replace(part, table=table)
                notes.append(f"{part.place}: took column {other!r} for {kind}s.")
    return dataclasses.replace(found, parts=parts, notes=(*found.notes, *notes))


def guess_text(part: Part) -> str:
    """Returns the name of the column that most likely holds texts.

    Raises:
      DataError: If nothing tells; the columns there are and the option are named.
    """
    name = _guessed(part, TEXT)
    if name is None:
        raise _not_found(part, [TEXT])
    return name


def _not_found(part: Part, kinds: Sequence[str]) -> DataError:
    said = f"no {kinds[0]} column"
    return DataError(f"{part.place}: {said}. {columns_hint(part, *kinds)}")


def _guessed(part: Part, kind: str) -> str | None:
    """Returns the column that most likely holds texts or labels, None if none does.

    One with a usual name; else the one whose content speaks for it: of texts the one
    with the most words, of labels the only one with few different values.
    """
    if all(map(NUMBERED.fullmatch, part.table.column_names)):
        return _text_alone(part) if kind == TEXT else _label_alone(part)
    named = _named(part, kind)
    if kind == TEXT:
        return _text_by_content(part, named)
    return named or _label_by_content(part)


def _named(part: Part, kind: str) -> str | None:
    """Returns the column with the likeliest name, or one that ends in such a name."""
    likely = names.TEXT_COLUMNS if kind == TEXT else names.LABEL_COLUMNS
    there = {names.plain(name): name for name in reversed(part.table.column_names)}
    exact = [there[name] for name in likely if name in there]
    ending = [n for n in part.table.column_names if names.is_like(n, likely)]
    if kind == TEXT and exact and names.plain(exact[0]) not in names.CERTAIN:
        words = _mean_words(part, dict.fromkeys(exact + ending))
        return max(words, key=words.__getitem__, default=exact[0])
    if exact:
        return exact[0]
    if kind == TEXT:
        words = _mean_words(part, ending)
        return max(words, key=words.__getitem__, default=None)
    return next((name for name in ending if _has_few_values(part, name)), None)


def _likeliest(part: Part) -> tuple[str, list[str]]:
    """Returns the columns of texts and of labels by content, see `names.likeliest`."""
    head = part.table.slice(0, SAMPLE)
    columns = [[str(v) for v in column.to_pylist()] for column in head.columns]
    text, labels = names.likeliest(list(zip(*columns, strict=True)))
    there = part.table.column_names
    return there[text], [there[label] for label in labels]


def _text_alone(part: Part) -> str:
    """Returns the column of the longest texts of a file that gives columns no names."""
    return _likeliest(part)[0]


def _label_alone(part: Part) -> str | None:
    """Returns the column of labels of such a file; None if several may be that."""
    _, labels = _likeliest(part)
    return labels[0] if len(labels) == 1 else _only_repeated(part, labels)


def _only_repeated(part: Part, columns: Iterable[str]) -> str | None:
    """Returns the column with few values, where the others never repeat theirs."""
    if part.table.num_rows < FEWEST_FOR_A_GUESS:
        return None
    again = [name for name in columns if _repeats(part, name)]
    return again[0] if len(again) == 1 and _has_few_values(part, again[0]) else None


def _repeats(part: Part, name: str) -> bool:
    column = column_of(part, name)
    if pa.types.is_nested(column.type):
        return False
    return bool(pc.count_distinct(column).as_py() < len(column))


def _text_by_content(part: Part, named: str | None) -> str | None:
    """Returns the column of the longest texts, where names leave a choice."""
    if named is not None and names.plain(named) in names.CERTAIN:
        return named
    words = _mean_words(part, [n for n in part.table.column_names if n != named])
    others = {
        name: count
        for name, count in words.items()
        if not names.ends_otherwise(name)
        and count >= names.FEWEST_WORDS
        and part.table.num_rows >= FEWEST_FOR_A_GUESS
        and not _has_few_values(part, name)
    }
    best = max(others, key=others.__getitem__, default=None)
    if named is None or best is None:
        rest = [count for name, count in words.items() if name != best]
        is_clear = best and words[best] >= TIMES_MORE_WORDS * max(rest, default=0)
        return named or (best if is_clear else None)
    weighed = names.NAMED_WEIGHT * _mean_words(part, [named]).get(named, 0)
    return best if others[best] > weighed else named


def _mean_words(part: Part, columns: Iterable[str]) -> dict[str, float]:
    """Returns how many words the texts of columns have, on average; of texts alone."""
    found = {}
    for name in columns:
        if part.table.column_names.count(name) > 1:
            continue
        values = column_of(part, name).slice(0, SAMPLE).drop_null()
        if pa.types.is_string(values.type) and len(values):
            words = map(names.count_words, values.to_pylist())
            found[name] = sum(words) / len(values)
    return found


def _has_few_values(part: Part, name: str) -> bool:
    """Tells whether a column repeats its values, as labels do."""
    column = column_of(part, name)
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type):
        return not pa.types.is_floating(column.type)
    count = pc.count_distinct(column).as_py()
    return bool(1 < count <= names.MOST_LABELS and 2 * count <= len(column))


def _label_by_content(part: Part) -> str | None:
    """Returns the only column with few different values, that of texts apart."""
    there = part.table.column_names
    might = [n for n in there if not names.ends_otherwise(n) and there.count(n) == 1]
    text = _text_by_content(part, _named(part, TEXT))
    return _only_repeated(part, [name for name in might if name != text])


def texts_of(part: Part, given: str) -> pa.ChunkedArray:
    """Returns the texts of a part, string, without nulls.

    Args:
      part: Rows of a source.
      given: Name of the column, or of several to join, separated by commas.

    Raises:
      DataError: If there is no such column, it holds no text, or a row has none.
    """
    texts = texts_or_nulls(part, given)
    columns = text_names(part, given)
    refuse_missing(texts, " and ".join(map(repr, columns)), part)
    return texts


def texts_or_nulls(part: Part, given: str) -> pa.ChunkedArray:
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


def checked_texts(part: Part, given: str) -> pa.ChunkedArray:
    """Returns the texts of a part; a column of mere numbers is refused."""
    texts = texts_of(part, given)
    if len(texts) >= FEWEST_FOR_A_GUESS and all_match(texts, NUMBER):
        raise DataError(
            f"{part.place}: column {text_names(part, given)[0]!r} holds nothing but "
            f"numbers, such as "
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
    if name in there:
        return name
    alike = [one for one in there if names.plain(one) == names.plain(name)]
    return alike[0] if len(alike) == 1 else None


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


def column_of(part: Part, name: str) -> pa.ChunkedArray:
    """Returns a column by its name, in the plainest type that holds the same.

    A dictionary becomes its values, lists of one value each become that value, and
    whatever holds text becomes string.

    Raises:
      DataError: If two columns have the name.
    """
    if part.table.column_names.count(name) > 1:
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
    kind = column.type
    holds_text = (
        pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
    )
    if not holds_text:
        return column
    if pa.types.is_binary_view(kind):
        column = column.cast(pa.binary())
    # Not checked here whether bytes are UTF-8: whoever takes them for texts does.
    return pc.cast(column, options=pc.CastOptions(pa.string(), allow_invalid_utf8=True))


def columns_hint(part: Part, *kinds: str) -> str:
    """Says which columns there are, and how to choose one for texts or labels."""
    there = part.table.column_names
    shown = ", ".join(map(_clipped, there[:SHOWN_NAMES]))
    if len(there) > SHOWN_NAMES:
        shown += f" and {len(there) - SHOWN_NAMES:,} more"
    bare = ", and no header" if all(map(NUMBERED.fullmatch, there)) else ""
    options = [f"--{kind}-column{_example(part, kind)}" for kind in kinds]
    example = ", for example" if all(" " in option for option in options) else ""
    return f"It has {shown}{bare}; choose with {' '.join(options)}{example}."


def _example(part: Part, kind: str) -> str:
    """Returns the likeliest column as one would type it; nothing if none is likely."""
    if not part.table.num_rows or part.table.num_columns < 2:
        return ""
    text, labels = _likeliest(part)
    likely = text if kind == TEXT else labels[0]
    if not likely.strip() or len(likely) > SHOWN_CHARACTERS:
        return ""
    return f" {shlex.quote(likely)}"


def _clipped(name: str) -> str:
    short = len(name) <= SHOWN_CHARACTERS
    return repr(name if short else f"{name[: SHOWN_CHARACTERS - 1]}…")


def refuse_missing(column: pa.ChunkedArray, name: str, part: Part) -> None:
    """Raises a DataError if a row has nothing; counts them and names the first."""
    if column.null_count:
        row = part.row(pc.index(pc.is_null(column), True).as_py())
        raise DataError(
            f"{part.place} has {column.null_count:,} rows without {name}, the first "
            f"is row {row:,}; fill them or take them out."
        )


def all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    """Tells whether a regular expression is found in every value."""
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())
