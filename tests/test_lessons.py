"""Unlabelled texts, with what a teacher says of them, beside the training texts."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import TINY, invoke, reviews, run_in, tasks_in_this_process
from test_checkpoint import CONFIG, TWIN, PowerCutError, _Cutting, timeless
from test_training import examples

from seqclf import Classifier
from seqclf.model.build import build_model
from seqclf.runs import Run
from seqclf.text.batching import training_batches
from seqclf.text.encoding import Examples
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.fit import as_tf_dataset, fit
from seqclf.training.lessons import Lessons, with_lessons

TWIN = dataclasses.replace(TWIN, cell="none")
SMALL = [option for option in TINY if "units" not in option]  # `none` has none


def test_lessons_stand_behind_the_training_texts():
    ids = np.array([5, 6, 7], np.int32)
    train = Examples(ids, np.array([0, 1, 3]), np.array([1, 0], np.int32))
    said = np.array([[0.3, 0.7], [0.9, 0.1]], np.float32)
    taught = np.array([8, 9, 10], np.int32)
    both = with_lessons(train, Lessons(taught, np.array([0, 2, 3]), said, ""))
    assert both.token_ids.tolist() == [5, 6, 7, 8, 9, 10]
    assert both.offsets.tolist() == [0, 1, 3, 5, 6]
    assert both.label_ids.tolist() == [1, 0, 1, 0]
    expected = [[0, 1], [1, 0], [0.3, 0.7], [0.9, 0.1]]
    np.testing.assert_allclose(both.targets, expected)
    assert len(both) == 4


def test_each_text_comes_with_its_own_target():
    texts = examples(20)
    targets = np.arange(40, dtype=np.float32).reshape(20, 2)
    config = dataclasses.replace(CONFIG, word_dropout_rate=0.0)
    batches = list(training_batches(texts, config, 1))
    dataset = as_tf_dataset(iter(batches), len(batches), 2, None, targets)
    seen = 0
    for (token_ids, rows), batch in zip(dataset, batches, strict=True):
        np.testing.assert_array_equal(rows, targets[batch.indices])
        np.testing.assert_array_equal(token_ids, batch.token_ids)
        seen += len(rows)
    assert seen == 20


def taught(train: Examples, checkpoints: Checkpoints = Checkpoints()):  # noqa: B008
    model = build_model(TWIN, 20, 2, CONFIG.seed)
    history = fit(model, train, examples(32, seed=9), CONFIG, checkpoints=checkpoints)
    return model.get_weights(), history


def equal(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_certain_targets_are_the_labels_and_others_are_not():
    train = examples(64)
    certain = dataclasses.replace(train, targets=np.eye(2, dtype="f4")[train.label_ids])
    doubtful = dataclasses.replace(train, targets=0.6 * certain.targets + 0.2)
    plain = taught(train)[0]
    assert equal(plain, taught(certain)[0])
    assert not equal(plain, taught(doubtful)[0])


@pytest.mark.slow
def test_a_cut_training_with_lessons_ends_with_the_same_numbers(tmp_path):
    train = examples(64)
    targets = np.random.default_rng(0).dirichlet([1, 1], 64).astype(np.float32)
    train = dataclasses.replace(train, targets=targets)
    weights, history = taught(train)
    file = tmp_path / "checkpoint.npz"
    _Cutting.left = 11
    with pytest.raises(PowerCutError):
        taught(train, _Cutting(file, {}, 0))
    again, resumed = taught(train, Checkpoints(file, {}, 0))
    assert resumed.cuts == 1
    assert equal(weights, again)
    assert timeless(history) == timeless(resumed)


# Through the commands.


@pytest.fixture(scope="module")
def school(workplace, tmp_path_factory) -> Path:
    """A folder with unlabelled texts and a teacher; read only."""
    folder = tmp_path_factory.mktemp("school")
    shutil.copytree(workplace / "reviews", folder / "reviews")
    lines = [text for text, _ in reviews(60, start=300)]
    lines += [f" {text.upper()}" for text, _ in reviews(5, start=160)]  # of validation
    file = folder / "reviews" / "unlabeled.csv"
    file.write_text("\n".join(["text", *(f'"{line}"' for line in lines)]) + "\n")
    with tasks_in_this_process():
        done = run_in(folder, "train", "--data=reviews", "--baseline=nb-svm")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def place(school, tmp_path, monkeypatch) -> Path:
    shutil.copytree(school, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*options: str) -> str:
    """Returns what a training that is refused says."""
    done = invoke("train", "--cell=none", *options, *SMALL)
    assert done.exit_code != 0
    return " ".join(done.output.split())


def trained(*options: str) -> Run:
    arguments = ["--data=reviews", "--json", *SMALL, *options]
    done = invoke("train", "--cell=none", *arguments)
    assert done.exit_code == 0, done.output
    return Run(Path(json.loads(done.stdout)["run"]))


@pytest.mark.slow
def test_a_pupil_learns_what_the_teacher_says_of_texts_that_are_not_held_out(place):
    run = trained("--teach=reviews-nb-svm")
    # 65 unlabelled texts, 5 of which are validation's in capitals.
    assert run.proof.lessons == (
        "60 unlabelled texts taught by reviews-nb-svm; 5 that are in validation or "
        "test left out"
    )
    (file,) = Path("data/cache").glob(f"*/lessons-{run.config.training.taught}.npz")
    lessons = Lessons.load(file)
    texts = [text for text, _ in reviews(60, start=300)]
    expected = Classifier.open("reviews-nb-svm").predict_proba(texts)
    np.testing.assert_array_equal(lessons.probabilities, expected)
    lengths = Classifier.open(run).lengths(pa.array(texts))
    assert lengths.tolist() == np.diff(lessons.offsets).tolist()
    assert trained("--teach=reviews-nb-svm").path == run.path
    plain = trained()
    assert plain.path != run.path
    assert plain.proof.lessons is None
    assert plain.proof.batches != run.proof.batches


@pytest.mark.slow
def test_a_mean_teaches_twins_alike_and_their_card_says_so(place):
    pupil = trained("--name=first")
    done = invoke(
        "compare", "--data=reviews", "--cells=none,rnn", "--seeds=1", "--json", *TINY,
        "--teach=first+reviews-nb-svm",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)["card"]
    (check,) = [c for c in card["checks"] if c["what"] == "lessons of a teacher"]
    assert check["equal"]
    assert "taught by first+reviews-nb-svm" in check["value"]
    assert card["equal"]["training.teach"] == "first+reviews-nb-svm"
    assert Run(pupil.path).proof.lessons is None


def test_a_teacher_that_may_know_what_is_held_out_is_refused(place):
    shutil.copytree("reviews", "others")
    rows = (place / "others" / "train.csv").read_text().splitlines()
    (place / "others" / "train.csv").write_text("\n".join(rows[:-4]) + "\n")
    message = said("--data=others", "--teach=reviews-nb-svm")
    assert "cannot teach here: it was trained on other data" in message
    message = said("--data=reviews", "--limit=100", "--teach=reviews-nb-svm")
    assert "another division of it" in message


def test_without_unlabelled_texts_there_is_nothing_to_teach_with(place):
    (place / "reviews" / "unlabeled.csv").unlink()
    with tasks_in_this_process():
        done = invoke("train", "--data=reviews", "--baseline=nb-svm")
    assert done.exit_code == 0, done.output
    message = said("--data=reviews", "--teach=reviews-nb-svm-2")
    assert "has no unlabelled texts for reviews-nb-svm-2 to teach with" in message
    assert "unlabeled.csv beside train.csv" in message


def test_texts_that_are_all_held_out_teach_nothing(place):
    held_out = [f" {text.upper()}" for text, _ in reviews(5, start=160)]
    file = place / "reviews" / "unlabeled.csv"
    file.write_text("\n".join(["text", *(f'"{line}"' for line in held_out)]) + "\n")
    with tasks_in_this_process():
        done = invoke("train", "--data=reviews", "--baseline=nb-svm")
    assert done.exit_code == 0, done.output
    message = said("--data=reviews", "--teach=reviews-nb-svm-2")
    assert "no unlabelled text for reviews-nb-svm-2 to teach with that" in message


def test_a_linear_model_is_not_taught(place):
    done = invoke("train", "--baseline=tf-idf", "--data=reviews", "--teach=a")
    assert "teach does nothing for tf-idf" in " ".join(done.output.split())
