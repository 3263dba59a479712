"""Which columns hold texts and labels: given, as in training, by name, by content."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data import names
from seqclf.data.columns import (
    FEWEST_FOR_A_GUESS,
    NUMBERED,
    SAMPLE,
    column_of,
    columns_hint,
    has_column,
    is_double,
    likeliest_in,
)
from seqclf.data.dataset import TRAIN, UNLABELED, Found, Part
from seqclf.data.names import LABEL, TEXT
from seqclf.errors import DataError
from seqclf.records.reading import NOTHING_SAID, Reading

TIMES_MORE_WORDS = 2  # than any other column has, for one without a name of texts


def with_columns(
    found: Found, config: DataConfig, usual: Reading = NOTHING_SAID
) -> Found:
    """Decides which columns hold texts and labels, once for all splits.

    Those that were given; else what the source itself calls them; else those of the
    training, where the source has them; else those that their names and their content
    speak for. Notes say which columns were not named.

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
        if name is None and (name := _guessed(train, kind)) is not None:
            guessed[kind] = name
            found = _renamed(found, kind, name)
        if name is None:
            missing.append(kind)
        found = dataclasses.replace(found, **{field: name})
    if missing:
        raise _not_found(train, *missing)
    return found.noted(*_told(trained, guessed))


def _told(trained: Mapping[str, str], guessed: Mapping[str, str]) -> tuple[str, ...]:
    """Says which columns were taken, unless they are called what they hold."""
    notes = []
    if any(kind != name for kind, name in trained.items()):
        notes.append(f"took {_columns(trained)}, as in training.")
    if any(kind != name for kind, name in guessed.items()):
        options = " and ".join(f"--{kind}-column" for kind in guessed)
        notes.append(f"took {_columns(guessed)}; {options} name others.")
    return tuple(notes)


def _columns(taken: Mapping[str, str]) -> str:
    return " and ".join(f"column {name!r} for {kind}s" for kind, name in taken.items())


def _is_everywhere(found: Found, kind: str, name: str | None) -> bool:
    """Tells whether a column, or all that are to be joined, are in every part."""
    splits = found.parts if kind == TEXT else found.parts.keys() - {UNLABELED}
    parts = (part for split in splits for part in found.parts[split])
    return name is not None and all(has_column(part, name) for part in parts)


def _renamed(found: Found, kind: str, name: str) -> Found:
    """Lets all splits call a column as train does, where another name was found."""
    notes, parts = [], {}
    for split, some in found.parts.items():
        parts[split] = list(some)
        for index, part in enumerate(some):
            other = None if has_column(part, name) else _named(part, kind)
            if other is not None:
                columns = [name if c == other else c for c in part.table.column_names]
                table = part.table.rename_columns(columns)
                parts[split][index] = dataclasses.replace(part, table=table)
                notes.append(f"{part.place}: took column {other!r} for {kind}s.")
    return dataclasses.replace(found, parts=parts).noted(*notes)


def guess_text(part: Part) -> str:
    """Returns the name of the column that most likely holds texts.

    Raises:
      DataError: If nothing tells; the columns there are and the option are named.
    """
    name = _guessed(part, TEXT)
    if name is None:
        raise _not_found(part, TEXT)
    return name


def _not_found(part: Part, *kinds: str) -> DataError:
    hint = columns_hint(part, *kinds)
    return DataError(f"{part.place}: no {kinds[0]} column. {hint}")


def _guessed(part: Part, kind: str) -> str | None:
    """Returns the column that most likely holds texts or labels, None if none does.

    One with a usual name; else the one whose content speaks for it: of texts the one
    with the most words, of labels the only one with few different values.
    """
    if all(map(NUMBERED.fullmatch, part.table.column_names)):
        # A file that gives columns no names.
        text, labels = likeliest_in(part)
        if kind == TEXT:
            return text
        return labels[0] if len(labels) == 1 else _only_repeated(part, labels)
    named = _named(part, kind)
    if kind == TEXT:
        return _text_by_content(part, named)
    return named or _label_by_content(part) or _only_list(part)


def _named(part: Part, kind: str) -> str | None:
    """Returns the column with the likeliest name, or one that ends in such a name."""
    likely = names.TEXT_COLUMNS if kind == TEXT else names.LABEL_COLUMNS
    there = {names.plain(name): name for name in reversed(part.table.column_names)}
    exact = [there[name] for name in likely if name in there]
    ending = [n for n in part.table.column_names if names.is_like(n, likely)]
    best = exact[0] if exact else None
    if kind == TEXT and (best is None or names.plain(best) not in names.CERTAIN):
        words = _mean_words(part, dict.fromkeys(exact + ending))
        return max(words, key=words.__getitem__, default=best)
    return (
        best
        if best is not None
        else next((name for name in ending if _has_few_values(part, name)), None)
    )


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
    are_enough = part.table.num_rows >= FEWEST_FOR_A_GUESS
    others = {
        name: count
        for name, count in words.items()
        if are_enough and count >= names.FEWEST_WORDS
        if not (names.ends_otherwise(name) or _has_few_values(part, name))
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
        if is_double(part, name):
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
    might = [n for n in there if not (names.ends_otherwise(n) or is_double(part, n))]
    text = _text_by_content(part, _named(part, TEXT))
    return _only_repeated(part, [name for name in might if name != text])


def _only_list(part: Part) -> str | None:
    """Returns the only column of lists of names or ids, of labels most likely."""

    def may_be_labels(kind: pa.DataType) -> bool:
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            return False
        return pa.types.is_string(kind.value_type) or pa.types.is_integer(
            kind.value_type
        )

    found = [field.name for field in part.table.schema if may_be_labels(field.type)]
    return found[0] if len(found) == 1 else None
