"""The runs of many people as one comparison: which are there, and which agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from seqclf.comparison.card import disagreements, twin_card
from seqclf.errors import RunError, SeqclfError
from seqclf.marker import RUN, kind_of
from seqclf.model.keras_file import open_keras
from seqclf.runs import Run, files
from seqclf.training.proof import digest
from seqclf.wording import joined, listed


@dataclass(slots=True)
class Pool:
    """Runs that are comparable, and why others are not among them.

    Attributes:
      runs: Of one data set and recipe, each training once.
      left_out: Why a run is not, by its path.
      copies: Paths of runs whose weights another one has that agrees, which counts.
    """

    runs: list[Run] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    copies: list[str] = field(default_factory=list)


def find_finished(folder: Path) -> list[Run]:
    """Returns the finished runs below a folder, at any depth, by path.

    Raises:
      RunError: If there are none.
    """
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder; --pool takes one with runs below it.")
    found = [file.parent for file in sorted(folder.rglob(files.CONFIG_FILE))]
    finished = [Run(path) for path in found if kind_of(path) == RUN]
    finished = [run for run in finished if run.is_finished]
    if not finished:
        raise RunError(f"below {folder} is no finished run of seqclf.")
    return finished


def pooled(finished: Sequence[Run]) -> Pool:
    """Chooses the runs that the most others agree with, as their twin cards say.

    Raises:
      RunError: If no two agree, two recipes have equally many runs, or two runs of one
        cell and seed have other weights; both are named.
    """
    pool = Pool()
    agreeing = _agreeing(list(_usable(finished, pool)))
    groups = [list(_without_copies(group, pool)) for group in agreeing]
    sizes = sorted(map(len, groups), reverse=True)
    if not sizes or sizes[0] == 1:
        raise RunError(f"no two runs agree: {_apart(groups, pool)}.")
    chosen = max(groups, key=len)
    if sizes[1:] and sizes[0] == sizes[1]:
        names = joined([str(g[0].path) for g in groups if len(g) == sizes[0]])
        raise RunError(
            f"{len(groups)} recipes or data sets have runs here, and none has the "
            f"most: {names} disagree in {_why(groups[0], groups[1][0])}. Move those "
            f"of one of them elsewhere."
        )
    for group in groups:
        for run in group if group is not chosen else ():
            pool.left_out[str(run.path)] = f"disagrees in {_why(chosen, run)}"
    _refuse_two(chosen)
    pool.runs = chosen
    return pool


def _usable(finished: Sequence[Run], pool: Pool) -> Iterator[Run]:
    """Yields what can be compared at all; linear models are fitted anew."""
    for run in finished:
        try:
            if run.is_linear:
                pool.left_out[str(run.path)] = "is a linear model"
                continue
            run.require_scores()
            run.verify()
            twin_card([run])  # reads what a comparison reads
        except SeqclfError as error:
            pool.left_out[str(run.path)] = str(error)
        else:
            yield run


def _agreeing(finished: Sequence[Run]) -> list[list[Run]]:
    """Divides runs into groups that agree, in the order of their first."""
    groups: list[list[Run]] = []
    for run in finished:
        for group in groups:
            if not _differences(group, run):
                group.append(run)
                break
        else:
            groups.append([run])
    return groups


def _without_copies(group: Iterable[Run], pool: Pool) -> Iterator[Run]:
    """Yields each training of a group once."""
    seen: set[tuple[str, int, str]] = set()
    for run in group:
        training = run.config.model.cell, _seed(run), _weights(run)
        if training in seen:
            pool.copies.append(str(run.path))
        else:
            seen.add(training)
            yield run


def _refuse_two(group: Sequence[Run]) -> None:
    """Raises RunError if two runs are of one cell and seed."""
    seen: dict[tuple[str, int], Run] = {}
    for run in group:
        key = run.config.model.cell, _seed(run)
        other = seen.setdefault(key, run)
        if other is not run:
            raise RunError(
                f"{other.path} and {run.path} are both seed {key[1]} of {key[0]}, and "
                f"have other weights; seqclf classroom grade tells what each is. Move "
                f"one elsewhere."
            )


def _weights(run: Run) -> str:
    """Returns a hash of all weights, in the order of the model."""
    weights = open_keras(run.file(files.MODEL_FILE)).get_weights()
    return digest(*map(np.ascontiguousarray, weights))


def _differences(group: Sequence[Run], run: Run) -> list[str]:
    """Returns in what a run disagrees with a group, whose members agree.

    Its first stands for all but in what runs of one seed have to share.
    """
    same_seed = [one for one in group[1:] if _seed(one) == _seed(run)]
    found = (disagreements(twin_card([one, run])) for one in (group[0], *same_seed))
    return next(filter(None, found), [])


def _why(group: Sequence[Run], run: Run) -> str:
    return listed(_differences(group, run))


def _apart(groups: Sequence[Sequence[Run]], pool: Pool) -> str:
    """Returns why two runs do not agree, or why there are no two."""
    if len(groups) > 1:
        (first, *_), (second, *_) = groups[:2]
        return f"{first.path} and {second.path} differ in {_why([first], second)}"
    found = [f"{group[0].path} is the only one" for group in groups]
    return "; ".join(found + [f"{path} {why}" for path, why in pool.left_out.items()])


def _seed(run: Run) -> int:
    return run.config.training.seed
