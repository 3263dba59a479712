"""Options that commands share. An option for a setting is made from its field."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import tomllib
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from seqclf import config as settings
from seqclf import keywords
from seqclf.cells import CELLS
from seqclf.config import BASIC, DIALS, ELSEWHERE, FILES, LABELS
from seqclf.errors import ConfigError, unknown
from seqclf.keywords import DEFAULT_CACHE, DEFAULT_MODELS, fields, to_config
from seqclf.poolings import POOLINGS

__all__ = ["DEFAULT_CACHE", "DEFAULT_MODELS"]

OUTPUT, MACHINES = "Output", "Many machines"
TRAINING = "seqclf.training.imported"  # what many trainings are forked from
# Where the help shows the settings of a part, and in which order: what a newcomer needs
# comes first.
PANELS = {
    "data": "Data", "model": "Model", "training": "Training", "text": "Text",
    "start": ELSEWHERE,
}  # fmt: skip
PANEL_ORDER = (
    BASIC, "Data", "Model", "Training", OUTPUT, DIALS, ELSEWHERE, "Text", FILES, LABELS,
    MACHINES,
)  # fmt: skip

CHOICES = {
    "cell": tuple(CELLS),
    "baseline": settings.BASELINE_NAMES,
    "pooling": tuple(POOLINGS),
    "keep": settings.KEEP_NAMES,
    "class_weights": settings.CLASS_WEIGHT_NAMES,
    "kernel": settings.KERNEL_NAMES,
    "optimizer": settings.OPTIMIZER_NAMES,
    "activation": settings.ACTIVATION_NAMES,
    "recurrent_init": settings.INIT_NAMES,
    "pretrain": settings.PRETRAIN_NAMES,
}


def option(
    flags: str,
    about: str,
    shown: str | bool = True,
    panel: str | None = None,
    choices: Collection[str] = (),
    **others: Any,
) -> Any:
    """Returns an option for `Annotated`, with names such as `--quiet -q`.

    The help shows `about`, and `shown` as the default, if not the value itself. The
    shell completes `choices`; `others` are as typer.Option takes them.
    """
    if choices:
        others["autocompletion"] = lambda incomplete: [
            choice for choice in choices if choice.startswith(incomplete)
        ]
    return typer.Option(
        *flags.split(), help=about, show_default=shown, rich_help_panel=panel, **others
    )


def with_config(
    *,
    parts: Collection[str] = keywords.PARTS,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
) -> Callable[..., Any]:
    """Gives a command one option for each setting, and hands it a RunConfig.

    Returns a decorator for a function that takes the keyword argument `config`. Options
    are made of the settings of `parts`; of `only` these fields, None takes all; and not
    of those in `without`, which the command sets by itself.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        parameters = {
            name: _parameter(name, field, hint, part)
            for name, field, hint, part in fields()
            if part in parts
            and field.name not in without
            and (only is None or field.name in only)
        }

        @functools.wraps(command)
        def wrapped(**values: Any) -> Any:
            given = {name: values.pop(name) for name in parameters}
            return command(config=to_config(given), **values)

        own = inspect.signature(command, eval_str=True).parameters.values()
        every = [*parameters.values(), *(p for p in own if p.name != "config")]
        merged = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in every]
        merged.sort(key=_place)
        wrapped.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {p.name: p.annotation for p in merged}
        return wrapped

    return decorate


def _parameter(
    name: str, field: dataclasses.Field[Any], hint: Any, part: str
) -> inspect.Parameter:
    flag, about = f"--{name.replace('_', '-')}", field.metadata[settings.HELP]
    made = option(
        f"{flag}/--no-{flag[2:]}" if bool in (hint, *typing.get_args(hint)) else flag,
        about.text,
        about.shown or field.default is not None,
        about.panel or PANELS[part],
        CHOICES.get(field.name, ()),
    )
    kind, annotation = inspect.Parameter.KEYWORD_ONLY, Annotated[hint, made]
    return inspect.Parameter(name, kind, default=field.default, annotation=annotation)


class Command(TyperCommand):
    """A command whose help breaks its lines where the screen ends."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As TyperCommand."""
        super().__init__(*arguments, **options)
        self.help = joined_lines(self.help or "")


