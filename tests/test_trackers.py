"""Trainings as TensorBoard and MLflow have them."""

from __future__ import annotations

import functools
import json
import shutil
import struct
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from asked import Silent
from conftest import TINY, invoke
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import seqclf
from seqclf.errors import ConfigError
from seqclf.installed import install_line
from seqclf.records import training as events
from seqclf.runs import Run
from seqclf.trackers import event_file, followed
from seqclf.trackers.scalars import of_event, of_run
from seqclf.trackers.tensorboard import EVENT_FILE


def epoch(number: int, loss: float) -> events.Epoch:
    return events.Epoch(
        epoch=number, loss=loss, accuracy=0.5, seconds=2.0, tokens_per_second=100.0,
        validation_loss=loss + 1, validation_accuracy=0.25,
    )  # fmt: skip


def stepped(epoch: int, step: int, loss: float) -> events.Stepped:
    return events.Stepped(
        epoch=epoch, epochs=3, step=step, steps=10, loss=loss, accuracy=0.5,
        tokens_per_second=100.0,
    )  # fmt: skip


def ended(number: int, loss: float) -> events.EpochEnded:
    return events.EpochEnded(epochs=3, record=epoch(number, loss))


@pytest.fixture
def models(finished_run, tmp_path):
    """A folder with an unfinished run, `one`, without any epoch yet."""
    folder = tmp_path / "models"
    shutil.copytree(finished_run.path, folder / "one")
    for name in ("complete", "history.jsonl"):
        (folder / "one" / name).unlink()
    return folder


def heard(models: Path, log: Path, *told: events.Event, name: str = "one") -> Silent:
    """Lets TensorBoard's tracker hear events of a training that is then cut off."""
    listener = Silent()
    with (
        followed(listener, models, log, None) as following,
        following.progress({}) as report,
    ):
        for event in told:
            report(name, event)
    return listener


def numbers(file: Path, tag: str) -> list[tuple[int, float]]:
    return [
        (step, value) for name, step, value in event_file.read(file)[0] if name == tag
    ]


def test_checksums_are_those_of_castagnoli():
    # RFC 3720, B.4, and the usual check value; masked as TFRecord does.
    for data, crc in ((bytes(32), 0x8A9136AA), (b"123456789", 0xE3069283)):
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
        assert event_file._checksum(data) == struct.pack("<I", masked)


