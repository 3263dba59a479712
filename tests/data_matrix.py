"""What happens with which data: the table in docs/data.md, a test each row.

``python tests/data_matrix.py`` writes the table.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

DOCUMENT = Path(__file__).parents[1] / "docs" / "data.md"
Rows = list[tuple[str, object]]

NASTY: Rows = [
    ("plain", "a"),
    ('with "quotes", commas', "b"),
    ("two\nlines", "a"),
    ("two\r\nlines", "b"),
    ("NA", "a"),
    ("null", "b"),
    ("007", "a"),
    ("1.0", "b"),
    ("2020-01-01", "a"),
    ("", "b"),
    ("emoji 🎬 👩‍🔬 und ß", "a"),
    ("مرحبا بالعالم", "b"),
    ("e\u0301 and \u00e9", "a"),
    ("tab\there", "b"),
]
PLAIN: Rows = [("one text", "a"), ("another", "b"), ("a third", "a"), ("last", "b")]
ACCENTED: Rows = [("café", "a"), ("Größe", "b"), ("naïve", "a"), ("plain", "b")]
NUMBERED: Rows = [(f"text {i}", f"label {i}") for i in range(40)]


def separated(delimiter: str) -> Callable[..., bytes]:
    def write(rows: Rows, header: tuple[str, ...] = ("text", "label")) -> bytes:
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
        return file.getvalue().encode()

    return write


def as_json_lines(rows: Rows, header: tuple[str, ...] = ("text", "label")) -> bytes:
    lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def as_parquet(rows: Rows, header: tuple[str, ...] = ("text", "label")) -> bytes:
    file = io.BytesIO()
    columns = [list(column) for column in zip(*rows, strict=True)]
    parquet.write_table(pa.table(dict(zip(header, columns, strict=True))), file)
    return file.getvalue()


as_csv, as_tsv = separated(","), separated("\t")
WRITERS = {
    "CSV": (".csv", as_csv),
    "TSV": (".tsv", as_tsv),
    "JSON Lines": (".jsonl", as_json_lines),
    "Parquet": (".parquet", as_parquet),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row of the matrix.

    Attributes:
      source: First column of the table.
      case: Second column.
      happens: Third column.
      files: What is there, by path.
      options: Fields of DataConfig; `source` is a path within the folder.
      rows: The train rows that come back, as text and label name, or
      error: a pattern that the message matches.
      note: A pattern that one of the notes matches.
      labels: The label names, where their order is the point.
      sizes: The splits, where they are the point.
    """

    source: str
    case: str
    happens: str
    files: dict[str, bytes]
    options: dict[str, object] = field(default_factory=dict)
    rows: Rows | None = None
    error: str | None = None
    note: str | None = None
    labels: tuple[str, ...] | None = None
    sizes: dict[str, int] | None = None

    @property
    def name(self) -> str:
        return f"{self.source}: {self.case}"


def one_file(source: str, name: str, content: bytes, case: str, happens: str, **values):
    options = {"source": name} | values.pop("options", {})
    return Case(
        source=source, case=case, happens=happens, files={name: content},
        options=options, **values,
    )  # fmt: skip


