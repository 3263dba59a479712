"""Rows that cannot be classified: named, or kept without a label, never dropped."""

from __future__ import annotations

import json
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet
from test_cli import invoke

from seqclf.bulk import chunks
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import find_source
from seqclf.bulk.writers import LABEL, PROBABILITY
from seqclf.data.formats.json_files import json_row
from seqclf.errors import DataError

BYTES = "has bytes that are not utf-8"


def broken_parquet(file) -> None:
    """A text and another string that are no UTF-8, and a row without a text."""
    texts = pa.array([b"good", b"b\xffd", None, b"fine", b"dull"], pa.binary())
    names = pa.array([b"a", b"b", b"c", b"d\xff", b"e"], pa.binary())
    offsets = {"text": texts, "name": names}
    table = pa.table({k: v.view(pa.string()) for k, v in offsets.items()})
    parquet.write_table(table, file)


CSV = b"""name,text
a,good
b,b\xffd
c,too,many
too few
"d","a text
over ""two"" lines"
e,
"""
JSON = b"""{"name": "a", "text": "good"}
{"name": "b", "text": "b\xffd"}

not JSON {
["neither", "this"]
{"name": "c", "text": null}
{"name": "d", "text": 7}
{"name": "e"}
{"name": "f", "text": ["x"]}
{"name": "g", "text": "half \\ud800"}
{"name": "h", "text": "a", "text": "b"}
{"name": "i", "text": "fine"}
"""
# Of each file: its content, the columns of all rows as they are kept, and the bad rows
# with where they are and what is wrong.
FILES = {
    ".csv": (
        CSV,
        {
            "name": ["a", "b", None, None, "d", "e"],
            "text": ["good", "b\ufffdd", "c,too,many", "too few",
                     'a text\nover "two" lines', ""],
        },
        {
            1: ("row 3", BYTES),
            2: ("row 4", "has 3 fields, the first line 2"),
            3: ("row 5", "has 1 field, the first line 2"),
        },
    ),
    ".tsv": (
        CSV.replace(b",", b"\t"),
        {
            "name": ["a", "b", None, None, "d", "e"],
            "text": ["good", "b\ufffdd", "c\ttoo\tmany", "too few",
                     'a text\nover "two" lines', ""],
        },
        {
            1: ("row 3", BYTES),
            2: ("row 4", "has 3 fields, the first line 2"),
            3: ("row 5", "has 1 field, the first line 2"),
        },
    ),
    ".jsonl": (
        JSON,
        {
            "name": ["a", None, None, None, "c", "d", "e", "f", None, None, "i"],
            "text": ["good", '{"name": "b", "text": "b\ufffdd"}', "not JSON {",
                     '["neither", "this"]', None, "7", None, '["x"]',
                     '{"name": "g", "text": "half \\ud800"}',
                     '{"name": "h", "text": "a", "text": "b"}', "fine"],
        },
        {
            1: ("line 2", BYTES),
            2: ("line 4", "is broken JSON"),
            3: ("line 5", "is no JSON object"),
            4: ("line 6", "has no text"),
            5: ("line 7", "has an integer for 'text', where a string should be"),
            6: ("line 8", "has no text"),
            7: ("line 9", "has a list for 'text'"),
            8: ("line 10", "has half a character"),
            9: ("line 11", "a key is repeated"),
        },
    ),
    ".parquet": (
        broken_parquet,
        {
            "text": ["good", "b\ufffdd", None, "fine", "dull"],
            "name": ["a", "b", "c", "d\ufffd", "e"],
        },
        {
            1: ("row 2", BYTES),
            2: ("row 3", "has no text"),
            3: ("row 4", BYTES),
        },
    ),
}  # fmt: skip


@pytest.fixture(params=FILES)
def broken(request, tmp_path):
    content, kept, bad = FILES[request.param]
    file = tmp_path / f"rows{request.param}"
    if callable(content):
        content(file)
    else:
        file.write_bytes(content)
    return file, kept, bad


