"""Checks seqclf on one GPU, and times it there, in less than eight minutes.

Run as ``python benchmarks/gpu.py`` on a machine with a card; writes its section of
benchmarks/RESULTS.md, to be sent back. It ends with 1 if a cell does not run on cuDNN
or gives other numbers than on the CPU. ``--cpu`` tries the script where there is none,
and writes nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rounds
import training

from seqclf.cells import DEFAULT_CELLS
from seqclf.config import ModelConfig, TrainingConfig
from seqclf.model import backend
from seqclf.model.build import build_model
from seqclf.model.kernels import CUDNN, LOOP, kernel_of, use_kernel
from seqclf.training.fit import compile_model

# The comparison and the contenders need the card beside this process.
os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"

CELLS = [cell for cell in DEFAULT_CELLS.split(",") if cell != "none"]
MOST = 1e-4  # between a probability, or a share of the largest gradient, here and there
VOCABULARY, BATCH, TIME = 30_000, 64, 236


def batch() -> np.ndarray:
    """Returns token ids of texts of any lengths, int32 [batch, time], padded."""
    generator = np.random.default_rng(0)
    ids = generator.integers(2, VOCABULARY, (BATCH, TIME)).astype(np.int32)
    lengths = generator.integers(1, TIME + 1, BATCH)
    ids[np.arange(TIME) >= lengths[:, None]] = 0
    return ids


def model_of(cell: str, bidirectional: bool, kernel: str) -> Any:
    """Returns the default network with a kernel, the same weights each time."""
    config = ModelConfig(cell=cell, bidirectional=bidirectional)
    model = build_model(config, VOCABULARY, 2, seed=0)
    use_kernel(model, kernel)
    return model


def answers(model: Any, ids: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Returns probabilities, and the gradients of the loss, without dropout."""
    import tensorflow as tf

    wanted = tf.one_hot(np.arange(len(ids)) % 2, 2)
    with tf.GradientTape() as tape:
        logits = model(ids, training=False)
        loss = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
    found = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return tf.nn.softmax(logits).numpy(), [
        tf.convert_to_tensor(g).numpy() for g in found
    ]


def difference(cell: str, bidirectional: bool, kernel: str) -> tuple[float, float]:
    """Returns how far the CPU's loop is: of a probability, of the largest gradient."""
    import tensorflow as tf

    ids = batch()
    here = answers(model_of(cell, bidirectional, kernel), ids)
    with tf.device("/CPU:0"):
        there = answers(model_of(cell, bidirectional, "loop"), ids)
    gradients = zip(here[1], there[1], strict=True)
    return (
        float(np.abs(here[0] - there[0]).max()),
        max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in gradients),
    )


def checked(kernel: str, wanted: str) -> Iterator[tuple[str, ...]]:
    """Yields a row of each cell and direction; its last column says what is wrong."""
    for cell in CELLS:
        for bidirectional in (False, True):
            model = model_of(cell, bidirectional, kernel)
            compile_model(model, TrainingConfig(), steps=10)
            runs, far = kernel_of(model), difference(cell, bidirectional, kernel)
            wrong = "" if runs == wanted else f"not {wanted}"
            wrong = wrong if max(far) <= MOST else f"{wrong} other numbers".strip()
            ways = "both directions" if bidirectional else "one direction"
            figures = (f"{far[0]:.1e}", f"{far[1]:.1e}")
            row = (f"{cell}, {ways}", runs, *figures, wrong or "as it should be")
            print(*row, sep="  ", flush=True)
            yield row


def speeds(folder: Path, times: int) -> Iterator[tuple[str, ...]]:
    """Yields reviews a second of each cell, beside stock Keras, in turns."""
    sample, _ = training.write_sample(folder)
    for cell in DEFAULT_CELLS.split(","):
        options = {"cell": cell, "sample": str(sample), "threads": training.cores()}
        with contextlib.ExitStack() as stack:
            contenders = {
                name: stack.enter_context(rounds.Contender(script, **options))
                for name, script in (
                    ("seqclf", "train_seqclf.py"), ("stock Keras", "train_keras.py")
                )
            }  # fmt: skip
            figures = rounds.in_turns(contenders, times)
        print(cell, figures, flush=True)
        both = [figures[name]["steady"] for name in ("seqclf", "stock Keras")]
        yield (cell, *(f"{one:.0f}" for one in both), f"{both[0] / both[1]:.2f}")


def compared(folder: Path, options: Sequence[str]) -> float:
    """Returns the seconds of a whole comparison of IMDB."""
    command = [sys.executable, "-m", "seqclf", "compare", "--quiet", *options]
    command += [f"--data={rounds.DATA / 'imdb'}", f"--models-dir={folder / 'models'}"]
    start = time.perf_counter()
    subprocess.run([*command, f"--cache-dir={folder / 'cache'}"], check=True)
    return time.perf_counter() - start


def peak_megabytes() -> str:
    """Returns the most memory of the card that this process has held."""
    import tensorflow as tf

    return f"{tf.config.experimental.get_memory_info('GPU:0')['peak'] / 1e6:.0f} MB"


def main() -> None:
    """Prints and writes the tables."""
    import tensorflow as tf

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true", help="try it without a card")
    on_cpu = parser.parse_args().cpu
    if not on_cpu and not backend.gpus():
        sys.exit("TensorFlow sees no GPU: seqclf doctor tells what it sees.")
    kernel, wanted = ("loop", LOOP) if on_cpu else ("cudnn", CUDNN)
    card = "no GPU, a trial of the script" if on_cpu else backend.gpus()[0]
    # Products of float32 are rounded to 10 bits on newer cards, unless they are not.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    rows = list(checked(kernel, wanted))
    memory = "" if on_cpu else f" The checks held at most {peak_megabytes()} of it."
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timed = list(speeds(folder, 1 if on_cpu else 3))
        options = ["--seeds=1", "--limit=300", "--epochs=1"]
        options = options if on_cpu else ["--seeds=3", "--require-cudnn"]
        seconds = compared(folder, options)
    head = ("cell", "kernel in the graph", "probability", "gradient", "")
    text = [
        f"{card}.{memory} Greatest differences from TensorFlow's loop on the CPU, "
        f"{BATCH} texts of up to {TIME} tokens, of a gradient as a share of its "
        f"largest entry; {MOST:g} is allowed.",
        "",
        *rounds.table(head, rows),
        "",
        "Reviews of IMDB a second in training, one direction, in turns:",
        "",
        *rounds.table(("cell", "seqclf", "stock Keras", "ratio"), timed),
        "",
        f"`seqclf compare --data imdb {' '.join(options)}`: {seconds:.0f} s.",
    ]
    if on_cpu:
        print("\n".join(text))
        return
    rounds.section("On a GPU", "python benchmarks/gpu.py", text)
    if any(row[-1] != "as it should be" for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
