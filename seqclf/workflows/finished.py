"""`seqclf compare` of runs that are finished, as functions: nothing is trained."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seqclf import runs, steps
from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.comparison import places
from seqclf.comparison import plan as planning
from seqclf.comparison import pool as pooling
from seqclf.comparison.design import require_margin
from seqclf.comparison.finish import keep
from seqclf.comparison.metric import AUTO, require_metric
from seqclf.comparison.others.given import Given, as_options
from seqclf.comparison.others.other import Other
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.rows import compare_runs
from seqclf.config import draw_of
from seqclf.data.layout import STANDARD_INPUT
from seqclf.errors import ConfigError, RunError
from seqclf.evaluation.baselines import BaselineTask, baseline_tasks
from seqclf.marker import COMPARISON, COMPARISON_FILE, kind_of
from seqclf.records.comparison import ComparisonResult
from seqclf.runs import Run
from seqclf.runs.comparisons import read_comparison
from seqclf.steps import Listener, Target, optional
from seqclf.studies import write_page
from seqclf.text.encoding import EncodedDataset
from seqclf.wording import counted
from seqclf.workflows.compare import (
    answers_of,
    margin_option,
    metric_option,
    place_options,
    write_pages,
)


def compare_finished(
    paths: Sequence[Path],
    target: Target,
    listener: Listener,
    margin: float = 100 * MARGIN,
    microscope: bool = False,
    metric: str = AUTO,
    others: Sequence[Given] = (),
) -> tuple[ComparisonResult, Path | None]:
    """Compares finished runs, or reads a finished comparison, and writes the page.

    Trains nothing. `microscope` is as in `compare_twins`.

    `paths` are runs or one comparison, by path or by name in the folder of the runs. A
    comparison of runs is written if the target has a name. `margin` are the points
    below which two runs are practically equal, `metric` ranks them, `others` are files
    with the answers of other systems; a finished comparison has its own.

    Returns:
      What was found, and the folder of the comparison, None if it has none.

    Raises:
      ConfigError: If one path is given that is no comparison, or there is no place for
        the microscope.
      DataError: If a file does not answer each test text.
      RunError: If a run is missing or unfinished, they cannot be compared, or the name
        is taken.
    """
    steps.refuse_idle_overwrite(target)
    require_margin(margin)
    require_metric(metric)
    if microscope and len(paths) > 1 and target.name is None:
        raise ConfigError(
            "--page is written beside a comparison that is kept: give --name, or take "
            "seqclf export RUN RUN --format microscope."
        )
    asked = (paths, target, listener, margin, metric, others)
    result, folder = _compare_finished(*asked)
    if folder is not None:
        write_pages(folder, result, target, listener, microscope)
    return result, folder


def compare_pool(
    folder: Path,
    target: Target,
    listener: Listener,
    margin: float = 100 * MARGIN,
    metric: str = AUTO,
    others: Sequence[Given] = (),
) -> tuple[ComparisonResult, Path | None]:
    """Compares all finished runs below a folder that agree, and writes the page.

    Trains nothing. `margin`, `metric`, `others` and the rest are those of
    `compare_finished`; baselines are fitted in the target's folder of runs, for those
    of the runs may be somebody's.

    Raises:
      RunError: If no runs agree, two are one training and differ, or the name is taken.
    """
    steps.refuse_idle_overwrite(target)
    require_margin(margin)
    require_metric(metric)
    pool = pooling.pooled(pooling.find_finished(folder))
    for path, why in pool.left_out.items():
        listener.insist(f"Left out: {path} {why}")
    for path in pool.copies:
        listener.insist(f"Counted once: {path} has the weights of another run.")
    cells = Counter(run.config.model.cell for run in pool.runs)
    each = ", ".join(f"{cells[cell]} of {cell}" for cell in CELLS if cells[cell])
    listener.note(f"Pooled {counted(len(pool.runs), 'run')}: {each}.")
    words = ["--pool", str(folder)]
    asked = (pool.runs, words, target.models, target, listener, margin, metric)
    result, place = _compare_runs(*asked, others)
    if place is not None:
        write_page(place, result, target.models, listener)
    return result, place


def _compare_finished(
    paths: Sequence[Path],
    target: Target,
    listener: Listener,
    margin: float,
    metric: str,
    others: Sequence[Given],
) -> tuple[ComparisonResult, Path | None]:
    if len(paths) == 1:
        folder = paths[0] if paths[0].exists() else target.models / paths[0]
        if kind_of(folder) != COMPARISON:
            raise ConfigError(
                f"{paths[0]} is no comparison; name two or more runs, or the folder "
                f"of a comparison."
            )
        return read_comparison(folder), folder
    finished = [runs.open_run(path, target.models) for path in paths]
    models, words = finished[0].path.parent, [str(path) for path in paths]
    asked = (finished, words, models, target, listener, margin, metric)
    return _compare_runs(*asked, others)


def _compare_runs(
    finished: list[Run],
    words: Sequence[str],
    models: Path,
    target: Target,
    listener: Listener,
    margin: float,
    metric: str,
    given: Sequence[Given],
) -> tuple[ComparisonResult, Path | None]:
    """Compares runs; `words` name them in a command, `models` takes the baselines."""
    compare_runs(finished)  # refuses what is not comparable, before any work
    finished += _without_recurrence(finished, listener)
    place = None
    if target.name is not None:
        named = (target.name, target.overwrite)
        place = places.place_for(finished, target.models, *named, given)
    data, baselines = _baselines(finished, models, target.cache, listener)
    others = _answers(given, data, metric, listener)
    with listener.progress({}) as report:
        planning.fit_baselines(baselines, report)
    result = compare_runs(
        finished, baselines, margin=margin / 100, metric=metric, others=others
    )
    if place is None:
        return result, None
    options = [*margin_option(margin), *metric_option(metric), *as_options(given)]
    asked = [*words, *options, *place_options(target)]
    parts = ["seqclf", "compare", *asked]
    result = keep(place, result, finished, data, shlex.join(parts), others)
    listener.note(f"Written: {place[0] / COMPARISON_FILE}")
    return result, place[0]


def _answers(
    given: Sequence[Given],
    data: EncodedDataset | None,
    metric: str,
    listener: Listener,
) -> tuple[Other, ...]:
    """Reads the answers of other systems, of which the data tells whose they are."""
    if not given:
        return ()
    if data is None:
        raise RunError(
            f"which texts {given[0].file} answers is told by those of the test split, "
            f"which could not be read again; leave --with out, or put the data back."
        )
    return answers_of(given, data, metric, listener)


def _baselines(
    finished: Sequence[Run], models: Path, cache: Path, listener: Listener
) -> tuple[EncodedDataset | None, list[BaselineTask]]:
    """Returns the data of the first run, and the baselines on each draw of it.

    None, and no baselines, if it cannot be read again, or has changed.
    """
    by_draw: dict[int | None, Run] = {}
    for run in finished:
        by_draw.setdefault(draw_of(run.config), run)
    tasks: list[BaselineTask] = []
    found = None
    for run in by_draw.values():
        data = _data_again(run, cache, listener)
        if data is None:
            return None, []
        found = found or data
        tasks += baseline_tasks(run.config, data, models)
    return found, tasks


def _without_recurrence(finished: list[Run], listener: Listener) -> list[Run]:
    """Returns the `none` twins of the runs that are finished beside them."""
    if not all(CELLS[run.config.model.cell].recurs for run in finished):
        return []
    found: list[Run] = []
    with optional(listener.note, "The twin without recurrence is left out"):
        found = planning.missing_none_twins(finished)
    names = ", ".join(run.name for run in found)
    listener.note(
        f"Added, the twin without recurrence: {names}."
        if found
        else "The twin without recurrence is not trained; "
        f"seqclf train --cell {NO_RECURRENCE.name} with the same options adds it."
    )
    return found


def _data_again(run: Run, cache: Path, listener: Listener) -> EncodedDataset | None:
    """Reads a run's data again; None if that cannot be done, or it has changed."""
    source = run.config.data.source
    if source == STANDARD_INPUT:
        listener.note("No baselines, for the data came from standard input.")
        return None
    data = None
    with optional(listener.note, "No baselines, for the data could not be read again"):
        config = dataclasses.replace(run.config, data=run.data)
        data = steps.load_and_encode(config, cache, None)
    if data is None:
        return None
    if data.about.fingerprint != run.dataset.fingerprint:
        listener.note(f"No baselines, for {source} has changed since the training.")
        return None
    return data
