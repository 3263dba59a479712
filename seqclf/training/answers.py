"""What a trained network answers to the texts of its data set, and the scores of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqclf import metrics
from seqclf.config import TextConfig
from seqclf.data.dataset import SHUFFLED, TEST, TRAIN, VALIDATION
from seqclf.model.scoring import logits_of, probabilities_of
from seqclf.records.scores import Scores
from seqclf.runs import Predictions
from seqclf.text.batching import shuffle_words
from seqclf.text.encoding import EncodedDataset, Examples, take
from seqclf.training.fit import EVALUATION_BATCH_SIZE


def answers(
    model: Any, data: EncodedDataset, text: TextConfig
) -> dict[str, Predictions]:
    """Predicts what a Keras model was not trained on, by the name of the split.

    Also the test texts with their words in a random order, and as many training texts
    as validation has. `text` says which tokens begin a word.
    """
    splits = data.splits
    rows = np.linspace(0, len(splits[TRAIN]) - 1, len(splits[VALIDATION])).astype(int)
    parts = {
        VALIDATION: splits[VALIDATION],
        TEST: splits[TEST],
        SHUFFLED: shuffle_words(splits[TEST], data.vocabulary.begins_word(text)),
        TRAIN: take(splits[TRAIN], np.unique(rows)),
    }
    return {name: predict_examples(model, part) for name, part in parts.items()}


def predict_examples(model: Any, examples: Examples) -> Predictions:
    """Predicts a split."""
    logits = logits_of(model, examples, EVALUATION_BATCH_SIZE)
    return Predictions(examples.label_ids, probabilities_of(logits), examples.lengths)


def scores(predictions: Predictions, labels: tuple[str, ...]) -> Scores:
    """Scores predictions, see `metrics.scores`."""
    return metrics.scores(
        predictions.label_ids, predictions.probabilities, labels, predictions.lengths
    )
