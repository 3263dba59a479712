"""Files that a reader could take for something else, without a word."""

from __future__ import annotations

import json
import zipfile

import pyarrow as pa
import pytest

from seqclf.data.dataset import TEST, TRAIN
from seqclf.data.files import read_file
from seqclf.data.formats.encodings import readable_as
from seqclf.data.layout import read_path
from seqclf.errors import DataError
from seqclf.records.reading import NOTHING_KNOWN

ROWS = [(f"a film of sort {i % 7}", "ab"[i % 2]) for i in range(30)]


def written(tmp_path, name: str, content: str):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def lines(by: str, rows=ROWS) -> str:
    return "".join(f"{text}{by}{label}\n" for text, label in rows)


def pairs(part) -> list[tuple[str, str]]:
    table = part.table
    columns = (table[name].to_pylist() for name in ("text", "label"))
    return list(zip(*columns, strict=True))


QUOTATION = [('"I am tired.', "a"), ('I slept badly."', "b")]


def test_quotations_over_rows_of_tsv_are_no_quoting(tmp_path):
    file = written(tmp_path, "a.tsv", "text\tlabel\n" + lines("\t", ROWS + QUOTATION))
    assert pairs(read_file(file)) == ROWS + QUOTATION


def test_a_text_of_two_lines_is_one_in_tsv_where_the_lines_differ(tmp_path):
    file = written(tmp_path, "a.tsv", f'text\tlabel\n{lines(chr(9))}"two\nlines"\ta\n')
    assert pairs(read_file(file))[-1] == ("two\nlines", "a")


def test_of_csv_it_is_said_where_lines_could_be_rows(tmp_path):
    file = written(tmp_path, "a.csv", "text,label\n" + lines(",", ROWS + QUOTATION))
    part = read_file(file)
    assert len(pairs(part)) == len(ROWS) + 1
    assert any("row in line 32 goes on in the next" in note for note in part.notes)
    even = written(tmp_path, "b.csv", f'text,label\n{lines(",")}"two\nlines",a\n')
    assert not read_file(even).notes


MARKED = (
    "__label__{1}\t{0}", "{0}\t__label__{1}", "__label__{1}  {0}",
    "__label__{1} {0} ",
)  # fmt: skip


@pytest.mark.parametrize("line", MARKED)
def test_any_white_space_is_between_a_label_of_fasttext_and_the_text(line, tmp_path):
    content = "".join(line.format(*row) + "\n" for row in ROWS)
    found = pairs(read_file(written(tmp_path, "a.txt", content)))
    assert [(text.rstrip(), label) for text, label in found] == ROWS


def test_lines_with_three_fields_are_a_table(tmp_path):
    content = "".join(f"{i}\t{text}\t{label}\n" for i, (text, label) in enumerate(ROWS))
    file = written(tmp_path, "a.txt", content)
    assert read_file(file).table.column_names == ["column_1", "column_2", "column_3"]


def test_a_header_of_labelled_lines_is_no_row(tmp_path):
    file = written(tmp_path, "a.txt", "text\tlabel\n" + lines("\t"))
    assert pairs(read_file(file)) == ROWS


def rows(count: int) -> list[dict]:
    return [{"text": f"text {i}", "label": "ab"[i % 2]} for i in range(count)]


REFUSED = {
    "holds several splits: train, test. Write each to a file": json.dumps(
        {"train": rows(3), "test": rows(9)}
    ),
    "columns have unequal lengths: 'text' has 2, 'label' has 1": json.dumps(
        {"version": 1, "text": ["a", "b"], "label": ["x"]}, indent=1
    ),
    "record 2: expected 2 values, as in 'columns', got 1": json.dumps(
        {"columns": ["text", "label"], "data": [["a", "x"], ["b"]]}, indent=1
    ),
    "record 3 is no object.*null": json.dumps([*rows(2), None], indent=1),
    "record 1 is no object": '["a", "x"]\n["b", "y"]\n',
    "line 3: its JSON is broken": '[\n{"text": "a"},\n]\n',
    "line 2: its JSON is broken": '[\n{"text": "a"}\n\n',
    "has NaN, which is no JSON": '[\n{"text": "a", "label": NaN}\n]\n',
    "has no rows": "{\n}\n",
}


@pytest.mark.parametrize("said", REFUSED)
def test_json_that_cannot_be_taken_is_told_by_its_fault(said, tmp_path):
    with pytest.raises(DataError, match=said):
        read_file(written(tmp_path, "a.json", REFUSED[said]))


ONE = {"text": "a", "label": "x"}, {"text": "b", "label": "y"}
TAKEN = {
    "columns beside a version": {"version": 1, "text": ["a", "b"], "label": ["x", "y"]},
    "columns by key, in another order": {
        "text": {"0": "a", "1": "b"}, "label": {"1": "y", "0": "x"}
    },
    "lists, one of them aside": {"data": [*ONE], "authors": [{"name": "z"}]},
}  # fmt: skip


def test_a_broken_first_row_is_told_by_its_own_line(tmp_path):
    content = '{"text": "a", "label":\n{"text": "b", "label": "x"}\n'
    with pytest.raises(DataError, match="line 1 is broken JSON"):
        read_file(written(tmp_path, "a.jsonl", content))


