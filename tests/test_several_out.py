"""Texts with several labels: predicted, explained, written, exported and pushed."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from conftest import invoke, seal
from pyarrow import parquet
from writable_hub import TOKEN, WritableHub, visit

from seqclf import Classifier, SequenceClassifier, load_dataset
from seqclf.bulk import chunks, with_predictions
from seqclf.bulk.parts import question_of
from seqclf.bulk.sources import find_source
from seqclf.bulk.writers import Answered, refuse_labels
from seqclf.cli.predict.answers import Form, answer_values, plain_answer
from seqclf.config import ModelConfig, TextConfig
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import ConfigError, RunError
from seqclf.explain import explain
from seqclf.export import About, card
from seqclf.export.artefacts import write_thresholds
from seqclf.export.card_scores import f1, scores
from seqclf.export.formats import FORMATS
from seqclf.export.loading import loading_code
from seqclf.export.making import MADE_OF, run_digest
from seqclf.export.shared import write_shared
from seqclf.export.verify import Answers, Check, compared
from seqclf.records.export import Agreement
from seqclf.records.plain import to_plain
from seqclf.records.reading import Reading
from seqclf.runs import Mean, Predictions, Run, open_any
from seqclf.runs.files import METRICS_FILE, THRESHOLDS_FILE
from seqclf.runs.writing import write_predictions
from seqclf.runs.writing import write_thresholds as keep_thresholds
from seqclf.storage import write_json
from seqclf.text.arrays import strings
from seqclf.workflows import compare, push

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import exports

LABELS = ("fun", "love, lost", "war")
LEAST = np.array([0.3, 0.5, 0.6], np.float32)
# All that a label takes to apply, the likeliest first: fun before war, then war alone
# though fun is likelier than love; none; fun at its threshold.
ROWS = np.array(
    [[0.9, 0.4, 0.7], [0.2, 0.1, 0.6], [0.29, 0.49, 0.5], [0.3, 0.2, 0.1]], np.float32
)
APPLY = [("fun", "war"), ("war",), (), ("fun",)]
TEXTS = ["a dull film", "the war of hearts", "", "I laughed and cried at the wedding"]


def made_run(path: Path, cell: str) -> Run:
    """Returns a run that nobody trained, of texts that may have several labels."""
    import onnx

    model = ModelConfig(cell=cell, units=4, embedding_size=4)
    run = exports.untrained_run(path, model, TextConfig(min_count=1, max_length=30))
    about = to_plain(run.dataset) | {"labels": LABELS, "label_sets": [[], [0], [0, 2]]}
    write_json(path / "dataset.json", about)
    (path / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS))
    graph = onnx.load(path / "model.onnx")
    [last] = [node for node in graph.graph.node if node.op_type == "Softmax"]
    last.op_type = "Sigmoid"
    onnx.save(graph, path / "model.onnx")
    keep_thresholds(run, LEAST)
    seal(path)
    # In the midst of what it answers, so that answers differ from text to text.
    probabilities = Classifier.open(run).predict_proba(TEXTS)
    least = (np.median(probabilities, axis=0) + np.float32(0.001)).astype(np.float32)
    truth = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]], bool)
    said = Predictions(truth, probabilities, np.full(4, 5, np.int32), least)
    for split in (VALIDATION, TEST):
        write_predictions(path, split, said)
    found = said.scores(LABELS)
    write_json(path / METRICS_FILE, to_plain({"validation": found, TEST: found}))
    keep_thresholds(run, least)
    seal(path)
    return run


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A folder with two runs; read only."""
    folder = tmp_path_factory.mktemp("several") / "models"
    for name, cell in (("one", "gru"), ("other", "lstm")):
        made_run(folder / name, cell)
    return folder


@pytest.fixture
def run(models) -> Run:
    return Run(models / "one")


def named(labels: list[tuple[str, ...]]) -> list[list[str]]:
    return [list(some) for some in labels]


