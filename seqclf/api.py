"""What the commands do, for Python: plain functions with the options' names.

`import seqclf` gives them. What they note, and each epoch, goes to the logger `seqclf`
at level INFO; nothing is printed.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, get_type_hints

from seqclf import data as sources
from seqclf import keywords
from seqclf.cells import DEFAULT_CELLS
from seqclf.comparison.design import limits_of
from seqclf.comparison.others.given import Given, given_files
from seqclf.comparison.saved import REPORT_FILE
from seqclf.config import RunConfig
from seqclf.data.dataset import Dataset
from seqclf.errors import ConfigError
from seqclf.keywords import (
    ENDING,
    AnyPath,
    Comparing,
    DataSettings,
    Training,
    with_options,
)
from seqclf.records.comparison import ComparisonResult, Row
from seqclf.records.suspects import Suspects
from seqclf.records.training import EpochEnded, Event, OnEvent
from seqclf.report.tables import markdown
from seqclf.runs import Run
from seqclf.runs.comparisons import read_comparison, runs_of
from seqclf.steps import Target
from seqclf.trackers import Followed, followed
from seqclf.workflows.check import SPLITS, check_data
from seqclf.workflows.compare import compare_twins, design_of
from seqclf.workflows.finished import compare_finished
from seqclf.workflows.train import train_run
from seqclf.yardstick.asked import yardstick_of

if TYPE_CHECKING:
    from seqclf.bulk import Answered

_log = logging.getLogger("seqclf")

AnswerFiles = Mapping[str, AnyPath | Sequence[AnyPath]]  # by the name of their row


@dataclass(frozen=True, slots=True)
class Comparison:
    """Twins and baselines side by side.

    In a notebook it shows itself as tables.

    Attributes:
      result: All that was found, as `comparison.json` holds it: rows, pairs,
        references, verdict, card and more, see `seqclf.records.comparison`.
      path: Its folder; None if runs were compared that were there, without a name.
    """

    result: ComparisonResult
    path: Path | None = None

    @classmethod
    def open(cls, path: AnyPath, models_dir: AnyPath | None = None) -> Comparison:
        """Reads a finished comparison by its path, or by its name within `models_dir`.

        Raises:
          RunError: If there is none, or it is unfinished or damaged.
        """
        given = Path(path)
        there = given if given.exists() else keywords.models_folder(models_dir) / given
        return cls(read_comparison(there), there)

    @property
    def rows(self) -> list[Row]:
        """Cells and baselines: scores, sizes and times of each."""
        return list(self.result.rows)

    @property
    def verdict(self) -> str:
        """What comes of it, in sentences."""
        return self.result.verdict

    @property
    def missing(self) -> dict[str, str]:
        """Why trainings failed, by name; empty if all went well."""
        return dict(self.result.missing)

    @property
    def runs(self) -> list[Run]:
        """The finished runs of the twins, cell by cell."""
        paths = [Path(path) for row in self.result.twins for path in row.runs]
        if self.path is not None:  # the whole folder may have been moved
            paths = [self.path.parent / path.name for path in paths]
        return [Run(path) for path in paths]

    @property
    def report(self) -> Path | None:
        """The page, `report.html`, if it was written."""
        file = None if self.path is None else self.path / REPORT_FILE
        return file if file is not None and file.exists() else None

    def markdown(self) -> str:
        """Returns tables and verdict, as `seqclf compare --markdown` prints them."""
        return markdown(self.result)

    def _repr_markdown_(self) -> str:
        return self.markdown()


@with_options(DataSettings)
def load_dataset(data: AnyPath = "demo", **settings: Unpack[DataSettings]) -> Dataset:
    """Loads a data set with its train, validation and test split.

    Args:
      data: `demo`, a short name or OWNER/NAME on the Hugging Face Hub, a file, a
        folder, or a pattern such as `*.csv`.
      **settings: Those of `seqclf data show`, such as `text_column`, `limit`.

    Returns:
      The data set. `dataset.splits["train"]` is an Arrow table of texts and label ids;
      `dataset.notes` says what was held out, sampled or looks doubtful.

    Raises:
      DataError: If there is no such data, or it cannot be used as it is.
      ConfigError: If a setting is unknown, out of range, or would do nothing.
    """
    keywords.refuse_unknown(settings, get_type_hints(DataSettings))
    config = keywords.to_config({**settings, "data": os.fspath(data)})
    return sources.load_dataset(config.data)


@with_options(DataSettings)
def check(
    data: AnyPath = "demo",
    *,
    splits: str | Sequence[str] = ",".join(SPLITS),
    output: AnyPath | None = None,
    overwrite: bool = False,
    **settings: Unpack[DataSettings],
) -> Suspects:
    """Names what looks wrong in a data set, row by row; as `seqclf data check`.

    Nothing is changed in the data.

    Args:
      data: As in `load_dataset`.
      splits: Whose labels to doubt, a sequence or separated by commas.
      output: A file to write, a row for each suspicion: `.csv`, `.tsv`, `.parquet` or
        `.jsonl`; None writes nothing.
      overwrite: Whether to replace such a file.
      **settings: As in `load_dataset`, but for `resample`.

    Returns:
      Likely wrong labels, near-duplicates, and what gives labels away, with the rows
      they are in.

    Raises:
      DataError: If there is no such data, or it cannot be used as it is.
      ConfigError: If a setting is unknown, out of range, or would do nothing, or the
        output cannot be written.
    """
    keywords.refuse_unknown(settings, get_type_hints(DataSettings))
    config = keywords.to_config({**settings, "data": os.fspath(data)})
    file = None if output is None else Path(output)
    return check_data(config.data, Logged(), splits, file, overwrite)


@with_options(Training)
def train(
    data: AnyPath = "demo",
    *,
    keep_states: bool = False,
    on_report: OnEvent | None = None,
    **options: Unpack[Training],
) -> Run:
    """Trains one classifier, and keeps its best epoch; as `seqclf train`.

    The training runs in a process of its own. A finished run of equal settings and
    data is reused.

    Args:
      data: As in `load_dataset`.
      keep_states: Whether to keep weights and optimizer before and after every epoch,
        for `seqclf classroom grade` to replay.
      on_report: Called with the run's name and each event of its progress, such as
        `EpochEnded`, see `seqclf.records.training`.
      **options: Settings by the names of `seqclf train`, such as `cell`, `units`,
        `seed`. And where the run goes: `name` (None makes one from data, cell and
        seed), `overwrite` (whether to replace another run of that name), `fresh`
        (whether to restart an interrupted training instead of resuming it),
        `models_dir`, the folder of the runs (None takes $SEQCLF_MODELS, else
        `models`), `cache_dir`, of encoded data (None takes $SEQCLF_CACHE, else
        `data/cache`). With `log_dir`, a folder, TensorBoard's event files are written
        there; `tracker="mlflow"` writes a run of MLflow. With `require_cudnn` it
        refuses to train without cuDNN.

    Returns:
      The finished run; `Classifier.open` opens it to predict.

    Raises:
      ConfigError: If a setting is unknown, out of range, or would do nothing.
      DataError: If the data cannot be used.
      RunError: If the name is taken by another run.
      TrainingError: If the training failed.
    """
    config, target, require_cudnn = _asked(data, options, Training)
    with _followed(options, target, on_report) as listener:
        asked = (config, target, listener, require_cudnn, set(options))
        run = train_run(*asked, keep_states)
        listener.finish([run])
    return run


@with_options(Comparing)
def compare(  # noqa: PLR0913 -- a keyword for each option
    data: AnyPath = "demo",
    *,
    cells: str | Sequence[str] = DEFAULT_CELLS,
    seeds: int = 3,
    match: str = "units",
    tune: int = 0,
    margin: float = 1.0,
    metric: str = "auto",
    vary: str = "seed",
    folds: int | None = None,
    repeats: int | None = None,
    with_: AnswerFiles | None = None,
    yardstick: AnyPath | None = None,
    yardstick_mode: str | None = None,
    yardstick_seeds: int | None = None,
    jobs: int | None = None,
    page: bool = False,
    on_report: OnEvent | None = None,
    **options: Unpack[Comparing],
) -> Comparison:
    """Trains twins that differ only in the recurrent layer; as `seqclf compare`.

    Each training runs in a process of its own. Finished runs of equal settings and
    data are reused. One that fails stops no other: it is listed in `missing`.

    Args:
      data: As in `load_dataset`.
      cells: Cells to compare, a sequence or separated by commas.
      seeds: Trainings of each cell.
      match: What the twins have equally many of: `units`, or recurrent `parameters`.
      tune: Trials a cell, of two trainings each, that choose its settings on
        validation; 0 for none.
      margin: Points below which two cells are practically equal; with log loss,
        hundredths of a nat.
      metric: What ranks the cells, `accuracy`, `macro-f1` or `log-loss`; `auto` takes
        accuracy or, where training labels are imbalanced, macro F1.
      vary: What the seeds vary: `seed`, the training alone; `split`, also which texts
        are held out for validation, and which resample of the others is learnt from
        (docs/statistics.md).
      folds: Parts of the texts that are tested on in turn, in place of a test split;
        each is a training of each cell, and other `seeds` are refused.
      repeats: How often the texts are divided anew for folds; None is once.
      with_: Files with the answers of other systems to the test texts, by the names of
        their rows; several files of one are its seeds (docs/statistics.md).
      yardstick: A pre-trained transformer encoder to train beside the twins,
        `hf://OWNER/NAME` or a folder (docs/yardstick.md).
      yardstick_mode: `fine-tune`, which None is too, or `features`.
      yardstick_seeds: Trainings of a fine-tuned yardstick; None is one.
      jobs: Trainings at a time; None takes as many as cores and memory allow.
      page: Whether to write `microscope.html` beside the report (docs/microscope.md).
      on_report: Called with the name of a training and each event of its progress.
      **options: Settings by the names of `seqclf compare`, such as `units`, `epochs`,
        and where the comparison goes, as in `train`. With `until_decided` seeds are
        added, to the cells where they help most, until every pair is decided; `seeds`
        are then the first, `budget` is the time for it, such as `30m` (None has no
        end), and `max_seeds` are the most of a cell (None takes 20).

    Returns:
      The comparison, which is also written, with its page. Where seeds are added, an
      interruption (Ctrl-C) returns what was finished by then.

    Raises:
      ConfigError: If a setting is unknown, out of range, or would do nothing.
      DataError: If the data cannot be used.
      RunError: If the name is taken, or no training was finished.
    """
    config, target, require_cudnn = _asked(data, options, Comparing)
    named = cells if isinstance(cells, str) else ",".join(cells)
    until = limits_of(
        options.get("until_decided", False),
        options.get("budget"),
        options.get("max_seeds"),
    )
    asked_for = (config, named, seeds, match, tune, margin, until, metric, vary)
    source = None if yardstick is None else os.fspath(yardstick)
    beside = yardstick_of(source, yardstick_mode, yardstick_seeds)
    design = design_of(*asked_for, folds, repeats, _given(with_), beside)
    with _followed(options, target, on_report) as listener:
        asked = (design, target, listener, jobs, require_cudnn, set(options), page)
        result, path = compare_twins(*asked)
        listener.finish(runs_of(result, target.models))
    for failed, reason in result.missing.items():
        _log.warning("%s is missing: %s", failed, reason)
    return Comparison(result, path)


def compare_runs(  # noqa: PLR0913 -- a keyword for each option
    *finished: Run | AnyPath,
    name: str | None = None,
    overwrite: bool = False,
    margin: float = 1.0,
    metric: str = "auto",
    with_: AnswerFiles | None = None,
    page: bool = False,
    models_dir: AnyPath | None = None,
    cache_dir: AnyPath | None = None,
    on_report: OnEvent | None = None,
) -> Comparison:
    """Compares finished runs, and trains nothing; as `seqclf compare RUN RUN`.

    The baselines are fitted, and the twin without recurrence is added if it is there.

    Args:
      *finished: Two runs or more, themselves, by path, or by name in `models_dir`.
      name: Where in `models_dir` to keep the comparison, with its page; None keeps
        nothing.
      overwrite: Whether the name may be taken from another comparison.
      margin: As in `compare`.
      metric: Likewise.
      with_: Likewise.
      page: Whether to write `microscope.html` beside the report; needs a name.
      models_dir: Folder of the runs; None takes $SEQCLF_MODELS, else `models`.
      cache_dir: Folder of encoded data; None takes $SEQCLF_CACHE, else `data/cache`.
      on_report: Called with the name of a baseline and each event of its progress.

    Returns:
      The comparison; without a name it has no folder.

    Raises:
      ConfigError: If fewer than two are given, or a page without a name.
      RunError: If one is missing or unfinished, they cannot be compared, or the name is
        taken.
    """
    paths = [run.path if isinstance(run, Run) else Path(run) for run in finished]
    if len(paths) < 2:
        raise ConfigError(
            f"compare_runs takes two runs or more, got {len(paths)}; "
            f"Comparison.open(path) reads a finished comparison."
        )
    target = _target(models_dir, cache_dir, name=name, overwrite=overwrite)
    asked = (paths, target, Logged(on_report), margin, page, metric, _given(with_))
    result, path = compare_finished(*asked)
    return Comparison(result, path)


def _given(named: AnswerFiles | None) -> tuple[Given, ...]:
    """Returns the files of answers that are named, one after the other."""
    pairs = []
    for name, files in (named or {}).items():
        several = [files] if isinstance(files, str | os.PathLike) else files
        pairs += [(name, Path(file)) for file in several]
    return given_files(pairs)


def _asked(
    data: AnyPath, options: Mapping[str, Any], known: type[Any]
) -> tuple[RunConfig, Target, bool]:
    """Returns config, target and whether cuDNN is required."""
    keywords.refuse_unknown(options, get_type_hints(known))
    where = keywords.PLACEMENT
    others = {*where, *ENDING}
    settings = {key: options[key] for key in options if key not in others}
    config = keywords.to_config({**settings, "data": os.fspath(data)})
    placed = {key: options.get(key, usual) for key, usual in where.items()}
    require_cudnn = placed.pop("require_cudnn")
    for followed_by in ("log_dir", "tracker"):
        placed.pop(followed_by)
    return config, _target(**placed), require_cudnn


def _followed(
    options: Mapping[str, Any], target: Target, on_report: OnEvent | None
) -> contextlib.AbstractContextManager[Followed]:
    """Returns a context with the listener that these options ask for."""
    log_dir = options.get("log_dir")
    folder = None if log_dir is None else Path(log_dir)
    tracker = options.get("tracker")
    return followed(Logged(on_report), target.models, folder, tracker)


def _target(
    models_dir: AnyPath | None, cache_dir: AnyPath | None, **others: Any
) -> Target:
    models, cache = keywords.models_folder(models_dir), keywords.cache_folder(cache_dir)
    return Target(models, cache, **others)


@dataclass(frozen=True, slots=True)
class Logged:
    """The listener that passes what it hears to the logger `seqclf`.

    `on_report` is called with the name of a training and each event of its progress;
    `quiet` hides the progress of downloads.
    """

    on_report: OnEvent | None = None
    quiet: bool = False

    def note(self, sentence: str) -> None:
        """Logs what the user may want to know, at level INFO."""
        _log.info(sentence)

    def insist(self, sentence: str) -> None:
        """Logs what the user should know, at level WARNING."""
        _log.warning(sentence)

    def rows(
        self, parts: Iterable[Answered], total: int, done: int
    ) -> Iterator[Answered]:
        """Passes the parts of a table on; they are not logged."""
        return iter(parts)

    @contextlib.contextmanager
    def progress(self, costs: Mapping[str, float], jobs: int = 1) -> Iterator[OnEvent]:
        """Logs each epoch of trainings."""
        yield self._report

    def _report(self, name: str, event: Event) -> None:
        if isinstance(event, EpochEnded):
            one = event.record
            _log.info(
                "%s  epoch %d/%d  loss %.3f  validation loss %.3f  accuracy %.3f",
                name, one.epoch, event.epochs, one.loss, one.validation_loss,
                one.validation_accuracy,
            )  # fmt: skip
        if self.on_report is not None:
            self.on_report(name, event)
