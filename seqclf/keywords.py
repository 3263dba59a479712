"""Settings by the names that users give them: options and keyword arguments.

Each field of the config has one name outside. The command line makes an option of it,
the Python functions take it as a keyword.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
import re
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict, TypeVar

from seqclf import config as settings
from seqclf.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    StartConfig,
    TextConfig,
    TrainingConfig,
)
from seqclf.errors import ConfigError, SeqclfError, unknown

PARTS: dict[str, type[Any]] = {
    "data": DataConfig,
    "text": TextConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "start": StartConfig,
}
# Where a setting is not called after its field.
OPTION_NAMES = {"source": "data"}

DEFAULT_MODELS = Path("models")
DEFAULT_CACHE = Path("data") / "cache"
MODELS_VARIABLE, CACHE_VARIABLE = "SEQCLF_MODELS", "SEQCLF_CACHE"

AnyPath = str | os.PathLike[str]
_Function = TypeVar("_Function", bound=Callable[..., Any])


class Placement(TypedDict, total=False):
    """Keywords for where results go, and of what they are made."""

    name: str | None
    overwrite: bool
    fresh: bool
    models_dir: AnyPath | None
    cache_dir: AnyPath | None
    log_dir: AnyPath | None
    tracker: str | None
    require_cudnn: bool


PLACEMENT = Placement(
    name=None, overwrite=False, fresh=False, models_dir=None, cache_dir=None,
    log_dir=None, tracker=None, require_cudnn=False,
)  # fmt: skip


class Ending(TypedDict, total=False):
    """Keywords for adding seeds until all is decided, and where that ends."""

    until_decided: bool
    budget: str | None
    max_seeds: int | None


ENDING = Ending(until_decided=False, budget=None, max_seeds=None)


class Machines(TypedDict, total=False):
    """Keywords for other machines, see `cluster.asked`."""

    cluster: str | None
    cpus_per_training: int | None
    gpus_per_training: float | None
    shared: AnyPath | None
    insecure_cluster: bool


MACHINES = Machines(
    cluster=None, cpus_per_training=None, gpus_per_training=None, shared=None,
    insecure_cluster=False,
)  # fmt: skip


class DataSettings(TypedDict, total=False):
    """Keywords for the fields of `DataConfig` but the source."""

    revision: str | None
    subset: str | None
    text_column: str | None
    label_column: str | None
    encoding: str | None
    delimiter: str | None
    header: bool | None
    columns: str | None
    labels_separator: str | None
    drop_unlabeled: bool
    merge_labels: bool
    min_per_label: int | None
    other: bool
    limit: int | None
    group_column: str | None
    validation_fraction: float
    test_fraction: float
    split_seed: int
    resample: int | None
    fold: str | None
    drop_duplicates: bool


class TwinSettings(DataSettings, total=False):
    """Keywords for all settings that twins share."""

    tokens: str
    vocabulary_size: int
    min_count: int
    max_length: int
    predict_length: int | None
    keep: str
    units: int
    layers: int
    bidirectional: bool
    embedding_size: int
    embedding_range: float
    dropout_rate: float
    conv_width: int | None
    pooling: str
    activation: str
    recurrent_init: str
    recurrent_scale: float
    forget_bias: float
    update_bias: float
    chrono: int | None
    epochs: int | None
    batch_size: int | None
    batch_tokens: int | None
    learning_rate: float
    warmup_fraction: float
    weight_decay: float
    clip_norm: float
    optimizer: str
    word_dropout_rate: float
    grow_word_dropout: bool
    label_smoothing: float
    class_weights: str
    kernel: str
    patience: int
    freeze_embedding: bool
    vectors: str | None
    init_from: str | None
    pretrain: str | None
    teach: str | None


class Comparing(TwinSettings, Placement, Ending, Machines, total=False):
    """Keywords of `compare` beside its own."""


class Training(TwinSettings, Placement, total=False):
    """Keywords of `train` beside its own."""

    cell: str
    seed: int
    baseline: str | None


def fields() -> Iterator[tuple[str, dataclasses.Field[Any], Any, str]]:
    """Yields each setting's name, field, type and part of the config."""
    for part, cls in PARTS.items():
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            if settings.HELP in field.metadata:
                name = OPTION_NAMES.get(field.name, field.name)
                yield name, field, hints[field.name], part


def to_config(given: Mapping[str, Any]) -> RunConfig:
    """Builds a config from settings by name; those left out have their defaults.

    Raises:
      ConfigError: On a name that no setting has, or a value that does not suit it.
    """
    values: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    refuse_unknown(given, [name for name, *_ in fields()])
    for name, field, _, part in fields():
        if name in given:
            values[part][field.name] = given[name]
    return settings.from_dict(values)


