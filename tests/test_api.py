"""The functions that `import seqclf` gives, and the page about them."""

from __future__ import annotations

import dataclasses
import inspect
import json
import logging
import re
import shutil
import subprocess
import sys
import typing
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import TINY, invoke, reviews, run_cli, seal, write_csv
from test_docs import click_command

import seqclf
from seqclf import (
    Classifier,
    Comparison,
    Run,
    check,
    compare,
    compare_runs,
    load_dataset,
    train,
)
from seqclf import config as settings
from seqclf.api import Logged
from seqclf.config import RunConfig, TrainingConfig
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.keywords import Training, as_options, fields, to_config
from seqclf.records.reading import Reading
from seqclf.records.training import EpochEnded
from seqclf.steps import Target
from seqclf.workflows import predict as workflow
from seqclf.workflows.evaluate import evaluate_run
from seqclf.workflows.study import question_of, run_study

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "python.md"
OF_THE_SCREEN = {
    "json", "markdown", "csv", "tables", "quiet", "config_file", "help"
}  # fmt: skip


@pytest.mark.parametrize(
    ("function", "command"),
    [
        (train, "train"),
        (compare, "compare"),
        (load_dataset, "data show"),
        (check, "data check"),
    ],
)
def test_keywords_are_the_options_with_their_defaults(function, command):
    options = {
        p.name: p for p in click_command(command).params if p.name not in OF_THE_SCREEN
    }
    keywords = inspect.signature(function).parameters
    if command == "data show":  # it also encodes
        names = {"source", *keywords} - {"data"}
        of_text = {name for name, _, _, part in fields() if part == "text"}
        assert set(options) - of_text == names
    elif command == "data check":  # copies of a text would vouch for each other
        names = {"source", "resample", *options} - {"most"}
        assert names == {"source", *keywords} - {"data"}
    else:
        assert set(options) - {"paths", "pool"} == set(keywords) - {"on_report"}
    for name, keyword in keywords.items():
        if name in options and name not in ("models_dir", "cache_dir", "paths"):
            assert options[name].default == keyword.default, name


def test_types_of_keywords_are_those_of_the_settings():
    hints = typing.get_type_hints(Training)
    for name, _, kind, _ in fields():
        assert name == "data" or hints[name] == kind, name


def test_options_and_settings_are_each_other():
    config = to_config({"data": "x.csv", "units": 7, "bidirectional": False, "seed": 3})
    assert as_options(config) == [
        "--data", "x.csv", "--units", "7", "--no-bidirectional", "--seed", "3"
    ]  # fmt: skip
    assert settings.differences(config, RunConfig()) == [
        "model.units: 7, 128",
        "model.bidirectional: False, True",
        "training.seed: 3, 0",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": 3}, "unknown setting 'unit'; did you mean 'units'"),
        ({"units": "8"}, "units must be of type int, got '8'"),
        ({"cell": "lstn"}, "did you mean 'lstm'"),
        ({"overwrite": True}, "overwrite=True replaces what stands under name"),
        ({"cell": "none", "units": 64}, "units does nothing without recurrence"),
        ({"name": "a/b"}, "name takes letters"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_done(options, message, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(message)):
        train(models_dir=tmp_path / "m", cache_dir=tmp_path / "c", **options)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds must be"),
        ({"jobs": 0}, "jobs must be"),
        ({"cells": ["rnn", "cnn"]}, "unknown cell 'cnn'"),
        ({"cell": "gru"}, "unknown setting 'cell'"),
        ({"match": "width"}, "unknown match='width'"),
    ],
)
def test_wrong_comparisons_are_refused(options, message, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(message)):
        compare(models_dir=tmp_path / "m", cache_dir=tmp_path / "c", **options)
    assert not list(tmp_path.iterdir())


def test_a_data_set_is_loaded_with_all_splits(tmp_path):
    file = write_csv(tmp_path / "reviews.csv", reviews(100))
    dataset = load_dataset(file, test_fraction=0.1, limit=50)
    sizes = {name: table.num_rows for name, table in dataset.splits.items()}
    assert sizes == {"train": 50, "validation": 9, "test": 10}
    assert dataset.labels == ("bad", "good")
    with pytest.raises(DataError, match="no file or folder"):
        load_dataset(tmp_path / "nothing.csv")
    with pytest.raises(ConfigError, match="unknown setting 'units'"):
        load_dataset(file, units=8)


def options_of(arguments: list[str]) -> dict[str, object]:
    """Returns keywords for options such as `--batch-size=16`."""
    pairs = [argument.removeprefix("--").split("=") for argument in arguments]
    return {name.replace("-", "_"): json.loads(value) for name, value in pairs}


def test_a_run_of_the_command_line_is_reused_by_python(
    workplace, finished_run, tmp_path, monkeypatch, caplog
):
    shutil.copytree(workplace / "models", tmp_path / "models")
    monkeypatch.setenv("SEQCLF_MODELS", str(tmp_path / "models"))
    with caplog.at_level(logging.INFO, "seqclf"):
        run = train(
            workplace / "reviews", cell="gru", cache_dir=tmp_path, **options_of(TINY)
        )
    assert run.path == tmp_path / "models" / finished_run.name
    assert "is finished with these settings and data: reused" in caplog.text
    assert run.metrics == finished_run.metrics