def of_every_format() -> list[Case]:
    cases = []
    for source, (suffix, write) in WRITERS.items():

        def case(
            rows_or_bytes, case, happens, *, _of=(source, suffix, write), **values
        ):
            source, suffix, write = _of
            content = rows_or_bytes
            if isinstance(content, list):
                content = write(content, values.pop("header", ("text", "label")))
            return one_file(
                source, values.pop("name", f"x{suffix}"), content, case, happens,
                **values,
            )  # fmt: skip

        cases += [
            case(
                NASTY,
                "quotes, line breaks, `NA`, `null`, `007`, `1.0`, a date, nothing, "
                "emoji, right-to-left, combining marks",
                "every text stays what it is",
                rows=NASTY,
            ),
            case(
                [(text, i % 2) for i, (text, _) in enumerate(PLAIN)],
                "labels are integers",
                "labels are called `0` and `1`",
                rows=[(text, str(i % 2)) for i, (text, _) in enumerate(PLAIN)],
            ),
            case(
                [("t", 10), ("u", 2), ("v", 10), ("w", 2)],
                "labels are integers of more digits",
                "they are put in the order of numbers",
                labels=("2", "10"),
            ),
            case(
                [(text, y) for (text, _), y in zip(PLAIN, "ABAB", strict=True)],
                "columns `Review` and `Sentiment`",
                "found by their names, and said",
                header=("Review", "Sentiment"),
                rows=[(text, y) for (text, _), y in zip(PLAIN, "ABAB", strict=True)],
                note="took column 'Review' for texts and column 'Sentiment' for labels",
            ),
            case(
                PLAIN,
                "columns of other names",
                "error with the columns there are and the option",
                header=("x", "y"),
                error="--text-column x --label-column y",
            ),
            case(
                PLAIN,
                "`--text-column` that is not there",
                "error with the columns there are",
                options={"text_column": "body"},
                error=r"no column 'body'. It has 'text', 'label'",
            ),
            case(
                [("head", "body", "a"), ("", "only body", "b")],
                "`--text-column title,content`",
                "the columns are joined by a line break",
                header=("title", "content", "label"),
                options={"text_column": "title,content"},
                rows=[("head\nbody", "a"), ("\nonly body", "b")],
            ),
            case(
                NUMBERED,
                "about as many labels as rows",
                "error: labels have few values",
                error="'label' has 40 different values in 40 rows, such as 'label 0'",
            ),
            case(
                [(str(i), "ab"[i % 2]) for i in range(30)],
                "a text column of numbers",
                "error; name the text column",
                error="'text' holds nothing but numbers",
            ),
            case(b"", "an empty file", "error", error="is empty"),
            case(
                [("a", "x"), ("b", "x")],
                "one label only",
                "error",
                options={"load": True},
                error="needs at least two labels, it has 'x'",
            ),
            case(
                [("a", "x"), ("b", "x"), ("c", "y")],
                "one text of a label",
                "error that names the label",
                options={"load": True},
                error="one text only of 'y'",
            ),
            case(
                PLAIN,
                "permission denied",
                "error",
                options={"forbidden": True},
                error="may not be read: permission denied",
            ),
        ]
        if source == "Parquet":
            continue
        text = write(ACCENTED).decode()
        if source == "JSON Lines":  # json.dumps wrote escapes
            text = "".join(
                json.dumps({"text": t, "label": y}, ensure_ascii=False) + "\n"
                for t, y in ACCENTED
            )
        cases += [
            case(
                gzip.compress(write(NASTY)),
                "gzip",
                "read as it is",
                name=f"x{suffix}.gz",
                rows=NASTY,
            ),
            case(
                gzip.compress(write(PLAIN))[:-12],
                "truncated gzip",
                "error",
                name=f"x{suffix}.gz",
                error="could not be read: .*; is it whole",
            ),
            case(
                b"\xef\xbb\xbf" + write(PLAIN),
                "a byte order mark",
                "left out",
                rows=PLAIN,
            ),
            case(
                write(PLAIN).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
                "lines end with CR LF",
                "the line ends are no text",
                rows=PLAIN,
            ),
            case(
                write(PLAIN).replace(b"\r\n", b"\n").rstrip(b"\n"),
                "no line end behind the last row",
                "the row counts",
                rows=PLAIN,
            ),
            case(
                write([("x" * 10_000_000, "a"), ("y", "b")]),
                "a line of 10 MB",
                "read whole",
                rows=[("x" * 10_000_000, "a"), ("y", "b")],
            ),
            case(
                write([("a\0b", "a"), ("y", "b")]),
                "NUL within a text",
                "stays in the text",
                rows=[("a\0b", "a"), ("y", "b")],
            ),
            case(
                text.encode("cp1252"),
                "not UTF-8",
                "error that names line, byte and `--encoding`",
                error=r"line \d: byte \d+ \(0xe9\) is not utf-8. .*--encoding cp1252",
            ),
            case(
                text.encode("cp1252"),
                "`--encoding cp1252`",
                "read in that encoding",
                options={"encoding": "cp1252"},
                rows=ACCENTED,
            ),
            case(
                text.encode("utf-16"),
                "UTF-16 without `--encoding`",
                "read, by its byte order mark",
                rows=ACCENTED,
            ),
        ]
    return cases


