"""Times training against stock Keras and PyTorch, on the same token ids of IMDB.

Run as ``python benchmarks/training.py``; writes its section of benchmarks/RESULTS.md.
Embedding 128, 128 units, one direction, batches of 64, up to 400 tokens, the last
state, float32. Rounds are epochs over a sample of the training reviews.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import rounds

from seqclf.cells import CELLS, DEFAULT_CELLS
from seqclf.config import DataConfig, TextConfig, TrainingConfig
from seqclf.data.load import load_dataset
from seqclf.system import cores
from seqclf.text.batching import epoch_order
from seqclf.text.encoding import EncodedDataset, encode_dataset

REVIEWS = 1920
PACKED_BATCHES = 5  # tutorials' PyTorch takes minutes for more
TITLE = "Training"


def write_sample(folder: Path) -> tuple[Path, EncodedDataset]:
    """Writes what all contenders train on; returns the file, and the whole data set."""
    data = DataConfig(source=str(rounds.DATA / "imdb"))
    encoded = encode_dataset(load_dataset(data), data, TextConfig(), folder)
    train = encoded.splits["train"]
    rows = np.random.default_rng(0).choice(len(train), REVIEWS, replace=False)
    parts = [train.token_ids[train.offsets[i] : train.offsets[i + 1]] for i in rows]
    lengths = np.array([len(part) for part in parts])
    order = epoch_order(lengths, TrainingConfig(batch_size=64), epoch=1)
    file = folder / "sample.npz"
    np.savez(
        file,
        token_ids=np.concatenate(parts),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        label_ids=train.label_ids[rows],
        vocabulary_size=len(encoded.vocabulary),
        order=np.concatenate(order),
        cuts=np.cumsum([len(batch) for batch in order])[:-1],
    )
    return file, encoded


def flops_a_token(cell: str) -> float:
    """Returns the multiplications and additions of training on one token.

    Two for each weight of the cell's matrices, three times: forward, and backward to
    the inputs and to the weights.
    """
    one = CELLS[cell]
    return 3 * 2 * one.parts * 128 * (256 if one.recurs else 128)


def matrix_peak() -> float:
    """Returns the float32 operations a second of a large matrix product."""
    import tensorflow as tf

    a = tf.random.normal([2048, 2048])
    durations = []
    for _ in range(12):
        start = time.perf_counter()
        tf.matmul(a, a).numpy()
        durations.append(time.perf_counter() - start)
    return 2 * 2048**3 / statistics.median(durations[2:])


def measure(cell: str, sample: Path) -> dict[str, dict[str, float]]:
    """Returns the figures of all contenders for one cell."""
    common = {"cell": cell, "sample": str(sample), "threads": cores()}
    packed = {"packed": True, "batches": PACKED_BATCHES}
    with contextlib.ExitStack() as stack:
        contenders = {
            name: stack.enter_context(rounds.Contender(script, **options, **common))
            for name, script, options in (
                ("seqclf", "train_seqclf.py", {}),
                ("seqclf, --batch-tokens", "train_seqclf.py", {"batch_tokens": 15_000}),
                ("stock Keras", "train_keras.py", {}),
                ("PyTorch, padded", "train_torch.py", {"packed": False, "peer": True}),
                ("PyTorch, packed", "train_torch.py", packed | {"peer": True}),
            )
        }
        return rounds.in_turns(contenders)


def main() -> None:
    """Prints and writes the table."""
    rounds.peers_python()
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as folder:
        sample, _ = write_sample(Path(folder))
        tokens = np.load(sample)["offsets"][-1] / REVIEWS
        peak = matrix_peak()
        for cell in DEFAULT_CELLS.split(","):
            figures = measure(cell, sample)
            ours = figures["seqclf"]
            for name, values in figures.items():
                of_peak = values["steady"] * tokens * flops_a_token(cell) / peak
                rows.append(
                    (
                        cell,
                        name,
                        f"{values['steady']:.0f}",
                        f"{ours['steady'] / values['steady']:.2f}",
                        f"{values['whole']:.0f}",
                        f"{ours['whole'] / values['whole']:.2f}",
                        f"{100 * values['stall']:.1f} %",
                        f"{100 * of_peak:.0f} %" if cell != "none" else "–",
                        f"{values['peak_mb']:.0f}",
                    )
                )
                print(rows[-1], flush=True)  # noqa: T201
    header = (
        "cell", "contender", "reviews/s in the steps", "seqclf is … times as fast",
        "reviews/s of a whole epoch", "seqclf is … times as fast", "waiting at its end",
        "of the matrix peak", "peak MB",
    )  # fmt: skip
    notes = [
        f"Epochs over {REVIEWS:,} reviews of IMDB ({tokens:.0f} tokens at the mean, up "
        f"to 400), 128 units in one direction, batches of 64, median of "
        f"{rounds.ROUNDS} rounds in turns, {cores()} threads each. Stock Keras: "
        f"padded to 400, `fit` on arrays. PyTorch, padded: seqclf's batches, fused "
        f"AdamW. PyTorch, packed: `pack_padded_sequence` as in its tutorials, "
        f"{PACKED_BATCHES} batches a round. --batch-tokens 15000. Matrix peak: "
        f"{peak / 1e9:.0f} GFLOP/s in float32; a training step's share counts the "
        f"recurrent layer alone.",
        "",
    ]
    rounds.section(
        TITLE, "python benchmarks/training.py", [*notes, *rounds.table(header, rows)]
    )


if __name__ == "__main__":
    main()
