"""What `order` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqclf.cells import CELLS
from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.comparison.verdict import title
from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.records.details import Reach
from seqclf.records.inside import OrderFindings
from seqclf.records.sweeps import Difference
from seqclf.report.figures import drawn, legend, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies.drawing import bar, name_lines
from seqclf.studies.intervals import MODELS
from seqclf.studies.question import Answer, Question
from seqclf.text.encoding import EncodedDataset
from seqclf.wording import MISSING, joined, models_each, with_interval

# By what is shuffled: the words of the training texts, and those of the test texts.
CONDITIONS = {
    "neither": ("in order", "in order"),
    "test": ("in order", "shuffled"),
    "training": ("shuffled", "in order"),
    "both": ("shuffled", "shuffled"),
}


def sentence(findings: OrderFindings, seeds: int) -> str:
    """Says whether order matters, what is lost without it, what recurrence gains."""
    cells = {c: one for c, one in findings.cells.items() if CELLS[c].recurs}
    lost = {cell: one.lost for cell, one in cells.items() if one.lost}
    lost_at_test = {cell: one.lost_at_test for cell, one in cells.items()}
    over_none = {cell: one.over_none for cell, one in cells.items() if one.over_none}
    return (
        f"{_verdict(lost)} Points lost where training and test have shuffled "
        f"words: {_each(lost)}; where only the test has: {_each(lost_at_test)}. Points "
        f"above the twin without recurrence, words in order: {_each(over_none)}. Test "
        f"n = {findings.n:,}, {models_each(seeds)}."
    )


def _verdict(lost: Mapping[str, Difference]) -> str:
    if not lost:
        return "No cell was trained on shuffled words."
    if any(one.of == MODELS for one in lost.values()):
        return "One training each cannot tell whether order matters here to a cell."
    sure = [
        title(cell)
        for cell, one in lost.items()
        if one.p < SIGNIFICANCE and one.low > 0
    ]
    if sure:
        return f"Order matters here to {joined(sure)}."
    those = joined([title(cell) for cell in lost])
    return f"Order is not shown to matter here to {those}."


def _each(found: Mapping[str, Difference]) -> str:
    return joined([f"{title(cell)} {_interval(one)}" for cell, one in found.items()])


def _interval(one: Difference | None) -> str:
    return with_interval(one.difference, one.low, one.high) if one else MISSING


def _accuracy(one: Reach | None) -> str:
    return with_interval(one.accuracy, one.low, one.high) if one else MISSING


def table(findings: OrderFindings) -> Table:
    """Returns a line a cell."""
    header = (
        "cell",
        *(f"{name} shuffled, %" for name in CONDITIONS),
        "lost at test, points",
        "lost with both, points",
    )
    rows = [
        (
            cell,
            *map(_accuracy, found.accuracy.values()),
            _interval(found.lost_at_test),
            _interval(found.lost),
        )
        for cell, found in findings.cells.items()
    ]
    return Table(header=header, rows=tuple(rows))


def notes(
    question: Question, config: RunConfig, data: EncodedDataset, shuffled: Sequence[str]
) -> tuple[str, ...]:
    """Says what was shuffled, and what was left out."""
    lines = [
        "The words of each text are shuffled within it, once, the same for all cells; "
        "where training is shuffled, so is validation, which chooses the epoch.",
    ]
    longest = max(
        int(data.splits[split].lengths.max()) for split in (TRAIN, VALIDATION)
    )
    if longest == config.text.max_length:
        lines.append(
            f"Of texts of more than {longest} tokens only those that the network sees "
            f"are shuffled; the vocabulary of the shuffled texts is counted on these."
        )
    quick = question.quick_note(
        f"{len(data.splits[TRAIN]):,} training texts, at most {config.training.epochs} "
        f"epochs; trained on shuffled words: {joined(list(shuffled))} alone."
    )
    return (*lines, *quick)


def figure(answer: Answer[OrderFindings]) -> str:
    """Draws accuracy on words in order and shuffled, a panel for each training."""
    cells = answer.findings.cells

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, trained in zip(panels, ("in order", "shuffled"), strict=True):
            for place, (cell, found) in enumerate(cells.items()):
                for condition, (training, test) in CONDITIONS.items():
                    one = found.accuracy[condition]
                    if training == trained and one is not None:
                        _point(axes, cell, place, one, is_open=test == "shuffled")
            axes.set_title(f"trained on words {trained}", fontsize=10)
            axes.set_xlabel("test accuracy, %")
            axes.grid(axis="x", alpha=0.25)
        name_lines(panels[0], list(cells))
        _explain(panels[0])
        legend(figure, panels)

    return drawn(draw, "order", 8.4, 1.5 + 0.4 * len(cells))


def _point(axes: Any, cell: str, place: int, one: Reach, *, is_open: bool) -> None:
    look = style(cell, place) | {"capsize": 3}
    if is_open:
        look["markerfacecolor"] = "none"
    height = place + (0.13 if is_open else -0.13)
    bar(axes, height, one.accuracy, one.low, one.high, look)


def _explain(axes: Any) -> None:
    """Adds to the legend what filled and open marks mean."""
    look = {"color": INK, "marker": "o", "linestyle": "none"}
    axes.plot([], [], label="tested on words in order", **look)
    axes.plot([], [], label="on shuffled words", markerfacecolor="none", **look)
