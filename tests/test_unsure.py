"""Answers below a threshold, and texts of unknown words."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import invoke, reviews, write_csv

from seqclf.classifier import Classifier
from seqclf.errors import ConfigError
from seqclf.text.arrays import strings
from seqclf.text.tokens import UNKNOWN_ID, tokenize
from seqclf.unsure import AtLeast, Tally, floors_of, parse, stands

LABELS = ("ham", "spam", "a=b")
THREE = np.array(
    [[0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6], [np.nan] * 3], np.float32
)


@pytest.mark.parametrize(
    ("given", "floors"),
    [(["0.75"], [0.75, 0.75, 0.75]), (["spam=0.9"], [0, 0.9, 0]),
     (["0.5", "a=b=0.7"], [0.5, 0.5, 0.7]), (["ham=.5", "0.9"], [0.5, 0.9, 0.9])],
)  # fmt: skip
def test_thresholds_are_of_all_labels_or_of_one(given, floors):
    at_least = parse(given)
    assert floors_of(at_least, LABELS).tolist() == floors
    assert parse(str(at_least).split(", ")) == at_least


def test_without_a_threshold_there_are_none():
    assert parse([]) is None
    assert floors_of(None, LABELS) is None
    assert stands(THREE, None).tolist() == [True, True, True, False]


def test_an_answer_stands_at_the_threshold_of_its_own_label():
    at = float(np.float32(0.7))  # as evaluate --json prints it
    assert stands(THREE, floors_of(parse([f"{at!r}"]), LABELS)).tolist() == [
        True, True, False, False,
    ]  # fmt: skip
    above = floors_of(AtLeast(np.nextafter(at, 1)), LABELS)
    assert stands(THREE, above).tolist() == [True, False, False, False]
    assert stands(THREE, floors_of(parse(["ham=0.9"]), LABELS)).tolist() == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [(["80"], "between 0 and 1, got 80; such as --at-least 0.8"),
     (["80%"], "got 80%"), (["0"], "got 0"), (["1"], "got 1"), (["nan"], "got nan"),
     (["-0.5"], "got -0.5"), (["spam"], "got spam"), (["spam="], "got ;"),
     (["0.5", "0.6"], "two thresholds for every label"),
     (["spam=0.5", "spam=0.6"], "two thresholds for the label 'spam'")],
)  # fmt: skip
def test_what_is_no_threshold_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        parse(given)


def test_a_threshold_that_nothing_is_below_is_refused():
    with pytest.raises(ConfigError, match="3 labels has 0.333 at least"):
        floors_of(AtLeast(1 / 3), LABELS)
    assert floors_of(parse(["ham=0.2", "spam=0.5"]), LABELS) is not None
    with pytest.raises(ConfigError, match="did you mean 'spam'"):
        floors_of(parse(["spma=0.5"]), LABELS)


def test_the_tally_counts_and_names_the_first():
    tally = Tally(AtLeast(0.75), LABELS, done=100)
    tally.add(THREE, np.array([0, 0.5, 0.51, np.nan], np.float32))
    tally.add(np.tile(THREE[:1], (5, 1)), np.full(5, 1, np.float32))
    assert tally.said("run", "word") == [
        "Unsure: 2 of 8 texts (--at-least 0.75).",
        "Guesses: 6 of 8 texts, most words of which are unknown to run (text 103, "
        "51 %; text 105, 100 %; text 106, 100 %; 3 more).",
    ]
    assert Tally(None, LABELS).said("run", "word") == []


@pytest.fixture(scope="module")
def models(workplace) -> str:
    return f"--models-dir={workplace / 'models'}"


@pytest.fixture(scope="module")
def classifier(finished_run) -> Classifier:
    return Classifier.open(finished_run)


TEXTS = ["a good film", "xyzzy", "", "good xyzzy plugh", "<br />", "film, soup"]


def test_unknown_tokens_are_counted_as_by_hand(classifier):
    known = set(classifier.vocabulary.tokens)
    words = tokenize(strings(TEXTS)).to_pylist()
    by_hand = [
        sum(word not in known for word in text) / len(text) if text else 1.0
        for text in words
    ]
    found = classifier.answer(TEXTS)
    np.testing.assert_allclose(found.unknown, by_hand, rtol=1e-6)
    assert found.unknown.tolist()[1:3] == [1, 1]
    assert 0 < found.unknown[3] < 1
    assert found.unknown.dtype == np.float32
    np.testing.assert_array_equal(found.probabilities, classifier.predict_proba(TEXTS))
    assert classifier.answer([]).unknown.shape == (0,)


def test_of_a_mean_the_model_that_knows_most_counts(classifier):
    import dataclasses

    fewer = dataclasses.replace(
        classifier,
        vocabulary=dataclasses.replace(
            classifier.vocabulary, tokens=classifier.vocabulary.tokens[:3]
        ),
    )
    alone = classifier.answer(TEXTS).unknown
    assert (fewer.answer(TEXTS).unknown > alone).any()
    both = dataclasses.replace(fewer, others=(classifier,))
    assert both.answer(TEXTS).unknown.tolist() == alone.tolist()


def test_json_has_the_share_of_unknown_tokens(models, classifier):
    done = invoke("predict", models, "--json", *TEXTS)
    shares = [json.loads(line)["unknown"] for line in done.stdout.splitlines()]
    assert shares == classifier.answer(TEXTS).unknown.tolist()
    assert "likeliest" not in done.stdout
    assert "Guesses: 4 of 6 texts, most words of which are unknown to" in done.stderr
    assert UNKNOWN_ID == 1


def between(classifier: Classifier, texts: list[str]) -> float:
    """A threshold that some of the answers reach and some do not."""
    highest = np.sort(classifier.predict_proba(texts).max(axis=1).astype(float))
    assert highest[0] < highest[-1]
    return float(highest[len(highest) // 2])


def test_unsure_texts_have_no_label(models, classifier):
    texts = [text for text, _ in reviews(12)]
    at_least = between(classifier, texts)
    command = ["predict", models, f"--at-least={at_least!r}"]
    rows = classifier.predict_proba(texts)
    sure = rows.max(axis=1) >= at_least
    done = invoke(*command, "--json", *texts)
    for line, row, is_sure in zip(done.stdout.splitlines(), rows, sure, strict=True):
        values, best = json.loads(line), classifier.labels[row.argmax()]
        assert values["label"] == (best if is_sure else None)
        assert values["likeliest"] == best
        assert values["probability"] == row.max()
    assert f"Unsure: {(~sure).sum()} of 12 texts (--at-least" in done.stderr
    plain = invoke(*command, "--top=2", *texts).stdout.splitlines()
    assert [not line.startswith("unsure: ") for line in plain] == sure.tolist()
    explained = invoke(*command, "--explain", "--json", *texts).stdout.splitlines()
    assert [json.loads(one)["label"] is not None for one in explained] == sure.tolist()
    assert "Unsure" not in invoke(*command, "-q", *texts).stderr


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_files_keep_unsure_rows_without_a_label(models, classifier, tmp_path, suffix):
    texts = [text for text, _ in reviews(12)]
    table = write_csv(tmp_path / "in.csv", reviews(12))
    at_least = between(classifier, texts)
    output = tmp_path / f"out.{suffix}"
    command = ["predict", models, f"--input={table}"]
    done = invoke(*command, f"--output={output}", f"--at-least={at_least!r}")
    assert done.exit_code == 0, done.output
    with output.open() as file:
        rows = list(csv.DictReader(file) if suffix == "csv" else map(json.loads, file))
    highest = classifier.predict_proba(texts).max(axis=1)
    empty = "" if suffix == "csv" else None
    assert [row["predicted_label"] != empty for row in rows] == (
        highest >= at_least
    ).tolist()
    np.testing.assert_allclose([float(r["probability"]) for r in rows], highest)
    assert "Unsure: " in done.stderr
    printed = invoke(*command, "--json", f"--at-least={at_least!r}").stdout
    labels = [json.loads(line)["label"] for line in printed.splitlines()]
    assert [label or empty for label in labels] == [
        row["predicted_label"] for row in rows
    ]


def test_another_threshold_does_not_resume(models, tmp_path, monkeypatch):
    from seqclf.bulk import chunks, parts

    monkeypatch.setattr(chunks, "CHUNK_ROWS", 5)
    table, output = write_csv(tmp_path / "in.csv", reviews(12)), tmp_path / "out.csv"
    command = ["predict", models, f"--input={table}", f"--output={output}"]

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(parts.Parts, "join", broken)
        invoke(*command, "--at-least=0.6")
    kept = Path(shutil.copytree(parts.folder_of(output), tmp_path / "kept"))
    for other in ([], ["--at-least=0.7"], ["--at-least=0.6", "--at-least=good=0.7"]):
        done = invoke(*command, "--resume", *other)
        assert done.exit_code == 2
        assert "--at-least was 0.6, now" in done.stderr
    assert (kept / "question.json").exists()
    done = invoke(*command, "--resume", "--at-least=0.6")
    assert done.exit_code == 0, done.output


def test_thresholds_stand_in_a_config_file(models, tmp_path):
    file = tmp_path / "options.toml"
    file.write_text('at-least = ["0.6", "good=0.999"]\n')
    done = invoke("predict", models, f"--config={file}", "a good film")
    assert "(--at-least 0.6, good=0.999)" in done.stderr
    file.write_text("at-least = 0.999\n")
    done = invoke("predict", models, f"--config={file}", "a good film")
    assert "Unsure: 1 of 1 text (--at-least 0.999)" in done.stderr


@pytest.mark.parametrize("command", [["predict", "x"], ["evaluate"]])
def test_commands_refuse_what_is_no_threshold(command, models):
    done = invoke(*command, models, "--at-least=80")
    assert done.exit_code == 2
    assert "between 0 and 1, got 80" in done.stderr
    done = invoke(*command, models, "--at-least=godo=0.8")
    assert done.exit_code == 2
    assert "did you mean 'good'" in done.stderr
