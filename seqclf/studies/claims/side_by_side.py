"""Judges of cells side by side: what they cost, how fast they learn, who wins."""

from __future__ import annotations

from seqclf.cells import GRU, LSTM, SIMPLE_RNN
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.said import title
from seqclf.records.side_by_side import (
    ConvergenceFindings,
    CostFindings,
    Median,
    WinsFindings,
)
from seqclf.studies.claims.ruling import (
    CONTRADICTED,
    EQUAL,
    NOT_JUDGED,
    SUPPORTED,
    UNDECIDED,
    Ruling,
    agreed,
    by_interval,
    by_ratio,
    of_one,
)
from seqclf.studies.question import Answer
from seqclf.studies.wins import on_average
from seqclf.wording import joined, times

ALIKE = 1.05  # a smaller ratio of times is no difference that anyone would notice
ALIKE_STEPS = 1.1  # a smaller ratio of steps to a loss is none
TIMED = "what is counted"
_STEPS_ALONE = "An answer of before, which timed training steps alone."


def parameters(answer: Answer[CostFindings]) -> Ruling:
    """Judges the order LSTM, GRU, SimpleRNN of recurrent parameters."""
    counts = answer.findings.recurrent_parameters
    said = [f"{title(cell)} {n:,}" for cell, n in counts.items()]
    cells = [cell.name for cell in (LSTM, GRU, SIMPLE_RNN)]
    ordered = [counts[cell] for cell in cells if cell in counts]
    falls = all(a > b for a, b in zip(ordered, ordered[1:], strict=False))
    verdict = SUPPORTED if falls and len(ordered) > 1 else CONTRADICTED
    return Ruling(verdict, f"By formula, recurrent parameters: {joined(said)}.")


def price_of_gates(answer: Answer[CostFindings]) -> Ruling:
    """Judges whether a gated cell takes longer than SimpleRNN, to train and to use."""
    found = answer.findings
    if not found.prediction_ratio:
        return Ruling(UNDECIDED, _STEPS_ALONE)
    step, single = (
        ratios[SIMPLE_RNN.name] for ratios in (found.step_ratio, found.prediction_ratio)
    )
    # Of SimpleRNN beside GRU: below 1, the gates cost.
    verdicts = [by_ratio(1 / one.high, 1 / one.low, ALIKE) for one in (step, single)]
    evidence = (
        f"SimpleRNN beside GRU: a training step takes {_ratio(step)} as long, a "
        f"prediction {_ratio(single)}."
    )
    return Ruling(agreed(verdicts, TIMED), evidence)


def speed_of_gru(answer: Answer[CostFindings]) -> Ruling:
    """Judges whether LSTM takes longer than GRU: arithmetic, training, prediction."""
    found = answer.findings
    if not found.prediction_ratio:
        return Ruling(UNDECIDED, _STEPS_ALONE)
    adds = found.multiply_adds_per_token
    arithmetic = adds[LSTM.name] / adds[GRU.name]
    step, single = (
        ratios[LSTM.name] for ratios in (found.step_ratio, found.prediction_ratio)
    )
    spans = (arithmetic, arithmetic), (step.low, step.high), (single.low, single.high)
    evidence = (
        f"LSTM beside GRU: {arithmetic:.2f} times the arithmetic, by formula; a "
        f"training step takes {_ratio(step)} as long, a prediction {_ratio(single)}."
    )
    return Ruling(agreed([by_ratio(*one, ALIKE) for one in spans], TIMED), evidence)


def _ratio(one: Median) -> str:
    return times(one.median, one.low, one.high)


def convergence(answer: Answer[ConvergenceFindings]) -> Ruling:
    """Judges whether GRU reaches the same losses in fewer steps than LSTM."""
    levels = answer.findings.levels
    if not levels:
        return Ruling(NOT_JUDGED, "Not every training learnt enough to be compared.")
    ratios = [one.ratio for one in levels]
    said = [
        f"{one.loss:.3f} {times(one.ratio.mean, one.ratio.low, one.ratio.high)}"
        for one in levels
    ]
    evidence = (
        f"GRU's steps beside LSTM's, to a validation loss of {joined(said)}."
        f"{of_one(answer)}"
    )
    verdicts = [
        by_ratio(1 / one.high, 1 / one.low, ALIKE_STEPS)
        if one.low and one.high
        else UNDECIDED
        for one in ratios
    ]
    return Ruling(agreed(verdicts, "the loss to reach"), evidence)


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
