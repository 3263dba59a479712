"""The steps of a training and of a comparison, for the command line and for Python.

Both call the same functions and differ only in who listens.
"""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seqclf import keywords, runs
from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.comparison import plan as planning
from seqclf.comparison import tuning
from seqclf.comparison.design import Design, parse_cells, twins
from seqclf.comparison.rows import compare_runs
from seqclf.comparison.saved import REPORT_FILE, read_details
from seqclf.config import ModelConfig, RunConfig, TrainingConfig, require_count
from seqclf.data import load_dataset
from seqclf.data.hub.quiet import hide_downloads
from seqclf.data.layout import STANDARD_INPUT
from seqclf.engine import Task, run_tasks
from seqclf.errors import ConfigError, SeqclfError, TrainingError
from seqclf.evaluation.baselines import BaselineTask, baseline_tasks
from seqclf.evaluation.doubts import doubts
from seqclf.machine import jobs_for
from seqclf.marker import COMPARISON, COMPARISON_FILE, kind_of
from seqclf.model import backend
from seqclf.model.kernels import refuse_without_gpu
from seqclf.records.comparison import ComparisonResult, Tuned
from seqclf.records.training import OnEvent
from seqclf.report.page import page
from seqclf.report.page.sections import Section
from seqclf.runs import Run
from seqclf.runs.comparisons import read_comparison
from seqclf.runs.run import LOG_FILE, mark_asked
from seqclf.storage import write_text
from seqclf.system import cores
from seqclf.text.encoding import EncodedDataset, encode_dataset
from seqclf.training.trial import Trial, run_trial


class Listener(Protocol):
    """Is told what happens on the way."""

    @property
    def quiet(self) -> bool:
        """Whether to be spared the progress of downloads too."""

    def note(self, sentence: str) -> None:
        """Hears what a person may want to know."""

    def insist(self, sentence: str) -> None:
        """Hears what also a person wants to know who asked for quiet."""

    def progress(
        self, costs: Mapping[str, float], jobs: int = 1
    ) -> AbstractContextManager[OnEvent]:
        """Begins to follow trainings.

        Args:
          costs: Their names, with about how long each takes beside the others.
          jobs: Trainings at a time.

        Returns:
          A context that gives what is told the name of a training and its events.
        """


@dataclass(frozen=True, slots=True)
class Target:
    """Where results go.

    Attributes:
      models: Folder of runs and comparisons.
      cache: Folder of encoded data sets.
      name: Name of the result; None makes one from data, cell and seed.
      overwrite: Whether the name may be taken from another result.
      fresh: Whether interrupted trainings restart instead of resuming.
    """

    models: Path
    cache: Path
    name: str | None = None
    overwrite: bool = False
    fresh: bool = False


