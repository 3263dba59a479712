"""Checks of what a run says of itself, against what can be known without training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import TypeVar

from seqclf import config as settings
from seqclf.classroom.agreement import AGREES, differs, same
from seqclf.classroom.case import Case
from seqclf.config import RunConfig, twin
from seqclf.errors import RunError, SeqclfError
from seqclf.records.classroom import Assignment, Finding, Student
from seqclf.records.dataset import DatasetInfo
from seqclf.runs import Run, files
from seqclf.runs.manifest import DamagedError, check
from seqclf.storage import strict_object
from seqclf.text.batching import training_batches
from seqclf.text.tokens import rules_to_json
from seqclf.training.proof import (
    digest,
    optimizer_of,
    proof_of_data,
    proof_of_weights,
    shortened,
    watched,
)

T = TypeVar("T")
FILES, ASSIGNMENT, DATA = "files", "assignment", "data"
RECORDS = ("config", "dataset", "environment", "proof", "metrics", "history", "labels")


def of_files(run: Run) -> Finding:
    """Checks that all files are there, as `complete` has them, and can be read."""
    try:
        for name in run.checksums:
            _check(run, name)
        for record in RECORDS:
            getattr(run, record)
        if run.config.model.baseline is None:
            run.file(files.MODEL_FILE)
    except SeqclfError as error:
        return differs(FILES, "the files of a finished run", str(error))
    return Finding(what=FILES, result=AGREES)


def _check(run: Run, name: str) -> None:
    try:
        check(run.path, name, run.checksums)
    except DamagedError as error:
        raise RunError(f"{name} {error}") from error


def student_of(run: Run, assignment: Assignment) -> Student | None:
    """Returns the student whose cell and seed a run has, as far as it can be read."""
    try:
        config = run.config
    except SeqclfError:
        return None
    own = (config.model.cell, config.training.seed)
    return next((s for s in assignment.students if (s.cell, s.seed) == own), None)


def of_assignment(run: Run, assignment: Assignment, student: Student | None) -> Finding:
    """Checks that the config is that of the assignment, with a student's seed."""
    config = run.config
    cell, seed = config.model.cell, config.training.seed
    if student is None:
        came = f"cell {cell}, seed {seed}"
        return differs(ASSIGNMENT, "cell and seed of a student", came)
    asked = twin(settings.of_run(assignment.recipe), cell, seed)
    return _of_question(asked, run, assignment.fingerprint)


def _of_question(asked: RunConfig, run: Run, fingerprint: str) -> Finding:
    names = [line.split(": ")[0] for line in settings.differences(asked, run.config)]
    both = [settings.flat(settings.to_dict(one)) for one in (asked, run.config)]
    expected, came = ({name: one[name] for name in names} for one in both)
    fingerprints = "fingerprint of the data"
    expected |= {fingerprints: fingerprint}
    return same(ASSIGNMENT, expected, came | {fingerprints: run.dataset.fingerprint})


def of_data(run: Run, about: DatasetInfo) -> Finding:
    """Checks that a run was trained on the data that is here."""
    named = ("fingerprint", "labels", "sizes", "label_counts")
    expected, came = (
        {n: getattr(one, n) for n in named} for one in (about, run.dataset)
    )
    return same(DATA, expected, came)


def of_text(case: Case) -> Iterator[Finding]:
    """Checks labels, vocabulary and rules, which say what the numbers mean."""
    data, text = case.data, case.config.text
    vocabulary = _readable(files.VOCABULARY_FILE, lambda: case.run.vocabulary)
    rules = _readable(files.TOKENIZER_FILE, lambda: _rules(case.run))
    yield same(files.LABELS_FILE, data.labels, case.run.labels)
    both = [digest(one.to_text().encode()) for one in (data.vocabulary, vocabulary)]
    yield same(files.VOCABULARY_FILE, both[0], both[1])
    # Through JSON and back, as tuples are lists there.
    here = strict_object(json.dumps(rules_to_json(text.reading)))
    yield same(files.TOKENIZER_FILE, here, rules)


def _rules(run: Run) -> dict[str, object]:
    return strict_object(run.file(files.TOKENIZER_FILE).read_text("utf-8"))


def _readable(name: str, read: Callable[[], T]) -> T:
    """Reads a file of a run that anybody may have written."""
    try:
        return read()
    except (ValueError, RecursionError) as error:
        raise RunError(f"{name} cannot be read ({error})") from error


def of_proof(case: Case) -> Iterator[Finding]:
    """Checks `proof.json`: what twins share follows from data, config and seed."""
    proof, training = case.run.proof, case.training
    yield same("splits", proof_of_data(case.data), proof.splits)
    vocabulary = digest(case.data.vocabulary.to_text().encode())
    yield same("vocabulary", vocabulary, proof.vocabulary)
    if not case.otherwise:  # else drawn weights may differ in their last bits
        drawn = proof_of_weights(training.model)
        yield same("initial weights, by hash", drawn, proof.initial_weights)
    yield same("optimizer", optimizer_of(training.model), proof.training)
    batches = tuple(_batches(case, epoch + 1) for epoch in range(len(proof.batches)))
    yield same("batches", batches, proof.batches)


def of_epochs(case: Case) -> Iterator[Finding]:
    """Checks that the training stopped where the recipe stops it, and what is best."""
    most, patience = len(case.training.steps), case.training.config.patience
    best, last = 0, 0
    losses = [epoch.validation_loss for epoch in case.history]
    for last in range(1, len(losses) + 1):
        if not best or losses[last - 1] < losses[best - 1]:
            best = last
        if last == most or last - best >= patience:
            break
    has_end = last == most or last - best >= patience
    expected = f"{last} epochs" if has_end else f"more than {last} epochs"
    numbers = [epoch.epoch for epoch in case.history]
    yield same("epochs", expected, f"{len(numbers)} epochs")
    yield same("numbers of the epochs", [*range(1, last + 1)], numbers)
    yield same("hashes of batches", last, len(case.run.proof.batches))
    said = case.run.environment
    yield same("best epoch", (best, last), (said.best_epoch, said.epochs))


def _batches(case: Case, epoch: int) -> str:
    """Returns the hash of the batches of an epoch, without training on them."""
    seen = hashlib.sha256()
    training = case.training
    for _ in watched(training_batches(training.train, training.config, epoch), seen):
        pass
    return shortened(seen)
