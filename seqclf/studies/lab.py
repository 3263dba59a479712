"""Where studies train and measure: with the engine of `compare`, reusing runs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf import marker, runs
from seqclf.comparison import plan as planning
from seqclf.comparison.tuning import FAILED_FILE
from seqclf.config import DataConfig, RunConfig, TextConfig
from seqclf.engine import Cluster, Task, run_tasks
from seqclf.errors import RunError, TrainingError
from seqclf.records.training import Finished, Report
from seqclf.runs import Run
from seqclf.runs.files import FIRST_EPOCH_FILE, LOG_FILE
from seqclf.steps import Listener, Target, load_and_encode
from seqclf.storage import numbered, write_whole
from seqclf.studies import saved
from seqclf.system import cores
from seqclf.text.encoding import EncodedDataset
from seqclf.training.trial import Trial
from seqclf.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

TRIALS, DATA = "trials", "data"
SHARED = "made-up-texts"  # in place of the name of a data set


@dataclass(frozen=True, slots=True)
class Lab:
    """A place to train and to measure.

    Attributes:
      folder: Of trials and answers, within the folder of the runs.
      target: The folder of the runs, whose finished ones are reused, that of the
        caches, and whether to start again.
      listener: Receives the progress.
      jobs: Processes at a time on this machine; they share the cores.
      cluster: Machines that train in place of this one, which then only measures.
    """

    folder: Path
    target: Target
    listener: Listener
    jobs: int
    cluster: Cluster | None = None

    @property
    def threads(self) -> int:
        """Threads of one process."""
        return max(cores() // self.jobs, 1)

    def shared(self) -> Lab:
        """Returns a lab for made-up texts, which do not depend on the data set."""
        folder = saved.folder_of(self.target.models, SHARED)
        marker.begin_new(folder, marker.STUDIES)
        return replace(self, folder=folder)

    def load(self, config: RunConfig) -> EncodedDataset:
        """Loads and encodes data without its notes."""
        return load_and_encode(config, self.target.cache, None)

    def train(
        self,
        configs: Sequence[RunConfig],
        with_first_epoch: bool = False,
        may_diverge: bool = False,
    ) -> list[Run]:
        """Trains what is not finished yet.

        Args:
          configs: What to train, each on its own data; equal ones are trained once.
          with_first_epoch: Whether the runs must also save the model after one epoch.
          may_diverge: Whether a diverged training is a result: its run stays
            unfinished and is not repeated.

        Returns:
          A run for each config, finished unless it diverged and may do so.

        Raises:
          TrainingError: If a training failed; the reasons are named, the other runs
            are kept.
        """
        data: dict[tuple[DataConfig, TextConfig], EncodedDataset] = {}
        for config in configs:
            if (config.data, config.text) not in data:
                data[config.data, config.text] = self.load(config)
        paths: list[Path] = []
        trials: dict[Path, Trial] = {}
        for config in configs:
            encoded = data[config.data, config.text]
            path, is_done = self._place(config, encoded, with_first_epoch, trials)
            paths.append(path)
            is_done = is_done or may_diverge and has_diverged(Run(path))
            if not is_done and path not in trials:
                trials[path] = Trial(
                    config, encoded.path, encoded.about, path, "study",
                    *self._share(), with_first_epoch,
                )  # fmt: skip
        # The longest first: at the end no process waits long for another.
        planned = sorted(trials.values(), key=lambda one: -_cost(one))
        self._train(planned, len(set(paths)), may_diverge)
        return [Run(path) for path in paths]

    def _share(self) -> tuple[int, int]:
        """Returns the threads of a training, and how many trainings run at a time."""
        if self.cluster is not None:
            return self.cluster.threads, self.cluster.jobs
        return self.threads, self.jobs

    def _place(
        self,
        config: RunConfig,
        data: EncodedDataset,
        with_first_epoch: bool,
        planned: Mapping[Path, Trial],
    ) -> tuple[Path, bool]:
        """Returns where a run is, or will be, and whether it is finished."""
        for path, trial in planned.items():
            if trial.config == config:
                return path, False
        place = runs.find_place(self.target.models, config, data.about)
        if place.is_done and _is_enough(Run(place.path), with_first_epoch):
            return place.path, True
        folder = self.folder / TRIALS
        name = _free_name(folder, config, data, planned)
        place = runs.find_place(folder, config, data.about)
        if place.is_done and not _is_enough(Run(place.path), with_first_epoch):
            marker.remove(place.path)
            return place.path, False
        if place.is_done or place.is_begun:
            if self.target.fresh and place.is_begun:
                runs.forget(place.path)
            return place.path, place.is_done
        return folder / name, False

    def _train(self, trials: Sequence[Trial], count: int, may_diverge: bool) -> None:
        if not trials:
            return
        reused = count - len(trials)
        verb = "is" if reused == 1 else "are"
        self.listener.note(
            counted(len(trials), "training")
            + (f", and {reused} that {verb} finished: reused." if reused else ".")
        )
        costs = {trial.path.name: _cost(trial) for trial in trials}
        with self.listener.progress(costs, self._share()[1]) as report:
            try:
                asked = (trials, report, self.jobs, may_diverge)
                failures = planning.train(*asked, cluster=self.cluster)
            except KeyboardInterrupt:
                self.listener.insist("Type the same command again to resume.")
                raise
        if failures:
            reasons = "; ".join(f"{name}: {why}" for name, why in failures.items())
            many = f"{len(failures)} of {counted(len(trials), 'training')}"
            raise TrainingError(f"{many} failed. {reasons}")

    def seconds_a_training(self) -> float | None:
        """Returns the mean seconds of the trainings that are here, side by side.

        None if there are none.
        """
        kept = [Run(path) for path in (self.folder / TRIALS).glob("*")]
        took = [run.environment.seconds for run in kept if run.is_finished]
        return sum(took) / len(took) / self._share()[1] if took else None

    def keep_data(self, name: str, splits: Mapping[str, pa.Table]) -> DataConfig:
        """Writes made-up or altered texts as a data set, and returns its config.

        The same name must mean the same texts: by split, tables with text: string and
        label: string.
        """
        from pyarrow import parquet

        folder = self.folder / DATA / name
        folder.mkdir(parents=True, exist_ok=True)
        for split, table in splits.items():
            file = folder / f"{split}.parquet"
            if not file.exists():
                write_whole(file, functools.partial(parquet.write_table, table))
        return DataConfig(source=str(folder))

    def measure(
        self,
        function: Callable[[Any, Report], Any],
        arguments: Sequence[Any],
        names: Sequence[str],
    ) -> list[Any]:
        """Returns a function's values, each call in a separate process.

        The function is importable and its values can be pickled; each call has an
        argument and, for the screen, a name. The last is made first: cells come from
        the plain one to the costly ones.

        Raises:
          RunError: If a call failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        log, names = self.folder / LOG_FILE, names[::-1]
        tasks = [Task(function, argument, log) for argument in arguments[::-1]]
        values: dict[int, Any] = {}
        with self.listener.progress({}, self.jobs) as report:
            for outcome in run_tasks(
                tasks, self.jobs, lambda i, event: report(names[i], event)
            ):
                if outcome.error:
                    raise RunError(f"{names[outcome.index]}: {outcome.error}")
                values[outcome.index] = outcome.value
                report(names[outcome.index], Finished())
        return [values[index] for index in range(len(tasks))][::-1]


