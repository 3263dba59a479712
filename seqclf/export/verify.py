"""Exports are opened again, without this code, and compared with their run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.errors import RunError
from seqclf.export.formats import FORMATS, checking_code, loading_code
from seqclf.model.onnx_graph import TELEMETRY_VARIABLE
from seqclf.training.timing import SINGLE_TEXTS

SHOWN_ERROR = 500  # characters of the last line that a failed process wrote


@dataclass(frozen=True, slots=True)
class Check:
    """One artefact to be compared.

    Attributes:
      format: Its format, a key of `FORMATS`.
      folder: Where it lies.
      texts: What it is asked.
      expected: The run's own probabilities, float32 [texts, labels].
      labels: The run's label names.
    """

    format: str
    folder: Path
    texts: Sequence[str]
    expected: np.ndarray
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How an artefact answers, compared with its run.

    Attributes:
      texts: Texts compared.
      greatest_difference: Of any probability of any text; a fraction.
      label_agreement: Fraction of the texts that get the same label.
      milliseconds_per_text: Median, from a text to its label, one text at a time.
    """

    texts: int
    greatest_difference: float
    label_agreement: float
    milliseconds_per_text: float


def verify(checks: Sequence[Check]) -> list[Agreement]:
    """Opens artefacts in one fresh process, without seqclf, and compares them.

    Each is opened by the very code that its model card shows.

    Args:
      checks: The artefacts.

    Returns:
      How each agrees with its run, within its format's bound.

    Raises:
      RunError: If one cannot be opened, or differs by more than its bound.
    """
    with tempfile.TemporaryDirectory() as folder:
        jobs = [_write_job(Path(folder) / str(i), c) for i, c in enumerate(checks)]
        _run_fresh(Path(folder), jobs)
        answers = [json.loads(Path(job["answers"]).read_text("utf-8")) for job in jobs]
    return [compared(*pair) for pair in zip(checks, answers, strict=True)]


def _write_job(folder: Path, check: Check) -> dict[str, Any]:
    folder.mkdir()
    files = {name: folder / f"{name}.json" for name in ("texts", "answers")}
    files["loader"] = folder / "loader.py"
    files["texts"].write_text(json.dumps(list(check.texts)), "utf-8")
    files["loader"].write_text(loading_code(check.format), "utf-8")
    paths = {name: str(path) for name, path in files.items()}
    return paths | {"folder": str(check.folder.resolve()), "timed": SINGLE_TEXTS}


def _run_fresh(folder: Path, jobs: list[dict[str, Any]]) -> None:
    script, listed = folder / "check.py", folder / "jobs.json"
    script.write_text(checking_code(), "utf-8")
    listed.write_text(json.dumps(jobs), "utf-8")
    # -I: neither the current folder nor PYTHONPATH; so seqclf is not at hand. Without
    # a GPU, for that is where the run's own answers come from.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    quiet |= {TELEMETRY_VARIABLE: "1"}
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(listed)],
        env=os.environ | quiet | {"CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        told = lines[-1][:SHOWN_ERROR]
        raise RunError(f"the export could not be opened again: {told}")


def compared(check: Check, answers: dict[str, Any]) -> Agreement:
    """Compares the answers of an artefact with the run's own.

    Args:
      check: The artefact.
      answers: What `loaders/check.py.txt` writes.

    Raises:
      RunError: If it differs by more than its format's bound, gives a label that its
        probabilities do not, or was not opened without seqclf.
    """
    name, bound = check.format, FORMATS[check.format].bound
    probabilities = np.array(answers["probabilities"], np.float64)
    if answers["project_modules"]:
        raise RunError(f"{name} was opened with seqclf loaded; it must do without.")
    if probabilities.shape != check.expected.shape:
        raise RunError(
            f"{name} gave probabilities of shape {probabilities.shape}, the run gives "
            f"{check.expected.shape}."
        )
    if _labels(probabilities, check.labels) != answers["labels"]:
        raise RunError(f"{name} gave labels that its own probabilities do not give.")
    # Not `>`: a probability that is no number is no agreement either.
    difference = float(np.abs(probabilities - check.expected).max())
    if not difference <= bound:
        raise RunError(
            f"{name} differs from the run by {difference:.2g} in a probability, more "
            f"than the {bound:g} it may; nothing was written."
        )
    same = probabilities.argmax(axis=1) == check.expected.argmax(axis=1)
    return Agreement(
        texts=len(check.texts),
        greatest_difference=difference,
        label_agreement=float(same.mean()),
        milliseconds_per_text=float(answers["milliseconds_per_text"]),
    )


def _labels(probabilities: np.ndarray, labels: tuple[str, ...]) -> list[str]:
    return [labels[i] for i in probabilities.argmax(axis=1)]
