"""Writes docs/commands.md: the help page of every command, as a terminal shows it.

`python tests/help_pages.py` writes it again; tests/test_docs.py holds it to the code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conftest import command_line, invoke

from seqclf.about_studies import ABOUT

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands and options

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


def shown(*arguments: str) -> str:
    """Returns what a terminal shows of a help page."""
    options = {"env": {"COLUMNS": "80"}, "prog_name": "seqclf"}
    lines = invoke(*arguments, "--help", **options).stdout.split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def page() -> str:
    """Returns docs/commands.md; of each study the words without the options."""
    parts = [HEAD]
    for name in commands(command_line()):
        parts.append(f"## seqclf {name}\n\n```\n{shown(*name.split())}\n```\n")
        for study in ABOUT if name == "study" else ():
            words = shown("study", study).split("╭")[0].strip("\n")
            parts.append(f"### seqclf study {study}\n\n```\n{words}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    os.environ["COLUMNS"] = "80"
    PAGE.write_text(page(), "utf-8")