def test_a_run_is_opened_by_itself_its_path_its_name_or_as_the_newest(
    finished_run, monkeypatch, caplog
):
    texts = ["a good film", "", "a bad meal"]
    expected = Classifier.open(finished_run).predict_proba(texts)
    models = finished_run.path.parent
    opened = [
        Classifier.open(finished_run.path),
        Classifier.open(str(finished_run.path)),
        Classifier.open(finished_run.name, models),
    ]
    with caplog.at_level(logging.INFO, "seqclf"):
        opened.append(Classifier.open(models_dir=models))
    assert f"opened: {finished_run.path}" in caplog.text
    monkeypatch.setenv("SEQCLF_MODELS", str(models))
    opened += [Classifier.open(), Classifier.open(finished_run.name)]
    for classifier in opened:
        assert np.array_equal(classifier.predict_proba(texts), expected)
    labels = [("bad", "good")[label_id] for label_id in expected.argmax(axis=1)]
    assert opened[0].predict(texts) == labels
    assert opened[0].predict([]) == []


def test_what_cannot_be_opened_is_named(finished_run, tmp_path):
    with pytest.raises(RunError, match=r"unknown run .reviews-gru-1.*did you mean"):
        Classifier.open("reviews-gru-1", finished_run.path.parent)
    with pytest.raises(RunError, match="no run to predict with"):
        Classifier.open(models_dir=tmp_path)


def test_one_text_is_not_taken_for_its_letters(finished_run):
    with pytest.raises(DataError, match=r"a list of texts; write \['fine'\]"):
        Classifier.open(finished_run).predict_proba("fine")


@pytest.fixture
def saved(finished_run, tmp_path):
    """A comparison of one run, in a folder that was moved since."""
    from seqclf.comparison.rows import compare_runs as rows_of
    from seqclf.records.plain import to_plain
    from seqclf.storage import write_json

    shutil.copytree(finished_run.path, tmp_path / finished_run.name)
    result = to_plain(rows_of([finished_run]))
    (tmp_path / "mine").mkdir()
    write_json(tmp_path / "mine" / "comparison.json", result)
    seal(tmp_path / "mine", command="compare")
    return Comparison.open("mine", tmp_path)


def test_what_is_no_comparison_is_refused_by_what_it_is(finished_run, tmp_path):
    with pytest.raises(RunError, match="no comparison 'nosuch'; there is none in"):
        Comparison.open("nosuch", tmp_path)
    with pytest.raises(RunError, match=f"{finished_run.name} is no comparison"):
        Comparison.open(finished_run.path)


def test_a_comparison_is_read_and_shown(saved, finished_run, tmp_path):
    assert saved == Comparison.open(tmp_path / "mine")
    assert [row.name for row in saved.rows] == ["gru"]
    assert saved.verdict
    assert saved.verdict in saved._repr_markdown_()
    assert "| gru |" in saved.markdown()
    assert [run.path for run in saved.runs] == [tmp_path / finished_run.name]
    assert (saved.missing, saved.report) == ({}, None)
    (saved.path / "report.html").touch()
    assert saved.report == saved.path / "report.html"


def test_a_comparison_shows_itself_in_a_notebook(saved, tmp_path):
    shown = saved._repr_html_()
    tree = ElementTree.fromstring(shown)  # well-formed
    assert saved.verdict in "".join(tree.itertext())
    assert [one.tag for one in tree.iter() if one.tag.endswith("}svg")]
    first = next(tree.iter("table"))
    assert [cell.text for cell in next(first.iter("tbody")).iter("th")] == ["gru"]
    assert not [one for one in tree.iter() if one.tag in ("script", "style", "link")]
    ids = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) > 1
    other = Comparison(dataclasses.replace(saved.result, verdict="another"))
    assert not [one for one in ids if f'id="{one}"' in other._repr_html_()]
    assert {"accuracies", "costs"} <= set(saved.figures)
    drawn = saved.figures["accuracies"]
    assert ElementTree.fromstring(drawn._repr_svg_()).tag.endswith("svg")
    drawn.save(tmp_path / "drawn.svg")
    assert (tmp_path / "drawn.svg").read_text("utf-8") == drawn.svg


def test_a_run_shows_itself_in_a_notebook(finished_run, tmp_path):
    tree = ElementTree.fromstring(finished_run._repr_html_())
    said = [cell.text for row in tree.iter("tr") for cell in row]
    test = finished_run.metrics["test"]
    at = said.index("test")
    assert said[at : at + 3] == [
        "test", f"{test.n:,}", f"{100 * test.accuracy:.1f}"
    ]  # fmt: skip
    assert f"gru on {finished_run.dataset.name}" in "".join(tree.itertext())
    nothing = Run(tmp_path / "<none>")
    nothing.path.mkdir()
    assert "&lt;none&gt;</strong>, unfinished" in nothing._repr_html_()


