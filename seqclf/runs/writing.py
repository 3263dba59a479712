"""How a run's files are written: begun, locked, filled and marked complete."""

from __future__ import annotations

import contextlib
import datetime
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from seqclf import config as settings
from seqclf import storage, system
from seqclf.arrow import pa
from seqclf.config import RunConfig
from seqclf.errors import RunError
from seqclf.marker import RUN, begin
from seqclf.records import training as records
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import to_plain
from seqclf.runs.files import (
    COMPLETE_FILE,
    CONFIG_FILE,
    DATASET_FILE,
    FIRST_EPOCH_FILE,
    HISTORY_FILE,
    KEPT,
    LABELS_FILE,
    LOCK_FILE,
    MAY_CHANGE,
    PREDICTIONS_FOLDER,
    STATES_FOLDER,
    THRESHOLDS_FILE,
    TOKENIZER_FILE,
    UNDER_WAY,
    VOCABULARY_FILE,
)
from seqclf.runs.manifest import digests
from seqclf.runs.predictions import Predictions
from seqclf.runs.run import Run
from seqclf.storage import write_json, write_text
from seqclf.text.tokens import rules_to_json
from seqclf.text.vocabulary import Vocabulary


def create_run(
    path: Path, config: RunConfig, about: DatasetInfo, vocabulary: Vocabulary
) -> Run:
    """Begins a run: the question, the data and the way from text to numbers.

    What an unfinished run left in the directory is removed, but for its checkpoint.

    Returns:
      The unfinished run.

    Raises:
      RunError: If what is there is not all seqclf's own.
    """
    begin(path, RUN)
    _clear(path)
    (path / PREDICTIONS_FOLDER).mkdir(parents=True)
    write_json(path / CONFIG_FILE, settings.to_dict(config))
    write_json(path / DATASET_FILE, to_plain(about))
    write_json(path / TOKENIZER_FILE, rules_to_json(Run(path).text))
    write_text(path / VOCABULARY_FILE, vocabulary.to_text())
    write_text(path / LABELS_FILE, "".join(f"{label}\n" for label in about.labels))
    return Run(path)


@contextlib.contextmanager
def locked(path: Path, patience: float = 0) -> Iterator[None]:
    """Locks a run's directory for this process; a crash unlocks it.

    Raises:
      RunError: If another process still has it after `patience`, in seconds.
    """
    path.mkdir(parents=True, exist_ok=True)
    refusal = RunError(
        f"{path} is being trained by another process; wait for it, or give this one "
        f"another --name."
    )
    with system.locked(path / LOCK_FILE, refusal, patience):
        yield


def forget_network(path: Path) -> None:
    """Removes what a network's training kept that no other run goes on with."""
    shutil.rmtree(path / STATES_FOLDER, ignore_errors=True)
    for name in (FIRST_EPOCH_FILE, *UNDER_WAY):
        (path / name).unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Removes what an earlier run left, except what this one locks or resumes from.

    `complete` goes first, as this may be interrupted too.
    """
    (path / COMPLETE_FILE).unlink(missing_ok=True)
    for old in path.iterdir():
        if old.name in KEPT:
            continue
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()


def append_epoch(run: Run, record: records.Epoch) -> None:
    """Adds a line to the run's history."""
    with (run.path / HISTORY_FILE).open("ab") as file:
        file.write(json.dumps(to_plain(record)).encode() + b"\n")


def write_history(run: Run, epochs: Sequence[records.Epoch]) -> None:
    """Rewrites the run's history, a line an epoch."""
    lines = (json.dumps(to_plain(record)) + "\n" for record in epochs)
    write_text(run.path / HISTORY_FILE, "".join(lines))


def write_predictions(folder: Path, split: str, predictions: Predictions) -> None:
    """Writes predictions/<split>.parquet: id, label, length, probabilities.

    In place of a label, texts that may have several have a bool a label, `labels`.
    """
    from pyarrow import parquet

    n, width = predictions.probabilities.shape
    flat = pa.array(predictions.probabilities.ravel(), pa.float32())
    label_ids: dict[str, object] = {"label": predictions.label_ids}
    if predictions.thresholds is not None:
        which = pa.array(predictions.label_ids.ravel())
        label_ids = {"labels": pa.FixedSizeListArray.from_arrays(which, width)}
    table = pa.table(
        {
            "id": np.arange(n),
            **label_ids,
            "length": predictions.lengths.astype(np.int32),
            "probabilities": pa.FixedSizeListArray.from_arrays(flat, width),
        }
    )
    file = folder / PREDICTIONS_FOLDER / f"{split}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    storage.write_whole(file, lambda partial: parquet.write_table(table, partial))


def write_thresholds(run: Run, thresholds: np.ndarray | None) -> None:
    """Writes from which probability on a label applies, where there may be several."""
    if thresholds is not None:
        write_json(run.path / THRESHOLDS_FILE, thresholds.tolist())


def mark_complete(folder: Path, command: str) -> None:
    """Says that all is written, with checksums, and which command asked for it."""
    _write_complete(folder, command, digests(folder, MAY_CHANGE))
    for name in UNDER_WAY:
        (folder / name).unlink(missing_ok=True)


def mark_asked(run: Run, command: str) -> None:
    """Says which command asked for a finished run last."""
    _write_complete(run.path, command, run.checksums)


def _write_complete(folder: Path, command: str, checksums: Mapping[str, str]) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    said = records.Complete(command=command, time=now, files=dict(checksums))
    write_json(folder / COMPLETE_FILE, to_plain(said))
