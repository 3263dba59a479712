"""How much of the gradient reaches early tokens, in the trained layers themselves.

The network is that of the textbooks: one layer, one direction, the last state read out,
so that a gradient has one way back. The loss, the plain cross-entropy of one text (no
label smoothing, no dropout), is differentiated by the hidden state after each token,
h_t; in the LSTM also by its memory cell, c_t. The norm is Euclidean, over the units.
All is computed by the layer's own step in float64, with the trained weights, because
float32 cannot represent the smallest gradients.

That gradients of plain recurrent networks vanish or explode with distance was shown by
Hochreiter (1991, diploma thesis, TU Munich) and by Bengio, Simard & Frasconi (1994,
IEEE Trans. Neural Networks 5:157); Pascanu, Mikolov & Bengio (2013, arXiv:1211.5063)
relate it to the singular values of the recurrent matrix, and clip the gradient's norm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqclf.config import TrainingConfig
from seqclf.data.dataset import TEST, TRAIN
from seqclf.errors import DataError
from seqclf.model import backend
from seqclf.model.keras_file import open_keras
from seqclf.model.scoring import rescale_logits
from seqclf.records.inside import GradientsFindings, Spectrum
from seqclf.records.training import Report, Started
from seqclf.runs import Run
from seqclf.runs.files import FIRST_EPOCH_FILE, MODEL_FILE
from seqclf.studies.inside import gradients_judged, gradients_shown, unrolled
from seqclf.studies.inside.gradients_judged import STAGES, Measured, MeasuredStage
from seqclf.studies.inside.unrolled import Sample
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.studies.timed import built
from seqclf.text.batching import training_batches
from seqclf.text.encoding import EncodedDataset, open_encoded, take
from seqclf.training.fit import label_weights
from seqclf.training.recipe import resolved

TEXTS, QUICK_TEXTS = 200, 100
BATCHES, QUICK_BATCHES = 50, 20
MOST_DISTANCE = 200  # shown
SPAN = 100  # judged
SMALLEST = 1e-300  # in place of a gradient of 0, which has no logarithm


def run(question: Question, lab: Lab) -> Answer[GradientsFindings]:
    """Trains the plain networks and measures their gradients at three stages.

    Intervals are over seeds and texts, or with one seed over texts, for that model.

    Raises:
      ConfigError: If a cell is not recurrent, or its steps are not described.
      DataError: If the test texts have one token.
      RunError: If recomputed states differ from the layer's own.
    """
    config = unrolled.plain_network(question, "gradients")
    runs = lab.train(trainings(question, config), with_first_epoch=True)
    data = lab.load(config)
    rows, distance = long_texts(
        data.splits[TEST].lengths, QUICK_TEXTS if question.quick else TEXTS
    )
    batches = QUICK_BATCHES if question.quick else BATCHES
    samples = [Sample(r.path, data.path, rows, (), batches, lab.threads) for r in runs]
    names = [f"gradients of {one.name}" for one in runs]
    measured: list[Measured] = lab.measure(measure, samples, names)
    by_cell = unrolled.by_cell(question, measured)
    findings = gradients_judged.judge(
        by_cell, min(distance, SPAN), texts=len(rows),
        clip_norm=resolved(config.training, data.splits[TRAIN].lengths).clip_norm,
        accuracy=unrolled.accuracies(question, runs),
        guessing=unrolled.guessing(question, runs),
    )  # fmt: skip
    about = gradients_shown.notes(findings, distance)
    return Answer(
        study="gradients", title="Gradients on their way back",
        sentence=gradients_shown.sentence(findings, unrolled.spoken_for(question)),
        table=gradients_shown.table(findings), findings=findings, trials=len(runs),
        rows=tuple(gradients_judged.rows_of(by_cell)),
        notes=about + unrolled.held_fixed(question, config),
    )  # fmt: skip


def long_texts(lengths: np.ndarray, most: int) -> tuple[tuple[int, ...], int]:
    """Returns the longest quarter of the texts, but `most` at most.

    `lengths` are int [texts], in tokens. Beside the indices, the longest first, the
    largest distance that all of them have, at most 200.

    Raises:
      DataError: If they have one token, so that there is no distance.
    """
    count = min(most, math.ceil(len(lengths) / 4))
    rows = np.argsort(-lengths, kind="stable")[:count]
    distance = min(int(lengths[rows].min()) - 1, MOST_DISTANCE)
    if distance < 1:
        raise DataError(
            "fewer than a quarter of the test texts have two tokens: there is no "
            "distance for a gradient to come back over. Choose data of longer texts."
        )
    return tuple(rows.tolist()), distance


def measure(sample: Sample, report: Report) -> Measured:
    """Measures one run at its three stages, in a separate process."""
    report(Started())
    backend.set_threads(sample.threads)
    done = Run(sample.run)
    config, data = done.config, open_encoded(sample.encoded)
    model = built(config, data)
    norm_of = _norm_of_batch(model, config.training.label_smoothing)
    found: dict[str, MeasuredStage] = {}
    recipe = resolved(config.training, data.splits[TRAIN].lengths)
    most = recipe.clip_norm or math.inf
    files = (None, FIRST_EPOCH_FILE, MODEL_FILE)
    for epoch, (stage, file) in enumerate(zip(STAGES, files, strict=True), 1):
        if file is not None:
            model.set_weights(open_keras(done.file(file)).get_weights())
        if file == MODEL_FILE:  # which was calibrated after it was trained
            rescale_logits(model, done.environment.temperature or 1.0)
        norms = _batch_norms(norm_of, data, config.training, sample.batches, epoch)
        layer = unrolled.the_layer(model)
        found[stage] = MeasuredStage(
            norms=_norms_of_texts(model, data, sample.rows),
            clipped=float((norms > most).mean()),
            largest_gradient=float(norms.max()),
            matrices=matrices(config.model.cell, layer.cell.recurrent_kernel.numpy()),
        )
    return Measured(stages=found, batches=len(norms))


def _norms_of_texts(
    model: Any, data: EncodedDataset, rows: Sequence[int]
) -> dict[str, np.ndarray]:
    examples = take(data.splits[TEST], np.array(rows))
    layer, readout = unrolled.the_layer(model), model.get_layer("logits").get_weights()
    parts: list[dict[str, np.ndarray]] = []
    distance = min(int(examples.lengths.min()) - 1, MOST_DISTANCE)
    for batch, is_token in unrolled.chunks(examples):
        inputs = unrolled.layer_inputs(model, batch.token_ids)
        labels = batch.label_ids
        parts.append(gradient_norms(layer, inputs, is_token, readout, labels, distance))
    return {
        state: np.log10(np.maximum(np.concatenate([p[state] for p in parts]), SMALLEST))
        for state in parts[0]
    }


def gradient_norms(
    layer: Any,
    inputs: np.ndarray,
    is_token: np.ndarray,
    readout: Sequence[np.ndarray],
    label_ids: np.ndarray,
    distance: int,
) -> dict[str, np.ndarray]:
    """Differentiates each text's loss by the states after its last tokens.

    Args:
      layer: A SimpleRNN, GRU or LSTM layer.
      inputs: Of the layer, float32 [texts, time, d].
      is_token: bool [texts, time], false on padding, which is on the right.
      readout: Kernel [units, labels] and bias [labels] after the last state.
      label_ids: int [texts].
      distance: The largest distance from the last token; no text is shorter.

    Returns:
      By state, `h` and for the LSTM `c`: Euclidean norms of the total derivatives,
      float64 [texts, distance + 1]; column 0 is the last token's.

    Raises:
      RunError: If the steps do not give the states of the layer.
    """
    import tensorflow as tf

    cell = unrolled.states_layer(layer).cell
    steps = tf.unstack(tf.constant(inputs, tf.float64), axis=1)
    masks = tf.unstack(tf.constant(is_token)[:, :, None], axis=1)
    kernel, bias = (tf.constant(w, tf.float64) for w in readout)
    states = cell.get_initial_state(batch_size=len(inputs))  # h, and c if there is one
    made = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(states)
        for step, mask in zip(steps, masks, strict=True):
            _, new = cell.call(step, states)
            made.append(new)
            # On padding the state is kept, as in the layer.
            pairs = zip(new, states, strict=True)
            states = [tf.where(mask, after, before) for after, before in pairs]
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(
            label_ids, states[0] @ kernel + bias
        )
    hidden = np.stack([new[0].numpy() for new in made], axis=1)
    own = unrolled.own_states(layer, inputs, is_token)
    unrolled.refuse_difference(hidden, own, is_token)
    flat = [state for new in made for state in new]
    gradients = tape.gradient(loss, flat, unconnected_gradients="zero")
    norms = np.stack([np.linalg.norm(g.numpy(), axis=1) for g in gradients], axis=1)
    last = is_token.sum(axis=1)[:, None] - 1
    places = (last - np.arange(distance + 1)) * len(states)
    return {
        name: np.take_along_axis(norms, places + index, axis=1)
        for index, name in enumerate(("h", "c")[: len(states)])
    }


def _norm_of_batch(model: Any, label_smoothing: float) -> Any:
    """Returns a traced function from a training batch to its global gradient norm."""
    import tensorflow as tf

    loss_of = backend.import_keras().losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=label_smoothing
    )
    signature = [
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.float32),
    ]

    def norm_of(token_ids: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(targets, model(token_ids, training=True), weights)
        gradients = tape.gradient(loss, model.trainable_variables)
        # Each token's gradients are summed first, as the optimizer does.
        return tf.linalg.global_norm([tf.convert_to_tensor(g) for g in gradients])

    return tf.function(norm_of, input_signature=signature)


def _batch_norms(
    norm_of: Any, data: EncodedDataset, config: TrainingConfig, most: int, epoch: int
) -> np.ndarray:
    """Returns the norms of an epoch's first batches, with dropout as in training."""
    train, labels = data.splits[TRAIN], len(data.labels)
    one_hot = np.eye(labels, dtype=np.float32)
    weights = label_weights(train.label_ids, labels, config)
    by_label = np.ones(labels, np.float32) if weights is None else weights
    batches = itertools.islice(training_batches(train, config, epoch), most)
    return np.array(
        [
            float(norm_of(b.token_ids, one_hot[b.label_ids], by_label[b.label_ids]))
            for b in batches
        ]
    )


def matrices(cell: str, recurrent_kernel: np.ndarray) -> dict[str, Spectrum]:
    """Returns the spectrum of each part of a recurrent kernel, [units, parts x units].

    The parts are in Keras's order.
    """
    names = unrolled.inside_of(cell).parts
    parts = np.split(recurrent_kernel.astype(np.float64), len(names), axis=1)
    return {
        name: Spectrum(
            spectral_radius=float(np.abs(np.linalg.eigvals(part)).max()),
            singular_value=float(np.linalg.norm(part, 2)),
        )
        for name, part in zip(names, parts, strict=True)
    }
