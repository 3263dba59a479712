"""What version 0.1.0 wrote is read by this one, and means the same.

The files are in fixtures/0.1.0; made_by_0_1_0.py tells how they were made. The numbers
here are those that 0.1.0 printed. Nothing is written into the fixtures: each test has a
copy, and works in it as a person would who has updated seqclf.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asked import Silent
from conftest import TINY, invoke

from seqclf import Classifier, Comparison, Run, SequenceClassifier, config
from seqclf.about_studies import ABOUT
from seqclf.errors import RunError
from seqclf.studies import STUDIES, claims_page, saved, sections, write_page
from seqclf.studies.claims import CLAIMS
from seqclf.workflows import compare as comparing
from seqclf.workflows import finished
from seqclf.workflows import train as training

FIXTURES = Path(__file__).parent / "fixtures" / "0.1.0"
MADE_IN = "/srv/seqclf-0.1.0"  # stands in two/question.json
# Texts were then read in prediction as far as in training.
RECIPE = ["--data=reviews", *TINY, "--epochs=4", "--predict-length=400"]
BASELINE = "reviews-de2b87b11f10-baselines/nb-svm"
TEXTS = ("a lovely film", "an awful meal, number 7", "very clumsy phone, number 230")

# Right answers of 48 test texts, by run.
RIGHT = {
    "reviews-none-0": 42, "reviews-none-1": 35,
    "reviews-rnn-0": 43, "reviews-rnn-1": 43,
    "reviews-gru-0": 48, "reviews-gru-1": 44,
    "reviews-lstm-0": 48, "reviews-lstm-1": 44,
    "wide": 48,
}  # fmt: skip
# The probability of `good` for each of TEXTS.
GOOD = {
    "reviews-none-0": (0.581360, 0.465418, 0.403683),
    "reviews-none-1": (0.569269, 0.484216, 0.473029),
    "reviews-rnn-0": (0.583243, 0.308956, 0.465784),
    "reviews-rnn-1": (0.512711, 0.416118, 0.437792),
    "reviews-gru-0": (0.579002, 0.408560, 0.426391),
    "reviews-gru-1": (0.443480, 0.419307, 0.453268),
    "reviews-lstm-0": (0.574692, 0.401695, 0.410399),
    "reviews-lstm-1": (0.508364, 0.450442, 0.441575),
    "wide": (0.537699, 0.416952, 0.435086),
    "saved": (0.529916, 0.449146, 0.464768),
    "tuned/tuning/gru-1": (0.590496, 0.422390, 0.363177),
    "tuned/tuning/none-2": (0.503523, 0.495025, 0.499512),
}
BASELINES = {"majority": 24, "tf-idf + logistic regression": 48, "nb-svm": 48}
# By comparison: right answers of 48 by row, the mean over its seeds.
ACCURACIES = {
    "reviews-compare": BASELINES | {"none": 38.5, "rnn": 43, "gru": 46, "lstm": 46},
    "tuned": BASELINES | {"none": 42, "gru": 48},
    "two": BASELINES | {"none": 42, "gru (reviews-gru-0)": 48, "gru (wide)": 48},
}
# By comparison: some pairs with the difference in texts of 48, its interval in points,
# and p, of the means over seeds or of McNemar.
PAIRS = {
    "reviews-compare": {
        "rnn - none": (4.5, -83.27441, 100.0, 0.420833),
        "gru - rnn": (3, -46.69252, 59.19252, 1.0),
        "gru - lstm": (0, -5.98987, 5.98987, 1.0),
        "tf-idf + logistic regression - gru": (2, -48.77585, 57.10918, 0.5),
    },
    "tuned": {"gru - none": (6, 4.16667, 22.91667, 0.015625)},
    "two": {
        "gru (wide) - none": (6, 4.16667, 22.91667, 0.015625),
        "gru (reviews-gru-0) - gru (wide)": (0, 0.0, 0.0, 1.0),
    },
}
VERDICTS = {
    "reviews-compare": (
        "GRU (95.8 %) cannot be told apart here from LSTM (difference 0.0 points, "
        "95 % interval −6.0 to 6.0) and SimpleRNN (difference 6.2 points, 95 % "
        "interval −46.7 to 59.2). More seeds or test texts alone would hardly settle "
        "it. That recurrence helps is not shown (difference 15.6 points, 95 % interval "
        "−16.6 to 47.9). The best baseline, tf-idf + logistic regression, cannot be "
        "told apart from the best twin, GRU (difference 4.2 points, 95 % interval "
        "−48.8 to 57.1)."
    ),
    "tuned": (
        "GRU has 100.0 % of 48 test texts right. The twin without recurrence is 12.5 "
        "points (4.2 to 22.9) below GRU. The best baseline, tf-idf + logistic "
        "regression, cannot be told apart from the best twin, GRU (difference 0.0 "
        "points, 95 % interval 0.0 to 0.0). With one seed this concerns these trained "
        "models, not the cells."
    ),
    "two": (
        "These runs are not ranked, for they are no twins: they also differ in "
        "model.units."
    ),
}
# Trainings, rows, and words of the sentence, by study.
ANSWERS = {
    "gradients": (3, 84, "gru 0.15 (0.15 to 0.15), steady"),
    "memory": (6, 6, "SimpleRNN falls half-way to chance at about 31 tokens"),
    "gates": (3, 1308, "the LSTM shows 53 % of its memory"),
    "order": (5, 10, "where only the test has: SimpleRNN 6.2 (−6.2 to 18.8)"),
    "size": (4, 4, "LSTM's gap between train and validation accuracy less GRU's"),
    "sensitivity": (4, 4, "points from its median (the mean, times n / (n − 1)): GRU"),
    "depth": (4, 4, "LSTM, 2 layers, two-way: −25.0 points"),
    "mix": (4, 4, "None of 2 comparisons with the plain network"),
    "convergence": (3, 15, "GRU needed 1.16, 1.16 and 1.42 times the steps of LSTM"),
    "cost": (0, 3, "GRU has 864 recurrent parameters, SimpleRNN 272 and LSTM 1,088"),
    "wins": (4, 1, "GRU had the higher test accuracy on 0 of 1 data set"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy for the tests that only read, or write what may be written anew."""
    folder = tmp_path_factory.mktemp("updated") / "0.1.0"
    shutil.copytree(FIXTURES, folder)
    return folder


