from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import reviews, shared, write_csv
from pyarrow import parquet

from seqclf.config import DataConfig
from seqclf.data.dataset import fingerprint
from seqclf.data.files import read_file
from seqclf.data.load import load_dataset, names_of_sources, read_source
from seqclf.errors import DataError

ROWS = [
    ("plain", "a"),
    ('with "quotes", commas', "b"),
    ("two\nlines", "a"),
    ("NA", "b"),
    ("null", "a"),
    ("007", "b"),
    ("1.0", "a"),
    ("", "b"),
    ("emoji 🎬 und ß", "a"),
    ("tab\there", "b"),
]


def write(path: Path, rows: list[tuple[str, object]]) -> Path:
    texts, labels = zip(*rows, strict=True)
    if path.suffix == ".parquet":
        table = pa.table({"text": pa.array(texts, pa.string()), "label": list(labels)})
        parquet.write_table(table, path)
    elif path.suffix == ".jsonl":
        lines = [json.dumps({"text": t, "label": y}) for t, y in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        import csv

        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([("text", "label"), *rows])
    return path


def load(path: Path, **values: object):
    return load_dataset(DataConfig(source=str(path), **values))


FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")


@pytest.mark.parametrize("suffix", FORMATS)
def test_texts_stay_what_they_are_in_every_format(suffix, tmp_path):
    path = write(tmp_path / f"x{suffix}", ROWS)
    train = read_source(DataConfig(source=str(path))).splits["train"]
    assert train["text"].to_pylist() == [text for text, _ in ROWS]
    assert train["label"].to_pylist() == [0, 1] * 5


def test_equal_rows_have_one_fingerprint_in_every_format(tmp_path):
    found = set()
    for suffix in FORMATS:
        raw = read_source(DataConfig(source=str(write(tmp_path / f"x{suffix}", ROWS))))
        found.add(fingerprint(raw.splits, raw.labels))
    assert len(found) == 1


def test_the_fingerprint_depends_on_texts_labels_and_order_not_on_chunks():
    def of(texts: list[list[str]], labels: list[int]) -> str:
        table = pa.table(
            {"text": pa.chunked_array(texts), "label": pa.array(labels, pa.int32())}
        )
        return fingerprint({"train": table}, ("a", "b"))

    whole = of([["ab", "c"]], [0, 1])
    assert of([["ab"], ["c"]], [0, 1]) == whole
    assert of([["x", "ab", "c"]], [0, 0, 1]) != whole
    assert of([["a", "bc"]], [0, 1]) != whole
    assert of([["c", "ab"]], [0, 1]) != whole
    assert of([["ab", "c"]], [1, 0]) != whole


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a"], ("a", "b")),
        ([2, 10, 1], ("1", "2", "10")),
        ([True, False], ("false", "true")),
    ],
)
def test_labels_are_named_in_their_own_order(values, expected, tmp_path):
    rows = [(f"text {i}", values[i % len(values)]) for i in range(30)]
    assert load(write(tmp_path / "x.parquet", rows)).labels == expected


def folder(
    tmp_path: Path, labels: list[object], names: list[str] | None, suffix=".parquet"
) -> Path:
    rows = [(f"text {i}", labels[i % len(labels)]) for i in range(30)]
    write(tmp_path / f"train{suffix}", rows)
    if names is not None:
        (tmp_path / "labels.json").write_text(json.dumps(names))
    return tmp_path


@pytest.mark.parametrize("suffix", FORMATS)
def test_labels_json_names_the_ids_and_gives_the_order(suffix, tmp_path):
    data = load(folder(tmp_path, [0, 1], ["neg", "pos"], suffix))
    assert data.labels == ("neg", "pos")
    assert data.label_counts("test").tolist() == [3, 3]
    assert not any("left aside" in note for note in data.notes)  # it was read


def test_labels_json_orders_names_too(tmp_path):
    data = load(folder(tmp_path, ["pos", "neg"], ["pos", "neg"]))
    assert data.labels == ("pos", "neg")


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0, 1, 2], ["neg", "pos"], "outside 0 to 1"),
        (["neg", "pso"], ["neg", "pos"], "'pso'; did you mean 'pos'"),
        ([0, 1], ["x", "x"], "twice"),
    ],
)
def test_labels_that_do_not_match_their_names_are_refused(
    labels, names, message, tmp_path
):
    with pytest.raises(DataError, match=message):
        load(folder(tmp_path, labels, names))


