"""The page at `/`: the models under the microscope, or else a list of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import seqclf
from seqclf import offline
from seqclf.errors import RunError
from seqclf.export.microscope import write_microscope
from seqclf.runs import AnyRun, Run


def page_of(runs: Sequence[AnyRun], cache: Path) -> str:
    """Returns the HTML of runs that are served.

    `cache` is the folder of the encoded data sets, which have sentences to choose from.
    """
    single = [run for run in runs if isinstance(run, Run)]
    try:
        if len(single) < len(runs):
            raise RunError("A mean of runs has no states to look at.")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "page.html"
            write_microscope(single, file, cache)
            return file.read_text("utf-8")
    except RunError as error:
        return _list_page(runs, f"The microscope does not show them: {error}")


def _list_page(runs: Sequence[AnyRun], why: str) -> str:
    models = [{"name": run.name, "labels": list(run.labels)} for run in runs]
    return offline.page(
        _file("list.html"),
        title="seqclf serve",
        style="",
        script=_file("list.js"),
        data={"models": models, "why": why, "version": seqclf.__version__},
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")
