"""States kept between epochs: any epoch can be replayed from them, to the bit."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from conftest import TINY, invoke
from test_checkpoint import CONFIG, TWIN, PowerCutError, train
from test_training import examples

from seqclf.model.build import build_model
from seqclf.training.checkpoint import STATE, Checkpoints, state_file, variables_of
from seqclf.training.fit import prepared, train_epoch

PLAIN = dataclasses.replace(TWIN, cell="none")


def arrays_of(file) -> list[np.ndarray]:
    with np.load(file, allow_pickle=False) as kept:
        names = [name for name in kept.files if name != STATE]
        assert not any(name.startswith("best") for name in names)
        return [kept[name] for name in names]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """The states of an uncut training of four epochs; read only."""
    folder = tmp_path_factory.mktemp("uncut") / "states"
    train(Checkpoints(states=folder))
    return folder


def test_there_is_a_state_before_the_first_epoch_and_behind_each(states):
    assert sorted(file.name for file in states.iterdir()) == [
        f"{n}.npz" for n in range(5)
    ]
    drawn = [np.asarray(v) for v in build_model(PLAIN, 20, 2, CONFIG.seed).variables]
    assert same(drawn, arrays_of(state_file(states, 0))[: len(drawn)])
    with np.load(state_file(states, 3)) as kept:
        assert json.loads(kept[STATE].tobytes())["epoch"] == 4


def test_an_epoch_begun_in_its_state_ends_in_the_next(states):
    model = build_model(PLAIN, 20, 2, CONFIG.seed)
    training = prepared(model, examples(64), examples(32, seed=9), CONFIG)
    kept = Checkpoints(state_file(states, 2))
    standing = train_epoch(training, kept.restore(model))
    assert [one.epoch for one in standing.history] == [1, 2, 3]
    ended = [np.asarray(variable) for variable in variables_of(model)]
    assert same(ended, arrays_of(state_file(states, 3)))


def test_a_cut_training_keeps_the_same_states(tmp_path, states):
    folder = tmp_path / "states"
    kept = Checkpoints(tmp_path / "checkpoint.npz", {}, every=0, states=folder)
    with pytest.raises(PowerCutError):
        train(kept, 12)
    assert train(kept)[1].cuts == 1
    for n in range(5):
        assert same(arrays_of(state_file(folder, n)), arrays_of(state_file(states, n)))


@pytest.mark.slow
def test_a_training_of_which_states_are_missing_begins_anew(tmp_path, states):
    folder = tmp_path / "states"
    kept = Checkpoints(tmp_path / "checkpoint.npz", {}, every=0, states=folder)
    with pytest.raises(PowerCutError):
        train(kept, 20)
    state_file(folder, 1).unlink()
    assert train(kept)[1].cuts == 0
    assert same(arrays_of(state_file(folder, 1)), arrays_of(state_file(states, 1)))


def test_a_finished_run_without_states_is_not_said_to_have_them(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    same_run = ("train", "--cell=gru", "--data=reviews", *TINY)
    refused = invoke(*same_run, "--keep-states")
    assert refused.exit_code == 1
    assert "kept no states" in refused.output
    assert "seqclf runs remove reviews-gru-0" in refused.output


def test_a_linear_model_keeps_no_states(tmp_path):
    refused = invoke("train", "--baseline=nb-svm", "--keep-states")
    assert refused.exit_code == 2
    assert "--keep-states does nothing for nb-svm" in refused.output
