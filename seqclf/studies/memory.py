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

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from seqclf.cells import SIMPLE_RNN
from seqclf.comparison.pairs import SIGNIFICANCE, Right, right_answers
from seqclf.config import DataConfig, RunConfig
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.records.inside import (
    AccuracyAt,
    CellMemory,
    DifferenceAt,
    MemoryFindings,
    SeriesMemory,
)
from seqclf.runs import Run
from seqclf.studies import memory_shown
from seqclf.studies.intervals import accuracy, difference, p_of_guessing
from seqclf.studies.lab import Lab
from seqclf.studies.memory_tasks import SERIES, TASKS, VERSION, Series, texts
from seqclf.studies.question import Answer, Question, textbook, trainings

EVALUATED = {VALIDATION: 500, TEST: 1000}
QUICK_SERIES = {"recall": dataclasses.replace(SERIES["recall"], epochs=8)}
DISTANCES = (10, 30, 100, 200, 500)
QUICK_DISTANCES = (10, 100)
# Regularisation would hide the one token that decides.
MODEL = {"units": 32, "embedding_size": 16, "dropout_rate": 0.0}
TRAINING = {
    "word_dropout_rate": 0.0,
    "label_smoothing": 0.0,
    "weight_decay": 0.0,
    "batch_size": 64,
    "learning_rate": 1e-2,
}

_Settings = TypeVar("_Settings")


def run(question: Question, lab: Lab) -> Answer[MemoryFindings]:
    """Trains each cell on each task at each distance; the data set is not used."""
    lab = lab.shared()
    series = QUICK_SERIES if question.quick else SERIES
    distances = QUICK_DISTANCES if question.quick else DISTANCES
    points = [(name, d) for d in sorted(distances, reverse=True) for name in series]
    configs: list[RunConfig] = []
    keys: list[tuple[str, int, str]] = []
    for name, distance in points:
        data = _data(series[name], distance, question, lab)
        recipe = _recipe(question, series[name], distance, data)
        for config in trainings(question, recipe):
            configs.append(config)
            keys.append((name, distance, config.model.cell))
    groups: dict[tuple[str, int, str], list[Run]] = {}
    for key, run in zip(keys, lab.train(configs), strict=True):
        groups.setdefault(key, []).append(run)
    rights = {key: right_answers(group) for key, group in groups.items()}
    findings = MemoryFindings(
        distances=tuple(distances),
        series={
            name: _findings(name, one, distances, question.cells, rights)
            for name, one in series.items()
        },
    )
    return Answer(
        study="memory",
        title="How far back the cells remember",
        sentence=memory_shown.sentence(findings, len(question.seeds)),
        table=memory_shown.table(findings),
        rows=tuple(_rows(findings, len(question.seeds))),
        findings=findings,
        trials=len(configs),
        notes=memory_shown.notes(findings, question, configs[0].model.units),
    )


def _data(one: Series, distance: int, question: Question, lab: Lab) -> DataConfig:
    rows = min(question.config.data.limit or one.rows, one.rows)
    name = f"memory-{one.task}-{distance}-{one.spread}-{rows}-v{VERSION}"
    sizes = {TRAIN: rows, **EVALUATED}
    return lab.keep_data(name, texts(one.task, distance, sizes, one.spread))


def _recipe(
    question: Question, one: Series, distance: int, data: DataConfig
) -> RunConfig:
    """Returns the study's recipe; settings of the user take precedence."""
    config = textbook(question.config)
    longest = distance + TASKS[one.task].longest_extra
    text = dataclasses.replace(
        config.text, max_length=max(config.text.max_length, longest)
    )
    model = MODEL | {"embedding_range": one.embedding_range}
    training = TRAINING | {"epochs": one.epochs, "patience": one.epochs}
    return RunConfig(
        data=data,
        text=text,
        model=_unless_given(config.model, model, question.given),
        training=_unless_given(config.training, training, question.given),
    )


def _unless_given(
    settings: _Settings, own: Mapping[str, object], given: Collection[str]
) -> _Settings:
    """Returns settings with the study's own where the user set no other."""
    default = type(settings)()
    fitting = {
        name: value
        for name, value in own.items()
        if name not in given and getattr(settings, name) == getattr(default, name)
    }
    return dataclasses.replace(settings, **fitting)  # type: ignore[type-var]


def _findings(
    name: str,
    one: Series,
    distances: Sequence[int],
    cells: Sequence[str],
    rights: Mapping[tuple[str, int, str], Right],
) -> SeriesMemory:
    chance, plain = TASKS[one.task].chance, SIMPLE_RNN.name
    by_cell = {
        cell: {distance: rights[name, distance, cell] for distance in distances}
        for cell in cells
    }
    return SeriesMemory(
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
) -> CellMemory:
    """Evaluates a cell by its right answers at each distance, and beside rnn's."""
    reached = tuple(
        AccuracyAt(distance=distance, **dataclasses.asdict(accuracy(one)))
        for distance, one in right.items()
    )
    over = plain and [
        DifferenceAt(distance=d, **dataclasses.asdict(difference(right[d], plain[d])))
        for d in right
    ]
    # Adjusted for the number of distances: guessing is above chance now and then.
    least = min(p_of_guessing(one, chance) for one in right.values())
    learnt = least * len(right) < SIGNIFICANCE
    curve = [(one.distance, one.accuracy) for one in reached]
    return CellMemory(
        accuracy=reached,
        best=max(one.accuracy for one in reached),
        learnt=learnt,
        half_way=half_way(curve, chance) if learnt else None,
        over_rnn=tuple(over) if over else None,
    )


def half_way(curve: Sequence[tuple[int, float]], chance: float) -> float | None:
    """Returns the distance at which accuracy falls half-way from its best to chance.

    Interpolated on the logarithm of the distance, after the last best point; None if
    accuracy never falls so far. The curve has distances, ascending, with accuracies.
    """
    best = max(accuracy for _, accuracy in curve)
    level = (best + chance) / 2
    start = max(index for index, (_, accuracy) in enumerate(curve) if accuracy == best)
    for (near, above), (far, below) in zip(
        curve[start:], curve[start + 1 :], strict=False
    ):
        if below <= level:
            share = (above - level) / (above - below)
            return near * (far / near) ** share
    return None


def _rows(findings: MemoryFindings, seeds: int) -> Iterator[dict[str, object]]:
    for name, one in findings.series.items():
        for cell, found in one.cells.items():
            for at in found.accuracy:
                yield {
                    "series": name, "cell": cell, "distance": at.distance,
                    "seeds": seeds, "n": one.n, "chance": one.chance,
                    "accuracy": at.accuracy, "low": at.low, "high": at.high,
                }  # fmt: skip
