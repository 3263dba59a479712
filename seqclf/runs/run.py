"""A run is a directory; this reads its files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from seqclf import config as settings
from seqclf import storage
from seqclf.arrow import pa, pc
from seqclf.config import DataConfig, RunConfig, TextConfig
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import RunError
from seqclf.marker import removal
from seqclf.records import training as records
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import from_plain
from seqclf.records.reading import Reading
from seqclf.records.scores import Metrics
from seqclf.runs.files import (
    COMPLETE_FILE,
    CONFIG_FILE,
    DATASET_FILE,
    ENVIRONMENT_FILE,
    HISTORY_FILE,
    LABELS_FILE,
    LINEAR_FILE,
    METRICS_FILE,
    MODEL_FILE,
    ONNX_FILE,
    PREDICTIONS_FOLDER,
    PROOF_FILE,
    THRESHOLDS_FILE,
    VOCABULARY_FILE,
)
from seqclf.runs.manifest import DamagedError, check
from seqclf.runs.predictions import Predictions
from seqclf.runs.shown import run_html
from seqclf.text.vocabulary import Vocabulary

T = TypeVar("T")
WHOLE = 10**9  # tokens; no text is as long


@dataclass(frozen=True, slots=True)
class Run:
    """One trained model, or one on its way, in its directory."""

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
        return settings.of_run(self._json(CONFIG_FILE))

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear model on n-grams, and no network."""
        return self.config.model.baseline is not None

    @property
    def text(self) -> TextConfig:
        """How it reads a text to predict; a linear model reads it whole."""
        whole = TextConfig(max_length=WHOLE)
        return whole if self.is_linear else self.config.text.reading

    @property
    def dataset(self) -> DatasetInfo:
        """Name, source, fingerprint, labels and sizes of its data."""
        return self._record(DatasetInfo, DATASET_FILE)

    @property
    def data(self) -> DataConfig:
        """Where its data is; of a data set on the Hub, the commit it was trained on."""
        return dataclasses.replace(self.config.data, revision=self.dataset.revision)

    @property
    def reading(self) -> Reading:
        """How its data was read; other files are read alike, where they allow it."""
        return self.dataset.reading or Reading.of(self.config.data)

    @property
    def metrics(self) -> Metrics:
        """Scores by split, `validation` and `test` at least."""
        found = self._record(Metrics, METRICS_FILE)
        for split in (VALIDATION, TEST):
            if split not in found:
                reason = f"it has no scores of {split}"
                raise RunError(_damaged(self, METRICS_FILE, reason))
        return found

    @property
    def test_accuracy(self) -> float:
        """Fraction of the test texts that it has right."""
        return self.metrics[TEST].accuracy

    @property
    def validation_loss(self) -> float:
        """Log loss on validation, in nats."""
        return self.metrics[VALIDATION].log_loss

    @property
    def environment(self) -> records.Environment:
        """Versions, device, kernel, threads, seconds and memory."""
        return self._record(records.Environment, ENVIRONMENT_FILE)

    @property
    def baseline_environment(self) -> records.BaselineEnvironment:
        """The same of a fitted baseline."""
        return self._record(records.BaselineEnvironment, ENVIRONMENT_FILE)

    @property
    def any_environment(self) -> records.Environment | records.BaselineEnvironment:
        """That of a network, or of a fitted baseline."""
        return self.baseline_environment if self.is_linear else self.environment

    @property
    def proof(self) -> records.Proof:
        """Hashes of what its twins must share, see `training.proof`."""
        return self._record(records.Proof, PROOF_FILE)

    @property
    def complete(self) -> records.Complete:
        """Which command asked for the run last, when, and its files' checksums."""
        return self._record(records.Complete, COMPLETE_FILE)

    @property
    def history(self) -> list[records.Epoch]:
        """A record an epoch."""
        lines = self._text(HISTORY_FILE).splitlines()
        try:
            return [
                from_plain(records.Epoch, storage.strict_json(line)) for line in lines
            ]
        except ValueError as error:
            raise RunError(_damaged(self, HISTORY_FILE, error)) from error

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names; the position is the label id."""
        return tuple(self._text(LABELS_FILE).split("\n")[:-1])

    @property
    def thresholds(self) -> np.ndarray | None:
        """The probability from which on each label applies, float32 [labels].

        None where a text has one label: the likeliest.
        """
        if not self.dataset.has_several:
            return None
        try:
            least = np.array(storage.strict_json(self._text(THRESHOLDS_FILE)))
            if least.shape != (len(self.labels),) or least.dtype.kind not in "fi":
                raise ValueError("a number for each label is expected")
        except ValueError as error:
            raise RunError(_damaged(self, THRESHOLDS_FILE, error)) from error
        return least.astype(np.float32)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens it knows."""
        return Vocabulary.from_text(self._text(VOCABULARY_FILE))

    def predictions(self, split: str) -> Predictions:
        """Reads what it said of a split."""
        from pyarrow import parquet

        file = self.file(f"{PREDICTIONS_FOLDER}/{split}.parquet")
        try:
            table = parquet.read_table(file).combine_chunks()
        except (OSError, pa.ArrowException) as error:
            where = f"{PREDICTIONS_FOLDER}/{file.name}"
            raise RunError(_damaged(self, where, error)) from error
        rows = table.num_rows
        probabilities = pc.list_flatten(table["probabilities"]).to_numpy()
        thresholds = None
        if "labels" in table.column_names:  # a text may have several
            flat = pc.list_flatten(table["labels"]).to_numpy(zero_copy_only=False)
            label_ids, thresholds = flat.reshape(rows, -1), self.thresholds
        else:
            label_ids = table["label"].to_numpy()
        return Predictions(
            label_ids=label_ids,
            probabilities=probabilities.reshape(rows, -1),
            lengths=table["length"].to_numpy(),
            thresholds=thresholds,
        )

    @property
    def has_onnx(self) -> bool:
        """Whether `model.onnx` was written: it is not if it disagrees with Keras."""
        return ONNX_FILE in self.checksums

    @property
    def model_file(self) -> str:
        """The name of the file that predicts."""
        names = (LINEAR_FILE, ONNX_FILE)
        return next((name for name in names if name in self.checksums), MODEL_FILE)

    @property
    def has_scores(self) -> bool:
        """Whether it was scored: a saved `SequenceClassifier` was not."""
        return METRICS_FILE in self.checksums

    def require_scores(self) -> None:
        """Refuses a run that was never scored.

        Raises:
          RunError: If it was not.
        """
        if not self.has_scores:
            raise RunError(
                f"{self.path} was saved from Python by SequenceClassifier, without "
                f"scores; take a run of seqclf train or seqclf compare."
            )

    def _repr_html_(self) -> str:
        if not self.is_finished:
            return run_html(self.name, "unfinished", {})
        model, data = self.config.model, self.dataset.name
        about = f"{model.baseline or model.cell} on {data}, {self.path}"
        return run_html(self.name, about, self.metrics if self.has_scores else {})

    def file(self, name: str) -> Path:
        """Returns the path of one of its files, which is as it was written.

        Raises:
          RunError: If it is missing, no plain file, or damaged; the remedy is named.
        """
        finished = name != COMPLETE_FILE and self.is_finished
        try:
            return check(self.path, name, self.checksums if finished else None)
        except DamagedError as error:
            raise RunError(_damaged(self, name, error)) from error

    def verify(self) -> None:
        """Reads all files of a finished run.

        Raises:
          RunError: If one is not as it was written; the first is named.
        """
        for name in self.checksums:
            self.file(name)

    @property
    def checksums(self) -> Mapping[str, str]:
        """SHA-256 of its files, by their relative path.

        Raises:
          RunError: If it is unfinished, or of a version that made none.
        """
        checksums = self.complete.files
        if checksums is None:
            reason = "it is of an older version, and names no checksums"
            raise RunError(_damaged(self, COMPLETE_FILE, reason))
        return checksums

    def _text(self, name: str) -> str:
        try:
            return self.file(name).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(_damaged(self, name, error)) from error

    def _record(self, kind: type[T], name: str) -> T:
        try:
            return from_plain(kind, self._json(name))
        except ValueError as error:
            raise RunError(_damaged(self, name, error)) from error

    def _json(self, name: str) -> Mapping[str, object]:
        try:
            return storage.strict_object(self._text(name))
        except (ValueError, RecursionError) as error:
            raise RunError(_damaged(self, name, error)) from error


def _damaged(run: Run, file: str, error: object) -> str:
    return (
        f"{run.path} has no usable {file} ({error}); remove the run with "
        f"{removal(run.path)}, and train it again."
    )
