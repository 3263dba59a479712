"""`sensitivity`: how much the cells' accuracy depends on their settings.

Each cell makes the same trials, at the same cost: the recipe as it is, then settings
drawn at random (Bergstra & Bengio 2012, JMLR 13:281), learning rate, dropout and units
as `seqclf compare --tune` draws them, and the tokens kept of a text. How much searching
pays is told by the best that k trials may be expected to find (Dodge et al. 2019,
arXiv:1909.03004). With --range-test, the learning rate alone: `range_test`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqclf.comparison import tuning
from seqclf.comparison.design import Design
from seqclf.comparison.pairs import SIGNIFICANCE
from seqclf.comparison.verdict import title
from seqclf.comparison.words import percent, signed
from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.report import figures
from seqclf.studies.lab import Lab
from seqclf.studies.question import (
    QUICK_ROWS,
    Answer,
    Question,
    Record,
    Table,
    quick_config,
)
from seqclf.studies.sweeps import random_search, range_test, sweep
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained

DRAWS, QUICK_DRAWS = 16, 2
SETTINGS = ("learning_rate", "dropout_rate", "max_length", "units")
RANDOM, RANGE = "random trials", "range test"


def run(question: Question, lab: Lab) -> Answer:
    """Makes the trials, or the range test, and reads them.

    Returns:
      The answer. Its findings have `mode`, RANDOM or RANGE; of the latter see
      `range_test.run`. Of random trials: `draws`, their number; `best_so_far`, by cell
      the validation accuracy that 1, 2, ... trials may be expected to find; `spreads`
      and `differences`, see `random_search.spreads`; `correlations`, by cell, see
      `random_search.correlations`; `diverged`, by cell how many trainings ran away.
    """
    one_seed = dataclasses.replace(question, seeds=question.seeds[:1])
    if question.range_test:
        return range_test.run(one_seed, lab, len(question.seeds))
    answer = SWEEP.run(one_seed, lab)
    return dataclasses.replace(
        answer, notes=(*answer.notes, *range_test.about_seeds(len(question.seeds)))
    )


def points(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe, and settings at random; the same for all cells."""
    base = quick_config(question.config) if question.quick else question.config
    lengths = lab.load(base).splits[TRAIN].lengths
    draws = QUICK_DRAWS if question.quick else DRAWS
    return [
        Point(name=f"{number}", config=config, values=_values(config, number))
        for number, config in enumerate(drawn(base, lengths, draws), 1)
    ]


def drawn(base: RunConfig, lengths: np.ndarray, draws: int) -> list[RunConfig]:
    """Returns the recipe and random settings, as many in all as there are draws.

    Args:
      base: The recipe.
      lengths: Tokens of the training texts as the recipe cuts them, int [texts].
      draws: At least 2.
    """
    design = Design(config=base, cells=("gru",), seeds=(0,), tune=draws)
    first, *others = tuning.draws(design)
    generator = np.random.default_rng(0)
    kept = generator.choice(max_lengths(lengths, base.text.max_length), len(others))
    return [first, *map(_cut, others, kept.tolist())]


def max_lengths(lengths: np.ndarray, most: int) -> list[int]:
    """Returns what lengths are tried: the quartiles of the texts', and the recipe's."""
    quartiles = np.quantile(lengths, random_search.QUARTILES).round().astype(int)
    return sorted({*quartiles.tolist(), most})


def _cut(config: RunConfig, most: int) -> RunConfig:
    return dataclasses.replace(
        config, text=dataclasses.replace(config.text, max_length=most)
    )


def _values(config: RunConfig, number: int) -> Record:
    return {
        "trial": number,
        "learning_rate": config.training.learning_rate,
        "dropout_rate": config.model.dropout_rate,
        "max_length": config.text.max_length,
        "units": config.model.units,
    }


def read(question: Question, trained: Sequence[Trained]) -> Answer:
    """Reads the trials; see `run`."""
    every = sweep.points_of(trained)
    runs = {cell: [o for o in trained if o.cell == cell] for cell in question.cells}
    guess = _guess(trained)
    reached = {cell: [_reached(o, guess) for o in own] for cell, own in runs.items()}
    spread, differences = random_search.spreads(reached)
    varied = {s: [point.values[s] for point in every] for s in SETTINGS}
    findings = {
        "mode": RANDOM,
        "draws": len(every),
        "best_so_far": {c: random_search.expected_best(v) for c, v in reached.items()},
        "spreads": spread,
        "differences": differences,
        "correlations": {
            cell: random_search.correlations(varied, values)
            for cell, values in reached.items()
        },
        "reached": reached,
        "diverged": {
            cell: sum(not o.run.is_finished for o in own) for cell, own in runs.items()
        },
        "seeds": 1,
    }
    return Answer(
        study="sensitivity",
        title=f"Validation accuracy over {len(every)} settings, the same for each cell",
        sentence=_sentence(findings),
        table=_table(findings),
        rows=tuple(map(sweep.row, trained)),
        findings=findings,
        trials=len(trained),
        notes=_notes(question, every),
    )


def _guess(trained: Sequence[Trained]) -> float:
    """Returns the accuracy of the commonest label, of validation."""
    finished = next((o.run for o in trained if o.run.is_finished), None)
    if finished is None:
        return 0.0
    counts = finished.dataset.label_counts[VALIDATION]
    return float(max(counts) / sum(counts))


def _reached(one: Trained, guess: float) -> float:
    """Returns the validation accuracy; of a loss that ran away, that of guessing."""
    return one.run.metrics[VALIDATION].accuracy if one.run.is_finished else guess


