"""The scores of one split, for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich import table as terminal
from rich.markup import escape

from seqclf.records.scores import (
    Coverage,
    CoveredAccuracy,
    OrderedScores,
    Scores,
    SeveralScores,
)
from seqclf.report.columns import if_known
from seqclf.report.table import Table, to_terminal
from seqclf.wording import interval, percent, span

TERMINAL_WIDTH = 80
SHOWN_COVERAGE = (0, 1, 2, 3, 5)  # of `Coverage.surest`: 100, 90, 80, 70 and 50 %


def headline(name: str, source: str, split: str, scores: Scores) -> str:
    """Returns the scores in one paragraph."""
    auc = if_known(scores.roc_auc, "{:.3f}".format)
    return (
        f"[bold]{escape(name)}[/bold] on {escape(split)} of {escape(source)}, "
        f"n = {scores.n:,}: accuracy {percent(scores.accuracy)} % "
        f"({interval(scores.accuracy_low, scores.accuracy_high)})"
        f"{_of_several(scores.several)}, "
        f"macro F1 {percent(scores.macro_f1)} %, log loss {scores.log_loss:.3f}, "
        f"ROC AUC {auc}, calibration error {scores.calibration_error:.3f}"
        f"{_of_ordered(scores.ordered)}."
    )


def _of_several(several: SeveralScores | None) -> str:
    """Returns what only texts that may have several labels have."""
    if several is None:
        return ""
    precision = if_known(several.average_precision, "{:.3f}".format)
    return (
        f", of texts with all labels right; example F1 "
        f"{percent(several.example_f1)} %, micro F1 {percent(several.micro_f1)} %, "
        f"mean average precision {precision}"
    )


def _of_ordered(ordered: OrderedScores | None) -> str:
    """Returns how far answers are off, where labels are numbers."""
    if ordered is None:
        return ""
    kappa = if_known(ordered.quadratic_kappa, "{:.3f}".format)
    return (
        f"; labels are numbers: mean absolute error {ordered.mean_absolute_error:.3f}, "
        f"quadratic kappa {kappa}"
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
    fits = _confusion_width(labels, scores.n) <= TERMINAL_WIDTH
    if fits and scores.confusion_matrix:
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


def coverage_table(coverage: Coverage, note: str) -> terminal.Table:
    """Returns the table of the surest texts; `note` stands below it."""
    rows = [
        (percent(one.coverage), f"{one.n:,}", percent(one.accuracy),
         span(one.accuracy_low, one.accuracy_high), threshold(one.at_least))
        for one in (coverage.surest[place] for place in SHOWN_COVERAGE)
    ]  # fmt: skip
    header = ("surest %", "n", "accuracy %", "95 % interval", "at least")
    once = tuple(dict.fromkeys(rows))  # of texts that are equally sure, or few
    return to_terminal(
        Table(title="Where it is surest", header=header, rows=once, note=note,
              numbers=(0, 1, 2, 3, 4))
    )  # fmt: skip


def threshold(at_least: float, digits: int = 3) -> str:
    """Returns a probability as `--at-least` takes it, rounded down, below 1."""
    units = 10**digits
    return f"{min(math.floor(units * at_least), units - 1) / units:.{digits}f}"


def answered_said(answered: CoveredAccuracy | None, n: int, at_least: str) -> str:
    """Returns what is right of n texts where answers reach `at_least`, as typed."""
    if answered is None:
        return f"With --at-least {at_least}, all {n:,} are unsure."
    return (
        f"With --at-least {at_least}, {answered.n:,} of {n:,} are answered "
        f"({percent(answered.coverage)} %): accuracy {percent(answered.accuracy)} % "
        f"({interval(answered.accuracy_low, answered.accuracy_high)}); the others are "
        f"unsure."
    )


def reaching_said(found: CoveredAccuracy | None, wanted: float) -> str:
    """Returns what to type for a wanted accuracy, a fraction."""
    accuracy = f"an accuracy of {100 * wanted:g} %"
    if found is None:
        return f"No threshold is shown to give {accuracy}: too few texts, or too hard."
    return (
        f"For {accuracy}, with 95 % confidence: --at-least "
        f"{threshold(found.at_least, 6)}. It answers {found.n:,} of these texts "
        f"({percent(found.coverage)} %), {percent(found.accuracy)} % of them right."
    )


def _confusion_width(labels: list[str], n: int) -> int:
    """Returns how many columns of a terminal the table of confusions may take."""
    least = len(f"{n:,}")
    cells = [len("true \\ predicted"), *(max(len(label), least) for label in labels)]
    return sum(cell + 3 for cell in cells) + 1
