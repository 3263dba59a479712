"""Runs of the Hugging Face Hub: found, downloaded, checked, read as data.

What comes from there may be a stranger's. A repository is opened only if it holds the
files of a run and nothing else, of sizes that such files have, each as its manifest
says. Nothing of it is run as a program: how models are opened is `Classifier.open`'s.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from seqclf.data.hub.online import limit_waiting, quieten_hub
from seqclf.errors import RunError, SeqclfError
from seqclf.runs.files import COMPLETE_FILE, CONFIG_FILE, SHARED
from seqclf.runs.manifest import MOST_BYTES
from seqclf.runs.repository import (
    COMMIT,
    Repository,
    commit_of,
    downloaded,
    repository_of,
)
from seqclf.runs.run import Run
from seqclf.wording import first_line, listed

CARD_FILE = "README.md"
BESIDE = frozenset((CARD_FILE, "LICENSE", ".gitattributes"))  # may be there; not read
_T = TypeVar("_T")


def fetched(named: Path) -> Run:
    """Returns a run of the Hub from a folder of this machine, downloaded if need be.

    It is pinned to a commit. Files are kept in the cache of the Hub's library, and a
    checked copy of them in its folder of assets, below `HF_HOME`, by which the run can
    be opened again without a network.

    Raises:
      ConfigError: If `named` is no name of a run on the Hub.
      RunError: If it cannot be had, or is not the files of a run and nothing else.
    """
    asked = repository_of(named)
    quieten_hub()
    limit_waiting()
    commit, is_online = _commit_of(asked)
    folder = _home(asked, commit) / asked.name
    if not _is_whole(Run(folder)):
        _fetch(asked, commit, folder, is_online)
    return Run(folder)


def _home(asked: Repository, commit: str) -> Path:
    from huggingface_hub import cached_assets_path

    where = f"{asked.id.replace('/', '--')}@{commit}"
    return cached_assets_path("seqclf", namespace=where, subfolder="runs")


def _is_whole(run: Run) -> bool:
    if not run.is_finished:
        return False
    try:
        run.verify()
    except RunError:
        return False
    return True


def _commit_of(asked: Repository) -> tuple[str, bool]:
    """Returns the commit of a revision, and whether the Hub itself named it."""
    if asked.revision and COMMIT.fullmatch(asked.revision):
        folder = _home(asked, asked.revision) / asked.name
        if folder.is_dir():  # a commit never changes
            return asked.revision, False
    return commit_of(asked, functools.partial(_refuse_strange, asked))


def _refuse_strange(asked: Repository, sizes: Mapping[str, int | None]) -> None:
    """Refuses a repository that does not hold a run, or holds something beside it."""
    names = sorted(set(sizes) - BESIDE)
    if not {COMPLETE_FILE, CONFIG_FILE} <= set(names):
        raise RunError(
            f"{asked} is no run of seqclf: it holds {listed(names) or 'no files'}. "
            f"Runs get there by seqclf push RUN OWNER/NAME."
        )
    if strange := [name for name in names if name not in SHARED]:
        raise RunError(
            f"{asked} was not opened: beside a run it holds {listed(strange)}, which "
            f"seqclf push does not put there."
        )
    for name in names:
        size, most = sizes[name], MOST_BYTES[PurePosixPath(name).suffix]
        if size is not None and size > most:
            raise RunError(
                f"{asked} was not opened: its {name} has {size:,} bytes, more than any "
                f"such file has."
            )


def _fetch(asked: Repository, commit: str, folder: Path, is_online: bool) -> None:
    """Downloads a run beside its place, checks all of it, and puts it there."""
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        run = Run(partial / asked.name)
        # By the revision's own name, which is then known without a network too.
        first = asked.revision or "main"
        _download(asked, COMPLETE_FILE, first if is_online else commit, commit, run)
        for name in _manifest(asked, run):
            _download(asked, name, commit, commit, run)
        _check(asked, run)
        shutil.rmtree(folder, ignore_errors=True)  # what was there is damaged
        run.path.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _download(
    asked: Repository, name: str, revision: str, commit: str, run: Run
) -> None:
    """Puts a file of a repository into a run's folder, as a plain file."""
    place = run.path / name
    cached = downloaded(asked, name, revision, commit)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(cached, place)


def _manifest(asked: Repository, run: Run) -> list[str]:
    """Returns the files that a downloaded manifest names; refuses all but a run's."""
    names = _sound(asked, lambda: sorted(run.checksums))
    if strange := [name for name in names if name not in SHARED]:
        raise RunError(
            f"{asked} was not opened: its {COMPLETE_FILE} names {listed(strange)}, "
            f"which no pushed run has."
        )
    return names


def _check(asked: Repository, run: Run) -> None:
    """Reads what all commands read of a run, strictly."""

    def read() -> None:
        run.verify()
        _ = run.config, run.dataset, run.labels, run.complete

    _sound(asked, read)


def _sound(asked: Repository, read: Callable[[], _T]) -> _T:
    """Returns what is read of a downloaded run; says what to do if that is damaged."""
    try:
        return read()
    except SeqclfError as error:
        reason = first_line(error.__cause__ or error)
        raise RunError(
            f"{asked} was not opened: it is not as seqclf push leaves a run "
            f"({reason}). Push it again, or update seqclf."
        ) from error
