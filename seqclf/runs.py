"""A run is a directory; this is what lies where in it."""

from __future__ import annotations

import datetime
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from seqclf import config as settings
from seqclf.config import RunConfig
from seqclf.errors import ConfigError, RunError, SeqclfError, unknown
from seqclf.storage import write_json, write_text, write_whole
from seqclf.text import Vocabulary, rules_to_json

# File names; other programs read them, so they keep.
CONFIG_FILE = "config.json"  # the whole question, written first
DATASET_FILE = "dataset.json"
VOCABULARY_FILE = "vocabulary.txt"
TOKENIZER_FILE = "tokenizer.json"
LABELS_FILE = "labels.txt"
MODEL_FILE = "model.keras"
HISTORY_FILE = "history.jsonl"
METRICS_FILE = "metrics.json"
ENVIRONMENT_FILE = "environment.json"
PREDICTIONS_FOLDER = "predictions"
LOG_FILE = "log.txt"  # what libraries wrote while it trained
COMPLETE_FILE = "complete"  # written last; absent means unfinished


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a classifier said of a split, with what is true.

    Attributes:
      label_ids: int32 [n], the true labels.
      probabilities: float32 [n, labels]; rows sum to 1.
      lengths: int32 [n], tokens of each text as the model saw it.
    """

    label_ids: np.ndarray
    probabilities: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, slots=True)
class Run:
    """One trained model, or one on its way.

    Attributes:
      path: Its directory.
    """

    path: Path

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.name

    @property
    def is_finished(self) -> bool:
        """Whether everything in it has been written."""
        return (self.path / COMPLETE_FILE).exists()

    @property
    def config(self) -> RunConfig:
        """The question it answers."""
        return settings.from_dict(self._json(CONFIG_FILE))

    @property
    def dataset(self) -> dict[str, Any]:
        """Name, source, fingerprint, labels and sizes of its data."""
        return dict(self._json(DATASET_FILE))

    @property
    def metrics(self) -> dict[str, Any]:
        """Scores by split, see `metrics.scores`."""
        return dict(self._json(METRICS_FILE))

    @property
    def environment(self) -> dict[str, Any]:
        """Versions, device, kernel, threads, seconds and memory."""
        return dict(self._json(ENVIRONMENT_FILE))

    @property
    def complete(self) -> dict[str, Any]:
        """Which command asked for the run last, and when."""
        return dict(self._json(COMPLETE_FILE))

    @property
    def history(self) -> list[dict[str, Any]]:
        """A record an epoch."""
        lines = self._text(HISTORY_FILE).splitlines()
        return [json.loads(line) for line in lines]

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names; the position is the label id."""
        return tuple(self._text(LABELS_FILE).split("\n")[:-1])

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens it knows."""
        return Vocabulary.from_text(self._text(VOCABULARY_FILE))

    def predictions(self, split: str) -> Predictions:
        """Reads what it said of a split."""
        file = self.path / PREDICTIONS_FOLDER / f"{split}.parquet"
        try:
            table = parquet.read_table(file).combine_chunks()
        except (OSError, pa.ArrowException) as error:
            raise RunError(_damaged(self, file.name, error)) from error
        flat = pc.list_flatten(table["probabilities"]).to_numpy()
        return Predictions(
            label_ids=table["label"].to_numpy(),
            probabilities=flat.reshape(table.num_rows, -1),
            lengths=table["length"].to_numpy(),
        )

    def _text(self, name: str) -> str:
        try:
            return (self.path / name).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(_damaged(self, name, error)) from error

    def _json(self, name: str) -> Mapping[str, Any]:
        try:
            values: Mapping[str, Any] = json.loads(self._text(name))
        except ValueError as error:
            raise RunError(_damaged(self, name, error)) from error
        return values


def _damaged(run: Run, file: str, error: Exception) -> str:
    return (
        f"{run.path} has no usable {file} ({error}); remove the run with "
        f"seqclf runs remove {run.name}, and train it again."
    )


def create_run(
    path: Path, config: RunConfig, about: Mapping[str, Any], vocabulary: Vocabulary
) -> Run:
    """Begins a run: the question, the data and the way from text to numbers.

    Args:
      path: Its directory; what an unfinished run left there is removed.
      config: The question.
      about: What `dataset.json` will hold.
      vocabulary: The tokens with an id.

    Returns:
      The unfinished run.
    """
    _clear(path)
    (path / PREDICTIONS_FOLDER).mkdir(parents=True)
    write_json(path / CONFIG_FILE, settings.to_dict(config))
    write_json(path / DATASET_FILE, about)
    write_json(path / TOKENIZER_FILE, rules_to_json(config.text))
    write_text(path / VOCABULARY_FILE, vocabulary.to_text())
    write_text(path / LABELS_FILE, "".join(f"{label}\n" for label in about["labels"]))
    return Run(path)


def _clear(path: Path) -> None:
    """Removes what an earlier run left, but not the log this one already writes."""
    for old in path.iterdir() if path.exists() else ():
        if old.is_dir():
            shutil.rmtree(old)
        elif old.name != LOG_FILE:
            old.unlink()


def append_epoch(run: Run, record: Mapping[str, Any]) -> None:
    """Adds a line to the run's history."""
    with (run.path / HISTORY_FILE).open("ab") as file:
        file.write(json.dumps(record).encode() + b"\n")


