"""The saved answers of studies: JSON, Parquet and a figure each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from seqclf import storage
from seqclf.errors import RunError
from seqclf.marker import QUESTION_FILE
from seqclf.records import flow, inside, side_by_side, sweeps
from seqclf.records.plain import from_plain, to_plain
from seqclf.studies.question import VERSION, Answer

SUFFIX = "-studies"
ANSWER_FILE = "answer.json"  # written last; absent means unfinished
ROWS_FILE = "rows.parquet"
FIGURE_FILE = "figure.svg"
MADE_BY = ("seqclf", "answers", "machine")  # of a question: what answered it, where
# Type of the findings, by study, or by mode where a study has two.
FINDINGS: dict[str, type] = {
    "flow": flow.FlowFindings,
    "gradients": inside.GradientsFindings,
    "memory": inside.MemoryFindings,
    "gates": inside.GatesFindings,
    "order": inside.OrderFindings,
    "size": sweeps.SizeFindings,
    "sensitivity": sweeps.TrialsFindings,
    sweeps.RANGE: sweeps.RangeFindings,
    "depth": sweeps.VariantsFindings,
    "mix": sweeps.VariantsFindings,
    "convergence": side_by_side.ConvergenceFindings,
    "cost": side_by_side.CostFindings,
    "wins": side_by_side.WinsFindings,
}
# Type of the rows that code reads; those of other studies stay plain values.
ROWS: dict[str, type] = {
    "flow": flow.FlowRow,
    "gradients": inside.GradientRow,
    "gates": inside.GateRow,
    sweeps.RANGE: sweeps.RangeStep,
    "convergence": side_by_side.EpochReached,
    "cost": side_by_side.CellCost,
    "wins": side_by_side.Compared,
}

Asked = Mapping[str, object]  # a question as plain values, see `Question.asked`


def folder_of(models: Path, name: str) -> Path:
    """Returns the folder of the answers on a data set of that name."""
    return models / f"{name}{SUFFIX}"


def place(folder: Path, asked: Asked) -> Path:
    """Returns the directory of an answer: that of the same question, or a free one.

    The fields in `MADE_BY` make no other question: a new answer replaces the old one.
    """
    return next(
        path
        for path in (folder / name for name in storage.numbered(str(asked["study"])))
        if not path.exists() or _bare(_asked(path)) in (_bare(asked), {})
    )


def _bare(asked: Asked) -> Asked:
    return {key: value for key, value in asked.items() if key not in MADE_BY}


def _asked(path: Path) -> Asked:
    """Returns the question that a directory answers; empty if it cannot be read."""
    return storage.read_object(path / QUESTION_FILE)


def to_values(answer: Answer[Any]) -> dict[str, object]:
    """Returns an answer as its file holds it and `--json` prints it."""
    table = {"header": answer.table.header, "rows": answer.table.rows}
    values: dict[str, object] = to_plain(answer)
    return values | {"table": to_plain(table)}


def write(path: Path, asked: Asked, answer: Answer[Any], figure: str) -> None:
    """Writes an answer: question, rows and figure first, `answer.json` last."""
    import pyarrow as pa
    from pyarrow import parquet

    path.mkdir(parents=True, exist_ok=True)
    (path / ANSWER_FILE).unlink(missing_ok=True)
    storage.write_json(path / QUESTION_FILE, asked)
    table = pa.Table.from_pylist(to_plain(answer.rows))
    storage.write_whole(path / ROWS_FILE, lambda to: parquet.write_table(table, to))
    storage.write_text(path / FIGURE_FILE, figure)
    storage.write_json(path / ANSWER_FILE, to_values(answer))


def is_written(path: Path, asked: Asked) -> bool:
    """Tells whether a complete answer to this very question is there."""
    return (path / ANSWER_FILE).exists() and _asked(path) == asked


def read(path: Path) -> Answer[Any]:
    """Reads an answer.

    Raises:
      RunError: If it is damaged or of another version.
    """
    file = path / ANSWER_FILE
    try:
        return from_json(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as why:
        raise RunError(f"{file} could not be used ({why}); {remedy(path)}.") from why


def remedy(path: Path) -> str:
    """Says how to make an answer again whose file cannot be used."""
    name = _asked(path).get("study", path.name)
    return f"type seqclf study {name} --fresh with the options that it had"


def from_json(text: str) -> Answer[Any]:
    """Returns an answer from JSON text, see `to_values`.

    Raises:
      ValueError, RecursionError: If the text is damaged or of a version that cannot be
        read; the place is named.
    """
    values = from_plain(dict[str, object], storage.strict_json(text))
    version = from_plain(int, values.setdefault("version", 1))
    if version > VERSION:
        raise ValueError(f"it is of a later version of seqclf, {version}")
    try:
        return _from_values(values)
    except ValueError as error:
        if version == VERSION:
            raise
        raise ValueError(f"it is of an earlier version of seqclf: {error}") from error


def _from_values(values: dict[str, object]) -> Answer[Any]:
    unknown = values.keys() - {one.name for one in fields(Answer)}
    if unknown:
        raise ValueError(f"it holds {', '.join(sorted(unknown))}, which no answer has")
    answer: Answer[Any] = from_plain(Answer, values)
    if {len(row) for row in answer.table.rows} - {len(answer.table.header)}:
        raise ValueError("a row of its table is wider or narrower than the header")
    found = from_plain(dict[str, object], answer.findings)
    name = sweeps.RANGE if found.get("mode") == sweeps.RANGE else answer.study
    row = ROWS.get(name, dict[str, object])
    return replace(
        answer,
        findings=from_plain(FINDINGS.get(name, dict), found),
        rows=tuple(from_plain(row, one) for one in answer.rows),
    )


def answered(models: Path, fingerprint: str) -> list[Path]:
    """Returns the directories of the answers on data of that fingerprint."""
    found = sorted(models.glob(f"*{SUFFIX}/*/{ANSWER_FILE}"))
    paths = [file.parent for file in found]
    return [path for path in paths if _asked(path).get("fingerprint") == fingerprint]
