"""What the table says, in plain words and no stronger than its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WITHOUT = "the twin without recurrence"


def verdict(rows: Sequence[dict[str, Any]], different: Sequence[str] = ()) -> str:
    """Says in plain words what the accuracies support, and no more.

    Args:
      rows: Rows of a comparison, see `rows.compare_runs`.
      different: Settings in which the runs differ.

    Returns:
      One to six sentences.
    """
    twins = sorted(
        (row for row in rows if row["kind"] == "recurrent"),
        key=lambda row: -row["accuracy"]["mean"],
    )
    best = twins[0]
    seeds = len(best["seeds"])
    basis = "one seed" if seeds == 1 else f"{seeds} seeds"
    name = _title(best["cell"])
    text = (
        f"{name[0].upper()}{name[1:]} has the highest test accuracy, {_points(best)} % "
        f"(n = {best['n']:,}, {basis})"
    )
    close = [_title(r["cell"]) for r in twins[1:] if _overlap(r, best)]
    if close:
        text += f", but {_join(close)} cannot be told apart from it on this evidence"
    text += "."
    if seeds == 1:
        text += " One seed tells about these trained models, not about the cells."
    text += _about_baselines(rows, best) + _about_guessing(rows)
    return text + _about_settings(different)


def _about_baselines(rows: Sequence[dict[str, Any]], best: dict[str, Any]) -> str:
    baselines = [row for row in rows if row["kind"] == "baseline"]
    if not baselines:
        return ""
    top = max(baselines, key=lambda row: row["accuracy"]["mean"])
    gap = 100 * (top["accuracy"]["mean"] - best["accuracy"]["mean"])
    name = f"The best baseline, {top['cell']},"
    if round(gap, 1) == 0:
        return f" {name} reaches the same ({_points(top)} %)."
    side = "above" if gap > 0 else "below"
    text = f" {name} is {abs(gap):.1f} points {side} ({_points(top)} %)"
    if _overlap(top, best):
        return f"{text}, which chance alone could make."
    return f"{text}: it beats every twin." if gap > 0 else f"{text}."


def _about_guessing(rows: Sequence[dict[str, Any]]) -> str:
    """Doubts the labels where nothing learnt anything from the texts."""
    guesses = [row for row in rows if row["cell"] == "majority"]
    others = [row for row in rows if row["cell"] != "majority"]
    if not guesses or any(
        row["accuracy"]["low"] > guesses[0]["accuracy"]["mean"] for row in others
    ):
        return ""
    return (
        " Nothing here beats always guessing the commonest label: do the labels belong "
        "to the texts?"
    )


def _about_settings(different: Sequence[str]) -> str:
    more = sorted(set(different) - {"model.cell", "training.seed"})
    if not more:
        return ""
    return f" These runs are no twins: they also differ in {_join(more)}."


def _overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Tells whether intervals, with the ranges over seeds, have points in common."""
    (a_low, a_high), (b_low, b_high) = _reach(a), _reach(b)
    return a_low <= b_high and b_low <= a_high


def _reach(row: dict[str, Any]) -> tuple[float, float]:
    accuracy = row["accuracy"]
    return (
        min(accuracy["low"], accuracy.get("least", 1.0)),
        max(accuracy["high"], accuracy.get("most", 0.0)),
    )


def _points(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']['mean']:.1f}"


def _title(cell: str) -> str:
    names = {"none": WITHOUT, "rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
    first, *rest = cell.split(maxsplit=1)
    return " ".join([names.get(first, first), *rest])


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
