"""`sensitivity`: how much the cells' accuracy depends on their settings.

Each cell has the same trials, at the same cost: the recipe, then settings drawn at
random (Bergstra & Bengio 2012, JMLR 13:281): learning rate, dropout and units in the
ranges of `seqclf compare --tune`, and the maximum length of a text. The expected best
of k trials shows how much searching pays (Dodge et al. 2019, arXiv:1909.03004). With
--range-test, only the learning rate varies: `range_test`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from seqclf.comparison import ranges
from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN, VALIDATION
from seqclf.records import sweeps
from seqclf.statistics import RESAMPLES
from seqclf.studies.intervals import adjusted, middle, student_mean
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import range_test, sensitivity_shown, sweep
from seqclf.studies.sweeps.sensitivity_shown import QUICK_DRAWS
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained

DRAWS = 16
DRAWN = ("learning_rate", "dropout_rate", "units")  # beside the maximum length
FEWEST_DRAWS = 6  # fewer are too few for an interval of a spread
QUARTILES = (0.25, 0.5, 0.75)


def run(
    question: Question, lab: Lab
) -> Answer[sweeps.TrialsFindings] | Answer[sweeps.RangeFindings]:
    """Runs the trials, or the range test."""
    one_seed = replace(question, seeds=question.seeds[:1])
    if question.range_test:
        return range_test.run(one_seed, lab, len(question.seeds))
    answer = SWEEP.run(one_seed, lab)
    about_seeds = range_test.about_seeds(len(question.seeds))
    return replace(answer, notes=(*answer.notes, *about_seeds))


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
    first, *others = ranges.drawn(base, DRAWN, draws)
    generator = np.random.default_rng(0)
    kept = generator.choice(max_lengths(lengths, base.text.max_length), len(others))
    return [first, *map(_cut, others, kept.tolist())]


def max_lengths(lengths: np.ndarray, most: int) -> list[int]:
    """Returns the maximum lengths to try: quartiles of the texts', the recipe's."""
    quartiles = np.quantile(lengths, QUARTILES).round().astype(int)
    return sorted({*quartiles.tolist(), most})


def _cut(config: RunConfig, most: int) -> RunConfig:
    return replace(config, text=replace(config.text, max_length=most))


def settings(config: RunConfig) -> dict[str, float]:
    """Returns the settings that vary, as in the rows."""
    return {
        "learning_rate": config.training.learning_rate,
        "dropout_rate": config.model.dropout_rate,
        "max_length": config.text.max_length,
        "units": config.model.units,
    }


def read(
    question: Question, trained: Sequence[Trained]
) -> Answer[sweeps.TrialsFindings]:
    """Evaluates the trials."""
    every = sweep.points_of(trained)
    runs = {cell: [o for o in trained if o.cell == cell] for cell in question.cells}
    finished = (one.run for one in trained if one.run.is_finished)
    guess = max((sweep.guess(run, VALIDATION) for run in finished), default=0.0)
    reached = {cell: [_reached(o, guess) for o in own] for cell, own in runs.items()}
    by_cell, differences = spreads(reached)
    tried = [settings(point.config) for point in every]
    varied = {name: [one[name] for one in tried] for name in tried[0]}
    findings = sweeps.TrialsFindings(
        draws=len(every),
        best_so_far={c: tuple(expected_best(own)) for c, own in reached.items()},
        spreads=tuple(by_cell),
        differences=tuple(differences),
        correlations={c: tuple(correlations(varied, o)) for c, o in reached.items()},
        reached={c: tuple(own) for c, own in reached.items()},
        diverged={c: sum(not o.run.is_finished for o in runs[c]) for c in runs},
    )
    return Answer(
        study="sensitivity",
        title=f"Validation accuracy over {len(every)} settings, the same for each cell",
        sentence=sensitivity_shown.sentence(findings),
        table=sensitivity_shown.table(findings), rows=tuple(map(sweep.row, trained)),
        findings=findings, trials=len(trained),
        notes=sensitivity_shown.notes(question, [point.config for point in every]),
    )  # fmt: skip


def _reached(one: Trained, guess: float) -> float:
    """Returns the validation accuracy, that of guessing if the training diverged."""
    return one.run.metrics[VALIDATION].accuracy if one.run.is_finished else guess


def expected_best(values: Sequence[float]) -> list[float]:
    """Returns the expected best of k = 1 ... n trials; the first is the mean.

    k trials are drawn with replacement from the n values; their maximum has the
    distribution F(v)^k (Dodge et al. 2019, arXiv:1909.03004).
    """
    ordered = np.sort(np.asarray(values, np.float64))
    n = len(ordered)
    ranks = np.arange(n + 1) / n  # of equal values together they sum to the same
    return [float(ordered @ np.diff(ranks**k)) for k in range(1, n + 1)]


def spreads(
    by_cell: Mapping[str, Sequence[float]],
) -> tuple[list[sweeps.Spread], list[sweeps.SpreadPair]]:
    """Returns how far the trials of each cell scatter, and each two cells compared.

    Two cells are compared by the mean distance from their medians (Brown & Forsythe
    1974, JASA 69:364), trial by trial, because both have the same trials, in the same
    order; standard deviations of a few skewed values have no reliable interval.

    Returns:
      One a cell: the interval of quartile_range is by the bootstrap, that of the mean
      distance Student's. One a pair, with the p of Student's test. Intervals and p are
      None with fewer than six trials.
    """
    far = {cell: _distances(values) for cell, values in by_cell.items()}
    own = [_spread(cell, values, far[cell]) for cell, values in by_cell.items()]
    pairs = [
        sweeps.SpreadPair(
            a=a, b=b, **asdict(_deviation(far[a] - far[b])), p=_p(far[a] - far[b])
        )
        for a, b in itertools.combinations(by_cell, 2)
    ]
    return own, adjusted(pairs)


def _spread(cell: str, values: Sequence[float], far: np.ndarray) -> sweeps.Spread:
    first, middle, last = np.quantile(values, QUARTILES).tolist()
    low, high = _quartile_range(np.asarray(values, np.float64))
    return sweeps.Spread(
        cell=cell, n=len(values), best=max(values), sd=float(np.std(values, ddof=1)),
        quartiles=(first, middle, last), quartile_range=last - first,
        quartile_range_low=low, quartile_range_high=high, **asdict(_deviation(far)),
    )  # fmt: skip


def _p(differences: np.ndarray) -> float | None:
    """Returns the p of Student's test that these are 0 on average; 1 if all are."""
    from scipy.stats import ttest_1samp

    if len(differences) < FEWEST_DRAWS:
        return None
    return float(ttest_1samp(differences, 0).pvalue) if differences.any() else 1.0


def _distances(values: Sequence[float]) -> np.ndarray:
    """Returns each value's distance from the median times n / (n - 1).

    The factor corrects for the median being taken of these very values.
    """
    n = len(values)
    return np.abs(np.asarray(values, np.float64) - np.median(values)) * n / (n - 1)


def _deviation(distances: np.ndarray) -> sweeps.Deviation:
    found = student_mean(distances.tolist())
    if len(distances) < FEWEST_DRAWS:
        return sweeps.Deviation(deviation=found.mean)
    return sweeps.Deviation(
        deviation=found.mean, deviation_low=found.low, deviation_high=found.high
    )


def _quartile_range(values: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Returns the percentile interval of the distance of the quartiles."""
    n = len(values)
    if n < FEWEST_DRAWS:
        return None, None
    drawn = values[np.random.default_rng(0).integers(n, size=(RESAMPLES, n))]
    first, last = np.quantile(drawn, [QUARTILES[0], QUARTILES[-1]], axis=1)
    return middle(last - first)


def correlations(
    settings: Mapping[str, Sequence[float]], values: Sequence[float]
) -> list[sweeps.Correlation]:
    """Ranks settings of trials by their correlation with accuracy, the strongest first.

    rho is None where nothing varies or with fewer than three trials, p with fewer than
    six. The settings are by name, a value a trial; `values` are the accuracies.
    """
    found = [_spearman(name, setting, values) for name, setting in settings.items()]
    return sorted(adjusted(found), key=lambda one: -abs(one.rho or 0.0))


def _spearman(
    name: str, setting: Sequence[float], values: Sequence[float]
) -> sweeps.Correlation:
    from scipy.stats import spearmanr

    n = len(values)
    if n < 3 or len(set(setting)) == 1 or len(set(values)) == 1:
        return sweeps.Correlation(setting=name, n=n)
    rho, p = spearmanr(setting, values)
    known = float(p) if n >= FEWEST_DRAWS else None
    return sweeps.Correlation(setting=name, rho=float(rho), n=n, p=known)


SWEEP = Sweep(points, read, may_diverge=True)
