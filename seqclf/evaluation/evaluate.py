"""Scores a finished run on a split of any data set, matching labels by name."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass

import pyarrow as pa

from seqclf import metrics
from seqclf.classifier import Classifier
from seqclf.config import DataConfig
from seqclf.data import read_source
from seqclf.data.dataset import TRAIN, UNLABELED, RawData, fingerprint
from seqclf.data.layout import STANDARD_INPUT
from seqclf.data.relabel import GONE
from seqclf.data.splits import complete
from seqclf.errors import ConfigError, DataError, SeqclfError, unknown
from seqclf.evaluation.matching import matched
from seqclf.records.scores import Scores
from seqclf.runs import Run
from seqclf.text.encoding import LABELLED_SPLITS


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a run on one split.

    Attributes:
      split: Name of the split.
      source: Where its texts came from.
      scores: How good its predictions are.
      notes: What the person should know, a sentence each.
    """

    split: str
    source: str
    scores: Scores
    notes: tuple[str, ...]


def evaluate(run: Run, data: DataConfig, split: str) -> Evaluation:
    """Predicts a split and scores it.

    The data of the run is divided as in training, so that its test split has no
    training text. Other data is taken as it is, from the columns of the training data
    if it has them and no others are named; a source that has only `train` is evaluated
    whole.

    Args:
      run: A finished run.
      data: Where the texts are.
      split: `train`, `validation` or `test`.

    Returns:
      The scores.

    Raises:
      ConfigError: If `split` is no labelled split.
      DataError: If the data has no such split, or a label that the run lacks.
    """
    table, labels, source, notes = _read(run, data, split)
    classifier = Classifier.open(run)
    ids, said = matched(labels, run, data)
    label_ids = ids[table["label"].to_numpy()]
    if (label_ids == GONE).any():
        table = table.filter(pa.array(label_ids != GONE))
        label_ids = label_ids[label_ids != GONE]
    if not len(label_ids):
        raise DataError(f"{source}: {run.name} knows none of the labels in {split}.")
    texts = pa.concat_arrays(table["text"].chunks)
    scores = metrics.scores(
        label_ids,
        classifier.predict_proba(texts),
        classifier.labels,
        classifier.lengths(texts),
    )
    return Evaluation(split, source, scores, (*notes, *said))


def _read(
    run: Run, data: DataConfig, split: str
) -> tuple[pa.Table, tuple[str, ...], str, tuple[str, ...]]:
    """Returns texts and labels of the split, where they came from, and notes."""
    if split not in LABELLED_SPLITS:
        raise ConfigError(unknown("split", split, LABELLED_SPLITS))
    raw = _source(run, data)
    content = fingerprint(raw.splits, raw.labels)
    notes = raw.notes
    if content == run.dataset.fingerprint:
        own = complete(raw, run.config.data, content)
        table, notes = own.splits[split], own.notes
    elif split in raw.splits:
        table = raw.splits[split]
    elif set(raw.splits) - {UNLABELED} == {TRAIN}:
        _refuse_changed_source(run, raw.source)
        table = raw.splits[TRAIN]
        notes += (f"{raw.source} has no {split} split: all its rows are evaluated.",)
    else:
        raise DataError(f"{raw.source}: {unknown('split', split, raw.splits)}")
    if not table.num_rows:
        raise DataError(f"{raw.source}: its {split} split has no rows.")
    return table, raw.labels, raw.source, notes


def _source(run: Run, data: DataConfig) -> RawData:
    """Reads the source; if it is the run's own data, with labels taken as then."""
    usual, default = run.config.data, DataConfig()
    then = {
        name: getattr(usual, name)
        for name in ("drop_unlabeled", "merge_labels", "min_per_label", "other")
        if getattr(data, name) == getattr(default, name)
    }
    as_then = dataclasses.replace(data, **then)
    if as_then != data and data.source != STANDARD_INPUT:  # that is read but once
        with contextlib.suppress(SeqclfError):
            raw = read_source(as_then, usual=run.reading)
            if fingerprint(raw.splits, raw.labels) == run.dataset.fingerprint:
                return raw
    return read_source(data, usual=run.reading)


def _refuse_changed_source(run: Run, source: str) -> None:
    if source == run.dataset.source:
        raise DataError(
            f"{source} has changed since {run.name} was trained on it, so its rows "
            f"cannot be told from training texts; name other data with --data."
        )
