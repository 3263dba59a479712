"""`compare --vary split`: each seed draws a hold-out and a resample to learn from."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from asked import Silent
from conftest import TINY, reviews, run_cli, seal, write_csv
from pyarrow import parquet
from test_groups import films
from test_groups import write as write_films

from seqclf import config as settings
from seqclf import statistics, steps
from seqclf.comparison.card import DRAWN, disagreements
from seqclf.comparison.design import Design
from seqclf.comparison.pairs import compare_with
from seqclf.comparison.plan import plan
from seqclf.comparison.pool import find_finished, pooled
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.typical import typical_runs
from seqclf.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from seqclf.data.load import load_dataset, read_once
from seqclf.data.resample import group_bootstrap, seeds_of, stratified_bootstrap
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.evaluation.evaluate import evaluate
from seqclf.runs import Mean, Run, open_any
from seqclf.runs.comparisons import read_comparison
from seqclf.runs.places import find_place
from seqclf.storage import write_json

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Two hundred reviews, all different, in one file: read only."""
    return write_csv(tmp_path_factory.mktemp("data") / "all.csv", reviews(200))


def texts(config: DataConfig) -> dict[str, list[str]]:
    dataset = load_dataset(config)
    return {split: dataset.texts(split).to_pylist() for split in SPLITS}


def drawn(file: Path, resample: int | None, **others: object) -> dict[str, list[str]]:
    return texts(DataConfig(source=str(file), resample=resample, **others))


def test_a_draw_has_other_hold_outs_and_texts_but_the_same_test_split(file):
    plain, first, second = (drawn(file, seed) for seed in (None, 0, 1))
    assert first["test"] == second["test"] == plain["test"]
    assert first["validation"] != second["validation"]
    assert len(first["validation"]) == len(plain["validation"]) == 16
    assert first["train"] != second["train"]
    assert drawn(file, 1) == second
    for one in (first, second):
        assert len(one["train"]) == len(plain["train"]) == 144
        held_out = {*one["validation"], *one["test"]}
        assert not held_out & {*one["train"]}  # a text drawn twice leaks nowhere
        assert {*one["train"]} <= {*plain["train"], *plain["validation"]}


def test_the_test_split_hangs_on_the_split_seed_and_so_do_the_draws(file):
    one, other = drawn(file, 0), drawn(file, 0, split_seed=1)
    assert all(one[split] != other[split] for split in SPLITS)


def test_without_a_resample_one_seed_divides_and_samples():
    assert seeds_of(DataConfig(split_seed=7)) == (7, 7)
    found = [seeds_of(DataConfig(resample=draw)) for draw in range(50)]
    assert len({seed for pair in found for seed in pair}) == 100


def test_a_bootstrap_has_as_many_of_each_label_and_the_distinct_share_of_theory():
    label_ids = np.repeat([0, 1, 3], [9000, 900, 100])
    counts = np.bincount(label_ids)
    rows = stratified_bootstrap(label_ids, counts, seed=5)
    assert np.bincount(label_ids[rows]).tolist() == [9000, 900, 0, 100]
    assert (np.diff(rows) >= 0).all()
    # 1 - 1/e of the rows; of 10,000 its standard deviation is 0.003.
    assert len(np.unique(rows)) / len(rows) == pytest.approx(0.632, abs=0.01)
    times = np.bincount(rows, minlength=len(label_ids))
    assert times.var() == pytest.approx(1.0, abs=0.06)  # Poisson, of mean 1


def test_draws_vary_as_much_as_training_sets_of_that_size_do():
    """The mean of n values has the variance s²/n, and so it has over bootstraps."""
    values = np.random.default_rng(0).normal(size=400)
    label_ids, counts = np.zeros(400, int), np.array([400])
    means = [
        values[stratified_bootstrap(label_ids, counts, seed)].mean()
        for seed in range(1000)
    ]
    assert np.var(means) == pytest.approx(values.var() / 400, rel=0.15)


