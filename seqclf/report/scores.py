"""The scores of one split, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.table import Table

from seqclf.records.scores import LabelScores, LengthAccuracy, Scores

TERMINAL_WIDTH = 80


def headline(name: str, source: str, split: str, scores: Scores) -> str:
    """Returns the scores in one paragraph."""
    auc = "–" if scores.roc_auc is None else f"{scores.roc_auc:.3f}"
    f1 = _percent(scores.macro_f1)
    return (
        f"[bold]{escape(name)}[/bold] on {escape(split)} of {escape(source)}, "
        f"n = {scores.n:,}: accuracy {_percent(scores.accuracy)} % "
        f"({_percent(scores.accuracy_low)} to {_percent(scores.accuracy_high)}), "
        f"macro F1 {f1} %, log loss {scores.log_loss:.3f}, ROC AUC {auc}, "
        f"calibration error {scores.calibration_error:.3f}."
    )


def tables(scores: Scores) -> Iterator[Table]:
    """Yields the tables by label, by length, and of confusions."""
    yield _by_label(scores.per_label)
    labels = [record.label for record in scores.per_label]
    if _confusion_width(labels, scores.n) <= TERMINAL_WIDTH:
        yield _confusion(labels, scores.confusion_matrix)
    yield _by_length(scores.by_length)


def _by_label(records: Sequence[LabelScores]) -> Table:
    table = _table("By label", "label", "precision %", "recall %", "F1 %", "n")
    for record in records:
        shares = [_percent(v) for v in (record.precision, record.recall, record.f1)]
        table.add_row(escape(record.label), *shares, f"{record.support:,}")
    return table


def _confusion_width(labels: list[str], n: int) -> int:
    """Returns how many columns of a terminal the table of confusions may take."""
    least = len(f"{n:,}")
    cells = [len("true \\ predicted"), *(max(len(label), least) for label in labels)]
    return sum(cell + 3 for cell in cells) + 1


def _confusion(labels: list[str], matrix: Sequence[Sequence[int]]) -> Table:
    table = _table("Confusions", "true \\ predicted", *map(escape, labels))
    for label, row in zip(labels, matrix, strict=True):
        table.add_row(escape(label), *(f"{count:,}" for count in row))
    return table


def _by_length(records: Sequence[LengthAccuracy]) -> Table:
    table = _table("By length", "tokens", "accuracy %", "95 % interval", "n")
    for record in records:
        table.add_row(
            f"{record.shortest}–{record.longest}",
            _percent(record.accuracy),
            f"{_percent(record.accuracy_low)}–{_percent(record.accuracy_high)}",
            f"{record.n:,}",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"
