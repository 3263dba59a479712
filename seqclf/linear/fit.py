"""Fits the linear models: on train, with what has to be chosen chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf import several
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.linear.model import LinearModel, features_of
from seqclf.linear.ngrams import NGrams, fit_ngrams, tokenized
from seqclf.model.scoring import fit_temperature
from seqclf.text.encoding import EncodedDataset, has_several

REGULARIZATIONS = (0.1, 0.3, 1.0, 3.0)  # C of NB-weighted n-grams
TFIDF_REGULARIZATIONS = (1.0, 10.0, 100.0)
FEWEST_FOR_RARE = 500  # texts; below it every n-gram may be the only one of its kind
NEVER = -1e30  # logit of a label that train lacks

# From C, the inverse strength of the penalty, to weights float32 [features, labels] and
# bias float32 [labels].
Fit = Callable[[float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and what was chosen.

    Attributes:
      model: Its logits are calibrated: softmax of them is a probability.
      chosen: What validation chose, such as C, and the temperature.
    """

    model: LinearModel
    chosen: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Training:
    """Counts and labels of the two splits that a fit may see."""

    ngrams: NGrams
    counts: Mapping[str, Any]
    label_ids: Mapping[str, np.ndarray]
    num_labels: int


def fit_majority(data: EncodedDataset) -> Fitted:
    """Predicts the label shares of train, whatever the text."""
    label_ids = data.splits[TRAIN].label_ids
    if has_several(label_ids):
        counts, odds = label_ids.sum(axis=0), np.exp(_log_odds(label_ids))
    else:
        counts = np.bincount(label_ids, minlength=len(data.labels))
        odds = counts / counts.sum()
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log(odds), NEVER)
    ngrams = fit_ngrams([], longest=1, least=1)
    weights = np.zeros((0, len(data.labels)), np.float32)
    model = LinearModel(ngrams, None, weights, logs.astype(np.float32))
    return Fitted(model, {"label": data.labels[int(counts.argmax())]})


def fit_tfidf(data: EncodedDataset) -> Fitted:
    """Fits logistic regression on TF-IDF of tokens and pairs of neighbours."""
    from sklearn.linear_model import LogisticRegression

    training = _training(data, longest=2)
    in_texts = np.bincount(
        training.counts[TRAIN].indices, minlength=len(training.ngrams.keys)
    )
    num_texts = training.counts[TRAIN].shape[0]
    idf = (np.log((1 + num_texts) / (1 + in_texts)) + 1).astype(np.float32)
    features = features_of(training.counts[TRAIN], idf)

    def fit(c: float) -> tuple[np.ndarray, np.ndarray]:
        regression = LogisticRegression(C=c, solver="newton-cg", max_iter=1000)
        label_ids = training.label_ids[TRAIN]
        if has_several(label_ids):
            return _each_label(regression, features, label_ids)
        regression.fit(features, label_ids)
        return columns_of(regression, training.num_labels)

    return _best(training, idf, TFIDF_REGULARIZATIONS, fit)


def fit_nb(data: EncodedDataset) -> Fitted:
    """Fits logistic regression on NB-weighted n-grams of 1 to 3 tokens.

    Whether an n-gram occurs, times its naive Bayes log-count ratio, one label against
    the rest (Wang & Manning 2012, ACL P12-2018, section 2.2, whose SVM is a logistic
    regression here; for reviews Mesnil et al. 2015, arXiv:1412.5335, table 2).
    """
    training = _training(data, longest=3)
    features = features_of(training.counts[TRAIN], None)
    fit = nb_fit(features, training.label_ids[TRAIN], training.num_labels)
    return _best(training, None, REGULARIZATIONS, fit)


def nb_fit(features: Any, label_ids: np.ndarray, num_labels: int) -> Fit:
    """Returns what fits NB-weighted n-grams, as in `fit_nb`.

    Args:
      features: Sparse 0 or 1 [texts, features].
      label_ids: int [texts], or bool [texts, labels] of several; a label that no text
        has is never predicted.
      num_labels: Width of the logits.
    """
    certain = np.full(num_labels, NEVER, np.float32)
    if has_several(label_ids):
        truth, certain = label_ids, _log_odds(label_ids)
        present = fitted = np.flatnonzero(several.learnt(truth))
    else:
        truth = label_ids[:, None] == np.arange(num_labels)
        present = np.unique(label_ids)
        # Of two labels the second is enough: the first is its opposite, with logit 0.
        # One alone is always right.
        fitted = present if len(present) > 2 else present[1:]
    ratios = {label: log_count_ratios(features, truth[:, label]) for label in fitted}

    def fit(c: float) -> tuple[np.ndarray, np.ndarray]:
        weights = np.zeros((features.shape[1], num_labels), np.float32)
        bias = certain.copy()
        bias[present] = 0
        for label, ratio in ratios.items():
            own = _against_the_rest(features, ratio, truth[:, label], c)
            weights[:, label], bias[label] = own
        return weights, bias

    return fit


