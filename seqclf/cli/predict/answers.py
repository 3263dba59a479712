"""One line for each answer, for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seqclf.cli._screen import clean

if TYPE_CHECKING:
    from seqclf.bulk import Answered

# From a text and the probabilities of its labels to a line.
Line = Callable[[str, list[float]], str]

SHOWN_CHARACTERS = 60
# Of a bad row, in the shape of an answer.
NO_ANSWER: dict[str, Any] = {
    "text": None, "label": None, "probability": None, "probabilities": {},
}  # fmt: skip


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


def row_lines(
    part: Answered, labels: Sequence[str], top: int, as_json: bool, is_named: bool
) -> Iterator[str]:
    """Yields a line a row; of a bad one, what is wrong with it.

    Args:
      part: Some rows with their probabilities.
      labels: Label names, as the columns of the probabilities.
      top: How many labels to show.
      as_json: Whether the lines are JSON objects.
      is_named: Whether the first column names the file of each text.
    """
    texts = part.chunk.texts.to_pylist()
    names = part.chunk.table.column(0).to_pylist() if is_named else None
    for place, row in enumerate(part.probabilities.tolist()):
        problem = part.chunk.problems.get(place)
        if as_json:
            values = {} if names is None else {"file": names[place]}
            if problem:
                values |= NO_ANSWER | {"error": str(problem)}
            else:
                values |= answer_values(labels, top, texts[place], row)
            yield dumped(values)
        elif problem:
            yield f"no label\t{clean(str(problem))}"
        else:
            shown = clean(names[place]) if names else shortened(texts[place])
            yield f"{plain_answer(labels, top, row)}\t{shown}"


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
