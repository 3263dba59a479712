"""What the gates do, token by token, in trained layers.

The network is that of the textbooks: one layer, one direction, the last state read out.
Gates and states are recomputed from the trained weights (`activations`), and nothing is
reported unless they agree with the states of the layer, in float64, within 1e-5.

The memory half-life of a unit is ln 0.5 / mean ln f over the tokens, f being the LSTM's
forget gate or the GRU's update gate: the tokens after which half of the unit's content
is left by the direct path alone, without the recurrent matrix. How often gates are
nearly shut (< 0.1) or open (> 0.9) is counted as by Karpathy, Johnson & Li (2015,
arXiv:1506.02078). Chung et al. (2014, arXiv:1412.3555) say that the GRU shows all of
its state and that the LSTM's output gate hides part of it; Cho et al. (2014,
arXiv:1406.1078) that z near 1 copies the old state and r near 0 drops it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.cells import Values
from seqclf.config import TANH, TextConfig
from seqclf.data.dataset import TEST
from seqclf.errors import ConfigError
from seqclf.model import backend
from seqclf.model.keras_file import open_keras
from seqclf.records.inside import GatesFindings
from seqclf.records.training import Report, Started
from seqclf.runs import Run
from seqclf.runs.files import MODEL_FILE
from seqclf.studies.inside import gates_counted, gates_judged, gates_shown, unrolled
from seqclf.studies.inside.gates_counted import Collected, activations
from seqclf.studies.inside.gates_judged import Drawing, Measured
from seqclf.studies.inside.gates_shown import FIT_TO_DRAW, MOST_TOKENS, MOST_UNITS
from seqclf.studies.inside.unrolled import Sample
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.text.arrays import strings
from seqclf.text.encoding import EncodedDataset, Examples, open_encoded, take
from seqclf.text.tokens import RESERVED, UNKNOWN_ID
from seqclf.text.vocabulary import Vocabulary, encode, kept_codes, tokens_of

TEXTS, QUICK_TEXTS = 300, 100
MOST_TEXTS = 4  # that can be given to be drawn


def run(question: Question, lab: Lab) -> Answer[GatesFindings]:
    """Trains the plain networks and measures their gates; intervals are over texts.

    The texts of the question are drawn, or else two of the test split.

    Raises:
      ConfigError: If a cell is not recurrent, its steps are not described, or more than
        four texts are given.
      RunError: If the recomputed states differ from the layer's own.
    """
    if len(question.texts) > MOST_TEXTS:
        raise ConfigError(
            f"gates draws at most {MOST_TEXTS} texts, got {len(question.texts)}; give "
            f"fewer --text."
        )
    if question.config.model.activation != TANH:
        raise ConfigError(
            f"gates counts by the formulas of {TANH}; leave --activation "
            f"{question.config.model.activation} out. seqclf study gradients takes it."
        )
    config = unrolled.plain_network(question, "gates")
    # With the first epoch, which `gradients` needs: they share their trainings.
    runs = lab.train(trainings(question, config), with_first_epoch=True)
    data = lab.load(config)
    most = QUICK_TEXTS if question.quick else TEXTS
    places = spread(len(data.splits[TEST]), most)
    texts = question.texts or typical_texts(data)
    samples = [Sample(r.path, data.path, places, texts, 0, lab.threads) for r in runs]
    names = [f"gates of {one.name}" for one in runs]
    measured: list[Measured] = lab.measure(measure, samples, names)
    findings = gates_judged.judge(
        unrolled.by_cell(question, [one.summary for one in measured]),
        texts=len(places),
        accuracy=unrolled.accuracies(question, runs),
        guessing=unrolled.guessing(question, runs),
    )
    by_run = dict(zip(unrolled.pairs(question), measured, strict=True))
    about = gates_shown.notes(findings, question)
    return Answer(
        study="gates", title="What the gates do",
        sentence=gates_shown.sentence(findings, unrolled.spoken_for(question)),
        table=gates_shown.table(findings), findings=findings, trials=len(runs),
        rows=tuple(gates_judged.rows_of(by_run, question.seeds[0])),
        notes=about + unrolled.held_fixed(question, config),
    )  # fmt: skip


def spread(count: int, most: int) -> tuple[int, ...]:
    """Returns at most `most` indices, evenly spread over `count`."""
    places = np.linspace(0, count - 1, min(most, count)).astype(int)
    return tuple(places.tolist())


def typical_texts(data: EncodedDataset) -> tuple[str, ...]:
    """Returns a test text of each of the first two labels.

    The first one of 8 to 24 tokens, or the one nearest to that length.
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
    """Measures one run, in a separate process."""
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
        _values_of_text(model, cell, text, data.vocabulary, done.text, chosen)
        for text in sample.texts
    ]
    return Measured(summary=summary, chosen=chosen, drawn=drawn)


def collect(model: Any, cell: str, examples: Examples) -> Collected:
    """Computes gates and states of all tokens, see `checked`."""
    parts: list[dict[str, np.ndarray]] = []
    differences, texts = [], []
    for index, (batch, is_token) in enumerate(unrolled.chunks(examples)):
        values, difference = checked(model, cell, batch.token_ids, is_token)
        hidden = values["hidden"]
        before = np.concatenate([np.zeros_like(hidden[:, :1]), hidden[:, :-1]], axis=1)
        found = {**values, "before": before}
        parts.append({n: v[is_token].astype(np.float32) for n, v in found.items()})
        differences.append(difference)
        texts.append(np.argwhere(is_token) + [index * unrolled.CHUNK, 0])
    whole = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    text, position = np.concatenate(texts).T
    return Collected(
        before=whole.pop("before"), values=whole, text=text, position=position,
        difference=max(differences),
    )  # fmt: skip


def checked(
    model: Any, cell: str, token_ids: np.ndarray, is_token: np.ndarray
) -> tuple[Values, float]:
    """Returns `activations` and their largest difference from the layer's own states.

    Raises:
      RunError: If it is more than 1e-5.
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
    names = unrolled.shown_of(cell)
    shown = {name: values[name][0, :MOST_TOKENS, chosen].T for name in names}
    return Drawing(tokens=tokens[:MOST_TOKENS], values=shown)


def words_of(
    text: str, vocabulary: Vocabulary, config: TextConfig
) -> tuple[list[str], np.ndarray]:
    """Returns a text's tokens, unknown ones in brackets, and ids, int32 [tokens]."""
    tokenized = tokens_of(strings([text]), vocabulary, config)
    token_ids, _ = encode(tokenized, vocabulary, config)
    codes = kept_codes(tokenized, config)
    if not len(codes):
        return [RESERVED[UNKNOWN_ID]], token_ids
    words = tokenized.tokens.take(pa.array(codes)).to_pylist()
    return [
        f"({word})" if token_id == UNKNOWN_ID else word
        for word, token_id in zip(words, token_ids, strict=True)
    ], token_ids
