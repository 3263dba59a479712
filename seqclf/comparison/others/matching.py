"""Which test text each row of a file answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.comparison.others.columns import numbers_in, place
from seqclf.data.columns import (
    actual_name,
    has_column,
    texts_or_nulls,
)
from seqclf.data.dataset import Part
from seqclf.data.names import TEXT
from seqclf.data.spelling import quoted
from seqclf.errors import DataError
from seqclf.wording import counted

BLANKS = r"[\pZ\s]+"  # other programs may write them otherwise, or not at the ends
NUMBERS = ("id", "row")  # of columns with the places of the test texts, from 0
ANSWER_EACH = "Give one answer to each test text, and no other."


@dataclass(frozen=True, slots=True)
class Matched:
    """The rows of a file by the test text that they answer.

    Attributes:
      rows: int64 [n], of the file, in the order of the test texts.
      texts: int64 [n], a number for each different text, by row of the file.
      is_in_order: Whether the file has the order of the test texts.
      by: What they were matched by: `text`, or the column with their places.
    """

    rows: np.ndarray
    texts: np.ndarray
    is_in_order: bool
    by: str


def matched(part: Part, texts: pa.ChunkedArray, text_column: str) -> Matched:
    """Finds the test text of each row: by its text, else by its place.

    A text that occurs several times is matched in order.

    Args:
      part: The file.
      texts: The test texts, string [n].
      text_column: What the data set calls its texts, or several columns of it.

    Raises:
      DataError: If a test text has no row, a row no test text, or nothing tells.
    """
    for column in (text_column, TEXT):
        if has_column(part, column):
            return _by_text(part, texts, texts_or_nulls(part, column))
    for column in NUMBERS:
        if (name := actual_name(part, column)) is not None:
            return _by_place(part, name, texts)
    raise DataError(
        f"{part.place} has neither the texts (a column {text_column!r}) nor their "
        f"places in the test split, from 0 (a column 'id'): nothing tells which text "
        f"is answered."
    )


def _by_text(part: Part, texts: pa.ChunkedArray, came: pa.ChunkedArray) -> Matched:
    asked, said = _plain(texts), _plain(pc.fill_null(came, ""))
    different = asked.unique()
    expected, found = (
        pc.fill_null(pc.index_in(one, value_set=different), -1).to_numpy()
        for one in (asked, said)
    )
    if (row := _first_beyond(found, expected)) is not None:
        raise DataError(_strange(part, row, came, texts, found[row] in expected))
    if (row := _first_beyond(expected, found)) is not None:
        raise DataError(
            f"{_counts(part, texts)}; the first without an answer is text {row:,} of "
            f"test, {_shown(texts, row)}. {ANSWER_EACH}"
        )
    rows = np.empty(len(found), np.int64)
    rows[expected.argsort(kind="stable")] = found.argsort(kind="stable")
    return Matched(rows, found, bool((found == expected).all()), "text")


def _plain(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns texts as they are compared: blanks of any kind and number are one."""
    return pc.utf8_trim(pc.replace_substring_regex(texts, BLANKS, " "), " ")


def _first_beyond(some: np.ndarray, others: np.ndarray) -> int | None:
    """Returns the first place of some whose number occurs less often in others."""
    left = Counter(others.tolist())
    for row, number in enumerate(some.tolist()):
        if not left[number]:
            return row
        left[number] -= 1
    return None


def _strange(
    part: Part,
    row: int,
    came: pa.ChunkedArray,
    texts: pa.ChunkedArray,
    is_known: bool,
) -> str:
    """Says of a row that its text is none of test, or is there too often."""
    what = "is there more often than in" if is_known else "is none of"
    expected = ""
    if row < len(texts) and not is_known:
        expected = f" In the order of test {_shown(texts, row)} would be here."
    number = "" if len(came) == len(texts) else f" {_counts(part, texts)}."
    return (
        f"{place(part, row)}: the text {_shown(came, row)} {what} the test split."
        f"{expected}{number} {ANSWER_EACH}"
    )


def _counts(part: Part, texts: pa.ChunkedArray) -> str:
    rows = counted(part.table.num_rows, "row")
    return f"{part.place} has {rows}, and the test split has {len(texts):,}"


def _shown(texts: pa.ChunkedArray, row: int) -> str:
    return quoted(texts[row].as_py() or "")


def _by_place(part: Part, column: str, texts: pa.ChunkedArray) -> Matched:
    n = len(texts)
    no_place = f"no place of a test text, 0 to {n - 1:,}"
    found = pc.fill_null(numbers_in(part, column, pa.int64(), no_place), -1).to_numpy()
    expected = np.arange(n)
    if (row := _first_beyond(found, expected)) is not None:
        number = part.table[column][row].as_py()
        what = "is there before" if 0 <= found[row] < n else f"is {no_place}"
        raise DataError(
            f"{place(part, row)}: {number!r} in column {column!r} {what}. {ANSWER_EACH}"
        )
    if (row := _first_beyond(expected, found)) is not None:
        raise DataError(
            f"{_counts(part, texts)}; the first without an answer is that of "
            f"{column!r} {row:,}, {_shown(texts, row)}. {ANSWER_EACH}"
        )
    in_order = bool((found == expected).all())
    return Matched(found.argsort(), found, in_order, f"column {column!r}")
