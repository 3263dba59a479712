"""Classifies a file as `seqclf predict --input` does, from Parquet to labels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from worker import OPTIONS, serve

from seqclf.bulk import predict_rows
from seqclf.bulk.chunks import Options
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import find_source
from seqclf.classifier import Classifier
from seqclf.records.reading import NOTHING_SAID
from seqclf.runs import Run

run = Run(Path(OPTIONS["run"]))
classifier = Classifier.open(run)


def predict() -> dict[str, float]:
    """Classifies all rows."""
    start = time.perf_counter()
    options = Options(NOTHING_SAID, run.reading, "fail", False)
    rows = open_rows(find_source(Path(OPTIONS["file"])), options)
    answered = predict_rows(classifier, rows.read())
    labels = [part.probabilities.argmax(1) for part in answered]
    count = len(np.concatenate(labels))
    return {"rate": count / (time.perf_counter() - start)}


predict()
serve(predict)
