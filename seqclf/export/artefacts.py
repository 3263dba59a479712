"""Writes a run in other formats, each checked before it is put in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seqclf.classifier import Classifier
from seqclf.data.dataset import TEST
from seqclf.errors import RunError
from seqclf.export.card import model_card
from seqclf.export.formats import FORMATS
from seqclf.export.loading import code_of, loading_code
from seqclf.export.making import alone, partials_of, put, run_digest
from seqclf.export.portable import portable_json
from seqclf.export.texts import own_data, verification_texts
from seqclf.export.verify import Check, verify
from seqclf.metrics import accuracy
from seqclf.model.scoring import batched_logits, probabilities_of
from seqclf.records.export import About, ExportRecord, TestCost
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.scores import Accuracy
from seqclf.records.training import Report
from seqclf.runs import AnyRun, Mean, Predictions, Run, files, members_of
from seqclf.runs.manifest import digests
from seqclf.storage import read_object, write_json, write_text
from seqclf.text.batching import sorted_order
from seqclf.text.encoding import EncodedDataset

EXPORT_FILE, CARD_FILE = "export.json", "README.md"
LOADER_FILE = "predict.py"  # in the folders of a mean's members
THRESHOLDS_FILE = "thresholds.txt"  # where a text may have several labels
SCORING_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """An exported model that was compared with its run: its folder and `export.json`.

    `is_reused` tells whether it existed before.
    """

    path: Path
    record: ExportRecord
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class _Build:
    """What the subprocess writes: of a run's folder, a model into each empty folder."""

    run: Path
    folders: Mapping[str, Path]


def export(
    run: AnyRun,
    places: Mapping[str, Path],
    about: About,
    cache: Path,
    overwrite: bool = False,
) -> Iterator[Artefact]:
    """Writes a run in other formats, each whole and checked or not at all.

    A subprocess writes the models, so that its libraries are not loaded here, and
    another opens each, see `verify`. An artefact that exists already, of the same run
    and settings and unchanged, is reused.

    Args:
      run: A finished run, or a mean: its artefact has a folder for each member.
      places: The folder of the artefact for each format.
      about: Licence and languages, for the model cards.
      cache: Folder of the encoded data sets; test texts of the run are taken from
        there if they are still in it.
      overwrite: Whether an existing artefact may be replaced.

    Yields:
      The artefacts that are reused, then each new one.

    Raises:
      RunError: If a place is taken, or an artefact cannot be made, opened, or differs
        too much; those yielded before are kept.
    """
    for member in members_of(run):
        member.require_scores()  # the model card names them
    there = {n: _record_of(p) for n, p in places.items() if os.path.lexists(p)}
    if not overwrite:
        for name, record in there.items():
            _refuse_another(run, name, places[name], record, about)
        for name, record in there.items():
            yield Artefact(path=places[name], record=record, is_reused=True)
    left = {n: p for n, p in places.items() if overwrite or n not in there}
    if left:
        yield from _export(run, left, about, cache)


def _export(
    run: AnyRun, places: Mapping[str, Path], about: About, cache: Path
) -> Iterator[Artefact]:
    """Writes artefacts and checks them; existing ones are replaced."""
    own = own_data(run, cache)
    texts, num_own = verification_texts(run, own)
    expected = Classifier.open(run).predict_proba(texts)
    with partials_of(places) as partials:
        for member, inside in _places_in(run):
            folders = {name: partial / inside for name, partial in partials.items()}
            _build(_Build(member.path, folders))
        for name, partial in partials.items():
            code, least = code_of(run, name), run.thresholds
            check = Check(name, partial, texts, expected, run.labels, code, least)
            record = _finish(run, check, about, own, num_own)
            put(partial, places[name])
            yield Artefact(path=places[name], record=record)


def _places_in(run: AnyRun) -> list[tuple[Run, str]]:
    """Returns the members of a run, and where in the artefact each of them is."""
    members = members_of(run)
    return [(one, one.name if isinstance(run, Mean) else "") for one in members]


