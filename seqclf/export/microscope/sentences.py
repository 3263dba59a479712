"""Texts to begin with, of the test split of the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqclf.data.dataset import TEST
from seqclf.runs import Run
from seqclf.text.encoding import EncodedDataset

MOST_SENTENCES = 10
SHORTEST, LONGEST = 5, 40  # tokens of a text that one can look at as a whole


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text of the test split and its true label."""

    text: str
    label: str


def sentences(runs: Sequence[Run], own: EncodedDataset) -> list[Sentence]:
    """Returns at most ten test texts of 5 to 40 tokens, in the order of the split.

    Those on which most of the runs give different answers are taken first. None where
    a run has no predictions, as one that was saved from Python.
    """
    if not all(run.has_scores for run in runs):
        return []
    predictions = [run.predictions(TEST) for run in runs]
    lengths, label_ids = predictions[0].lengths, predictions[0].label_ids
    texts = own.texts(TEST)
    if {len(texts)} != {len(one.label_ids) for one in predictions}:
        return []
    answers = np.array([one.answers for one in predictions])
    several = np.array([len(set(column)) for column in answers.T.tolist()])
    fitting = np.flatnonzero((lengths >= SHORTEST) & (lengths <= LONGEST))
    chosen = fitting[np.argsort(-several[fitting], kind="stable")][:MOST_SENTENCES]
    labels = runs[0].labels
    return [
        Sentence(texts[row].as_py(), labels[label_ids[row]])
        for row in np.sort(chosen).tolist()
    ]
