"""Times the prediction of one text, and of a few, with a model that is open.

Run as ``python benchmarks/single.py``; writes its section of benchmarks/RESULTS.md.
Reviews of the data set mr; an LSTM of the default recipe, in this one process.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import rounds
from pyarrow import parquet

from seqclf.classifier import Classifier
from seqclf.text.few import encode_few
from seqclf.text.vocabulary import encode_texts

TEXTS = 1000
SIZES = (1, 4, 16, 64, 128, 256, 512)


def opened(folder: str) -> Classifier:
    """Trains a run for one epoch, and opens it."""
    command = [sys.executable, "-m", "seqclf", "train", "--cell=lstm", "--epochs=1"]
    command += [f"--data={rounds.DATA / 'mr'}", f"--models-dir={folder}", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)
    return Classifier.open("mr-lstm-0", folder)


def milliseconds(call: Callable[[], object]) -> float:
    """Returns how long one call takes."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def one_text(model: Classifier, texts: list[str]) -> list[tuple[str, ...]]:
    """Returns the rows of the first table: medians over single texts, in turns."""
    taken: dict[str, list[float]] = {"whole": [], "Arrow": [], "ONNX": []}
    most, labels = 0.0, 0
    for text in texts:
        ids = encode_few([text], model.vocabulary, model.text)[0][None]
        taken["whole"].append(milliseconds(lambda t=text: model.predict([t])))
        array = pa.array([text])
        taken["Arrow"].append(milliseconds(lambda a=array: model.predict(a)))
        taken["ONNX"].append(milliseconds(lambda i=ids: model.logits(i)))
        pair = model.predict_proba([text]), model.predict_proba(array)
        most = max(most, float(np.abs(pair[0] - pair[1]).max()))
        labels += int(pair[0].argmax() != pair[1].argmax())
    print(f"greatest difference {most}, other labels {labels} of {len(texts)}")
    names = {
        "whole": "`Classifier.predict([text])`",
        "Arrow": "the same, read by Arrow, as many texts are",
        "ONNX": "ONNX Runtime alone, from token ids",
    }
    return [
        (name, f"{statistics.median(taken[key]):.2f}") for key, name in names.items()
    ]


def crossover(model: Classifier, texts: list[str]) -> list[tuple[str, ...]]:
    """Returns the rows of the second table: reading so many texts, either way."""
    rows = []
    for size in SIZES:
        some = texts[:size]
        array = pa.array(some)
        plain, arrow = [], []
        for _ in range(3 * rounds.ROUNDS):
            plain.append(
                milliseconds(lambda s=some: encode_few(s, model.vocabulary, model.text))
            )
            arrow.append(
                milliseconds(
                    lambda a=array: encode_texts(a, model.vocabulary, model.text)
                )
            )
        medians = statistics.median(plain), statistics.median(arrow)
        characters = sum(map(len, some))
        rows.append((f"{size}", f"{characters:,}", *(f"{m:.2f}" for m in medians)))
    return rows


def main() -> None:
    """Prints and writes the tables."""
    table = parquet.read_table(rounds.DATA / "mr" / "test.parquet")
    chosen = np.random.default_rng(0).permutation(table.num_rows)[:TEXTS]
    texts = table["text"].take(pa.array(chosen)).to_pylist()
    with tempfile.TemporaryDirectory() as folder:
        model = opened(folder)
        one_text(model, texts[:20])  # compiles the rules
        single, few = one_text(model, texts), crossover(model, texts)
    rounds.section(
        "One text",
        "python benchmarks/single.py",
        [
            f"An open LSTM, {len(texts):,} sentences of mr one by one, in turns; "
            f"medians.",
            "",
            *rounds.table(("what", "ms a text"), single),
            "",
            "Reading only, from texts to token ids, so many at a time, milliseconds:",
            "",
            *rounds.table(("texts", "characters", "plain Python", "Arrow"), few),
        ],
    )


if __name__ == "__main__":
    main()
