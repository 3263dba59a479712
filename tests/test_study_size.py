from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import TINY, Silent, tiny_question
from scipy.stats import t

from seqclf import steps
from seqclf.studies import intervals
from seqclf.studies.sweeps import learning_curve, size, size_shown, sweep
from seqclf.studies.sweeps.learning_curve import PowerLaw
from seqclf.workflows.study import run_study

SIZES = np.array([64, 128, 256, 512, 1024, 2048, 5000])
# They cross where 1.2 n^-0.3 + 0.02 = 4.5 n^-0.5 + 0.03.
SLOW, STEEP = PowerLaw(1.2, 0.3, 0.02), PowerLaw(4.5, 0.5, 0.03)
CROSS_AT = 1049.877


def planted(laws: list[PowerLaw], seeds: int = 3, texts: int = 4000) -> dict:
    """Returns right answers by cell and size, as models with these curves give them."""
    generator = np.random.default_rng(5)
    cells = ("gru", "lstm", "rnn")[: len(laws)]
    return {
        cell: [
            {
                seed: generator.random(texts) >= error + generator.normal(0, 0.003)
                for seed in range(seeds)
            }
            for error in law.at(SIZES)
        ]
        for cell, law in zip(cells, laws, strict=True)
    }


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(learning_curve, "RESAMPLES", 120)


def judged(laws: list[PowerLaw], **options) -> tuple:
    rights = planted(laws, **options)
    return size.judge(rights, SIZES, dict.fromkeys(rights, 0))


def test_a_power_law_without_noise_is_found():
    law = learning_curve.fit(SIZES, SLOW.at(SIZES))
    assert (law.a, law.b, law.c) == pytest.approx((1.2, 0.3, 0.02), rel=1e-3)


def test_with_few_sizes_the_floor_is_zero_and_with_two_there_is_no_curve():
    law = learning_curve.fit(SIZES[:4], 2 * SIZES[:4] ** -0.4)
    assert (law.a, law.b, law.c) == pytest.approx((2, 0.4, 0), rel=1e-3)
    assert learning_curve.fit(SIZES[:2], np.array([0.4, 0.3])) is None


def test_a_planted_exponent_and_a_planted_crossing_lie_in_their_intervals():
    fits, (pair,) = judged([SLOW, STEEP])
    for cell, law in (("gru", SLOW), ("lstm", STEEP)):
        assert fits[cell].b_low < law.b < fits[cell].b_high
        assert fits[cell].has_floor
    crossing = pair.crossing
    assert crossing.status == learning_curve.CROSSING
    assert crossing.low < CROSS_AT < crossing.high
    assert crossing.low > 500
    assert crossing.high < 2500
    assert not crossing.first_is_better_beyond
    # GRU is ahead with few texts and behind with all: it loses with each doubling.
    assert pair.high < 0
    assert pair.per_doubling_high < 0


@pytest.mark.parametrize("seeds", [1, 3])
def test_curves_that_do_not_cross_are_said_not_to(seeds):
    _, (pair,) = judged([SLOW, PowerLaw(1.8, 0.3, 0.04)], seeds=seeds)
    assert pair.crossing.status == learning_curve.NO_CROSSING
    assert pair.crossing.size is None
    assert pair.low > 0
    assert pair.of == (intervals.MODELS if seeds == 1 else intervals.CELLS)


def test_equal_curves_have_no_crossing_that_is_reported():
    _, (pair,) = judged([SLOW, SLOW])
    assert pair.crossing.status == learning_curve.UNDECIDED
    assert pair.crossing.size is None


def test_two_curves_cross_where_algebra_says():
    # 2 n^-0.5 = n^-0.25 at n = 16 exactly.
    found = learning_curve.crossing(PowerLaw(2, 0.5, 0), PowerLaw(1, 0.25, 0), 4, 100)
    assert found == (pytest.approx(16, rel=1e-3), True)
    assert learning_curve.crossing(PowerLaw(2, 0.5, 0), SLOW, 4000, 5000) is None


def test_resampled_errors_spread_as_they_should():
    # Four texts of ten wrong: the standard error is sqrt(0.4 x 0.6 / 1000).
    wrong = np.tile(np.arange(1000) % 10 < 4, (1, 1, 1, 1))
    drawn = learning_curve.resampled_errors(wrong, 2000)[:, 0, 0]
    assert drawn.std() == pytest.approx((0.24 / 1000) ** 0.5, rel=0.06)
    # Two seeds, wrong always and never: the mean has a standard error of 0.5.
    apart = np.stack([np.ones(50, bool), np.zeros(50, bool)])[None, None]
    spread = learning_curve.resampled_errors(apart, 2000).std()
    assert spread == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_over_few_seeds_are_as_wide_as_students(seeds):
    generator = np.random.default_rng(3)
    held = 0
    for number in range(60):
        error = 0.3 + generator.normal(0, 0.03, (1, 1, seeds, 1))
        wrong = generator.random((1, 1, seeds, 2000)) < error
        drawn = learning_curve.resampled_errors(wrong, 200, number)[:, 0, 0]
        low, high = intervals.middle(drawn)
        held += low <= 0.3 <= high
    # 95 of 100; without the stretch it is 68 with two seeds.
    assert held >= 52


