"""The table of claims: each with its study, its source and its judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqclf.studies.claims import inside, side_by_side, sweeps
from seqclf.studies.claims.ruling import Ruling
from seqclf.studies.question import Answer, Question


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: a sentence, the study that tests it, its source by author and year.

    Attributes:
      judge: Turns the study's answer into a ruling.
      seeds: Trainings of each cell without which it cannot be decided.
      texts: Training texts without which it cannot.
      takes_quick: Whether a quick answer can decide it.
      by_formula: Whether it is algebra, and true before anything is measured.
    """

    text: str
    study: str
    source: str
    judge: Callable[[Answer[Any]], Ruling]
    seeds: int = 1
    texts: int = 0
    takes_quick: bool = True
    by_formula: bool = False

    def lacks(self, question: Question, texts: Callable[[], int]) -> str:
        """Says what keeps an answer from deciding this; nothing if nothing does.

        `texts` counts the training texts that the answer would rest on.
        """
        if len(question.seeds) < self.seeds:
            there = len(question.seeds)
            here = f"here {'is' if there == 1 else 'are'} {there}"
            return f"Needs {self.seeds} seeds (--seeds {self.seeds}), {here}."
        if question.quick and not self.takes_quick:
            return "Needs more than a quick answer: leave --quick out."
        if self.texts and texts() < self.texts:
            return f"Needs {self.texts:,} training texts, here are {texts():,}."
        return ""


CLAIMS: tuple[Claim, ...] = (
    Claim("The gradients of a plain RNN vanish or explode.", "flow",
          "Hochreiter 1991; Bengio et al. 1994", inside.flow_of_rnn),
    Claim("Gates cure it, by design: more of the gradient comes back.", "flow",
          "Hochreiter & Schmidhuber 1997; Cho et al. 2014", inside.flow_of_gates),
    Claim("Trained, more of the gradient comes back through gates.", "gradients",
          "Hochreiter & Schmidhuber 1997; Cho et al. 2014", inside.gradients_of_gates),
    Claim("z near 1 copies the old state, r near 0 drops it.", "gates",
          "Cho et al. 2014", inside.copy_and_drop),
    Claim("LSTM hides part of its memory, GRU shows its whole state.", "gates",
          "Chung et al. 2014", inside.hidden_memory),
    Claim("Gates keep long-range dependencies.", "memory",
          "Hochreiter & Schmidhuber 1997", inside.memory_of_gates),
    Claim("The order of words matters here.", "order", "often written", inside.order,
          seeds=3),
    Claim("Recurrence helps: a layer of equal width without it does worse.",
          "order", "often written", inside.recurrence, seeds=3),
    Claim("LSTM has the most parameters, GRU fewer, SimpleRNN fewest.", "cost",
          "Chung et al. 2014", side_by_side.parameters, by_formula=True),
    Claim("Gates cost time.", "cost", "Chung et al. 2014", side_by_side.price_of_gates),
    Claim("GRU is faster than LSTM.", "cost",
          "Chung et al. 2014", side_by_side.speed_of_gru),
    Claim("GRU converges in fewer steps than LSTM.", "convergence",
          "Chung et al. 2014", side_by_side.convergence, seeds=3),
    Claim("LSTM is better where data is plentiful.", "size",
          "often written", sweeps.plenty, seeds=3, texts=sweeps.PLENTY),
    Claim("LSTM overfits more than GRU.", "size", "often written", sweeps.overfitting,
          seeds=3, takes_quick=False),
    Claim("The cells differ in sensitivity to their settings.", "sensitivity",
          "Collins et al. 2017", sweeps.sensitivity, takes_quick=False),
    Claim("Recurrent layers stack: more than one, or the other direction, helps.",
          "depth", "often written", sweeps.variants, seeds=3, takes_quick=False),
    Claim("They combine with convolution and attention to advantage.", "mix",
          "Zhou et al. 2015; Yang et al. 2016", sweeps.variants, seeds=3,
          takes_quick=False),
    Claim("GRU is slightly ahead of LSTM in many uses.", "wins",
          "Jozefowicz et al. 2015", side_by_side.wins),
)  # fmt: skip
