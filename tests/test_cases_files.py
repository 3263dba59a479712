"""Files as people really have them: what was typed, and what has to come of it.

Each was once read wrong, refused without a way on, or passed over in silence. Behind
each stands a second one of the same kind.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import shlex
import shutil
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import invoke, reviews, seal
from pyarrow import parquet

from seqclf.bulk.chunks import Options
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import find_source
from seqclf.config import DataConfig
from seqclf.data.load import read_source
from seqclf.errors import SeqclfError
from seqclf.installed import install_line
from seqclf.records.reading import Reading

ROWS = reviews(40)  # texts and their labels, bad and good in turns


def said(done) -> str:
    return " ".join(done.output.split())


def rows_of(source: object, **options: object) -> list[tuple[str, str]]:
    """Returns the texts and label names of train, as a person would get them."""
    raw = read_source(DataConfig(source=str(source), **options))
    train = raw.splits["train"]
    names = [raw.labels[i] for i in train["label"].to_pylist()]
    return list(zip(train["text"].to_pylist(), names, strict=True))


def notes_of(source: object, **options: object) -> str:
    return "\n".join(read_source(DataConfig(source=str(source), **options)).notes)


def error_of(source: object, **options: object) -> str:
    with pytest.raises(SeqclfError) as caught:
        read_source(DataConfig(source=str(source), **options))
    return str(caught.value)


def typed(hint: str) -> dict[str, object]:
    """Returns the options in a hint, as fields of the config."""
    options: dict[str, object] = {}
    words = shlex.split(hint)
    while words:
        name = words.pop(0).removeprefix("--").replace("-", "_")
        if name in ("header", "no_header"):
            options["header"] = name == "header"
        else:
            options[name] = words.pop(0)
    return options


def write(path: Path, rows: list, delimiter: str = ",", **options: object) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, **options).writerows(rows)
    return path


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def models(workplace) -> str:
    return f"--models-dir={workplace / 'models'}"


# F01: predict reads the column of the training.


def shop_reviews(path: Path, columns: tuple[str, ...]) -> Path:
    """Writes reviews beside titles, which a guess would take."""
    whole = {
        "": range(len(ROWS)),
        "Title": [f"Title {i}" for i in range(len(ROWS))],
        "Review Text": [text for text, _ in ROWS],
        "Recommended": [label for _, label in ROWS],
    }
    table = zip(*(whole[name] for name in columns), strict=True)
    return write(path, [columns, *table])


def run_with_reading(workplace: Path, folder: Path, reading: dict[str, object]) -> Path:
    """Returns a copy of the finished run that says it read its data so."""
    run = folder / "models" / "cloth"
    shutil.copytree(workplace / "models" / "reviews-gru-0", run)
    about = json.loads((run / "dataset.json").read_text())
    (run / "dataset.json").write_text(json.dumps(about | {"reading": reading}))
    seal(run)
    return run


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        pytest.param(
            ("", "Title", "Review Text", "Recommended"),
            "Review Text",
            marks=pytest.mark.slow,
        ),
        (("", "Review Text", "Recommended", "Title"), "Title,Review Text"),
    ],
)
def test_f01_predict_reads_the_column_of_the_training(columns, column, workplace, here):
    run_with_reading(workplace, here, {"text_column": column})
    file = shop_reviews(here / "shop.csv", columns)
    without = invoke("predict", "--run", "cloth", "--input", file, "--output", "a.csv")
    asked = ("--text-column", column)
    named = invoke(
        "predict", "--run", "cloth", "--input", file, *asked, "--output", "b.csv"
    )
    assert without.exit_code == named.exit_code == 0, without.output + named.output
    assert (here / "a.csv").read_bytes() == (here / "b.csv").read_bytes()
    assert f"took column '{column}' for texts, as in training" in said(without)
    scores = [
        invoke(
            "predict", "--run", "cloth", "--input", file, "--explain", "--json", *more
        )
        for more in ((), asked)
    ]
    assert scores[0].exit_code == 0, scores[0].output
    assert scores[0].stdout == scores[1].stdout
    assert len(scores[0].stdout.splitlines()) == len(ROWS)


def test_f01_another_column_is_taken_only_where_that_of_the_training_is_missing(
    workplace, here
):
    run_with_reading(workplace, here, {"text_column": "Review Text"})
    file = write(here / "new.csv", [("body", "n"), ("a fine film", "1")])
    done = invoke("predict", "--run", "cloth", "--input", file)
    assert "took column 'body' for texts" in said(done)
    assert "no column 'Review Text' as in training" in said(done)


@pytest.mark.parametrize("given", ["cp1252", "utf-16"])
def test_f01_the_encoding_of_the_training_counts_too(given, workplace, here):
    run_with_reading(workplace, here, {"encoding": given, "text_column": "text"})
    text = "text,label\n" + "".join(f"café {i} für dich,good\n" for i in range(3))
    (here / "x.csv").write_bytes(text.encode(given))
    command = ("predict", "--run", "cloth", "--input", "x.csv", "--json")
    without, named = invoke(*command), invoke(*command, "--encoding", given)
    assert without.exit_code == 0, without.output
    assert without.stdout == named.stdout
    assert json.loads(without.stdout.splitlines()[1])["text"] == "café 1 für dich"


def test_f01_a_delimiter_that_nothing_tells_is_that_of_the_training(workplace, here):
    run_with_reading(
        workplace, here,
        {"delimiter": "~", "header": False, "columns": "label,words",
         "text_column": "words"},
    )  # fmt: skip
    (here / "x.csv").write_text("".join(f"{y}~{t}\n" for t, y in ROWS))
    command = ("predict", "--run", "cloth", "--input", "x.csv", "--json")
    asked = ("--delimiter", "~", "--columns", "label,words", "--text-column", "words")
    without, named = invoke(*command), invoke(*command, *asked)
    assert without.exit_code == 0, without.output
    assert without.stdout == named.stdout
    assert len(without.stdout.splitlines()) == len(ROWS)


# F02: files without a header.

NEWS = [
    (str(1 + i % 4), f"Headline {i}", f"{text}, as reporters said on day {i}.")
    for i, (text, _) in enumerate(reviews(80))
]


def test_f02_a_file_without_a_header_loses_no_row(here):
    write(here / "train.csv", NEWS, quoting=csv.QUOTE_ALL)
    assert rows_of("train.csv") == [(text, label) for label, _, text in NEWS]
    assert "has no header: its columns are called column_1" in notes_of("train.csv")
    joined = rows_of("train.csv", columns="label,title,text", text_column="title,text")
    assert joined == [(f"{title}\n{text}", label) for label, title, text in NEWS]


def test_f02_a_folder_of_such_files_works(here):
    write(here / "train.csv", NEWS)
    write(here / "test.csv", NEWS[:9])
    (here / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
    raw = read_source(DataConfig(source="."))
    assert {k: t.num_rows for k, t in raw.splits.items()} == {"train": 80, "test": 9}


def test_f02_what_used_to_be_advised_is_refused_with_what_works(here):
    write(here / "train.csv", NEWS)
    told = error_of("train.csv", text_column=NEWS[0][2], label_column="2")
    assert "It has 'column_1', 'column_2', 'column_3', and no header" in told
    option = re.search(r"(--text-column \w+), for example", told)[1]
    assert len(rows_of("train.csv", **typed(option))) == len(NEWS)


def test_f02_where_nothing_tells_both_answers_are_commands_that_work(here):
    rows = [("spam", "Win"), ("ham", "hello you there"), ("eggs", "what about noon")]
    write(here / "sms.csv", rows)
    told = error_of("sms.csv")
    as_row = re.search(r"If it is a row: (.*?)\. If", told)[1]
    as_names = re.search(r"If it holds names: (.*?)\.$", told)[1]
    assert rows_of("sms.csv", **typed(as_row)) == [(t, y) for y, t in rows]
    assert rows_of("sms.csv", **typed(as_names)) == [(t, y) for y, t in rows[1:]]


def test_f02_the_options_of_the_command_line_say_it_too(models, here):
    write(here / "sms.csv", [("spam", "Win"), ("ham", "hello"), ("eggs", "what")] * 9)
    for option, count in (("--no-header", 27), ("--header", 26)):
        named = ("--text-column", "column_2" if option == "--no-header" else "Win")
        done = invoke("predict", "--input", "sms.csv", option, *named, models)
        assert done.exit_code == 0, done.output
        assert len(done.stdout.splitlines()) == count
    labelled = ("--columns", "label,text")
    for command in ("data", "show", "sms.csv"), ("train", "--data", "sms.csv", "-h"):
        assert invoke(*command, *labelled).exit_code == 0
    assert "no-header" in invoke("data", "show", "--help").output
    shown = invoke("data", "show", "sms.csv", "--no-header", "--label-column",
                   "column_1", "--text-column", "column_2", "--json")  # fmt: skip
    assert shown.exit_code == 0, shown.output


def test_f02_tabs_and_a_label_behind_the_text(here):
    rows = [(text, label) for text, label in ROWS]
    write(here / "reviews.tsv", rows, "\t")
    assert rows_of("reviews.tsv") == ROWS
    assert rows_of("reviews.tsv", header=False) == ROWS
    assert len(rows_of("reviews.tsv", header=True, text_column=ROWS[0][0],
                       label_column="bad")) == len(ROWS) - 1  # fmt: skip


# F03: a test split without labels.


@pytest.mark.parametrize(
    "test",
    [
        [("id", "text"), (1, "what is it"), (2, "who was it")],
        [("id", "text", "target"), (1, "what is it", ""), (2, "who was it", "")],
        [("id", "text", "target"), (1, "what is it", -1), (2, "who was it", -1)],
    ],
)
def test_f03_a_test_split_without_labels_is_left_aside(test, here):
    train = [(i, text, int(label == "good")) for i, (text, label) in enumerate(ROWS)]
    write(here / "train.csv", [("id", "text", "target"), *train])
    write(here / "test.csv", test)
    write(here / "sample_submission.csv", [("id", "target"), (1, 0)])
    done = invoke("data", "show", ".")
    assert done.exit_code == 0, done.output
    assert "test.csv has no labels (column 'target')" in said(done)
    assert "seqclf predict --input test.csv --output predictions.csv" in said(done)
    assert "no test split in .: held 8 of 40 training rows out" in said(done)


def test_f03_what_is_suggested_works(models, here):
    write(here / "train.csv", [("text", "label"), *ROWS])
    write(here / "test.csv", [("id", "text"), (1, "a fine film"), (2, "a dull one")])
    note = notes_of(".")
    command = re.search(r"seqclf (predict --input .*)$", note, re.MULTILINE)[1]
    done = invoke(*shlex.split(command), models)
    assert done.exit_code == 0, done.output
    assert len((here / "predictions.csv").read_text().splitlines()) == 3


# F04: JSON by content.


def as_records(rows: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"headline": f"{t[:6]}", "short_description": t, "category": y} for t, y in rows
    ]


RECORDS = as_records(ROWS)
JSON = {
    "lines": "".join(json.dumps(r) + "\n" for r in RECORDS),
    "a list": json.dumps(RECORDS),
    "an indented list": json.dumps(RECORDS, indent=2),
    "under a key": json.dumps({"version": 3, "data": RECORDS}),
    "by id": json.dumps({f"id{i}": r for i, r in enumerate(RECORDS)}),
    "columns": json.dumps({k: [r[k] for r in RECORDS] for k in RECORDS[0]}),
    "columns by index": json.dumps(
        {k: {str(i): r[k] for i, r in enumerate(RECORDS)} for k in RECORDS[0]}
    ),
    "split": json.dumps(
        {"columns": list(RECORDS[0]), "index": list(range(len(RECORDS))),
         "data": [list(r.values()) for r in RECORDS]}
    ),
    "indented objects": "\n".join(json.dumps(r, indent=1) for r in RECORDS),
    "within objects": "".join(
        json.dumps({"id": i, "data": r}) + "\n" for i, r in enumerate(RECORDS)
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", JSON)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.ndjson"])
def test_f04_json_is_read_by_its_content(form, name, here):
    (here / name).write_text(JSON[form], encoding="utf-8")
    options = {}
    if form == "within objects":
        options = {
            "text_column": "data.short_description",
            "label_column": "data.category",
        }
    assert rows_of(name, **options) == ROWS


@pytest.mark.parametrize("form", sorted(JSON))
def test_f04_predict_reads_the_same_rows(form, models, here):
    (here / "x.json").write_text(JSON[form], encoding="utf-8")
    done = invoke("predict", "--input", "x.json", "--json", models)
    assert done.exit_code == 0, done.output
    texts = [json.loads(line)["text"] for line in done.stdout.splitlines()]
    assert texts == [text for text, _ in ROWS]


# F05: other delimiters under .csv.


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_f05_fields_are_separated_by_something_else(delimiter, models, here):
    path = here / "bewertungen.csv"
    write(
        path, [("text", "label"), *((f"{t}, wirklich", y) for t, y in ROWS)], delimiter
    )
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert rows_of(path) == [(f"{t}, wirklich", y) for t, y in ROWS]
    assert f"separated by {delimiter!r}" in notes_of(path)
    done = invoke("predict", "--input", path, "--output", "o.csv", models)
    assert done.exit_code == 0, done.output
    assert len((here / "o.csv").read_text().splitlines()) == len(ROWS) + 1


def test_f05_a_delimiter_of_ones_own_is_named(here):
    (here / "x.csv").write_text("text~label\n" + "".join(f"{t}~{y}\n" for t, y in ROWS))
    assert rows_of("x.csv", delimiter="~") == ROWS
    write(here / "y.data", [("text", "label"), *ROWS], "\t")
    assert rows_of("y.data", delimiter="tab") == ROWS


def test_f05_backslashes_before_quotation_marks(here):
    (here / "x.csv").write_text('text,label\n"a \\"fine\\" C:\\new film",x\n"b",y\n')
    assert rows_of("x.csv") == [('a "fine" C:\\new film', "x"), ("b", "y")]
    (here / "y.csv").write_text('text,label\n"a \\"fine\\" C:\\\\new film",x\n"b",y\n')
    assert rows_of("y.csv") == [('a "fine" C:\\new film', "x"), ("b", "y")]


# F07: encodings.


def test_f07_the_message_names_encodings_that_can_read_the_file(models, here):
    raw = b"text,label\n" + b"".join(
        b"caf\xe9 number %d was fine \x81\x8d,%s\n" % (i, b"pos" if i % 2 else b"neg")
        for i in range(8)
    )
    (here / "reviews.csv").write_bytes(raw)
    for told in (
        error_of("reviews.csv"),
        error_of("reviews.csv", encoding="cp1252"),
        said(invoke("predict", "--input", "reviews.csv", models)),
    ):
        assert "--encoding cp1252" not in told
        assert "latin-1 reads that line as 'café number 0 was fine" in told
        assert "line 2" in told
    for option in re.findall(r"\((--encoding \S+)\)", error_of("reviews.csv")):
        assert len(rows_of("reviews.csv", **typed(option))) == 8
        done = invoke("predict", "--input", "reviews.csv", *option.split(), models)
        assert done.exit_code == 0, done.output


def test_f07_the_likeliest_encoding_comes_first(here):
    text = "text,label\n" + "".join(
        f"Größe „{i}“ – schön,{'gut' if i % 2 else 'übel'}\n" for i in range(8)
    )
    (here / "x.csv").write_bytes(text.encode("cp1252"))
    assert "It can be read in another one: cp1252 reads" in error_of("x.csv")
    russian = "text,label\n" + "".join(
        f"хороший фильм {i},{'да' if i % 2 else 'нет'}\n" for i in range(8)
    )
    (here / "y.csv").write_bytes(russian.encode("cp1251"))
    assert "It can be read in another one: cp1251 reads" in error_of("y.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_f07_utf_16_is_found_by_itself(encoding, name, models, here):
    lines = [json.dumps({"text": t, "label": y}) for t, y in ROWS]
    text = "\n".join(lines) if name == "x.jsonl" else "text,label\n" + "".join(
        f'"{t}",{y}\n' for t, y in ROWS
    )  # fmt: skip
    if encoding == "utf-32" or "-" in encoding[4:]:
        text = text if encoding == "utf-32" else "\ufeff" * (name == "x.csv") + text
    (here / name).write_bytes(text.encode(encoding))
    assert rows_of(name) == ROWS
    done = invoke("predict", "--input", name, "--json", models)
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == len(ROWS)


def test_f07_bytes_of_another_format_under_the_name_of_csv(here):
    content = b"text,label\n" + b"".join(
        f"{t},{y}\n".replace(", n", " n").encode() for t, y in ROWS
    )
    plain = [(t.replace(", n", " n"), y) for t, y in ROWS]
    (here / "a.csv").write_bytes(gzip.compress(content))
    assert rows_of("a.csv") == plain
    parquet.write_table(pa.table({"text": ["a", "b"], "label": ["x", "y"]}), "b.csv")
    assert rows_of("b.csv") == [("a", "x"), ("b", "y")]
    write_sheet(here / "c.csv", [("text", "label"), *plain])
    assert rows_of("c.csv") == plain


@pytest.mark.parametrize("start", ["BZhang", "PAR1", "PARK"])
def test_f07_texts_may_begin_as_packed_files_do(start, here):
    (here / "x.csv").write_text(f"{start} id,text,label\n1,a,x\n2,b,y\n")
    assert rows_of("x.csv") == [("a", "x"), ("b", "y")]


# F10: packed files, and spreadsheets.


def zipped(content: bytes, **others: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("train.csv", content)
        for name, other in others.items():
            archive.writestr(name.replace("__MACOSX", "__MACOSX/"), other)
    return file.getvalue()


PACKERS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
    ".zip": lambda content: zipped(content, __MACOSXtrain=b"x"),
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_f10_packed_files_are_read(suffix, models, here):
    write(here / "plain.csv", [("text", "label"), *ROWS])
    packed = PACKERS[suffix]((here / "plain.csv").read_bytes())
    (here / f"train.csv{suffix}").write_bytes(packed)
    assert rows_of(f"train.csv{suffix}") == ROWS
    done = invoke("predict", "--input", f"train.csv{suffix}", "--json", models)
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == len(ROWS)
    (here / f"cut.csv{suffix}").write_bytes(packed[: len(packed) // 2])
    assert "is it whole?" in error_of(f"cut.csv{suffix}")


def test_f10_an_archive_of_several_files_is_unpacked_as_the_message_says(here):
    write(here / "plain.csv", [("text", "label"), *ROWS])
    content = (here / "plain.csv").read_bytes()
    (here / "bbc.zip").write_bytes(zipped(content, **{"test.csv": content}))
    told = error_of("bbc.zip")
    command = re.search(r"Unpack it with (python -m zipfile -e '(\S+)' '(\S+)')", told)
    with zipfile.ZipFile(command[2]) as archive:
        archive.extractall(command[3])  # noqa: S202 -- made above
    assert rows_of(re.search(r"name that folder: '(\S+)'", told)[1]) == ROWS


def write_sheet(path: Path, rows: list) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    path.write_bytes(file.getvalue())
    return path


def test_f10_a_spreadsheet_is_read(models, here):
    rows = [(text, i % 2) for i, (text, _) in enumerate(ROWS)]
    write_sheet(here / "x.xlsx", [("text", "label"), *rows])
    assert rows_of("x.xlsx") == [(text, str(y)) for text, y in rows]
    done = invoke("predict", "--input", "x.xlsx", "--output", "o.csv", models)
    assert done.exit_code == 0, done.output


def test_f10_without_the_reader_of_spreadsheets_the_ways_on_are_named(
    here, monkeypatch
):
    write_sheet(here / "x.xlsx", [("text", "label"), *ROWS])
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    told = error_of("x.xlsx")
    assert install_line("excel") in told
    assert "CSV UTF-8" in told


# F11: labelled lines.

LINES = {
    "fastText": lambda t, y: f"__label__{y} {t}",
    "fastText, label last": lambda t, y: f"{t} __label__{y}",
    "behind ;": lambda t, y: f"{t};{y}",
    "behind @": lambda t, y: f"{t}@{y}",
    "before a tab": lambda t, y: f"{y}\t{t}",
    "TREC": lambda t, y: f"{y.upper()}:kind {t}",
}


@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("name", ["train.txt", "cooking.train", "lines"])
def test_f11_lines_that_hold_text_and_label(form, name, models, here):
    line = LINES[form]
    (here / name).write_text("".join(f"{line(t, y)}\n" for t, y in ROWS))
    expected = [(t, y.upper() if form == "TREC" else y) for t, y in ROWS]
    assert rows_of(name) == expected
    done = invoke("predict", "--input", name, "--json", models)
    assert done.exit_code == 0, done.output
    assert [json.loads(s)["text"] for s in done.stdout.splitlines()] == [
        t for t, _ in ROWS
    ]


def test_f11_trec_has_two_kinds_of_labels(here):
    lines = [f"{'DESC' if i % 2 else 'NUM'}:{'manner' if i % 4 else 'date'} text {i}"
             for i in range(16)]  # fmt: skip
    (here / "trec.txt").write_text("\n".join(lines) + "\n")
    assert {y for _, y in rows_of("trec.txt")} == {"DESC", "NUM"}
    fine = rows_of("trec.txt", label_column="fine_label")
    assert {y for _, y in fine} == {"DESC:manner", "NUM:date", "NUM:manner"}


def test_f11_a_line_with_two_labels_has_both(here):
    lines = [f"__label__{y} {t}" for t, y in ROWS]
    lines[3] = "__label__a __label__b two"
    (here / "x.train").write_text("\n".join(lines))
    raw = read_source(DataConfig(source="x.train"))
    named = [raw.named(label_id) for label_id in raw.label_ids("train")]
    assert named[3] == "a | b"
    assert [named[:3], named[4:]] == [
        [label for _, label in some] for some in (ROWS[:3], ROWS[4:])
    ]


def test_f11_plain_lines_are_refused_with_what_is_expected(models, here):
    (here / "x.txt").write_text("".join(f"a thought, number {i}\n" for i in range(9)))
    told = error_of("x.txt")
    assert "its lines hold no labels" in told
    command = re.search(r"seqclf (predict .*)\.$", told)[1]
    assert len(invoke(*shlex.split(command), models).stdout.splitlines()) == 9


# F12: types of Parquet.

TYPES = {
    "string_view": pa.string_view(),
    "large_string": pa.large_string(),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
}


@pytest.mark.parametrize("kind", TYPES)
def test_f12_text_of_every_type_is_text(kind, models, here):
    texts, labels = map(list, zip(*ROWS, strict=True))
    table = pa.table({"text": pa.array(texts), "label": pa.array(labels)})
    if kind == "dictionary":
        table = pa.table({n: table[n].dictionary_encode() for n in table.column_names})
    else:
        table = table.cast(pa.schema([(n, TYPES[kind]) for n in table.column_names]))
    parquet.write_table(table, "x.parquet")
    assert rows_of("x.parquet") == ROWS
    for output in ("o.jsonl", "o.parquet"):
        done = invoke("predict", "--input", "x.parquet", "--output", output, models)
        assert done.exit_code == 0, done.output


# F13: names of columns.


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (("qid", "question_text", "target"), "question_text"),
        (("UserName", "OriginalTweet", "Sentiment"), "OriginalTweet"),
        (("id", "comment_text", "label"), "comment_text"),
        (("PhraseId", "Phrase", "Sentiment"), "Phrase"),
        (("comment_id", "body_of_it", " label"), "body_of_it"),
        (("author", "v2", "v1"), "v2"),
    ],
)
def test_f13_the_column_of_texts_is_found(header, text, here):
    rows = [(f"{i:08}", t, y) for i, (t, y) in enumerate(ROWS)]
    write(here / "reviews.csv", [header, *rows])
    assert rows_of("reviews.csv") == ROWS
    assert f"took column {text!r} for texts" in notes_of("reviews.csv")


def test_f13_blanks_behind_the_commas_of_a_header(here):
    lines = "".join(f"{t.replace(',', '')}, {y}\n" for t, y in ROWS)
    (here / "sp.csv").write_text("text, label\n" + lines)
    assert rows_of("sp.csv") == [(t.replace(",", ""), f" {y}") for t, y in ROWS]
    assert "column ' label' for labels" in notes_of("sp.csv")
    assert rows_of("sp.csv", label_column="label") == rows_of("sp.csv")


def test_f13_the_longer_of_two_columns_of_texts_is_taken(here):
    rows = [
        (f"News {i}", f"{t}, and so it went on", y) for i, (t, y) in enumerate(ROWS)
    ]
    write(here / "news.csv", [("headline", "short_description", "category"), *rows])
    assert rows_of("news.csv") == [(text, y) for _, text, y in rows]


# F14: lines of a plain text file.


def test_f14_what_a_text_file_is_taken_for_is_said(models, here):
    (here / "texts.txt").write_text("".join(f"{text}\n" for text, _ in ROWS))
    one = invoke("predict", "--input", "texts.txt", models)
    assert len(one.stdout.splitlines()) == 1
    assert "taken for one text of 40 lines; --lines takes each line" in said(one)
    every = invoke("predict", "--input", "texts.txt", "--lines", models)
    assert len(every.stdout.splitlines()) == 40
    answers = [line.split("\t") for line in every.stdout.splitlines()]
    assert [shown for _, shown in answers] == [text for text, _ in ROWS]


def test_f14_lines_become_rows_of_a_table(models, here):
    (here / "a.txt").write_bytes("café\r\n\r\nfine\r\n".encode("cp1252"))
    options = ("--lines", "--encoding", "cp1252", "--output", "o.csv")
    done = invoke("predict", "--input", "a.txt", *options, models)
    assert done.exit_code == 0, done.output
    with (here / "o.csv").open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == ["café", "", "fine"]


# F15: annotation tools.


@pytest.mark.parametrize(
    "row",
    [
        lambda t, y: {"id": 0, "text": t, "label": [y]},
        lambda t, y: {"text": t, "cats": {c: c == y for c in ("good", "bad")}},
        lambda t, y: {"text": t, "cats": {c: 1.0 * (c == y) for c in ("good", "bad")}},
        lambda t, y: {"text": t, "options": [{"id": y}], "accept": [y],
                      "answer": "accept"},
    ],
    ids=["doccano", "spaCy", "spaCy, numbers", "Prodigy"],
)  # fmt: skip
def test_f15_labels_of_annotation_tools(row, here):
    lines = [json.dumps(row(t, y)) for t, y in ROWS]
    (here / "admin.jsonl").write_text("\n".join(lines))
    assert rows_of("admin.jsonl") == ROWS


def test_f15_what_was_not_accepted_has_no_label(here):
    lines = [{"text": t, "accept": [y], "answer": "accept"} for t, y in ROWS]
    lines[4]["answer"] = "reject"
    (here / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert "1 rows without a label, the first is row 5" in error_of("x.jsonl")


def test_f15_several_labels_a_text_are_learnt(here):
    (here / "x.jsonl").write_text('{"text": "a", "label": ["x", "y"]}\n')
    raw = read_source(DataConfig(source="x.jsonl"))
    assert (raw.labels, raw.label_sets) == (("x", "y"), ((0, 1),))


# F19: no message longer than a screen; names.


def test_f19_an_error_is_no_longer_than_a_screen(here):
    row = {f"post_{i}_1023": i for i in range(9000)}
    (here / "dict.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row))
    done = invoke("data", "show", "dict.jsonl")
    assert done.exit_code == 1
    assert len(done.output) < 1000
    write(here / "wide.csv", [[f"feature {i}" for i in range(3000)], range(3000)])
    assert len(invoke("data", "show", "wide.csv").output) < 1000
    many = invoke("data", "show", "x" * 90_000)
    assert many.exit_code == 1
    assert len(many.output) < 2500


def test_f19_a_file_called_train_is_named_after_its_folder(here):
    (here / "bbc").mkdir()
    write(here / "bbc" / "train.csv", [("text", "label"), *ROWS])
    assert read_source(DataConfig(source="bbc/train.csv")).name == "bbc"
    write(here / "bbc" / "news.csv", [("text", "label"), *ROWS])
    assert read_source(DataConfig(source="bbc/news.csv")).name == "news"


# Other dead ends.


def test_parts_that_spark_wrote_have_a_pattern_that_works(here):
    folder = here / "out"
    folder.mkdir()
    for i in range(3):
        name = f"part-{i:05}-5f2c-c000.csv"
        write(folder / name, [("text", "label"), *ROWS[i::3]])
    (folder / "_SUCCESS").write_text("")
    told = error_of("out")
    pattern = re.search(r"a pattern such as '(\S+)'", told)[1]
    assert sorted(rows_of(pattern)) == sorted(ROWS)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_standard_input_may_be_csv(delimiter, here, monkeypatch):
    import sys
    import types

    write(here / "x.csv", [("text", "label"), *ROWS], delimiter)
    piped = io.BytesIO((here / "x.csv").read_bytes())
    stdin = types.SimpleNamespace(buffer=piped, isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert rows_of("-") == ROWS


def test_numbers_that_json_cannot_hold_are_written_as_null(models, here):
    table = pa.table({"text": ["a", "b"], "score": [float("nan"), 1.5]})
    parquet.write_table(table, "x.parquet")
    done = invoke("predict", "--input", "x.parquet", "--output", "o.jsonl", models)
    assert done.exit_code == 0, done.output
    again = invoke("predict", "--input", "o.jsonl", "--text-column", "text", models)
    assert again.exit_code == 0, again.output
    first = json.loads((here / "o.jsonl").read_text().splitlines()[0])
    assert first["score"] is None


def test_a_row_in_a_message_is_the_line_an_editor_shows(here):
    (here / "x.csv").write_text('text,label\n\n"two\nlines",x\nb,y\nc,\n')
    assert "the first is row 6" in error_of("x.csv")


@pytest.mark.parametrize(
    "option", [{"delimiter": ";"}, {"header": False}, {"columns": "a,b"}]
)
@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
def test_what_does_nothing_with_a_format_is_refused(name, option, here):
    (here / "x.jsonl").write_text('{"text": "a", "label": "x"}\n')
    parquet.write_table(pa.table({"text": ["a"], "label": ["x"]}), "x.parquet")
    assert "does nothing with" in error_of(name, **option)
    options = Options(Reading(**option))
    with pytest.raises(SeqclfError, match="does nothing with"):
        open_rows(find_source(Path(name)), options)


@pytest.mark.parametrize(
    "option", [{"delimiter": ";"}, {"header": False}, {"columns": "a,b"}]
)
@pytest.mark.parametrize("name", ["classes", "saved"])
def test_what_says_how_tables_are_written_is_refused_where_there_are_none(
    name, option, here
):
    import datasets

    for label in ("good", "bad"):
        (here / "classes" / label).mkdir(parents=True)
        (here / "classes" / label / "1.txt").write_text("a text")
    rows = {"text": ["a", "b"], "label": ["x", "y"]}
    datasets.Dataset.from_dict(rows).save_to_disk("saved")
    assert f"{next(iter(option))} does nothing with {name}" in error_of(name, **option)


def test_an_option_that_is_a_default_counts_where_it_was_typed(workplace, here):
    rows = "".join(f'"{t} für dich",{y}\n' for t, y in reviews(12))
    (here / "x.csv").write_bytes(("text,label\n" + rows).encode("cp1252"))
    run = run_with_reading(workplace, here, {"encoding": "cp1252"})
    config = json.loads((run / "config.json").read_text())
    config["data"] |= {"source": "x.csv", "encoding": "cp1252"}
    (run / "config.json").write_text(json.dumps(config))
    seal(run)
    as_trained = invoke("evaluate", "cloth", "--json")
    assert as_trained.exit_code == 0, as_trained.output
    typed_anew = invoke("evaluate", "cloth", "--encoding", "utf-8")
    assert typed_anew.exit_code == 1
    assert "is not utf-8" in said(typed_anew)
