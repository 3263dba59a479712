"""How fast the cells learn: interpolation, ratios and what may be said of them."""

from __future__ import annotations

import dataclasses
import math
import shutil
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import Silent, tiny
from scipy.stats import t

from seqclf.errors import ConfigError
from seqclf.steps import Target
from seqclf.studies import convergence, convergence_shown, saved
from seqclf.studies.convergence import Curve, found
from seqclf.studies.question import Question
from seqclf.workflows.study import run_study

GUESSING = math.log(2)


def curve(
    cell: str,
    losses: list[float],
    seed: int = 0,
    steps: int = 10,
    guessing: float = GUESSING,
) -> Curve:
    epochs = range(len(losses) + 1)
    return Curve(
        cell=cell,
        seed=seed,
        steps=tuple(steps * epoch for epoch in epochs),
        seconds=tuple(2.0 * epoch for epoch in epochs),
        losses=(GUESSING, *losses),
        guessing=guessing,
    )


def test_a_loss_is_reached_within_an_epoch_along_a_line():
    one = curve("gru", [0.6, 0.4, 0.5, 0.3])
    assert one.best_epoch == 4
    assert one.reached(0.6) == pytest.approx(1)
    assert one.reached(0.45) == pytest.approx(1.75)
    assert one.steps_to(0.45) == pytest.approx(17.5)
    assert one.reached(0.35) == pytest.approx(3.75)  # not before: it rose again
    assert one.steps_to(0.3) == pytest.approx(40)
    assert one.reached(0.29) is None
    assert one.steps_to(0.29) is None
    assert one.reached(0.7) == 0


def test_epochs_of_unequal_length_count_their_own_steps():
    one = Curve(
        cell="gru",
        seed=0,
        steps=(0, 10, 40),
        seconds=(0, 1, 2),
        losses=(0.8, 0.6, 0.4),
        guessing=0.8,
    )
    assert one.steps_to(0.5) == pytest.approx(25)


def test_who_has_learnt_the_shares_of_the_labels_has_learnt_nothing():
    """Of 87 and 13 % of the texts, stating them costs 0.39 nats."""
    curves = [curve(cell, [0.4, 0.385], guessing=0.39) for cell in ("gru", "lstm")]
    assert found(curves, {}).levels == ()
    assert found(curves, {}).way == pytest.approx(1 - 0.385 / 0.39)
    one_label = [curve(cell, [0.01], guessing=0.0) for cell in ("gru", "lstm")]
    assert found(one_label, {}).way == 0.0


def test_the_hardest_loss_is_one_that_each_gru_and_lstm_reaches():
    curves = [
        curve("rnn", [0.69, 0.68]),
        curve("gru", [0.5, 0.3]),
        curve("lstm", [0.6, 0.4]),
    ]
    assert convergence.hardest_loss(curves) == 0.4
    findings = convergence.found(curves, {"rnn": 1.0, "gru": 2.0, "lstm": 4.0})
    hardest = findings.hardest
    assert hardest.trainings == {"rnn": 0, "gru": 1, "lstm": 1}
    assert hardest.steps == pytest.approx({"rnn": None, "gru": 15.0, "lstm": 20.0})
    assert hardest.seconds_alone["gru"] == pytest.approx(0.03)
    assert findings.last == pytest.approx((20, 0.08))  # the LSTM, at 4 ms a step
    assert hardest.ratio.mean == pytest.approx(0.75)
    assert hardest.seconds_ratio.mean == pytest.approx(0.375)
    half = GUESSING + 0.5 * (0.4 - GUESSING)
    assert [level.loss for level in findings.levels][0] == pytest.approx(half)


def test_the_ratio_is_welchs_on_logarithms():
    first, second = [10.0, 30.0, 12.0], [20.0, 33.0, None, 30.0]
    found = convergence.ratio_of_means(first, second)
    means = [sum(map(math.log, (10, 30, 12))) / 3, sum(map(math.log, (20, 33, 30))) / 3]
    assert found.mean == pytest.approx(math.exp(means[0] - means[1]))
    # Variances of the logarithms 0.34663 and 0.07071, of three each: Welch's degrees of
    # freedom are 0.13911^2 / ((0.11554^2 + 0.02357^2) / 2) = 2.7834.
    reach = t.isf(0.025, 2.7834) * 0.13911**0.5
    assert math.log(found.high) == pytest.approx(means[0] - means[1] + reach, abs=1e-3)
    turned = convergence.ratio_of_means(second, first)
    assert turned.low == pytest.approx(1 / found.high)
    assert convergence.ratio_of_means([10.0], [20.0, 30.0]).low is None


def twice_as_fast(seeds: int) -> list[Curve]:
    """Returns GRUs that need half the steps of their LSTMs, a little less or more."""
    curves = []
    for seed in range(seeds):
        losses = [0.6, 0.5, 0.4 + 0.001 * seed, 0.35]
        curves.append(curve("gru", losses, seed, steps=10))
        curves.append(curve("lstm", losses, seed, steps=20 + seed % 2))
    return curves


