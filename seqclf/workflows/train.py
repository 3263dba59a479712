"""`seqclf train` as a function."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from seqclf import runs, steps
from seqclf.config import RunConfig
from seqclf.engine import Task, run_tasks
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.evaluation.baselines import run_baseline
from seqclf.marker import removal
from seqclf.model import backend
from seqclf.runs import Run
from seqclf.runs.files import LOG_FILE, STATES_FOLDER
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
    keep_states: bool = False,
) -> Run:
    """Trains one classifier, unless an equal one is finished.

    With `keep_states` the run keeps what each epoch began with and ended in, so that
    `seqclf classroom grade` can replay it. It changes no number, and is no setting.

    Other arguments and errors are those of all workflows, see `seqclf.workflows`.
    """
    if keep_states and config.model.baseline is not None:
        raise ConfigError(
            f"--keep-states does nothing for {config.model.baseline}, which is fitted "
            f"in one go; leave it out."
        )
    backend.refuse_other_backends()
    config = steps.kernel_of_choice(config, require_cudnn, listener)
    config = steps.checked(config, (config.model.cell,), target, given)
    data = steps.load_and_encode(config, target.cache, listener)
    config = steps.with_knowledge(config, data, target.models, listener)
    named = (target.name, target.overwrite)
    place = runs.find_place(target.models, config, data.about, *named)
    if place.is_done:
        if keep_states:
            _require_states(Run(place.path))
        listener.note(f"{place.path} is finished with these settings and data: reused.")
        with optional(listener.note, "That it was asked for again could not be kept"):
            mark_asked(Run(place.path), "train")
    else:
        has_states = (place.path / STATES_FOLDER).is_dir()
        # A training that kept none so far has to begin again to keep them all.
        if target.fresh or (keep_states and not has_states):
            runs.forget(place.path)
        if place.is_begun:
            how = "resumed" if runs.is_under_way(place.path) else "restarted"
            listener.note(f"{place.path} was interrupted: its training is {how}.")
        _train(config, data, place.path, listener, keep_states)
    if keep_states:
        _tell_states(Run(place.path), listener)
    steps.tell_doubts([Run(place.path)], listener)
    return Run(place.path)


def _train(
    config: RunConfig,
    data: EncodedDataset,
    path: Path,
    listener: Listener,
    keep_states: bool,
) -> None:
    asked = (config, data.path, data.about, path, "train", cores())
    trial = Trial(*asked, keep_states=keep_states)
    with listener.progress({path.name: 1.0}) as report:
        work = run_trial if config.model.baseline is None else run_baseline
        tasks = [Task(work, trial, path / LOG_FILE)]
        for outcome in run_tasks(
            tasks, on_report=lambda _, event: report(path.name, event)
        ):
            if outcome.error:
                raise TrainingError(f"{path.name}: {outcome.error}")


def _require_states(run: Run) -> None:
    if not (run.path / STATES_FOLDER).is_dir():
        raise RunError(
            f"{run.path} is finished with these settings and data, and kept no states. "
            f"To train again with them, give another --name, or remove it first with "
            f"{removal(run.path)}."
        )


def _tell_states(run: Run, listener: Listener) -> None:
    sizes = [file.stat().st_size for file in (run.path / STATES_FOLDER).iterdir()]
    listener.note(
        f"States kept for replay: {len(sizes)} files, {sum(sizes) / 1e6:,.1f} MB, in "
        f"{run.path / STATES_FOLDER}."
    )
