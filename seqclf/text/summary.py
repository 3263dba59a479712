"""What a data set looks like, in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.data.dataset import TRAIN, Dataset
from seqclf.text.tokens import BLOCK_ROWS, tokenize

NUM_EXAMPLES = 4


def summarize(dataset: Dataset) -> dict[str, Any]:
    """Returns splits with sizes, lengths in tokens and label counts, and examples."""
    return {
        "name": dataset.name,
        "source": dataset.source,
        "fingerprint": dataset.fingerprint,
        "labels": list(dataset.labels),
        "splits": {name: _split(dataset, name) for name in dataset.splits},
        "examples": _examples(dataset),
    }


def _split(dataset: Dataset, name: str) -> dict[str, Any]:
    table = dataset.splits[name]
    label_ids = table["label"].to_numpy()
    counts = np.bincount(label_ids[label_ids >= 0], minlength=len(dataset.labels))
    lengths = _lengths(table)
    median, high = np.quantile(lengths, [0.5, 0.95]) if len(lengths) else (0, 0)
    return {
        "texts": table.num_rows,
        "tokens": {
            "median": int(median),
            "percentile_95": int(high),
            "longest": int(lengths.max(initial=0)),
        },
        "labels": dict(zip(dataset.labels, counts.tolist(), strict=True)),
    }


def _lengths(table: pa.Table) -> np.ndarray:
    batches = table.select(["text"]).to_batches(max_chunksize=BLOCK_ROWS)
    parts = [np.diff(tokenize(batch["text"]).offsets) for batch in batches]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _examples(dataset: Dataset) -> list[dict[str, str]]:
    table = dataset.splits[TRAIN]
    rows = np.linspace(0, table.num_rows - 1, NUM_EXAMPLES).astype(int)
    return [
        {
            "label": dataset.labels[table["label"][int(row)].as_py()],
            "text": table["text"][int(row)].as_py(),
        }
        for row in rows
    ]
