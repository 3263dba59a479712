"""Runs pushed to a hub on this machine, and opened from there."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import invoke, run_cli, seal
from loopback_hub import LoopbackHub, Repository, repository
from test_docs import ROOT, blocks_of, commands_of
from writable_hub import FIRST, TOKEN, WritableHub, visit

from seqclf import Classifier
from seqclf.errors import ConfigError, RunError
from seqclf.export.shared import write_shared
from seqclf.records.export import About
from seqclf.runs import Mean, Run, hub, members_of, open_any, open_run
from seqclf.trackers.tensorboard import EVENT_FILE
from seqclf.workflows import push

TEXTS = ["a good film", "bad soup", "", "number 7"]
NOWHERE = "http://127.0.0.1:9"  # nobody listens there
COMMIT = "c" * 40
HERE = Path("models")


@pytest.fixture
def home(tmp_path):
    """Where the Hub's library keeps what it downloads."""
    return tmp_path / "hf"


@pytest.fixture
def mine(home, monkeypatch):
    """An empty hub to which this process may push."""
    server = WritableHub()
    visit(monkeypatch, home, server.url, TOKEN)
    yield server
    server.close()


def pushed(run: Run, id: str = "me/reviews", **options: object) -> str:
    branch = options.pop("branch", None)
    with push.prepared(run, id, About(), branch) as what:
        return push.upload(what, "first", **options)


def copied(run: Run, folder: Path, **of_data: object) -> Run:
    """Returns a copy of a run whose config has other settings of the data."""
    shutil.copytree(run.path, folder)
    file = folder / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"data": config["data"] | of_data}))
    seal(folder)
    return Run(folder)


def test_a_pushed_run_answers_from_the_hub_as_it_does_here(mine, finished_run):
    commit = pushed(finished_run)
    found = open_any(Path("hf://me/reviews"), HERE)
    assert (found.name, found.labels) == ("reviews", finished_run.labels)
    expected = Classifier.open(finished_run).predict_proba(TEXTS)
    for named in (
        "hf://me/reviews",
        f"hf://me/reviews@{commit}",
        "hf://me/reviews@main",
    ):
        answers = Classifier.open(named).predict_proba(TEXTS)
        np.testing.assert_array_equal(answers, expected)
    assert found.metrics == finished_run.metrics
    assert found.complete.time == finished_run.complete.time


def test_only_files_of_the_table_are_pushed(mine, finished_run):
    pushed(finished_run)
    there = set(mine.files("me/reviews")) - {".gitattributes"}
    assert there == {
        "README.md", "seqclf.json", "complete", "config.json", "dataset.json",
        "labels.txt", "vocabulary.txt", "tokenizer.json", "model.keras", "model.onnx",
        "history.jsonl", "metrics.json", "environment.json",
        "predictions/validation.parquet", "predictions/test.parquet",
    }  # fmt: skip
    assert (finished_run.path / "log.txt").exists()
    assert mine.messages == ["first"]


def test_no_text_of_the_data_is_pushed(mine, finished_run, workplace):
    pushed(finished_run)
    everything = b"\n".join(mine.files("me/reviews").values())
    for split in ("train", "validation", "test"):
        lines = (workplace / "reviews" / f"{split}.csv").read_text().splitlines()[1:]
        for line in lines:
            assert line.split('"')[1].encode() not in everything


def test_the_card_names_command_scores_and_what_is_revealed(mine, finished_run):
    with push.prepared(
        finished_run, "me/reviews", About(license="mit", languages=("en",))
    ) as what:
        card = (what.folder / "README.md").read_text()
    _, metadata, text = card.split("---\n", 2)
    said = yaml.safe_load(metadata)
    assert (said["license"], said["language"]) == ("mit", ["en"])
    assert said["library_name"] == "seqclf"
    assert "datasets" not in said  # the data is a folder of this machine
    [model] = said["model-index"]
    [accuracy] = [
        m["value"] for m in model["results"][0]["metrics"] if m["type"] == "accuracy"
    ]
    assert accuracy == pytest.approx(finished_run.test_accuracy, abs=1e-6)
    assert "seqclf predict --run hf://me/reviews" in text
    assert "`vocabulary.txt` lists words of the training texts" in text


