from __future__ import annotations

import dataclasses
import json
import shutil
import threading
from pathlib import Path
from unittest import mock

import pytest
from conftest import TINY, run_cli, run_in, seal, tasks_in_this_process

from seqclf.comparison.design import parse_cells
from seqclf.comparison.finish import finish
from seqclf.comparison.places import begin
from seqclf.comparison.plan import fit_baselines, relative_cost
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.saved import read_details, read_timing
from seqclf.config import DataConfig, ModelConfig, RunConfig, TextConfig
from seqclf.data.load import load_dataset
from seqclf.errors import ConfigError, RunError
from seqclf.evaluation import baselines
from seqclf.evaluation.baselines import run_baseline
from seqclf.records.plain import to_plain
from seqclf.records.training import Failed, StepTimes, Timing
from seqclf.runs import Run
from seqclf.runs.comparisons import default_run, read_comparison
from seqclf.runs.writing import locked
from seqclf.storage import write_json
from seqclf.text.encoding import encode_dataset


@pytest.mark.parametrize(
    ("cells", "message"),
    [("lstm,lstm", "twice"), ("rnn,transformer", "unknown cell 'transformer'"),
     ("gur", "did you mean 'gru'"), ("", "unknown cell")],
)  # fmt: skip
def test_wrong_lists_of_cells_are_refused(cells, message):
    with pytest.raises(ConfigError, match=message):
        parse_cells(cells)


def copy(run: Run, path: Path, **replaced: object) -> Run:
    """Copies a run and changes parts of its config and data set."""
    shutil.copytree(run.path, path)
    config = json.loads((path / "config.json").read_text())
    for key, value in replaced.items():
        part, name = key.split("__")
        if part == "dataset":
            write_json(path / "dataset.json", to_plain(run.dataset) | {name: value})
        else:
            config[part][name] = value
    write_json(path / "config.json", config)
    seal(path)
    return Run(path)


def test_runs_of_one_cell_become_one_row(finished_run, tmp_path):
    other = copy(finished_run, tmp_path / "b", training__seed=1)
    rows = compare_runs([finished_run, other]).rows
    assert len(rows) == 1
    assert rows[0].seeds == (0, 1)
    assert rows[0].recurrent_parameters == 2 * 3 * (8 * (8 + 8) + 2 * 8)


def test_runs_that_differ_in_more_are_rows_of_their_own(finished_run, tmp_path):
    other = copy(finished_run, tmp_path / "b", model__dropout_rate=0.1)
    result = compare_runs([finished_run, other])
    assert [r.name for r in result.rows] == ["gru (reviews-gru-0)", "gru (b)"]
    assert [r.title for r in result.rows] == ["GRU (reviews-gru-0)", "GRU (b)"]
    assert {r.cell for r in result.rows} == {"gru"}
    assert result.card.different == ("model.dropout_rate",)
    assert result.card.equal["model.units"] == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset__fingerprint": "beef"}, "fingerprint: .*, beef"),
        ({"data__split_seed": 5}, "data.split_seed: 0, 5"),
        ({"dataset__labels": ["good", "bad"]}, "labels"),
    ],
)
def test_runs_on_different_data_are_refused_and_the_difference_named(
    change, message, finished_run, tmp_path
):
    other = copy(finished_run, tmp_path / "b", **change)
    with pytest.raises(RunError, match=message):
        compare_runs([finished_run, other])


def test_the_default_run_is_the_newest_that_was_asked_for(finished_run, tmp_path):
    models = tmp_path / "models"
    older = copy(finished_run, models / "older")
    newer = copy(finished_run, models / "newer", training__seed=1)
    of_compare = copy(finished_run, models / "worse", training__seed=2)
    best = copy(finished_run, models / "best", training__seed=3)
    for run, time in ((older, "2026-01-01"), (newer, "2026-01-02")):
        seal(run.path, time=time)
    for run, loss in ((of_compare, 0.5), (best, 0.4)):
        metrics = to_plain(run.metrics)
        metrics["validation"]["log_loss"] = loss
        write_json(run.path / "metrics.json", metrics)
        seal(run.path, command="compare", time="2026-01-09")
    assert default_run(models).name == "newer"

    def compared(time: str) -> None:
        comparison = models / "c"
        comparison.mkdir(exist_ok=True)
        result = to_plain(compare_runs([of_compare, best]))
        result["rows"][0]["runs"] = ["elsewhere/worse", "elsewhere/best"]
        write_json(comparison / "comparison.json", result)
        seal(comparison, command="compare", time=time)

    compared("2026-01-03")
    assert default_run(models).name == "best"
    compared("2026-01-01")
    assert default_run(models).name == "newer"


