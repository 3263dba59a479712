"""Simulates comparisons of cells and counts how often the statistics are wrong.

Run as ``python benchmarks/calibration.py [COMPARISONS]``; writes the table between the
markers of docs/statistics.md. Nothing is trained: right and wrong answers are drawn.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from scipy.stats import norm

from seqclf.statistics import crossed_mean

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
COMPARISONS = 5000
SETTINGS = [
    (seeds, rows, spread)
    for seeds in (3, 5)
    for rows in (500, 25_000)
    for spread in (0.2, 0.5, 0.8)
]
ACCURACY = 0.88
DIFFERENCE = 0.01  # planted, to see whether intervals cover it
# Shares of the variance of how hard a text is: for every model, for one cell in all of
# its seeds, and for one training alone.
SHARED, OF_CELL, OF_TRAINING = 0.6, 0.15, 0.25


def draw(
    seeds: int, rows: int, spread: float, difference: float, rng: np.random.Generator
) -> np.ndarray:
    """Draws right answers of two cells; returns their difference, int8 [seeds, texts].

    Args:
      seeds: Trainings of each cell.
      rows: Test texts.
      spread: Standard deviation of a cell's accuracy over seeds, in points.
      difference: Of the two cells' accuracies, a fraction.
      rng: Draws everything anew: texts, cells and trainings.
    """
    hardness = rng.normal(0, np.sqrt(SHARED), rows).astype(np.float32)
    right = []
    for accuracy in (ACCURACY + difference, ACCURACY):
        # A shift of s moves the accuracy by about s times the density at the edge.
        edge = norm.ppf(accuracy)
        shifts = rng.normal(0, spread / 100 / norm.pdf(edge), (seeds, 1))
        of_cell = rng.normal(0, np.sqrt(OF_CELL), rows).astype(np.float32)
        own = rng.standard_normal((seeds, rows), np.float32) * np.sqrt(OF_TRAINING)
        right.append(edge + shifts + hardness + of_cell + own > 0)
    return right[0].astype(np.int8) - right[1]


def rates(
    seeds: int, rows: int, spread: float, comparisons: int, seed: int = 0
) -> dict[str, float]:
    """Returns how often equal cells are told apart, and how often intervals hold.

    Returns:
      false_alarms: Share of comparisons of equal cells with p < 0.05.
      coverage: Share of intervals that hold the planted difference.
      found: Share of comparisons that tell a planted difference.
    """
    rng = np.random.default_rng([seed, seeds, rows, round(10 * spread)])
    alarms = covered = found = 0
    truth = _accuracy(ACCURACY + DIFFERENCE, spread) - _accuracy(ACCURACY, spread)
    for _ in range(comparisons):
        alarms += crossed_mean(draw(seeds, rows, spread, 0.0, rng)).p < 0.05
        estimate = crossed_mean(draw(seeds, rows, spread, DIFFERENCE, rng))
        low, high = estimate.interval()
        covered += low <= truth <= high
        found += estimate.p < 0.05
    return {
        "false_alarms": alarms / comparisons,
        "coverage": covered / comparisons,
        "found": found / comparisons,
    }


def _accuracy(accuracy: float, spread: float) -> float:
    """Returns the mean accuracy over seeds: their shifts widen the distribution."""
    edge = norm.ppf(accuracy)
    shift = spread / 100 / norm.pdf(edge)
    return float(norm.cdf(edge / np.sqrt(1 + shift**2)))


def main(comparisons: int) -> None:
    """Prints and writes the table."""
    header = "| seeds | texts | seed spread, points | false alarms | coverage | found |"
    lines = [header, "|---:|---:|---:|---:|---:|---:|"]
    start = time.perf_counter()
    for seeds, rows, spread in SETTINGS:
        r = rates(seeds, rows, spread, comparisons)
        lines.append(
            f"| {seeds} | {rows:,} | {spread} | {100 * r['false_alarms']:.1f} % | "
            f"{100 * r['coverage']:.1f} % | {100 * r['found']:.0f} % |"
        )
        print(lines[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
    before, rest = PAGE.read_text("utf-8").split("<!-- calibration -->\n", 1)
    after = rest.split("<!-- /calibration -->", 1)[1]
    said = (
        f"`python benchmarks/calibration.py`, {comparisons:,} comparisons each of "
        f"equal cells (false alarms at 5 %) and of cells {100 * DIFFERENCE:.0f} point "
        f"apart (coverage of the 95 % interval, and how often the difference is found):"
    )
    text = "\n".join(["<!-- calibration -->", said, "", *lines, ""])
    PAGE.write_text(before + text + "<!-- /calibration -->" + after, encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COMPARISONS)
