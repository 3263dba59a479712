"""What the table says, in plain words and no stronger than its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def verdict(rows: Sequence[dict[str, Any]]) -> str:
    """Says in plain words what the accuracies support, and no more."""
    twins = sorted(
        (row for row in rows if row["kind"] == "recurrent"),
        key=lambda row: -row["accuracy"]["mean"],
    )
    best = twins[0]
    seeds = len(best["seeds"])
    basis = "one seed" if seeds == 1 else f"{seeds} seeds"
    text = (
        f"{_title(best['cell'])} has the highest test accuracy, {_points(best)} % "
        f"(n = {best['n']:,}, {basis})"
    )
    close = [_title(r["cell"]) for r in twins[1:] if _overlap(r, best)]
    if close:
        text += f", but {_join(close)} cannot be told apart from it on this evidence"
    text += "."
    if seeds == 1:
        text += " One seed tells about these trained models, not about the cells."
    return text + _about_baselines(rows, best)


def _about_baselines(rows: Sequence[dict[str, Any]], best: dict[str, Any]) -> str:
    baselines = [row for row in rows if row["kind"] == "baseline"]
    if not baselines:
        return ""
    top = max(baselines, key=lambda row: row["accuracy"]["mean"])
    gap = 100 * (top["accuracy"]["mean"] - best["accuracy"]["mean"])
    name = f"The best baseline, {top['cell']},"
    if _overlap(top, best):
        return f" {name} is as good within the uncertainty ({_points(top)} %)."
    if gap > 0:
        return f" {name} beats every twin, by {gap:.1f} points ({_points(top)} %)."
    return f" {name} is {-gap:.1f} points below ({_points(top)} %)."


def _overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    first, second = a["accuracy"], b["accuracy"]
    return bool(first["low"] <= second["high"] and second["low"] <= first["high"])


def _points(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']['mean']:.1f}"


def _title(cell: str) -> str:
    names = {"none": "no recurrence", "rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
    first, *rest = cell.split(maxsplit=1)
    return " ".join([names.get(first, first), *rest])


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
