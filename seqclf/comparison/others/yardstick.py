"""A yardstick beside the twins: as another system comes in, but with its costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.comparison.others.other import Other
from seqclf.data.dataset import VALIDATION
from seqclf.records.yardstick import TrainedYardstick
from seqclf.text.encoding import EncodedDataset
from seqclf.yardstick.trial import YardstickTrial, read_trained

# Those that are means over the seeds.
MEANS = (
    "seconds_per_epoch", "seconds_to_best", "tokens_per_second",
    "milliseconds_per_prediction", "validation_loss",
)  # fmt: skip


def as_other(trials: Sequence[YardstickTrial], data: EncodedDataset) -> Other:
    """Returns a yardstick as a system that answers the test texts.

    Args:
      trials: Its finished trainings, at least one.
      data: What they were trained on.
    """
    read = [read_trained(trial) for trial in trials]
    return Other(
        name=read[0][0].name,
        labels=data.labels,
        predictions=tuple(predictions for _, predictions in read),
        has_probabilities=True,
        trained=tuple(trained for trained, _ in read),
        validation=tuple(
            trial.run.predictions(VALIDATION).scores(data.labels) for trial in trials
        ),
    )


def costs(trained: Sequence[TrainedYardstick]) -> dict[str, Any]:
    """Returns what a row says of the costs of a yardstick; nothing of what is none."""
    if not trained:
        return {}
    known = {name: [getattr(one, name) for one in trained] for name in MEANS}
    return {
        "parameters": trained[0].parameters,
        "peak_memory_bytes": max(one.peak_memory_bytes for one in trained),
        **{
            name: sum(values) / len(values)
            for name, values in known.items()
            if None not in values
        },
    }


def one_training_said(others: Sequence[Other]) -> str:
    """Says so if only one training of a yardstick was drawn, of which others differ."""
    lone = [
        other.name for other in others if len(other.trained) == 1 and other.is_drawn
    ]
    if not lone:
        return ""
    return (
        f" Of {lone[0]} one training is compared: how far others of it would differ is "
        f"not in its interval."
    )


def trainings(others: Sequence[Other]) -> tuple[TrainedYardstick, ...]:
    """Returns the trainings of the yardstick among other systems."""
    return tuple(one for other in others for one in other.trained)
