"""Trains fastText on IMDB and classifies its test split; prints JSON."""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
from pathlib import Path

import fasttext
from pyarrow import parquet


def lines(file: Path) -> tuple[list[str], list[int]]:
    """Returns lower-cased texts, punctuation apart, and labels."""
    table = parquet.read_table(file)
    texts = table["text"].to_pylist()
    return [
        " ".join(re.findall(r"\w+|[^\w\s]", text.lower().replace("<br />", " ")))
        for text in texts
    ], table["label"].to_pylist()


folder = Path(sys.argv[1])
texts, labels = lines(folder / "train.parquet")
with tempfile.TemporaryDirectory() as work:
    file = Path(work) / "train.txt"
    rows = list(zip(texts, labels, strict=True))
    random.Random(0).shuffle(rows)  # they come sorted by label
    file.write_text("".join(f"__label__{y} {x}\n" for x, y in rows), "utf-8")
    start = time.perf_counter()
    model = fasttext.train_supervised(
        str(file), wordNgrams=2, lr=0.5, epoch=5, dim=50, thread=2, verbose=0
    )
    trained = time.perf_counter() - start
texts, labels = lines(folder / "test.parquet")
start = time.perf_counter()
# One by one: the list form of predict fails with this version of numpy.
predicted = [model.f.predict(text + "\n", 1, 0.0, "strict")[0][1] for text in texts]
seconds = time.perf_counter() - start
right = [p == f"__label__{y}" for p, y in zip(predicted, labels, strict=True)]
print(json.dumps({"train": trained, "accuracy": sum(right) / len(right),
                  "rate": len(right) / seconds}))  # fmt: skip