def of_separated() -> list[Case]:
    cases = []
    for source, suffix, d in (("CSV", ".csv", ","), ("TSV", ".tsv", "\t")):

        def lines(*rows: str, d: str = d) -> bytes:
            return "".join(f"{row.replace('|', d)}\n" for row in rows).encode()

        def case(content, case, happens, *, _of=(source, suffix), **values):
            return one_file(_of[0], f"x{_of[1]}", content, case, happens, **values)

        cases += [
            case(
                lines("text|label", "a|x", "b", "c|y", "d"),
                "a row with too few fields",
                "error that names the row, shows it and counts those like it",
                error=r"row 3: expected 2 fields, .* got 1: 'b'. Rows like it: 2",
            ),
            case(
                lines("text|label", "a|x", "b|y|z"),
                "a row with too many fields",
                "error that names the row",
                error=r"row 3: expected 2 fields, as in the first line, got 3",
            ),
            case(lines("text|label"), "a header alone", "error", error="has no rows"),
            case(
                lines("text|label", "a|x", "", "b|y"),
                "a blank line",
                "no row",
                rows=[("a", "x"), ("b", "y")],
            ),
            case(
                lines("text|label", "a|x", "b| "),
                "a row without a label",
                "error that names the row",
                error="1 rows without a label, the first is row 3",
            ),
            case(
                lines("text|text|label", "a|b|x"),
                "two columns of one name",
                "error",
                error="two columns named 'text'",
            ),
            case(
                lines("text;label", "a, b;x", "c;y"),
                "other separators: `;`, a tab, `|`",
                "found, and said",
                rows=[("a, b", "x"), ("c", "y")],
                note="fields are separated by ';'",
            ),
        ]
        quoted = lines("text|label", '"Great" film|x', "b|y")
        if source == "CSV":
            cases += [
                case(
                    quoted,
                    "a quoted field that continues behind its closing quotation mark",
                    "error that names the line, for no character shall be lost",
                    error="line 2: a quoted field does not end",
                ),
                case(
                    lines("text|label", "a|x", '"never closed|y'),
                    "a quotation mark that is never closed",
                    "error that names the line",
                    error="line 3: a quoted field does not end",
                ),
            ]
        else:
            cases.append(
                case(
                    quoted,
                    "texts that begin with a quotation mark, without quoting",
                    "quotation marks are text in the whole file",
                    rows=[('"Great" film', "x"), ("b", "y")],
                )
            )
    return cases


def of_json_lines() -> list[Case]:
    def case(content, case, happens, **values):
        return one_file(
            "JSON Lines", "x.jsonl", content.encode(), case, happens, **values
        )

    row = '{"text": "a", "label": "x"}\n'
    return [
        case(
            f'{row}{{"text": "b", "label":\n',
            "a broken line",
            "error that names the line and the reason",
            error="line 2 is broken JSON: Expecting value",
        ),
        case(
            f'{row}["b", "y"]\n',
            "a line that is no object",
            "error that shows what a line looks like",
            error="line 2 is no JSON object, such as",
        ),
        case(
            f'{row}{{"text": "b", "label": 3}}\n',
            "a label of another kind",
            "error that names both lines",
            error="line 2: 'label' is a number here and a string in line 1",
        ),
        case(
            '{"text": "a\\ud800", "label": "x"}\n',
            "half a character (a lone surrogate)",
            "error that names the line",
            error="line 1 has half a character",
        ),
        case(
            f'{row}{{"text": null, "label": "y"}}\n',
            "a text that is null",
            "error that names the row",
            error="1 rows without 'text', the first is row 2",
        ),
        case(
            f'{row}{{"label": "y"}}\n',
            "a line without a text",
            "error that names the row",
            error="1 rows without 'text', the first is row 2",
        ),
        case(
            '{"text": 3, "label": "x"}\n{"text": 4, "label": "y"}\n',
            "texts that are numbers",
            "error",
            error="'text' holds int64, not text",
        ),
        case(
            '{"text": "a", "label": ["x", "y"]}\n',
            "a list of several labels",
            "each is a label of its own, and a text may have several",
            labels=("x", "y"),
            note="a text may have several labels",
        ),
        case(
            '{"text": "a", "label": true}\n{"text": "b", "label": false}\n',
            "labels are booleans",
            "labels are called `false` and `true`",
            rows=[("a", "true"), ("b", "false")],
        ),
        case(
            '{"text": "2020-01-01", "label": "x"}\n'
            '{"text": "2021-02-03", "label": "y"}\n',
            "texts that all look like dates",
            "stay texts",
            rows=[("2020-01-01", "x"), ("2021-02-03", "y")],
        ),
        case(
            row + "\n" + row.replace('"x"', '"y"'),
            "a blank line",
            "no row",
            rows=[("a", "x"), ("a", "y")],
        ),
    ]


