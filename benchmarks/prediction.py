"""Times the prediction of many texts, from Parquet to labels.

Run as ``python benchmarks/prediction.py``; writes its section of benchmarks/RESULTS.md.
Reviews of IMDB's test split; runs of one direction with 128 units and the last state.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rounds
from pyarrow import parquet

from seqclf.cells import CELLS, DEFAULT_CELLS
from seqclf.runs import Run
from seqclf.system import cores
from seqclf.text.vocabulary import encode_texts

REVIEWS = 4000
LOCAL = [
    "--limit=2000", "--epochs=1", "--pooling=last", "--quiet",
]  # fmt: skip


def train(cell: str, folder: Path) -> Run:
    """Trains a run: how well does not matter, how large does."""
    command = [sys.executable, "-m", "seqclf", "train", f"--cell={cell}"]
    command += [f"--data={rounds.DATA / 'imdb'}", f"--models-dir={folder}"]
    command += [f"--cache-dir={folder / 'cache'}", *LOCAL]
    command += ["--no-bidirectional"] if CELLS[cell].has_layer else []
    subprocess.run(command, check=True, capture_output=True)
    return Run(folder / f"imdb-{cell}-0")


def write_sample(run: Run, folder: Path) -> tuple[Path, Path]:
    """Writes some reviews as Parquet, and as token ids for PyTorch."""
    table = parquet.read_table(rounds.DATA / "imdb" / "test.parquet")
    rows = np.random.default_rng(0).choice(table.num_rows, REVIEWS, replace=False)
    file, sample = folder / "reviews.parquet", folder / "sample.npz"
    parquet.write_table(table.take(rows), file)
    texts = parquet.read_table(file)["text"].combine_chunks()
    token_ids, offsets = encode_texts(texts, run.vocabulary, run.config.text)
    size = len(run.vocabulary)
    np.savez(sample, token_ids=token_ids, offsets=offsets, vocabulary_size=size)
    return file, sample


def main() -> None:
    """Prints and writes the table."""
    rounds.peers_python()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for cell in DEFAULT_CELLS.split(","):
            run = train(cell, folder)
            file, sample = write_sample(run, folder)
            ours = {"run": str(run.path), "file": str(file)}
            peer = {"cell": cell, "sample": str(sample), "threads": cores()}
            with contextlib.ExitStack() as stack:
                contenders = {
                    name: stack.enter_context(rounds.Contender(script, **options))
                    for name, script, options in (
                        ("seqclf", "predict_seqclf.py", ours),
                        ("keras.predict", "predict_keras.py", ours),
                        ("PyTorch, from token ids", "predict_torch.py",
                         peer | {"peer": True}),
                    )
                }  # fmt: skip
                figures = rounds.in_turns(contenders)
            keras = figures["keras.predict"]["rate"]
            for contender, values in figures.items():
                rows.append(
                    (cell, contender, f"{values['rate']:.0f}",
                     f"{values['rate'] / keras:.2f}", f"{values['peak_mb']:.0f}")
                )  # fmt: skip
                print(rows[-1], flush=True)
    header = ("cell", "contender", "reviews/s", "× keras.predict", "peak MB")
    rounds.section(
        "Prediction of many texts",
        "python benchmarks/prediction.py",
        [
            f"{REVIEWS:,} reviews of IMDB's test split, from Parquet to labels, order "
            f"kept, processes warm; median of {rounds.ROUNDS} rounds in turns. "
            f"keras.predict runs on the same length-sorted batches. PyTorch is spared "
            f"reading and encoding.",
            "",
            *rounds.table(header, rows),
        ],
    )


if __name__ == "__main__":
    main()
