"""Files in, files with predictions out."""

from __future__ import annotations

import gzip
import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
from conftest import seal
from pyarrow import csv, parquet
from test_cli import invoke

from seqclf.bulk import chunks, predict_rows, with_predictions
from seqclf.bulk.chunks import Options, Rows
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import find_source
from seqclf.bulk.writers import LABEL, PROBABILITY
from seqclf.classifier import Classifier
from seqclf.records.reading import Reading
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
    rows = np.concatenate([classifier.predict_proba([text]) for text in TEXTS])
    return [classifier.labels[i] for i in rows.argmax(1)], rows.max(1)


def opened(file, on_error="fail", **given) -> Rows:
    options = Options(Reading(**given), on_error=on_error)
    return open_rows(find_source(file), options)


def answer(classifier, rows) -> pa.Table:
    parts = predict_rows(classifier, rows.read())
    return pa.concat_tables([with_predictions(p, classifier.labels) for p in parts])


@pytest.mark.parametrize("chunk_rows", [1, 7, 30, 8192])
def test_rows_keep_their_order_and_columns_in_chunks_of_any_size(
    chunk_rows, classifier, source, monkeypatch
):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
    rows = opened(source)
    assert [len(c.texts) for c in rows.read()] == [chunk_rows] * (30 // chunk_rows) + [
        30 % chunk_rows
    ] * (30 % chunk_rows > 0)
    written = answer(classifier, rows)
    assert written.drop_columns([LABEL, PROBABILITY]).equals(TABLE)
    labels, probabilities = expected(classifier)
    assert written[LABEL].to_pylist() == labels
    np.testing.assert_allclose(written[PROBABILITY], probabilities, atol=1e-6)


def test_chunks_are_answered_as_they_are_read(classifier, source, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 10)
    read = []
    watched = (read.append(len(c.texts)) or c for c in opened(source).read())
    next(predict_rows(classifier, watched))
    assert sum(read) == 10


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
            [a.probabilities for a in predict_rows(c, opened(source).read())]
        )
        for c in both
    ]
    np.testing.assert_allclose(*answers, atol=1e-5)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
