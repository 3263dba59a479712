"""Classifies a file as `seqclf predict --input` does, from Parquet to labels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from worker import OPTIONS, serve

from seqclf.bulk import Rows, predict_rows
from seqclf.classifier import Classifier
from seqclf.runs import Run

classifier = Classifier.open(Run(Path(OPTIONS["run"])))


def predict() -> dict[str, float]:
    """Classifies all rows."""
    start = time.perf_counter()
    rows = Rows(Path(OPTIONS["file"]), "utf-8")
    labels = [
        part.probabilities.argmax(1) for part in predict_rows(classifier, rows, None)
    ]
    count = len(np.concatenate(labels))
    return {"rate": count / (time.perf_counter() - start)}


predict()
serve(predict)
