"""`SequenceClassifier`: as scikit-learn wants it, and as the command line trains."""

from __future__ import annotations

import dataclasses
import json
import pickle
import pickletools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import invoke, reviews, run_cli, seal, write_csv
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, get_tags

from seqclf import Classifier, Run, SequenceClassifier, train
from seqclf.config import ModelConfig, StartConfig, TextConfig, TrainingConfig
from seqclf.errors import InputError, ParameterError, RunError

TINY = {
    "units": 8, "embedding_size": 8, "epochs": 2, "batch_size": 16, "min_count": 1,
    "learning_rate": 0.02, "random_state": 0,
}  # fmt: skip
TINIEST = {
    "cell": "none", "embedding_size": 4, "epochs": 1, "min_count": 1, "max_length": 8
}  # fmt: skip
TEXTS, LABELS = map(list, zip(*reviews(160), strict=True))
STRANGE = ["", "a good film", "<br/>", "word " * 3000, "film 🎬 电影", "\x00"]
PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")


@pytest.fixture(scope="module")
def fitted() -> SequenceClassifier:
    """One that was fitted; read only."""
    return SequenceClassifier("gru", bidirectional=False, **TINY).fit(TEXTS, LABELS)


def test_parameters_have_the_defaults_of_the_settings():
    parameters = SequenceClassifier().get_params()
    # It has no unlabelled texts to be taught with; a digest is no setting.
    others = ("seed", "baseline", "teach", "taught", "digest")
    for config in (TextConfig(), ModelConfig(), TrainingConfig(), StartConfig()):
        for name, value in dataclasses.asdict(config).items():
            if name not in others:
                assert parameters.pop(name) == value, name
    assert parameters == {"validation_fraction": 0.1, "random_state": None}


def test_only_the_cell_may_be_given_without_its_name():
    assert SequenceClassifier("rnn").cell == "rnn"
    with pytest.raises(TypeError, match="positional"):
        SequenceClassifier("rnn", 8)


def test_its_text_names_what_is_not_a_default():
    text = repr(SequenceClassifier("rnn", units=8))
    assert text == "SequenceClassifier(cell='rnn', units=8)"


def test_it_says_that_it_takes_texts():
    tags = get_tags(SequenceClassifier())
    assert (tags.input_tags.string, tags.input_tags.one_d_array) == (True, True)
    assert not tags.input_tags.two_d_array
    assert tags.estimator_type == "classifier"
    assert tags.target_tags.required


def test_probabilities_are_those_of_the_classes(fitted):
    probabilities = fitted.predict_proba(STRANGE)
    assert probabilities.shape == (len(STRANGE), 2)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    best = fitted.classes_[probabilities.argmax(axis=1)]
    assert fitted.predict(STRANGE).tolist() == best.tolist()
    assert fitted.predict_proba([]).shape == (0, 2)
    accuracy = np.mean(fitted.predict(TEXTS) == np.array(LABELS))
    assert fitted.score(TEXTS, LABELS) == accuracy


def test_it_learns(tmp_path):
    given = TINY | {"epochs": 12, "dropout_rate": 0.0, "word_dropout_rate": 0.0}
    model = SequenceClassifier("none", **given).fit(TEXTS, LABELS)
    new_texts, new_labels = zip(*reviews(80, start=160), strict=True)
    assert model.score(new_texts, new_labels) > 0.9
    epochs = [record.epoch for record in model.history_]
    assert epochs == list(range(1, len(epochs) + 1))


@pytest.mark.slow
def test_a_convolution_is_fitted_saved_and_read_again(tmp_path):
    given = TINIEST | {"random_state": 0}
    plain = SequenceClassifier(**given).fit(TEXTS, LABELS)
    model = SequenceClassifier(**given, conv_width=np.int64(2)).fit(TEXTS, LABELS)
    expected = model.predict_proba(STRANGE)
    assert not np.allclose(plain.predict_proba(STRANGE), expected)
    assert model.save(tmp_path / "saved").config.model.conv_width == 2
    again = SequenceClassifier.load(tmp_path / "saved")
    assert again.conv_width == 2
    np.testing.assert_array_equal(again.predict_proba(STRANGE), expected)


