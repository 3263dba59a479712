"""Simulates comparisons on texts with several labels, as `calibration.py` does on one.

Run as ``python benchmarks/calibration_several.py [COMPARISONS]``; writes the table
between the markers of docs/statistics.md. No network is trained: answers are drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache

import numpy as np
from calibration import (
    APART,
    APART_MORE,
    APART_SPREAD,
    OF_CELL,
    OF_TRAINING,
    SHARED,
    judged,
    write,
)

from seqclf import several
from seqclf.metrics import f1_shares

COMPARISONS = 1000
SHARES = (0.4, 0.25, 0.1, 0.05)  # of the texts that have each label
OF_TEXT = (
    0.5  # share of what is hard for every model that is of the text, not the label
)
TRUE_TEXTS, TRUE_TRAININGS = 20_000, 300  # behind the true values, drawn once
Values = dict[str, list[np.ndarray]]


def draw(
    seeds: int, rows: int, apart: Sequence[float], rng: np.random.Generator
) -> Values:
    """Draws test texts with several labels, and values of cells on them, by metric.

    Each label is drawn by itself. A training sees a score of each text and label, made
    as in `calibration.draw_scored`, of which a part is of the text and stands in all of
    its labels; it answers with the label's probability by that score, from a half on.

    Args:
      seeds: Trainings of each cell.
      rows: Test texts.
      apart: How far scores with and without a label stand apart, by cell.
      rng: Draws everything anew.

    Returns:
      By metric a value of each training and text, [seeds, texts], for each cell.
    """
    shape = rows, len(SHARES)
    truth = rng.random(shape) < SHARES
    of_text = rng.normal(0, np.sqrt(OF_TEXT), (rows, 1))
    of_label = rng.normal(0, np.sqrt(1 - OF_TEXT), shape)
    shared = np.sqrt(SHARED) * (of_text + of_label)
    prior = np.log(np.array(SHARES) / (1 - np.array(SHARES)))
    found: Values = {"accuracy": [], "example F1": [], "macro F1": [], "log loss": []}
    for distance in apart:
        of_cell = shared + rng.normal(0, np.sqrt(OF_CELL), shape)
        distances = distance + APART_SPREAD * rng.standard_normal((seeds, 1, 1))
        own = rng.normal(0, np.sqrt(OF_TRAINING), (seeds, *shape))
        scores = distances * (truth - 0.5) + of_cell + own
        probabilities = 1 / (1 + np.exp(-(prior + APART * scores)))
        answers = probabilities > 0.5
        found["accuracy"].append((answers == truth).all(axis=2))
        for name, value in (
            ("example F1", several.example_f1),
            ("macro F1", f1_shares),
        ):
            found[name].append(np.array([value(truth, one) for one in answers]))
        lost = [several.losses(truth, one) for one in probabilities]
        found["log loss"].append(np.array(lost))
    return found


@cache
def truths(apart: float) -> dict[str, float]:
    """Returns what a cell reaches on all texts, the mean over all its trainings."""
    rng = np.random.default_rng(0)
    every = [draw(1, TRUE_TEXTS, (apart,), rng) for _ in range(TRUE_TRAININGS)]
    return {
        name: float(np.mean([one[name][0].mean() for one in every]))
        for name in every[0]
    }


def rates(
    seeds: int, rows: int, comparisons: int, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Returns, by metric, how often equal cells are told apart and intervals hold.

    Names are those of `calibration.metric_rates`.
    """
    rng = np.random.default_rng([seed, seeds, rows])
    return judged(
        comparisons,
        lambda *apart: draw(seeds, rows, apart, rng),
        truths(APART + APART_MORE),
        truths(APART),
    )


def main(comparisons: int) -> None:
    """Prints and writes the table."""
    header = (
        "| seeds | texts | metric | false alarms | coverage | found "
        "| coverage, one cell |"
    )
    lines = [header, "|---:|---:|---|---:|---:|---:|---:|"]
    for seeds in (2, 3, 5, 10):
        for rows in (500, 2000):
            for name, r in rates(seeds, rows, comparisons).items():
                lines.append(
                    f"| {seeds} | {rows:,} | {name} | {100 * r['false_alarms']:.1f} % "
                    f"| {100 * r['coverage']:.1f} % | {100 * r['found']:.0f} % "
                    f"| {100 * r['of_one']:.1f} % |"
                )
                print(lines[-1], flush=True)
    shares = ", ".join(f"{100 * share:.0f}" for share in SHARES)
    said = (
        f"`python benchmarks/calibration_several.py`, {comparisons:,} comparisons each "
        f"of equal cells (false alarms at 5 %) and of cells that differ, on texts with "
        f"labels that {shares} % of them have:"
    )
    write("several", said, lines)


if __name__ == "__main__":
    main(*list(map(int, sys.argv[1:])) or [COMPARISONS])
