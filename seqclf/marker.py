"""Which folders are seqclf's own, so that nothing else is ever removed or replaced.

A run, a comparison and the answers of studies begin with a small file that only seqclf
writes. Version 0.1.0 wrote none: what it made is recognised by its contents, read
strictly.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from seqclf import config as settings
from seqclf.config import RunConfig
from seqclf.errors import ConfigError, RunError
from seqclf.keywords import models_folder
from seqclf.storage import read_object, write_json

MARKER_FILE = "seqclf.json"
RUN, COMPARISON, STUDIES = KINDS = ("run", "comparison", "studies")

# Files by which folders of 0.1.0 are recognised.
CONFIG_FILE = "config.json"
DATASET_FILE = "dataset.json"
LABELS_FILE = "labels.txt"
LOG_FILE = "log.txt"
LOCK_FILE = "lock"
COMPLETE_FILE = "complete"
QUESTION_FILE = "question.json"
COMPARISON_FILE = "comparison.json"
_HALF_BEGUN = frozenset(
    (LOG_FILE, LOCK_FILE, CONFIG_FILE, "predictions", DATASET_FILE, "tokenizer.json",
     "vocabulary.txt", LABELS_FILE)
)  # fmt: skip
_PARTS = {"data", "text", "model", "training"}  # of a config of 0.1.0
_QUESTION = {*_PARTS, "cells", "seeds", "match", "tune", "fingerprint"}
_ASIDE = ".seqclf-removed"  # what is being removed; no list looks into it
_MOST_BYTES = 1 << 24  # of a file that is read here


def kind_of(folder: Path) -> str | None:
    """Returns which of `KINDS` a folder of seqclf's is; None if it is another's.

    A link counts as its target, which is enough to read. See `is_ours`.
    """
    marked = _marked(folder)
    if marked in KINDS:
        return str(marked)
    try:
        return _kind_by_contents(folder) if folder.is_dir() else None
    except OSError:  # it may not be read
        return None


def _marked(folder: Path) -> object:
    return _json(folder / MARKER_FILE).get("seqclf")


def is_ours(folder: Path, kind: str) -> bool:
    """Tells whether a folder is seqclf's and of that kind, and no link to one."""
    return not folder.is_symlink() and kind_of(folder) == kind


def is_free(folder: Path, kind: str) -> bool:
    """Tells whether something of that kind may be written here, over what is there.

    It may where nothing is, or where all of it is seqclf's own.
    """
    if folder.is_symlink() or not folder.is_dir():
        return not os.path.lexists(folder)
    names = _names(folder)
    if kind == RUN and names <= _HALF_BEGUN and _has_config(folder):
        return True  # 0.1.0 was interrupted between its first files
    has_log = kind == RUN and names <= {LOG_FILE, LOCK_FILE}
    return has_log or not names or kind_of(folder) == kind


def holds_nothing(folder: Path) -> bool:
    """Tells whether a folder is empty but for what a training leaves as it begins.

    Of 0.1.0, which left no marker, that is a log and a lock without a byte in them.
    """
    names = _names(folder) if folder.is_dir() else {CONFIG_FILE}
    if not names <= {MARKER_FILE, LOG_FILE, LOCK_FILE}:
        return False
    if MARKER_FILE in names:
        return kind_of(folder) == RUN
    return all(_is_plain(folder / n) and not _size(folder / n) for n in names)


def begin(folder: Path, kind: str) -> None:
    """Makes a folder seqclf's own, before anything else is written to it.

    Raises:
      RunError: If it has something else; nothing was changed.
    """
    if not is_free(folder, kind):
        raise RunError(
            f"{folder} holds what is no {kind} of seqclf, and was left as it is; "
            f"choose another --name, or another --models-dir."
        )
    if _marked(folder) != kind:
        folder.mkdir(parents=True, exist_ok=True)
        values = {"seqclf": kind, "version": version("seqclf")}
        write_json(folder / MARKER_FILE, values)


def begin_new(folder: Path, kind: str) -> None:
    """Makes a folder seqclf's own if nothing is there yet; else leaves it as it is.

    For what is only ever added to a folder, and may be beside other files.
    """
    if not folder.exists() or not _names(folder):
        begin(folder, kind)


