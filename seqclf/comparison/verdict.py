"""What the table says, in plain words and no stronger than its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seqclf.cells import CELLS
from seqclf.comparison.pairs import bounds, difference, is_border_case, is_decided
from seqclf.records.comparison import Pair, Row
from seqclf.wording import interval, joined, percent, points

Others = Sequence[tuple[Row, Pair]]  # of a row, the nearest first
GUESSING = "majority"  # the baseline that looks at no text


def verdict(
    rows: Sequence[Row],
    pairs: Sequence[Pair] = (),
    references: Sequence[Pair] = (),
    different: Sequence[str] = (),
) -> str:
    """Says in a few plain sentences what the comparison supports, and no more.

    Args:
      rows: Rows of a comparison, see `rows.compare_runs`.
      pairs: The twins two at a time, see `pairs.compare_pairs`.
      references: The best twin against each baseline, and its mean with n-grams against
        these, see `pairs.compare_with`.
      different: Why the runs are no twins, see `card.disagreements`.
    """
    if different:
        return (
            f"These runs are not ranked, for they are no twins: they also differ in "
            f"{joined(different)}."
        )
    best = best_of([row for row in rows if row.recurs] or rows)
    others = _others(rows, pairs, best)
    about = [
        *_about_cells(rows, others, best),
        *_about_settling(others, best),
        *_about_time(others, best),
        *_about_recurrence(others, best),
        *_about_baselines(rows, references),
        *_about_mean(rows, references, best),
        *_about_seeds(rows, pairs),
        *_about_guessing(rows),
    ]
    return " ".join(about)


def title(cell: str) -> str:
    """Returns the name of a cell as it is written in text."""
    return CELLS[cell].title


def titles(rows: Iterable[Row]) -> dict[str, str]:
    """Returns what sentences call the rows, by name."""
    return {row.name: row.title for row in rows}


def best_of(rows: Iterable[Row]) -> Row:
    """Returns the row of the twin with the highest accuracy."""
    return max(_twins(rows), key=lambda row: row.accuracy.mean)


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


def _about_cells(rows: Sequence[Row], others: Others, best: Row) -> list[str]:
    recurrent = [(row, pair) for row, pair in others if row.recurs]
    score = f"{percent(best.accuracy.mean)} %"
    if not recurrent:
        if any(row.recurs and row is not best for row in rows):
            return [f"{best.title} has {score}; the cells have no seed in common."]
        name = best.title[0].upper() + best.title[1:]
        return [f"{name} has {score} of {best.n:,} test texts right."]
    close = [f"{r.title} {_aside(p)}" for r, p in recurrent if not is_decided(p)]
    worse = [f"{r.title} by {_points(p)}" for r, p in recurrent if is_decided(p)]
    lead, said = f"{best.title} ({score})", []
    if close:
        said.append(f"{lead} cannot be told apart here from {joined(close)}.")
        lead = best.title
    if worse:
        said.append(f"{lead} is better than {joined(worse)}.")
    return said


def _about_time(others: Others, best: Row) -> list[str]:
    """Ranks the times of cells that are equally good, if they may be compared."""
    for row, pair in others:
        if is_decided(pair) or not row.recurs:
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


def _about_recurrence(others: Others, best: Row) -> list[str]:
    """Says what the twin without recurrence lacks, where it was trained."""
    for row, pair in others:
        if row.recurs:
            continue
        if not is_decided(pair):
            return [f"That recurrence helps is not shown {_aside(pair)}."]
        if pair.a == best.name:
            below = f"{_points(pair)} below {best.title}"
            return [f"The twin without recurrence is {below}."]
        return [f"The twin without recurrence beats {best.title} by {_points(pair)}."]
    return []


def _about_baselines(rows: Sequence[Row], references: Sequence[Pair]) -> list[str]:
    baselines = [row for row in rows if row.kind == "baseline"]
    if not baselines or not references:
        return []
    name = max(baselines, key=lambda row: row.accuracy.mean).name
    pair = next(p for p in references if name in (p.a, p.b))
    twin = titles(rows)[pair.b if pair.a == name else pair.a]
    if not is_decided(pair):
        said = f"cannot be told apart from the best twin, {twin} {_aside(pair)}"
    elif pair.a == name:
        said = f"beats the best twin, {twin}, by {_points(pair)}"
    else:
        said = f"is {_points(pair)} below {twin}"
    return [f"The best baseline, {name}, {said}."]


def _about_mean(
    rows: Sequence[Row], references: Sequence[Pair], best: Row
) -> list[str]:
    """Says what recurrence adds to n-grams, where the two were averaged."""
    means = {row.name: row for row in rows if row.of == best.name}
    for pair in references:
        for name, n_grams in ((pair.a, pair.b), (pair.b, pair.a)):
            if name not in means:
                continue
            score = f"{percent(means[name].accuracy.mean)} %"
            lead = f"The mean of {best.title} and {n_grams} has {score}"
            if not is_decided(pair):
                return [
                    f"{lead}: that it adds to {n_grams} is not shown {_aside(pair)}."
                ]
            more = "more" if pair.a == name else "less"
            return [f"{lead}, {_points(pair)} {more} than {n_grams} alone."]
    return []


def _about_seeds(rows: Sequence[Row], pairs: Sequence[Pair]) -> list[str]:
    """Says so where models are compared, for a cell has one seed."""
    counts = [len(row.seeds) for row in _twins(rows)]
    if max(counts) == 1:
        return ["With one seed this concerns these trained models, not the cells."]
    if any(pair.difference is not None and pair.p is None for pair in pairs):
        return ["Where a cell has one seed, two trained models are compared."]
    return []


def _about_settling(others: Others, best: Row) -> list[str]:
    """Says what would tell the best cell from the nearest that it resembles."""
    undecided = [(r, p) for r, p in others if r.recurs and not is_decided(p)]
    if not undecided or undecided[0][1].p is None:
        return []
    row, pair = undecided[0]
    needed, ways = pair.settled_by, []
    if needed and needed.seeds:
        there = min(len(row.seeds), len(best.seeds))
        ways.append(f"about {needed.seeds} seeds (here {there})")
    if needed and needed.rows:
        ways.append(f"about {needed.rows:,} test texts (here {best.n:,})")
    if not ways:
        return ["More seeds or test texts alone would hardly settle it."]
    return [
        f"If the true difference of {best.title} and {row.title} is that "
        f"large, {' or '.join(ways)} would more likely than not show it."
    ]


def _about_guessing(rows: Sequence[Row]) -> list[str]:
    """Doubts the labels where nothing learnt anything from the texts."""
    guesses = [row for row in rows if row.name == GUESSING]
    others = [row for row in rows if row.name != GUESSING]
    if not guesses or any(
        row.accuracy.low > guesses[0].accuracy.mean for row in others
    ):
        return []
    return [
        "Nothing here beats always guessing the commonest label: do the labels belong "
        "to the texts?"
    ]


def _points(pair: Pair) -> str:
    """Returns a difference such as `6.1 points (5.0 to 7.2)`."""
    return points(abs(difference(pair)), *bounds(pair))


def _aside(pair: Pair) -> str:
    """Returns such as `(difference 0.3 points, 95 % interval −0.4 to 1.0)`."""
    size, reach = points(abs(difference(pair))), interval(*bounds(pair))
    if not is_border_case(pair):
        return f"(difference {size}, 95 % interval {reach})"
    if pair.p is None:
        return (
            f"(difference {size}, 95 % interval {reach}, McNemar's "
            f"p = {max(pair.mcnemar_p):.3f}: the two disagree, a border case)"
        )
    return (
        f"(difference {size}; on its own its 95 % interval, {reach}, "
        f"leaves 0 out, but not after allowing for the {compared(pair)} compared: "
        f"p = {pair.p:.3f})"
    )


def compared(pair: Pair) -> str:
    """Returns for how many pairs the p-value of one is adjusted, such as `3 pairs`."""
    number = pair.adjusted_for  # comparisons of earlier versions lack it
    return f"{number} pairs" if number else "pairs"


def in_words(pair: Pair, names: Mapping[str, str]) -> str:
    """Returns a difference and its interval as a sentence, in texts of a thousand.

    The rows can be compared; `names` is what sentences call them, see `titles`.
    """
    count, low, high = (
        round(1000 * value) for value in (difference(pair), *bounds(pair))
    )
    a, b = names[pair.a], names[pair.b]
    if not count:
        lead = f"{a} has as many right as {b}"
    else:
        lead = f"{a} has {count} more right than {b}"
    if low >= 0:
        reach = f"between {low} and {high} more"
    elif high <= 0:
        reach = f"between {-high} and {-low} fewer"
    else:
        reach = f"between {-low} fewer and {high} more"
    return f"Of 1,000 texts {lead}; {reach}."