def of_network(given: Collection[str]) -> frozenset[str]:
    """Returns the fields, of settings by name, of a network and its training."""
    return frozenset(
        field.name
        for name, field, _, part in fields()
        if part in ("model", "training") and name in given
    )


def refuse_unknown(given: Iterable[str], known: Collection[str]) -> None:
    """Raises a ConfigError on the first name that is not known."""
    for name in given:
        if name not in known:
            raise ConfigError(unknown("setting", name, known))


def as_options(config: RunConfig, without: Collection[str] = ()) -> list[str]:
    """Returns the options that give a config: those that are not their defaults.

    Fields in `without` are left out.
    """
    given = []
    for name, field, _, part in fields():
        value = getattr(getattr(config, part), field.name)
        if value == field.default or field.name in without:
            continue
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            given.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            given += [f"--{flag}", str(value)]
    return given


def with_options(keywords: type[Any]) -> Callable[[_Function], _Function]:
    """Shows a function's `**options` one by one, with their defaults, in its help.

    `keywords` is the TypedDict that names them.
    """

    def decorate(function: _Function) -> _Function:
        function = speaking_python(function)
        hints = typing.get_type_hints(keywords)
        defaults = {name: field.default for name, field, _, _ in fields()}
        defaults |= {**PLACEMENT, **ENDING, **MACHINES}
        own = list(inspect.signature(function).parameters.values())[:-1]
        kind = inspect.Parameter.KEYWORD_ONLY
        one_by_one = [
            inspect.Parameter(name, kind, default=default, annotation=hints[name])
            for name, default in defaults.items()
            if name in hints
        ]
        signature = inspect.Signature([*own, *one_by_one])
        function.__signature__ = signature  # type: ignore[attr-defined]
        return function

    return decorate


# What follows an option as its value, and is no word of the sentence around it.
_VALUE = r"(?:'[^']*'|[A-Z]+(?![a-z])|[\w/*.,-]*[\d_/*,][\w/*.,-]*\w|\d)"

# A command to be typed stays as it is; it ends with its sentence, or part of one.
_COMMAND = r"\bseqclf [a-z]+(?: \S*[^\s,.;:)])*(?: \S+)?"


def in_python(message: str, own: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Returns a message that names keyword arguments where it named options.

    For example `--limit 5000` becomes `limit=5000`, `--merge-labels`
    `merge_labels=True`, `--text-column` `text_column`. `own` are other keywords than
    those of settings, with their types.
    """
    hints = {name: hint for name, _, hint, _ in fields()}
    for others in (Placement, Ending, Machines):
        hints |= typing.get_type_hints(others)
    hints |= own

    def spoken(found: re.Match[str]) -> str:
        command, negated, flag, value = found.groups()
        name = "" if command else flag.replace("-", "_")
        name = name if name in hints else f"{name}_"  # with_, for with is Python's
        if name not in hints:
            return found[0]
        if bool in (hints[name], *typing.get_args(hints[name])):
            return f"{name}={not negated}" + (f" {value}" if value else "")
        return f"{name}={_literal(value)}" if value else name

    flag = rf"--(?P<no>no-)?(?P<flag>[a-z]+(?:-[a-z]+)*)(?:[ =](?P<value>{_VALUE}))?"
    return re.sub(rf"(?P<command>{_COMMAND})|{flag}", spoken, message)


def _literal(value: str) -> str:
    is_plain = value.startswith("'") or value.isupper()
    is_number = re.fullmatch(r"\d+(\.\d+)?(e-?\d+)?", value) is not None
    return value if is_plain or is_number else repr(value)


def speaking_python(function: _Function) -> _Function:
    """Makes the errors of a function name its keyword arguments."""
    parameters = inspect.signature(function).parameters.values()
    own = {one.name: type(one.default) for one in parameters}

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except SeqclfError as error:
            error.args = (in_python(str(error), own), *error.args[1:])
            raise

    return typing.cast(_Function, wrapped)


def models_folder(given: AnyPath | None = None) -> Path:
    """Returns the folder of the runs: the given one, else $SEQCLF_MODELS or models."""
    return Path(given or os.environ.get(MODELS_VARIABLE) or DEFAULT_MODELS)


def cache_folder(given: AnyPath | None = None) -> Path:
    """Returns the folder of encoded data: the given one, else $SEQCLF_CACHE or ours."""
    return Path(given or os.environ.get(CACHE_VARIABLE) or DEFAULT_CACHE)
