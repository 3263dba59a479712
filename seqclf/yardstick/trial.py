"""One training of a yardstick, in a process and a folder of its own."""

from __future__ import annotations

import dataclasses
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seqclf.config import RunConfig
from seqclf.config import question as of_config
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.errors import RunError
from seqclf.model import backend
from seqclf.model.scoring import batched_logits, probabilities_of
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.training import Report, Started
from seqclf.records.yardstick import TrainedYardstick
from seqclf.runs import Predictions, Run, files, writing
from seqclf.storage import read_object, write_json
from seqclf.system import cores, peak_memory
from seqclf.text.batching import sorted_order
from seqclf.text.encoding import EncodedDataset, open_encoded
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.timing import single_prediction
from seqclf.versions import package_versions
from seqclf.yardstick.asked import FINE_TUNE, Yardstick
from seqclf.yardstick.encoder import (
    MOST_PIECES,
    ROWS_AT_A_TIME,
    Pieces,
    open_encoder,
    pieces_of,
)
from seqclf.yardstick.train import Fitted, fine_tuned, on_features, recipe_for

FOLDER = "yardstick"  # of a comparison: a folder for each seed, 0, 1, ...
RESULT_FILE = "yardstick.json"
# Raised whenever the same question is answered by other numbers.
VERSION = 1


@dataclass(frozen=True, slots=True)
class YardstickTrial:
    """A training to be done.

    Attributes:
      yardstick: What is trained.
      encoded: Folder of the encoded data set.
      path: Its folder.
      seed: Of the output layer, the batches and dropout.
      question: What tells it from others, as plain values.
    """

    yardstick: Yardstick
    encoded: Path
    path: Path
    seed: int
    question: Mapping[str, object]

    @property
    def name(self) -> str:
        """What the screen calls it."""
        several = self.yardstick.seeds > 1
        return self.yardstick.name + (f" seed {self.seed}" if several else "")

    @property
    def run(self) -> Run:
        """What it leaves: predictions with checksums, as every run has them."""
        return Run(self.path)


def trials_of(
    yardstick: Yardstick, config: RunConfig, data: EncodedDataset, comparison: Path
) -> list[YardstickTrial]:
    """Returns the trainings of a yardstick for a comparison in a folder.

    `config` names the data, which is encoded.
    """
    own = {
        "version": VERSION,
        "encoder": yardstick.files.digest,
        "mode": yardstick.mode,
        "data": of_config(config)["data"],
        "fingerprint": data.about.fingerprint,
    }
    return [
        YardstickTrial(
            yardstick, data.path, comparison / FOLDER / str(seed), seed,
            to_plain(own | {"seed": seed}),
        )
        for seed in range(yardstick.seeds)
    ]  # fmt: skip


def reused(trials: Sequence[YardstickTrial], models: Path) -> list[YardstickTrial]:
    """Returns the trainings that are finished, here or in another comparison.

    What another has, of the same question, is copied: it is a few files, and took long.
    Files that are damaged count as none.
    """
    for trial in trials:
        if not _answers(trial.path, trial):
            for file in sorted(models.glob(f"*/{FOLDER}/*/{RESULT_FILE}")):
                if _answers(file.parent, trial):
                    _copy(file.parent, trial.path)
                    break
    return [trial for trial in trials if _answers(trial.path, trial)]


def _answers(folder: Path, trial: YardstickTrial) -> bool:
    """Tells whether a folder has all that a training is to leave.

    Unless it is finished nothing compares its checksums. One that read more pieces of a
    text than are read now was asked something else.
    """
    there = dataclasses.replace(trial, path=folder)
    if not there.run.is_finished:
        return False
    try:
        trained, _ = read_trained(there)
    except (RunError, ValueError):
        return False
    return trained.question == trial.question and trained.most_pieces <= MOST_PIECES


def _copy(folder: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial)
    shutil.rmtree(path, ignore_errors=True)  # of a training that was interrupted
    partial.rename(path)


