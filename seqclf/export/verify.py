"""Opens exports in a process without seqclf and compares them with their run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqclf.errors import RunError
from seqclf.export.formats import FORMATS
from seqclf.export.loading import checking_code
from seqclf.model.onnx_graph import TELEMETRY_VARIABLE
from seqclf.records.export import Agreement
from seqclf.records.plain import from_plain, to_plain
from seqclf.several import applying
from seqclf.training.timing import SINGLE_TEXTS

SHOWN_ERROR = 500  # characters of the last line that a failed process wrote


@dataclass(frozen=True, slots=True)
class Check:
    """One artefact to be compared, of a format of `FORMATS`.

    `expected` are the run's own probabilities of the texts, float32 [texts, labels];
    `code` opens it, see `loading.code_of`. Where a text may have several labels,
    `thresholds` are the run's, float32 [labels].
    """

    format: str
    folder: Path
    texts: Sequence[str]
    expected: np.ndarray
    labels: tuple[str, ...]
    code: str
    thresholds: np.ndarray | None = None

    def answers(self, probabilities: np.ndarray) -> list[str | list[str]]:
        """What such probabilities, float32 [texts, labels], say of each text."""
        if self.thresholds is None:
            return [self.labels[i] for i in probabilities.argmax(axis=1)]
        ids, counts = applying(probabilities, self.thresholds)
        parts = np.split(ids, np.cumsum(counts))[:-1]
        return [[self.labels[i] for i in part] for part in parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What `loaders/check.py.txt` reads: paths, and how many texts to time."""

    loader: str
    folder: str
    texts: str
    answers: str
    timed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What `loaders/check.py.txt` writes: of each text the label and probabilities.

    Where it may have several labels, a list of them is there in place of one. The time
    is a median, one text at a time; `project_modules` are those of seqclf that were
    loaded.
    """

    labels: list[str | list[str]]
    probabilities: list[list[float]]
    milliseconds_per_text: float
    project_modules: list[str]


def verify(checks: Sequence[Check]) -> list[Agreement]:
    """Opens artefacts in one fresh process, without seqclf, and compares them.

    Each is opened by the code that its model card shows.

    Raises:
      RunError: If one cannot be opened, or differs by more than its bound.
    """
    with tempfile.TemporaryDirectory() as folder:
        jobs = [_write_job(Path(folder) / str(i), c) for i, c in enumerate(checks)]
        _run_fresh(Path(folder), jobs)
        texts = [Path(job.answers).read_text("utf-8") for job in jobs]
    answers = [from_plain(Answers, json.loads(text)) for text in texts]
    return [compared(*pair) for pair in zip(checks, answers, strict=True)]


def _write_job(folder: Path, check: Check) -> _Job:
    folder.mkdir()
    texts, loader = folder / "texts.json", folder / "loader.py"
    texts.write_text(json.dumps(list(check.texts)), "utf-8")
    loader.write_text(check.code, "utf-8")
    return _Job(
        loader=str(loader),
        folder=str(check.folder.resolve()),
        texts=str(texts),
        answers=str(folder / "answers.json"),
        timed=SINGLE_TEXTS,
    )


def _run_fresh(folder: Path, jobs: list[_Job]) -> None:
    script, listed = folder / "check.py", folder / "jobs.json"
    script.write_text(checking_code(), "utf-8")
    listed.write_text(json.dumps(to_plain(jobs)), "utf-8")
    # -I: neither the current folder nor PYTHONPATH, so seqclf cannot be imported.
    # Without a GPU, as the run's own answers are computed.
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


def compared(check: Check, answers: Answers) -> Agreement:
    """Compares the answers of an artefact with the run's own.

    Raises:
      RunError: If it differs by more than its format's bound, gives labels that its
        probabilities do not, or was not opened without seqclf. So of several labels one
        can differ only where its probability is within that bound of its threshold.
    """
    name, bound = check.format, FORMATS[check.format].bound
    probabilities = np.array(answers.probabilities, np.float64)
    if answers.project_modules:
        raise RunError(f"{name} was opened with seqclf loaded; it must do without.")
    if probabilities.shape != check.expected.shape:
        raise RunError(
            f"{name} gave probabilities of shape {probabilities.shape}, the run gives "
            f"{check.expected.shape}."
        )
    if check.answers(probabilities) != answers.labels:
        raise RunError(f"{name} gave labels that its own probabilities do not give.")
    # Not `>`: NaN is no agreement either.
    difference = float(np.abs(probabilities - check.expected).max())
    if not difference <= bound:
        raise RunError(
            f"{name} differs from the run by {difference:.2g} in a probability, more "
            f"than the {bound:g} it may; nothing was written."
        )
    pairs = zip(answers.labels, check.answers(check.expected), strict=True)
    same = [_as_set(one) == _as_set(other) for one, other in pairs]
    return Agreement(
        texts=len(check.texts),
        greatest_difference=difference,
        label_agreement=float(np.mean(same)),
        milliseconds_per_text=answers.milliseconds_per_text,
    )


def _as_set(answer: str | list[str]) -> set[str]:
    return {answer} if isinstance(answer, str) else {*answer}