def test_without_any_run_the_error_says_how_to_make_one(tmp_path):
    with pytest.raises(RunError, match="seqclf train --cell lstm"):
        default_run(tmp_path)


def test_a_failed_trial_is_missing_and_the_others_stand(
    workplace, finished_run, tmp_path, monkeypatch
):
    from seqclf.comparison import plan as planning
    from seqclf.engine import Outcome
    from seqclf.training.timing import TimingTask
    from seqclf.training.trial import Trial

    models = tmp_path / "models"
    done = copy(finished_run, models / "done")
    trial = Trial(done.config, tmp_path, {}, models / "reviews-rnn-0", "compare", 1)
    timing = TimingTask((), encoded(workplace, tmp_path).path, 1)
    plan = planning.Plan(models / "c", [trial], [done], [], timing)
    plan.path.mkdir()
    monkeypatch.setattr(
        planning,
        "run_tasks",
        lambda tasks, jobs, on_report, deadline, cluster: [
            Outcome(i, error="killed") for i in range(len(tasks))
        ],
    )
    told = []
    ended = planning.execute(plan, lambda *report: told.append(report))
    told_of = [name for name, _ in told]
    assert told_of == ["reviews-rnn-0", planning.TIMING]
    assert told[0][1] == Failed(error="killed")
    result = finish(ended)
    assert [r.name for r in result.rows] == ["gru"]
    assert result.missing["reviews-rnn-0"] == "killed"
    assert read_comparison(plan.path) == result
    with pytest.raises(RunError, match="reviews-rnn-0: killed"):
        finish(dataclasses.replace(ended, finished=[]))


def plan_for(
    workplace, models, name=None, overwrite=False, data=None, jobs=1, **training
):
    from seqclf.comparison.design import Design
    from seqclf.comparison.plan import plan
    from seqclf.config import RunConfig, TrainingConfig

    read = encoded(workplace, models, **(data or {}))
    config = RunConfig(
        data=data_config(workplace, **(data or {})),
        text=TextConfig(min_count=1),
        training=TrainingConfig(**training),
    )
    design = Design(config=config, cells=("rnn", "gru"), seeds=(0, 1))
    path = begin(design, read, models, name, overwrite)
    return plan(design, read, path, jobs)


def data_config(workplace, **settings):
    return DataConfig(source=str(workplace / "reviews"), **settings)


def encoded(workplace, folder, **settings):
    data = data_config(workplace, **settings)
    dataset = load_dataset(data)
    return encode_dataset(dataset, data, TextConfig(min_count=1), folder / "cache")


def test_a_plan_holds_every_twin_seed_by_seed(workplace, tmp_path):
    planned = plan_for(workplace, tmp_path)
    assert [t.path.name for t in planned.trials] == [
        "reviews-gru-0", "reviews-rnn-0", "reviews-gru-1", "reviews-rnn-1"
    ]  # fmt: skip
    assert [b.path.name for b in planned.baselines] == [
        "reviews-majority", "reviews-tf-idf", "reviews-nb-svm"
    ]  # fmt: skip
    assert planned.path.name == "reviews-compare"
    cells = [config.model.cell for config in planned.timing.configs]
    assert cells == ["rnn", "gru"]


def test_jobs_divide_the_cores(workplace, tmp_path, monkeypatch):
    from seqclf.comparison import plan as planning

    monkeypatch.setattr(planning, "cores", lambda: 8)
    for jobs, threads in ((1, 8), (3, 2), (16, 1)):
        planned = plan_for(workplace, tmp_path / str(jobs), jobs=jobs)
        assert {trial.threads for trial in planned.trials} == {threads}
        assert planned.timing.threads == 8


