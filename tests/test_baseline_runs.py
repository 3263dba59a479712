"""Linear baselines as runs: what knows a run knows them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import invoke, reviews, run_cli, seal, write_csv

from seqclf import Classifier, SequenceClassifier, train
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import ConfigError, RunError
from seqclf.linear.model import LinearModel
from seqclf.runs import Run
from seqclf.runs.comparisons import default_run, run_by_default
from seqclf.text.arrays import strings
from seqclf.text.tokens import tokenize

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture(scope="module")
def home(workplace, in_this_process, tmp_path_factory) -> Path:
    """A folder with reviews/ and the run of nb-svm on it; read only."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(workplace / "reviews", folder / "reviews")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = invoke("train", "--baseline=nb-svm", "--data=reviews")
    assert done.exit_code == 0, done.output
    assert "chosen on validation: C " in done.stdout
    return folder


@pytest.fixture
def here(home, tmp_path, monkeypatch) -> Path:
    """A copy of it, and the working directory."""
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


def run_in(folder: Path, name: str = "reviews-nb-svm") -> Run:
    return Run(folder / "models" / name)


def test_an_equal_baseline_is_reused_and_a_damaged_one_fitted_again(here):
    run = run_in(here)
    before = run.checksums["linear.npz"]
    again = invoke("train", "--baseline=nb-svm", "--data=reviews")
    assert "is finished with these settings and data: reused" in again.stderr
    (run.path / "linear.npz").write_bytes(b"PK")
    refused = invoke("predict", "fine", "--run=reviews-nb-svm")
    assert "no usable linear.npz" in refused.output
    assert invoke("train", "--baseline=nb-svm", "--data=reviews").exit_code == 0
    assert run.checksums["linear.npz"] == before
    sample = invoke("train", "--baseline=nb-svm", "--data=reviews", "--limit=80")
    assert sample.exit_code == 0
    assert run_in(here, "reviews-nb-svm-2").dataset.sizes["train"] == 80


def test_it_predicts_what_it_was_scored_by(home):
    run = run_in(home)
    texts = [text for text, _ in reviews(48, start=200)]
    classifier = Classifier.open(run)
    recorded = run.predictions(TEST)
    np.testing.assert_allclose(
        classifier.predict_proba(texts), recorded.probabilities, atol=1e-6
    )
    words = [len(tokens) for tokens in tokenize(strings(texts)).to_pylist()]
    assert recorded.lengths.tolist() == words
    # It reads a text whole, however long.
    long = "good " + "the " * 3000
    assert classifier.lengths(strings([long + "awful"])).tolist() == [3002]
    before, after = classifier.predict_proba([long, long + "awful"])[:, 0]
    assert before != after


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cell=gru"], "--cell and --baseline exclude each other"),
        (["--cell=lstm"], "--cell and --baseline exclude each other"),
        (["--units=8"], "units does nothing for nb-svm, a linear model"),
        (["--epochs=3"], "epochs does nothing for nb-svm"),
        (["--max-length=50"], "max_length does nothing for nb-svm"),
    ],
)
def test_settings_of_a_network_are_refused_beside_it(options, message, tmp_path):
    done = invoke("train", "--baseline=nb-svm", *options, f"--models-dir={tmp_path}")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_an_unknown_baseline_and_one_in_a_comparison_are_refused():
    assert "did you mean 'nb-svm'" in invoke("train", "--baseline=nbsvm").output
    assert "No such option" in invoke("compare", "--baseline=nb-svm").output


def test_commands_know_it(here):
    scores = run_in(here).metrics[TEST]
    said = json.loads(invoke("evaluate", "reviews-nb-svm", "--json").stdout)
    assert said["accuracy"] == scores.accuracy
    [listed] = json.loads(invoke("runs", "list", "--json").stdout)
    assert (listed["baseline"], "cell" in listed) == ("nb-svm", False)
    assert "nb-svm" in invoke("runs", "list").stdout
    shown = json.loads(invoke("runs", "show", "reviews-nb-svm", "--json").stdout)
    assert shown["environment"]["chosen"].keys() == {"C", "temperature"}
    assert "temperature" in invoke("runs", "show", "reviews-nb-svm").stdout
    write_csv(here / "new.csv", reviews(20, start=300))
    written = invoke("predict", "--input=new.csv", "--output=labels.csv")
    assert written.exit_code == 0, written.output
    assert len((here / "labels.csv").read_text().splitlines()) == 21
    explained = invoke("predict", "--explain", "--json", "a good film")
    words = json.loads(explained.stdout)["words"]
    assert [one["token"] for one in words] == ["a", "good", "film"]
    assert any(abs(one["effect"]) > 0 for one in words)


