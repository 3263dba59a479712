"""How far back the cells remember: accuracy against the distance of what decides.

One layer, one direction, the last state read out, trained on made-up tasks
(`memory_tasks`) whose answer is any number of tokens before the end: the first token;
the adding problem of Hochreiter & Schmidhuber (1997, Neural Computation 9:1735); and
reviews of `demo` followed by neutral sentences. Bengio, Simard & Frasconi (1994, IEEE
Trans. Neural Networks 5:157) showed on such a task that plain recurrent networks fail
to learn long-range dependencies; Hochreiter & Schmidhuber that gates do learn them.

Whether a plain network learns them also depends on its initialisation (Le, Jaitly &
Hinton 2015, arXiv:1504.00941) and on its training texts. So the first task is trained
in three variants: on distances up to the one tested; on mostly short ones; and on the
distance tested alone with a small embedding initialisation range, under which Keras's
orthogonal recurrent matrix passes the state of a SimpleRNN on nearly unchanged.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from seqclf.cells import SIMPLE_RNN
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.pairs import Right, right_answers
from seqclf.comparison.said import title
from seqclf.config import WORD, DataConfig, RunConfig
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.records import inside
from seqclf.report.figures import drawn, legend, style
from seqclf.report.readings import Place, readable
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.studies import memory_tasks
from seqclf.studies.drawing import reach
from seqclf.studies.intervals import accuracy, difference, p_of_guessing
from seqclf.studies.lab import Lab
from seqclf.studies.memory_tasks import LARGE, SERIES, SMALL, TASKS, Series
from seqclf.studies.question import (
    Answer,
    Question,
    grouped,
    textbook,
    trainings,
    unless_given,
)
from seqclf.wording import (
    MISSING,
    interval,
    joined,
    models_each,
    percent,
    with_interval,
)

EVALUATED = {VALIDATION: 500, TEST: 1000}
QUICK_SERIES = {"recall": replace(SERIES["recall"], epochs=8)}
DISTANCES = (10, 30, 100, 200, 500)
QUICK_DISTANCES = (10, 100)
# Regularisation would hide the one token that decides.
MODEL = {"units": 32, "embedding_size": 16, "dropout_rate": 0.0}
TRAINING = {
    "word_dropout_rate": 0.0, "label_smoothing": 0.0, "weight_decay": 0.0,
    "batch_size": 64, "learning_rate": 1e-2,
}  # fmt: skip


def run(question: Question, lab: Lab) -> Answer[inside.MemoryFindings]:
    """Trains each cell on each task at each distance; the data set is not used."""
    lab = lab.shared()
    series = QUICK_SERIES if question.quick else SERIES
    distances = QUICK_DISTANCES if question.quick else DISTANCES
    planned = [
        ((name, distance, config.model.cell), config)
        for distance in sorted(distances, reverse=True)
        for name, one in series.items()
        for config in _trainings(question, one, distance, lab)
    ]
    runs = lab.train([config for _, config in planned])
    groups = grouped((key, run) for (key, _), run in zip(planned, runs, strict=True))
    rights = {key: right_answers(group) for key, group in groups.items()}
    by_series = {
        name: _findings(name, one, distances, question.cells, rights)
        for name, one in series.items()
    }
    findings = inside.MemoryFindings(distances=tuple(distances), series=by_series)
    return Answer(
        study="memory", title="How far back the cells remember",
        sentence=sentence(findings, len(question.seeds)), table=table(findings),
        rows=tuple(_rows(findings, len(question.seeds))), findings=findings,
        trials=len(runs), notes=notes(findings, question, planned[0][1].model.units),
    )  # fmt: skip


def _trainings(
    question: Question, one: Series, distance: int, lab: Lab
) -> list[RunConfig]:
    rows = min(question.config.data.limit or one.rows, one.rows)
    name = f"memory-{one.task}-{distance}-{one.spread}-{rows}-v{memory_tasks.VERSION}"
    sizes = {TRAIN: rows, **EVALUATED}
    texts = memory_tasks.texts(one.task, distance, sizes, one.spread)
    data = lab.keep_data(name, texts)
    return trainings(question, _recipe(question, one, distance, data))


def _recipe(
    question: Question, one: Series, distance: int, data: DataConfig
) -> RunConfig:
    """Returns the study's recipe; settings of the user take precedence."""
    config = textbook(question.config)
    longest = distance + TASKS[one.task].longest_extra
    most = max(config.text.max_length, longest)
    model = MODEL | {"embedding_range": one.embedding_range}
    training = TRAINING | {"epochs": one.epochs, "patience": one.epochs}
    return RunConfig(
        data=data,
        text=replace(config.text, max_length=most, tokens=WORD),
        model=unless_given(config.model, model, question.given),
        training=unless_given(config.training, training, question.given),
    )


