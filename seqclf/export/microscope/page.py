"""The page: the twins as data, the code that reads, and a policy for nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from importlib.metadata import version
from typing import Any

from seqclf.cells import CELLS, Inside
from seqclf.config import ModelConfig
from seqclf.export.microscope.sentences import Sentence
from seqclf.export.microscope.weights import Kind, directions_of
from seqclf.export.portable import portable_rules
from seqclf.offline import policy
from seqclf.poolings import POOLINGS
from seqclf.records.export import TwinAgreement
from seqclf.runs import Run

# Computing alone, which other programs can run, and then what shows it.
CORE = ("arrays.js", "text.js", "network.js", "measures.js")
SHOWING = ("drawing.js", "panels.js", "page.js")
# What a cell carries from token to token, by the letter in formulas.
MEMORIES = {"h": "hidden", "c": "cell"}
DASHES = {"-": "", "--": "7 3", "-.": "7 3 2 3", ":": "2 3"}  # Matplotlib's, in SVG


@dataclass(frozen=True, slots=True)
class Shown:
    """A twin in the page: its run, its weights from `packed`, how it was compared."""

    run: Run
    weights: Mapping[str, Mapping[str, Any]]
    agreement: TwinAgreement


def page(twins: Sequence[Shown], vectors: Kind, sentences: Sequence[Sentence]) -> str:
    """Returns the HTML of twins that read and answer alike, one at least.

    Words, labels and names are data: they stand in JSON without `<`, so that nothing
    ends the element they are in, and become text alone in the page.

    Args:
      twins: In the order to show them.
      vectors: How they hold the vectors of tokens, `float32` or `int8`.
      sentences: Texts to choose from.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    script = "\n".join(['"use strict";', core(), *map(_file, SHOWING)])
    style = _file("page.css")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        _file("page.html")
    )
    about = twins[0].run.dataset.name
    return template.render(
        title=f"The twins of {about}, under the microscope",
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 -- our own, as is
        script=Markup(script),  # noqa: S704 -- the same
        data=Markup(escaped(data(twins, vectors, sentences))),  # noqa: S704 -- see there
    )


def core() -> str:
    """Returns the JavaScript that reads, without anything of a page.

    The steps of the cells and the poolings come first, from their entries.
    """
    steps = {
        cell.name: _step(cell.inside, cell.inside.script)
        for cell in CELLS.values()
        if cell.inside and cell.inside.script
    }
    pools = {
        pooling.name: f"(states, layer) => {{\n{pooling.script}}}"
        for pooling in POOLINGS.values()
        if pooling.script
    }
    tables = [_table("STEPS", steps), _table("POOLS", pools)]
    return "\n".join([*tables, *map(_file, CORE)])


def data(
    twins: Sequence[Shown], vectors: Kind, sentences: Sequence[Sentence]
) -> dict[str, Any]:
    """Returns all that the script knows of the twins, as plain values."""
    first = twins[0].run
    return {
        "dataset": first.dataset.name,
        "labels": list(first.labels),
        "tokens": first.text.tokens,
        "vocabulary": first.vocabulary.tokens.to_pylist(),
        "rules": portable_rules(first.text),
        "sentences": [asdict(one) for one in sentences],
        "vectors": vectors,
        "version": version("seqclf"),
        "twins": [_twin(one, twins) for one in twins],
    }


def _twin(shown: Shown, among: Sequence[Shown]) -> dict[str, Any]:
    run, model = shown.run, shown.run.config.model
    cell = CELLS[model.cell]
    alike = [one for one in among if one.run.config.model.cell == model.cell]
    title = cell.title if cell.recurs else "No recurrence"
    return {
        "title": title if len(alike) == 1 else f"{title} ({run.name})",
        "colour": cell.look.colour,
        "dash": DASHES[cell.look.line],
        "accuracy": run.test_accuracy if run.has_scores else None,
        **asdict(shown.agreement),
        **network(model, shown.weights),
    }


def network(
    model: ModelConfig, weights: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Returns what the script needs of a network, with its weights from `packed`."""
    cell, inside = CELLS[model.cell], CELLS[model.cell].inside
    return {
        "cell": cell.name,
        "pooling": model.pooling,
        "is_last": POOLINGS[model.pooling].is_last,
        "layers": model.layers if cell.recurs else 0,
        "directions": directions_of(model) if cell.recurs else [],
        "conv_width": model.conv_width,
        "gates": inside.gates if inside else [],
        "values": [*inside.gates, *inside.states] if inside else [],
        "keeps": inside.keeps if inside else None,
        "memory": MEMORIES[inside.memory] if inside else None,
        "weights": weights,
    }


def escaped(values: Any) -> str:
    """Returns JSON that can stand in an HTML element and does not end it."""
    text = json.dumps(values, allow_nan=False)
    return text.replace("<", "\\u003c")


def _step(inside: Inside, script: str) -> str:
    """Returns a function that fills `made`, the arrays of all gates and states."""
    names = ", ".join((*inside.gates, *inside.states))
    return (
        f"(x, h, before, made, n) => {{\nconst {{ {names} }} = made;\n"
        f"for (let u = 0; u < n; u += 1) {{\n{script}}}\n}}"
    )


def _table(name: str, functions: Mapping[str, str]) -> str:
    entries = [f"{json.dumps(key)}: {code},\n" for key, code in functions.items()]
    return f"const {name} = {{\n{''.join(entries)}}};"


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