class Planned(Exception):  # noqa: N818 - it tells of no error
    """What a study would train, see `Planner`."""

    def __init__(self, configs: Sequence[RunConfig]) -> None:
        super().__init__()
        self.configs = configs


class Planner(Lab):
    """A lab in which a study comes as far as its trainings: they are raised."""

    def train(
        self,
        configs: Sequence[RunConfig],
        with_first_epoch: bool = False,
        may_diverge: bool = False,
    ) -> list[Run]:
        """Raises what would be trained, as `Planned`."""
        raise Planned(configs)


def _cost(trial: Trial) -> float:
    return planning.relative_cost(trial.config)


def has_diverged(run: Run) -> bool:
    """Tells whether a training that may diverge did so."""
    return (run.path / FAILED_FILE).exists() and not run.is_finished


def _is_enough(run: Run, with_first_epoch: bool) -> bool:
    return not with_first_epoch or (run.path / FIRST_EPOCH_FILE).exists()


def _free_name(
    folder: Path, config: RunConfig, data: EncodedDataset, planned: Mapping[Path, Trial]
) -> str:
    """Returns the automatic name, with a number if it is taken or planned."""
    base = runs.automatic_name(data.about.name, config)
    taken = {path.name for path in planned} | {path.name for path in folder.glob("*")}
    return next(name for name in numbered(base) if name not in taken)