def test_a_planted_ratio_is_found():
    findings = convergence.found(twice_as_fast(4), {"gru": 1.0, "lstm": 1.0})
    ratio = findings.hardest.ratio
    assert ratio.low < 0.5 < ratio.high < 0.55
    assert (findings.fewer, findings.more) == (3, 0)
    assert "fewer steps to 3 of these 3 losses, LSTM to 0" in (
        convergence_shown.sentence(findings)
    )
    turned = [
        curve({"gru": "lstm", "lstm": "gru"}[c.cell], list(c.losses[1:]), c.seed,
              c.steps[1])
        for c in twice_as_fast(4)
    ]  # fmt: skip
    said = convergence_shown.sentence(
        convergence.found(turned, {"gru": 1.0, "lstm": 1.0})
    )
    assert "fewer steps to 0 of these 3 losses, LSTM to 3" in said


def test_one_seed_has_no_interval_and_says_so():
    findings = convergence.found(twice_as_fast(1), {"gru": 1.0, "lstm": 1.0})
    assert findings.hardest.ratio.low is None
    assert (findings.fewer, findings.more) == (0, 0)
    assert "one training each" in convergence_shown.sentence(findings)


def test_cells_that_go_either_way_are_not_decided():
    curves = twice_as_fast(1)
    curves += [curve("gru", [0.6, 0.5, 0.4, 0.35], 1, steps=40)]
    curves += [curve("lstm", [0.6, 0.5, 0.4, 0.35], 1, steps=20)]
    findings = convergence.found(curves, {"gru": 1.0, "lstm": 1.0})
    assert (findings.fewer, findings.more) == (0, 0)
    assert "not decided here" in convergence_shown.sentence(findings)


def test_nothing_is_said_of_speed_where_nothing_was_learnt():
    curves = [curve("gru", [0.69, 0.7]), curve("lstm", [0.4, 0.3])]
    findings = convergence.found(curves, {"gru": 1.0, "lstm": 1.0})
    assert findings.hardest is None
    assert findings.levels == ()
    assert "learnt enough" in convergence_shown.sentence(findings)
    assert len(convergence_shown.table(findings).rows) == 2


def test_both_cells_must_be_asked_for(workplace):
    question = Question(config=tiny(workplace / "reviews"), cells=("rnn", "gru"))
    with pytest.raises(ConfigError, match="gru beside lstm"):
        convergence.run(question, None)


def test_a_quick_question_trains_both_and_times_all(workplace, monkeypatch):
    trained, timed = [], []

    def train(configs):
        trained.extend(config.model.cell for config in configs)
        return []

    def time(configs, lab):
        timed.extend(config.model.cell for config in configs)
        raise InterruptedError  # enough was seen

    lengths = SimpleNamespace(lengths=np.ones(3))
    data = SimpleNamespace(splits={"train": lengths})
    lab = SimpleNamespace(train=train, load=lambda config: data)
    monkeypatch.setattr(convergence, "twins_timed", time)
    question = Question(config=tiny(workplace / "reviews"), quick=True)
    with pytest.raises(InterruptedError):
        convergence.run(question, lab)
    assert trained == ["gru", "lstm"]
    assert timed == ["rnn", "gru", "lstm"]  # as `cost` asks, which has the answer


@pytest.mark.slow
def test_the_study_from_end_to_end(workplace, tmp_path):
    reviews = shutil.copytree(workplace / "reviews", tmp_path / "before" / "reviews")
    config = tiny(reviews)
    training = dataclasses.replace(
        config.training, epochs=8, learning_rate=0.05, word_dropout_rate=0.0
    )
    config = dataclasses.replace(config, training=training)
    question = Question(config=config, cells=("gru", "lstm"), seeds=(0, 1))
    target = Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("convergence", question, target, Silent(), 1)
    assert saved.read(path) == answer
    assert answer.trials == 4
    # 160 texts in batches of 16, after the point at which they guess.
    gru = [r for r in answer.rows if (r.cell, r.seed) == ("gru", 1)]
    assert [row.steps for row in gru][:3] == [0, 10, 20]
    assert sum(row.is_best for row in gru) == 1
    hardest = answer.findings.hardest
    assert hardest.trainings == {"gru": 2, "lstm": 2}
    assert hardest.ratio.low <= hardest.ratio.mean
    svg = (path / saved.FIGURE_FILE).read_text()
    ElementTree.fromstring(svg)
    assert all(f">{cell}<" in svg for cell in question.cells)

    # The trainings are found again, and counted, where their data has moved since.
    moved = (tmp_path / "before").rename(tmp_path / "after") / "reviews"
    data = dataclasses.replace(config.data, source=str(moved))
    config = dataclasses.replace(config, data=data)
    question = dataclasses.replace(question, config=config, seeds=(1,))
    again, _ = run_study("convergence", question, target, Silent(), 1)
    same = [replace(row, is_best=0) for row in answer.rows if row.seed == 1]
    assert [replace(row, is_best=0) for row in again.rows] == same
