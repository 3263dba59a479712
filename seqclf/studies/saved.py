"""What studies found, in files: JSON, Parquet and a figure each, and their page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from seqclf.comparison.saved import QUESTION_FILE
from seqclf.errors import RunError
from seqclf.records.plain import from_plain, to_plain
from seqclf.storage import strict_json, write_json, write_text, write_whole
from seqclf.studies.findings import FINDINGS, ROWS
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
    number = 1
    while True:
        path = folder / (
            asked["study"] if number == 1 else f"{asked['study']}-{number}"
        )
        if not path.exists() or _bare(_asked(path)) in (_bare(asked), {}):
            return path
        number += 1


def _bare(asked: Record) -> Record:
    return {key: value for key, value in asked.items() if key not in MADE_BY}


def _asked(path: Path) -> Record:
    try:
        found: Record = strict_json((path / QUESTION_FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, asked: Record, answer: Answer, figure: str) -> None:
    """Writes an answer: its rows and its figure first, what names them last."""
    import pyarrow as pa
    from pyarrow import parquet

    path.mkdir(parents=True, exist_ok=True)
    (path / ANSWER_FILE).unlink(missing_ok=True)
    write_json(path / QUESTION_FILE, asked)
    table = pa.Table.from_pylist([to_plain(row) for row in answer.rows])
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
    study = values["study"]
    if study in FINDINGS:
        values["findings"] = from_plain(FINDINGS[study], values["findings"])
    if study in ROWS:
        values["rows"] = tuple(from_plain(ROWS[study], row) for row in values["rows"])
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
    records = [answer.about]
    records += [] if answer.study in FINDINGS else [answer.findings]
    records += [] if answer.study in ROWS else answer.rows
    if not all(isinstance(record, dict) for record in records):
        raise TypeError("what should be a record is none")


def answered(models: Path, fingerprint: object) -> list[Path]:
    """Returns the directories of the answers on data of that fingerprint."""
    found = sorted(models.glob(f"*{SUFFIX}/*/{ANSWER_FILE}"))
    paths = [file.parent for file in found]
    return [path for path in paths if _asked(path).get("fingerprint") == fingerprint]
