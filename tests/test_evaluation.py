from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, reviews, run_cli, seal, write_csv

from seqclf import config as settings
from seqclf.classifier import Classifier
from seqclf.config import DataConfig, TextConfig
from seqclf.data.load import load_dataset
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.evaluation.evaluate import evaluate, match_labels
from seqclf.records.plain import to_plain
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.text.encoding import encode_dataset


@pytest.fixture(scope="module")
def classifier(finished_run) -> Classifier:
    return Classifier.open(finished_run)


def test_the_classifier_says_what_the_run_recorded(classifier, finished_run):
    texts = [text for text, _ in reviews(48, start=200)]
    recorded = finished_run.predictions("test").probabilities
    np.testing.assert_allclose(classifier.predict_proba(texts), recorded, atol=1e-6)


def test_keras_and_onnx_say_the_same(classifier, finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "old")
    (tmp_path / "old" / "model.onnx").unlink()
    seal(tmp_path / "old")
    expected = classifier.predict_proba(NASTY)
    old = Classifier.open(Run(tmp_path / "old"))
    np.testing.assert_allclose(old.predict_proba(NASTY), expected, atol=1e-5)


def test_a_damaged_model_is_named(finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "run")
    for name in ("model.onnx", "model.keras"):
        (tmp_path / "run" / name).write_bytes(b"broken")
        with pytest.raises(RunError, match=f"no usable {name} .*checksum differs"):
            Classifier.open(Run(tmp_path / "run"))
        seal(tmp_path / "run")
        with pytest.raises(RunError, match=f"{name} could not be opened"):
            Classifier.open(Run(tmp_path / "run"))
        (tmp_path / "run" / name).unlink()
        seal(tmp_path / "run")


