"""What sentences call rows, and how they tell of a pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from seqclf.cells import CELLS
from seqclf.comparison.judged import (
    bounds,
    difference,
    is_border_case,
    is_small_alone,
    leaves_out_0,
    p_of,
)
from seqclf.comparison.metric import ACCURACY, metric_of
from seqclf.metrics import wilson
from seqclf.records.comparison import BY_RANKS, Pair, Row
from seqclf.wording import counted, p_value, plural


def title(cell: str) -> str:
    """Returns the name of a cell as it is written in text."""
    return CELLS[cell].title


def titles(rows: Iterable[Row]) -> dict[str, str]:
    """Returns what sentences call the rows, by name."""
    return {row.name: row.title for row in rows}


def failure(row: Row) -> str:
    """Returns how many trainings of a cell failed, and what the others have.

    Such as `SimpleRNN failed in 1 of 3 trainings (95 % interval of that share: 6 to
    79 %); the others have 87.0 %.` The interval is Wilson's.
    """
    number, seeds = len(row.failed or ()), len(row.seeds)
    low, high = (round(100 * end) for end in wilson(number, seeds))
    share = f"95 % interval of that share: {low} to {high} %"
    lead = f"{begun(row)} failed in {number} of {counted(seeds, 'training')} ({share})"
    if row.score.of_others is None:
        return f"{lead}."
    return f"{lead}; the others have {metric_of(row).said(row.score.of_others)}."


def by_how_much(pair: Pair) -> str:
    """Returns by how much a is better: in its unit or, without an interval, ranks."""
    return ranks(pair) if pair.by == BY_RANKS else f"by {in_unit(pair)}"


def ranks(pair: Pair) -> str:
    """Returns such as `in 12 of 12 pairs of trainings (rank test, p = 0.029)`.

    Where each training of the one is beside a single one of the other, as on folds, it
    is a sign test.
    """
    told = pair.superiority
    if told is None or pair.p is None:
        raise ValueError(f"{pair.a} and {pair.b} have no ranks")
    p = p_value(pair.p)
    p = p if p.startswith("<") else f"= {p}"
    count = f"{told.ahead:g} of {told.pairs} {plural(told.pairs, 'pair')}"
    return f"in {count} of trainings ({test_of_ranks(pair)}, p {p})"


def test_of_ranks(pair: Pair) -> str:
    """Returns the name of the test of a pair that is judged by ranks."""
    told = pair.superiority
    is_one_each = told is not None and told.pairs == len(pair.seeds)
    return "sign test" if is_one_each else "rank test"


def begun(row: Row) -> str:
    """Returns the title of a row as it begins a sentence."""
    return row.title[0].upper() + row.title[1:]


def in_unit(pair: Pair) -> str:
    """Returns a difference such as `6.1 points (5.0 to 7.2)`."""
    return metric_of(pair).size(abs(difference(pair)), bounds(pair))


def aside(pair: Pair, name: str) -> str:
    """Returns such as `(difference 0.3 points, 95 % interval −0.4 to 1.0)`.

    It is positive where the row of that name is better.
    """
    is_first = pair.a == name
    if pair.by == BY_RANKS:
        return f"({'ahead' if is_first else 'behind'} {ranks(pair)})"
    metric, sign = metric_of(pair), 1 if is_first else -1
    size = metric.size(sign * difference(pair))
    reach = metric.reach(*sorted(sign * end for end in bounds(pair)))
    if not is_border_case(pair):
        return f"(difference {size}, 95 % interval {reach})"
    if not (leaves_out_0(pair) and is_small_alone(pair)):
        return (
            f"(difference {size}, 95 % interval {reach}, McNemar's "
            f"p = {p_value(max(pair.mcnemar_p))}: the two disagree, a border case)"
        )
    return (
        f"(difference {size}; on its own its 95 % interval, {reach}, "
        f"leaves 0 out, but not after allowing for the {compared(pair)} compared: "
        f"p = {p_value(p_of(pair) or 0.0)})"
    )


def compared(pair: Pair) -> str:
    """Returns for how many pairs the p-value of one is adjusted, such as `3 pairs`."""
    number = pair.adjusted_for  # comparisons of earlier versions lack it
    return f"{number} pairs" if number else "pairs"


def in_words(pair: Pair, names: Mapping[str, str]) -> str:
    """Returns a difference and its interval as a sentence, in texts of a thousand.

    By another metric than accuracy it is in its unit. The rows can be compared; `names`
    is what sentences call them, see `titles`.
    """
    a, b = names[pair.a], names[pair.b]
    if pair.metric != ACCURACY.name:
        return _in_unit_words(pair, a, b)
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


def _in_unit_words(pair: Pair, a: str, b: str) -> str:
    """Returns such as `By log loss GRU is ahead of LSTM by 0.012 nats; …`."""
    metric = metric_of(pair)
    if pair.by == BY_RANKS:
        return f"By {metric.title} {a} is ahead of {b} {ranks(pair)}."
    low, high = bounds(pair)
    ends = f"{metric.gap(abs(low))} {'worse' if low < 0 else 'better'}"
    ends += f" and {metric.gap(abs(high))} {'worse' if high < 0 else 'better'}"
    size = f"{metric.gap(difference(pair))} {metric.short}"
    return f"By {metric.title} {a} is ahead of {b} by {size}; between {ends}."