@functools.cache
def event_class() -> Any:
    """Event as TensorFlow's event.proto has it, made by the protobuf library."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="t")
    for name, fields in {
        "Value": [("tag", 1, kinds.TYPE_STRING), ("simple_value", 2, kinds.TYPE_FLOAT)],
        "Summary": [("value", 1, ".t.Value")],
        "Event": [
            ("wall_time", 1, kinds.TYPE_DOUBLE), ("step", 2, kinds.TYPE_INT64),
            ("file_version", 3, kinds.TYPE_STRING), ("summary", 5, ".t.Summary"),
        ],
    }.items():  # fmt: skip
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            one = message.field.add(name=field_name, number=number, label=1)
            if isinstance(kind, str):
                one.type, one.type_name = kinds.TYPE_MESSAGE, kind
                one.label = 3 if name == "Summary" else 1
            else:
                one.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Event"))


def test_events_are_what_protobuf_reads(tmp_path):
    file = tmp_path / "events"
    with file.open("wb") as opened:
        event_file.begin(opened)
        event_file.write(opened, 300, {"epoch/loss": 0.125, "ä": -1e300})
    found = []
    content = file.read_bytes()
    while content:
        size = struct.unpack("<Q", content[:8])[0]
        found.append(event_class().FromString(content[12 : 12 + size]))
        content = content[12 + size + 4 :]
    first, second = found
    assert first.file_version == "brain.Event:2"
    assert second.step == 300
    assert second.wall_time >= first.wall_time > 1.7e9
    values = {value.tag: value.simple_value for value in second.summary.value}
    assert values == {"epoch/loss": 0.125, "ä": float("-inf")}
    assert event_file.read(file)[0] == [
        ("epoch/loss", 300, 0.125), ("ä", 300, float("-inf"))
    ]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 4, 20])
def test_what_a_crash_cut_off_is_not_read(tmp_path, cut):
    file = tmp_path / "events"
    with file.open("wb") as opened:
        event_file.begin(opened)
        event_file.write(opened, 1, {"a": 1.0})
        whole = opened.tell()
        event_file.write(opened, 2, {"a": 2.0})
    content = file.read_bytes()
    file.write_bytes(content[:-cut])
    assert event_file.read(file) == ([("a", 1, 1.0)], whole)
    flipped = bytearray(content)
    flipped[-cut] ^= 1
    file.write_bytes(flipped)
    assert event_file.read(file) == ([("a", 1, 1.0)], whole)


def test_epochs_and_steps_become_numbers_by_name():
    assert {one.tag: (one.step, one.value) for one in of_event(ended(2, 0.5))} == {
        "epoch/loss": (2, 0.5), "epoch/accuracy": (2, 0.5), "epoch/seconds": (2, 2.0),
        "epoch/tokens_per_second": (2, 100.0), "epoch/validation_loss": (2, 1.5),
        "epoch/validation_accuracy": (2, 0.25),
    }  # fmt: skip
    loss = of_event(stepped(3, 4, 0.5))[0]
    assert (loss.tag, loss.step, loss.value) == ("step/loss", 24, 0.5)
    assert of_event(events.Started()) == []


def test_a_training_has_a_folder_with_its_numbers(models, tmp_path):
    heard(
        models, tmp_path / "log",
        events.Started(), stepped(1, 5, 0.75), ended(1, 0.5), ended(2, 0.25),
    )  # fmt: skip
    file = tmp_path / "log" / "one" / EVENT_FILE
    assert numbers(file, "step/loss") == [(5, 0.75)]
    assert numbers(file, "epoch/loss") == [(1, 0.5), (2, 0.25)]
    assert numbers(file, "epoch/validation_loss") == [(1, 1.5), (2, 1.25)]


def test_a_resumed_training_goes_on_without_repeats(models, tmp_path):
    log = tmp_path / "log"
    file = log / "one" / EVENT_FILE
    told = (stepped(1, 5, 0.75), ended(1, 0.5), stepped(2, 8, 0.375))
    heard(models, log, events.Started(), *told)
    with file.open("ab") as opened:
        opened.write(b"\x07\x00\x00")  # a crash in the middle of a record
    # It resumes at step 3 of epoch 2: what was told of step 8 comes again.
    resumed = events.Resumed(epoch=2, step=3, history=(epoch(1, 0.5),))
    again = (stepped(2, 8, 0.375), stepped(2, 9, 0.3125), ended(2, 0.25))
    heard(models, log, events.Started(), resumed, *again)
    assert numbers(file, "step/loss") == [(5, 0.75), (18, 0.375), (19, 0.3125)]
    assert numbers(file, "epoch/loss") == [(1, 0.5), (2, 0.25)]


def test_one_resumed_in_its_first_epoch_keeps_its_steps(models, tmp_path):
    log = tmp_path / "log"
    heard(models, log, events.Started(), stepped(1, 5, 0.75))
    resumed = events.Resumed(epoch=1, step=5, history=())
    heard(models, log, events.Started(), resumed, stepped(1, 7, 0.5))
    file = log / "one" / EVENT_FILE
    assert numbers(file, "step/loss") == [(5, 0.75), (7, 0.5)]


def test_epochs_from_before_it_was_followed_are_there(models, tmp_path):
    resumed = events.Resumed(epoch=2, step=0, history=(epoch(1, 0.5),))
    heard(models, tmp_path / "log", events.Started(), resumed, ended(2, 0.25))
    file = tmp_path / "log" / "one" / EVENT_FILE
    assert numbers(file, "epoch/loss") == [(1, 0.5), (2, 0.25)]


def test_a_training_from_the_start_replaces_what_was_there(models, tmp_path):
    heard(models, tmp_path / "log", events.Started(), ended(1, 0.5), ended(2, 0.25))
    heard(models, tmp_path / "log", events.Started(), ended(1, 0.125))
    file = tmp_path / "log" / "one" / EVENT_FILE
    assert numbers(file, "epoch/loss") == [(1, 0.125)]


def test_what_is_no_run_in_the_folder_is_not_followed(models, tmp_path):
    told = (events.Started(), ended(1, 0.5), events.Finished())
    heard(models, tmp_path / "log", *told, name="tuning gru-3")
    assert list((tmp_path / "log").iterdir()) == []


def test_a_tracker_that_fails_is_given_up_and_the_training_goes_on(models, tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    (log / "one").write_text("a file where a folder belongs")
    listener = heard(models, log, events.Started(), ended(1, 0.5), ended(2, 0.25))
    [said] = listener.notes
    assert "could not be written on" in said


def test_a_finished_run_is_completed_with_its_test_scores(finished_run, tmp_path):
    log, models = tmp_path / "log", finished_run.path.parent
    file = log / finished_run.name / EVENT_FILE
    for _ in range(2):  # the second time nothing is left to write
        with followed(Silent(), models, log, None) as following:
            following.finish([finished_run])
    expected = [
        (one.step, event_file.as_float32(one.validation_loss))
        for one in map(as_at, finished_run.history)
    ]
    assert numbers(file, "epoch/validation_loss") == expected
    accuracy = event_file.as_float32(finished_run.test_accuracy)
    assert numbers(file, "test/accuracy") == [(len(expected), accuracy)]


@dataclass
class At:
    step: int
    validation_loss: float


def as_at(record: events.Epoch) -> At:
    return At(record.epoch, record.validation_loss)


def test_numbers_of_another_run_of_that_name_are_replaced(finished_run, tmp_path):
    log, models = tmp_path / "log", finished_run.path.parent
    file = log / finished_run.name / EVENT_FILE
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        event_file.begin(opened)
        event_file.write(opened, 1, {"epoch/loss": 9.0})
    with followed(Silent(), models, log, None) as following:
        following.finish([finished_run])
    expected = event_file.as_float32(finished_run.history[0].loss)
    assert numbers(file, "epoch/loss")[0] == (1, expected)


@dataclass
class Store:
    """MLflow's client, as far as it is used, with what it was told."""

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: list[str] = field(default_factory=list)

    def get_experiment_by_name(self, name: str) -> Any:
        if name in self.experiments:
            return types.SimpleNamespace(experiment_id=name)
        return None

    def create_experiment(self, name: str) -> str:
        self.experiments.append(name)
        return name

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        id = f"{run_name}-{len(self.runs)}"
        made = {"tags": tags, "params": {}, "metrics": [], "status": "RUNNING"}
        self.runs[id] = made
        return self.get_run(id)

    def get_run(self, id: str) -> Any:
        info = types.SimpleNamespace(run_id=id, status=self.runs[id]["status"])
        data = types.SimpleNamespace(
            metrics={m[0]: m[1] for m in self.runs[id]["metrics"]}
        )
        return types.SimpleNamespace(info=info, data=data)

    def search_runs(self, ids: list[str], filter_string: str, **options: Any) -> Any:
        assert filter_string.startswith("tags.`seqclf.question` = '")
        wanted = filter_string.split("'")[1]
        every = [id for id, one in self.runs.items() if wanted in one["tags"].values()]
        return [self.get_run(id) for id in every[::-1][: options["max_results"]]]

    def get_metric_history(self, id: str, tag: str) -> list[Any]:
        every = [m for m in self.runs[id]["metrics"] if m[0] == tag]
        return [types.SimpleNamespace(step=m[3]) for m in every]

    def log_batch(self, id: str, metrics: Any = (), params: Any = ()) -> None:
        self.runs[id]["metrics"] += metrics
        self.runs[id]["params"] |= dict(params)

    def update_run(self, id: str, status: str) -> None:
        self.runs[id]["status"] = status

    def set_terminated(self, id: str, status: str) -> None:
        self.runs[id]["status"] = status