def test_a_convolution_of_half_a_token_is_refused():
    with pytest.raises(ParameterError, match="conv_width must be of type int"):
        SequenceClassifier(conv_width=2.5).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    "given",
    [np.array, lambda texts: np.array(texts, object), pd.Series, tuple, pa.array,
     lambda texts: pd.Series(texts, index=range(9, 9 + len(texts))),
     lambda texts: pa.chunked_array([texts[:2], texts[2:]]), iter],
)  # fmt: skip
def test_texts_may_come_in_any_sequence(given, fitted):
    expected = fitted.predict_proba(STRANGE[:5])
    assert np.array_equal(fitted.predict_proba(given(STRANGE[:5])), expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("one text", "must be a sequence of texts, got 'one text' (str)"),
        (7, "must be a sequence of texts, got 7 (int)"),
        ({"text": ["a"]}, "must be a sequence of texts"),
        (pd.DataFrame({"text": ["a"]}), "got shape (1, 1); name one column"),
        (np.zeros((3, 2)), "got shape (3, 2)"),
        (["a", None], "row 1 (from 0) is None (NoneType); write ''"),
        (["a", float("nan")], "row 1 (from 0) is nan (float)"),
        ([b"bytes"], "row 0 (from 0) is b'bytes' (bytes)"),
        (["a", "b\ud800"], "row 1 (from 0): half a character"),
    ],
)
def test_what_is_no_text_is_refused_by_row(given, message, fitted):
    for method in (fitted.predict, fitted.predict_proba):
        with pytest.raises(InputError, match=re.escape(message)) as caught:
            method(given)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(InputError, match=re.escape(message)):
        SequenceClassifier().fit(given, ["a", "b"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (["a"] * 4, "y has one class, 'a'"),
        ([], "y has no labels"),
        (["a", "b", None, "a"], r"row 2 \(from 0\): None is no label"),
        (np.array([1, "b", 2, "a"], object), "y mixes int, str"),
        ([0.5, 0.25, 0.1, 0.2], "continuous"),
        (["a", "b", "a"], "inconsistent numbers of samples"),
        (["a", "a", "a", "b"], "the rarest, 'b', has 1"),
        ([[0, 1], [1, 0], [0, 1], [1, 0]], "1d array"),
        ([["a"], ["a", "b"], [], ["b"]], "1d array, a label a text, and holds lists"),
    ],
)
def test_what_are_no_labels_is_refused(labels, message):
    texts = ["good", "bad", "fine", "dull"]
    with pytest.raises(ValueError, match=message):
        SequenceClassifier().fit(texts, labels)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"cell": "lstn"}, "did you mean 'lstm'"),
        ({"units": 0}, "units must be a whole number of at least 1"),
        ({"units": 8.0}, "units must be of type int, got 8.0"),
        ({"bidirectional": 1}, "bidirectional must be of type bool"),
        ({"validation_fraction": 1.0}, "validation_fraction must be"),
        ({"random_state": -1}, "random_state must be"),
        ({"random_state": "x"}, "random_state must be a whole number"),
    ],
)
def test_wrong_parameters_are_refused_in_fit_and_not_before(parameters, message):
    model = SequenceClassifier(**parameters)
    with pytest.raises(ParameterError, match=message) as caught:
        model.fit(TEXTS, LABELS)
    assert isinstance(caught.value, ValueError)
    assert not hasattr(model, "classes_")


def test_before_fit_it_says_that_it_is_not_fitted(tmp_path):
    for call in ("predict", "predict_proba", "save"):
        with pytest.raises(NotFittedError):
            getattr(SequenceClassifier(), call)(TEXTS)


def test_a_copy_is_not_fitted_and_a_pickle_is(fitted):
    assert not hasattr(clone(fitted), "classes_")
    assert clone(fitted).get_params() == fitted.get_params()
    fitted.predict(["opened"])
    again = pickle.loads(pickle.dumps(fitted))
    expected = fitted.predict_proba(STRANGE)
    assert np.array_equal(again.predict_proba(STRANGE), expected)


def test_its_pickle_holds_plain_values_and_no_library_of_models(fitted):
    fitted.predict(["opened"])
    names = [
        str(argument)
        for _, argument, _ in pickletools.genops(pickle.dumps(fitted))
        if isinstance(argument, str) and len(argument) < 200
    ]
    assert "seqclf.estimator.estimator" in names
    for library in ("keras", "tensorflow", "onnxruntime", "pyarrow"):
        # `keras` and `onnx` are also the names of two fields that hold bytes.
        assert not [n for n in names if n.startswith(f"{library}.")], library


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory) -> Run:
    return fitted.save(tmp_path_factory.mktemp("saved") / "mine")


