"""Trainings as MLflow keeps them: a run each, with settings, epochs and scores."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqclf import config as settings
from seqclf.errors import ConfigError
from seqclf.installed import install_line
from seqclf.runs import Run
from seqclf.trackers.scalars import STEP, Scalar

EXPERIMENT = "seqclf"
# MLflow's own variable for the name of the experiment.
EXPERIMENT_VARIABLE = "MLFLOW_EXPERIMENT_NAME"
QUESTION_TAG = "seqclf.question"
_PARTS = 100  # params and tags that MLflow takes at a time
_DONE = "FINISHED"  # by MLflow's names


@dataclass(frozen=True, slots=True)
class MLflow:
    """The `Tracker` that writes by a client of MLflow, into one of its experiments."""

    client: Any
    experiment: str

    @property
    def name(self) -> str:
        """What people call it."""
        return "The run of MLflow"

    def open(self, run: Run, is_new: bool) -> MLflowJournal:
        """Begins a run, or goes on with the last of the same settings and data."""
        digest = _digest(run)
        if not is_new and (found := self._last(digest)) is not None:
            return self._continued(found)
        tags = {
            QUESTION_TAG: digest,
            "seqclf.run": str(run.path),
            "seqclf.data": run.dataset.name,
        }
        made = self.client.create_run(self.experiment, run_name=run.name, tags=tags)
        self._write_settings(made.info.run_id, run)
        return MLflowJournal(self.client, made.info.run_id, {})

    def _last(self, digest: str) -> Any:
        found = self.client.search_runs(
            [self.experiment],
            filter_string=f"tags.`{QUESTION_TAG}` = '{digest}'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return next(iter(found), None)

    def _continued(self, found: Any) -> MLflowJournal:
        id = found.info.run_id
        last = {
            tag: max(one.step for one in self.client.get_metric_history(id, tag))
            for tag in found.data.metrics
        }
        if found.info.status != _DONE:
            self.client.update_run(id, status="RUNNING")
        return MLflowJournal(self.client, id, last)

    def _write_settings(self, id: str, run: Run) -> None:
        from mlflow.entities import Param

        given = settings.flat(settings.to_dict(run.config))
        params = [Param(k, str(v)) for k, v in given.items() if v is not None]
        for start in range(0, len(params), _PARTS):
            self.client.log_batch(id, params=params[start : start + _PARTS])


@dataclass(frozen=True, slots=True)
class MLflowJournal:
    """The `Journal` of a training: a run of MLflow, and the last step of each metric.

    Numbers within an epoch are left out: a store takes some time for each.
    """

    client: Any
    id: str
    last: dict[str, int]

    def add(self, numbers: Sequence[Scalar]) -> None:
        """Writes the numbers of epochs that are not there yet."""
        from mlflow.entities import Metric

        new = [
            one
            for one in numbers
            if one.step > self.last.get(one.tag, 0)
            and not one.tag.startswith(f"{STEP}/")
        ]
        now = round(1000 * time.time())
        metrics = [Metric(one.tag, one.value, now, one.step) for one in new]
        if metrics:
            self.client.log_batch(self.id, metrics=metrics)
        self.last.update({one.tag: one.step for one in new})

    def end(self, run: Run) -> None:
        """Ends the run as finished, unless it is."""
        if self.client.get_run(self.id).info.status != _DONE:
            self.client.set_terminated(self.id, status=_DONE)

    def close(self, has_failed: bool) -> None:
        """Ends the run as failed or, to be continued, as interrupted."""
        status = "FAILED" if has_failed else "KILLED"
        self.client.set_terminated(self.id, status=status)


def mlflow() -> MLflow:
    """Returns the tracker that writes where MLFLOW_TRACKING_URI says.

    The experiment is the one of MLFLOW_EXPERIMENT_NAME, else `seqclf`; it is made if it
    is not there. MLflow's own reports of use are turned off, unless the user chose.

    Raises:
      ConfigError: If MLflow is not installed, or its store cannot be used.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        needed = install_line("mlflow")
        raise ConfigError(f"--tracker mlflow needs MLflow: {needed}") from error
    for library in ("mlflow", "alembic"):  # what matters is raised too
        logging.getLogger(library).setLevel(logging.ERROR)
    name = os.environ.get(EXPERIMENT_VARIABLE) or EXPERIMENT
    try:
        client = MlflowClient()
        found = client.get_experiment_by_name(name)
        id = found.experiment_id if found else client.create_experiment(name)
    except (MlflowException, OSError) as error:
        said = str(error).partition("\n")[0]
        raise ConfigError(
            f"--tracker mlflow could not open its store ({said}). Set "
            f"MLFLOW_TRACKING_URI, such as to sqlite:///mlflow.db or a server."
        ) from error
    return MLflow(client, id)


def _digest(run: Run) -> str:
    """Returns what tells a training from others: its settings and its data."""
    asked = [settings.to_dict(run.config), run.dataset.fingerprint]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
