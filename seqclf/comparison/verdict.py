"""What the table says, in plain words and no stronger than its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seqclf.cells import NO_RECURRENCE
from seqclf.comparison.judged import difference, is_decided, is_equal, is_open
from seqclf.comparison.metric import ACCURACY, metric_of
from seqclf.comparison.open_pairs import about_looks, about_settling
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.said import (
    aside,
    begun,
    by_how_much,
    failure,
    in_unit,
    ranks,
    titles,
)
from seqclf.records.comparison import BY_RANKS, OTHER, YARDSTICK, Pair, Row
from seqclf.records.looks import UntilDecided
from seqclf.wording import joined

Others = Sequence[tuple[Row, Pair]]  # of a row, the nearest first
GUESSING = "majority"  # the baseline that looks at no text


def verdict(
    rows: Sequence[Row],
    pairs: Sequence[Pair] = (),
    references: Sequence[Pair] = (),
    different: Sequence[str] = (),
    margin: float = MARGIN,
    until_decided: UntilDecided | None = None,
    metric_why: str = "",
) -> str:
    """Says in a few plain sentences what the comparison supports, and no more.

    Args:
      rows: Rows of a comparison, see `rows.compare_runs`.
      pairs: The twins two at a time, see `pairs.compare_pairs`.
      references: The best twin against each baseline and each other system, and its
        mean with n-grams against these, see `pairs.compare_with`.
      different: Why the runs are no twins, see `card.disagreements`.
      margin: Difference below which two are practically equal, a fraction or in nats.
      until_decided: How it went, if seeds were added until all pairs were decided.
      metric_why: Why the metric was chosen for the data, see `metric.ranked_by`.
    """
    if different:
        return (
            f"These runs are not ranked, for they are no twins: they also differ in "
            f"{joined(different)}."
        )
    best = best_of([row for row in rows if row.recurs] or rows)
    others = _others(rows, pairs, best)
    about = [
        *_about_metric(best, metric_why),
        *_about_failures(rows),
        *_about_cells(rows, others, best, margin),
        *about_looks(rows, until_decided),
        *about_settling(rows, pairs),
        *_about_time(others, best),
        *_about_recurrence(others, best, margin),
        *_about_baselines(rows, references, margin),
        *_about_others(rows, references, margin),
        *_about_mean(rows, references, best, margin),
        *_about_seeds(rows, pairs),
        *_about_guessing(rows),
    ]
    return " ".join(about)


def best_of(rows: Iterable[Row]) -> Row:
    """Returns the row of the twin with the best score."""
    return max(_twins(rows), key=goodness)


def goodness(row: Row) -> float:
    """Returns the score of a row so that more is better, by what ranks it."""
    return metric_of(row).goodness(row)


def _twins(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.kind == "twin"]


def _others(rows: Sequence[Row], pairs: Sequence[Pair], one: Row) -> Others:
    """Returns the rows that can be compared with one, and the pairs of both."""
    by_name = {row.name: row for row in rows}
    found = [
        (by_name[pair.b if pair.a == one.name else pair.a], pair)
        for pair in pairs
        if one.name in (pair.a, pair.b) and pair.difference is not None
    ]
    return sorted(found, key=lambda other: abs(difference(other[1])))


def _about_metric(best: Row, why: str) -> list[str]:
    """Says by what the rows are ranked, where the data chose it.

    Such as `Labels are imbalanced (87 % ham): ranked by macro F1; …`.
    """
    if not why:
        return []
    by = f"ranked by {metric_of(best).title}"
    return [f"{why[0].upper()}{why[1:]}: {by}; --metric accuracy ranks by accuracy."]


def _about_failures(rows: Sequence[Row]) -> list[str]:
    """Says of each cell how many trainings failed, if any, and what the others have."""
    return [failure(row) for row in rows if row.failed]


def _about_cells(
    rows: Sequence[Row], others: Others, best: Row, margin: float
) -> list[str]:
    recurrent = [(row, pair) for row, pair in others if row.recurs]
    metric = metric_of(best)
    score = metric.said(best.score.middle)
    if not recurrent:
        if any(row.recurs and row is not best for row in rows):
            return [f"{best.title} has {score}; the cells have no seed in common."]
        if metric is ACCURACY:
            return [f"{begun(best)} has {score} of {best.n:,} test texts right."]
        return [f"{begun(best)} has {score} on {best.n:,} test texts."]
    told = [
        (row, pair, f"{row.title} {aside(pair, best.name)}") for row, pair in recurrent
    ]
    equal = [said for _, pair, said in told if _is_only_equal(pair)]
    close = [said for _, pair, said in told if is_open(pair)]
    decided = [(row, pair) for row, pair in recurrent if is_decided(pair)]
    worse = [_better_than(r, p, margin) for r, p in decided if p.a == best.name]
    lead, said = f"{best.title} ({score})", []
    if equal:
        said.append(f"{lead} is practically equal to {joined(equal)}.")
        lead = best.title
    if close:
        said.append(f"{lead} cannot be told apart here from {joined(close)}.")
        lead = best.title
    if worse:
        said.append(f"{lead} is better than {joined(worse)}.")
    # By the seeds that both have, by ranks, or at an earlier look.
    better = [(row, pair) for row, pair in decided if pair.a == row.name]
    said += [
        f"{r.title} is better than {_better_than(best, p, margin)}." for r, p in better
    ]
    if equal:
        said.append(f"Equal means: apart by less than {metric.margin(margin)}.")
    return said


def _is_only_equal(pair: Pair) -> bool:
    return is_equal(pair) and not is_decided(pair)


def _better_than(row: Row, pair: Pair, margin: float) -> str:
    """Returns such as `LSTM by 1.2 points (0.4 to 2.0)`, of the row that is worse."""
    return f"{row.title} {by_how_much(pair)}{_little(pair, margin)}"


def _little(pair: Pair, margin: float) -> str:
    """Returns such as `, less than 1 point`, where that is known."""
    return f", less than {metric_of(pair).margin(margin)}" if is_equal(pair) else ""


def _about_time(others: Others, best: Row) -> list[str]:
    """Ranks the times of cells that are equally good, if they may be compared."""
    for row, pair in others:
        if (is_decided(pair) and not is_equal(pair)) or not row.recurs:
            continue
        slow, fast = sorted((best, row), key=lambda one: -(one.seconds_per_epoch or 0))
        ratio = _times_as_fast(fast, slow)
        if ratio is None:
            return []
        return [f"{fast.title} trains {ratio:.1f} times as fast as {slow.title}."]
    return []


def _times_as_fast(fast: Row, slow: Row) -> float | None:
    """Returns the ratio of two times if they may be ranked, else None.

    They may with one kernel, timed alone, if the ranges lie apart.
    """
    if fast.kernel != slow.kernel or {fast.timed, slow.timed} != {"alone"}:
        return None
    less, more = fast.milliseconds_per_step, slow.milliseconds_per_step
    if less is None or more is None or less.most >= more.least:
        return None
    short, long = fast.seconds_per_epoch, slow.seconds_per_epoch
    if not short or not long or long < 1.05 * short:
        return None
    return long / short


def _about_recurrence(others: Others, best: Row, margin: float) -> list[str]:
    """Says of each twin that does not recur what it lacks, where it was trained."""
    return [_beside(row, pair, best, margin) for row, pair in others if not row.recurs]


def _beside(row: Row, pair: Pair, best: Row, margin: float) -> str:
    if is_decided(pair):
        little = _little(pair, margin)
        if pair.a != best.name:
            return f"{begun(row)} beats {best.title} {by_how_much(pair)}{little}."
        if pair.by == BY_RANKS:
            return f"{begun(row)} is behind {best.title} {ranks(pair)}."
        return f"{begun(row)} is {_below(pair)} {best.title}{little}."
    if not best.recurs:
        how = "is practically equal to it" if is_equal(pair) else ""
        how = how or "cannot be told apart from it"
        return f"{begun(row)} {how} {aside(pair, row.name)}."
    # What recurrence is worth is told beside the twin that has nothing in its place; of
    # another it is said.
    than = "" if row.cell == NO_RECURRENCE.name else f" beside {row.title}"
    if is_equal(pair):
        size = metric_of(row).margin(margin)
        return f"Recurrence changes less than {size}{than} {aside(pair, best.name)}."
    return f"That recurrence helps{than} is not shown {aside(pair, best.name)}."


def _below(pair: Pair) -> str:
    """Returns such as `6.1 points (5.0 to 7.2) below`."""
    return f"{in_unit(pair)} {metric_of(pair).below}"


def _about_baselines(
    rows: Sequence[Row], references: Sequence[Pair], margin: float
) -> list[str]:
    baselines = [row for row in rows if row.kind == "baseline"]
    if not baselines or not references:
        return []
    name = max(baselines, key=goodness).name
    pair = next(p for p in references if name in (p.a, p.b))
    said = _beside_best_twin(name, pair, titles(rows), margin)
    return [f"The best baseline, {name}, {said}."]


def _about_others(
    rows: Sequence[Row], references: Sequence[Pair], margin: float
) -> list[str]:
    """Says of each other system, and the yardstick, how it is beside the best twin."""
    names = titles(rows)
    kinds = {OTHER: "other system", YARDSTICK: "yardstick"}
    return [
        f"The {kinds[row.kind]} {row.name} "
        f"{_beside_best_twin(row.name, pair, names, margin)}."
        for row in rows
        if row.kind in kinds
        for pair in references
        if row.name in (pair.a, pair.b)
    ]


def _beside_best_twin(
    name: str, pair: Pair, names: Mapping[str, str], margin: float
) -> str:
    """Returns such as `is 6.1 points (5.0 to 7.2) below GRU`, of the row of a name."""
    twin = names[pair.b if pair.a == name else pair.a]
    if _is_only_equal(pair):
        size = metric_of(pair).margin(margin)
        return f"is within {size} of the best twin, {twin} {aside(pair, name)}"
    if not is_decided(pair):
        return f"cannot be told apart from the best twin, {twin} {aside(pair, name)}"
    little = _little(pair, margin)
    if pair.a == name:
        return f"beats the best twin, {twin}, {by_how_much(pair)}{little}"
    if pair.by == BY_RANKS:
        return f"is behind {twin} {ranks(pair)}"
    return f"is {_below(pair)} {twin}{little}"


def _about_mean(
    rows: Sequence[Row], references: Sequence[Pair], best: Row, margin: float
) -> list[str]:
    """Says what recurrence adds to n-grams, where the two were averaged."""
    means = {row.name: row for row in rows if row.of == best.name}
    for pair in references:
        for name, n_grams in ((pair.a, pair.b), (pair.b, pair.a)):
            if name not in means:
                continue
            metric = metric_of(pair)
            score = metric.said(means[name].score.middle)
            lead = f"The mean of {best.title} and {n_grams} has {score}"
            if pair.by == BY_RANKS:
                return [f"{lead}."]
            if not is_decided(pair):
                gain = aside(pair, name)
                return [f"{lead}: that it adds to {n_grams} is not shown {gain}."]
            is_more = (pair.a == name) == (metric.sign > 0)
            more = "more" if is_more else "less"
            return [
                f"{lead}, {in_unit(pair)} {more} than {n_grams} alone"
                f"{_little(pair, margin)}."
            ]
    return []


def _about_seeds(rows: Sequence[Row], pairs: Sequence[Pair]) -> list[str]:
    """Says so where models are compared, for a cell has one seed."""
    counts = [len(row.seeds) for row in _twins(rows)]
    if max(counts) == 1:
        return ["With one seed this concerns these trained models, not the cells."]
    if any(pair.difference is not None and pair.p is None for pair in pairs):
        return ["Where a cell has one seed, two trained models are compared."]
    return []


def _about_guessing(rows: Sequence[Row]) -> list[str]:
    """Doubts the labels where nothing learnt anything from the texts."""
    guesses = [row for row in rows if row.name == GUESSING]
    others = [row for row in rows if row.name != GUESSING]
    if not guesses or any(_is_above(row, guesses[0]) for row in others):
        return []
    return [
        "Nothing here beats always guessing the commonest label: do the labels belong "
        "to the texts?"
    ]


def _is_above(row: Row, guess: Row) -> bool:
    """Tells whether the whole interval of a row is better than guessing."""
    sign = metric_of(row).sign
    return min(sign * end for end in row.score.ends) > goodness(guess)
