"""`seqclf data check` as a function."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from seqclf.bulk.writers import WRITERS
from seqclf.config import DataConfig
from seqclf.data.formats.contents import format_of
from seqclf.data.hub.load import hide_downloads
from seqclf.data.load import load_traced
from seqclf.data.traced import Traced
from seqclf.errors import ConfigError, unknown
from seqclf.records.suspects import Suspects
from seqclf.steps import Listener
from seqclf.storage import write_whole
from seqclf.suspects.check import SPLITS, STEPS, check
from seqclf.suspects.table import to_table

__all__ = ["SPLITS", "check_data"]


def check_data(
    config: DataConfig,
    listener: Listener,
    splits: str | Sequence[str] = SPLITS,
    output: Path | None = None,
    overwrite: bool = False,
) -> Suspects:
    """Names what looks wrong in a data set, row by row, and changes nothing in it.

    Args:
      config: Names the data.
      listener: Hears notes, and how fits go.
      splits: Whose labels to doubt, a sequence or separated by commas.
      output: Where to write a row for each suspicion; the suffix says in which format.
      overwrite: Whether to replace such a file.

    Raises:
      ConfigError: If a split is unknown, a resample is asked for, or the output cannot
        be written, is there, or is the data itself.
      DataError: If the data cannot be used.
    """
    named = _splits_of(splits)
    if config.resample is not None:
        raise ConfigError(
            "resample draws texts several times, and each copy would vouch for the "
            "others; check the texts as they are, without it."
        )
    if output is not None:
        _refuse_output(output, overwrite)
    if listener.quiet:
        hide_downloads()
    traced = load_traced(config)
    if traced.dataset.label_sets is not None:
        raise ConfigError(
            "data check doubts one label a text; a text may have several here."
        )
    if output is not None:
        _refuse_source(output, traced)
    for sentence in traced.dataset.notes:
        listener.note(f"Note: {sentence}")
    with listener.progress(dict.fromkeys(STEPS, 1.0)) as report:
        found = check(traced, named, report)
    if output is not None:
        table, write = to_table(found), WRITERS[format_of(output)]
        write_whole(output, partial(_write, table, write))
        listener.note(f"{table.num_rows:,} suspicions are in {output}.")
    return found


def _splits_of(given: str | Sequence[str]) -> Collection[str]:
    names = given.split(",") if isinstance(given, str) else list(given)
    names = [name.strip() for name in names]
    for name in names:
        if name not in SPLITS:
            raise ConfigError(unknown("split", name, SPLITS))
    return names


def _refuse_output(output: Path, overwrite: bool) -> None:
    suffix = format_of(output)
    if suffix not in WRITERS or output.suffix.lower() != suffix:
        raise ConfigError(unknown(f"format of {output}:", output.suffix, WRITERS))
    if not output.absolute().parent.is_dir():
        raise ConfigError(f"{output}: there is no folder {output.absolute().parent}.")
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} is there already; --overwrite replaces it.")


def _refuse_source(output: Path, traced: Traced) -> None:
    files = {
        Path(part.place).resolve() for some in traced.parts.values() for part in some
    }
    if output.resolve() in files:
        raise ConfigError(f"{output} is the data that is checked; write elsewhere.")


def _write(table: pa.Table, write: Any, path: Path) -> None:
    with write(path, table.schema) as add:
        add(table)
