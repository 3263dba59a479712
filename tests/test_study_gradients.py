"""Gradients on their way back: by hand, by formula, and planted."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import Silent, comes_back, tiny

from seqclf.cells import CELLS
from seqclf.config import RunConfig
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.model.backend import import_keras
from seqclf.records.inside import GradientsFindings, Spectrum, WayBack
from seqclf.steps import Target
from seqclf.studies.inside import (
    gradients,
    gradients_judged,
    gradients_shown,
    unrolled,
)
from seqclf.studies.inside.gradients_judged import STAGES, Measured, MeasuredStage
from seqclf.studies.inside.gradients_shown import LAST
from seqclf.studies.question import Question
from seqclf.workflows.study import run_study

READOUT = [np.array([[1.0, -1.0], [0.5, 2.0]], np.float32), np.zeros(2, np.float32)]


def layer_of(name: str, weights: list[np.ndarray], **options: object):
    layer = getattr(import_keras().layers, name)(
        weights[1].shape[0], return_sequences=False, **options
    )
    layer.build((None, None, weights[0].shape[0]))
    layer.set_weights(weights)
    return layer


def all_tokens(inputs: np.ndarray) -> np.ndarray:
    return np.ones(inputs.shape[:2], bool)


def test_two_units_and_three_steps_agree_with_the_chain_rule_by_hand() -> None:
    kernel = np.array([[0.5, -0.3]], np.float32)
    recurrent = np.array([[0.4, -0.7], [0.9, 0.2]], np.float32)
    bias = np.array([0.1, -0.2], np.float32)
    inputs = np.array([[[1.0], [-0.5], [2.0]]], np.float32)
    h = [np.zeros(2)]
    for x in inputs[0]:
        h.append(np.tanh(x @ kernel + h[-1] @ recurrent + bias))
    logits = h[3] @ READOUT[0]
    p = np.exp(logits) / np.exp(logits).sum()
    by_h3 = READOUT[0] @ (p - np.array([0.0, 1.0]))  # d loss / d h, label 1
    by_h2 = recurrent @ ((1 - h[3] ** 2) * by_h3)
    by_h1 = recurrent @ ((1 - h[2] ** 2) * by_h2)
    layer = layer_of("SimpleRNN", [kernel, recurrent, bias])
    found = gradients.gradient_norms(
        layer, inputs, all_tokens(inputs), READOUT, np.array([1]), 2
    )
    expected = [np.linalg.norm(g) for g in (by_h3, by_h2, by_h1)]
    np.testing.assert_allclose(found["h"], [expected], rtol=1e-6)


@pytest.mark.parametrize("w", [0.5, -0.9, 1.0, 1.2])
def test_a_linear_network_follows_its_closed_form(w: float) -> None:
    weights = [np.ones((1, 1)), np.array([[w]]), np.zeros(1)]
    layer = layer_of("SimpleRNN", weights, activation="linear")
    inputs = np.random.default_rng(0).normal(size=(3, 12, 1)).astype(np.float32)
    readout = [np.array([[1.0, -1.0]]), np.zeros(2)]
    found = gradients.gradient_norms(
        layer, inputs, all_tokens(inputs), readout, np.array([0, 1, 0]), 11
    )["h"]
    expected = np.abs(w) ** np.arange(12)
    np.testing.assert_allclose(found / found[:, :1], [expected] * 3, rtol=1e-6)


def planted(scale: float) -> WayBack:
    """A linear network that turns its state, and scales it, at each of 120 steps."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    weights = [np.ones((1, 4)) / 10, scale * turn, np.zeros(4)]
    layer = layer_of("SimpleRNN", weights, activation="linear")
    inputs = np.random.default_rng(2).normal(size=(5, 120, 1)).astype(np.float32)
    inputs *= 0.01  # larger states would be so sure that the loss is 0
    readout = [np.random.default_rng(3).normal(size=(4, 2)), np.zeros(2)]
    norms = gradients.gradient_norms(
        layer, inputs, all_tokens(inputs), readout, np.arange(5) % 2, 119
    )["h"]
    return gradients_judged.follow(np.log10(norms)[None], 100)


@pytest.mark.parametrize(
    ("scale", "verdict"), [(0.8, "vanishing"), (1.0, "steady"), (1.06, "exploding")]
)
def test_planted_weights_get_their_verdict_and_their_factor(scale, verdict) -> None:
    found = planted(scale)
    assert found.verdict == verdict
    assert found.factor == pytest.approx(scale**100, rel=1e-3)
    assert 10**found.slope == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize(("name", "gates"), [("GRU", 3), ("LSTM", 4)])
