"""What the seeds of a comparison vary: the training alone, or its data too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqclf.config import RunConfig, are_drawn_anew, fold_of
from seqclf.data.dataset import VALIDATION
from seqclf.runs import AnyRun, Run
from seqclf.text.encoding import EncodedDataset

SEED: Literal["seed"] = "seed"
SPLIT: Literal["split"] = "split"
FOLDS: Literal["folds"] = "folds"
VARY_NAMES = (SEED, SPLIT)  # of --vary
Vary = Literal["seed", "split", "folds"]


@dataclass(frozen=True, slots=True)
class Draw:
    """What a seed drew: the encoded data, and the recipe with the settings of it."""

    data: EncodedDataset
    config: RunConfig


DrawOf = Callable[[int], Draw]  # by training seed


def vary_of(finished: Sequence[AnyRun]) -> Vary:
    """Returns what the seeds of finished runs vary."""
    if not are_drawn_anew(run.config for run in finished):
        return SEED
    return FOLDS if folds_of(finished) else SPLIT


def folds_of(finished: Sequence[AnyRun]) -> int | None:
    """Returns how many folds the texts were divided into; None without folds."""
    fold = finished[0].config.data.fold
    if fold is None or not are_drawn_anew(run.config for run in finished):
        return None
    return fold_of(fold)[1]


def covered(finished: Sequence[Run]) -> str:
    """Says what intervals and p-values cover where the seeds draw the data, too.

    The hold-outs are among it unless all runs have the labels of one validation split,
    that of the source.
    """
    folds = folds_of(finished)
    if folds is not None:
        return (
            f"Each of {folds} parts of the texts was tested on by models that learnt "
            f"from the others: this covers other texts to learn from and to test on, "
            f"with an allowance for what the {folds} share (Nadeau & Bengio 2003)."
        )
    label_ids = [run.predictions(VALIDATION).label_ids for run in finished]
    are_same = all(np.array_equal(one, label_ids[0]) for one in label_ids)
    drew = "seeds, " if are_same else "seeds, hold-outs, "
    return (
        f"This covers {drew}resamples of the training texts, and test texts: each seed "
        f"drew what its runs learn from, the same for all cells."
    )
