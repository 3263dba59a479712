from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from seqclf import machine
from seqclf.config import ModelConfig, RunConfig, TextConfig, TrainingConfig, twin
from seqclf.data.load import load_dataset
from seqclf.records.training import Started
from seqclf.text.encoding import encode_dataset
from seqclf.training import timing


@pytest.fixture(scope="module")
def data(workplace, tmp_path_factory):
    config = RunConfig()
    config = dataclasses.replace(config.data, source=str(workplace / "reviews"))
    cache = tmp_path_factory.mktemp("cache")
    return encode_dataset(load_dataset(config), config, TextConfig(), cache)


CONFIG = RunConfig(
    model=ModelConfig(units=4, embedding_size=4, bidirectional=False),
    training=TrainingConfig(batch_size=8),
)


@pytest.mark.slow
def test_twins_are_timed_in_turns(data, monkeypatch):
    monkeypatch.setattr(timing.backend, "set_threads", lambda threads: None)
    turns = []
    train_once = timing._Session.train_once

    def noted(self):
        turns.append(self.config.model.cell)
        return train_once(self)

    monkeypatch.setattr(timing._Session, "train_once", noted)
    predict_each, timed_on = timing.single_predictions, []

    def predicted(predictors, examples):
        timed_on.append(examples.token_ids.tolist())
        return predict_each(predictors, examples)

    monkeypatch.setattr(timing, "single_predictions", predicted)
    configs = (twin(CONFIG, "none"), twin(CONFIG, "gru"))
    task = timing.TimingTask(configs, data.path, threads=1)
    told = []
    results = timing.run_timing(task, told.append)
    assert told == [Started()]
    assert turns == ["none", "gru"] * (len(turns) // 2)
    assert timing.FEWEST_ROUNDS <= len(turns) // 2 <= timing.ROUNDS
    assert timed_on == [data.splits["test"].token_ids.tolist()]
    tokens = int(data.splits["train"].lengths.sum())
    for result in results:
        step = result.milliseconds_per_step
        assert 0 < step.least <= step.median <= step.most
        per_epoch = result.seconds_per_epoch * result.tokens_per_second
        assert per_epoch == pytest.approx(tokens)
        assert result.milliseconds_per_prediction > 0


def test_single_texts_are_predicted_in_turns_each_by_every_twin(data):
    told = []

    def predictor(name):
        return lambda text: told.append((name, text.tobytes()))

    found = timing.single_predictions(
        [predictor("a"), predictor("b")], data.splits["train"]
    )
    texts = min(timing.SINGLE_TEXTS, len(data.splits["train"]))
    assert [len(one) for one in found] == [texts, texts]
    assert [name for name, _ in told] == ["a", "b"] * (timing.WARM_UP + texts)
    assert all(
        one[1] == other[1] for one, other in zip(told[::2], told[1::2], strict=True)
    )


def test_the_sample_is_the_same_for_twins_and_like_the_whole(data):
    train = data.splits["train"]
    samples = [
        timing.sample_batches(train, twin(CONFIG, c), 30_000) for c in ("rnn", "lstm")
    ]
    for one, other in zip(*samples, strict=True):
        np.testing.assert_array_equal(one.token_ids, other.token_ids)
    places = np.concatenate([batch.indices for batch in samples[0]])
    assert len(set(places)) == len(places)
    assert len(samples[0]) == 20  # 160 texts in batches of 8: fewer than a round takes


def test_a_long_epoch_is_sampled_evenly(data):
    train = data.splits["train"]
    sample = timing.sample_batches(train, CONFIG, tokens=1)
    assert len(sample) == timing.FEWEST_STEPS
    sampled = train.lengths[np.concatenate([batch.indices for batch in sample])]
    assert sampled.mean() == pytest.approx(train.lengths.mean(), rel=0.2)


@pytest.mark.parametrize(
    ("free", "trials", "jobs"),
    [(0, 9, 1), (3e9, 9, 1), (6e9, 9, 2), (1e12, 9, 4), (1e12, 3, 3)],
)
def test_jobs_follow_memory_cores_and_trials(free, trials, jobs, monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 4)
    monkeypatch.setattr(machine, "free_memory", lambda: int(free))
    assert machine.jobs_for(trials) == jobs


def test_free_memory_is_less_than_there_is():
    assert 0 < machine.free_memory() < 2**50


@pytest.mark.parametrize(
    ("rounds", "steady"),
    [
        ([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]], True),
        ([[1.0, 2.0, 1.5], [2.0, 4.0, 3.0]], True),  # the machine was slower
        ([[1.0, 1.0, 1.0], [2.0, 2.0, 2.3]], False),
        ([[1.0, 1.04], [1.0, 1.0]], True),
        ([[1.0, 1.2], [1.0, 1.0]], False),
        ([[5.0, 9.0, 2.0]], True),  # alone there is no ratio to keep
    ],
)
def test_rounds_are_steady_when_the_ratios_are(rounds, steady):
    assert timing.are_steady(rounds) is steady


@pytest.mark.parametrize(
    ("steady", "asked", "taken"),
    [(True, None, timing.FEWEST_ROUNDS), (False, None, timing.ROUNDS), (True, 7, 7)],
)
def test_as_many_rounds_as_are_needed(data, monkeypatch, steady, asked, taken):
    monkeypatch.setattr(timing.backend, "set_threads", lambda threads: None)
    monkeypatch.setattr(timing, "are_steady", lambda rounds: steady)
    monkeypatch.setattr(timing, "single_predictions", lambda some, test: [[1.0]])
    configs = (twin(CONFIG, "none"),)
    task = timing.TimingTask(configs, data.path, threads=1, rounds=asked)
    (found,) = timing.run_timing(task, lambda event: None)
    assert len(found.milliseconds_per_step.rounds) == taken


def test_the_rounds_wait_until_nothing_else_runs(data, monkeypatch, tmp_path):
    monkeypatch.setattr(timing.backend, "set_threads", lambda threads: None)
    monkeypatch.setattr(timing, "single_predictions", lambda some, test: [[1.0]])
    start, slept = tmp_path / "start", []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            start.touch()

    monkeypatch.setattr(timing.time, "sleep", sleep)
    task = timing.TimingTask((twin(CONFIG, "none"),), data.path, 1, start=start)
    assert len(timing.run_timing(task, lambda event: None)) == 1
    assert len(slept) == 3
