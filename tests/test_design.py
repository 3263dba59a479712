"""What a comparison holds equal, and what it may choose."""

import dataclasses
import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import seal

from seqclf import config as settings
from seqclf import marker
from seqclf.comparison import places, ranges, tuning
from seqclf.comparison.design import Design, Limits, matched, twins
from seqclf.config import ModelConfig, RunConfig, TrainingConfig, twin
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.model.build import recurrent_parameters
from seqclf.records.plain import to_plain
from seqclf.records.scores import Scores
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.training.optimizer import optimizer_for
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


LENGTHS = np.full(20_000, 100)  # 1.75 million tokens are an epoch, and 5 the fewest


def search(path=Path("nowhere"), lengths=LENGTHS, **changes):
    return tuning.search_of(design(**changes), path, lengths)


def test_every_cell_gets_the_same_trials_and_the_recipe_is_one():
    tried = search(tune=5).configs
    assert [len(configs) for configs in tried.values()] == [5] * 4
    for cell, configs in tried.items():
        assert configs[0].model == dataclasses.replace(RunConfig().model, cell=cell)
        assert configs[0].training == RunConfig().training
        for one, reference in zip(configs, tried["lstm"], strict=True):
            assert settings.differences(one, reference) == [
                line
                for line in settings.differences(one, reference)
                if line.startswith("model.cell")
            ]


DRAWN = {
    "learning_rate": (5e-4, 1e-2), "clip_norm": (0.25, 4.0),
    "warmup_fraction": (0.0, 0.4), "dropout_rate": (0.2, 0.7), "epochs": (2, 10),
}  # fmt: skip


def values_of(configs, name):
    part = "model" if name in ranges.OF_MODEL else "training"
    return [getattr(getattr(config, part), name) for config in configs]


@pytest.mark.parametrize("name", DRAWN)
def test_each_setting_is_drawn_over_the_whole_of_its_range(name):
    """The epochs of the recipe are 5 here: half is 2.5, twice is 10."""
    low, high = DRAWN[name]
    values = np.array(values_of(search(tune=200).configs["lstm"][1:], name))
    assert low <= values.min()
    assert values.max() <= high
    assert len(set(values.tolist())) > 5
    if name == "epochs":
        assert (values.min(), values.max()) in {(2, 10), (3, 10)}
        return
    is_log = name not in ("warmup_fraction", "dropout_rate")
    place = (
        np.log(values / low) / np.log(high / low)
        if is_log
        else (values - low) / (high - low)
    )
    # Evenly drawn: a third of 199 values in each third, three deviations are 20.
    thirds = np.histogram(place, 3, (0, 1))[0]
    assert np.abs(thirds - 199 / 3).max() < 21


def test_units_are_drawn_from_a_few_and_epochs_around_those_of_the_recipe():
    units = values_of(search(tune=50).configs["lstm"], "units")
    assert set(units) == {64, 96, 128, 192}
    # 50 tokens in all would be thousands of epochs: at most 20, and 30 for the steps.
    few = search(tune=50, lengths=np.full(5, 10)).configs["lstm"]
    assert few[0].training.epochs is None  # the recipe is left as it was given
    assert 15 <= min(values_of(few[1:], "epochs")) < 25
    assert 45 < max(values_of(few[1:], "epochs")) <= 60
    given = RunConfig(training=TrainingConfig(epochs=1))
    assert set(values_of(search(tune=50, config=given).configs["rnn"], "epochs")) == {
        1, 2,
    }  # fmt: skip


def test_each_setting_of_training_that_is_drawn_reaches_the_optimizer():
    def course(**changes):
        training = TrainingConfig(**{"epochs": 4} | changes)
        made = optimizer_for(training, 100 * training.epochs)
        return made.global_clipnorm, made.get_config()["learning_rate"]["config"]

    other = {"learning_rate": 1e-3, "clip_norm": 0.25, "warmup_fraction": 0.3,
             "epochs": 8}  # fmt: skip
    assert set(other) == set(ranges.OF_TRAINING)
    for name, value in other.items():
        assert course(**{name: value}) != course(), name
    assert course() == course()


