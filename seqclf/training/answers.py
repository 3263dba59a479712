"""What a trained network answers to the texts of its data set, and the scores of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from seqclf import several
from seqclf.config import TextConfig
from seqclf.data.dataset import SHUFFLED, TEST, TRAIN, VALIDATION, shuffled_rows
from seqclf.model.scoring import logits_of, probabilities_of
from seqclf.runs import Predictions
from seqclf.text.batching import shuffle_words
from seqclf.text.encoding import EncodedDataset, Examples, has_several, take
from seqclf.training.fit import EVALUATION_BATCH_SIZE


def answers(
    model: Any, data: EncodedDataset, text: TextConfig
) -> dict[str, Predictions]:
    """Predicts what a Keras model was not trained on, by the name of the split.

    Also test texts with their words in a random order, see `shuffled_rows`, and as many
    training texts as validation has. `text` says which tokens begin a word. Where a
    text may have several labels, validation chooses from which probability on each
    applies.
    """
    splits = data.splits
    rows = np.linspace(0, len(splits[TRAIN]) - 1, len(splits[VALIDATION])).astype(int)
    mixed = take(splits[TEST], shuffled_rows(len(splits[TEST])))
    parts = {
        VALIDATION: splits[VALIDATION],
        TEST: splits[TEST],
        SHUFFLED: shuffle_words(mixed, data.vocabulary.begins_word(text)),
        TRAIN: take(splits[TRAIN], np.unique(rows)),
    }
    said = {name: predict_examples(model, part) for name, part in parts.items()}
    return with_thresholds(said, splits[TRAIN])


def predict_examples(model: Any, examples: Examples) -> Predictions:
    """Predicts a split; of several labels without thresholds yet."""
    logits = logits_of(model, examples, EVALUATION_BATCH_SIZE)
    probabilities = probabilities_of(logits, has_several(examples.label_ids))
    return Predictions(examples.label_ids, probabilities, examples.lengths)


def with_thresholds(
    said: dict[str, Predictions], train: Examples
) -> dict[str, Predictions]:
    """Returns predictions with the thresholds that validation chooses, if it has to.

    What could be learnt of a label, the training texts tell.
    """
    validation = said[VALIDATION]
    if not has_several(validation.label_ids):
        return said
    least = several.thresholds(
        validation.label_ids,
        validation.probabilities,
        several.learnt(train.label_ids),
    )
    return {
        split: dataclasses.replace(one, thresholds=least) for split, one in said.items()
    }
