"""Random rows, written by others and read back by seqclf."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import datasets
import pytest
from data_matrix import WRITERS, Rows
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.config import DataConfig
from seqclf.data.load import read_source

datasets.disable_progress_bars()

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
labels = st.sampled_from(["good", "bad", "so-so", "NA", "7", " x"])
many_rows = st.lists(st.tuples(texts, labels), min_size=1, max_size=12)


def write_class_folders(folder: Path, rows: Rows) -> Path:
    for number, (text, label) in enumerate(rows):
        path = folder / "tree" / str(label) / f"{number:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder / "tree"


def write_saved(folder: Path, rows: Rows) -> Path:
    written, named = zip(*rows, strict=True)
    columns = {"text": list(written), "label": list(named)}
    datasets.Dataset.from_dict(columns).save_to_disk(folder / "saved")
    return folder / "saved"


def writer(source: str, *, zipped: bool = False):
    suffix, to_bytes = WRITERS[source]

    def write(folder: Path, rows: Rows) -> Path:
        path = folder / (f"x{suffix}.gz" if zipped else f"x{suffix}")
        content = to_bytes(rows)
        path.write_bytes(gzip.compress(content) if zipped else content)
        return path

    return write


FORMATS = {
    "csv": writer("CSV"),
    "tsv": writer("TSV"),
    "jsonl": writer("JSON Lines"),
    "parquet": writer("Parquet"),
    "csv.gz": writer("CSV", zipped=True),
    "tsv.gz": writer("TSV", zipped=True),
    "jsonl.gz": writer("JSON Lines", zipped=True),
    "class folders": write_class_folders,
    "save_to_disk": write_saved,
}


def read_back(name: str, rows: Rows) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        path = FORMATS[name](Path(folder), rows)
        raw = read_source(DataConfig(source=str(path)))
        train = raw.splits["train"]
        names = [raw.labels[i] for i in train["label"].to_pylist()]
        return list(zip(train["text"].to_pylist(), names, strict=True))


def as_read(name: str, rows: Rows) -> Rows:
    """Returns the rows in the order in which they come back."""
    if name != "class folders":
        return rows
    numbered = sorted(enumerate(rows), key=lambda item: (str(item[1][1]), item[0]))
    return [row for _, row in numbered]


def check(name: str, rows: Rows) -> None:
    if name == "class folders":  # a text file has no mark of its own to lose
        rows = [(text.removeprefix("\ufeff"), label) for text, label in rows]
    assert read_back(name, rows) == as_read(name, rows)


@pytest.mark.parametrize("name", FORMATS)
def test_random_rows_come_back_the_same(name):
    @settings(max_examples=25, deadline=None)
    @given(many_rows)
    def few(rows: Rows) -> None:
        check(name, rows)

    few()


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_many_random_rows_come_back_the_same(name):
    @settings(max_examples=500, deadline=None)
    @given(many_rows)
    def many(rows: Rows) -> None:
        check(name, rows)

    many()
