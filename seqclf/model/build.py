"""Builds the twins: one network, in which one line reads the cell.

Only stock Keras layers and operations are used, so stock Keras opens the saved file.

    token_ids [batch, time] -> embedding -> dropout -> [convolution]
      -> layers of the cell -> pooling over time -> dropout -> dense
      -> logits [batch, labels]
"""

from __future__ import annotations

import zlib
from typing import Any

from seqclf.cells import CELLS
from seqclf.config import GLOROT, ModelConfig
from seqclf.model import dials
from seqclf.model.backend import import_keras
from seqclf.poolings import POOLINGS
from seqclf.text.tokens import PADDING_ID

Tensor = Any

EMBEDDING, DROPOUT = "embedding", "dropout"
RECURRENT, DENSE = OF_CELLS = ("recurrent", "dense")  # begin the names of cells' layers
FIRST_LAYER = f"{RECURRENT}_0"
CONVOLUTION, LOGITS = "convolution", "logits"


def build_model(
    config: ModelConfig, vocabulary_size: int, num_labels: int, seed: int
) -> Any:
    """Builds one network with freshly drawn weights.

    Each layer has its own seed, derived from `seed` and the layer's name, so
    that twins have equal weights in all layers that they share.

    Args:
      config: The network; `cell` is the one thing in which twins differ.
      vocabulary_size: Number of token ids, padding and unknown included.
      num_labels: Labels, at least 2.
      seed: Seed of the initial weights and of dropout.

    Returns:
      An uncompiled keras.Model from token_ids int32 [batch, time], padded on the
      right with 0, to logits float32 [batch, num_labels].
    """
    keras = import_keras()
    layers, most = keras.layers, config.embedding_range
    uniform = keras.initializers.RandomUniform(-most, most, _seed(seed, EMBEDDING))
    token_ids = keras.Input(shape=(None,), dtype="int32", name="token_ids")
    states = layers.Embedding(
        vocabulary_size,
        config.embedding_size,
        mask_zero=True,
        embeddings_initializer=uniform,
        trainable=not config.freeze_embedding,
        name=EMBEDDING,
    )(token_ids)
    states = layers.Dropout(
        config.dropout_rate, seed=_seed(seed, "embedding_dropout"), name=DROPOUT
    )(states)
    if config.conv_width is not None:
        states = _convolved(config, token_ids, states, seed)
    if CELLS[config.cell].recurs:
        states = _recurrent(config, token_ids, states, seed)
    elif CELLS[config.cell].has_layer:
        states = _dense(config, states, seed)
    pooled = states
    if states.ndim == 3:
        pool = POOLINGS[config.pooling].in_keras
        pooled = pool(keras, _is_token(token_ids), states)
    pooled = layers.Dropout(
        config.dropout_rate, seed=_seed(seed, "pooled_dropout"), name="pooled_dropout"
    )(pooled)
    logits = layers.Dense(
        num_labels, kernel_initializer=glorot(seed, LOGITS), name=LOGITS
    )(pooled)
    model = keras.Model(token_ids, logits, name=f"seqclf_{config.cell}")
    dials.turn(model, config, seed)
    return model


def cell_layers(config: ModelConfig) -> list[str]:
    """Returns the names of the layers that stand for the cell, from below."""
    cell = CELLS[config.cell]
    kind = RECURRENT if cell.recurs else DENSE
    return [f"{kind}_{index}" for index in range(config.layers * cell.has_layer)]


def recurrent_parameters(config: ModelConfig) -> int:
    """Counts the weights of the cell's layers by their formulas."""
    cell, directions = CELLS[config.cell], 1 + config.bidirectional
    total, inputs = 0, config.embedding_size
    for _ in range(config.layers):
        total += directions * cell.parameters(inputs, config.units)
        inputs = directions * config.units
    return total


