"""Where the twins differ: on which texts, by which errors, and how they got there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf import statistics
from seqclf.comparison.pairs import Right, accuracy_interval, compare_models
from seqclf.data.dataset import SHUFFLED, TEST, TRAIN, VALIDATION, shuffled_rows
from seqclf.metrics import quarters, wilson
from seqclf.records import details as records
from seqclf.runs import Predictions, Run

EXAMPLES = 8  # of each cell, at most
MOST_CHARACTERS = 1200
CALIBRATION_BINS = 10
FEWEST_IN_GROUP = 20
# English only: where a text has none of them, as in another language, no group is made.
NEGATION = (
    r"(?i)\b(?:no|not|never|nor|none|nothing|nobody|nowhere|neither|without|cannot|"
    r"hardly|barely|scarcely)\b|n['’]t\b"
)

Groups = Mapping[str, Sequence[Run]]
Answers = Mapping[str, Mapping[int, Predictions]]  # by row and seed


def details(groups: Groups, texts: pa.ChunkedArray | None = None) -> records.Details:
    """Looks inside a comparison of finished runs, by row of each the seeds.

    `texts` are the test texts, string [n]; without them what needs them is missing.
    """
    said = {
        cell: {run.config.training.seed: run.predictions(TEST) for run in runs}
        for cell, runs in groups.items()
    }
    first = next(iter(groups.values()))[0]
    labels = first.dataset.labels
    return records.Details(
        labels=labels,
        agreement=agreement(said),
        examples=examples(said, labels, texts),
        groups=by_group(said, labels, texts),
        word_order={cell: word_order(runs) for cell, runs in groups.items()},
        fit={cell: _fit(runs) for cell, runs in groups.items()},
        curves={cell: tuple(map(_curve, runs)) for cell, runs in groups.items()},
        confusion={
            cell: _confusion(runs)
            for cell, runs in groups.items()
            if not first.dataset.has_several
        },
        calibration={cell: _calibration(by_seed) for cell, by_seed in said.items()},
        environment=first.environment,
    )


def agreement(said: Answers) -> records.Agreement | None:
    """Returns how often the cells answer alike, the mean over the seeds all have.

    None for a single cell or without a seed in common.
    """
    seeds = _common_seeds(said)
    if len(said) < 2 or not seeds:
        return None
    shares = []
    for seed in seeds:
        answers = np.array([by_seed[seed].answers for by_seed in said.values()])
        right = np.array([by_seed[seed].right for by_seed in said.values()])
        alike, alone = (answers == answers[0]).all(axis=0), right.sum(axis=0) == 1
        if alike.ndim == 2:  # of several labels a text
            alike = alike.all(axis=1)
        sets = [alike, right.all(axis=0), ~right.any(axis=0), *(right & alone)]
        shares.append(np.mean(sets, axis=1))
    all_alike, all_right, none_right, *only = np.mean(shares, axis=0).tolist()
    return records.Agreement(
        seeds=tuple(seeds),
        all_alike=all_alike,
        all_right=all_right,
        none_right=none_right,
        only_right=dict(zip(said, only, strict=True)),
    )


def examples(
    said: Answers, labels: Sequence[str], texts: pa.ChunkedArray | None
) -> tuple[records.Example, ...]:
    """Returns texts that one cell alone has right; others' surest errors come first.

    Of the least seed that all cells have, at most eight texts a cell, each cut to 1,200
    characters.
    """
    seeds = _common_seeds(said)
    if len(said) < 2 or not seeds:
        return ()
    one = {cell: by_seed[seeds[0]] for cell, by_seed in said.items()}
    reference = next(iter(one.values()))
    confidence = [p.confidence for p in one.values()]
    right = np.array([p.right for p in one.values()])
    alone = right & (right.sum(axis=0) == 1)
    sure = np.where(right, 0.0, confidence).sum(axis=0)
    chosen = [
        (cell, int(row))
        for cell, only in zip(one, alone, strict=True)
        for row in sorted(np.flatnonzero(only), key=lambda row: -sure[row])[:EXAMPLES]
    ]
    true = reference.named(labels, reference.label_ids)
    answers = {cell: p.named(labels, p.answers) for cell, p in one.items()}
    return tuple(
        records.Example(
            id=row,
            text=_text(texts, row),
            length=int(reference.lengths[row]),
            label=true[row],
            only_right=cell,
            answers={
                other: records.Said(
                    label=answers[other][row], probability=float(p.confidence[row])
                )
                for other, p in one.items()
            },
        )
        for cell, row in chosen
    )


def by_group(
    said: Answers, labels: Sequence[str], texts: pa.ChunkedArray | None
) -> tuple[records.Group, ...]:
    """Returns the accuracy of each cell on parts of the test texts.

    Intervals are over seeds and texts.
    """
    reference = next(iter(next(iter(said.values())).values()))
    parts: list[tuple[str, str, np.ndarray]] = []
    for inside in quarters(reference.lengths):
        lengths = reference.lengths[inside]
        ends = dict.fromkeys((str(lengths.min()), str(lengths.max())))
        unit = "token" if list(ends) == ["1"] else "tokens"
        parts.append(("length", f"{'–'.join(ends)} {unit}", inside))
    truth = reference.label_ids
    if truth.ndim == 1:
        truth = truth[:, None] == np.arange(len(labels))
    parts += [
        ("label", label, truth[:, label_id])
        for label_id, label in enumerate(labels)
        if truth[:, label_id].any()
    ]
    parts += _negation(texts)
    rights = {
        cell: {seed: one.right for seed, one in by_seed.items()}
        for cell, by_seed in said.items()
    }
    return tuple(
        records.Group(
            by=by,
            group=group,
            n=int(inside.sum()),
            cells={cell: _within(right, inside) for cell, right in rights.items()},
        )
        for by, group, inside in parts
    )


def _negation(texts: pa.ChunkedArray | None) -> list[tuple[str, str, np.ndarray]]:
    if texts is None:
        return []
    has = pc.match_substring_regex(texts, NEGATION).to_numpy()
    if min(has.sum(), (~has).sum()) < FEWEST_IN_GROUP:
        return []
    return [
        ("negation", "with no, not, never …", has),
        ("negation", "without them", ~has),
    ]


def _within(right: Right, inside: np.ndarray) -> records.Reach:
    part = {seed: values[inside] for seed, values in right.items()}
    mean, n = float(np.mean([v.mean() for v in part.values()])), int(inside.sum())
    several = len(part) > 1 and n > 1
    low, high = accuracy_interval(part) if several else wilson(round(mean * n), n)
    return records.Reach(accuracy=mean, low=low, high=high)


def written_and_shuffled(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Returns which of `shuffled_rows` a run has right, as written and shuffled, bool.

    Runs of 0.1.0 have answers to all test texts shuffled; those of the others do not
    count, for runs are compared on the same texts.
    """
    right, shuffled = (run.predictions(split).right for split in (TEST, SHUFFLED))
    rows = shuffled_rows(len(right))
    is_of_all = len(shuffled) == len(right)
    return right[rows], shuffled[rows] if is_of_all else shuffled


