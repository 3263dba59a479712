"""What the gates do: by hand, against the layers, and planted."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import Silent, comes_back, tiny

from seqclf.config import ModelConfig, RunConfig, TextConfig
from seqclf.errors import ConfigError, RunError
from seqclf.model.backend import import_keras
from seqclf.model.build import build_model
from seqclf.records.inside import CellGates, GatesFindings
from seqclf.steps import Target
from seqclf.studies.inside import (
    gates,
    gates_counted,
    gates_judged,
    gates_shown,
    unrolled,
)
from seqclf.studies.inside.gates_counted import activations
from seqclf.studies.question import Question
from seqclf.text.encoding import Examples
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import Vocabulary
from seqclf.workflows.study import run_study

UNITS = 4
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_gru_of_two_units_and_three_steps_by_hand() -> None:
    """Written with loops over units, and with Keras's order z, r, candidate."""
    kernel = np.array([[0.5, -0.4, 0.3, 0.2, -0.6, 0.7]])
    recurrent = np.array(
        [[0.1, -0.2, 0.3, 0.4, -0.5, 0.6], [0.7, 0.8, -0.9, 0.2, 0.3, -0.1]]
    )
    bias = np.array(
        [[0.1, 0.2, 0.3, -0.1, -0.2, -0.3], [0.05, 0.1, -0.05, 0.2, 0.4, -0.4]]
    )
    xs, h = [1.0, -2.0, 0.5], [0.0, 0.0]
    found = activations(
        "gru", [kernel, recurrent, bias], np.array(xs)[None, :, None],
        np.ones((1, 3), bool),
    )  # fmt: skip
    for t, x in enumerate(xs):
        before, h = h, []
        for unit in range(2):

            def inner(column: int) -> float:
                sums = sum(before[k] * recurrent[k, column] for k in range(2))  # noqa: B023
                return sums + bias[1, column]

            z = sigma(x * kernel[0, unit] + bias[0, unit] + inner(unit))
            r = sigma(x * kernel[0, unit + 2] + bias[0, unit + 2] + inner(unit + 2))
            outer = x * kernel[0, unit + 4] + bias[0, unit + 4]
            candidate = math.tanh(outer + r * inner(unit + 4))
            alone = math.tanh(outer + r * bias[1, unit + 4])
            h.append(z * before[unit] + (1 - z) * candidate)
            expected = {
                "update": z, "reset": r, "candidate": candidate, "hidden": h[unit],
                "moved": abs(candidate - alone),
            }  # fmt: skip
            for name, value in expected.items():
                assert found[name][0, t, unit] == pytest.approx(value, abs=1e-12)
    assert (found["moved"][0, 0] == 0).all()  # there was no old state


def test_an_lstm_of_two_units_and_three_steps_by_hand() -> None:
    draw = np.random.default_rng(0).normal
    kernel, recurrent, bias = draw(size=(1, 8)), draw(size=(2, 8)), draw(size=8)
    xs, h, c = [1.0, -2.0, 0.5], [0.0, 0.0], [0.0, 0.0]
    found = activations(
        "lstm", [kernel, recurrent, bias], np.array(xs)[None, :, None],
        np.ones((1, 3), bool),
    )  # fmt: skip
    for t, x in enumerate(xs):
        sums = [
            x * kernel[0, k] + h[0] * recurrent[0, k] + h[1] * recurrent[1, k] + bias[k]
            for k in range(8)
        ]  # in Keras's order input, forget, candidate, output
        for u in range(2):
            i, f, o = sigma(sums[u]), sigma(sums[u + 2]), sigma(sums[u + 6])
            c[u] = f * c[u] + i * math.tanh(sums[u + 4])
            h[u] = o * math.tanh(c[u])
            values = {
                "input": i,
                "forget": f,
                "output": o,
                "cell": c[u],
                "hidden": h[u],
            }
            for name, value in values.items():
                assert found[name][0, t, u] == pytest.approx(value, abs=1e-12)


def model_of(cell: str, seed: int = 0):
    config = ModelConfig(
        cell=cell, units=UNITS, embedding_size=3, bidirectional=False, pooling="last",
        embedding_range=0.5,
    )  # fmt: skip
    model = build_model(config, 20, 2, seed)
    layer = unrolled.the_layer(model)
    draw = np.random.default_rng(seed).normal
    layer.set_weights([draw(size=w.shape) for w in layer.get_weights()])
    return model