def test_whole_groups_are_drawn_and_every_label_is_there():
    groups = np.repeat(np.arange(40), 5)
    label_ids = np.where(groups == 7, 2, np.arange(200) % 2)  # one group alone has 2
    sizes = []
    for seed in range(30):
        rows = group_bootstrap(label_ids, groups, 200, seed)
        times = np.bincount(rows, minlength=200).reshape(40, 5)
        assert (times == times[:, :1]).all()
        assert set(label_ids[rows]) == {0, 1, 2}
        sizes.append(len(rows))
    assert {*sizes} == {200, 205}  # 40 groups, and one that 2 needed
    assert abs(len(group_bootstrap(label_ids, groups, 33, 0)) - 33) <= 5 + 2


def test_with_groups_no_film_is_on_both_sides_of_a_draws_hold_out(tmp_path):
    file = write_films(tmp_path / "films.csv", films())
    film = {text: name for text, _, name in films()}
    asked = DataConfig(source=str(file), group_column="film")
    for draw in range(4):
        found = texts(dataclasses.replace(asked, resample=draw))
        of = {split: {film[text] for text in found[split]} for split in SPLITS}
        assert not of["train"] & (of["validation"] | of["test"])
        counts = Counter(found["train"])
        for name in of["train"]:
            assert len({counts[text] for text in film if film[text] == name}) == 1
    load = [load_dataset(dataclasses.replace(asked, resample=draw)) for draw in (0, 1)]
    assert any("groups, whole" in note for note in load[0].notes)
    assert load[0].splits["test"].equals(load[1].splits["test"])


def test_a_validation_split_of_the_source_stays(workplace):
    source = workplace / "reviews"
    one, other = (drawn(source, draw) for draw in (0, 1))
    assert one["validation"] == other["validation"]
    assert one["train"] != other["train"]


def test_a_limit_says_how_many_are_drawn_and_from_how_many(file):
    found = load_dataset(DataConfig(source=str(file), resample=3, limit=40))
    assert found.splits["train"].num_rows == 40
    assert found.label_counts("train").tolist() == [20, 20]
    assert "training on 40 rows drawn from 144 with replacement" in found.notes[-1]
    with pytest.raises(
        DataError, match="--limit 1 is fewer rows than train has labels"
    ):
        load_dataset(DataConfig(source=str(file), resample=3, limit=1))


def test_a_source_is_read_once_for_all_draws(file):
    divided = read_once(DataConfig(source=str(file)))
    for draw in (2, None, 0):
        asked = DataConfig(source=str(file), resample=draw)
        again = load_dataset(asked)
        assert divided(asked).notes == again.notes
        for split in SPLITS:
            assert pa.Table.equals(divided(asked).splits[split], again.splits[split])


def config_of(
    seed: int, resample: int | None, baseline: str | None = None
) -> RunConfig:
    return RunConfig(
        data=DataConfig(resample=resample),
        model=ModelConfig(baseline=baseline),
        training=TrainingConfig(seed=seed),
    )


def test_a_default_config_asks_the_same_as_before_there_were_draws():
    assert "resample" not in settings.division(DataConfig())
    assert settings.division(DataConfig(resample=0))["resample"] == 0
    assert settings.differences(config_of(0, None), config_of(0, 3)) == [
        "data.resample: None, 3"
    ]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([(0, 0), (1, 1)], True),
        ([(0, 0), (0, 0), (1, 1)], True),
        ([(3, 3)], False),  # nothing varies
        ([(0, 0), (1, 0)], False),  # one draw for all seeds
        ([(0, 1), (1, 0)], False),  # draws of no seed's own
        ([(0, None), (1, 1)], False),
        ([(0, None), (1, None)], False),
    ],
)
def test_runs_are_drawn_anew_if_each_seed_drew_its_own(runs, expected):
    configs = [config_of(*one) for one in runs]
    assert settings.are_drawn_anew(configs) is expected


