"""What the gates do, token by token, in trained layers.

The network is that of the textbooks: one layer, one direction, the last state read out.
Gates and states are computed anew from the trained weights (`activations`), and nothing
is said unless that gives the very states of the layer, in float64, within 1e-5.

The memory half-life of a unit is ln 0.5 / mean ln f over the tokens, f being the LSTM's
forget gate or the GRU's update gate: the tokens after which half of what stood in the
unit is left, by the direct way alone; what comes back by way of the recurrent matrix
does not count. How often gates are nearly shut (< 0.1) or open (> 0.9) is counted as
Karpathy, Johnson & Li (2015, arXiv:1506.02078) do. That the GRU shows all of its state
and the LSTM hides part of it, behind its output gate, is said by Chung et al. (2014,
arXiv:1412.3555); that z near 1 copies the old state and r near 0 drops it follows Cho
et al. (2014, arXiv:1406.1078).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.cells import Values
from seqclf.config import TextConfig
from seqclf.data.dataset import TEST
from seqclf.errors import ConfigError
from seqclf.model import backend
from seqclf.model.keras_file import open_keras
from seqclf.records.inside import GatesFindings
from seqclf.records.training import Report, Started
from seqclf.runs import Run
from seqclf.runs.run import MODEL_FILE
from seqclf.studies.inside import gates_counted, gates_judged, gates_shown, unrolled
from seqclf.studies.inside.activations import activations
from seqclf.studies.inside.gates_counted import Collected
from seqclf.studies.inside.gates_judged import Drawing, Measured
from seqclf.studies.inside.gates_shown import FIT_TO_DRAW, MOST_TOKENS, MOST_UNITS
from seqclf.studies.inside.unrolled import Sample
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.text.arrays import strings
from seqclf.text.encoding import EncodedDataset, Examples, open_encoded, take
from seqclf.text.tokens import RESERVED, UNKNOWN_ID, tokenize
from seqclf.text.vocabulary import Vocabulary, encode, kept_codes

TEXTS, QUICK_TEXTS = 300, 100
MOST_TEXTS = 4  # given, to be drawn


def run(question: Question, lab: Lab) -> Answer[GatesFindings]:
    """Trains the plain networks, and looks at what their gates do.

    Args:
      question: What is asked; its texts are drawn, or else two of the test split.
      lab: Where to train and to measure.

    Returns:
      The answer; its rows are `GateRow`. Intervals are over texts.

    Raises:
      ConfigError: If a cell does not recur, its steps are not described, or more than
        four texts are given.
      RunError: If gates computed anew do not give the layer's own states.
    """
    if len(question.texts) > MOST_TEXTS:
        raise ConfigError(
            f"gates draws at most {MOST_TEXTS} texts, got {len(question.texts)}; give "
            f"fewer --text."
        )
    config = unrolled.plain_network(question, "gates")
    # With the first epoch, as `gradients` wants it: they share their trainings.
    runs = lab.train(trainings(question, config), with_first_epoch=True)
    data = lab.load(config)
    most = QUICK_TEXTS if question.quick else TEXTS
    places = spread(len(data.splits[TEST]), most)
    texts = question.texts or typical_texts(data)
    samples = [
        Sample(one.path, data.path, places, texts, 0, lab.threads) for one in runs
    ]
    names = [f"gates of {one.name}" for one in runs]
    measured: list[Measured] = lab.measure(measure, samples, names)
    findings = gates_judged.judge(
        unrolled.by_cell(question, [one.summary for one in measured]),
        texts=len(places),
        accuracy=unrolled.accuracies(question, runs),
    )
    by_run = dict(zip(unrolled.pairs(question), measured, strict=True))
    return Answer(
        study="gates",
        title="What the gates do",
        sentence=gates_shown.sentence(findings, unrolled.spoken_for(question)),
        table=gates_shown.table(findings),
        rows=tuple(gates_judged.rows_of(by_run, question.seeds[0])),
        findings=findings,
        trials=len(runs),
        notes=gates_shown.notes(findings, question)
        + unrolled.held_fixed(question, config),
    )


def spread(count: int, most: int) -> tuple[int, ...]:
    """Returns at most so many places, evenly spread over `count`."""
    places = np.linspace(0, count - 1, min(most, count)).astype(int)
    return tuple(places.tolist())


def typical_texts(data: EncodedDataset) -> tuple[str, ...]:
    """Chooses a test text of each of the first two labels: the first that fits.

    It fits with 8 to 24 tokens; if none does, the one that is nearest to it.
    """
    test = data.splits[TEST]
    away = np.abs(test.lengths - np.clip(test.lengths, *FIT_TO_DRAW))
    found = []
    for label in np.unique(test.label_ids)[:2]:
        rows = np.flatnonzero(test.label_ids == label)
        place = int(rows[away[rows].argmin()])
        found.append(str(data.texts("test")[place].as_py()))
    return tuple(found)


def measure(sample: Sample, report: Report) -> Measured:
    """Measures one run, in a process of its own."""
    report(Started())
    backend.set_threads(sample.threads)
    done = Run(sample.run)
    config, data = done.config, open_encoded(sample.encoded)
    model = open_keras(done.file(MODEL_FILE))
    cell = config.model.cell
    collected = collect(model, cell, take(data.splits[TEST], np.array(sample.rows)))
    summary = gates_counted.summary(cell, collected, len(sample.rows))
    chosen = spread_units(summary.memory)
    drawn = [
        _values_of_text(model, cell, text, data.vocabulary, config.text, chosen)
        for text in sample.texts
    ]
    return Measured(summary=summary, chosen=chosen, drawn=drawn)


def collect(model: Any, cell: str, examples: Examples) -> Collected:
    """Computes gates and states of all tokens of examples.

    Raises:
      RunError: If they do not give the layer's own states.
    """
    parts = []
    for index, (batch, is_token) in enumerate(unrolled.chunks(examples)):
        values, difference = checked(model, cell, batch.token_ids, is_token)
        hidden = values["hidden"]
        before = np.concatenate([np.zeros_like(hidden[:, :1]), hidden[:, :-1]], axis=1)
        text, position = np.nonzero(is_token)
        parts.append(
            Collected(
                values={n: v[is_token].astype(np.float32) for n, v in values.items()},
                before=before[is_token].astype(np.float32),
                text=text + index * unrolled.CHUNK,
                position=position,
                difference=difference,
            )
        )
    return _joined(parts)


def _joined(parts: Sequence[Collected]) -> Collected:
    names = parts[0].values
    return Collected(
        values={n: np.concatenate([one.values[n] for one in parts]) for n in names},
        before=np.concatenate([one.before for one in parts]),
        text=np.concatenate([one.text for one in parts]),
        position=np.concatenate([one.position for one in parts]),
        difference=max(one.difference for one in parts),
    )


def checked(
    model: Any, cell: str, token_ids: np.ndarray, is_token: np.ndarray
) -> tuple[Values, float]:
    """Computes gates and states, and compares them with the layer's own.

    Returns:
      As `activations`, and the greatest difference.

    Raises:
      RunError: If they do not give the layer's own states.
    """
    layer, inputs = unrolled.the_layer(model), unrolled.layer_inputs(model, token_ids)
    values = activations(cell, layer.get_weights(), inputs, is_token)
    own = unrolled.own_states(layer, inputs, is_token)
    return values, unrolled.refuse_difference(values["hidden"], own, is_token)


def spread_units(memory: np.ndarray) -> list[int]:
    """Returns at most 16 units, from the shortest memory to the longest."""
    order = np.argsort(memory, kind="stable")
    return [int(order[place]) for place in spread(len(memory), MOST_UNITS)]


def _values_of_text(
    model: Any,
    cell: str,
    text: str,
    vocabulary: Vocabulary,
    config: TextConfig,
    chosen: Sequence[int],
) -> Drawing:
    tokens, token_ids = words_of(text, vocabulary, config)
    values, _ = checked(model, cell, token_ids[None], np.ones((1, len(tokens)), bool))
    return Drawing(
        tokens=tokens[:MOST_TOKENS],
        values={
            name: values[name][0, :MOST_TOKENS, chosen].T
            for name in unrolled.shown_of(cell)
        },
    )


def words_of(
    text: str, vocabulary: Vocabulary, config: TextConfig
) -> tuple[list[str], np.ndarray]:
    """Returns a text's tokens as they are drawn, and their ids, int32 [tokens].

    Words that the vocabulary lacks stand in round brackets.
    """
    tokenized = tokenize(strings([text]))
    token_ids, _ = encode(tokenized, vocabulary, config)
    codes = kept_codes(tokenized, config)
    if not len(codes):
        return [RESERVED[UNKNOWN_ID]], token_ids
    words = tokenized.tokens.take(pa.array(codes)).to_pylist()
    return [
        f"({word})" if token_id == UNKNOWN_ID else word
        for word, token_id in zip(words, token_ids, strict=True)
    ], token_ids