def test_times_of_the_twins_alone_replace_those_of_the_runs(finished_run):
    timing = Timing(
        milliseconds_per_step=StepTimes(median=2.0, least=1.0, most=3.0),
        tokens_per_second=7.0,
        seconds_per_epoch=3.0,
        milliseconds_per_prediction=0.5,
    )
    alone = compare_runs([finished_run], timing={"gru": timing}).rows[0]
    own = compare_runs([finished_run]).rows[0]
    best = finished_run.environment.best_epoch
    assert (alone.timed, own.timed) == ("alone", "while training")
    assert alone.seconds_per_epoch == 3.0
    assert alone.seconds_to_best == 3.0 * best
    assert own.seconds_to_best == finished_run.environment.seconds_to_best


def kept(finished_run, folder: Path, change=lambda values: None) -> Path:
    """Writes a comparison of two runs of one cell, changed, as a finished one."""
    other = copy(finished_run, folder / "wide", model__dropout_rate=0.1)
    with mock.patch("seqclf.comparison.rows.disagreements", return_value=[]):
        values = to_plain(compare_runs([finished_run, other]))
    change(values)
    (folder / "c").mkdir()
    write_json(folder / "c" / "comparison.json", values)
    seal(folder / "c", command="compare")
    return folder / "c"


def as_version_1(values: dict) -> None:
    del values["version"]
    for row in values["rows"]:
        row |= {"cell": row.pop("name"), "kind": "recurrent"}
        for lacking in [key for key in row if row[key] is None]:
            del row[lacking]
    for key in ("missing", "command", "seconds", "date", "tuning"):
        del values[key]


def test_a_comparison_of_version_1_is_read_as_one_of_today(finished_run, tmp_path):
    today = read_comparison(kept(finished_run, tmp_path))
    (tmp_path / "old").mkdir()
    old = read_comparison(kept(finished_run, tmp_path / "old", as_version_1))
    assert [row.name for row in old.rows] == ["gru (reviews-gru-0)", "gru (wide)"]
    assert {(row.kind, row.cell) for row in old.rows} == {("twin", "gru")}
    assert old.pairs == today.pairs
    assert old.version == today.version == 2


def in_row(**changed):
    return lambda values: values["rows"][1].update(changed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values.update(version=3), "by a later version of seqclf"),
        (lambda values: values.update(version="two"), r"`\$.version`"),
        (lambda values: values.update(rows=3), r"`\$.rows`"),
        (lambda values: values.update(rows=[3]), r"`\$.rows\[0\]`"),
        (lambda values: values.update(rows=[]), "no twin among the rows"),
        (lambda values: values.pop("card"), "missing required field `card`"),
        (in_row(n="many"), r"`\$.rows\[1\].n`"),
        (in_row(cell="xlstm"), r"has the cell xlstm, which is unknown"),
        (in_row(name="gru (x)"), r"gru \(wide\) of a pair is no row"),
        (lambda values: as_version_1(values) or values.update(rows=[{}]),
         r"missing required field `kind` - at `\$.rows\[0\]`"),
        (lambda values: values["pairs"][0].update(models=[]), "lacks its difference"),
        (lambda values: values.update(tuning={"gru": {"trials": [], "chosen": 1}}),
         "there is no trial 1"),
    ],
)  # fmt: skip
def test_a_comparison_that_cannot_be_used_is_refused_by_its_place(
    change, words, finished_run, tmp_path
):
    folder = kept(finished_run, tmp_path, change)
    with pytest.raises(RunError, match=words) as refused:
        read_comparison(folder)
    assert str(folder / "comparison.json") in str(refused.value)
    assert default_run(tmp_path) == Run(tmp_path / "wide")


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "3", '{"gru": {}}', '{"gru": {"seconds_per_epoch": "x"}}']
)
def test_times_and_details_that_cannot_be_used_are_set_aside(text, tmp_path):
    for name in ("timing.json", "details.json"):
        (tmp_path / name).write_text(text)
    assert read_timing(tmp_path) == {}
    assert read_details(tmp_path) is None


def test_another_question_gets_another_comparison(workplace, tmp_path):
    plan_for(workplace, tmp_path)
    assert plan_for(workplace, tmp_path).path.name == "reviews-compare"
    other = plan_for(workplace, tmp_path, epochs=9)
    assert other.path.name == "reviews-compare-2"


def test_a_run_of_a_version_without_proof_is_not_taken_for_an_equal(
    finished_run, tmp_path
):
    from seqclf.runs import find_place

    old = copy(finished_run, tmp_path / "reviews-gru-0")
    config, about = old.config, old.dataset
    assert find_place(tmp_path, config, about).is_done
    (old.path / "proof.json").unlink()
    seal(old.path)
    place = find_place(tmp_path, config, about)
    assert (place.is_done, place.path.name) == (False, "reviews-gru-0-2")