@pytest.mark.parametrize("written", [".parquet", ".csv", ".jsonl"])
def test_a_file_without_rows_gives_one_without_rows(suffix, written, models, tmp_path):
    file, output = tmp_path / f"none{suffix}", tmp_path / f"out{written}"
    if suffix == ".parquet":
        parquet.write_table(TABLE.select(["id", "text"]).slice(0, 0), file)
    else:
        file.write_text({".csv": "id,text\n", ".tsv": "id\ttext"}[suffix])
    done = invoke("predict", "--input", file, "--output", output, models)
    assert done.exit_code == 0, done.output
    if written == ".parquet":
        assert parquet.read_table(output).num_rows == 0
    names = '"id","text","predicted_label","probability"\n'
    if written == ".csv":
        assert output.read_text() == names
    if written == ".jsonl":
        assert output.read_text() == ""


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
        (["--input", "nowhere.csv"], "there is no file or folder of that name"),
        (["--input", "broken.parquet"], "is it whole?"),
        (["--input", "no*.csv"], "no file matches 'no*.csv'"),
        (["--input", "empty.csv"], "empty.csv is empty"),
        (["--input", "x.pdf"], "unknown format of x.pdf: '.pdf'"),
        (["--input", "x.txt", "--text-column", "a"], "--text-column does nothing"),
        (["--input", "rows.parquet", "--encoding", "cp1252"], "has its own"),
        (["--input", "rows.parquet", "--encoding", "utf-9"], "that Python knows"),
        (["--input", "rows.parquet", "--on-error", "skip"], "choices: fail, keep"),
        (
            ["--input", "rows.parquet", "--explain", "--output", "o.csv"],
            "--explain does nothing",
        ),
        (["--input", "rows.parquet", "--lines"], "--lines is for .txt files"),
        (["--lines", "text"], "--lines does nothing"),
        (["--input", "rows.parquet", "--resume"], "--resume does nothing"),
        (["--on-error", "keep", "text"], "--on-error does nothing"),
        (
            ["--input", "rows.parquet", "--output", "o.csv", "--resume", "--overwrite"],
            "give one",
        ),
        (["--input", "twice.csv", "--output", "o.jsonl"], "two columns named 'id'"),
        (["--input", "hollow.jsonl", "--output", "o.parquet"], "cannot hold"),
        (["--input", "uneven.csv"], "row 3 has 1 field, the first line 2"),
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
    for name, content in {
        "empty.csv": "", "x.pdf": "%PDF", "x.txt": "a text",
        "twice.csv": "id,id,text\n",
        "hollow.jsonl": '{"text": "a", "meta": {}}', "uneven.csv": "id;text\n1;a\nb\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(content)
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


def test_a_folder_of_texts_is_classified_a_file_a_row(models, classifier, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for i, text in enumerate(TEXTS[:12]):
        (folder / f"{i:02}.txt").write_text(text)
    (folder / "00.txt").write_bytes("\ufeff".encode() + TEXTS[0].encode())
    (folder / "empty.txt").write_text("")
    (folder / "notes.md").write_text("left aside")
    (folder / ".hidden.txt").write_text("left aside, too")
    output = tmp_path / "out.parquet"
    done = invoke("predict", "--input", folder, "--output", output, models)
    assert done.exit_code == 0, done.output
    assert "notes.md" in done.stderr
    written = parquet.read_table(output)
    assert written.column_names == ["file", LABEL, PROBABILITY]
    names = [str(folder / f"{i:02}.txt") for i in range(12)]
    assert written["file"].to_pylist() == [*names, str(folder / "empty.txt")]
    assert written[LABEL].to_pylist()[:12] == expected(classifier)[0][:12]
    printed = invoke("predict", "-q", "--input", folder / "0*.txt", models).stdout
    assert [line.split("\t")[1] for line in printed.splitlines()] == names[:10]
    lines = invoke("predict", "-q", "--json", "--input", folder, models).stdout
    assert json.loads(lines.splitlines()[3])["file"] == names[3]


def write_rows(table: pa.Table, file) -> None:
    if file.suffix == ".parquet":
        parquet.write_table(table, file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        delimiter = {".csv": ",", ".tsv": "\t"}[file.suffix]
        csv.write_csv(table, file, csv.WriteOptions(delimiter=delimiter))


@pytest.mark.parametrize(
    "suffix",
    [".csv", ".parquet",
     *(pytest.param(s, marks=pytest.mark.slow) for s in (".tsv", ".jsonl"))],
)  # fmt: skip
@pytest.mark.parametrize("chunk_rows", [4, pytest.param(8192, marks=pytest.mark.slow)])
def test_tables_of_a_folder_or_pattern_stand_behind_one_another(
    suffix, chunk_rows, models, classifier, tmp_path, monkeypatch
):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
    folder, output = tmp_path / "parts", tmp_path / "out.parquet"
    folder.mkdir()
    for number, (start, length) in enumerate(((0, 11), (11, 1), (12, 18))):
        part = TABLE.select(["id", "text"]).slice(start, length)
        write_rows(part, folder / f"{number}{suffix}")
    for place in (folder, folder / f"*{suffix}"):
        done = invoke(
            "predict", "--input", place, "--output", output, "--overwrite", models
        )
        assert done.exit_code == 0, done.output
        written = parquet.read_table(output)
        assert written["text"].to_pylist() == TEXTS
        assert [int(i) for i in written["id"].to_pylist()] == list(range(30))
        assert written[LABEL].to_pylist() == expected(classifier)[0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.csv": "text,id\nx,1\n", "b.csv": "id,text\n1,x\n"},
         "b.csv has other columns than"),
        ({"a.csv": "text\nx\n", "b.jsonl": '{"text": "x"}\n'}, "several formats"),
        ({"a.txt": "x", "b.csv": "text\nx\n"}, "several formats, .csv, .txt"),
        ({"a.jsonl": '{"text": "x", "n": 1}\n', "b.jsonl": '{"text": "y", "n": "1"}\n'},
         "b.jsonl, line 1: 'n' is a string here and an integer in"),
        ({"readme.md": "x"}, "holds no .csv, .tsv, .jsonl, .json, .parquet"),
    ],
)  # fmt: skip
def test_files_that_do_not_go_together_are_refused(files, message, models, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    done = invoke("predict", "--input", tmp_path, models)
    assert done.exit_code == 1
    assert message in done.output.replace("\n", " ")


def test_parquet_files_of_other_columns_are_refused(models, tmp_path):
    parquet.write_table(pa.table({"text": ["a"], "n": [1]}), tmp_path / "a.parquet")
    parquet.write_table(pa.table({"text": ["a"], "n": ["1"]}), tmp_path / "b.parquet")
    done = invoke("predict", "--input", tmp_path, models)
    assert "b.parquet has other columns than" in done.output.replace("\n", " ")
    assert "n (string), and not text (string), n (int64)" in done.output


NESTED = [
    {"text": "a", "n": 1, "x": 1, "tags": ["p"], "meta": {"a": 1}},
    {"text": "b", "n": None, "x": 2.5, "tags": [], "more": True},
    {"n": 2**62, "text": "é\u2028\U0001f600", "meta": {"b": [None]}, "none": None},
]


def test_json_lines_come_out_as_they_went_in(models, tmp_path):
    file, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text("\n".join(map(json.dumps, NESTED)) + "\n\n")
    done = invoke("predict", "--input", file, "--output", output, models)
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in output.read_text().split("\n")[:-1]]
    assert [list(row) for row in rows] == [
        ["text", "n", "x", "tags", "meta", "more", "none", LABEL, PROBABILITY]
    ] * 3
    for row, before in zip(rows, NESTED, strict=True):
        for key, value in before.items():
            if key != "meta":
                assert row[key] == value
    assert rows[0]["meta"] == {"a": 1, "b": None}


def test_columns_of_categories_and_of_nothing_are_kept(models, tmp_path):
    kinds = pa.array(["p", "q", None] * 10).dictionary_encode()
    table = TABLE.append_column("kind", kinds).append_column("nil", pa.nulls(30))
    parquet.write_table(table, tmp_path / "in.parquet", row_group_size=7)
    for suffix in READ:
        output = tmp_path / f"out{suffix}"
        done = invoke(
            "predict", "--input", tmp_path / "in.parquet", "--output", output, models
        )
        assert done.exit_code == 0, (suffix, done.output)
        assert READ[suffix](output)["kind"].to_pylist()[:2] == ["p", "q"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_texts_are_read_gzipped_and_in_any_encoding(suffix, encoding, models, tmp_path):
    text = "“naïve” film, é\r\nand a second line"
    plain = tmp_path / f"plain{suffix}"
    write_rows(pa.table({"text": [text, "b"], "n": ["1", "2"]}), plain)
    content = plain.read_bytes().decode()
    file = tmp_path / f"in{suffix}.gz"
    file.write_bytes(gzip.compress(content.encode(encoding)))
    output = tmp_path / "out.parquet"
    done = invoke(
        "predict", "--input", file, "--output", output, "--encoding", encoding, models
    )
    assert done.exit_code == 0, done.output
    assert parquet.read_table(output)["text"].to_pylist() == [text, "b"]


def test_an_output_among_the_inputs_is_refused(models, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("text\nx\n")
    before = (tmp_path / "b.csv").read_bytes()
    done = invoke(
        "predict", "--input", tmp_path, "--output", tmp_path / "b.csv", "--overwrite",
        models,
    )  # fmt: skip
    assert done.exit_code == 2
    assert "is itself one of the files of" in said(done)
    assert (tmp_path / "b.csv").read_bytes() == before


def test_a_file_may_be_replaced_by_its_own_answers(models, tmp_path):
    file = tmp_path / "rows.csv"
    write_rows(TABLE.select(["id", "text"]), file)
    done = invoke("predict", "--input", file, "--output", file, "--overwrite", models)
    assert done.exit_code == 0, done.output
    written = csv.read_csv(file)
    assert written.column_names == ["id", "text", LABEL, PROBABILITY]
    assert written["text"].to_pylist() == TEXTS


def said(done) -> str:
    return " ".join(done.output.split())


def test_memory_does_not_follow_the_size_of_a_parquet_file(tmp_path):
    file, rows = tmp_path / "large.parquet", 40_000
    noise = np.random.default_rng(0).bytes(rows * 250).hex()
    texts = [noise[i * 500 : (i + 1) * 500] for i in range(rows)]
    parquet.write_table(pa.table({"text": texts}), file, row_group_size=5000)
    del texts
    before, most = pa.total_allocated_bytes(), 0
    for chunk in opened(file).read():
        assert chunk.table.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert file.stat().st_size > 10_000_000
    # Two chunks of 8,192 rows, each as written and as read.
    assert most < file.stat().st_size