@pytest.mark.parametrize("what", TAKEN)
def test_json_is_taken_as_it_is_meant(what, tmp_path):
    file = written(tmp_path, "a.json", json.dumps(TAKEN[what], indent=1))
    part = read_file(file)
    assert pairs(part) == [("a", "x"), ("b", "y")]
    assert ("left aside: authors" in part.notes[0]) is ("aside" in what)


def test_a_value_that_a_column_by_key_lacks_is_missing(tmp_path):
    content = {"text": {"0": "a", "1": "b"}, "label": {"0": "x"}}
    file = written(tmp_path, "a.json", json.dumps(content, indent=1))
    assert pairs(read_file(file)) == [("a", "x"), ("b", None)]


def test_one_object_with_a_list_is_one_row(tmp_path):
    content = json.dumps({"text": "ok", "labels": ["x", "y"]}, indent=1)
    table = read_file(written(tmp_path, "a.json", content)).table
    assert table["text"].to_pylist() == ["ok"]


def test_a_stream_of_arrow_is_read(tmp_path):
    table = pa.table({"text": ["a", "b"], "label": ["x", "y"]})
    with pa.ipc.new_stream(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert read_file(tmp_path / "a.arrow").table.equals(table)


def test_an_archive_that_python_cannot_unpack_is_refused(tmp_path):
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "text,label\n" + lines(","))
    content = file.read_bytes()
    for at in (content.index(b"PK\x03\x04") + 8, content.index(b"PK\x01\x02") + 10):
        content = content[:at] + b"\x09" + content[at + 1 :]  # Deflate64
    file.write_bytes(content)
    with pytest.raises(DataError, match="cannot be unpacked here.*Unpack it"):
        read_file(file)


def test_which_encoding_a_large_file_is_in_is_told_by_its_first_signs():
    content = "Schöne Grüße aus Köln\n".encode("latin-1") * 100_000
    said = readable_as(content, content.index(b"\xf6"), "utf-8")
    assert "cp1252 reads that line as 'Schöne Grüße aus Köln'" in said
    assert "latin-1" in said


def folder_of(tmp_path, *names: str):
    for name in names:
        written(tmp_path, f"data/{name}", "a text")
    return tmp_path / "data"


TRAINING = [f"train/{label}/{i}.txt" for label in ("pos", "neg") for i in range(3)]


def test_two_folders_of_one_split_are_refused(tmp_path):
    folder = folder_of(tmp_path, *TRAINING, "dev/pos/1.txt", "val/pos/1.txt")
    with pytest.raises(DataError, match="dev and val; keep one folder a split"):
        read_path(folder, NOTHING_KNOWN)


def test_folders_called_after_a_split_are_told_where_they_are_not_read(tmp_path):
    found = read_path(folder_of(tmp_path, *TRAINING, "test/1.txt"), NOTHING_KNOWN)
    assert [*found.parts] == [TRAIN]
    assert any("called after a split: test/" in note for note in found.notes)
    other = tmp_path / "other"
    written(other, "data/train.csv", "text,label\n" + lines(","))
    found = read_path(folder_of(other, "test/pos/1.txt"), NOTHING_KNOWN)
    assert any("called after a split: test/" in note for note in found.notes)


def test_a_folder_called_after_a_split_is_no_class(tmp_path):
    names = [name.removeprefix("train/") for name in TRAINING]
    found = read_path(folder_of(tmp_path, *names, "test/1.txt"), NOTHING_KNOWN)
    labels = {part.table["label"][0].as_py() for part in found.parts[TRAIN]}
    assert labels == {"pos", "neg"}


def test_parts_of_a_split_that_are_not_there_are_told(tmp_path):
    hashed = "0123456789abcdef"
    for name in ("train-00000-of-00002", f"test-00000-of-00001-{hashed}"):
        written(tmp_path, f"{name}.csv", "text,label\n" + lines(","))
    found = read_path(tmp_path, NOTHING_KNOWN)
    assert [*found.parts] == [TRAIN, TEST]
    assert [note for note in found.notes if "parts" in note] == [
        "of train there are 1 of 2 parts, such as train-00000-of-00002.csv."
    ]


def test_a_header_of_test_is_none_of_its_rows_where_training_has_none(tmp_path):
    written(tmp_path, "train.csv", lines(","))
    written(tmp_path, "test.csv", "text,label\n" + lines(",", ROWS[:6]))
    found = read_path(tmp_path, NOTHING_KNOWN)
    assert found.parts[TEST][0].table.num_rows == 6


@pytest.mark.parametrize(
    ("name", "row"),
    [("a.jsonl", '{{"text": "{0}", "label": "{1}"}}\n'), ("a.txt", "{0}\t{1}\n")],
)
def test_rows_are_numbered_as_an_editor_does(name, row, tmp_path):
    blocks = ["\n".join(row.format(*one) for one in ROWS)]
    part = read_file(written(tmp_path, name, "".join(blocks)))
    assert [part.row(i) for i in range(3)] == [1, 3, 5]