def remove(folder: Path) -> None:
    """Removes what is seqclf's own: moves it aside first, and deletes it after.

    So an interruption never leaves half a run that looks whole; what is left aside goes
    with the next removal.

    Raises:
      RunError: If it is not seqclf's, or a link; nothing was removed.
    """
    if folder.is_symlink() or kind_of(folder) is None:
        raise RunError(_not_ours(folder))
    aside = folder.parent / _ASIDE
    shutil.rmtree(aside, ignore_errors=True)  # of an interrupted removal
    aside.mkdir(exist_ok=True)
    folder.rename(aside / f"{folder.name}-{os.getpid()}")
    shutil.rmtree(aside)


def require_removable(folder: Path, models: Path) -> None:
    """Refuses what is no run, comparison or studies directly in a folder of runs.

    Args:
      folder: What is to be removed.
      models: The folder of the runs.

    Raises:
      RunError: Says why not, and which command to use.
    """
    if folder.is_symlink() or kind_of(folder) is None:
        raise RunError(_not_ours(folder))
    is_child = folder.parent.resolve() == models.resolve()
    if not is_child or folder.name in ("", ".."):
        raise RunError(
            f"{folder} does not lie directly in {models}: nothing was removed. To "
            f"remove it, type {removal(folder.resolve())}."
        )


def removal(folder: Path) -> str:
    """Returns the command that removes a folder, wherever its folder of runs is."""
    parts = ["seqclf", "runs", "remove", folder.name]
    if folder.parent.resolve() != models_folder().resolve():
        parts += ["--models-dir", str(folder.parent)]
    return shlex.join(parts)


def _not_ours(folder: Path) -> str:
    what = "is a link, and" if folder.is_symlink() else "is"
    return (
        f"{folder} {what} no run, comparison or studies of seqclf: nothing was "
        f"removed, for seqclf removes only what it made itself. seqclf runs list "
        f"shows the runs."
    )


def _kind_by_contents(folder: Path) -> str | None:
    """Returns the kind of what 0.1.0 made, None if it made nothing of it."""
    written, files = _written(folder), (CONFIG_FILE, DATASET_FILE, LABELS_FILE)
    has_all = all(_is_plain(folder / name) for name in files)
    if has_all and _has_config(folder) or written.issuperset(files):
        return RUN
    if (folder / LOG_FILE).exists() and holds_nothing(folder):
        return RUN
    if _is_question(_json(folder / QUESTION_FILE)) or COMPARISON_FILE in written:
        return COMPARISON
    return None


def _has_config(folder: Path) -> bool:
    """Tells whether a folder has the whole config of a run."""
    return _config(_json(folder / CONFIG_FILE)) is not None


def _config(values: Mapping[str, object]) -> RunConfig | None:
    """Returns a config of 0.1.0 from all its parts, if there is nothing else."""
    if set(values) != _PARTS or not all(values.values()):
        return None
    try:
        return settings.of_run(values)
    except ConfigError:
        return None


def _is_question(values: Mapping[str, object]) -> bool:
    """Tells whether it is what 0.1.0 wrote of the question of a comparison."""
    if set(values) == {"finished"}:
        return isinstance(values["finished"], list)
    recipe = {part: values.get(part) for part in _PARTS}
    return set(values) == _QUESTION and _config(recipe) is not None


def _written(folder: Path) -> set[str]:
    """Returns the files that `complete` names, nothing if it is not seqclf's."""
    values = _json(folder / COMPLETE_FILE)
    checksums = values.get("files")
    if set(values) != {"command", "time", "files"} or not isinstance(checksums, dict):
        return set()
    are_hashes = all(re.fullmatch("[0-9a-f]{64}", str(v)) for v in checksums.values())
    return set(checksums) if are_hashes else set()


def _names(folder: Path) -> set[str]:
    """Returns the files of a folder, except half-written markers."""
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not re.fullmatch(r"\.seqclf\.\d+\.json", name)}


def _is_plain(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def _size(file: Path) -> int:
    return file.stat().st_size


def _json(file: Path) -> dict[str, object]:
    """Returns the object in a plain file, an empty one if there is none."""
    try:
        is_read = _is_plain(file) and _size(file) <= _MOST_BYTES
    except OSError:  # the folder may not be read
        return {}
    return read_object(file) if is_read else {}
