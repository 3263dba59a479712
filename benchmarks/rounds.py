"""What the benchmarks share: contenders in turns, medians, and a page of results.

Each contender is a process of its own, in an environment of its own where it is a peer,
started and warmed up before any is timed. Rounds then go round the contenders: what
slows the machine for a while slows all of them. Ratios are medians over the rounds.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from seqclf.machine import processor
from seqclf.system import cores
from seqclf.versions import package_versions

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
DATA = HERE.parents[1] / "shared" / "data"
PEERS = Path(os.environ.get("SEQCLF_PEERS", HERE / ".peers"))
ROUNDS = 5


def peers_python() -> str:
    """Returns the interpreter of the peers' environment, made if it is not there."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*install, str(HERE / "peers.txt")], check=True)
    return str(python)


class Contender:
    """A worker process that does what it is asked for, one request at a time."""

    def __init__(self, script: str, *, peer: bool = False, **options: object) -> None:
        """Starts one.

        Args:
          script: Its file in benchmarks/workers.
          peer: Whether it runs in the peers' environment.
          options: What it gets to know at the start, plain values.
        """
        python = peers_python() if peer else sys.executable
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- till the end
        self._process = subprocess.Popen(
            [python, str(HERE / "workers" / script), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            encoding="utf-8",
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self._input: Any = self._process.stdin
        self._output: Any = self._process.stdout
        self._answer()  # when it is ready

    def __enter__(self) -> Contender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._input.close()  # the worker ends with its input
        self._process.wait()

    def ask(self) -> dict[str, float]:
        """Has it do one round; returns what it measured."""
        self._input.write("round\n")
        self._input.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        line = self._output.readline()
        if not line:
            code = self._process.wait()
            self._complaints.seek(0)
            raise RuntimeError(f"a worker ended with {code}: {self._complaints.read()}")
        answer: dict[str, float] = json.loads(line)
        return answer


def in_turns(
    contenders: Mapping[str, Contender], rounds: int = ROUNDS
) -> dict[str, dict[str, float]]:
    """Has all do their rounds in turns; returns the median of each figure, by name."""
    answers: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            answers[name].append(contender.ask())
    return {
        name: {key: statistics.median(a[key] for a in all_) for key in all_[0]}
        for name, all_ in answers.items()
    }


def section(title: str, command: str, text: Sequence[str]) -> None:
    """Prints a section of RESULTS.md and puts it in the place of its last edition."""
    versions = ", ".join(f"{k} {v}" for k, v in package_versions().items())
    head = (
        f"`{command}`, {datetime.datetime.now(datetime.UTC).date()}, {cores()} cores "
        f"of {processor()}, no GPU. {versions}."
    )
    body = "\n".join([f"## {title}", "", head, "", *text]).strip()
    print(body, flush=True)  # noqa: T201
    there = RESULTS.read_text("utf-8") if RESULTS.exists() else "# Benchmarks\n"
    top, *sections = re.split(r"\n(?=## )", there)
    kept = [s.strip() for s in sections if not s.startswith(f"## {title}\n")]
    order = sorted([*kept, body], key=lambda s: s.splitlines()[0].lower())
    RESULTS.write_text("\n\n".join([top.strip(), *order]) + "\n", encoding="utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Returns the lines of a Markdown table; all columns but the first are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return [f"| {' | '.join(map(str, line))} |" for line in lines]


def whole_process(command: Sequence[str], **options: Any) -> tuple[float, int]:
    """Runs a command to its end; returns its seconds and its most bytes of memory."""
    start = time.perf_counter()
    process = subprocess.Popen(
        list(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return seconds, usage.ru_maxrss * 1024
