"""What a data set looks like, in numbers."""

from __future__ import annotations

import numpy as np

from seqclf.config import TextConfig
from seqclf.data import quality
from seqclf.data.dataset import TEST, TRAIN, UNLABELED, VALIDATION, Dataset
from seqclf.records.dataset import Histogram, LabelledText, SplitSummary, Summary
from seqclf.text.tokens import UNKNOWN_ID, lengths_of, tokenize_table
from seqclf.text.vocabulary import Vocabulary, encode

NUM_EXAMPLES = 4
NUM_BINS = 32
PERCENTILES = (5, 25, 50, 75, 95, 100)


def summarize(dataset: Dataset, text: TextConfig) -> Summary:
    """Counts what one wants to know before training.

    `text` tells what would be truncated or unknown.
    """
    blocks = {
        name: tokenize_table(table, text.tokens)
        for name, table in dataset.splits.items()
    }
    vocabulary = Vocabulary.build(blocks[TRAIN], text)
    for name in blocks:
        blocks[name] = [vocabulary.read(block, text) for block in blocks[name]]
    test_ids = [encode(block, vocabulary, text.reading)[0] for block in blocks[TEST]]
    return Summary(
        name=dataset.name,
        source=dataset.source,
        revision=dataset.revision,
        fingerprint=dataset.fingerprint,
        labels=tuple(dataset.labels),
        splits={
            name: _split(dataset, name, lengths_of(blocks[name]), text)
            for name in (TRAIN, VALIDATION, TEST, UNLABELED)
            if name in dataset.splits
        },
        shared={
            f"{split} in {other}": quality.shared(dataset, split, other)
            for split, other in ((VALIDATION, TRAIN), (TEST, TRAIN), (TEST, VALIDATION))
        },
        vocabulary=len(vocabulary),
        unknown_share=float((np.concatenate(test_ids) == UNKNOWN_ID).mean()),
        examples=_examples(dataset),
        notes=tuple(dataset.notes),
    )


def _split(
    dataset: Dataset, name: str, lengths: np.ndarray, text: TextConfig
) -> SplitSummary:
    counts = dataset.label_counts(name)
    tokens = np.percentile(lengths, PERCENTILES, method="lower")
    return SplitSummary(
        texts=dataset.splits[name].num_rows,
        labels=dict(zip(dataset.labels, counts.tolist(), strict=True)),
        empty=quality.empty(dataset, name),
        copies=quality.copies(dataset, name),
        tokens={f"p{p}": int(n) for p, n in zip(PERCENTILES, tokens, strict=True)},
        longer_than_max_length=float((lengths > text.max_length).mean()),
        histogram=_histogram(lengths),
        groups=quality.groups(dataset, name),
    )


def _histogram(lengths: np.ndarray) -> Histogram:
    top = max(int(np.percentile(lengths, 99, method="lower")), 1)
    width = -(-top // NUM_BINS)
    bins = np.minimum(lengths // width, NUM_BINS - 1)
    counts = np.bincount(bins, minlength=NUM_BINS).tolist()
    return Histogram(width=width, counts=tuple(counts))


def _examples(dataset: Dataset) -> tuple[LabelledText, ...]:
    texts, label_ids = dataset.texts(TRAIN), dataset.label_ids(TRAIN)
    rows = np.linspace(0, len(texts) - 1, NUM_EXAMPLES).astype(int)
    return tuple(
        LabelledText(label=dataset.named(label_ids[row]), text=texts[int(row)].as_py())
        for row in rows
    )
