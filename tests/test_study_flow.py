"""Untrained gradients: against the other study and formulas, and what is said."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import run_cli, run_in

from seqclf.records.flow import FlowFindings, FlowPoint
from seqclf.records.inside import WayBack
from seqclf.studies.claims import CONTRADICTED, SUPPORTED, depends_on
from seqclf.studies.claims.inside import flow_of_gates, flow_of_rnn
from seqclf.studies.inside import bench, flow, flow_shown
from seqclf.studies.inside.bench import UNITS, Network, Setting, usual
from seqclf.studies.inside.flow import INPUTS, MATRIX, OPENING
from seqclf.studies.inside.gradients import gradient_norms
from seqclf.studies.question import Answer

DEPENDS = depends_on("initialisation")

CELLS = ("rnn", "gru", "lstm")


@pytest.fixture(scope="module", params=CELLS)
def network(request) -> Network:
    return Network(request.param)


def test_the_way_back_is_that_of_the_study_of_trained_layers(network):
    import keras

    from seqclf.cells import CELLS as TABLE

    setting = dataclasses.replace(usual(network.cell), inputs=0.7)
    network.draw(setting, seed=5)
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-0.7, 0.7, (4, 9, UNITS))
    readout = rng.normal(0, 0.1, (UNITS, 2))
    one = TABLE[network.cell]
    layer = getattr(keras.layers, one.layer)(UNITS, **one.options)
    layer.build((None, None, UNITS))
    layer.set_weights(network.weights)
    norms = gradient_norms(
        layer, inputs.astype(np.float32), np.ones((4, 9), bool),
        (readout, np.zeros(2)), np.array([0, 1, 0, 1]), 8,
    )  # fmt: skip
    # Of two labels every gradient by the last state lies along one line.
    along = np.tile(readout[:, 1] - readout[:, 0], (4, 1))
    found = network.way_back(inputs, along)
    for state, own in zip(norms, found, strict=True):
        expected = norms[state] / norms[state][:, :1]
        np.testing.assert_allclose(own / own[:, :1], expected, rtol=1e-4)


@pytest.mark.parametrize("matrix", [0.8, 1.0])
def test_a_plain_network_with_small_inputs_is_a_linear_one(matrix):
    network = Network("rnn")
    one = bench.flow(network, Setting(1e-4, matrix, 0.0), networks=2, span=20)
    # tanh is straight: an orthogonal matrix leaves every length as it is.
    factor = 10 ** (one.norms[..., 20] - one.norms[..., 0])
    np.testing.assert_allclose(factor, matrix**20, rtol=1e-4)
    np.testing.assert_allclose(10**one.by_memory, matrix**20, rtol=1e-4)


def test_without_a_recurrent_matrix_the_memory_has_its_own_way_alone():
    network = Network("lstm")
    setting = Setting(1e-4, 0.0, 2.0)
    one = bench.flow(network, setting, networks=1, span=20)
    # The forget gate stands at sigmoid(2) for all units and tokens.
    kept = 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(10**one.by_memory, kept**20, rtol=1e-3)
    factor = 10 ** (one.norms[..., 20] - one.norms[..., 0])
    np.testing.assert_allclose(factor, kept**20, rtol=1e-3)


@pytest.mark.parametrize(("cell", "part", "of"), [("lstm", 1, 4), ("gru", 0, 3)])
def test_the_opening_is_the_bias_of_the_keeping_gate(cell, part, of):
    network = Network(cell)
    network.draw(Setting(0.02, 1.5, 3.0), seed=1)
    kernel, recurrent, bias = network.weights
    assert kernel.shape == recurrent.shape == (UNITS, of * UNITS)
    assert np.linalg.svd(recurrent, compute_uv=False) == pytest.approx(1.5)
    for row, opening in zip(np.atleast_2d(bias), (3.0, 0.0), strict=False):
        parts = row.reshape(of, UNITS)
        assert (parts[part] == opening).all()
        assert not np.delete(parts, part, axis=0).any()
    network.draw(usual(cell), seed=1)
    assert network.weights[2].max() == usual(cell).opening


def test_one_dial_is_moved_at_a_time_and_the_usual_place_is_on_each():
    for cell in CELLS:
        at, found = usual(cell), flow.settings(cell)
        for (dial, value), setting in found.items():
            assert setting == dataclasses.replace(at, **{dial: value})
        dials = {dial for dial, _ in found}
        assert (OPENING in dials) == (cell != "rnn")
        for dial in dials:
            assert at in [s for (name, _), s in found.items() if name == dial]


def way(factor: float, verdict: str) -> WayBack:
    return WayBack(
        slope=0.0, slope_low=0.0, slope_high=0.0, factor=factor,
        factor_low=factor / 2, factor_high=factor * 2, verdict=verdict,
    )  # fmt: skip


def point(dial: str, value: float, factor: float, usual: bool = False) -> FlowPoint:
    verdict = "vanishing" if factor < 0.01 else "steady"
    return FlowPoint(
        dial=dial, value=value, is_usual=usual, way=way(factor, verdict),
        by_memory=factor,
    )  # fmt: skip


def answer(**cells: tuple[FlowPoint, ...]) -> Answer[FlowFindings]:
    found = FlowFindings(
        span=100, networks=3, units=64, memory=dict.fromkeys(cells, "h"),
        cells=cells,
    )  # fmt: skip
    return Answer(
        study="flow", title="", sentence="", table=flow_shown.table(found), rows=(),
        findings=found, trials=0, notes=(),
    )  # fmt: skip


def test_the_claims_are_judged_by_all_places_of_the_dials():
    steady, vanished = point(INPUTS, 0.02, 0.6, True), point(INPUTS, 1.7, 1e-20)
    assert flow_of_rnn(answer(rnn=(steady, vanished))).verdict == depends_on(
        "initialisation"
    )
    assert flow_of_rnn(answer(rnn=(vanished,))).verdict == SUPPORTED
    assert flow_of_rnn(answer(rnn=(steady,))).verdict == CONTRADICTED
    evidence = flow_of_rnn(answer(rnn=(steady, vanished))).evidence
    assert "inputs ±0.02 0.6 (steady), inputs ±1.7 1e-20 (vanishing)." in evidence
    less = point(INPUTS, 0.02, 1e-8, True), point(INPUTS, 1.7, 1e-9)
    both = answer(rnn=(steady, vanished), lstm=less)
    assert flow_of_gates(both).verdict == DEPENDS
    assert "LSTM more in 1 settings, less in 1." in flow_of_gates(both).evidence
    alone = answer(rnn=(steady,), lstm=(less[0],))
    assert flow_of_gates(alone).verdict == CONTRADICTED
    # A dial that the plain network has not is set beside it as it usually is.
    opened = point(OPENING, 3.0, 50.0)
    assert flow_of_gates(answer(rnn=(steady,), lstm=(opened,))).verdict == SUPPORTED


def test_the_picture_has_a_panel_for_each_dial():
    found = answer(
        rnn=(point(INPUTS, 0.02, 0.6, True), point(MATRIX, 2.0, 1e7)),
        lstm=(point(INPUTS, 0.02, 1e-8, True), point(OPENING, 3.0, 50.0)),
    )
    svg = flow_shown.figure(found)
    ElementTree.fromstring(svg)
    for title in flow_shown.TITLES.values():
        assert title in svg


def test_it_takes_no_data_and_no_recipe(tmp_path):
    done = run_in(tmp_path, "study", "flow", "--units=8")
    assert done.exit_code == 2
    assert "--units does nothing when flow takes no data and no recipe" in done.stderr


@pytest.mark.slow
def test_the_study_answers_and_keeps_its_answer(tmp_path):
    done = run_cli(["study", "flow"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "What vanishes depends on the initialisation." in " ".join(
        done.stdout.split()
    )
    place = tmp_path / "models" / "made-up-texts-studies" / "flow"
    report = place / "study.html"
    assert not (place / "flow.html").exists()
    assert "flow.html" not in report.read_text("utf-8")
    again = run_cli(["study", "flow", "--markdown", "--page"], tmp_path)
    assert "reused" in again.stderr
    assert "Interactive page: models" in again.stderr
    assert '<a href="flow.html">' in report.read_text("utf-8")
    html = (place / "flow.html").read_text("utf-8")
    assert "default-src &#39;none&#39;" in html
    assert len(html) < 6_000_000
    # What the formulas of a plain network say is what comes back, whatever the dial.
    lines = [line.split("|") for line in again.stdout.splitlines() if "| rnn |" in line]
    assert len(lines) == 9
    for _, _, _, factor, _, own, _ in lines:
        a, b = (float(text.replace(",", "")) for text in (factor, own))
        assert abs(np.log10(a / b)) < 0.5
