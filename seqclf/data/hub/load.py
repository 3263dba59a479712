"""Loads data sets by the `datasets` library: of the Hub, of its cache, saved ones."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from seqclf.config import DataConfig
from seqclf.data.dataset import TRAIN, Found
from seqclf.data.hub import names
from seqclf.data.hub.online import (
    QUIET_VARIABLE,
    UnreachableError,
    download,
    limit_waiting,
    quieten_hub,
)
from seqclf.data.hub.tables import Features, Tables, found_of
from seqclf.errors import DataError
from seqclf.private import cached_name
from seqclf.wording import first_line

COMMIT = re.compile(r"[0-9a-f]{40}")


def hide_downloads() -> None:
    """Turns the progress bars of downloads off."""
    os.environ[QUIET_VARIABLE] = "1"


def quieten() -> None:
    """Silences log lines, and progress bars where nobody would see them."""
    import datasets

    logging.getLogger("datasets").setLevel(logging.CRITICAL)
    if quieten_hub():
        datasets.disable_progress_bars()


def read_hub(source: str, config: DataConfig) -> Found:
    """Loads a data set of the Hub, from its cache where it is there already.

    `source` is a key of `HUB_NAMES`, or `owner/name`; `config` gives revision and
    subset, which goes before that of `HUB_NAMES`.

    Returns:
      All columns of its splits, memory-mapped, and the commit that was loaded. A note
      says so if the Hub cannot be reached and the cache is used instead.

    Raises:
      DataError: If it can be had neither from the Hub nor from the cache, or has no
        train split.
    """
    entry = names.entry_of(source, config.subset)
    quieten()
    limit_waiting()
    folder, notes = _prepared(entry, config.revision)
    tables, features = _read_prepared(folder)
    return found_of(
        tables,
        features,
        name=names.name_of(source, entry),
        source=f"{names.words(entry)} on the Hugging Face Hub",
        place=names.words(entry),
        hints=entry,
        revision=_commit_in(folder.name),
        notes=notes,
    )


def _prepared(
    entry: names.HubName, revision: str | None
) -> tuple[Path, tuple[str, ...]]:
    """Returns the folder of Arrow files in the cache, and notes."""
    import datasets

    if datasets.config.HF_HUB_OFFLINE:
        return _cached(entry, revision, "HF_HUB_OFFLINE is set"), ()
    try:
        return download(entry, revision), ()
    except UnreachableError as error:
        folder = _cached(entry, revision, str(error))
        commit = _commit_in(folder.name) or "of unknown number"
        return folder, (f"{error}: {entry.id} comes from the cache, commit {commit}.",)


def is_saved(path: Path) -> bool:
    """Tells whether a folder was written by `save_to_disk` of the datasets library."""
    if (path / "dataset_dict.json").is_file():
        return True
    return all((path / name).is_file() for name in ("state.json", "dataset_info.json"))


def read_saved(path: Path) -> Found:
    """Reads what `Dataset.save_to_disk` or `DatasetDict.save_to_disk` wrote.

    A `Dataset` alone is taken as train.

    Raises:
      DataError: If the folder is damaged, or has no train split.
    """
    import datasets

    quieten()
    try:
        loaded = datasets.load_from_disk(str(path))
        splits = {TRAIN: loaded} if isinstance(loaded, datasets.Dataset) else loaded
        tables = {name: [split.data.table] for name, split in splits.items()}
        features: Features = {}
        for split in splits.values():
            features = {**features, **split.features}
    except Exception as error:  # a broken file breaks in many ways
        raise DataError(
            f"{path} could not be read as a data set that save_to_disk wrote: "
            f"{first_line(error)}. Save it again."
        ) from error
    return found_of(
        tables, features, name=path.resolve().name, source=str(path), place=str(path)
    )


def _cached(entry: names.HubName, revision: str | None, why: str) -> Path:
    """Returns the prepared folder in the cache that was asked for.

    Without a revision, the commit that was last the newest; or else whatever was
    prepared last. The library itself would pass a revision over here.
    """
    folders = _prepared_folders(entry.id)
    commit = _known_commit(entry.id, revision)
    asked = [f for f in folders if revision is None or f.name == commit]
    asked.sort(key=lambda folder: folder.name == commit)  # else as they were
    subsets = {_subset(folder): folder for folder in asked}  # the last one stays
    only = next(iter(subsets)) if len(subsets) == 1 else "default"
    if not entry.subset and only not in subsets:
        names.refuse_subset(entry, subsets)
    chosen = subsets.get(entry.subset or only)
    if chosen is None:
        raise _not_cached(entry, revision, why, folders)
    return chosen


def _prepared_folders(id: str) -> list[Path]:
    """Lists the library's folders, owner___name/subset/version/commit; newest last."""
    import datasets

    owner, _, name = id.rpartition("/")
    root = Path(datasets.config.HF_DATASETS_CACHE).expanduser()
    infos = (root / f"{owner}___{cached_name(name)}").glob("*/*/*/dataset_info.json")
    folders = [info.parent for info in infos if info.parent.suffix != ".incomplete"]
    return sorted(folders, key=lambda folder: folder.stat().st_mtime)


def _known_commit(id: str, revision: str | None) -> str | None:
    """Returns the commit that a revision stood for when it was last asked for."""
    from huggingface_hub import constants

    if revision and COMMIT.fullmatch(revision):
        return revision
    repository = Path(constants.HF_HUB_CACHE) / f"datasets--{id.replace('/', '--')}"
    try:
        return (repository / "refs" / (revision or "main")).read_text().strip()
    except OSError:
        return None


def _subset(folder: Path) -> str:
    return folder.parents[1].name


def _not_cached(
    entry: names.HubName, revision: str | None, why: str, folders: Iterable[Path]
) -> DataError:
    import datasets

    what = names.words(entry) + (f", revision {revision}," if revision else "")
    there = [f"{_subset(f)} of --revision {_commit_in(f.name)}" for f in folders]
    has = f"has only {', '.join(there)}" if there else "has nothing of it"
    return DataError(
        f"{what} could not be loaded: {why}, and the cache "
        f"({datasets.config.HF_DATASETS_CACHE}) {has}. Run the command once where the "
        f"Hub can be reached, or copy HF_HOME from such a machine; --data demo and "
        f"files of your own work without a network.{names.if_local(entry)}"
    )


def _commit_in(name: str) -> str | None:
    """Returns the name of a prepared folder if it is that of a commit."""
    return name if COMMIT.fullmatch(name) else None


def _read_prepared(folder: Path) -> tuple[Tables, Features]:
    """Maps a prepared folder into memory: tables by their split's name, features."""
    import datasets

    try:
        info = datasets.DatasetInfo.from_directory(str(folder))
        tables = {split: _read_split(folder, split) for split in info.splits}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(
            f"{folder} in the cache is damaged ({first_line(error)}). Delete it, and "
            f"load the data set again."
        ) from error
    return tables, info.features


def _read_split(folder: Path, split: str) -> list[pa.Table]:
    files = sorted(
        [*folder.glob(f"*-{split}.arrow"), *folder.glob(f"*-{split}-*-of-*.arrow")]
    )
    if not files:
        raise FileNotFoundError(f"the files of split {split} are missing")
    return [pa.ipc.open_stream(pa.memory_map(str(f))).read_all() for f in files]
