"""Steps that several commands take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from seqclf.cli._screen import note
from seqclf.config import ModelConfig, RunConfig
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.text.encoding import EncodedDataset


def load_and_encode(config: RunConfig, cache: Path, quiet: bool) -> EncodedDataset:
    """Loads and encodes the data, and says what the person should know of it."""
    from seqclf.data import load_dataset
    from seqclf.text.encoding import encode_dataset

    if quiet:
        hide_downloads()
    dataset = load_dataset(config.data)
    for sentence in dataset.notes:
        note(f"Note: {sentence}", quiet)
    return encode_dataset(dataset, config.data, config.text, cache)


def hide_downloads() -> None:
    """Turns the progress bars of downloads off."""
    os.environ["SEQCLF_QUIET_DOWNLOADS"] = "1"


def refuse_idle_settings(
    config: RunConfig, cells: tuple[str, ...], name: str | None, overwrite: bool
) -> None:
    """Refuses settings that would change nothing.

    Raises:
      ConfigError: Names the setting.
    """
    if overwrite and name is None:
        raise ConfigError("--overwrite replaces what stands under --name; give one.")
    if cells != ("none",):
        return
    default = ModelConfig()
    for field in ("units", "layers", "bidirectional"):
        if getattr(config.model, field) != getattr(default, field):
            raise ConfigError(
                f"{field} does nothing without recurrence: the cell is none."
            )
