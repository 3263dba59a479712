"""Looks through a data set for what looks wrong, row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from seqclf.data.dataset import TEST, TRAIN, VALIDATION, Dataset
from seqclf.data.traced import Traced
from seqclf.linear.folds import FOLDS, deal, fit_name, out_of_fold
from seqclf.linear.ngrams import tokenized
from seqclf.records.suspects import (
    DoubtfulLabel,
    LabelDoubts,
    Leak,
    NearDuplicate,
    RowOf,
    Suspects,
)
from seqclf.records.training import Finished, OnEvent, Started
from seqclf.suspects import copies, labels, leaks
from seqclf.text.tokens import TokenizedTexts

SPLITS = (TRAIN, VALIDATION, TEST)
NEAR_DUPLICATES, LEAKS = "near-duplicates", "leaks"
# Where models are surer of nearly all texts, the paper's thresholds let nothing pass.
SURE_ENOUGH = 0.9
STEPS = (*map(fit_name, range(FOLDS)), NEAR_DUPLICATES, LEAKS)  # what is heard of


def check(traced: Traced, splits: Collection[str], report: OnEvent) -> Suspects:
    """Names likely wrong labels, near-duplicates, and what gives labels away.

    Args:
      traced: The data set. No text of validation or test says anything of train's
        labels; leaks are looked for in train alone.
      splits: Whose labels to doubt, some of `SPLITS`.
      report: Hears of each of `STEPS`.
    """
    dataset = traced.dataset
    tokens = {split: tokenized(dataset.texts(split)) for split in (TRAIN, *splits)}
    doubts, doubtful = _labels(traced, tokens, splits, report)
    with _heard(report, NEAR_DUPLICATES):
        near_duplicates = _near_duplicates(traced)
    with _heard(report, LEAKS):
        found = _leaks(traced, tokens[TRAIN])
    return Suspects(
        name=dataset.name,
        source=dataset.source,
        fingerprint=dataset.fingerprint,
        splits={split: dataset.splits[split].num_rows for split in SPLITS},
        sources={split: traced.sources(split) for split in SPLITS},
        labels=doubts,
        doubtful_labels=tuple(doubtful),
        near_duplicates=tuple(near_duplicates),
        leaks=tuple(found),
        notes=dataset.notes,
    )


@contextmanager
def _heard(report: OnEvent, step: str) -> Iterator[None]:
    report(step, Started())
    yield
    report(step, Finished())


def _labels(
    traced: Traced,
    tokens: dict[str, list[TokenizedTexts]],
    splits: Collection[str],
    report: OnEvent,
) -> tuple[dict[str, LabelDoubts], list[DoubtfulLabel]]:
    """Returns how many labels of each split are in doubt, and which."""
    dataset = traced.dataset
    label_ids, width = dataset.label_ids(TRAIN), len(dataset.labels)
    folds = deal(label_ids, _together(dataset))
    probabilities = out_of_fold(tokens, label_ids, folds, width, report)
    limits = labels.thresholds(probabilities[TRAIN], label_ids)
    limits = np.minimum(limits, SURE_ENOUGH)
    known = _known(label_ids, folds, width)
    limits[~known] = np.inf
    doubts, found = {}, list[DoubtfulLabel]()
    for split in (split for split in SPLITS if split in splits):
        own = _Judged(dataset, split, probabilities[split], limits, known)
        doubts[split] = own.doubts()
        found += own.doubtful(traced)
    return doubts, sorted(found, key=lambda one: one.self_confidence)


def _together(dataset: Dataset) -> np.ndarray:
    """Returns which rows of train to hold out together: groups, else copies."""
    groups = dataset.groups(TRAIN)
    if groups is not None:
        return groups
    texts = dataset.texts(TRAIN)
    encoded = texts.dictionary_encode().unify_dictionaries()
    return np.concatenate([chunk.indices.to_numpy() for chunk in encoded.chunks])


def _known(label_ids: np.ndarray, folds: np.ndarray, num_labels: int) -> np.ndarray:
    """Tells which labels every fold has, and so has texts enough; bool [labels]."""
    pairs = np.unique(label_ids * FOLDS + folds)
    return np.bincount(pairs // FOLDS, minlength=num_labels) == FOLDS


class _Judged:
    """The labels of a split, as confident learning judges them."""

    def __init__(
        self,
        dataset: Dataset,
        split: str,
        probabilities: np.ndarray,
        limits: np.ndarray,
        known: np.ndarray,
    ) -> None:
        self.split, self.names = split, dataset.labels
        self.texts, every = dataset.texts(split), dataset.label_ids(split)
        self.rows = np.flatnonzero(known[every])
        self.label_ids, self.probabilities = every[self.rows], probabilities[self.rows]
        self.confident = labels.confident_labels(self.probabilities, limits)
        own = self.probabilities, self.label_ids, self.confident
        self.doubted = labels.doubted(*own)

    def doubts(self) -> LabelDoubts:
        """Returns how many are in doubt."""
        agree = self.probabilities.argmax(axis=1) == self.label_ids
        asked = self.label_ids, self.confident, len(self.names)
        return LabelDoubts(
            texts=len(self.texts),
            judged=len(self.rows),
            agreeing=int(agree.sum()),
            doubted=len(self.doubted),
            expected=labels.expected_wrong(*asked),
        )

    def doubtful(self, traced: Traced) -> Iterator[DoubtfulLabel]:
        """Yields those in doubt, the most doubtful first."""
        place = _Places(traced)
        for index in self.doubted.tolist():
            row, label = int(self.rows[index]), int(self.label_ids[index])
            likelier = int(self.confident[index])
            yield DoubtfulLabel(
                at=place(self.split, row),
                text=self.texts[row].as_py(),
                label=self.names[label],
                likelier=self.names[likelier],
                probability=float(self.probabilities[index, likelier]),
                self_confidence=float(self.probabilities[index, label]),
            )


class _Places:
    """From a split and a row in it to where that is."""

    def __init__(self, traced: Traced) -> None:
        self._traced = traced
        self._origins = {split: traced.origins(split) for split in SPLITS}

    def __call__(self, split: str, row: int) -> RowOf:
        source, line = self._traced.place(int(self._origins[split][row]))
        return RowOf(split=split, row=row, source=source, line=line)


def _near_duplicates(traced: Traced) -> list[NearDuplicate]:
    dataset, place = traced.dataset, _Places(traced)
    texts = {split: dataset.texts(split) for split in SPLITS}
    sizes = [len(texts[split]) for split in SPLITS]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    label_ids = np.concatenate([dataset.label_ids(split) for split in SPLITS])
    split_of = np.repeat(np.arange(len(SPLITS)), sizes)
    every = pa.chunked_array([c for one in texts.values() for c in one.chunks])
    found = copies.repeated(every, split_of * len(dataset.labels) + label_ids)

    def row_of(number: int) -> tuple[RowOf, str, str]:
        split, label = SPLITS[split_of[number]], dataset.labels[label_ids[number]]
        row = number - int(starts[split_of[number]])
        return place(split, row), texts[split][row].as_py(), label

    duplicates = []
    for number, other, similarity in found:
        at, text, label = row_of(number)
        of, of_text, of_label = row_of(other)
        duplicates.append(
            NearDuplicate(
                at=at, text=text, label=label, of=of, of_text=of_text,
                of_label=of_label, similarity=similarity,
            )
        )  # fmt: skip
    return sorted(duplicates, key=lambda one: -one.similarity)


def _leaks(traced: Traced, tokens: Sequence[TokenizedTexts]) -> list[Leak]:
    dataset = traced.dataset
    known = dataset.label_ids(TRAIN), dataset.labels
    found = [
        *leaks.telling_columns(traced.other_columns(), *known),
        *_telling_order(traced),
        *leaks.telling_forms(dataset.texts(TRAIN), *known),
        *leaks.telling_tokens(tokens, *known),
    ]
    return sorted(found, key=lambda one: -one.right)


def _telling_order(traced: Traced) -> Iterator[Leak]:
    """Looks at the order of rows where files have more than one label.

    Of folders that are labels nobody wonders that their rows lie together.
    """
    dataset, origins = traced.dataset, traced.origins(TRAIN)
    label_ids = dataset.label_ids(TRAIN)
    firsts = np.array([part.first for part in traced.parts[TRAIN]])
    file = np.searchsorted(firsts, origins, side="right") - 1
    pairs = np.unique(file * len(dataset.labels) + label_ids)
    is_mixed = np.bincount(pairs // len(dataset.labels), minlength=len(firsts)) > 1
    rows = is_mixed[file]
    if rows.any():
        yield from leaks.telling_order(origins[rows], label_ids[rows], dataset.labels)
