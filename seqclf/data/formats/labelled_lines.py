"""Plain lines that hold a text and its label: fastText, TREC, `text;label`."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence

import pyarrow as pa

from seqclf.data import names
from seqclf.data.dataset import Part
from seqclf.errors import DataError

FASTTEXT = "__label__"
# fastText separates by any white space.
FIRST_MARK = re.compile(rf"({FASTTEXT}\S+)(?:\s+|$)")
LAST_MARK = re.compile(rf"\s+({FASTTEXT}\S+)\s*$")
TREC_LINE = re.compile(r"([A-Z]{2,}):(\S+) (.+)")
SEPARATORS = "\t;@|,"
MOST_LABELS, MOST_LABEL_WORDS = 200, 4
MARKED_SHARE = 0.9  # of the lines that must begin as fastText's do


def is_table(content: pa.Buffer) -> bool:
    """Tells whether lines are a table: three fields each, or two with names on top.

    Its fields are separated by tabs. Lines without a header, of a text and a label,
    are none.
    """
    lines = [line for line in _text(content).split("\n") if line.strip()]
    tabs = {line.count("\t") for line in lines}
    if len(tabs) != 1 or _marked(lines):
        return False
    (count,) = tabs
    has_names = names.known_kinds(lines[0].split("\t")) == {names.TEXT, names.LABEL}
    return count > 1 or (count == 1 and has_names)


def _text(content: pa.Buffer) -> str:
    return memoryview(content).tobytes().decode().replace("\r\n", "\n")


def _marked(lines: Sequence[str]) -> bool:
    """Tells whether lines are fastText's, but for a few without a label."""
    return sum(FASTTEXT in line for line in lines) >= MARKED_SHARE * len(lines)


def read_lines(content: pa.Buffer, place: str) -> Part | None:
    """Reads lines that hold a text and its label.

    Returns:
      Columns `text` and `label` (and `fine_label` of TREC), without blank lines; None
      if the lines hold nothing of the kind.

    Raises:
      DataError: If a line of fastText has no label.
    """
    text = _text(content)
    numbered = [(i, s) for i, s in enumerate(text.split("\n"), 1) if s.strip()]
    if not numbered:
        raise DataError(f"{place} is empty.")
    lines = [line for _, line in numbered]
    starts = array("q", [number for number, _ in numbered])
    if _marked(lines):
        said = f"labels are behind {FASTTEXT}"
        return _part(place, _fasttext(numbered, place), said, starts)
    if all(map(TREC_LINE.fullmatch, lines)):
        said = (
            f"a label is what comes before ':'; --label-column fine_label takes the "
            f"whole of it, as in {lines[0].split()[0]}"
        )
        return _part(place, _trec(lines), said, starts)
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
                return _part(place, _table(pairs), said, starts)
    return None


def _part(place: str, table: pa.Table, said: str, starts: array[int]) -> Part:
    return Part(place, table, starts.__getitem__, (f"{place}: {said}.",))


def _has_labels(values: Sequence[str]) -> bool:
    """Tells whether values are few and short, as labels are."""
    different = set(values)
    return (
        2 <= len(different) <= MOST_LABELS
        and 2 * len(different) <= len(values)
        and all(v.strip() and len(v.split()) <= MOST_LABEL_WORDS for v in different)
    )


def _fasttext(lines: Sequence[tuple[int, str]], place: str) -> pa.Table:
    """Returns texts and labels; these are lists where a line has several."""
    texts, marks = [], []
    for number, line in lines:
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
    while found := FIRST_MARK.match(line):
        marks.append(found[1])
        line = line[found.end() :]
    while found := LAST_MARK.search(line):
        marks.append(found[1])
        line = line[: found.start()]
    return line, marks


def _trec(lines: Sequence[str]) -> pa.Table:
    fine, texts = zip(*(line.split(" ", 1) for line in lines), strict=True)
    coarse = [label.split(":")[0] for label in fine]
    return pa.table({"text": texts, "label": coarse, "fine_label": fine})


def _table(pairs: Sequence[tuple[str, str]]) -> pa.Table:
    texts, labels = zip(*pairs, strict=True)
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    return pa.table([list(texts), list(labels)], schema=schema)
