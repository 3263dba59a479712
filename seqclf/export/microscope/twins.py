"""Which runs fit into one page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from seqclf.cells import CELLS
from seqclf.config import TANH, ModelConfig
from seqclf.errors import RunError
from seqclf.poolings import POOLINGS
from seqclf.runs import Run


def refuse_unfit(runs: Sequence[Run]) -> None:
    """Refuses runs that one page cannot show.

    Raises:
      RunError: If one is named twice, is a linear model, gives a text several labels,
        or has a cell, an activation or a pooling that the page does not know; or they
        do not read or answer alike: what differs is named.
    """
    first, *others = runs
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise RunError("a run is named twice; the microscope takes each once.")
    for run in runs:
        _refuse_unknown(run)
    for run in others:
        if different := _differences(first, run):
            raise RunError(
                f"{first.name} and {run.name} do not fit into one microscope: "
                f"{'; '.join(different)}. Its twins read the same tokens and give the "
                f"same labels; export them one by one."
            )


def has_steps(model: ModelConfig) -> bool:
    """Tells whether the page knows the steps of a network's cell."""
    cell = CELLS[model.cell]
    is_known = bool(cell.inside and cell.inside.script) and model.activation == TANH
    return not cell.has_layer or is_known


def _refuse_unknown(run: Run) -> None:
    model = run.config.model
    if run.is_linear:
        raise RunError(
            f"{run.name} is a linear model: it has no states to look at, and no place "
            f"in a microscope; leave it out."
        )
    if run.dataset.has_several:
        raise RunError(
            f"the microscope shows one label a text, and a text of {run.name} may have "
            f"several; take seqclf predict --explain."
        )
    if not has_steps(dataclasses.replace(model, activation=TANH)):
        raise RunError(
            f"{run.name} has the cell {model.cell}, which has no description of its "
            f"steps for the microscope (`inside`, with a `script`); leave it out."
        )
    if not has_steps(model):
        raise RunError(
            f"{run.name} has the activation {model.activation}, and the microscope "
            f"computes and draws {TANH} alone; leave it out."
        )
    if POOLINGS[model.pooling].script is None:
        raise RunError(
            f"{run.name} has the pooling {model.pooling}, which has no description for "
            f"the microscope (`script`); leave it out."
        )


def _differences(one: Run, other: Run) -> list[str]:
    """Returns in which of what twins in a page share two runs differ, in words."""
    found = []
    if one.vocabulary.tokens != other.vocabulary.tokens:
        sizes = f"{len(one.vocabulary):,} and {len(other.vocabulary):,} tokens"
        found.append(f"their vocabularies differ ({sizes})")
    pairs = {
        "labels": (", ".join(one.labels), ", ".join(other.labels)),
        "pooling": (one.config.model.pooling, other.config.model.pooling),
        "tokens": (one.text.tokens, other.text.tokens),
        "tokens read": (one.text.max_length, other.text.max_length),
        "keep": (one.text.keep, other.text.keep),
    }
    for name, (a, b) in pairs.items():
        if a != b:
            found.append(f"{name}: {a} and {b}")
    return found
