"""Damages every file of a run in every way, and looks at what the commands say.

Run as ``python benchmarks/damage.py``. Trains one tiny run, and writes the table
between the markers of docs/reliability.md. A test looks at every line of it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import kills
import marked
from typer.testing import CliRunner

from seqclf.cli import command_line
from seqclf.config import to_dict, twin
from seqclf.runs import Run, files, writing
from seqclf.storage import write_json

COMMANDS = {
    "runs show": ["runs", "show", "run"],
    "predict": ["predict", "--run", "run", "a good film"],
    "compare": ["compare", "run", "other", "--markdown"],
}
UNCHECKED = ("lock", "log.txt", "seqclf.json")  # no numbers are in them


def _short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes] | None] = {
    "cut in half": _short, "a bit flipped": _flipped, "removed": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said of a damaged run.

    Attributes:
      file: The file, relative to the run.
      damage: What was done to it.
      command: What was typed.
      exit_code: How it ended.
      error: What it said on stderr.
    """

    file: str
    damage: str
    command: str
    exit_code: int
    error: str


def make(folder: Path) -> Path:
    """Trains a tiny run in `folder` and returns it, beside its like, called `other`."""
    kills.write_reviews(folder)
    said = kills.train(folder, "gru").communicate()[1]
    run, other = Run(folder / "models" / "run"), folder / "models" / "other"
    if not run.is_finished:
        raise SystemExit(f"the run could not be trained: {said}")
    shutil.copytree(run.path, other)
    write_json(other / files.CONFIG_FILE, to_dict(twin(run.config, "gru", seed=1)))
    writing.mark_complete(other, "train")
    return run.path


def damaged(run: Path, commands: Sequence[str]) -> Iterator[Answer]:
    """Damages each file of a run in turn, asks, and mends it again.

    Args:
      run: From `make`; the current folder must be the one it was made in.
      commands: Names in `COMMANDS`.

    Yields:
      Each answer.
    """
    for path in sorted(path for path in run.rglob("*") if path.is_file()):
        if path.name in UNCHECKED:
            continue
        whole = path.read_bytes()
        for damage, change in DAMAGES.items():
            path.write_bytes(change(whole)) if change else path.unlink()
            for command in commands:
                result = CliRunner().invoke(command_line(), COMMANDS[command])
                name, said = path.relative_to(run).as_posix(), result.stderr
                yield Answer(name, damage, command, result.exit_code, said)
            path.write_bytes(whole)


def table(answers: Sequence[Answer]) -> str:
    """Returns what `runs show` says of each damage, as Markdown.

    Files of which it says the same but for their name, FILE, share a line.
    """
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        said = answer.error.strip().splitlines()[-1].replace("|", "\\|")
        said = said.replace(f"usable {answer.file}", "usable FILE")
        groups.setdefault(said, []).append(answer)
    lines = ["| file | damage | what is said |", "| --- | --- | --- |"]
    for said, group in groups.items():
        names = ", ".join(dict.fromkeys(answer.file for answer in group))
        damages = ", ".join(dict.fromkeys(answer.damage for answer in group))
        lines.append(f"| {names} | {damages} | {said} |")
    return "\n".join(lines)


def main() -> None:
    """Writes the table."""
    with tempfile.TemporaryDirectory() as folder:
        run = make(Path(folder))
        script = (
            "import sys; sys.path.insert(0, sys.argv[1]); import damage, pathlib;"
            "print(damage.table(list(damage.damaged(pathlib.Path('models/run'),"
            " ['runs show']))))"
        )
        # In that folder, so that paths are as a person would see them.
        made = subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent)],
            cwd=run.parents[1],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
    said = f"What `seqclf runs show run` says:\n\n{made}"
    marked.write("damage", "python benchmarks/damage.py", said)


if __name__ == "__main__":
    main()
