"""The page of dials: its gradients against Keras's, what it says and leaves out."""

from __future__ import annotations

import base64
import dataclasses
import functools
import math

import numpy as np
import pytest
from asked import Silent
from conftest import invoke, run_in_node

from seqclf.cells import CELLS
from seqclf.offline.steps import with_way_back
from seqclf.steps import Target
from seqclf.studies import sections
from seqclf.studies.inside import bench
from seqclf.studies.inside.bench import (
    KERAS,
    NETWORKS,
    NORMAL,
    ORTHOGONAL,
    UNITS,
    Network,
    Setting,
    usual,
)
from seqclf.studies.inside.dials import page as dials
from seqclf.studies.inside.gradients_shown import scientific
from seqclf.studies.lab import Lab
from seqclf.workflows import study as studies

GATED = ("gru", "lstm")
# What is asked of the page: cells, weights and texts, and settings of the dials.
CURVES = """
const texts = asked.texts.map(openText);
const answer = asked.cells.map((cell) => {
  const opened = openCell(cell, asked.weights[cell.name], texts);
  return asked.dials.map((one) => ({
    ways: opened.networks.map((network) => wayBack(opened, network, one)),
    shown: gradientOf(opened, one) }));
});
"""


@pytest.fixture(scope="module")
def drawn() -> dict[str, object]:
    """What the page holds."""
    return dials.data() | dials.networks()


@pytest.fixture
def node(tmp_path):
    return functools.partial(run_in_node, tmp_path, dials.core())


def dial(length: int, inputs: float, matrix: float, kind: str, opening: float) -> dict:
    return {
        "length": length, "inputs": inputs, "matrix": matrix, "kind": kind,
        "openings": dict.fromkeys(GATED, opening),
    }  # fmt: skip


def unpacked(one) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(one["float64"]), "<f8")
    return values.reshape(one["shape"])


def by_keras(network, text, at) -> tuple[list[float], list[float]]:
    """Returns log10 of norms, the last token first, and of the memory's own way."""
    inputs = at["inputs"] * unpacked(text["inputs"])[None, : at["length"] + 1]
    kept = ("h", "c").index(CELLS[network.cell].inside.memory)
    norms = network.way_back(inputs, unpacked(text["readout"]))[kept][0]
    alone = bench.own_way(network.cell, network.weights, inputs)
    return np.log10(norms), [0.0] if alone is None else alone


def agrees(node, drawn, asked, networks: int) -> None:
    """Compares the page with Keras at some dials, in so many networks of each cell."""
    found = node(CURVES, drawn | {"dials": asked})
    for cell, by_dial in zip(drawn["cells"], found, strict=True):
        network = Network(cell["name"])
        for at, one in zip(asked, by_dial, strict=True):
            opening = at["openings"].get(cell["name"], 0.0)
            setting = Setting(at["inputs"], at["matrix"], opening, at["kind"])
            for seed in range(networks):
                network.draw(setting, seed)
                way = one["ways"][seed]
                norms, alone = by_keras(network, drawn["texts"][seed], at)
                # 4e-7 of a logarithm to the base of ten is 1e-6 of a norm.
                said = f"{cell['name']} {at} {seed}"
                np.testing.assert_allclose(way["all"], norms, 0, 4e-7, err_msg=said)
                assert way["alone"][-1] == pytest.approx(alone[0], abs=4e-7), said
                assert (one["shown"]["alone"] is None) != cell["has_formula"]


def test_the_page_goes_the_way_back_of_keras(node, drawn):
    asked = [dial(12, 0.3, 1.3, KERAS, 1.0), dial(9, 3**0.5, 0.7, NORMAL, -2.0)]
    agrees(node, drawn, asked, networks=1)


def test_a_cell_is_its_entry_and_nothing_else(tmp_path, drawn, monkeypatch):
    """An Elman network with rectified units, whose formula nobody knows."""
    inside = dataclasses.replace(
        CELLS["rnn"].inside,
        step=lambda x, states, recurrent, bias: {
            "hidden": np.maximum(x + states["hidden"] @ recurrent + bias, 0)
        },
        script="hidden[u] = Math.max(x[u] + h[u], 0);\n",
        back="own[u] = by.hidden[u];\nto[u] = hidden[u] > 0 ? own[u] : 0;\n",
    )
    elman = dataclasses.replace(
        CELLS["rnn"], name="elman", title="Elman", inside=inside,
        options={"activation": "relu"},
    )  # fmt: skip
    monkeypatch.setitem(CELLS, "elman", elman)
    data = drawn | dials.data()
    data["cells"] = [one for one in data["cells"] if one["name"] == "elman"]
    data["weights"] = {"elman": drawn["weights"]["rnn"]}  # of the same shapes
    node = functools.partial(run_in_node, tmp_path, dials.core())
    agrees(node, data, [dial(9, 0.5, 1.2, ORTHOGONAL, 0.0)], networks=1)


@pytest.mark.slow
def test_the_page_goes_the_way_back_of_keras_over_long_ways(node, drawn):
    asked = [
        dial(100, 0.02, 1.0, KERAS, 0.0),  # 1e-20 of the gradient of a GRU is left
        dial(100, 3**0.5, 1.0, NORMAL, 1.0),
        dial(100, 0.5, 2.0, KERAS, 1.0),
        dial(150, 0.05, 1.5, ORTHOGONAL, 5.0),
        dial(10, 1.0, 0.5, ORTHOGONAL, -2.0),
    ]
    agrees(node, drawn, asked, networks=NETWORKS)


