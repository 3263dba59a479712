"""Files in, files with predictions out."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from conftest import seal
from pyarrow import csv, parquet
from test_cli import invoke

from seqclf import bulk
from seqclf.bulk import LABEL, PROBABILITY, Rows, predict_rows, write_predictions
from seqclf.classifier import Classifier
from seqclf.errors import DataError
from seqclf.runs import Run

TEXTS = [f'{"very " * (i % 5)}{("good", "bad")[i % 2]} "{i}",\tfilm' for i in range(30)]
TABLE = pa.table(
    {
        "id": pa.array(range(30), pa.int64()),
        "text": TEXTS,
        "label": pa.array([i % 2 for i in range(30)]),
        "when": pa.array([i * 86_400_000 for i in range(30)], pa.timestamp("ms")),
    }
)


@pytest.fixture(scope="module")
def classifier(finished_run) -> Classifier:
    return Classifier.open(finished_run)


@pytest.fixture
def models(workplace) -> str:
    return f"--models-dir={workplace / 'models'}"


@pytest.fixture
def source(tmp_path):
    parquet.write_table(TABLE, tmp_path / "rows.parquet", row_group_size=11)
    return tmp_path / "rows.parquet"


def expected(classifier) -> tuple[list[str], np.ndarray]:
    """Predicts every text alone."""
    rows = np.concatenate([classifier.predict([text]) for text in TEXTS])
    return [classifier.labels[i] for i in rows.argmax(1)], rows.max(1)


@pytest.mark.parametrize("chunk_rows", [1, 7, 30, 8192])
def test_rows_keep_their_order_and_columns_in_chunks_of_any_size(
    chunk_rows, classifier, source, tmp_path, monkeypatch
):
    monkeypatch.setattr(bulk, "CHUNK_ROWS", chunk_rows)
    output, rows = tmp_path / "out.parquet", Rows(source, "utf-8")
    answered = list(predict_rows(classifier, rows, None))
    assert [len(part.texts) for part in answered] == [chunk_rows] * (
        30 // chunk_rows
    ) + [30 % chunk_rows] * (30 % chunk_rows > 0)
    write_predictions(output, rows.schema, answered, classifier.labels)
    written = parquet.read_table(output)
    assert written.drop_columns([LABEL, PROBABILITY]).equals(TABLE)
    labels, probabilities = expected(classifier)
    assert written[LABEL].to_pylist() == labels
    np.testing.assert_allclose(written[PROBABILITY], probabilities, atol=1e-6)


def test_a_chunk_larger_than_was_asked_for_loses_no_row(source, monkeypatch):
    rows = Rows(source, "utf-8")  # batches of the file hold up to 11 rows
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 7)
    tables = list(rows)
    assert pa.concat_tables(tables).to_pylist() == TABLE.to_pylist()


def test_chunks_are_answered_as_they_are_read(classifier, source, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 10)
    rows = Rows(source, "utf-8")
    read = []
    rows._batches = (read.append(b.num_rows) or b for b in rows._batches)
    next(predict_rows(classifier, rows, None))
    assert sum(read) < 30


def read_json_lines(path) -> pa.Table:
    return pa.Table.from_pylist([json.loads(s) for s in path.read_text().splitlines()])


READ = {
    ".parquet": parquet.read_table,
    ".csv": csv.read_csv,
    ".tsv": lambda path: csv.read_csv(
        path, parse_options=csv.ParseOptions(delimiter="\t")
    ),
    ".jsonl": read_json_lines,
}


@pytest.mark.parametrize("suffix", READ)
def test_every_format_is_written_and_read_again(
    suffix, models, source, classifier, tmp_path
):
    output = tmp_path / f"out{suffix}"
    done = invoke("predict", "--input", source, "--output", output, models)
    assert done.exit_code == 0, done.output
    assert f"Written: {output}, 30 rows" in " ".join(done.stderr.split()).replace(
        "- ", "-"
    )
    written = READ[suffix](output)
    assert written.column_names == [*TABLE.column_names, LABEL, PROBABILITY]
    assert written["text"].to_pylist() == TEXTS
    assert written["id"].to_pylist() == list(range(30))
    assert written[LABEL].to_pylist() == expected(classifier)[0]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_every_format_is_read(suffix, models, classifier, tmp_path):
    file, output = tmp_path / f"rows{suffix}", tmp_path / "out.parquet"
    plain = TABLE.drop_columns("when")
    if suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in plain.to_pylist()))
    else:
        delimiter = {".csv": ",", ".tsv": "\t"}[suffix]
        csv.write_csv(plain, file, csv.WriteOptions(delimiter=delimiter))
    done = invoke("predict", "--input", file, "--output", output, models)
    assert done.exit_code == 0, done.output
    assert parquet.read_table(output)[LABEL].to_pylist() == expected(classifier)[0]


def test_without_output_a_line_a_row_is_printed(models, source, classifier):
    done = invoke("predict", "--input", source, "--json", "-q", models)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == TEXTS
    assert [line["label"] for line in lines] == expected(classifier)[0]


def test_keras_answers_as_onnx_runtime_does(finished_run, classifier, source, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "old")
    (tmp_path / "old" / "model.onnx").unlink()
    seal(tmp_path / "old")
    both = [classifier, Classifier.open(Run(tmp_path / "old"))]
    answers = [
        np.concatenate(
            [a.probabilities for a in predict_rows(c, Rows(source, "utf-8"), None)]
        )
        for c in both
    ]
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_a_file_without_rows_gives_one_without_rows(classifier, tmp_path):
    parquet.write_table(TABLE.slice(0, 0), tmp_path / "none.parquet")
    rows = Rows(tmp_path / "none.parquet", "utf-8")
    output = tmp_path / "out.parquet"
    answered = predict_rows(classifier, rows, None)
    write_predictions(output, rows.schema, answered, classifier.labels)
    written = parquet.read_table(output)
    assert written.num_rows == 0
    assert written.column_names[-2:] == [LABEL, PROBABILITY]


def test_a_row_without_text_is_named_and_nothing_is_written(
    models, tmp_path, monkeypatch
):
    monkeypatch.setattr(bulk, "CHUNK_ROWS", 10)
    texts = [*TEXTS[:17], None, *TEXTS[18:]]
    parquet.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet")
    done = invoke(
        "predict", "--input", tmp_path / "rows.parquet",
        "--output", tmp_path / "out.csv", models,
    )  # fmt: skip
    assert done.exit_code == 1
    assert "the first is row 18" in " ".join(done.output.split())
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "out.csv", "text"], "--output does nothing when there is no"),
        (["--input", "rows.parquet", "text"], "two sources"),
        (["--input", "rows.parquet", "--output", "out.xlsx"], "unknown format of out"),
        (["--input", "rows.parquet", "--output", "out.csv.gz"], "unknown format of"),
        (["--input", "rows.parquet", "--output", "rows.parquet"], "is there already"),
        (["--input", "rows.parquet", "--output", "no/out.csv"], "there is no folder"),
        (["--input", "rows.parquet", "--output", "out.csv", "--json"], "--json does"),
        (["--input", "nested.parquet", "--output", "out.csv"], "write .parquet or"),
        (["--input", "again.parquet", "--output", "out.csv"], "'probability' already"),
        (["--input", "rows.parquet", "--text-column", "body"], "'body'"),
        (["--input", "nowhere.csv"], "there is no file of that name"),
        (["--input", "broken.parquet"], "is it whole?"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(
    arguments, message, models, source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    nested = TABLE.append_column("tags", pa.array([["a"]] * 30))
    parquet.write_table(nested, "nested.parquet")
    again = TABLE.append_column("probability", TABLE["id"])
    parquet.write_table(again, "again.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = invoke("predict", *arguments, models)
    assert done.exit_code in (1, 2)
    assert message in " ".join(done.output.split())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_output_is_replaced_if_one_says_so(models, source, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("old")
    done = invoke(
        "predict", "--input", source, "--output", output, "--overwrite", models
    )
    assert done.exit_code == 0, done.output
    assert csv.read_csv(output).num_rows == 30


def test_an_unreadable_output_leaves_the_old_one(classifier, source, tmp_path):
    output = tmp_path / "out.parquet"
    output.write_bytes(b"old")

    def broken():
        yield next(predict_rows(classifier, Rows(source, "utf-8"), None))
        raise DataError("cut off")

    with pytest.raises(DataError, match="cut off"):
        write_predictions(output, TABLE.schema, broken(), classifier.labels)
    assert output.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
