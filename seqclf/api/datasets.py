"""Data sets for Python: loaded, and checked row by row."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Unpack, get_type_hints

from seqclf import keywords
from seqclf.api.logged import Logged
from seqclf.data import load
from seqclf.data.dataset import Dataset
from seqclf.keywords import AnyPath, DataSettings, with_options
from seqclf.records.suspects import Suspects
from seqclf.workflows.check import SPLITS, check_data


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
    return load.load_dataset(config.data)


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