@pytest.fixture
def here(copy, monkeypatch) -> Path:
    """That copy, as the working directory."""
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """A copy for one test alone, as the working directory."""
    folder = tmp_path / "0.1.0"
    shutil.copytree(FIXTURES, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def without_pages(monkeypatch) -> None:
    """Writes no page of a comparison, which takes a second; other tests do."""
    for workflow in (comparing, finished):
        monkeypatch.setattr(workflow, "write_page", lambda *given: None)


def asked(*arguments: object):
    """Types a command, which has to succeed."""
    done = invoke(*arguments)
    assert done.exit_code == 0, done.output
    return done


def answer_of(study: str) -> Path:
    kept = "comparisons" if study == "wins" else "reviews"
    return Path("models") / f"{kept}-studies" / study


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


# Runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [*GOOD, "reviews-compare", "two", BASELINE])
def test_every_file_is_as_it_was_written(folder):
    Run(FIXTURES / "models" / folder).verify()


def test_no_file_is_missing_but_the_weights_of_one_trial():
    tuned = Run(FIXTURES / "models" / "tuned")
    missing = [n for n in tuned.complete.files if not (tuned.path / n).exists()]
    assert missing == ["tuning/gru-2/model.keras", "tuning/gru-2/model.onnx"]


def test_all_runs_are_listed_with_their_accuracies(here):
    records = json.loads(asked("runs", "list", "--json").stdout)
    found = {one["run"]: one for one in records}
    assert set(found) == {*RIGHT, "saved", "cut"}
    right = {name: 48 * one.get("accuracy", 0) for name, one in found.items()}
    assert right == pytest.approx(RIGHT | {"saved": 0, "cut": 0})
    assert [one["run"] for one in records if not one["finished"]] == ["cut"]
    assert found["wide"]["time"].startswith("2026-11-28T18:38:39")
    for name in RIGHT.keys() - {"wide"}:
        _, cell, seed = name.split("-")
        assert (found[name]["cell"], found[name]["seed"]) == (cell, int(seed))
    table = asked("runs", "list").stdout
    assert all(name in table for name in found)


@pytest.mark.parametrize("name", [*RIGHT, "saved"])
def test_a_run_is_shown(name, here):
    said = asked("runs", "show", name).stdout
    values = json.loads(asked("runs", "show", name, "--json").stdout)
    assert len(values["history"]) == 4
    assert values["config"]["model"]["units"] == (16 if name == "wide" else 8)
    if name == "saved":
        assert "saved from Python, without scores" in said
        assert values["metrics"] is None
        return
    assert f"accuracy {100 * RIGHT[name] / 48:.1f} %" in said
    assert values["metrics"]["test"]["accuracy"] == RIGHT[name] / 48
    assert values["environment"]["versions"]["seqclf"] == "0.1.0"
    assert values["dataset"]["sizes"] == {"train": 160, "validation": 40, "test": 48}


def test_what_was_measured_of_a_run_is_read(here):
    run = Run(Path("models/reviews-gru-1"))
    losses = [epoch.validation_loss for epoch in run.history]
    assert losses == pytest.approx([0.685089, 0.656307, 0.613965, 0.603043], abs=1e-6)
    said = run.predictions("test")
    assert int((said.probabilities.argmax(axis=1) == said.label_ids).sum()) == 44
    assert run.labels == ("bad", "good")
    assert run.environment.recurrent_parameters == 864


@pytest.mark.parametrize("name", GOOD)
def test_a_run_predicts_what_it_predicted(name, here):
    path = f"models/{name}"
    lines = asked("predict", "--run", path, "--json", *TEXTS).stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    good = [one["probabilities"]["good"] for one in answers]
    assert good == pytest.approx(GOOD[name], abs=1e-5)
    labels = ["good" if one > 0.5 else "bad" for one in GOOD[name]]
    assert [one["label"] for one in answers] == labels
    found = Classifier.open(path).predict_proba(list(TEXTS))
    np.testing.assert_allclose(found[:, 1], GOOD[name], atol=1e-5)


def test_predict_takes_the_best_run_of_the_comparison_that_was_asked_for_last(here):
    done = asked("predict", *TEXTS)
    assert "reviews-gru-0, trained on reviews, test accuracy 100.0 %" in done.stderr
    assert done.stdout.splitlines()[0] == "good 57.9 %\ta lovely film"


def test_a_classifier_saved_from_python_is_loaded(here):
    classifier = SequenceClassifier.load("models/saved")
    assert classifier.classes_.tolist() == ["bad", "good"]
    parameters = classifier.get_params()
    assert (parameters["cell"], parameters["units"]) == ("gru", 8)
    assert (parameters["learning_rate"], parameters["random_state"]) == (0.02, 0)
    good = classifier.predict_proba(TEXTS)[:, 1]
    np.testing.assert_allclose(good, GOOD["saved"], atol=1e-5)


@pytest.mark.parametrize("name", ["reviews-gru-1", "reviews-rnn-0"])
def test_evaluate_finds_the_accuracy_that_was_found(name, here):
    scores = json.loads(asked("evaluate", "--run", name, "--json").stdout)
    assert (scores["n"], scores["accuracy"]) == (48, RIGHT[name] / 48)


def test_an_export_is_of_its_run_still(own):
    before = contents(own / "exports")
    command = ["export", "reviews-gru-0", "--format=onnx", "--output=exports/onnx"]
    assert "of this run and settings: reused" in asked(*command).stderr
    assert contents(own / "exports") == before


def test_the_same_training_is_reused(own):
    before = contents(own / "models")
    for cell, seed, options in (("gru", 0, []), ("lstm", 1, []),
                                ("gru", 0, ["--units=16", "--name=wide"])):  # fmt: skip
        done = asked("train", f"--cell={cell}", f"--seed={seed}", *RECIPE, *options)
        assert "is finished with these settings and data: reused." in done.stderr
    changed = {name for name, old in before.items() if Path(name).read_bytes() != old}
    assert {Path(name).name for name in changed} == {"complete"}  # asked for last
    for name in changed:
        old, new = json.loads(before[name]), json.loads(Path(name).read_bytes())
        assert new["files"] == old["files"]


def test_a_run_that_was_cut_off_says_how_it_goes_on(here):
    for command in (["runs", "show", "cut"], ["predict", "--run=cut", "x"]):
        done = invoke(*command)
        assert done.exit_code == 1
        said = (
            "is unfinished: its training was interrupted. Type the command that began"
        )
        assert said in " ".join(done.output.split())


@pytest.mark.slow
def test_a_training_that_was_cut_off_is_finished(own):
    done = asked("train", "--cell=gru", "--seed=3", "--name=cut", *RECIPE)
    # It goes on from the checkpoint where machine and versions are the same.
    assert "cut was interrupted: its training" in done.stderr
    run = Run(own / "models" / "cut")
    run.verify()
    assert len(run.history) == 4
    assert run.metrics["test"].n == 48
    assert not (run.path / "checkpoint.npz").exists()


def test_all_of_it_is_removed(own):
    names = [path.name for path in (own / "models").iterdir()]
    kept = [name for name in names if name.endswith("-baselines")]
    gone = sorted(set(names) - set(kept))
    asked("runs", "remove", "--yes", *gone)
    assert [path.name for path in (own / "models").iterdir()] == kept


# Comparisons ------------------------------------------------------------------------


@pytest.mark.usefixtures("without_pages")
@pytest.mark.parametrize("name", ACCURACIES)
def test_a_comparison_is_shown_in_every_form(name, here):
    path = f"models/{name}"
    verdict = VERDICTS[name]
    assert verdict in " ".join(asked("compare", path).stdout.split())
    text = asked("compare", path, "--markdown").stdout
    for row, right in ACCURACIES[name].items():
        assert f"| {row} | {100 * right / 48:.1f} |" in text
    assert verdict in text
    values = json.loads(asked("compare", path, "--json").stdout)
    found = {row["name"]: 48 * row["accuracy"]["mean"] for row in values["rows"]}
    assert found == pytest.approx(ACCURACIES[name])
    assert values["verdict"] == verdict
    assert values["missing"] == {}
    table = io.StringIO(asked("compare", path, "--csv").stdout)
    rows = {row["name"]: row for row in csv.DictReader(table)}
    for row, right in ACCURACIES[name].items():
        assert 48 * float(rows[row]["accuracy"]) == pytest.approx(right)
    for pair, (texts, low, high, p) in PAIRS[name].items():
        values = [float(rows[pair][key]) for key in ("difference", "low", "high")]
        expected = (100 * texts / 48, low, high)
        assert [100 * value for value in values] == pytest.approx(expected, abs=1e-5)
        given = rows[pair]["p"] or rows[pair]["mcnemar_p"]
        assert float(given) == pytest.approx(p, abs=1e-6)


@pytest.mark.usefixtures("without_pages")
def test_what_tuning_chose_and_what_the_runs_differ_in_is_shown(here):
    tuned = asked("compare", "models/tuned", "--markdown").stdout
    assert "| gru | 0.02 | 0.5 | 8 | – | – | – | 0.521 | 97.5 |" in tuned
    two = asked("compare", "models/two", "--markdown").stdout
    assert "| gru (wide) | 16 | 2,496 | 4,034 |" in two
    assert "Not equal: threads in training." in two


@pytest.mark.parametrize("name", ACCURACIES)
def test_a_comparison_is_opened_from_python(name, here):
    comparison = Comparison.open(name)
    assert comparison.verdict == VERDICTS[name]
    assert len(comparison.rows) == len(ACCURACIES[name])
    found = {run.name for run in comparison.runs}
    assert (
        found
        == {
            "reviews-compare": RIGHT.keys() - {"wide"},
            "tuned": {"reviews-none-0", "reviews-gru-0"},
            "two": {"reviews-none-0", "reviews-gru-0", "wide"},
        }[name]
    )
    assert all(run.is_finished for run in comparison.runs)
    assert VERDICTS[name] in comparison.markdown()


@pytest.mark.slow
def test_the_page_of_a_comparison_is_written_anew(here):
    two, listener = Comparison.open("two"), Silent()
    write_page(two.path, two.result, two.path.parent, listener)
    assert listener.notes == []
    page = two.report.read_text("utf-8")
    assert VERDICTS["two"] in page
    assert "gru (wide)" in page
    assert "Where they differ" in page  # of details.json


@pytest.mark.slow
@pytest.mark.parametrize("name", ACCURACIES)
def test_the_page_of_a_comparison_holds_the_studies_of_its_data(name, here):
    done = asked("compare", f"models/{name}")
    assert "Report: " in done.stderr
    assert "left out" not in done.stderr
    page = Comparison.open(name).report.read_text("utf-8")
    assert VERDICTS[name].split(". ")[0] in page
    for study in ANSWERS.keys() - {"wins"}:
        assert saved.read(answer_of(study)).title in page
    assert ("Tuned settings of each cell" in page) is (name == "tuned")


def assert_same_twins(new: Comparison, old: Comparison) -> None:
    """The twins are as they were; baselines are fitted again, as runs, on the data.

    What 0.1.0 did not know is added: failed trainings, and means. Cells are told apart
    otherwise since, so the verdict may be another; what each pair of models has right
    is not. Of what is not ranked no pair is told any more.
    """
    failed = {twin.failed for twin in new.result.twins}
    assert None not in failed
    twins = tuple(replace(twin, failed=None) for twin in new.result.twins)
    assert twins == old.result.twins
    assert new.verdict.split(")")[0] == old.verdict.split(")")[0]  # who is best
    is_ranked = "not ranked" not in new.verdict
    told = old.result.pairs if is_ranked else ()
    for now, then in zip(new.result.pairs, told, strict=True):
        for name in ("a", "b", "seeds", "difference", "models", "mcnemar_p"):
            assert getattr(now, name) == getattr(then, name), name
    rows = [row for row in new.rows if row.kind != "mean"]
    assert [row.name for row in rows] == [row.name for row in old.rows]
    fitted = [Path(row.runs[0]).name for row in new.rows if row.kind == "baseline"]
    assert fitted == ["reviews-majority", "reviews-tf-idf", "reviews-nb-svm"]


def test_what_was_tuned_by_one_training_a_trial_is_kept_and_not_gone_on_with(own):
    command = ["compare", "--cells=none,gru", "--seeds=1", "--tune=2", "--name=tuned"]
    before = contents(own / "models" / "tuned")
    refused = invoke(*command, *RECIPE)
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert "tuned already holds another comparison, of trials that do not count" in said
    assert contents(own / "models" / "tuned") == before


@pytest.mark.slow
def test_the_same_comparison_trains_nothing(own):
    name = "reviews-compare"
    before = contents(own / "models")
    old = Comparison.open(name)
    done = asked("compare", "--cells=none,rnn,gru,lstm", "--seeds=2", *RECIPE)
    reused = "Finished with these settings and data, reused: "
    assert reused in done.stderr
    assert "epoch" not in done.stderr
    changed = {file for file in before if Path(file).read_bytes() != before[file]}
    parts = ("comparison.json", "details.json", "complete")
    assert changed <= {str(own / "models" / name / part) for part in parts}
    new = Comparison.open(name)
    assert_same_twins(new, old)
    assert not [path for path in (own / "models").iterdir() if "-2" in path.name]


@pytest.mark.slow
def test_runs_are_compared_again_under_the_same_name(own):
    old = Comparison.open("two")
    again = ["compare", "reviews-gru-0", "wide", "--name=two"]
    moved = invoke(*again)  # it was made of the runs in another folder
    assert moved.exit_code == 1
    assert "already holds another comparison" in moved.output
    file = own / "models" / "two" / "question.json"
    file.write_text(file.read_text().replace(MADE_IN, str(own.resolve())))
    asked(*again)
    assert_same_twins(Comparison.open("two"), old)


# Studies ----------------------------------------------------------------------------


def test_there_is_an_answer_of_every_study(here):
    assert set(ANSWERS) == set(STUDIES) - {"flow"}  # which came later
    card = Comparison.open("reviews-compare").result.card
    found = saved.answered(Path("models"), card.dataset.fingerprint)
    assert {path.name for path in found} == set(ANSWERS) - {"wins"}


@pytest.mark.parametrize("study", ANSWERS)
def test_an_answer_is_read_shown_and_drawn(study, here):
    from rich.console import Console

    answer = saved.read(answer_of(study))
    trials, rows, words = ANSWERS[study]
    assert (answer.study, answer.trials, len(answer.rows)) == (study, trials, rows)
    assert words in answer.sentence
    assert answer.about.claim == ABOUT[study].claim
    text = sections.markdown(answer)
    console = Console(width=200, record=True, file=io.StringIO())
    sections.to_terminal(answer, console)
    printed = console.export_text()
    for cell in (*answer.table.header, *answer.table.rows[0]):
        assert all(word in printed for word in cell.split())
    assert f"### {answer.title}" in text
    section = sections.section_of(STUDIES[study], answer, answer_of(study))
    assert section.svg.startswith("<svg")
    assert section.title in section.alt


def test_the_claims_are_judged_by_the_answers(here):
    answers = {study: saved.read(answer_of(study)) for study in ANSWERS}
    rulings = [
        claims_page.judged(claim, answers[claim.study])
        for claim in CLAIMS
        if claim.study in answers
    ]
    assert {ruling.study for ruling in rulings} == set(ANSWERS)
    assert {r.claim for r in rulings if r.verdict == "supported"} == {
        "LSTM hides part of its memory, GRU shows its whole state.",
        "Gates keep long-range dependencies.",
        "LSTM has the most parameters, GRU fewer, SimpleRNN fewest.",
    }
    [fast] = [r.evidence for r in rulings if r.study == "convergence"]
    assert "to a validation loss of " in fast
    assert " 1.42 times" in fast


# Files of options -------------------------------------------------------------------


class HeardError(RunError):
    """Stands for the work, of which only what was asked matters here."""


@contextlib.contextmanager
def heard(monkeypatch, workflow: object, function: str):
    """Gives a list that will hold what a function of a workflow was asked."""
    arguments: list[object] = []

    def listen(*given: object, cluster: object = None) -> None:
        arguments.extend(given)
        raise HeardError("that will do")

    monkeypatch.setattr(workflow, function, listen)
    yield arguments
    assert arguments


def settings_of(asked_for: config.RunConfig) -> dict[str, object]:
    """Returns all settings by name, the source by the name of its option."""
    parts = config.to_dict(asked_for).values()
    values = {key: value for part in parts for key, value in part.items()}
    return values | {"data": values.pop("source")}


def test_every_setting_of_a_config_file_is_taken(here, monkeypatch):
    with heard(monkeypatch, training, "train_run") as given:
        assert "that will do" in invoke("train", "--config=train.toml").output
    found, target = settings_of(given[0]), given[1]
    written = tomllib.loads(Path("train.toml").read_text("utf-8"))
    written = {key.replace("-", "_"): value for key, value in written.items()}
    later = (
        "columns", "labels_separator", "group_column", "resample", "fold", "tokens",
        "predict_length",
        "freeze_embedding", "baseline", "activation", "recurrent_init",
        "recurrent_scale", "forget_bias", "update_bias", "chrono",
        "grow_word_dropout", "teach", "optimizer", "taught", "vectors", "init_from",
        "pretrain", "digest",
    )  # fmt: skip
    assert {name: written[name] for name in found if name in written} == {
        name: value for name, value in found.items() if name not in later
    }
    usual = settings_of(config.RunConfig())
    unchanged = [name for name in found if found[name] == usual[name]]
    assert unchanged == list(later)
    assert (target.name, target.overwrite, target.fresh) == ("mine", True, True)
    assert (target.models, target.cache) == (Path("my-models"), Path("my-cache"))


def test_the_settings_of_a_comparison_are_taken_from_a_config_file(here, monkeypatch):
    with heard(monkeypatch, comparing, "compare_twins") as given:
        assert "that will do" in invoke("compare", "--config=compare.toml").output
    design, jobs = given[0], given[3]
    assert design.config.data.columns == "label,text"
    assert (design.cells, design.seeds) == (("none", "rnn", "gru"), (0, 1, 2, 3))
    assert (design.match, design.tune, jobs) == ("parameters", 5, 2)
