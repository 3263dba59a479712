"""Judges of what was found while a setting varied: size, trials, variants."""

from __future__ import annotations

from collections.abc import Sequence

from seqclf.cells import GRU, LSTM
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.said import title
from seqclf.records.sweeps import (
    SizeFindings,
    SizePair,
    TrialsFindings,
    VariantsFindings,
)
from seqclf.studies.claims.ruling import (
    CONTRADICTED,
    EQUAL,
    NOT_JUDGED,
    POINT,
    SUPPORTED,
    UNDECIDED,
    Ruling,
    any_of,
    by_interval,
    of_one,
)
from seqclf.studies.question import Answer
from seqclf.wording import counted, joined, points

PLENTY = 10_000  # training texts from which on data is called plentiful
_NOT_BOTH = "LSTM and GRU were not both trained."


def _lstm_over_gru(
    pairs: Sequence[SizePair],
) -> tuple[float, float, float] | None:
    """Returns difference, low and high of LSTM over GRU, if it was measured."""
    by_cells = {(one.a, one.b): one for one in pairs}
    if one := by_cells.get((LSTM.name, GRU.name)):
        return one.difference, one.low, one.high
    one = by_cells.get((GRU.name, LSTM.name))
    return (-one.difference, -one.high, -one.low) if one else None


def plenty(answer: Answer[SizeFindings]) -> Ruling:
    """Judges whether LSTM is ahead of GRU with the most training texts."""
    found = answer.findings
    apart, most = _lstm_over_gru(found.pairs), max(found.sizes)
    if apart is None:
        return Ruling(UNDECIDED, _NOT_BOTH)
    _, low, high = apart
    evidence = f"LSTM less GRU with {most:,} texts: {points(*apart)}."
    if found.seeds == 1:
        return Ruling(UNDECIDED, evidence + of_one(answer))
    if most < PLENTY:
        return Ruling(NOT_JUDGED, f"{evidence} Plenty begins at {PLENTY:,}.")
    if guessing := _guessing(found):
        return Ruling(NOT_JUDGED, f"{evidence} {guessing}")
    return Ruling(by_interval(low, high, margin=POINT), evidence)


def _guessing(found: SizeFindings) -> str:
    """Says which of LSTM and GRU do not surely beat guessing with the most texts."""
    named = [cell for cell in found.guessing if cell in (GRU.name, LSTM.name)]
    return _guesses(named) if named else ""


def _guesses(cells: Sequence[str]) -> str:
    return f"{joined([title(cell) for cell in cells])} may have learnt nothing."


def overfitting(answer: Answer[SizeFindings]) -> Ruling:
    """Judges whether LSTM's train-validation gap is larger than GRU's."""
    gaps = answer.findings.gaps
    if gaps is None:
        return Ruling(UNDECIDED, _NOT_BOTH)
    said = points(gaps.mean, gaps.low, gaps.high)
    said = f"LSTM's gap between train and validation, less GRU's: {said}"
    if gaps.low is None:
        return Ruling(UNDECIDED, f"{said}.{of_one(answer)}")
    evidence = f"{said}, over seeds alone, on these texts."
    if guessing := _guessing(answer.findings):
        return Ruling(NOT_JUDGED, f"{evidence} {guessing}")
    return Ruling(by_interval(gaps.low, gaps.high, margin=POINT), evidence)


def sensitivity(answer: Answer[TrialsFindings]) -> Ruling:
    """Judges whether the same trials scatter differently for two of the cells."""
    found = answer.findings
    spreads = [f"{title(one.cell)} {100 * one.deviation:.1f}" for one in found.spreads]
    evidence = (
        f"Distance of validation accuracy from its median (the mean, times "
        f"n / (n − 1)) over {found.draws} settings, the same for each cell, points: "
        f"{joined(spreads)}."
    )
    known = [one.p for one in found.differences if one.p is not None]
    if known:
        evidence += (
            f" Least p, adjusted for {counted(len(known), 'pair')}: {min(known):.2g}."
        )
    apart = any(p < SIGNIFICANCE for p in known)
    evidence += " One training for each cell and setting."
    return Ruling(SUPPORTED if apart else UNDECIDED, evidence)


def variants(answer: Answer[VariantsFindings]) -> Ruling:
    """Judges whether a variant of the network is better than the plain one."""
    found = answer.findings
    learnt = [one for one in found.variants if one.cell not in found.guessing]
    compared = [(one, one.apart) for one in learnt if one.apart]
    if not compared:
        return Ruling(NOT_JUDGED, _guesses(found.guessing))
    told = [pair for pair in compared if pair[1].p < SIGNIFICANCE]
    better = [pair for pair in told if pair[1].low > 0 and pair[1].high >= POINT]
    best, most = max(better or compared, key=lambda pair: pair[1].difference)
    said = points(most.difference, most.low, most.high)
    evidence = (
        f"Of {len(compared)} comparisons with the plain network the best: "
        f"{title(best.cell)}, {best.variant}: {said}"
    )
    if found.seeds == 1:
        return Ruling(UNDECIDED, f"{evidence}.{of_one(answer)}")
    evidence += f", adjusted p = {most.p:.2g}."
    verdict = any_of((apart.low, apart.high, apart.p) for _, apart in compared)
    gain = " None gains 1 point." if verdict in (EQUAL, CONTRADICTED) else ""
    return Ruling(verdict, evidence + gain)
