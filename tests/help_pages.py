"""Writes docs/commands.md: the help page of every command, as a terminal shows it.

`python tests/help_pages.py` makes it anew; tests/test_docs.py holds it to the code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conftest import command_line, invoke

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Every command and every option

Written by `python tests/help_pages.py` from the commands themselves. A config file
(`--config FILE.toml`) takes the same names without their dashes, as in
`learning-rate = 0.001`.
"""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yields the names of all commands, `runs list` for one within a group."""
    if hasattr(group, "commands"):
        for name, command in group.commands.items():
            yield from commands(command, (*path, name))
    else:
        yield " ".join(path)


def page() -> str:
    """Returns docs/commands.md."""
    parts = [HEAD]
    for name in commands(command_line()):
        options = {"env": {"COLUMNS": "80"}, "prog_name": "seqclf"}
        shown = invoke(*name.split(), "--help", **options).stdout
        lines = [line.rstrip() for line in shown.split("\n")]
        help_page = "\n".join(lines).strip("\n")
        parts.append(f"## seqclf {name}\n\n```\n{help_page}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    os.environ["COLUMNS"] = "80"
    PAGE.write_text(page(), "utf-8")