def test_the_effect_of_a_word_is_that_of_all_its_n_grams(here):
    text = "very good film, number 7"
    explained = json.loads(invoke("predict", "--explain", "--json", text).stdout)
    run = run_in(here)
    label = run.labels.index(explained["label"])
    model = LinearModel.open(run.file("linear.npz"), run.vocabulary, len(run.labels))
    [words] = tokenize(strings([text])).to_pylist()
    weights = dict(zip(model.ngrams.names(), model.weights, strict=True))
    for place, word in enumerate(explained["words"]):
        assert word["token"] == words[place]
        # NB-weighted n-grams count once each: those around the word are gone.
        kept = {
            " ".join(words[a:b])
            for a in range(len(words))
            for b in range(a + 1, len(words) + 1)
            if not a <= place < b
        }
        logits = model.bias + sum(weights[one] for one in kept if one in weights)
        chances = np.exp(logits) / np.exp(logits).sum()
        effect = explained["probability"] - chances[label]
        assert word["effect"] == pytest.approx(effect, abs=1e-5)
    assert max(abs(word["effect"]) for word in explained["words"]) > 0.01


def test_it_keeps_nothing_of_a_network_that_it_replaces(here, finished_run):
    there = here / "models" / "mine"
    shutil.copytree(finished_run.path, there)
    (there / "states").mkdir()
    for name in ("states/0.npz", "first_epoch.keras", "checkpoint.npz"):
        (there / name).touch()
    asked = ("train", "--baseline=majority", "--data=reviews", "--name=mine")
    done = invoke(*asked, "--overwrite")
    assert done.exit_code == 0, done.output
    left = {str(file.relative_to(there)) for file in there.rglob("*")}
    assert "linear.npz" in left
    assert not left & {"states", "states/0.npz", "first_epoch.keras", "checkpoint.npz"}
    assert not {*run_in(here, "mine").checksums} & {"states/0.npz", "first_epoch.keras"}


def test_it_is_no_classifier_of_the_estimator(here):
    with pytest.raises(RunError, match="is a linear model; take seqclf.Classifier"):
        SequenceClassifier.load("models/reviews-nb-svm")


def test_it_is_no_twin(here, finished_run):
    shutil.copytree(finished_run.path, here / "models" / "twin")
    refused = invoke("compare", "reviews-nb-svm", "twin")
    assert refused.exit_code == 1
    assert "reviews-nb-svm is a linear model" in refused.output


def test_python_trains_it(here):
    run = train("reviews", baseline="majority", models_dir="other", fresh=True)
    assert run.path == Path("other/reviews-majority")
    with pytest.raises(ConfigError, match="units does nothing for majority"):
        train("reviews", baseline="majority", units=8)
    shares = Classifier.open(run).predict_proba(["anything", ""])
    assert (shares[0] == shares[1]).all()


def test_every_row_of_a_comparison_may_be_the_best(here, finished_run):
    for name in ("reviews-gru-0", "twin"):
        shutil.copytree(finished_run.path, here / "models" / name)
    config = json.loads((here / "models" / "twin" / "config.json").read_text())
    config["training"]["seed"] = 1
    (here / "models" / "twin" / "config.json").write_text(json.dumps(config))
    seal(here / "models" / "twin")
    kept = invoke("compare", "reviews-gru-0", "twin", "--name=kept")
    assert kept.exit_code == 0, kept.output
    names = ("reviews-gru-0", "reviews-majority", "reviews-tf-idf", "reviews-nb-svm")
    losses = {n: run_in(here, n).metrics[VALIDATION].log_loss for n in names}
    best, next_best = sorted(names, key=lambda name: losses[name])[:2]
    run, why = run_by_default(here / "models")
    assert default_run(here / "models") == run
    assert run.name == best
    assert why == (
        f"{best} has the least validation loss of kept: {losses[best]:.3f}; the next, "
        f"{next_best}, has {losses[next_best]:.3f}."
    )
    assert why in " ".join(invoke("predict", "fine").stderr.split())


