"""Shows answers, for people or as JSON: a line each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqclf.cli._letters import escapes
from seqclf.cli._screen import clean

if TYPE_CHECKING:
    import numpy as np

    from seqclf.bulk import Answered

SHOWN_CHARACTERS = 60
# Of a bad row, in the shape of an answer.
NO_ANSWER: dict[str, Any] = {
    "text": None, "label": None, "probability": None, "probabilities": {},
    "unknown": None,
}  # fmt: skip
UNSURE, NONE = "unsure", "(none)"


@dataclass(frozen=True, slots=True)
class Form:
    """How answers are shown.

    Attributes:
      labels: Label names, as the columns of the probabilities.
      top: How many of them to show.
      as_json: Whether as JSON, an object a line.
      floors: float64 [labels], what each answer needs to stand, see
        `floors_of`; None: all stand.
      thresholds: float32 [labels], where a text may have several, from which
        probability on each applies; else None.
    """

    labels: Sequence[str]
    top: int = 1
    as_json: bool = False
    floors: np.ndarray | None = None
    thresholds: np.ndarray | None = None

    def stands(self, row: list[float]) -> bool:
        """Whether the answer of these probabilities, of each label, stands."""
        if self.floors is None:
            return True
        highest = max(row)
        return bool(highest >= self.floors[row.index(highest)])

    def applying(self, row: list[float]) -> list[str] | None:
        """The labels that apply, the likeliest first; None where a text has one."""
        if self.thresholds is None:
            return None
        least = dict(zip(self.labels, self.thresholds.tolist(), strict=True))
        return [
            name for name, value in _ranked(self.labels, row) if value >= least[name]
        ]


def answer_lines(
    texts: Sequence[str], rows: list[list[float]], unknown: list[float], form: Form
) -> Iterator[str]:
    """Yields a line a text, of its probabilities and its share of unknown tokens."""
    for text, row, share in zip(texts, rows, unknown, strict=True):
        if form.as_json:
            yield dumped(answer_values(form, text, row, share))
        else:
            yield f"{plain_answer(form, row)}\t{shortened(text)}"


def row_lines(part: Answered, form: Form, is_named: bool) -> Iterator[str]:
    """Yields a line a row; of a bad one, what is wrong with it.

    `is_named` tells whether the first column names the file of each text.
    """
    texts, unknown = part.chunk.texts.to_pylist(), part.unknown.tolist()
    names = part.chunk.table.column(0).to_pylist() if is_named else None
    for place, row in enumerate(part.probabilities.tolist()):
        problem = part.chunk.problems.get(place)
        if form.as_json:
            values = {} if names is None else {"file": names[place]}
            if problem:
                likeliest = {} if form.floors is None else {"likeliest": None}
                labels = {} if form.thresholds is None else {"labels": None}
                values |= NO_ANSWER | labels | likeliest | {"error": str(problem)}
            else:
                values |= answer_values(form, texts[place], row, unknown[place])
            yield dumped(values)
        elif problem:
            yield f"no label\t{clean(str(problem))}"
        else:
            shown = clean(names[place]) if names else shortened(texts[place])
            yield f"{plain_answer(form, row)}\t{shown}"


def answer_values(
    form: Form, text: str, row: list[float], unknown: float
) -> dict[str, Any]:
    """Returns an answer as plain values, as `predict --json` prints them.

    Below the floors the label is null, and `likeliest` is what it would be. Where a
    text may have several labels, `labels` are those that apply, and `label` is the
    first of them, null where none does.
    """
    ranked = _ranked(form.labels, row)
    label, probability = ranked[0]
    every = dict(zip(form.labels, row, strict=True))
    values: dict[str, Any] = {"text": text, "label": label, "probability": probability}
    if (applying := form.applying(row)) is not None:
        first = applying[0] if applying else None
        values |= {
            "label": first,
            "probability": None if first is None else every[first],
        }
        values["labels"] = applying
    values["probabilities"] = dict(ranked[: form.top]) if form.top > 1 else every
    values["unknown"] = unknown
    if form.floors is not None:
        values["label"] = label if form.stands(row) else None
        values["likeliest"] = label
    return values


def plain_answer(form: Form, row: list[float]) -> str:
    """Returns the likeliest labels with their probabilities; `unsure` before them.

    Where a text may have several, all that apply, and behind them, in parentheses, what
    is missing of more than one to show.
    """
    ranked = [(name, _said(name, value)) for name, value in _ranked(form.labels, row)]
    applying = form.applying(row)
    if applying is None:
        said = "  ".join(shown for _, shown in ranked[: form.top])
        return said if form.stands(row) else f"{UNSURE}: {said}"
    likeliest = ranked[: form.top] if form.top > 1 else []
    shown = [said for name, said in ranked if name in applying] or [NONE]
    shown += [f"({said})" for name, said in likeliest if name not in applying]
    return "  ".join(shown)


def _said(label: str, probability: float) -> str:
    return f"{clean(label)} {100 * probability:.1f} %"


def shortened(text: str) -> str:
    """Returns the beginning of a text, fit for a terminal."""
    shown = clean(text).strip()
    is_long = len(shown) > SHOWN_CHARACTERS
    return shown[: SHOWN_CHARACTERS - 1] + "…" if is_long else shown


def dumped(values: Any) -> str:
    """Returns JSON on one line."""
    return json.dumps(values, ensure_ascii=escapes())


def _ranked(labels: Sequence[str], row: Sequence[float]) -> list[tuple[str, float]]:
    return sorted(zip(labels, row, strict=True), key=lambda pair: -pair[1])
