"""The rows that every recurrent model has to beat.

A new baseline is one function and one entry in `BASELINES`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.errors import RunError
from seqclf.records.plain import to_plain
from seqclf.records.scores import Metrics
from seqclf.records.training import BaselineEnvironment, Report, Started
from seqclf.runs import Predictions, Run
from seqclf.runs import run as files
from seqclf.storage import write_json
from seqclf.system import peak_memory
from seqclf.text import tokens
from seqclf.text.encoding import EncodedDataset, open_encoded
from seqclf.training.trial import package_versions, scores

REGULARIZATIONS = (1.0, 10.0, 100.0)
SVM_SHARE = 0.25  # beta of the paper, for sentences and reviews alike
LEAST_LOG = -30.0  # of a probability; labels that train lacks have none
FEWEST_FOR_RARE = 500  # below it every pair of words may be the only one of its kind

Matrix = Any  # of scipy, sparse
# From float32 probabilities [n, labels] of validation and test, and what was chosen.
Fitted = tuple[dict[str, np.ndarray], dict[str, object]]


@dataclass(frozen=True, slots=True)
class BaselineTask:
    """A baseline, a key of `BASELINES`, to be fitted.

    `encoded` is the folder of the data set, `path` gets metrics and predictions.
    """

    name: str
    encoded: Path
    path: Path

    @property
    def is_fitted(self) -> bool:
        """Whether all of it has been written, and is as it was written."""
        try:
            Run(self.path).verify()
        except RunError:
            return False
        return True


def baseline_tasks(data: EncodedDataset, models: Path) -> list[BaselineTask]:
    """Returns every baseline on a data set, those that are fitted included.

    They lie in one folder a data set, models/<data>-<key>-baselines, which all
    comparisons share.
    """
    folder = models / f"{data.path.name}-baselines"
    return [
        BaselineTask(name, data.path, folder / name.split()[0]) for name in BASELINES
    ]


def run_baseline(task: BaselineTask, report: Report) -> None:
    """Fits one baseline on train, scores it as a run is scored, and writes that."""
    report(Started())
    start = time.perf_counter()
    encoded = open_encoded(task.encoded)
    # One thread: the solver's small products lose more to waiting than they gain.
    with threadpool_limits(limits=1):
        probabilities, chosen = BASELINES[task.name](encoded)
    results: Metrics = {}
    for split, values in probabilities.items():
        true, said = encoded.splits[split], values.astype(np.float32)
        predictions = Predictions(true.label_ids, said, true.lengths)
        files.write_predictions(task.path, split, predictions)
        results[split] = scores(predictions, encoded.labels)
    write_json(task.path / files.METRICS_FILE, to_plain(results))
    environment = BaselineEnvironment(
        versions=package_versions(),
        chosen=chosen,
        seconds=time.perf_counter() - start,
        peak_memory_bytes=peak_memory(),
    )
    write_json(task.path / files.ENVIRONMENT_FILE, to_plain(environment))
    files.mark_complete(task.path, "baseline")


def majority(data: EncodedDataset) -> Fitted:
    """Predicts the label shares of train, whatever the text."""
    counts = np.bincount(data.splits[TRAIN].label_ids, minlength=len(data.labels))
    shares = counts / counts.sum()
    probabilities = {
        split: np.tile(shares, (len(data.splits[split]), 1))
        for split in (VALIDATION, TEST)
    }
    return probabilities, {"label": data.labels[int(shares.argmax())]}


def tfidf(data: EncodedDataset) -> Fitted:
    """Fits logistic regression on TF-IDF of tokens and pairs of neighbours.

    Tokens are those of the recurrent models, but texts are read whole and rare words
    keep their names. The regularization is chosen on validation.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    features = _features(data, TfidfVectorizer, sublinear_tf=True)
    label_ids = {split: data.splits[split].label_ids for split in features}
    models = [
        LogisticRegression(C=c, solver="newton-cg", max_iter=1000).fit(
            features[TRAIN], label_ids[TRAIN]
        )
        for c in REGULARIZATIONS
    ]
    best = max(
        models, key=lambda m: m.score(features[VALIDATION], label_ids[VALIDATION])
    )
    return _probabilities(best, features, len(data.labels)), {"C": best.C}


