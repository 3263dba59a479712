"""`compare --folds`: each part of the texts is tested on in turn."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import TINY, reviews, run_cli, seal, write_csv
from scipy.stats import t
from test_groups import films
from test_groups import write as write_films

from seqclf import config as settings
from seqclf import statistics
from seqclf.comparison import pairs
from seqclf.comparison.card import disagreements
from seqclf.comparison.design import Design, Limits
from seqclf.comparison.pool import find_finished, pooled
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.saved import DETAILS_FILE
from seqclf.config import DataConfig, RunConfig, TrainingConfig, fold_of
from seqclf.data.load import load_dataset
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.records.comparison import BY_FOLDS, BY_RANKS
from seqclf.runs import Run, open_any
from seqclf.runs.comparisons import read_comparison
from seqclf.storage import write_json
from seqclf.workflows.compare import design_of

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Two hundred reviews, all different, in one file: read only."""
    return write_csv(tmp_path_factory.mktemp("data") / "all.csv", reviews(200))


def parts(source: Path, folds: int, first: int = 1, **others: object) -> list[dict]:
    """Returns the texts by split of each part of a division into so many."""
    found = []
    for number in range(first, first + folds):
        asked = DataConfig(source=str(source), fold=f"{number}/{folds}", **others)
        dataset = load_dataset(asked)
        found.append({split: dataset.texts(split).to_pylist() for split in SPLITS})
    return found


def test_each_text_is_tested_on_once_by_models_that_did_not_see_it(file):
    every = parts(file, 4)
    tested = Counter(text for part in every for text in part["test"])
    assert len(tested) == 200
    assert set(tested.values()) == {1}
    for part in every:
        assert len(part["test"]) == 50
        seen = {*part["train"], *part["validation"]}
        assert len(seen) == 150
        assert not seen & {*part["test"]}


def test_parts_have_equal_shares_of_each_label(file):
    dataset = load_dataset(DataConfig(source=str(file), fold="2/5"))
    assert dataset.label_counts("test").tolist() == [20, 20]


def test_numbers_above_k_divide_anew(file):
    once, again = parts(file, 4), parts(file, 4, first=5)
    assert {*once[0]["test"]} not in [{*part["test"]} for part in again]
    assert len({text for part in again for text in part["test"]}) == 200
    other = parts(file, 4, split_seed=1)
    assert [part["test"] for part in other] == [part["test"] for part in again]


def test_no_group_is_on_both_sides(tmp_path):
    source = write_films(tmp_path / "films.csv", films(60))
    film_of = {text: film for text, _, film in films(60)}
    for part in parts(source, 3, group_column="film"):
        tested = {film_of[text] for text in part["test"]}
        assert tested
        assert not tested & {film_of[text] for text in part["train"]}


@pytest.mark.parametrize("text", ["3", "0/5", "3/1", "a/b", "1/5x", "-1/5", ""])
def test_what_is_no_fold_is_refused(text):
    with pytest.raises(ConfigError, match="--fold takes a part of two or more"):
        DataConfig(fold=text)
    assert fold_of("13/10") == (13, 10)


def test_a_test_split_of_the_source_would_be_left_out(workplace, file):
    with pytest.raises(ConfigError, match="has a test split: leave them out, or give"):
        load_dataset(DataConfig(source=str(workplace / "reviews"), fold="1/3"))
    with pytest.raises(ConfigError, match="a fold is tested on"):
        load_dataset(DataConfig(source=str(file), fold="1/3", test_fraction=0.3))
    with pytest.raises(ConfigError, match="--fold 1/3 and --resample 2 exclude"):
        DataConfig(fold="1/3", resample=2)
    with pytest.raises(DataError, match="no more than 100 rows of any label"):
        load_dataset(DataConfig(source=str(file), fold="1/101"))


# The estimate.


def test_the_estimate_is_nadeaus_and_bengios():
    # Mean 0.03; deviations 0.01, -0.01, 0.02, -0.02, 0: variance 0.001 / 4.
    values = [0.04, 0.02, 0.05, 0.01, 0.03]
    found = statistics.over_folds(values, 5)
    assert found.mean == pytest.approx(0.03)
    assert found.standard_error == pytest.approx(math.sqrt(0.00025 * (1 / 5 + 1 / 4)))
    reach = t.isf(0.025, 4) * found.standard_error
    assert found.interval() == pytest.approx((0.03 - reach, 0.03 + reach))
    assert found.p == pytest.approx(2 * t.sf(0.03 / found.standard_error, 4))


