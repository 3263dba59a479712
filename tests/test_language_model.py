"""Pre-training with the cell itself: what it reads, its loss, and what comes of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, invoke
from test_checkpoint import PowerCutError, _Cutting

from seqclf.config import ModelConfig, RunConfig, TrainingConfig
from seqclf.model.build import build_model
from seqclf.records.training import PretrainingEnded, Resumed, Stepped
from seqclf.runs import Run
from seqclf.start.start import Start
from seqclf.start.texts import FreeTexts
from seqclf.training import language_model as lm
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.language_model import (
    NEGATIVES,
    draws,
    language_model,
    language_model_file,
    log_chances,
    pieces_of,
    recipe_of,
)

TOKENS, SIZE = 12, 6
MODEL = ModelConfig(cell="rnn", units=5, embedding_size=SIZE)
CONFIG = RunConfig(model=MODEL, training=TrainingConfig(seed=3))


def texts(*rows: list[int]) -> FreeTexts:
    offsets = np.cumsum([0, *map(len, rows)])
    return FreeTexts(np.array(sum(rows, []), np.int32), offsets, 0)  # noqa: RUF017


def nothing_known() -> Start:
    vectors = np.zeros((TOKENS, SIZE), np.float32)
    return Start(vectors, np.zeros(TOKENS, bool), "nothing", 1.0)


def test_texts_are_cut_into_pieces_and_none_is_lost(monkeypatch):
    monkeypatch.setattr(lm, "PIECE", 3)
    pieces = pieces_of(texts([2, 3, 4, 5, 6, 7, 8], [9, 10, 11], [2]))
    assert pieces.offsets.tolist() == [0, 3, 6, 7, 10, 11]
    assert len(pieces) == 5
    assert len(pieces.token_ids) == 11


def test_small_data_are_read_more_often():
    few, many = texts([2] * 1_000), FreeTexts(np.ones(40_000_000, np.int8), [], 0)
    recipe = recipe_of(TrainingConfig(batch_tokens=9, seed=7), few)
    assert (recipe.epochs, recipe.batch_tokens, recipe.seed) == (10, None, 7)
    assert recipe_of(TrainingConfig(), many).epochs == 1
    middle = FreeTexts(np.ones(5_000_000, np.int8), [], 0)
    assert recipe_of(TrainingConfig(), middle).epochs == 3


def test_tokens_are_drawn_by_the_chances_that_the_loss_takes_for_granted():
    chances = np.exp(log_chances(TOKENS)[2:])
    assert chances.sum() == pytest.approx(1, abs=1e-6)
    drawn = np.concatenate([draws(0, 1, step, TOKENS) for step in range(400)])
    assert drawn.dtype == np.int32
    assert set(drawn) == set(range(2, TOKENS))
    shares = np.bincount(drawn, minlength=TOKENS)[2:] / len(drawn)
    np.testing.assert_allclose(shares, chances, atol=0.005)  # 4 deviations
    again = draws(0, 1, 0, TOKENS)
    np.testing.assert_array_equal(again, drawn[:NEGATIVES])
    for other in ((1, 1, 0), (0, 2, 0), (0, 1, 1)):
        assert not np.array_equal(again, draws(*other, TOKENS))


def network(bidirectional: bool = True, cell: str = "rnn"):
    model = dataclasses.replace(
        MODEL, cell=cell, bidirectional=bidirectional, dropout_rate=0.0, pooling="max"
    )
    twin = build_model(model, TOKENS, 2, 0)
    made = lm._network(twin, 0)
    made.bias.assign(np.linspace(-1, 1, TOKENS, dtype=np.float32))
    return twin, made


def expected_loss(made, token_ids: np.ndarray, drawn: np.ndarray) -> float:
    """The same in plain loops, from what each direction says at each place."""
    table, bias = made.embedding.get_weights()[0], made.bias.numpy()
    chances, losses = log_chances(TOKENS), []
    for direction, said in zip((1, -1), made(token_ids), strict=False):
        for row, states in zip(token_ids, np.array(said), strict=True):
            for place, state in enumerate(states):
                other = place + direction
                if not 0 <= other < len(row) or row[other] < 2 or not row[place]:
                    continue
                true = row[other]
                scores = [table[true] @ state + bias[true] - chances[true]]
                scores += [
                    table[one] @ state + bias[one] - chances[one]
                    for one in drawn
                    if one != true
                ]
                losses.append(np.log(np.exp(scores).sum()) - scores[0])
    return float(np.mean(losses))


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_loss_is_that_of_its_formula(bidirectional):
    _, made = network(bidirectional)
    token_ids = np.array([[2, 5, 1, 7, 3], [4, 2, 9, 0, 0]], np.int32)
    drawn = draws(0, 1, 0, TOKENS)[:20]
    loss = made.compute_loss(token_ids, drawn, made(token_ids))
    assert float(loss) == pytest.approx(expected_loss(made, token_ids, drawn), rel=1e-5)


def test_a_direction_does_not_see_what_it_is_to_tell():
    _, made = network()
    one = np.array([[2, 3, 4, 5, 6]], np.int32)
    other = np.array([[2, 3, 4, 9, 6]], np.int32)
    (ahead, back), (ahead_2, back_2) = (
        [np.array(said)[0] for said in made(ids)] for ids in (one, other)
    )
    np.testing.assert_array_equal(ahead[:3], ahead_2[:3])  # these tell places 1 to 3
    assert not np.allclose(ahead[3], ahead_2[3])
    np.testing.assert_array_equal(back[4], back_2[4])  # this tells place 3
    assert not np.allclose(back[3], back_2[3])


def test_padding_changes_nothing():
    _, made = network()
    short = np.array([[2, 5, 7]], np.int32)
    padded = np.array([[2, 5, 7, 0, 0]], np.int32)
    drawn = draws(0, 1, 0, TOKENS)
    losses = [
        float(made.compute_loss(ids, drawn, made(ids))) for ids in (short, padded)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def cycle(n: int) -> FreeTexts:
    return texts(*([2 + (start + i) % 5 for i in range(12)] for start in range(n)))


def learnt(monkeypatch, checkpoints: Checkpoints, told: list | None = None) -> Start:
    monkeypatch.setattr(lm, "BATCH_SIZE", 8)
    monkeypatch.setattr(lm, "LEARNING_RATE", 0.05)
    report = (told if told is not None else []).append
    return language_model(CONFIG, nothing_known(), cycle(64), report, checkpoints)


@pytest.mark.slow
def test_it_learns_what_follows_what_and_a_cut_changes_nothing(monkeypatch, tmp_path):
    told: list = []
    whole = learnt(monkeypatch, Checkpoints(), told)
    ends = [event for event in told if isinstance(event, PretrainingEnded)]
    assert [event.epoch for event in ends] == list(range(1, 11))
    # Five tokens, of which each has one neighbour on each side.
    assert ends[0].loss > 1
    assert ends[-1].loss < 0.2
    assert all(e.accuracy is None for e in told if isinstance(e, Stepped))
    assert whole.known.tolist() == [False] + [True] * (TOKENS - 1)
    assert len(whole.layers) == 6
    assert whole.about.endswith("then a language model over 768 tokens, 10 times")
    file = tmp_path / "pretraining.npz"
    _Cutting.left = 21  # behind a step within the third epoch
    with pytest.raises(PowerCutError):
        learnt(monkeypatch, _Cutting(file, {}, 0))
    assert not any(isinstance(event, Resumed) for event in told)
    told = []
    resumed = learnt(monkeypatch, Checkpoints(file, {}, 0), told)
    # First of all, for what shows it elsewhere to go on in its file.
    assert told[0] == Resumed(epoch=3, step=told[0].step, history=())
    assert next(e.epoch for e in told if isinstance(e, PretrainingEnded)) == 3
    assert resumed.digest == whole.digest


def test_files_are_shared_by_equal_first_layers_alone(tmp_path):
    def file(**model: object) -> Path:
        own = dataclasses.replace(MODEL, **model)
        return language_model_file(tmp_path, dataclasses.replace(CONFIG, model=own))

    assert file(pooling="last", layers=2, dropout_rate=0.1) == file()
    others = [
        file(cell="gru"), file(units=6), file(embedding_size=7),
        file(bidirectional=False), file(embedding_range=0.1),
    ]  # fmt: skip
    assert len({file(), *others}) == 6


# Through the commands.


@pytest.fixture
def place(workplace, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").symlink_to(workplace / "reviews")
    return tmp_path


@pytest.mark.slow
def test_twins_are_pretrained_each_by_itself_and_their_card_says_so(place):
    done = invoke(
        "compare", "--data=reviews", "--cells=none,rnn", "--seeds=1", *TINY,
        "--layers=2", "--pretrain=lm", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)["card"]
    assert all(c["equal"] for c in card["checks"] if c["concerns"] == "scores")
    said = {check["what"]: check["value"] for check in card["checks"]}
    assert "a language model over" in said["procedure of each cell's pre-training"]
    assert "language" not in said["weights to begin with"]
    none, rnn = (Run(Path(f"models/reviews-{cell}-0")) for cell in ("none", "rnn"))
    assert none.proof.pretraining is None
    shared = none.proof.initial_weights.keys() & rnn.proof.initial_weights.keys()
    assert any(name.startswith("embedding") for name in shared)
    assert rnn.environment.seconds_before > none.environment.seconds_before > 0
    assert not (rnn.path / "pretraining.npz").exists()


@pytest.mark.slow
def test_a_language_model_is_trained_once_for_all_that_is_built_on_it(place):
    options = ["train", "--cell=rnn", "--data=reviews", "--pretrain=lm", *TINY]
    assert invoke(*options).exit_code == 0
    (file,) = Path("data/cache").glob("*/lm-rnn-0-*.npz")
    before = file.stat().st_mtime_ns
    assert invoke(*options, "--pooling=last").exit_code == 0
    assert file.stat().st_mtime_ns == before
    first, second = (Run(Path(f"models/reviews-rnn-0{n}")) for n in ("", "-2"))
    assert first.proof.pretraining == second.proof.pretraining


def test_a_convolution_would_see_what_is_to_be_told(place):
    done = invoke("train", "--data=reviews", "--pretrain=lm", "--conv-width=3")
    assert done.exit_code != 0
    assert "--pretrain lm and --conv-width exclude" in " ".join(done.output.split())
