"""Compares what a plan has left, and writes the comparison."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from seqclf.comparison import saved, tuning
from seqclf.comparison.details import details
from seqclf.comparison.draws import FOLDS, vary_of
from seqclf.comparison.groups import group_runs
from seqclf.comparison.others.other import Other, keep_answers
from seqclf.comparison.places import Question, begin_at
from seqclf.comparison.plan import Ended
from seqclf.comparison.rows import compare_runs
from seqclf.data.dataset import TEST
from seqclf.errors import RunError
from seqclf.marker import COMPARISON_FILE
from seqclf.records.comparison import ComparisonResult
from seqclf.records.plain import to_plain
from seqclf.runs import Run, writing
from seqclf.storage import write_json
from seqclf.text.encoding import EncodedDataset, open_encoded

DETAILS = "details of where the twins differ"


def finish(
    ended: Ended, command: str = "", others: Sequence[Other] = ()
) -> ComparisonResult:
    """Writes `comparison.json` and `details.json`; returns the whole result.

    It keeps why runs are missing, by name, how long it and its phases took, and what to
    type to do it again; and the answers of other systems that stand beside the twins.

    Raises:
      RunError: If every training failed; the reasons are named.
    """
    plan = ended.plan
    if not ended.finished:
        reasons = "; ".join(
            f"{name}: {error}" for name, error in ended.failures.items()
        )
        raise RunError(f"no training was finished. {reasons}")
    timing = saved.read_timing(plan.path)
    found = compare_runs(
        ended.finished,
        plan.baselines,
        timing,
        plan.chosen,
        plan.margin,
        ended.at,
        ended.until_decided,
        plan.metric,
        others,
    )
    budgets = [tuning.budget(plan.tuning)] if plan.tuning else []
    result = replace(
        found,
        card=replace(found.card, checks=(*found.card.checks, *budgets)),
        tuning=plan.tuning,
        missing=ended.failures,
        command=command,
        seconds=sum(ended.seconds.values()),
        phases=dict(ended.seconds),
        date=_today(),
    )
    encoded = plan.timing.encoded
    keep_answers(plan.path, others)
    return _write(plan.path, result, ended.finished, lambda: open_encoded(encoded))


def _write(
    path: Path,
    result: ComparisonResult,
    finished: Sequence[Run],
    open_data: Callable[[], EncodedDataset | None],
) -> ComparisonResult:
    """Writes result and details, and marks the comparison complete.

    Returns:
      The result; if the details fail, it says under `missing` why.
    """
    try:
        _write_details(path, finished, open_data)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the result is kept
        # An earlier one is of other runs.
        (path / saved.DETAILS_FILE).unlink(missing_ok=True)
        result = replace(result, missing=result.missing | {DETAILS: str(error)})
    write_json(path / COMPARISON_FILE, to_plain(result))
    writing.mark_complete(path, "compare")
    return result


def _write_details(
    path: Path, finished: Sequence[Run], open_data: Callable[[], EncodedDataset | None]
) -> None:
    file = path / saved.DETAILS_FILE
    if vary_of(finished) == FOLDS:  # no two seeds were tested on the same texts
        file.unlink(missing_ok=True)
        return
    data = open_data()
    texts = data.texts(TEST) if data is not None else None
    write_json(file, to_plain(details(group_runs(finished), texts)))


def keep(
    place: tuple[Path, Question],
    result: ComparisonResult,
    finished: Sequence[Run],
    data: EncodedDataset | None,
    command: str = "",
    others: Sequence[Other] = (),
) -> ComparisonResult:
    """Writes a result of finished runs; returns the whole of it.

    Another comparison at the place, from `place_for`, is removed. The data is for the
    texts; None if it cannot be read. `others` are the systems beside the runs.
    """
    path, question = place
    begin_at(path, question)
    keep_answers(path, others)
    result = replace(result, command=command, date=_today())
    return _write(path, result, finished, lambda: data)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
