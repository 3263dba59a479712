"""The pairs of a comparison as a table: which differ, by how much, and how sure."""

from __future__ import annotations

from collections.abc import Sequence

from seqclf.comparison.draws import FOLDS, SEED, SPLIT
from seqclf.comparison.judged import (
    bounds,
    difference,
    is_border_case,
    is_decided,
    is_equal,
    is_small_alone,
    leaves_out_0,
    p_of,
)
from seqclf.comparison.metric import ACCURACY, METRICS, metric_of
from seqclf.comparison.said import compared as number_of_pairs
from seqclf.comparison.said import test_of_ranks
from seqclf.comparison.verdict import goodness
from seqclf.records.comparison import (
    BY_RANKS,
    MEAN,
    OTHER,
    YARDSTICK,
    ComparisonResult,
    Pair,
)
from seqclf.report.columns import MARK, MEDIAN, Column, if_known, table_of
from seqclf.report.table import Table
from seqclf.wording import MISSING, joined, p_value

OVER = {SEED: "seeds", SPLIT: "draws", FOLDS: "folds"}


def pair_table(result: ComparisonResult) -> Table | None:
    """Returns the table of the pairs that could be compared, None if there are none."""
    pairs = compared(result)
    if not pairs:
        return None
    note = _note(pairs, result.margin)
    over = OVER[result.card.vary]
    return table_of(_title(pairs, over), columns(result), pairs, note=note)


def _reach(pair: Pair) -> str:
    if pair.by == BY_RANKS:
        told = pair.superiority
        return f"{told.ahead:g} of {told.pairs}†" if told else MISSING
    mark = MARK if is_border_case(pair) else ""
    return metric_of(pair).reach(*bounds(pair)) + mark


def _found(pair: Pair) -> str:
    """Returns what was found, in a word or two."""
    if not is_decided(pair):
        return "equal" if is_equal(pair) else "open"
    return "a better, by little" if is_equal(pair) else "a better"


def columns(result: ComparisonResult) -> tuple[Column[Pair], ...]:
    """Returns the columns; a difference is positive where a is better."""
    return (
        ("a, b", lambda pair: f"{pair.a}, {pair.b}"),
        (difference_header(result, "\n"), _gap),
        ("95 %\ninterval", _reach),
        ("p", lambda pair: if_known(p_of(pair), p_value)),
        ("found", _found),
    )


def difference_header(result: ComparisonResult, space: str = " ") -> str:
    """Returns such as `a − b, points`; `b − a, nats` where less is better."""
    metric = METRICS[result.metric]
    less = "a − b" if metric.sign > 0 else "b − a"
    return f"{less},{space}{metric.short}"


def _gap(pair: Pair) -> str:
    return metric_of(pair).gap(difference(pair))


def _title(pairs: Sequence[Pair], over: str) -> str:
    models = [pair.p is None for pair in pairs]
    test = test_of_models(pairs[0])
    if all(models):
        return f"Pairs of these models, not of the cells (p: {test}, Holm)"
    if any(models):
        return f"Pairs (p: Holm over {over}; one seed: {test}, models)"
    return f"Pairs, over {over} and texts (p: Holm for each question)"


def test_of_models(pair: Pair) -> str:
    """Returns the name of the test of two models."""
    return "McNemar" if pair.metric == ACCURACY.name else "paired t"


def _note(pairs: Sequence[Pair], margin: float | None) -> str:
    """Explains what is marked, and what `equal` means, where there is such."""
    notes = [
        _ranks_note(pairs),
        _mark_note(pairs),
        _equal_note(pairs, margin),
        _looks_note(pairs),
    ]
    return " ".join(filter(None, notes))


def _ranks_note(pairs: Sequence[Pair]) -> str:
    tests = {test_of_ranks(pair) for pair in pairs if pair.by == BY_RANKS}
    if not tests:
        return ""
    return (
        f"{MEDIAN} Pairs of trainings in which a is ahead, for some failed; the "
        f"difference is their median, p that of the {joined(sorted(tests))}."
    )


def _equal_note(pairs: Sequence[Pair], margin: float | None) -> str:
    if margin is None or not any(map(is_equal, pairs)):
        return ""
    return (
        f"Equal, or by little: apart by less than {metric_of(pairs[0]).margin(margin)}."
    )


def _looks_note(pairs: Sequence[Pair]) -> str:
    """Says so where intervals and p allow for several looks."""
    if not any(pair.look for pair in pairs):
        return ""
    return (
        "p and interval allow for looking again and again; a pair that is decided is "
        "shown as it was then."
    )


def _mark_note(pairs: Sequence[Pair]) -> str:
    """Explains the mark at intervals that decide nothing, where there is one."""
    marked = [pair for pair in pairs if is_border_case(pair)]
    if not marked:
        return ""
    undone = [pair for pair in marked if leaves_out_0(pair) and is_small_alone(pair)]
    if not undone:
        return f"{MARK} Interval and McNemar's test disagree: a border case, undecided."
    return (
        f"{MARK} The pair's own interval: it leaves 0 out, but not after allowing for "
        f"the {number_of_pairs(undone[0])} compared, as p does."
    )


def compared(result: ComparisonResult) -> list[Pair]:
    """Returns the pairs of twins, and those with the best baseline or of a mean.

    Also those of the best twin and each other system, and the yardstick.
    """
    baselines = [row for row in result.rows if row.kind == "baseline"]
    best = max(baselines, key=goodness, default=None)
    names = {best.name} if best else set()
    names |= {row.name for row in result.rows if row.kind in (MEAN, OTHER, YARDSTICK)}
    found = [pair for pair in result.references if names & {pair.a, pair.b}]
    return [pair for pair in (*result.pairs, *found) if pair.difference is not None]
