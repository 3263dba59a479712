"""What the seeds of a comparison vary: the training alone, or its data too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqclf.config import RunConfig, are_drawn_anew
from seqclf.data.dataset import VALIDATION
from seqclf.runs import Run
from seqclf.text.encoding import EncodedDataset

SEED: Literal["seed"] = "seed"
SPLIT: Literal["split"] = "split"
VARY_NAMES = (SEED, SPLIT)


@dataclass(frozen=True, slots=True)
class Draw:
    """What a seed drew: the encoded data, and the recipe with the settings of it."""

    data: EncodedDataset
    config: RunConfig


DrawOf = Callable[[int], Draw]  # by training seed


def vary_of(finished: Iterable[Run]) -> Literal["seed", "split"]:
    """Returns what the seeds of finished runs vary, one of `VARY_NAMES`."""
    return SPLIT if are_drawn_anew(run.config for run in finished) else SEED


def covered(finished: Sequence[Run]) -> str:
    """Says what intervals and p-values cover where the seeds draw the split, too.

    The hold-outs are among it unless all runs have the labels of one validation split,
    that of the source.
    """
    label_ids = [run.predictions(VALIDATION).label_ids for run in finished]
    are_same = all(np.array_equal(one, label_ids[0]) for one in label_ids)
    drew = "seeds, " if are_same else "seeds, hold-outs, "
    return (
        f"This covers {drew}resamples of the training texts, and test texts: each seed "
        f"drew what its runs learn from, the same for all cells."
    )