@pytest.fixture
def models(workplace) -> str:
    return f"--models-dir={workplace / 'models'}"


def said(done) -> str:
    return " ".join(done.output.split())


def test_fail_stops_at_the_first_bad_row_and_writes_nothing(broken, models):
    file, _, bad = broken
    at, why = next(iter(bad.values()))
    done = invoke("predict", "--input", file, "--output", file.parent / "o.csv", models)
    assert done.exit_code == 1
    assert f"{file}, {at} {why}" in said(done).replace("- ", "-")
    assert "--on-error keep" in said(done)
    assert list(file.parent.iterdir()) == [file]


def test_a_column_beside_the_texts_stops_it_before_anything_is_predicted(tmp_path):
    names = pa.array([b"a", b"d\xff"], pa.binary()).view(pa.string())
    parquet.write_table(
        pa.table({"text": ["x", "y"], "name": names}), tmp_path / "n.parquet"
    )
    with pytest.raises(DataError, match="row 2 has bytes that are not utf-8"):
        open_rows(find_source(tmp_path / "n.parquet"), chunks.Options())


def test_a_whole_number_that_no_float_holds_is_too_large():
    most = int(sys.float_info.max)
    assert json_row(f'{{"text": "a", "n": {most}}}')[1] == ""
    assert (
        json_row(f'{{"text": "a", "n": -{most}0}}')[1]
        == "has a number that is too large"
    )


