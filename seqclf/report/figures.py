"""Every picture: plain values in, SVG out, for the page and the documents alike.

Cells differ in colour, marker and line style, see `cells.Look`.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seqclf.cells import CELLS, GRU
from seqclf.comparison.judged import bounds, difference, is_decided
from seqclf.comparison.metric import Metric, metric_of
from seqclf.comparison.verdict import GUESSING
from seqclf.records.comparison import BY_RANKS, Pair, Row
from seqclf.records.details import Calibration, Curve, Group, WordOrder
from seqclf.report.readings import readings_of
from seqclf.report.svg import INK, fit_for_page

OTHERS = ("#B0508A", "#C04A00", "#3A87B0", "#857500")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "seqclf",
    "text.parse_math": False,  # a label may have a dollar sign
    "font.family": "sans-serif",
    "font.size": 10,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def style(name: str, index: int = 0) -> dict[str, object]:
    """Returns colour, marker and line style of a row; its cell's, if it is called so.

    The index tells rows apart that are called otherwise.
    """
    if name in CELLS:
        look = CELLS[name].look
        return {"color": look.colour, "marker": look.marker, "linestyle": look.line}
    return {"color": OTHERS[index % len(OTHERS)], "marker": "P", "linestyle": "-"}


def accuracies(rows: Sequence[Row]) -> str:
    """Draws each row's test accuracy, or what else ranks, with its 95 % interval.

    Where trainings failed, the median with the range over the seeds.
    """
    aside, metric = _far_off(rows), metric_of(rows[0])

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            if row is aside:
                continue
            one = row.score
            look = style(row.of or row.name, place) | {"linestyle": "none"}
            look |= {"markerfacecolor": "none"} if row.of else {}
            x, reach = [metric.scale * one.middle], _reach(metric, one.middle, one.ends)
            axes.errorbar(x, [place], xerr=reach, capsize=3, **look)
        axes.set_yticks(range(len(rows)), [clipped(row.name) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(label(metric))
        axes.grid(axis="x", alpha=0.25)
        if aside is not None:
            value = metric.number(aside.score.middle)
            worse_is_left = metric.sign > 0
            axes.text(
                0 if worse_is_left else 1,
                list(rows).index(aside),
                f" ◂ {value}" if worse_is_left else f"{value} ▸ ",
                transform=axes.get_yaxis_transform(),
                va="center",
                ha="left" if worse_is_left else "right",
            )

    return drawn(draw, "accuracies", 6.4, 0.8 + 0.36 * len(rows))


def label(metric: Metric) -> str:
    """Returns what an axis of test scores is called."""
    return f"test {metric.title}, {'%' if metric.scale == 100 else 'nats'}"


def _reach(
    metric: Metric, value: float, ends: tuple[float, float]
) -> list[list[float]]:
    """Returns how far an interval reaches below and above, as it is drawn."""
    low, high = ends
    sizes = (max(value - low, 0), max(high - value, 0))
    return [[metric.scale * size] for size in sizes]


def _far_off(rows: Sequence[Row]) -> Row | None:
    """Returns the row of guessing, if with it the others would overlap."""
    guesses = [row for row in rows if row.name == GUESSING]
    others = [row for row in rows if row.name != GUESSING]
    if not guesses or not others:
        return None
    ends = [sorted(metric_of(r).sign * end for end in r.score.ends) for r in others]
    lowest = min(low for low, _ in ends)
    width = max(high for _, high in ends) - lowest
    sign = metric_of(guesses[0]).sign
    best_guess = max(sign * end for end in guesses[0].score.ends)
    return guesses[0] if lowest - best_guess > width else None


def majority_said(rows: Sequence[Row]) -> str:
    """Returns what the caption of `accuracies` says of guessing, after a space."""
    if _far_off(rows) is None:
        return ""
    side = "left" if metric_of(rows[0]).sign > 0 else "right"
    return (
        f" Always guessing the commonest label is {side} of the scale, at its number."
    )


def differences(pairs: Sequence[Pair]) -> str:
    """Draws each pair's difference, which it must have, and interval; 0 is marked.

    Pairs that are compared by ranks have no interval.
    """
    metric = metric_of(pairs[0])

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, pair in enumerate(pairs):
            value, reach = difference(pair), None
            if pair.by != BY_RANKS:
                reach = _reach(metric, value, bounds(pair))
            axes.errorbar(
                [metric.scale * value],
                [place],
                xerr=reach,
                capsize=3,
                color=GRU.look.colour,
                marker="o",
                markerfacecolor=None if is_decided(pair) else "none",
            )
        less = " − " if metric.sign > 0 else " beside "
        names = [clipped(f"{pair.a}{less}{pair.b}", 44) for pair in pairs]
        axes.set_yticks(range(len(pairs)), names)
        axes.set_ylim(len(pairs) - 0.5, -0.5)
        unit = "points" if metric.scale == 100 else "nats less"
        said = f"difference in {metric.title}, {unit} (filled: p < 0.05)"
        axes.set_xlabel(said)
        axes.grid(axis="x", alpha=0.25)

    return drawn(draw, "differences", 6.4, 0.8 + 0.36 * len(pairs))


def plain_ticks(axes: Any) -> None:
    """Labels a logarithmic axis at 1, 2 and 5, without powers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelrotation=45)


