"""Runs the commands of the README's tour and writes their output into it.

Run as ``make tour``; takes as long as the commands do. Each command runs in the folder
in which those before it left their results.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
SECTIONS = {
    "tour": (
        "seqclf train --cell lstm",
        "seqclf compare --seeds 1",
        'seqclf predict "I expected a dull film, but it is gripping."'
        ' "I expected a gripping film, but it is dull."',
        "seqclf runs list",
    ),
    "export": ("seqclf export demo-lstm-0 --format all",),
}


def output_of(command: str, folder: str) -> str:
    """Returns what a command prints, as the terminal would show it at 80 columns."""
    words = [sys.executable, "-m", "seqclf", *shlex.split(command)[1:]]
    done = subprocess.run(
        words,
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "80", "PYTHONUNBUFFERED": "1"},
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def shortened(text: str) -> str:
    """Leaves out all epochs of a run but the first and the last."""
    lines: list[str] = []
    for line in text.splitlines():
        found = re.search(r"epoch (\d+)/(\d+)", line)
        inner = found and 1 < int(found[1]) < int(found[2])
        if not inner:
            lines.append(line)
        elif lines[-1] != "...":
            lines.append("...")
    return "\n".join(lines)


def replaced(page: str, section: str, text: str) -> str:
    """Returns a page with this text between the two marks of a section."""
    before, rest = page.split(f"<!-- {section} -->\n", 1)
    after = rest.split(f"<!-- /{section} -->", 1)[1]
    return f"{before}<!-- {section} -->\n{text}\n<!-- /{section} -->{after}"


def main() -> None:
    """Fills the sections of the README."""
    texts = {}
    with tempfile.TemporaryDirectory() as folder:
        for section, commands in SECTIONS.items():
            blocks = []
            for command in commands:
                print(command, flush=True)
                shown = shortened(output_of(command, folder))
                blocks.append(f"```\n$ {command}\n{shown}\n```")
            texts[section] = "\n\n".join(blocks)
    page = README.read_text("utf-8")
    for section, text in texts.items():
        page = replaced(page, section, text)
    README.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