def test_gated_cells_agree_with_finite_differences(name: str, gates: int) -> None:
    draw = np.random.default_rng(4).normal
    weights = [draw(size=(3, 2 * gates)), draw(size=(2, 2 * gates))]
    weights.append(draw(size=(2, 2 * gates) if name == "GRU" else 2 * gates))
    weights = [w.astype(np.float32) for w in weights]
    layer = layer_of(name, weights)
    inputs = draw(size=(1, 4, 3)).astype(np.float32)
    found = gradients.gradient_norms(
        layer, inputs, all_tokens(inputs), READOUT, np.array([0]), 3
    )
    cell = unrolled.states_layer(layer).cell

    def loss_from(step: int, states: list[np.ndarray]) -> float:
        for x in inputs[:, step:].swapaxes(0, 1):
            _, states = cell.call(x.astype(np.float64), states)
        logits = np.asarray(states[0])[0] @ READOUT[0]
        return float(np.log(np.exp(logits).sum()) - logits[0])

    states = [np.zeros((1, 2))] * len(found)
    for x in inputs[:, :2].swapaxes(0, 1):
        _, states = cell.call(x.astype(np.float64), states)
    # By c_2 alone h_2 = o tanh(c_2) moves too: the derivative is the total one.
    for index, state in enumerate(("h", "c")[: len(found)]):
        slopes = []
        for unit in range(2):
            ends = []
            for sign in (1, -1):
                moved = [np.array(s) for s in states]
                before = np.tanh(moved[-1])
                moved[index][0, unit] += sign * 1e-6
                if state == "c":
                    moved[0] = moved[0] / before * np.tanh(moved[1])
                ends.append(loss_from(2, moved))
            slopes.append((ends[0] - ends[1]) / 2e-6)
        norm = np.linalg.norm(slopes)
        np.testing.assert_allclose(found[state][0, 2], norm, rtol=1e-5)


def test_padding_changes_nothing() -> None:
    draw = np.random.default_rng(5).normal
    shapes = [(3, 8), (2, 8), (8,)]
    layer = layer_of("LSTM", [draw(size=s).astype(np.float32) for s in shapes])
    inputs = draw(size=(1, 4, 3)).astype(np.float32)
    padded = np.concatenate([inputs, draw(size=(1, 3, 3)).astype(np.float32)], axis=1)
    is_token = np.arange(7)[None] < 4
    alone, behind = (
        gradients.gradient_norms(layer, x, mask, READOUT, np.array([1]), 3)
        for x, mask in ((inputs, all_tokens(inputs)), (padded, is_token))
    )
    for state in ("h", "c"):
        np.testing.assert_allclose(behind[state], alone[state], rtol=1e-12)


def test_a_layer_that_gives_other_states_is_refused(monkeypatch) -> None:
    layer = layer_of("SimpleRNN", [np.ones((1, 2)), np.eye(2), np.zeros(2)])
    inputs = np.ones((1, 2, 1), np.float32)
    own = unrolled.own_states(layer, inputs, all_tokens(inputs))
    monkeypatch.setattr(unrolled, "own_states", lambda *_: own + 2e-5)
    with pytest.raises(RunError, match="nothing can be said"):
        gradients.gradient_norms(
            layer, inputs, all_tokens(inputs), READOUT, np.array([0]), 1
        )


def test_matrices_are_told_apart_by_gate() -> None:
    shear = np.array([[0.5, 100.0], [0.0, 0.5]])  # long, though it shrinks in the end
    parts = [0.1 * np.eye(2), shear, 3 * np.eye(2)]
    found = gradients.matrices("gru", np.concatenate(parts, axis=1))
    assert list(found) == ["update", "reset", "candidate"]
    assert found["update"].spectral_radius == pytest.approx(0.1)
    assert found["reset"].spectral_radius == pytest.approx(0.5)
    assert found["reset"].singular_value > 100
    assert found["candidate"].singular_value == pytest.approx(3)


def test_an_interval_across_the_bound_decides_nothing() -> None:
    factors = np.array([-8.0, 1.0, -4.0, 3.0, -3.0])  # mean -2.2, widely spread
    norms = np.linspace(0, 1, 11)[None, None] * factors[None, :, None]
    assert gradients_judged.follow(norms, 10).verdict == "not decided"


def test_the_longest_quarter_is_chosen_but_at_most_so_many() -> None:
    lengths = np.array([3, 9, 1, 7, 2, 8, 4, 5])
    assert gradients.long_texts(lengths, 100) == ((1, 5), 7)
    assert gradients.long_texts(lengths, 1) == ((1,), 8)
    with pytest.raises(DataError, match="two tokens"):
        gradients.long_texts(np.ones(9, int), 5)


