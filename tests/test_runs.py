from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import seal

from seqclf.config import ModelConfig, RunConfig, TextConfig, TrainingConfig, to_dict
from seqclf.errors import ConfigError, RunError
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import to_plain
from seqclf.runs import (
    Predictions,
    Run,
    find_place,
    forget,
    is_under_way,
    list_runs,
    open_run,
)
from seqclf.runs.files import CHECKPOINT_FILE, LOCK_FILE
from seqclf.runs.writing import create_run, locked, mark_complete, write_predictions
from seqclf.storage import write_json, write_whole
from seqclf.text.vocabulary import Vocabulary

ABOUT = DatasetInfo(
    name="toys", source="toys", fingerprint="f00d", labels=("a", "b"), sizes={}
)
CONFIG = RunConfig(model=ModelConfig(cell="gru"), training=TrainingConfig(seed=7))
OTHER = dataclasses.replace(CONFIG, training=TrainingConfig(seed=7, epochs=3))
WORDS = Vocabulary.from_text("[PAD]\n[UNK]\nword\n")


def finish(models, config=CONFIG, about=ABOUT, name=None):
    place = find_place(models, config, about, name)
    run = create_run(place.path, config, about, WORDS)
    (run.path / "model.keras").touch()
    write_json(run.path / "proof.json", {})
    mark_complete(run.path, "train")
    return run


def test_a_run_is_named_after_data_cell_and_seed(tmp_path):
    assert find_place(tmp_path, CONFIG, ABOUT).path.name == "toys-gru-7"


def test_an_equal_finished_run_is_reused(tmp_path):
    finish(tmp_path)
    place = find_place(tmp_path, CONFIG, ABOUT)
    assert (place.path.name, place.is_done) == ("toys-gru-7", True)


def test_a_run_from_before_the_convolution_is_reused(tmp_path):
    run = finish(tmp_path)
    values = to_dict(CONFIG)
    del values["model"]["conv_width"]
    write_json(run.path / "config.json", values)
    mark_complete(run.path, "train")
    assert find_place(tmp_path, CONFIG, ABOUT).is_done
    model = dataclasses.replace(CONFIG.model, conv_width=3)
    other = dataclasses.replace(CONFIG, model=model)
    assert find_place(tmp_path, other, ABOUT).path.name == "toys-gru-7-2"


def test_an_equal_unfinished_run_is_begun_anew_in_place(tmp_path):
    (finish(tmp_path).path / "complete").unlink()
    place = find_place(tmp_path, CONFIG, ABOUT)
    assert (place.path.name, place.is_done, place.is_begun) == (
        "toys-gru-7", False, True,
    )  # fmt: skip


def test_a_run_cut_off_as_it_began_is_begun_anew_in_place(tmp_path):
    (tmp_path / "toys-gru-7").mkdir()
    (tmp_path / "toys-gru-7" / "log.txt").touch()
    assert find_place(tmp_path, CONFIG, ABOUT).path.name == "toys-gru-7"
    assert find_place(tmp_path, CONFIG, ABOUT, "toys-gru-7").path.name == "toys-gru-7"
    # 0.1.0 wrote no marker, and had no such settings.
    config = dataclasses.replace(CONFIG, text=TextConfig(predict_length=400))
    values = to_dict(config)
    del values["start"], values["text"]["predict_length"]
    write_json(tmp_path / "toys-gru-7" / "config.json", values)
    assert find_place(tmp_path, config, ABOUT).is_begun


def test_an_equal_run_is_found_behind_a_gap(tmp_path):
    finish(tmp_path)
    finish(tmp_path, OTHER)
    shutil.rmtree(tmp_path / "toys-gru-7")
    place = find_place(tmp_path, OTHER, ABOUT)
    assert (place.path.name, place.is_done) == ("toys-gru-7-2", True)


def test_a_run_belongs_to_one_process_at_a_time(tmp_path):
    refused = pytest.raises(RunError, match="another process")
    with locked(tmp_path / "x"), refused, locked(tmp_path / "x"):
        pass
    with locked(tmp_path / "x"):  # and is free again
        pass


