"""What is said of pairs that are open: how long was looked, what would decide them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqclf.cells import CELLS
from seqclf.comparison.judged import is_open
from seqclf.comparison.said import title, titles
from seqclf.records.comparison import BY_FOLDS, BY_RANKS, Pair, Row
from seqclf.records.looks import LeftOpen, UntilDecided
from seqclf.wording import joined


def about_looks(rows: Sequence[Row], how: UntilDecided | None) -> list[str]:
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


def about_settling(rows: Sequence[Row], pairs: Sequence[Pair]) -> list[str]:
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
    if pair.by == BY_FOLDS:
        return "more texts"
    needed, ways = pair.settled_by, []
    there = min(len(a.seeds), len(b.seeds))
    if needed and needed.seeds and needed.seeds > there:
        ways.append(f"about {needed.seeds} seeds (here {there})")
    if needed and needed.rows and needed.rows > a.n:
        ways.append(f"about {needed.rows:,} test texts (here {a.n:,})")
    if not ways and needed and (needed.seeds or needed.rows):
        # By ranks there are seeds enough, and these texts may suit one cell.
        by_ranks = pair.by == BY_RANKS
        return "more test texts" if by_ranks else "a few more seeds or test texts"
    return " or ".join(ways) or "more seeds or test texts alone hardly would"
