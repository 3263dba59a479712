"""Says where the time of a comparison goes, and how it was before.

Run as ``python benchmarks/minute.py [--beside CHECKOUT] [--rounds N] [NAME ...]``, of
demo, mr and imdb, each alone on the machine; writes its section of
benchmarks/RESULTS.md. With another checkout of seqclf both are run in turns, and the
ratio is told.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import rounds

from seqclf.system import cores

ROOT = Path(__file__).parents[1]
COMPARISONS = {
    "demo": ["--seeds=1"],  # `make demo`
    "mr": [f"--data={rounds.DATA / 'mr'}", "--seeds=3"],
    "imdb": [f"--data={rounds.DATA / 'imdb'}", "--seeds=1"],
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What one comparison took: its phases and those of its trainings, in seconds.

    `idle` is the share of the cores' time, in [0, 1], in which they did nothing; of
    another checkout, phases may be missing.
    """

    seconds: float
    idle: float
    phases: dict[str, float]
    trainings: dict[str, float]
    accuracies: dict[str, float]


def adopt() -> None:
    """Has Linux give the processes of a command that has ended to this one."""
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def used_by_children() -> float:
    """Waits for all processes of commands that ran; returns their processor time.

    Trainings are children of a fork server, which ends a little after its command.
    """
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(name: str, checkout: Path) -> Taken:
    """Runs a comparison of which nothing is there yet, and takes the time of it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "seqclf", "compare", *COMPARISONS[name]]
        command += [f"--models-dir={folder}/models", f"--cache-dir={folder}/cache"]
        environment = os.environ | {"PYTHONPATH": str(checkout)}
        start, before = time.perf_counter(), used_by_children()
        subprocess.run(
            [*command, "--quiet"], cwd=folder, stdout=subprocess.DEVNULL,
            env=environment, check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        used = used_by_children() - before
        models = Path(folder) / "models"
        (file,) = models.glob("*-compare/comparison.json")
        result = json.loads(file.read_text("utf-8"))
        trainings: Counter[str] = Counter()
        for made in models.glob("*/environment.json"):
            trainings.update(json.loads(made.read_text("utf-8")).get("phases", {}))
        return Taken(
            seconds,
            1 - used / (seconds * cores()),
            result.get("phases", {}),
            dict(trainings),
            {
                row["cell"]: row["accuracy"]["mean"]
                for row in result["rows"]
                if row["kind"] == "twin"
            },
        )


def median(values: list[float]) -> float:
    """Returns the median of some seconds."""
    return statistics.median(values)


def phases_said(name: str, every: dict[str, list[Taken]]) -> list[tuple[str, ...]]:
    """Returns the rows of a comparison's phases, with those of its trainings."""
    taken = every["now"]
    whole = median([one.seconds for one in taken])
    rows = [(f"**{name}**", f"**{whole:.0f}**", "")]
    for of, indent in (("phases", ""), ("trainings", "· ")):
        for phase in getattr(taken[0], of):
            seconds = median([getattr(one, of).get(phase, 0.0) for one in taken])
            share = f"{100 * seconds / whole:.0f} %" if of == "phases" else ""
            rows.append((f"{indent}{phase}", f"{seconds:.1f}", share))
    idle = 100 * median([one.idle for one in taken])
    rows.append((f"idle cores: {idle:.0f} %", "", ""))
    return rows


def arguments() -> argparse.Namespace:
    """Returns what was typed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*COMPARISONS, []])
    parser.add_argument("--beside", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=1)
    return parser.parse_args()


def in_turns(name: str, checkouts: dict[str, Path], n: int) -> dict[str, list[Taken]]:
    """Returns what the rounds of a comparison took, by checkout."""
    taken: dict[str, list[Taken]] = {which: [] for which in checkouts}
    for _ in range(n):
        for which, checkout in checkouts.items():
            taken[which].append(compare(name, checkout))
            print(name, which, taken[which][-1], flush=True)
    return taken


def ratio_said(name: str, taken: dict[str, list[Taken]]) -> tuple[str, ...]:
    """Returns the row of a comparison's ratio, round by round."""
    pairs = zip(taken["now"], taken["before"], strict=True)
    ratio = median([now.seconds / before.seconds for now, before in pairs])
    both = [median([one.seconds for one in taken[w]]) for w in ("before", "now")]
    return (name, *(f"{seconds:.0f}" for seconds in both), f"{ratio:.2f}")


def main() -> None:
    """Prints and writes the tables."""
    asked = arguments()
    adopt()
    checkouts = {"now": ROOT}
    if asked.beside:
        checkouts["before"] = asked.beside.resolve()
    every = {
        name: in_turns(name, checkouts, asked.rounds)
        for name in asked.names or COMPARISONS
    }
    rows = [row for name, taken in every.items() for row in phases_said(name, taken)]
    text = [
        "Whole comparisons from the command to the page, nothing cached. Below the "
        "phases, with a dot, is what the trainings took, all together, up to "
        f"{cores()} at a time.",
        "",
        *rounds.table(("phase", "seconds", "share"), rows),
    ]
    if asked.beside:
        ratios = [ratio_said(name, taken) for name, taken in every.items()]
        head = ("comparison", "s before", "s now", "ratio")
        text += ["", "In turns with the version before:", ""]
        text += rounds.table(head, ratios)
    rounds.section("Where the time goes", "python benchmarks/minute.py", text)


if __name__ == "__main__":
    main()
