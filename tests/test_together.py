"""Trainings that share a process give what each gives in a process of its own."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from conftest import reviews, write_csv
from test_grade import recipe, trial_of

from seqclf.config import RunConfig
from seqclf.engine import Task, run_tasks
from seqclf.records.training import EpochEnded
from seqclf.runs import Run, files
from seqclf.text.encoding import open_encoded
from seqclf.training import network
from seqclf.training.fit import fit
from seqclf.training.trial import Trial, run_trial

MAY_DIFFER = {"environment.json", "complete", "history.jsonl", "log.txt", "lock"}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    # Other tests of this process may have begun with others, which is for good.
    monkeypatch.setattr("seqclf.model.backend.set_threads", lambda threads: None)
    write_csv(tmp_path / "reviews.csv", reviews(120))
    return tmp_path


def trained(place: Path, name: str, **settings: object) -> Run:
    """Trains in this process, and with what is kept of the training before."""
    trial = trial_of(place, name, recipe(place, **settings))
    run_trial(trial, lambda event: None)
    return Run(trial.path)


def content(file: Path) -> object:
    """Returns what is equal in equal files: of archives, what is in them."""
    if file.suffix == ".npz":
        # Its `state` has times; and layers of which no dropout is asked have a random
        # state too, drawn anew in any process.
        with np.load(file) as arrays:
            named = {name: arrays[name] for name in arrays.files if name != "state"}
        return {n: a.tobytes() for n, a in named.items() if a.dtype == np.float32}
    if file.suffix != ".keras":
        return file.read_bytes()
    with zipfile.ZipFile(file) as opened:
        config = opened.read("config.json").decode()
        with h5py.File(io.BytesIO(opened.read("model.weights.h5"))) as weights:
            names: list[str] = []
            weights.visit(names.append)
            found = {
                name: weights[name][()].tobytes()
                for name in names
                if isinstance(weights[name], h5py.Dataset)
            }
    assert "optimizer/vars/0" in found
    # The address of an object, in any process another.
    return json.loads(re.sub(r'"shared_object_id": \d+', '"id": 0', config)), found


def losses(run: Run) -> list[tuple[float, float]]:
    lines = (run.path / files.HISTORY_FILE).read_text().splitlines()
    return [(r["loss"], r["validation_loss"]) for r in map(json.loads, lines)]


def same(one: Run, other: Run) -> None:
    """Asserts that two runs have the same files, but for times."""
    assert losses(one) == losses(other)
    names = {f.relative_to(one.path) for f in one.path.rglob("*") if f.is_file()}
    assert names == {
        f.relative_to(other.path) for f in other.path.rglob("*") if f.is_file()
    }
    for name in sorted(names):
        if name.name not in MAY_DIFFER:
            assert content(one.path / name) == content(other.path / name), name


RECIPES: list[dict[str, object]] = [
    {"cell": "none"},
    {"cell": "dense"},
    {"cell": "rnn", "pooling": "last", "bidirectional": False},
    {"cell": "lstm", "layers": 2},
    {"cell": "rnn", "optimizer": "momentum", "class_weights": "balanced"},
    {"cell": "gru", "freeze_embedding": True},
    {"cell": "gru", "conv_width": 3, "grow_word_dropout": True},
    {"cell": "lstm", "batch_tokens": 90, "clip_norm": 0.0},
]


@pytest.mark.parametrize(
    "settings",
    [{"cell": "gru"}, *(pytest.param(s, marks=pytest.mark.slow) for s in RECIPES)],
    ids=str,
)
def test_a_seed_is_the_same_alone_and_behind_another(place, settings):
    network._kept.clear()
    alone = trained(place, "alone", seed=1, **settings)
    network._kept.clear()
    first = trained(place, "first", seed=0, **settings)
    behind = trained(place, "behind", seed=1, **settings)
    assert losses(first) != losses(behind)
    same(alone, behind)


def test_the_network_is_kept_for_another_seed_and_for_nothing_else(place):
    def drawn(**settings: object) -> network.Network:
        return network.network(recipe(place, **settings), 20, 2)

    first, other = drawn(seed=0), drawn(seed=1)
    assert other.model is first.model
    assert other.own is not first.model
    assert drawn(seed=1, units=5).model is not first.model
    assert drawn(seed=0).model is not first.model, "one is kept, not two"


def test_the_step_is_traced_once(place, monkeypatch):
    network._kept.clear()
    data = trial_of(place, "x", recipe(place))
    encoded = open_encoded(data.encoded)
    traced, step = [], keras.Model.train_step
    monkeypatch.setattr(
        keras.Model, "train_step", lambda *a: traced.append(1) or step(*a)
    )
    for seed in (0, 1):
        config = recipe(place, seed=seed, cell="rnn")
        net = network.network(config, len(encoded.vocabulary), 2)
        fit(net.model, encoded.splits["train"], encoded.splits["validation"],
            config.training)  # fmt: skip
        assert int(net.model.optimizer.iterations) > 0
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("settings", "shared"),
    [
        ({"seed": 1}, True),
        ({"units": 5}, False),
        ({"cell": "rnn"}, False),
        ({"learning_rate": 0.01}, False),
        ({"epochs": 3}, False),
        ({"max_length": 9}, False),
        ({"pretrain": "svd"}, False),
    ],
)
def test_trainings_of_one_kind_differ_in_their_seed_alone(place, settings, shared):
    kinds = [
        network.kind_of(config) for config in (recipe(place), recipe(place, **settings))
    ]
    assert (kinds[0] == kinds[1]) is shared


def test_with_a_language_model_each_has_a_process_of_its_own(place):
    config = recipe(place, cell="gru", pretrain="lm")
    assert Trial(config, place, {}, place, "train", 1).kind is None
    assert Trial(recipe(place), place, {}, place, "train", 1).kind is not None


# In processes.


def crashing(trial: Trial, report) -> int:
    """Trains; dies at the end of the second seed's first epoch, the first time."""
    import os

    mark = trial.path.parent / "crashed"

    def watch(event: object) -> None:
        report(event)
        is_second = trial.config.training.seed == 1
        if is_second and isinstance(event, EpochEnded) and not mark.exists():
            mark.touch()
            os.abort()

    run_trial(trial, watch)
    return os.getpid()


