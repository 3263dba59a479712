"""What the table says, in plain words and no stronger than its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqclf.comparison.pairs import (
    NO_RECURRENCE,
    bounds,
    is_border_case,
    is_decided,
)
from seqclf.comparison.words import joined, signed

Record = dict[str, Any]


def verdict(
    rows: Sequence[Record],
    pairs: Sequence[Record] = (),
    references: Sequence[Record] = (),
    different: Sequence[str] = (),
) -> str:
    """Says in plain words what the comparison supports, and no more.

    Args:
      rows: Rows of a comparison, see `rows.compare_runs`.
      pairs: The twins two at a time, see `pairs.compare_pairs`.
      references: The best twin against each baseline, see `pairs.compare_with`.
      different: Why the runs are no twins, see `card.disagreements`.

    Returns:
      A few sentences.
    """
    if different:
        return (
            f"These runs are not ranked, for they are no twins: they also differ in "
            f"{joined(different)}."
        )
    best = _best(rows)
    about = [
        *_about_cells(rows, pairs, best),
        *_about_settling(pairs, best),
        *_about_time(rows, pairs, best),
        *_about_recurrence(pairs, best),
        *_about_baselines(rows, references),
        *_about_seeds(rows, pairs),
        *_about_guessing(rows),
    ]
    return " ".join(about)


def title(cell: str) -> str:
    """Returns the name of a cell as people write it."""
    names = {
        NO_RECURRENCE: "the twin without recurrence",
        "rnn": "SimpleRNN",
        "gru": "GRU",
        "lstm": "LSTM",
    }
    first, *rest = cell.split(maxsplit=1)
    return " ".join([names.get(first, first), *rest])


def best_of(rows: Sequence[Record]) -> Record:
    """Returns the row of the twin with the highest accuracy."""
    twins = [row for row in rows if row["kind"] == "recurrent"]
    return max(twins, key=lambda row: row["accuracy"]["mean"])


def _best(rows: Sequence[Record]) -> Record:
    """Returns the best row of those that recur, or of the only ones that there are."""
    recurrent = [row for row in rows if _recurs(row["cell"])]
    return best_of([r for r in recurrent if r["kind"] == "recurrent"] or rows)


def _recurs(cell: str) -> bool:
    return cell.split()[0] != NO_RECURRENCE


def _with(pairs: Sequence[Record], cell: str) -> list[tuple[str, Record]]:
    """Returns the pairs of a cell with their other cells, the nearest first."""
    found = [
        (p["b"] if p["a"] == cell else p["a"], p)
        for p in pairs
        if cell in (p["a"], p["b"]) and p["seeds"]
    ]
    return sorted(found, key=lambda one: abs(one[1]["difference"]))


def _about_cells(
    rows: Sequence[Record], pairs: Sequence[Record], best: Record
) -> list[str]:
    name = title(best["cell"])
    others = [(c, p) for c, p in _with(pairs, best["cell"]) if _recurs(c)]
    score = f"{100 * best['accuracy']['mean']:.1f} %"
    if not others:
        if any(_recurs(r["cell"]) and r is not best for r in _twins(rows)):
            return [f"{name} has {score}; the cells have no seed in common."]
        return [f"{_first_upper(name)} has {score} of {best['n']:,} test texts right."]
    close = [f"{title(c)} {_aside(p)}" for c, p in others if not is_decided(p)]
    worse = [f"{title(c)} by {_points(p)}" for c, p in others if is_decided(p)]
    said = []
    if close:
        said.append(f"{name} ({score}) cannot be told apart here from {joined(close)}.")
    if worse:
        lead = name if close else f"{name} ({score})"
        said.append(f"{lead} is better than {joined(worse)}.")
    return said


def _twins(rows: Sequence[Record]) -> list[Record]:
    return [row for row in rows if row["kind"] == "recurrent"]


def _about_time(
    rows: Sequence[Record], pairs: Sequence[Record], best: Record
) -> list[str]:
    """Ranks the times of cells that are equally good, if they may be compared."""
    by_cell = {row["cell"]: row for row in _twins(rows)}
    for cell, pair in _with(pairs, best["cell"]):
        if is_decided(pair) or not _recurs(cell):
            continue
        slow, fast = sorted(
            (best, by_cell[cell]), key=lambda row: -row.get("seconds_per_epoch", 0)
        )
        if not _times_differ(fast, slow):
            return []
        ratio = slow["seconds_per_epoch"] / fast["seconds_per_epoch"]
        return [
            f"{title(fast['cell'])} trains {ratio:.1f} times as fast as "
            f"{title(slow['cell'])}."
        ]
    return []


def _times_differ(fast: Record, slow: Record) -> bool:
    """Tells whether times may be ranked: one kernel, timed alone, ranges apart."""
    if fast.get("kernel") != slow.get("kernel"):
        return False
    if {fast.get("timed"), slow.get("timed")} != {"alone"}:
        return False
    apart = (
        fast["milliseconds_per_step"]["most"] < slow["milliseconds_per_step"]["least"]
    )
    return bool(apart and slow["seconds_per_epoch"] >= 1.05 * fast["seconds_per_epoch"])


def _about_recurrence(pairs: Sequence[Record], best: Record) -> list[str]:
    """Says what the twin without recurrence lacks, where it was trained."""
    for cell, pair in _with(pairs, best["cell"]):
        if _recurs(cell):
            continue
        if not is_decided(pair):
            return [f"That recurrence helps is not shown {_aside(pair)}."]
        if pair["a"] == best["cell"]:
            below = f"{_points(pair)} below {title(best['cell'])}"
            return [f"The twin without recurrence is {below}."]
        beaten = title(best["cell"])
        return [f"The twin without recurrence beats {beaten} by {_points(pair)}."]
    return []


def _about_baselines(rows: Sequence[Record], references: Sequence[Record]) -> list[str]:
    baselines = [row for row in rows if row["kind"] == "baseline"]
    if not baselines or not references:
        return []
    name = max(baselines, key=lambda row: row["accuracy"]["mean"])["cell"]
    pair = next(p for p in references if name in (p["a"], p["b"]))
    twin = title(pair["b"] if pair["a"] == name else pair["a"])
    if not is_decided(pair):
        return [
            f"The best baseline, {name}, cannot be told apart from the best twin, "
            f"{twin} {_aside(pair)}."
        ]
    if pair["a"] == name:
        return [
            f"The best baseline, {name}, beats the best twin, {twin}, by "
            f"{_points(pair)}."
        ]
    return [f"The best baseline, {name}, is {_points(pair)} below {twin}."]


def _about_seeds(rows: Sequence[Record], pairs: Sequence[Record]) -> list[str]:
    """Says so where some pair has one seed in common, or some cell has one seed."""
    counts = [len(pair["seeds"]) for pair in pairs if pair["seeds"]]
    counts += [len(row["seeds"]) for row in _twins(rows)]
    if min(counts) > 1:
        return []
    if max(counts) == 1:
        return ["With one seed this concerns these trained models, not the cells."]
    return ["Cells with one seed in common are compared as two trained models."]


def _about_settling(pairs: Sequence[Record], best: Record) -> list[str]:
    """Says what would tell the best cell from the nearest that it resembles."""
    near = [(cell, p) for cell, p in _with(pairs, best["cell"]) if _recurs(cell)]
    cell, pair = next(((c, p) for c, p in near if not is_decided(p)), ("", {}))
    if pair.get("p") is None:
        return []
    needed = pair["settled_by"] or {}
    ways = []
    if needed.get("seeds"):
        ways.append(f"about {needed['seeds']} seeds (here {len(pair['seeds'])})")
    if needed.get("rows"):
        ways.append(f"about {needed['rows']:,} test texts (here {best['n']:,})")
    if not ways:
        return ["More seeds or test texts alone would hardly settle it."]
    return [
        f"If the true difference of {title(best['cell'])} and {title(cell)} is that "
        f"large, {' or '.join(ways)} would more likely than not show it."
    ]


def _about_guessing(rows: Sequence[Record]) -> list[str]:
    """Doubts the labels where nothing learnt anything from the texts."""
    guesses = [row for row in rows if row["cell"] == "majority"]
    others = [row for row in rows if row["cell"] != "majority"]
    if not guesses or any(
        row["accuracy"]["low"] > guesses[0]["accuracy"]["mean"] for row in others
    ):
        return []
    return [
        "Nothing here beats always guessing the commonest label: do the labels belong "
        "to the texts?"
    ]


def _points(pair: Record) -> str:
    """Returns a difference such as `6.1 points (5.0 to 7.2)`."""
    return f"{_size(pair)} ({_reach(pair)})"


def _aside(pair: Record) -> str:
    """Returns such as `(difference 0.3 points, 95 % interval -0.4 to 1.0)`."""
    if not is_border_case(pair):
        return f"(difference {_size(pair)}, 95 % interval {_reach(pair)})"
    if pair["p"] is None:
        p = max(pair["mcnemar_p"])
        return (
            f"(difference {_size(pair)}, 95 % interval {_reach(pair)}, McNemar's "
            f"p = {p:.3f}: the two disagree, a border case)"
        )
    return (
        f"(difference {_size(pair)}; on its own its 95 % interval, {_reach(pair)}, "
        f"leaves 0 out, but not after allowing for the {compared(pair)} compared: "
        f"p = {pair['p']:.3f})"
    )


def compared(pair: Record) -> str:
    """Returns for how many pairs the p-value of one is adjusted, such as `3 pairs`."""
    number = pair.get("adjusted_for")  # comparisons of earlier versions lack it
    return f"{number} pairs" if number else "pairs"


def in_words(pair: Record) -> str:
    """Returns a difference and its interval as a sentence, in texts of a thousand."""
    count, low, high = (
        round(1000 * value) for value in (pair["difference"], *bounds(pair))
    )
    if not count:
        lead = f"{title(pair['a'])} has as many right as {title(pair['b'])}"
    else:
        lead = f"{title(pair['a'])} has {count} more right than {title(pair['b'])}"
    if low >= 0:
        reach = f"between {low} and {high} more"
    elif high <= 0:
        reach = f"between {-high} and {-low} fewer"
    else:
        reach = f"between {-low} fewer and {high} more"
    return f"Of 1,000 texts {lead}; {reach}."


def _size(pair: Record) -> str:
    return f"{100 * abs(pair['difference']):.1f} points"


def _reach(pair: Record) -> str:
    low, high = bounds(pair)
    return f"{signed(100 * low)} to {signed(100 * high)}"


def _first_upper(text: str) -> str:
    return text[0].upper() + text[1:]
