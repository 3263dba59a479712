"""`seqclf train` as a function."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from seqclf import runs, steps
from seqclf.config import RunConfig
from seqclf.engine import Task, run_tasks
from seqclf.errors import TrainingError
from seqclf.evaluation.baselines import run_baseline
from seqclf.model import backend
from seqclf.runs import Run
from seqclf.runs.files import LOG_FILE
from seqclf.runs.writing import mark_asked
from seqclf.steps import Listener, Target, optional
from seqclf.system import cores
from seqclf.text.encoding import EncodedDataset
from seqclf.training.trial import Trial, run_trial


def train_run(
    config: RunConfig,
    target: Target,
    listener: Listener,
    require_cudnn: bool = False,
    given: Collection[str] = (),
) -> Run:
    """Trains one classifier, unless an equal one is finished.

    Arguments and errors are those of all workflows, see `seqclf.workflows`.
    """
    backend.refuse_other_backends()
    config = steps.kernel_of_choice(config, require_cudnn)
    steps.refuse_idle_settings(config, (config.model.cell,), target, given)
    data = steps.load_and_encode(config, target.cache, listener)
    config = steps.with_knowledge(config, data, target.models, listener)
    named = (target.name, target.overwrite)
    place = runs.find_place(target.models, config, data.about, *named)
    if place.is_done:
        listener.note(f"{place.path} is finished with these settings and data: reused.")
        with optional(listener.note, "That it was asked for again could not be kept"):
            mark_asked(Run(place.path), "train")
    else:
        if target.fresh:
            runs.forget(place.path)
        if place.is_begun:
            how = "resumed" if runs.is_under_way(place.path) else "restarted"
            listener.note(f"{place.path} was interrupted: its training is {how}.")
        _train(config, data, place.path, listener)
    steps.tell_doubts([Run(place.path)], listener)
    return Run(place.path)


def _train(
    config: RunConfig, data: EncodedDataset, path: Path, listener: Listener
) -> None:
    trial = Trial(config, data.path, data.about, path, "train", cores())
    with listener.progress({path.name: 1.0}) as report:
        work = run_trial if config.model.baseline is None else run_baseline
        tasks = [Task(work, trial, path / LOG_FILE)]
        for outcome in run_tasks(
            tasks, on_report=lambda _, event: report(path.name, event)
        ):
            if outcome.error:
                raise TrainingError(f"{path.name}: {outcome.error}")
