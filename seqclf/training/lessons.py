"""Unlabelled texts with what a teacher says of them, for all twins to learn from too.

The teacher is a finished model on the same data: a linear one, or a mean. Its pupils
learn from its probabilities as they are (Hinton, Vinyals & Dean 2015,
arXiv:1503.02531), beside the labels of train.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf import several
from seqclf.classifier import Classifier
from seqclf.config import RunConfig, division
from seqclf.data.dataset import TRAIN, UNLABELED
from seqclf.errors import DataError, RunError
from seqclf.runs import AnyRun, members_of
from seqclf.runs.files import VOCABULARY_FILE
from seqclf.start.texts import held_out_rows
from seqclf.storage import write_whole
from seqclf.text.encoding import EncodedDataset, Examples, has_several
from seqclf.text.free import free_batches
from seqclf.text.vocabulary import encode_texts


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a teacher says of texts.

    Attributes:
      token_ids: int32 [sum of lengths], text behind text, as a pupil reads them.
      offsets: int64 [texts + 1]; text i is token_ids[offsets[i]:offsets[i + 1]].
      probabilities: float32 [texts, labels].
      about: What they are, in words.
    """

    token_ids: np.ndarray
    offsets: np.ndarray
    probabilities: np.ndarray
    about: str

    def save(self, path: Path) -> None:
        """Writes them whole, or not at all."""

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.savez(file, **dataclasses.asdict(self))

        write_whole(path, write)

    @classmethod
    def load(cls, path: Path) -> Lessons:
        """Reads what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = file["token_ids"], file["offsets"], file["probabilities"]
            return cls(*arrays, str(file["about"]))


def prepared_lessons(
    config: RunConfig, data: EncodedDataset, teacher: AnyRun
) -> RunConfig:
    """Asks the teacher, once for all twins; what it says stays beside the data.

    Returns:
      The config, with a digest of the teacher: with the data, it tells lessons apart.

    Raises:
      DataError: If there are no unlabelled texts, or none that is not held out.
      RunError: If the teacher was trained on other data, or on another division of it,
        and so perhaps on what is held out here.
    """
    _refuse_stranger(config, data, teacher)
    training = dataclasses.replace(config.training, taught=_digest(teacher))
    config = dataclasses.replace(config, training=training)
    file = lessons_file(data.path, config)
    if not file.exists():
        _lessons(config, data, teacher).save(file)
    return config


def lessons_file(folder: Path, config: RunConfig) -> Path:
    """Returns the file of the lessons in the folder of encoded data."""
    return folder / f"lessons-{config.training.taught}.npz"


def training_texts(
    data: EncodedDataset, config: RunConfig
) -> tuple[Examples, str | None]:
    """Returns what a twin is trained on, and what a teacher adds to it, in words."""
    train = data.splits[TRAIN]
    if config.training.taught is None:
        return train, None
    lessons = Lessons.load(lessons_file(data.path, config))
    return with_lessons(train, lessons), lessons.about


def with_lessons(train: Examples, lessons: Lessons) -> Examples:
    """Returns the training texts, with their labels, and behind them the lessons."""
    if has_several(train.label_ids):
        certain = train.label_ids.astype(np.float32)
        likeliest = lessons.probabilities >= several.DEFAULT_THRESHOLD
    else:
        num_labels = lessons.probabilities.shape[1]
        certain = np.eye(num_labels, dtype=np.float32)[train.label_ids]
        likeliest = lessons.probabilities.argmax(axis=1).astype(np.int32)
    return Examples(
        np.concatenate([train.token_ids, lessons.token_ids]),
        np.concatenate([train.offsets, train.offsets[-1] + lessons.offsets[1:]]),
        np.concatenate([train.label_ids, likeliest]),
        np.concatenate([certain, lessons.probabilities]),
    )


def _refuse_stranger(config: RunConfig, data: EncodedDataset, teacher: AnyRun) -> None:
    for run in members_of(teacher):
        own = run.dataset.fingerprint, division(run.config.data)
        if own != (data.about.fingerprint, division(config.data)):
            raise RunError(
                f"{run.path} cannot teach here: it was trained on other data, or on "
                f"another division of it, and may know what is held out. Train it with "
                f"the same --data and the same options of data."
            )


def _digest(teacher: AnyRun) -> str:
    """Returns a hash of the weights and the vocabularies of a teacher."""
    hashes = [
        run.checksums[name]
        for run in members_of(teacher)
        for name in (run.model_file, VOCABULARY_FILE)
    ]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]


def _lessons(config: RunConfig, data: EncodedDataset, teacher: AnyRun) -> Lessons:
    if not data.has_texts(UNLABELED):
        raise DataError(
            f"{data.about.source} has no unlabelled texts for {teacher.name} to teach "
            f"with; a split called unlabeled, such as unlabeled.csv beside train.csv, "
            f"has them."
        )
    given, held_out = data.rows(UNLABELED), held_out_rows(data)
    classifier = Classifier.open(teacher)
    parts = []
    for batch in free_batches([given], held_out):
        token_ids, offsets = encode_texts(batch, data.vocabulary, config.text)
        parts.append((token_ids, np.diff(offsets), classifier.predict_proba(batch)))
    if not sum(len(lengths) for _, lengths, _ in parts):
        raise DataError(
            f"{data.about.source} has no unlabelled text for {teacher.name} to teach "
            f"with that is not in validation or test, too."
        )
    ids, lengths, probabilities = map(np.concatenate, zip(*parts, strict=True))
    about = f"{len(lengths):,} unlabelled texts taught by {teacher.name}"
    if left_out := len(given) - len(lengths):
        about += f"; {left_out:,} that are in validation or test left out"
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Lessons(ids, offsets, probabilities, about)
