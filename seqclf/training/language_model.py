"""Pre-training: each direction of a twin's first layer learns to tell the next token.

The classifier then begins with these weights and with the word vectors learnt beside
them (Dai & Le 2015, arXiv:1511.01432). The loss is a softmax over the true token and
some that are drawn, the same for all places of a batch (Jean et al. 2015,
arXiv:1412.2007, section 3); the word vectors are the weights of the output, too (Press
& Wolf 2017, arXiv:1608.05859).
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.config import ADAMW, RunConfig, TrainingConfig
from seqclf.model.backend import import_keras
from seqclf.model.build import DROPOUT, EMBEDDING, FIRST_LAYER, build_model, glorot
from seqclf.model.dials import turned
from seqclf.model.kernels import use_kernel
from seqclf.records.training import PretrainingEnded, Report, Resumed
from seqclf.start.start import Start, begin_with, layers_to_keep
from seqclf.start.texts import FreeTexts
from seqclf.text import batching
from seqclf.text.encoding import Examples
from seqclf.text.tokens import PADDING_ID, RESERVED, UNKNOWN_ID
from seqclf.training.callbacks import keeper, reporter
from seqclf.training.checkpoint import Checkpoints, Standing
from seqclf.training.fit import pipeline
from seqclf.training.optimizer import optimizer_for

VERSION = 1  # of the procedure, in the name of the file
PIECE = 100  # tokens that are read in one go; longer texts are cut into such pieces
BATCH_SIZE = 64  # pieces
NEGATIVES = 512  # tokens that are drawn in each step
DROPOUT_RATE = 0.1
LEARNING_RATE = 2e-3
WANTED_TOKENS, MOST_EPOCHS = 15_000_000, 10


def language_model(
    config: RunConfig,
    start: Start,
    texts: FreeTexts,
    report: Report,
    checkpoints: Checkpoints,
) -> Start:
    """Trains a language model with the first recurrent layer of a twin.

    The layer that reads forward predicts the next token at each place, the one that
    reads backward the one before. As many whole epochs are trained as make 15 million
    tokens, but 1 to 10.

    Args:
      config: The twin, with its seed.
      start: The word vectors to begin with.
      texts: What to read.
      report: Receives its steps and the end of each epoch.
      checkpoints: Where its checkpoint is kept; it resumes from one that is there.

    Returns:
      What the twin begins with then: all word vectors, and the weights of that layer.
    """
    pieces, recipe = pieces_of(texts), recipe_of(config.training, texts)
    model = dataclasses.replace(
        config.model, layers=1, pooling="max", dropout_rate=DROPOUT_RATE
    )
    twin = build_model(model, len(start.known), 2, config.training.seed)
    begin_with(twin, start)
    use_kernel(twin, config.training.kernel)
    network = _network(twin, config.training.seed)
    epochs, steps = recipe.epochs or 1, batching.num_batches(pieces.lengths, recipe, 1)
    network.compile(optimizer_for(recipe, epochs * steps), jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    standing = checkpoints.restore(network)
    if standing.cuts:
        report(Resumed(epoch=standing.epoch, step=standing.step, history=()))
    while standing.epoch <= epochs:
        now, left = _dataset(pieces, recipe, len(start.known), standing)
        told = reporter(standing, epochs, steps, len(texts.token_ids) / steps, report)
        kept = keeper(standing, checkpoints, left)
        begun = time.perf_counter()
        done = network.fit(now, shuffle=False, verbose=0, callbacks=[told, kept])
        seconds = time.perf_counter() - begun + standing.seconds
        loss, epoch = float(done.history["loss"][0]), standing.epoch
        report(PretrainingEnded(epoch=epoch, epochs=epochs, loss=loss, seconds=seconds))
        standing = dataclasses.replace(
            standing, epoch=epoch + 1, step=0, seconds=seconds, metrics=()
        )
        checkpoints.save(network, standing)
    vectors = twin.get_layer(EMBEDDING).get_weights()[0]
    about = (
        f"{start.about}; then a language model over {len(texts.token_ids):,} tokens, "
        f"{epochs} times"
    )
    known = np.ones(len(vectors), bool)
    known[PADDING_ID] = False
    return Start(vectors, known, about, standing.seconds, layers_to_keep(twin))


def language_model_file(folder: Path, config: RunConfig) -> Path:
    """Returns the file of a trained language model in the folder of encoded data.

    Twins with the same first layer and seed share it, whatever comes behind.
    """
    model, training = config.model, config.training
    names = (
        "units", "bidirectional", "embedding_size", "embedding_range",
        "freeze_embedding",
    )  # fmt: skip
    known = [VERSION, *(getattr(model, name) for name in names)]
    known += [training.warmup_fraction, training.clip_norm, training.weight_decay]
    known += turned(model).items()  # none of files of before
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:8]
    return folder / f"lm-{model.cell}-{training.seed}-{key}.npz"


def pieces_of(texts: FreeTexts) -> Examples:
    """Cuts texts into pieces of at most `PIECE` tokens; they have no labels."""
    bounds = itertools.pairwise(texts.offsets.tolist())
    starts = [np.arange(start, end, PIECE) for start, end in bounds]
    offsets = np.append(np.concatenate(starts), len(texts.token_ids))
    return Examples(texts.token_ids, offsets, np.zeros(len(offsets) - 1, np.int32))


def recipe_of(config: TrainingConfig, texts: FreeTexts) -> TrainingConfig:
    """Returns the recipe of pre-training, with the seed and schedule of the other.

    It is AdamW's, whatever the classifier is trained with.
    """
    epochs = round(WANTED_TOKENS / max(len(texts.token_ids), 1))
    return dataclasses.replace(
        config,
        epochs=min(max(epochs, 1), MOST_EPOCHS),
        batch_size=BATCH_SIZE,
        batch_tokens=None,
        optimizer=ADAMW,
        learning_rate=LEARNING_RATE,
        word_dropout_rate=0.0,
    )


def draws(seed: int, epoch: int, step: int, tokens: int) -> np.ndarray:
    """Draws tokens by how frequent their place in a vocabulary is, int32 [NEGATIVES].

    The vocabulary is sorted by frequency: by Zipf's law the chance of the token at
    place k falls about as log(1 + 1 / k).
    """
    words = tokens - len(RESERVED)
    uniform = np.random.default_rng([seed, epoch, step, 2]).random(NEGATIVES)
    places = np.exp(uniform * np.log(words + 1)).astype(np.int32) - 1
    return np.minimum(places, words - 1) + np.int32(len(RESERVED))


def log_chances(tokens: int) -> np.ndarray:
    """Returns the logarithm of each token's chance in `draws`, float32 [tokens].

    It is 0 of what is never drawn.
    """
    words = tokens - len(RESERVED)
    places = np.arange(1, words + 1)
    chances = np.log1p(1 / places) / np.log(words + 1)
    return np.append(np.zeros(len(RESERVED)), np.log(chances)).astype(np.float32)


def _dataset(
    pieces: Examples, recipe: TrainingConfig, tokens: int, standing: Standing
) -> tuple[Any, int]:
    """Returns the batches that are left of an epoch, and how many they are.

    Each comes with the tokens that are drawn for it, of a vocabulary of `tokens`.
    """
    import tensorflow as tf

    epoch, step = standing.epoch, standing.step
    steps = batching.num_batches(pieces.lengths, recipe, epoch) - step
    batches = batching.training_batches(pieces, recipe, epoch)

    def examples() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number, batch in enumerate(itertools.islice(batches, step, None), step):
            yield batch.token_ids, draws(recipe.seed, epoch, number, tokens)

    specs = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([NEGATIVES], tf.int32)
    return pipeline(examples, steps, specs), steps


def _network(twin: Any, seed: int) -> Any:
    """Returns a keras.Model over the first layers of a twin; it has its own loss.

    Its inputs are token_ids, int32 [batch, time], its targets the drawn tokens.
    """
    keras = import_keras()
    embedding, recurrent = twin.get_layer(EMBEDDING), twin.get_layer(FIRST_LAYER)
    has_two = isinstance(recurrent, keras.layers.Bidirectional)
    readers = [recurrent.forward_layer] if has_two else [recurrent]
    tokens, size = embedding.get_weights()[0].shape

    class LanguageModel(keras.Model):  # type: ignore
        def __init__(self) -> None:
            super().__init__(name="language_model")
            self.embedding, self.dropout = embedding, twin.get_layer(DROPOUT)
            self.readers = [*readers, *([recurrent.backward_layer] if has_two else [])]
            self.outputs_of = [
                keras.layers.Dense(size, kernel_initializer=glorot(seed, f"lm/{i}"))
                for i in range(len(self.readers))
            ]
            self.bias = self.add_weight(
                shape=(tokens,), initializer="zeros", name="bias"
            )
            self.chances = keras.ops.convert_to_tensor(log_chances(tokens))

        def call(self, token_ids: Any, training: bool = False) -> list[Any]:
            """Returns what each direction expects at each place, as a word vector."""
            is_token = keras.ops.not_equal(token_ids, PADDING_ID)
            words = self.dropout(self.embedding(token_ids), training=training)
            states = [reader(words, mask=is_token) for reader in self.readers]
            if has_two:
                states[1] = keras.ops.flip(states[1], axis=1)  # it read from the end
            return [f(state) for f, state in zip(self.outputs_of, states, strict=True)]

        def compute_loss(
            self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None,
            training: bool = True,
        ) -> Any:  # fmt: skip
            """Returns the mean loss over all known tokens that are to be told."""
            told = [self._loss(y_pred[0][:, :-1], x[:, :-1], x[:, 1:], y)]
            if has_two:
                told.append(self._loss(y_pred[1][:, 1:], x[:, 1:], x[:, :-1], y))
            losses, counts = zip(*told, strict=True)
            return sum(losses) / keras.ops.maximum(sum(counts), 1.0)

        def _loss(
            self, expected: Any, here: Any, true: Any, drawn: Any
        ) -> tuple[Any, Any]:
            """Returns the sum of the losses, and of how many tokens it is.

            What is expected at a token, `here`, is compared with its neighbour, `true`.
            """
            ops, table = keras.ops, self.embedding.embeddings
            own = ops.sum(expected * ops.take(table, true, axis=0), axis=-1)
            own += ops.take(self.bias, true) - ops.take(self.chances, true)
            others = ops.matmul(expected, ops.transpose(ops.take(table, drawn, axis=0)))
            others += ops.take(self.bias, drawn) - ops.take(self.chances, drawn)
            is_own = ops.equal(ops.expand_dims(true, -1), drawn)
            others = ops.where(is_own, -1e9, others)
            every = ops.concatenate([ops.expand_dims(own, -1), others], axis=-1)
            counts = (here != PADDING_ID) & (true > UNKNOWN_ID)
            counts = ops.cast(counts, "float32")
            losses = ops.logsumexp(every, axis=-1) - own
            return ops.sum(counts * losses), ops.sum(counts)

    network = LanguageModel()
    network(np.full((1, 2), UNKNOWN_ID, np.int32))  # makes its weights
    return network
