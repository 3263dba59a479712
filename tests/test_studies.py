"""The frame of the studies: questions, answers in files, training and reuse."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from asked import Silent, tiny
from conftest import TINY, command_line, invoke, run_cli, run_in

from seqclf import runs
from seqclf.about_studies import ABOUT
from seqclf.config import DataConfig, RunConfig, TextConfig, TrainingConfig
from seqclf.engine import Outcome
from seqclf.errors import ConfigError, RunError
from seqclf.marker import QUESTION_FILE
from seqclf.records.estimates import MeanShare
from seqclf.records.sweeps import RANGE, Variant, VariantsFindings
from seqclf.report.table import Table, column_widths
from seqclf.runs import Run
from seqclf.runs.files import FIRST_EPOCH_FILE
from seqclf.steps import Target
from seqclf.studies import STUDIES, intervals, saved, sections
from seqclf.studies.inside import unrolled
from seqclf.studies.lab import TRIALS, Lab, _free_name
from seqclf.studies.question import (
    QUICK_EPOCHS,
    QUICK_ROWS,
    VERSION,
    About,
    Answer,
    Question,
    learning_soon,
    quick_config,
    textbook,
    trainings,
)

PLAIN = Variant(
    cell="gru",
    variant="1 layer",
    accuracy=MeanShare(mean=0.8, low=0.7, high=0.9),
    log_loss=0.5,
    parameters=10,
)
ANSWER = Answer(
    study="depth",
    title="What | the layers do",
    sentence="One model each: nothing is said of the cells.",
    table=Table(header=("cell", "accuracy, %"), rows=(("gru", "80.0"),)),
    rows=({"cell": "gru", "accuracy": 0.8}, {"cell": "rnn", "accuracy": None}),
    findings=VariantsFindings(plain="1 layer", variants=(PLAIN,), seeds=1),
    trials=1,
    notes=("quick",),
    about=About(seeds=(0,)),
)


@pytest.fixture
def lab(workplace: Path, tmp_path: Path) -> Lab:
    models = tmp_path / "models"
    shutil.copytree(workplace / "models", models)
    target = Target(models, tmp_path / "cache")
    return Lab(models / "reviews-studies", target, Silent(), 1)


def test_the_textbooks_network_is_one_way_with_the_last_state_read_out() -> None:
    model = textbook(RunConfig()).model
    assert (model.layers, model.bidirectional, model.pooling) == (1, False, "last")
    assert model.units == RunConfig().model.units


def test_studies_that_look_inside_train_networks_that_learn() -> None:
    own = unrolled.plain_network(Question(config=RunConfig()), "gates").training
    assert (own.word_dropout_rate, own.warmup_fraction) == (0.0, 0.3)
    assert own == dataclasses.replace(
        TrainingConfig(), word_dropout_rate=0.0, warmup_fraction=0.3
    )
    # What was given stands, be it the default.
    training = TrainingConfig(word_dropout_rate=0.1)
    given = frozenset({"word_dropout_rate", "warmup_fraction"})
    question = Question(config=RunConfig(training=training), given=given)
    kept = unrolled.plain_network(question, "gates").training
    assert kept == training


@pytest.mark.parametrize(
    ("right", "guesses"), [(50, True), (58, True), (59, False), (100, False)]
)
def test_a_model_guesses_unless_it_is_surely_above_the_commonest_label(right, guesses):
    # Of 100 texts half have the commonest label; P(58 or more) is 0.067, P(59 or more)
    # is 0.044.
    def run(number):
        answers = SimpleNamespace(right=np.arange(100) < number)
        return SimpleNamespace(
            config=RunConfig(),
            dataset=SimpleNamespace(label_counts={"validation": [50, 30, 20]}),
            predictions=lambda split: {"validation": answers}[split],
        )

    question = Question(config=RunConfig(), cells=("gru", "lstm"), seeds=(0, 1))
    runs = [run(100), run(100), run(right), run(100)]  # gru, lstm, then seed 1
    assert unrolled.guessing(question, runs) == (("gru",) if guesses else ())


def test_the_price_of_a_training_is_that_of_those_that_are_there(tmp_path) -> None:
    lab = Lab(tmp_path, Target(tmp_path, tmp_path), Silent(), jobs=2)
    assert lab.seconds_a_training() is None
    for name, seconds in (("a", 30.0), ("b", 50.0)):
        folder = tmp_path / TRIALS / name
        folder.mkdir(parents=True)
        (folder / "seconds").write_text(str(seconds))

    def run(path):
        seconds = float((path / "seconds").read_text())
        environment = SimpleNamespace(seconds=seconds)
        return SimpleNamespace(is_finished=True, environment=environment)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seqclf.studies.lab.Run", run)
        assert lab.seconds_a_training() == 20.0  # 40 on average, two at a time


def test_quick_asks_for_less_and_keeps_what_was_given() -> None:
    quick = quick_config(RunConfig())
    assert (quick.data.limit, quick.training.epochs) == (QUICK_ROWS, QUICK_EPOCHS)
    given = RunConfig(data=DataConfig(limit=300), training=TrainingConfig(epochs=1))
    assert quick_config(given) == given


def test_a_quick_question_learns_soon_unless_it_was_told_how() -> None:
    quick = Question(config=RunConfig(), quick=True).recipe.training
    assert (quick.word_dropout_rate, quick.warmup_fraction) == (0.0, 0.3)
    assert Question(config=RunConfig()).recipe == RunConfig()
    own = RunConfig(training=TrainingConfig(word_dropout_rate=0.2))
    given = frozenset({"word_dropout_rate", "warmup_fraction"})
    kept = Question(config=own, quick=True, given=given).recipe.training
    assert (kept.word_dropout_rate, kept.warmup_fraction) == (0.2, 0.1)


def test_a_quick_question_of_what_is_reached_has_the_last_two_cells() -> None:
    question = Question(config=RunConfig(), cells=("rnn", "gru", "lstm"))
    assert question.narrowed == question
    quick = dataclasses.replace(question, quick=True)
    assert quick.narrowed == dataclasses.replace(quick, cells=("gru", "lstm"))
    one = dataclasses.replace(quick, cells=("rnn",))
    assert one.narrowed == one


def test_the_last_is_measured_first_and_values_stay_in_their_order(
    tmp_path, monkeypatch
) -> None:
    begun = []

    def in_their_order(tasks, jobs, on_report):
        begun.extend(task.argument for task in tasks)
        return [Outcome(i, value=2 * task.argument) for i, task in enumerate(tasks)]

    monkeypatch.setattr("seqclf.studies.lab.run_tasks", in_their_order)
    lab = Lab(tmp_path, Target(tmp_path, tmp_path), Silent(), jobs=2)
    assert lab.measure(abs, [1, 2, 3], ["a", "b", "c"]) == [2, 4, 6]
    assert begun == [3, 2, 1]


def test_the_longest_trainings_are_made_first(lab, workplace, monkeypatch) -> None:
    begun = []

    def noted(trials, *others, cluster):
        begun.extend(trial.config.model.cell for trial in trials)
        return {}

    monkeypatch.setattr("seqclf.studies.lab.planning.train", noted)
    question = Question(config=tiny(workplace / "reviews"), seeds=(7, 8))
    lab.train(trainings(question, question.config))
    assert begun == ["lstm", "lstm", "gru", "gru", "rnn", "rnn"]


def test_a_quick_note_says_what_it_changed() -> None:
    (note,) = Question(config=RunConfig(), quick=True).quick_note("two sizes.")
    assert note.startswith("Quick: two sizes. Changed from what was asked")
    for said in ("limit", "epochs", "word_dropout_rate", "warmup_fraction"):
        assert said in note
    assert Question(config=RunConfig()).quick_note("two sizes.") == ()


def test_trainings_go_seed_by_seed() -> None:
    question = Question(config=RunConfig(), cells=("rnn", "gru"), seeds=(0, 1))
    found = [(c.model.cell, c.training.seed) for c in trainings(question, RunConfig())]
    assert found == [("rnn", 0), ("gru", 0), ("rnn", 1), ("gru", 1)]


def test_an_answer_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    question = Question(config=RunConfig())
    asked = question.asked("depth", "f00")
    path = saved.place(tmp_path / "x-studies", asked)
    saved.write(path, asked, ANSWER, "<svg/>")
    assert saved.read(path) == ANSWER
    from pyarrow import parquet

    assert parquet.read_table(path / saved.ROWS_FILE).to_pylist() == list(ANSWER.rows)
    assert saved.answered(tmp_path, "f00") == [path]
    assert saved.answered(tmp_path, "other") == []


def test_another_question_gets_another_place_and_the_equal_one_its_own(
    tmp_path: Path,
) -> None:
    asked = Question(config=RunConfig()).asked("depth", "f00")
    other = Question(config=RunConfig(), quick=True).asked("depth", "f00")
    first = saved.place(tmp_path, asked)
    saved.write(first, asked, ANSWER, "<svg/>")
    assert saved.place(tmp_path, asked) == first
    assert saved.place(tmp_path, other) == tmp_path / "depth-2"
    assert saved.is_written(first, asked)
    # What an older version answered, or another machine, makes way for the new answer.
    for newer in (asked | {"answers": 99}, asked | {"machine": {"threads": 1}}):
        assert saved.place(tmp_path, newer) == first
        assert not saved.is_written(first, newer)


def test_the_place_of_the_data_and_the_seed_of_the_recipe_make_no_other_question() -> (
    None
):
    here = RunConfig(data=DataConfig(source="a.csv"))
    there = RunConfig(data=DataConfig(source="b.csv"), training=TrainingConfig(seed=7))
    questions = [Question(config=one).asked("depth", "f00") for one in (here, there)]
    assert questions[0] == questions[1]


def test_a_narrow_screen_breaks_lines_between_words_and_cuts_nothing_off() -> None:
    from rich.console import Console

    rows = (("lstm", "1.3 (0.9 to 1.7)"), ("gru", "0.0123"))
    table = Table(header=("cell", "factor"), rows=rows)
    # All on a line; the longest words; one place more, for the texts that need it.
    assert column_widths(table, 80) == [4, 16]
    assert column_widths(table, 12) == [4, 6]
    assert column_widths(table, 13) == [4, 7]
    assert column_widths(table, 11) is None
    answer = dataclasses.replace(ANSWER, table=table, sentence="", notes=())
    for width in (8, 11, 12, 13, 80):
        console = Console(width=width, record=True, file=io.StringIO())
        sections.to_terminal(answer, console)
        said = console.export_text()
        assert Counter("".join(rows[0] + rows[1])) - Counter(said) <= Counter(" ")
        # Words stay whole wherever they fit.
        assert ({"lstm", "gru", "0.0123", "(0.9"} <= set(said.split())) == (width > 11)


def test_times_are_of_the_machine_they_were_measured_on(monkeypatch) -> None:
    from seqclf.studies import timed

    assert STUDIES["cost"].is_timed
    assert STUDIES["convergence"].is_timed
    here = timed.machine()
    assert here["threads"] >= 1
    assert here["processor"]
    assert json.loads(json.dumps(here)) == here
    monkeypatch.setattr(timed, "processor", lambda: "another")
    assert timed.machine() != here


@pytest.mark.parametrize("text", ["", "{", "{}", '{"study": 1}', "[]"])
def test_a_damaged_answer_is_named_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / saved.ANSWER_FILE).write_text(text)
    with pytest.raises(RunError, match="type seqclf study"):
        saved.read(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [{"notes": [None]}, {"table": {"header": ["a"], "rows": [["1", "2"]]}},
     {"table": {"header": ["a"], "rows": [[1]]}}, {"about": []}, {"rows": ["x"]},
     {"title": {}}, {"findings": {"plain": "x"}}, {"unheard_of": 1}],
)  # fmt: skip
def test_an_answer_that_could_not_be_shown_is_damaged(changed: dict[str, Any]) -> None:
    values = saved.to_values(ANSWER)
    assert list(values["table"]) == ["header", "rows"]
    assert saved.from_json(json.dumps(values)) == ANSWER
    with pytest.raises(ValueError):  # noqa: PT011 -- of any kind
        saved.from_json(json.dumps(values | changed))


def test_answers_of_earlier_versions_are_read_if_they_can_be(tmp_path: Path) -> None:
    values = saved.to_values(ANSWER)
    del values["version"], values["about"]
    file = tmp_path / saved.ANSWER_FILE
    file.write_text(json.dumps(values))
    earlier = dataclasses.replace(ANSWER, version=1, about=About())
    assert saved.read(tmp_path) == earlier
    for changed, said in (
        ({"findings": {"plain": "x"}}, f"{file} could .* of an earlier version"),
        ({"version": VERSION + 1}, f"{file} could .* of a later version"),
        ({"version": "2"}, f"{file} could not be used"),
    ):
        file.write_text(json.dumps(values | changed))
        with pytest.raises(RunError, match=said):
            saved.read(tmp_path)


def test_every_study_says_what_it_finds() -> None:
    assert saved.FINDINGS.keys() - {RANGE} == STUDIES.keys()
    assert saved.ROWS.keys() <= saved.FINDINGS.keys()


def test_markdown_keeps_the_columns_whatever_a_cell_holds() -> None:
    table = Table(header=("a", "b"), rows=(("x|y", "1\n2"),))
    text = sections.markdown(dataclasses.replace(ANSWER, table=table))
    assert "| x\\|y | 1 2 |" in text


@pytest.mark.slow
def test_a_finished_run_of_the_person_is_reused_and_others_are_kept_apart(
    lab: Lab, workplace: Path
) -> None:
    config = tiny(workplace / "reviews")
    finished = lab.target.models / "reviews-gru-0"
    gru = dataclasses.replace(
        config, model=dataclasses.replace(config.model, cell="gru")
    )
    none = dataclasses.replace(
        config, model=dataclasses.replace(config.model, cell="none")
    )
    found = lab.train([gru, none, gru])
    assert [run.path for run in found] == [
        finished,
        lab.folder / "trials" / "reviews-none-0",
        finished,
    ]
    assert found[1].is_finished
    before = (found[1].path / "complete").read_bytes()
    assert lab.train([none])[0].path == found[1].path
    assert (found[1].path / "complete").read_bytes() == before  # not trained again


@pytest.mark.slow
def test_settings_that_differ_get_runs_of_their_own(lab: Lab, workplace: Path) -> None:
    config = tiny(workplace / "reviews")
    one = dataclasses.replace(
        config, training=dataclasses.replace(config.training, epochs=1)
    )
    two = dataclasses.replace(one, text=dataclasses.replace(one.text, max_length=3))
    found = lab.train([one, two, one])
    assert found[0].path == found[2].path != found[1].path
    assert [run.config for run in found] == [one, two, one]


@pytest.mark.slow
def test_the_model_after_one_epoch_is_kept_and_is_another_than_the_best(
    lab: Lab, workplace: Path
) -> None:
    from seqclf.model.keras_file import open_keras

    config = tiny(workplace / "reviews")
    plain = lab.train([config])[0]
    assert not (plain.path / FIRST_EPOCH_FILE).exists()
    run = lab.train([config], with_first_epoch=True)[0]
    run.verify()
    first = open_keras(run.file(FIRST_EPOCH_FILE))
    best = open_keras(run.file("model.keras"))
    assert any(
        (a != b).any()
        for a, b in zip(first.get_weights(), best.get_weights(), strict=True)
    )
    assert lab.train([config], with_first_epoch=True)[0].path == run.path


@pytest.mark.slow
def test_texts_of_our_own_are_trained_on_like_any_others(
    lab: Lab, workplace: Path
) -> None:
    import pyarrow as pa
    from conftest import reviews

    def table(rows: list[tuple[str, str]]) -> Any:
        return pa.table({"text": [t for t, _ in rows], "label": [x for _, x in rows]})

    data = lab.keep_data(
        "made-up",
        {
            "train": table(reviews(80)),
            "validation": table(reviews(20, 80)),
            "test": table(reviews(20, 100)),
        },
    )
    config = dataclasses.replace(tiny(workplace), data=data)
    run = lab.train([config])[0]
    assert run.dataset.sizes == {"train": 80, "validation": 20, "test": 20}


@pytest.mark.slow
def test_trainings_of_studies_are_neither_listed_nor_predicted_with(
    lab: Lab, workplace: Path
) -> None:
    from seqclf.runs import list_runs
    from seqclf.runs.comparisons import default_run

    config = tiny(workplace / "reviews")
    lab.train([dataclasses.replace(config, text=TextConfig(min_count=2))])
    assert [run.name for run in list_runs(lab.target.models)] == ["reviews-gru-0"]
    assert default_run(lab.target.models) == Run(lab.target.models / "reviews-gru-0")


def test_the_command_lists_the_studies_and_refuses_others(tmp_path: Path) -> None:
    listed = run_in(tmp_path, "study")
    assert listed.exit_code == 0
    assert all(name in listed.stdout for name in STUDIES)
    refused = run_in(tmp_path, "study", "nothing")
    assert refused.exit_code == 2
    assert "choices" in refused.stderr


@pytest.mark.parametrize("name", STUDIES)
def test_the_help_of_a_study_is_about_it_and_has_only_the_options_it_takes(name):
    shown = invoke("study", "--seeds=1", "--help", name, env={"COLUMNS": "200"}).stdout
    about, said = ABOUT[name], " ".join(shown.split())
    assert all(words in said for words in (about.claim, about.method, about.example))
    parameters = command_line().commands["study"].params
    taken = {p.name for p in parameters if f" {p.opts[0]} " in shown}
    assert {"json", "models_dir"} <= taken
    every = {p.name for p in parameters} - {"name"}
    assert not about.idle - every
    assert ("page" in taken) == about.has_page == (STUDIES[name].page is not None)
    every -= set() if about.has_page else {"page"}
    assert taken == every - about.idle if about.trains else "data" not in taken


def test_the_help_without_a_study_lists_them_all():
    for arguments in ([], ["nothing"]):
        said = " ".join(invoke("study", *arguments, "--help").stdout.split())
        assert all(f"{name} {one.claim}" in said for name, one in ABOUT.items())
    assert ABOUT.keys() == STUDIES.keys()


@pytest.mark.slow
def test_a_study_is_answered_once(workplace: Path, tmp_path: Path) -> None:
    """`cost` trains nothing; so the second time nothing is measured either."""
    command = ["study", "cost", f"--data={workplace / 'reviews'}", *TINY, "--json"]
    first = run_cli(command, tmp_path)
    assert first.returncode == 0, first.stderr
    assert "--epochs does nothing in the study cost" in first.stderr
    assert "--units does nothing" not in first.stderr
    again = run_cli(command, tmp_path)
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert "reused" in again.stderr
    asked = tmp_path / "models" / "reviews-studies" / "cost" / QUESTION_FILE
    question = json.loads(asked.read_text())
    # What was typed of model and training, and nothing that was not.
    typed = {"units", "embedding_size", "epochs", "batch_size", "learning_rate"}
    assert set(question["given"]) == typed
    assert question["machine"]["processor"]


def right(*shares: float, texts: int = 12) -> dict[int, np.ndarray]:
    """Which texts are right, by seed: the first of them, by share."""
    return {i: np.arange(texts) < share * texts for i, share in enumerate(shares)}


def test_what_never_varies_in_few_texts_is_not_sure():
    same = intervals.difference(right(1, 1, 1), right(1, 1, 1))
    # The floor on the standard error is 1 / (n + 2), and t with 11 degrees 2.201.
    assert (same.low, same.high) == pytest.approx((-2.201 / 14, 2.201 / 14), abs=1e-4)
    apart = intervals.difference(right(1, 1, texts=4), right(0, 0, texts=4))
    assert apart.low < 1
    assert apart.p > 0
    own = intervals.own_difference(right(1, 1), right(1, 1))
    assert own.high > 0.1


def test_growing_word_dropout_keeps_some_to_grow_to():
    training = TrainingConfig(grow_word_dropout=True)
    config = learning_soon(RunConfig(training=training), {"grow_word_dropout"})
    assert config.training.word_dropout_rate == training.word_dropout_rate > 0
    assert learning_soon(RunConfig(), ()).training.word_dropout_rate == 0


def test_a_training_on_drawn_data_is_found_again(tmp_path):
    about = SimpleNamespace(name="x")
    for drawn, name in (
        ({"resample": 3}, "x-lstm-0-resample3"),
        ({"fold": "3/10"}, "x-lstm-0-fold3of10"),
        ({}, "x-lstm-0"),
    ):
        config = RunConfig(data=DataConfig(**drawn))
        assert runs.automatic_name("x", config) == name
        data = SimpleNamespace(about=about)
        assert _free_name(tmp_path, config, data, {}) == name


def test_the_order_of_words_is_asked_of_recurrent_cells_alone():
    question = Question(config=RunConfig(), cells=("none", "dense"), seeds=(0,))
    with pytest.raises(ConfigError, match="name one, such as --cells gru"):
        STUDIES["order"].run(question, None)