def word_order(runs: Sequence[Run]) -> records.WordOrder:
    """Returns what a cell loses when the words of a test text are shuffled.

    The interval is over seeds and texts; of one seed, over texts.
    """
    pairs = [written_and_shuffled(run) for run in runs]
    right, shuffled = map(np.array, zip(*pairs, strict=True))
    if min(right.shape) > 1:
        lost = right.astype(np.int8) - shuffled
        low, high = statistics.crossed_mean(lost).interval()
        low, high = max(low, -1.0), min(high, 1.0)
    else:
        model = compare_models(right[0], shuffled[0])
        low, high = model.low, model.high
    return records.WordOrder(
        accuracy=float(right.mean()),
        shuffled=float(shuffled.mean()),
        lost=float(right.mean() - shuffled.mean()),
        low=low,
        high=high,
    )


def _fit(runs: Sequence[Run]) -> records.Fit:
    """Returns accuracy and log loss on train and validation: who overfits."""

    def mean(split: str, name: str) -> float:
        return float(np.mean([getattr(run.metrics[split], name) for run in runs]))

    return records.Fit(
        train_accuracy=mean(TRAIN, "accuracy"),
        train_log_loss=mean(TRAIN, "log_loss"),
        validation_accuracy=mean(VALIDATION, "accuracy"),
        validation_log_loss=mean(VALIDATION, "log_loss"),
    )


def _curve(run: Run) -> records.Curve:
    history = run.history
    return records.Curve(
        seed=run.config.training.seed,
        best_epoch=run.environment.best_epoch,
        epochs=tuple(record.epoch for record in history),
        seconds=tuple(np.cumsum([record.seconds for record in history]).tolist()),
        loss=tuple(record.loss for record in history),
        validation_loss=tuple(record.validation_loss for record in history),
        validation_accuracy=tuple(record.validation_accuracy for record in history),
    )


def _confusion(runs: Sequence[Run]) -> tuple[tuple[int, ...], ...]:
    """Returns the counts of all seeds together, rows true, columns predicted."""
    matrices = [run.metrics[TEST].confusion_matrix for run in runs]
    return tuple(map(tuple, np.sum(matrices, axis=0).tolist()))


def _calibration(by_seed: Mapping[int, Predictions]) -> records.Calibration:
    """Returns how right the answers are, by how sure they were; all seeds together.

    Where a text may have several labels, each label of each text is an answer.
    """
    every = [_sureness(p) for p in by_seed.values()]
    confidence, right = (np.concatenate(some) for some in zip(*every, strict=True))
    bin_of = (confidence * CALIBRATION_BINS).astype(int).clip(max=CALIBRATION_BINS - 1)
    bins = tuple(
        records.Bin(
            n=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(right[inside].mean()),
        )
        for inside in (bin_of == number for number in np.unique(bin_of))
    )
    gaps = [abs(b.confidence - b.accuracy) * b.n for b in bins]
    return records.Calibration(bins=bins, error=sum(gaps) / len(right))


def _sureness(said: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Returns stated probabilities, float [answers], and what is so, bool [answers]."""
    if said.thresholds is None:
        return said.confidence, said.right
    return said.probabilities.ravel(), said.label_ids.ravel()


def _common_seeds(said: Answers) -> list[int]:
    return sorted(set.intersection(*(set(by_seed) for by_seed in said.values())))


def _text(texts: pa.ChunkedArray | None, row: int) -> str | None:
    if texts is None:
        return None
    text: str = texts[row].as_py()
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"
