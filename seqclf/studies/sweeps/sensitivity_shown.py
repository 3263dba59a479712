"""What `sensitivity` found: sentence, table, notes and figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqclf.comparison import ranges
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.said import title
from seqclf.config import RunConfig
from seqclf.records import sweeps
from seqclf.report import figures
from seqclf.report.readings import Place, readable
from seqclf.report.table import Table
from seqclf.studies.drawing import name_lines
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import range_test
from seqclf.wording import MISSING, percent, points, signed, with_interval

QUICK_DRAWS = 2


def sentence(found: sweeps.TrialsFindings) -> str:
    """Says how far the trials lie apart, and what their accuracy goes with."""
    n = found.draws
    spread = ", ".join(f"{title(one.cell)} {_deviation(one)}" for one in found.spreads)
    parts = [
        f"Over {n} settings, the same for each cell, the mean distance of validation "
        f"accuracy from its median (times n / (n − 1)) is, in points: {spread}.",
        _about_differences(found.differences, n),
        *_about_settings(found.correlations),
        f"{n * len(found.spreads)} trainings, one for each cell and setting: the "
        "luck of the seed is part of the spread.",
    ]
    return " ".join(parts)


def _deviation(one: sweeps.Deviation) -> str:
    return with_interval(one.deviation, one.deviation_low, one.deviation_high)


def _about_differences(pairs: Sequence[sweeps.SpreadPair], n: int) -> str:
    if not pairs:
        return ""
    if pairs[0].deviation_low is None:
        return f"{n} settings are too few to tell the cells' spreads apart."
    said = [
        f"{title(pair.a)} less {title(pair.b)}: "
        + points(pair.deviation, pair.deviation_low, pair.deviation_high)
        for pair in pairs
        if pair.p is not None and pair.p < SIGNIFICANCE
    ]
    if not said:
        return "No two cells' spreads can be told apart."
    return f"Spreads that can be told apart, {'; '.join(said)}."


def _about_settings(by_cell: Mapping[str, Sequence[sweeps.Correlation]]) -> list[str]:
    said = []
    for cell, found in by_cell.items():
        first = explaining(found)
        if first and first.rho is not None:
            said.append(
                f"{title(cell)}'s accuracy goes with {first.setting} "
                f"(rank correlation {signed(first.rho, 2)}, n = {first.n})"
            )
    if not said:
        return ["No setting's rank correlation with accuracy can be told from 0."]
    return [f"{'; '.join(said)}."]


def explaining(found: Sequence[sweeps.Correlation]) -> sweeps.Correlation | None:
    """Returns the strongest correlation, if it is significant."""
    first = found[0]
    return first if first.p is not None and first.p < SIGNIFICANCE else None


def table(found: sweeps.TrialsFindings) -> Table:
    """Returns a line a cell."""
    header = (
        "cell", "best, %", "quartiles, %", "quartile range, points",
        "from the median, points", "strongest setting, rank correlation",
    )  # fmt: skip
    rows = []
    for one in found.spreads:
        first = found.correlations[one.cell][0]
        rho = MISSING if first.rho is None else signed(first.rho, 2)
        own = one.quartile_range, one.quartile_range_low, one.quartile_range_high
        middle = " – ".join(map(percent, one.quartiles)), with_interval(*own)
        strongest = f"{first.setting} {rho}"
        rows.append((one.cell, percent(one.best), *middle, _deviation(one), strongest))
    return Table(header=header, rows=tuple(rows))


def notes(question: Question, every: Sequence[RunConfig]) -> tuple[str, ...]:
    """Says what was drawn and how it is judged; `every` are the settings tried."""
    lengths = sorted({config.text.max_length for config in every})
    low, high = ranges.learning_rates(question.config.training.optimizer)
    least, most = ranges.DROPOUT_RATES
    return (
        f"The first trial is the recipe; the others draw the learning rate from "
        f"{low:g} to {high:g} (evenly by logarithm), dropout from {least:g} to "
        f"{most:g}, units from {', '.join(map(str, ranges.UNITS))}, and the tokens "
        f"kept of a text, here {', '.join(map(str, lengths))}, from the quartiles of "
        "the texts' lengths and the recipe's. All else is as in the recipe.",
        "Judged on validation only; a training that diverged counts as guessing. The "
        "factor n / (n − 1) corrects for the median being that of these values. p of "
        "the rank correlations is Holm's over the settings of a cell; the expected "
        "best of k trials draws them with replacement.",
        *question.quick_note(f"{QUICK_DRAWS} settings."),
    )


def figure(answer: Answer[Any]) -> str:
    """Draws expected best and spread, or the range test."""
    if isinstance(answer.findings, sweeps.RangeFindings):
        return range_test.figure(answer)
    found: sweeps.TrialsFindings = answer.findings

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _draw_best(left, found.best_so_far)
        _draw_trials(right, found)
        figures.legend(figure, [left])

    return figures.drawn(draw, "sensitivity", 9.2, 3.6)


def _draw_best(axes: Any, by_cell: Mapping[str, Sequence[float]]) -> None:
    for index, (cell, values) in enumerate(by_cell.items()):
        look = figures.style(cell, index) | {"markersize": 4}
        percents = [100 * value for value in values]
        trials = range(1, len(values) + 1)
        line = axes.plot(trials, percents, label=cell, **look)
        places = [
            Place(k, str(k), percent(value))
            for k, value in zip(trials, values, strict=True)
        ]
        readable(axes, cell, places, line)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="trials", ylabel="expected best validation accuracy, %")
    axes.grid(alpha=0.25)


def _draw_trials(axes: Any, found: sweeps.TrialsFindings) -> None:
    """Draws each trial's accuracy, and a bar from quartile to quartile."""
    for place, one in enumerate(found.spreads):
        look = figures.style(one.cell, place)
        low, middle, high = (100 * value for value in one.quartiles)
        axes.barh(place, high - low, 0.5, low, color=look["color"], alpha=0.25)
        axes.plot([middle] * 2, [place - 0.25, place + 0.25], color=look["color"])
        values = [100 * value for value in found.reached[one.cell]]
        places = [place + 0.18 * (i % 3 - 1) for i in range(len(values))]
        axes.plot(values, places, **look | {"linestyle": "none"}, markersize=5)
    name_lines(axes, [one.cell for one in found.spreads])
    axes.set_xlabel("validation accuracy of each trial, %; bar: quartiles")
    axes.grid(axis="x", alpha=0.25)
