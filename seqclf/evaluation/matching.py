"""Which label of a run is meant by each label of other data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqclf.config import DataConfig
from seqclf.data import spelling
from seqclf.data.labels import remedy
from seqclf.data.relabel import GONE
from seqclf.errors import DataError, unknown
from seqclf.runs import Run


def match_labels(
    labels: Sequence[str], known: tuple[str, ...], merge: bool = False
) -> np.ndarray:
    """Returns, for each label of the data, the run's id of the same name.

    Numbers are matched by what they are: `1.0` is `1`.

    Args:
      labels: Of the data.
      known: Of the run.
      merge: Whether names that differ only by case, blanks or accents' form match.

    Returns:
      int64 [labels].

    Raises:
      DataError: If the run has no label of that name; which option helps, if one does.
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
    labels: Sequence[str], run: Run, data: DataConfig
) -> tuple[np.ndarray, list[str]]:
    """Matches labels as the run took them: those too rare for it are treated as then.

    Args:
      labels: Of the data.
      run: A finished run.
      data: How the data was read.

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