def test_what_is_saved_predicts_the_same_in_every_way(saved, fitted):
    expected = fitted.predict_proba(TEXTS + STRANGE)
    loaded = SequenceClassifier.load(saved.path)
    assert loaded.get_params() == fitted.get_params()
    assert loaded.history_ == fitted.history_
    assert np.array_equal(loaded.predict_proba(TEXTS + STRANGE), expected)
    by_the_run = Classifier.open(saved).predict_proba(TEXTS + STRANGE)
    np.testing.assert_allclose(by_the_run, expected, rtol=0, atol=1e-6)
    by_keras = dataclasses.replace(loaded._trained, onnx=None).classifier
    np.testing.assert_allclose(by_keras.predict_proba(TEXTS), expected[:160], atol=1e-5)


def test_what_is_saved_is_a_run_without_pickles(saved):
    found = {path.name for path in saved.path.iterdir()}
    assert found == {
        "complete", "config.json", "dataset.json", "estimator.json", "history.jsonl",
        "labels.txt", "model.keras", "model.onnx", "predictions", "tokenizer.json",
        "seqclf.json", "vocabulary.txt",
    }  # fmt: skip
    assert saved.labels == ("bad", "good")
    assert saved.dataset.sizes == {"train": 144, "validation": 16}
    done = run_cli(["predict", f"--run={saved.path}", "--json", "fine"], saved.path)
    assert "mine, saved from Python" in done.stderr
    assert set(json.loads(done.stdout)["probabilities"]) == {"bad", "good"}


def test_a_saved_one_stands_among_runs_and_comparisons(saved, finished_run, tmp_path):
    shutil.copytree(saved.path, tmp_path / "mine")
    shutil.copytree(finished_run.path, tmp_path / "run")
    comparison = tmp_path / "compared"
    comparison.mkdir()
    for file in ("question.json", "comparison.json", "details.json"):
        (comparison / file).write_text("{}")
    seal(comparison, command="compare")

    def runs(*arguments):
        return invoke("runs", *arguments, f"--models-dir={tmp_path}")

    listed = json.loads(runs("list", "--json").stdout)
    assert [(one["run"], one["finished"]) for one in listed] == [
        ("mine", True), ("run", True)
    ]  # fmt: skip
    assert [sorted({"accuracy", "error"} & set(one)) for one in listed] == [
        [], ["accuracy"]
    ]  # fmt: skip
    assert "damaged" not in runs("list").stdout
    shown = runs("show", "mine")
    assert shown.exit_code == 0, shown.output
    assert "mine: saved from Python, without scores" in shown.stdout
    values = json.loads(runs("show", "mine", "--json").stdout)
    assert values["metrics"] is values["environment"] is None
    assert len(values["history"]) == len(saved.history)
    for command in (["export", "mine", "--format=onnx"],
                    ["compare", "mine", "run"]):  # fmt: skip
        refused = invoke(*command, f"--models-dir={tmp_path}")
        assert refused.exit_code == 1, refused.output
        assert "without scores; take a run of" in " ".join(refused.stderr.split())


def test_a_saved_one_predicts_without_keras(saved):
    code = (
        "import sys\n"
        "from seqclf import SequenceClassifier\n"
        "print(SequenceClassifier.load(sys.argv[1]).predict(['a good film'])[0])\n"
        "print({'keras', 'tensorflow'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, saved.path],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    label, loaded = done.stdout.split()
    assert label in ("bad", "good")
    assert loaded == "set()"


def test_any_run_can_be_loaded(finished_run):
    model = SequenceClassifier.load(finished_run.path)
    assert model.get_params() == SequenceClassifier("gru", **TINY).get_params()
    expected = Classifier.open(finished_run).predict_proba(STRANGE)
    assert np.array_equal(model.predict_proba(STRANGE), expected)
    assert model.predict(["fine"])[0] in ("bad", "good")


def test_nothing_is_saved_over_what_is_there(fitted, tmp_path):
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "monday.txt").write_text("sunny")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="no saved classifier"):
            fitted.save(tmp_path / "diary", overwrite)
    assert (tmp_path / "diary" / "monday.txt").read_text() == "sunny"
    fitted.save(tmp_path / "deep" / "mine")
    with pytest.raises(RunError, match="overwrite=True"):
        fitted.save(tmp_path / "deep" / "mine")
    fitted.save(tmp_path / "deep" / "mine", overwrite=True)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["mine"]