def test_baselines_are_shared_by_comparisons_on_the_same_data(workplace, tmp_path):
    first = plan_for(workplace, tmp_path)
    assert not any(task.is_fitted for task in first.baselines)
    with tasks_in_this_process():
        assert fit_baselines(first.baselines, lambda name, event: None) == {}
    other = plan_for(workplace, tmp_path, epochs=9)
    assert other.path != first.path
    assert all(task.is_fitted for task in other.baselines)
    assert [task.path for task in other.baselines] == [b.path for b in first.baselines]
    sample = plan_for(workplace, tmp_path, data={"limit": 100})
    assert not any(task.is_fitted for task in sample.baselines)
    # A damaged one is fitted again, rather than end a comparison after its trainings.
    (first.baselines[0].path / "metrics.json").write_text("{")
    again = plan_for(workplace, tmp_path, epochs=9).baselines
    assert [task.is_fitted for task in again] == [False, True, True]
    assert fit_baselines(again, lambda name, event: None) == {}
    assert all(b.is_fitted for b in plan_for(workplace, tmp_path).baselines)


def test_a_baseline_that_another_process_fits_is_waited_for(workplace, tmp_path):
    [task, *_] = plan_for(workplace, tmp_path).baselines
    began = threading.Event()
    second = threading.Thread(
        target=run_baseline, args=(task.trial, lambda event: None)
    )
    with locked(task.path):
        second.start()  # as of another comparison, while this one has the directory
        second.join(timeout=0.3)
        assert second.is_alive()
        baselines._run(task.trial)
        first = (task.path / "complete").read_bytes()
    second.join(timeout=30)
    assert not second.is_alive()
    assert (task.path / "complete").read_bytes() == first
    run_baseline(task.trial, lambda event: began.set())  # asked for later: fitted anew
    assert began.is_set()
    assert (task.path / "complete").read_bytes() != first
    with locked(task.path), pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "PATIENCE", 0.2)
        with pytest.raises(RunError, match="another process"):
            run_baseline(task.trial, lambda event: None)


def test_a_comparison_under_a_given_name_is_replaced_on_demand_only(
    workplace, tmp_path
):
    plan_for(workplace, tmp_path, name="mine")
    with pytest.raises(RunError, match="--overwrite"):
        plan_for(workplace, tmp_path, name="mine", epochs=9)
    replaced = plan_for(workplace, tmp_path, name="mine", overwrite=True, epochs=9)
    assert replaced.path == tmp_path / "mine"
    (tmp_path / "diary").mkdir()
    with pytest.raises(RunError, match="is no comparison"):
        plan_for(workplace, tmp_path, name="diary", overwrite=True)
    assert (tmp_path / "diary").exists()


