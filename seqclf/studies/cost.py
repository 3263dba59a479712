"""What each cell costs: parameters, arithmetic, and time on this machine.

The parameters of the recurrent layers are counted in the built model and by their
formulas (d inputs, h units): SimpleRNN has one block of h(h + d) weights, GRU three
(Cho et al. 2014), LSTM four (Hochreiter & Schmidhuber 1997, Gers et al. 2000). Each
weight of a matrix multiplies once a token. Time is measured as in `compare`, with
nothing else running: training steps of all cells in turns on the same batches, and
single texts on ONNX Runtime.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from seqclf.cells import CELLS, GRU
from seqclf.config import ModelConfig, RunConfig
from seqclf.errors import ConfigError, RunError
from seqclf.model.build import recurrent_parameters
from seqclf.records.sweeps import CellCost, CostFindings, Median
from seqclf.records.training import TimedTwin
from seqclf.statistics import CONFIDENCE
from seqclf.studies import cost_shown
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.studies.timed import twins_timed


def run(question: Question, lab: Lab) -> Answer[CostFindings]:
    """Counts and times the cells.

    Raises:
      ConfigError: If GRU, which the others are compared with, is not asked for.
      RunError: If formula and count disagree.
    """
    if GRU.name not in question.cells:
        raise ConfigError("cost sets the cells beside gru; name it in --cells too.")
    config = question.recipe
    configs = trainings(question, config)[: len(question.cells)]
    measured = twins_timed(configs, lab)
    base = measured[question.cells.index(GRU.name)].milliseconds_per_step.rounds
    rows = [
        _row(one, timed, base) for one, timed in zip(configs, measured, strict=True)
    ]
    return Answer(
        study="cost",
        title="What each cell costs",
        sentence=cost_shown.sentence(rows),
        table=cost_shown.table(rows),
        rows=tuple(rows),
        findings=_findings(rows),
        trials=0,
        notes=cost_shown.notes(config, rows, question),
    )


def multiply_adds(config: ModelConfig) -> int:
    """Returns the multiply-adds a token of the recurrent layers' matrices, by formula.

    Each weight multiplies once, a bias never. Elementwise products, at most 3 a unit,
    are not counted.
    """
    width = config.units * config.layers * (1 + config.bidirectional)
    return recurrent_parameters(config) - CELLS[config.cell].biases * width


def _row(config: RunConfig, timed: TimedTwin, base: Sequence[float]) -> CellCost:
    """Returns the costs of a cell; `base` are GRU's step times by round."""
    cell, formula = config.model.cell, recurrent_parameters(config.model)
    if formula != timed.recurrent_parameters:
        raise RunError(
            f"{cell}: the formula gives {formula} recurrent parameters, the built "
            f"model has {timed.recurrent_parameters}."
        )
    step = timed.milliseconds_per_step
    ratio = ratio_by_round(step.rounds, base)
    return CellCost(
        cell=cell,
        recurrent_parameters=formula,
        parameters=timed.parameters,
        multiply_adds_per_token=multiply_adds(config.model),
        milliseconds_per_step=step.median,
        milliseconds_per_step_least=step.least,
        milliseconds_per_step_most=step.most,
        tokens_per_second=timed.tokens_per_second,
        milliseconds_per_prediction=timed.milliseconds_per_prediction,
        kernel=timed.kernel,
        step_ratio=ratio.median,
        step_ratio_low=ratio.low,
        step_ratio_high=ratio.high,
    )


def ratio_by_round(times: Sequence[float], base: Sequence[float]) -> Median:
    """Returns the median ratio of step times to GRU's, `base`, round by round.

    The cells take turns, so that a slow moment of the machine affects both times of a
    round.
    """
    ratios = [one / other for one, other in zip(times, base, strict=True)]
    low, high = interval_of_median(ratios)
    return Median(median=statistics.median(ratios), low=low, high=high)


def interval_of_median(values: Sequence[float]) -> tuple[float, float]:
    """Returns a 95 % interval of the median of at least 6 independent values.

    By order statistics (Conover 1999, section 3.2), for any distribution.
    """
    from scipy.stats import quantile_test

    found = quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
    return float(found.low), float(found.high)


def _findings(rows: Sequence[CellCost]) -> CostFindings:
    by_cell = {row.cell: row for row in rows}.items()
    return CostFindings(
        recurrent_parameters={cell: one.recurrent_parameters for cell, one in by_cell},
        parameters={cell: one.parameters for cell, one in by_cell},
        multiply_adds_per_token={c: one.multiply_adds_per_token for c, one in by_cell},
        milliseconds_per_step={
            cell: one.milliseconds_per_step for cell, one in by_cell
        },
        milliseconds_per_prediction={
            cell: one.milliseconds_per_prediction for cell, one in by_cell
        },
        kernel={cell: one.kernel for cell, one in by_cell},
        step_ratio={cell: _ratio(one) for cell, one in by_cell},
    )


def _ratio(one: CellCost) -> Median:
    low, high = one.step_ratio_low, one.step_ratio_high
    return Median(median=one.step_ratio, low=low, high=high)