def clipped(text: str, most: int = 32) -> str:
    """Returns a name of at most so many letters, so that it leaves room for marks.

    It keeps its end, too, by which names differ that were made by a pattern. Characters
    that XML forbids become U+FFFD.
    """
    text = NOT_XML.sub("\ufffd", text)
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"


def short(value: float) -> str:
    """Returns a number in few characters, such as `0.02`, `500`, `20k`, `1.5M`."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"


def curves(by_cell: Mapping[str, Sequence[Curve]]) -> str:
    """Draws validation accuracy by epoch and by second: seeds faint, their mean strong.

    The mean goes as far as all seeds of a row do.
    """

    def draw(figure: Any) -> None:
        by_epoch, by_second = figure.subplots(1, 2, sharey=True)
        for index, (cell, seeds) in enumerate(by_cell.items()):
            look = style(cell, index) | {"marker": ""}
            shortest = min(len(one.epochs) for one in seeds)
            y = _mean([_percents(one)[:shortest] for one in seeds])
            for axes, places in (
                (by_epoch, [one.epochs for one in seeds]),
                (by_second, [one.seconds for one in seeds]),
            ):
                for x, one in zip(places, seeds, strict=True):
                    axes.plot(x, _percents(one), alpha=0.25, linewidth=1, **look)
                mean = _mean([one[:shortest] for one in places])
                axes.plot(mean, y, linewidth=2, label=clipped(cell), **look)
        by_epoch.xaxis.get_major_locator().set_params(integer=True)
        by_epoch.set_xlabel("epoch")
        by_second.set_xlabel("seconds of training, as they passed")
        by_epoch.set_ylabel("validation accuracy, %")
        for axes in (by_epoch, by_second):
            axes.grid(alpha=0.25)
        legend(figure, [by_epoch])

    return drawn(draw, "curves", 9.2, 3.6)


def confusions(
    matrices: Mapping[str, Sequence[Sequence[int]]], labels: Sequence[str]
) -> str:
    """Draws each cell's confusion matrix; a row sums to 100 %.

    Up to eight labels are named and have their figures. Nothing is drawn of nothing.
    """
    if not matrices:  # of several labels a text
        return ""
    named = [clipped(label, 14) for label in labels] if len(labels) <= 8 else []

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(matrices), squeeze=False)[0]
        for axes, (cell, matrix) in zip(panels, matrices.items(), strict=True):
            shares = [[100 * v / max(sum(row), 1) for v in row] for row in matrix]
            axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
            axes.set_title(clipped(cell))
            axes.set_xlabel("predicted")
            axes.set_xticks(range(len(named)), named, rotation=45, ha="right")
            axes.set_yticks([])
            if named:
                _write_shares(axes, shares)
        panels[0].set_yticks(range(len(named)), named)
        panels[0].set_ylabel("true label")

    side = min(max(0.45 * len(labels), 1.8), 3.6)
    return drawn(draw, "confusions", (side + 0.5) * len(matrices), side + 1.2)


def _write_shares(axes: Any, shares: Sequence[Sequence[float]]) -> None:
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            tone = "#ffffff" if share > 72 else "#222222"
            centred = {"ha": "center", "va": "center", "fontsize": 9}
            axes.text(j, i, f"{share:.0f}", color=tone, **centred)


def calibrations(by_cell: Mapping[str, Calibration]) -> str:
    """Draws how often answers are right by how sure they were."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot([0, 100], [0, 100], color=INK, linewidth=0.8, alpha=0.6)
        for index, (cell, one) in enumerate(by_cell.items()):
            axes.plot(
                [100 * b.confidence for b in one.bins],
                [100 * b.accuracy for b in one.bins],
                label=clipped(cell),
                **style(cell, index),
            )
        axes.set_xlabel("stated probability, %")
        axes.set_ylabel("right, %")
        axes.grid(alpha=0.25)
        legend(figure, [axes])

    return drawn(draw, "calibrations", 5.2, 4.2)