@pytest.fixture
def store(monkeypatch):
    """A package `mlflow` whose client is this one."""
    made = Store()
    entities = {"Metric": lambda *of: of, "Param": lambda key, value: (key, value)}
    error = {"MlflowException": type("MlflowException", (Exception,), {})}
    for name, members in {
        "mlflow": {"MlflowClient": lambda: made},
        "mlflow.entities": entities,
        "mlflow.exceptions": error,
    }.items():
        module = types.ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return made


def told_mlflow(models: Path, *told: events.Event) -> None:
    with (
        followed(Silent(), models, None, "mlflow") as following,
        following.progress({}) as report,
    ):
        for event in told:
            report("one", event)


def test_mlflow_gets_a_run_with_settings_epochs_and_scores(store, models, finished_run):
    told_mlflow(models, events.Started(), stepped(1, 5, 0.75), ended(1, 0.5))
    [one] = store.runs.values()
    assert store.experiments == ["seqclf"]
    assert one["params"]["model.units"] == "8"
    assert one["params"]["model.cell"] == "gru"
    assert "data.limit" not in one["params"]  # it was not given
    tags = {metric[0] for metric in one["metrics"]}
    assert "epoch/validation_loss" in tags
    assert not any(tag.startswith("step/") for tag in tags)
    assert one["status"] == "KILLED"
    # It goes on in the same run, and ends it.
    resumed = events.Resumed(epoch=2, step=0, history=(epoch(1, 0.5),))
    told_mlflow(models, events.Started(), resumed, ended(2, 0.25))
    shutil.copytree(finished_run.path, models / "one", dirs_exist_ok=True)
    for _ in range(2):
        with followed(Silent(), models, None, "mlflow") as following:
            following.finish([Run(models / "one")])
    [one] = store.runs.values()
    losses = [(m[3], m[1]) for m in one["metrics"] if m[0] == "epoch/loss"]
    assert losses == [(1, 0.5), (2, 0.25)]
    [accuracy] = [m[1] for m in one["metrics"] if m[0] == "test/accuracy"]
    assert accuracy == finished_run.test_accuracy
    assert one["status"] == "FINISHED"


