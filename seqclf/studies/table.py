"""The table of studies, and what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.records.dataset import DatasetInfo
from seqclf.studies import (
    convergence,
    convergence_shown,
    cost,
    cost_shown,
    memory,
    memory_shown,
    order,
    order_shown,
    wins,
    wins_shown,
)
from seqclf.studies.inside import gates, gates_drawn, gradients, gradients_shown
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import (
    depth,
    mix,
    sensitivity,
    sensitivity_shown,
    size,
    size_shown,
    variants,
)


@dataclass(frozen=True, slots=True)
class Study:
    """An entry of the table of studies.

    Attributes:
      run: From a question, and a place to train and to measure, to an answer.
      figure: Draws an answer: SVG.
      is_timed: Whether its answer holds on the machine alone on which it was found.
      about: For a study of what lies in the folder of the runs, and of no data set of
        its own: from that folder to what stands for one.
    """

    run: Callable[[Question, Lab], Answer[Any]]
    figure: Callable[[Answer[Any]], str]
    is_timed: bool = False
    about: Callable[[Path], DatasetInfo] | None = None


STUDIES: dict[str, Study] = {
    "gradients": Study(
        run=gradients.run,
        figure=gradients_shown.figure,
    ),
    "memory": Study(
        run=memory.run,
        figure=memory_shown.figure,
    ),
    "gates": Study(
        run=gates.run,
        figure=gates_drawn.figure,
    ),
    "order": Study(
        run=order.run,
        figure=order_shown.figure,
    ),
    "size": Study(
        run=size.SWEEP.run,
        figure=size_shown.figure,
    ),
    "sensitivity": Study(
        run=sensitivity.run,
        figure=sensitivity_shown.figure,
    ),
    "depth": Study(
        run=depth.SWEEP.run,
        figure=variants.figure,
    ),
    "mix": Study(
        run=mix.SWEEP.run,
        figure=variants.figure,
    ),
    "convergence": Study(
        run=convergence.run,
        figure=convergence_shown.figure,
        is_timed=True,
    ),
    "cost": Study(
        run=cost.run,
        figure=cost_shown.figure,
        is_timed=True,
    ),
    "wins": Study(
        run=wins.run,
        figure=wins_shown.figure,
        about=wins.about,
    ),
}
