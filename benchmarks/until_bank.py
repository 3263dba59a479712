"""Replays comparisons that add seeds from a bank of real trainings.

Run as ``python benchmarks/until_bank.py FOLDER [SEEDS]``: trains small nets on the
built-in corpus, 50 of each cell unless said otherwise, in a folder where it goes on if
it was interrupted. Then it draws from them without replacement, as if each draw were a
comparison of its own, and says how many trainings it took, how often it decided as the
whole bank does, and how often two draws of one cell were told apart. Writes into
docs/statistics.md if no cell of the bank has less than twice the seeds of a comparison.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from until_decided import SECONDS, Drawn, Truth, alike, fixed, until_decided, write

from seqclf.comparison.design import MOST_SEEDS
from seqclf.data.dataset import TEST
from seqclf.evaluation.failed import failed_seeds
from seqclf.runs import Run

SEEDS, REPLAYS = 50, 1000
OPTIONS = ("--units=16", "--embedding-size=32", "--epochs=4", "--limit=2000")
QUESTIONS = Truth("", alike(0.0), alike(0.0), 0).questions


def trained(folder: Path, seeds: int) -> Drawn:
    """Trains the bank, or goes on with it; returns its runs in the order of seeds."""
    models = folder / "models"
    command = [sys.executable, "-m", "seqclf", "compare", *OPTIONS, f"--seeds={seeds}"]
    places = [f"--models-dir={models}", f"--cache-dir={folder / 'cache'}"]
    subprocess.run([*command, *places, "--quiet"], check=True, stdout=sys.stderr)
    right, failed = {}, {}
    for cell in SECONDS:
        group = [Run(models / f"demo-{cell}-{seed}") for seed in range(seeds)]
        right[cell] = np.array([run.predictions(TEST).right for run in group])
        failed[cell] = np.isin(range(seeds), failed_seeds(group))
    return Drawn(right, failed)


def drawn_again(bank: Drawn, rng: np.random.Generator) -> Drawn:
    """Puts the trainings of each cell in another order."""
    orders = {c: rng.permutation(len(right)) for c, right in bank.right.items()}
    return Drawn(
        {cell: bank.right[cell][order] for cell, order in orders.items()},
        {cell: bank.failed[cell][order] for cell, order in orders.items()},
    )


def halves(drawn: Drawn, cell: str) -> Drawn:
    """Makes two cells of one, which are equal."""
    half = len(drawn.right[cell]) // 2
    parts = {"a": slice(half), "b": slice(half, 2 * half)}
    return Drawn(
        {name: drawn.right[cell][part] for name, part in parts.items()},
        {name: drawn.failed[cell][part] for name, part in parts.items()},
    )


def table(bank: Drawn, replays: int) -> str:
    """Replays, and returns the table."""
    rng = np.random.default_rng(0)
    seeds = len(bank.right["gru"])
    whole = fixed(bank, QUESTIONS, seeds).found
    pairs = sum(map(len, QUESTIONS))
    trainings, decided, agree, alarms = [], [], [], []
    for _ in range(replays):
        drawn = drawn_again(bank, rng)
        went = until_decided(drawn, QUESTIONS, min(MOST_SEEDS, seeds))
        trainings.append(sum(went.seeds.values()))
        decided.append(len(went.found) / pairs)
        agree += [whole.get(pair) == kind for pair, kind in went.found.items()]
        same = until_decided(halves(drawn, "gru"), [[("a", "b")]], seeds // 2)
        alarms.append("better" in same.found.values())
    shares = (decided, agree, alarms)
    shown = " | ".join(f"{100 * np.mean(one):.1f} %" for one in shares if one)
    return (
        f"| trainings | pairs decided | as the whole bank does | GRU told apart from "
        f"GRU |\n|---:|---:|---:|---:|\n| {np.mean(trainings):.0f} | {shown} |"
    )


def main(folder: Path, seeds: int) -> None:
    """Prints the table, and writes it if the bank is large enough."""
    text = table(trained(folder, seeds), REPLAYS)
    print(text)
    if seeds >= 2 * MOST_SEEDS:
        said = f"`python benchmarks/until_bank.py FOLDER`, {seeds} trainings of each"
        write("bank", f"{said} cell, {REPLAYS:,} replays:\n\n{text}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS)
