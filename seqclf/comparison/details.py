"""Where the twins differ: on which texts, by which errors, and how they got there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqclf import statistics
from seqclf.comparison.pairs import Right, accuracy_interval, compare_models
from seqclf.data.dataset import SHUFFLED, TEST, TRAIN, VALIDATION
from seqclf.metrics import quarters, wilson
from seqclf.records.details import (
    Agreement,
    Bin,
    Calibration,
    Curve,
    Details,
    Example,
    Fit,
    Group,
    Reach,
    Said,
    WordOrder,
)
from seqclf.records.scores import Scores
from seqclf.runs import Predictions, Run

EXAMPLES_A_CELL = 8
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


def details(groups: Groups, texts: pa.ChunkedArray | None = None) -> Details:
    """Looks inside a comparison.

    Args:
      groups: Finished runs by cell; of each cell the seeds.
      texts: string [n], the test texts; without them what needs them is missing.
    """
    said = {
        cell: {run.config.training.seed: run.predictions(TEST) for run in runs}
        for cell, runs in groups.items()
    }
    first = next(iter(groups.values()))[0]
    labels = first.dataset.labels
    return Details(
        labels=labels,
        agreement=agreement(said),
        examples=examples(said, labels, texts),
        groups=by_group(said, labels, texts),
        word_order={cell: word_order(runs) for cell, runs in groups.items()},
        fit={cell: _fit(runs) for cell, runs in groups.items()},
        curves={cell: tuple(map(_curve, runs)) for cell, runs in groups.items()},
        confusion={cell: _confusion(runs) for cell, runs in groups.items()},
        calibration={cell: _calibration(by_seed) for cell, by_seed in said.items()},
        environment=first.environment,
    )


def agreement(said: Answers) -> Agreement | None:
    """Returns how often the cells answer alike, the mean over the seeds all have.

    None for a single cell or without a seed in common.
    """
    seeds = _common_seeds(said)
    if len(said) < 2 or not seeds:
        return None
    records = []
    for seed in seeds:
        answers = np.array([_answers(said[cell][seed]) for cell in said])
        right = answers == said[next(iter(said))][seed].label_ids
        alone = right & (right.sum(axis=0) == 1)
        records.append(
            (
                (answers == answers[0]).all(axis=0).mean(),
                right.all(axis=0).mean(),
                (~right.any(axis=0)).mean(),
                *alone.mean(axis=1),
            )
        )
    alike, right_, none_, *only = np.mean(records, axis=0).tolist()
    return Agreement(
        seeds=tuple(seeds),
        all_alike=alike,
        all_right=right_,
        none_right=none_,
        only_right=dict(zip(said, only, strict=True)),
    )


def examples(
    said: Answers, labels: Sequence[str], texts: pa.ChunkedArray | None
) -> tuple[Example, ...]:
    """Returns texts that one cell alone has right; others' surest errors come first.

    Of the least seed that all cells have, at most eight texts a cell, each cut to 1,200
    characters.
    """
    seeds = _common_seeds(said)
    if len(said) < 2 or not seeds:
        return ()
    one = {cell: by_seed[seeds[0]] for cell, by_seed in said.items()}
    cells = list(one)
    answers = np.array([_answers(one[cell]) for cell in cells])
    confidence = np.array([one[cell].probabilities.max(axis=1) for cell in cells])
    reference = one[cells[0]]
    right = answers == reference.label_ids
    alone = right & (right.sum(axis=0) == 1)
    sure = np.where(right, 0.0, confidence).sum(axis=0)
    chosen = [
        (cell, int(row))
        for cell, only in zip(cells, alone, strict=True)
        for row in _surest(np.flatnonzero(only), sure)[:EXAMPLES_A_CELL]
    ]
    return tuple(
        Example(
            id=row,
            text=_text(texts, row),
            length=int(reference.lengths[row]),
            label=labels[reference.label_ids[row]],
            only_right=cell,
            answers={
                other: Said(
                    label=labels[answers[k, row]],
                    probability=float(confidence[k, row]),
                )
                for k, other in enumerate(cells)
            },
        )
        for cell, row in chosen
    )


def _surest(rows: np.ndarray, sure: np.ndarray) -> np.ndarray:
    return rows[np.argsort(-sure[rows], kind="stable")]


def by_group(
    said: Answers, labels: Sequence[str], texts: pa.ChunkedArray | None
) -> tuple[Group, ...]:
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
    for label_id in np.unique(reference.label_ids):
        inside = reference.label_ids == label_id
        parts.append(("label", labels[label_id], inside))
    parts += _negation(texts)
    rights = {
        cell: {seed: _right(one) for seed, one in by_seed.items()}
        for cell, by_seed in said.items()
    }
    return tuple(
        Group(
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


def _within(right: Right, inside: np.ndarray) -> Reach:
    part = {seed: values[inside] for seed, values in right.items()}
    mean, n = float(np.mean([v.mean() for v in part.values()])), int(inside.sum())
    several = len(part) > 1 and n > 1
    low, high = accuracy_interval(part) if several else wilson(round(mean * n), n)
    return Reach(accuracy=mean, low=low, high=high)


def word_order(runs: Sequence[Run]) -> WordOrder:
    """Returns what a cell loses when the words of each test text are shuffled.

    The interval is over seeds and texts; of one seed, over texts.
    """
    right = np.array([_right(run.predictions(TEST)) for run in runs])
    shuffled = np.array([_right(run.predictions(SHUFFLED)) for run in runs])
    if min(right.shape) > 1:
        lost = right.astype(np.int8) - shuffled
        low, high = statistics.crossed_mean(lost).interval()
        low, high = max(low, -1.0), min(high, 1.0)
    else:
        model = compare_models(right[0], shuffled[0])
        low, high = model.low, model.high
    return WordOrder(
        accuracy=float(right.mean()),
        shuffled=float(shuffled.mean()),
        lost=float(right.mean() - shuffled.mean()),
        low=low,
        high=high,
    )


def _fit(runs: Sequence[Run]) -> Fit:
    """Returns accuracy and log loss on train and validation: who overfits."""
    train = [run.metrics[TRAIN] for run in runs]
    validation = [run.metrics[VALIDATION] for run in runs]
    return Fit(
        train_accuracy=_accuracy(train),
        train_log_loss=_log_loss(train),
        validation_accuracy=_accuracy(validation),
        validation_log_loss=_log_loss(validation),
    )


def _accuracy(scores: Sequence[Scores]) -> float:
    return float(np.mean([one.accuracy for one in scores]))


def _log_loss(scores: Sequence[Scores]) -> float:
    return float(np.mean([one.log_loss for one in scores]))


def _curve(run: Run) -> Curve:
    history = run.history
    return Curve(
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


def _calibration(by_seed: Mapping[int, Predictions]) -> Calibration:
    """Returns how right the answers are, by how sure they were; all seeds together."""
    confidence = np.concatenate([p.probabilities.max(axis=1) for p in by_seed.values()])
    right = np.concatenate([_right(p) for p in by_seed.values()])
    bin_of = (confidence * CALIBRATION_BINS).astype(int).clip(max=CALIBRATION_BINS - 1)
    bins = tuple(
        Bin(
            n=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(right[inside].mean()),
        )
        for inside in (bin_of == number for number in np.unique(bin_of))
    )
    gaps = [abs(b.confidence - b.accuracy) * b.n for b in bins]
    return Calibration(bins=bins, error=sum(gaps) / len(right))


def _common_seeds(said: Answers) -> list[int]:
    return sorted(set.intersection(*(set(by_seed) for by_seed in said.values())))


def _answers(predictions: Predictions) -> np.ndarray:
    found: np.ndarray = predictions.probabilities.argmax(axis=1)
    return found


def _right(predictions: Predictions) -> np.ndarray:
    right: np.ndarray = _answers(predictions) == predictions.label_ids
    return right


def _text(texts: pa.ChunkedArray | None, row: int) -> str | None:
    if texts is None:
        return None
    text: str = texts[row].as_py()
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"
