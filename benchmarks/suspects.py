"""How many planted wrong labels `seqclf data check` finds, and how many right ones.

Run as ``python benchmarks/suspects.py``; it writes its table into docs/data.md. Data
sets are those of ``../shared/data``; five draws of the flipped labels each, 2 minutes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import marked
import numpy as np
import pyarrow as pa
import rounds

from seqclf.config import DataConfig
from seqclf.data.dataset import TRAIN
from seqclf.data.load import load_traced
from seqclf.data.traced import Traced
from seqclf.records.suspects import Suspects
from seqclf.suspects.check import check

SETS = ("sms_spam", "trec6", "tweeteval_emotion", "mr")
MOST_TEXTS = 5000
FLIPPED = 0.05
DRAWS = 5
FIRST = 20  # as many as the screen shows
HEADER = (
    "data set", "labels", "texts", "models agree %", "flipped", "doubted",
    f"flipped of the first {FIRST} %", "flipped of all doubted %",
    "doubted of the flipped %", "expected wrong", "without flips: doubted", "expected",
)  # fmt: skip


def main() -> None:
    """Prints and writes the table."""
    lines = rounds.table(HEADER, [row(name) for name in SETS])
    text = "\n".join(lines)
    print(text)
    page = rounds.HERE.parent / "docs" / "data.md"
    marked.write("suspects", "python benchmarks/suspects.py", text, page)


def row(name: str) -> tuple[str, ...]:
    """Returns the line of a data set."""
    traced = load_traced(DataConfig(source=str(rounds.DATA / name)))
    if traced.dataset.splits[TRAIN].num_rows > MOST_TEXTS:
        config = DataConfig(source=str(rounds.DATA / name), limit=MOST_TEXTS)
        traced = load_traced(config)
    clean, size = checked(traced), traced.dataset.splits[TRAIN].num_rows
    draws = [flipped_and_found(traced, draw) for draw in range(DRAWS)]
    figures = np.mean([one for one, _ in draws], axis=0)
    agree = np.mean([found.labels[TRAIN].agreeing for _, found in draws]) / size
    flips, doubted, first, of_all, recall, expected = figures
    return (
        name, f"{len(traced.dataset.labels)}", f"{size:,}", f"{100 * agree:.0f}",
        f"{flips:,.0f}", f"{doubted:,.0f}",
        *(f"{100 * share:.0f}" for share in (first, of_all, recall)),
        f"{expected:,.0f}", f"{clean.labels[TRAIN].doubted:,}",
        f"{clean.labels[TRAIN].expected:,.0f}",
    )  # fmt: skip


def flipped_and_found(traced: Traced, draw: int) -> tuple[Sequence[float], Suspects]:
    """Flips labels at random; returns how many were found, and what was."""
    label_ids = traced.dataset.label_ids(TRAIN)
    rng, width = np.random.default_rng(draw), len(traced.dataset.labels)
    is_flipped = rng.random(len(label_ids)) < FLIPPED
    other = (label_ids + rng.integers(1, width, len(label_ids))) % width
    found = checked(relabelled(traced, np.where(is_flipped, other, label_ids)))
    hits = is_flipped[[one.at.row for one in found.doubtful_labels]]
    flips, expected = is_flipped.sum(), found.labels[TRAIN].expected
    first, all_ = hits[:FIRST].mean(), hits.mean()
    return (flips, len(hits), first, all_, hits.sum() / flips, expected), found


def checked(traced: Traced) -> Suspects:
    """Returns what is found of the labels of train."""
    return check(traced, (TRAIN,), lambda _name, _event: None)


def relabelled(traced: Traced, label_ids: np.ndarray) -> Traced:
    """Returns the same data with other labels in train."""
    table, column = traced.dataset.splits[TRAIN], pa.array(label_ids, pa.int32())
    changed = table.set_column(table.column_names.index("label"), "label", column)
    splits = traced.dataset.splits | {TRAIN: changed}
    dataset = dataclasses.replace(traced.dataset, splits=splits)
    return dataclasses.replace(traced, dataset=dataset)


if __name__ == "__main__":
    main()
