"""`predict --input DIR --output DIR`: a file with predictions for each, resumable."""

from __future__ import annotations

import fcntl
import gzip
import shutil
from pathlib import Path

import pytest
from conftest import reviews, run_in

from seqclf.bulk import folder as outputs
from seqclf.bulk import parts

NAMES = ("a.csv", "b.csv", "c.csv")


@pytest.fixture
def place(workplace, tmp_path) -> Path:
    """A folder with a run and three files to classify."""
    shutil.copytree(workplace / "models", tmp_path / "models")
    (tmp_path / "in").mkdir()
    for i, name in enumerate(NAMES):
        lines = [f'{j},"{text}"' for j, (text, _) in enumerate(reviews(9 + i, 40 * i))]
        (tmp_path / "in" / name).write_text("\n".join(["id,text", *lines]) + "\n")
    return tmp_path


def predict(place: Path, *more: str):
    return run_in(place, "predict", "--input=in", "--output=out", *more)


def alone(place: Path) -> dict[str, bytes]:
    """Returns what each file gives by itself."""
    (place / "alone").mkdir()
    for name in NAMES:
        done = run_in(
            place, "predict", f"--input=in/{name}", f"--output=alone/{name}", "--quiet"
        )
        assert done.exit_code == 0, done.output
    return written(place / "alone")


def written(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def failing(monkeypatch, owner, name: str, call: int) -> None:
    """Lets a call of a method end as Ctrl-C does."""
    function, calls = getattr(owner, name), []

    def counted(*arguments, **named):
        calls.append(1)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function(*arguments, **named)

    monkeypatch.setattr(owner, name, counted)


def test_each_file_has_an_output_of_its_name_and_nothing_else_is_left(place):
    done = predict(place)
    assert done.exit_code == 0, done.output
    assert "Written: out, 3 files" in done.stderr
    assert written(place / "out") == alone(place)
    again = predict(place)
    assert again.exit_code == 2
    assert "out/a.csv is there already; --overwrite replaces it" in again.stderr
    assert predict(place, "--overwrite").exit_code == 0
    assert written(place / "out") == written(place / "alone")


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (parts.Parts, "add", 2),  # within the second file
        (parts.Parts, "join", 2),  # when its rows are answered
        (outputs.Outputs, "add", 1),  # the first is whole, and nobody knows
        (outputs.shutil, "rmtree", 4),  # all are, and the state of the folder is left
    ],
)
def test_what_is_interrupted_is_continued(owner, name, call, place, monkeypatch):
    failing(monkeypatch, owner, name, call)
    assert predict(place).exit_code == 130
    monkeypatch.undo()
    is_over = name == "rmtree"
    if not is_over:
        refused = predict(place)
        assert refused.exit_code == 2
        assert "--resume continues it, --overwrite starts over" in refused.stderr
    before = (place / "out" / "a.csv").stat().st_mtime_ns
    done = predict(place, "--resume" if not is_over else "--overwrite")
    assert done.exit_code == 0, done.output
    is_known = owner is parts.Parts
    assert ("1 of 3 files are done" in done.stderr) == is_known
    assert (before == (place / "out" / "a.csv").stat().st_mtime_ns) == is_known
    assert written(place / "out") == alone(place)


def test_another_question_is_not_continued(place, monkeypatch):
    failing(monkeypatch, parts.Parts, "join", 2)
    assert predict(place).exit_code == 130
    monkeypatch.undo()
    with (place / "in" / "b.csv").open("a") as file:
        file.write('99,"one more"\n')
    refused = predict(place, "--resume")
    assert refused.exit_code == 2
    assert "--resume cannot continue out: input was" in refused.stderr
    assert predict(place, "--overwrite").exit_code == 0
    assert (place / "out" / "b.csv").read_text().count("one more") == 1


def test_what_was_there_is_replaced_only_if_that_is_asked(place, monkeypatch):
    (place / "out").mkdir()
    (place / "out" / "c.csv").write_text("mine")
    (place / "out" / "notes.txt").write_text("mine too")
    assert predict(place).exit_code == 2
    assert written(place / "out") == {"c.csv": b"mine", "notes.txt": b"mine too"}
    failing(monkeypatch, parts.Parts, "join", 2)
    assert predict(place, "--overwrite").exit_code == 130
    monkeypatch.undo()
    assert (place / "out" / "c.csv").read_text() == "mine"  # not begun yet
    assert predict(place, "--resume").exit_code == 0
    expected = alone(place) | {"notes.txt": b"mine too"}
    assert written(place / "out") == expected


def test_an_error_before_any_row_is_answered_leaves_nothing_to_continue(place):
    (place / "in" / "a.csv").write_text("id,text\n1,good\n2,bad,more\n")
    assert predict(place).exit_code == 1
    assert list((place / "out").iterdir()) == []
    (place / "in" / "a.csv").write_text("id,text\n1,good\n")
    assert predict(place).exit_code == 0
    assert {*written(place / "out")} == {*NAMES}


def test_two_at_a_time_are_refused(place):
    (place / "out" / outputs.STATE).mkdir(parents=True)
    with (place / "out" / outputs.STATE / parts.LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = predict(place)
    assert refused.exit_code == 2
    assert "another process is writing out" in refused.stderr


def test_bad_rows_are_kept_file_by_file(place):
    (place / "in" / "b.csv").write_text("id,text\n1,good\n2,bad,more\n")
    refused = predict(place)
    assert refused.exit_code == 1
    assert "b.csv, row 3" in refused.stderr
    done = predict(place, "--overwrite", "--on-error=keep")
    assert done.exit_code == 0, done.output
    assert "Without a label: 1 of 2 rows" in done.stderr
    kept = (place / "out" / "b.csv").read_text().splitlines()
    assert (len(kept), kept[2][-2:]) == (3, ",,")


@pytest.mark.parametrize(
    ("input_", "output", "said"),
    [
        ("in", "in", "in has the files of the input; name another"),
        ("in", "no/out", "there is no folder"),
        (
            "letters",
            "out",
            "each file of letters is one text; a file takes all answers",
        ),
        ("**/*.csv", "out", "has two files named a.csv"),
        ("books", "out", "unknown format of out/x.csv.gz"),
    ],
)
def test_what_cannot_have_an_output_each_is_refused(input_, output, said, place):
    (place / "letters").mkdir()
    (place / "letters" / "x.txt").write_text("good")
    (place / "more").mkdir()
    shutil.copy(place / "in" / "a.csv", place / "more" / "a.csv")
    (place / "books").mkdir()
    with gzip.open(place / "books" / "x.csv.gz", "wt") as file:
        file.write("id,text\n1,good\n")
    before = sorted(place.rglob("*"))
    done = run_in(place, "predict", f"--input={input_}", f"--output={output}")
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert sorted(place.rglob("*")) == before