HOLDER = """
import sys, time
from pathlib import Path
from seqclf.runs.writing import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_crash_does_not_leave_a_run_locked(tmp_path):
    run = tmp_path / "x"
    command = [sys.executable, "-c", HOLDER, str(run)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunError, match="another process"), locked(run):
        pass
    holder.kill()
    holder.communicate()
    assert (run / LOCK_FILE).exists()  # the file stays, what it stood for does not
    with locked(run):
        pass


def test_what_is_begun_anew_is_not_what_another_process_trains(tmp_path):
    run = tmp_path / "x"
    forget(run)
    assert not run.exists()  # nothing to forget, and nothing made for it
    run.mkdir()
    (run / CHECKPOINT_FILE).write_bytes(b"")
    with locked(run), pytest.raises(RunError, match="another process"):
        forget(run)
    assert is_under_way(run)
    forget(run)
    assert not is_under_way(run)


def test_another_question_gets_a_number(tmp_path):
    finish(tmp_path)
    assert find_place(tmp_path, OTHER, ABOUT).path.name == "toys-gru-7-2"
    finish(tmp_path, OTHER)
    third = dataclasses.replace(OTHER, model=ModelConfig(cell="gru", units=9))
    assert find_place(tmp_path, third, ABOUT).path.name == "toys-gru-7-3"
    assert find_place(tmp_path, OTHER, ABOUT).is_done


def test_other_data_of_the_same_name_is_another_question(tmp_path):
    finish(tmp_path)
    place = find_place(tmp_path, CONFIG, dataclasses.replace(ABOUT, fingerprint="beef"))
    assert (place.path.name, place.is_done) == ("toys-gru-7-2", False)


def test_a_given_name_of_another_run_is_refused_and_the_difference_named(tmp_path):
    finish(tmp_path, name="mine")
    assert find_place(tmp_path, CONFIG, ABOUT, "mine").is_done
    with pytest.raises(RunError, match=r"training\.epochs: None, 3.*--overwrite"):
        find_place(tmp_path, OTHER, ABOUT, "mine")
    taken = find_place(tmp_path, OTHER, ABOUT, "mine", overwrite=True)
    assert (taken.path.name, taken.is_done) == ("mine", False)


def test_a_folder_that_is_no_run_is_never_taken(tmp_path):
    (tmp_path / "toys-gru-7").mkdir()
    (tmp_path / "toys-gru-7" / "diary.txt").write_text("dear diary")
    assert find_place(tmp_path, CONFIG, ABOUT).path.name == "toys-gru-7-2"
    with pytest.raises(RunError, match="is no run"):
        find_place(tmp_path, CONFIG, ABOUT, "toys-gru-7", overwrite=True)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "-x", ".hidden", "a b"])
def test_names_are_plain_folder_names(name, tmp_path):
    with pytest.raises(ConfigError, match="--name"):
        find_place(tmp_path, CONFIG, ABOUT, name)


def test_a_new_run_replaces_what_was_unfinished_but_not_its_log(tmp_path):
    run = finish(tmp_path)
    (run.path / "log.txt").write_text("being written")
    (run.path / "stale").mkdir()
    again = create_run(run.path, CONFIG, ABOUT, WORDS)
    assert not again.is_finished
    assert not (run.path / "stale").exists()
    assert (run.path / "log.txt").exists()


def test_a_run_is_found_by_name_and_by_path(tmp_path):
    run = finish(tmp_path)
    for way in (run.path, run.path.relative_to(tmp_path)):
        assert open_run(way, tmp_path).path == run.path
    assert [found.name for found in list_runs(tmp_path)] == ["toys-gru-7"]


def test_a_missing_run_is_answered_with_the_nearest(tmp_path):
    from pathlib import Path

    finish(tmp_path)
    with pytest.raises(RunError, match="did you mean 'toys-gru-7'"):
        open_run(Path("toys-gru-8"), tmp_path)
    with pytest.raises(RunError, match="seqclf train --cell lstm"):
        open_run(Path("x"), tmp_path / "nowhere")


def test_an_unfinished_run_is_not_opened(tmp_path):
    run = finish(tmp_path)
    (run.path / "complete").unlink()
    with pytest.raises(RunError, match="unfinished"):
        open_run(run.path, tmp_path)


def test_predictions_survive_a_round_trip(tmp_path):
    generator = np.random.default_rng(0)
    written = Predictions(
        np.array([0, 1, 1], np.int32),
        generator.dirichlet([1, 1], 3).astype(np.float32),
        np.array([5, 1, 9], np.int32),
    )
    write_predictions(tmp_path, "test", written)
    read = Run(tmp_path).predictions("test")
    for field in dataclasses.fields(Predictions):
        np.testing.assert_array_equal(
            getattr(read, field.name), getattr(written, field.name)
        )


FILES = [
    "config.json", "dataset.json", "metrics.json", "environment.json",
    "history.jsonl", "labels.txt", "vocabulary.txt", "complete",
]  # fmt: skip


def test_a_finished_run_has_every_file(finished_run):
    found = {path.name for path in finished_run.path.iterdir()}
    assert {*FILES, "tokenizer.json", "model.keras", "model.onnx"} <= found
    assert "predictions" in found
    assert finished_run.labels == ("bad", "good")
    assert finished_run.dataset.sizes == {
        "train": 160, "validation": 40, "test": 48
    }  # fmt: skip
    assert len(finished_run.history) == 2
    assert finished_run.environment.kernel == "TensorFlow loop"
    assert finished_run.environment.onnx_difference <= 1e-5
    assert finished_run.metrics["test"].n == 48
    rules = json.loads((finished_run.path / "tokenizer.json").read_text("utf-8"))
    assert rules["max_length"] == 1000  # two and a half times as in training


def test_the_data_is_asked_for_at_the_commit_that_was_loaded(finished_run, tmp_path):
    assert finished_run.data == finished_run.config.data
    shutil.copytree(finished_run.path, tmp_path / "run")
    about = to_plain(finished_run.dataset) | {"revision": "a" * 40}
    (tmp_path / "run" / "dataset.json").write_text(json.dumps(about))
    seal(tmp_path / "run")
    assert Run(tmp_path / "run").data.revision == "a" * 40


def test_metrics_are_those_of_the_kept_predictions(finished_run):
    predictions = finished_run.predictions("test")
    correct = predictions.probabilities.argmax(1) == predictions.label_ids
    assert finished_run.metrics["test"].accuracy == correct.mean()


@pytest.mark.parametrize("file", [f for f in FILES if f.endswith(".json")])
def test_a_damaged_file_is_named_with_the_remedy(file, finished_run, tmp_path):
    copy = tmp_path / finished_run.name
    shutil.copytree(finished_run.path, copy)
    (copy / file).write_text("{")
    with pytest.raises(RunError, match=f"no usable {file}.*seqclf runs remove"):
        getattr(Run(copy), file.removesuffix(".json"))


def test_half_a_file_is_never_seen(tmp_path):
    write_json(tmp_path / "x.json", {"old": 1})

    def fail(partial):
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "x.json", fail)
    assert json.loads((tmp_path / "x.json").read_text()) == {"old": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
