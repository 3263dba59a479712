from __future__ import annotations

import dataclasses
import itertools
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import TINY, Silent, tiny_question
from scipy.stats import ttest_rel

from seqclf import steps
from seqclf.comparison import ranges
from seqclf.records.sweeps import Correlation
from seqclf.studies.question import quick_config
from seqclf.studies.sweeps import range_test, sensitivity, sensitivity_shown
from seqclf.workflows.study import run_study


def test_the_expected_best_is_the_mean_over_all_ways_to_draw():
    values = [0.6, 0.9, 0.7, 0.7]
    for k, expected in enumerate(sensitivity.expected_best(values), 1):
        ways = itertools.product(values, repeat=k)
        assert expected == pytest.approx(np.mean([max(way) for way in ways]))


def test_spreads_by_hand():
    own, (pair,) = sensitivity.spreads({"gru": [0.1, 0.2, 0.3], "lstm": [0.2] * 3})
    assert own[0].sd == pytest.approx(0.1)
    assert own[0].quartile_range == pytest.approx(0.1)
    assert own[0].quartiles == pytest.approx((0.15, 0.2, 0.25))
    assert own[0].best == 0.3
    # 0.1, 0 and 0.1 from the median; a mean of 0.2 / 3, enlarged by 3 / 2.
    assert own[0].deviation == pytest.approx(0.1)
    assert own[0].deviation_low is own[0].quartile_range_low is None
    assert (pair.a, pair.b) == ("gru", "lstm")
    assert pair.deviation == pytest.approx(0.1)
    assert pair.p is None


def test_pairs_of_spreads_are_adjusted_for_their_number():
    generator = np.random.default_rng(2)
    spread = {"a": 1, "b": 2, "c": 4}
    trials = {c: generator.normal(0, s, 8).tolist() for c, s in spread.items()}
    _, pairs = sensitivity.spreads(trials)
    far = {c: np.abs(np.array(v) - np.median(v)) for c, v in trials.items()}
    alone = [ttest_rel(far[one.a], far[one.b]).pvalue for one in pairs]
    assert min(p.p for p in pairs) == pytest.approx(3 * min(alone))
    assert max(p.p for p in pairs) >= max(alone) - 1e-12


def test_planted_spreads_lie_in_their_intervals(monkeypatch):
    monkeypatch.setattr(sensitivity, "RESAMPLES", 200)
    generator = np.random.default_rng(1)
    held, told_apart, false = np.zeros(3), 0, 0
    for _ in range(100):
        wide, narrow, other = generator.normal(size=(3, 16)) * [[0.08], [0.02], [0.02]]
        trials = {"rnn": wide.tolist(), "gru": narrow.tolist(), "lstm": other.tolist()}
        own, pairs = sensitivity.spreads(trials)
        # Of the normal: 0.798 sd from the median, 1.349 sd between quartiles.
        held += [
            own[0].deviation_low < 0.798 * 0.08 < own[0].deviation_high,
            own[0].quartile_range_low < 1.349 * 0.08 < own[0].quartile_range_high,
            pairs[0].deviation_low < 0.798 * 0.06 < pairs[0].deviation_high,
        ]
        told_apart += pairs[0].deviation_low > 0
        false += not pairs[2].deviation_low < 0 < pairs[2].deviation_high
    assert (held >= 88).all()
    assert told_apart >= 95
    assert false <= 12


def test_the_setting_that_decides_is_found():
    generator = np.random.default_rng(4)
    settings = {
        "units": generator.integers(1, 5, 16).tolist(),
        "learning_rate": generator.random(16).tolist(),
        "max_length": [400] * 16,
    }
    accuracy = [-rate + 0.05 * generator.normal() for rate in settings["learning_rate"]]
    found = sensitivity.correlations(settings, accuracy)
    assert found[0].setting == "learning_rate"
    assert found[0].rho < -0.8
    assert found[0].n == 16
    assert sensitivity_shown.explaining(found) is found[0]
    assert Correlation(setting="max_length", n=16) in found


def test_chance_explains_nothing():
    generator = np.random.default_rng(5)
    settings = {name: generator.random(16).tolist() for name in "abcd"}
    found = sensitivity.correlations(settings, generator.random(16).tolist())
    assert sensitivity_shown.explaining(found) is None
    three = sensitivity.correlations({"a": [1, 2, 3]}, [0.1, 0.2, 0.3])
    assert (three[0].rho, three[0].p) == (pytest.approx(1), None)


def test_the_draws_are_of_the_ranges_of_tuning_with_a_length_each():
    lengths = np.array([10, 20, 30, 40, 400])
    drawn = sensitivity.drawn(TINY, lengths, 8)
    for one in drawn[1:]:
        training = dataclasses.replace(
            TINY.training, learning_rate=one.training.learning_rate
        )
        assert one.training == training  # nothing else varies
        assert ranges.LEARNING_RATES[0] <= training.learning_rate
        assert training.learning_rate <= ranges.LEARNING_RATES[1]
        assert one.model.units in ranges.UNITS
    # As they always were, so that finished trainings are reused.
    second = drawn[1]
    found = second.training.learning_rate, second.model.dropout_rate, second.model.units
    assert found == (0.0043, 0.47, 192)
    assert drawn[0] == TINY
    assert {one.text.max_length for one in drawn[1:]} <= {20, 30, 40, 400}
    assert len({one.text.max_length for one in drawn}) > 2
    assert drawn == sensitivity.drawn(TINY, lengths, 8)


