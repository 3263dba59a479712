"""Types the commands of the README's tour and writes their output into it.

Run as ``python benchmarks/tour.py``; takes as long as the commands do.
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
COMMANDS = (
    "seqclf train --cell lstm",
    "seqclf compare --seeds 1",
    'seqclf predict "I expected a dull film, but it is gripping."'
    ' "I expected a gripping film, but it is dull."',
    "seqclf runs list",
)


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


def main() -> None:
    """Fills the README's tour."""
    blocks = []
    with tempfile.TemporaryDirectory() as folder:
        for command in COMMANDS:
            print(command, flush=True)
            shown = shortened(output_of(command, folder))
            blocks.append(f"```\n$ {command}\n{shown}\n```")
    before, rest = README.read_text("utf-8").split("<!-- tour -->\n", 1)
    after = rest.split("<!-- /tour -->", 1)[1]
    tour = "<!-- tour -->\n" + "\n\n".join(blocks) + "\n<!-- /tour -->"
    README.write_text(before + tour + after, encoding="utf-8")


if __name__ == "__main__":
    main()
