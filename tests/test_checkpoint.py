"""An interrupted training resumes to the same numbers, wherever it was cut."""

from __future__ import annotations

import dataclasses
import functools
import json

import numpy as np
import pytest
from test_training import MODEL, RECIPE, examples

from seqclf.model.build import build_model
from seqclf.records.training import Epoch, Resumed
from seqclf.training import checkpoint
from seqclf.training.checkpoint import Checkpoints, Standing
from seqclf.training.fit import fit

# A checkpoint holds the same things whatever the cell: most cuts are of a network
# without one, whose graph is drawn in a quarter of the time.
TWIN = dataclasses.replace(MODEL, dropout_rate=0.5, bidirectional=False)
CONFIG = dataclasses.replace(RECIPE, epochs=4, word_dropout_rate=0.2, patience=3)


class PowerCutError(Exception):
    """Stands for the power going off."""


def train(
    checkpoints: Checkpoints,
    cut_behind: int | None = None,
    config=CONFIG,
    cell: str = "none",
):
    """Trains afresh, as a new process would; interrupted behind so many checkpoints."""
    twin = dataclasses.replace(TWIN, cell=cell)
    model = build_model(twin, 20, 2, config.seed)
    told = []
    if cut_behind is not None:
        checkpoints = _Cutting(
            checkpoints.path, checkpoints.about, checkpoints.every, checkpoints.states
        )
        _Cutting.left = cut_behind
    history = fit(
        model, examples(64), examples(32, seed=9), config, told.append, checkpoints
    )
    return model.get_weights(), history, told


class _Cutting(Checkpoints):
    left = 0

    def save(self, model, standing):
        super().save(model, standing)
        type(self).left -= 1
        if self.left < 0:
            raise PowerCutError


def timeless(history) -> dict[str, object]:
    values = dataclasses.asdict(history)
    del values["cuts"]
    for record in values["epochs"]:
        del record["seconds"], record["tokens_per_second"]
    return values


@pytest.fixture(scope="module")
def uncut_cells():
    return functools.cache(lambda cell: train(Checkpoints(), cell=cell))


@pytest.fixture
def uncut(uncut_cells):
    return uncut_cells("none")


# 64 texts in batches of 8: a checkpoint behind each step but the last, and one behind
# the epoch, 8 in each epoch.
CUTS = (0, 3, 6, 7, 8, 20, 31)
QUICK_CUTS = (0, 7)


@pytest.mark.parametrize(
    ("cell", "cut_behind"),
    [
        *(("none", cut) for cut in QUICK_CUTS),
        *(
            pytest.param(cell, cut, marks=pytest.mark.slow)
            for cell in ("none", "rnn")
            for cut in CUTS
            if cell == "rnn" or cut not in QUICK_CUTS
        ),
    ],
)
def test_a_cut_training_ends_with_the_same_numbers(
    tmp_path, uncut_cells, cell, cut_behind
):
    uncut = uncut_cells(cell)
    kept = Checkpoints(tmp_path / "checkpoint.npz", {"question": 1}, every=0)
    with pytest.raises(PowerCutError):
        train(kept, cut_behind, cell=cell)
    weights, history, told = train(kept, cell=cell)
    assert isinstance(told[0], Resumed)
    epochs, step = divmod(cut_behind + 1, 8)
    assert (told[0].epoch, told[0].step) == (1 + epochs, step)
    assert history.cuts == 1
    assert timeless(history) == timeless(uncut[1])
    assert all(np.array_equal(a, b) for a, b in zip(weights, uncut[0], strict=True))


@pytest.mark.slow
def test_a_training_cut_twice_ends_with_the_same_numbers(tmp_path, uncut):
    kept = Checkpoints(tmp_path / "checkpoint.npz", {}, every=0)
    for cut_behind in (5, 7):
        with pytest.raises(PowerCutError):
            train(kept, cut_behind)
    weights, history, _ = train(kept)
    assert history.cuts == 2
    assert timeless(history) == timeless(uncut[1])
    assert all(np.array_equal(a, b) for a, b in zip(weights, uncut[0], strict=True))


def test_the_wait_for_a_better_epoch_goes_on_too(tmp_path):
    config = dataclasses.replace(CONFIG, epochs=30, patience=2, learning_rate=0.1)
    _, expected, _ = train(Checkpoints(), config=config)
    assert len(expected.epochs) == expected.best_epoch + 2 < 30  # it stopped early
    kept = Checkpoints(tmp_path / "checkpoint.npz")
    with pytest.raises(
        PowerCutError
    ):  # behind the first of the epochs without a better loss
        train(kept, expected.best_epoch, config)
    assert timeless(train(kept, config=config)[1]) == timeless(expected)


def test_without_a_checkpoint_within_the_epoch_it_is_begun_again(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoint.npz", {}, every=1e6)
    with pytest.raises(PowerCutError):
        train(kept, 1)
    told = train(kept)[2]
    assert (told[0].epoch, told[0].step) == (3, 0)
    # It is over: once more, and there is nothing left to do but to read it.
    told = train(kept)[2]
    assert list(map(type, told)) == [Resumed]


def test_a_checkpoint_of_another_question_is_left_alone(tmp_path, uncut):
    file = tmp_path / "checkpoint.npz"
    with pytest.raises(PowerCutError):
        train(Checkpoints(file, {"seed": 1}, every=0), 5)
    weights, history, told = train(Checkpoints(file, {"seed": 2}))
    assert history.cuts == 0
    assert Resumed not in map(type, told)
    assert all(np.array_equal(a, b) for a, b in zip(weights, uncut[0], strict=True))


@pytest.mark.parametrize(
    "damage",
    ["short", "flipped", *(pytest.param(d, marks=pytest.mark.slow)
                           for d in ("empty", "text"))],
)  # fmt: skip
def test_a_damaged_checkpoint_begins_the_training_anew(tmp_path, uncut, damage):
    file = tmp_path / "checkpoint.npz"
    kept = Checkpoints(file, {}, every=0)
    with pytest.raises(PowerCutError):
        train(kept, 12)
    content = bytearray(file.read_bytes())
    with np.load(file) as arrays:  # not a byte between them, which may say nothing
        content[content.index(arrays["model_0"].tobytes())] ^= 1
    cut = {"short": content[:-200], "flipped": content, "empty": b"", "text": b"{}"}
    file.write_bytes(cut[damage])
    weights, history, _ = train(kept)
    assert history.cuts == 0
    assert all(np.array_equal(a, b) for a, b in zip(weights, uncut[0], strict=True))


def test_a_checkpoint_holds_no_pickle(tmp_path):
    file = tmp_path / "checkpoint.npz"
    with pytest.raises(PowerCutError):
        train(Checkpoints(file, {}, every=0), 12)
    with np.load(file, allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
        state = json.loads(arrays[checkpoint.STATE].tobytes())
    assert (state["epoch"], state["step"]) == (2, 5)


def _epoch(loss: float) -> Epoch:
    return Epoch(
        epoch=1, loss=1.0, accuracy=0.5, seconds=1.0, tokens_per_second=1.0,
        validation_loss=loss, validation_accuracy=0.5,
    )  # fmt: skip


def test_the_best_epoch_is_the_first_of_the_least_loss():
    standing = Standing()
    for loss in (0.5, 0.4, 0.4, 0.6):
        standing = standing.after_epoch(_epoch(loss), "", [np.ones(1)])
    assert (standing.epoch, standing.best_epoch, standing.best_loss) == (5, 2, 0.4)