def _convolved(
    config: ModelConfig, token_ids: Tensor, states: Tensor, seed: int
) -> Tensor:
    """Lets each token's vector take in its neighbours': a filter bank, then ReLU.

    As in C-LSTM (Zhou et al. 2015, arXiv:1511.08630) nothing is pooled before the
    recurrent layer reads. There, and in Kim 2014 (EMNLP, D14-1181), filters stay
    within the text, which shortens it by `conv_width` - 1; a text shorter than the
    filters would have no state. Here a token keeps its place: filters are centred on
    it ("same"; of an even width, the odd token is taken from what follows). They are
    not causal, for a classifier has the whole text before it answers, and recurrence
    in one direction can then see what a word is followed by, with every cell alike.

    From states float32 [batch, time, embedding_size] to the same; arbitrary on padding.
    """
    keras = import_keras()
    # Filters at the last tokens reach into the padding: it has to be 0, as what is
    # outside of the batch is, or the answer would depend on how much of it there is.
    is_token = keras.ops.cast(_is_token(token_ids), "float32")
    return keras.layers.Conv1D(
        config.embedding_size,
        config.conv_width,
        padding="same",
        activation="relu",
        kernel_initializer=glorot(seed, CONVOLUTION),
        name=CONVOLUTION,
    )(states * is_token)


def _recurrent(
    config: ModelConfig, token_ids: Tensor, states: Tensor, seed: int
) -> Tensor:
    # Keras carries the mask from the embedding on, but not through a convolution.
    masked: dict[str, Tensor] = {}
    if config.conv_width is not None:
        masked = {"mask": import_keras().ops.not_equal(token_ids, PADDING_ID)}
    *_, top = names = cell_layers(config)
    for name in names:
        sequences = not (name == top and POOLINGS[config.pooling].is_last)
        states = _recurrent_layer(config, sequences, seed, name)(states, **masked)
    return states


def _dense(config: ModelConfig, states: Tensor, seed: int) -> Tensor:
    """Gives each token as many states as both directions of a recurrent layer have.

    One layer of that width: without recurrence two directions would be two halves of it
    that differ in nothing but their weights.
    """
    cell, width = CELLS[config.cell], config.units * (1 + config.bidirectional)
    layer = getattr(import_keras().layers, str(cell.layer))
    for name in cell_layers(config):
        kernel = glorot(seed, f"{name}/kernel")
        options = {"activation": config.activation, **cell.options}
        dense = layer(width, kernel_initializer=kernel, name=name, **options)
        states = dense(states)
    return states


def _recurrent_layer(config: ModelConfig, sequences: bool, seed: int, name: str) -> Any:
    keras, cell = import_keras(), CELLS[config.cell]
    layer = getattr(keras.layers, str(cell.layer))

    def one(direction: str, **options: Any) -> Any:
        options |= {"activation": config.activation, **cell.options}
        matrices = f"{name}/{direction}/recurrent"
        orthogonal = keras.initializers.Orthogonal(seed=_seed(seed, matrices))
        is_glorot = config.recurrent_init == GLOROT
        return layer(
            config.units,
            return_sequences=sequences,
            kernel_initializer=glorot(seed, f"{name}/{direction}/kernel"),
            recurrent_initializer=glorot(seed, matrices) if is_glorot else orthogonal,
            name=name if not config.bidirectional else f"{name}_{direction}",
            **options,
        )

    if not config.bidirectional:
        return one("forward")
    # Given apart: a copy made by Keras would start from the same weights.
    return keras.layers.Bidirectional(
        one("forward"), backward_layer=one("backward", go_backwards=True), name=name
    )


def _is_token(token_ids: Tensor) -> Tensor:
    """Returns bool [batch, time, 1], false on padding."""
    ops = import_keras().ops
    return ops.expand_dims(ops.not_equal(token_ids, PADDING_ID), -1)


def _seed(seed: int, name: str) -> int:
    return zlib.crc32(f"{seed}/{name}".encode()) & 0x7FFFFFFF


def glorot(seed: int, name: str) -> Any:
    """Returns Glorot's uniform initializer, its seed from `seed` and a name."""
    return import_keras().initializers.GlorotUniform(_seed(seed, name))
