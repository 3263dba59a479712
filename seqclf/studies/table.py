"""The table of studies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.records.dataset import DatasetInfo
from seqclf.studies import convergence, convergence_shown, cost, memory, order, wins
from seqclf.studies.inside import (
    flow,
    flow_shown,
    gates,
    gates_shown,
    gradients,
    gradients_shown,
)
from seqclf.studies.inside.dials import dials_page
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import (
    sensitivity,
    sensitivity_shown,
    size,
    size_shown,
    variants,
)


@dataclass(frozen=True, slots=True)
class Study:
    """How a study is run, and how its answer is drawn as SVG.

    Attributes:
      is_timed: Whether its answer is valid only on the machine that gave it.
      page: Makes the HTML of its interactive page; None if it has none.
      about: For a study of finished comparisons, or of no data, instead of a data set:
        from the folder of the runs to what takes the place of the data's description.
    """

    run: Callable[[Question, Lab], Answer[Any]]
    figure: Callable[[Answer[Any]], str]
    is_timed: bool = False
    page: Callable[[Lab], str] | None = None
    about: Callable[[Path], DatasetInfo] | None = None


STUDIES: dict[str, Study] = {
    "flow": Study(flow.run, flow_shown.figure, page=dials_page, about=flow.about),
    "gradients": Study(gradients.run, gradients_shown.figure),
    "memory": Study(memory.run, memory.figure),
    "gates": Study(gates.run, gates_shown.figure),
    "order": Study(order.run, order.figure),
    "size": Study(size.SWEEP.run, size_shown.figure),
    "sensitivity": Study(sensitivity.run, sensitivity_shown.figure),
    "depth": Study(variants.DEPTH.run, variants.figure),
    "mix": Study(variants.MIX.run, variants.figure),
    "convergence": Study(convergence.run, convergence_shown.figure, is_timed=True),
    "cost": Study(cost.run, cost.figure, is_timed=True),
    "wins": Study(wins.run, wins.figure, about=wins.about),
}