def test_a_folder_gives_its_splits_and_the_unlabelled_texts(tmp_path):
    write_csv(tmp_path / "train.csv", reviews(40))
    write(tmp_path / "test.jsonl", reviews(12, start=40))
    (tmp_path / "unlabeled.csv").write_text("text\nno label\nnone here\n")
    data = load(tmp_path)
    sizes = {name: table.num_rows for name, table in data.splits.items()}
    assert sizes == {"train": 36, "validation": 4, "test": 12, "unlabeled": 2}
    assert data.splits["unlabeled"]["label"].to_pylist() == [-1, -1]
    assert len(data.notes) == 1
    assert "no validation split" in data.notes[0]


def test_missing_splits_are_held_out_stratified_and_said(tmp_path):
    rows = [(f"text {i}", "ab"[i % 5 == 0]) for i in range(200)]
    data = load(write(tmp_path / "x.csv", rows))
    assert {n: t.num_rows for n, t in data.splits.items()} == {
        "train": 144, "validation": 16, "test": 40
    }  # fmt: skip
    assert data.label_counts("test").tolist() == [32, 8]
    assert len(data.notes) == 2
    texts = [t for table in data.splits.values() for t in table["text"].to_pylist()]
    assert sorted(texts) == sorted(text for text, _ in rows)


def test_the_split_seed_decides_the_hold_outs(tmp_path):
    path = write_csv(tmp_path / "x.csv", reviews(100))

    def held(seed: int) -> list[str]:
        return load(path, split_seed=seed).splits["test"]["text"].to_pylist()

    assert held(0) == held(0)
    assert held(0) != held(1)


def test_a_limit_takes_a_stratified_sample_of_train_alone(tmp_path):
    path = write_csv(tmp_path / "x.csv", reviews(200))
    whole, limited = load(path), load(path, limit=20)
    assert limited.label_counts("train").tolist() == [10, 10]
    for split in ("validation", "test"):
        assert limited.splits[split].equals(whole.splits[split])
    everything = set(whole.splits["train"]["text"].to_pylist())
    assert set(limited.splits["train"]["text"].to_pylist()) < everything
    assert "20 of 144 rows" in limited.notes[-1]


def test_a_limit_beyond_the_rows_says_so(tmp_path):
    data = load(write_csv(tmp_path / "x.csv", reviews(100)), limit=1000)
    assert "all used" in data.notes[-1]


def test_too_few_rows_for_a_hold_out_are_refused(tmp_path):
    rows = [(f"text {i}", "abcd"[i // 2]) for i in range(8)]
    with pytest.raises(DataError, match="cannot hold out"):
        load(write(tmp_path / "x.csv", rows))


def test_a_label_with_a_line_break_is_refused(tmp_path):
    path = write(tmp_path / "x.csv", [("a", "x\ny"), ("b", "y")])
    with pytest.raises(DataError, match="row 2: a label with a line break"):
        load(path)


def test_an_unknown_data_set_names_what_there_is():
    with pytest.raises(DataError, match="'dmeo'; did you mean 'demo'"):
        load_dataset(DataConfig(source="dmeo"))


def test_columns_can_be_named(tmp_path):
    (tmp_path / "x.csv").write_text(
        "body,stars\n" + "".join(f"text {i},{i % 2}\n" for i in range(40))
    )
    data = load(tmp_path / "x.csv", text_column="body", label_column="stars")
    assert data.labels == ("0", "1")


def test_the_demo_says_what_it_is():
    data = load_dataset(DataConfig())
    assert "synthetic, built so that word order matters" in data.notes[0]
    assert "--data imdb" in data.notes[0]
    assert "demo" in names_of_sources()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["trec6", "mr", "banking77", "chnsenticorp_htl", "germeval2018", "imdb"]
)
def test_real_data_sets_load_without_a_special_case(name):
    data = load(shared(name))
    names = json.loads((shared(name) / "labels.json").read_text())
    assert list(data.labels) == names
    for split in ("train", "validation", "test"):
        assert (data.label_counts(split) > 0).all()
        assert np.isin(data.splits[split]["label"].to_numpy(), range(len(names))).all()


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"null", "line 1"),
        (b" \n null\n", "line 2"),
        (b'\xef\xbb\xbfnull\n{"text": "a", "label": "b"}\n', "line 1"),
        (b'{"text": "a", "label": "b"}\n\tnull\n', "line 2"),
        (b'null{"text": "a", "label": "b"}', "line 1"),
    ],
)
def test_a_line_that_is_null_is_refused_before_arrow_crashes_on_it(
    tmp_path, content, where
):
    file = tmp_path / "rows.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"{where} is (no|broken) JSON"):
        read_file(file)
