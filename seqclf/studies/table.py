"""The table of studies."""

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
    variants_shown,
)


@dataclass(frozen=True, slots=True)
class Study:
    """An entry of the table of studies.

    Attributes:
      run: From a question, and a place to train and measure, to an answer.
      figure: Draws an answer as SVG.
      claim: The sentence that it tests.
      options: Fields of the question that only this study uses.
      is_timed: Whether its answer is valid only on the machine that gave it.
      about: For a study of finished comparisons instead of a data set: from the folder
        of the runs to a description that takes the place of the data set's.
    """

    run: Callable[[Question, Lab], Answer[Any]]
    figure: Callable[[Answer[Any]], str]
    claim: str
    options: frozenset[str] = frozenset()
    is_timed: bool = False
    about: Callable[[Path], DatasetInfo] | None = None


STUDIES: dict[str, Study] = {
    "gradients": Study(
        gradients.run, gradients_shown.figure,
        "Gradients vanish or explode in plain RNNs, and gates cure it.",
    ),
    "memory": Study(
        memory.run, memory_shown.figure, "Gates keep long-range dependencies."
    ),
    "gates": Study(
        gates.run, gates_drawn.figure,
        "z near 1 copies the old state, r near 0 drops it; LSTM hides part of its "
        "memory, GRU does not.",
        options=frozenset({"texts"}),
    ),
    "order": Study(
        order.run, order_shown.figure, "The order of words matters here at all."
    ),
    "size": Study(
        size.SWEEP.run, size_shown.figure,
        "LSTM is better where data is plentiful, and overfits more.",
    ),
    "sensitivity": Study(
        sensitivity.run, sensitivity_shown.figure,
        "The cells differ in how much their settings matter.",
        options=frozenset({"range_test"}),
    ),
    "depth": Study(
        depth.SWEEP.run, variants_shown.figure,
        "Recurrent layers stack, and read in two directions.",
    ),
    "mix": Study(
        mix.SWEEP.run, variants_shown.figure,
        "Recurrent layers combine with convolution and attention.",
    ),
    "convergence": Study(
        convergence.run, convergence_shown.figure,
        "GRU converges in fewer steps than LSTM.", is_timed=True,
    ),
    "cost": Study(
        cost.run, cost_shown.figure,
        "LSTM has the most parameters; GRU is cheaper.", is_timed=True,
    ),
    "wins": Study(
        wins.run, wins_shown.figure,
        "GRU is slightly ahead in many uses.", about=wins.about,
    ),
}  # fmt: skip