def nb_svm(data: EncodedDataset) -> Fitted:
    """Fits NB-SVM on tokens and pairs (Wang & Manning 2012, ACL P12-2018, section 2.3).

    A linear SVM over naive Bayes's log-count ratios, one label against the rest, with
    the paper's settings: counts smoothed by 1, C 1, a quarter of the SVM's weights and
    the rest their mean size. Probabilities are a softmax of the decisions at the
    temperature that suits validation (Guo et al. 2017, arXiv:1706.04599); they leave
    the decisions as they are.
    """
    from scipy.special import softmax
    from sklearn.feature_extraction.text import CountVectorizer

    features = _features(data, CountVectorizer, binary=True)
    label_ids = data.splits[TRAIN].label_ids
    decisions = {
        split: np.full((features[split].shape[0], len(data.labels)), -np.inf)
        for split in (VALIDATION, TEST)
    }
    for label in np.unique(label_ids):
        weights, bias = _nb_svm_weights(features[TRAIN], label_ids == label)
        for split, columns in decisions.items():
            columns[:, label] = features[split] @ weights + bias
    temperature = _temperature(decisions[VALIDATION], data.splits[VALIDATION].label_ids)
    probabilities = {
        split: softmax(values / temperature, axis=1)
        for split, values in decisions.items()
    }
    return probabilities, {"C": 1.0, "beta": SVM_SHARE, "temperature": temperature}


def _nb_svm_weights(features: Any, is_label: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the weights, float [features], and the bias of one label's NB-SVM."""
    from sklearn.svm import LinearSVC

    ratios = log_count_ratios(features, is_label)
    svm = LinearSVC(C=1.0, random_state=0).fit(features.multiply(ratios), is_label)
    own = svm.coef_[0]
    mixed = (1 - SVM_SHARE) * np.abs(own).mean() + SVM_SHARE * own
    return ratios * mixed, float(svm.intercept_[0])


def log_count_ratios(features: Any, is_label: np.ndarray) -> np.ndarray:
    """Returns how much more often each feature occurs in texts of a label.

    From features, sparse 0 or 1 [texts, features], and is_label, bool [texts], to
    float64 [features]: the logarithm of the two relative frequencies' ratio, each count
    smoothed by 1.
    """
    shares = []
    for rows in (is_label, ~is_label):
        counts = 1 + np.asarray(features[rows].sum(axis=0), np.float64).ravel()
        shares.append(counts / counts.sum())
    return np.log(shares[0] / shares[1])


def _temperature(decisions: np.ndarray, label_ids: np.ndarray) -> float:
    """Returns what to divide decisions by for the least log loss.

    The true label counts for (n + 1) / (n + 2) and the others for the rest, or a few
    texts that are all right would ask for certainty (Platt 1999, section 2.2).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    n, width = decisions.shape
    targets = np.full((n, width), 1 / ((n + 2) * (width - 1)))
    targets[np.arange(n), label_ids] = (n + 1) / (n + 2)

    def loss(log_temperature: float) -> float:
        logs = log_softmax(decisions / np.exp(log_temperature), axis=1)
        return float(-(targets * np.maximum(logs, LEAST_LOG)).sum(axis=1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-7, 7), method="bounded").x))


def _features(data: EncodedDataset, kind: Any, **options: Any) -> dict[str, Matrix]:
    """Returns each split's tokens and pairs of neighbours, sparse [texts, features]."""
    vectorizer = kind(
        ngram_range=(1, 2),
        min_df=2 if len(data.splits[TRAIN]) >= FEWEST_FOR_RARE else 1,
        lowercase=False,
        token_pattern=r"\S+",  # noqa: S106 -- no password
        dtype=np.float32,
        **options,
    )
    features = {TRAIN: vectorizer.fit_transform(_spaced(data, TRAIN))}
    for split in (VALIDATION, TEST):
        features[split] = vectorizer.transform(_spaced(data, split))
    return features


def _spaced(data: EncodedDataset, split: str) -> list[str]:
    """Returns each text as its tokens between spaces."""
    texts = data.texts(split)
    spaced: list[str] = []
    for block in pa.table({"text": texts}).to_batches(max_chunksize=tokens.BLOCK_ROWS):
        spaced += map(" ".join, tokens.tokenize(block["text"]).to_pylist())
    return spaced


def _probabilities(
    model: Any, features: dict[str, Matrix], num_labels: int
) -> dict[str, np.ndarray]:
    """Returns a column for every label, those that train lacks included."""
    probabilities = {}
    for split in (VALIDATION, TEST):
        values = np.zeros((features[split].shape[0], num_labels))
        values[:, model.classes_] = model.predict_proba(features[split])
        probabilities[split] = values
    return probabilities


BASELINES: dict[str, Callable[[EncodedDataset], Fitted]] = {
    "majority": majority,
    "tf-idf + logistic regression": tfidf,
    "nb-svm": nb_svm,
}
