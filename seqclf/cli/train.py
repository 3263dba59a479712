"""`seqclf train`."""

from __future__ import annotations

from typing import Any

from seqclf.cli import _options as options
from seqclf.cli._screen import TrainingProgress, note, print_json, stdout
from seqclf.cli._steps import kernel_of_choice, load_and_encode, refuse_idle_settings
from seqclf.config import RunConfig


@options.with_config()
def train(
    config: RunConfig,
    name: options.Name = None,
    overwrite: options.Overwrite = False,
    fresh: options.Fresh = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    require_cudnn: options.RequireCudnn = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Train one classifier, and keep its best epoch.

    Reads a data set; writes a run, models/<data>-<cell>-<seed>. A finished run of
    equal settings and data is reused; one that was cut off goes on.

    Example: seqclf train --cell gru --data reviews.csv
    """
    from seqclf import runs
    from seqclf.model import backend
    from seqclf.runs.run import mark_asked

    backend.refuse_other_backends()
    config = kernel_of_choice(config, require_cudnn)
    refuse_idle_settings(config, (config.model.cell,), name, overwrite)
    data = load_and_encode(config, cache_dir, quiet)
    place = runs.find_place(models_dir, config, data.about, name, overwrite)
    if place.is_done:
        note(f"{place.path} is finished with these settings and data: reused.", quiet)
        mark_asked(runs.Run(place.path), "train")
    else:
        if fresh:
            runs.forget(place.path)
        if place.is_begun:
            how = "goes on" if runs.is_under_way(place.path) else "begins anew"
            note(f"{place.path} was cut off: training {how}.", quiet)
        _train(config, data, place.path, quiet)
    _print_result(runs.Run(place.path), json)


def _train(config: RunConfig, data: Any, path: Any, quiet: bool) -> None:
    from seqclf.engine import Task, cores, run_tasks
    from seqclf.errors import TrainingError
    from seqclf.runs.run import LOG_FILE
    from seqclf.training.trial import Trial, run_trial

    trial = Trial(config, data.path, data.about, path, "train", cores())
    with TrainingProgress({path.name: 1.0}, quiet) as progress:
        tasks = [Task(run_trial, trial, path / LOG_FILE)]
        for outcome in run_tasks(
            tasks, on_report=lambda _, event: progress.report(path.name, event)
        ):
            if outcome.error:
                raise TrainingError(f"{path.name}: {outcome.error}")


def _print_result(run: Any, json: bool) -> None:
    from rich.markup import escape

    if json:
        values = {"run": str(run.path), "metrics": run.metrics}
        print_json(values | {"environment": run.environment})
        return
    test, environment = run.metrics["test"], run.environment
    low, high = 100 * test["accuracy_low"], 100 * test["accuracy_high"]
    stdout().print(
        f"[bold]{escape(run.name)}[/bold]: test accuracy "
        f"{100 * test['accuracy']:.1f} % ({low:.1f} to {high:.1f}, "
        f"n = {test['n']:,}), macro F1 {100 * test['macro_f1']:.1f} %, "
        f"best epoch {environment['best_epoch']} of {environment['epochs']}, "
        f"{environment['recurrent_parameters']:,} recurrent parameters, "
        f"{100 * environment['padding_share']:.1f} % padding, "
        f"kernel: {environment['kernel']}.\n{escape(str(run.path))}",
        soft_wrap=True,
    )
