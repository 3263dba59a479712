"""What gives labels away: other columns, the order of rows, forms and words of texts.

Nothing here knows what a column means. That it tells the label is no fault if it is
known, too, when a text is to be classified; people have to say that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf.linear.model import features_of
from seqclf.linear.ngrams import fit_ngrams
from seqclf.records.suspects import COLUMN, FORM, ORDER, TOKEN, Leak
from seqclf.text.tokens import TokenizedTexts

FEWEST_ROWS = 50  # below it anything may tell the labels by chance
LEAST_GAIN = 0.5  # of the errors of guessing that a column has to spare
BINS, IN_BIN = 50, 10  # the most ranges of numbers; rows that each has at least
FEWEST_WITH_TOKEN = 20  # texts
LEAST_SHARE, LEAST_RIGHT = 0.5, 0.98  # of a label's texts; of the texts with the token
EXAMPLES = 3
DIGITS = r"[0-9]+"


def telling_columns(
    columns: Mapping[str, pa.ChunkedArray], label_ids: np.ndarray, labels: Sequence[str]
) -> Iterator[Leak]:
    """Yields the columns that tell the labels of held-out rows.

    Each value, each value without its digits (`pos_17.txt`), and of numbers each of
    `BINS` ranges, tells the commonest label that it has in half of the rows; the other
    half is scored, and the other way round. The best of the three counts.

    Args:
      columns: Plain values by name, each as long as label_ids.
      label_ids: int [rows].
      labels: Names of the ids.
    """
    for name, column in columns.items():
        yield from _best(COLUMN, name, _readings(column), label_ids, labels)


def telling_order(
    origins: np.ndarray, label_ids: np.ndarray, labels: Sequence[str]
) -> Iterator[Leak]:
    """Yields the order of rows, if their place in the source tells their label.

    Args:
      origins: int [rows], where each row stands in its source.
      label_ids: int [rows].
      labels: Names of the ids.
    """
    places = pa.chunked_array([pa.array(origins)])
    readings = (_ranges(places),)
    yield from _best(ORDER, "the order of rows", readings, label_ids, labels)


def telling_forms(
    texts: pa.ChunkedArray, label_ids: np.ndarray, labels: Sequence[str]
) -> Iterator[Leak]:
    """Yields the forms of texts that tell their labels: length, case, first and last.

    Args:
      texts: string [rows].
      label_ids: int [rows].
      labels: Names of the ids.
    """
    lower, upper = pc.utf8_lower(texts), pc.utf8_upper(texts)
    case = pc.if_else(
        pc.equal(texts, lower), "no upper case",
        pc.if_else(pc.equal(texts, upper), "no lower case", "both cases"),
    )  # fmt: skip
    forms = {
        "the length in characters": _ranges(pc.utf8_length(texts)),
        "upper and lower case": _values(case),
        "the first character": _values(pc.utf8_slice_codeunits(texts, 0, 1)),
        "the last character": _values(pc.utf8_slice_codeunits(texts, -1, None)),
    }
    for name, reading in forms.items():
        yield from _best(FORM, name, (reading,), label_ids, labels)


def telling_tokens(
    texts: Sequence[TokenizedTexts], label_ids: np.ndarray, labels: Sequence[str]
) -> Iterator[Leak]:
    """Yields words and pairs of words that most texts of a label have, and no others.

    At least `LEAST_SHARE` of the label's texts, and `FEWEST_WITH_TOKEN`, have it, and
    of all texts with it `LEAST_RIGHT` have the label. A pair of a word that is told of
    already says nothing new.

    Args:
      texts: Tokens.
      label_ids: int [rows].
      labels: Names of the ids.
    """
    ngrams = fit_ngrams(texts, longest=2, least=FEWEST_WITH_TOKEN)
    features = features_of(ngrams.counts(texts), None)
    with_token = _texts_with(features, label_ids, len(labels))
    sizes = np.bincount(label_ids, minlength=len(labels))
    total, best = with_token.sum(axis=0), with_token.argmax(axis=0)
    most = with_token.max(axis=0)
    telling = (most >= LEAST_SHARE * sizes[best]) & (most >= LEAST_RIGHT * total)
    found = np.flatnonzero(telling & (most >= FEWEST_WITH_TOKEN))
    told: dict[int, set[str]] = {}
    for column in found[np.argsort(-(most / sizes[best])[found], kind="stable")]:
        label, name = int(best[column]), ngrams.name(column)
        words = set(name.split(" "))
        if words & told.setdefault(label, set()):
            continue
        told[label] |= words
        yield Leak(
            kind=TOKEN,
            name=name,
            label=labels[label],
            rows=int(total[column]),
            right=float(most[column] / total[column]),
            usual=float(sizes[label] / sizes.sum()),
            share=float(most[column] / sizes[label]),
            example=f"{most[column]:,} of the {sizes[label]:,} texts of the label",
        )


def _texts_with(features: Any, label_ids: np.ndarray, num_labels: int) -> np.ndarray:
    """Counts each label's texts with each n-gram, int64 [labels, n-grams]."""
    rows = [features[label_ids == label].sum(axis=0) for label in range(num_labels)]
    return np.concatenate([np.asarray(row) for row in rows]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Values as numbers, int64 [rows], -1 of none; and the names of the numbers."""

    codes: np.ndarray
    names: list[str]


def _readings(column: pa.ChunkedArray) -> Iterator[_Reading]:
    texts = column.cast(pa.string())
    yield _values(texts)
    if pa.types.is_string(column.type):
        yield _values(pc.replace_substring_regex(texts, DIGITS, "#"))
    numbers = _as_numbers(column)
    if numbers is not None:
        yield _ranges(numbers)


def _as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Returns the values as float64, or None if they are no numbers and no times."""
    kind = column.type
    try:
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        elif pa.types.is_string(kind):
            stripped = pc.utf8_trim_whitespace(column)
            nothing = pa.scalar(None, pa.string())
            column = pc.if_else(pc.equal(stripped, ""), nothing, stripped)
        return column.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _values(texts: pa.ChunkedArray) -> _Reading:
    stripped = pc.utf8_trim_whitespace(texts)
    known = stripped.unique().drop_null()
    known = known.filter(pc.not_equal(known, ""))
    codes = pc.fill_null(pc.index_in(stripped, value_set=known), -1)
    return _Reading(codes.to_numpy().astype(np.int64), known.to_pylist())


def _ranges(numbers: pa.ChunkedArray) -> _Reading:
    """Divides numbers into at most `BINS` ranges of about equally many."""
    values = pc.fill_null(numbers.cast(pa.float64(), safe=False), np.nan).to_numpy()
    known = np.isfinite(values)
    if not known.any():
        return _Reading(np.full(len(values), -1), [])
    bins = int(np.clip(known.sum() // IN_BIN, 1, BINS))
    shares = np.linspace(0, 1, bins + 1)[:-1]
    edges = np.unique(np.quantile(values[known], shares, method="lower"))
    codes = np.where(known, np.searchsorted(edges, values, side="right") - 1, -1)
    return _Reading(codes, [f"from {edge:.10g}" for edge in edges])


def _best(
    kind: str,
    name: str,
    readings: Iterator[_Reading] | Sequence[_Reading],
    label_ids: np.ndarray,
    labels: Sequence[str],
) -> Iterator[Leak]:
    """Yields the reading that tells the most labels, if it tells enough."""
    found = [_told(reading, label_ids, len(labels)) for reading in readings]
    right, usual, reading = max(found, key=lambda one: one[0])
    rows = int((reading.codes >= 0).sum())
    noise = 3 * np.sqrt(usual * (1 - usual) / len(label_ids))
    gain = right - usual
    if len(label_ids) < FEWEST_ROWS or gain < max(LEAST_GAIN * (1 - usual), noise):
        return
    yield Leak(
        kind=kind,
        name=name,
        label=None,
        rows=rows,
        right=right,
        usual=usual,
        share=rows / len(label_ids),
        example=_example(reading, label_ids, labels),
    )


def _told(
    reading: _Reading, label_ids: np.ndarray, num_labels: int
) -> tuple[float, float, _Reading]:
    """Returns which share of held-out labels values tell, which guessing, and values.

    A value that the other half lacks tells the commonest label, as guessing does.
    """
    half = np.random.default_rng(0).permutation(len(label_ids)) % 2
    right = guessed = 0
    for side in (0, 1):
        learnt, held = half != side, half == side
        usual = int(np.bincount(label_ids[learnt], minlength=num_labels).argmax())
        answers = _majorities(reading, learnt, label_ids, num_labels, usual)
        codes = reading.codes[held]
        told = np.where(codes >= 0, answers[codes], usual)
        right += int((told == label_ids[held]).sum())
        guessed += int((usual == label_ids[held]).sum())
    return right / len(label_ids), guessed / len(label_ids), reading


def _majorities(
    reading: _Reading,
    learnt: np.ndarray,
    label_ids: np.ndarray,
    num_labels: int,
    usual: int,
) -> np.ndarray:
    """Returns the commonest label of each value in some rows, int64 [values + 1]."""
    answers = np.full(len(reading.names) + 1, usual)
    rows = learnt & (reading.codes >= 0)
    keys = reading.codes[rows] * num_labels + label_ids[rows]
    pairs, counts = np.unique(keys, return_counts=True)
    ascending = np.argsort(counts, kind="stable")  # the commonest is written last
    values, told = np.divmod(pairs[ascending], num_labels)
    answers[values] = told
    return answers


def _example(reading: _Reading, label_ids: np.ndarray, labels: Sequence[str]) -> str:
    """Says which labels the commonest values have."""
    known = reading.codes >= 0
    counts = np.bincount(reading.codes[known], minlength=len(reading.names))
    said = []
    for code in np.argsort(-counts, kind="stable")[:EXAMPLES].tolist():
        own = np.bincount(label_ids[reading.codes == code], minlength=len(labels))
        share = f"{own.max():,} of {own.sum():,}"
        said.append(
            f"{reading.names[code]!s:.40}: {labels[int(own.argmax())]} ({share})"
        )
    return "; ".join(said)
