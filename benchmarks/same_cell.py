"""Compares a cell with itself: how often do equal cells seem to differ?

Run as ``python benchmarks/same_cell.py``; writes into docs/statistics.md. Forty small
GRUs are trained on the built-in corpus, seeds 0 to 39; then disjoint groups of them are
compared as if they were two cells.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from seqclf.data.dataset import TEST
from seqclf.runs import Run
from seqclf.statistics import cells_difference, mcnemar_mid_p

STATISTICS = Path(__file__).parents[1] / "docs" / "statistics.md"
SEEDS, DRAWS = 40, 2000
OPTIONS = (
    "--cells=gru", f"--seeds={SEEDS}", "--units=16", "--embedding-size=32",
    "--epochs=4", "--limit=2000", "--quiet",
)  # fmt: skip


def trained(folder: Path) -> np.ndarray:
    """Trains, or finds what was trained; returns bool [seeds, texts], who is right."""
    command = [sys.executable, "-m", "seqclf", "compare", *OPTIONS]
    subprocess.run(
        [*command, f"--models-dir={folder / 'models'}", "--name=same"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    runs = [Run(folder / "models" / f"demo-gru-{seed}") for seed in range(SEEDS)]
    return np.array([run.predictions(TEST).right for run in runs])


def false_alarms(right: np.ndarray, seeds: int) -> tuple[float, float]:
    """Returns how often groups of so many seeds differ, at 5 %.

    Returns:
      By the test of cells, and by McNemar's of the first seeds alone, fractions.
    """
    generator = np.random.default_rng(0)
    alarms = np.zeros(2)
    for _ in range(DRAWS):
        chosen = generator.choice(len(right), 2 * seeds, replace=False)
        a, b = right[chosen[:seeds]], right[chosen[seeds:]]
        alarms[0] += cells_difference(a, b).p < 0.05
        only_a, only_b = int((a[0] & ~b[0]).sum()), int((b[0] & ~a[0]).sum())
        alarms[1] += mcnemar_mid_p(only_a, only_b) < 0.05
    cells, models = alarms / DRAWS
    return float(cells), float(models)


def main() -> None:
    """Prints and writes the table."""
    with tempfile.TemporaryDirectory() as temporary:
        right = trained(Path(os.environ.get("SEQCLF_SAME", temporary)))
    accuracies = 100 * right.mean(axis=1)
    lines = [
        f"`python benchmarks/same_cell.py`: {SEEDS} small GRUs on `demo`, "
        f"{right.shape[1]:,} test texts, accuracy {accuracies.mean():.1f} % with a "
        f"standard deviation of {accuracies.std(ddof=1):.1f} points over seeds; "
        f"{DRAWS:,} draws of two disjoint groups; draws share trainings.",
        "",
        "| seeds a group | false alarms, cells | false alarms, McNemar of two models |",
        "|---:|---:|---:|",
    ]
    for seeds in (3, 5):
        cells, models = false_alarms(right, seeds)
        lines.append(f"| {seeds} | {100 * cells:.1f} % | {100 * models:.1f} % |")
    text = "\n".join(lines)
    print(text)
    before, rest = STATISTICS.read_text("utf-8").split("<!-- same -->\n", 1)
    after = rest.split("<!-- /same -->", 1)[1]
    filled = f"{before}<!-- same -->\n{text}\n<!-- /same -->{after}"
    STATISTICS.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main()