def expected_of(probabilities: np.ndarray, least: np.ndarray) -> list[list[str]]:
    """Returns the labels that apply, by Python alone."""
    return [
        [
            LABELS[i]
            for i in sorted(range(3), key=lambda i: -row[i])
            if row[i] >= least[i]
        ]
        for row in probabilities.tolist()
    ]


# Answers on the screen and as JSON.


def form_of(**options: object) -> Form:
    return Form(LABELS, thresholds=LEAST, **options)


@pytest.mark.parametrize(
    ("row", "top", "shown"),
    [
        (0, 1, "fun 90.0 %  war 70.0 %"),
        (0, 2, "fun 90.0 %  war 70.0 %"),
        (0, 3, "fun 90.0 %  war 70.0 %  (love, lost 40.0 %)"),
        (1, 1, "war 60.0 %"),
        (2, 1, "(none)"),
        (2, 2, "(none)  (war 50.0 %)  (love, lost 49.0 %)"),
    ],
)
def test_all_labels_that_apply_are_shown(row, top, shown):
    assert plain_answer(form_of(top=top), ROWS[row].tolist()) == shown


def test_json_has_the_likeliest_label_and_those_that_apply():
    found = [answer_values(form_of(), "text", row, 0.0) for row in ROWS.tolist()]
    assert [one["labels"] for one in found] == named(APPLY)
    assert [one["label"] for one in found] == ["fun", "war", None, "fun"]
    assert found[2]["probability"] is None
    assert found[0]["probability"] == found[0]["probabilities"]["fun"]
    one = answer_values(Form(LABELS), "text", ROWS[0].tolist(), 0.0)
    assert "labels" not in one
    assert plain_answer(Form(LABELS), ROWS[0].tolist()) == "fun 90.0 %"


def test_a_classifier_gives_the_labels_that_apply(run, models):
    classifier = dataclasses.replace(Classifier.open(run), thresholds=LEAST)
    assert classifier.applying(ROWS) == APPLY
    assert classifier.applying(ROWS[:0]) == []
    assert classifier.applying(ROWS[2:3]) == [()]
    for one in (run, open_any(Path("one+other"), models)):
        opened = Classifier.open(one)
        labels = opened.predict(TEXTS)
        expected = expected_of(opened.predict_proba(TEXTS), one.thresholds)
        assert named(labels) == expected
        assert any(labels)


@pytest.mark.parametrize("name", ["one", "one+other"])
def test_the_command_shows_what_the_classifier_says(name, models):
    labels = Classifier.open(name, models).predict(TEXTS)
    asked = (*TEXTS, f"--run={name}", f"--models-dir={models}")
    said = [
        json.loads(line)
        for line in invoke("predict", *asked, "--json").stdout.splitlines()
    ]
    assert [one["labels"] for one in said] == named(labels)
    lines = invoke("predict", *asked).stdout.splitlines()
    for line, own, one in zip(lines, labels, said, strict=True):
        answer = line.split("\t")[0]
        assert answer == "(none)" or len(own) == answer.count(" %")
        assert one["label"] == (own[0] if own else None)
        assert one["probability"] == one["probabilities"].get(one["label"])


# Files.


def write_input(folder: Path) -> Path:
    lines = [json.dumps({"text": text}) for text in (*TEXTS, None)]
    (folder / "in.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "in.jsonl"


def test_files_get_the_labels_and_bad_rows_none(models, tmp_path):
    labels = Classifier.open("one", models).predict(TEXTS)
    asked = (
        "predict", "--run=one", f"--models-dir={models}", "--on-error=keep",
        f"--input={write_input(tmp_path)}",
    )  # fmt: skip
    for suffix in ("parquet", "jsonl", "csv", "tsv"):
        done = invoke(*asked, f"--output={tmp_path / f'out.{suffix}'}")
        assert done.exit_code == 0, done.output
    table = parquet.read_table(tmp_path / "out.parquet")
    added = ["predicted_label", "probability", "predicted_labels"]
    assert table.column_names == ["text", *added]
    assert table["predicted_labels"].to_pylist() == [*named(labels), None]
    assert table["predicted_label"].null_count == 1
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == table.to_pylist()
    for suffix, delimiter in (("csv", ","), ("tsv", "\t")):
        with (tmp_path / f"out.{suffix}").open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=delimiter))
        joined = [" | ".join(some) for some in labels]
        assert [row["predicted_labels"] for row in rows] == [*joined, ""]
    lines = invoke(*asked, "--json").stdout.splitlines()
    assert [json.loads(x)["labels"] for x in lines] == [*named(labels), None]


