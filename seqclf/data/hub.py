"""Data sets of the Hugging Face Hub, by their short names.

A new short name is one entry in `HUB_NAMES`. The ids could not be checked against the
Hub when this was written; labels and splits are read from what the data set says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.data.dataset import SCHEMA, UNLABELED, RawData
from seqclf.errors import DataError


@dataclass(frozen=True, slots=True)
class HubName:
    """A data set on the Hub.

    Attributes:
      id: Owner and name.
      splits: Its names of splits that are called otherwise here.
      about: What it is, in a line.
    """

    id: str
    splits: Mapping[str, str]
    about: str


HUB_NAMES = {
    "imdb": HubName(
        "stanfordnlp/imdb",
        {"unsupervised": UNLABELED},
        "50,000 film reviews, from the Hugging Face Hub (Maas et al. 2011)",
    ),
}


def read_hub(name: str) -> RawData:
    """Downloads a data set, or takes it from the Hub's local cache.

    Args:
      name: A key of `HUB_NAMES`.

    Returns:
      Its splits and labels.

    Raises:
      DataError: If it can be had neither from the Hub nor from the cache.
    """
    entry = HUB_NAMES[name]
    loaded = _load(entry.id)
    labels = tuple(next(iter(loaded.values())).features["label"].names)
    return RawData(
        name=name,
        splits={
            entry.splits.get(split, split): _table(part)
            for split, part in loaded.items()
        },
        labels=labels,
        source=f"{entry.id} on the Hugging Face Hub",
    )


def _load(dataset_id: str) -> Any:
    import datasets

    try:
        return datasets.load_dataset(dataset_id)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        raise DataError(
            f"{dataset_id} could be had neither from the Hugging Face Hub nor from its "
            f"cache ({error}). Connect to the network, or work without it: "
            f"--data demo, or a file of your own."
        ) from error


def _table(part: Any) -> pa.Table:
    table = part.with_format("arrow")[:]
    label_ids = pc.fill_null(table["label"].cast(pa.int32()), -1)
    return pa.table([table["text"].cast(pa.string()), label_ids], schema=SCHEMA)
