"""Runs the notebooks of the docs and writes their outputs into them.

Run as ``python benchmarks/notebooks.py [NOTEBOOK ...]`` (``make notebooks``), a few
minutes. Each runs in an empty folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"


def run(
    notebook: Path, instead: Mapping[str, str] = MappingProxyType({})
) -> nbformat.NotebookNode:
    """Returns a notebook with the outputs of its cells; an error in one is raised.

    What its cells have of `instead` is replaced, to have less to do.
    """
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        for old, new in instead.items():
            cell.source = cell.source.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        # Streams as a whole, however often a cell flushes them.
        NotebookClient(
            content, timeout=900, resources=resources, coalesce_streams=True
        ).execute()
    for cell in content.cells:
        cell.metadata.pop("execution", None)  # moments, which only make differences
        outputs = cell.get("outputs", [])
        # What libraries write while they start is of this machine, and helps nobody.
        kept = [one for one in outputs if one.get("name") != "stderr"]
        if outputs:
            cell.outputs = kept
    return content


def main(names: list[str]) -> None:
    """Writes the outputs of the notebooks that are named, by default of all."""
    os.environ["PYTHONPATH"] = str(FOLDER.parents[1])
    for notebook in sorted(FOLDER.glob("*.ipynb")):
        if not names or notebook.stem in names:
            print(notebook.name, flush=True)
            nbformat.write(run(notebook), notebook)


if __name__ == "__main__":
    main(sys.argv[1:])
