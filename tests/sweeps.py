"""What the tests of the sweeps share: a tiny question and a silent listener."""

from __future__ import annotations

import contextlib
from pathlib import Path

from seqclf.config import DataConfig, ModelConfig, RunConfig, TextConfig, TrainingConfig
from seqclf.studies.question import Question

TINY = RunConfig(
    text=TextConfig(min_count=1),
    model=ModelConfig(units=8, embedding_size=8),
    training=TrainingConfig(epochs=2, batch_size=16, learning_rate=0.02),
)


def tiny_question(source: Path, **options: object) -> Question:
    """Returns a question on the data of that folder, for a network of eight units."""
    config = RunConfig(
        data=DataConfig(source=str(source)),
        text=TINY.text,
        model=TINY.model,
        training=TINY.training,
    )
    return Question(config=config, **options)


class Silent:
    """Hears everything and says nothing."""

    quiet = True

    def note(self, sentence: str) -> None:
        """Hears it."""

    insist = note

    @contextlib.contextmanager
    def progress(self, costs: object, jobs: int = 1):
        """Follows nothing."""
        yield lambda name, report: None
