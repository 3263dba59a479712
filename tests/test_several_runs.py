"""Runs that give a text several labels: trained, compared, evaluated, graded."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, invoke
from sklearn.metrics import f1_score

from seqclf import metrics, several
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.saved import read_details
from seqclf.errors import ConfigError
from seqclf.evaluation.failed import failed_seeds
from seqclf.report import csv_lines
from seqclf.runs import Run, open_any
from seqclf.runs.comparisons import read_comparison
from seqclf.storage import write_json

pytestmark = pytest.mark.slow
WORDS = {"war": "tank front", "love": "kiss rose", "fun": "joke clown"}
FILLER = ["the", "a", "movie", "film", "about", "with", "and", "some", "many", "scene"]


def write_rows(path: Path, count: int, seed: int) -> Path:
    """Texts of ten words, of which some tell labels; a list of labels each."""
    rng = np.random.default_rng(seed)
    with path.open("w") as file:
        for _ in range(count):
            labels = [label for label in WORDS if rng.random() < 0.4]
            words = list(rng.choice(FILLER, 10))
            for place, label in zip(rng.permutation(10), labels, strict=False):
                words[place] = rng.choice(WORDS[label].split())
            row = {"text": " ".join(words), "labels": labels}
            file.write(json.dumps(row) + "\n")
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data and a comparison of two cells and two seeds."""
    folder = tmp_path_factory.mktemp("several")
    write_rows(folder / "films.jsonl", 400, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = ["--cells=none,gru", "--seeds=2", "--jobs=1", "--quiet", *TINY]
        done = invoke("compare", "--data=films.jsonl", *options)
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def here(place, monkeypatch) -> Path:
    monkeypatch.chdir(place)
    return place


NAMES = (
    "films-gru-0", "films-none-1", "films-tf-idf", "films-nb-svm", "films-majority",
    "films-gru-0+films-nb-svm",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_fits_together(name, here):
    run = open_any(Path(name), here / "models")
    validation, test = (run.predictions(split) for split in ("validation", "test"))
    assert test.label_ids.shape == test.probabilities.shape == (80, 3)
    assert test.label_ids.dtype == bool
    assert (test.answers == (test.probabilities >= run.thresholds)).all()
    scores = run.metrics["test"]
    assert scores.accuracy == (test.answers == test.label_ids).all(axis=1).mean()
    example = f1_score(test.label_ids, test.answers, average="samples", zero_division=1)
    assert scores.example_f1 == pytest.approx(example)
    if isinstance(run, Run):
        asked = validation.label_ids, validation.probabilities
        chosen = several.thresholds(*asked, np.ones(3, bool))
        assert (run.thresholds == chosen).all()
    else:
        every = [member.thresholds for member in run.members]
        assert run.thresholds == pytest.approx(np.mean(every, axis=0))


def test_the_comparison_ranks_by_the_f1_of_texts(here):
    result = read_comparison(here / "models" / "films-compare")
    assert result.metric == "example-f1"
    assert "a text may have several labels" in result.verdict.lower()
    rows = {row.name: row for row in result.rows}
    assert set(rows) >= {"majority", "nb-svm", "none", "gru", "gru + nb-svm"}
    group = [Run(here / "models" / f"films-gru-{seed}") for seed in (0, 1)]
    mean = np.mean([run.metrics["test"].example_f1 for run in group])
    assert rows["gru"].example_f1 == rows["gru"].score.mean == pytest.approx(mean)
    right = np.mean([run.predictions("test").right.mean() for run in group])
    assert rows["gru"].accuracy.mean == pytest.approx(right)
    by_text = [
        several.example_f1(said.label_ids, said.answers)
        for said in (run.predictions("test") for run in group)
    ]
    none = [
        Run(here / "models" / f"films-none-{seed}").predictions("test")
        for seed in (0, 1)
    ]
    others = [several.example_f1(said.label_ids, said.answers) for said in none]
    [pair] = [p for p in result.pairs if {p.a, p.b} == {"gru", "none"}]
    difference = np.mean(by_text) - np.mean(others)
    assert abs(pair.difference) == pytest.approx(abs(difference))


@pytest.mark.parametrize("metric", ["accuracy", "macro-f1", "log-loss"])
def test_other_metrics_rank_the_same_runs(metric, here):
    models = here / "models"
    runs = [Run(models / f"films-{c}-{s}") for c in ("none", "gru") for s in (0, 1)]
    result = compare_runs(runs, metric=metric)
    [row] = [row for row in result.rows if row.name == "gru"]
    said = [run.predictions("test") for run in runs[2:]]
    expected = {
        "accuracy": [one.right.mean() for one in said],
        "macro-f1": [metrics.f1_shares(o.label_ids, o.answers).mean() for o in said],
        "log-loss": [one.losses.mean() for one in said],
    }
    assert row.score.mean == pytest.approx(np.mean(expected[metric]))


def test_what_differs_is_told_without_confusions(here):
    details = read_details(here / "models" / "films-compare")
    assert details.confusion == {}
    assert {group.group for group in details.groups if group.by == "label"} == {*WORDS}
    page = (here / "models" / "films-compare" / "report.html").read_text()
    assert "Confusion matrices" not in page
    assert "example F1" in page
    result = read_comparison(here / "models" / "films-compare")
    head, *lines = csv.DictReader(io.StringIO(csv_lines.csv(result)))
    assert all(float(line["example_f1"]) > 0 for line in [head, *lines[:4]])


def test_a_guess_is_a_failure(here):
    """The majority row answers all texts alike, which validation shows."""
    run = Run(here / "models" / "films-majority")
    scores = run.metrics["validation"]
    assert scores.example_f1 <= scores.several.guessed_example_f1 + 1e-12

    class Seed:
        class config:  # noqa: N801
            class training:  # noqa: N801
                seed = 3

        metrics = run.metrics

    for field in ("accuracy", "macro_f1", "example_f1", "log_loss"):
        assert failed_seeds([Seed], field) == (3,)


@pytest.mark.parametrize("name", ["films-gru-0", "films-nb-svm", NAMES[-1]])
def test_evaluate_finds_the_scores_of_training(name, here):
    done = invoke("evaluate", name, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    scores = open_any(Path(name), here / "models").metrics["test"]
    assert found["accuracy"] == pytest.approx(scores.accuracy)
    assert found["several"]["micro_f1"] == pytest.approx(scores.several.micro_f1)
    assert found["log_loss"] == pytest.approx(scores.log_loss, abs=1e-5)
    assert "coverage" not in found
    shown = invoke("evaluate", name).stdout
    assert "of texts with all labels right" in " ".join(shown.split())


def test_other_data_is_matched_by_the_names_of_labels(here):
    some = [("the kiss and rose", "love"), ("a tank joke", "war|fun"), ("a film", "")]
    with (here / "other.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "labels"), *some])
    asked = ("evaluate", "films-gru-0", "--data=other.csv", "--json")
    done = invoke(*asked, "--labels-separator=|")
    assert done.exit_code == 0, done.output
    supports = {o["label"]: o["support"] for o in json.loads(done.stdout)["per_label"]}
    assert supports == {"fun": 1, "love": 1, "war": 1}
    with (here / "single.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "labels"), *some[:1], ("x tank", "war")])
    done = invoke("evaluate", "films-gru-0", "--data=single.csv", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["several"]["labels_per_text"] == 1


REFUSED = {
    "--at-least": ("evaluate", "films-gru-0", "--at-least=0.9"),
    "--wanted-accuracy": ("evaluate", "films-gru-0", "--wanted-accuracy=0.9"),
    "--class-weights": ("train", "--data=films.jsonl", "--class-weights=balanced"),
    "--with": ("compare", "--data=films.jsonl", "--with=x=answers.csv", "--fresh"),
    "studies and claims": ("study", "order", "--data=films.jsonl"),
    "data check": ("data", "check", "films.jsonl"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_for_one_label_a_text_is_refused_by_name(what, here):
    (here / "answers.csv").write_text("text,label\nx,war\n")
    done = invoke(*REFUSED[what])
    assert done.exit_code != 0
    assert what in done.output


def test_a_run_of_one_label_refuses_lists(finished_run, here):
    done = invoke("evaluate", finished_run.path, "--data=films.jsonl")
    assert done.exit_code != 0
    assert "several labels a text" in " ".join(done.output.split())


def test_data_with_a_label_or_none_is_read_as_the_run_learnt(here):
    """No list of it has two labels, so that nothing but the run says what it is."""
    some = [("the kiss", ["love"]), ("a tank", ["war"]), ("a film", [])]
    rows = (json.dumps({"text": text, "labels": labels}) for text, labels in some)
    (here / "one.jsonl").write_text("\n".join(rows))
    with (here / "one.csv").open("w", newline="") as file:
        values = [(text, "|".join(labels)) for text, labels in some]
        csv.writer(file).writerows([("text", "labels"), *values])
    found = [
        json.loads(invoke("evaluate", "films-gru-0", *typed, "--json").stdout)
        for typed in (
            ("--data=one.jsonl",), ("--data=one.csv",),
            ("--data=one.csv", "--labels-separator=|"),
        )
    ]  # fmt: skip
    for one in found:
        assert one["n"] == 3
        assert one["accuracy"] == found[0]["accuracy"]


def test_a_label_that_all_texts_have_or_none_spoils_no_other(here):
    base = [
        json.loads(line) for line in (here / "films.jsonl").read_text().split("\n")[:-1]
    ]
    for folder, more in (("plain", []), ("always", ["film"])):
        (here / folder).mkdir(exist_ok=True)
        for split, rows in (("train", base[:300]), ("test", base[300:])):
            lines = (
                json.dumps(row | {"labels": row["labels"] + more}) + "\n"
                for row in rows
            )
            (here / folder / f"{split}.jsonl").write_text("".join(lines))
    (here / "lacks").mkdir(exist_ok=True)
    lacking = [
        json.dumps(row | {"labels": [n for n in row["labels"] if n != "love"]}) + "\n"
        for row in base[:300]
    ]
    (here / "lacks" / "train.jsonl").write_text("".join(lacking))
    (here / "lacks" / "test.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in base[300:])
    )
    said = {}
    for folder in ("plain", "always", "lacks"):
        for baseline in ("tf-idf", "nb-svm"):
            done = invoke("train", f"--data={folder}", f"--baseline={baseline}")
            assert done.exit_code == 0, done.output
            run = Run(here / "models" / f"{folder}-{baseline}")
            said[folder, baseline] = run.predictions("test"), run.labels, run
    for baseline in ("tf-idf", "nb-svm"):
        plain, names, run = said["plain", baseline]
        always, more, other = said["always", baseline]
        places = [more.index(name) for name in names]
        chosen = [one.baseline_environment.chosen for one in (run, other)]
        assert chosen[0]["temperature"] == pytest.approx(chosen[1]["temperature"])
        assert always.probabilities[:, places] == pytest.approx(plain.probabilities)
        assert (always.probabilities[:, more.index("film")] > 0.99).all()
        assert always.answers[:, more.index("film")].all()
        lacks, labels, run = said["lacks", baseline]
        love = labels.index("love")
        assert (lacks.probabilities[:, love] < 0.01).all()
        assert not lacks.answers[:, love].any()
        assert run.baseline_environment.chosen["temperature"] < 10


def test_the_majority_is_not_below_guessing(here):
    scores = Run(here / "models" / "films-majority").metrics["validation"]
    assert scores.example_f1 == pytest.approx(scores.several.guessed_example_f1)


def test_the_label_is_one_that_applies_or_none(here):
    done = invoke("predict", "--run=films-nb-svm", "--json", "kiss rose", "some film")
    for line in done.stdout.splitlines():
        one = json.loads(line)
        assert one["label"] == (one["labels"][0] if one["labels"] else None)
        assert (one["probability"] is None) == (one["labels"] == [])


def test_folds_and_draws_of_the_data_go_with_it(here):
    options = ["--cells=none,gru", "--jobs=1", "--json", "--quiet", *TINY]
    for more in (["--folds=2"], ["--vary=split", "--seeds=2", "--name=drawn"]):
        done = invoke("compare", "--data=films.jsonl", *options, *more)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["metric"] == "example-f1"


def test_an_honest_run_is_found_honest_and_other_thresholds_are_found(here):
    options = ["--name=handed-in", "--keep-states", "--cell=rnn", *TINY]
    done = invoke("train", "--data=films.jsonl", *options)
    assert done.exit_code == 0, done.output
    done = invoke("classroom", "grade", "handed-in")
    assert "honest" in done.output
    file = here / "models" / "handed-in" / "thresholds.json"
    write_json(file, [0.1, 0.2, 0.9])
    done = invoke("classroom", "grade", "handed-in")
    assert "altered" in done.output


def test_from_python(here):
    import seqclf

    with pytest.raises(ConfigError, match="several labels|have one each"):
        seqclf.compare("demo", metric="example-f1", cells="none,gru", seeds=1)
    run = seqclf.train("films.jsonl", cell="none", name="python", epochs=1)
    said = seqclf.Classifier.open(run).predict(["kiss rose", "tank"])
    assert all(isinstance(one, tuple) for one in said)
