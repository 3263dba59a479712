"""A small form of benchmarks/calibration.py; docs/statistics.md has the full table."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import calibration  # noqa: E402
import calibration_several  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("spreads", [(0.2, 0.2), (0.8, 0.8), (0.3, 1.0)])
@pytest.mark.parametrize(("seeds", "rows"), [(3, 500), (5, 500), (2, 2000), (3, 2000)])
def test_equal_cells_are_seldom_told_apart_and_intervals_hold(seeds, rows, spreads):
    figures = calibration.rates(seeds, rows, spreads, comparisons=400)
    # 400 draws of a 5 % chance reach 8 % once in three hundred times.
    assert figures["false_alarms"] <= 0.08
    assert figures["coverage"] >= 0.92


def test_cells_that_share_what_each_seed_drew_are_told_apart_less_often():
    alone, shared = (
        calibration.rates(5, 500, (1.5, 1.5), 300, together=together)
        for together in (0.0, 0.9)
    )
    assert shared["false_alarms"] <= 0.02
    assert shared["coverage"] >= 0.98
    assert shared["false_alarms"] < alone["false_alarms"] <= 0.09


def test_a_study_of_equal_variants_finds_none_and_one_that_is_better():
    few = calibration.study_rates(3, calibration.STUDY_SPREADS["all alike"], 60)
    # 60 draws of a 5 % chance reach 9 once in a hundred and thirty times.
    assert few["pooled"] <= 8 / 60
    assert few["pooled_found"] > few["apart_found"] + 0.1


def test_the_planted_difference_is_what_is_drawn():
    rng = np.random.default_rng(0)

    def mean(difference: float) -> float:
        pairs = [
            calibration.draw(3, 2000, (0.5, 0.5), (difference, 0.0), rng)
            for _ in range(600)
        ]
        return float(np.mean([a.mean() - b.mean() for a, b in pairs]))

    planted = calibration.DIFFERENCE
    assert mean(planted) == pytest.approx(planted, abs=0.0008)
    assert mean(0.0) == pytest.approx(0.0, abs=0.0008)


@pytest.mark.parametrize(("seeds", "rows", "rare"), [(3, 500, 0.03), (5, 2000, 0.13)])
def test_macro_f1_and_log_loss_tell_equal_cells_apart_as_seldom(seeds, rows, rare):
    for figures in calibration.metric_rates(seeds, rows, rare, 300).values():
        # 300 draws of a 5 % chance reach 27, 9 %, once in five hundred times.
        assert figures["false_alarms"] <= 0.09
        assert figures["coverage"] >= 0.91


def test_what_a_cell_reaches_is_what_is_drawn():
    rng = np.random.default_rng(0)
    drawn = [calibration.draw_scored(9, 9000, 0.13, (3.0,), rng) for _ in range(20)]
    for name, truth in calibration.truths(0.13, 3.0).items():
        # Over 180 trainings; a seed moves macro F1 by 0.009.
        means = [one[name][0].mean() for one in drawn]
        assert np.mean(means) == pytest.approx(truth, abs=0.003)


def test_equal_cells_that_fail_now_and_then_are_seldom_told_apart():
    few, many = (calibration.failure_rates(seeds, 500, 300) for seeds in (3, 10))
    for figures in (few, many):
        assert figures["false_alarms"] <= 0.09
    # Of 6 trainings none fails in 18 %, of 20 in 0.3 %.
    assert few["ranked"] == pytest.approx(0.82, abs=0.1)
    assert many["ranked"] > 0.95
    assert many["found"] < 0.5  # 2 or 3 of 10 fail: ranks say little of that


def test_folds_of_equal_learners_are_seldom_told_apart():
    figures = calibration.fold_rates(200, 10, 3, 200)
    # 200 draws of a 5 % chance reach 20, 10 %, once in six hundred times.
    assert figures["false_alarms"] <= 0.095
    assert figures["plain"] > figures["false_alarms"] + 0.1
    assert figures["found"] > figures["false_alarms"]


@pytest.mark.parametrize(
    ("accuracies", "failed"),
    [((0.9, 0.9, 0.52), True), ((0.9, 0.9, 0.72), False), ((0.5, 0.5), True)],
)
def test_a_training_failed_that_has_not_half_of_the_lead(accuracies, failed):
    group = np.array(
        [[place < 100 * one for place in range(100)] for one in accuracies]
    )
    assert calibration.shows_failure(group) is failed


@pytest.mark.parametrize(("seeds", "rows"), [(3, 500), (5, 500)])
def test_several_labels_a_text_tell_equal_cells_apart_as_seldom(seeds, rows):
    figures = calibration_several.rates(seeds, rows, 300)
    assert set(figures) == {"accuracy", "example F1", "macro F1", "log loss"}
    for found in figures.values():
        # 300 draws of a 5 % chance reach 9 % once in five hundred times.
        assert found["false_alarms"] <= 0.09
        assert found["coverage"] >= 0.91
        assert found["found"] > 2 * found["false_alarms"]