def _findings(
    name: str,
    one: Series,
    distances: Sequence[int],
    cells: Sequence[str],
    rights: Mapping[tuple[str, int, str], Right],
) -> inside.SeriesMemory:
    chance, plain = TASKS[one.task].chance, SIMPLE_RNN.name
    by_cell = {c: {d: rights[name, d, c] for d in distances} for c in cells}
    return inside.SeriesMemory(
        title=one.title,
        chance=chance,
        n=len(next(iter(rights[name, distances[0], cells[0]].values()))),
        cells={
            cell: _cell(right, chance, None if cell == plain else by_cell.get(plain))
            for cell, right in by_cell.items()
        },
    )


def _cell(
    right: Mapping[int, Right], chance: float, plain: Mapping[int, Right] | None = None
) -> inside.CellMemory:
    """Evaluates a cell by its right answers at each distance, and beside rnn's."""
    reached = tuple(
        inside.AccuracyAt(distance=distance, **asdict(accuracy(one)))
        for distance, one in right.items()
    )
    over = tuple(
        inside.DifferenceAt(distance=d, **asdict(difference(right[d], one)))
        for d, one in (plain or {}).items()
    )
    # Adjusted for the number of distances: guessing is above chance now and then.
    least = min(p_of_guessing(one, chance) for one in right.values())
    learnt = least * len(right) < SIGNIFICANCE
    best = max(one.accuracy for one in reached)
    half_way = half_ways(reached, chance)[0] if learnt else None
    return inside.CellMemory(
        accuracy=reached, best=best, learnt=learnt, half_way=half_way,
        over_rnn=over or None,
    )  # fmt: skip


def half_ways(
    reached: Sequence[inside.AccuracyAt], chance: float
) -> tuple[float | None, float | None, float | None]:
    """Returns the distance at which accuracy falls half-way from its best to chance.

    Beside it those at which the lower and the upper ends of the intervals fall to the
    same level; each None if it never does. `reached` is by ascending distance. The fall
    is looked for after the last best point, that of the lower ends from the first on
    that is above the level, for they may fall while the best still holds.
    """
    best = max(one.accuracy for one in reached)
    level = (best + chance) / 2
    start = max(i for i, one in enumerate(reached) if one.accuracy == best)
    above = [i for i, one in enumerate(reached) if one.low > level]
    after, first = reached[start:], reached[above[0] :] if above else reached
    return (
        fall([(one.distance, one.accuracy) for one in after], level),
        fall([(one.distance, one.low) for one in first], level),
        fall([(one.distance, one.high) for one in after], level),
    )


def fall(curve: Sequence[tuple[int, float]], level: float) -> float | None:
    """Returns the distance at which a curve falls to a level; None if it never does.

    Interpolated on the logarithm of the distance. The curve has distances, ascending,
    with accuracies; one that begins at the level or below has fallen at its first.
    """
    if curve[0][1] <= level:
        return float(curve[0][0])
    for (near, above), (far, below) in itertools.pairwise(curve):
        if below <= level:
            share = (above - level) / (above - below)
            return near * (far / near) ** share
    return None


def _rows(findings: inside.MemoryFindings, seeds: int) -> Iterator[dict[str, object]]:
    for name, one in findings.series.items():
        same = {"seeds": seeds, "n": one.n, "chance": one.chance}
        for cell, found in one.cells.items():
            for at in map(asdict, found.accuracy):
                start = {"series": name, "cell": cell, "distance": at["distance"]}
                yield start | same | at


def sentence(findings: inside.MemoryFindings, seeds: int) -> str:
    """Says of each task which cells fall with distance, and where."""
    parts = [
        f"{one.title.capitalize()} (chance {percent(one.chance)} %): "
        + "; ".join(_said(cell, found) for cell, found in one.cells.items())
        for one in findings.series.values()
    ]
    n = next(iter(findings.series.values())).n
    basis = f"Test n = {n:,}, {models_each(seeds)}, for these tasks as trained here."
    return ". ".join([*parts, basis])


