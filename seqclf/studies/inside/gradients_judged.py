"""What `gradients` concludes: from the norms of gradients to findings and rows.

Plain functions of arrays, which `gradients` measures.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.cells import SIMPLE_RNN
from seqclf.records import inside
from seqclf.statistics import crossed_mean
from seqclf.studies.inside import unrolled
from seqclf.studies.intervals import middle

STAGES = ("at the start", "after one epoch", "at the best epoch")
LIMIT = 2.0  # powers of ten over the span beyond which a gradient is not steady


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStage:
    """What was measured in a run at a stage of its training, see `StageGradients`.

    `norms` are, by state, the log10 of norms, float64 [texts, distances].
    """

    norms: dict[str, np.ndarray]
    clipped: float
    largest_gradient: float
    matrices: dict[str, inside.Spectrum]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured in a run: its stages, and the number of batches."""

    stages: dict[str, MeasuredStage]
    batches: int


ByCell = Mapping[str, Sequence[Measured]]  # a record a seed


def judge(
    by_cell: ByCell,
    span: int,
    *,
    texts: int,
    clip_norm: float,
    accuracy: dict[str, float],
    guessing: tuple[str, ...] = (),
) -> inside.GradientsFindings:
    """Returns the findings, with factors and verdicts over `span` tokens."""
    return inside.GradientsFindings(
        texts=texts,
        batches=max(one.batches for seeds in by_cell.values() for one in seeds),
        clip_norm=clip_norm,
        accuracy=accuracy,
        guessing=guessing,
        span=span,
        threshold=10**LIMIT,
        memory={cell: unrolled.inside_of(cell).memory for cell in by_cell},
        cells={
            cell: {stage: _at_stage(_at(seeds, stage), span) for stage in STAGES}
            for cell, seeds in by_cell.items()
        },
        against_rnn=_against_rnn(by_cell, span),
    )


def _at(seeds: Sequence[Measured], stage: str) -> list[MeasuredStage]:
    return [one.stages[stage] for one in seeds]


def _at_stage(seeds: Sequence[MeasuredStage], span: int) -> inside.StageGradients:
    return inside.StageGradients(
        states={
            state: follow(np.stack([one.norms[state] for one in seeds]), span)
            for state in seeds[0].norms
        },
        clipped=float(np.mean([one.clipped for one in seeds])),
        largest_gradient=max(one.largest_gradient for one in seeds),
        matrices={
            name: _mean_spectrum([one.matrices[name] for one in seeds])
            for name in seeds[0].matrices
        },
    )


def _mean_spectrum(seeds: Sequence[inside.Spectrum]) -> inside.Spectrum:
    return inside.Spectrum(
        spectral_radius=float(np.mean([one.spectral_radius for one in seeds])),
        singular_value=float(np.mean([one.singular_value for one in seeds])),
    )


def follow(log_norms: np.ndarray, span: int) -> inside.WayBack:
    """Returns slope, factor and verdict of gradients on their way back over a span.

    `log_norms` are the log10 of norms, [seeds, texts, distances]. The verdict is
    `vanishing` if the whole interval of the factor is below 1/100, `exploding` if it is
    above 100, `steady` if it is between, else `not decided`.
    """
    distances = np.arange(span + 1) - span / 2
    kept = log_norms[..., : span + 1]
    slopes = kept @ distances / (distances @ distances)
    slope, slope_low, slope_high = interval(slopes)
    middle, low, high = interval(kept[..., -1] - kept[..., 0])
    return inside.WayBack(
        slope=slope, slope_low=slope_low, slope_high=slope_high, factor=_power(middle),
        factor_low=_power(low), factor_high=_power(high), verdict=_verdict(low, high),
    )  # fmt: skip


def _verdict(low: float, high: float) -> str:
    if high < -LIMIT:
        return "vanishing"
    if low > LIMIT:
        return "exploding"
    return "steady" if low >= -LIMIT and high <= LIMIT else "not decided"


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Returns mean and 95 % interval of values [seeds, texts].

    Over seeds and texts, see `statistics.crossed_mean`; with one seed over texts, by
    a bootstrap.
    """
    if min(values.shape) > 1:
        estimate = crossed_mean(values)
        low, high = estimate.interval()
        return estimate.mean, float(low), float(high)
    texts = values.mean(axis=0)[:, None]
    low, high = middle(unrolled.bootstrap(texts, np.ones_like(texts)))
    return float(texts.mean()), low, high


def _against_rnn(by_cell: ByCell, span: int) -> dict[str, dict[str, inside.Ratio]]:
    plain = SIMPLE_RNN.name
    if plain not in by_cell:
        return {}
    return {
        cell: {
            stage: _ratio(
                _log_factors(cell, _at(seeds, stage), span)
                - _log_factors(plain, _at(by_cell[plain], stage), span)
            )
            for stage in STAGES
        }
        for cell, seeds in by_cell.items()
        if cell != plain
    }


def _log_factors(cell: str, seeds: Sequence[MeasuredStage], span: int) -> np.ndarray:
    state = unrolled.inside_of(cell).memory
    norms = np.stack([one.norms[state] for one in seeds])
    return norms[..., span] - norms[..., 0]


def _ratio(log_ratios: np.ndarray) -> inside.Ratio:
    ratio, low, high = map(_power, interval(log_ratios))
    return inside.Ratio(ratio=ratio, low=low, high=high)


def _power(exponent: float) -> float:
    """Returns a finite power of ten."""
    return float(10.0 ** np.clip(exponent, -300, 300))


def rows_of(by_cell: ByCell) -> list[inside.GradientRow]:
    """Returns the points of all curves."""
    rows = []
    for (cell, seeds), stage in itertools.product(by_cell.items(), STAGES):
        measured = _at(seeds, stage)
        for state in measured[0].norms:
            norms = np.concatenate([one.norms[state] for one in measured])
            quartiles = 10 ** np.quantile(norms, [0.5, 0.25, 0.75], axis=0)
            rows += [
                inside.GradientRow(
                    cell=cell, stage=stage, state=state, distance=distance,
                    median=median, low=low, high=high,
                )
                for distance, (median, low, high) in enumerate(quartiles.T.tolist())
            ]  # fmt: skip
    return rows
