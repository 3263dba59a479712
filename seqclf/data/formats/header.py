"""Whether the first line of a table holds the names of its columns, or is a row."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

from seqclf.data import names
from seqclf.errors import ConfigError, DataError
from seqclf.records.reading import Known, Reading

NAME = re.compile(r"[^.?!,;:]{0,40}")  # what the name of a column looks like
MOST_NAME_WORDS = 4
FEW_COLUMNS = 8
FEWEST_FOR_NAMES = 10  # rows, before they tell that unusual names are no row
# The names of columns, whether the first row holds them, what the user should know.
Columns = tuple[tuple[str, ...], bool, tuple[str, ...]]
NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")


def numbered(count: int) -> tuple[str, ...]:
    """Returns names for columns that have none."""
    return tuple(f"column_{number}" for number in range(1, count + 1))


def columns_of(sample: Sequence[Sequence[str]], place: str, known: Known) -> Columns:
    """Names the columns of a file, and tells whether its first row does.

    `sample` has its first rows, one at least.

    Raises:
      DataError: If nothing tells; both answers are named as options.
      ConfigError: If the names that were given are not as many as the columns.
    """
    first, given = tuple(sample[0]), known.given
    if columns := given.column_names:
        if len(columns) != len(first):
            raise ConfigError(
                f"--columns names {len(columns)} columns, but {place} has "
                f"{len(first)}, such as {_shown(first)}."
            )
        return columns, first == columns, ()  # equal names are no row
    if given.header is not None:
        said = (first, True) if given.header else (numbered(len(first)), False)
        return (*said, ())
    trained = as_in_training(first, known.usual)
    if trained is not None:
        return trained
    verdict = is_header(sample)
    if verdict is None:
        raise DataError(_question(sample, place))
    if verdict:
        unusual = f"{place}: its first line, {_shown(first)}, is taken for names; "
        note = f"{unusual}--no-header makes a row of it."
        return first, True, () if names.known_kinds(first) else (note,)
    columns = numbered(len(first))
    return columns, False, (
        f"{place} has no header: its columns are called {', '.join(columns)}; "
        f"--columns gives them names.",
    )  # fmt: skip


def as_in_training(first: tuple[str, ...], usual: Reading) -> Columns | None:
    """Takes the first line as in training, if this file looks like those."""
    wanted = names.parts_of(usual.text_column, first)
    if wanted and set(wanted) <= set(first):
        return first, True, ()
    if usual.header is False and names.known_kinds(first) != {names.TEXT, names.LABEL}:
        columns = usual.column_names or numbered(len(first))
        if len(columns) == len(first):
            return columns, False, ()
    return None


def is_header(rows: Sequence[Sequence[str]]) -> bool | None:
    """Tells by content whether the first of some rows holds the names of the columns.

    It does if names are in it that texts and labels have, or if a column of numbers
    begins with none. It is a row if what it holds occurs in later rows where these
    repeat themselves, as labels do. None if nothing tells.
    """
    first, later = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    known = names.known_kinds(first)
    if known == {"text", "label"} or (known and not later):
        return True
    if not later:  # no row is like it: an uneven row is refused with its line
        return None if len(rows) == 1 else True
    columns = [Counter(column) for column in zip(*later, strict=True)]
    # Few different values, as labels have.
    repeated = [i for i, c in enumerate(columns) if 2 * len(c) <= c.total()]
    again = {i for i, value in enumerate(first) if value and value in columns[i]}
    numbers = [i for i, c in enumerate(columns) if all(map(NUMBER.fullmatch, c))]
    breaks = [i for i in numbers if first[i] and not NUMBER.fullmatch(first[i])]
    if repeated and again.issuperset(repeated) and not breaks:
        return None if known else False
    if again or not _could_be_names(first):
        return None
    if known:
        return True
    # Where each value repeats, a new row would repeat one.
    steady = [
        i for i in repeated if len(columns[i]) > 1 and min(columns[i].values()) > 1
    ]
    is_told = breaks or steady
    return True if is_told and len(later) >= FEWEST_FOR_NAMES else None


def _could_be_names(fields: Sequence[str]) -> bool:
    named = [field.strip() for field in fields if field.strip()]
    if not named or len(set(named)) < len(named):
        return False
    alike = all(map(NAME.fullmatch, named)) and not any(map(NUMBER.fullmatch, named))
    return alike and all(len(name.split()) <= MOST_NAME_WORDS for name in named)


def _question(sample: Sequence[Sequence[str]], place: str) -> str:
    """Asks whether the first line is a row; both answers are whole commands."""
    first = sample[0]
    alike = [row for row in sample if len(row) == len(first)]
    text, labels = names.likeliest(alike)
    columns = list(numbered(len(first)))
    row = ["--no-header", "--text-column", columns[text]]
    for label in labels[:1]:
        row += ["--label-column", columns[label]]
    if len(first) <= FEW_COLUMNS:  # so few may be given names
        columns[text] = "text"
        for label in labels[:1]:
            columns[label] = "label"
        row = ["--columns", ",".join(columns)]
    header = ["--header"]
    if _could_be_names(first):
        text, labels = names.likeliest(alike[1:] or alike)
        header += ["--text-column", first[text]]
        for label in labels[:1]:
            header += ["--label-column", first[label]]
    return (
        f"{place}: nothing tells whether its first line, {_shown(first)}, is a row or "
        f"the names of the columns. If it is a row: {shlex.join(row)}. If it holds "
        f"names: {shlex.join(header)}."
    )


def _shown(fields: Iterable[str]) -> str:
    shown = repr(", ".join(fields))
    return shown if len(shown) <= 80 else f"{shown[:78]}…'"