def test_a_linear_model_has_no_other_seed_than_its_draw():
    fitted = config_of(0, 1, "nb-svm")
    assert settings.are_drawn_anew([config_of(3, 3), fitted])
    assert not settings.are_drawn_anew([config_of(1, 1), fitted])
    assert not settings.are_drawn_anew([config_of(3, None), fitted])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vary": "data"}, "unknown --vary 'data'.*seed, split"),
        (
            {"vary": "split", "config": config_of(0, 7)},
            "--resample 7 is one draw for all seeds.*leave one of them out",
        ),
        (
            {
                "vary": "split",
                "config": RunConfig(training=TrainingConfig(teach="demo-nb-svm")),
            },
            "--teach and --vary split exclude each other: a teacher",
        ),
    ],
)
def test_what_cannot_be_varied_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        Design(**{"config": RunConfig(), "cells": ("gru",), "seeds": (0,)} | values)


def test_what_is_varied_is_part_of_the_question():
    asked = Design(config=RunConfig(), cells=("gru",), seeds=(0, 1))
    varied = dataclasses.replace(asked, vary="split")
    assert varied.question("f") == asked.question("f") | {"vary": "split"}


def test_a_run_on_a_draw_has_it_in_its_name(finished_run, tmp_path):
    about = finished_run.dataset
    names = [
        find_place(tmp_path, one, about).path.name
        for one in (config_of(4, 4), config_of(4, None), config_of(0, 2, "nb-svm"))
    ]
    assert names == ["reviews-lstm-4-resample4", "reviews-lstm-4",
                     "reviews-nb-svm-resample2"]  # fmt: skip


def on_draw(run: Run, path: Path, cell: str, seed: int, resample: int | None) -> Run:
    """Copies a run as if it were one of another cell, seed and draw."""
    shutil.copytree(run.path, path / f"{cell}-{seed}")
    copied = Run(path / f"{cell}-{seed}")
    values = json.loads((copied.path / "config.json").read_text())
    values["model"]["cell"], values["training"]["seed"] = cell, seed
    values["data"]["resample"] = resample
    write_json(copied.path / "config.json", values)
    change_proof(copied, splits={"train": f"t{resample}", "test": f"e{resample}"})
    return copied


def change_proof(run: Run, **values: object) -> None:
    proof = json.loads((run.path / "proof.json").read_text())
    write_json(run.path / "proof.json", proof | values)
    seal(run.path)


def turn_labels(run: Run, split: str) -> None:
    """Turns the order of the true labels of a split round."""
    place = run.path / "predictions" / f"{split}.parquet"
    table = parquet.read_table(place)
    turned = pa.array(table["label"].to_numpy()[::-1].copy())
    at = table.column_names.index("label")
    parquet.write_table(table.set_column(at, "label", turned), place)
    seal(run.path)


@pytest.fixture
def four(finished_run, tmp_path) -> list[Run]:
    """Runs of two cells on the draws of two seeds."""
    return [
        on_draw(finished_run, tmp_path, cell, seed, seed)
        for seed in (0, 1)
        for cell in ("rnn", "gru")
    ]


def test_twins_on_draws_of_their_own_are_twins_seed_by_seed(four):
    result = compare_runs(four)
    assert [row.seeds for row in result.twins] == [(0, 1), (0, 1)]
    card = result.card
    assert card.vary == "split"
    assert not disagreements(card)
    checks = {check.what: check for check in card.checks}
    division = checks[DRAWN]
    assert division.equal
    assert "seed 0: train t0" in division.value
    assert "seed 1: train t1" in division.value
    assert "vocabulary, by seed" in checks
    assert "This covers seeds, resamples of the training texts, and test texts" in (
        result.verdict
    )
    names = [row.name for row in result.rows]
    assert "gru, bagging of 2" in names
    assert not any("mean of" in name for name in names)


def test_a_twin_that_learnt_from_other_texts_than_its_seeds_is_named(four):
    change_proof(four[3], splits={"train": "other", "test": "e1"})
    result = compare_runs(four)
    (broken,) = disagreements(result.card)
    assert broken == DRAWN
    assert result.verdict.startswith("These runs are not ranked")
    (check,) = [c for c in result.card.checks if not c.equal]
    assert check.differing == (four[3].name,)


