"""What the table says, in plain words and no stronger than its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from seqclf.cells import CELLS, NO_RECURRENCE
from seqclf.comparison.pairs import (
    MARGIN,
    bounds,
    difference,
    is_border_case,
    is_decided,
    is_equal,
    is_open,
    is_small_alone,
    leaves_out_0,
    p_of,
)
from seqclf.metrics import wilson
from seqclf.records.comparison import BY_RANKS, Pair, Row
from seqclf.records.looks import LeftOpen, UntilDecided
from seqclf.wording import (
    interval,
    joined,
    margin_said,
    p_value,
    percent,
    plural,
    points,
)

Others = Sequence[tuple[Row, Pair]]  # of a row, the nearest first
GUESSING = "majority"  # the baseline that looks at no text


def verdict(
    rows: Sequence[Row],
    pairs: Sequence[Pair] = (),
    references: Sequence[Pair] = (),
    different: Sequence[str] = (),
    margin: float = MARGIN,
    until_decided: UntilDecided | None = None,
) -> str:
    """Says in a few plain sentences what the comparison supports, and no more.

    Args:
      rows: Rows of a comparison, see `rows.compare_runs`.
      pairs: The twins two at a time, see `pairs.compare_pairs`.
      references: The best twin against each baseline, and its mean with n-grams against
        these, see `pairs.compare_with`.
      different: Why the runs are no twins, see `card.disagreements`.
      margin: Difference below which two are practically equal, a fraction.
      until_decided: How it went, if seeds were added until all pairs were decided.
    """
    if different:
        return (
            f"These runs are not ranked, for they are no twins: they also differ in "
            f"{joined(different)}."
        )
    best = best_of([row for row in rows if row.recurs] or rows)
    others = _others(rows, pairs, best)
    about = [
        *_about_failures(rows),
        *_about_cells(rows, others, best, margin),
        *_about_looks(rows, until_decided),
        *_about_settling(rows, pairs),
        *_about_time(others, best),
        *_about_recurrence(others, best, margin),
        *_about_baselines(rows, references, margin),
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


def _about_failures(rows: Sequence[Row]) -> list[str]:
    """Says of each cell how many trainings failed, if any, and what the others have."""
    return [failure(row) for row in rows if row.failed]


def failure(row: Row) -> str:
    """Returns how many trainings of a cell failed, and what the others have.

    Such as `SimpleRNN failed in 1 of 3 trainings (95 % interval of that share: 6 to
    79 %); the others have 87.0 %.` The interval is Wilson's.
    """
    number, seeds = len(row.failed or ()), len(row.seeds)
    low, high = (round(100 * end) for end in wilson(number, seeds))
    share = f"95 % interval of that share: {low} to {high} %"
    lead = f"{row.title} failed in {number} of {seeds} trainings ({share})"
    if row.accuracy.of_others is None:
        return f"{lead}."
    return f"{lead}; the others have {percent(row.accuracy.of_others)} %."


def _about_cells(
    rows: Sequence[Row], others: Others, best: Row, margin: float
) -> list[str]:
    recurrent = [(row, pair) for row, pair in others if row.recurs]
    score = f"{percent(best.accuracy.middle)} %"
    if not recurrent:
        if any(row.recurs and row is not best for row in rows):
            return [f"{best.title} has {score}; the cells have no seed in common."]
        return [f"{_begun(best)} has {score} of {best.n:,} test texts right."]
    equal = [f"{r.title} {_aside(p)}" for r, p in recurrent if _is_only_equal(p)]
    close = [f"{r.title} {_aside(p)}" for r, p in recurrent if is_open(p)]
    worse = [_better_than(r, p, margin) for r, p in recurrent if is_decided(p)]
    lead, said = f"{best.title} ({score})", []
    if equal:
        said.append(f"{lead} is practically equal to {joined(equal)}.")
        lead = best.title
    if close:
        said.append(f"{lead} cannot be told apart here from {joined(close)}.")
        lead = best.title
    if worse:
        said.append(f"{lead} is better than {joined(worse)}.")
    if equal:
        said.append(f"Equal means: apart by less than {margin_said(margin)}.")
    return said


def _is_only_equal(pair: Pair) -> bool:
    return is_equal(pair) and not is_decided(pair)


def _better_than(row: Row, pair: Pair, margin: float) -> str:
    less = f", less than {margin_said(margin)}" if is_equal(pair) else ""
    return f"{row.title} {_by(pair)}{less}"


def _by(pair: Pair) -> str:
    """Returns by how much a is better: in points or, without an interval, ranks."""
    return ranks(pair) if pair.by == BY_RANKS else f"by {_points(pair)}"


def ranks(pair: Pair) -> str:
    """Returns such as `in 12 of 12 pairs of trainings (exact rank test, p = 0.029)`."""
    told = pair.superiority
    if told is None or pair.p is None:
        raise ValueError(f"{pair.a} and {pair.b} have no ranks")
    p = p_value(pair.p)
    p = p if p.startswith("<") else f"= {p}"
    count = f"{told.ahead:g} of {told.pairs} {plural(told.pairs, 'pair')}"
    return f"in {count} of trainings (exact rank test, p {p})"


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
        if pair.a != best.name:
            return f"{_begun(row)} beats {best.title} {_by(pair)}."
        if pair.by == BY_RANKS:
            return f"{_begun(row)} is behind {best.title} {ranks(pair)}."
        return f"{_begun(row)} is {_points(pair)} below {best.title}."
    if not best.recurs:
        return f"{_begun(row)} cannot be told apart from it {_aside(pair)}."
    # What recurrence is worth is told beside the twin that has nothing in its place; of
    # another it is said.
    than = "" if row.cell == NO_RECURRENCE.name else f" beside {row.title}"
    if is_equal(pair):
        return (
            f"Recurrence changes less than {margin_said(margin)}{than} {_aside(pair)}."
        )
    return f"That recurrence helps{than} is not shown {_aside(pair)}."


def _begun(row: Row) -> str:
    """Returns the title of a row as it begins a sentence."""
    return row.title[0].upper() + row.title[1:]


def _about_baselines(
    rows: Sequence[Row], references: Sequence[Pair], margin: float
) -> list[str]:
    baselines = [row for row in rows if row.kind == "baseline"]
    if not baselines or not references:
        return []
    name = max(baselines, key=lambda row: row.accuracy.mean).name
    pair = next(p for p in references if name in (p.a, p.b))
    twin = titles(rows)[pair.b if pair.a == name else pair.a]
    if _is_only_equal(pair):
        size = margin_said(margin)
        said = f"is within {size} of the best twin, {twin} {_aside(pair)}"
    elif not is_decided(pair):
        said = f"cannot be told apart from the best twin, {twin} {_aside(pair)}"
    elif pair.a == name:
        said = f"beats the best twin, {twin}, {_by(pair)}"
    elif pair.by == BY_RANKS:
        said = f"is behind {twin} {ranks(pair)}"
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
            score = f"{percent(means[name].accuracy.middle)} %"
            lead = f"The mean of {best.title} and {n_grams} has {score}"
            if pair.by == BY_RANKS:
                return [f"{lead}."]
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


def _about_looks(rows: Sequence[Row], how: UntilDecided | None) -> list[str]:
    """Says after how many trainings all was decided, or what was left open, and why."""
    if how is None or not how.looks:
        return []
    looks = "looked once, at its own level"
    if len(how.looks) > 1:
        looks = (
            f"looked {len(how.looks)} times, each at its own level: together 5 % "
            f"at most"
        )
    after = f"after {how.trainings} trainings ({looks})"
    if not how.left_open:
        return [f"All pairs were decided {after}."]
    left = joined(_left(rows, how))
    return [f"Not all pairs were decided {after}. Left open: {left}."]


def _left(rows: Sequence[Row], how: UntilDecided) -> list[str]:
    """Returns the pairs that were left open, put together by why they were."""
    reasons = {
        "budget": "for the budget was over",
        "interrupted": "for it was interrupted",
        "max_seeds": f"for up to {how.max_seeds} seeds of each do not decide it",
        "texts": "for it would take more test texts, not more seeds",
        "missing": "for all trainings of one failed",
    }
    names = {cell: title(cell) for cell in CELLS} | titles(rows)
    return [
        f"{', '.join(found)}, {reason}"
        for why, reason in reasons.items()
        if (found := [_names(one, names) for one in how.left_open if one.why == why])
    ]


def _names(one: LeftOpen, names: Mapping[str, str]) -> str:
    return f"{names[one.a]} and {names[one.b]}"


def _about_settling(rows: Sequence[Row], pairs: Sequence[Pair]) -> list[str]:
    """Says of each pair of recurrent cells that is open what would decide it."""
    by_name = {row.name: row for row in rows}
    said = []
    for pair in pairs:
        a, b = by_name[pair.a], by_name[pair.b]
        if a.recurs and b.recurs and pair.p is not None and is_open(pair):
            said.append(f"{a.title} and {b.title}: {_settled_by(pair, a, b)}")
    if not said:
        return []
    return [f"What would decide the open pairs, if they stay as they are: "
            f"{'; '.join(said)}."]  # fmt: skip


def _settled_by(pair: Pair, a: Row, b: Row) -> str:
    needed, ways = pair.settled_by, []
    if needed and needed.seeds:
        there = min(len(a.seeds), len(b.seeds))
        ways.append(f"about {needed.seeds} seeds (here {there})")
    if needed and needed.rows:
        ways.append(f"about {needed.rows:,} test texts (here {a.n:,})")
    return " or ".join(ways) or "more seeds or test texts alone hardly would"


def _about_guessing(rows: Sequence[Row]) -> list[str]:
    """Doubts the labels where nothing learnt anything from the texts."""
    guesses = [row for row in rows if row.name == GUESSING]
    others = [row for row in rows if row.name != GUESSING]
    if not guesses or any(
        row.accuracy.ends[0] > guesses[0].accuracy.mean for row in others
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
    if pair.by == BY_RANKS:
        return f"(ahead {ranks(pair)})"
    size, reach = points(abs(difference(pair))), interval(*bounds(pair))
    if not is_border_case(pair):
        return f"(difference {size}, 95 % interval {reach})"
    if not (leaves_out_0(pair) and is_small_alone(pair)):
        return (
            f"(difference {size}, 95 % interval {reach}, McNemar's "
            f"p = {max(pair.mcnemar_p):.3f}: the two disagree, a border case)"
        )
    return (
        f"(difference {size}; on its own its 95 % interval, {reach}, "
        f"leaves 0 out, but not after allowing for the {compared(pair)} compared: "
        f"p = {p_of(pair):.3f})"
    )


def compared(pair: Pair) -> str:
    """Returns for how many pairs the p-value of one is adjusted, such as `3 pairs`."""
    number = pair.adjusted_for  # comparisons of earlier versions lack it
    return f"{number} pairs" if number else "pairs"


def in_words(pair: Pair, names: Mapping[str, str]) -> str:
    """Returns a difference and its interval as a sentence, in texts of a thousand.

    The rows can be compared; `names` is what sentences call them, see `titles`.
    """
    a, b = names[pair.a], names[pair.b]
    if pair.by == BY_RANKS:
        return f"{a} has more right than {b} {ranks(pair)}."
    count, low, high = (
        round(1000 * value) for value in (difference(pair), *bounds(pair))
    )
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
