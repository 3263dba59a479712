"""The table of claims: each with its study, its source and its judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqclf.studies.claims import inside, side_by_side, sweeps
from seqclf.studies.claims.ruling import Ruling
from seqclf.studies.question import Answer


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: a sentence, the study that tests it, its source by author and year.

    `judge` turns the study's answer into a ruling.
    """

    text: str
    study: str
    source: str
    judge: Callable[[Answer[Any]], Ruling]


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
    Claim("The order of words matters here.", "order", "the explainers", inside.order),
    Claim("Recurrence helps: a layer of equal width without it does worse.",
          "order", "the explainers", inside.recurrence),
    Claim("LSTM has the most parameters, GRU fewer, SimpleRNN fewest.", "cost",
          "Chung et al. 2014", side_by_side.parameters),
    Claim("Gates cost time.", "cost", "Chung et al. 2014", side_by_side.price_of_gates),
    Claim("GRU is faster than LSTM.", "cost",
          "Chung et al. 2014", side_by_side.speed_of_gru),
    Claim("GRU converges in fewer steps than LSTM.", "convergence",
          "Chung et al. 2014", side_by_side.convergence),
    Claim("LSTM is better where data is plentiful.", "size",
          "the explainers", sweeps.plenty),
    Claim("LSTM overfits more than GRU.", "size", "the explainers", sweeps.overfitting),
    Claim("The cells differ in sensitivity to their settings.", "sensitivity",
          "Greff et al. 2017", sweeps.sensitivity),
    Claim("Recurrent layers stack: more than one, or the other direction, helps.",
          "depth", "the explainers", sweeps.variants),
    Claim("They combine with convolution and attention to advantage.", "mix",
          "Zhou et al. 2015; Yang et al. 2016", sweeps.variants),
    Claim("GRU is slightly ahead of LSTM in many uses.", "wins",
          "Jozefowicz et al. 2015", side_by_side.wins),
)  # fmt: skip