def test_runs_are_compared_two_at_least(finished_run):
    with pytest.raises(ConfigError, match="two runs or more, got 1"):
        compare_runs(finished_run)
    with pytest.raises(RunError, match="the same training"):
        compare_runs(finished_run, finished_run.path)


def blocks(page: Path = PAGE) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.S | re.M)


def run_script(blocks: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs blocks as one script, without `if __name__ == "__main__"`."""
    write_csv(folder / "reviews.csv", reviews(160))
    (folder / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "page.py"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_the_blocks_of_the_page_run_one_after_the_other(tmp_path):
    done = run_script(blocks(), tmp_path)
    assert "did you mean 'lstm'" in done.stdout
    assert re.search(r"^reviews-rnn-0 2 0\.\d+$", done.stdout, re.M)
    assert "INFO:seqclf:reviews-rnn-0  epoch 2/2" in done.stderr
    told = run_cli(["predict", "--run=my-classifier", "--json", "fine"], tmp_path)
    assert "my-classifier, saved from Python" in told.stderr
    assert json.loads(told.stdout)["label"] in ("bad", "good")


def test_the_page_has_blocks_and_shows_every_name():
    assert len(blocks()) >= 10
    for name in set(seqclf.__all__) - {"Run"}:
        assert name in PAGE.read_text("utf-8"), name


@pytest.mark.slow
def test_python_and_the_command_line_make_the_same_run(tmp_path):
    write_csv(tmp_path / "reviews.csv", reviews(160))
    data = tmp_path / "reviews.csv"
    done = run_cli(["train", "--cell=rnn", "--data=reviews.csv", *TINY], tmp_path)
    assert done.returncode == 0, done.stderr
    reports = []
    run = train(
        data,
        cell="rnn",
        models_dir=tmp_path / "m",
        cache_dir=tmp_path / "c",
        on_report=lambda *report: reports.append(report),
        **options_of(TINY),
    )
    theirs = seqclf.Run(tmp_path / "models" / "reviews-rnn-0")
    assert run.name == theirs.name
    assert run.metrics == theirs.metrics
    ours, others = run.predictions("test"), theirs.predictions("test")
    assert np.array_equal(ours.probabilities, others.probabilities)
    epochs = [r.record.epoch for name, r in reports if isinstance(r, EpochEnded)]
    assert epochs == [1, 2]
    assert {name for name, _ in reports} == {run.name}


@pytest.mark.slow
def test_a_failed_training_is_raised_and_in_a_comparison_missing(tmp_path, caplog):
    data = write_csv(tmp_path / "reviews.csv", reviews(160))
    places = {"models_dir": tmp_path / "m", "cache_dir": tmp_path / "c"}
    running_away = options_of(TINY) | {
        "learning_rate": 1e30, "clip_norm": 1e30, "warmup_fraction": 0.0
    }  # fmt: skip
    with pytest.raises(seqclf.SeqclfError, match="the loss is not a number"):
        train(data, cell="rnn", **places, **running_away)
    with pytest.raises(RunError, match="no training was finished"):
        compare(data, cells="rnn", seeds=1, **places, **running_away)
    assert TrainingConfig().learning_rate < 1  # the defaults are as they were


# The workflows of the other commands ------------------------------------------------


def test_files_are_classified_from_python_as_on_the_command_line(
    workplace, finished_run, tmp_path, caplog
):
    write_csv(tmp_path / "new.csv", reviews(20, start=300))
    file = tmp_path / "new.csv"
    opened = workflow.open_files(finished_run, file, Reading(), Logged())
    mine, theirs = tmp_path / "mine.csv", tmp_path / "theirs.csv"
    with caplog.at_level(logging.INFO, "seqclf"):
        workflow.write_classified(finished_run, opened, mine, Logged())
    assert f"Written: {mine}, 20 rows" in caplog.text
    options = [f"--run={finished_run.path}", f"--input={tmp_path / 'new.csv'}"]
    assert invoke("predict", *options, f"--output={theirs}").exit_code == 0
    assert mine.read_bytes() == theirs.read_bytes()


def test_a_run_is_evaluated_from_python_as_on_the_command_line(
    workplace, finished_run, monkeypatch
):
    monkeypatch.chdir(workplace)
    found = evaluate_run(finished_run, Logged(), split="validation")
    said = invoke("evaluate", "reviews-gru-0", "--split=validation", "--json")
    assert json.loads(said.stdout)["accuracy"] == found.scores.accuracy


def test_the_workflow_of_a_study_refuses_what_the_command_refuses(tmp_path):
    target = Target(tmp_path / "models", tmp_path / "cache")
    with pytest.raises(ConfigError, match="unknown study 'gradient'; did you mean"):
        run_study("gradient", question_of(RunConfig(), "gru", 1), target, Logged())
    question = question_of(RunConfig(), "gru", 1, range_test=True)
    with pytest.raises(ConfigError, match="is for the study sensitivity alone"):
        run_study("gates", question, target, Logged())
    assert not (tmp_path / "models").exists()