def test_draws_that_were_tested_on_other_texts_are_named(four):
    turn_labels(four[2], "test")
    card = compare_runs(four).card
    assert disagreements(card) == ["labels of the test texts, in their order"]


def test_runs_on_draws_and_on_all_texts_are_not_compared(four, finished_run, tmp_path):
    for resample in (None, 9):
        place = tmp_path / str(resample)
        stray = on_draw(finished_run, place, "gru", 2, resample)
        message = f"data.resample: 0, 1. .*gru-2 has {resample} with seed 2"
        with pytest.raises(RunError, match=message):
            compare_runs([*four, stray])


def test_runs_on_draws_are_pooled_seed_by_seed(four, finished_run, tmp_path):
    on_draw(finished_run, tmp_path, "gru", 2, None)  # of all texts
    change_proof(four[3], splits={"train": "other", "test": "e1"})
    pool = pooled(find_finished(tmp_path))
    assert [run.name for run in pool.runs] == ["gru-0", "gru-1", "rnn-0"]
    why = {Path(path).name: said for path, said in pool.left_out.items()}
    assert why == {
        "gru-2": "disagrees in data.resample",
        "rnn-1": "disagrees in division",
    }


def test_seeds_that_share_one_draw_are_compared_as_ever(finished_run, tmp_path):
    shared = [on_draw(finished_run, tmp_path, "gru", seed, 5) for seed in (0, 1)]
    result = compare_runs(shared)
    assert result.card.vary == "seed"
    assert "This covers" not in result.verdict
    assert [row.name for row in result.rows] == ["gru", "gru, mean of 2"]


def test_hold_outs_are_covered_where_seeds_drew_them(four):
    turn_labels(four[2], "validation")
    said = compare_runs(four).verdict
    assert "covers seeds, hold-outs, resamples of the training texts, and" in said


def test_a_mean_over_draws_has_no_validation_split(four, tmp_path):
    bagged = open_any(Path("gru-0+gru-1"), tmp_path)
    assert isinstance(bagged, Mean)
    assert bagged.validation_loss is None
    assert list(bagged.metrics) == ["test"]
    assert bagged.metrics["test"].accuracy == four[1].metrics["test"].accuracy
    together = open_any(Path("gru-0+rnn-0"), tmp_path)
    assert together.validation_loss is not None


def test_runs_that_are_shown_side_by_side_are_of_one_seed(finished_run, tmp_path):
    # Alone, rnn's typical run would be that of seed 1, gru's that of seed 2.
    losses = {"rnn": (0.5, 0.6, 0.9), "gru": (0.1, 0.9, 0.4)}
    runs = []
    for cell, each in losses.items():
        for seed, loss in enumerate(each):
            run = on_draw(finished_run, tmp_path, cell, seed, seed)
            values = json.loads((run.path / "metrics.json").read_text())
            values["validation"]["log_loss"] = loss
            write_json(run.path / "metrics.json", values)
            seal(run.path)
            runs.append(run)
    chosen = typical_runs(compare_runs(runs), tmp_path)
    assert [run.name for run in chosen] == ["rnn-2", "gru-2"]


def test_baselines_that_vary_over_draws_are_compared_with_their_own_variance():
    rng = np.random.default_rng(0)
    gru = {seed: rng.random(300) < 0.8 for seed in range(4)}
    fitted = {seed: rng.random(300) < 0.7 for seed in range(4)}
    (pair,) = compare_with("gru", gru, {"nb-svm": fitted})
    a, b = (np.array(list(right.values())) for right in (gru, fitted))
    low, high = statistics.cells_difference(a, b).interval()
    assert (pair.low, pair.high) == pytest.approx((low, high))
    assert pair.seeds == (0, 1, 2, 3)
    (once,) = compare_with("gru", gru, {"nb-svm": {0: fitted[0]}})
    assert once.high - once.low != pytest.approx(high - low, rel=0.01)


