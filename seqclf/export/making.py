"""How artefacts are made: apart from this process, and whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from seqclf.engine import Task, run_tasks
from seqclf.errors import RunError
from seqclf.records.training import Report
from seqclf.runs import AnyRun, Mean, files
from seqclf.system import sync

T = TypeVar("T")
# Files of a run that an artefact, with its card, is made of.
MADE_OF = (
    files.CONFIG_FILE, files.DATASET_FILE, files.LABELS_FILE, files.METRICS_FILE,
    files.MODEL_FILE, files.ONNX_FILE, files.TOKENIZER_FILE, files.VOCABULARY_FILE,
)  # fmt: skip


def alone(function: Callable[[T, Report], Any], argument: T) -> Any:
    """Returns what a function gives in a process of its own, which sees no GPU.

    What it imports is not loaded here.

    Raises:
      RunError: If it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        outcome = next(run_tasks([Task(_without_gpu, (function, argument), log)]))
    if outcome.error is not None:
        raise RunError(outcome.error.removesuffix(f" (see {log})"))
    return outcome.value


def _without_gpu(asked: tuple[Callable[[T, Report], Any], T], report: Report) -> Any:
    # Before TensorFlow: a graph traced on a GPU may not run without one.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    function, argument = asked
    return function(argument, report)


def run_digest(run: AnyRun) -> str:
    """Returns a hash of what an artefact is made of, as 64 hexadecimal digits."""
    if isinstance(run, Mean):
        made_of: Any = [run_digest(member) for member in run.members]
    else:
        names = (*MADE_OF, files.LINEAR_FILE) if run.is_linear else MADE_OF
        if run.dataset.has_several:
            names = (*names, files.THRESHOLDS_FILE)
        made_of = {name: run.checksums.get(name) for name in names}
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


@contextlib.contextmanager
def partials_of(places: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """Makes a temporary folder beside each place; removes those left at the end."""
    partials = {
        name: place.with_name(f".{place.name}.{os.getpid()}")
        for name, place in places.items()
    }
    try:
        for partial in partials.values():
            shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
            partial.mkdir(parents=True)
        yield partials
    finally:
        for partial in partials.values():
            shutil.rmtree(partial, ignore_errors=True)


def put(partial: Path, place: Path) -> None:
    """Renames a finished artefact to its place, and removes an earlier one."""
    for path in partial.rglob("*"):
        if path.is_file():
            sync(path)
    old = place.with_name(f"{partial.name}.old")
    if place.exists():
        place.rename(old)
    partial.rename(place)
    shutil.rmtree(old, ignore_errors=True)