def test_folders_of_this_machine_are_left_out(finished_run, tmp_path):
    source = "/srv/secret/of/anna/reviews"
    run = copied(finished_run, tmp_path / "one", source=source)
    file = run.path / "dataset.json"
    about = json.loads(file.read_text())
    notes = [f"left out: {source}/odd.csv", "kept: a/srv/secret/of/anna/x"]
    file.write_text(json.dumps(about | {"source": source, "notes": notes}))
    seal(run.path)
    copy = write_shared(run, tmp_path / "copy")
    assert copy.config.data.source == "reviews"
    assert copy.dataset.source == "reviews"
    assert copy.dataset.notes == ("left out: reviews/odd.csv", notes[1])
    copy.verify()


def test_the_machine_that_trained_is_left_out(finished_run, tmp_path):
    run = copied(finished_run, tmp_path / "mine")
    file = run.path / "environment.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"node": "lab-7"}))
    seal(run.path)
    assert run.environment.node == "lab-7"
    copy = write_shared(run, tmp_path / "copy")
    assert copy.environment.node is None
    assert "lab-7" not in (copy.path / "environment.json").read_text()
    assert copy.environment.processor == run.environment.processor


def test_a_folder_that_stays_named_is_refused(finished_run, tmp_path, monkeypatch):
    run = copied(finished_run, tmp_path / "one", group_column="/srv/anna/x")
    monkeypatch.setenv("HOME", "/srv/anna")
    with pytest.raises(RunError, match=r"config.json would tell others of /srv/anna"):
        write_shared(run, tmp_path / "copy")


def test_what_another_run_left_is_replaced_in_one_commit(mine, finished_run, tmp_path):
    pushed(finished_run)
    # Of a run that does not agree with ONNX there is none.
    other = copied(finished_run, tmp_path / "other")
    (other.path / "model.onnx").unlink()
    seal(other.path)
    commit = pushed(other)
    assert "model.onnx" not in mine.files("me/reviews")
    assert len(mine.repositories["me/reviews"].commits) == 3
    assert not Run(open_any(Path(f"hf://me/reviews@{commit}"), HERE).path).has_onnx


def test_a_branch_is_made_and_pushed_to_alone(mine, finished_run):
    pushed(finished_run, branch="v2")
    assert set(mine.files("me/reviews")) == {".gitattributes"}
    assert open_any(Path("hf://me/reviews@v2"), HERE).name == "reviews"
    with pytest.raises(RunError, match=r"is no run of seqclf: it holds no files"):
        open_any(Path("hf://me/reviews"), HERE)


def test_private_makes_a_private_one_and_is_refused_where_it_would_not(
    mine, finished_run
):
    pushed(finished_run, "me/hidden", private=True)
    assert mine.private == {"me/hidden"}
    pushed(finished_run)
    with pytest.raises(RunError, match="is there already, and public"):
        pushed(finished_run, private=True)


def test_a_repository_of_something_else_is_left_as_it_is(mine, finished_run):
    files = {".gitattributes": b"", "pytorch_model.bin": b"x"}
    mine.repositories["me/other"] = Repository({FIRST: files}, {"main": FIRST})
    with pytest.raises(RunError, match=r"is no run of seqclf .pytorch_model.bin."):
        pushed(finished_run, "me/other")
    assert mine.files("me/other") == files


@pytest.mark.parametrize(
    ("token", "id", "said"),
    [(None, "me/x", "knows no access token"), ("hf_wrong", "me/x", "knows no access"),
     (TOKEN, "you/x", "may not write to you/x")],
)  # fmt: skip
def test_who_may_not_push_is_told_what_to_do(
    mine, finished_run, home, monkeypatch, token, id, said
):
    visit(monkeypatch, home, mine.url, token)
    with pytest.raises(RunError, match=said) as caught:
        pushed(finished_run, id)
    assert "hf_" not in str(caught.value).replace("HF_TOKEN", "")
    assert mine.repositories == {}


