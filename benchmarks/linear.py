"""Times the linear classifiers on IMDB beside the twins; train and predict.

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

import numpy as np
import pyarrow as pa
import rounds
from pyarrow import parquet
from threadpoolctl import threadpool_limits

from seqclf.classifier import Classifier
from seqclf.config import DataConfig, TextConfig
from seqclf.data.load import load_dataset
from seqclf.evaluation.baselines import BASELINES, Baseline
from seqclf.linear.ngrams import tokenized
from seqclf.runs import Run
from seqclf.runs.comparisons import read_comparison
from seqclf.text.encoding import EncodedDataset, encode_dataset

MODELS = Path(os.environ.get("SEQCLF_MODELS", rounds.HERE.parent / "models"))
IMDB = rounds.DATA / "imdb"
PREDICTIONS = 4000
GOOD_FOR = {
    "fastText": "very many texts, very many labels; no probabilities to rely on",
    "tf-idf + logistic regression": "the first thing to try; words can be looked at",
    "nb-svm": "the same, often a little better on short texts",
    "none": "what pooled word vectors alone can do",
    "dense": "to tell a recurrent layer's gain from any layer's",
    "rnn": "to see what gates are for",
    "gru": "texts in which the order of words matters",
    "lstm": "the same, with a third more parameters",
}
Row = tuple[str, ...]


def row(name: str, seconds: float, rate: float, accuracy: float) -> Row:
    """Returns a line of the table: seconds to train, texts a second, fraction right."""
    first = name.split(",")[0]
    shown = (f"{seconds:.0f}", f"{rate:,.0f}", f"{100 * accuracy:.1f}")
    return name, *shown, GOOD_FOR[first]


def of_fasttext() -> Row:
    """Trains and tests fastText with pairs of words."""
    script = str(rounds.HERE / "workers" / "fasttext_imdb.py")
    command = [rounds.peers_python(), script, str(IMDB)]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    figures = json.loads(done.stdout)
    return row(
        "fastText, words and pairs",
        figures["train"],
        figures["rate"],
        figures["accuracy"],
    )


def of_baseline(baseline: Baseline, data: EncodedDataset) -> Row:
    """Fits a baseline of `seqclf compare` as that does, choices included."""
    start = time.perf_counter()
    with threadpool_limits(limits=1):
        model = baseline.fit(data).model
    seconds = time.perf_counter() - start
    right = model.logits_of(tokenized(data.texts("test"))).argmax(1)
    classifier = Classifier(
        model.predict, model.vocabulary, TextConfig(max_length=10**9), data.labels
    )
    texts = data.texts("test").slice(0, PREDICTIONS).combine_chunks()
    start = time.perf_counter()
    classifier.predict_proba(texts)
    rate = PREDICTIONS / (time.perf_counter() - start)
    is_right = right == data.splits["test"].label_ids
    return row(baseline.title, seconds, rate, is_right.mean())


def of_twins() -> list[Row]:
    """Returns the rows of the twins, from saved files and runs."""
    folder = MODELS / "imdb-compare"
    if not (folder / "comparison.json").exists():
        return []
    return [
        row(
            one.name,
            one.seconds_to_best,
            twin_rate(MODELS / Path(one.runs[0]).name),
            one.accuracy.mean,
        )
        for one in read_comparison(folder).twins
    ]


def twin_rate(path: Path) -> float:
    """Returns the texts a second of a run, from text to label."""
    table = parquet.read_table(IMDB / "test.parquet", columns=["text"])
    chosen = np.random.default_rng(0).choice(table.num_rows, PREDICTIONS, replace=False)
    texts: pa.ChunkedArray = table["text"].take(chosen)
    classifier = Classifier.open(Run(path))
    classifier.predict_proba(texts.slice(0, 64).to_pylist())
    start = time.perf_counter()
    classifier.predict_proba(texts.to_pylist())
    return PREDICTIONS / (time.perf_counter() - start)


def main() -> None:
    """Prints and writes the table."""
    config = DataConfig(source=str(IMDB))
    rows = [of_fasttext()]
    with tempfile.TemporaryDirectory() as folder:
        data = encode_dataset(load_dataset(config), config, TextConfig(), Path(folder))
        for name in ("tf-idf", "nb-svm"):
            rows.append(of_baseline(BASELINES[name], data))
    rows += of_twins()
    rounds.section(
        "Linear classifiers",
        "python benchmarks/linear.py",
        [
            "IMDB, official split, n = 25,000 in test. fastText: lower-cased words, "
            "learning rate 0.5, 5 epochs, 50 dimensions, on all of train, classifies "
            "prepared texts one by one; the others hold a tenth of train out to choose "
            "by. Texts a second: from text to label. Twins: default recipe, seconds to "
            "the best epoch, means over the seeds of the comparison.",
            "",
            *rounds.table(
                ("classifier", "s to train", "texts/s classified", "test accuracy, %",
                 "good for"),
                rows,
            ),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
