"""Consoles that have fewer letters than Unicode."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from seqclf.cli import _letters


def written(monkeypatch, encoding: str, text: str) -> str:
    """Returns what stands in a file of an encoding after a text was printed into it."""
    file = io.BytesIO()
    stream = io.TextIOWrapper(file, encoding=encoding, write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    _letters.use_plain_letters()
    sys.stdout.write(text)
    assert _letters.escapes() == (encoding != "utf-8")
    return file.getvalue().decode(encoding)


def test_what_a_console_lacks_is_written_in_what_it_has(monkeypatch):
    said = written(monkeypatch, "cp1252", "−0.5 ≥ 1 … ▁▄█ 日 😀 é –")
    assert said == "-0.5 >= 1 … 148 \\u65e5 \\U0001f600 é –"


def test_what_a_person_chose_stays(monkeypatch):
    file = io.BytesIO()
    stream = io.TextIOWrapper(file, encoding="ascii", errors="surrogateescape")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None)  # as of a program without a console
    _letters.use_plain_letters()
    sys.stdout.write("\udce9")
    sys.stdout.flush()
    assert file.getvalue() == b"\xe9"
    monkeypatch.setattr(sys, "stdout", None)
    assert not _letters.escapes()


def test_where_all_can_be_written_nothing_changes(monkeypatch):
    assert written(monkeypatch, "utf-8", "− 日 😀") == "− 日 😀"


@pytest.mark.parametrize("command", [["predict", "日 😀"], ["runs", "list"]])
def test_a_command_on_such_a_console_ends_well(command, finished_run):
    own = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    models = f"--models-dir={finished_run.path.parent}"
    for more in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "seqclf", *command, models, *more],
            env=os.environ | own,
            capture_output=True,
        )
        said = done.stdout.decode("cp1252")
        assert done.returncode == 0, done.stderr
        if more:
            found = json.loads(said)
            assert found["text"] == "日 😀" if command[0] == "predict" else found
        elif command[0] == "predict":
            assert "\\u65e5 \\U0001f600" in said
