"""Times `seqclf compare --seeds 1` on the built-in corpus with one job and with two.

Run as ``python benchmarks/jobs.py``; writes its section of benchmarks/RESULTS.md.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rounds

JOBS, COMPARISONS = (1, 2), 3


def compare(jobs: int) -> dict[str, float]:
    """Runs the command in an empty folder; returns its figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "seqclf", "compare", "--seeds=1", "--quiet"]
        command += ["--models-dir=models", "--cache-dir=cache"]
        start = time.perf_counter()
        subprocess.run(
            [*command, f"--jobs={jobs}"], cwd=folder, check=True, capture_output=True
        )
        seconds = time.perf_counter() - start
        runs = [
            json.loads(file.read_text("utf-8"))
            for file in Path(folder).glob("models/demo-*-0/environment.json")
        ]
    figures = {"seconds": seconds}
    figures["training"] = sum(run["seconds"] for run in runs)
    figures["peak_mb"] = max(run["peak_memory_bytes"] for run in runs) / 1e6
    return figures


def main() -> None:
    """Prints and writes the table."""
    taken: dict[int, list[dict[str, float]]] = {jobs: [] for jobs in JOBS}
    for _ in range(COMPARISONS):
        for jobs in JOBS:
            taken[jobs].append(compare(jobs))
            print(jobs, taken[jobs][-1], flush=True)
    rows = [
        (f"--jobs {jobs}", *(f"{statistics.median(one[key] for one in all_):.0f}"
                             for key in ("seconds", "training", "peak_mb")))
        for jobs, all_ in taken.items()
    ]  # fmt: skip
    rounds.section(
        "Trainings side by side",
        "python benchmarks/jobs.py",
        [
            f"`seqclf compare --seeds 1` on `demo`: four trainings, the baselines and "
            f"the timing pass, from start to end, median of {COMPARISONS} in turns. "
            f"With two jobs each training has one thread.",
            "",
            *rounds.table(
                ("", "s in all", "s of the trainings, added up",
                 "peak MB of the largest"), rows
            ),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
