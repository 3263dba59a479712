"""Types every command of docs/predict.md."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import Result
from conftest import reviews, run_cli, run_in
from test_docs import blocks_of
from test_several_out import genres

DOCS = Path(__file__).parents[1] / "docs"
PAGE, SERVING = ((DOCS / f"{x}.md").read_text("utf-8") for x in ("predict", "serving"))
BLOCKS = [block for kind, block in blocks_of(PAGE) if not kind]  # of commands alone
SCREENS = [  # and what they print, of both pages
    block for kind, block in blocks_of(PAGE) + blocks_of(SERVING) if kind == "text"
]
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]


@pytest.fixture(scope="module")
def desk(workplace, tmp_path_factory) -> Path:
    """A folder with the run and the files that the page names."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(workplace / "models", folder / "models")
    for name in ("demo-gru-0", "demo-nb-svm"):  # of one data set, as a mean's runs are
        shutil.copytree(folder / "models" / "reviews-gru-0", folder / "models" / name)
    rows = [text for text, _ in reviews(30)]
    table = "title,text\n" + "".join(f'"title {i}","{t}"\n' for i, t in enumerate(rows))
    (folder / "reviews.csv").write_text(table)
    (folder / "texts.txt").write_text("\n".join(rows))
    (folder / "parts").mkdir()
    for name in ("a", "b"):
        (folder / "parts" / f"{name}.csv").write_text(table)
    (folder / "letters").mkdir()
    for i, text in enumerate(rows[:4]):
        (folder / "letters" / f"{i}.txt").write_text(text)
    lines = [json.dumps({"text": "good"}), "no JSON", json.dumps({"text": None})]
    (folder / "damaged.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def typed(command: str, folder: Path) -> tuple[int, Result | CompletedProcess]:
    """Types it, in a shell if there is anything in it that a shell reads."""
    if not re.search(r"[<>|*$]", command):
        done = run_in(folder, *shlex.split(command)[1:])
        return done.exit_code, done
    program = f"{sys.executable} -m seqclf"
    done = subprocess.run(
        command.replace("seqclf", program, 1),
        shell=True,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_works(command, desk):
    assert command.startswith("seqclf predict ")
    # Its labels are those of demo; the run here has others.
    code, done = typed(command.replace("positive=", "good="), desk)
    assert code == 0, done.stderr
    output = re.search(r"--output (\S+)", command)
    if output:
        assert (desk / output[1]).stat().st_size
        assert f"Written: {output[1]}" in done.stderr
    else:
        assert done.stdout
    if "--on-error" in command:
        assert "Without a label: 2 of 3 rows" in done.stderr


def plain(text: str) -> str:
    """Returns a screen without its digits, which other machines may round otherwise."""
    return " ".join(re.sub(r"\d[\d,.]*", "#", text).split())


@pytest.mark.slow
def test_screens_of_the_page_are_what_commands_print(tmp_path):
    """Dots stand for lines that are left out."""
    lines = "".join(json.dumps(row) + "\n" for row in genres(800))
    (tmp_path / "films.jsonl").write_text(lines)
    of_films, of_demo, of_export = [block.split("$ ")[1:] for block in SCREENS]
    train = "seqclf train --baseline=nb-svm -q\n"
    steps = [*of_films, train, *of_demo, *of_export]
    assert len(steps) == 9
    for step in steps:
        command, screen = step.split("\n", 1)
        program, *words = shlex.split(command)
        assert program == "seqclf"
        done = run_cli(words, tmp_path, env={**os.environ, "COLUMNS": "80"})
        assert done.returncode == 0, done.stderr
        printed = f"{plain(done.stdout)} {plain(done.stderr)}"
        shown = [line for line in screen.splitlines() if line not in ("", "...")]
        assert shown or words[0] == "train"
        for line in shown:
            assert plain(line) in printed, command


def test_the_page_has_commands():
    assert len(COMMANDS) >= 12
    assert all(f"`{suffix}`" in PAGE or suffix in PAGE for suffix in (".txt", "CSV"))
