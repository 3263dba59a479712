"""Asks whether batches of similar length cost accuracy, against batches at random.

Run as ``python benchmarks/buckets.py``; writes its section of benchmarks/RESULTS.md.
GRU, default recipe, on trec6 and on 5,000 reviews of IMDB, three seeds each way. The
test accuracies are reported and choose nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import rounds

from seqclf.config import DataConfig, ModelConfig, TextConfig, TrainingConfig
from seqclf.data.load import load_dataset
from seqclf.model.build import build_model
from seqclf.text import batching
from seqclf.text.encoding import EncodedDataset, encode_dataset
from seqclf.training.answers import predict_examples
from seqclf.training.fit import fit

SEEDS = (0, 1, 2)
# Batches that are sorted by length together: seqclf's, or each by itself, which leaves
# its examples as chance put them together.
WINDOWS = {"of similar length": batching.WINDOW_BATCHES, "at random": 1}


def train(data: EncodedDataset, seed: int, window: int) -> tuple[float, float]:
    """Returns test accuracy and the share of padding."""
    batching.WINDOW_BATCHES = window
    config = TrainingConfig(seed=seed)
    model = build_model(
        ModelConfig(cell="gru"), len(data.vocabulary), len(data.labels), seed
    )
    history = fit(model, data.splits["train"], data.splits["validation"], config)
    test = predict_examples(model, data.splits["test"])
    right = test.probabilities.argmax(1) == test.label_ids
    return float(right.mean()), history.padding_share


def main() -> None:
    """Prints and writes the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, limit in (("trec6", None), ("imdb", 5000)):
            config = DataConfig(source=str(rounds.DATA / name), limit=limit)
            data = encode_dataset(
                load_dataset(config), config, TextConfig(), Path(folder)
            )
            found: dict[str, list[tuple[float, ...]]] = {w: [] for w in WINDOWS}
            for seed in SEEDS:
                for batches, window in WINDOWS.items():
                    found[batches].append(train(data, seed, window))
                    print(name, seed, batches, found[batches][-1], flush=True)
            table = {w: np.array(all_) for w, all_ in found.items()}
            for batches, figures in table.items():
                accuracy = ", ".join(f"{100 * value:.1f}" for value in figures[:, 0])
                rows.append(
                    (name, batches, accuracy, f"{100 * figures[:, 0].mean():.1f}",
                     f"{100 * figures[:, 1].mean():.1f} %")
                )  # fmt: skip
            similar, random = (table[w][:, 0] for w in WINDOWS)
            difference = 100 * (similar - random)
            rows.append(
                (name, "difference", ", ".join(f"{d:+.1f}" for d in difference),
                 f"{difference.mean():+.1f}", "")
            )  # fmt: skip
    header = ("data", "batches", "test accuracy by seed, %", "mean", "padding")
    rounds.section(
        "Batches of similar length",
        "python benchmarks/buckets.py",
        ["GRU, default recipe, seeds 0 to 2, the same batches but for their division.",
         "", *rounds.table(header, rows)],
    )  # fmt: skip


if __name__ == "__main__":
    main()