def test_repetitions_shrink_only_what_folds_do_not_share():
    once = statistics.over_folds([0.0, 1.0] * 5, 10)
    often = statistics.over_folds([0.0, 1.0] * 5000, 10)
    # To 1 / 9 of the variance of a fold, 0.25.
    assert often.standard_error == pytest.approx(math.sqrt(0.25 / 9), rel=1e-3)
    assert once.standard_error > often.standard_error
    for values, folds in (([1.0], 5), ([1.0, 2.0], 1)):
        with pytest.raises(ValueError, match="needs two values and two folds"):
            statistics.over_folds(values, folds)


def test_pairs_are_compared_fold_by_fold():
    def right(*counts: int) -> dict[int, np.ndarray]:
        return {seed: np.arange(100) < n for seed, n in enumerate(counts)}

    values = {"gru": right(84, 82, 85, 81, 83), "lstm": right(80, 80, 80, 80, 80)}
    asked = (values, ["gru", "lstm"], (), 0.01)
    (pair,) = pairs.compare_pairs(*asked, folds=5)
    estimate = statistics.over_folds([0.04, 0.02, 0.05, 0.01, 0.03], 5)
    assert (pair.a, pair.b, pair.by) == ("gru", "lstm", BY_FOLDS)
    assert pair.difference == pytest.approx(0.03)
    assert (pair.low, pair.high) == pytest.approx(estimate.interval())
    assert pair.p == pytest.approx(estimate.p)
    assert pair.superiority.ahead == 5
    # Wins on all five: 2 of 32 ways. Where a training failed that is all there is.
    (failed,) = pairs.compare_pairs(values, ["gru", "lstm"], ["lstm"], folds=5)
    assert (failed.by, failed.p) == (BY_RANKS, pytest.approx(2 / 32))
    assert failed.low is None


# Runs.


def on_fold(run: Run, path: Path, cell: str, seed: int, folds: int = 2) -> Run:
    """Copies a run as if it were one of another cell that tested on another fold."""
    copied = Run(shutil.copytree(run.path, path / f"{cell}-{seed}"))
    values = json.loads((copied.path / "config.json").read_text())
    values["model"]["cell"], values["training"]["seed"] = cell, seed
    values["data"]["fold"] = f"{seed + 1}/{folds}"
    write_json(copied.path / "config.json", values)
    proof = json.loads((copied.path / "proof.json").read_text())
    splits = {"train": f"t{seed}", "test": f"e{seed}"}
    write_json(copied.path / "proof.json", proof | {"splits": splits})
    seal(copied.path)
    return copied


@pytest.fixture
def four(finished_run, tmp_path) -> list[Run]:
    """Runs of two cells on two folds."""
    return [
        on_fold(finished_run, tmp_path, cell, seed)
        for seed in (0, 1)
        for cell in ("rnn", "gru")
    ]


def test_folds_that_one_has_not_do_not_count():
    """GRU's fold 0 is missing, which was the easy one."""
    n = 40
    of = lambda *shares: [np.arange(n) < n * one for one in shares]  # noqa: E731
    gru = dict(zip((1, 2), of(0.65, 0.7), strict=True))
    lstm = dict(zip((0, 1, 2), of(1.0, 0.6, 0.625), strict=True))
    (pair,) = pairs.compare_pairs({"gru": gru, "lstm": lstm}, ["gru", "lstm"], folds=3)
    assert pair.a == "gru"
    assert pair.difference == pytest.approx((0.05 + 0.075) / 2)
    apart = {"gru": {0: gru[1], 1: gru[2]}, "lstm": {2: lstm[1], 3: lstm[2]}}
    (pair,) = pairs.compare_pairs(apart, ["gru", "lstm"], folds=4)
    assert pair.difference is None


def test_what_does_not_vary_between_few_folds_decides_nothing():
    """One more right in each of three folds of ten."""
    a, b = ({s: np.arange(10) < right for s in range(3)} for right in (9, 8))
    (pair,) = pairs.compare_pairs({"gru": a, "lstm": b}, ["gru", "lstm"], folds=3)
    assert pair.by == BY_FOLDS
    assert not pair.is_decided
    assert pair.low < 0 < pair.high