def test_labels_in_csv_are_read_again_as_they_were(models, tmp_path):
    texts = [f"{text} {i}" for i in range(9) for text in TEXTS]
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    done = invoke(
        "predict", "--run=one", f"--models-dir={models}",
        f"--input={tmp_path / 'in.csv'}", f"--output={tmp_path / 'out.csv'}",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    data = load_dataset(
        tmp_path / "out.csv", label_column="predicted_labels", labels_separator="|",
        text_column="text",
    )  # fmt: skip
    read = {
        text: {data.labels[i] for i in data.label_sets[label]}
        for table in data.splits.values()
        for text, label in zip(
            table["text"].to_pylist(), table["label"].to_pylist(), strict=True
        )
    }
    labels = Classifier.open("one", models).predict(texts)
    assert read == {t: set(some) for t, some in zip(texts, labels, strict=True)}


def test_columns_are_worked_out_by_hand():
    rows = np.concatenate([ROWS, np.full((1, 3), np.nan, np.float32)])
    table = pa.table({"id": range(5)})
    problem = chunks.Problem("a.csv", "row 5", "has no text")
    chunk = chunks.Chunk(table, strings(["x"] * 5), {4: problem})
    answered = Answered(chunk, rows, np.zeros(5, np.float32))
    found = with_predictions(answered, LABELS, None, LEAST)
    assert found["predicted_labels"].to_pylist() == [*named(APPLY), None]
    assert found["predicted_label"].to_pylist() == ["fun", "war", None, "fun", None]
    assert found["probability"].null_count == 2


@pytest.mark.parametrize("label", ["a|b", "[a]", " a", "[a"])
def test_labels_that_csv_could_not_tell_apart_are_refused(label, tmp_path):
    refuse_labels(tmp_path / "out.parquet", ("fine", label))
    refuse_labels(tmp_path / "out.csv", ("fine", "a, b", "c & d", "e]"))
    with pytest.raises(ConfigError, match="write .parquet or .jsonl"):
        refuse_labels(tmp_path / "out.csv.gz".removesuffix(".gz"), ("fine", label))


def test_other_thresholds_are_another_question(run, tmp_path):
    source, options = find_source(write_input(tmp_path)), chunks.Options(Reading())
    other = Run(shutil.copytree(run.path, tmp_path / "x" / run.name))
    keep_thresholds(other, LEAST)
    seal(other.path)
    asked = [question_of(source, one, options) for one in (run, other)]
    assert asked[0]["run"] != asked[1]["run"]
    assert run_digest(run) != run_digest(other)
    assert THRESHOLDS_FILE not in MADE_OF  # or artefacts of before would be others


def test_one_threshold_for_all_is_refused(models, tmp_path):
    where = (f"--models-dir={models}", "--at-least=0.8")
    out = (f"--input={write_input(tmp_path)}", f"--output={tmp_path / 'out.csv'}")
    for command in (
        ("predict", "a", "--run=one"), ("predict", "--run=one+other", *out),
    ):  # fmt: skip
        done = invoke(*command, *where)
        assert done.exit_code == 2
        assert "Leave --at-least out" in done.output


# Explanations.


@pytest.mark.parametrize("name", ["one", "one+other"])
def test_effects_are_those_of_the_likeliest_label_by_itself(name, models):
    classifier = Classifier.open(name, models)
    words = ["the", "film", "is", "a", "dull", "film", "but", "the", "end"]
    unknown = [" ".join([*words[:i], "zork", *words[i + 1 :]]) for i in range(9)]
    begun = [" ".join(words[: i + 1]) for i in range(9)]
    whole = classifier.predict_proba(begun)
    label = int(whole[-1].argmax())
    for least, applies in ((0.0, True), (1.1, False), (whole[3, label], None)):
        own = np.full(3, 1.1, np.float32)
        own[label] = least
        effects = explain(
            dataclasses.replace(classifier, thresholds=own), begun[-1]
        ).effects
        assert effects.label == label
        expected = whole[-1, label] - classifier.predict_proba(unknown)[:, label]
        np.testing.assert_allclose(effects.effects, expected, atol=1e-6)
        np.testing.assert_allclose(effects.running, whole[:, label], atol=1e-6)
        if applies is not None:
            assert (effects.applies, effects.decided) == (applies, 1)
    said = effects.running >= effects.running[3]
    assert effects.applies == said[-1]
    assert (said[effects.decided - 1 :] == said[-1]).all()
    assert effects.decided == 1 or said[effects.decided - 2] != said[-1]
    other = int(whole[-1].argmin())  # alone it applies
    own = np.where(np.arange(3) == other, 0, 1.1).astype(np.float32)
    alone = explain(dataclasses.replace(classifier, thresholds=own), begun[-1]).effects
    np.testing.assert_allclose(alone.running, whole[:, other], atol=1e-6)
    assert (alone.label, alone.applies) == (other, True)


def test_an_explanation_says_whether_the_label_applies(models):
    done = invoke("predict", *TEXTS, "--explain", "--run=one", f"--models-dir={models}")
    said = [line for line in done.stdout.splitlines() if "from there on" in line]
    assert all("applies." in x or "does not apply." in x for x in said)
    assert len(said) == 3


# Exports.


def answers_of(rows: np.ndarray, labels: list[list[str]]) -> Answers:
    return Answers(
        labels=labels, probabilities=rows.tolist(), milliseconds_per_text=1.0,
        project_modules=[],
    )  # fmt: skip


def check_of(name: str, expected: np.ndarray) -> Check:
    return Check(name, Path(), ["x"] * len(expected), expected, LABELS, "", LEAST)


def test_labels_may_differ_only_beside_their_threshold():
    below = ROWS - np.float32([[0, 0, 0], [0, 0, 1e-6], [0, 0, 0], [1e-6, 0, 0]])
    others = [["fun", "war"], [], [], []]
    found = compared(check_of("onnx", ROWS), answers_of(below, others))
    assert found.label_agreement == 0.5
    assert (
        compared(check_of("onnx", ROWS), answers_of(ROWS, named(APPLY))).label_agreement
        == 1
    )
    with pytest.raises(RunError, match="labels that its own probabilities do not"):
        compared(check_of("onnx", ROWS), answers_of(below, named(APPLY)))
    turned = [["war", "fun"], *others[1:]]
    with pytest.raises(RunError, match="labels that its own probabilities do not"):
        compared(check_of("onnx", ROWS), answers_of(below, turned))
    with pytest.raises(RunError, match="differs from the run by"):
        compared(
            check_of("onnx", ROWS),
            answers_of(ROWS - np.float32(1e-3), [["fun", "war"], [], [], []]),
        )


def test_thresholds_are_written_so_that_they_are_the_same_again(run, tmp_path):
    write_thresholds(run, tmp_path)
    lines = (tmp_path / "thresholds.txt").read_text().splitlines()
    again = np.array(lines, np.float32)
    np.testing.assert_array_equal(again, run.thresholds)
    assert all(len(line) < 14 for line in lines)


def test_the_card_tells_of_several_labels(run, models):
    agreement = Agreement(
        texts=9, greatest_difference=0.0, label_agreement=1.0, milliseconds_per_text=1.0
    )
    for one in (run, Mean((run, Run(models / "other")))):
        text = card.model_card(one, "onnx", agreement, About())
        assert "with 3 labels, of which a text may have several or none: fun" in text
        assert "multi-label-classification" in text
        for name in ("Subset accuracy", "Macro F1", "Micro F1", "Example F1"):
            assert f"\n| {name} | " in text
        [row] = [x for x in text.splitlines() if x.startswith("| love, lost |")]
        assert row.endswith(f"| {one.thresholds[1]:.4f} |")
        assert "the same labels to 100.00 %" in text
        assert "every text gets one" not in text
    assert "applying(probabilities)" in text


def test_f1_of_drawn_texts_is_scikit_learns():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth, said = rng.random((2, 40, 3)) < 0.5
    drawn = rng.integers(0, 40, 40)
    found = f1(truth, said, np.bincount(drawn, minlength=40))
    for value, average in zip(found, ("macro", "micro", "samples"), strict=True):
        expected = f1_score(
            truth[drawn], said[drawn], average=average, zero_division=1.0
        )
        assert value == pytest.approx(expected)


def test_scores_lie_in_their_intervals(run):
    found = {score.name: score for score in scores(run)}
    several = run.metrics[TEST].several
    assert found["Micro F1"].value == several.micro_f1
    assert found["Example F1"].value == several.example_f1
    assert all(one.low <= one.value <= one.high for one in found.values())


@pytest.mark.parametrize("name", FORMATS)
def test_the_code_of_one_label_knows_nothing_of_several(name):
    one, several = loading_code(name), loading_code(name, several=True)
    assert "applying" not in one
    assert "thresholds" not in one
    assert ("thresholds.txt" in several) == (name != "saved_model")
    compile(several, name, "exec")


# Elsewhere.


def test_scikit_learns_classifier_has_one_label(run):
    with pytest.raises(RunError, match=r"take seqclf.Classifier.open"):
        SequenceClassifier.load(run.path)


def test_the_microscope_shows_one_label(run, models, tmp_path, monkeypatch):
    done = invoke("export", "one", f"--models-dir={models}", "--format=page")
    assert done.exit_code == 1
    assert "the microscope shows one label a text" in done.output
    monkeypatch.setattr(compare, "write_page", lambda *_: None)
    about = SimpleNamespace(card=SimpleNamespace(dataset=run.dataset))
    heard: list[str] = []
    listener = SimpleNamespace(note=heard.append, insist=pytest.fail)
    compare.write_pages(tmp_path, about, SimpleNamespace(models=models), listener, True)
    assert [*tmp_path.iterdir()] == []
    assert "it shows one label a text" in heard[0]


def test_a_shared_copy_answers_alike(run, tmp_path):
    copy = write_shared(run, tmp_path / "copy")
    np.testing.assert_array_equal(copy.thresholds, run.thresholds)
    assert Classifier.open(copy).predict(TEXTS) == Classifier.open(run).predict(TEXTS)


def test_a_pushed_run_answers_from_the_hub_as_it_does_here(run, tmp_path, monkeypatch):
    server = WritableHub()
    visit(monkeypatch, tmp_path / "hf", server.url, TOKEN)
    try:
        with push.prepared(run, "me/genres", About()) as what:
            told = (what.folder / "README.md").read_text()
            push.upload(what, "first")
        found = Classifier.open("hf://me/genres").predict(TEXTS)
    finally:
        server.close()
    assert found == Classifier.open(run).predict(TEXTS)
    assert "`thresholds.json`: from which probability on a label applies" in told
    assert "| Subset accuracy | " in told


# From training to a stranger's machine.

WORDS = {
    "war": ("soldier", "battle"),
    "love": ("kiss", "heart"),
    "fun": ("joke", "clown"),
}
FILLING = ("film", "story", "scene", "night", "city", "house", "time", "man")


def genres(n: int) -> list[dict[str, object]]:
    """Returns rows with a text and a list of labels, some of which are wrong."""
    rng, rows = random.Random(0), []
    for _ in range(n):
        labels = [label for label in WORDS if rng.random() < 0.4]
        words = [rng.choice(FILLING) for _ in range(8)]
        words += [rng.choice(WORDS[label]) for label in labels if rng.random() < 0.9]
        rng.shuffle(words)
        rows.append({"text": " ".join(words), "genres": labels})
    return rows


ALONE, TOGETHER = ("g-gru-0", "g-nb-svm"), "g-gru-0+g-nb-svm"


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a trained twin and a linear model, and them and their mean in
    other formats, all that there are for the twin.
    """
    folder = tmp_path_factory.mktemp("trained")
    lines = "".join(json.dumps(row) + "\n" for row in genres(600))
    (folder / "g.jsonl").write_text(lines)
    asked = ("train", "--data=g.jsonl", "--label-column=genres")
    small = ("--units=16", "--embedding-size=16", "--epochs=3")
    formats = ("--format=all", "--quantize=int8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in (
            (*asked, "--cell=gru", *small),
            (*asked, "--baseline=nb-svm"),
            ("export", ALONE[0], *formats),
            ("export", ALONE[1], "--format=onnx"),
            ("export", TOGETHER, "--format=onnx"),
        ):
            done = invoke(*command, "--cache-dir=cache")
            assert done.exit_code == 0, done.output
    return folder


def opened(folder: Path, texts: list[str]) -> tuple[list[list[str]], np.ndarray]:
    """Opens an artefact as its card tells, without seqclf."""
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    code = code[: code.index('print(predict(["a text"')]
    code += "import json, sys\nfound, rows = predict(json.loads(sys.argv[1]))\n"
    code += (
        'print(json.dumps([found, rows.tolist()]))\nassert "seqclf" not in sys.modules'
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, json.dumps(texts)],
        cwd=folder, capture_output=True, check=True, encoding="utf-8",
    )  # fmt: skip
    found, rows = json.loads(done.stdout.splitlines()[-1])
    return found, np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [f"{name}/onnx" for name in (*ALONE, TOGETHER)] + [f"{ALONE[0]}/keras"],
)
def test_a_stranger_gets_the_same_labels(place, trained, monkeypatch):
    monkeypatch.chdir(trained)
    name, form = place.split("/")
    run = open_any(Path(name), Path("models"))
    texts = [str(row["text"]) for row in genres(60)] + TEXTS
    classifier = Classifier.open(run)
    expected, labels = classifier.predict_proba(texts), classifier.predict(texts)
    assert len({*labels}) > 2
    found, rows = opened(Path("exports") / place, texts)
    bound = FORMATS[form].bound
    assert np.abs(rows - expected).max() <= bound
    near = (np.abs(expected - run.thresholds) <= bound).any(axis=1)
    same = [a == list(b) for a, b in zip(found, labels, strict=True)]
    assert all(same | near)
    assert not near.all()


@pytest.mark.slow
def test_int8_tells_its_cost_by_all_labels_of_a_text(trained):
    file = trained / "exports" / ALONE[0] / "onnx-int8" / "export.json"
    cost = json.loads(file.read_text())["test"]
    predictions = Run(trained / "models" / ALONE[0]).predictions(TEST)
    right = (predictions.answers == predictions.label_ids).all(axis=1)
    assert cost["run"]["accuracy"] == pytest.approx(right.mean())
    assert abs(cost["artefact"]["accuracy"] - right.mean()) < 0.05


@pytest.mark.slow
def test_a_saved_model_says_which_labels_apply(trained):
    import tensorflow as tf

    saved = trained / "exports" / ALONE[0] / "saved_model" / "1"
    texts = [str(row["text"]) for row in genres(40)]
    serve = tf.saved_model.load(str(saved)).signatures["serving_default"]
    answer = serve(text=tf.constant(texts))
    assert {*answer} == {"applies", "probabilities"}
    run = Run(trained / "models" / ALONE[0])
    rows = Classifier.open(run).predict_proba(texts)
    near = np.abs(rows - run.thresholds) < 1e-5
    assert ((answer["applies"].numpy() == (rows >= run.thresholds)) | near).all()
    assert not near.all()
