"""Runs, comparisons and artefacts as people really handle them: nothing is lost."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from asked import Silent
from conftest import TINY, invoke, reviews, run_cli, seal, write_csv
from test_studies import ANSWER

import seqclf
from seqclf import marker, studies
from seqclf.cli import _options
from seqclf.comparison import finish, places
from seqclf.comparison.saved import read_details, read_timing
from seqclf.config import ModelConfig, RunConfig
from seqclf.errors import ConfigError, RunError
from seqclf.estimator.saving import refuse_to_replace
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import to_plain
from seqclf.runs import Run, find_place, list_runs, open_run
from seqclf.runs.comparisons import read_comparison
from seqclf.runs.writing import create_run
from seqclf.storage import write_json
from seqclf.studies import saved
from seqclf.text.vocabulary import Vocabulary
from seqclf.workflows import study

ABOUT = DatasetInfo(
    name="toys", source="toys", fingerprint="f00d", labels=("a", "b"), sizes={}
)
WORDS = Vocabulary.from_text("[PAD]\n[UNK]\nword\n")
CONFIG = RunConfig(model=ModelConfig(cell="gru"))

# What config.json of 0.1.0 held; later settings are later.
OLD_SETTINGS = {
    "data": "source revision subset text_column label_column encoding limit "
    "validation_fraction test_fraction split_seed drop_duplicates",
    "text": "vocabulary_size min_count max_length keep",
    "model": "cell units layers bidirectional embedding_size embedding_range "
    "dropout_rate conv_width pooling",
    "training": "epochs batch_size batch_tokens learning_rate warmup_fraction "
    "weight_decay clip_norm word_dropout_rate label_smoothing class_weights kernel "
    "patience seed",
}


def typed(folder: Path, *arguments: object, **options: object):
    """Types a command in a folder, without a new process."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return invoke(*arguments, **options)
    finally:
        os.chdir(before)


def said(result) -> str:
    return " ".join(result.output.split())


