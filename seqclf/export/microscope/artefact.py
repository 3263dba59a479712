"""Writes the page of several runs, checked before it is put in its place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from seqclf.classifier import Classifier
from seqclf.errors import RunError
from seqclf.export.artefacts import EXPORT_FILE
from seqclf.export.making import alone, partials_of, put, run_digest
from seqclf.export.microscope import weights
from seqclf.export.microscope.page import Shown, page
from seqclf.export.microscope.sentences import Sentence, sentences
from seqclf.export.microscope.twins import refuse_unfit
from seqclf.export.microscope.weights import FLOAT32, INT8
from seqclf.export.texts import own_data, verification_texts
from seqclf.model.keras_file import open_keras
from seqclf.records.export import MicroscopeRecord, TwinAgreement
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.training import Report
from seqclf.runs import Run
from seqclf.runs.files import MODEL_FILE
from seqclf.runs.manifest import digests
from seqclf.storage import read_object, write_json, write_text

MICROSCOPE, MICROSCOPE_FILE = "microscope", "microscope.html"
MOST_CHARACTERS = 10_000_000  # of weights in float32; more are held in int8
# Of a probability, by how token vectors are held: as the other formats may differ.
BOUNDS = {FLOAT32: 1e-5, INT8: 0.05}


@dataclass(frozen=True, slots=True, kw_only=True)
class Microscope:
    """A page with runs in it: its folder, its record, and whether it existed before."""

    path: Path
    record: MicroscopeRecord
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """A page in the making: its HTML, and what its record will say."""

    html: str
    vectors: weights.Kind
    twins: tuple[TwinAgreement, ...]
    own_texts: int
    sentences: int


def export_microscope(
    runs: Sequence[Run], place: Path, cache: Path, overwrite: bool = False
) -> Microscope:
    """Writes the page of runs with its record, whole and checked or not at all.

    The weights, as they stand in the page, are put back into networks and compared
    with the runs on more than 200 texts. A page of the same runs that is there already,
    unchanged, is reused.

    Args:
      runs: Finished runs that read alike; the page shows them in this order.
      place: The folder of the page and its record.
      cache: Folder of the encoded data sets, where test texts are taken from.
      overwrite: Whether another page may be replaced.

    Raises:
      RunError: If the runs do not fit together, cannot be shown, or differ too much in
        the page; or the place is taken.
    """
    refuse_unfit(runs)
    if os.path.lexists(place):
        record = _record_of(place)
        if not overwrite:
            _refuse_another(runs, place, record)
            return Microscope(path=place, record=record, is_reused=True)
    made = _made_of(runs, cache)
    with partials_of({MICROSCOPE: place}) as partials:
        folder = partials[MICROSCOPE]
        write_text(folder / MICROSCOPE_FILE, made.html)
        record = MicroscopeRecord(
            runs_sha256=tuple(map(run_digest, runs)),
            seqclf_version=version("seqclf"),
            vectors=made.vectors,
            bound=BOUNDS[made.vectors],
            bytes=(folder / MICROSCOPE_FILE).stat().st_size,
            sha256=digests(folder, frozenset()),
            own_texts=made.own_texts,
            sentences=made.sentences,
            twins=made.twins,
        )
        write_json(folder / EXPORT_FILE, to_plain(record))
        put(folder, place)
    return Microscope(path=place, record=record)


def write_microscope(runs: Sequence[Run], file: Path, cache: Path) -> None:
    """Writes the page alone, checked likewise; an earlier one is replaced.

    Raises:
      RunError: As `export_microscope`.
    """
    refuse_unfit(runs)
    write_text(file, _made_of(runs, cache).html)


def read_weights(paths: Sequence[Path], report: Report) -> list[dict[str, np.ndarray]]:
    """Returns the weights of runs; for a subprocess, and does not use `report`."""
    opened = [(Run(path), open_keras(Run(path).file(MODEL_FILE))) for path in paths]
    return [weights.weights_of(model, run.config.model) for run, model in opened]


def _made_of(runs: Sequence[Run], cache: Path) -> _Made:
    own = own_data(runs[0], cache)
    texts, num_own = verification_texts(runs[0], own)
    found = alone(read_weights, [run.path for run in runs])
    fits = sum(map(weights.bytes_of, found)) <= MOST_CHARACTERS
    kind = FLOAT32 if fits else INT8
    shown = []
    for run, values in zip(runs, found, strict=True):
        packed = weights.packed(values, kind)
        agreement = compared(run, weights.unpacked(packed), texts, BOUNDS[kind])
        shown.append(Shown(run, packed, agreement))
    chosen: list[Sentence] = sentences(runs, own) if own else []
    html = page(shown, kind, chosen)
    agreements = tuple(one.agreement for one in shown)
    return _Made(html, kind, agreements, num_own, len(chosen))


def compared(
    run: Run, values: weights.Weights, texts: Sequence[str], bound: float
) -> TwinAgreement:
    """Compares a network of these weights with the run that they are of.

    Raises:
      RunError: If a probability differs by more than the bound.
    """
    classifier = Classifier.open(run)
    predict = weights.predict_of(values, run.config.model)
    expected = classifier.predict_proba(texts)
    again = Classifier(
        predict, classifier.vocabulary, classifier.text, classifier.labels
    ).predict_proba(texts)
    # Not `>`: NaN is no agreement either.
    difference = float(np.abs(again - expected).max())
    if not difference <= bound:
        raise RunError(
            f"{run.name} would differ in the page by {difference:.2g} in a "
            f"probability, more than the {bound:g} it may; nothing was written."
        )
    return TwinAgreement(
        run=run.name,
        cell=run.config.model.cell,
        texts=len(texts),
        greatest_difference=difference,
        other_labels=int((again.argmax(axis=1) != expected.argmax(axis=1)).sum()),
    )


def _record_of(place: Path) -> MicroscopeRecord:
    """Returns the `export.json` of a page; refuses other folders, and links."""
    file = place / EXPORT_FILE
    is_plain = file.is_file() and not place.is_symlink()
    try:
        return from_plain(MicroscopeRecord, read_object(file) if is_plain else {})
    except ValueError as error:
        raise RunError(
            f"{place} exists and is no microscope; choose another --output."
        ) from error


def _refuse_another(runs: Sequence[Run], place: Path, record: MicroscopeRecord) -> None:
    """Raises unless an existing page is the one that is asked for."""
    reason = None
    if record.sha256 != digests(place, frozenset((EXPORT_FILE,))):
        reason = "its files are not as they were written"
    if record.runs_sha256 != tuple(map(run_digest, runs)):
        reason = "it is of other runs"
    if reason:
        raise RunError(
            f"{place} already holds another microscope: {reason}; pass --overwrite to "
            f"replace it, or choose another --output."
        )
