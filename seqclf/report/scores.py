"""The scores of one split, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import table as terminal
from rich.markup import escape

from seqclf.records.scores import Scores
from seqclf.report.table import Table, to_terminal
from seqclf.wording import MISSING, interval, percent, span

TERMINAL_WIDTH = 80


def headline(name: str, source: str, split: str, scores: Scores) -> str:
    """Returns the scores in one paragraph."""
    auc = MISSING if scores.roc_auc is None else f"{scores.roc_auc:.3f}"
    return (
        f"[bold]{escape(name)}[/bold] on {escape(split)} of {escape(source)}, "
        f"n = {scores.n:,}: accuracy {percent(scores.accuracy)} % "
        f"({interval(scores.accuracy_low, scores.accuracy_high)}), "
        f"macro F1 {percent(scores.macro_f1)} %, log loss {scores.log_loss:.3f}, "
        f"ROC AUC {auc}, calibration error {scores.calibration_error:.3f}."
    )


def tables(scores: Scores) -> Iterator[terminal.Table]:
    """Yields the tables by label, by length, and of confusions."""
    by_label = tuple(
        (one.label, percent(one.precision), percent(one.recall), percent(one.f1),
         f"{one.support:,}")
        for one in scores.per_label
    )  # fmt: skip
    header: tuple[str, ...] = ("label", "precision %", "recall %", "F1 %", "n")
    yield to_terminal(Table(title="By label", header=header, rows=by_label))
    labels = [record.label for record in scores.per_label]
    if _confusion_width(labels, scores.n) <= TERMINAL_WIDTH:
        confusions = tuple(
            (label, *(f"{count:,}" for count in row))
            for label, row in zip(labels, scores.confusion_matrix, strict=True)
        )
        header = ("true \\ predicted", *labels)
        yield to_terminal(Table(title="Confusions", header=header, rows=confusions))
    by_length = tuple(
        (f"{one.shortest}–{one.longest}", percent(one.accuracy),
         span(one.accuracy_low, one.accuracy_high), f"{one.n:,}")
        for one in scores.by_length
    )  # fmt: skip
    header = ("tokens", "accuracy %", "95 % interval", "n")
    yield to_terminal(Table(title="By length", header=header, rows=by_length))


def _confusion_width(labels: list[str], n: int) -> int:
    """Returns how many columns of a terminal the table of confusions may take."""
    least = len(f"{n:,}")
    cells = [len("true \\ predicted"), *(max(len(label), least) for label in labels)]
    return sum(cell + 3 for cell in cells) + 1
