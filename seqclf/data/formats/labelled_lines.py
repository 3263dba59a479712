"""Plain lines that hold a text and its label: fastText, TREC, `text;label`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from seqclf.data.dataset import Part
from seqclf.errors import DataError

FASTTEXT = "__label__"
TREC_LINE = re.compile(r"([A-Z]{2,}):(\S+) (.+)")
SEPARATORS = "\t;@|,"
MOST_LABELS, MOST_LABEL_WORDS = 200, 4
MARKED_SHARE = 0.9  # of the lines that must begin as fastText's do


def read_lines(content: pa.Buffer, place: str) -> Part | None:
    """Reads lines that hold a text and its label.

    Returns:
      Columns `text` and `label` (and `fine_label` of TREC), without blank lines; None
      if the lines hold nothing of the kind.

    Raises:
      DataError: If a line of fastText has no label.
    """
    text = memoryview(content).tobytes().decode().replace("\r\n", "\n")
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise DataError(f"{place} is empty.")
    marked = sum(FASTTEXT in line for line in lines)
    if marked >= MARKED_SHARE * len(lines):
        return _part(place, _fasttext(text, place), f"labels are behind {FASTTEXT}")
    if all(map(TREC_LINE.fullmatch, lines)):
        said = (
            f"a label is what comes before ':'; --label-column fine_label takes the "
            f"whole of it, as in {lines[0].split()[0]}"
        )
        return _part(place, _trec(lines), said)
    for by in SEPARATORS:
        if not all(by in line for line in lines):
            continue
        divided = {
            "after the last": [line.rpartition(by) for line in lines],
            "before the first": [line.partition(by)[::-1] for line in lines],
        }
        for where, parts in divided.items():
            if _has_labels([label for _, _, label in parts]):
                pairs = [(text, label) for text, _, label in parts]
                said = f"a label is what comes {where} {by!r}"
                return _part(place, _table(pairs), said)
    return None


def _part(place: str, table: pa.Table, said: str) -> Part:
    return Part(place, table, notes=(f"{place}: {said}.",))


def _has_labels(values: Sequence[str]) -> bool:
    """Tells whether values are few and short, as labels are."""
    different = set(values)
    return (
        2 <= len(different) <= MOST_LABELS
        and 2 * len(different) <= len(values)
        and all(v.strip() and len(v.split()) <= MOST_LABEL_WORDS for v in different)
    )


def _fasttext(text: str, place: str) -> pa.Table:
    """Returns texts and labels; these are lists where a line has several."""
    texts, marks = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        body, labels = _without_marks(line)
        if not labels:
            raise DataError(
                f"{place}, line {number:,} has no label: {line[:60]!r}. Give it one, "
                f"or keep the lines that have one: grep __label__ '{place}'"
            )
        texts.append(body)
        marks.append([label.removeprefix(FASTTEXT) for label in labels])
    if all(len(labels) == 1 for labels in marks):
        return _table(
            [(body, label) for body, (label,) in zip(texts, marks, strict=True)]
        )
    return pa.table({"text": texts, "label": marks})


def _without_marks(line: str) -> tuple[str, list[str]]:
    """Returns a line without the labels at its start and its end, and these."""
    marks = []
    while line.startswith(FASTTEXT):
        mark, _, line = line.partition(" ")
        marks.append(mark)
    while (last := line.rpartition(" ")[2]).startswith(FASTTEXT):
        marks.append(last)
        line = line.rpartition(" ")[0]
    return line, marks


def _trec(lines: Sequence[str]) -> pa.Table:
    fine, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    coarse = [label.split(":")[0] for label in fine]
    return pa.table({"text": texts, "label": coarse, "fine_label": fine})


def _table(pairs: Sequence[tuple[str, str]]) -> pa.Table:
    texts, labels = zip(*pairs, strict=True)
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    return pa.table([list(texts), list(labels)], schema=schema)
