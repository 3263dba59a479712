"""Which columns of a file hold its answers, and what they say."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.columns import actual_name, column_of
from seqclf.data.dataset import Part
from seqclf.data.spelling import as_whole
from seqclf.errors import DataError, unknown
from seqclf.wording import listed

# Columns of answers, those of `predict --output` first.
PREDICTED = ("predicted_label", "prediction", "predicted")
LABEL, PROBABILITIES = "label", "probabilities"
TOLERANCE = 1e-3  # by which the probabilities of a row may miss 1
NONE = -1  # the id of what is no label


@dataclass(frozen=True, slots=True)
class Answers:
    """What a file says, in its own order.

    Attributes:
      label_ids: int64 [rows], the answers.
      probabilities: float64 [rows, labels], or None; the greatest is the answer's.
      beside: Columns that may hold the true labels; where no other column is named as
        one of answers, they may hold the answers instead.
      has_column: Whether a column of answers was named.
      column: What they were read from, in words.
    """

    label_ids: np.ndarray
    probabilities: np.ndarray | None
    beside: tuple[str, ...]
    has_column: bool
    column: str


def answers_in(part: Part, labels: Sequence[str], label_column: str) -> Answers:
    """Finds the answers in a file.

    `label_column` is what the data set calls its labels.

    Raises:
      DataError: If there are none, a row lacks one, or it is no label or no
        probability.
    """
    probabilities = _probabilities(part, labels)
    has = [name for one in PREDICTED if (name := actual_name(part, one))]
    named = [actual_name(part, one) for one in (label_column, LABEL)]
    beside = list(dict.fromkeys(name for name in named if name))
    column = has[0] if has else None
    if column is None and probabilities is None and beside:
        column = beside.pop()  # `label`, where the data has another for the true ones
    if column is None and probabilities is None:
        raise DataError(_no_answers(part, labels))
    source = f"column {column!r}" if column else "probabilities"
    if column is None:
        label_ids = np.asarray(probabilities).argmax(axis=1)
    else:
        label_ids = _required_ids(part, column, labels)
    if column is not None and probabilities is not None:
        _refuse_other_answers(part, column, label_ids, probabilities, labels)
        source += " and probabilities"
    return Answers(label_ids, probabilities, tuple(beside), column is not None, source)


def _no_answers(part: Part, labels: Sequence[str]) -> str:
    return (
        f"{part.place} has no column of answers, only "
        f"{listed(list(map(repr, part.table.column_names)))}; it needs one called "
        f"{', '.join(PREDICTED)} or {LABEL}, or one of probabilities for each label, "
        f"called {listed(list(labels))}."
    )


def _probabilities(part: Part, labels: Sequence[str]) -> np.ndarray | None:
    """Returns float64 [rows, labels]: of a column a label, or of `probabilities`."""
    if set(labels) <= set(part.table.column_names):
        values = np.column_stack([_numbers(part, label) for label in labels])
    elif (name := actual_name(part, PROBABILITIES)) is not None:
        values = _nested(part, name, labels)
    else:
        return None
    sums = values.sum(axis=1)
    is_bad = ~((values >= 0).all(axis=1) & (np.abs(sums - 1) <= TOLERANCE))
    if is_bad.any():
        row = int(is_bad.argmax())
        said = ", ".join(f"{value:g}" for value in values[row][:5])
        raise DataError(
            f"{place(part, row)}: {said}{' …' if len(labels) > 5 else ''} are no "
            f"probabilities, they sum to {sums[row]:g}. Those of a row are at least 0 "
            f"and sum to 1, to within {TOLERANCE:g}."
        )
    return values


def _numbers(part: Part, name: str) -> np.ndarray:
    return numbers_in(part, name, pa.float64(), "no probability").to_numpy()


def numbers_in(part: Part, name: str, kind: pa.DataType, what: str) -> pa.ChunkedArray:
    """Returns a column as numbers of a kind, null where it has none.

    Raises:
      DataError: Names the first that is not of the kind, and says `what` it is.
    """
    column = column_of(part, name)
    with contextlib.suppress(pa.ArrowException):
        return column.cast(kind)
    for row in range(len(column)):
        try:
            column.slice(row, 1).cast(kind)
        except pa.ArrowException as error:
            value = column[row].as_py()
            raise DataError(
                f"{place(part, row)}: {value!r} in column {name!r} is {what}."
            ) from error
    raise DataError(f"{part.place}: column {name!r} holds {column.type}, {what}.")


def _nested(part: Part, name: str, labels: Sequence[str]) -> np.ndarray:
    """Returns probabilities of lists, or of objects by label, [rows, labels]."""
    column = part.table[name].combine_chunks()
    kind, n = column.type, len(labels)
    try:
        if pa.types.is_struct(kind) and {field.name for field in kind} == {*labels}:
            every = [pc.struct_field(column, [kind.get_field_index(x)]) for x in labels]
            return np.column_stack(
                [one.cast(pa.float64()).to_numpy(False) for one in every]
            )
        if _is_list(kind) and pc.all(pc.equal(pc.list_value_length(column), n)).as_py():
            values = pc.list_flatten(column).cast(pa.float64()).to_numpy(False)
            return np.asarray(values.reshape(-1, n))
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{part.place}, column {name!r}: {error}.") from error
    raise DataError(
        f"{part.place}: column {name!r} holds {kind}; it takes a list of {n} numbers "
        f"in the order of the labels, or an object with a number for each label: "
        f"{listed(list(labels))}."
    )


def _is_list(kind: pa.DataType) -> bool:
    are = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in are)


def _required_ids(part: Part, column: str, labels: Sequence[str]) -> np.ndarray:
    every = possible_ids(part, column, labels)
    label_ids = max(every, key=lambda ids: int((ids != NONE).sum()))
    strange = label_ids == NONE
    if strange.any():
        row = int(strange.argmax())
        value = column_of(part, column)[row].as_py()
        if value is None or not str(value).strip():
            raise DataError(
                f"{place(part, row)}: no answer in column {column!r}; each test text "
                f"needs one."
            )
        raise DataError(
            f"{place(part, row)}: {unknown('label', str(value).strip(), labels)}"
        )
    return label_ids


def possible_ids(
    part: Part, column: str, labels: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the label ids that a column may mean, each int64 [rows].

    First by the labels' names, `1.0` for `1`, then by their numbers from 0, as seqclf
    writes them in `predictions/`. `NONE` for what is no label.

    Raises:
      DataError: If it holds several values a row.
    """
    values = column_of(part, column)
    if pa.types.is_nested(values.type):
        raise DataError(
            f"{part.place}: column {column!r} holds {values.type}; an answer is one "
            f"label."
        )
    values = pc.fill_null(values.cast(pa.string()), "")
    different = values.unique()
    places = pc.index_in(values, value_set=different).to_numpy()
    exact = {label: index for index, label in enumerate(labels)}
    named = {_plain(label): index for label, index in exact.items()}
    numbers = {str(index): index for index in range(len(labels))}
    by_name, by_number = [], []
    for value in different.to_pylist():
        by_name.append(exact.get(value, named.get(_plain(value), NONE)))
        by_number.append(numbers.get(_plain(value), NONE))
    return np.array(by_name)[places], np.array(by_number)[places]


def _plain(name: str) -> str:
    stripped = name.strip()
    return as_whole(stripped) or stripped


def _refuse_other_answers(
    part: Part,
    column: str,
    label_ids: np.ndarray,
    probabilities: np.ndarray,
    labels: Sequence[str],
) -> None:
    greatest = probabilities.argmax(axis=1)
    if (greatest != label_ids).any():
        row = int((greatest != label_ids).argmax())
        raise DataError(
            f"{place(part, row)}: {labels[label_ids[row]]!r} is the answer in column "
            f"{column!r}, and the greatest probability is that of "
            f"{labels[greatest[row]]!r}; take one of both out."
        )


def place(part: Part, row: int) -> str:
    """Returns where a row is, for messages, such as `answers.csv, row 3`."""
    return f"{part.place}, row {part.row(row):,}"