def test_runs_of_all_folds_are_twins_fold_by_fold(four, monkeypatch):
    monkeypatch.setattr("seqclf.comparison.rows.failed_seeds", lambda *_: ())
    result = compare_runs(four)
    assert result.card.vary == "folds"
    assert not disagreements(result.card)
    texts = four[0].metrics["test"].n
    for row in result.twins:
        assert row.seeds == (0, 1)
        assert row.n == 2 * texts  # each text once
    (pair,) = result.pairs
    assert pair.by == BY_FOLDS
    assert "Each of 2 parts of the texts was tested on" in result.verdict
    assert "Nadeau & Bengio 2003" in result.verdict
    assert not any("mean of" in row.name for row in result.rows)


def test_a_mean_over_folds_is_refused_and_a_pool_takes_them(four, tmp_path):
    with pytest.raises(RunError, match="name runs of one"):
        open_any(Path("rnn-0+rnn-1"), tmp_path)
    assert open_any(Path("rnn-0+gru-0"), tmp_path).has_validation
    assert len(pooled(find_finished(tmp_path)).runs) == 4


def test_a_default_config_asks_the_same_as_before_there_were_folds():
    assert "fold" not in settings.division(DataConfig())
    assert settings.division(DataConfig(fold="1/3"))["fold"] == "1/3"


TEACH = RunConfig(training=TrainingConfig(teach="demo-nb-svm"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"folds": 1}, "--folds takes two parts or more, got 1"),
        ({"folds": 3, "vary": "split"}, "--folds and --vary split exclude"),
        ({"folds": 3, "tune": 2}, "--folds and --tune exclude"),
        ({"folds": 3, "until": Limits()}, "--folds and --until-decided exclude"),
        ({"folds": 3, "config": TEACH}, "--folds and --teach exclude"),
        ({"folds": 3, "others": ("a file",)}, "--folds and --with exclude"),
        (
            {"config": RunConfig(data=DataConfig(fold="2/7"))},
            "--fold 2/7 is one part; .*--folds 7",
        ),
    ],
)
def test_what_folds_exclude_is_refused(values, message):
    usual = {"config": RunConfig(), "cells": ("gru", "rnn"), "seeds": (0, 1)}
    with pytest.raises(ConfigError, match=message):
        Design(**usual | values)


def test_each_repetition_is_a_training_of_each_fold():
    asked = (RunConfig(), "gru,lstm", 3, "units", 0)
    design = design_of(*asked, folds=5, repeats=2)
    assert design.seeds == tuple(range(10))
    drawn = settings.drawn(settings.twin(design.config, "gru", 7), design.folds)
    assert drawn.data.fold == "8/5"
    plain = dataclasses.replace(design, folds=None)
    assert design.question("f") == plain.question("f") | {"folds": 5}
    with pytest.raises(ConfigError, match="--seeds does nothing with --folds"):
        design_of(RunConfig(), "gru,lstm", 5, "units", 0, folds=5)
    with pytest.raises(ConfigError, match="--repeats 2 is of --folds"):
        design_of(*asked, repeats=2)


@pytest.mark.slow
def test_a_comparison_of_folds_from_end_to_end(tmp_path):
    write_csv(tmp_path / "all.csv", reviews(120))
    typed = ["compare", "--data=all.csv", "--folds=2", "--cells=rnn,gru", *TINY]
    done = run_cli(typed, tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "2 folds per cell" in done.stdout
    models = tmp_path / "models"
    result = read_comparison(models / "all-compare")
    (nb_svm,) = [row for row in result.rows if row.name == "nb-svm"]
    assert (nb_svm.n, nb_svm.seeds) == (120, (0, 1))
    assert {row.n for row in result.rows} == {120}
    assert (models / "all-nb-svm-fold2of2").is_dir()
    tested = [
        Run(models / f"all-gru-{seed}-fold{seed + 1}of2").predictions("test").label_ids
        for seed in (0, 1)
    ]
    assert sorted(np.concatenate(tested)) == [0] * 60 + [1] * 60
    assert not (models / "all-compare" / DETAILS_FILE).exists()
    page = (models / "all-compare" / "report.html").read_text()
    assert "2 folds per cell" in page
    assert "Where they differ" not in page

    again = run_cli(typed, tmp_path)
    assert "reused: " in again.stderr
    shown = run_cli(["compare", "models/all-compare"], tmp_path)
    assert "2 folds per cell" in shown.stdout
    names = [
        f"models/all-{cell}-{s}-fold{s + 1}of2"
        for cell in ("rnn", "gru")
        for s in (0, 1)
    ]
    joined = run_cli(["compare", *names], tmp_path)
    assert "2 folds per cell" in joined.stdout
