"""Classifies a file by `keras.Model.predict`, on length-sorted batches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from pyarrow import parquet
from worker import OPTIONS, serve

from seqclf.runs import Run
from seqclf.text.batching import pad, sorted_order
from seqclf.text.encoding import Examples
from seqclf.text.vocabulary import encode_texts

run = Run(Path(OPTIONS["run"]))
model = keras.models.load_model(run.path / "model.keras", compile=False)


def predict() -> dict[str, float]:
    """Classifies all rows."""
    start = time.perf_counter()
    texts = parquet.read_table(OPTIONS["file"])["text"].combine_chunks()
    token_ids, offsets = encode_texts(texts, run.vocabulary, run.config.text)
    examples = Examples(token_ids, offsets, np.zeros(len(texts), np.int32))
    order = np.argsort(examples.lengths, kind="stable")

    def batches() -> Iterator[np.ndarray]:
        for rows in sorted_order(examples.lengths, 64):
            yield pad(examples, rows).token_ids

    dataset = tf.data.Dataset.from_generator(
        batches, output_signature=tf.TensorSpec([None, None], tf.int32)
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    logits = model.predict(dataset.with_options(options), verbose=0)
    labels = np.empty(len(texts), np.int64)
    labels[order] = logits.argmax(1)
    return {"rate": len(labels) / (time.perf_counter() - start)}


predict()
serve(predict)