def examples(count: int = 6) -> Examples:
    generator = np.random.default_rng(1)
    lengths = generator.integers(1, 9, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    token_ids = generator.integers(1, 20, offsets[-1]).astype(np.int32)
    return Examples(token_ids, offsets, np.zeros(count, np.int32))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_every_cell_gives_the_states_of_its_layer_on_padded_texts(cell: str) -> None:
    texts = examples()
    found = gates.collect(model_of(cell), cell, texts)
    assert found.difference < 1e-6
    assert found.hidden.shape == (texts.offsets[-1], UNITS)
    assert np.bincount(found.text).tolist() == texts.lengths.tolist()
    assert (found.before[texts.offsets[:-1]] == 0).all()
    np.testing.assert_array_equal(found.before[1], found.hidden[0])


def test_the_final_state_is_what_the_model_reads_out() -> None:
    model, texts = model_of("lstm"), examples()
    kernel, bias = model.get_layer("logits").get_weights()
    found = gates.collect(model, "lstm", texts)
    logits = found.hidden[texts.offsets[1:] - 1] @ kernel + bias
    batch, _ = unrolled.chunks(texts)[0]
    np.testing.assert_allclose(
        model.predict_on_batch(batch.token_ids), logits, atol=1e-5
    )


def test_other_states_than_the_layers_are_refused(monkeypatch) -> None:
    own = unrolled.own_states
    monkeypatch.setattr(unrolled, "own_states", lambda *given: own(*given) + 2e-5)
    with pytest.raises(RunError, match="nothing can be said"):
        gates.collect(model_of("gru"), "gru", examples())


def forced(cell: str, gate: int, bias: float) -> GatesFindings:
    """Findings of a layer one of whose gates has a planted bias."""
    model = model_of(cell)
    layer = unrolled.the_layer(model)
    weights = [0.1 * w for w in layer.get_weights()]
    part = slice(gate * UNITS, (gate + 1) * UNITS)
    weights[2][..., part] = bias
    layer.set_weights(weights)
    summary = gates_counted.summary(cell, gates.collect(model, cell, examples()), 6)
    return gates_judged.judge({cell: [summary]}, 6, {})


def of_cell(found: GatesFindings) -> CellGates:
    (one,) = found.cells.values()
    return one


@pytest.mark.parametrize(("bias", "state"), [(-10.0, "shut"), (10.0, "open")])
@pytest.mark.parametrize(
    ("cell", "gate", "name"),
    [("gru", 0, "update"), ("gru", 1, "reset"), ("lstm", 0, "input"),
     ("lstm", 1, "forget"), ("lstm", 3, "output")],
)  # fmt: skip
def test_a_gate_that_is_forced_is_reported(cell, gate, name, bias, state) -> None:
    found = forced(cell, gate, bias)
    gates = found.cells[cell].gates
    states = {n: one.state for n, one in gates.items()}
    assert states.pop(name) == state
    assert set(states.values()) == {"in use"}
    assert getattr(gates[name], f"units_{state}") == 1
    sentence = gates_shown.sentence(found, "one model of each cell")
    assert f"the {name} gate of {cell} stays {state}" in sentence


def test_a_gate_that_keeps_all_has_a_long_half_life_and_a_shut_one_a_short() -> None:
    long = of_cell(forced("lstm", 1, 10.0)).half_life
    short = of_cell(forced("lstm", 1, -10.0)).half_life
    # f = 1 / (1 + exp(-10)), so ln f = -4.54e-5; and ln f = -10.
    assert long.median == pytest.approx(math.log(2) / 4.54e-5, rel=0.5)
    assert short.median == pytest.approx(math.log(2) / 10, rel=0.1)
    assert (long.above_100, short.above_10) == (1, 0)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_findings_and_rows_come_back_from_json(cell: str) -> None:
    assert comes_back(forced(cell, 0, 0.1))
    model = model_of(cell)
    summary = gates_counted.summary(cell, gates.collect(model, cell, examples()), 6)
    drawing = gates_judged.Drawing(tokens=["a"], values={"hidden": np.ones((1, 1))})
    one = gates_judged.Measured(summary=summary, chosen=[2], drawn=[drawing])
    rows = list(gates_judged.rows_of({(cell, 0): one}, 0))
    parts = {"unit", "half-life", "token"} if cell != "rnn" else {"token"}
    assert {row.part for row in rows} == parts | ({"bin"} if cell == "gru" else set())
    assert all(map(comes_back, rows))


def test_half_life_by_hand() -> None:
    kept = np.array([[0.5, 0.9, 1.0], [0.5, 0.8, 1.0]])
    expected = [1, math.log(0.5) / ((math.log(0.9) + math.log(0.8)) / 2), 1e6]
    np.testing.assert_allclose(gates_counted.half_life(kept), expected)


def test_an_effect_is_compared_where_the_gate_is_open_and_where_it_is_shut() -> None:
    gate = np.array([[0.95, 0.05], [0.5, 0.99], [0.01, 0.02]])
    effect = np.array([[1.0, 8.0], [100.0, 3.0], [4.0, 6.0]])
    text = np.array([0, 0, 1])
    found = gates_counted.contrast(gate, effect, text, 2, (0.1, 0.9), True)
    assert found.sums.tolist() == [[4, 8], [0, 10]]
    assert found.counts.tolist() == [[2, 1], [0, 2]]
    other = gates_counted.contrast(gate, effect, text, 2, (0.1, 0.9), False)
    assert other.sums[:, ::-1].tolist() == found.sums.tolist()
    ratio = gates_judged.ratio([found])
    assert (ratio.small, ratio.large, ratio.ratio) == (2, 6, pytest.approx(1 / 3))
    assert (ratio.n_small, ratio.n_large) == (2, 3)
    assert ratio.low is None  # a draw of the second text alone holds no open gate


def test_where_no_gate_is_open_nothing_is_compared() -> None:
    gate = np.full((3, 2), 0.5)
    found = gates_counted.contrast(gate, gate, np.zeros(3, int), 1, (0.1, 0.9), True)
    assert gates_judged.ratio([found]).ratio is None


def test_an_update_gate_near_one_copies_in_a_planted_gru() -> None:
    """Half of the units keep, the other half take: z is 1 or 0."""
    model = model_of("gru")
    layer = unrolled.the_layer(model)
    weights = layer.get_weights()
    weights[2][0, :UNITS] = [12, 12, -12, -12]
    weights[0][:, :UNITS] = weights[1][:, :UNITS] = 0
    layer.set_weights(weights)
    summary = gates_counted.summary(
        "gru", gates.collect(model, "gru", examples(12)), 12
    )
    found = gates_judged.judge({"gru": [summary]}, 12, {}).copying
    assert found.n_small == found.n_large > 0
    assert found.small < 1e-4 < 0.1 < found.large
    assert found.low <= found.ratio <= found.high < 1e-3


def test_what_an_lstm_shows_of_its_memory_is_its_output_gate() -> None:
    found = of_cell(forced("lstm", 3, -1.0)).exposed
    assert found.mean == pytest.approx(sigma(-1), abs=0.03)
    assert found.low <= found.mean <= found.high
    assert of_cell(forced("gru", 0, 0.0)).exposed.mean == 1


def test_the_bins_hold_every_value_once() -> None:
    gate = np.array([[0.0, 0.05, 0.55, 1.0]])
    found = gates_counted.by_bin(gate, np.array([[1.0, 3.0, 5.0, 7.0]]))
    assert [n for n, _ in found] == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert [found[place][1] for place in (0, 5, 9)] == [2, 5, 7]


def test_units_are_spread_from_the_shortest_memory_to_the_longest() -> None:
    memory = np.arange(100)[::-1]
    chosen = gates.spread_units(memory)
    assert len(chosen) == gates_shown.MOST_UNITS
    assert (chosen[0], chosen[-1]) == (99, 0)
    assert gates.spread_units(np.array([3.0, 1.0, 2.0])) == [1, 2, 0]


def test_words_that_are_not_known_stand_in_brackets() -> None:
    import pyarrow as pa

    config = TextConfig(min_count=1, max_length=3, keep="head")
    vocabulary = Vocabulary.build([tokenize(pa.array(["good film"]))], config)
    words, token_ids = gates.words_of("Good bad film again", vocabulary, config)
    assert words == ["good", "(bad)", "film"]
    assert len(token_ids) == 3
    assert gates.words_of("", vocabulary, config)[0] == ["[UNK]"]


def test_too_many_texts_are_refused() -> None:
    question = Question(config=RunConfig(), texts=("a",) * 5)
    with pytest.raises(ConfigError, match="at most 4 texts"):
        gates.run(question, None)


def test_keras_names_its_parts_in_the_order_that_is_assumed_here() -> None:
    """A bias on one part alone moves that gate alone."""
    keras = import_keras()
    assert keras.layers.GRU(2).reset_after
    layer = keras.layers.LSTM(2)
    layer.build((None, None, 1))
    assert layer.get_weights()[2].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]  # forget: second


@pytest.mark.slow
def test_the_study_answers_and_draws_every_cell(workplace, tmp_path) -> None:
    question = Question(
        config=tiny(workplace / "reviews"), quick=True, texts=("a good film", "<b>dull")
    )
    target = Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("gates", question, target, Silent(), 2)
    cells = answer.findings.cells
    assert set(cells["lstm"].gates) == {"input", "forget", "output"}
    assert cells["rnn"].half_life is None
    assert answer.findings.texts == 48
    assert 0 < cells["lstm"].exposed.mean < 1
    drawn = {r.token for r in answer.rows if r.part == "token"}
    assert drawn <= {"a", "good", "film", "dull", "(a)", "(film)"}
    assert "one model of each cell" in answer.sentence
    text = "".join(ElementTree.parse(path / "figure.svg").getroot().itertext())
    for name in ("rnn hidden", "gru update", "gru reset", "lstm forget", "lstm cell"):
        assert name in text
    # The same trainings serve `gradients`.
    heard = Silent()
    question = Question(config=question.config, cells=("rnn",), quick=True)
    run_study("gradients", question, target, heard, 2)
    assert not any("trainings" in note for note in heard.notes)
