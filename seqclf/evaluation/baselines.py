"""Linear models as runs: the rows that every recurrent model has to beat.

A new baseline is a function in `linear/fit.py`, an entry in `BASELINES` and its name in
`config.BASELINE_NAMES`.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from seqclf import runs
from seqclf.config import RunConfig, draw_of, linear
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.linear.fit import Fitted, fit_majority, fit_nb, fit_tfidf
from seqclf.linear.model import LinearModel
from seqclf.linear.ngrams import tokenized
from seqclf.marker import RUN, begin
from seqclf.model.scoring import probabilities_of
from seqclf.records.plain import to_plain
from seqclf.records.scores import Metrics
from seqclf.records.training import BaselineEnvironment, Report, Started
from seqclf.runs import Predictions, Run, files, writing
from seqclf.storage import write_json
from seqclf.system import peak_memory
from seqclf.text.encoding import EncodedDataset, has_several, open_encoded
from seqclf.training.answers import with_thresholds
from seqclf.training.trial import Trial
from seqclf.versions import package_versions

PATIENCE = 600  # seconds to wait for another process that fits the same


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline.

    Attributes:
      title: What tables call it.
      fit: Fits it.
    """

    title: str
    fit: Callable[[EncodedDataset], Fitted]


BASELINES = {
    "majority": Baseline("majority", fit_majority),
    "tf-idf": Baseline("tf-idf + logistic regression", fit_tfidf),
    "nb-svm": Baseline("nb-svm", fit_nb),
}


@dataclass(frozen=True, slots=True)
class BaselineTask:
    """A baseline of a comparison.

    Attributes:
      name: Its title.
      trial: What to fit, and where.
      is_fitted: Whether that was done before.
    """

    name: str
    trial: Trial
    is_fitted: bool

    @property
    def draw(self) -> int | None:
        """The draw of the data that it is fitted on; None if nothing was drawn."""
        return draw_of(self.trial.config)

    @property
    def shown(self) -> str:
        """What is reported of it: its name, and of several draws which one."""
        return self.name if self.draw is None else f"{self.name}, draw {self.draw}"

    @property
    def path(self) -> Path:
        """The directory of its run."""
        return self.trial.path


def baseline_tasks(
    config: RunConfig, data: EncodedDataset, models: Path
) -> list[BaselineTask]:
    """Returns every baseline on a data set, those that are fitted included.

    Args:
      config: Names the data.
      data: The encoded data set.
      models: Folder of the runs; all comparisons share them.

    Raises:
      RunError: If a fitted one is damaged.
    """
    tasks = []
    for name, baseline in BASELINES.items():
        own = linear(config, name)
        place = runs.find_place(models, own, data.about)
        trial = Trial(own, data.path, data.about, place.path, "compare", threads=1)
        tasks.append(BaselineTask(baseline.title, trial, place.is_done))
    return tasks


def run_baseline(trial: Trial, report: Report) -> None:
    """Fits a baseline on train, scores it as a network is scored, and writes that.

    Args:
      trial: What to fit, and where; its config names a baseline.
      report: Receives that it has started.
    """
    report(Started())
    begin(trial.path, RUN)
    now, run = datetime.datetime.now(datetime.UTC), Run(trial.path)
    asked = now.isoformat(timespec="microseconds")
    with writing.locked(trial.path, PATIENCE):
        # Another comparison on the same data may have fitted it in the meantime.
        if not (run.is_finished and run.complete.time > asked):
            _run(trial)


def _run(trial: Trial) -> None:
    start = time.perf_counter()
    encoded = open_encoded(trial.encoded)
    name = trial.config.model.baseline or ""
    # One thread: the solver's small products lose more to waiting than they gain, and
    # how many there are changes the last bits of their sums. What is limited has to be
    # loaded by then.
    import scipy.optimize  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    with threadpool_limits(limits=1):
        fitted = BASELINES[name].fit(encoded)
    model = fitted.model
    writing.forget_network(trial.path)
    run = writing.create_run(trial.path, trial.config, trial.about, model.vocabulary)
    results: Metrics = {}
    splits = (VALIDATION, TEST)
    said = {split: _predictions(encoded, split, model) for split in splits}
    every = with_thresholds(said, encoded.splits[TRAIN])
    for split, predictions in every.items():
        writing.write_predictions(run.path, split, predictions)
        results[split] = predictions.scores(encoded.labels)
    writing.write_thresholds(run, every[VALIDATION].thresholds)
    model.save(run.path)
    write_json(run.path / files.METRICS_FILE, to_plain(results))
    environment = BaselineEnvironment(
        versions=package_versions(),
        chosen=fitted.chosen,
        seconds=time.perf_counter() - start,
        peak_memory_bytes=peak_memory(),
    )
    write_json(run.path / files.ENVIRONMENT_FILE, to_plain(environment))
    writing.mark_complete(run.path, trial.command)


def _predictions(
    encoded: EncodedDataset, split: str, model: LinearModel
) -> Predictions:
    texts = tokenized(encoded.texts(split))
    lengths = np.concatenate([np.diff(block.offsets) for block in texts])
    label_ids = encoded.splits[split].label_ids
    logits = model.logits_of(texts)
    probabilities = probabilities_of(logits, has_several(label_ids))
    return Predictions(label_ids, probabilities, lengths)
