"""What `--yardstick` names: a pre-trained encoder, and how it is trained."""

from __future__ import annotations

import dataclasses
import importlib.util
from dataclasses import dataclass

from seqclf.config import require_count
from seqclf.errors import ConfigError, unknown
from seqclf.installed import install_line
from seqclf.yardstick.files import EncoderFiles, found, named

PACKAGES = ("keras_hub", "safetensors", "tokenizers")  # of the extra
FINE_TUNE, FEATURES = MODES = ("fine-tune", "features")


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A pre-trained encoder to stand beside the twins.

    Attributes:
      files: Its files.
      mode: `fine-tune` trains all weights; `features` leaves those of the encoder, and
        fits a linear model on what it says of a text.
      seeds: Trainings, with the seeds from 0; one of features.
    """

    files: EncoderFiles
    mode: str = FINE_TUNE
    seeds: int = 1

    @property
    def name(self) -> str:
        """What its row is called."""
        return self.files.name + (" (frozen)" if self.mode == FEATURES else "")


def yardstick_of(
    source: str | None, mode: str | None = None, seeds: int | None = None
) -> Yardstick | None:
    """Returns the yardstick that is asked for; None if none is.

    Its files are not looked at yet, see `with_files`: what cannot be compared with it
    is refused before it is downloaded.

    Args:
      source: `hf://OWNER/NAME`, with `@REVISION` if wanted, or a folder.
      mode: `fine-tune`, which None is too, or `features`.
      seeds: Trainings; None is one.

    Raises:
      ConfigError: If nothing can be called so, a package is not installed, or a mode or
        seeds do nothing.
    """
    if source is None:
        for option, given in (("mode", mode), ("seeds", seeds)):
            if given is not None:
                raise ConfigError(
                    f"--yardstick-{option} {given} does nothing without --yardstick."
                )
        return None
    mode, seeds = mode or FINE_TUNE, 1 if seeds is None else seeds
    if mode not in MODES:
        raise ConfigError(unknown("--yardstick-mode", mode, MODES))
    require_count("--yardstick-seeds", seeds)
    if mode == FEATURES and seeds > 1:
        raise ConfigError(
            f"--yardstick-seeds {seeds} does nothing with --yardstick-mode {FEATURES}, "
            f"in which nothing is drawn; leave it out."
        )
    _require_packages()
    return Yardstick(named(source), mode, seeds)


def with_files(yardstick: Yardstick) -> Yardstick:
    """Returns a yardstick with its files found, downloaded if need be.

    Raises:
      ConfigError: If they are none of an encoder that can be one.
      RunError: If it lies on the Hub and cannot be had.
    """
    return dataclasses.replace(yardstick, files=found(yardstick.files.source))


def _require_packages() -> None:
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise ConfigError(
            f"--yardstick opens encoders with packages that are not installed: "
            f"{install_line('yardstick')}"
        )


def question(yardstick: Yardstick | None) -> dict[str, object]:
    """Returns plain values that tell a comparison with a yardstick from others.

    Nothing without one: then it is the same as before there were yardsticks.
    """
    if yardstick is None:
        return {}
    own = {
        "encoder": yardstick.files.digest,
        "mode": yardstick.mode,
        "seeds": yardstick.seeds,
    }
    return {"yardstick": own}


def as_options(yardstick: Yardstick | None) -> list[str]:
    """Returns the options that ask for it."""
    if yardstick is None:
        return []
    parts = ["--yardstick", yardstick.files.source]
    parts += [] if yardstick.mode == FINE_TUNE else ["--yardstick-mode", yardstick.mode]
    seeds = str(yardstick.seeds)
    return parts + ([] if seeds == "1" else ["--yardstick-seeds", seeds])
