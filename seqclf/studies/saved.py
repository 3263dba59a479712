"""What studies found, in files: JSON, Parquet and a figure each, and their page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from seqclf.errors import RunError
from seqclf.marker import QUESTION_FILE
from seqclf.storage import (
    numbered,
    read_object,
    strict_json,
    write_json,
    write_text,
    write_whole,
)
from seqclf.studies.question import Answer, Record, Table

SUFFIX = "-studies"
ANSWER_FILE = "answer.json"  # written last; absent means unfinished
ROWS_FILE = "rows.parquet"
FIGURE_FILE = "figure.svg"
MADE_BY = ("seqclf", "answers", "machine")  # of a question: who answered it, and where


def folder_of(models: Path, name: str) -> Path:
    """Returns where the studies of a data set of that name are kept."""
    return models / f"{name}{SUFFIX}"


def place(folder: Path, asked: Record) -> Path:
    """Returns the directory of an answer: that of the equal question, or a free one.

    What answered it, `MADE_BY`, makes no other question: the new answer takes the place
    of the old one.
    """
    return next(
        path
        for path in (folder / name for name in numbered(asked["study"]))
        if not path.exists() or _bare(_asked(path)) in (_bare(asked), {})
    )


def _bare(asked: Record) -> Record:
    return {key: value for key, value in asked.items() if key not in MADE_BY}


def _asked(path: Path) -> Record:
    return read_object(path / QUESTION_FILE)


def write(path: Path, asked: Record, answer: Answer, figure: str) -> None:
    """Writes an answer: its rows and its figure first, what names them last."""
    import pyarrow as pa
    from pyarrow import parquet

    path.mkdir(parents=True, exist_ok=True)
    (path / ANSWER_FILE).unlink(missing_ok=True)
    write_json(path / QUESTION_FILE, asked)
    table = pa.Table.from_pylist(list(answer.rows))
    write_whole(path / ROWS_FILE, lambda partial: parquet.write_table(table, partial))
    write_text(path / FIGURE_FILE, figure)
    write_json(path / ANSWER_FILE, dataclasses.asdict(answer))


def is_written(path: Path, asked: Record) -> bool:
    """Tells whether the answer to this very question is there, whole."""
    return (path / ANSWER_FILE).exists() and _asked(path) == asked


def read(path: Path) -> Answer:
    """Reads an answer.

    Raises:
      RunError: If it cannot be used.
    """
    file = path / ANSWER_FILE
    try:
        return from_json(file.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{file} could not be used ({error}); {anew(path)}.") from error


def anew(path: Path) -> str:
    """Says how an answer is made anew where its file cannot be used."""
    name = _asked(path).get("study", path.name)
    return f"type seqclf study {name} --fresh with the options that it had"


def from_json(text: str) -> Answer:
    """Returns an answer from JSON, as its file holds it and `--json` prints it.

    Raises:
      KeyError, TypeError, ValueError, RecursionError: If the text is none.
    """
    values: dict[str, Any] = strict_json(text)
    table = values.pop("table")
    header, rows = tuple(table["header"]), tuple(tuple(row) for row in table["rows"])
    values |= {"rows": tuple(values["rows"]), "notes": tuple(values["notes"])}
    answer = Answer(table=Table(header=header, rows=rows), **values)
    _require_kinds(answer)
    return answer


def _require_kinds(answer: Answer) -> None:
    """Refuses an answer that could not be shown: with other values than texts in it."""
    table = answer.table
    shown = [answer.study, answer.title, answer.sentence, *answer.notes, *table.header]
    shown += [cell for row in table.rows for cell in row]
    if not all(isinstance(text, str) for text in shown):
        raise TypeError("what should be a text is none")
    if {len(row) for row in table.rows} - {len(table.header)}:
        raise ValueError("a row of its table is wider or narrower than the header")
    kinds = [type(value) for value in (*answer.rows, answer.findings, answer.about)]
    if set(kinds) - {dict}:
        raise TypeError("what should be a record is none")


def answered(models: Path, fingerprint: object) -> list[Path]:
    """Returns the directories of the answers on data of that fingerprint."""
    found = sorted(models.glob(f"*{SUFFIX}/*/{ANSWER_FILE}"))
    paths = [file.parent for file in found]
    return [path for path in paths if _asked(path).get("fingerprint") == fingerprint]
