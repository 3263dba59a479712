"""A bulk prediction that is interrupted is resumed, and ends as if it had not been."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import seal
from pyarrow import parquet
from test_cli import invoke

from seqclf.bulk import chunks, parts
from seqclf.bulk.chunks import Options
from seqclf.bulk.sources import find_source

ROWS, CHUNK = 400, 10
PART = 25  # where no moment has to be hit, and parts may be fewer
TEXTS = [f"{('good', 'bad', 'dull')[i % 3]} film, number {i}" for i in range(ROWS)]
BAD = (7, 8, 233, 399)  # rows without a text

# Runs the command line with small parts; dies at the given call of a function.
CHILD = """
import os, signal, sys, time
import seqclf.cli
from seqclf.bulk import chunks, parts

chunks.CHUNK_ROWS = int(os.environ["CHUNK"])
name, call = os.environ.get("DIE", "none:0").split(":")
left = [int(call)]

def dying(module, name, before):
    function = getattr(module, name)
    def wrapped(*arguments, **named):
        left[0] -= 1
        if left[0] == 0:
            before(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    setattr(module, name, wrapped)

def halve(file):
    os.truncate(file, file.stat().st_size // 2)

if name == "half":  # of a part, or of the output when all parts are written
    dying(parts, "sync", halve)
if name == "rename":
    dying(parts, "write_whole", lambda *_: None)
if name == "remove":  # when the output is in its place
    dying(parts.shutil, "rmtree", lambda *_: None)
if "SLOW" in os.environ:
    add = parts.Parts.add
    parts.Parts.add = lambda *arguments: (time.sleep(0.02), add(*arguments))[1]
seqclf.cli.main()
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.parquet"
    texts = [None if i in BAD else text for i, text in enumerate(TEXTS)]
    table = pa.table({"id": pa.array(range(ROWS)), "text": texts})
    parquet.write_table(table, file, row_group_size=37)
    return file


@pytest.fixture(scope="module")
def whole(source, workplace, tmp_path_factory) -> dict[str, bytes]:
    """What an uninterrupted command writes, by format."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix in (".parquet", ".csv", ".jsonl"):
        run_here(source, folder / f"out{suffix}", workplace)
    return {file.suffix: file.read_bytes() for file in folder.iterdir()}


def start(source, output, workplace, *more, **environment) -> subprocess.Popen:
    command = [sys.executable, "-c", CHILD, "predict", "--input", source]
    command += ["--output", output, "--on-error", "keep", "-q", *more]
    command += ["--models-dir", workplace / "models"]
    environment = {"CHUNK": str(CHUNK)} | environment
    return subprocess.Popen(
        [str(word) for word in command],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def run_here(source, output, workplace, *more) -> None:
    """Runs the same command in this process, which is quicker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", CHUNK)
        done = invoke(
            "predict", "--input", source, "--output", output, "--on-error", "keep",
            "--models-dir", workplace / "models", *more,
        )  # fmt: skip
    assert done.exit_code == 0, done.output


def finished_parts(output: Path) -> int:
    return len(list(parts.folder_of(output).glob("[0-9]*.arrow")))


def assert_whole(output: Path, whole: dict[str, bytes]) -> None:
    assert output.read_bytes() == whole[output.suffix]
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def kill_and_resume(source, output, workplace, moments: list[float]) -> list[int]:
    """Kills one process after the other, seconds after it has begun its first part."""
    counts = []
    for moment in moments:
        before = finished_parts(output)
        process = start(source, output, workplace, "--resume", SLOW="1")
        deadline = time.monotonic() + 60
        while finished_parts(output) == before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(moment)
        process.kill()
        process.wait()
        counts.append(finished_parts(output))
    return counts


@pytest.mark.slow
def test_what_is_killed_at_any_moment_ends_as_if_it_were_not(
    source, whole, workplace, tmp_path
):
    moments = [random.Random(0).uniform(0, 0.2) for _ in range(2)]
    output = tmp_path / "out.parquet"
    counts = kill_and_resume(source, output, workplace, moments)
    assert 0 < counts[0] < counts[-1] < ROWS // CHUNK  # it did go on
    run_here(source, output, workplace, "--resume")
    assert_whole(output, whole)
    read = parquet.read_table(output)
    assert read["id"].to_pylist() == list(range(ROWS))
    empty = [i for i, v in enumerate(read["predicted_label"].to_pylist()) if v is None]
    assert tuple(empty) == BAD
    assert read["probability"].null_count == len(BAD)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_twenty_one_kills_lose_and_repeat_nothing(
    suffix, source, whole, workplace, tmp_path
):
    output = tmp_path / f"out{suffix}"
    draw = random.Random(suffix)
    moments = [draw.uniform(0, 0.08) for _ in range(7)]
    counts = kill_and_resume(source, output, workplace, moments)
    assert counts == sorted(counts)
    run_here(source, output, workplace, "--resume")
    assert_whole(output, whole)


@pytest.mark.parametrize(
    "moment",
    [
        "half:7",
        *(
            pytest.param(m, marks=pytest.mark.slow)
            for m in (f"half:{ROWS // CHUNK + 1}", "rename:5", "half:1", "remove:1")
        ),
    ],
)
def test_what_dies_while_it_writes_leaves_nothing_half(
    moment, source, whole, workplace, tmp_path
):
    output = tmp_path / "out.jsonl"
    process = start(source, output, workplace, DIE=moment)
    assert process.wait() == -signal.SIGKILL
    if moment == "remove:1":
        assert output.read_bytes() == whole[".jsonl"]
        run_here(source, output, workplace, "--overwrite")
    else:
        assert not output.exists()
        run_here(source, output, workplace, "--resume")
    assert_whole(output, whole)


# The rest needs no process of its own.


@pytest.fixture
def begun(source, workplace, tmp_path, monkeypatch):
    """A command that was interrupted behind its ninth part, and its output."""
    monkeypatch.setattr(chunks, "CHUNK_ROWS", PART)
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "out.csv"
    command = ["predict", "--input", source, "--output", output, "--on-error", "keep"]
    command += ["--models-dir", workplace / "models"]
    add = parts.Parts.add

    def cut(self, table):
        if len(self.rows) == 9:
            raise KeyboardInterrupt
        add(self, table)

    with monkeypatch.context() as patch:
        patch.setattr(parts.Parts, "add", cut)
        done = invoke(*command)
    assert done.exit_code == 130
    assert "225 of 400 rows are done; the same command with --resume continues" in (
        said(done)
    )
    return command, output


def said(done) -> str:
    return " ".join(done.output.split())


def test_a_begun_output_is_neither_taken_nor_lost_without_a_word(begun, whole):
    command, output = begun
    done = invoke(*command)
    assert done.exit_code == 2
    assert "was begun before and interrupted; --resume continues it" in said(done)
    assert finished_parts(output) == 9
    done = invoke(*command, "--overwrite")
    assert done.exit_code == 0, done.output
    assert_whole(output, whole)


def test_resume_predicts_only_what_is_left(begun, whole, monkeypatch):
    from seqclf.classifier import Classifier

    command, output = begun
    answered = []
    predict = Classifier.answer

    def counted(classifier, texts):
        answered.append(len(texts))
        return predict(classifier, texts)

    monkeypatch.setattr(Classifier, "answer", counted)
    done = invoke(*command, "--resume")
    assert done.exit_code == 0, done.output
    assert "225 of 400 rows are done; continuing" in said(done)
    # Bad rows are counted once, those of the first nine parts too.
    assert "Without a label: 4 of 400 rows: row 8 has no text; row 9" in said(done)
    assert sum(answered) == ROWS - 225 - 2
    assert_whole(output, whole)


@pytest.mark.parametrize("number", [1, 5, pytest.param(9, marks=pytest.mark.slow)])
@pytest.mark.parametrize("damage", ["half", "empty", "gone", "zeros", "strange"])
def test_a_damaged_part_is_made_again_with_those_behind_it(
    number, damage, begun, whole
):
    command, output = begun
    file = parts.folder_of(output) / f"{number:06}.arrow"
    if damage == "gone":
        file.unlink()
    elif damage == "strange":  # whole, but of other columns
        with pa.OSFile(str(file), "wb") as sink:
            table = pa.table({"id": ["x"] * PART})
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
    else:
        size = file.stat().st_size
        content = {"half": file.read_bytes()[: size // 2], "empty": b""}
        file.write_bytes(content.get(damage, b"\0" * size))
    done = invoke(*command, "--resume")
    assert done.exit_code == 0, done.output
    if number > 1:
        assert f"{PART * (number - 1)} of 400 rows are done" in said(done)
    assert_whole(output, whole)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--text-column", "text"], "--text-column was not given, now text"),
        (["--on-error", "fail"], "has no text"),
        (["--run", "other"], "run was reviews-gru-0 ("),
        (["--input", "changed"], "input was "),
        (["rows a part"], "rows a part was 25, now 20"),
    ],
)
def test_resume_with_another_question_is_refused(
    change, message, begun, source, finished_run, tmp_path, monkeypatch
):
    command, output = begun
    if change[0] == "rows a part":
        monkeypatch.setattr(chunks, "CHUNK_ROWS", 20)
        change = []
    if "other" in change:
        shutil.copytree(finished_run.path, tmp_path / "other")
        (tmp_path / "other" / "labels.txt").write_text("no\nyes\n")
        seal(tmp_path / "other")
        change = ["--run", tmp_path / "other"]
    if "changed" in change:
        shutil.copy(source, tmp_path / "rows.parquet")
        change = ["--input", tmp_path / "rows.parquet"]
    done = invoke(*command, *change, "--resume")
    assert done.exit_code in (1, 2)
    assert message in said(done)
    assert finished_parts(output) == 9
    assert not output.exists()


def test_how_bad_rows_are_treated_is_part_of_the_question(source, finished_run):
    """With `fail`, most of them end the prediction before it is looked at."""
    found = find_source(source)
    keep, fail = (
        parts.question_of(found, finished_run, Options(on_error=one))
        for one in ("keep", "fail")
    )
    assert {name for name in keep if keep[name] != fail[name]} == {"--on-error"}


def test_resume_begins_what_was_not_begun(source, workplace, whole, tmp_path):
    output = tmp_path / "out.csv"
    run_here(source, output, workplace, "--resume")
    assert_whole(output, whole)
    done = invoke(
        "predict", "--input", source, "--output", output, "--resume",
        "--models-dir", workplace / "models", "--on-error", "keep",
    )  # fmt: skip
    assert done.exit_code == 2
    assert "is there already; --overwrite replaces it" in said(done)
    assert_whole(output, whole)


def test_a_damaged_question_is_told(begun):
    command, output = begun
    (parts.folder_of(output) / "question.json").write_text("{")
    done = invoke(*command, "--resume")
    assert done.exit_code == 2
    assert "cannot be read" in said(done)
    assert "--overwrite instead of --resume" in said(done)


def test_two_processes_do_not_write_one_output(begun):
    command, output = begun
    with (parts.folder_of(output) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = invoke(*command, "--resume")
    assert done.exit_code == 2
    assert "another process is writing" in said(done)


def test_an_old_output_stays_until_the_new_one_is_whole(begun, whole):
    command, output = begun
    output.write_text("old")
    done = invoke(*command)
    assert done.exit_code == 2
    assert output.read_text() == "old"
    done = invoke(*command, "--resume")
    assert done.exit_code == 0, done.output
    assert_whole(output, whole)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_texts():
    """A small edition of benchmarks/soak.py, which ends with 1 if it does."""
    soak = Path(__file__).parents[1] / "benchmarks" / "soak.py"
    done = subprocess.run(
        [sys.executable, str(soak), "texts", "30000", "250"],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "120 parts of 250 rows" in done.stdout
