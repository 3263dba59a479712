"""Times commands from a cold process: help, and the prediction of one text.

Run as ``python benchmarks/cold.py``; writes its section of benchmarks/RESULTS.md.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import rounds

WITH_KERAS = """
import json, sys
import keras
import numpy as np
folder = sys.argv[1]
vocabulary = open(folder + "/vocabulary.txt", encoding="utf-8").read().splitlines()
ids = {token: i for i, token in enumerate(vocabulary)}
model = keras.models.load_model(folder + "/model.keras", compile=False)
tokens = np.array([[ids.get(word, 1) for word in "a great film".split()]])
print(model.predict(tokens, verbose=0))
"""


def main() -> None:
    """Prints and writes the table."""
    seqclf = [sys.executable, "-m", "seqclf"]
    with tempfile.TemporaryDirectory() as folder:
        train = ["train", "--cell=gru", "--epochs=1", "--quiet"]
        subprocess.run([*seqclf, *train], cwd=folder, check=True, capture_output=True)
        run = Path(folder) / "models" / "demo-gru-0"
        commands = {
            "`seqclf --help`": [*seqclf, "--help"],
            '`seqclf predict "a great film"`': [*seqclf, "predict", "a great film"],
            "stock Keras: `load_model`, `predict` of the same text": [
                sys.executable, "-c", WITH_KERAS, str(run)
            ],
        }  # fmt: skip
        taken: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
        for _ in range(rounds.ROUNDS + 1):  # the first fills the disk's cache
            for name, command in commands.items():
                taken[name].append(rounds.whole_process(command, cwd=folder))
    rows = []
    for name, all_ in taken.items():
        seconds = statistics.median(s for s, _ in all_[1:])
        rows.append((name, f"{seconds:.2f}", f"{max(m for _, m in all_) / 1e6:.0f}"))
    rounds.section(
        "Cold start",
        "python benchmarks/cold.py",
        [
            f"Whole processes, from start to end, median of {rounds.ROUNDS} in turns.",
            "",
            *rounds.table(("command", "s", "peak MB"), rows),
        ],
    )


if __name__ == "__main__":
    main()