def planted_seeds(factors: list[float], state: str) -> list[Measured]:
    """What `measure` returns of seeds, each of so many powers of ten a token."""
    distances = np.arange(11)
    spectrum = Spectrum(spectral_radius=1, singular_value=2)

    def stage(factor: float) -> MeasuredStage:
        norms = factor * distances + np.array([[0.0], [0.01], [-0.01]])
        return MeasuredStage(
            norms={state: norms},
            clipped=0.25,
            largest_gradient=1.5,
            matrices={"recurrent": spectrum},
        )

    return [
        Measured(stages={name: stage(factor) for name in STAGES}, batches=7)
        for factor in factors
    ]


def judged(by_cell: dict[str, list[Measured]]) -> GradientsFindings:
    return gradients_judged.judge(by_cell, 10, texts=3, clip_norm=1.0, accuracy={})


def test_a_planted_ratio_to_rnn_is_found() -> None:
    by_cell = {
        "rnn": planted_seeds([-0.5, -0.52], "h"),
        "lstm": planted_seeds([-0.1, -0.1], "c"),
    }
    found = judged(by_cell)
    ratio = found.against_rnn["lstm"][LAST]
    assert ratio.ratio == pytest.approx(10**4.1)
    assert ratio.low < 10**4 < ratio.high
    assert found.cells["lstm"][LAST].states["c"].verdict == "steady"
    assert found.cells["rnn"][LAST].clipped == 0.25
    assert comes_back(found)
    assert all(map(comes_back, gradients_judged.rows_of(by_cell)))


def test_without_rnn_nothing_is_set_against_it() -> None:
    found = judged({"lstm": planted_seeds([-0.1], "c")})
    assert found.against_rnn == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0312, "0.031"), (12.4, "12"), (5432.1, "5,432"), (2.2e-17, "2e-17"),
     (3e8, "3e8"), (0, "0")],
)  # fmt: skip
def test_small_numbers_are_short(value: float, text: str) -> None:
    assert gradients_shown.scientific(value) == text


def test_a_cell_that_does_not_recur_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave it out of --cells"):
        unrolled.plain_network(Question(config=RunConfig(), cells=("none",)), "x")


def test_a_cell_without_a_description_of_its_steps_is_refused_by_name(
    monkeypatch,
) -> None:
    bare = dataclasses.replace(CELLS["gru"], name="bare", inside=None)
    monkeypatch.setitem(CELLS, "bare", bare)
    question = Question(config=RunConfig(), cells=("rnn", "bare"))
    with pytest.raises(ConfigError, match="bare has no description of its steps"):
        unrolled.plain_network(question, "x")


@pytest.mark.slow
def test_the_study_answers_and_draws_every_cell(workplace, tmp_path) -> None:
    config = tiny(workplace / "reviews")
    cells = ("rnn", "lstm")
    question = Question(config=config, cells=cells, quick=True, seeds=(0, 1))
    target = Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("gradients", question, target, Silent(), 2)
    found = answer.findings.cells
    assert tuple(found) == cells
    assert set(found["lstm"][LAST].states) == {"h", "c"}
    assert answer.findings.texts == 12  # a quarter of 48
    assert answer.findings.batches == 10  # all there are
    assert answer.trials == 4
    for row in answer.rows:
        assert np.isfinite(row.median)
        assert row.low <= row.median <= row.high
    assert "2 seeds" in answer.sentence
    text = "".join(ElementTree.parse(path / "figure.svg").getroot().itertext())
    for name in ("rnn", "lstm, hidden state h", "lstm, memory cell c", *STAGES):
        assert name in text
    again, _ = run_study("gradients", question, target, Silent(), 2)
    assert (again.findings, again.rows) == (answer.findings, answer.rows)


@pytest.mark.parametrize(
    ("value", "text"), [(1e-9, "10⁻⁹"), (1.0, "10⁰"), (1000.0, "10³"), (1e-10, "10⁻¹⁰")]
)
def test_powers_of_ten_are_written_out(value: float, text: str) -> None:
    assert gradients_shown.power_of_ten(value) == text


def test_a_chaotic_layer_is_looked_at_too() -> None:
    """Roundings of float32 would grow here until they are all that is left."""
    draw = np.random.default_rng(6).normal
    weights = [draw(size=(1, 16)), draw(size=(16, 16)), np.zeros(16)]
    layer = layer_of("SimpleRNN", weights)
    inputs = draw(size=(2, 150, 1)).astype(np.float32)
    readout = [draw(size=(16, 2)), np.zeros(2)]
    found = gradients.gradient_norms(
        layer, inputs, all_tokens(inputs), readout, np.array([0, 1]), 149
    )
    assert np.isfinite(found["h"]).all()