def test_it_is_saved_where_a_path_leads_and_never_through_a_link(
    fitted, tmp_path, monkeypatch
):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    fitted.save(".")
    assert SequenceClassifier.load(tmp_path / "empty").classes_.tolist()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(RunError, match="link is a link"):
        fitted.save(tmp_path / "link")


@pytest.mark.parametrize("seed", [-1, 2**31, "a", 1.5])
def test_a_random_state_that_is_no_seed_is_refused_by_its_name(seed):
    with pytest.raises(ParameterError, match="^random_state must be"):
        SequenceClassifier(random_state=seed).fit(["a", "b"] * 4, [0, 1] * 4)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [({"vectors": "missing.txt"}, "missing.txt; vectors takes"),
     ({"init_from": "nosuch"}, "'nosuch'")],
)  # fmt: skip
def test_a_file_or_run_that_is_not_there_is_a_wrong_parameter(
    parameters, said, tmp_path, monkeypatch
):
    monkeypatch.setenv("SEQCLF_MODELS", str(tmp_path / "own"))
    with pytest.raises(ParameterError, match=said) as caught:
        SequenceClassifier(min_count=1, **parameters).fit(["a", "b"] * 9, [0, 1] * 9)
    assert "init_from" not in parameters or str(tmp_path / "own") in str(caught.value)


def test_labels_that_are_no_sequence_are_refused():
    with pytest.raises(ValueError, match="1d array"):
        SequenceClassifier().fit(["a", "b"], 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["bad", "worse"]}, "not the labels of the run"),
        ({"dtype": "O,O"}, "classes of type O,O"),
        ({"dtype": "<M8[s]"}, "classes of type"),
        ({"parameters": {"cel": "gru"}}, "unknown parameter 'cel'; did you mean"),
        ({"parameters": [1]}, "is damaged"),
    ],
)
def test_a_damaged_file_is_named(change, message, fitted, tmp_path):
    file = fitted.save(tmp_path / "mine").path / "estimator.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    seal(file.parent)
    with pytest.raises(RunError, match=re.escape(message)):
        SequenceClassifier.load(tmp_path / "mine")


@pytest.mark.slow
@pytest.mark.parametrize(
    "classes",
    [[3, 5], [-1.0, 2.5e3], [False, True], ["ja", "nein"], ["b", "ä", "c"],
     np.array([1, 2], np.int8), pd.Series(["x", "y"], dtype="category")],
)  # fmt: skip
def test_labels_come_back_in_the_type_they_came_in(classes, tmp_path):
    labels = np.asarray(classes)[np.arange(60) % len(classes)]
    given = pd.Series(labels) if isinstance(classes, pd.Series) else labels
    model = SequenceClassifier(**TINIEST, random_state=1).fit(TEXTS[:60], given)
    loaded = SequenceClassifier.load(model.save(tmp_path / "mine").path)
    for one in (model, loaded):
        assert one.classes_.dtype == labels.dtype
        assert one.classes_.tolist() == sorted(np.asarray(classes).tolist())
        predicted = one.predict(TEXTS)
        assert predicted.dtype == labels.dtype
        assert set(predicted.tolist()) <= set(labels.tolist())


@pytest.mark.slow
def test_labels_that_a_file_cannot_hold_are_not_saved(tmp_path):
    labels = ["a\nb", "c"] * 20
    model = SequenceClassifier(**TINIEST).fit(TEXTS[:40], labels)
    with pytest.raises(InputError, match="not one line"):
        model.save(tmp_path / "mine")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["none", "rnn", "gru", "lstm"])
def test_the_same_seed_gives_the_same_bits(cell):
    def probabilities(random_state):
        given = TINY | {"random_state": random_state}
        return SequenceClassifier(cell, **given).fit(TEXTS, LABELS).predict_proba(TEXTS)

    first = probabilities(7)
    assert np.array_equal(probabilities(7), first)
    assert np.array_equal(probabilities(np.int64(7)), first)
    assert not np.array_equal(probabilities(8), first)


@pytest.mark.slow
def test_a_random_state_is_drawn_from_and_saved_as_the_seed_it_gave(tmp_path):
    state = np.random.RandomState(5)
    model = SequenceClassifier(**TINIEST, random_state=state).fit(TEXTS, LABELS)
    assert model.random_state is state
    loaded = SequenceClassifier.load(model.save(tmp_path / "mine").path)
    seed = int(np.random.RandomState(5).randint(np.iinfo(np.int32).max))
    assert loaded.random_state == seed
    again = clone(loaded).fit(TEXTS, LABELS)
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))


