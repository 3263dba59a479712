"""Probabilities of texts by linear models that have not seen them: cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from seqclf.data.dataset import TRAIN, numbered
from seqclf.linear.fit import FEWEST_FOR_RARE, nb_fit
from seqclf.linear.model import features_of
from seqclf.linear.ngrams import fit_ngrams
from seqclf.model.scoring import fit_temperature, probabilities_of
from seqclf.records.training import Finished, OnEvent, Started
from seqclf.text.tokens import TokenizedTexts

FOLDS = 5
LONGEST = 2  # tokens of an n-gram; a third cost time, and gained nothing here
# The log loss of other values (`fit.REGULARIZATIONS`) was at most 0.02 less on the sets
# of docs/data.md, and validation texts to choose by would be lacking in the fits.
C = 0.3


def deal(label_ids: np.ndarray, groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Deals rows to `FOLDS` folds, each label evenly and each group whole.

    Groups lie label by label, in a random order, and are dealt like cards. Where a
    group has several labels, its first row's counts.

    Args:
      label_ids: int [rows].
      groups: int [rows]; rows of one number stay together.
      seed: Of the order.

    Returns:
      int64 [rows], the fold of each row, from 0.
    """
    groups = numbered(groups)
    _, first = np.unique(groups, return_index=True)
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(label_ids[first[order]], kind="stable")]
    folds = np.empty(len(first), np.int64)
    folds[order] = np.arange(len(first)) % FOLDS
    return folds[groups]


def out_of_fold(
    texts: Mapping[str, Sequence[TokenizedTexts]],
    label_ids: np.ndarray,
    folds: np.ndarray,
    num_labels: int,
    report: OnEvent,
) -> dict[str, np.ndarray]:
    """Returns probabilities by models that were fitted on train without the text.

    For a text of train that is the model fitted on the other folds; for texts of other
    splits, which are in no fit, the mean logits of all models. One temperature, fitted
    on train's logits, calibrates all: it is one number, fitted on texts that the models
    have not seen. The models are NB-weighted words and pairs, see `fit.fit_nb`.

    Args:
      texts: Tokens by split; `train` is there.
      label_ids: int [train].
      folds: int [train], see `deal`.
      num_labels: Width of the probabilities.
      report: Hears of each fit, by its name.

    Returns:
      By split, float32 [rows, labels].
    """
    least = 2 if len(label_ids) >= FEWEST_FOR_RARE else 1
    # Which n-grams have a column is no matter of labels; without a weight they are 0.
    ngrams = fit_ngrams(texts[TRAIN], LONGEST, least)
    features = {s: features_of(ngrams.counts(some), None) for s, some in texts.items()}
    shapes = {split: (of.shape[0], num_labels) for split, of in features.items()}
    logits = {split: np.zeros(shape, np.float32) for split, shape in shapes.items()}
    for fold in range(FOLDS):
        name = fit_name(fold)
        report(name, Started())
        held = folds == fold
        with threadpool_limits(limits=1):  # as for every linear model
            fit = nb_fit(features[TRAIN][~held], label_ids[~held], num_labels)
            weights, bias = fit(C)
        logits[TRAIN][held] = features[TRAIN][held] @ weights + bias
        for split in texts.keys() - {TRAIN}:
            logits[split] += (features[split] @ weights + bias) / np.float32(FOLDS)
        report(name, Finished())
    temperature, _ = fit_temperature(logits[TRAIN], label_ids)
    scale = np.float32(1 / temperature)
    return {split: probabilities_of(scale * one) for split, one in logits.items()}


def fit_name(fold: int) -> str:
    """Returns what people read of a fit, from its number, 0 to `FOLDS` - 1."""
    return f"fit {fold + 1} of {FOLDS}"
