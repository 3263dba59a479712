"""Which directory a run has, or gets."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path

from seqclf import config as settings
from seqclf.config import RunConfig, fold_of
from seqclf.errors import ConfigError, RunError, SeqclfError, unknown
from seqclf.marker import RUN, holds_nothing, is_free, is_ours, kind_of, removal
from seqclf.records.dataset import DatasetInfo
from seqclf.runs import files
from seqclf.runs.repository import is_on_hub, repository_of
from seqclf.runs.run import Run
from seqclf.runs.writing import locked
from seqclf.storage import numbered


def open_run(path: Path, models: Path) -> Run:
    """Opens a finished run by its path or by its name within `models`.

    Raises:
      RunError: If there is none, or it is unfinished, or on the Hub.
    """
    if is_on_hub(path):
        raise RunError(
            f"{repository_of(path)} is a run of the Hub, and this takes a run of this "
            f"machine; predict, evaluate, export and Classifier.open take both."
        )
    for candidate in (path, models / path):
        run = Run(candidate)
        if run.is_finished:
            return run
        if kind_of(candidate) == RUN:
            raise RunError(
                f"{candidate} is unfinished: its training was interrupted. Type the "
                f"command that began it again, or remove it with {removal(candidate)}."
            )
    names = [run.name for run in list_runs(models) if run.is_finished]
    if not names:
        raise RunError(f"no run {str(path)!r}; {no_runs(models)}")
    raise RunError(unknown("run", path, names))


def no_runs(models: Path) -> str:
    """Says how to come by a run."""
    return f"there is none in {models}. Make one with: seqclf train --cell lstm"


def list_runs(models: Path) -> list[Run]:
    """Returns finished and unfinished runs, by name."""
    if not models.is_dir():
        return []
    found = [file.parent for file in sorted(models.glob(f"*/{files.CONFIG_FILE}"))]
    return [Run(path) for path in found if kind_of(path) == RUN]


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of a run; an equal one may be finished, or interrupted, there."""

    path: Path
    is_done: bool = False
    is_begun: bool = False


def find_place(
    models: Path,
    config: RunConfig,
    about: DatasetInfo,
    name: str | None = None,
    overwrite: bool = False,
) -> Place:
    """Chooses the directory of a run in the folder `models`.

    An equal run, by config and fingerprint of the data, is reused. Another one under
    the automatic name, <data>-<cell>-<seed> or <data>-<baseline>, with -resample<draw>
    or -fold<N>of<K> behind it where the data was drawn, makes way by a number; another
    one under a name that was given is refused, unless to `overwrite`.

    Raises:
      RunError: If the given name is another run's, or an equal run is damaged.
    """
    if name is not None:
        check_name(name)
        place = _place(models / name, config, about)
        if place is None:
            _refuse_to_replace(Run(models / name), config, overwrite)
        return place or Place(models / name)
    return _automatic_place(models, automatic_name(about.name, config), config, about)


def automatic_name(data: str, config: RunConfig) -> str:
    """Returns what a run on data of a name is called by itself, see `find_place`."""
    base = f"{data}-{config.model.cell}-{config.training.seed}"
    if config.model.baseline is not None:
        base = f"{data}-{config.model.baseline}"
    if config.data.resample is not None:
        base += f"-resample{config.data.resample}"
    if config.data.fold is not None:
        base += "-fold{}of{}".format(*fold_of(config.data.fold))
    return base


def _automatic_place(
    models: Path, base: str, config: RunConfig, about: DatasetInfo
) -> Place:
    """Returns the equal run under `base` or a number of it, else the first free one."""
    taken = {path.name for path in models.glob(f"{base}*")}
    names = itertools.islice(numbered(base), len(taken) + 1)
    places = [_place(models / name, config, about) for name in names]
    found = [place for place in places if place is not None]
    equal = [place for place in found if place.is_done or place.is_begun]
    return max(equal, key=lambda place: place.is_done, default=found[0])


def _refuse_to_replace(run: Run, config: RunConfig, overwrite: bool) -> None:
    """Raises unless `run` is a run of seqclf and may be replaced."""
    if not is_ours(run.path, RUN):
        raise RunError(f"{run.path} is no run of seqclf; choose another --name.")
    if not overwrite:
        raise RunError(
            f"{run.path} already holds another run{_difference(run, config)}; pass "
            f"--overwrite to replace it, or choose another --name."
        )


def check_name(name: str) -> None:
    """Refuses names that are no plain name of a folder."""
    if not re.fullmatch(r"\w[\w.+-]*", name):
        raise ConfigError(
            f"--name takes letters, digits, '.', '_', '+' and '-', got {name!r}."
        )


def _place(path: Path, config: RunConfig, about: DatasetInfo) -> Place | None:
    """Returns the place if it is free or has an equal run, else None."""
    if not os.path.lexists(path) or holds_nothing(path):
        return Place(path)
    run = Run(path)
    try:
        if not settings.same_question(run.config, config):
            return None
        if not run.is_finished:
            return _begun(run, about)
        if run.dataset.fingerprint != about.fingerprint:
            return None
        if not (run.is_linear or (path / files.PROOF_FILE).exists()):
            return None  # of a version that trained in another way
    except (SeqclfError, KeyError):  # not a run, or damaged: never taken for an equal
        return None
    return Place(path, is_done=_is_sound(run))


def _is_sound(run: Run) -> bool:
    """Reads the files of an equal run, which are used; a linear one is fitted again."""
    try:
        run.verify()
    except RunError:
        if not run.is_linear:
            raise
        return False
    return True


def _begun(run: Run, about: DatasetInfo) -> Place | None:
    """Returns the place of an interrupted training, None if it cannot be resumed."""
    if not is_free(run.path, RUN):
        return None  # another's files lie there, too
    has_data = (run.path / files.DATASET_FILE).exists()  # else cut off before it
    if has_data and run.dataset.fingerprint != about.fingerprint:
        return None
    return Place(run.path, is_begun=True)


def is_under_way(path: Path) -> bool:
    """Tells whether a training in a directory left a checkpoint to resume from."""
    return any((path / name).exists() for name in files.UNDER_WAY)


def forget(path: Path) -> None:
    """Removes a training's checkpoint, so that it restarts.

    Raises:
      RunError: If another process is at that training.
    """
    if is_under_way(path):
        with locked(path):
            for name in files.UNDER_WAY:
                (path / name).unlink(missing_ok=True)


def _difference(run: Run, config: RunConfig) -> str:
    try:
        different = settings.differences(run.config, config)
    except SeqclfError:
        return ""
    return f" ({'; '.join(different) or 'on other data'})"
