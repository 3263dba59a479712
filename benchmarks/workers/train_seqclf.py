"""Trains a twin on the sample: batches of similar length, an untuned pipeline."""

from __future__ import annotations

import numpy as np
from worker import OPTIONS, serve

from seqclf.config import ModelConfig, TrainingConfig
from seqclf.model import backend
from seqclf.model.build import build_model
from seqclf.text.batching import num_batches, training_batches
from seqclf.text.encoding import Examples
from seqclf.training.fit import as_tf_dataset, compile_model

sample = np.load(OPTIONS["sample"])
backend.set_threads(OPTIONS["threads"])
keras = backend.import_keras()
from keras_clock import Clock  # noqa: E402 -- after the threads are set

cell = OPTIONS["cell"]
examples = Examples(sample["token_ids"], sample["offsets"], sample["label_ids"])
model = build_model(
    ModelConfig(
        cell=cell,
        units=128,
        embedding_size=128,
        bidirectional=False,
        dropout_rate=0.0,
        pooling="mean" if cell == "none" else "last",
    ),
    int(sample["vocabulary_size"]),
    2,
    seed=0,
)
config = TrainingConfig(
    batch_size=64,
    batch_tokens=OPTIONS.get("batch_tokens"),
    word_dropout_rate=0.0,
    label_smoothing=0.0,
)
steps = num_batches(examples.lengths, config, epoch=1)
compile_model(model, config, steps=1000 * steps)


def epoch() -> dict[str, float]:
    """Trains one epoch."""
    batches = training_batches(examples, config, epoch=1)
    clock = Clock()
    dataset = as_tf_dataset(batches, steps, 2, None)
    with clock:
        model.fit(dataset, shuffle=False, verbose=0, callbacks=[clock.callback])
    return clock.seconds(len(examples))


epoch()
serve(epoch)