@pytest.mark.parametrize(
    "id", ["reviews", "a/b/c", "a/..", "me/re views", "/x", "hf://a/b"]
)
def test_what_is_no_repository_is_refused(finished_run, id):
    with pytest.raises(ConfigError, match="push takes OWNER/NAME"):
        pushed(finished_run, id)


def test_a_mean_is_pushed_one_by_one_and_opened_together(mine, finished_run, tmp_path):
    other = copied(finished_run, tmp_path / "reviews-gru-1")
    both = Mean((finished_run, other))
    with pytest.raises(ConfigError, match="push its runs one by one"):
        pushed(both)
    pushed(finished_run, "me/a")
    found = open_any(Path(f"hf://me/a+{other.path.name}"), tmp_path)
    assert [one.name for one in members_of(found)] == ["a", "reviews-gru-1"]
    pushed(other, "me/b")
    found = open_any(Path("hf://me/a+hf://me/b"), tmp_path)
    assert [one.name for one in members_of(found)] == ["a", "b"]


@pytest.fixture
def files(finished_run, tmp_path):
    """What seqclf push would put into a repository."""
    copy = write_shared(finished_run, tmp_path / "shared" / "x")
    return {
        file.relative_to(copy.path).as_posix(): file.read_bytes()
        for file in copy.path.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def opened(home, monkeypatch):
    """Opens a run from a hub that has these files."""
    servers = []

    def open_files(files: dict[str, bytes]) -> Run:
        server = LoopbackHub({"some/run": repository(files, COMMIT)})
        servers.append(server)
        visit(monkeypatch, home, server.url, None)
        return hub.fetched(Path("hf://some/run"))

    yield open_files
    for server in servers:
        server.close()


def damaged(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return files | {name: files[name][:-1] + b"?"}


def renamed(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    complete = json.loads(files["complete"])
    complete["files"][name] = complete["files"]["labels.txt"]
    return files | {"complete": json.dumps(complete).encode()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: {"model.safetensors": b"", "config.json": b"{}"},
         "is no run of seqclf: it holds config.json, model.safetensors"),
        (lambda f: {}, "is no run of seqclf: it holds no files"),
        (lambda f: f | {"custom.py": b"raise SystemExit"},
         "beside a run it holds custom.py"),
        (lambda f: f | {"model.pkl": b"x"}, "beside a run it holds model.pkl"),
        (lambda f: renamed(f, "../../escaped.txt"), r"names \.\./\.\./escaped.txt"),
        (lambda f: damaged(f, "model.onnx"), "its checksum differs"),
        (lambda f: damaged(f, "vocabulary.txt"), "its checksum differs"),
        (lambda f: f | {"complete": b"{}"}, "not as seqclf push leaves a run"),
        (lambda f: {k: v for k, v in f.items() if k != "labels.txt"}, "answered 404"),
    ],
)  # fmt: skip
def test_what_is_not_a_whole_run_and_nothing_else_is_refused(
    opened, files, home, change, said
):
    with pytest.raises(RunError, match=said):
        opened(change(files))
    left = [path for path in (home / "assets").rglob("*") if path.is_file()]
    assert left == []


def test_a_file_that_is_too_large_is_refused_before_it_is_downloaded(
    mine, finished_run, monkeypatch
):
    pushed(finished_run)
    monkeypatch.setitem(hub.MOST_BYTES, ".onnx", 100)
    start = len(mine.asked)
    with pytest.raises(RunError, match="more than any such file has"):
        open_any(Path("hf://me/reviews"), HERE)
    assert not any("resolve" in path for path in mine.asked[start:])


def test_a_run_opens_again_without_a_network(opened, files, home, monkeypatch, caplog):
    first = opened(files)
    visit(monkeypatch, home, NOWHERE, None)
    again = hub.fetched(Path("hf://some/run"))
    assert again.path == first.path
    assert f"comes from the cache, commit {COMMIT}" in caplog.text
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert hub.fetched(Path(f"hf://some/run@{COMMIT}")).path == first.path
    # The checked copy is gone or damaged: it comes from the library's cache again.
    (first.path / "labels.txt").write_text("other\n")
    assert hub.fetched(Path("hf://some/run")).labels == ("bad", "good")
    with pytest.raises(RunError, match=r"HF_HUB_OFFLINE is set, and the cache"):
        hub.fetched(Path("hf://some/other"))
    with pytest.raises(RunError, match=r"HF_HUB_OFFLINE is set, and the cache"):
        hub.fetched(Path("hf://some/run@v2"))


def test_a_pinned_commit_that_is_here_asks_the_hub_for_nothing(mine, finished_run):
    commit = pushed(finished_run)
    Classifier.open(f"hf://me/reviews@{commit}")
    start = len(mine.asked)
    Classifier.open(f"hf://me/reviews@{commit}")
    assert mine.asked[start:] == []


def test_what_is_not_on_the_hub_is_said(mine, finished_run):
    pushed(finished_run)
    with pytest.raises(RunError, match="has no model me/reviewz"):
        open_any(Path("hf://me/reviewz"), HERE)
    with pytest.raises(RunError, match="has no revision 'v9'"):
        open_any(Path("hf://me/reviews@v9"), HERE)
    for named in ("hf://reviews", "hf://me/reviews@", "hf://me/a/b"):
        with pytest.raises(ConfigError, match="is named hf://OWNER/NAME"):
            open_any(Path(named), HERE)


def test_commands_that_take_no_run_of_the_hub_say_so():
    with pytest.raises(RunError, match="hf://me/reviews is a run of the Hub"):
        open_run(Path("hf://me/reviews"), HERE)


def test_the_command_lists_asks_and_pushes(mine, finished_run):
    asked = ("push", finished_run.path, "me/reviews")
    done = invoke(*asked)
    assert done.exit_code == 2
    assert "add --yes" in done.stderr
    done = invoke(*asked, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "vocabulary.txt" in done.stdout
    assert "words of the training texts" in done.stderr.replace("\n", " ")
    assert mine.repositories == {}
    done = invoke(*asked, "--yes", "--json", "--message=second")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["commit"] == mine.repositories["me/reviews"].refs["main"]
    files = mine.files("me/reviews")
    assert said["files"] == {n: len(b) for n, b in files.items() if n in said["files"]}
    assert set(files) - set(said["files"]) == {".gitattributes"}
    assert mine.messages == ["second"]
    assert TOKEN not in done.output


@pytest.mark.slow
def test_every_command_of_the_page_works(mine, tmp_path, home):
    own = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    environment = own | {
        "NO_PROXY": "*", "HF_ENDPOINT": mine.url, "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_TOKEN": TOKEN,
    }  # fmt: skip
    small = ["--units=8", "--embedding-size=8", "--epochs=1", "--limit=150"]
    page = (ROOT / "docs" / "sharing.md").read_text("utf-8")
    said = {}
    for _, block in blocks_of(page):
        for command in commands_of(block):
            _, *words = shlex.split(command)
            more = small if words[0] == "train" else []
            done = run_cli([*words, *more], tmp_path, env=environment)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            assert "Traceback" not in done.stderr
            said[words[0]] = done.stdout
    assert set(said) == {"train", "push", "predict", "evaluate", "export"}
    assert "me/reviews-gru" in mine.repositories
    run = Run(tmp_path / "models" / "small")
    assert f"{100 * run.test_accuracy:.1f}" in said["evaluate"]
    assert (tmp_path / "exports" / "reviews-gru" / "onnx" / "README.md").exists()
    assert (tmp_path / "logs" / "demo-gru-1" / EVENT_FILE).exists()
