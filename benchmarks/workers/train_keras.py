"""Trains stock Keras as its guides do: padded to 400, `fit` on arrays, defaults."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras_clock import Clock
from worker import OPTIONS, serve

tf.config.threading.set_intra_op_parallelism_threads(OPTIONS["threads"])
tf.config.threading.set_inter_op_parallelism_threads(OPTIONS["threads"])
sample = np.load(OPTIONS["sample"])
bounds = zip(sample["offsets"][:-1], sample["offsets"][1:], strict=True)
rows = [sample["token_ids"][a:b] for a, b in bounds]
inputs = keras.utils.pad_sequences(rows, maxlen=400)
labels = sample["label_ids"]
CELLS = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}
cell = OPTIONS["cell"]
middle = CELLS[cell](128) if cell in CELLS else layers.GlobalAveragePooling1D()
model = keras.Sequential(
    [
        layers.Embedding(int(sample["vocabulary_size"]), 128, mask_zero=True),
        middle,
        layers.Dense(2, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def epoch() -> dict[str, float]:
    """Trains one epoch."""
    clock = Clock()
    with clock:
        model.fit(inputs, labels, batch_size=64, verbose=0, callbacks=[clock.callback])
    return clock.seconds(len(inputs))


epoch()
serve(epoch)
