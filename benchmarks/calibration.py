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

from seqclf.statistics import cells_difference

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
COMPARISONS = 2000
# Standard deviations of the two cells' accuracies over seeds, in points.
SPREADS = ((0.2, 0.2), (0.8, 0.8), (2.0, 2.0), (0.3, 1.0), (0.2, 2.0))
SETTINGS = [
    (seeds, rows, spreads)
    for seeds in (2, 3, 5, 10)
    for rows in (500, 2000, 25_000)
    for spreads in SPREADS
    if seeds * rows <= 125_000  # more takes hours, and differs from it in nothing
]
ACCURACY = 0.88
DIFFERENCE = 0.01  # planted, to see whether intervals cover it
# Shares of the variance of how hard a text is: for every model, for one cell in all of
# its seeds, and for one training alone.
SHARED, OF_CELL, OF_TRAINING = 0.6, 0.15, 0.25


def draw(
    seeds: int,
    rows: int,
    spreads: tuple[float, float],
    difference: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws right answers of two cells, bool [seeds, texts] each.

    Args:
      seeds: Trainings of each cell.
      rows: Test texts.
      spreads: See `SPREADS`.
      difference: Of the two cells' accuracies, a fraction.
      rng: Draws everything anew: texts, cells and trainings.
    """
    hardness = rng.normal(0, np.sqrt(SHARED), rows).astype(np.float32)
    right = []
    for accuracy, spread in zip(
        (ACCURACY + difference, ACCURACY), spreads, strict=True
    ):
        # A shift of s moves the accuracy by about s times the density at the edge.
        edge = np.float32(norm.ppf(accuracy))
        shifts = rng.standard_normal((seeds, 1), np.float32)
        shifts *= np.float32(spread / 100 / norm.pdf(edge))
        of_cell = rng.standard_normal(rows, np.float32) * np.float32(OF_CELL**0.5)
        own = rng.standard_normal((seeds, rows), np.float32)
        own *= np.float32(OF_TRAINING**0.5)
        right.append(edge + shifts + hardness + of_cell + own > 0)
    return right[0], right[1]


def rates(
    seeds: int,
    rows: int,
    spreads: tuple[float, float],
    comparisons: int,
    seed: int = 0,
) -> dict[str, float]:
    """Returns how often equal cells are told apart, and how often intervals hold.

    Returns:
      false_alarms: Share of comparisons of equal cells whose interval says otherwise.
      coverage: Share of intervals that hold the planted difference.
      found: Share of comparisons that tell a planted difference.
    """
    rng = np.random.default_rng([seed, seeds, rows, *(round(10 * s) for s in spreads)])
    alarms = covered = found = 0
    equal, truth = (
        _accuracy(ACCURACY + more, spreads[0]) - _accuracy(ACCURACY, spreads[1])
        for more in (0.0, DIFFERENCE)
    )
    for _ in range(comparisons):
        a, b = draw(seeds, rows, spreads, 0.0, rng)
        low, high = cells_difference(a, b).interval()
        alarms += not low <= equal <= high
        a, b = draw(seeds, rows, spreads, DIFFERENCE, rng)
        low, high = cells_difference(a, b).interval()
        covered += low <= truth <= high
        found += low > 0 or high < 0
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
    header = "| seeds | texts | seed spreads | false alarms | coverage | found |"
    lines = [header, "|---:|---:|---:|---:|---:|---:|"]
    start = time.perf_counter()
    for seeds, rows, spreads in SETTINGS:
        r = rates(seeds, rows, spreads, comparisons)
        shown = ", ".join(map(str, spreads))
        lines.append(
            f"| {seeds} | {rows:,} | {shown} | {100 * r['false_alarms']:.1f} % | "
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