def write_predictions(folder: Path, split: str, predictions: Predictions) -> None:
    """Writes predictions/<split>.parquet: id, label, length, probabilities."""
    n, width = predictions.probabilities.shape
    flat = pa.array(predictions.probabilities.ravel(), pa.float32())
    table = pa.table(
        {
            "id": np.arange(n),
            "label": predictions.label_ids,
            "length": predictions.lengths.astype(np.int32),
            "probabilities": pa.FixedSizeListArray.from_arrays(flat, width),
        }
    )
    file = folder / PREDICTIONS_FOLDER / f"{split}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, lambda partial: parquet.write_table(table, partial))


def mark_complete(folder: Path, command: str) -> None:
    """Says that all is written, and which command asked for it last."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    write_json(folder / COMPLETE_FILE, {"command": command, "time": now})


def open_run(path: Path, models: Path) -> Run:
    """Opens a finished run by its path or by its name within `models`.

    Raises:
      RunError: If there is none, or it is unfinished.
    """
    for candidate in (path, models / path):
        run = Run(candidate)
        if run.is_finished and (candidate / MODEL_FILE).exists():
            return run
        if (candidate / CONFIG_FILE).exists():
            raise RunError(
                f"{candidate} is unfinished: its training was cut off. Type the "
                f"command that began it again, or remove it with "
                f"seqclf runs remove {candidate.name}."
            )
    names = [run.name for run in list_runs(models) if run.is_finished]
    if not names:
        raise RunError(f"no run {str(path)!r}; {no_runs(models)}")
    raise RunError(unknown("run", path, names))


def no_runs(models: Path) -> str:
    """Says how to come by a run."""
    return f"there is none in {models}. Make one with: seqclf train --cell lstm"


def list_runs(models: Path) -> list[Run]:
    """Returns finished and unfinished runs, by name."""
    if not models.is_dir():
        return []
    return [Run(p.parent) for p in sorted(models.glob(f"*/{CONFIG_FILE}"))]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run goes.

    Attributes:
      path: Its directory.
      is_done: Whether an equal run is finished there.
      is_begun: Whether an equal one was begun there and cut off.
    """

    path: Path
    is_done: bool = False
    is_begun: bool = False


def find_place(
    models: Path,
    config: RunConfig,
    about: Mapping[str, Any],
    name: str | None = None,
    overwrite: bool = False,
) -> Place:
    """Chooses the directory of a run.

    An equal run, by config and data, is reused. Another one under the automatic name
    makes way by a number; another one under a name that was given is refused.

    Args:
      models: Folder of the runs.
      config: The question.
      about: What `dataset.json` holds; its fingerprint counts.
      name: The name that was given; None takes <data>-<cell>-<seed>.
      overwrite: Whether a given name may be taken from another run.

    Returns:
      The place.

    Raises:
      RunError: If the given name is another run's.
    """
    if name is not None:
        check_name(name)
        place = _place(models / name, config, about)
        if place is None and not overwrite:
            raise RunError(
                f"{models / name} already holds another run"
                f"{_difference(Run(models / name), config)}; pass --overwrite to "
                f"replace it, or choose another --name."
            )
        return place or Place(models / name)
    base = f"{about['name']}-{config.model.cell}-{config.training.seed}"
    number = 1
    while True:
        path = models / (base if number == 1 else f"{base}-{number}")
        place = _place(path, config, about)
        if place is not None:
            return place
        number += 1


def check_name(name: str) -> None:
    """Refuses names that are no plain name of a folder."""
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise ConfigError(
            f"--name takes letters, digits, '.', '_', '+' and '-', got {name!r}."
        )


def _place(path: Path, config: RunConfig, about: Mapping[str, Any]) -> Place | None:
    """Returns the place if it is free or holds an equal run, else None."""
    if not path.exists() or not any(path.iterdir()):
        return Place(path)
    run = Run(path)
    try:
        equal = (
            settings.same_question(run.config, config)
            and run.dataset["fingerprint"] == about["fingerprint"]
        )
    except SeqclfError:  # not a run, or damaged: never taken for an equal one
        return None
    return Place(path, run.is_finished, not run.is_finished) if equal else None


def _difference(run: Run, config: RunConfig) -> str:
    try:
        different = settings.differences(run.config, config)
    except SeqclfError:
        return ""
    return f" ({'; '.join(different) or 'on other data'})"