def test_a_text_alone_is_what_it_is_among_others_and_order_is_kept(classifier):
    texts = ["a good film", "awful " * 30, "", "view", "x" * 1000]
    together = classifier.predict_proba(texts)
    alone = np.concatenate([classifier.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-6)


NASTY = [
    "",
    " ",
    "<br />",
    "a " * 500_000,
    "🎬" * 50,
    "\x00\x1b[31m\u202e",
    "ﷺ",
    "e\u0301",
]


def test_any_text_gets_an_answer(classifier):
    probabilities = classifier.predict_proba(NASTY)
    assert probabilities.shape == (len(NASTY), 2)
    assert np.isfinite(probabilities).all()


def test_no_text_gets_no_answer(classifier):
    assert classifier.predict_proba([]).shape == (0, 2)


def test_a_model_that_cannot_be_read_is_named(finished_run, tmp_path):
    (tmp_path / "model.keras").write_bytes(b"PK not a model")
    seal(tmp_path)
    with pytest.raises(RunError, match=r"model\.keras could not be opened"):
        Classifier.open(Run(tmp_path))


def test_evaluating_on_its_own_data_gives_the_recorded_scores(finished_run, workplace):
    data = DataConfig(source=str(workplace / "reviews"))
    result = evaluate(finished_run, data, "test")
    assert result.scores.accuracy == finished_run.metrics["test"].accuracy
    assert result.scores.by_length == finished_run.metrics["test"].by_length


def test_labels_are_matched_by_name_in_another_order(finished_run, workplace, tmp_path):
    import json
    import shutil

    shutil.copytree(workplace / "reviews", tmp_path / "turned")
    (tmp_path / "turned" / "labels.json").write_text(json.dumps(["good", "bad"]))
    turned = DataConfig(source=str(tmp_path / "turned"))
    assert load_dataset(turned).labels == ("good", "bad")
    result = evaluate(finished_run, turned, "test")
    assert result.scores.accuracy == finished_run.metrics["test"].accuracy


def test_matching_maps_ids_and_refuses_strangers():
    assert match_labels(("good", "bad"), ("bad", "good")).tolist() == [1, 0]
    with pytest.raises(DataError, match="'godo'; did you mean 'good'"):
        match_labels(("bad", "godo"), ("bad", "good"))


def test_a_lone_file_is_evaluated_whole(finished_run, tmp_path):
    path = write_csv(tmp_path / "new.csv", reviews(30, start=500))
    result = evaluate(finished_run, DataConfig(source=str(path)), "test")
    assert result.scores.n == 30
    assert "all its rows are evaluated" in result.notes[0]


def train_on(path, folder, *options):
    done = run_cli(["train", "--cell=rnn", f"--data={path}", *TINY, *options], folder)
    assert done.returncode == 0, done.stderr
    return Run(next((folder / "models").iterdir()))


@pytest.mark.slow
def test_evaluating_divides_its_own_data_as_the_training_did(tmp_path):
    path = write_csv(tmp_path / "lone.csv", reviews(120))
    run = train_on(
        path, tmp_path, "--split-seed=3", "--test-fraction=0.3", "--limit=50"
    )
    for split in ("validation", "test"):
        result = evaluate(run, run.config.data, split)
        for key in ("n", "accuracy", "log_loss"):
            expected = pytest.approx(getattr(run.metrics[split], key), rel=1e-5)
            assert getattr(result.scores, key) == expected
    # Rows that came later cannot be told from those it learnt.
    with path.open("a") as file:
        file.write("one more,good\n")
    with pytest.raises(DataError, match="has changed since"):
        evaluate(run, run.config.data, "test")


def test_other_data_is_read_from_the_columns_of_the_training(finished_run, tmp_path):
    columns = {"text_column": "subject, body", "label_column": "verdict"}
    run = Run(tmp_path / "run")
    shutil.copytree(finished_run.path, run.path)
    config = settings.to_dict(finished_run.config)
    config["data"] |= columns
    write_json(run.path / "config.json", config)
    about = to_plain(run.dataset)
    del about["reading"]  # as a run of 0.1.0: what was given is all it knows
    write_json(run.path / "dataset.json", about)
    seal(run.path)
    rows = [("a good film", "good"), ("an awful meal", "bad")] * 5
    lines = ["id,subject,body,verdict,text,label"]
    lines += [f"{i},Hello,{t},{v},wrong,worse" for i, (t, v) in enumerate(rows)]
    other = tmp_path / "other.csv"
    other.write_text("\n".join(lines) + "\n")
    found = evaluate(run, DataConfig(source=str(other)), "test")
    named = evaluate(run, DataConfig(source=str(other), **columns), "test")
    assert found.scores == named.scores
    said = "took column 'subject, body' for texts and column 'verdict' for labels"
    assert f"{said}, as in training." in found.notes
    assert not any("took" in note for note in named.notes)
    # Where they are not all there, columns are found as for any other data.
    other.write_text("subject,text,label\n" + 'Hello,"a good film",good\n' * 3)
    plain = evaluate(run, DataConfig(source=str(other)), "test")
    assert plain.scores.n == 3
    assert not any("as in training" in note for note in plain.notes)


def test_only_labelled_splits_are_evaluated(finished_run, tmp_path):
    write_csv(tmp_path / "train.csv", reviews(30))
    (tmp_path / "unlabeled.csv").write_text("text\nwho knows\n")
    data = DataConfig(source=str(tmp_path))
    for split in ("unlabeled", "tset"):
        with pytest.raises(ConfigError, match="unknown split"):
            evaluate(finished_run, data, split)


def test_a_missing_split_is_an_error(finished_run, tmp_path):
    write_csv(tmp_path / "train.csv", reviews(30))
    write_csv(tmp_path / "validation.csv", reviews(30))
    with pytest.raises(DataError, match="unknown split 'test'"):
        evaluate(finished_run, DataConfig(source=str(tmp_path)), "test")


def encoded(source: Path, folder: Path):
    config = DataConfig(source=str(source))
    return encode_dataset(load_dataset(config), config, TextConfig(), folder / "cache")
