"""How far back the cells remember: accuracy against the distance of what decides.

One layer, one direction, the last state read out, trained on made-up tasks whose answer
stands any number of tokens before the end (`memory_tasks`): the first token, asked for
at the end; the adding problem of Hochreiter & Schmidhuber (1997, Neural Computation
9:1735); and reviews of `demo` behind whose opinion neutral sentences were put. Bengio,
Simard & Frasconi (1994, IEEE Trans. Neural Networks 5:157) showed on such a task that
plain recurrent networks fail to learn what lies far back; Hochreiter & Schmidhuber that
gates do learn it.

Whether a plain network learns it hangs on how it begins and on what it is shown, too
(Le, Jaitly & Hinton 2015, arXiv:1504.00941, on the beginning). So the first task is
asked in three ways: training texts of all distances up to the one tested; most of them
short; and all at the distance tested, with small initial token vectors, under which
Keras's orthogonal recurrent matrix hands the state of a SimpleRNN on nearly unchanged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from seqclf.comparison.pairs import SIGNIFICANCE, Right, right_answers
from seqclf.comparison.verdict import title
from seqclf.comparison.words import joined, percent
from seqclf.config import DataConfig, RunConfig, twin
from seqclf.records.plain import to_plain
from seqclf.report.figures import drawn, legend, style
from seqclf.report.svg import INK
from seqclf.runs import Run
from seqclf.studies.intervals import accuracy, difference, p_of_guessing
from seqclf.studies.lab import Lab
from seqclf.studies.memory_tasks import TASKS, VERSION, Sizes, texts
from seqclf.studies.question import Answer, Question, Record, Table, textbook

LARGE, SMALL = 0.5, 0.02
EVALUATED = {"validation": 500, "test": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A task as it is asked here.

    Attributes:
      title: Its name in tables and figures.
      task: One of `TASKS`.
      spread: One of `SPREADS`, how the distances of the training texts are drawn.
      embedding_range: Initial token vectors are drawn from plus or minus this.
      rows: Training texts.
      epochs: Times each is seen.
    """

    title: str
    task: str
    spread: str = "even"
    embedding_range: float = LARGE
    rows: int = 4000
    epochs: int = 12


SERIES = {
    "recall": Series(title="first token", task="recall"),
    "recall_short": Series(
        title="first token, mostly short", task="recall", spread="log"
    ),
    "recall_small": Series(
        title="first token, small vectors",
        task="recall",
        spread="none",
        embedding_range=SMALL,
    ),
    "adding": Series(title="adding", task="adding"),
    "opinion": Series(title="opinion pushed away", task="opinion"),
}
RECALL_SERIES = ("recall", "recall_short", "recall_small")
QUICK_SERIES = {"recall": dataclasses.replace(SERIES["recall"], epochs=8)}
DISTANCES = (10, 30, 100, 200, 500)
QUICK_DISTANCES = (10, 100)
# What the recipe has against overfitting would hide the very token that decides.
MODEL = {"units": 32, "embedding_size": 16, "dropout_rate": 0.0}
TRAINING = {
    "word_dropout_rate": 0.0,
    "label_smoothing": 0.0,
    "weight_decay": 0.0,
    "batch_size": 64,
    "learning_rate": 1e-2,
}

_Settings = TypeVar("_Settings")
Point = tuple[str, int]  # series, distance


def run(question: Question, lab: Lab) -> Answer[Any]:
    """Trains each cell on each task at each distance.

    Findings: `series`, by series (the keys of `SERIES`) title,
    chance, n and `cells`; a cell has `accuracy` (records of distance, accuracy, low and
    high), `best`, `half_way` (the distance at which it falls half-way from its best to
    chance; None if it does not) and `learnt` (whether it is above chance at one of the
    distances, p adjusted for their number), and, unless it is `rnn`, `over_rnn`:
    records of distance, difference, low and high, paired on the same texts; None
    without `rnn`. `distances`: those asked.
    """
    lab = lab.shared()
    series = QUICK_SERIES if question.quick else SERIES
    distances = QUICK_DISTANCES if question.quick else DISTANCES
    places = [(name, d) for d in sorted(distances, reverse=True) for name in series]
    points = {
        place: _data(series[place[0]], place[1], question, lab) for place in places
    }
    configs = [
        twin(_recipe(question, series[place[0]], place[1], data), cell, seed)
        for place, data in points.items()
        for seed in question.seeds
        for cell in question.cells
    ]
    groups = _grouped(points, question, lab.train(configs))
    rights = {key: right_answers(group) for key, group in groups.items()}
    findings = {
        "distances": list(distances),
        "series": {
            name: _findings(name, one, distances, question.cells, rights)
            for name, one in series.items()
        },
    }
    return Answer(
        study="memory",
        title="How far back the cells remember",
        sentence=sentence(findings, len(question.seeds)),
        table=_table(findings),
        rows=tuple(_rows(findings, len(question.seeds))),
        findings=findings,
        trials=len(configs),
        notes=_notes(question, series, configs),
    )


