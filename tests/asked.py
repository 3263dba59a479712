"""What tests of the studies share: tiny recipes and questions, a silent listener."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path

from seqclf.config import DataConfig, ModelConfig, RunConfig, TextConfig, TrainingConfig
from seqclf.records.plain import from_plain, to_plain
from seqclf.studies.question import Question

TINY = RunConfig(
    text=TextConfig(min_count=1),
    model=ModelConfig(units=8, embedding_size=8),
    training=TrainingConfig(epochs=2, batch_size=16, learning_rate=0.02),
)


def tiny(source: Path) -> RunConfig:
    """Returns a recipe for the data of that folder, of a network of eight units."""
    return dataclasses.replace(TINY, data=DataConfig(source=str(source)))


def tiny_question(source: Path, **options: object) -> Question:
    """Returns a question on the data of that folder, for that network."""
    return Question(config=tiny(source), **options)


def comes_back(record: object) -> bool:
    """Tells whether a record is the same again when it was written and read as JSON."""
    text = json.dumps(to_plain(record), allow_nan=False)
    return from_plain(type(record), json.loads(text)) == record


class Silent:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.quiet = True

    def note(self, sentence: str) -> None:
        """Keeps it."""
        self.notes.append(sentence)

    insist = note

    def progress(self, costs: object, jobs: int = 1):
        """Follows nothing."""
        return contextlib.nullcontext(lambda name, event: None)
