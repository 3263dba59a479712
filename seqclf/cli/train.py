"""`seqclf train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import RunConfig

if TYPE_CHECKING:
    from seqclf.records.training import BaselineEnvironment, Environment
    from seqclf.runs import Run


KeepStates = Annotated[
    bool,
    option(
        "--keep-states",
        "Keep weights and optimizer before and after every epoch, 12 bytes a weight "
        "each time, so that classroom grade can replay it.",
        panel=options.OUTPUT,
    ),
]


@options.with_config()
def train(
    context: typer.Context,
    config: RunConfig,
    name: options.Name = None,
    overwrite: options.Overwrite = False,
    fresh: options.Fresh = False,
    keep_states: KeepStates = False,
    log_dir: options.LogDir = None,
    tracker: options.Tracker = None,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    require_cudnn: options.RequireCudnn = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Train one classifier and keep its best epoch.

    Writes a run, models/<data>-<cell>-<seed>. A finished run with equal settings and
    data is reused; an interrupted one is resumed.

    Example: seqclf train --cell gru --data reviews.csv
    """
    from seqclf.steps import Target
    from seqclf.trackers import followed
    from seqclf.workflows.train import train_run

    target = Target(models_dir, cache_dir, name, overwrite, fresh)
    given = options.given_settings(context, "model", "training")
    with followed(Screen(quiet), models_dir, log_dir, tracker) as listener:
        asked = (config, target, listener, require_cudnn, given)
        run = train_run(*asked, keep_states)
        listener.finish([run])
    _print_result(run, json)


def _print_result(run: Run, json: bool) -> None:
    from rich.markup import escape

    from seqclf.data.dataset import TEST
    from seqclf.records.plain import to_plain

    environment = run.any_environment
    if json:
        values = {"run": str(run.path), "metrics": to_plain(run.metrics)}
        values |= {"environment": to_plain(environment)}
        print_json(values | {"notes": _numbered_notes(run)})
        return
    test = run.metrics[TEST]
    low, high = 100 * test.accuracy_low, 100 * test.accuracy_high
    stdout().print(
        f"[bold]{escape(run.name)}[/bold]: test accuracy "
        f"{100 * test.accuracy:.1f} % ({low:.1f} to {high:.1f}, "
        f"n = {test.n:,}), macro F1 {100 * test.macro_f1:.1f} %, "
        f"{_about(environment)}.\n{escape(str(run.path))}",
        soft_wrap=True,
    )


def _about(environment: Environment | BaselineEnvironment) -> str:
    from seqclf.records.training import Environment

    if not isinstance(environment, Environment):
        found = environment.chosen.items()
        return f"chosen on validation: {', '.join(f'{k} {_said(v)}' for k, v in found)}"
    return (
        f"best epoch {environment.best_epoch} of {environment.epochs}, "
        f"{environment.recurrent_parameters:,} recurrent parameters, "
        f"{100 * environment.padding_share:.1f} % padding, "
        f"kernel: {environment.kernel}"
    )


def _said(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _numbered_notes(run: Run) -> list[str]:
    """Returns the numbered notes on a run's data and on the run itself."""
    from seqclf.evaluation.doubts import doubts
    from seqclf.notes import is_numbered

    return [n for n in run.dataset.notes if is_numbered(n)] + doubts([run])
