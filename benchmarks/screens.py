"""Types the commands of the pages and writes what they print beside them.

Run as ``python benchmarks/screens.py [PAGE ...]`` (``make tour``), by default for all
of `PAGES`; takes as long as the commands do. A page marks a screen like this::

    <!-- screen tail 2 -->
    ```
    $ seqclf train --cell lstm
    ...
    ```
    <!-- /screen -->

All screens are typed in one folder, from the first to the last of these pages. A
command that ends with `&` runs beside the others of its screen.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
PAGES = ("README.md", "docs/tutorial.md", "docs/serving.md")
SCREEN = re.compile(r"<!-- screen(.*?) -->\n```\n(.*?)```\n<!-- /screen -->", re.DOTALL)
READY = "Ctrl-C ends"  # what `seqclf serve` says once it answers
PROGRESS = re.compile(r"epoch (\d+)/(\d+)")


def sms(folder: Path) -> None:
    """Writes the SMS Spam Collection as its archive has it: label, tab, text."""
    from pyarrow import parquet

    rows = parquet.read_table(DATA / "sms_spam" / "train.parquet").to_pylist()
    labels = json.loads((DATA / "sms_spam" / "labels.json").read_text("utf-8"))
    lines = [f"{labels[row['label']]}\t{row['text']}\n" for row in rows]
    (folder / "sms.tsv").write_text("".join(lines), "utf-8")


def broken(line: str) -> list[str]:
    """Breaks a line between words where a terminal of 80 columns would break it."""
    return textwrap.wrap(line, 80, break_long_words=False) if len(line) > 80 else [line]


def without_inner_epochs(lines: list[str]) -> list[str]:
    """Leaves out all epochs of a training but the first and the last."""
    kept: list[str] = []
    for line in lines:
        found = PROGRESS.search(line)
        if not found or int(found[1]) in (1, int(found[2])):
            kept.append(line)
        elif kept[-1:] != ["..."]:
            kept.append("...")
    return kept


def tail(lines: list[str], count: str) -> list[str]:
    """Keeps the last lines."""
    return ["...", *lines[-int(count) :]] if len(lines) > int(count) else lines


def head(lines: list[str], count: str) -> list[str]:
    """Keeps the first lines."""
    return [*lines[: int(count)], "..."] if len(lines) > int(count) else lines


def gist(lines: list[str], _: str) -> list[str]:
    """Keeps the table of a comparison and its verdict."""
    top = next(i for i, line in enumerate(lines) if line.startswith("Test scores"))
    end = next(i for i, line in enumerate(lines) if line.startswith("Failed trainings"))
    return ["...", *lines[top:end], "..."]


CUTS: dict[str, Callable[[list[str], str], list[str]]] = {
    "": lambda lines, _: without_inner_epochs(lines),
    "tail": tail,
    "head": head,
    "gist": gist,
}


class Desk:
    """A folder in which commands are typed, with `seqclf` on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / ".bin" / "seqclf"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m seqclf "$@"\n')
        program.chmod(0o755)
        self.environment = os.environ | {
            "COLUMNS": "80",
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def typed(self, command: str) -> list[str]:
        """Returns the lines that a command prints, its tables in 80 columns."""
        done = self._start(command)
        text = done.communicate()[0]
        if done.returncode:
            raise SystemExit(f"{command}: {text}")
        return [line.rstrip() for line in text.splitlines()]

    def beside(self, command: str) -> tuple[subprocess.Popen[str], list[str]]:
        """Starts a server; returns it and what it said until it answered."""
        process, lines = self._start(f"exec {command}"), [""]
        while process.stdout and lines[-1].find(READY) < 0:
            lines.append(process.stdout.readline().rstrip())
            if process.poll() is not None:
                raise SystemExit(f"{command}: {lines}")
        return process, lines[1:]

    def _start(self, command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S602 - the project's own pages
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )


def screen(desk: Desk, cut: str, commands: list[str]) -> str:
    """Types the commands of a screen; returns it anew."""
    name, _, argument = cut.strip().partition(" ")
    shown, servers = [], []
    try:
        for command in commands:
            print(command, flush=True)
            if command.endswith("&"):
                server, lines = desk.beside(command.removesuffix("&"))
                servers.append(server)
            else:
                lines = CUTS[name](desk.typed(command), argument)
            parts = [part for line in lines for part in broken(line)]
            shown += [f"$ {command}", *parts]
    finally:
        for server in servers:
            server.send_signal(signal.SIGINT)
            server.communicate()
    text = "\n".join(shown)
    return f"<!-- screen{cut} -->\n```\n{text}\n```\n<!-- /screen -->"


def main(pages: list[str]) -> None:
    """Writes the screens of pages anew."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        if (DATA / "sms_spam").exists():
            sms(desk.folder)

        def anew(found: re.Match[str]) -> str:
            lines = found[2].splitlines()
            commands = [line[2:] for line in lines if line.startswith("$ ")]
            return screen(desk, found[1], commands)

        for name in pages or PAGES:
            page = SCREEN.sub(anew, (ROOT / name).read_text("utf-8"))
            (ROOT / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
