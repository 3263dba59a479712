"""Scores a finished run on a split of any data set, matching labels by name."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from seqclf.classifier import Classifier
from seqclf.config import DataConfig
from seqclf.config.checks import require
from seqclf.data import spelling
from seqclf.data.dataset import (
    TEST,
    TRAIN,
    UNLABELED,
    VALIDATION,
    RawData,
    fingerprint_of,
    members_of,
)
from seqclf.data.label_ids import remedy
from seqclf.data.layout import STANDARD_INPUT
from seqclf.data.load import read_source
from seqclf.data.relabel import GONE
from seqclf.data.splits import complete
from seqclf.errors import ConfigError, DataError, SeqclfError, unknown
from seqclf.evaluation.coverage import coverage_of, covered, reaching
from seqclf.records.scores import Coverage, CoveredAccuracy, Scores
from seqclf.runs import AnyRun, Mean, Predictions
from seqclf.text.encoding import LABELLED_SPLITS
from seqclf.unsure import AtLeast, floors_of, refuse_of_several, stands

# Settings that make other rows, labels or groups of the same files.
OF_ROWS = ("drop_unlabeled", "merge_labels", "min_per_label", "other", "group_column")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a run on a split, their source, and notes for the user.

    Attributes:
      coverage: The accuracy on the surest texts; None where a text may have several
        labels.
      answered: The accuracy on those whose answers reach the thresholds that were
        given; None if none does, or none were given.
      reaching: The most texts that are shown to reach a wanted accuracy, see
        `coverage.reaching`; None if none do, or none was wanted.
    """

    split: str
    source: str
    scores: Scores
    notes: tuple[str, ...]
    coverage: Coverage | None
    answered: CoveredAccuracy | None = None
    reaching: CoveredAccuracy | None = None


def evaluate(
    run: AnyRun,
    data: DataConfig,
    split: str,
    at_least: AtLeast | None = None,
    wanted: float | None = None,
) -> Evaluation:
    """Predicts a split of some data, `train`, `validation` or `test`, and scores it.

    The data of the run is divided as in training, so that its test split has no
    training text. Other data is taken as it is, from the columns of the training data
    if it has them and no others are named; a source that has only `train` is evaluated
    whole. `at_least` is what an answer needs to stand, as in `predict --at-least`;
    `wanted` is the accuracy for which to choose that, on validation alone.

    Raises:
      ConfigError: If `split` is no labelled split, or not the one to choose on, a
        threshold is of no label, or the wanted accuracy is none in (0, 1); if either
        is given of a run that gives several labels.
      DataError: If the data has no such split, a label that the run lacks, or several
        labels a text where the run learnt one.
    """
    refuse_of_several(at_least, run.name, run.dataset.has_several)
    floors = floors_of(at_least, run.labels)
    if wanted is not None:
        _refuse_wanted(run, wanted, split)
    table, raw, notes = _read(run, data, split)
    if raw.label_sets is not None and not run.dataset.has_several:
        raise DataError(
            f"{raw.source} has several labels a text, and {run.name} learnt one; "
            f"evaluate it on data with one label, or train a model on such data."
        )
    classifier = Classifier.open(run)
    ids, said = matched(raw.labels, run, data)
    table, label_ids = _true_labels(run, raw, table, ids)
    if not len(label_ids):
        raise DataError(
            f"{raw.source}: {run.name} knows none of the labels in {split}."
        )
    texts = pa.concat_arrays(table["text"].chunks)
    probabilities, lengths = classifier.predict_proba(texts), classifier.lengths(texts)
    asked = (label_ids, probabilities, lengths, classifier.thresholds)
    scores = Predictions(*asked).scores(classifier.labels)
    coverage = answered = reached = None
    if not run.dataset.has_several:
        coverage = coverage_of(label_ids, probabilities)
    if floors is not None:
        answered = covered(label_ids, probabilities, stands(probabilities, floors))
    if wanted is not None:
        reached = reaching(label_ids, probabilities, wanted)
    every = (*notes, *said)
    return Evaluation(split, raw.source, scores, every, coverage, answered, reached)


def _true_labels(
    run: AnyRun, raw: RawData, table: pa.Table, ids: np.ndarray
) -> tuple[pa.Table, np.ndarray]:
    """Returns the rows that the run can be scored on, and their labels, as it has them.

    `ids` are its ids of the names in data, or `GONE`.
    """
    given = table["label"].to_numpy()
    if run.dataset.has_several:
        if (ids == GONE).all():
            given = given[:0]
        return table, _members(raw, ids, len(run.labels))[given]
    label_ids = ids[given]
    is_known = label_ids != GONE
    return table.filter(pa.array(is_known)), label_ids[is_known]


def _members(raw: RawData, ids: np.ndarray, num_labels: int) -> np.ndarray:
    """Returns which labels of the run each label id of data stands for.

    A label that is gone leaves the sets that it is in. Data with one label a text is
    data with sets of one.

    Returns:
      bool [label ids of the data, num_labels].
    """
    singles = tuple((label_id,) for label_id in range(len(raw.labels)))
    sets = raw.label_sets if raw.label_sets is not None else singles
    known = [{int(ids[i]) for i in one} - {GONE} for one in sets]
    return members_of(tuple(tuple(sorted(one)) for one in known), num_labels)


