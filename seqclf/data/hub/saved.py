"""Folders that `save_to_disk` of the `datasets` library wrote."""

from __future__ import annotations

from pathlib import Path

from seqclf.data.dataset import TRAIN, Found
from seqclf.data.hub.quiet import quieten
from seqclf.data.hub.tables import Features, first_line, found_of
from seqclf.errors import DataError


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