def _finish(
    run: AnyRun, check: Check, about: About, own: EncodedDataset | None, num_own: int
) -> ExportRecord:
    """Compares a new artefact with its run, and writes its card and record."""
    name, folder = check.format, check.folder
    for member, inside in _places_in(run):
        write_common(member, folder / inside)
        if inside:
            code = loading_code(name, run.dataset.has_several)
            write_text(folder / inside / LOADER_FILE, code)
    if isinstance(run, Mean):
        write_thresholds(run, folder)  # the mean of its members'
    [agreement] = verify([check])
    write_text(folder / CARD_FILE, model_card(run, name, agreement, about))
    sha256 = digests(folder, frozenset())
    record = ExportRecord(
        **asdict(agreement),
        format=name,
        run=run.name,
        run_sha256=run_digest(run),
        seqclf_version=version("seqclf"),
        bound=FORMATS[name].bound,
        bytes=sum((folder / file).stat().st_size for file in sha256),
        sha256=sha256,
        own_texts=num_own,
        about=about,
        test=_cost(run, folder, own) if own and FORMATS[name].is_lossy else None,
    )
    write_json(folder / EXPORT_FILE, to_json(record))
    return record


def to_json(record: ExportRecord) -> Any:
    """Returns what `export.json` has; `test` only of formats that lose accuracy."""
    values = to_plain(record)
    if not FORMATS[record.format].is_lossy:
        del values["test"]
    return values


def _record_of(place: Path) -> ExportRecord:
    """Returns the `export.json` of an artefact; refuses others, and links."""
    file = place / EXPORT_FILE
    is_plain = file.is_file() and not place.is_symlink()
    values = read_object(file) if is_plain else {}
    try:
        return from_plain(ExportRecord, values)
    except ValueError as error:
        raise RunError(
            f"{place} exists and is no artefact; choose another --output."
        ) from error


def _refuse_another(
    run: AnyRun, name: str, place: Path, record: ExportRecord, about: About
) -> None:
    """Raises unless an existing artefact is the one that is asked for."""
    reasons, there = [], digests(place, frozenset())
    if record.format != name:
        reasons.append("it is of another format")
    if record.run_sha256 != run_digest(run):
        reasons.append("it is of another run, or of an earlier version of seqclf")
    if record.about != about:
        reasons.append("its card names another --license or --language")
    reasons += [
        f"its {file} is not as it was written"
        for file, digest in record.sha256.items()
        if there.get(file) != digest
    ]
    if reasons:
        raise RunError(
            f"{place} already holds another artefact: {reasons[0]}; pass --overwrite "
            f"to replace it, or choose another --output."
        )


def _build(build: _Build) -> None:
    alone(build_models, build)


def build_models(build: _Build, report: Report) -> None:
    """Writes the models; runs in a subprocess, and does not use `report`."""
    for name, folder in build.folders.items():
        folder.mkdir(exist_ok=True)
        FORMATS[name].write(Run(build.run), folder)


def write_common(run: Run, folder: Path) -> None:
    """Writes what a model needs beside it: vocabulary, labels, rules, thresholds."""
    for name in (files.VOCABULARY_FILE, files.LABELS_FILE):
        shutil.copyfile(run.file(name), folder / name)
    write_text(folder / files.TOKENIZER_FILE, portable_json(run.text))
    write_thresholds(run, folder)


def write_thresholds(run: AnyRun, folder: Path) -> None:
    """Writes, a number a line, from which probability on each label applies.

    As many digits as float32 needs to be the same again. Nothing where a text has one
    label.
    """
    if run.thresholds is not None:
        lines = "".join(f"{least!s}\n" for least in run.thresholds)
        write_text(folder / THRESHOLDS_FILE, lines)


def _cost(run: AnyRun, folder: Path, own: EncodedDataset) -> TestCost:
    from seqclf.model.onnx_graph import onnx_predict

    test = own.splits[TEST]
    logits = batched_logits(
        onnx_predict(str(folder / files.ONNX_FILE)),
        test,
        sorted_order(test.lengths, SCORING_BATCH, None),
        len(run.labels),
    )
    before = from_plain(Accuracy, to_plain(run.metrics[TEST]))
    probabilities = probabilities_of(logits, run.dataset.has_several)
    said = Predictions(test.label_ids, probabilities, test.lengths, run.thresholds)
    return TestCost(run=before, artefact=accuracy(said.right))
