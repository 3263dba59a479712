"""Labels that are one, and labels too rare to be learnt."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from seqclf.data import spelling
from seqclf.data.dataset import (
    TRAIN,
    UNLABELED,
    LabelSets,
    RawData,
    members_of,
)
from seqclf.errors import DataError
from seqclf.notes import note
from seqclf.wording import counted

GONE = -1  # in place of a label whose rows are left out
FEWEST_TEXTS = 2  # of a label in train; one could be learnt or held out, not both


def without_doubles(raw: RawData, merge: bool) -> RawData:
    """Makes one label of those that differ only by case and the like, if asked to.

    The commonest spelling in train names the label.

    Raises:
      DataError: If not, and a split spells its labels otherwise than train.
    """
    counts = _counts(raw)
    groups: dict[str, list[int]] = {}
    for label, name in enumerate(raw.labels):
        if any(of[label] for of in counts.values()):
            groups.setdefault(spelling.key(name), []).append(label)
    doubles = [group for group in groups.values() if len(group) > 1]
    if merge:
        return _merged(raw, doubles, counts)
    for split in counts:
        _refuse_strange(raw, split, doubles, counts)
    return raw.noted(*_about_doubles(raw, doubles, counts[TRAIN]))


def without_rare(raw: RawData, least: int, other: bool) -> RawData:
    """Leaves out the labels with fewer than `least` texts in train, or makes them one.

    With `other` they become one label, `other`; it too must have so many.

    Raises:
      DataError: If fewer than two labels are left.
    """
    counts = _counts(raw)
    rare = counts[TRAIN] < least
    option = f"--min-per-label {least}"
    if not rare.any():
        return raw.noted(f"{option}: every label has as many texts in train.")
    keys = [spelling.key(name) for name in raw.labels]
    has_other = spelling.OTHER in keys
    names = raw.labels if has_other else (*raw.labels, spelling.OTHER)
    place = keys.index(spelling.OTHER) if has_other else len(keys)
    target = np.arange(len(raw.labels))
    together = rare | (target == place)
    is_kept = other and _texts_with(raw, together) >= least
    target[rare] = place if is_kept else GONE
    _refuse_too_few(raw, counts[TRAIN], np.unique(target[target != GONE]), least)
    rows = sum(int(of[rare].sum()) for of in counts.values())
    total = sum(int(of.sum()) for of in counts.values())
    named = spelling.shown([raw.labels[i] for i in np.flatnonzero(rare)])
    how = f"{option} left out"
    if other:
        how += f", for even together they are fewer than {least},"
    if is_kept:
        how = f"{option} --other made {names[place]!r} of"
    how += f" {rare.sum():,} labels with fewer texts in train, {rows:,} of {total:,} "
    what = "rows" if raw.label_sets is None else "labels of texts"
    return _relabelled(raw, names, target, f"{how}{what}: {named}.")


def without_empty_sets(raw: RawData) -> RawData:
    """Leaves out the texts without any label, where a text may have several."""
    if raw.label_sets is None or () not in raw.label_sets:
        return raw.noted("--drop-unlabeled: every text has a label.")
    empty, left_out, splits = raw.label_sets.index(()), 0, dict(raw.splits)
    for split in splits.keys() - {UNLABELED}:
        has_labels = raw.label_ids(split) != empty
        left_out += int((~has_labels).sum())
        splits[split] = splits[split].filter(pa.array(has_labels))
    changed = dataclasses.replace(raw, splits=splits)
    return changed.noted(
        f"--drop-unlabeled left out {counted(left_out, 'text')} without a label."
    )


def _texts_with(raw: RawData, together: np.ndarray) -> int:
    """Counts the texts of train with any of some labels, bool [labels]."""
    if raw.label_sets is None:
        return int(_counts(raw)[TRAIN][together].sum())
    members = members_of(raw.label_sets, len(raw.labels))
    has_any = (members & together).any(axis=1)
    return int(np.count_nonzero(has_any[raw.label_ids(TRAIN)]))


def _counts(raw: RawData) -> dict[str, np.ndarray]:
    """Returns the rows of each label by split, int64 [labels]."""
    return {s: raw.label_counts(s) for s in raw.splits if s != UNLABELED}


def _merged(
    raw: RawData, doubles: list[list[int]], counts: Mapping[str, np.ndarray]
) -> RawData:
    if not doubles:
        return raw.noted(
            "--merge-labels: no labels differ by case, blanks or accents' form."
        )
    total = np.sum(list(counts.values()), axis=0)
    target = np.arange(len(raw.labels))
    said: list[str] = []
    for group in doubles:
        kept = max(group, key=lambda i: (counts[TRAIN][i], total[i], -i))
        target[group] = kept
        others = [i for i in group if i != kept]
        named = spelling.shown((raw.labels[i] for i in others), total[others].tolist())
        said.append(f"{named} became {spelling.quoted(raw.labels[kept])}")
    return _relabelled(raw, raw.labels, target, f"--merge-labels: {'; '.join(said)}.")


def _relabelled(
    raw: RawData, names: tuple[str, ...], target: np.ndarray, said: str
) -> RawData:
    """Gives every label another one's name, or takes its rows out.

    `names` are the old ones with new ones behind them; `target` is the place of each
    label's new name among them, or `GONE`; `said` is the note.
    """
    kept = [names[i] for i in np.unique(target[target != GONE])]
    if list(raw.labels) == sorted(raw.labels, key=spelling.order):
        kept.sort(key=spelling.order)
    ids = np.array([kept.index(names[i]) if i != GONE else GONE for i in target])
    label_sets = None
    if raw.label_sets is not None:
        label_sets, ids = _relabelled_sets(raw.label_sets, ids)
    splits = dict(raw.splits)
    for split in splits.keys() - {UNLABELED}:
        new = ids[raw.label_ids(split)]
        column = [pa.array(new, pa.int32())]
        table = splits[split].set_column(1, "label", column)
        is_whole = (new != GONE).all()
        splits[split] = table if is_whole else table.filter(pa.array(new != GONE))
    changed = dataclasses.replace(
        raw, splits=splits, labels=tuple(kept), label_sets=label_sets
    )
    return changed.noted(said)


def _relabelled_sets(
    label_sets: LabelSets, ids: np.ndarray
) -> tuple[LabelSets, np.ndarray]:
    """Returns the sets by new label ids, and the place of each old set among them.

    `ids` are the new ids of the labels, or `GONE`: such a label leaves the sets that it
    is in, and no text is left out.
    """
    new = [tuple(sorted({int(ids[i]) for i in s} - {GONE})) for s in label_sets]
    every = tuple(sorted(set(new)))
    return every, np.array([every.index(one) for one in new])


def _refuse_too_few(
    raw: RawData, counts: np.ndarray, kept: np.ndarray, least: int
) -> None:
    if len(kept) > 1:
        return
    second = int(np.sort(counts)[-2]) if len(counts) > 1 else 0
    way = "give the others more texts."
    if second >= FEWEST_TEXTS:
        way = f"the second commonest has {second:,} texts in train: --min-per-label "
        way += f"{second} leaves two."
    raise DataError(
        f"{raw.source}: of {len(counts):,} labels {len(kept)} has {least:,} texts in "
        f"train, and two are needed; {way}"
    )


def _refuse_strange(
    raw: RawData, split: str, doubles: list[list[int]], counts: Mapping[str, np.ndarray]
) -> None:
    """Refuses labels of a split that train spells otherwise: all would be wrong."""
    strange, usual = [], []
    for group in doubles:
        in_train = [i for i in group if counts[TRAIN][i]]
        beside = [i for i in group if counts[split][i] and not counts[TRAIN][i]]
        if in_train and beside:
            strange += beside
            usual += in_train
    if not strange:
        return
    names, rows = [raw.labels[i] for i in strange], counts[split][strange]
    known = [raw.labels[i] for i in usual]
    one = [n for n in known if spelling.key(n) == spelling.key(names[0])]
    raise DataError(
        f"{raw.source}: {split} has labels that train lacks, "
        f"{spelling.shown(names, rows.tolist())}, and that differ from train's "
        f"{spelling.shown(known)} only by {spelling.difference([names[0], *one])}; "
        f"--merge-labels makes one label of each."
    )


def _about_doubles(
    raw: RawData, doubles: list[list[int]], counts: np.ndarray
) -> Iterator[str]:
    said = []
    for group in doubles:
        inside = [i for i in group if counts[i]]
        if len(inside) > 1:
            names = [raw.labels[i] for i in inside]
            shown = spelling.shown(names, counts[inside].tolist())
            said.append(f"{shown} differ only by {spelling.difference(names)}")
    if said:
        yield note(
            "SQ010",
            f"labels of train that may be one: {'; '.join(said)}. --merge-labels makes "
            f"one label of them.",
        )
