"""Trains the yardstick of a comparison, before the twins and alone on the machine."""

from __future__ import annotations

from pathlib import Path

from seqclf import runs
from seqclf.comparison.design import Design
from seqclf.comparison.others.other import Other
from seqclf.comparison.others.yardstick import as_other
from seqclf.engine import Task, run_tasks
from seqclf.errors import ConfigError
from seqclf.records.training import Failed, Finished
from seqclf.runs import files
from seqclf.steps import Listener
from seqclf.text.encoding import EncodedDataset
from seqclf.yardstick.asked import FEATURES, FINE_TUNE
from seqclf.yardstick.trial import reused, run_yardstick, trials_of

LESS_MEMORY = {
    FINE_TUNE: "a smaller encoder or --yardstick-mode features needs less",
    FEATURES: "a smaller encoder needs less",
}


def train_yardstick(
    design: Design,
    data: EncodedDataset,
    path: Path,
    listener: Listener,
    fresh: bool = False,
) -> tuple[tuple[Other, ...], dict[str, str]]:
    """Trains what is missing of a yardstick, one seed after the other.

    Args:
      design: What is compared; without a yardstick nothing is done.
      data: The encoded data set.
      path: The folder of the comparison.
      listener: Receives the progress, and what was reused.
      fresh: Whether interrupted trainings restart instead of resuming.

    Returns:
      The yardstick, if a seed of it is finished; and why seeds are missing, by name.
    """
    if design.yardstick is None:
        return (), {}
    trials = trials_of(design.yardstick, design.config, data, path)
    done = reused(trials, path.parent)
    if done:
        reported = ", ".join(trial.name for trial in done)
        listener.note(f"Finished with these settings and data, reused: {reported}.")
    missing = [trial for trial in trials if trial not in done]
    for trial in missing if fresh else ():
        runs.forget(trial.path)
    less = LESS_MEMORY[design.yardstick.mode]
    tasks = [
        Task(run_yardstick, one, one.path / files.LOG_FILE, less) for one in missing
    ]
    names = [trial.name for trial in missing]
    failures: dict[str, str] = {}
    has_epochs = design.yardstick.mode == FINE_TUNE
    costs = dict.fromkeys(names, 1.0) if has_epochs else {}
    with listener.progress(costs) as report:
        try:
            for outcome in run_tasks(
                tasks, on_report=lambda i, event: report(names[i], event)
            ):
                name, error = names[outcome.index], outcome.error
                report(name, Failed(error=error) if error else Finished())
                if error:
                    failures[name] = error
        except KeyboardInterrupt:
            listener.insist("Type the same command again to continue the yardstick.")
            raise
    for name, error in failures.items():
        listener.insist(f"{name} is missing: {error}")
    finished = [trial for trial in trials if trial.name not in failures]
    return ((as_other(finished, data),) if finished else ()), failures


def refuse_several(design: Design, data: EncodedDataset) -> None:
    """Raises ConfigError if a yardstick is to learn texts with several labels."""
    if design.yardstick is not None and data.about.has_several:
        raise ConfigError(
            f"--yardstick learns one label a text; {data.about.name} has several."
        )