def joined_lines(text: str) -> str:
    """Returns a docstring with each paragraph on a line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _place(parameter: inspect.Parameter) -> int:
    """Returns where the help shows an option; arguments and the rest come first."""
    for about in typing.get_args(parameter.annotation):
        panel = getattr(about, "rich_help_panel", None)
        if panel in PANEL_ORDER:
            return PANEL_ORDER.index(panel)
    return 0


def read_config_file(context: typer.Context, path: Path | None) -> Path | None:
    """Takes the options' defaults from a TOML file; an unknown key is an error."""
    if path is None or context.resilient_parsing:
        return path
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} could not be read: {error}") from error
    options = {
        p.name.rstrip("_"): p  # `with_`, for `with` is a word of Python's
        for p in context.command.params
        if p.param_type_name == "option" and p.name and p.name != "config_file"
    }
    defaults = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in options:
            names = [option.replace("_", "-") for option in options]
            raise ConfigError(f"in {path}: {unknown('setting', key, names)}")
        defaults[options[name].name] = _as_typed(path, key, value, options[name])
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def _as_typed(path: Path, key: str, value: Any, option: Any) -> Any:
    """Returns a value of the file in the form that the parser checks.

    An option that may be given again takes a list, others a text with commas.
    """
    if isinstance(value, dict):
        raise ConfigError(f"in {path}: {key} is a table; settings go at the top.")
    if option.multiple:
        return [str(one) for one in (value if isinstance(value, list) else [value])]
    if option.is_flag:
        if not isinstance(value, bool):
            raise ConfigError(f"in {path}: {key} is true or false, got {value!r}.")
        return value
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def refuse_given(context: typer.Context, allowed: set[str], why: str) -> None:
    """Refuses options that were given but would do nothing.

    Only those in `allowed` have a meaning when, for example, "finished runs are
    compared", which is `why`.
    """
    for parameter in context.command.params:
        if is_given(context, parameter.name or "") and parameter.name not in allowed:
            raise ConfigError(f"{parameter.opts[0]} does nothing when {why}.")


def one_form(**forms: bool) -> str:
    """Returns which form of the output was chosen, by its flag; "" for none.

    Raises:
      ConfigError: If two were.
    """
    chosen = [name for name, is_chosen in forms.items() if is_chosen]
    if len(chosen) > 1:
        given = " and ".join(f"--{name}" for name in chosen)
        raise ConfigError(f"{given} cannot be printed at the same time; choose one.")
    return "".join(chosen)


def given_settings(context: typer.Context, *parts: str) -> frozenset[str]:
    """Returns the fields of these parts of the config that were given."""
    return frozenset(
        field.name
        for name, field, _, part in fields()
        if part in parts and is_given(context, name)
    )


def is_given(context: typer.Context, name: str) -> bool:
    """Tells whether a parameter was given, as an option or in a --config file."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP")


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """Completes names of runs and comparisons."""
    models = Path(context.params.get("models_dir") or "models")
    return [name for name in ours(models) if name.startswith(incomplete)]


def ours(models: Path) -> list[str]:
    """Returns the names of what seqclf made in a folder of runs."""
    from seqclf.marker import kind_of

    there = sorted(models.iterdir()) if models.is_dir() else []
    return [path.name for path in there if kind_of(path)]


def run_of(argument: Path | None, option: Path | None) -> Path | None:
    """Returns the run that was named, by the argument or by --run; None if neither."""
    if argument and option and argument != option:
        raise ConfigError(f"{argument} and --run {option} are two runs; name one.")
    return option or argument


AtLeast = Annotated[
    list[str] | None,
    option(
        "--at-least",
        "Least probability of an answer, between 0 and 1; below it the text is unsure. "
        "LABEL=P is for one label's answers. May be given again.",
        "every answer stands",
        metavar="P",
    ),
]
_in_output = functools.partial(option, panel=OUTPUT)

ConfigFile = Annotated[
    Path | None,
    _in_output(
        "--config",
        "Read options from a TOML file (learning-rate = 0.001); typed ones win.",
        metavar="FILE.toml",
        callback=read_config_file,
        is_eager=True,
    ),
]
ModelsDir = Annotated[
    Path,
    _in_output(
        "--models-dir",
        "Folder of runs and comparisons.",
        envvar=keywords.MODELS_VARIABLE,
    ),
]
CacheDir = Annotated[
    Path,
    _in_output(
        "--cache-dir", "Folder of encoded data sets.", envvar=keywords.CACHE_VARIABLE
    ),
]
Quiet = Annotated[bool, _in_output("--quiet -q", "Print only the result.")]
Json = Annotated[bool, _in_output("--json", "Print JSON.")]
RequireCudnn = Annotated[
    bool,
    option(
        "--require-cudnn",
        "Refuse to train without cuDNN, as --kernel cudnn does.",
        panel="Training",
    ),
]
Name = Annotated[
    str | None,
    _in_output("--name", "Name of the result.", "from data, cell and seed"),
]
Overwrite = Annotated[
    bool, _in_output("--overwrite", "Replace an existing result of that --name.")
]
LogDir = Annotated[
    Path | None,
    _in_output(
        "--log-dir",
        "Also write losses and accuracies as TensorBoard event files, in a folder per "
        "run.",
        metavar="DIR",
    ),
]
Tracker = Annotated[
    str | None,
    _in_output(
        "--tracker",
        "Also write settings, epochs and scores as a run of mlflow, where "
        "MLFLOW_TRACKING_URI says.",
        choices=("mlflow",),
    ),
]
Fresh = Annotated[
    bool,
    _in_output("--fresh", "Restart interrupted trainings instead of resuming them."),
]


def run_argument(
    help: str = "A run, by name or path, or hf://OWNER/NAME; A+B is their mean.",
) -> Any:
    """Returns the argument that names a run; left out, it is the newest."""
    default, names = "the newest", complete_run
    return typer.Argument(
        metavar="[RUN]", help=help, show_default=default, autocompletion=names
    )


RunArgument = Annotated[Path | None, run_argument()]
NamedRun = Annotated[
    Path | None,
    option("--run", "The same as the argument.", autocompletion=complete_run),
]