def tree(folder: Path) -> dict[str, bytes]:
    """Returns all that lies in a folder, links by where they lead."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes() if path.is_file() else b""
        found[name] = bytes(path.readlink()) if path.is_symlink() else content
    return found


def old_run(finished_run: Run, path: Path) -> Run:
    """Writes a run as 0.1.0 did: without a marker, its config with what there was."""
    shutil.copytree(finished_run.path, path)
    (path / marker.MARKER_FILE).unlink()
    values = json.loads((path / "config.json").read_text())
    old = {
        part: {name: values[part][name] for name in names.split()}
        for part, names in OLD_SETTINGS.items()
    }
    write_json(path / "config.json", old)
    seal(path)
    return Run(path)


def old_question() -> dict[str, object]:
    """Returns question.json as 0.1.0 wrote it for a comparison."""
    values: dict[str, object] = {}
    values["data"] = {"limit": None, "validation_fraction": 0.1, "test_fraction": 0.2,
                      "split_seed": 0, "drop_duplicates": False}  # fmt: skip
    values["text"] = {"vocabulary_size": 30000, "min_count": 2, "max_length": 400,
                      "keep": "both"}  # fmt: skip
    values["model"] = {"units": 8, "layers": 1, "bidirectional": True}
    values["training"] = {"epochs": None, "batch_size": 64, "learning_rate": 0.004}
    more = {"cells": ["rnn", "gru"], "seeds": [0], "match": "units", "tune": 0}
    return values | more | {"fingerprint": "f00d"}


# What version 0.1.0 made.


def test_a_run_of_the_first_version_is_listed_used_and_removed(finished_run, tmp_path):
    models = tmp_path / "models"
    run = old_run(finished_run, models / "reviews-gru-0")
    shutil.copytree(run.path, models / "unfinished")
    (models / "unfinished" / "complete").unlink()
    listed = json.loads(typed(tmp_path, "runs", "list", "--json").stdout)
    assert [one["run"] for one in listed] == ["reviews-gru-0", "unfinished"]
    assert [one["finished"] for one in listed] == [True, False]
    answered = typed(tmp_path, "predict", "--run", "reviews-gru-0", "a good film")
    assert answered.exit_code == 0, answered.output
    names = ["reviews-gru-0", "models/unfinished"]
    assert typed(tmp_path, "runs", "remove", "--yes", *names).exit_code == 0
    assert list(models.iterdir()) == []


@pytest.mark.parametrize(
    "question", [old_question(), {"finished": ["/a/models/one", "/a/models/two"]}]
)
def test_a_comparison_of_the_first_version_is_known(question, tmp_path):
    write_comparison(tmp_path / "old-compare", question)
    assert marker.kind_of(tmp_path / "old-compare") == marker.COMPARISON
    models = f"--models-dir={tmp_path}"
    assert invoke("runs", "remove", "-y", "old-compare", models).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def write_comparison(path: Path, question: object) -> None:
    path.mkdir(parents=True)
    write_json(path / "question.json", question)


@pytest.mark.parametrize(
    "file", ["config.json", "dataset.json", "labels.txt", "complete"]
)
@pytest.mark.parametrize("is_old", [True, False])
def test_the_command_that_a_damaged_run_names_removes_it(
    file, is_old, finished_run, tmp_path
):
    run = old_run(finished_run, tmp_path / "elsewhere" / "it's mine")
    if not is_old:
        marker.begin(run.path, marker.RUN)
    (run.path / file).write_text("{")
    shown = typed(tmp_path, "runs", "show", run.path)
    assert shown.exit_code == 1
    command = shown.output.partition("remove the run with seqclf ")[2]
    command = command.partition(", and train it again")[0]
    done = typed(tmp_path, *shlex.split(command), "--yes")
    assert done.exit_code == 0, done.output
    assert not run.path.exists()


# What another made.


def hugging_face(folder: Path) -> None:
    folder.mkdir(parents=True)
    config = {"architectures": ["BertForSequenceClassification"], "hidden_size": 8}
    write_json(folder / "config.json", config)
    write_json(folder / "tokenizer.json", {"model": {"type": "WordPiece"}})
    write_json(folder / "dataset.json", {"name": "mine"})
    (folder / "labels.txt").write_text("yes\nno\n")
    write_json(folder / "estimator.json", {"kind": "mine"})
    (folder / "pytorch_model.bin").write_bytes(b"years of work")


def questions(folder: Path) -> None:
    """A data set of questions and answers, with files that comparisons have, too."""
    folder.mkdir(parents=True)
    write_json(folder / "question.json", {"question": "who?", "answers": ["me"]})
    write_json(folder / "comparison.json", {"rows": []})
    write_json(folder / "seqclf.json", {"seqclf": "a link to the project"})
    (folder / "complete").write_text("yes")


def empty_config(folder: Path) -> None:
    folder.mkdir(parents=True)
    write_json(folder / "config.json", {})
    write_json(folder / "dataset.json", {})
    (folder / "labels.txt").write_text("a\n")


def only_config(folder: Path) -> None:
    """A recipe that somebody kept, with what was thought of it."""
    create_run(folder.parent / "other", CONFIG, ABOUT, WORDS)
    folder.mkdir(parents=True)
    shutil.copy(folder.parent / "other" / "config.json", folder)
    (folder / "thoughts.txt").write_text("try more units")


def diary(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("dear diary")


def labels(folder: Path) -> None:
    """Files that a run has, too, of another project."""
    folder.mkdir(parents=True)
    (folder / "labels.txt").write_text("yes\nno\n")
    write_json(folder / "tokenizer.json", {})


def file(folder: Path) -> None:
    folder.write_text("a file")


def link(folder: Path) -> None:
    run = create_run(folder.parent.parent / "archive" / "run", CONFIG, ABOUT, WORDS)
    folder.symlink_to(run.path)


FOREIGN = [hugging_face, questions, empty_config, only_config, diary, labels, file]
FOREIGN += [link]


@pytest.fixture(params=FOREIGN, ids=lambda make: make.__name__)
def foreign(request, tmp_path) -> Path:
    """The folder of the runs, with something of another's in it, called x."""
    models = tmp_path / "models"
    models.mkdir()
    request.param(models / "x")
    return models


