"""Settings as plain values, ready for JSON, and read back strictly."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from seqclf.config.run import RunConfig
from seqclf.errors import ConfigError, unknown

Setting = str | int | float | bool | None
Settings = dict[str, dict[str, Setting]]  # by part of the config and name
_Config = TypeVar("_Config")


def to_dict(config: RunConfig) -> Settings:
    """Returns the config as plain values, ready for JSON."""
    return dataclasses.asdict(config)


def from_dict(values: Mapping[str, object]) -> RunConfig:
    """Reads what `to_dict` wrote, strictly.

    Raises:
      ConfigError: On a key that no setting has, or a value of another type.
    """
    return _build(RunConfig, values, "config")


def of_run(values: Mapping[str, object]) -> RunConfig:
    """Reads a run's config, strictly, of whatever version.

    Before 0.2.0 texts were read in prediction as far as in training.
    """
    text = values.get("text")
    if isinstance(text, Mapping):
        text = {"predict_length": text.get("max_length"), **text}
        values = {**values, "text": text}
    return from_dict(values)


def flat(values: Settings) -> dict[str, Setting]:
    """Returns settings by part and name, such as `model.units`."""
    return {
        f"{part}.{key}": value
        for part, settings in values.items()
        for key, value in settings.items()
    }


def _build(cls: type[_Config], values: object, where: str) -> _Config:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a table of settings, got {values!r}.")
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            raise ConfigError(f"in {where}: {unknown('setting', key, hints)}")
    return cls(**{key: _value(hints[key], values[key], f"{key}") for key in values})


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value, where)
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in allowed)
        raise ConfigError(f"{where} must be of type {names}, got {value!r}.")
    return value
