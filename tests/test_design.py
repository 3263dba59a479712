"""What a comparison holds equal, and what it may choose."""

import dataclasses
import itertools

import pytest
from conftest import seal

from seqclf import config as settings
from seqclf.comparison import tuning
from seqclf.comparison.design import Design, matched, twins
from seqclf.config import ModelConfig, RunConfig, TrainingConfig
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.model.build import recurrent_parameters
from seqclf.records.plain import to_plain
from seqclf.records.scores import Scores
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.training.trial import Trial

CELLS = ("none", "rnn", "gru", "lstm")


def design(**changes):
    values = {"config": RunConfig(), "cells": CELLS, "seeds": (0, 1)}
    return Design(**values | changes)


def test_twins_differ_in_the_cell_alone():
    for a, b in itertools.combinations(twins(design()).values(), 2):
        assert [line.split(":")[0] for line in settings.differences(a, b)] == [
            "model.cell"
        ]


def test_matched_parameters_are_worked_out_by_hand():
    # One direction, 4 inputs. LSTM of 8: 4 x 8 x 13 = 416 parameters. A SimpleRNN has
    # h(h + 5): 18 units make 414.
    one = ModelConfig(bidirectional=False, embedding_size=4, units=8)
    lstm, rnn, gru, none = (
        dataclasses.replace(one, cell=c) for c in ("lstm", "rnn", "gru", "none")
    )
    assert [model.units for model in matched([lstm, rnn, none])] == [8, 18, 8]
    # A GRU has 3(h(h + 4) + 2h): 405 with 9 units, 2.7 % off, but 336 with 8, as many
    # as an LSTM of 7.
    assert [model.units for model in matched([lstm, gru])] == [7, 8]
    # An LSTM of 2 has 56, GRUs of 2 and 3 have 48 and 81.
    narrow = [dataclasses.replace(model, units=2) for model in (lstm, gru)]
    with pytest.raises(ConfigError, match="take more --units"):
        matched(narrow)


def test_the_largest_moves_a_little_where_the_others_cannot_follow():
    one = ModelConfig(bidirectional=False, layers=2, units=64)
    lstm, gru = (dataclasses.replace(one, cell=c) for c in ("lstm", "gru"))
    assert 60 <= matched([lstm, gru])[0].units <= 68


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("units", [64, 128, 200])
def test_matched_parameters_agree_within_a_hundredth(layers, bidirectional, units):
    model = ModelConfig(layers=layers, bidirectional=bidirectional, units=units)
    by_cell = twins(design(config=RunConfig(model=model), match="parameters"))
    counts = [recurrent_parameters(by_cell[cell].model) for cell in CELLS[1:]]
    assert max(counts) <= 1.01 * min(counts)
    assert abs(by_cell["lstm"].model.units - units) <= 2
    assert by_cell["none"].model.units == units


def test_wrong_controls_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'parameters'"):
        design(match="parameter")
    for count in (-1, 1):
        with pytest.raises(ConfigError, match=f"at least 2 trials .*, got {count}"):
            design(tune=count)
    with pytest.raises(ConfigError, match="nothing to match in none, gru"):
        design(cells=("none", "gru"), match="parameters")


def test_controls_make_another_question():
    questions = [
        design(**changes).question("f")
        for changes in ({}, {"match": "parameters"}, {"tune": 2}, {"seeds": (0,)})
    ]
    assert all(a != b for a, b in itertools.combinations(questions, 2))
    assert design().question("f") == design().question("f")


def test_a_convolution_is_another_question_and_none_is_that_of_before():
    with_it = design(config=RunConfig(model=ModelConfig(conv_width=3)))
    assert design().question("f") != with_it.question("f")
    assert "conv_width" not in design().question("f")["model"]
    assert all(one.model.conv_width == 3 for one in twins(with_it).values())


def test_every_cell_gets_the_same_trials_and_the_recipe_is_one():
    tried = tuning.tuning_configs(design(tune=5))
    assert [len(configs) for configs in tried.values()] == [5] * 4
    for cell, configs in tried.items():
        assert configs[0].model == dataclasses.replace(RunConfig().model, cell=cell)
        for one, reference in zip(configs, tried["lstm"], strict=True):
            assert settings.differences(one, reference) == [
                line
                for line in settings.differences(one, reference)
                if line.startswith("model.cell")
            ]
    lstm = tried["lstm"]
    assert len({c.training.learning_rate for c in lstm}) == 5
    for config in lstm[1:]:
        assert 5e-4 <= config.training.learning_rate <= 1e-2
        assert 0.2 <= config.model.dropout_rate <= 0.7
        assert config.model.units in tuning.UNITS
    seeds = {c.training.seed for configs in tried.values() for c in configs}
    assert seeds == {tuning.TUNING_SEED}
    assert seeds.isdisjoint(range(100))  # no final training is among them


