"""Times the linear classifiers on IMDB: fastText, and TF-IDF + logistic regression.

Run as ``python benchmarks/linear.py``; writes its section of benchmarks/RESULTS.md. The
twins' rows come from the comparison that benchmarks/results.py made, if it is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import rounds

from seqclf.config import DataConfig, TextConfig
from seqclf.data import load_dataset
from seqclf.evaluation.baselines import tfidf
from seqclf.text.encoding import encode_dataset

MODELS = Path(os.environ.get("SEQCLF_MODELS", rounds.HERE.parent / "models"))
IMDB = rounds.DATA / "imdb"
Row = tuple[str, str, str]


def of_fasttext() -> Row:
    """Trains and tests fastText with pairs of words."""
    script = str(rounds.HERE / "workers" / "fasttext_imdb.py")
    command = [rounds.peers_python(), script, str(IMDB)]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    figures = json.loads(done.stdout)
    return (
        "fastText, words and pairs",
        f"{figures['train']:.0f}",
        f"{100 * figures['accuracy']:.1f}",
    )


def of_logistic_regression() -> Row:
    """Fits the baseline of `seqclf compare`, its choice of C included."""
    config = DataConfig(source=str(IMDB))
    with tempfile.TemporaryDirectory() as folder:
        data = encode_dataset(load_dataset(config), config, TextConfig(), Path(folder))
        start = time.perf_counter()
        probabilities, _ = tfidf(data)
        seconds = time.perf_counter() - start
        right = probabilities["test"].argmax(1) == data.splits["test"].label_ids
    return (
        "TF-IDF + logistic regression, words and pairs",
        f"{seconds:.0f}",
        f"{100 * right.mean():.1f}",
    )


def of_twins() -> list[Row]:
    """Returns the rows of the twins, from saved files."""
    file = MODELS / "imdb-compare" / "comparison.json"
    if not file.exists():
        return []
    rows = json.loads(file.read_text("utf-8"))["rows"]
    return [
        (row["cell"], f"{row['seconds_to_best']:.0f}",
         f"{100 * row['accuracy']['mean']:.1f}")
        for row in rows if row["kind"] == "recurrent"
    ]  # fmt: skip


def main() -> None:
    """Prints and writes the table."""
    rows = [of_fasttext(), of_logistic_regression(), *of_twins()]
    rounds.section(
        "Linear classifiers",
        "python benchmarks/linear.py",
        [
            "IMDB, official split, n = 25,000 in test. fastText: lower-cased words, "
            "learning rate 0.5, 5 epochs, 50 dimensions, on all of train; the others "
            "hold a tenth of train out to choose by. Twins: default recipe, seed 0, "
            "seconds to the best epoch.",
            "",
            *rounds.table(("classifier", "s to train", "test accuracy, %"), rows),
        ],
    )


if __name__ == "__main__":
    main()
