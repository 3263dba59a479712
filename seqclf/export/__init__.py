"""A run becomes artefacts that leave its directory, checked before they stand."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.classifier import Classifier
from seqclf.data.dataset import TEST
from seqclf.engine import Task, run_tasks
from seqclf.errors import RunError
from seqclf.export.card import About, model_card
from seqclf.export.formats import FORMATS
from seqclf.export.portable import portable_json
from seqclf.export.texts import own_data, verification_texts
from seqclf.export.verify import Agreement, Check, verify
from seqclf.metrics import accuracy
from seqclf.model.scoring import batched_logits
from seqclf.records.plain import to_plain
from seqclf.records.training import Report
from seqclf.runs import Run
from seqclf.runs.run import (
    CONFIG_FILE,
    DATASET_FILE,
    LABELS_FILE,
    METRICS_FILE,
    MODEL_FILE,
    ONNX_FILE,
    TOKENIZER_FILE,
    VOCABULARY_FILE,
)
from seqclf.storage import read_object, write_json, write_text
from seqclf.system import sync
from seqclf.text.batching import sorted_order
from seqclf.text.encoding import EncodedDataset

__all__ = ["FORMATS", "About", "Artefact", "export"]

EXPORT_FILE, CARD_FILE = "export.json", "README.md"
SCORING_BATCH = 64
# Files of a run that an artefact, with its card, is made of.
MADE_OF = (
    CONFIG_FILE, DATASET_FILE, LABELS_FILE, METRICS_FILE, MODEL_FILE, ONNX_FILE,
    TOKENIZER_FILE, VOCABULARY_FILE,
)  # fmt: skip
# Why an artefact that stands there is not the one that is asked for.
OF_ANOTHER = {
    "format": "it is of another format",
    "run_sha256": "it is of another run, or of an earlier version of seqclf",
    "about": "its card names another --license or --language",
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """An artefact that was checked and stands.

    Attributes:
      format: A key of `FORMATS`.
      path: Its folder.
      record: What its `export.json` holds.
      is_reused: Whether it stood there before.
    """

    format: str
    path: Path
    record: Mapping[str, Any]
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class _Build:
    """What a child process shall write.

    Attributes:
      run: Directory of the run.
      folders: An empty folder for each format.
    """

    run: Path
    folders: Mapping[str, Path]


def export(
    run: Run,
    places: Mapping[str, Path],
    about: About,
    cache: Path,
    overwrite: bool = False,
) -> Iterator[Artefact]:
    """Writes a run in other formats, each whole and checked or not at all.

    A process of its own writes the models, so that no library of it stays here, and a
    fresh one opens each, see `verify`. One that stands there already, of this very run,
    with these settings and as it was written, is left as it is.

    Args:
      run: A finished run.
      places: The folder of the artefact for each format.
      about: What the model cards shall say of licence and languages.
      cache: Folder of the encoded data sets; test texts of the run are taken from
        there if it still holds them.
      overwrite: Whether an artefact that stands at its place may be replaced.

    Yields:
      The artefacts, as they are found, or checked and put in their places.

    Raises:
      RunError: If a place is taken, or an artefact cannot be made, opened, or differs
        too much; what was yielded before stands.
    """
    run.require_scores()  # the model card names them
    there = {n: _record_of(p) for n, p in places.items() if os.path.lexists(p)}
    if not overwrite:
        for name, record in there.items():
            _refuse_another(run, name, places[name], record, about)
        for name, record in there.items():
            yield Artefact(name, places[name], record, is_reused=True)
    left = {n: p for n, p in places.items() if overwrite or n not in there}
    if left:
        yield from _export(run, left, about, cache)


def _export(
    run: Run, places: Mapping[str, Path], about: About, cache: Path
) -> Iterator[Artefact]:
    """Writes artefacts and checks them; what stands at their places is replaced."""
    own = own_data(run, cache)
    texts, num_own = verification_texts(run, own)
    expected = Classifier.open(run).predict_proba(texts)
    with _partials(places) as partials:
        _build(_Build(run.path, partials))
        for name, partial in partials.items():
            write_common(run, partial)
            agreement = verify([Check(name, partial, texts, expected, run.labels)])[0]
            cost = _cost(run, partial, own) if FORMATS[name].is_lossy else {}
            write_text(partial / CARD_FILE, model_card(run, name, agreement, about))
            record = _record(run, name, agreement, partial)
            record |= {"own_texts": num_own, "about": asdict(about)} | cost
            write_json(partial / EXPORT_FILE, record)
            _put(partial, places[name])
            yield Artefact(name, places[name], record)


def _record_of(place: Path) -> dict[str, Any]:
    """Returns the `export.json` of an artefact.

    Raises:
      RunError: If what is there is none, or a link to one.
    """
    file = place / EXPORT_FILE
    is_plain = file.is_file() and not place.is_symlink()
    record = read_object(file) if is_plain else {}
    if not isinstance(record.get("sha256"), dict) or "seqclf_version" not in record:
        raise RunError(f"{place} is there and no artefact; choose another --output.")
    return record


def _refuse_another(
    run: Run, name: str, place: Path, record: Mapping[str, Any], about: About
) -> None:
    """Raises unless the artefact that stands there is the one that is asked for."""
    card = {"license": about.license, "languages": list(about.languages)}
    asked = {"format": name, "run_sha256": _run_digest(run), "about": card}
    reasons = [OF_ANOTHER[key] for key in asked if record.get(key) != asked[key]]
    reasons += [
        f"its {file} is not as it was written"
        for file, digest in record["sha256"].items()
        if not (place / file).is_file() or _sha256(place / file) != digest
    ]
    if reasons:
        raise RunError(
            f"{place} already holds another artefact: {reasons[0]}; pass --overwrite "
            f"to replace it, or choose another --output."
        )


def _run_digest(run: Run) -> str:
    """Returns a hash of what an artefact is made of, as 64 hexadecimal digits."""
    checksums = run.checksums
    made_of = {name: checksums.get(name) for name in MADE_OF}
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


@contextlib.contextmanager
def _partials(places: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
    """Makes a folder beside each place; what is left of them at the end is removed."""
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


def _build(build: _Build) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        outcome = next(run_tasks([Task(build_models, build, log)]))
    if outcome.error is not None:
        raise RunError(outcome.error.removesuffix(f" (see {log})"))


def build_models(build: _Build, report: Report) -> None:
    """Writes the models; made to be called in a process of its own.

    Args:
      build: What to write.
      report: Not told of anything.
    """
    # Before TensorFlow: what is traced where there is a GPU may run nowhere else.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    for name, folder in build.folders.items():
        FORMATS[name].write(Run(build.run), folder)


def write_common(run: Run, folder: Path) -> None:
    """Writes what stands between a model and a text: vocabulary, labels and rules."""
    for name in (VOCABULARY_FILE, LABELS_FILE):
        shutil.copyfile(run.file(name), folder / name)
    write_text(folder / TOKENIZER_FILE, portable_json(run.config.text))


def _cost(run: Run, folder: Path, own: EncodedDataset | None) -> dict[str, Any]:
    """Returns what coarser weights cost: both accuracies, if the data is still here."""
    if own is None:
        return {"test": None}
    from seqclf.model.onnx_graph import onnx_predict

    test = own.splits[TEST]
    logits = batched_logits(
        onnx_predict(str(folder / ONNX_FILE)),
        test,
        sorted_order(test.lengths, SCORING_BATCH, None),
        len(run.labels),
    )
    kept = ("n", "accuracy", "accuracy_low", "accuracy_high")
    before = {key: getattr(run.metrics[TEST], key) for key in kept}
    after = accuracy(np.asarray(test.label_ids) == logits.argmax(axis=1))
    return {"test": {"run": before, "artefact": to_plain(after)}}


def _record(run: Run, name: str, agreement: Agreement, folder: Path) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "format": name,
        "run": run.name,
        "run_sha256": _run_digest(run),
        "seqclf_version": version("seqclf"),
        **asdict(agreement),
        "bound": FORMATS[name].bound,
        "bytes": sum(path.stat().st_size for path in files),
        "sha256": {
            path.relative_to(folder).as_posix(): _sha256(path) for path in files
        },
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put(partial: Path, place: Path) -> None:
    """Renames a whole artefact to its place, over an earlier one."""
    for path in partial.rglob("*"):
        if path.is_file():
            sync(path)
    old = place.with_name(f"{partial.name}.old")
    if place.exists():
        place.rename(old)
    partial.rename(place)
    shutil.rmtree(old, ignore_errors=True)
