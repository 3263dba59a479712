"""What training made, in memory: opened, sent, and written as a run."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from seqclf.classifier import Classifier, keras_predict
from seqclf.config import RunConfig
from seqclf.model.onnx_graph import onnx_predict
from seqclf.records.dataset import DatasetInfo
from seqclf.records.training import Epoch
from seqclf.runs import Run, files, writing
from seqclf.storage import write_bytes
from seqclf.system import cores
from seqclf.text.vocabulary import Vocabulary


@dataclass
class Trained:
    """What training made: a run's files as plain values, to be sent and stored.

    `keras` is without the optimizer, `onnx` None if the two do not agree.
    """

    config: RunConfig
    about: DatasetInfo
    vocabulary: str
    keras: bytes
    onnx: bytes | None
    history: list[Epoch]

    @cached_property
    def classifier(self) -> Classifier:
        """The model, opened; as `Classifier.open` opens it."""
        return Classifier(
            logits=onnx_predict(self.onnx) if self.onnx else self._keras_predict(),
            vocabulary=Vocabulary.from_text(self.vocabulary),
            text=self.config.text.reading,
            labels=self.about.labels,
            threads=cores() if self.onnx else 1,
        )

    def _keras_predict(self) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / files.MODEL_FILE
            file.write_bytes(self.keras)
            return keras_predict(file)

    def __getstate__(self) -> dict[str, object]:
        """Returns the fields; an open model cannot be sent to another process."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    def write(self, folder: Path) -> None:
        """Writes a run's files but `complete`."""
        vocabulary = Vocabulary.from_text(self.vocabulary)
        about = dataclasses.replace(self.about, name=folder.name)
        run = writing.create_run(folder, self.config, about, vocabulary)
        for record in self.history:
            writing.append_epoch(run, record)
        write_bytes(folder / files.MODEL_FILE, self.keras)
        if self.onnx:
            write_bytes(folder / files.ONNX_FILE, self.onnx)

    @classmethod
    def read(cls, run: Run) -> Self:
        """Reads a finished run."""
        return cls(
            config=run.config,
            about=run.dataset,
            vocabulary=run.vocabulary.to_text(),
            keras=run.file(files.MODEL_FILE).read_bytes(),
            onnx=run.file(files.ONNX_FILE).read_bytes() if run.has_onnx else None,
            history=run.history,
        )