def run_yardstick(trial: YardstickTrial, report: Report) -> None:
    """Trains, predicts and writes; reports as `fit`; in a subprocess.

    Raises:
      ConfigError: If the encoder cannot be opened.
      TrainingError: If the loss diverged.
    """
    report(Started())
    with writing.locked(trial.path):
        _run(trial, report)


def _run(trial: YardstickTrial, report: Report) -> None:
    backend.set_threads(cores())
    backend.import_keras().utils.set_random_seed(trial.seed)  # of dropout
    data = open_encoded(trial.encoded)
    encoder = open_encoder(trial.yardstick.files)
    pieces = {
        split: pieces_of(encoder, data.texts(split), data.splits[split].label_ids)
        for split in (TRAIN, VALIDATION, TEST)
    }
    fitted = _fitted(trial, encoder.backbone, pieces, len(data.labels), report)
    predicted = {
        split: _predictions(fitted, pieces[split], data, split)
        for split in (VALIDATION, TEST)
    }
    for split, predictions in predicted.items():
        writing.write_predictions(trial.path, split, predictions)
    files_of = trial.yardstick.files
    trained = TrainedYardstick(
        name=trial.yardstick.name,
        source=files_of.source,
        revision=files_of.revision,
        digest=files_of.digest,
        encoder=files_of.encoder,
        mode=trial.yardstick.mode,  # type: ignore[arg-type]
        seed=trial.seed,
        question=dict(trial.question),
        most_pieces=encoder.most_pieces,
        cut=pieces[TEST].cut,
        chosen=fitted.chosen,
        validation_loss=float(predicted[VALIDATION].losses.mean()),
        parameters=fitted.parameters,
        seconds_per_epoch=fitted.seconds_per_epoch,
        seconds_to_best=fitted.seconds_to_best,
        tokens_per_second=fitted.tokens_per_second,
        milliseconds_per_prediction=single_prediction(
            fitted.predict, pieces[TEST].examples
        ),
        peak_memory_bytes=peak_memory(),
        versions=_versions(),
    )
    write_json(trial.path / RESULT_FILE, to_plain(trained))
    writing.mark_complete(trial.path, "compare")


def _fitted(
    trial: YardstickTrial,
    backbone: Any,
    pieces: Mapping[str, Pieces],
    num_labels: int,
    report: Report,
) -> Fitted:
    train, validation = pieces[TRAIN].examples, pieces[VALIDATION].examples
    if trial.yardstick.mode != FINE_TUNE:
        return on_features(backbone, train, validation, num_labels)
    recipe = recipe_for(len(train), trial.seed)
    asked = (backbone, train, validation, num_labels, recipe, report)
    about = {
        "question": dict(trial.question),
        "versions": _versions(),
        "platform": platform.platform(),
    }
    return fine_tuned(*asked, Checkpoints(trial.path / files.CHECKPOINT_FILE, about))


def _predictions(
    fitted: Fitted, pieces: Pieces, data: EncodedDataset, split: str
) -> Predictions:
    """Predicts a split; lengths are the twins', so that all rows have one division."""
    examples, own = pieces.examples, data.splits[split]
    order = sorted_order(examples.lengths, ROWS_AT_A_TIME)
    logits = batched_logits(fitted.predict, examples, order, len(data.labels))
    return Predictions(own.label_ids, probabilities_of(logits), own.lengths)


def _versions() -> dict[str, str]:
    return package_versions() | {
        name: version(name) for name in ("keras-hub", "tokenizers")
    }


def read_trained(trial: YardstickTrial) -> tuple[TrainedYardstick, Predictions]:
    """Reads what a finished training left: what it took, and its answers on test.

    Its name and whence the files came are those asked for now: it may have been trained
    for a request that called the same files otherwise.

    Raises:
      RunError: If it is damaged.
      ValueError: If it was written by another version.
    """
    values = read_object(trial.run.file(RESULT_FILE))
    asked = trial.yardstick
    trained = dataclasses.replace(
        from_plain(TrainedYardstick, values),
        name=asked.name,
        source=asked.files.source,
        revision=asked.files.revision,
    )
    return trained, trial.run.predictions(TEST)
