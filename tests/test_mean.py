"""Means of runs: `a+b` wherever a run is named, and their rows in a comparison."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import invoke, reviews, run_in, seal, tasks_in_this_process, write_csv
from test_report import pair, row

from seqclf import Classifier
from seqclf.bulk.chunks import Options
from seqclf.bulk.parts import question_of
from seqclf.bulk.sources import find_source
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.verdict import verdict
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import ConfigError, RunError
from seqclf.explain import explain
from seqclf.records.reading import Reading
from seqclf.runs import Mean, Predictions, Run, open_any
from seqclf.runs.comparisons import run_by_default
from seqclf.runs.writing import write_predictions
from seqclf.storage import write_json

GRU, SECOND, N_GRAMS = "reviews-gru-0", "reviews-gru-1", "reviews-nb-svm"


@pytest.fixture(scope="module")
def home(workplace, tmp_path_factory) -> Path:
    """A folder with two seeds of GRU (of equal weights), compared; read only."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(workplace, folder, dirs_exist_ok=True)
    second = Run(shutil.copytree(folder / "models" / GRU, folder / "models" / SECOND))
    values = json.loads((second.path / "config.json").read_text())
    values["training"]["seed"] = 1
    write_json(second.path / "config.json", values)
    seal(second.path)
    with tasks_in_this_process():
        done = run_in(folder, "compare", GRU, SECOND, "--name=both")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def models(home, tmp_path) -> Path:
    """A copy of its runs."""
    shutil.copytree(home / "models", tmp_path / "models")
    return tmp_path / "models"


def set_predictions(run: Run, split: str, probabilities: list[list[float]]) -> None:
    """Replaces what a run said of a split by probabilities of two texts, 0 and 1."""
    values = np.array(probabilities, np.float32)
    lengths = np.full(2, len(run.name))
    write_predictions(run.path, split, Predictions(np.array([0, 1]), values, lengths))
    seal(run.path)


def test_scores_are_those_of_the_mean_worked_out_by_hand(models):
    both = open_any(Path(f"{GRU}+{N_GRAMS}"), models)
    for split in (VALIDATION, TEST):
        set_predictions(both.members[0], split, [[0.9, 0.1], [0.8, 0.2]])
        set_predictions(both.members[1], split, [[0.5, 0.5], [0.3, 0.7]])
    found = both.predictions(TEST)
    np.testing.assert_allclose(found.probabilities, [[0.7, 0.3], [0.55, 0.45]])
    assert found.lengths.tolist() == [len(N_GRAMS)] * 2
    assert both.test_accuracy == 0.5
    loss = -(math.log(0.7) + math.log(0.45)) / 2
    assert both.validation_loss == pytest.approx(loss, rel=1e-6)
    assert both.metrics[VALIDATION].log_loss == pytest.approx(loss, rel=1e-6)
    assert both.metrics[TEST].accuracy == 0.5


def test_it_predicts_the_mean_of_its_members_however_it_is_named(home):
    texts = [text for text, _ in reviews(20, start=300)] + ["", "good " * 900]
    models = home / "models"
    apart = [
        Classifier.open(name, models).predict_proba(texts) for name in (GRU, N_GRAMS)
    ]
    assert np.abs(apart[0] - apart[1]).max() > 0.01
    for named in (f"{GRU}+{N_GRAMS}", models / f"{GRU}+{N_GRAMS}"):
        classifier = Classifier.open(named, models)
        together = classifier.predict_proba(texts)
        np.testing.assert_allclose(together, sum(apart) / 2, atol=1e-7)
        assert together.dtype == np.float32
    assert classifier.lengths(texts[-1:]).tolist() == [900]  # which nb-svm reads
    answers = [classifier.labels[i] for i in together.argmax(axis=1)]
    assert classifier.predict(texts) == answers


def test_the_commands_take_it(home, monkeypatch, tmp_path):
    monkeypatch.chdir(home)
    named = f"{GRU}+{N_GRAMS}"
    said = invoke("predict", "good", f"--run={named}", "--json")
    assert f"{named}, the mean of 2 models, trained on reviews" in said.stderr
    expected = Classifier.open(named, "models").predict_proba(["good"])[0]
    assert json.loads(said.stdout)["probability"] == pytest.approx(expected.max())
    scored = json.loads(invoke("evaluate", named, "--json").stdout)
    both = Mean((Run(home / "models" / GRU), Run(home / "models" / N_GRAMS)))
    assert scored["accuracy"] == both.test_accuracy
    (tmp_path / "in.csv").write_text("text\ngood\nbad\n")
    out = tmp_path / "out.csv"
    done = invoke("predict", f"--run={named}", f"--input={tmp_path / 'in.csv'}",
                  f"--output={out}")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert len(out.read_text().splitlines()) == 3