def _data(one: Series, distance: int, question: Question, lab: Lab) -> DataConfig:
    rows = min(question.config.data.limit or one.rows, one.rows)
    name = f"memory-{one.task}-{distance}-{one.spread}-{rows}-v{VERSION}"
    return lab.keep_data(
        name, texts(one.task, distance, Sizes(train=rows, **EVALUATED), one.spread)
    )


def _recipe(
    question: Question, one: Series, distance: int, data: DataConfig
) -> RunConfig:
    """Returns the study's own recipe; settings that were given stand."""
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
    settings: _Settings, own: Mapping[str, Any], given: Collection[str]
) -> _Settings:
    """Returns settings with the study's own where nobody gave another."""
    default = type(settings)()
    fitting = {
        name: value
        for name, value in own.items()
        if name not in given and getattr(settings, name) == getattr(default, name)
    }
    return dataclasses.replace(settings, **fitting)  # type: ignore[type-var]


def _grouped(
    points: Iterable[Point], question: Question, runs: Sequence[Run]
) -> dict[tuple[str, int, str], list[Run]]:
    """Returns the runs of all seeds, by series, distance and cell."""
    waiting = iter(runs)
    groups: dict[tuple[str, int, str], list[Run]] = {}
    for name, distance in points:
        for _ in question.seeds:
            for cell in question.cells:
                groups.setdefault((name, distance, cell), []).append(next(waiting))
    return groups


def _findings(
    name: str,
    one: Series,
    distances: Sequence[int],
    cells: Sequence[str],
    rights: Mapping[tuple[str, int, str], Right],
) -> Record:
    chance = TASKS[one.task].chance
    by_cell = {}
    for cell in cells:
        right = {distance: rights[name, distance, cell] for distance in distances}
        plain = (
            {d: rights[name, d, "rnn"] for d in distances} if "rnn" in cells else None
        )
        by_cell[cell] = _cell(right, chance) | {
            "over_rnn": None if cell == "rnn" or plain is None else _over(right, plain)
        }
    n = len(next(iter(rights[name, distances[0], cells[0]].values())))
    return {"title": one.title, "chance": chance, "n": n, "cells": by_cell}


def _cell(right: Mapping[int, Right], chance: float) -> Record:
    records = [{"distance": d} | to_plain(accuracy(one)) for d, one in right.items()]
    best = max(records, key=lambda record: record["accuracy"])
    curve = [(record["distance"], record["accuracy"]) for record in records]
    # At one of several distances a guesser is above chance now and then.
    least = min(p_of_guessing(one, chance) for one in right.values())
    learnt = least * len(right) < SIGNIFICANCE
    return {
        "accuracy": records,
        "best": best["accuracy"],
        "learnt": learnt,
        "half_way": half_way(curve, chance) if learnt else None,
    }


def _over(right: Mapping[int, Right], plain: Mapping[int, Right]) -> list[Record]:
    return [{"distance": d} | to_plain(difference(right[d], plain[d])) for d in right]


