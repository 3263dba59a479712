"""The rows that every recurrent model has to beat.

A new baseline is one function and one entry in `BASELINES`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from seqclf.data.dataset import TEST, VALIDATION
from seqclf.errors import RunError
from seqclf.linear.fit import Fitted, fit_majority, fit_nb, fit_tfidf
from seqclf.linear.model import LINEAR_FILE, LinearModel
from seqclf.linear.ngrams import tokenized
from seqclf.model.scoring import probabilities_of
from seqclf.records.plain import to_plain
from seqclf.records.scores import Metrics
from seqclf.records.training import BaselineEnvironment, Report, Started
from seqclf.runs import Predictions, Run
from seqclf.runs import run as files
from seqclf.storage import write_json
from seqclf.system import peak_memory
from seqclf.text.encoding import EncodedDataset, open_encoded
from seqclf.training.trial import package_versions, scores


@dataclass(frozen=True, slots=True)
class BaselineTask:
    """A baseline to be fitted.

    Attributes:
      name: A key of `BASELINES`.
      encoded: Folder of the encoded data set.
      path: Where metrics and predictions go.
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
        return (self.path / LINEAR_FILE).exists()  # versions before 0.3.0 kept none


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
        fitted = BASELINES[task.name](encoded)
    results: Metrics = {}
    for split in (VALIDATION, TEST):
        predictions = _predictions(encoded, split, fitted.model)
        files.write_predictions(task.path, split, predictions)
        results[split] = scores(predictions, encoded.labels)
    fitted.model.save(task.path)
    write_json(task.path / files.METRICS_FILE, to_plain(results))
    environment = BaselineEnvironment(
        versions=package_versions(),
        chosen=fitted.chosen,
        seconds=time.perf_counter() - start,
        peak_memory_bytes=peak_memory(),
    )
    write_json(task.path / files.ENVIRONMENT_FILE, to_plain(environment))
    files.mark_complete(task.path, "baseline")


def _predictions(
    encoded: EncodedDataset, split: str, model: LinearModel
) -> Predictions:
    examples = encoded.splits[split]
    probabilities = probabilities_of(model.logits_of(tokenized(encoded.texts(split))))
    return Predictions(examples.label_ids, probabilities, examples.lengths)


BASELINES: dict[str, Callable[[EncodedDataset], Fitted]] = {
    "majority": fit_majority,
    "tf-idf + logistic regression": fit_tfidf,
    "nb-svm": fit_nb,
}