def test_what_another_made_is_not_removed(foreign):
    before = tree(foreign.parent)
    for name in ("x", "models/x", foreign / "x"):
        result = typed(foreign.parent, "runs", "remove", "--yes", name)
        assert result.exit_code == 1
        assert "nothing was removed" in said(result)
    assert tree(foreign.parent) == before
    with pytest.raises(RunError, match="nothing was removed"):
        marker.remove(foreign / "x")
    assert tree(foreign.parent) == before


def test_what_another_made_is_not_overwritten(foreign):
    before = tree(foreign.parent)
    other = RunConfig(model=ModelConfig(cell="rnn"))
    with pytest.raises(RunError, match="is no run of seqclf; choose another --name"):
        find_place(foreign, other, ABOUT, "x", overwrite=True)
    with pytest.raises(RunError, match="is no comparison; choose another --name"):
        places.place_for([], foreign, "x", overwrite=True)
    if not (foreign / "x" / "log.txt").exists():  # that a training may write to
        with pytest.raises(RunError, match="was left as it is"):
            create_run(foreign / "x", CONFIG, ABOUT, WORDS)
    is_link = (foreign / "x").is_symlink()
    why = "is a link; name the folder itself" if is_link else "no saved classifier"
    with pytest.raises(RunError, match=why):
        refuse_to_replace(foreign / "x", overwrite=True)
    assert tree(foreign.parent) == before


def test_what_another_made_is_neither_listed_nor_completed(foreign):
    create_run(foreign / "mine", CONFIG, ABOUT, WORDS)
    names = {run.name for run in list_runs(foreign)} - {"other"}
    assert names - {"x"} == {"mine"}
    context = SimpleNamespace(params={"models_dir": foreign})
    completed = set(_options.complete_run(context, "")) - {"other"}
    assert completed == names
    assert ("x" in names) is (foreign / "x").is_symlink()  # to read, a link will do


def test_nothing_says_of_another_folder_that_it_should_be_removed(tmp_path):
    hugging_face(tmp_path / "models" / "bert")
    result = typed(tmp_path, "predict", "--run", "models/bert", "a text")
    assert result.exit_code == 1
    assert "no run 'models/bert'" in said(result)
    assert "remove" not in said(result)
    questions(tmp_path / "models" / "qa")
    assert "is no comparison" in said(typed(tmp_path, "compare", "qa"))


