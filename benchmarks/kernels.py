"""Times the kernels that a CPU has for the recurrence: TensorFlow's loop and XLA.

Run as ``python benchmarks/kernels.py``; writes its table into benchmarks/RESULTS.md.
That ``seqclf/training/fit.py`` compiles without XLA is drawn from it. Shapes are fixed,
which is the best case for XLA: it compiles anew for each shape, and batches of similar
length have many.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import rounds

from seqclf.config import RunConfig, twin
from seqclf.model.backend import import_keras
from seqclf.model.build import build_model
from seqclf.training.fit import compile_model

BATCH, LENGTHS, VOCABULARY, LABELS = 64, (48, 240), 20_000, 2
ROUNDS, STEPS = 5, 4
KERNELS = {"TensorFlow loop": False, "XLA": True}


def model_of(cell: str, *, jit: bool) -> Any:
    """Returns a twin of the default recipe, compiled for one of the kernels."""
    config = twin(RunConfig(), cell)
    model = build_model(config.model, VOCABULARY, LABELS, seed=0)
    compile_model(model, config.training, steps=1000)
    if jit:
        model.compile(model.optimizer, loss=model.loss, jit_compile=True)
    return model


def batch_of(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns token ids [batch, length], some rows padded, and one-hot labels."""
    rng = np.random.default_rng(0)
    token_ids = rng.integers(1, VOCABULARY, (BATCH, length)).astype(np.int32)
    token_ids[::4, -length // 10 :] = 0
    return token_ids, np.eye(LABELS, dtype=np.float32)[rng.integers(0, LABELS, BATCH)]


def milliseconds(cell: str, length: int) -> dict[str, float]:
    """Returns the median milliseconds of a training step, the kernels in turns."""
    batch = batch_of(length)
    models = {name: model_of(cell, jit=jit) for name, jit in KERNELS.items()}
    for model in models.values():
        for _ in range(2):  # traces, compiles
            model.train_on_batch(*batch)
    rounds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            start = time.perf_counter()
            for _ in range(STEPS):
                model.train_on_batch(*batch)
            rounds[name].append(1000 * (time.perf_counter() - start) / STEPS)
    return {name: statistics.median(values) for name, values in rounds.items()}


def main() -> None:
    """Prints and writes the table."""
    import_keras()
    rows = []
    for cell in ("rnn", "gru", "lstm"):
        for length in LENGTHS:
            times = milliseconds(cell, length)
            loop, xla = times["TensorFlow loop"], times["XLA"]
            rows.append(
                (cell, length, f"{loop:.1f}", f"{xla:.1f}", f"{xla / loop:.2f}")
            )
            print(rows[-1], flush=True)
    rounds.section(
        "Kernels of the recurrence on a CPU",
        "python benchmarks/kernels.py",
        [
            f"Milliseconds a training step, default recipe, {BATCH} texts, median of "
            f"{ROUNDS} rounds in turns.",
            "",
            *rounds.table(
                ("cell", "tokens a text", "TensorFlow loop", "XLA", "XLA / loop"), rows
            ),
        ],
    )


if __name__ == "__main__":
    main()