@pytest.mark.parametrize("chunk_rows", [2, 8192])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_keep_keeps_every_row_and_names_the_bad_ones(
    chunk_rows, suffix, broken, models, monkeypatch
):
    monkeypatch.setattr(chunks, "CHUNK_ROWS", chunk_rows)
    file, kept, bad = broken
    output = file.parent / f"out{suffix}"
    done = invoke(
        "predict", "--input", file, "--output", output, "--on-error", "keep", "-q",
        models,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = len(kept["text"])
    assert f"Without a label: {len(bad)} of {rows} rows" in said(done)
    for at, why in list(bad.values())[:5]:
        assert f"{at} {why}" in said(done)
    if suffix == ".parquet":
        written = parquet.read_table(output).to_pylist()
    elif suffix == ".jsonl":
        lines = output.read_text().split("\n")[:-1]
        written = [json.loads(line) for line in lines]
    else:
        return assert_csv(output, rows, bad)
    assert {k: [row[k] for row in written] for k in kept} == kept
    assert [i for i, row in enumerate(written) if row[LABEL] is None] == list(bad)
    assert [i for i, row in enumerate(written) if row[PROBABILITY] is None] == list(bad)
    return None


def assert_csv(output, rows: int, bad) -> None:
    import csv

    with output.open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert len(written) == rows
    assert [i for i, row in enumerate(written) if not row[LABEL]] == list(bad)
    assert [i for i, row in enumerate(written) if not row[PROBABILITY]] == list(bad)


def test_good_rows_have_the_answer_they_have_alone(broken, models, finished_run):
    from seqclf.classifier import Classifier

    file, kept, bad = broken
    output = file.parent / "out.parquet"
    invoke("predict", "--input", file, "--output", output, "--on-error=keep", models)
    written = parquet.read_table(output).to_pylist()
    classifier = Classifier.open(finished_run)
    for place, text in enumerate(kept["text"]):
        if place not in bad:
            row = classifier.predict_proba([text])[0]
            assert written[place][LABEL] == classifier.labels[row.argmax()]
            assert written[place][PROBABILITY] == pytest.approx(row.max(), abs=1e-6)


def test_bad_rows_are_printed_in_their_place(broken, models):
    file, kept, bad = broken
    command = ["predict", "--input", file, "--on-error", "keep", models]
    lines = invoke(*command).stdout.splitlines()
    assert len(lines) == len(kept["text"])
    shown = [i for i, line in enumerate(lines) if line.startswith("no label\t")]
    assert shown == list(bad)
    rows = [json.loads(line) for line in invoke(*command, "--json").stdout.splitlines()]
    assert [i for i, row in enumerate(rows) if "error" in row] == list(bad)
    assert [i for i, row in enumerate(rows) if row["label"] is None] == list(bad)
    assert [row["text"] for i, row in enumerate(rows) if i not in bad] == [
        text for i, text in enumerate(kept["text"]) if i not in bad
    ]


def test_a_text_file_of_another_encoding_keeps_its_row(models, tmp_path):
    folder, output = tmp_path / "texts", tmp_path / "out.parquet"
    folder.mkdir()
    for name, content in (("a", b"good"), ("b", b"b\xffd"), ("c", b"")):
        (folder / f"{name}.txt").write_bytes(content)
    command = ["predict", "--input", folder, "--output", output, models]
    failed = invoke(*command)
    assert failed.exit_code == 1
    assert f"b.txt {BYTES}" in said(failed)
    kept = invoke(*command, "--on-error", "keep")
    assert kept.exit_code == 0, kept.output
    assert f"Without a label: 1 of 3 rows: {folder / 'b.txt'} {BYTES}" in said(
        kept
    ).replace("- ", "-")
    table = parquet.read_table(output)
    assert [label is None for label in table[LABEL].to_pylist()] == [False, True, False]
    right = invoke(*command, "--encoding", "cp1252", "--overwrite")
    assert right.exit_code == 0, right.output


def test_undecodable_bytes_of_another_encoding_are_found_too(models, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_bytes("text\ngut für\n\x81 nicht\n".encode("latin-1"))  # not in cp1252
    command = ["predict", "--input", file, "--encoding", "cp1252", models]
    assert "row 3 has bytes that are not cp1252" in said(invoke(*command))
    lines = invoke(*command, "--on-error", "keep").stdout.splitlines()
    assert "gut für" in lines[0]
    assert lines[1].startswith("no label")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b'text\n"never closed\nx\n', "line 2: a quoted field does not end"),
        ("a.csv", b'text\nx\n"too" early\n', "line 3: a quoted field does not end"),
        ("a.csv", b"te\xffxt,b\n1,2\n", "line 1: byte 2 (0xff) is not utf-8"),
        ("a.csv.gz", b"\x1f\x8b\x08 not gzip", "is it whole?"),
        ("a.jsonl", b"[]\nno\n", "holds no JSON object"),
        ("a.jsonl", b'{"text": 1}\n{"text": 2}\n', "holds int64, not text"),
        ("a.jsonl", b'{"text": "x", "n": 1}\n{"text": "y", "n": true}\n',
         "line 2: 'n' is a boolean here and an integer in"),
        ("a.jsonl", b'{"text": "x", "n": [1, "a"]}\n', "of several kinds"),
        ("a.parquet", b"PAR1 no more", "is it whole?"),
    ],
)  # fmt: skip
def test_what_spoils_a_whole_file_is_an_error_with_keep_too(
    name, content, message, models, tmp_path
):
    (tmp_path / name).write_bytes(content)
    done = invoke(
        "predict", "--input", tmp_path / name, "--output", tmp_path / "o.jsonl",
        "--on-error", "keep", models,
    )  # fmt: skip
    assert done.exit_code == 1
    assert message in said(done)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_names_and_texts_do_not_steer_the_terminal(models, tmp_path):
    (tmp_path / "\x1b]0;x\x07.txt").write_bytes(b"\xff")
    (tmp_path / "b\x1b.txt").write_bytes(b"\x1b[2Jgood")
    (tmp_path / "c\x1b.md").write_bytes(b"")
    done = invoke("predict", "--input", tmp_path, "--on-error", "keep", models)
    assert done.exit_code == 0
    assert "\x1b" not in done.output
    assert "\x07" not in done.output
    failed = invoke("predict", "--input", tmp_path, models)
    assert "\x1b" not in failed.output