def test_what_is_too_small_to_be_a_number_is_followed_on(node, drawn):
    at = dial(400, 0.02, 0.0, KERAS, -2.0)
    [[one], *_] = node(CURVES, drawn | {"dials": [at], "cells": drawn["cells"][1:2]})
    # A GRU that keeps sigmoid(-2) = 0.1192 a token, and has no other way: 1e-369.
    expected = pytest.approx(400 * math.log10(0.1192), rel=1e-3)
    assert one["shown"]["alone"][-1] == expected == one["shown"]["mean"][-1]


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_its_networks_are_the_first_texts_of_the_study(cell, node, drawn):
    at = dial(100, 0.02, 1.0, KERAS, usual(cell).opening)
    [own] = [one for one in drawn["cells"] if one["name"] == cell]
    [[one]] = node(CURVES, drawn | {"dials": [at], "cells": [own]})
    expected = bench.flow(Network(cell), usual(cell)).norms[:, 0]
    for way, norms in zip(one["ways"], expected, strict=True):
        np.testing.assert_allclose(way["all"], norms, 0, 4e-7)
    factors = (expected - expected[:, :1])[:, 100]
    shown = one["shown"]
    assert shown["mean"][100] == pytest.approx(factors.mean(), abs=4e-7)
    assert shown["low"][100] == pytest.approx(factors.min(), abs=4e-7)
    assert shown["high"][100] == pytest.approx(factors.max(), abs=4e-7)


def test_the_kinds_of_matrix_are_what_they_are_called():
    for parts in (1, 3):
        keras = bench.recurrent_of(KERAS, 2, parts)
        np.testing.assert_allclose(keras @ keras.T, np.eye(UNITS), atol=1e-12)
        each = np.split(bench.recurrent_of(ORTHOGONAL, 2, parts), parts, axis=1)
        for one in each:
            np.testing.assert_allclose(one @ one.T, np.eye(UNITS), atol=1e-12)
        assert len({one.tobytes() for one in each}) == parts
        normal = bench.recurrent_of(NORMAL, 2, parts)
        assert normal.shape == (UNITS, parts * UNITS)
        assert normal.var() == pytest.approx(1 / UNITS, rel=0.1)
    # Of one part the first two are the same.
    assert (
        bench.recurrent_of(ORTHOGONAL, 1, 1) == bench.recurrent_of(KERAS, 1, 1)
    ).all()


def test_numbers_and_verdicts_are_said_as_in_the_study(node):
    values = [0.62, 7.3e-21, 9.96e-9, 12, 99.4, 99.7, 7409, 2.4e7, 1e-3, 9.9e4, 100]
    code = """
    const answer = [asked.map(scientific), scientific(-Infinity), scientific(-400.2),
      [-2.1, -1.9, 0, 1.9, 2.1].map((power) => verdictOf(power, 2))];
    """
    said, nothing, tiny, verdicts = node(code, [math.log10(value) for value in values])
    assert said == [scientific(value) for value in values]
    assert nothing == "0"
    assert tiny == "6e-401"
    assert verdicts == ["vanishing", *["steady"] * 3, "exploding"]


# What the page holds, and what it leaves out.


def test_the_presets_are_places_of_the_dials():
    values = dials.data()
    places = values["presets"]
    assert places["Keras's defaults"] == {
        "inputs": 0.02, "matrix": 1.0, "kind": KERAS,
        "openings": {"lstm": 1.0, "gru": 0.0},
    }  # fmt: skip
    assert {one["kind"] for one in places.values()} <= values["kinds"].keys()
    by_name = {cell["name"]: cell for cell in values["cells"]}
    assert by_name["lstm"]["gate"] == {"name": "forget", "part": 1}
    assert by_name["gru"]["gate"] == {"name": "update", "part": 0}
    assert by_name["rnn"]["gate"] is None


def test_a_cell_without_a_way_back_is_left_out_by_its_title(monkeypatch):
    assert list(with_way_back()) == ["rnn", "gru", "lstm"]
    assert dials.data()["left_out"] == []
    inside = dataclasses.replace(CELLS["gru"].inside, back=None)
    gru = dataclasses.replace(CELLS["gru"], inside=inside)
    monkeypatch.setitem(CELLS, "gru", gru)
    values = dials.data()
    assert [cell["name"] for cell in values["cells"]] == ["rnn", "lstm"]
    assert values["left_out"] == ["GRU"]
    assert all("gru" not in one["openings"] for one in values["presets"].values())


@pytest.mark.parametrize("study", ["gradients", "wins"])
def test_the_page_is_for_its_study_alone(study):
    result = invoke("study", study, "--page")
    assert result.exit_code == 2
    assert "--page is for the study flow alone" in result.output


def test_an_answer_links_to_the_page_beside_it(tmp_path):
    place = tmp_path / "a-studies" / "flow"
    other = tmp_path / "b-studies"
    assert sections.link_to("flow", place, place) == ""
    place.mkdir(parents=True)
    (place / "flow.html").touch()
    assert sections.link_to("flow", place, place) == "flow.html"
    assert sections.link_to("flow", place, other) == "../a-studies/flow/flow.html"
    assert sections.link_to("gates", place, other) == ""


def test_a_page_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    heard = Silent()
    broken = dataclasses.replace(studies.STUDIES["flow"], page=lambda lab: 1 / 0)
    monkeypatch.setitem(studies.STUDIES, "flow", broken)
    lab = Lab(tmp_path, Target(tmp_path, tmp_path), heard, jobs=1)
    studies._write_interactive("flow", tmp_path, lab)
    assert "flow.html could be written: ZeroDivisionError" in heard.notes[0]
    assert not (tmp_path / "flow.html").exists()
