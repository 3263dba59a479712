"""Loads and encodes one file: by seqclf, or by Keras's TextVectorization."""

from __future__ import annotations

import os
import resource
import shutil
import time
from pathlib import Path

from worker import OPTIONS, peak_mb, serve

if OPTIONS.get("cores"):
    os.sched_setaffinity(0, range(OPTIONS["cores"]))
bare = peak_mb()


def by_seqclf() -> dict[str, float]:
    """From Parquet to cached Arrow ids, vocabulary included; then from the cache."""
    from seqclf.config import DataConfig, TextConfig
    from seqclf.data.load import load_dataset
    from seqclf.text.encoding import encode_dataset, open_encoded

    cache = Path(OPTIONS["cache"])
    shutil.rmtree(cache, ignore_errors=True)
    start, cpu = time.perf_counter(), _cpu()
    config = DataConfig(source=OPTIONS["source"])
    encoded = encode_dataset(load_dataset(config), config, TextConfig(), cache)
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    tokens = sum(len(split.token_ids) for split in encoded.splits.values())
    start = time.perf_counter()
    open_encoded(encoded.path)
    opened = time.perf_counter() - start
    return {"seconds": seconds, "cpu": cpu, "opened": opened, "tokens": tokens,
            "above_bare_mb": peak_mb() - bare}  # fmt: skip


def by_keras() -> dict[str, float]:
    """Adapts TextVectorization to the texts and applies it to them."""
    import keras
    import tensorflow as tf
    from pyarrow import parquet

    start, cpu = time.perf_counter(), _cpu()
    texts = parquet.read_table(OPTIONS["source"], columns=["text"])["text"].to_pylist()
    layer = keras.layers.TextVectorization(max_tokens=30_000, ragged=True)
    batches = tf.data.Dataset.from_tensor_slices(texts).batch(1024)
    layer.adapt(batches)
    tokens = 0
    for batch in batches:
        tokens += int(tf.size(layer(batch).flat_values))
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    return {"seconds": seconds, "cpu": cpu, "opened": 0.0, "tokens": tokens,
            "above_bare_mb": peak_mb() - bare}  # fmt: skip


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


do_round = {"seqclf": by_seqclf, "keras": by_keras}[OPTIONS["by"]]
if OPTIONS.get("warm"):
    do_round()
serve(do_round)