def test_mlflow_gets_a_new_run_where_a_training_begins_anew(store, models):
    told_mlflow(models, events.Started(), ended(1, 0.5), events.Failed(error="no"))
    told_mlflow(models, events.Started(), ended(1, 0.5))
    assert [one["status"] for one in store.runs.values()] == ["FAILED", "KILLED"]


def test_the_experiment_is_the_one_that_the_user_names(store, models, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "reviews")
    with followed(Silent(), models, None, "mlflow"):
        pass
    assert store.experiments == ["reviews"]


def test_a_missing_mlflow_says_what_to_install(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    done = invoke("train", "--tracker=mlflow", f"--models-dir={models}")
    assert done.exit_code == 2
    assert install_line("mlflow") in done.stderr.replace("\n", " ")


def test_unknown_trackers_and_folders_that_are_none_are_refused(models, tmp_path):
    with (
        pytest.raises(ConfigError, match="unknown --tracker 'wandb'; choices: mlflow"),
        followed(Silent(), models, None, "wandb"),
    ):
        pass
    file = tmp_path / "file"
    file.touch()
    with (
        pytest.raises(ConfigError, match="--log-dir takes a folder"),
        followed(Silent(), models, file, None),
    ):
        pass


def test_finished_runs_are_compared_without_a_log():
    done = invoke("compare", "a", "b", "--log-dir=log")
    assert done.exit_code == 2
    assert "--log-dir does nothing" in done.stderr


def test_what_is_told_of_a_run_is_what_it_has(finished_run):
    numbers = of_run(finished_run)
    losses = [one.value for one in numbers if one.tag == "epoch/loss"]
    assert losses == [record.loss for record in finished_run.history]
    assert {one.tag for one in numbers if one.tag.startswith("test/")} == {
        "test/accuracy", "test/macro_f1", "test/log_loss"
    }  # fmt: skip


@pytest.mark.slow
def test_a_real_training_that_is_cut_off_and_resumed(workplace, tmp_path):
    options = {
        "cell": "rnn", "units": 8, "embedding_size": 8, "epochs": 3, "batch_size": 16,
        "min_count": 1, "models_dir": tmp_path / "models", "name": "cut",
        "cache_dir": tmp_path / "cache", "log_dir": tmp_path / "log",
    }  # fmt: skip

    def interrupt(name: str, event: events.Event) -> None:
        if isinstance(event, events.EpochEnded) and event.record.epoch == 2:
            raise KeyboardInterrupt

    data = workplace / "reviews"
    with pytest.raises(KeyboardInterrupt):
        seqclf.train(data, on_report=interrupt, **options)
    file = tmp_path / "log" / "cut" / EVENT_FILE
    assert [step for step, _ in numbers(file, "epoch/loss")] == [1]
    for _ in range(2):  # the second time it is reused
        run = seqclf.train(data, **options)
        expected = [(one.epoch, event_file.as_float32(one.loss)) for one in run.history]
        assert numbers(file, "epoch/loss") == expected
        assert len(expected) == 3
    steps = [step for step, _ in numbers(file, "step/loss")]
    assert steps == sorted(set(steps))


@pytest.mark.slow
def test_tensorflow_reads_what_a_comparison_wrote(workplace, tmp_path):
    import tensorflow as tf

    places = (
        f"--models-dir={tmp_path / 'models'}",
        f"--cache-dir={tmp_path / 'cache'}",
    )
    done = invoke(
        "compare", f"--data={workplace / 'reviews'}", "--cells=none,rnn", "--seeds=1",
        "--json", f"--log-dir={tmp_path / 'log'}", *TINY, *places,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    for row in json.loads(done.stdout)["rows"]:
        [path] = row["runs"] if row["kind"] == "twin" else [None]
        if path is None:
            continue
        run = Run(tmp_path / "models" / Path(path).name)
        file = tmp_path / "log" / run.name / EVENT_FILE
        losses = [
            (event.step, value.simple_value)
            for event in tf.compat.v1.train.summary_iterator(str(file))
            for value in event.summary.value
            if value.tag == "epoch/validation_loss"
        ]
        expected = [
            (one.epoch, event_file.as_float32(one.validation_loss))
            for one in run.history
        ]
        assert losses == expected
