"""The page: what the bench draws as data, and the code that goes its way back."""

from __future__ import annotations

import base64
from importlib import resources
from importlib.metadata import version
from typing import Any

import numpy as np

from seqclf import offline
from seqclf.cells import CELLS, SIMPLE_RNN, Cell
from seqclf.model import backend
from seqclf.offline.steps import DASHES, steps, ways_back, with_way_back
from seqclf.records.training import Report, Started
from seqclf.studies.inside import bench
from seqclf.studies.inside.bench import (
    KEEPS,
    KERAS,
    NETWORKS,
    NORMAL,
    ORTHOGONAL,
    SPAN,
    UNIT_VARIANCE,
    UNITS,
)
from seqclf.studies.inside.gradients_judged import LIMIT
from seqclf.studies.lab import Lab

PAGE_FILE = "flow.html"
LONGEST = 400  # tokens, to the end of the dial
KINDS = {
    KERAS: "Keras's: orthogonal over all parts together",
    ORTHOGONAL: "orthogonal, each part by itself",
    NORMAL: "random normal, as in textbooks",
}
OPEN = 5.0  # a gate's bias at which it keeps 0.993 a token, half over 100
# By name: how large the inputs are, the kind of matrix, and the bias of every keeping
# gate, None where Keras has it. The matrix is multiplied by 1.
PRESETS: dict[str, tuple[float, str, float | None]] = {
    "Keras's defaults": (bench.usual(SIMPLE_RNN.name).inputs, KERAS, None),
    "As textbooks draw it": (UNIT_VARIANCE, NORMAL, OPEN),
    "Gates open": (bench.usual(SIMPLE_RNN.name).inputs, KERAS, OPEN),
}


def dials_page(lab: Lab) -> str:
    """Returns the HTML of the page, its networks drawn in a process of their own."""
    [drawn] = lab.measure(draw, [lab.threads], ["drawing networks"])
    showing = [offline.part("elements.js"), _file("drawing.js"), _file("page.js")]
    return offline.page(
        _file("page.html"),
        title="How much of a gradient comes back",
        style=_file("page.css"),
        script="\n".join([core(), *showing]),
        data=data() | drawn,
    )


def core() -> str:
    """Returns the JavaScript that computes, without anything of a page."""
    arrays = offline.part("arrays.js")
    return "\n".join([steps(), ways_back(), arrays, _file("bench.js")])


def data() -> dict[str, Any]:
    """Returns what the script knows of cells and dials, as plain values."""
    shown = [CELLS[name] for name in with_way_back()]
    recurrent = [cell for cell in CELLS.values() if cell.recurs]
    return {
        "version": version("seqclf"),
        "units": UNITS,
        "span": SPAN,
        "longest": LONGEST,
        "limit": LIMIT,
        "kinds": KINDS,
        "presets": {name: _preset(*values) for name, values in PRESETS.items()},
        "cells": [_cell(cell) for cell in shown],
        "left_out": [cell.title for cell in recurrent if cell not in shown],
    }


def draw(threads: int, report: Report) -> dict[str, Any]:
    """Returns `networks`, in a separate process."""
    report(Started())
    backend.set_threads(threads)
    return networks()


def networks() -> dict[str, Any]:
    """Draws the networks, and a text for each.

    They are those of the study, and each text is the first of its eight, gone on with.

    Returns:
      `weights`, by cell a list of networks, and `texts`, a list: plain values.
    """
    seeds = range(NETWORKS)
    weights = {
        name: [_weights(seed, CELLS[name].parts) for seed in seeds]
        for name in with_way_back()
    }
    return {"weights": weights, "texts": [_text(seed) for seed in seeds]}


def _weights(seed: int, parts: int) -> dict[str, Any]:
    recurrent = {kind: _packed(bench.recurrent_of(kind, seed, parts)) for kind in KINDS}
    return {"kernel": _packed(bench.kernel_of(seed, parts)), "recurrent": recurrent}


def _text(seed: int) -> dict[str, Any]:
    [inputs], _ = bench.text_of(seed, LONGEST, texts=1)
    _, readouts = bench.text_of(seed, SPAN)
    return {"inputs": _packed(inputs), "readout": _packed(readouts[:1])}


def _cell(cell: Cell) -> dict[str, Any]:
    inside = with_way_back()[cell.name]
    gate, opening = KEEPS.get(cell.name, (None, 0.0))
    return {
        "name": cell.name,
        "title": cell.title,
        "colour": cell.look.colour,
        "dash": DASHES[cell.look.line],
        "values": [*inside.gates, *inside.states],
        "memory": inside.memory,
        "keeps": inside.keeps,
        "has_formula": bench.has_formula(cell.name),
        "gate": gate and {"name": gate, "part": inside.parts.index(gate)},
        "opening": opening,
    }


def _preset(inputs: float, kind: str, opening: float | None) -> dict[str, Any]:
    openings = {
        name: keras if opening is None else opening
        for name, (_, keras) in KEEPS.items()
        if name in with_way_back()
    }
    return {"inputs": inputs, "matrix": 1.0, "kind": kind, "openings": openings}


def _packed(values: np.ndarray) -> dict[str, Any]:
    text = base64.b64encode(values.astype("<f8").tobytes()).decode()
    return {"shape": list(values.shape), "float64": text}


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
