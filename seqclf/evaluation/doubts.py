"""What should make one doubt a finished training, as seen in the files of its run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.data.spelling import shown
from seqclf.notes import note
from seqclf.runs import Run

MANY_CUT = 0.5  # as a fraction of the training texts
KEPT = {
    "head": "its beginning is kept",
    "tail": "its end is kept",
    "both": "both its ends are kept",
}


def doubts(runs: Sequence[Run]) -> list[str]:
    """Says what looks wrong, a note a kind with its numbers, however many runs show it.

    The runs, at least one, are finished and scored, on one data set, with one recipe.
    """
    return [*_about_cuts(runs[0]), *_about_guessing(runs), *_about_silence(runs)]


def _about_cuts(run: Run) -> list[str]:
    """Says so if most texts were cut; a run of version 0.1.0 does not know."""
    tokens = run.dataset.tokens.get(TRAIN)
    total = run.dataset.sizes[TRAIN]
    if run.is_linear or tokens is None or tokens.cut < MANY_CUT * total:
        return []
    text, count = run.config.text, tokens.cut
    many = "all" if count == total else f"{count:,} of"
    return [
        note(
            "SQ001",
            f"{many} {total:,} training texts were cut: of the median one, "
            f"{text.max_length:,} of {tokens.median:,} tokens were read, "
            f"{KEPT[text.keep]}. --max-length {tokens.median} reads it whole; "
            f"--keep chooses what is kept: head, tail, both.",
        )
    ]


def _about_guessing(runs: Sequence[Run]) -> list[str]:
    """Says so if test accuracy is not above that of the commonest label."""
    label = int(np.argmax(runs[0].dataset.label_counts[TRAIN]))
    what = f"{runs[0].dataset.labels[label]!r}, the commonest label,"
    test = runs[0].metrics[TEST]
    share = test.per_label[label].support / test.n
    if test.several is not None:
        what, share = "the commonest set of labels", test.several.guessed_accuracy
    found = [run for run in runs if run.metrics[TEST].accuracy_low <= share]
    if not found:
        return []
    return [
        note(
            "SQ002",
            f"{_of(found, runs)}test accuracy, "
            f"{', '.join(map(_accuracy, found[:5]))}, is not shown to be above "
            f"{100 * share:.1f} %, what always guessing {what} gives.",
        )
    ]


def _about_silence(runs: Sequence[Run]) -> list[str]:
    """Says which labels are never predicted, though texts have them."""
    found = {run.name: never for run in runs if (never := _never_predicted(run))}
    if not found:
        return []
    silent = [run for run in runs if run.name in found]
    names = shown(sorted({name for never in found.values() for name in never}))
    return [
        note(
            "SQ003",
            f"{_of(silent, runs)}predicted for no validation or test text: {names}.",
        )
    ]


def _never_predicted(run: Run) -> list[str]:
    metrics, labels = run.metrics, run.dataset.labels
    if run.dataset.has_several:
        both = [run.predictions(split) for split in (VALIDATION, TEST)]
        said, had = (
            np.any([getattr(one, name).any(axis=0) for one in both], axis=0)
            for name in ("answers", "label_ids")
        )
        return [labels[i] for i in np.flatnonzero(had & ~said)]
    every = [metrics[split].confusion_matrix for split in (VALIDATION, TEST)]
    confusion = np.sum(every, axis=0)
    is_silent = (confusion.sum(axis=0) == 0) & (confusion.sum(axis=1) > 0)
    return [labels[i] for i in np.flatnonzero(is_silent)]


def _of(found: Sequence[Run], runs: Sequence[Run]) -> str:
    """Returns which of several runs are meant; nothing of one alone."""
    if len(runs) == 1:
        return ""
    names = ", ".join(run.name for run in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return f"{len(found)} of {len(runs)} runs ({names}{more}): "


def _accuracy(run: Run) -> str:
    test = run.metrics[TEST]
    low, high = 100 * test.accuracy_low, 100 * test.accuracy_high
    return f"{100 * test.accuracy:.1f} % ({low:.1f} to {high:.1f})"
