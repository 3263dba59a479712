"""Reads CSV, TSV, JSON Lines and Parquet files, and folders with one file a split.

A new file format is one function and one entry in `READERS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data.dataset import SCHEMA, TEST, TRAIN, UNLABELED, VALIDATION, RawData
from seqclf.errors import DataError, unknown

LABELS_FILE = "labels.json"
SPLITS = (TRAIN, VALIDATION, TEST, UNLABELED)
NO_LABEL = -1
INTEGER = r"^-?\d{1,9}$"


def read_path(path: Path, config: DataConfig) -> RawData:
    """Reads a file as the train split, or a folder with `train.*` and its like.

    Args:
      path: An existing file or folder.
      config: Names of the text and label columns.

    Returns:
      The splits found. Labels are named by `labels.json` where the folder has one,
      else by the values of the label column: numbers in their order, names in
      alphabetical order.

    Raises:
      DataError: If a file cannot be read, a column is missing, or a label is.
    """
    files = _split_files(path) if path.is_dir() else {TRAIN: path}
    tables = {
        split: _columns(file, config, labelled=split != UNLABELED)
        for split, file in files.items()
    }
    labels_file = path / LABELS_FILE if path.is_dir() else None
    names = _read_label_names(labels_file) if labels_file else None
    values = {
        split: _label_column(table["label"], files[split])
        for split, table in tables.items()
        if split != UNLABELED
    }
    labels = names or _label_names(values)
    splits = {
        split: pa.table(
            [table["text"], _label_ids(table["label"], labels, split, files[split])],
            schema=SCHEMA,
        )
        for split, table in tables.items()
    }
    return RawData(
        name=path.resolve().stem.lower().replace(" ", "-"),
        splits=splits,
        labels=labels,
        source=str(path),
    )


def _split_files(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.stem not in SPLITS or file.suffix.lower() not in READERS:
            continue
        if file.stem in files:
            raise DataError(
                f"{folder} holds {files[file.stem].name} and {file.name}; "
                f"keep one file a split."
            )
        files[file.stem] = file
    if TRAIN not in files:
        formats = ", ".join(READERS)
        raise DataError(
            f"{folder} has no train file; expected train with one of {formats}, and "
            f"if there are any validation, test and unlabeled beside it."
        )
    return files


def _columns(file: Path, config: DataConfig, *, labelled: bool) -> pa.Table:
    """Returns columns text: string and label: string or integer, as they stand."""
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise DataError(unknown(f"format of {file}:", file.suffix, READERS))
    try:
        table = reader(file)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} could not be read: {error}") from error
    if not table.num_rows:
        raise DataError(f"{file} has no rows.")
    twice = [n for n in table.column_names if table.column_names.count(n) > 1]
    if twice:
        raise DataError(f"{file} has two columns named {twice[0]!r}; rename one.")
    text = _column(table, config.text_column, "text", file)
    if not _is_text(text.type):
        raise DataError(
            f"column {config.text_column!r} of {file} holds {text.type}, not text; "
            f"set --text-column."
        )
    if labelled:
        label = _column(table, config.label_column, "label", file)
    else:
        label = pa.nulls(len(text), pa.int32())
    _refuse_missing(text, config.text_column, file)
    return pa.table({"text": text.cast(pa.string()), "label": label})


def _column(table: pa.Table, name: str, kind: str, file: Path) -> pa.ChunkedArray:
    if name in table.column_names:
        return table[name]
    raise DataError(
        f"column {name!r} not found in {file}; it has: "
        f"{', '.join(table.column_names)}. Set --{kind}-column."
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _refuse_missing(column: pa.ChunkedArray, name: str, file: Path) -> None:
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py() + 1
        raise DataError(
            f"{file} has {column.null_count} rows without {name}, the first is row "
            f"{row}; fill them or take them out."
        )


def _read_label_names(file: Path) -> tuple[str, ...] | None:
    if not file.exists():
        return None
    try:
        names = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file} could not be read: {error}") from error
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise DataError(f"{file} must be a list of label names, one for each label id.")
    if len(set(names)) < len(names):
        raise DataError(f"{file} names a label twice.")
    return tuple(names)


def _label_names(columns: Mapping[str, pa.ChunkedArray]) -> tuple[str, ...]:
    """Returns the distinct values of all splits: numbers first, in their order."""
    values = set()
    for column in columns.values():
        values.update(column.unique().to_pylist())
    return tuple(sorted(values, key=_label_order))


def _label_order(name: str) -> tuple[bool, float, str]:
    try:
        return (False, float(name), name)
    except ValueError:
        return (True, 0.0, name)


def _label_column(column: pa.ChunkedArray, file: Path) -> pa.ChunkedArray:
    """Returns the labels as names; an empty one counts as missing."""
    if pa.types.is_nested(column.type):
        raise DataError(f"{file}: a label must be one value, the column holds lists.")
    names = column.cast(pa.string())
    empty = pc.equal(pc.utf8_trim_whitespace(names), "")
    names = pc.if_else(empty, None, names)
    _refuse_missing(names, "a label", file)
    if pc.any(pc.match_substring_regex(names, r"[\r\n]")).as_py():
        raise DataError(f"{file} has a label with a line break in it.")
    return names


def _all_match(names: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(names, pattern)).as_py())


def _label_ids(
    column: pa.ChunkedArray, labels: tuple[str, ...], split: str, file: Path
) -> pa.ChunkedArray:
    """Turns label names, or ids where `labels.json` names them, into int32 ids."""
    if split == UNLABELED:
        return column.cast(pa.int32()).fill_null(NO_LABEL)
    names = _label_column(column, file)
    ids = pc.index_in(names, pa.array(labels, pa.string()))
    if ids.null_count == len(ids) and _all_match(names, INTEGER):
        ids = names.cast(pa.int32())
        if pc.min(ids).as_py() < 0 or pc.max(ids).as_py() >= len(labels):
            raise DataError(
                f"{file} has label ids outside 0 to {len(labels) - 1}, the "
                f"{len(labels)} names in {LABELS_FILE}."
            )
    if ids.null_count:
        row = pc.index(pc.is_null(ids), True).as_py()
        raise DataError(f"{file}: {unknown('label', names[row].as_py(), labels)}")
    return ids.cast(pa.int32())


def _read_csv(file: Path, delimiter: str = ",") -> pa.Table:
    from pyarrow import csv

    # Everything is read as text: a review that says NA or 007 stays that review.
    with file.open("rb") as stream:
        names = csv.open_csv(stream, parse_options=_csv_parsing(delimiter)).schema.names
    return csv.read_csv(
        file,
        parse_options=_csv_parsing(delimiter),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


def _csv_parsing(delimiter: str) -> Any:
    from pyarrow import csv

    return csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)


def _read_tsv(file: Path) -> pa.Table:
    return _read_csv(file, delimiter="\t")


def _read_json_lines(file: Path) -> pa.Table:
    from pyarrow import json as arrow_json

    return arrow_json.read_json(file)


def _read_parquet(file: Path) -> pa.Table:
    from pyarrow import parquet

    return parquet.read_table(file)


READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_json_lines,
    ".parquet": _read_parquet,
}