@pytest.mark.slow
def test_it_trains_what_the_command_line_trains(tmp_path):
    # Equal rows, hold-out and seed, and labels in equal order: an equal run.
    (tmp_path / "reviews").mkdir()
    write_csv(tmp_path / "reviews" / "train.csv", reviews(160))
    write_csv(tmp_path / "reviews" / "test.csv", reviews(20, start=160))
    settings = {key: TINY[key] for key in TINY if key != "random_state"}
    run = train(
        tmp_path / "reviews", cell="lstm", models_dir=tmp_path / "models",
        cache_dir=tmp_path / "cache", **settings,
    )  # fmt: skip
    model = SequenceClassifier("lstm", **TINY).fit(TEXTS, LABELS)
    assert run.labels == tuple(model.classes_)
    expected = Classifier.open(run).predict_proba(TEXTS)
    np.testing.assert_allclose(model.predict_proba(TEXTS), expected, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_it_works_where_classifiers_of_scikit_learn_do():
    model = SequenceClassifier(**TINIEST, random_state=0)
    scores = cross_val_score(model, TEXTS, LABELS, cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    pipeline = make_pipeline(FunctionTransformer(first_words), model)
    search = GridSearchCV(
        pipeline,
        {"sequenceclassifier__embedding_size": np.array([2, 4])},
        cv=2,
        n_jobs=2,
        error_score="raise",
        scoring=["accuracy", "neg_log_loss"],
        refit="neg_log_loss",
    ).fit(np.array(TEXTS), LABELS)
    assert search.best_params_["sequenceclassifier__embedding_size"] in (2, 4)
    assert np.isfinite(search.cv_results_["mean_test_neg_log_loss"]).all()
    assert set(search.predict(TEXTS)) <= {"bad", "good"}
    # What ran side by side, and was sent there, gives what it gives here.
    alone = cross_val_score(pipeline, np.array(TEXTS), LABELS, cv=2)
    rows = search.cv_results_["param_sequenceclassifier__embedding_size"] == 4
    together = [search.cv_results_[f"split{i}_test_accuracy"][rows][0] for i in (0, 1)]
    assert alone.tolist() == together


def first_words(texts):
    return [" ".join(text.split()[:5]) for text in texts]


class InWords(SequenceClassifier):
    """Takes matrices, as the checks of scikit-learn give them: a row is a text."""

    def fit(self, X, y):  # noqa: N803 -- scikit-learn's name
        return super().fit(words(X), y)

    def predict_proba(self, X):  # noqa: N803
        return super().predict_proba(words(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True  # or the checks give single numbers
        tags.input_tags.string = tags.input_tags.one_d_array = False
        return tags


def words(rows):
    return [
        " ".join(f"{'abcdef'[i % 6]}{value:.0f}" for i, value in enumerate(row))
        for row in np.asarray(rows, float)
    ]


def named(place: str) -> list[str]:
    """Returns the checks that the page says are run."""
    part = PAGE.split(f"<!-- {place} -->")[1].split(f"<!-- /{place} -->")[0]
    return re.findall(r"`(check_\w+)`", part)


def test_the_page_names_checks_of_scikit_learn_once():
    names = re.findall(r"`(check_\w+)`", PAGE)
    assert len(set(names)) == len(names) > 40
    for name in names:
        assert callable(getattr(estimator_checks, name))


@pytest.mark.parametrize("check", named("checks as it is"))
def test_it_passes_scikit_learn_s_checks_as_it_is(check):
    getattr(estimator_checks, check)("SequenceClassifier", SequenceClassifier())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize("check", named("checks in words"))
def test_it_passes_scikit_learn_s_checks_in_words(check):
    getattr(estimator_checks, check)("InWords", InWords(**TINIEST))


@pytest.mark.slow
def test_the_checks_in_words_can_fail():
    class Forgetful(InWords):
        def predict_proba(self, X):  # noqa: N803
            self.seen = len(X)
            return super().predict_proba(X)

    with pytest.raises(AssertionError, match="changes __dict__ during predict"):
        estimator_checks.check_dict_unchanged("Forgetful", Forgetful(**TINIEST))
