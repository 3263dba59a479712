"""Which trainings failed: the one definition of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqclf.data.dataset import VALIDATION
from seqclf.records.scores import Scores, SeveralScores
from seqclf.runs import Run

LEAST_OF_LEAD = 0.5  # of the median of the cell's seeds


def failed_seeds(group: Sequence[Run], field: str = "accuracy") -> tuple[int, ...]:
    """Returns the seeds of one cell whose training failed, as validation shows.

    It failed if it is not better than always guessing the commonest label of
    validation, or less than half as far above that as the median of the cell's seeds.
    To be below another cell is a result, and no failure.

    Args:
      group: Trainings of one cell.
      field: Of `Scores`, what shall be better: `accuracy`, `macro_f1`, `example_f1` or
        `log_loss`.
    """
    seeds = [run.config.training.seed for run in group]
    return failed_among(seeds, [run.metrics[VALIDATION] for run in group], field)


def failed_among(
    seeds: Sequence[int], scores: Sequence[Scores], field: str
) -> tuple[int, ...]:
    """Returns the same of trainings by their seeds and scores on validation."""
    reached = np.array([getattr(one, field) for one in scores])
    # Of each its own, for each may hold out other texts.
    leads = reached - np.array([guessed(one)[field] for one in scores])
    if field == "log_loss":
        leads = -leads
    has_failed = (leads <= 0) | (leads < LEAST_OF_LEAD * np.median(leads))
    return tuple(np.array(seeds)[has_failed].tolist())


def guessed(scores: Scores) -> dict[str, float]:
    """Returns what guessing reaches: the commonest label, or the shares of all.

    It is by name of a field of `Scores`: `accuracy`, `macro_f1`, `log_loss` (nats).
    """
    if scores.several is not None:
        return _guessed_several(scores, scores.several)
    counts = np.array([label.support for label in scores.per_label if label.support])
    shares = counts / counts.sum()
    most = float(shares.max())
    return {
        "accuracy": most,
        "macro_f1": 2 * most / (1 + most) / len(shares),  # of the others F1 is 0
        "log_loss": float(-(shares * np.log(shares)).sum()),
    }


def _guessed_several(scores: Scores, several: SeveralScores) -> dict[str, float]:
    """Returns the same of texts that may have several labels.

    Macro F1 is that of all labels for every text.
    """
    shares = np.array([label.support for label in scores.per_label]) / scores.n
    shares = np.clip(shares[shares > 0], None, 1 - 1e-12)
    entropies = -shares * np.log(shares) - (1 - shares) * np.log(1 - shares)
    return {
        "accuracy": several.guessed_accuracy,
        "example_f1": several.guessed_example_f1,
        "macro_f1": float((2 * shares / (1 + shares)).mean()),
        "log_loss": float(entropies.sum() / len(scores.per_label)),
    }
