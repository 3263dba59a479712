"""docs/cells.md: its equations are what Keras computes, its figures what is printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "cells.md").read_text("utf-8")
# The blocks of weights in the order in which Keras keeps them.
BLOCKS = {
    "SimpleRNN": [""],
    "LSTM": ["_i", "_f", "_g", "_o"],
    "GRU": ["_z", "_r", "_g"],
}

sys.path.insert(0, str(ROOT / "benchmarks"))


def equations(cell: str) -> str:
    """Returns the lines of Python in a cell's section."""
    section = PAGE.split(f"\n## {cell}\n")[1].split("\n## ")[0]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found, cell
    return found[1]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def by_the_page(cell: str, weights: list[np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Runs the page's lines over a text; returns float64 [time, units]."""
    kernel, recurrent, bias = (w.astype(np.float64) for w in weights)
    units, blocks = len(recurrent), BLOCKS[cell]
    names = {"tanh": np.tanh, "sigmoid": sigmoid, "h": np.zeros(units)}
    names["c"] = np.zeros(units)
    biases = bias if bias.ndim == 2 else bias[None]
    for place, block in enumerate(blocks):
        part = slice(place * units, (place + 1) * units)
        names[f"W{block}"] = kernel[:, part].T
        names[f"U{block}"] = recurrent[:, part].T
        for letter, one in zip("bd", biases, strict=False):
            names[f"{letter}{block}"] = one[part]
    states = []
    for x in inputs.astype(np.float64):
        names["x"] = x
        exec(equations(cell), names)  # noqa: S102 -- the page's own lines
        states.append(names["h"])
    return np.array(states)


@pytest.mark.parametrize("cell", BLOCKS)
def test_the_equations_are_what_keras_computes(cell):
    from seqclf.model.backend import import_keras

    keras = import_keras()
    layer = getattr(keras.layers, cell)(4, return_sequences=True)
    generator = np.random.default_rng(7)
    inputs = generator.normal(size=(1, 9, 3)).astype(np.float32)
    layer.build(inputs.shape)
    # Biases that differ, or nobody would notice that two of them are swapped.
    layer.set_weights([generator.normal(size=w.shape) for w in layer.get_weights()])
    expected = np.asarray(layer(inputs))[0]
    found = by_the_page(cell, layer.get_weights(), inputs[0])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_the_page_says_of_fresh_layers():
    """Forget gates start at 1, other biases at 0, U orthogonal; GRU has two biases."""
    from seqclf.model.backend import import_keras

    layers = import_keras().layers
    rnn, gru, lstm = (one(4) for one in (layers.SimpleRNN, layers.GRU, layers.LSTM))
    for layer in (rnn, gru, lstm):
        layer.build((1, 9, 3))
    np.testing.assert_array_equal(lstm.get_weights()[2], np.repeat([0, 1, 0, 0], 4))
    np.testing.assert_array_equal(gru.get_weights()[2], np.zeros((2, 12)))
    np.testing.assert_array_equal(rnn.get_weights()[2], np.zeros(4))
    matrix = rnn.get_weights()[1]
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(4), atol=1e-6)
    assert gru.reset_after


def printed() -> list[tuple[str, str]]:
    found = re.findall(r"^\$ (python -c .*)\n(.*)$", PAGE, re.MULTILINE)
    assert len(found) >= 2
    return found


@pytest.mark.parametrize(("line", "output"), printed())
def test_numbers_are_printed_by_the_command_above_them(line, output):
    _, *arguments = shlex.split(line)
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == output


def test_the_table_of_weights_is_that_of_the_models():
    from seqclf.config import ModelConfig
    from seqclf.model.build import recurrent_parameters

    shown = next(out for line, out in printed() if "3 *" in line)
    one_way = {"bidirectional": False, "units": 128, "embedding_size": 128}
    counts = [
        recurrent_parameters(ModelConfig(cell=c, **one_way))
        for c in ("rnn", "gru", "lstm")
    ]
    assert [int(word) for word in shown.split()] == counts


def test_every_statement_has_the_place_of_its_study():
    from cells_page import PLACE

    places = [place[1] for place in PLACE.finditer(PAGE)]
    assert sorted(places) == sorted(
        ["gradients", "memory", "gates", "order", "size", "sensitivity", "depth", "mix",
         "convergence", "cost", "wins"]
    )  # fmt: skip
    assert PAGE.count("<!-- study ") == PAGE.count("<!-- /study ") == len(places)


def test_filling_replaces_what_stands_between_the_marks_and_nothing_else():
    from cells_page import filled

    page = "a\n<!-- study cost -->\nold\n<!-- /study cost -->\nb\n"
    page += "<!-- study wins -->\n<!-- /study wins -->\n"
    once = filled(page, {"cost": "### new\n\n\\1 | x"})
    assert "old" not in once
    assert "    seqclf study cost --quick --markdown\n\n### new\n\n\\1 | x\n" in once
    assert once.startswith("a\n")
    assert once.endswith("b\n<!-- study wins -->\n<!-- /study wins -->\n")
    assert filled(once, {"cost": "### new\n\n\\1 | x"}) == once
    both = filled(once, {"wins": "y"})
    assert "    seqclf study wins --markdown\n\ny\n" in both


def test_pictures_of_studies_stand_beside_the_page_on_a_ground_of_their_own():
    from cells_page import DRAWN, on_white, picture

    for name in DRAWN:
        assert f"]({picture(name)})" in PAGE
        drawing = (ROOT / "docs" / picture(name)).read_text("utf-8")
        assert ElementTree.fromstring(drawing).get("style") == "background: #ffffff"
    assert on_white("<svg a><svg b>").count("background") == 1


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_drawings_are_those_of_the_script(cell, tmp_path):
    from diagrams import draw

    file = tmp_path / "cell.svg"
    draw(cell, file)
    kept = ROOT / "docs" / f"cell_{cell}.svg"
    assert f"](cell_{cell}.svg)" in PAGE
    sizes = []
    for one in (file, kept):
        root = ElementTree.fromstring(one.read_text("utf-8"))
        sizes.append((root.get("viewBox"), len(list(root.iter()))))
    assert sizes[0] == sizes[1]
    assert "fill: #ffffff" in kept.read_text("utf-8")  # a page may be dark
