"""How much of a gradient comes back before anything is learnt, and what that hangs on.

Textbooks show the gradients of a plain network vanish and those of gated ones not. What
an untrained network does hangs on a few dials: how large its inputs are, by what its
recurrent matrix stretches the state, and how far its gates stand open. Each dial is
moved by itself, the others are left where Keras and the recipe leave them; the
gradients come from back-propagation through Keras's own layers, in float64. No
training, no data: the inputs are random, and so is the readout.

Beside each stands what the memory's own way gives by its formula: over a step the LSTM
keeps the share f of its cell and the GRU the share z of its state, and a plain network
passes a state on by its recurrent matrix and the slope of tanh, 1 - h^2. What is more
comes back by the other ways through the recurrent matrices. (Hochreiter 1991; Bengio,
Simard & Frasconi 1994, IEEE Trans. Neural Networks 5:157; Saxe, McClelland & Ganguli
2014, arXiv:1312.6120, of orthogonal matrices; Jozefowicz, Zaremba & Sutskever 2015,
PMLR 37:2342, of the forget bias.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from seqclf.cells import CELLS
from seqclf.model import backend
from seqclf.records.dataset import DatasetInfo
from seqclf.records.flow import FlowFindings, FlowPoint, FlowRow
from seqclf.records.training import Report, Started
from seqclf.studies.inside import flow_shown, unrolled
from seqclf.studies.inside.bench import (
    KEEPS,
    NETWORKS,
    SPAN,
    UNIT_VARIANCE,
    UNITS,
    Flow,
    Network,
    Setting,
    flow,
    usual,
)
from seqclf.studies.inside.gradients_judged import follow
from seqclf.studies.lab import SHARED, Lab
from seqclf.studies.question import Answer, Question

DISTANCES = (10, 25, 50, SPAN)  # of the rows
INPUTS, MATRIX, OPENING = "inputs", "matrix", "opening"
DIALS: Mapping[str, tuple[float, ...]] = {
    INPUTS: (0.02, 0.05, 0.2, 0.5, UNIT_VARIANCE),
    MATRIX: (0.8, 1.0, 1.5, 2.0),
    OPENING: (0.0, 1.0, 2.0, 3.0),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measuring process receives."""

    cell: str
    threads: int


def about(models: Path) -> DatasetInfo:
    """Returns a description of no data, in place of that of a data set."""
    return DatasetInfo(
        name=SHARED, source="", fingerprint="untrained", labels=(), sizes={}
    )


def run(question: Question, lab: Lab) -> Answer[FlowFindings]:
    """Measures the gradients of untrained networks under each dial."""
    cells = [name for name, cell in CELLS.items() if cell.inside is not None]
    benches = [Bench(cell, lab.threads) for cell in cells]
    names = [f"gradients of {cell}" for cell in cells]
    measured = dict(zip(cells, lab.measure(measure, benches, names), strict=True))
    findings = FlowFindings(
        span=SPAN, networks=NETWORKS, units=UNITS,
        memory={cell: unrolled.inside_of(cell).memory for cell in cells},
        cells={cell: points(cell, flows) for cell, flows in measured.items()},
    )  # fmt: skip
    rows = [row for cell, flows in measured.items() for row in rows_of(cell, flows)]
    return Answer(
        study="flow", title="Gradients before any training",
        sentence=flow_shown.sentence(findings), table=flow_shown.table(findings),
        rows=tuple(rows), findings=findings, trials=0,
        notes=flow_shown.notes(findings),
    )  # fmt: skip


def settings(cell: str) -> dict[tuple[str, float], Setting]:
    """Returns the settings of a cell by dial and value, one dial moved in each."""
    at = usual(cell)
    return {
        (dial, value): replace(at, **{dial: value})  # type: ignore[arg-type]
        for dial, values in DIALS.items()
        if dial != OPENING or cell in KEEPS
        for value in values
    }


def measure(bench: Bench, report: Report) -> dict[Setting, Flow]:
    """Measures a cell in each of its settings, in a separate process."""
    report(Started())
    backend.set_threads(bench.threads)
    different = dict.fromkeys(settings(bench.cell).values())
    network = Network(bench.cell)
    return {setting: flow(network, setting) for setting in different}


def points(cell: str, flows: Mapping[Setting, Flow]) -> tuple[FlowPoint, ...]:
    """Returns what each place of each dial gives."""
    found = []
    for (dial, value), setting in settings(cell).items():
        one = flows[setting]
        share = None if one.by_memory is None else 10 ** float(one.by_memory.mean())
        found.append(
            FlowPoint(
                dial=dial,
                value=value,
                is_usual=setting == usual(cell),
                way=follow(one.norms, SPAN),
                by_memory=share,
            )  # fmt: skip
        )
    return tuple(found)


def rows_of(cell: str, flows: Mapping[Setting, Flow]) -> list[FlowRow]:
    """Returns the factors over each of `DISTANCES`."""
    return [
        FlowRow(
            cell=cell,
            dial=dial,
            value=value,
            distance=distance,
            factor=10 ** float((norms[..., distance] - norms[..., 0]).mean()),
        )  # fmt: skip
        for (dial, value), setting in settings(cell).items()
        for norms in [flows[setting].norms]
        for distance in DISTANCES
    ]
