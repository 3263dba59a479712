"""Steps that several commands take."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from seqclf.cli._screen import note
from seqclf.config import RunConfig
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


def kernel_of_choice(config: RunConfig, require_cudnn: bool) -> RunConfig:
    """Applies --require-cudnn, and refuses it at once where there is no cuDNN.

    Raises:
      ConfigError: If cuDNN is required and TensorFlow sees no GPU, or if another
        kernel is asked for as well.
    """
    kernel = config.training.kernel
    if require_cudnn and kernel == "loop":
        raise ConfigError("--require-cudnn and --kernel loop exclude each other.")
    if not require_cudnn and kernel != "cudnn":
        return config
    from seqclf.model.kernels import refuse_without_gpu

    refuse_without_gpu()
    training = dataclasses.replace(config.training, kernel="cudnn")
    return dataclasses.replace(config, training=training)


def refuse_idle_settings(
    config: RunConfig, cells: tuple[str, ...], name: str | None, overwrite: bool
) -> None:
    """Refuses settings that would change nothing.

    Raises:
      ConfigError: Names the setting.
    """
    if overwrite and name is None:
        raise ConfigError("--overwrite replaces what stands under --name; give one.")
    training, default = config.training, RunConfig()
    if training.batch_tokens and training.batch_size != default.training.batch_size:
        raise ConfigError(
            "--batch-size and --batch-tokens both say how large a batch is; give one."
        )
    if cells != ("none",):
        return
    given = dataclasses.asdict(config.model) | dataclasses.asdict(training)
    usual = dataclasses.asdict(default.model) | dataclasses.asdict(default.training)
    for field in ("units", "layers", "bidirectional", "kernel"):
        if given[field] != usual[field]:
            raise ConfigError(
                f"{field} does nothing without recurrence: the cell is none."
            )
