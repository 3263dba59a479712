from __future__ import annotations

import math

import pytest

from seqclf import config
from seqclf.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    TextConfig,
    TrainingConfig,
    twin,
)
from seqclf.errors import ConfigError


def test_config_survives_a_round_trip():
    original = RunConfig(
        data=DataConfig(source="x.csv", limit=50),
        text=TextConfig(keep="tail"),
        model=ModelConfig(cell="gru", bidirectional=False),
        training=TrainingConfig(epochs=3, learning_rate=1e-4),
    )
    assert config.from_dict(config.to_dict(original)) == original


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (ModelConfig, {"cell": "lstn"}, "did you mean 'lstm'"),
        (ModelConfig, {"pooling": "sum"}, "last, max, mean, attention"),
        (ModelConfig, {"dropout_rate": 1.0}, r"fraction in \[0, 1\), got 1.0"),
        (ModelConfig, {"dropout_rate": math.nan}, "got nan"),
        (ModelConfig, {"units": 0}, "at least 1, got 0"),
        (ModelConfig, {"layers": 0}, "layers"),
        (ModelConfig, {"conv_width": 0}, "conv_width must be a whole number"),
        (TextConfig, {"max_length": 0}, "max_length"),
        (TextConfig, {"keep": "middle"}, "head, tail, both"),
        (TextConfig, {"max_length": 9, "predict_length": 8}, "at least 9, got 8"),
        (TrainingConfig, {"epochs": 0}, "epochs"),
        (TrainingConfig, {"learning_rate": math.nan}, "positive"),
        (TrainingConfig, {"learning_rate": math.inf}, "positive"),
        (TrainingConfig, {"learning_rate": -1.0}, "positive"),
        (TrainingConfig, {"weight_decay": math.nan}, "weight_decay"),
        (TrainingConfig, {"seed": -1}, "seed"),
        (TrainingConfig, {"class_weights": "even"}, "equal, balanced"),
        (DataConfig, {"limit": 0}, "limit"),
        (DataConfig, {"test_fraction": 1.0}, "test_fraction"),
    ],
)
def test_config_refuses_what_is_out_of_range(kind, values, message):
    with pytest.raises(ConfigError, match=message):
        kind(**values)


def test_config_refuses_unknown_settings_and_names_the_nearest():
    values = config.to_dict(RunConfig())
    values["model"]["dropout"] = 0.2
    with pytest.raises(ConfigError, match="'dropout'; did you mean 'dropout_rate'"):
        config.from_dict(values)


def test_config_refuses_a_value_of_another_type():
    values = config.to_dict(RunConfig())
    values["model"]["units"] = "64"
    with pytest.raises(ConfigError, match="units must be of type int, got '64'"):
        config.from_dict(values)


def test_twins_differ_in_the_cell_alone():
    gru = twin(RunConfig(), "gru")
    assert config.differences(RunConfig(), gru) == ["model.cell: lstm, gru"]


def test_a_config_from_before_the_convolution_asks_the_same_question():
    recipe = RunConfig()
    before = config.to_dict(recipe)
    del before["model"]["conv_width"]
    assert config.from_dict(before) == recipe
    assert config.same_question(config.from_dict(before), recipe)
    # What comparisons and checkpoints keep of a question has no such key either.
    assert "conv_width" not in config.question(recipe)["model"]
    assert config.question(recipe)["training"]["epochs"] is None  # others stay


def test_the_width_of_the_convolution_is_part_of_the_question():
    none, three, five = (
        RunConfig(model=ModelConfig(conv_width=width)) for width in (None, 3, 5)
    )
    assert config.differences(none, three) == ["model.conv_width: None, 3"]
    assert config.differences(three, none) == ["model.conv_width: 3, None"]
    assert not config.same_question(three, five)
    assert config.question(three)["model"]["conv_width"] == 3
    assert config.from_dict(config.to_dict(three)) == three


@pytest.mark.parametrize("width", [True, 3.0, "3"])
def test_the_width_of_the_convolution_is_a_whole_number_or_none(width):
    with pytest.raises(ConfigError, match="conv_width must be of type int or NoneType"):
        config.from_dict({"model": {"conv_width": width}})


def test_the_name_of_a_source_is_no_difference():
    there = RunConfig(data=DataConfig(source="./a.csv"))
    assert config.same_question(there, RunConfig(data=DataConfig(source="a.csv")))
    other = RunConfig(data=DataConfig(source="a.csv", limit=5))
    assert not config.same_question(there, other)


def test_a_run_of_before_was_read_and_trained_as_then():
    before = config.to_dict(RunConfig(text=TextConfig(max_length=50)))
    assert config.of_run(before).text.reading.max_length == 125
    del before["text"]["predict_length"], before["training"]["grow_word_dropout"]
    read = config.of_run(before).text
    assert (read.max_length, read.reading.max_length) == (50, 50)
    # That is no other question than that of the file; what is new by default is one.
    assert config.question(config.of_run(before))["text"] == {
        "vocabulary_size": 30_000, "min_count": 2, "max_length": 50, "keep": "both"
    }  # fmt: skip
    assert "predict_length" in config.question(RunConfig())["text"]


def test_reading_twice_reads_no_further():
    text = TextConfig(max_length=10)
    assert text.reading.reading == text.reading
    assert text.reading.max_length == 25
