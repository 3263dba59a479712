"""Each kind of run, from training to a stranger's machine, with the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import invoke, reviews, write_csv
from test_several_out import genres, opened

from seqclf.classifier import Classifier
from seqclf.export.formats import FORMATS
from seqclf.runs import open_any

pytestmark = pytest.mark.slow
SMALL = ("--units=8", "--embedding-size=8", "--epochs=2", "--learning-rate=0.02")
ONE, SEVERAL = "--data=reviews.csv", ("--data=genres.jsonl", "--label-column=genres")
# By kind what is typed to train, and the run's name.
KINDS = {
    "twin": (("--cell=gru", ONE, *SMALL), "reviews-gru-0"),
    "baseline": (("--baseline=tf-idf", ONE), "reviews-tf-idf"),
    "fold": (("--cell=rnn", ONE, "--fold=2/3", "--name=fold", *SMALL), "fold"),
    "several": (("--cell=gru", *SEVERAL, *SMALL), "genres-gru-0"),
    "several, linear": (("--baseline=nb-svm", *SEVERAL), "genres-nb-svm"),
    "several, mean": ((), "genres-gru-0+genres-nb-svm"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with data of both kinds, and a run of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    write_csv(folder / "reviews.csv", reviews(240))
    lines = "".join(json.dumps(row) + "\n" for row in genres(400))
    (folder / "genres.jsonl").write_text(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for typed, _ in KINDS.values():
            if typed:
                done = invoke("train", *typed, "--quiet")
                assert done.exit_code == 0, done.output
    return folder


def said(*typed: str) -> dict:
    """Returns the JSON that a command prints."""
    done = invoke(*typed, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_and_a_stranger_give_the_same_answers(kind, desk, monkeypatch):
    monkeypatch.chdir(desk)
    name = KINDS[kind][1]
    run = open_any(Path(name), Path("models"))
    scores = run.metrics["test"]

    evaluated = said("evaluate", name)
    assert evaluated["n"] == scores.n
    assert evaluated["accuracy"] == pytest.approx(scores.accuracy)
    assert evaluated["log_loss"] == pytest.approx(scores.log_loss, abs=1e-5)

    rows = genres(8) if "several" in kind else [{"text": t} for t, _ in reviews(8)]
    texts = [str(row["text"]) for row in rows] + ["an unheard of thing", ""]
    classifier = Classifier.open(run)
    expected = classifier.predict_proba(texts)
    for text, own in zip(texts[:3], expected, strict=False):
        predicted = said("predict", f"--run={name}", text)
        by_label = predicted["probabilities"]
        assert [by_label[label] for label in run.labels] == pytest.approx(own, abs=1e-6)
        likeliest = run.labels[own.argmax()]
        applying = predicted.get("labels", [likeliest])
        assert predicted["label"] == (applying[0] if applying else None)
        explained = said("predict", f"--run={name}", "--explain", text)
        assert explained["probabilities"] == pytest.approx(by_label, abs=1e-6)
        assert explained.get("explained", likeliest) in run.labels
        assert len(explained["words"]) == explained["tokens_explained"] > 0

    done = invoke("export", name, "--format=onnx", "--quiet")
    assert done.exit_code == 0, done.output
    found, probabilities = opened(Path("exports") / name / "onnx", texts)
    assert np.abs(probabilities - expected).max() <= FORMATS["onnx"].bound
    assert found == [
        list(one) if isinstance(one, tuple) else one
        for one in classifier.predict(texts)
    ]