def log_count_ratios(features: Any, is_label: np.ndarray) -> np.ndarray:
    """Returns how much more often each feature stands in texts of a label.

    Args:
      features: Sparse 0 or 1 [texts, features].
      is_label: bool [texts].

    Returns:
      float64 [features], the logarithm of the two relative frequencies' ratio, each
      count smoothed by 1.
    """
    shares = []
    for rows in (is_label, ~is_label):
        counts = 1 + np.asarray(features[rows].sum(axis=0), np.float64).ravel()
        shares.append(counts / counts.sum())
    return np.log(shares[0] / shares[1])


def _against_the_rest(
    features: Any, ratios: np.ndarray, is_label: np.ndarray, c: float
) -> tuple[np.ndarray, float]:
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(
        C=c, solver="liblinear", max_iter=1000, random_state=0
    )
    regression.fit(features.multiply(ratios).tocsr(), is_label)
    return ratios * regression.coef_[0], float(regression.intercept_[0])


def _training(data: EncodedDataset, longest: int) -> _Training:
    texts = {split: tokenized(data.texts(split)) for split in (TRAIN, VALIDATION)}
    least = 2 if len(data.splits[TRAIN]) >= FEWEST_FOR_RARE else 1
    ngrams = fit_ngrams(texts[TRAIN], longest, least)
    counts = {split: ngrams.counts(blocks) for split, blocks in texts.items()}
    label_ids = {split: data.splits[split].label_ids for split in texts}
    return _Training(ngrams, counts, label_ids, len(data.labels))


def columns_of(regression: Any, num_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns weights and bias with a column for every label, train's or not."""
    weights = np.zeros((regression.coef_.shape[1], num_labels), np.float32)
    bias = np.full(num_labels, NEVER, np.float32)
    bias[regression.classes_] = 0
    own = regression.classes_[-len(regression.coef_) :]  # of two labels, the second
    weights[:, own], bias[own] = regression.coef_.T, regression.intercept_
    return weights, bias


def _log_odds(truth: np.ndarray) -> np.ndarray:
    """Returns those of each label in texts, float32 [labels], as if of each half more.

    `truth` is bool [texts, labels].
    """
    counts = truth.sum(axis=0)
    return np.log((counts + 0.5) / (len(truth) - counts + 0.5)).astype(np.float32)


def _each_label(
    regression: Any, features: Any, truth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns weights and bias of a regression for each label of bool [texts, labels].

    A label that all texts have, or none, has the same answer for every text.
    """
    weights = np.zeros((features.shape[1], truth.shape[1]), np.float32)
    bias = _log_odds(truth)
    for label in np.flatnonzero(several.learnt(truth)):
        regression.fit(features, truth[:, label])
        weights[:, label] = regression.coef_[0]
        bias[label] = regression.intercept_[0]
    return weights, bias


def _best(
    training: _Training,
    idf: np.ndarray | None,
    choices: tuple[float, ...],
    fit: Fit,
) -> Fitted:
    """Returns the calibrated model of the C with the least validation log loss."""
    features = features_of(training.counts[VALIDATION], idf)
    label_ids = training.label_ids[VALIDATION]
    is_scaled = np.ones(training.num_labels, bool)
    if has_several(label_ids):  # of a label that cannot be learnt there is no logit
        is_scaled = several.learnt(training.label_ids[TRAIN])
        label_ids = label_ids[:, is_scaled]
    found = []
    for c in choices:
        weights, bias = fit(c)
        logits = (features @ weights + bias)[:, is_scaled]
        temperature, loss = fit_temperature(logits, label_ids)
        found.append((loss, c, temperature, weights, bias))
    loss, c, temperature, weights, bias = min(found, key=lambda one: one[0])
    scaled = weights.copy(), bias.copy()
    for one in scaled:
        one[..., is_scaled] /= np.float32(temperature)
    model = LinearModel(training.ngrams, idf, *scaled)
    return Fitted(model, {"C": c, "temperature": temperature})
