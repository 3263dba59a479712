"""Loads a data set of the Hugging Face Hub, from there or from the cache."""

from __future__ import annotations

from pathlib import Path

from seqclf.config import DataConfig
from seqclf.data.dataset import Found
from seqclf.data.hub.cache import cached, commit_in, read_prepared
from seqclf.data.hub.names import HubName, entry_of, name_of, words
from seqclf.data.hub.online import UnreachableError, download, limit_waiting
from seqclf.data.hub.quiet import quieten
from seqclf.data.hub.tables import found_of


def read_hub(source: str, config: DataConfig) -> Found:
    """Loads a data set of the Hub, from its cache where it is there already.

    Args:
      source: A key of `HUB_NAMES`, or `owner/name`.
      config: Revision and subset; the subset goes before that of `HUB_NAMES`.

    Returns:
      All columns of its splits, memory-mapped, and the commit that was loaded. A note
      says so if the Hub cannot be reached and the cache is used instead.

    Raises:
      DataError: If it can be had neither from the Hub nor from the cache, or has no
        train split.
    """
    entry = entry_of(source, config.subset)
    quieten()
    limit_waiting()
    folder, notes = _prepared(entry, config.revision)
    tables, features = read_prepared(folder)
    return found_of(
        tables,
        features,
        name=name_of(source, entry),
        source=f"{words(entry)} on the Hugging Face Hub",
        place=words(entry),
        hints=entry,
        revision=commit_in(folder.name),
        notes=notes,
    )


def _prepared(entry: HubName, revision: str | None) -> tuple[Path, tuple[str, ...]]:
    """Returns the folder of Arrow files in the cache, and notes."""
    import datasets

    if datasets.config.HF_HUB_OFFLINE:
        return cached(entry, revision, "HF_HUB_OFFLINE is set"), ()
    try:
        return download(entry, revision), ()
    except UnreachableError as error:
        folder = cached(entry, revision, str(error))
        commit = commit_in(folder.name) or "of unknown number"
        return folder, (f"{error}: {entry.id} comes from the cache, commit {commit}.",)
