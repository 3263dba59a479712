"""Runs that were altered are found, and honest ones pass."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import invoke, reviews, seal, write_csv

from seqclf import steps
from seqclf.classroom import grade as grading
from seqclf.classroom.assignment import assigned
from seqclf.classroom.grade import ALTERED, CANNOT_TELL, HONEST, decisive
from seqclf.config import RunConfig
from seqclf.engine import Task, run_tasks
from seqclf.keywords import to_config
from seqclf.records.classroom import Assignment, Grade
from seqclf.records.plain import to_plain
from seqclf.runs import Run, files
from seqclf.runs.writing import write_predictions
from seqclf.storage import read_object, write_json
from seqclf.training.checkpoint import Checkpoints, state_file
from seqclf.training.trial import Trial, run_trial

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("in_this_process")]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    write_csv(folder / "reviews.csv", reviews(120))
    return folder


def recipe(place: Path, **settings: object) -> RunConfig:
    usual = {"units": 4, "embedding_size": 4, "epochs": 2, "min_count": 1,
             "cell": "none", "learning_rate": 0.02,
             "data": str(place / "reviews.csv")}  # fmt: skip
    return to_config(usual | settings)


def trial_of(place: Path, name: str, config: RunConfig, threads: int = 1) -> Trial:
    data = steps.load_and_encode(config, place / "cache", None)
    path = place / "models" / name
    asked = (config, data.path, data.about, path, "train", threads)
    return Trial(*asked, keep_states=True)


def trained(place: Path, name: str, config: RunConfig) -> Run:
    path = place / "models" / name
    if not path.exists():
        run_trial(trial_of(place, name, config), lambda event: None)
    return Run(path)


class Silent:
    quiet = True

    def note(self, sentence: str) -> None:
        """Hears nothing."""


def grade(place: Path, run: Run, assignment: Assignment | None = None) -> Grade:
    asked = ([run], assignment, None, 0, place / "cache", Silent())
    return next(grading.grade(*asked))


@pytest.fixture(scope="module")
def honest(place) -> Run:
    """An honest run; read only."""
    return trained(place, "honest", recipe(place))


@pytest.fixture(scope="module")
def assignment(place, honest) -> Assignment:
    data = steps.load_and_encode(recipe(place), place / "cache", None)
    return assigned(recipe(place), data.about, ["Ada", "Bob"], ["none"], 0)


VARIANTS = {
    "seed": {"seed": 7},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm", "bidirectional": False},
    "rnn": {
        "cell": "rnn",
        "bidirectional": False,
        "pooling": "last",
        "class_weights": "balanced",
    },
    "convolution": {"conv_width": 3},
    "tokens": {"batch_tokens": 200},
    "patience": {"patience": 1, "epochs": 4, "learning_rate": 0.2},
    "characters": {"tokens": "char", "grow_word_dropout": True},
}


def test_an_honest_run_passes(place, honest, assignment):
    found = grade(place, honest, assignment)
    assert decisive(found) is None
    assert (found.verdict, found.student) == (HONEST, "Ada")
    assert found.replayed == (1, 2)
    assert not found.otherwise


@pytest.mark.parametrize("variant", VARIANTS)
def test_honest_runs_of_other_recipes_pass(place, variant):
    run = trained(place, variant, recipe(place, **VARIANTS[variant]))
    found = grade(place, run)
    assert decisive(found) is None, decisive(found)
    assert found.verdict == HONEST


def test_a_run_with_other_threads_is_never_altered(place, honest):
    trial = trial_of(
        place, "threads", recipe(place, cell="rnn", bidirectional=False), threads=3
    )
    task = Task(run_trial, trial, place / "log.txt")
    assert [done.error for done in run_tasks([task])] == [None]
    found = grade(place, Run(trial.path))
    assert found.verdict in (HONEST, CANNOT_TELL), decisive(found)


def test_an_interrupted_run_is_honest(place, monkeypatch):
    monkeypatch.setenv("SEQCLF_CHECKPOINT_SECONDS", "0")
    trial, save = trial_of(place, "cut", recipe(place, seed=11)), Checkpoints.save

    def save_and_cut(self, model, standing):
        save(self, model, standing)
        if standing.epoch == 2 and standing.step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", save_and_cut)
        with pytest.raises(KeyboardInterrupt):
            run_trial(trial, lambda event: None)
    run_trial(trial, lambda event: None)
    assert Run(trial.path).environment.cuts == 1
    assert grade(place, Run(trial.path)).verdict == HONEST


def edited(path: Path, name: str, **changes: object) -> None:
    values = read_object(path / name)
    for key, value in changes.items():
        *outer, last = key.split("__")
        inner = values
        for one in outer:
            inner = inner[one]
        inner[last] = value
    write_json(path / name, values)


def metrics_edited(path: Path, place: Path) -> None:
    edited(path, files.METRICS_FILE, test__accuracy=0.99)


def history_edited(path: Path, place: Path) -> None:
    lines = (path / files.HISTORY_FILE).read_text().splitlines()
    first = json.loads(lines[0]) | {"validation_loss": 0.9}
    lines[0] = json.dumps(first)
    (path / files.HISTORY_FILE).write_text("\n".join(lines) + "\n")


def another_seed(path: Path, place: Path) -> None:
    edited(path, files.CONFIG_FILE, training__seed=1)


def another_seed_with_proof(path: Path, place: Path) -> None:
    """A run of seed 5, with the config and the proof that seed 0 has."""
    other = trained(place, "seed-5", recipe(place, seed=5)).path
    kept = {name: (path / name).read_bytes() for name in ("config.json", "proof.json")}
    shutil.rmtree(path)
    shutil.copytree(other, path)
    for name, content in kept.items():
        (path / name).write_bytes(content)


def more_epochs(path: Path, place: Path) -> None:
    edited(path, files.CONFIG_FILE, training__epochs=1)


def dropout_edited(path: Path, place: Path) -> None:
    edited(path, files.CONFIG_FILE, model__dropout_rate=0.1)


def rate_edited_with_proof(path: Path, place: Path) -> None:
    """The optimizer of another learning rate, in config and proof alike."""
    edited(path, files.CONFIG_FILE, training__learning_rate=0.01)
    other = trained(place, "slow", recipe(place, learning_rate=0.01)).path
    shutil.copy(other / files.PROOF_FILE, path / files.PROOF_FILE)


def rate_edited(path: Path, place: Path) -> None:
    edited(path, files.CONFIG_FILE, training__learning_rate=0.01)


def state_perturbed(path: Path, place: Path, by: float = 1e-6) -> None:
    """The weights of the last state, and nothing that can be told without training."""
    file = state_file(path / files.STATES_FOLDER, 1)
    with np.load(file) as kept:
        arrays = {name: kept[name].copy() for name in kept.files}
    place_of = next(n for n in arrays if arrays[n].shape == (4, 2))
    arrays[place_of][0, 0] += np.float32(by)
    np.savez(file, **arrays)


def states_swapped(path: Path, place: Path) -> None:
    first, last = (state_file(path / files.STATES_FOLDER, n) for n in (0, 2))
    shutil.copy(last, first)


def model_of_another_run(path: Path, place: Path) -> None:
    other = trained(place, "seed-5", recipe(place, seed=5)).path
    shutil.copy(other / files.MODEL_FILE, path)


def onnx_of_another_run(path: Path, place: Path) -> None:
    other = trained(place, "seed-5", recipe(place, seed=5)).path
    shutil.copy(other / files.ONNX_FILE, path)


def predictions_edited(path: Path, place: Path) -> None:
    """All answers right, and scores that agree with them."""
    run = Run(path)
    kept = run.predictions("test")
    right = np.eye(2, dtype=np.float32)[kept.label_ids] * 0.8 + 0.1
    better = dataclasses.replace(kept, probabilities=right)
    metrics = run.metrics | {"test": better.scores(run.labels)}
    write_predictions(path, "test", better)
    write_json(path / files.METRICS_FILE, to_plain(metrics))


def labels_permuted(path: Path, place: Path) -> None:
    lines = (path / files.LABELS_FILE).read_text().splitlines()
    (path / files.LABELS_FILE).write_text("\n".join(lines[::-1]) + "\n")


def data_changed(path: Path, place: Path) -> None:
    edited(path, files.DATASET_FILE, fingerprint="0" * 16)


def vocabulary_edited(path: Path, place: Path) -> None:
    file = path / files.VOCABULARY_FILE
    lines = file.read_text().splitlines()
    lines[-2:] = lines[-1], lines[-2]
    file.write_text("\n".join(lines) + "\n")


def best_epoch_edited(path: Path, place: Path) -> None:
    edited(path, files.ENVIRONMENT_FILE, best_epoch=7)


# What was done to a run, and which check has to find it.
ALTERATIONS = {
    metrics_edited: "scores of test",
    history_edited: "best epoch|history in state 1",
    another_seed: "initial weights, by hash",
    another_seed_with_proof: "weights of the seed",
    more_epochs: "epochs",
    dropout_edited: "weights of the seed|end of epoch 1",
    rate_edited: "optimizer",
    rate_edited_with_proof: "end of epoch 1",
    state_perturbed: "validation of epoch 1|model.keras|end of epoch 1",
    states_swapped: "weights of the seed",
    model_of_another_run: "model.keras",
    onnx_of_another_run: "model.onnx",
    predictions_edited: "predictions of test",
    labels_permuted: "labels.txt",
    vocabulary_edited: "vocabulary.txt",
    best_epoch_edited: "best epoch",
}


def without_states(path: Path, place: Path) -> None:
    shutil.rmtree(path / files.STATES_FOLDER)


def copied(honest: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(honest.path, tmp_path / "run"))


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_an_altered_run_is_found(place, honest, tmp_path, alter):
    path = copied(honest, tmp_path)
    alter(path, place)
    seal(path)  # as if it had been written so
    found = grade(place, Run(path))
    assert found.verdict == ALTERED
    finding = decisive(found)
    assert finding.what in ALTERATIONS[alter].split("|"), finding
    assert finding.expected != finding.came


def test_an_edit_without_its_checksum_is_found_first(place, honest, tmp_path):
    path = copied(honest, tmp_path)
    metrics_edited(path, place)
    found = grade(place, Run(path))
    assert (found.verdict, len(found.findings)) == (ALTERED, 1)
    assert decisive(found).came.startswith("metrics.json is not as it was written")


@pytest.mark.parametrize(
    ("alter", "expected"),
    [
        (dropout_edited, "model.dropout_rate 0.5"),
        (data_changed, "fingerprint of the data"),
        (lambda path, place: edited(path, files.CONFIG_FILE, training__seed=9),
         "cell and seed of a student"),
    ],
)  # fmt: skip
def test_what_was_not_assigned_is_altered(
    place, honest, assignment, tmp_path, alter, expected
):
    path = copied(honest, tmp_path)
    alter(path, place)
    seal(path)
    found = grade(place, Run(path), assignment)
    assert found.verdict == ALTERED
    assert decisive(found).what == "assignment"
    assert decisive(found).expected.startswith(expected)


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (data_changed, "is otherwise here"),
        (without_states, "--keep-states"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_not_called_altered(
    place, honest, tmp_path, alter, why
):
    path = copied(honest, tmp_path)
    alter(path, place)
    seal(path)
    found = grade(place, Run(path))
    assert found.verdict == CANNOT_TELL
    assert why in decisive(found).came


def elsewhere(path: Path) -> None:
    edited(path, files.ENVIRONMENT_FILE, processor="another one")


@pytest.mark.parametrize(
    ("by", "verdicts"),
    [(0.0, {HONEST}), (1e-6, {HONEST}), (0.5, {ALTERED, CANNOT_TELL})],
)
def test_elsewhere_numbers_are_compared_within_a_tolerance(
    place, honest, tmp_path, by, verdicts
):
    path = copied(honest, tmp_path)
    state_perturbed(path, place, by)
    elsewhere(path)
    seal(path)
    found = grade(place, Run(path))
    assert found.otherwise[0].startswith("processor another one")
    assert found.verdict in verdicts


def test_other_versions_call_no_run_altered(place, honest, tmp_path):
    path = copied(honest, tmp_path)
    metrics_edited(path, place)
    edited(path, files.ENVIRONMENT_FILE, versions__keras="9.9")
    seal(path)
    found = grade(place, Run(path))
    assert any(one.startswith("keras 9.9, here") for one in found.otherwise)
    assert found.verdict == CANNOT_TELL
    assert decisive(found).what == "scores of test"


class Payload:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return os.system, (f"touch {self.file}",)


def test_nothing_that_a_run_holds_is_executed(place, honest, tmp_path):
    path, mark = copied(honest, tmp_path), tmp_path / "executed"
    array = np.array([Payload(mark)], dtype=object)
    np.savez(state_file(path / files.STATES_FOLDER, 1), model_0=array)
    seal(path)
    found = grade(place, Run(path))
    assert found.verdict == ALTERED
    assert "is no kept state" in decisive(found).came
    assert not mark.exists()
    np.load(state_file(path / files.STATES_FOLDER, 1), allow_pickle=True)["model_0"]
    assert mark.exists()  # it would have been


def test_a_model_with_a_function_of_its_own_is_not_opened(place, honest, tmp_path):
    path = copied(honest, tmp_path)
    file = path / files.MODEL_FILE
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = parts["config.json"].replace(b'"Dropout"', b'"Lambda"')
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    seal(path)
    found = grade(place, Run(path))
    assert found.verdict == ALTERED
    assert "names" in decisive(found).came


def test_the_command_tells_each_verdict(place, honest, tmp_path, monkeypatch):
    path = copied(honest, tmp_path)
    labels_permuted(path, place)
    seal(path)
    monkeypatch.chdir(tmp_path)
    path = tmp_path  # a folder, with the run below it
    asked = (
        "classroom",
        "grade",
        honest.path,
        path,
        "--replay=1",
        "--draw=3",
        "--json",
    )
    done = invoke(*asked, f"--cache-dir={place / 'cache'}")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["draw"] == 3
    verdicts = [one["verdict"] for one in found["grades"]]
    assert verdicts == [HONEST, ALTERED]
    assert len(found["grades"][0]["replayed"]) == 1