def test_the_learning_rate_rises_evenly_by_logarithm():
    along = range_test.rates(101)
    assert (along[0], along[-1]) == (pytest.approx(1e-5), pytest.approx(1))
    assert along[1:] / along[:-1] == pytest.approx(10**0.05)


def test_smoothing_by_hand():
    assert range_test.smoothed([1, 2, 6, 4, 5], 3).tolist() == [1, 3, 4, 5, 5]
    assert range_test.width(400) == 21


def test_the_turns_of_a_curve_are_found():
    steps_, along = 400, range_test.rates(400)
    # Falls to its least at 1e-2, and is back at its start two decades beyond: at 1.
    losses = 0.3 + 0.1 * np.abs(np.log10(along) + 2)
    found = range_test.turns("gru", losses.tolist(), steps_)
    assert found.least_rate == pytest.approx(1e-2, rel=0.1)
    assert found.least_loss == pytest.approx(0.3, abs=0.02)
    assert found.diverging_rate is None
    steeper = np.where(along > 1e-2, 0.3 + 0.6 * (np.log10(along) + 2), losses)
    found = range_test.turns("gru", steeper.tolist(), steps_)
    # It began at 0.6, less half the window: 0.3 + 0.6 x 0.5 at 10^-1.5.
    assert found.diverging_rate == pytest.approx(10**-1.5, rel=0.15)
    cut = range_test.turns("gru", steeper[:250].tolist(), steps_)
    assert cut.diverging_rate == pytest.approx(along[250])


@pytest.mark.slow
def test_the_range_test_from_end_to_end(workplace, tmp_path):
    question = tiny_question(
        workplace / "reviews", cells=("gru", "lstm"), range_test=True, quick=True
    )
    target = steps.Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("sensitivity", question, target, Silent(), jobs=2)
    assert answer.trials == 2
    first = [row for row in answer.rows if row.step == 1]
    assert [row.cell for row in first] == ["gru", "lstm"]
    for row in first:  # untrained, it guesses: ln 2
        assert row.loss == pytest.approx(np.log(2), abs=0.05)
    for one in answer.findings.range:
        assert one.least_loss < 0.65
        assert 1e-4 < one.least_rate < 1
    assert {"gru", "lstm"} <= texts_of(path)


@pytest.mark.slow
def test_the_study_from_end_to_end(workplace, tmp_path):
    question = tiny_question(
        workplace / "reviews", cells=("gru", "lstm"), quick=True, seeds=(0, 1)
    )
    target = steps.Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("sensitivity", question, target, Silent(), jobs=2)
    assert answer.trials == len(answer.rows) == 4
    assert {row["seed"] for row in answer.rows} == {0}
    assert any("takes the first" in note for note in answer.notes)
    by_trial = {row["trial"]: row for row in answer.rows if row["cell"] == "gru"}
    recipe = quick_config(question.config)
    assert by_trial[1]["units"] == recipe.model.units
    assert answer.findings.best_so_far["gru"][0] == pytest.approx(
        np.mean([row["validation_accuracy"] for row in by_trial.values()])
    )
    assert {"gru", "lstm"} <= texts_of(path)


@pytest.mark.slow
def test_a_loss_that_runs_away_is_a_result_and_not_tried_again(workplace, tmp_path):
    from seqclf.studies.lab import Lab, has_diverged

    config = tiny_question(workplace / "reviews").config
    wild = dataclasses.replace(config.training, learning_rate=1e38, clip_norm=1e30)
    config = dataclasses.replace(config, training=wild)
    target = steps.Target(tmp_path / "models", tmp_path / "cache")
    lab = Lab(tmp_path / "models" / "x-studies", target, Silent(), 1)
    (run,) = lab.train([config], may_diverge=True)
    assert has_diverged(run)
    before = (run.path / "failed.json").stat().st_mtime_ns
    (again,) = lab.train([config], may_diverge=True)
    assert again.path == run.path
    assert (run.path / "failed.json").stat().st_mtime_ns == before


def texts_of(path) -> set[str]:
    root = ElementTree.fromstring((path / "figure.svg").read_text())
    return {element.text for element in root.iter() if element.text}


def test_the_learning_rates_that_are_told_are_those_that_are_drawn():
    config = TINY.__class__(
        training=dataclasses.replace(TINY.training, optimizer="sgd")
    )
    low, high = ranges.learning_rates("sgd")
    every = ranges.drawn(config, ("learning_rate",), 200)[1:]
    rates = [one.training.learning_rate for one in every]
    assert low <= min(rates) < 1.2 * low
    assert high / 1.2 < max(rates) <= high
    question = tiny_question("x")
    question = dataclasses.replace(question, config=config)
    said = sensitivity_shown.notes(question, every)[0]
    assert f"from {low:g} to {high:g} " in said
    assert ranges.learning_rates("adamw") == ranges.LEARNING_RATES
