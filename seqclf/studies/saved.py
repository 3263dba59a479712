"""What studies found, in files: JSON, Parquet and a figure each, and their page."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from seqclf.errors import RunError
from seqclf.marker import QUESTION_FILE
from seqclf.records import inside, sweeps
from seqclf.records.plain import from_plain, to_plain
from seqclf.storage import (
    numbered,
    read_object,
    strict_json,
    write_json,
    write_text,
    write_whole,
)
from seqclf.studies.question import VERSION, Answer

SUFFIX = "-studies"
ANSWER_FILE = "answer.json"  # written last; absent means unfinished
ROWS_FILE = "rows.parquet"
FIGURE_FILE = "figure.svg"
MADE_BY = ("seqclf", "answers", "machine")  # of a question: who answered it, and where
# What a study finds, by its name; or by the mode, where it finds different things.
FINDINGS: dict[str, type] = {
    "gradients": inside.GradientsFindings,
    "memory": inside.MemoryFindings,
    "gates": inside.GatesFindings,
    "order": inside.OrderFindings,
    "size": sweeps.SizeFindings,
    "sensitivity": sweeps.TrialsFindings,
    sweeps.RANGE: sweeps.RangeFindings,
    "depth": sweeps.VariantsFindings,
    "mix": sweeps.VariantsFindings,
    "convergence": sweeps.ConvergenceFindings,
    "cost": sweeps.CostFindings,
    "wins": sweeps.WinsFindings,
}
# The rows that code reads; those of other studies stay plain values.
ROWS: dict[str, type] = {
    "gradients": inside.GradientRow,
    "gates": inside.GateRow,
    sweeps.RANGE: sweeps.RangeStep,
    "convergence": sweeps.EpochReached,
    "cost": sweeps.CellCost,
    "wins": sweeps.Compared,
}


def folder_of(models: Path, name: str) -> Path:
    """Returns where the studies of a data set of that name are kept."""
    return models / f"{name}{SUFFIX}"


def place(folder: Path, asked: dict[str, Any]) -> Path:
    """Returns the directory of an answer: that of the equal question, or a free one.

    What answered it, `MADE_BY`, makes no other question: the new answer takes the place
    of the old one.
    """
    return next(
        path
        for path in (folder / name for name in numbered(asked["study"]))
        if not path.exists() or _bare(_asked(path)) in (_bare(asked), {})
    )


def _bare(asked: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if key not in MADE_BY}


def _asked(path: Path) -> dict[str, Any]:
    """Returns the question that a directory answers; nothing if it cannot be read."""
    return read_object(path / QUESTION_FILE)


def write(path: Path, asked: dict[str, Any], answer: Answer[Any], figure: str) -> None:
    """Writes an answer: its rows and its figure first, what names them last."""
    import pyarrow as pa
    from pyarrow import parquet

    path.mkdir(parents=True, exist_ok=True)
    (path / ANSWER_FILE).unlink(missing_ok=True)
    write_json(path / QUESTION_FILE, asked)
    table = pa.Table.from_pylist(to_plain(answer.rows))
    write_whole(path / ROWS_FILE, lambda partial: parquet.write_table(table, partial))
    write_text(path / FIGURE_FILE, figure)
    write_json(path / ANSWER_FILE, to_plain(answer))


def is_written(path: Path, asked: dict[str, Any]) -> bool:
    """Tells whether the answer to this very question is there, whole."""
    return (path / ANSWER_FILE).exists() and _asked(path) == asked


def read(path: Path) -> Answer[Any]:
    """Reads an answer.

    Raises:
      RunError: If it cannot be used: damaged, or of another version.
    """
    file = path / ANSWER_FILE
    try:
        return from_json(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} could not be used ({error}); {anew(path)}.") from error


def anew(path: Path) -> str:
    """Says how an answer is made anew where its file cannot be used."""
    name = _asked(path).get("study", path.name)
    return f"type seqclf study {name} --fresh with the options that it had"


def from_json(text: str) -> Answer[Any]:
    """Returns an answer from JSON, as its file holds it and `--json` prints it.

    Raises:
      ValueError, RecursionError: If the text is none, or of another version that cannot
        be understood; the place is named.
    """
    values = from_plain(dict[str, Any], strict_json(text))
    version = from_plain(int, values.setdefault("version", 1))
    if version > VERSION:
        raise ValueError(f"it is of a later version of seqclf, {version}")
    try:
        return _from_values(values)
    except ValueError as error:
        if version == VERSION:
            raise
        raise ValueError(f"it is of an earlier version of seqclf: {error}") from error


def _from_values(values: dict[str, Any]) -> Answer[Any]:
    unheard_of = values.keys() - {one.name for one in dataclasses.fields(Answer)}
    if unheard_of:
        raise ValueError(
            f"it holds {', '.join(sorted(unheard_of))}, which no answer has"
        )
    answer: Answer[Any] = from_plain(Answer, values)
    if {len(row) for row in answer.table.rows} - {len(answer.table.header)}:
        raise ValueError("a row of its table is wider or narrower than the header")
    found = from_plain(dict[str, Any], answer.findings)
    name = sweeps.RANGE if found.get("mode") == sweeps.RANGE else answer.study
    row = ROWS.get(name, dict[str, Any])
    return dataclasses.replace(
        answer,
        findings=from_plain(FINDINGS.get(name, dict), found),
        rows=tuple(from_plain(row, one) for one in answer.rows),
    )


def answered(models: Path, fingerprint: str) -> list[Path]:
    """Returns the directories of the answers on data of that fingerprint."""
    found = sorted(models.glob(f"*{SUFFIX}/*/{ANSWER_FILE}"))
    paths = [file.parent for file in found]
    return [path for path in paths if _asked(path).get("fingerprint") == fingerprint]