@contextmanager
def optional(tell: Callable[[str], None], what: str) -> Iterator[None]:
    """Goes on without something that is not the result itself, and says so.

    Args:
      tell: Told what is missing, and why.
      what: What is missing if this fails, as a sentence without its end.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- whatever it is, the result stands
        tell(f"{what}: {shortly(error)}")


def shortly(error: Exception) -> str:
    """Returns what an error says, in a line or two."""
    if isinstance(error, SeqclfError):
        return str(error)
    return f"{type(error).__name__}: {error!s:.200}"


def load_and_encode(
    config: RunConfig, cache: Path, listener: Listener | None
) -> EncodedDataset:
    """Loads and encodes the data, and says what the person should know of it."""
    if listener is None or listener.quiet:
        hide_downloads()
    dataset = load_dataset(config.data)
    if listener is not None:
        for sentence in dataset.notes:
            listener.note(f"Note: {sentence}")
    return encode_dataset(dataset, config.data, config.text, cache)


def kernel_of_choice(config: RunConfig, require_cudnn: bool) -> RunConfig:
    """Applies --require-cudnn, and refuses it at once where there is no cuDNN.

    Raises:
      ConfigError: If cuDNN is required and TensorFlow sees no GPU, or if another
        kernel is asked for as well.
    """
    kernel = config.training.kernel
    if require_cudnn and kernel == "loop":
        raise ConfigError("--require-cudnn and --kernel loop exclude each other.")
    if not require_cudnn and kernel != "cudnn":
        return config
    refuse_without_gpu()
    training = dataclasses.replace(config.training, kernel="cudnn")
    return dataclasses.replace(config, training=training)


def refuse_idle_settings(
    config: RunConfig,
    cells: tuple[str, ...],
    target: Target,
    given: Collection[str] = (),
) -> None:
    """Refuses settings that would change nothing.

    Args:
      config: The recipe.
      cells: The cells that are trained.
      target: Where results go.
      given: Fields of model and training that a person typed; even at their default
        they were meant to do something.

    Raises:
      ConfigError: Names the setting.
    """
    _refuse_idle_overwrite(target)
    chosen = _not_default(config.model) | _not_default(config.training) | {*given}
    if config.training.batch_tokens and "batch_size" in chosen:
        raise ConfigError(
            "--batch-size and --batch-tokens both say how large a batch is; give one."
        )
    if any(CELLS[cell].recurs for cell in cells):
        return
    for field in ("units", "layers", "bidirectional", "kernel"):
        if field in chosen:
            raise ConfigError(
                f"{field} does nothing without recurrence: the cell is {cells[0]}."
            )


def _not_default(part: ModelConfig | TrainingConfig) -> set[str]:
    fields = dataclasses.fields(part)
    return {one.name for one in fields if getattr(part, one.name) != one.default}


def _refuse_idle_overwrite(target: Target) -> None:
    if target.overwrite and target.name is None:
        raise ConfigError("--overwrite replaces what stands under --name; give one.")


def train_run(
    config: RunConfig,
    target: Target,
    listener: Listener,
    require_cudnn: bool = False,
    given: Collection[str] = (),
) -> Run:
    """Trains one classifier, unless an equal one is finished.

    Args:
      config: The question.
      target: Where the run goes.
      listener: Told of the progress.
      require_cudnn: Whether to refuse to train without cuDNN.
      given: Settings that a person typed, see `refuse_idle_settings`.

    Returns:
      The finished run.

    Raises:
      ConfigError: If a setting does nothing or cannot be had.
      DataError: If the data cannot be used.
      RunError: If the name is taken.
      TrainingError: If the training failed.
    """
    backend.refuse_other_backends()
    config = kernel_of_choice(config, require_cudnn)
    refuse_idle_settings(config, (config.model.cell,), target, given)
    data = load_and_encode(config, target.cache, listener)
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
    _tell_doubts([Run(place.path)], listener)
    return Run(place.path)


def _tell_doubts(finished: Sequence[Run], listener: Listener) -> None:
    with optional(listener.insist, "What may be doubtful about it could not be told"):
        for sentence in doubts(finished):
            listener.note(f"Note: {sentence}")


def _train(
    config: RunConfig, data: EncodedDataset, path: Path, listener: Listener
) -> None:
    trial = Trial(config, data.path, data.about, path, "train", cores())
    with listener.progress({path.name: 1.0}) as report:
        tasks = [Task(run_trial, trial, path / LOG_FILE)]
        for outcome in run_tasks(
            tasks, on_report=lambda _, event: report(path.name, event)
        ):
            if outcome.error:
                raise TrainingError(f"{path.name}: {outcome.error}")


def design_of(
    config: RunConfig, cells: str, seeds: int, match: str, tune: int
) -> Design:
    """Returns the question of a comparison.

    Args:
      config: The recipe.
      cells: Cells to compare, separated by commas.
      seeds: Trainings of each cell.
      match: `units` or `parameters`, see `Design`.
      tune: Trials a cell.

    Raises:
      ConfigError: If there is no such comparison.
    """
    require_count("--seeds", seeds)
    require_count("--tune", tune, least=0)
    design = Design(
        config=config,
        cells=parse_cells(cells),
        seeds=tuple(range(seeds)),
        match=match,
        tune=tune,
    )
    # What cannot be matched is refused before anything is written.
    tuning.tuning_configs(design) if tune else twins(design)
    return design


def train_and_compare(
    design: Design,
    jobs: int | None,
    target: Target,
    listener: Listener,
    given: Collection[str] = (),
) -> tuple[ComparisonResult, Path]:
    """Trains what is missing of a comparison, and compares.

    Args:
      design: What is asked.
      jobs: Trainings at a time; None takes as many as cores and memory allow.
      target: Where runs and comparison go.
      listener: Told of the progress.
      given: Settings that a person typed, see `refuse_idle_settings`.

    Returns:
      What was found, and the folder of the comparison.

    Raises:
      ConfigError: If a setting does nothing.
      DataError: If the data cannot be used.
      RunError: If the name is taken, or no training was finished.
    """
    if jobs is not None:
        require_count("--jobs", jobs)
    backend.refuse_other_backends()
    refuse_idle_settings(design.config, design.cells, target, given)
    start = time.perf_counter()
    data = load_and_encode(design.config, target.cache, listener)
    jobs = jobs or jobs_for(len(design.cells) * max(len(design.seeds), design.tune))
    named = (target.name, target.overwrite)
    path = planning.begin(design, data, target.models, *named)
    tuned = _tune(design, data, path, jobs, target.fresh, listener)
    plan = planning.plan(design, data, path, jobs, *tuned)
    _forget(plan.trials, target.fresh)
    finished, failures = _execute(plan, jobs, listener)
    seconds = time.perf_counter() - start
    command = _command(design, target)
    result = planning.finish(plan, finished, failures, seconds, command)
    _tell_doubts(finished, listener)
    listener.note(f"Written: {plan.path / COMPARISON_FILE}")
    return result, plan.path


def _execute(
    plan: planning.Plan, jobs: int, listener: Listener
) -> tuple[list[Run], dict[str, str]]:
    if plan.finished:
        reused = ", ".join(run.name for run in plan.finished)
        listener.note(f"Finished with these settings and data, reused: {reused}.")
    with listener.progress(_costs(plan.trials), jobs) as report:
        try:
            return planning.execute(plan, report)
        except KeyboardInterrupt:
            kept = [run.name for run in planning.finished_runs(plan)]
            listener.insist(f"Finished so far: {', '.join(kept) or 'no run'}.")
            listener.insist("Type the same command again to train the others.")
            raise


def _tune(
    design: Design,
    data: EncodedDataset,
    path: Path,
    jobs: int,
    fresh: bool,
    listener: Listener,
) -> tuple[dict[str, RunConfig] | None, dict[str, Tuned] | None]:
    """Returns what tuning chose, and what it tried, by cell; None without it."""
    if not design.tune:
        return None, None
    trials = planning.tuning_trials(design, data, path, jobs)
    _forget(trials, fresh)
    count = design.tune * len(design.cells)
    listener.note(
        f"Tuning: {count} trainings, {count - len(trials)} of them finished before; "
        f"validation loss chooses."
    )
    with listener.progress(_costs(trials), jobs) as report:
        try:
            failures = planning.train(trials, report, jobs)
        except KeyboardInterrupt:
            listener.insist("Type the same command again to continue the tuning.")
            raise
    return tuning.choose(design, path, failures)


def _forget(trials: Sequence[Trial], fresh: bool) -> None:
    """Removes the checkpoints of trainings that are to restart."""
    for trial in trials if fresh else ():
        runs.forget(trial.path)


def _costs(trials: Sequence[Trial]) -> dict[str, float]:
    return {planning.name_of(t): planning.relative_cost(t.config) for t in trials}


def _command(design: Design, target: Target) -> str:
    """Returns what to type to ask the same again, in the same place."""
    parts = ["seqclf", "compare"]
    parts += keywords.as_options(design.config, ("cell", "seed"))
    parts += ["--cells", ",".join(design.cells), "--seeds", str(len(design.seeds))]
    if design.match != "units":
        parts += ["--match", design.match]
    if design.tune:
        parts += ["--tune", str(design.tune)]
    return shlex.join(parts + _places(target))


def _places(target: Target) -> list[str]:
    """Returns the options of a target that are not the usual ones."""
    places = {
        "--name": (target.name, None),
        "--models-dir": (target.models, keywords.DEFAULT_MODELS),
        "--cache-dir": (target.cache, keywords.DEFAULT_CACHE),
    }
    parts = []
    for option, (given, usual) in places.items():
        parts += [option, str(given)] if given != usual else []
    return parts


def write_report(
    folder: Path,
    result: ComparisonResult,
    listener: Listener,
    sections: Sequence[Section] = (),
) -> None:
    """Writes the page of a comparison from its saved files.

    Args:
      folder: Of the comparison.
      result: What was found.
      listener: Told where the page is.
      sections: Of studies on the same data.
    """
    with optional(listener.insist, f"No {folder / REPORT_FILE} could be written"):
        write_text(folder / REPORT_FILE, page(result, read_details(folder), sections))
        listener.note(f"Report: {folder / REPORT_FILE}")


def compare_finished(
    paths: Sequence[Path], target: Target, listener: Listener
) -> tuple[ComparisonResult, Path | None]:
    """Compares finished runs, or reads a finished comparison; trains nothing.

    Args:
      paths: Runs or one comparison, by path or by name in the folder of the runs.
      target: The folders; with a name, the comparison of runs is written there.
      listener: Told of what was added, and of the baselines' progress.

    Returns:
      What was found, and the folder of the comparison, None if it has none.

    Raises:
      ConfigError: If one path is given that is no comparison.
      RunError: If a run is missing or unfinished, they cannot be compared, or the name
        is taken.
    """
    _refuse_idle_overwrite(target)
    if len(paths) == 1:
        folder = paths[0] if paths[0].exists() else target.models / paths[0]
        if kind_of(folder) != COMPARISON:
            raise ConfigError(
                f"{paths[0]} is no comparison; name two or more runs, or the folder "
                f"of a comparison."
            )
        return read_comparison(folder), folder
    finished = [runs.open_run(path, target.models) for path in paths]
    compare_runs(finished)  # refuses what is not comparable, before any work
    finished += _without_recurrence(finished, listener)
    place = None
    if target.name is not None:
        named = (target.name, target.overwrite)
        place = planning.place_for(finished, target.models, *named)
    data = _data_again(finished[0], target.cache, listener)
    baselines = _baselines(data, finished[0].path.parent, listener) if data else []
    result = compare_runs(finished, baselines)
    if place is None:
        return result, None
    parts = ["seqclf", "compare", *map(str, paths), *_places(target)]
    result = planning.keep(place, result, finished, data, shlex.join(parts))
    listener.note(f"Written: {place[0] / COMPARISON_FILE}")
    return result, place[0]


def _without_recurrence(finished: list[Run], listener: Listener) -> list[Run]:
    """Returns the `none` twins of the runs that are finished beside them."""
    if not all(CELLS[run.config.model.cell].recurs for run in finished):
        return []
    found: list[Run] = []
    with optional(listener.note, "The twin without recurrence is left out"):
        found = planning.missing_none_twins(finished)
    names = ", ".join(run.name for run in found)
    listener.note(
        f"Added, the twin without recurrence: {names}."
        if found
        else "The twin without recurrence is not trained; "
        f"seqclf train --cell {NO_RECURRENCE.name} with the same options adds it."
    )
    return found


def _data_again(run: Run, cache: Path, listener: Listener) -> EncodedDataset | None:
    """Reads a run's data again; None if that cannot be done, or it has changed."""
    source = run.config.data.source
    if source == STANDARD_INPUT:
        listener.note("No baselines, for the data came from standard input.")
        return None
    data = None
    with optional(listener.note, "No baselines, for the data could not be read again"):
        config = dataclasses.replace(run.config, data=run.data)
        data = load_and_encode(config, cache, None)
    if data is None:
        return None
    if data.about.fingerprint != run.dataset.fingerprint:
        listener.note(f"No baselines, for {source} has changed since the training.")
        return None
    return data


def _baselines(
    data: EncodedDataset, models: Path, listener: Listener
) -> list[BaselineTask]:
    """Fits the baselines on data, unless that is done."""
    tasks = baseline_tasks(data, models)
    with listener.progress({}) as report:
        planning.fit_baselines(tasks, report)
    return tasks
