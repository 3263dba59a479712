"""What the library keeps on disk of data sets that were loaded before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from seqclf.data.hub.names import HubName, if_local, refuse_subset, words
from seqclf.data.hub.tables import Features, Tables, first_line
from seqclf.errors import DataError
from seqclf.private import cached_name

COMMIT = re.compile(r"[0-9a-f]{40}")


def cached(entry: HubName, revision: str | None, why: str) -> Path:
    """Returns the prepared folder in the cache that was asked for.

    Without a revision, the commit that was last the newest; or else whatever was
    prepared last. The library itself would pass a revision over here.

    Raises:
      DataError: If there is none.
    """
    folders = _prepared_folders(entry.id)
    commit = _known_commit(entry.id, revision)
    asked = [f for f in folders if revision is None or f.name == commit]
    asked.sort(key=lambda folder: folder.name == commit)  # else as they were
    subsets = {_subset(folder): folder for folder in asked}  # the last one stays
    only = next(iter(subsets)) if len(subsets) == 1 else "default"
    if not entry.subset and only not in subsets:
        refuse_subset(entry, subsets)
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
    entry: HubName, revision: str | None, why: str, folders: Iterable[Path]
) -> DataError:
    import datasets

    what = words(entry) + (f", revision {revision}," if revision else "")
    there = [f"{_subset(f)} of --revision {commit_in(f.name)}" for f in folders]
    has = f"has only {', '.join(there)}" if there else "has nothing of it"
    return DataError(
        f"{what} could not be loaded: {why}, and the cache "
        f"({datasets.config.HF_DATASETS_CACHE}) {has}. Run the command once where the "
        f"Hub can be reached, or copy HF_HOME from such a machine; --data demo and "
        f"files of your own work without a network.{if_local(entry)}"
    )


def commit_in(name: str) -> str | None:
    """Returns the name of a prepared folder if it is that of a commit."""
    return name if COMMIT.fullmatch(name) else None


def read_prepared(folder: Path) -> tuple[Tables, Features]:
    """Maps the Arrow files of a prepared folder into memory.

    Returns:
      Tables by the names that the data set gives its splits, and its features.
    """
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
