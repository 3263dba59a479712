"""What the cells cost: formulas against built models, ratios by round, the figure."""

from __future__ import annotations

import dataclasses
import math
from xml.etree import ElementTree

import pytest
from asked import Silent, tiny

from seqclf.config import ModelConfig, RunConfig, twin
from seqclf.data.load import load_dataset
from seqclf.errors import ConfigError, RunError
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.side_by_side import Median
from seqclf.records.training import StepTimes, TimedTwin, Timing
from seqclf.steps import Target
from seqclf.studies import cost, saved, timed
from seqclf.studies.question import Question
from seqclf.text.encoding import encode_dataset
from seqclf.workflows.study import run_study

MODEL = ModelConfig(units=8, embedding_size=6, bidirectional=False)
ROUNDS = (1.0,) * 6
TIMING = Timing(
    milliseconds_per_step=StepTimes(median=1.0, least=1.0, most=1.0, rounds=ROUNDS),
    tokens_per_second=1.0,
    seconds_per_epoch=1.0,
    milliseconds_per_prediction=1.0,
    predictions=ROUNDS,
)


def timed_twin(recurrent_parameters: int) -> TimedTwin:
    """Returns a twin for which so many recurrent parameters were counted."""
    counted = {"kernel": "", "parameters": 0}
    values = to_plain(TIMING) | counted | {"recurrent_parameters": recurrent_parameters}
    return from_plain(TimedTwin, values)


@pytest.mark.parametrize(
    ("cell", "weights", "adds"),
    [
        ("none", 0, 0),
        ("rnn", 8 * (8 + 6 + 1), 8 * (8 + 6)),
        ("gru", 3 * (8 * (8 + 6) + 2 * 8), 3 * 8 * (8 + 6)),
        ("lstm", 4 * 8 * (8 + 6 + 1), 4 * 8 * (8 + 6)),
    ],
)
def test_formulas_of_one_layer(cell, weights, adds):
    model = dataclasses.replace(MODEL, cell=cell)
    assert cost.recurrent_parameters(model) == weights
    assert cost.multiply_adds(model) == adds


def test_arithmetic_of_two_layers_in_both_directions():
    """The second layer reads the 16 values of both directions of the first."""
    model = dataclasses.replace(MODEL, cell="gru", layers=2, bidirectional=True)
    first, second = 3 * 8 * (8 + 6), 3 * 8 * (8 + 16)
    assert cost.multiply_adds(model) == 2 * (first + second)


@pytest.mark.parametrize("cell", ["none", "rnn", "gru", "lstm"])
def test_formula_and_count_of_the_built_model_agree(workplace, tmp_path, cell):
    config = twin(tiny(workplace / "reviews"), cell)
    data = encode_dataset(load_dataset(config.data), config.data, config.text, tmp_path)
    found = timed.counted(TIMING, config, data.path)
    formula = cost.recurrent_parameters(config.model)
    assert found.recurrent_parameters == formula
    width = 8 if cell == "none" else 16  # both directions of 8 units
    rest = 8 * len(data.vocabulary) + 2 * (width + 1)
    assert found.parameters == formula + rest
    assert found.kernel == ("none" if cell == "none" else "TensorFlow loop")


def test_a_count_that_contradicts_the_formula_is_an_error():
    config = RunConfig(model=MODEL)
    with pytest.raises(RunError, match="480.*481"):
        cost._row(config, timed_twin(481), timed_twin(480))


def test_ratios_are_taken_round_by_round():
    """A machine that gets twice as slow slows both: the ratio stays."""
    gru, lstm = [1.0, 2.0, 3.0] * 2, [2.0, 4.0, 9.0] * 2
    assert cost.ratio_by_round(lstm, gru) == Median(median=2.0, low=2.0, high=3.0)
    assert cost.ratio_by_round(gru, gru) == Median(median=1.0, low=1.0, high=1.0)


def test_steps_and_predictions_have_ratios_of_their_own():
    base = dataclasses.replace(timed_twin(480), predictions=(2.0,) * 6)
    steps = dataclasses.replace(TIMING.milliseconds_per_step, rounds=(3.0,) * 6)
    own = dataclasses.replace(base, milliseconds_per_step=steps, predictions=(1.0,) * 6)
    row = cost._row(RunConfig(model=MODEL), own, base)
    assert (row.step_ratio, row.step_ratio_low, row.step_ratio_high) == (3, 3, 3)
    assert (row.prediction_ratio, row.prediction_ratio_high) == (0.5, 0.5)
    found = cost._findings([row])
    assert found.step_ratio == {"lstm": Median(median=3, low=3, high=3)}
    assert found.prediction_ratio == {"lstm": Median(median=0.5, low=0.5, high=0.5)}


def test_one_slow_moment_does_not_move_the_interval_of_a_median():
    """Of nine values the second and the eighth: 96 % by the binomial distribution."""
    values = [1.03, 0.99, 1.0, 1.02, 1.01, 0.98, 1.04, 0.97]
    assert cost.interval_of_median([*values, 1.05]) == (0.98, 1.04)
    assert cost.interval_of_median([*values, 7.0]) == (0.98, 1.04)
    beyond = sum(math.comb(9, k) for k in (0, 1)) / 2**9
    assert 2 * beyond < 0.05


def test_gru_must_be_among_the_cells(workplace):
    question = Question(config=tiny(workplace / "reviews"), cells=("rnn", "lstm"))
    with pytest.raises(ConfigError, match="gru"):
        cost.run(question, None)


@pytest.mark.slow
def test_the_study_from_end_to_end(workplace, tmp_path):
    question = Question(config=tiny(workplace / "reviews"), quick=True)
    target = Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("cost", question, target, Silent(), 1)
    assert saved.read(path) == answer
    found = answer.findings.recurrent_parameters
    assert found == {"rnn": 272, "gru": 864, "lstm": 1088}  # 2 x the formulas, 8 and 8
    assert answer.findings.step_ratio["gru"] == Median(median=1, low=1, high=1)
    assert all(row.milliseconds_per_step > 0 for row in answer.rows)
    svg = (path / saved.FIGURE_FILE).read_text()
    ElementTree.fromstring(svg)
    assert all(f">{cell}<" in svg for cell in question.cells)
    # What was timed is not timed again for another study, or another seed.
    kept = list((path.parent / timed.FOLDER).iterdir())
    more = dataclasses.replace(question, seeds=(0, 1))
    again, _ = run_study("cost", more, target, Silent(), 1)
    assert again.rows == answer.rows
    assert list((path.parent / timed.FOLDER).iterdir()) == kept