def half_way(curve: Sequence[tuple[int, float]], chance: float) -> float | None:
    """Returns the distance at which accuracy falls half-way from its best to chance.

    Interpolated on the logarithm of the distance, behind the (last) best point.

    Args:
      curve: Distances, ascending, each with an accuracy in [0, 1].
      chance: Accuracy of a guess.

    Returns:
      The distance; None if accuracy never falls so far.
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


def sentence(findings: Mapping[str, Any], seeds: int) -> str:
    """Says of each task which cells fall with distance, and where."""
    parts = [
        f"{one['title'].capitalize()} (chance {percent(one['chance'])} %): "
        + "; ".join(_said(cell, found) for cell, found in one["cells"].items())
        for one in findings["series"].values()
    ]
    n = next(iter(findings["series"].values()))["n"]
    trained = "one model each" if seeds == 1 else f"{seeds} models each"
    said = ". ".join(parts)
    return f"{said}. Test n = {n:,}, {trained}, for these tasks as trained here."


def _said(cell: str, found: Mapping[str, Any]) -> str:
    name = title(cell)
    last = found["accuracy"][-1]
    if not found["learnt"]:
        return f"{name} did not learn it at any distance"
    if found["half_way"] is not None:
        return (
            f"{name} falls half-way to chance at about {found['half_way']:.0f} tokens"
        )
    value, low, high = (percent(last[k]) for k in ("accuracy", "low", "high"))
    return f"{name} does not up to {last['distance']} ({value} %, {low} to {high})"


def _table(findings: Mapping[str, Any]) -> Table:
    header = (
        "task, cell",
        *(f"{distance} tokens, %" for distance in findings["distances"]),
        "half-way at",
    )
    rows = [
        (
            f"{one['title']}, {cell}",
            *(
                f"{percent(r['accuracy'])} ({percent(r['low'])}–{percent(r['high'])})"
                for r in found["accuracy"]
            ),
            _half_way(found),
        )
        for one in findings["series"].values()
        for cell, found in one["cells"].items()
    ]
    return Table(header=header, rows=tuple(rows))


def _half_way(found: Mapping[str, Any]) -> str:
    if not found["learnt"]:
        return "not learnt"
    return "–" if found["half_way"] is None else f"{found['half_way']:.0f}"


def _rows(findings: Mapping[str, Any], seeds: int) -> list[Record]:
    return [
        {
            "series": name,
            "cell": cell,
            "distance": record["distance"],
            "seeds": seeds,
            "n": one["n"],
            "chance": one["chance"],
            **{key: record[key] for key in ("accuracy", "low", "high")},
        }
        for name, one in findings["series"].items()
        for cell, found in one["cells"].items()
        for record in found["accuracy"]
    ]


def _notes(
    question: Question, series: Mapping[str, Series], configs: Sequence[RunConfig]
) -> tuple[str, ...]:
    first = configs[0]
    notes = [
        "One layer, one direction, the last state read out, "
        f"{first.model.units} units; made-up texts, not the data set named.",
        "Word dropout, dropout, label smoothing and weight decay of the recipe are "
        "off, for they would hide or blur the one token that decides; settings that "
        "you give stand.",
        "Training texts have distances from 0 up to the one tested, drawn evenly, the "
        "same for all cells: short ones help to learn long ones. Validation and test "
        "have the distance itself.",
        "Half-way: interpolated between the distances tested, on their logarithm.",
    ]
    if "recall_short" in series:
        notes.append(
            f"Mostly short: the distances are drawn evenly on a logarithm. Small "
            f"vectors: initial token vectors within ±{SMALL:g}, not ±{LARGE:g}, and "
            f"all training texts at the distance tested."
        )
    if question.quick:
        left = [f"“{one.title}”" for name, one in SERIES.items() if name not in series]
        notes.append(
            f"Quick: the distances {joined([str(d) for d in QUICK_DISTANCES])} alone, "
            f"and without the tasks {joined(left)}."
        )
    return tuple(notes)


def figure(answer: Answer[Any]) -> str:
    """Draws accuracy against distance, a panel a task, with chance."""
    series = answer.findings["series"]

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, len(series), sharey=True, squeeze=False)[0]
        for axes, one in zip(panels, series.values(), strict=True):
            axes.axhline(100 * one["chance"], color=INK, linewidth=0.8, alpha=0.6)
            at = (0.02, 100 * one["chance"])
            axes.annotate("chance", at, (0, 2), fontsize=8, textcoords="offset points",
                          xycoords=("axes fraction", "data"))  # fmt: skip
            for index, (cell, found) in enumerate(one["cells"].items()):
                _curve(axes, cell, found["accuracy"], index)
            axes.set_xscale("log")
            distances = answer.findings["distances"]
            axes.set_xticks(distances, [str(d) for d in distances], rotation=45)
            axes.minorticks_off()
            axes.set_title(one["title"], fontsize=10)
            axes.set_xlabel("distance, tokens")
            axes.set_ylim(0, 103)
            axes.grid(alpha=0.25)
        panels[0].set_ylabel("test accuracy, %")
        legend(figure, panels)

    return drawn(draw, "memory", max(2.6 * len(series), 5.2), 3.6)


def _curve(axes: Any, cell: str, records: Sequence[Record], index: int) -> None:
    values = [100 * record["accuracy"] for record in records]
    reach = [
        [max(v - 100 * r["low"], 0) for v, r in zip(values, records, strict=True)],
        [max(100 * r["high"] - v, 0) for v, r in zip(values, records, strict=True)],
    ]
    # A little apart, so that curves on top of each other can be told apart.
    at = [record["distance"] * 1.04 ** (index - 1) for record in records]
    axes.errorbar(at, values, yerr=reach, capsize=2, label=cell, **style(cell, index))
