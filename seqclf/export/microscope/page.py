"""The page: the twins as data, the code that reads, and a policy for nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from importlib.metadata import version
from typing import Any

from seqclf import offline
from seqclf.cells import CELLS
from seqclf.config import ModelConfig
from seqclf.export.microscope.sentences import Sentence
from seqclf.export.microscope.weights import Kind, directions_of
from seqclf.export.portable import portable_rules
from seqclf.offline.steps import DASHES, MEMORIES, steps, table
from seqclf.poolings import POOLINGS
from seqclf.records.export import TwinAgreement
from seqclf.runs import Run

# Computing alone, which other programs can run, and then what shows it.
CORE = ("text.js", "network.js", "measures.js")
SHOWING = ("drawing.js", "panels.js", "page.js")


@dataclass(frozen=True, slots=True)
class Shown:
    """A twin in the page: its run, its weights from `packed`, how it was compared."""

    run: Run
    weights: Mapping[str, Mapping[str, Any]]
    agreement: TwinAgreement


def page(twins: Sequence[Shown], vectors: Kind, sentences: Sequence[Sentence]) -> str:
    """Returns the HTML of twins that read and answer alike, one at least.

    Words, labels and names are data: they become text alone in the page.

    Args:
      twins: In the order to show them.
      vectors: How they hold the vectors of tokens, `float32` or `int8`.
      sentences: Texts to choose from.
    """
    showing = [offline.part("elements.js"), *map(_file, SHOWING)]
    return offline.page(
        _file("page.html"),
        title=f"The twins of {twins[0].run.dataset.name}, under the microscope",
        style=_file("page.css"),
        script="\n".join([core(), *showing]),
        data=data(twins, vectors, sentences),
    )


def core() -> str:
    """Returns the JavaScript that reads, without anything of a page.

    The steps of the cells and the poolings come first, from their entries.
    """
    pools = {
        pooling.name: f"(states, layer) => {{\n{pooling.script}}}"
        for pooling in POOLINGS.values()
        if pooling.script
    }
    tables = [steps(), table("POOLS", pools)]
    return "\n".join([*tables, offline.part("arrays.js"), *map(_file, CORE)])


def data(
    twins: Sequence[Shown], vectors: Kind, sentences: Sequence[Sentence]
) -> dict[str, Any]:
    """Returns all that the script knows of the twins, as plain values."""
    first = twins[0].run
    return {
        "dataset": first.dataset.name,
        "labels": list(first.labels),
        "vocabulary": first.vocabulary.tokens,
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


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
