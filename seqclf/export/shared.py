"""A run as others may have it: without anything of this machine or of the texts."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from seqclf.config import RunConfig
from seqclf.data.layout import STANDARD_INPUT
from seqclf.data.load import DEMO
from seqclf.errors import RunError
from seqclf.marker import RUN, begin
from seqclf.records.plain import to_plain
from seqclf.records.training import Complete
from seqclf.runs import Run
from seqclf.runs.files import COMPLETE_FILE, ENVIRONMENT_FILE, MAY_CHANGE, SHARED
from seqclf.runs.manifest import digests
from seqclf.storage import strict_json, write_json

JSON = ".json"
OF_MACHINES = {ENVIRONMENT_FILE: "node"}  # a field that names one


def write_shared(run: Run, folder: Path) -> Run:
    """Writes a copy of a finished run, of the files of `SHARED`, into an empty folder.

    Folders of this machine are left out of what it says of its data and of what it
    began with, `/home/me/reviews.csv` becomes `reviews.csv`, and so is the name of the
    machine that trained it. Everything else is as it
    was, and so are the answers.

    Returns:
      The copy, a finished run itself, with checksums of its own.

    Raises:
      RunError: If the run is damaged, or a folder of this machine is still named.
    """
    begin(folder, RUN)
    for name in sorted(set(run.checksums) & set(SHARED)):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run.file(name), place)
    folders = _folders(run)
    for file in sorted(folder.glob(f"*{JSON}")):
        said = _without(strict_json(file.read_text("utf-8")), folders)
        if file.name in OF_MACHINES:
            said.pop(OF_MACHINES[file.name], None)
        _refuse_private(file, said)
        write_json(file, said)
    asked = run.complete
    files = digests(folder, MAY_CHANGE)
    said = Complete(command=asked.command, time=asked.time, files=files)
    write_json(folder / COMPLETE_FILE, to_plain(said))
    return Run(folder)


def _folders(run: Run) -> list[str]:
    """Returns the folders, as texts with a separator behind, that a run names."""
    found = set()
    for path in _paths(run.config, run.dataset.revision is not None):
        for one in (path, path.absolute(), path.resolve()):
            if (parent := one.parent) not in (Path(), Path(parent.anchor)):
                found.add(f"{parent}{os.sep}")
    return sorted(found, key=len, reverse=True)


def _paths(config: RunConfig, is_of_hub: bool) -> Iterable[Path]:
    start, source = config.start, config.data.source
    named: list[str | None] = [start.vectors, start.init_from, config.training.teach]
    if not is_of_hub and source not in (DEMO, STANDARD_INPUT):
        named.append(source)
    return [Path(one) for one in named if one]


def _without(value: Any, folders: Sequence[str]) -> Any:
    """Returns a value of JSON whose texts name files without these folders."""
    if isinstance(value, dict):
        return {key: _without(one, folders) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, folders) for one in value]
    if isinstance(value, str):
        for folder in folders:
            value = re.sub(rf"(?<![\w/.-]){re.escape(folder)}", "", value)
    return value


def _refuse_private(file: Path, said: Any) -> None:
    """Refuses what still names the user's own folder, or the one this runs in."""
    own = {str(one) for one in (Path.home(), Path.cwd()) if one != Path(one.anchor)}
    for text in _texts(said):
        for folder in own:
            if re.search(rf"{re.escape(folder)}(?![\w.-])", text):
                raise RunError(
                    f"nothing was pushed: {file.name} would tell others of {folder}, "
                    f"a folder of this machine, in {text[:80]!r}. Train from a file in "
                    f"the folder that you work in, named without that folder."
                )


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []
