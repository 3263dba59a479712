"""`sensitivity`: how much the cells' accuracy depends on their settings.

Each cell has the same trials, at the same cost: the recipe, then settings drawn at
random (Bergstra & Bengio 2012, JMLR 13:281): learning rate, dropout and units as in
`seqclf compare --tune`, and the maximum length of a text. The expected best of k trials
shows how much searching pays (Dodge et al. 2019, arXiv:1909.03004). With --range-test,
only the learning rate varies: `range_test`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from seqclf.cells import recurrent_names
from seqclf.comparison import tuning
from seqclf.comparison.design import Design
from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.records.sweeps import RangeFindings, TrialsFindings
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import (
    random_search,
    range_test,
    range_test_shown,
    sensitivity_shown,
    sweep,
)
from seqclf.studies.sweeps.sensitivity_shown import QUICK_DRAWS
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained

DRAWS = 16


def run(question: Question, lab: Lab) -> Answer[TrialsFindings] | Answer[RangeFindings]:
    """Runs the trials, or the range test."""
    one_seed = dataclasses.replace(question, seeds=question.seeds[:1])
    if question.range_test:
        return range_test.run(one_seed, lab, len(question.seeds))
    answer = SWEEP.run(one_seed, lab)
    about_seeds = range_test_shown.about_seeds(len(question.seeds))
    return dataclasses.replace(answer, notes=(*answer.notes, *about_seeds))


def points(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe and random settings, the same for all cells."""
    base = question.recipe
    lengths = lab.load(base).splits[TRAIN].lengths
    draws = QUICK_DRAWS if question.quick else DRAWS
    return [
        Point(
            name=f"{number}",
            config=config,
            values={"trial": number, **settings(config)},
        )
        for number, config in enumerate(drawn(base, lengths, draws), 1)
    ]


def drawn(base: RunConfig, lengths: np.ndarray, draws: int) -> list[RunConfig]:
    """Returns the recipe and random settings, at least 2 `draws` in all.

    `lengths` are those of the training texts as the recipe cuts them, int [texts].
    """
    design = Design(config=base, cells=recurrent_names()[:1], seeds=(0,), tune=draws)
    first, *others = tuning.draws(design)
    generator = np.random.default_rng(0)
    kept = generator.choice(max_lengths(lengths, base.text.max_length), len(others))
    return [first, *map(_cut, others, kept.tolist())]


def max_lengths(lengths: np.ndarray, most: int) -> list[int]:
    """Returns the maximum lengths to try: quartiles of the texts', the recipe's."""
    quartiles = np.quantile(lengths, random_search.QUARTILES).round().astype(int)
    return sorted({*quartiles.tolist(), most})


def _cut(config: RunConfig, most: int) -> RunConfig:
    return dataclasses.replace(
        config, text=dataclasses.replace(config.text, max_length=most)
    )


def settings(config: RunConfig) -> dict[str, float]:
    """Returns the settings that vary, as in the rows."""
    return {
        "learning_rate": config.training.learning_rate,
        "dropout_rate": config.model.dropout_rate,
        "max_length": config.text.max_length,
        "units": config.model.units,
    }


def read(question: Question, trained: Sequence[Trained]) -> Answer[TrialsFindings]:
    """Evaluates the trials."""
    every = sweep.points_of(trained)
    runs = {cell: [o for o in trained if o.cell == cell] for cell in question.cells}
    finished = (one.run for one in trained if one.run.is_finished)
    guess = max((sweep.guess(run, VALIDATION) for run in finished), default=0.0)
    reached = {cell: [_reached(o, guess) for o in own] for cell, own in runs.items()}
    spreads, differences = random_search.spreads(reached)
    tried = [settings(point.config) for point in every]
    varied = {name: [one[name] for one in tried] for name in tried[0]}
    findings = TrialsFindings(
        draws=len(every),
        best_so_far={
            cell: tuple(random_search.expected_best(values))
            for cell, values in reached.items()
        },
        spreads=tuple(spreads),
        differences=tuple(differences),
        correlations={
            cell: tuple(random_search.correlations(varied, values))
            for cell, values in reached.items()
        },
        reached={cell: tuple(values) for cell, values in reached.items()},
        diverged={
            cell: sum(not o.run.is_finished for o in own) for cell, own in runs.items()
        },
    )
    return Answer(
        study="sensitivity",
        title=f"Validation accuracy over {len(every)} settings, the same for each cell",
        sentence=sensitivity_shown.sentence(findings),
        table=sensitivity_shown.table(findings),
        rows=tuple(map(sweep.row, trained)),
        findings=findings,
        trials=len(trained),
        notes=sensitivity_shown.notes(question, [point.config for point in every]),
    )


def _reached(one: Trained, guess: float) -> float:
    """Returns the validation accuracy, that of guessing if the training diverged."""
    return one.run.metrics[VALIDATION].accuracy if one.run.is_finished else guess


SWEEP = Sweep(points, read, may_diverge=True)
