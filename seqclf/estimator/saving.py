"""What a saved classifier has beside a run's files, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.errors import InputError, RunError, unknown
from seqclf.estimator.inputs import names_of
from seqclf.marker import RUN, is_ours
from seqclf.records.plain import from_plain, to_plain
from seqclf.runs import Run
from seqclf.storage import strict_json, write_json

ESTIMATOR_FILE = "estimator.json"  # beside a run's files: parameters and classes

# Types of class labels that JSON has: strings, booleans and numbers.
LABEL_TYPES = re.compile(r"[OU]|[<>|][biuf][1248]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saved:
    """What `estimator.json` has: parameters, sorted labels and their numpy type."""

    parameters: dict[str, Any]
    classes: list[str | bool | int | float]
    dtype: str


def refuse_labels(classes: np.ndarray) -> None:
    """Refuses labels that a file could not give back."""
    name = _type_name(classes)
    texts = name != "O" or isinstance(classes[0], str)
    if not (texts and LABEL_TYPES.fullmatch(name)):
        raise InputError(
            f"labels of type {type(classes[0]).__name__} cannot be saved; fit with "
            f"strings or numbers."
        )
    for name in names_of(classes):
        if name.splitlines() != [name]:
            raise InputError(f"the label {name!r} cannot be saved: it is not one line.")


def _type_name(classes: np.ndarray) -> str:
    kind = classes.dtype.kind
    return kind if kind in "OU" else classes.dtype.str


def refuse_to_replace(path: Path, overwrite: bool) -> None:
    """Refuses a path that is taken, unless by a classifier to `overwrite`."""
    if path.is_symlink():
        raise RunError(f"{path} is a link; name the folder itself.")
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_ours(path, RUN) or not (path / ESTIMATOR_FILE).exists():
        raise RunError(f"{path} is there, and no saved classifier; choose another.")
    if not overwrite:
        raise RunError(f"{path} holds a saved classifier; overwrite=True replaces it.")


def write_saved(folder: Path, parameters: dict[str, Any], classes: np.ndarray) -> None:
    """Writes parameters and classes beside a run's files."""
    labels, dtype = classes.tolist(), _type_name(classes)
    saved = _Saved(parameters=parameters, classes=labels, dtype=dtype)
    write_json(folder / ESTIMATOR_FILE, to_plain(saved))


def read_saved(run: Run, names: Collection[str]) -> tuple[dict[str, Any], np.ndarray]:
    """Returns parameters, of these names, and classes of a saved classifier.

    Raises:
      RunError: If the file is damaged, or names another parameter.
    """
    file = run.file(ESTIMATOR_FILE)
    try:
        saved = from_plain(_Saved, strict_json(file.read_text("utf-8")))
        if not LABEL_TYPES.fullmatch(saved.dtype):
            raise ValueError(f"classes of type {saved.dtype}")
        classes = np.array(saved.classes, saved.dtype)
        if names_of(classes) != run.labels:
            raise ValueError("its classes are not the labels of the run")
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{file} is damaged ({error!r}); save it again.") from error
    for name in saved.parameters:
        if name not in names:
            raise RunError(f"in {file}: {unknown('parameter', name, names)}")
    return saved.parameters, classes