def test_equal_questions_draw_equal_trials():
    assert search(tune=4).configs == search(tune=4).configs
    # The sensitivity of a cell is asked of three of the settings, and draws the others
    # not at all.
    some = ranges.drawn(RunConfig(), ("units", "learning_rate"), 3)
    for config in some:
        assert config.training.clip_norm == RunConfig().training.clip_norm
        assert config.model.dropout_rate == RunConfig().model.dropout_rate
    assert len(some) == 3


def test_a_trial_is_trained_with_two_seeds_that_no_comparison_has():
    asked = search(tune=2, cells=("rnn", "gru"))
    every = list(asked.every)
    assert [path.name for path, _ in every] == [
        "rnn-1-1000", "rnn-1-1001", "gru-1-1000", "gru-1-1001",
        "rnn-2-1000", "rnn-2-1001", "gru-2-1000", "gru-2-1001",
    ]  # fmt: skip
    assert [config.training.seed for _, config in every] == [1000, 1001] * 4
    for (_, one), (_, other) in zip(every[::2], every[1::2], strict=True):
        assert one == twin(other, other.model.cell, 1000)
    with pytest.raises(ConfigError, match="take at most 1000 --seeds"):
        design(tune=2, seeds=tuple(range(1001)))
    design(tune=2, seeds=tuple(range(1000)))
    most = Limits(max_seeds=1001)  # which seeds may be added
    with pytest.raises(ConfigError, match="take at most 1000 --seeds"):
        design(tune=2, seeds=(0, 1), until=most)
    design(tune=2, seeds=(0, 1), until=Limits(max_seeds=1000))
    design(seeds=tuple(range(1001)))


def test_trials_are_matched_too():
    tried = search(tune=3, match="parameters").configs
    widths = {config.model.units for config in tried["lstm"]}
    assert max(widths) - min(widths) <= 2  # or the choices could not be matched
    for configs in zip(*tried.values(), strict=True):
        counts = [
            recurrent_parameters(c.model) for c in configs if c.model.cell != "none"
        ]
        assert max(counts) <= 1.01 * min(counts)


def write_training(path, config, loss, accuracy=0.5):
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


def written(tmp_path, losses, **changes):
    """A search of which all trainings are done; `losses` are pairs, by cell."""
    asked = search(tmp_path, **changes)
    for cell, trials in losses.items():
        for number, pair in enumerate(trials, 1):
            trainings = asked.trainings(cell, number)
            for (place, config), loss in zip(trainings, pair, strict=True):
                write_training(place, config, loss, accuracy=1 - loss)
    return asked


def test_the_least_mean_loss_chooses_and_the_seed_is_a_final_one(tmp_path):
    losses = {
        # The best single training is that of the third, of which the other is worst.
        "rnn": [(0.5, 0.5), (0.35, 0.25), (0.1, 0.7)],
        "gru": [(0.2, 0.3), (0.6, 0.6), (0.1, 0.2)],
    }
    given = {"tune": 3, "cells": ("rnn", "gru"), "seeds": (4, 5)}
    asked = written(tmp_path, losses, **given)
    chosen, record = tuning.choose(asked)
    assert {cell: record[cell].chosen for cell in record} == {"rnn": 2, "gru": 3}
    for cell, number in (("rnn", 2), ("gru", 3)):
        best = asked.configs[cell][number - 1]
        assert chosen[cell].model == best.model
        assert chosen[cell].training == dataclasses.replace(best.training, seed=4)
    tried = record["rnn"].trials
    assert [one.validation_loss for one in tried] == pytest.approx([0.5, 0.3, 0.4])
    assert [one.validation_accuracy for one in tried] == pytest.approx([0.5, 0.7, 0.6])
    assert [one.losses for one in tried] == [(0.5, 0.5), (0.35, 0.25), (0.1, 0.7)]
    assert tried[0].epochs == 5  # of the recipe, which leaves them open
    second = asked.configs["rnn"][1].training
    kept = (tried[1].epochs, tried[1].clip_norm, tried[1].warmup_fraction)
    assert kept == (second.epochs, second.clip_norm, second.warmup_fraction)
    assert not tuning.unfinished(asked)
    budget = tuning.budget(record)
    assert (budget.value, budget.equal) == ("3 of 2 trainings each", True)
    less = dataclasses.replace(record["gru"], trials=tried[:2], chosen=1)
    unequal = tuning.budget(record | {"gru": less})
    assert (unequal.equal, unequal.differing) == (False, ("gru",))


def test_an_unequal_budget_is_refused_and_what_is_left_is_named(tmp_path):
    asked = search(tmp_path, tune=2, cells=("rnn", "gru"))
    (place, config), _, (elsewhere, _), *_ = asked.every
    write_training(place, config, 0.5)
    # Finished, but with other settings: it does not count.
    other = dataclasses.replace(config, training=TrainingConfig(epochs=9))
    write_training(elsewhere, other, 0.1)
    left = [path.name for path, _ in tuning.unfinished(asked)]
    assert left == [
        "rnn-1-1001", "gru-1-1000", "gru-1-1001",
        "rnn-2-1000", "rnn-2-1001", "gru-2-1000", "gru-2-1001",
    ]  # fmt: skip
    with pytest.raises(RunError, match="rnn-1-1001 is not finished"):
        tuning.choose(asked)
    assert Run(place).is_finished


def test_a_trial_of_which_one_training_ran_away_is_not_chosen(tmp_path, monkeypatch):
    asked = search(tmp_path, tune=2, cells=("rnn", "gru"))

    def trained(trial, report):
        write_training(trial.path, trial.config, 0.5)
        if trial.path.name in diverging:
            (trial.path / "complete").unlink()
            raise TrainingError("the loss is not a number")

    monkeypatch.setattr(tuning, "run_trial", trained)
    diverging = {"rnn-1-1001"}
    for place, config in asked.every:
        trial = Trial(config, tmp_path, {}, place, "compare", 1)
        tuning.run_tuning_trial(trial, lambda event: None)
    assert tuning.unfinished(asked) == []
    _, record = tuning.choose(asked)
    assert record["rnn"].chosen == 2
    assert record["rnn"].trials[0].validation_loss is None
    assert record["rnn"].trials[0].losses == (0.5, None)
    assert record["gru"].chosen == 1
    for place, _ in asked.trainings("rnn", 2):
        (place / "complete").unlink()
        write_json(place / "failed.json", {"reason": "x"})
    with pytest.raises(RunError, match="all trials of rnn failed"):
        tuning.choose(asked)


def test_why_trials_are_missing_is_told():
    with pytest.raises(RunError, match="tuning rnn-1-1000: no memory"):
        tuning.choose(search(tune=2), {"tuning rnn-1-1000": "no memory"})


def test_a_comparison_tuned_by_other_trials_is_another_and_is_named(tmp_path):
    about = SimpleNamespace(fingerprint="f", label_counts={}, has_several=False)
    data, asked = SimpleNamespace(about=about), design(tune=2)
    question = asked.question("f")
    assert "tuning" not in design().question("f")  # untuned ones are as they were
    before = {name: value for name, value in question.items() if name != "tuning"}
    for name, kept in (
        ("now", question), ("old", before), ("untuned", before | {"tune": 0}),
    ):  # fmt: skip
        marker.begin(tmp_path / name, marker.COMPARISON)
        write_json(tmp_path / name / marker.QUESTION_FILE, kept)
    assert places.tuned_by_old_trials(asked, data, tmp_path) == "old"
    assert places.tuned_by_old_trials(design(), data, tmp_path) == ""
    with pytest.raises(RunError, match="of trials that do not count today; pass"):
        places.begin(asked, data, tmp_path, name="old")
    with pytest.raises(RunError, match="holds another comparison; pass"):
        places.begin(asked, data, tmp_path, name="untuned")
    assert places.begin(asked, data, tmp_path, name="now") == tmp_path / "now"
