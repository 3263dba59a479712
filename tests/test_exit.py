"""Calls that end in errors end as errors: never as a process that crashed."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import lzma
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import reviews
from pyarrow import parquet

CALLS = int(os.environ.get("SEQCLF_EXIT_CALLS", "100"))  # `make fuzz` makes more
FROM_PYTHON = "import sys, seqclf; seqclf.load_dataset(sys.argv[1])"


def table(separator: str, rows: int, spoilt: Callable[[list[str]], None]) -> bytes:
    """Returns delimited texts and labels, spoilt near their end."""
    lines = [separator.join(["text", "label"])]
    lines += [separator.join([f'"{text}"', label]) for text, label in reviews(rows)]
    spoilt(lines)
    return "\n".join(lines).encode("latin-1") + b"\n"


def one_field_more(lines: list[str]) -> None:
    lines[-3] += ",x\tx;x"


def never_closed(lines: list[str]) -> None:
    lines[len(lines) // 2] = '"a quote that nobody closes'


def not_utf8(lines: list[str]) -> None:
    lines[-2] = lines[-2].replace("number", "caf\xe9 \x81\x8d")


def one_label(lines: list[str]) -> None:
    lines[1:] = [line.replace("good", "bad") for line in lines[1:]]


def columns(rows: int) -> dict[str, list[str]]:
    texts, labels = zip(*reviews(rows), strict=True)
    return {"text": list(texts), "label": list(labels)}


def parquet_file(rows: int) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(columns(rows)), file, row_group_size=50)
    return file.getvalue()


def json_lines(rows: int, end: str) -> bytes:
    lines = [json.dumps({"text": t, "label": label}) for t, label in reviews(rows)]
    return "\n".join([*lines, end]).encode()


def zipped(*contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for i, content in enumerate(contents):
            archive.writestr(f"part{i}.csv", content)
    return file.getvalue()


def spreadsheet() -> bytes:
    """Returns what begins as a file of Excel does, and holds no sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def inputs() -> dict[str, bytes]:
    """Returns files that cannot be a data set: of each format, small and large.

    Arrow reads ahead in threads of its own: those have to end with the error, too.
    """
    made = {"empty.csv": b"", "header.csv": b"text,label\n", "sheet.csv": spreadsheet()}
    for rows in (40, 8_000):  # of the larger, some megabytes
        for spoilt in (one_field_more, never_closed, not_utf8, one_label):
            name = f"{spoilt.__name__}_{rows}"
            made[f"{name}.csv"] = table(",", rows, spoilt)
            made[f"{name}.tsv"] = table("\t", rows, spoilt)
            made[f"{name}_semicolon.csv"] = table(";", rows, spoilt)
        bad = table(",", rows, one_label)
        made[f"{rows}.csv.gz"] = gzip.compress(bad)[:-9]
        made[f"{rows}.csv.bz2"] = bz2.compress(bad)[:-9]
        made[f"{rows}.csv.xz"] = lzma.compress(bad)[:-9]
        made[f"{rows}.zip"] = zipped(bad)[:-9]
        made[f"{rows}_several.zip"] = zipped(bad, b"x,y\n1,2\n")
        made[f"{rows}.jsonl"] = json_lines(rows, '{"text": "half')
        made[f"{rows}_list.jsonl"] = json_lines(rows, '{"text": 5, "label": {"a": []}}')
        made[f"{rows}.json"] = b"[" + json_lines(rows, "{").replace(b"\n", b",")
        made[f"{rows}.parquet"] = parquet_file(rows)[:-20]
        made[f"{rows}_fasttext.txt"] = b"__label__a one kind alone\n" * rows
        made[f"{rows}_bytes.txt"] = b"__label__a \xff\x00\n" * rows
    return made


def calls(folder: Path, files: list[str], models: Path) -> Iterator[list[str]]:
    """Yields commands without an end: each file in each way, over and over."""
    seqclf, out = [sys.executable, "-m", "seqclf"], str(folder / "out.csv")
    while True:
        for name in files:
            file = str(folder / name)
            yield [*seqclf, "data", "show", file]
            yield [sys.executable, "-c", FROM_PYTHON, file]
            yield [*seqclf, "train", "--data", file, "--text-column", "nowhere"]
            predict = ["predict", "--input", file, "--text-column", "nowhere"]
            yield [*seqclf, *predict, "--output", out, "--models-dir", str(models)]


@pytest.mark.slow
def test_no_call_that_ends_in_an_error_ends_in_another_way(workplace, tmp_path):
    made = inputs()
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    endless = calls(tmp_path, sorted(made), workplace / "models")
    # Every fifth, so that files and ways both go round: each file comes, in some way.
    chosen = list(itertools.islice(endless, 0, 5 * CALLS, 5))
    asked = {Path(part).name for call in chosen for part in call}
    assert asked >= made.keys()

    def ended(command: list[str]) -> tuple[int, str]:
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=120
        )
        return done.returncode, done.stderr[-300:]

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        results = list(pool.map(ended, chosen))
    odd = [
        (code, command[2:], said)
        for (code, said), command in zip(results, chosen, strict=True)
        if code not in (1, 2)
    ]
    assert not odd, (Counter(code for code, _ in results), odd[:5])


SIXTY = 60
BY_HAND = "text, opinion\nnice bread there, pos\nstale bread there, neg\n"
UNLABELLED = "id,remark\n" + "".join(f'{i},"row {i}, and more"\n' for i in range(5_000))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [("by_hand.csv", BY_HAND), ("unlabelled.tsv", UNLABELLED)],
)
def test_sixty_times_the_same_error_is_sixty_times_the_same_code(
    name, content, tmp_path
):
    (tmp_path / name).write_text(content, "utf-8")
    command = [sys.executable, "-m", "seqclf", "data", "show", name]
    codes = Counter(
        subprocess.run(command, cwd=tmp_path, capture_output=True).returncode
        for _ in range(SIXTY)
    )
    assert codes == {1: SIXTY}