def _refuse_wanted(run: AnyRun, wanted: float, split: str) -> None:
    if run.dataset.has_several:
        raise ConfigError(
            f"--wanted-accuracy chooses a threshold for texts of one label, and a text "
            f"of {run.name} may have several, each with its own; leave it out."
        )
    expected = "a fraction between 0 and 1, such as 0.95"
    require(0 < wanted < 1, "--wanted-accuracy", expected, wanted)
    if split != VALIDATION:
        raise ConfigError(
            f"--wanted-accuracy chooses a threshold, which {split} shall not: add "
            f"--split {VALIDATION}."
        )


def _read(
    run: AnyRun, data: DataConfig, split: str
) -> tuple[pa.Table, RawData, tuple[str, ...]]:
    """Returns texts and labels of the split, what they are of, and notes."""
    if split not in LABELLED_SPLITS:
        raise ConfigError(unknown("split", split, LABELLED_SPLITS))
    raw = _source(run, data)
    content, notes = fingerprint_of(raw), raw.notes
    if content == run.dataset.fingerprint:
        _refuse_own_split(run, split)
        own = complete(raw, run.config.data, content)
        table, notes = own.splits[split], own.notes
    elif split in raw.splits:
        table = raw.splits[split]
    elif set(raw.splits) - {UNLABELED} == {TRAIN}:
        if raw.source == run.dataset.source:
            raise DataError(
                f"{raw.source} has changed since {run.name} was trained on it, so its "
                f"rows cannot be told from training texts; name other data with --data."
            )
        table = raw.splits[TRAIN]
        notes += (f"{raw.source} has no {split} split: all its rows are evaluated.",)
    else:
        raise DataError(f"{raw.source}: {unknown('split', split, raw.splits)}")
    if not table.num_rows:
        raise DataError(f"{raw.source}: its {split} split has no rows.")
    return table, raw, notes


def _refuse_own_split(run: AnyRun, split: str) -> None:
    """Refuses a mean what each of its members has its own of."""
    if isinstance(run, Mean) and not run.has_validation and split != TEST:
        raise ConfigError(
            f"each run of {run.name} drew its own texts, so they have no {split} split "
            f"in common; evaluate it on test, or one run alone."
        )


def _source(run: AnyRun, data: DataConfig) -> RawData:
    """Reads the source; if it is the run's own, with labels and groups as then."""
    usual, default = run.config.data, DataConfig()
    then = {
        name: getattr(usual, name)
        for name in OF_ROWS
        if getattr(data, name) == getattr(default, name)
    }
    as_then = dataclasses.replace(data, **then)
    if as_then != data and data.source != STANDARD_INPUT:  # that is read but once
        with contextlib.suppress(SeqclfError):
            raw = read_source(as_then, usual=run.reading)
            if fingerprint_of(raw) == run.dataset.fingerprint:
                return raw
    return read_source(data, usual=run.reading)


def match_labels(
    labels: Sequence[str], known: tuple[str, ...], merge: bool = False
) -> np.ndarray:
    """Returns the known id of the same name for each label of data, int64 [labels].

    Numbers are matched by what they are: `1.0` is `1`. To `merge` lets names match that
    differ only by case, blanks or accents' form.

    Raises:
      DataError: If no label has that name; which option helps, if one does.
    """
    ids = [_id_of(label, known, merge) for label in labels]
    if None in ids:
        label = labels[ids.index(None)]
        raise DataError(
            f"the data has a label that the run does not: "
            f"{unknown('label', label, known)}{remedy(label, known)}"
        )
    return np.array(ids)


def matched(
    labels: Sequence[str], run: AnyRun, data: DataConfig
) -> tuple[np.ndarray, list[str]]:
    """Matches labels as the run took them: those too rare for it are treated as then.

    Returns:
      The run's id of each label, or `GONE` for one whose rows are to be left out,
      int64 [labels]; and what to say.

    Raises:
      DataError: As `match_labels`.
    """
    known, own = run.labels, run.config.data
    merge = data.merge_labels or own.merge_labels
    strange = [name for name in labels if _id_of(name, known, merge) is None]
    if own.min_per_label is None or any(remedy(name, known) for name in strange):
        return match_labels(labels, known, merge), []
    rest = _id_of(spelling.OTHER, known, merge=True) if own.other else None
    rest = GONE if rest is None else rest
    ids = [rest if n in strange else _id_of(n, known, merge) for n in labels]
    how = "left out" if rest == GONE else f"taken for {known[rest]!r}"
    said = (
        f"labels that {run.name} does not know are {how}, as rare ones were in its "
        f"training: {spelling.shown(strange)}."
    )
    return np.array(ids), [said] if strange else []


def _id_of(label: str, known: tuple[str, ...], merge: bool) -> int | None:
    if label in known:
        return known.index(label)
    number = spelling.as_whole(label)
    found = [
        i
        for i, name in enumerate(known)
        if (merge and spelling.key(name) == spelling.key(label))
        or (number is not None and spelling.as_whole(name) == number)
    ]
    return found[0] if len(found) == 1 else None