def by_length(groups: Sequence[Group]) -> str:
    """Draws accuracy by quarters of the texts' lengths, with 95 % intervals."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        cells = list(groups[0].cells)
        for index, cell in enumerate(cells):
            values = [group.cells[cell] for group in groups]
            shift = 0.08 * (index - (len(cells) - 1) / 2)
            axes.errorbar(
                [place + shift for place in range(len(groups))],
                [100 * v.accuracy for v in values],
                yerr=[
                    [100 * max(v.accuracy - v.low, 0) for v in values],
                    [100 * max(v.high - v.accuracy, 0) for v in values],
                ],
                capsize=2,
                label=clipped(cell),
                **style(cell, index),
            )
        axes.set_xticks(range(len(groups)), [group.group for group in groups])
        axes.set_ylabel("test accuracy, %")
        axes.grid(axis="y", alpha=0.25)
        legend(figure, [axes])

    return drawn(draw, "by_length", 6.4, 3.6)


def word_order(by_cell: Mapping[str, WordOrder]) -> str:
    """Draws the accuracy on the test texts as they are and with shuffled words."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, (cell, one) in enumerate(by_cell.items()):
            look = style(cell, place) | {"linestyle": "none"}
            ends = [100 * one.shuffled, 100 * one.accuracy]
            axes.plot(ends, [place, place], color=look["color"], linewidth=1.5)
            axes.plot(ends[1:], [place], **look)
            axes.plot(ends[:1], [place], markerfacecolor="none", **look)
        axes.set_yticks(range(len(by_cell)), list(map(clipped, by_cell)))
        axes.set_ylim(len(by_cell) - 0.5, -0.5)
        axes.set_xlabel("test accuracy, %: as written (filled), words shuffled (open)")
        axes.grid(axis="x", alpha=0.25)

    return drawn(draw, "word_order", 6.4, 0.8 + 0.36 * len(by_cell))


def _percents(one: Curve) -> list[float]:
    return [100 * value for value in one.validation_accuracy]


def _mean(lists: Sequence[Sequence[float]]) -> list[float]:
    return [sum(values) / len(values) for values in zip(*lists, strict=True)]


def legend(figure: Any, panels: Sequence[Any]) -> None:
    """Puts one legend above all panels."""
    entries: dict[str, object] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        entries |= dict(zip(labels, handles, strict=True))
    figure.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=4)


def drawn(draw: Callable[[Any], None], name: str, width: float, height: float) -> str:
    """Draws on a figure of so many inches; returns its SVG, made fit for a page."""
    import matplotlib
    from matplotlib.figure import Figure

    file = io.StringIO()
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        # Only the browser knows which letters it can show.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure)
        figure.savefig(file, format="svg", metadata={"Date": None})
    return fit_for_page(file.getvalue(), name, readings_of(figure))