def test_a_bulk_prediction_is_resumed_with_the_same_members_only(home, tmp_path):
    source, models = write_csv(tmp_path / "a.csv", reviews(4)), home / "models"
    asked = [
        question_of(
            find_source(source), open_any(Path(name), models), Options(Reading())
        )
        for name in (GRU, f"{GRU}+{N_GRAMS}", f"{GRU}+reviews-tf-idf")
    ]
    hashes = {one["run"].split(" ")[1] for one in asked}
    assert len(hashes) == 3


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (f"{GRU}+{GRU}", "names a run twice"),
        (f"{GRU}+reviews-gru-7", "unknown run 'reviews-gru-7'"),
        (f"{GRU}+", "unknown run"),
        (f"{GRU}+other", "cannot be compared or averaged.*fingerprint"),
        (f"{GRU}+unscored", "without scores"),
    ],
)
def test_what_cannot_be_averaged_is_refused(named, message, models):
    for name, change in (("other", {"fingerprint": "beef"}), ("unscored", {})):
        run = Run(shutil.copytree(models / GRU, models / name))
        values = json.loads((run.path / "dataset.json").read_text()) | change
        write_json(run.path / "dataset.json", values)
        if name == "unscored":
            (run.path / "metrics.json").unlink()
        seal(run.path)
    with pytest.raises(RunError, match=message):
        open_any(Path(named), models)


def test_a_run_with_a_plus_in_its_name_is_that_run(models):
    (models / GRU).rename(models / f"{GRU}+{N_GRAMS}")
    assert isinstance(open_any(Path(f"{GRU}+{N_GRAMS}"), models), Run)


def test_a_mean_is_explained_by_means_throughout(home, models):
    text = "very good film, number xyzzy"
    both = explain(Classifier.open(f"{GRU}+{N_GRAMS}", models), text)
    single = [explain(Classifier.open(name, models), text) for name in (GRU, N_GRAMS)]
    assert both.tokens == single[0].tokens == single[1].tokens
    label = both.effects.label
    probabilities = [one.effects.probabilities for one in single]
    np.testing.assert_allclose(
        both.effects.probabilities, np.mean(probabilities, axis=0), atol=1e-6
    )
    # The label of a member may be the other one, of two, where all signs are turned.
    signs = [1 if one.effects.label == label else -1 for one in single]
    effects = [s * one.effects.effects for s, one in zip(signs, single, strict=True)]
    np.testing.assert_allclose(
        both.effects.effects, np.mean(effects, axis=0), atol=1e-6
    )
    good = both.tokens.index("good")
    assert both.effects.effects[good] != 0
    assert both.known.tolist() == (single[0].known | single[1].known).tolist()
    assert not both.known[-1]


def test_a_mean_of_words_and_characters_is_not_explained(home, models):
    words = Classifier.open(GRU, models)
    text = dataclasses.replace(words.text, tokens="char")
    letters = dataclasses.replace(words, text=text)
    with pytest.raises(ConfigError, match="split the text into other tokens.*--run"):
        explain(dataclasses.replace(words, others=(letters,)), "good film")


def test_a_single_run_is_taken_where_one_is_needed(models):
    make_mean_best(models)
    assert run_by_default(models)[0].name == f"{GRU}+{N_GRAMS}"
    assert isinstance(run_by_default(models, single=True)[0], Run)


def make_mean_best(models: Path) -> None:
    """Lets each member be wrong of one text, so that their mean is the best row."""
    chances = {
        GRU: [[0.99, 0.01], [0.75, 0.25]],
        SECOND: [[0.99, 0.01], [0.75, 0.25]],
        N_GRAMS: [[0.25, 0.75], [0.01, 0.99]],
    }
    for name, probabilities in chances.items():
        run = Run(models / name)
        set_predictions(run, VALIDATION, probabilities)
        values = json.loads((run.path / "metrics.json").read_text())
        values["validation"]["log_loss"] = -math.log(0.99 * 0.25) / 2
        write_json(run.path / "metrics.json", values)
        seal(run.path, command="compare")
    shutil.rmtree(models / "reviews-tf-idf")
    seal(models / "both", command="compare", time="2027-01-01")