def _said(cell: str, found: inside.CellMemory) -> str:
    name, last = title(cell), found.accuracy[-1]
    if not found.learnt:
        return f"{name} did not learn it at any distance"
    if found.half_way is not None:
        return f"{name} falls half-way to chance at about {found.half_way:.0f} tokens"
    value = f"{percent(last.accuracy)} %, {interval(last.low, last.high)}"
    return f"{name} does not up to {last.distance} ({value})"


def table(findings: inside.MemoryFindings) -> Table:
    """Returns a line a task and cell."""
    tokens = [f"{distance} tokens, %" for distance in findings.distances]
    rows = [
        (f"{one.title}, {cell}", *map(_accuracy, found.accuracy), _half_way(found))
        for one in findings.series.values()
        for cell, found in one.cells.items()
    ]
    return Table(header=("task, cell", *tokens, "half-way at"), rows=tuple(rows))


def _accuracy(one: inside.AccuracyAt) -> str:
    return with_interval(one.accuracy, one.low, one.high)


def _half_way(found: inside.CellMemory) -> str:
    if not found.learnt:
        return "not learnt"
    return MISSING if found.half_way is None else f"{found.half_way:.0f}"


def notes(
    findings: inside.MemoryFindings, question: Question, units: int
) -> tuple[str, ...]:
    """Says what was held fixed, and what the figures mean."""
    series = findings.series
    lines = [
        "One layer, one direction, the last state read out, "
        f"{units} units; made-up texts, not the data set named.",
        "Word dropout, dropout, label smoothing and weight decay of the recipe are "
        "off, because they would hide the one token that decides; settings that you "
        "give are kept.",
        "Training texts have distances from 0 up to the one tested, drawn evenly, the "
        "same for all cells: short ones help to learn long ones. Validation and test "
        "have the distance itself.",
        "Half-way: interpolated between the distances tested, on their logarithm.",
    ]
    if "recall_short" in series:
        lines.append(
            f"Mostly short: the distances are drawn evenly on a logarithm. Small "
            f"embeddings: the embedding initialisation range is {SMALL:g} instead of "
            f"{LARGE:g}, and all training texts are at the distance tested."
        )
    if question.quick:
        left = [f"“{one.title}”" for name, one in SERIES.items() if name not in series]
        alone = f"the distances {joined([str(d) for d in findings.distances])} alone"
        lines.append(f"Quick: {alone}, and without the tasks {joined(left)}.")
    return tuple(lines)


def figure(answer: Answer[inside.MemoryFindings]) -> str:
    """Draws accuracy against distance, a panel a task, with chance."""
    series, distances = answer.findings.series, answer.findings.distances

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(series), sharey=True, squeeze=False)[0]
        for axes, one in zip(panels, series.values(), strict=True):
            axes.axhline(100 * one.chance, color=INK, linewidth=0.8, alpha=0.6)
            at = (0.02, 100 * one.chance)
            axes.annotate("chance", at, (0, 2), fontsize=8, textcoords="offset points",
                          xycoords=("axes fraction", "data"))  # fmt: skip
            for index, (cell, found) in enumerate(one.cells.items()):
                _curve(axes, cell, found.accuracy, index)
            axes.set(xscale="log", ylim=(0, 103), xlabel="distance, tokens")
            axes.set_xticks(distances, [str(d) for d in distances], rotation=45)
            axes.minorticks_off()
            axes.set_title(one.title, fontsize=10)
            axes.grid(alpha=0.25)
        panels[0].set_ylabel("test accuracy, %")
        legend(figure, panels)

    return drawn(draw, "memory", max(2.6 * len(series), 5.2), 3.6)


def _curve(
    axes: Any, cell: str, reached: Sequence[inside.AccuracyAt], index: int
) -> None:
    values = [100 * one.accuracy for one in reached]
    error = reach([(one.accuracy, one.low, one.high) for one in reached])
    # Shifted a little, so that equal curves do not hide each other.
    at = [one.distance * 1.04 ** (index - 1) for one in reached]
    look = style(cell, index)
    bars = axes.errorbar(at, values, yerr=error, capsize=2, label=cell, **look)
    read = [Place(one.distance, str(one.distance), _accuracy(one)) for one in reached]
    readable(axes, cell, read, bars.get_children(), "95 % interval")
