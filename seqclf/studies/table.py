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
      claim: The sentence that it puts to the test.
      options: Fields of the question that have a meaning for it and for no other.
      is_timed: Whether its answer holds on the machine alone on which it was found.
      about: For a study of what lies in the folder of the runs, and of no data set of
        its own: from that folder to what stands for one.
    """

    run: Callable[[Question, Lab], Answer[Any]]
    figure: Callable[[Answer[Any]], str]
    claim: str
    options: frozenset[str] = frozenset()
    is_timed: bool = False
    about: Callable[[Path], DatasetInfo] | None = None


STUDIES: dict[str, Study] = {
    "gradients": Study(
        run=gradients.run,
        figure=gradients_shown.figure,
        claim="Gradients vanish or explode in plain RNNs, and gates cure it.",
    ),
    "memory": Study(
        run=memory.run,
        figure=memory_shown.figure,
        claim="Gates keep long-range dependencies.",
    ),
    "gates": Study(
        run=gates.run,
        figure=gates_drawn.figure,
        claim="z near 1 copies the old state, r near 0 drops it; LSTM hides part of "
        "its memory, GRU does not.",
        options=frozenset({"texts"}),
    ),
    "order": Study(
        run=order.run,
        figure=order_shown.figure,
        claim="The order of words matters here at all.",
    ),
    "size": Study(
        run=size.SWEEP.run,
        figure=size_shown.figure,
        claim="LSTM is better where data is plentiful, and overfits more.",
    ),
    "sensitivity": Study(
        run=sensitivity.run,
        figure=sensitivity_shown.figure,
        claim="The cells differ in how much their settings matter.",
        options=frozenset({"range_test"}),
    ),
    "depth": Study(
        run=depth.SWEEP.run,
        figure=variants.figure,
        claim="Recurrent layers stack, and read in two directions.",
    ),
    "mix": Study(
        run=mix.SWEEP.run,
        figure=variants.figure,
        claim="Recurrent layers combine with convolution and attention.",
    ),
    "convergence": Study(
        run=convergence.run,
        figure=convergence_shown.figure,
        claim="GRU converges in fewer steps than LSTM.",
        is_timed=True,
    ),
    "cost": Study(
        run=cost.run,
        figure=cost_shown.figure,
        claim="LSTM has the most parameters; GRU is cheaper.",
        is_timed=True,
    ),
    "wins": Study(
        run=wins.run,
        figure=wins_shown.figure,
        claim="GRU is slightly ahead in many uses.",
        about=wins.about,
    ),
}
