"""One line for each answer, for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from seqclf.cli._screen import clean

# From a text and the probabilities of its labels to a line.
Line = Callable[[str, list[float]], str]

SHOWN_CHARACTERS = 60


def answer_line(labels: Sequence[str], top: int, as_json: bool) -> Line:
    """Returns what makes a line of an answer.

    Args:
      labels: Label names, as the columns of the probabilities.
      top: How many labels to show.
      as_json: Whether the line is a JSON object.
    """
    if as_json:
        return lambda text, row: dumped(answer_values(labels, top, text, row))
    return lambda text, row: f"{plain_answer(labels, top, row)}\t{shortened(text)}"


def answer_values(
    labels: Sequence[str], top: int, text: str, row: list[float]
) -> dict[str, Any]:
    """Returns an answer as plain values, as `predict --json` prints them."""
    label, probability = _ranked(labels, row)[0]
    values: dict[str, Any] = {"text": text, "label": label, "probability": probability}
    shown = _ranked(labels, row)[:top] if top > 1 else zip(labels, row, strict=True)
    values["probabilities"] = dict(shown)
    return values


def plain_answer(labels: Sequence[str], top: int, row: list[float]) -> str:
    """Returns the likeliest labels with their probabilities."""
    return "  ".join(
        f"{clean(label)} {100 * probability:.1f} %"
        for label, probability in _ranked(labels, row)[:top]
    )


def shortened(text: str) -> str:
    """Returns the beginning of a text, fit for a terminal."""
    shown = clean(text).strip()
    if len(shown) > SHOWN_CHARACTERS:
        shown = shown[: SHOWN_CHARACTERS - 1] + "…"
    return shown


def dumped(values: Any) -> str:
    """Returns JSON on one line."""
    return json.dumps(values, ensure_ascii=False)


def _ranked(labels: Sequence[str], row: Sequence[float]) -> list[tuple[str, float]]:
    return sorted(zip(labels, row, strict=True), key=lambda pair: -pair[1])