def test_a_gain_of_two_points_a_doubling_is_found():
    gain = np.array([0.01, 0.03, 0.05])
    found = size.per_doubling(np.array([100, 200, 400]), gain, np.stack([gain, gain]))
    assert found.mean == pytest.approx(0.02)
    assert found.low == pytest.approx(0.02)


def test_sizes_are_powers_of_two_and_all():
    assert size.sample_sizes(5000, 2, quick=False) == [
        64, 128, 256, 512, 1024, 2048, 5000
    ]  # fmt: skip
    assert size.sample_sizes(25000, 50, quick=False)[0] == 256
    assert size.sample_sizes(2000, 2, quick=True) == [500, 2000]
    assert size.sample_sizes(40, 2, quick=False) == [40]
    # Quick, too, a sample has some texts of each label.
    assert size.sample_sizes(50, 10, quick=True) == [40, 50]
    assert size.sample_sizes(30, 10, quick=True) == [30]


def on_validation(right: int, seed: int = 0) -> SimpleNamespace:
    """A run that has so many of 100 validation texts right; half have each label."""
    predictions = SimpleNamespace(right=np.arange(100) < right)
    return SimpleNamespace(
        config=SimpleNamespace(training=SimpleNamespace(seed=seed)),
        dataset=SimpleNamespace(label_counts={"validation": [50, 50]}),
        predictions={"validation": predictions}.__getitem__,
    )


def test_only_sizes_beyond_guessing_on_validation_are_fitted():
    # Of one training Wilson's interval begins above 50 % from 60 of 100 right on.
    runs = [[on_validation(right)] for right in (70, 62, 55, 64, 90)]
    assert size.usable_from(runs) == 3
    assert size.usable_from(runs[:3]) == 3
    several = [[on_validation(right, seed) for seed in range(3)] for right in (55, 75)]
    assert size.usable_from(several) == 1


def fake_run(train: float, validation: float) -> SimpleNamespace:
    scores = {"train": train, "validation": validation}
    metrics = {name: SimpleNamespace(accuracy=value) for name, value in scores.items()}
    return SimpleNamespace(metrics=metrics)


def test_the_difference_of_gaps_is_welchs_over_seeds():
    point = sweep.Point(name="8", config=None, values={"rows": 8})
    gaps = {("lstm", 0): 0.10, ("lstm", 1): 0.30, ("gru", 0): 0.05, ("gru", 1): 0.23}
    trained = [
        sweep.Trained(
            point=point, cell=cell, seed=seed, run=fake_run(0.6 + gap, 0.6)
        )
        for (cell, seed), gap in gaps.items()
    ]  # fmt: skip
    found = size.gap_differences(trained, {"lstm": 0, "gru": 0})
    # Means 0.20 and 0.14, variances 0.02 and 0.0162: the standard error is
    # (0.01 + 0.0081)^0.5 = 0.13454, with 0.0181^2 / (0.01^2 + 0.0081^2) = 1.9782
    # degrees of freedom.
    assert found.mean == pytest.approx(0.06)
    reach = t.isf(0.025, 1.9782) * 0.13454
    assert found.by_size[0].low == pytest.approx(0.06 - reach, abs=1e-4)
    assert size.gap_differences(trained[2:], {"gru": 0}) is None


@pytest.mark.parametrize(
    ("usable", "mean"),
    [({"lstm": 0, "gru": 0}, 0.05), ({"lstm": 1, "gru": 0}, 0.1),
     ({"lstm": 1, "gru": 2}, 0.2), ({"lstm": 3, "gru": 0}, 0.2)],
)  # fmt: skip
def test_a_cell_that_guesses_has_no_gap_to_compare(usable, mean):
    more = {8: -0.05, 16: 0.0, 32: 0.2}  # LSTM's gap less GRU's, which is 0.1
    trained = [
        sweep.Trained(
            point=sweep.Point(name=str(rows), config=None, values={"rows": rows}),
            cell=cell, seed=seed, run=fake_run(0.7 + (cell == "lstm") * gap, 0.6),
        )
        for rows, gap in more.items() for cell in ("lstm", "gru") for seed in (0, 1)
    ]  # fmt: skip
    found = size.gap_differences(trained, usable)
    assert found.mean == pytest.approx(mean)
    assert [one.rows for one in found.by_size] == [8, 16, 32]


def test_small_samples_come_in_smaller_batches():
    training = dataclasses.replace(TINY.training, batch_size=64)
    roomy = dataclasses.replace(TINY, training=training)
    sizes = [size._point(roomy, rows, 5000).config.training.batch_size
             for rows in (64, 256, 512, 1024, 5000)]  # fmt: skip
    assert sizes == [8, 16, 32, 64, 64]


@pytest.mark.slow
def test_the_study_from_end_to_end(workplace, tmp_path):
    question = tiny_question(workplace / "reviews", cells=("gru", "lstm"))
    target = steps.Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("size", question, target, Silent(), jobs=2)
    assert answer.findings.sizes == (64, 128, 160)
    assert answer.trials == len(answer.rows) == 6
    assert {row["rows"] for row in answer.rows} == {64, 128, 160}
    assert answer.findings.gaps.low is None  # one seed
    assert "one model each" in answer.sentence
    svg = (path / "figure.svg").read_text()
    texts = {e.text for e in ElementTree.fromstring(svg).iter() if e.text}
    assert {"gru", "lstm"} <= texts
    assert svg == size_shown.figure(answer)
    again, _ = run_study("size", question, target, Silent(), jobs=2)
    assert again == answer