def test_the_default_is_a_mean_only_while_all_its_runs_are_there(models):
    make_mean_best(models)
    chosen, why = run_by_default(models)
    # 0.62 for both true labels: a loss of 0.478, where each alone has 0.698.
    assert chosen.name == f"{GRU}+{N_GRAMS}"
    assert "has the least validation loss of both: 0.478" in why
    shutil.rmtree(models / N_GRAMS)
    assert N_GRAMS not in run_by_default(models)[0].name


def test_a_comparison_has_rows_for_means_apart_from_the_twins(home):
    result = json.loads((home / "models" / "both" / "comparison.json").read_text())
    rows = {one["name"]: one for one in result["rows"]}
    both = rows["gru + nb-svm"]
    assert (both["kind"], both["of"], both["cell"]) == ("mean", "gru", None)
    names = [Path(path).name for path in both["runs"]]
    assert names == [f"{GRU}+{N_GRAMS}", f"{SECOND}+{N_GRAMS}"]
    mean = open_any(Path(f"{GRU}+{N_GRAMS}"), home / "models")
    assert both["accuracy"]["mean"] == mean.test_accuracy
    assert both["validation_loss"] == pytest.approx(mean.validation_loss)
    told = [{one["a"], one["b"]} for one in result["references"]]
    assert {"gru + nb-svm", "nb-svm"} in told


def test_seeds_are_averaged_where_there_are_several_and_they_lie_together(models):
    first, second = Run(models / GRU), Run(models / SECOND)
    rows = {one.name: one for one in compare_runs([first, second]).rows}
    assert list(rows) == ["gru", "gru, mean of 2"]
    assert rows["gru, mean of 2"].seeds == (0, 1)
    assert Path(rows["gru, mean of 2"].runs[0]).name == f"{GRU}+{SECOND}"
    away = Run(second.path.rename(models.parent / SECOND))
    assert [one.name for one in compare_runs([first, away]).rows] == ["gru"]


def test_the_verdict_says_what_recurrence_adds_to_n_grams():
    gru, n_grams = row("gru"), row("nb-svm", "baseline")
    mean = dataclasses.replace(
        gru, kind="mean", cell=None, name="gru + nb-svm", of="gru"
    )
    same = pair("gru + nb-svm", "nb-svm", 3)
    more = dataclasses.replace(same, p=0.001, low=0.002)
    less = dataclasses.replace(more, a=more.b, b=more.a)
    own = dataclasses.replace(pair("nb-svm", "gru", 3), p=0.001, low=0.002)
    lead = "The mean of GRU and nb-svm has 89.9 %"
    for told, rest in (
        (more, ", 0.3 points (0.2 to 0.8) more than nb-svm alone."),
        (less, ", 0.3 points (0.2 to 0.8) less than nb-svm alone."),
        (same, ": that it adds to nb-svm is not shown (difference 0.3 points, 95 % "),
    ):
        assert lead + rest in verdict([n_grams, gru, mean], (), (own, told))
    assert "The mean of" not in verdict([n_grams, gru], (), (own,))


@pytest.mark.slow
def test_an_export_holds_both_and_is_opened_without_the_project(home, monkeypatch):
    monkeypatch.chdir(home)
    named = f"{GRU}+{N_GRAMS}"
    refused = invoke("export", named, "--format=keras")
    assert "is a linear model, which keras does not hold" in refused.output
    refused = invoke("export", named, "--format=onnx", "--quantize=int8")
    assert refused.exit_code != 0
    done = invoke("export", named, "--format=onnx", "--json")
    assert done.exit_code == 0, done.output
    [record] = json.loads(done.stdout)
    folder = home / "exports" / named / "onnx"
    assert record["run"] == named
    assert record["greatest_difference"] <= 1e-5
    assert {f"{GRU}/model.onnx", f"{N_GRAMS}/model.onnx"} <= record["sha256"].keys()
    assert (
        "mean of the probabilities of GRU + nb-svm"
        in (folder / "README.md").read_text()
    )
    again = invoke("export", named, "--format=onnx")
    assert "reused" in again.output
    (folder / N_GRAMS / "labels.txt").write_text("other")
    changed = invoke("export", named, "--format=onnx")
    assert "is not as it was written" in changed.output
