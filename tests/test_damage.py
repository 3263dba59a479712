"""What is damaged is said to be, with a remedy; it is never taken for whole."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from conftest import seal

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import damage

from seqclf.errors import RunError
from seqclf.runs import Run
from seqclf.runs.manifest import MOST_BYTES
from seqclf.storage import numbered, read_object, strict_json

# Files that a prediction needs; it does not look at the others.
OF_PREDICT = {"model.onnx", "vocabulary.txt", "labels.txt", "config.json", "complete"}
OF_PREDICT |= {"dataset.json", "metrics.json"}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    run = damage.make(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield list(damage.damaged(run, ["runs show", "predict", "compare"]))
    finally:
        os.chdir(before)


@pytest.mark.slow
def test_every_damage_of_every_file_is_named_with_a_remedy(answers):
    shown = [answer for answer in answers if answer.command == "runs show"]
    files = {answer.file for answer in shown}
    assert len(shown) == 3 * len(files)
    assert {"model.keras", "model.onnx", "predictions/test.parquet"} <= files
    for answer in shown:
        assert answer.exit_code == 1, answer
        assert "Traceback" not in answer.error
        assert "inside seqclf failed" not in answer.error
        expected = f"no usable {re.escape(answer.file)} "
        if answer.file == "complete":  # a checksum in it may be what is wrong
            expected = "is unfinished" if answer.damage == "removed" else "no usable"
        assert re.search(expected, answer.error), answer
        assert "seqclf runs remove run" in answer.error


@pytest.mark.slow
def test_no_prediction_is_made_from_a_damaged_file(answers):
    for answer in answers:
        if (answer.file, answer.damage) == ("complete", "a bit flipped"):
            continue  # the checksum of a file that a prediction does not need
        if answer.command == "predict" and answer.file in OF_PREDICT:
            assert answer.exit_code == 1, answer
            assert "inside seqclf failed" not in answer.error


@pytest.mark.slow
def test_no_comparison_is_made_from_damaged_predictions(answers):
    of = [a for a in answers if a.command == "compare"]
    assert {a.exit_code for a in of if a.file == "history.jsonl"} == {0}  # not read
    damaged = [a for a in of if a.file == "predictions/test.parquet"]
    assert len(damaged) == 3
    for answer in damaged:
        assert answer.exit_code == 1
        assert "no usable predictions/test.parquet" in answer.error


def test_an_equal_run_that_is_damaged_is_not_reused(finished_run, tmp_path):
    from seqclf.runs import find_place

    shutil.copytree(finished_run.path, tmp_path / "run")
    (tmp_path / "run" / "model.onnx").write_bytes(b"")
    with pytest.raises(RunError, match="no usable model.onnx"):
        find_place(tmp_path, finished_run.config, finished_run.dataset, "run")


def test_a_link_out_of_the_run_is_refused(finished_run, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text('{"test": {"accuracy": 1.0}}')
    shutil.copytree(finished_run.path, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    (tmp_path / "run" / "metrics.json").symlink_to(secret)
    seal(tmp_path / "run")
    with pytest.raises(RunError, match="metrics.json .is no plain file"):
        Run(tmp_path / "run").metrics  # noqa: B018
    # And a folder of the run that is a link to another place.
    shutil.move(tmp_path / "run" / "predictions", tmp_path / "elsewhere")
    (tmp_path / "run" / "predictions").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="no plain file"):
        Run(tmp_path / "run").predictions("test")


def test_what_is_too_large_is_not_read(finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "run")
    with (tmp_path / "run" / "metrics.json").open("r+b") as file:
        file.truncate(MOST_BYTES[".json"] + 1)  # a hole: it takes no room
    with pytest.raises(RunError, match="more than any such file has"):
        Run(tmp_path / "run").metrics  # noqa: B018


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": Infinity}', '{"a": 1, "a": 2}', "{", "", "[" * 99_999]
)
def test_json_is_read_strictly(text, finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").write_text(text)
    seal(tmp_path / "run")
    with pytest.raises(RunError, match="no usable metrics.json"):
        Run(tmp_path / "run").metrics  # noqa: B018


@pytest.mark.parametrize("value", [1, "x", [1], None])
def test_json_of_another_kind_is_refused(value, finished_run, tmp_path):
    shutil.copytree(finished_run.path, tmp_path / "run")
    (tmp_path / "run" / "environment.json").write_text(json.dumps(value))
    seal(tmp_path / "run")
    with pytest.raises(RunError, match="it holds no object"):
        Run(tmp_path / "run").environment  # noqa: B018


def test_strict_json_reads_what_is_written():
    values = {"a": [1, 2.5, None, True], "b": {"a": "é"}}
    assert strict_json(json.dumps(values)) == values


@pytest.mark.parametrize(
    "content", [b"[1]", b"{", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 10**5]
)
def test_what_is_no_object_of_seqclf_is_read_as_an_empty_one(content, tmp_path):
    file = tmp_path / "question.json"
    assert read_object(file) == {}  # not there
    file.write_bytes(content)
    assert read_object(file) == {}
    file.write_text('{"a": {"b": [1]}}')
    assert read_object(file) == {"a": {"b": [1]}}


def test_a_name_that_is_taken_gets_a_number_from_two_on():
    assert list(itertools.islice(numbered("imdb-gru-0"), 3)) == [
        "imdb-gru-0", "imdb-gru-0-2", "imdb-gru-0-3",
    ]  # fmt: skip
