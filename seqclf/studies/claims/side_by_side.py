"""Judges of cells side by side: what they cost, how fast they learn, who wins."""

from __future__ import annotations

from seqclf.cells import GRU, LSTM, SIMPLE_RNN
from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.comparison.verdict import title
from seqclf.records.side_by_side import ConvergenceFindings, CostFindings, WinsFindings
from seqclf.studies.claims.ruling import (
    CONTRADICTED,
    EQUAL,
    SUPPORTED,
    UNDECIDED,
    Ruling,
    by_interval,
    of_one,
)
from seqclf.studies.question import Answer
from seqclf.studies.wins import on_average
from seqclf.wording import joined, times

ALIKE = 1.05  # a smaller ratio of times is no difference that anyone would notice


def parameters(answer: Answer[CostFindings]) -> Ruling:
    """Judges the order LSTM, GRU, SimpleRNN of recurrent parameters."""
    counts = answer.findings.recurrent_parameters
    said = [f"{title(cell)} {n:,}" for cell, n in counts.items()]
    cells = [cell.name for cell in (LSTM, GRU, SIMPLE_RNN)]
    ordered = [counts[cell] for cell in cells if cell in counts]
    falls = all(a > b for a, b in zip(ordered, ordered[1:], strict=False))
    verdict = SUPPORTED if falls and len(ordered) > 1 else CONTRADICTED
    return Ruling(verdict, f"Recurrent parameters: {joined(said)}.")


def price_of_gates(answer: Answer[CostFindings]) -> Ruling:
    """Judges whether a gated cell's step takes longer than SimpleRNN's."""
    ratio = answer.findings.step_ratio[SIMPLE_RNN.name]
    # Of SimpleRNN beside GRU: below 1, the gates cost.
    verdict = by_interval(-ratio.high, -ratio.low, bound=-1.0)
    said = times(ratio.median, ratio.low, ratio.high)
    return Ruling(verdict, f"A step of SimpleRNN takes {said} as long as GRU's.")


def speed_of_gru(answer: Answer[CostFindings]) -> Ruling:
    """Judges whether LSTM's step takes longer than GRU's."""
    ratio = answer.findings.step_ratio[LSTM.name]
    said = times(ratio.median, ratio.low, ratio.high)
    evidence = f"A training step of LSTM takes {said} as long as GRU's."
    if ratio.low <= 1 and ratio.high < ALIKE:
        return Ruling(CONTRADICTED, evidence)
    return Ruling(by_interval(ratio.low, ratio.high, bound=1.0), evidence)


def convergence(answer: Answer[ConvergenceFindings]) -> Ruling:
    """Judges whether GRU reaches the same loss in fewer steps than LSTM."""
    hardest = answer.findings.hardest
    if hardest is None:
        return Ruling(UNDECIDED, "Not every training learnt enough to be compared.")
    ratio = hardest.ratio
    said = f"GRU takes {ratio.mean:.2f} times the steps of LSTM"
    where = f"to a validation loss of {hardest.loss:.3f}"
    if ratio.low is None or ratio.high is None:
        return Ruling(UNDECIDED, f"{said} {where}.{of_one(answer)}")
    evidence = f"{said} ({ratio.low:.2f} to {ratio.high:.2f}) {where}."
    return Ruling(by_interval(-ratio.high, -ratio.low, bound=-1.0), evidence)


def wins(answer: Answer[WinsFindings]) -> Ruling:
    """Judges whether GRU is ahead of LSTM on average over data sets."""
    found, overall = answer.findings, answer.findings.overall
    if overall is None:
        of = found.data_sets
        count = f"GRU ahead on {found.first}, LSTM on {found.second} of {of} data sets"
        return Ruling(UNDECIDED, f"{count}; several seeds on two are needed.")
    evidence = on_average(overall, found.told_apart.of)
    if overall.p_equal < SIGNIFICANCE:
        return Ruling(EQUAL, evidence)
    return Ruling(by_interval(overall.low, overall.high), evidence)