def test_a_plan_fits_baselines_on_each_draw_and_twins_of_a_seed_share_it(
    file, tmp_path, monkeypatch
):
    recipe = RunConfig(data=DataConfig(source="-"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    listener = Silent()
    whole, draw_of = steps.load_and_draw(recipe, tmp_path / "c", tmp_path, listener)
    asked = Design(config=recipe, cells=("none", "gru"), seeds=(0, 1), vary="split")
    found = plan(asked, whole, tmp_path / "models" / "c", draw_of=draw_of)
    of_twins = [(t.config.training.seed, t.config.data.resample) for t in found.trials]
    assert of_twins == [(0, 0), (0, 0), (1, 1), (1, 1)]
    encoded = [trial.encoded for trial in found.trials]
    assert encoded[0] == encoded[1] != encoded[2] == encoded[3]
    assert whole.path not in encoded
    fitted = Counter((b.name, b.draw, b.trial.encoded) for b in found.baselines)
    assert len(fitted) == 3 * 2
    assert {(draw, path) for _, draw, path in fitted} == {
        (0, encoded[0]),
        (1, encoded[2]),
    }
    assert {b.shown for b in found.baselines} >= {"nb-svm, draw 0", "nb-svm, draw 1"}
    for draw in (0, 1):
        assert len([n for n in listener.notes if f"by --resample {draw})" in n]) == 2


@pytest.fixture(scope="module")
def compared(file, tmp_path_factory) -> Path:
    """Two cells on the draws of two seeds, compared for real; read only."""
    folder = tmp_path_factory.mktemp("compared")
    shutil.copy(file, folder / "all.csv")
    done = run_cli(ASKED, folder, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder


ASKED = ["compare", "--data=all.csv", "--cells=none,rnn", "--seeds=2", "--vary=split",
         "--jobs=1", *TINY]  # fmt: skip


@pytest.mark.slow
def test_a_comparison_of_draws_from_end_to_end(compared):
    models = compared / "models"
    result = read_comparison(models / "all-compare")
    assert not result.missing
    assert "--vary split" in result.command
    checks = {check.what: check.equal for check in result.card.checks}
    assert checks[DRAWN]
    assert all(checks.values())
    by_name = {row.name: row for row in result.rows}
    for name in ("nb-svm", "rnn", "rnn + nb-svm"):
        assert by_name[name].seeds == (0, 1)
        assert len(by_name[name].runs) == 2
    assert (
        by_name["rnn + nb-svm"]
        .runs[1]
        .endswith("all-rnn-1-resample1+all-nb-svm-resample1")
    )
    assert by_name["rnn, bagging of 2"].validation_loss is None
    runs = [Run(models / f"all-{cell}-{seed}-resample{seed}")
            for seed in (0, 1) for cell in ("none", "rnn")]  # fmt: skip
    splits = [run.proof.splits for run in runs]
    assert splits[0] == splits[1] != splits[2] == splits[3]
    assert runs[0].vocabulary.to_text() != runs[2].vocabulary.to_text()
    bagged = open_any(Path("all-rnn-0-resample0+all-rnn-1-resample1"), models)
    with contextlib.chdir(compared):
        own = evaluate(runs[3], runs[3].data, "validation")
        with pytest.raises(ConfigError, match="no validation split in common"):
            evaluate(bagged, bagged.data, "validation")
    assert own.scores.accuracy == runs[3].metrics["validation"].accuracy


@pytest.mark.slow
def test_it_is_typed_again_and_a_run_of_it_alone_is_the_same(compared):
    before = {p: p.stat().st_mtime_ns for p in compared.glob("models/*/model.keras")}
    again = run_cli([*ASKED, "--json"], compared)
    assert again.returncode == 0, again.stderr
    assert "all-rnn-1-resample1" in again.stderr.split("reused: ")[1]
    alone = run_cli(
        ["train", "--data=all.csv", "--cell=rnn", "--seed=1", "--resample=1", *TINY],
        compared,
    )
    assert "all-rnn-1-resample1 is finished with these settings" in alone.stderr
    there = {p: p.stat().st_mtime_ns for p in compared.glob("models/*/model.keras")}
    assert there == before