def _sentence(found: Mapping[str, Any]) -> str:
    n = found["draws"]
    spread = ", ".join(
        f"{title(one['cell'])} {100 * one['deviation']:.1f}{_aside(one)}"
        for one in found["spreads"]
    )
    parts = [
        f"Over {n} settings, the same for each cell, validation accuracy lies so many "
        f"points from its median (the mean, times n / (n − 1)): {spread}.",
        _about_differences(found["differences"], n),
        *_about_settings(found["correlations"]),
        f"{n * len(found['spreads'])} trainings, one for each cell and setting: the "
        "luck of the seed is part of the spread.",
    ]
    return " ".join(parts)


def _aside(one: Mapping[str, Any], name: str = "deviation") -> str:
    low, high = one[f"{name}_low"], one[f"{name}_high"]
    return "" if low is None else f" ({sweep.reach(low, high)})"


def _about_differences(pairs: Sequence[Record], n: int) -> str:
    if not pairs:
        return ""
    if pairs[0]["deviation_low"] is None:
        return f"{n} settings are too few to tell the cells' spreads apart."
    apart = [pair for pair in pairs if pair["p"] < SIGNIFICANCE]
    said = [
        f"{title(p['a'])} less {title(p['b'])}: "
        f"{signed(100 * p['deviation'])} points{_aside(p)}"
        for p in apart
    ]
    if not said:
        return "No two cells' spreads can be told apart."
    return f"Spreads that can be told apart, {'; '.join(said)}."


def _about_settings(by_cell: Mapping[str, Sequence[Record]]) -> list[str]:
    said = []
    for cell, found in by_cell.items():
        first = random_search.explaining(found)
        if first:
            said.append(
                f"{title(cell)}'s accuracy goes with {first['setting']} "
                f"(rank correlation {signed(first['rho'], 2)}, n = {first['n']})"
            )
    if not said:
        return ["No setting's rank correlation with accuracy can be told from 0."]
    return [f"{'; '.join(said)}."]


def _table(found: Mapping[str, Any]) -> Table:
    header = (
        "cell", "best, %", "quartiles, %", "quartile range, points",
        "from the median, points", "strongest setting, rank correlation",
    )  # fmt: skip
    rows = []
    for one in found["spreads"]:
        first = found["correlations"][one["cell"]][0]
        rho = "–" if first["rho"] is None else signed(first["rho"], 2)
        rows.append(
            (
                one["cell"],
                percent(one["best"]),
                " – ".join(map(percent, one["quartiles"])),
                f"{100 * one['quartile_range']:.1f}{_aside(one, 'quartile_range')}",
                f"{100 * one['deviation']:.1f}{_aside(one)}",
                f"{first['setting']} {rho}",
            )
        )
    return Table(header=header, rows=tuple(rows))


def _notes(question: Question, every: Sequence[Point]) -> tuple[str, ...]:
    lengths = sorted({point.values["max_length"] for point in every})
    (low, high), (least, most) = tuning.LEARNING_RATES, tuning.DROPOUT_RATES
    return (
        f"The first trial is the recipe; the others draw the learning rate from "
        f"{low:g} to {high:g} (evenly by logarithm), dropout from {least:g} to "
        f"{most:g}, units from {', '.join(map(str, tuning.UNITS))}, and the tokens "
        f"kept of a text, here {', '.join(map(str, lengths))}, from the quartiles of "
        "the texts' lengths and the recipe's. All else is as in the recipe.",
        "Judged on validation alone; a training that diverged counts as guessing. "
        "n / (n − 1), for the median lies amid these very values. p of the rank "
        "correlations is Holm's over the settings of a cell; the expected best of k "
        "trials draws them with replacement.",
        *sweep.quick_notes(
            question,
            f"{QUICK_DRAWS} settings, at most {QUICK_ROWS:,} texts, few epochs.",
        ),
    )


def figure(answer: Answer) -> str:
    """Draws what an answer holds: best-so-far and spread, or the range test."""
    if answer.findings["mode"] == RANGE:
        return range_test.figure(answer)
    found = answer.findings

    def draw(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        _draw_best(left, found["best_so_far"])
        _draw_trials(right, found)
        figures.legend(figure, [left])

    return figures.drawn(draw, "sensitivity", 9.2, 3.6)


def _draw_best(axes: Any, by_cell: Mapping[str, Sequence[float]]) -> None:
    for index, (cell, values) in enumerate(by_cell.items()):
        look = figures.style(cell, index) | {"markersize": 4}
        percents = [100 * value for value in values]
        axes.plot(range(1, len(values) + 1), percents, label=cell, **look)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("trials")
    axes.set_ylabel("expected best validation accuracy, %")
    axes.grid(alpha=0.25)


def _draw_trials(axes: Any, found: Mapping[str, Any]) -> None:
    """Draws each trial's accuracy, and a bar from quartile to quartile."""
    cells = [one["cell"] for one in found["spreads"]]
    for place, one in enumerate(found["spreads"]):
        look = figures.style(one["cell"], place)
        low, middle, high = (100 * value for value in one["quartiles"])
        axes.barh(place, high - low, 0.5, low, color=look["color"], alpha=0.25)
        axes.plot([middle] * 2, [place - 0.25, place + 0.25], color=look["color"])
        values = [100 * value for value in found["reached"][one["cell"]]]
        places = [place + 0.18 * (i % 3 - 1) for i in range(len(values))]
        axes.plot(values, places, **look | {"linestyle": "none"}, markersize=5)
    axes.set_yticks(range(len(cells)), cells)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_xlabel("validation accuracy of each trial, %; bar: quartiles")
    axes.grid(axis="x", alpha=0.25)


SWEEP = Sweep(points, read, may_diverge=True)