def of_parquet() -> list[Case]:
    whole = as_parquet(PLAIN * 50)
    named = [("a", 0, "neg"), ("b", 1, "pos"), ("c", 1, "pos"), ("d", 0, "neg")]
    return [
        one_file("Parquet", "x.parquet", whole[: len(whole) // 2], "truncated", "error",
            error="could not be read: .*; is it whole"),
        one_file("Parquet", "x.parquet", as_parquet([("a", True), ("b", False)]),
            "labels are booleans", "labels are called `false` and `true`",
            rows=[("a", "true"), ("b", "false")]),
        one_file("Parquet", "x.parquet",
            as_parquet(named, ("text", "label", "label_text")),
            "a column `label_text` beside integer labels", "names the labels",
            rows=[(t, n) for t, _, n in named], labels=("neg", "pos")),
        one_file("Parquet", "x.parquet", as_parquet(PLAIN), "`--encoding`",
            "refused, for Parquet has its own", options={"encoding": "cp1252"},
            error="encoding does nothing with"),
        one_file("Parquet", "x.parquet", as_parquet(PLAIN), "`--revision`, `--subset`",
            "refused, for they belong to the Hub", options={"subset": "b"},
            error="subset does nothing with"),
    ]  # fmt: skip


def of_folders() -> list[Case]:
    def folder(case, happens, files, source="folder with a file a split", **values):
        return Case(
            source=source, case=case, happens=happens,
            files={f"reviews/{name}": content for name, content in files.items()},
            options={"source": "reviews"} | values.pop("options", {}), **values,
        )  # fmt: skip

    labels = b'["neg", "pos"]'
    ids: Rows = [("a", 1), ("b", 0), ("c", 1), ("d", 0)]
    classes = "folder a label"
    return [
        folder(
            "train, validation, test, unlabeled",
            "four splits",
            {
                "train.csv": as_csv(PLAIN),
                "validation.jsonl": as_json_lines(PLAIN[:2]),
                "test.parquet": as_parquet(PLAIN[:3]),
                "unlabeled.tsv": b"text\nno label\n",
            },
            sizes={"train": 4, "validation": 2, "test": 3, "unlabeled": 1},
        ),
        folder(
            "dev or valid, unsup",
            "are validation and unlabeled",
            {
                "train.csv": as_csv(PLAIN),
                "dev.csv": as_csv(PLAIN),
                "unsup.csv": b"text\nx\n",
            },
            sizes={"train": 4, "validation": 4, "unlabeled": 1},
        ),
        folder(
            "a split in parts, train-00000-of-00002",
            "the parts are put together",
            {
                "train-00000-of-00002.parquet": as_parquet(PLAIN[:2]),
                "train-00001-of-00002.parquet": as_parquet(PLAIN[2:]),
            },
            rows=PLAIN,
        ),
        folder(
            "labels.json beside integer labels",
            "names the labels, in its order",
            {"train.csv": as_csv(ids), "labels.json": labels},
            rows=[(text, ("neg", "pos")[int(str(i))]) for text, i in ids],
            labels=("neg", "pos"),
        ),
        folder(
            "labels.json with too few names",
            "error that names the row",
            {"train.csv": as_csv([*ids, ("e", 2)]), "labels.json": labels},
            error="row 6: label id 2 is outside 0 to 1",
        ),
        folder(
            "hidden labels (-1) in test",
            "left aside, and said; test is held out of train",
            {
                "train.csv": as_csv(ids),
                "test.csv": as_csv([("x", -1), ("y", -1)]),
                "labels.json": labels,
            },
            sizes={"train": 4},
            note=r"test\.csv has no labels .* seqclf predict --input reviews/test\.csv",
        ),
        folder(
            "two files of one split",
            "error",
            {"train.csv": as_csv(PLAIN), "train.tsv": as_tsv(PLAIN)},
            error=r"holds train\.csv and train\.tsv",
        ),
        folder(
            "files beside that are named otherwise",
            "left aside, and said",
            {"train.csv": as_csv(PLAIN), "old.csv": as_csv(PLAIN)},
            rows=PLAIN,
            note=r"left aside in reviews, .*: old\.csv",
        ),
        folder(
            "no train, but other files",
            "error that names them",
            {"reviews.csv": as_csv(PLAIN)},
            error=r"no file of the name train, only reviews\.csv",
        ),
        folder(
            "test and no train",
            "error",
            {"test.csv": as_csv(PLAIN)},
            error="has no train file, only test",
        ),
        folder("nothing", "error", {"notes.md": b"x"}, error="holds no data that"),
        folder(
            "pos/*.txt, neg/*.txt",
            "train; the folders are the labels",
            {"pos/1.txt": b"fine", "pos/2.txt": b"good\nvery", "neg/1.txt": b"bad"},
            classes,
            rows=[("bad", "neg"), ("fine", "pos"), ("good\nvery", "pos")],
        ),
        folder(
            "train/pos, train/neg, train/unsup, test/pos, test/neg (aclImdb)",
            "two splits and unlabeled",
            {
                "train/pos/1.txt": b"fine", "train/neg/1.txt": b"bad",
                "train/unsup/1.txt": b"?", "test/pos/1.txt": b"good",
                "test/neg/1.txt": b"poor", "imdb.vocab": b"the",
            },
            classes,
            rows=[("bad", "neg"), ("fine", "pos")],
            sizes={"train": 2, "test": 2, "unlabeled": 1},
        ),
        folder(
            "files that are not .txt",
            "left aside, and said",
            {"pos/1.txt": b"fine", "neg/1.txt": b"bad", "neg/2.html": b"x"},
            classes,
            rows=[("bad", "neg"), ("fine", "pos")],
            note=r"left aside, .*: neg/2\.html",
        ),
        folder(
            "a text that is not UTF-8",
            "error that names file, line and byte",
            {"pos/1.txt": b"fine\ncaf\xe9", "neg/1.txt": b"bad"},
            classes,
            error=r"pos/1\.txt, line 2: byte 8 \(0xe9\) is not utf-8",
        ),
        folder(
            "`--encoding latin-1`",
            "read in that encoding",
            {"pos/1.txt": b"caf\xe9", "neg/1.txt": b"bad"},
            classes,
            options={"encoding": "latin-1"},
            rows=[("bad", "neg"), ("café", "pos")],
        ),
    ]  # fmt: skip


def of_others() -> list[Case]:
    files = {"a.csv": as_csv(PLAIN[:2]), "b.jsonl": as_json_lines(PLAIN[2:])}
    piped = {"source": "-"}
    return [
        Case(source="pattern", case="`'*.csv'` and the like", files=files,
            happens="the files in the order of their names, one behind the other",
            options={"source": "*.*"}, rows=PLAIN, note=r"matches 2 files: a\.csv"),
        Case(source="pattern", case="nothing matches", happens="error", files=files,
            options={"source": "*.tsv"}, error="no file matches"),
        Case(source="standard input", case="`-`, JSON Lines",
            happens="train", files={"stdin": as_json_lines(NASTY)}, options=piped,
            rows=NASTY),
        Case(source="standard input", case="a broken line", options=piped,
            happens="error that names the line", files={"stdin": b'{"text": "a"\n'},
            error="standard input, line 1 is broken JSON"),
        Case(source="standard input", case="nothing", options=piped, happens="error",
            files={"stdin": b""}, error="standard input is empty"),
        Case(source="any name", case="no such data set, file or folder",
            happens="error with the nearest name and all that would do", files={},
            options={"source": "dmeo"}, error="did you mean 'demo'.* OWNER/NAME"),
        Case(source="any file", case="a format that is not known",
            happens="error with those that are", files={"x.docx": b"x\0"},
            options={"source": "x.docx"},
            error=r"'\.docx'; choices: \.csv, \.tsv"),
        Case(source="any file", case="a file that is not there", files={},
            happens="error", options={"source": "no/reviews.csv"},
            error="there is no file or folder of that name here"),
    ]  # fmt: skip


def of_labels() -> list[Case]:
    """Returns what becomes of labels that are missing, doubled, rare or lists."""
    cases = [c for source in WRITERS for c in _labels_in(source, *WRITERS[source])]
    return [*cases, *_labels_of_splits(), *_labels_named()]


def _labels_in(source: str, suffix: str, write: Callable[..., bytes]) -> list[Case]:
    def case(content: Rows, case: str, happens: str, **values: object) -> Case:
        return one_file(source, f"x{suffix}", write(content), case, happens, **values)

    floats = [("a", 1.0), ("b", 0.0), ("c", 2.0), ("d", 0.0)]
    halves = [("a", 1.0), ("b", 0.5), ("c", 2.0), ("d", 0.5)]
    missing = [("a", "x"), ("b", "nan"), ("c", "y"), ("d", "NULL"), ("e", "x")]
    doubled = [("a", "x"), ("b", "X "), ("c", "y"), ("d", "x"), ("e", "y")]
    rare = [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y"), ("e", "u"), ("f", "v")]
    values = ("x;y", "x", "y;z", "z", "x;z", "y", "x", "z")
    return [
        case(floats, "labels are whole numbers with a point, `1.0`",
            "they are called `1`, and said; equal rows are one data set",
            rows=[(t, f"{y:.0f}") for t, y in floats], labels=("0", "1", "2"),
            note="whole numbers: 0.0 is 0, 1.0 is 1, 2.0 is 2"),
        case(halves, "labels are numbers, not all of them whole",
            "they keep their point", rows=[(t, str(y)) for t, y in halves],
            labels=("0.5", "1.0", "2.0")),
        case(missing, "labels `nan`, `None`, `NULL`, `<NA>` and the like",
            "classes, but a note counts them and names `--drop-unlabeled`",
            rows=missing, note=r"SQ009: 'NULL' looks .* \(1 row\); --drop-unlabeled"),
        case(missing, "labels `nan`, `None`, ..., `--drop-unlabeled`",
            "their rows are left out, and counted",
            options={"drop_unlabeled": True}, rows=missing[::2],
            note="left out 2 rows: 1 with 'NULL', 1 with 'nan' for a label"),
        case(doubled, "labels of train that differ by case or blanks",
            "stay apart; a note counts them and names `--merge-labels`",
            rows=doubled, note=r"SQ010: .*'X ' \(1 row\), 'x' \(2 rows\) differ"),
        case(doubled, "labels of train that differ by case or blanks, `--merge-labels`",
            "one label, called as most often in train, and said",
            options={"merge_labels": True},
            rows=[(t, y.strip().lower()) for t, y in doubled],
            note=r"--merge-labels: 'X ' \(1 row\) became 'x'"),
        case(rare, "labels with one text, `--min-per-label 2`",
            "left out with their rows, and counted",
            options={"min_per_label": 2}, rows=rare[:4], labels=("x", "y"),
            note="left out 2 labels .*, 2 of 6 rows: 'u', 'v'"),
        case(rare, "labels with one text, `--min-per-label 2 --other`",
            "they become one label, `other`, and are counted",
            options={"min_per_label": 2, "other": True},
            rows=[*rare[:4], ("e", "other"), ("f", "other")],
            labels=("other", "x", "y"), note="made 'other' of 2 labels"),
        case(rare, "`--min-per-label` that leaves fewer than two labels",
            "error with the number that leaves two",
            options={"min_per_label": 3}, error="--min-per-label 2 leaves two"),
        case(list(zip("abcdefgh", values, strict=True)), "labels are lists, `x;y`",
            "each counts as one label; a note says so",
            labels=("x", "x;y", "x;z", "y", "y;z", "z"),
            note="SQ011: 3 of the 6 labels in column 'label' look like lists"),
        case(rare, "`--label-column` with several columns",
            "a label each, of 0 and 1; others are an error with the row",
            options={"label_column": "label,text"},
            error="of several label columns each holds 1 where its label applies"),
    ]  # fmt: skip


def _labels_of_splits() -> list[Case]:
    def folder(case, happens, train, test, **values):
        return Case(
            source="folder with a file a split",
            case=case,
            happens=happens,
            files={
                "reviews/train.csv": as_csv(train),
                "reviews/test.csv": as_csv(test),
            },
            options={"source": "reviews"} | values.pop("options", {}),
            **values,
        )

    other = [(text, y.upper()) for text, y in PLAIN[:3]]
    return [
        folder("labels of test differ from train's by case, blanks or accents' form",
            "error that names them and `--merge-labels`", PLAIN, other,
            error=r"test has .* 'A' \(2 rows\), 'B' \(1 row\), .*'a', 'b' only by "
            r"case; --merge-labels"),
        folder("labels of test differ from train's by case, `--merge-labels`",
            "they are train's", PLAIN, other,
            options={"merge_labels": True}, rows=PLAIN, labels=("a", "b"),
            sizes={"train": 4, "test": 3}),
        folder("labels `1` in train, `1.0` in test", "are one label",
            [("a", "1"), ("b", "0")], [("c", "1.0")], rows=[("a", "1"), ("b", "0")],
            labels=("0", "1"), sizes={"train": 2, "test": 1}),
        folder("test without a label in any row, `--drop-unlabeled`",
            "test is left out, and said", PLAIN, [("x", ""), ("y", "NA")],
            options={"drop_unlabeled": True}, rows=PLAIN, sizes={"train": 4},
            note="no row is left of test"),
    ]  # fmt: skip


def _labels_named() -> list[Case]:
    nan = [("a", 1.0), ("b", float("nan")), ("c", 0.0)]
    named = "folder with a file a split"
    return [
        one_file("Parquet", "x.parquet", as_parquet(nan), "a label that is NaN",
            "a missing label: error that names `--drop-unlabeled`",
            error="1 rows without a label, the first is row 2; .* --drop-unlabeled"),
        one_file("Parquet", "x.parquet", as_parquet(nan),
            "a label that is NaN, `--drop-unlabeled`", "its row is left out, and said",
            options={"drop_unlabeled": True}, rows=[("a", "1"), ("c", "0")],
            note="left out 1 row: 1 with nothing"),
        *(
            Case(source=named, case=case, options={"source": "reviews"},
                happens="error that says which", error=error,
                files={"reviews/train.csv": as_csv([("a", 0), ("b", 1)]),
                    "reviews/labels.json": json.dumps(["good", name]).encode()})
            for case, name, error in (
                ("labels.json with a line break", "b\nd", r"label 2: 'b\\nd' is no"),
                ("labels.json with an empty name", " ", "label 2: ' ' is no name"),
                ("labels.json with NUL", "b\0d", "label 2: .* is no name"),
            )
        ),
    ]  # fmt: skip


PEOPLE: Rows = [(f"a text of people, number {i}", "xy"[i % 2]) for i in range(24)]


def of_people() -> list[Case]:
    """Files as people really have them; tests/test_cases_files.py has more of each."""

    def case(source, name, content, case, happens, **values):
        values.setdefault("rows", None if "error" in values else PEOPLE)
        return one_file(source, name, content, case, happens, **values)

    bare = b"".join(f"{y},{t.replace(',', ' -')}\n".encode() for t, y in PEOPLE)
    shown = [(t.replace(",", " -"), y) for t, y in PEOPLE]
    lines = as_json_lines(PEOPLE)
    plain = json.dumps([{"text": t, "label": y} for t, y in PEOPLE]).encode()
    packed = {
        ".bz2": bz2.compress, ".xz": lzma.compress,
        ".zst": lambda content: pa.compress(content, "zstd", asbytes=True),
    }  # fmt: skip
    listed = b"".join(
        json.dumps({"text": t, "label": [y]}).encode() + b"\n" for t, y in PEOPLE
    )
    views = pa.table(
        {
            "text": pa.array([t for t, _ in PEOPLE], pa.string_view()),
            "label": pa.array([y for _, y in PEOPLE], pa.string_view()),
        }
    )
    sink = io.BytesIO()
    parquet.write_table(views, sink)
    return [
        case("CSV", "x.csv", bare, "no header", "told by its content, and said",
             rows=shown, note="has no header: its columns are called column_1"),
        case("CSV", "x.csv", bare, "no header, `--columns label,text`",
             "the columns have these names", rows=shown,
             options={"columns": "label,text"}),
        case("CSV", "x.csv", b"spam,Win\nham,hello\n",
             "a first line that may be names or a row",
             "error with the options for both",
             error="If it is a row: --columns .*If it holds names: --header"),
        case("CSV", "x.csv", as_csv(PEOPLE, ("id_text", " label")),
             "names such as `question_text` or ` label`", "found, and said",
             note="took column 'id_text' for texts"),
        case("CSV", "x.csv", separated("~")(PEOPLE), "`--delimiter '~'`",
             "fields are separated by it", options={"delimiter": "~"}),
        case("CSV", "x.csv", b'text,label\n"a \\"b\\" c",x\nd,y\n',
             "backslashes before quotation marks", "understood",
             rows=[('a "b" c', "x"), ("d", "y")]),
        case("CSV", "x.csv", b'text,label\n"a \\\\ c",x\nd,y\n',
             "backslashes in pairs alone", "each is itself",
             rows=[(r"a \\ c", "x"), ("d", "y")]),
        *(
            case("any file", f"x.csv{suffix}", pack(as_csv(PEOPLE)),
                 f"packed as {suffix}", "read as it is")
            for suffix, pack in packed.items()
        ),
        case("any file", "x.csv.zip", zipped({"x.csv": as_csv(PEOPLE)}),
             "a .zip of one file", "read as it is"),
        case("any file", "x.zip", zipped({"a.csv": b"x", "b.csv": b"x"}),
             "a .zip of several files", "error with the command that unpacks it",
             error="python -m zipfile -e 'x.zip' 'x', and name that folder: 'x'"),
        case("any file", "x.csv", gzip.compress(as_csv(PEOPLE)),
             "another format than its name says", "told by its first bytes"),
        case("any file", "x.csv",
             as_csv(ACCENTED).decode().encode("latin-1") + b"\x81,a\n",
             "bytes of an unknown encoding",
             "error with the encodings that can read it, and how the line would read",
             error=r"latin-1 reads that line as .* \(--encoding latin-1\)"),
        case("JSON", "x.json", lines, "JSON Lines under another name", "a row a line"),
        case("JSON", "x.json", plain, "a list of objects", "a row each"),
        case("JSON", "x.json", b'{"data": ' + plain + b"}", "rows under a key",
             "found, and said", note="the rows are those under 'data'"),
        case("JSON Lines", "x.jsonl", listed, "lists of one label (doccano)",
             "that is the label"),
        case("Parquet", "x.parquet", sink.getvalue(),
             "string_view, binary, dictionary", "are texts"),
        case("plain text", "x.train",
             b"".join(f"__label__{y} {t}\n".encode() for t, y in PEOPLE),
             "fastText", "labels are behind `__label__`"),
        case("plain text", "x.txt",
             b"".join(f"{t};{y}\n".encode() for t, y in PEOPLE),
             "`text;label`, `text@label`, `label<tab>text`",
             "told by content, and said",
             note="a label is what comes after the last ';'"),
        case("plain text", "x.txt",
             b"".join(f"{y.upper()}ES:kind {t}\n".encode() for t, y in PEOPLE),
             "TREC", "a label is what comes before `:`",
             rows=[(t, f"{y.upper()}ES") for t, y in PEOPLE]),
        case("plain text", "x.txt", b"a line\nanother\n", "no labels",
             "error with what is expected", error="its lines hold no labels"),
        Case(source="folder with a file a split", case="a test without labels",
             happens="left aside, and said; test is held out of train",
             files={"train.csv": as_csv(PLAIN), "test.csv": b"text\nx\n"},
             options={"source": "."}, sizes={"train": 4},
             note=r"test\.csv has no labels .*seqclf predict --input test\.csv"),
        Case(source="standard input", case="`-`, CSV or TSV", happens="train",
             files={"stdin": as_csv(NASTY)}, options={"source": "-"}, rows=NASTY),
    ]  # fmt: skip


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


CASES = [
    *of_every_format(), *of_separated(), *of_json_lines(), *of_parquet(),
    *of_folders(), *of_others(), *of_labels(), *of_people(),
]  # fmt: skip


HUB, SAVED = "Hub", "folder of `save_to_disk`"
REFUSED = "test_error_comes_soon_and_names_the_next_step"
# Cases that take a server or a library: source, case, what happens, test in test_hub.
IN_TEST_HUB = [
    (HUB, "first load", "downloaded; the commit is recorded",
        "test_first_load_downloads_and_records_the_commit"),
    (HUB, "second load", "nothing is downloaded",
        "test_second_load_downloads_nothing"),
    (HUB, "`HF_HUB_OFFLINE=1`, loaded before", "from the cache",
        "test_offline_load_takes_the_newest_commit_from_the_cache"),
    (HUB, "`--revision`", "that content, whatever the newest is",
        "test_revision_pins_old_content"),
    (HUB, "`--revision`, offline", "from the cache, by commit, branch or tag",
        "test_pinned_revision_loads_offline_by_tag_and_by_commit"),
    (HUB, "`--revision`, offline, not in the cache", "error; never another one",
        "test_other_revision_is_never_put_in_its_place_offline"),
    (HUB, "no network, loaded before", "from the cache, and said",
        "test_cache_steps_in_when_the_hub_is_out_of_reach_and_says_so"),
    (HUB, "no network, nothing in the cache",
        "error: what was tried, how to get it, and that `--data demo` works",
        "test_neither_network_nor_cache_says_what_was_tried_and_what_works"),
    (HUB, "a server that never answers", "error after 3 seconds",
        "test_server_that_never_answers_is_given_up_on"),
    (HUB, "a server in trouble (503)", "error with its status",
        "test_server_in_trouble_is_told_by_its_status"),
    (HUB, "no such data set, or private", "error", REFUSED),
    (HUB, "gated", "error: ask for access, `hf auth login`", REFUSED),
    (HUB, "no such revision", "error", REFUSED),
    (HUB, "a subset is needed, or is not there", "error that lists them", REFUSED),
    (HUB, "a loading script", "error: `--revision refs/convert/parquet`", REFUSED),
    (HUB, "`--revision refs/convert/parquet`", "the Hub's own Parquet",
        "test_parquet_of_the_hubs_own_making_stands_in_for_a_script"),
    (HUB, "no train split", "error that lists the splits", REFUSED),
    (HUB, "hidden labels (-1) in test", "left aside; test is held out of train",
     "test_a_test_split_with_hidden_labels_is_left_aside"),
    (HUB, "no label column", "error with the columns there are", REFUSED),
    (HUB, "a broken file", "error", REFUSED),
    (SAVED, "`DatasetDict.save_to_disk`", "its splits and label names",
        "test_saved_folder_is_read_with_its_splits_and_names"),
    (SAVED, "`Dataset.save_to_disk`", "train", "test_saved_dataset_alone_is_train"),
    (SAVED, "damaged", "error that names the folder",
        "test_damaged_saved_folder_is_named"),
]  # fmt: skip


def table() -> str:
    """Returns the Markdown table of all cases; equal ones share a row."""
    sources: dict[tuple[str, str], list[str]] = {}
    for case in CASES:
        sources.setdefault((case.case, case.happens), []).append(case.source)
    order = list(dict.fromkeys(", ".join(some) for some in sources.values()))
    rows = [(", ".join(some), *row) for row, some in sources.items()]
    rows.sort(key=lambda row: order.index(row[0]))
    rows += [(source, case, happens) for source, case, happens, _ in IN_TEST_HUB]
    lines = ["| source | case | what happens |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def main() -> None:
    """Writes the table between the markers of docs/data.md."""
    text = DOCUMENT.read_text("utf-8")
    before, rest = text.split("<!-- matrix -->\n", 1)
    after = rest.split("<!-- /matrix -->", 1)[1]
    filled = f"{before}<!-- matrix -->\n{table()}\n<!-- /matrix -->{after}"
    DOCUMENT.write_text(filled, "utf-8")


if __name__ == "__main__":
    main()