@pytest.mark.slow
@pytest.mark.parametrize("make", [hugging_face, diary, link])
def test_commands_with_overwrite_leave_it_alone(make, workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    (tmp_path / "models").mkdir()
    make(tmp_path / "models" / "x")
    before = tree(tmp_path / "models")
    for command in (["train", "--cell=none"], ["compare", "--cells=none", "--seeds=1"]):
        asked = [*command, "--data=reviews", "--name=x", "--overwrite", *TINY[1:]]
        done = run_cli(asked, tmp_path)
        assert done.returncode == 1, done.stderr
        assert "choose another --name" in done.stderr
    assert tree(tmp_path / "models") == before


@pytest.mark.parametrize("name", [".", "..", "models", "models/.", "models/..", "../p"])
def test_a_place_that_is_no_run_is_not_removed(name, tmp_path):
    """Of a project with a config of its own, as any may have."""
    project = tmp_path / "p"
    create_run(project / "models" / "run", CONFIG, ABOUT, WORDS)
    write_json(project / "config.json", {"debug": True})
    write_json(tmp_path / "config.json", {})
    before = tree(tmp_path)
    for more in ([], ["--models-dir=models"], ["--models-dir=."], ["--models-dir=.."]):
        result = typed(project, "runs", "remove", "--yes", name, *more)
        assert result.exit_code == 1, result.output
    assert tree(tmp_path) == before


def test_a_run_elsewhere_is_removed_by_the_command_that_is_named(tmp_path):
    run = create_run(tmp_path / "archive" / "run", CONFIG, ABOUT, WORDS)
    for name in (run.path, "archive/run", "../archive/run"):
        folder = tmp_path / "project" if str(name).startswith("..") else tmp_path
        folder.mkdir(exist_ok=True)
        result = typed(folder, "runs", "remove", "--yes", name)
        assert result.exit_code == 1
        assert "does not lie directly in models: nothing was removed" in said(result)
        assert run.path.exists()
    within = typed(run.path, "runs", "remove", "--yes", ".")
    command = said(within).partition("type seqclf ")[2].removesuffix(".")
    assert typed(tmp_path, *shlex.split(command), "--yes").exit_code == 0
    assert not run.path.exists()


def test_one_wrong_name_removes_none(tmp_path):
    run = create_run(tmp_path / "run", CONFIG, ABOUT, WORDS)
    option = f"--models-dir={tmp_path}"
    hugging_face(tmp_path / "bert")
    (tmp_path / "link").symlink_to(run.path)
    for other in ("bert", "link", "nothing"):
        assert invoke("runs", "remove", "-y", "run", other, option).exit_code == 1
    near = invoke("runs", "remove", "-y", "rum", option)
    assert "did you mean 'run'? choices: run." in said(near)
    assert run.path.exists()


# Removal.


def test_whatever_seqclf_begins_can_be_removed(tmp_path):
    models = tmp_path / "models"
    create_run(models / "run", CONFIG, ABOUT, WORDS)
    marker.begin(models / "begun", marker.RUN)
    marker.begin(models / "x-compare", marker.COMPARISON)
    marker.begin_new(models / "x-studies", marker.STUDIES)
    (models / "cut").mkdir()  # by 0.1.0, as it began
    for name in ("log.txt", "lock"):
        (models / "cut" / name).touch()
    names = ["run", "begun", "x-compare", "x-studies", "cut"]
    done = typed(tmp_path, "runs", "remove", "--yes", *names)
    assert done.exit_code == 0, done.output
    assert list(models.iterdir()) == []


def test_a_removal_that_is_cut_off_leaves_no_half_run(tmp_path, monkeypatch):
    create_run(tmp_path / "one", CONFIG, ABOUT, WORDS)
    create_run(tmp_path / "two", CONFIG, ABOUT, WORDS)
    real = shutil.rmtree

    def cut(path, **options):
        if not options:  # not what clears away an earlier one
            next(Path(path).glob("*/labels.txt")).unlink()
            raise KeyboardInterrupt
        real(path, **options)

    monkeypatch.setattr(shutil, "rmtree", cut)
    with pytest.raises(KeyboardInterrupt):
        marker.remove(tmp_path / "one")
    assert [run.name for run in list_runs(tmp_path)] == ["two"]
    assert _options.ours(tmp_path) == ["two"]
    with pytest.raises(RunError, match="no run 'one'"):
        open_run(Path("one"), tmp_path)
    monkeypatch.setattr(shutil, "rmtree", real)
    marker.remove(tmp_path / "two")
    assert list(tmp_path.iterdir()) == []  # what was left is gone, too


def test_a_run_that_is_replaced_looks_whole_at_no_moment(tmp_path, monkeypatch):
    run = create_run(tmp_path / "run", CONFIG, ABOUT, WORDS)
    seal(run.path)
    looked = []
    real = Path.unlink

    def unlink(path, **options):
        real(path, **options)
        looked.append(run.is_finished)

    monkeypatch.setattr(Path, "unlink", unlink)
    create_run(run.path, CONFIG, ABOUT, WORDS)
    assert len(looked) > 5
    assert not any(looked)


def test_studies_beside_the_files_of_another_do_not_make_them_seqclfs(tmp_path):
    diary(tmp_path / "x-studies")
    marker.begin_new(tmp_path / "x-studies", marker.STUDIES)
    assert marker.kind_of(tmp_path / "x-studies") is None


# Nothing behind a result takes it down.


@pytest.fixture(scope="module")
def kept_once(finished_run, tmp_path_factory) -> Path:
    models = tmp_path_factory.mktemp("kept") / "models"
    for name, units in (("one", 8), ("two", 16)):
        shutil.copytree(finished_run.path, models / name)
        config = json.loads((models / name / "config.json").read_text())
        config["model"]["units"] = units
        write_json(models / name / "config.json", config)
        seal(models / name)
    option = f"--models-dir={models}"
    done = invoke("compare", "one", "two", "--name=kept", option)
    assert done.exit_code == 0, done.output
    return models


@pytest.fixture
def kept(kept_once, tmp_path) -> Path:
    """The folder of the runs, with a comparison of two, called kept."""
    return shutil.copytree(kept_once, tmp_path / "models")


ROW = {"data": "a", "comparison": "a-compare", "fingerprint": "f", "n": 500, "seeds": 3,
       "own_settings": 0, "gru": 0.9, "lstm": 0.8, "difference": 0.1, "low": 0.0,
       "high": 0.2, "p": 0.5, "is_synthetic": 0, "counts": 1}  # fmt: skip
WINS = {"data_sets": 1, "first": 1, "second": 0, "ties": 0, "p": 1.0, "least_p": 1.0,
        "told_apart": {"first": 0, "second": 0, "of": 1}}  # fmt: skip


def answer_of(models: Path, fingerprint: str, name: str, **changed: object) -> Path:
    """Writes an answer as a study does, and changes what its file holds."""
    path = models / "reviews-studies" / name
    values = {"study": "wins", "title": name, "rows": [ROW], "findings": WINS}
    written = to_plain(ANSWER) | values | changed
    path.mkdir(parents=True)
    write_json(path / "question.json", {"study": "wins", "fingerprint": fingerprint})
    write_json(path / "answer.json", written)
    return path / "answer.json"


def test_damaged_answers_of_studies_do_not_end_a_comparison(kept, finished_run):
    fingerprint = finished_run.dataset.fingerprint
    answer_of(kept, fingerprint, "sound")
    damaged = [
        answer_of(kept, fingerprint, "no-rows", rows=[{}]),
        answer_of(kept, fingerprint, "of-now", unheard_of=1),
        answer_of(kept, fingerprint, "ragged", table={"header": ["a"], "rows": [[]]}),
        answer_of(kept, fingerprint, "list", about=[]),
        answer_of(kept, fingerprint, "half"),
    ]
    damaged[-1].write_text("{")
    answer_of(kept, fingerprint, "no-question").with_name("question.json").write_text(
        "[]"
    )
    (kept / "kept" / "report.html").unlink()
    option = f"--models-dir={kept}"
    result = invoke("compare", "kept", option, "--json")
    assert result.exit_code == 0, result.output
    written = json.loads((kept / "kept" / "comparison.json").read_text())
    assert json.loads(result.stdout) == written
    for file in damaged:
        assert f"{file} is left out of the page" in result.stderr
    assert result.stderr.count("type seqclf study wins --fresh") == len(damaged)
    page = (kept / "kept" / "report.html").read_text()
    assert "sound" in page
    assert "ragged" not in page


def test_from_python_too_a_comparison_comes_back_with_its_page(
    kept, finished_run, monkeypatch
):
    answer_of(kept, finished_run.dataset.fingerprint, "no-rows", rows=[{}])
    result = read_comparison(kept / "kept")
    (kept / "kept" / "report.html").unlink()
    heard = Silent()
    studies.write_page(kept / "kept", result, kept, heard)
    assert any("no-rows" in note for note in heard.notes)
    assert seqclf.Comparison.open("kept", kept).report is not None
    # Nor do studies that cannot be looked for: it has a page, without them.
    monkeypatch.setattr(studies.sections, "sections_on", lambda *about: 1 / 0)
    studies.write_page(kept / "kept", result, kept, heard)
    assert any("without studies" in note for note in heard.notes)


@pytest.mark.parametrize("text", ['{"labels": 3}', "[]", "{", '{"curves": {"gru": 1}}'])
def test_damaged_details_leave_the_tables(text, kept):
    (kept / "kept" / "details.json").write_text(text)
    result = invoke("compare", "kept", f"--models-dir={kept}", "--markdown")
    assert result.exit_code == 0, result.output
    assert "| gru (one)" in result.stdout
    assert "Traceback" not in result.output


@pytest.mark.parametrize("text", ["[]", "{", "3", '{"gru": 1}', '{"gru": {}}', "null"])
def test_damaged_times_are_none(text, tmp_path):
    (tmp_path / "timing.json").write_text(text)
    assert read_timing(tmp_path) == {}
    (tmp_path / "details.json").write_text(text)
    assert not isinstance(read_details(tmp_path), list | int)


def test_a_comparison_is_written_without_its_details(kept, monkeypatch, finished_run):
    def fail(*arguments):
        raise ZeroDivisionError("of no texts")

    monkeypatch.setattr(finish, "details", fail)
    option = f"--models-dir={kept}"
    runs = ["compare", "one", "two", "--name=again", option, "--json"]
    result = invoke(*runs)
    assert json.loads(result.stdout)["missing"] == {finish.DETAILS: "of no texts"}
    assert (kept / "again" / "comparison.json").exists()
    assert (kept / "again" / "complete").exists()
    assert not (kept / "again" / "details.json").exists()


def test_a_damaged_twin_without_recurrence_is_left_out(kept):
    twin = kept / "reviews-none-0"
    shutil.copytree(kept / "one", twin)
    config = json.loads((twin / "config.json").read_text())
    config["model"]["cell"] = "none"
    write_json(twin / "config.json", config)
    seal(twin)
    (twin / "metrics.json").write_text("{")
    result = invoke("compare", "one", "two", f"--models-dir={kept}", "--json")
    assert result.exit_code == 0, result.output
    assert "The twin without recurrence is left out: " in result.stderr
    assert len(json.loads(result.stdout)["rows"]) == 2


def test_an_answer_that_cannot_be_read_is_asked_anew(tmp_path, monkeypatch):
    from seqclf.steps import Target
    from seqclf.studies.question import Question

    monkeypatch.setattr(studies.wins, "run", lambda question, lab: ANSWER)
    about = DatasetInfo(name="wins", source="", fingerprint="f", labels=(), sizes={})
    monkeypatch.setattr(studies.wins, "about", lambda models: about)
    entry = studies.Study(studies.wins.run, fail_to_draw, about=studies.wins.about)
    monkeypatch.setitem(studies.STUDIES, "wins", entry)
    target, heard = Target(tmp_path / "models", tmp_path), Silent()
    asked = ("wins", Question(config=RunConfig()), target, heard)
    # What cannot be drawn is no reason to lose it.
    answer, path = study.run_study(*asked)
    assert saved.read(path) == answer
    assert any("The answer has no figure" in note for note in heard.notes)
    assert marker.kind_of(path.parent) == marker.STUDIES
    (path / saved.ANSWER_FILE).write_text("{}")
    assert study.run_study(*asked) == (answer, path)
    assert saved.read(path) == answer
    assert any("The study runs again" in note for note in heard.notes)


def fail_to_draw(answer):
    raise KeyError("difference")


# Counts, from Python.


@pytest.mark.parametrize("value", [0, -1, True, "2", 2.5])
@pytest.mark.parametrize("name", ["seeds", "jobs", "tune"])
def test_counts_are_whole_numbers_from_python_too(name, value, tmp_path):
    if (name, value) == ("tune", 0):
        return  # without tuning
    with pytest.raises(ConfigError, match=f"^{name} must be a whole number"):
        seqclf.compare("demo", cells="rnn,gru", models_dir=tmp_path, **{name: value})
    assert list(tmp_path.iterdir()) == []


def test_what_is_given_from_python_is_meant_even_at_its_default(tmp_path):
    with pytest.raises(ConfigError, match="units does nothing"):
        seqclf.train("demo", cell="none", units=128, models_dir=tmp_path)
    with pytest.raises(ConfigError, match="give one"):
        seqclf.compare("demo", batch_tokens=900, batch_size=64, models_dir=tmp_path)


# F18: a run by --run.


@pytest.fixture(scope="module")
def elsewhere(workplace, tmp_path_factory) -> Path:
    """A folder with the runs of the workplace, the newest another, and new texts."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("reviews-gru-0", "newer"):
        shutil.copytree(workplace / "models/reviews-gru-0", folder / "models" / name)
    seal(folder / "models" / "newer", time="2999-01-01")
    write_csv(folder / "new.csv", reviews(30, start=300))
    return folder


def test_evaluate_takes_a_run_as_predict_does(elsewhere):
    for named in (["--run", "reviews-gru-0"], ["reviews-gru-0"],
                  ["reviews-gru-0", "--run", "reviews-gru-0"]):  # fmt: skip
        asked = ["evaluate", *named, "--data", "new.csv", "--json"]
        result = typed(elsewhere, *asked)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["run"].endswith("reviews-gru-0")
    both = typed(elsewhere, "evaluate", "newer", "--run", "reviews-gru-0")
    assert both.exit_code == 2
    assert "newer and --run reviews-gru-0 are two runs; name one" in said(both)


def test_other_commands_take_a_run_so_as_well(elsewhere):
    shown = typed(elsewhere, "runs", "show", "--run", "reviews-gru-0", "--json")
    assert json.loads(shown.stdout)["run"].endswith("reviews-gru-0")
    named = ["--run", "no-such-run", "--format", "onnx"]
    assert "unknown run 'no-such-run'" in said(typed(elsewhere, "export", *named))
    lacking = typed(elsewhere, "export", "--format", "onnx")
    assert lacking.exit_code == 2
    assert "seqclf export RUN --format onnx" in said(lacking)


# F22: exports typed twice, and several at a time.


@pytest.mark.slow
def test_exports_are_found_again_and_several_are_written(workplace, tmp_path):
    shutil.copytree(workplace / "reviews", tmp_path / "reviews")
    train = ["train", "--cell=none", "--epochs=1", "--name=x", "--data=reviews"]
    assert run_cli([*train, "--min-count=1"], tmp_path).returncode == 0
    once = run_cli(["export", "x", "--format", "onnx"], tmp_path)
    assert once.returncode == 0, once.stderr
    again = run_cli(["export", "x", "--format", "onnx"], tmp_path)
    assert (again.returncode, again.stdout) == (0, once.stdout)
    assert "exports/x/onnx is there already" in again.stderr
    both = ["export", "x", "--format", "keras", "--format", "litert", "--json"]
    written = run_cli(both, tmp_path)
    assert written.returncode == 0, written.stderr
    assert [one["format"] for one in json.loads(written.stdout)] == ["keras", "litert"]
    assert (tmp_path / "exports" / "x" / "keras" / "model.keras").exists()
    assert (tmp_path / "exports" / "x" / "litert" / "model.tflite").exists()
    # One of three is there: the others are written beside it.
    shutil.rmtree(tmp_path / "exports" / "x" / "keras")
    three = run_cli([*both, "--format", "onnx"], tmp_path)
    assert three.returncode == 0, three.stderr
    formats = [one["format"] for one in json.loads(three.stdout)]
    assert formats == ["keras", "litert", "onnx"]
    assert three.stderr.count("is there already") == 2
    # Trained otherwise under the same name, it is another run's.
    more = run_cli([*train, "--overwrite"], tmp_path)
    assert more.returncode == 0, more.stderr
    other = run_cli(["export", "x", "--format", "onnx"], tmp_path)
    assert other.returncode == 1
    assert "of another run" in other.stderr
    anew = run_cli(["export", "x", "--format", "onnx", "--overwrite"], tmp_path)
    assert anew.returncode == 0, anew.stderr