@pytest.mark.slow
def test_it_is_exported_as_onnx_alone(here):
    done = invoke("export", "reviews-nb-svm", "--format=onnx")
    assert done.exit_code == 0, done.output
    assert "100.00 %" in done.stderr
    card = (here / "exports" / "reviews-nb-svm" / "onnx" / "README.md").read_text()
    assert "(nb-svm, a linear model on n-grams)" in card
    assert "It reads texts whole" in card
    again = invoke("export", "reviews-nb-svm", "--format=onnx")
    assert "is there already, of this run and settings: reused" in again.stderr
    for name in ("keras", "saved_model", "litert"):
        refused = invoke("export", "reviews-nb-svm", f"--format={name}")
        assert f"is a linear model, which {name} does not hold" in refused.output
    int8 = invoke("export", "reviews-nb-svm", "--format=onnx", "--quantize=int8")
    assert "which onnx-int8 does not hold; use --format onnx" in int8.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": np.zeros((3, 2), np.float32)}, "weights of float32 and shape"),
        ({"weights": np.zeros((0, 2))}, "weights of float64"),
        ({"idf": np.zeros(1, np.float32)}, "idf of float32 and shape"),
        ({"bias": np.zeros(3, np.float32)}, "bias of float32 and shape"),
        ({"bias": np.float32(0)}, "bias of float32 and shape"),
        ({"keys": np.array([2, 1])}, "keys that do not ascend"),
        ({"keys": np.array(["a"])}, "keys that do not ascend"),
        ({"longest": np.int64(10**12)}, "n-grams of 1000000000000 tokens"),
        ({"longest": np.array([1, 2])}, "only .* arrays can be converted"),
        ({"bias": np.array([{}], object)}, "Object arrays cannot be loaded"),
    ],
)
def test_a_model_whose_arrays_do_not_belong_together_is_refused(change, said, here):
    run = run_in(here)
    with np.load(run.path / "linear.npz") as arrays:
        changed = dict(arrays) | change
    np.savez(run.path / "linear.npz", **changed)
    seal(run.path)
    with pytest.raises(RunError, match=f"could not be read: .*{said}"):
        Classifier.open(run)


def test_a_packed_model_is_refused(here):
    run = run_in(here)
    with np.load(run.path / "linear.npz") as arrays:
        np.savez_compressed(run.path / "packed.npz", **arrays)
    (run.path / "packed.npz").replace(run.path / "linear.npz")
    seal(run.path)
    with pytest.raises(RunError, match="could not be read: compressed arrays"):
        Classifier.open(run)


def test_a_network_with_the_name_of_an_old_baseline_is_not_taken_for_it(
    here, finished_run
):
    models = here / "models"
    shutil.copytree(finished_run.path, models / "reviews-gru-0")
    shutil.copytree(finished_run.path, models / "nb-svm")
    metrics = json.loads((models / "nb-svm" / "metrics.json").read_text())
    metrics["validation"]["log_loss"] = 0.0
    (models / "nb-svm" / "metrics.json").write_text(json.dumps(metrics))
    config = json.loads((models / "nb-svm" / "config.json").read_text())
    config["training"]["seed"] = 1
    (models / "nb-svm" / "config.json").write_text(json.dumps(config))
    seal(models / "nb-svm")
    other = shutil.copytree(models / "nb-svm", models / "twin")
    kept = invoke("compare", "reviews-gru-0", "twin", "--name=kept")
    assert kept.exit_code == 0, kept.output
    shutil.rmtree(other)
    file = models / "kept" / "comparison.json"
    file.write_text(file.read_text().replace("reviews-nb-svm", "x-baselines/nb-svm"))
    seal(models / "kept", command="compare", time="2100-01-01")
    run, why = run_by_default(models)
    assert "of kept: " in why
    assert run.name != "nb-svm"


@pytest.mark.slow
def test_a_linear_model_has_the_same_bits_with_any_number_of_threads(tmp_path):
    """Also with one that its libraries were told of before they were loaded."""
    found = set()
    for count in ("1", "2"):
        folder = tmp_path / count
        command = [
            "train",
            "--data=demo",
            "--baseline=nb-svm",
            f"--models-dir={folder}",
        ]
        done = run_cli(command, tmp_path, env=os.environ | {"OMP_NUM_THREADS": count})
        assert done.returncode == 0, done.stderr
        found.add((folder / "demo-nb-svm" / "linear.npz").read_bytes())
    assert len(found) == 1