def test_trials_are_matched_too():
    tried = tuning.tuning_configs(design(tune=3, match="parameters"))
    widths = {config.model.units for config in tried["lstm"]}
    assert max(widths) - min(widths) <= 2  # or the choices could not be matched
    for configs in zip(
        *tuning.tuning_configs(design(tune=3, match="parameters")).values(), strict=True
    ):
        counts = [
            recurrent_parameters(c.model) for c in configs if c.model.cell != "none"
        ]
        assert max(counts) <= 1.01 * min(counts)


def write_trial(path, config, loss, accuracy=0.5):
    path.mkdir(parents=True)
    write_json(path / "config.json", settings.to_dict(config))
    scores = Scores(
        n=2, accuracy=accuracy, accuracy_low=0.0, accuracy_high=1.0, macro_f1=0.5,
        log_loss=loss, roc_auc=None, calibration_error=0.1, per_label=(),
        confusion_matrix=(), by_length=(),
    )  # fmt: skip
    # A test score that would choose another trial, were it looked at.
    test = dataclasses.replace(scores, log_loss=-loss)
    metrics = {"validation": scores, "test": test}
    write_json(path / "metrics.json", to_plain(metrics))
    seal(path)


def test_the_least_validation_loss_chooses_and_the_seed_is_a_final_one(tmp_path):
    asked = design(tune=3, cells=("rnn", "gru"), seeds=(4, 5))
    losses = {"rnn": [0.5, 0.3, 0.4], "gru": [0.2, 0.6, 0.1]}
    configs = tuning.tuning_configs(asked)
    for cell in asked.cells:
        for number, loss in enumerate(losses[cell], 1):
            place = tuning.trial_path(tmp_path, cell, number)
            write_trial(place, configs[cell][number - 1], loss)
    chosen, record = tuning.choose(asked, tmp_path)
    assert {cell: record[cell].chosen for cell in record} == {"rnn": 2, "gru": 3}
    for cell, number in (("rnn", 2), ("gru", 3)):
        best = configs[cell][number - 1]
        assert chosen[cell].model == best.model
        assert chosen[cell].training == dataclasses.replace(best.training, seed=4)
    tried = record["gru"].trials
    assert [one.validation_loss for one in tried] == [0.2, 0.6, 0.1]
    assert not tuning.unfinished(asked, tmp_path)


def test_an_unequal_budget_is_refused_and_what_is_left_is_named(tmp_path):
    asked = design(tune=2, cells=("rnn", "gru"))
    configs = tuning.tuning_configs(asked)
    write_trial(tuning.trial_path(tmp_path, "rnn", 1), configs["rnn"][0], 0.5)
    # Finished, but with other settings: it does not count.
    other = dataclasses.replace(configs["gru"][0], training=TrainingConfig(epochs=9))
    write_trial(tuning.trial_path(tmp_path, "gru", 1), other, 0.1)
    left = [path.name for path, _ in tuning.unfinished(asked, tmp_path)]
    assert left == ["gru-1", "rnn-2", "gru-2"]
    with pytest.raises(RunError, match="rnn-2 is not finished"):
        tuning.choose(asked, tmp_path)
    assert Run(tuning.trial_path(tmp_path, "rnn", 1)).is_finished


def test_a_trial_whose_loss_ran_away_has_had_its_turn(tmp_path, monkeypatch):
    asked = design(tune=2, cells=("rnn", "gru"))
    configs = tuning.tuning_configs(asked)

    def trained(trial, report):
        write_trial(trial.path, trial.config, 0.5)
        if trial.path.name in diverging:
            (trial.path / "complete").unlink()
            raise TrainingError("the loss is not a number")

    monkeypatch.setattr(tuning, "run_trial", trained)
    diverging = {"rnn-1"}
    for cell in asked.cells:
        for number in (1, 2):
            place = tuning.trial_path(tmp_path, cell, number)
            config = configs[cell][number - 1]
            trial = Trial(config, tmp_path, {}, place, "compare", 1)
            tuning.run_tuning_trial(trial, lambda event: None)
    assert tuning.unfinished(asked, tmp_path) == []
    _, record = tuning.choose(asked, tmp_path)
    assert record["rnn"].chosen == 2
    assert record["rnn"].trials[0].validation_loss is None
    (tuning.trial_path(tmp_path, "rnn", 2) / "complete").unlink()
    write_json(tuning.trial_path(tmp_path, "rnn", 2) / "failed.json", {"reason": "x"})
    with pytest.raises(RunError, match="all trials of rnn failed"):
        tuning.choose(asked, tmp_path)


def test_why_trials_are_missing_is_told(tmp_path):
    with pytest.raises(RunError, match="tuning rnn-1: no memory"):
        tuning.choose(design(tune=2), tmp_path, {"tuning rnn-1": "no memory"})
