"""Tables that other programs wrote come back row for row, or a hint brings them back.

pandas, polars, DuckDB, Python's csv and `datasets` write random texts and labels in
each of their formats and dialects. What seqclf does not read by itself it refuses with
options that then work: the test types them.
"""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import datasets
import duckdb
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from seqclf.config import DataConfig
from seqclf.data.load import read_source
from seqclf.errors import SeqclfError

datasets.disable_progress_bars()

Rows = list[tuple[str, str]]
Write = Callable[[Path, Rows], Path]
TELLING = st.sampled_from(list("\"'\\,;|\t\n{}[]@:_# .") + list("é好🎬"))
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | TELLING)
labels = st.sampled_from(["good", "bad", "so-so", "7", "NA?"])


@st.composite
def tables(draw) -> Rows:
    """Draws texts, all different, and two labels at least, each twice."""
    different = draw(st.lists(texts, min_size=4, max_size=24, unique=True))
    two = draw(st.lists(labels, min_size=2, max_size=4, unique=True))
    return [(text, two[i // 2 % 2 if i < 4 else i % len(two)])
            for i, text in enumerate(different)]  # fmt: skip


def frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["text", "label"])


def polars_frame(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["text", "label"], orient="row")


def by_csv(name: str = "x.csv", *, header: bool = True, encoding: str = "utf-8",
           **options: object) -> Write:  # fmt: skip
    def write(folder: Path, rows: Rows) -> Path:
        with (folder / name).open("w", newline="", encoding=encoding) as file:
            head = [("text", "label")] if header else []
            csv.writer(file, **options).writerows([*head, *rows])
        return folder / name

    return write


def by_pandas(name: str, method: str, **options: object) -> Write:
    def write(folder: Path, rows: Rows) -> Path:
        getattr(frame(rows), method)(folder / name, **options)
        return folder / name

    return write


def by_polars(name: str, method: str, **options: object) -> Write:
    def write(folder: Path, rows: Rows) -> Path:
        getattr(polars_frame(rows), method)(folder / name, **options)
        return folder / name

    return write


def by_duckdb(name: str, options: str) -> Write:
    def write(folder: Path, rows: Rows) -> Path:
        with duckdb.connect() as connection:
            connection.register("rows", frame(rows))
            connection.execute(f"COPY rows TO '{folder / name}' ({options})")
        return folder / name

    return write


def by_datasets(name: str, method: str, **options: object) -> Write:
    def write(folder: Path, rows: Rows) -> Path:
        columns = {"text": [t for t, _ in rows], "label": [y for _, y in rows]}
        made = datasets.Dataset.from_dict(columns)
        getattr(made, method)(str(folder / name), **options)
        return folder / name

    return write


DELIMITED = {
    f"csv {d!r} quoting {q} end {e!r} header {h}": by_csv(
        name, delimiter=d, quoting=q, lineterminator=e, header=h
    )
    for d, name in ((",", "x.csv"), (";", "x.csv"), ("|", "x.csv"), ("\t", "x.tsv"))
    for q in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    for e in ("\n", "\r\n")
    for h in (True, False)
}
BACKSLASHES = "csv with backslashes"
WRITERS: dict[str, Write] = DELIMITED | {
    "csv with a mark": by_csv(encoding="utf-8-sig"),
    "csv in UTF-16": by_csv(encoding="utf-16"),
    BACKSLASHES: by_csv(doublequote=False, escapechar="\\",
                                   quoting=csv.QUOTE_ALL),
    "pandas csv": by_pandas("x.csv", "to_csv"),
    "pandas csv without index": by_pandas("x.csv", "to_csv", index=False),
    "pandas csv ;": by_pandas("x.csv", "to_csv", index=False, sep=";"),
    "pandas csv without header": by_pandas("x.csv", "to_csv", index=False,
                                           header=False),
    "pandas tsv": by_pandas("x.tsv", "to_csv", index=False, sep="\t"),
    "pandas csv gz": by_pandas("x.csv.gz", "to_csv", index=False),
    "pandas csv bz2": by_pandas("x.csv.bz2", "to_csv", index=False),
    "pandas csv xz": by_pandas("x.csv.xz", "to_csv", index=False),
    "pandas csv zip": by_pandas("x.csv.zip", "to_csv", index=False),
    "pandas json": by_pandas("x.json", "to_json"),
    "pandas json records": by_pandas("x.json", "to_json", orient="records"),
    "pandas json lines": by_pandas("x.json", "to_json", orient="records", lines=True),
    "pandas json index": by_pandas("x.json", "to_json", orient="index"),
    "pandas json split": by_pandas("x.json", "to_json", orient="split"),
    "pandas json table": by_pandas("x.json", "to_json", orient="table"),
    "pandas json plain": by_pandas("x.json", "to_json", orient="records", indent=2,
                                   force_ascii=False),
    "pandas parquet": by_pandas("x.parquet", "to_parquet"),
    "pandas feather": by_pandas("x.feather", "to_feather"),
    "pandas orc": by_pandas("x.orc", "to_orc"),
    "polars csv": by_polars("x.csv", "write_csv"),
    "polars csv ;": by_polars("x.csv", "write_csv", separator=";"),
    "polars csv always": by_polars("x.csv", "write_csv", quote_style="always"),
    "polars csv mark": by_polars("x.csv", "write_csv", include_bom=True),
    "polars csv bare": by_polars("x.csv", "write_csv", include_header=False),
    "polars ndjson": by_polars("x.ndjson", "write_ndjson"),
    "polars json": by_polars("x.json", "write_json"),
    "polars parquet": by_polars("x.parquet", "write_parquet"),
    "polars ipc": by_polars("x.arrow", "write_ipc"),
    "duckdb csv": by_duckdb("x.csv", "FORMAT csv"),
    "duckdb csv |": by_duckdb("x.csv", "FORMAT csv, DELIMITER '|'"),
    "duckdb csv quoted": by_duckdb("x.csv", "FORMAT csv, FORCE_QUOTE *"),
    "duckdb csv bare": by_duckdb("x.csv", "FORMAT csv, HEADER false"),
    "duckdb csv gz": by_duckdb("x.csv.gz", "FORMAT csv, COMPRESSION gzip"),
    "duckdb csv zst": by_duckdb("x.csv.zst", "FORMAT csv, COMPRESSION zstd"),
    "duckdb json": by_duckdb("x.json", "FORMAT json"),
    "duckdb json array": by_duckdb("x.json", "FORMAT json, ARRAY true"),
    "duckdb parquet": by_duckdb("x.parquet", "FORMAT parquet"),
    "datasets csv": by_datasets("x.csv", "to_csv"),
    "datasets json": by_datasets("x.json", "to_json"),
    "datasets jsonl": by_datasets("x.jsonl", "to_json"),
    "datasets json array": by_datasets("x.json", "to_json", lines=False),
    "datasets parquet": by_datasets("x.parquet", "to_parquet"),
    "datasets to disk": by_datasets("saved", "save_to_disk"),
}  # fmt: skip


def read(path: Path, **options: object) -> Rows:
    raw = read_source(DataConfig(source=str(path), **options))
    train = raw.splits["train"]
    names = [raw.labels[i] for i in train["label"].to_pylist()]
    return list(zip(train["text"].to_pylist(), names, strict=True))


def hinted(message: str) -> dict[str, object]:
    """Returns the first options that a message names, as fields of the config."""
    found = re.search(
        r"(--(?:columns|no-header|header|text-column|label-column|delimiter|encoding)"
        r"\b.*?)(?:\. If|\)|, for example|\.$)",
        message,
        re.DOTALL,
    )
    assert found, message
    options: dict[str, object] = {}
    words = shlex.split(found[1])
    while words:
        name = words.pop(0).removeprefix("--").replace("-", "_")
        if name in ("header", "no_header"):
            options["header"] = name == "header"
        else:
            options[name] = words.pop(0)
    return options


def tells_what_backslashes_mean(rows: Rows) -> bool:
    """Whether one stands before a quotation mark, if there is any.

    Where all of them stand in pairs, nothing says whether a pair is one or two.
    """
    whole = "".join(text for text, _ in rows)
    return '"' in whole or "\\" not in whole


def check(name: str, rows: Rows) -> None:
    assume(name != BACKSLASHES or tells_what_backslashes_mean(rows))
    with tempfile.TemporaryDirectory() as folder:
        path = WRITERS[name](Path(folder), rows)
        try:
            found = read(path)
        except SeqclfError as error:
            found = read(path, **hinted(str(error)))
        assert found == rows


@pytest.mark.parametrize("name", WRITERS)
def test_what_others_wrote_comes_back(name):
    @settings(max_examples=4, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(tables())
    def few(rows: Rows) -> None:
        check(name, rows)

    few()


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_much_of_what_others_wrote_comes_back(name):
    @settings(max_examples=100, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(tables())
    def many(rows: Rows) -> None:
        check(name, rows)

    many()


# Formats that seqclf does not read; the message turns them into one that it does.
OTHERS: dict[str, Write] = {
    "pickle": by_pandas("x.pkl", "to_pickle"),
    "stata": by_pandas("x.dta", "to_stata", write_index=False, version=118),
    "xml": by_pandas("x.xml", "to_xml", index=False, parser="etree"),
    "avro": by_polars("x.avro", "write_avro"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_read_is_turned_by_the_command_in_the_message(name, tmp_path):
    rows = [
        ("a good film", "good"),
        ("dull; très", "bad"),
        ("fine", "good"),
        ("x", "bad"),
    ]
    path = OTHERS[name](tmp_path, rows)
    with pytest.raises(SeqclfError) as caught:
        read(path)
    found = re.search(r'python (-c ".*") and name \'(.*)\' instead', str(caught.value))
    assert found, caught.value
    subprocess.run([sys.executable, *shlex.split(found[1])], check=True)
    assert read(Path(found[2])) == rows


SHEET = st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn"))


@pytest.mark.parametrize("engine", ["openpyxl"])
def test_a_spreadsheet_comes_back(engine):
    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.text(SHEET, min_size=1, max_size=30), min_size=4, unique=True))
    def few(drawn: list[str]) -> None:
        rows = [
            ("t " + text.strip(), "good" if i % 2 else "bad")
            for i, text in enumerate(drawn)
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.xlsx"
            frame(rows).to_excel(path, index=False, engine=engine)
            assert read(path) == rows

    few()