def seeds_in_processes(place: Path, folder: str, seeds: list[int]) -> dict[int, object]:
    """Trains seeds of a GRU; returns the process of each, or why it failed."""
    tasks = []
    for seed in seeds:
        config: RunConfig = recipe(place, cell="gru", seed=seed)
        trial = trial_of(place, f"{folder}-{seed}", config)
        log = trial.path / files.LOG_FILE
        tasks.append(Task(crashing, trial, log, kind=trial.kind))
    done = run_tasks(tasks)
    return {seeds[one.index]: one.error or one.value for one in done}


@pytest.mark.slow
def test_a_crash_costs_one_training_and_no_bit_of_the_others(place):
    (place / "models").mkdir()
    first = seeds_in_processes(place, "a", [0, 1, 2])
    assert "SIGABRT" in first[1]
    assert first[0] != first[2]
    again = seeds_in_processes(place, "a", [1])
    assert isinstance(again[1], int)
    whole = seeds_in_processes(place, "b", [2, 0, 1])
    assert len(set(whole.values())) == 1
    for seed in (0, 1, 2):
        names = (f"a-{seed}", f"b-{seed}")
        one, other = (Run(place / "models" / name) for name in names)
        assert losses(one) == losses(other)
        for split in ("validation", "test"):
            pair = [run.predictions(split).probabilities for run in (one, other)]
            assert np.array_equal(*pair)


def resident_after(trial: Trial, report) -> float:
    """Trains; returns what the process has in memory then, in MB."""
    run_trial(trial, report)
    status = Path("/proc/self/status").read_text("utf-8")
    (kb,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kb) / 1000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_the_tenth_training_of_a_process_has_little_more_memory(place):
    # 20,000 words by 128: a training's weights and moments, kept, would be 30 MB each.
    words = [[f"w{i}" for i in range(j, 20_000, 400)] for j in range(400)]
    write_csv(
        place / "reviews.csv", [(" ".join(w), i % 2) for i, w in enumerate(words * 2)]
    )
    (place / "models").mkdir()
    tasks = []
    for seed in range(10):
        config = recipe(place, seed=seed, embedding_size=128, units=16, cell="gru",
                        epochs=1, vocabulary_size=30_000)  # fmt: skip
        trial = trial_of(place, f"seed-{seed}", config)
        tasks.append(
            Task(resident_after, trial, trial.path / files.LOG_FILE, kind=trial.kind)
        )
    done = sorted(run_tasks(tasks), key=lambda one: one.index)
    after = [float(one.value) for one in done]
    assert Run(place / "models" / "seed-0").vocabulary.tokens[-1].startswith("w")
    assert after[-1] - after[0] <= 50, after