@pytest.mark.slow
def test_a_comparison_trains_reuses_and_survives_a_failing_trial(workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    command = ["compare", "--data=reviews", "--seeds=1", "--json", *TINY]
    first = run_cli([*command, "--cells=gru"], tmp_path)
    assert first.returncode == 0, first.stderr
    result = json.loads(first.stdout)
    assert [r["name"] for r in result["rows"]] == [
        "majority", "tf-idf + logistic regression", "nb-svm", "gru", "gru + nb-svm"
    ]  # fmt: skip
    assert result["command"].startswith("seqclf compare --data reviews --min-count 1")
    assert "--models-dir" not in result["command"]
    again = run_cli([*command, "--cells=gru,rnn"], tmp_path)
    assert "reused: reviews-gru-0" in again.stderr
    assert "reviews-rnn-0  epoch 2/2" in again.stderr
    assert "reviews-gru-0  epoch" not in again.stderr
    # What is there to reuse is reused to the last row.
    third = run_cli([*command, "--cells=gru,rnn"], tmp_path)
    assert "epoch" not in third.stderr
    rows = [json.loads(done.stdout)["rows"] for done in (again, third)]
    assert rows[0] == rows[1]
    # The page is made again from saved files, and is the same.
    report = tmp_path / "models" / "reviews-compare-2" / "report.html"
    page = report.read_text("utf-8")
    report.unlink()
    for of_training in ("data", "models/reviews-gru-0", "models/reviews-rnn-0"):
        (tmp_path / of_training).rename(tmp_path / "away")
        made = run_cli(["compare", "reviews-compare-2"], tmp_path)
        (tmp_path / "away").rename(tmp_path / of_training)
        assert made.returncode == 0, made.stderr
    assert report.read_text("utf-8") == page
    # Nor does the number of jobs change a result.
    shutil.rmtree(tmp_path / "models")
    two = run_cli([*command, "--cells=gru,rnn", "--jobs=2"], tmp_path)
    scores = [
        [(row["name"], row["accuracy"], row["log_loss"]) for row in some]
        for some in (rows[0], json.loads(two.stdout)["rows"])
    ]
    assert scores[0] == scores[1]
    # A trial whose loss runs away is missing, is said to be, and stops no other.
    broken = run_cli(
        [*command, "--cells=none,rnn", "--learning-rate=1e30", "--clip-norm=1e30",
         "--warmup-fraction=0"], tmp_path
    )  # fmt: skip
    assert broken.returncode == 1
    assert "not a number" in broken.stderr


@pytest.mark.slow
def test_tuning_tries_chooses_and_goes_on_where_it_was_cut(workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    command = ["compare", "--data=reviews", "--cells=gru", "--seeds=1", "--tune=2"]
    command += ["--json", "--embedding-size=8", "--units=32", "--epochs=1"]
    command += ["--min-count=1"]
    first = run_cli(command, tmp_path)
    assert first.returncode == 0, first.stderr
    assert "Tuning: 4 trainings, 0 of them finished before" in first.stderr
    result = json.loads(first.stdout)
    tuning = result["tuning"]
    trials = tuning["gru"]["trials"]
    losses = [trial["validation_loss"] for trial in trials]
    assert len(losses) == 2
    for number, trial in enumerate(trials, 1):
        own = [
            Run(tmp_path / "models/reviews-compare/tuning" / f"gru-{number}-{s}")
            for s in (1000, 1001)
        ]
        each = [run.metrics["validation"].log_loss for run in own]
        assert trial["losses"] == each
        assert each[0] != each[1]
        assert trial["validation_loss"] == pytest.approx((each[0] + each[1]) / 2)
        for run in own:
            training = run.config.training
            assert training.clip_norm == trial["clip_norm"]
            assert training.warmup_fraction == trial["warmup_fraction"]
            assert training.epochs == trial["epochs"]
    assert losses[tuning["gru"]["chosen"] - 1] == min(losses)
    rows = {row["name"]: row for row in result["rows"]}
    for cell, tried in tuning.items():
        chosen = tried["trials"][tried["chosen"] - 1]
        assert rows[cell]["units"] == chosen["units"]
        config = Run(tmp_path / rows[cell]["runs"][0]).config
        assert config.training.seed == 0
        assert config.training.clip_norm == chosen["clip_norm"]
        assert config.training.epochs == chosen["epochs"]
    checks = {check["what"]: check for check in result["card"]["checks"]}
    assert all(c["equal"] for c in checks.values() if c["concerns"] == "scores")
    budget = checks["trials of each cell's tuning"]
    assert budget["value"] == "2 of 2 trainings each"
    # Trials of a comparison are no runs that predict or the list of runs would take.
    listed = run_cli(["runs", "list", "--json"], tmp_path)
    assert "tuning" not in listed.stdout
    shutil.rmtree(tmp_path / "models" / "reviews-compare" / "tuning" / "gru-2-1001")
    again = run_cli(command, tmp_path)
    assert "Tuning: 4 trainings, 3 of them finished before" in again.stderr
    assert json.loads(again.stdout)["tuning"] == tuning


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--match=width"], "unknown --match 'width'"),
        (["--tune=1"], "at least 2 trials to choose from, got 1"),
        (["--match=parameters", "--units=2"], "take more --units"),
        (["--json", "--csv"], "--json and --csv cannot be printed at the same time"),
    ],
)
def test_wrong_controls_are_answered(options, message, tmp_path):
    done = run_in(tmp_path, "compare", *options)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("cell", "times"), [("none", 1), ("rnn", 3), ("lstm", 3)])
def test_each_recurrent_layer_counts_in_what_a_training_is_taken_to_cost(cell, times):
    one, three = (
        RunConfig(model=ModelConfig(cell=cell, layers=layers)) for layers in (1, 3)
    )
    assert relative_cost(three) == times * relative_cost(one)
