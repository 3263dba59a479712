"""Who is better, two at a time: models by seed, and cells over seeds."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from seqclf import statistics
from seqclf.comparison.at_look import ONCE, AtLook
from seqclf.comparison.judged import SIGNIFICANCE, is_decided, is_equal, largest_p
from seqclf.comparison.metric import ACCURACY, Metric, Values
from seqclf.comparison.ranks import ahead_of, p_of_ranks, superiority, trainings
from seqclf.data.dataset import TEST
from seqclf.metrics import wilson
from seqclf.records.comparison import (
    BY_CELLS,
    BY_FOLDS,
    BY_MODELS,
    BY_RANKS,
    ModelPair,
    Pair,
    SettledBy,
    Superiority,
)
from seqclf.runs import AnyRun

# From seed to bool [texts]: which test texts a model has right.
Right = dict[int, np.ndarray]
Names = tuple[str, str]  # of the rows of a pair
MARGIN = 0.01  # a fraction, or nats: less is practically nothing


@dataclass(frozen=True, slots=True)
class _Terms:
    """How a pair is compared: see `compare_pairs`; `compared` are all that are."""

    compared: int
    ranked: bool
    margin: float
    at: AtLook
    metric: Metric
    folds: int | None

    @property
    def strictest(self) -> float:
        """The strictest level that Holm's adjustment may ask of a pair."""
        return SIGNIFICANCE * self.at.later / self.compared


def right_answers(group: Sequence[AnyRun]) -> Right:
    """Returns which test texts the runs have right, by seed."""
    return {run.config.training.seed: run.predictions(TEST).right for run in group}


def accuracy_interval(right: Right) -> tuple[float, float]:
    """Returns the 95 % interval of a cell's accuracy over seeds and texts, in [0, 1].

    At least two seeds are needed; one model has Wilson's interval. So have seeds that
    all have all texts right, or none: what does not vary in a few texts may
    still vary in others.
    """
    values = np.array(list(right.values()))
    if values.all() or not values.any():
        rows = values.shape[1]
        return wilson(rows if values.all() else 0, rows)
    low, high = statistics.crossed_mean(values).interval()
    return max(low, 0.0), min(high, 1.0)


def compare_pairs(
    values: Mapping[str, Values],
    recurrent: Collection[str],
    failed: Collection[str] = (),
    margin: float = MARGIN,
    at: AtLook = ONCE,
    metric: Metric = ACCURACY,
    folds: int | None = None,
) -> tuple[Pair, ...]:
    """Compares all cells, two at a time, by the values of their rows in a metric.

    Two questions: which `recurrent` row is better, and what recurrence is worth, beside
    the others. The p-values are Holm's over the pairs of each, and adjusted_for is
    their number. low and high are the pair's own. Rows of which a training `failed` are
    compared by ranks. Pairs that were decided `at` a look stay as they were then.
    Where each seed tested on one of so many `folds`, pairs are compared fold by fold.
    """
    every = list(itertools.combinations(values, 2))
    known = [(a, b) for a, b in every if _can_be_compared(values[a], values[b], folds)]
    pairs: dict[Names, Pair] = {}
    for among in (True, False):
        asked = [(a, b) for a, b in known if ({a, b} <= set(recurrent)) == among]
        final = {
            names: at.decided[frozenset(names)]
            for names in asked
            if frozenset(names) in at.decided
        }
        tested = {}
        for a, b in (names for names in asked if names not in final):
            ranked = a in failed or b in failed
            terms = _Terms(len(asked), ranked, margin, at, metric, folds)
            tested[a, b] = _pair(a, b, values[a], values[b], terms)
        pairs |= final | _adjusted(tested, at, tuple(final.values()))
    return tuple(
        pairs[a, b]
        if (a, b) in pairs
        else Pair(a=a, b=b, seeds=(), difference=None, metric=metric.name)
        for a, b in every
    )


def compare_with(  # noqa: PLR0913 -- as of all pairs
    name: str,
    values: Values,
    references: Mapping[str, Values],
    ranked: bool = False,
    margin: float = MARGIN,
    at: AtLook = ONCE,
    metric: Metric = ACCURACY,
    folds: int | None = None,
    failed: Collection[str] = (),
) -> tuple[Pair, ...]:
    """Compares a cell with baselines, fitted once, or on what each seed drew.

    The p-values are Holm's over these. It is compared by ranks (`ranked`) if a training
    of it failed, and with references of which one `failed`; `folds` are as in
    `compare_pairs`.
    """
    pairs: dict[Names, Pair] = {}
    for other, fitted in references.items():
        by_ranks = ranked or other in failed
        terms = _Terms(len(references), by_ranks, margin, at, metric, folds)
        again = fitted
        if len(fitted) == 1:
            again = dict.fromkeys(values, next(iter(fitted.values())))
        if _can_be_compared(values, again, folds):
            pairs[name, other] = _pair(name, other, values, again, terms)
    return tuple(_adjusted(pairs, at).values())


def _adjusted(
    pairs: Mapping[Names, Pair], at: AtLook, decided: Sequence[Pair] = ()
) -> dict[Names, Pair]:
    """Adjusts p-values for the number of pairs and for the look, and judges by them.

    Pairs that were `decided` before count as long as a test has not found them so.
    """
    not_better = sum(not is_decided(pair) for pair in decided)
    not_equal = sum(not is_equal(pair) for pair in decided)

    def adjusted(
        kind: str, share: float = 1.0, others: int = 0
    ) -> dict[Names, float | None]:
        every = {names: getattr(pair, kind) for names, pair in pairs.items()}
        known = {names: p for names, p in every.items() if p is not None}
        return every | statistics.adjusted(known, share, others)

    p = adjusted("p", at.share, not_better)
    p_equal = adjusted("p_equal", at.share, not_equal)
    p_models = adjusted("p_models")  # no look decides of models
    return {
        n: _judged(replace(pair, p=p[n], p_models=p_models[n], p_equal=p_equal[n]))
        for n, pair in pairs.items()
    }


def _judged(pair: Pair) -> Pair:
    return replace(pair, is_decided=is_decided(pair), is_equal=is_equal(pair))


def _can_be_compared(a: Values, b: Values, folds: int | None) -> bool:
    """Tells whether they tell of cells, or have two models of one seed.

    Of folds those count on which both were tested. One text tells which model has it
    right, and nothing by another metric.
    """
    first = next(iter(a.values()))
    if first.dtype != bool and len(first) < 2:
        return False
    return bool(a.keys() & b.keys()) or (folds is None and _tell_of_cells(a, b))


def _tell_of_cells(a: Values, b: Values) -> bool:
    """Tells whether both have two seeds, and two texts, at least."""
    rows = len(next(iter(a.values())))
    return min(len(a), len(b), rows) > 1


def _pair(a: str, b: str, values_a: Values, values_b: Values, terms: _Terms) -> Pair:
    seeds = tuple(sorted(values_a.keys() & values_b.keys()))
    by_folds = terms.folds is not None and len(seeds) > 1
    of_cells = terms.folds is None and _tell_of_cells(values_a, values_b)
    counted = None if of_cells else seeds
    is_ranked = terms.ranked and (of_cells or by_folds)
    if _ahead(values_a, values_b, counted, is_ranked) < 0:
        a, b, values_a, values_b = b, a, values_b, values_a
    models = [replace(compare_models(values_a[s], values_b[s]), seed=s) for s in seeds]
    pair = Pair(
        a=a,
        b=b,
        seeds=seeds,
        difference=float(_ahead(values_a, values_b, counted, ranked=False)),
        adjusted_for=terms.compared,
        mcnemar_p=tuple(m.mcnemar_p for m in models if m.mcnemar_p is not None),
        models=tuple(models),
        metric=terms.metric.name,
    )
    if by_folds:
        texts = sum(len(values_a[seed]) for seed in seeds)
        return _by_folds(pair, models, texts, terms)
    if not of_cells:
        return replace(pair, by=BY_MODELS, p_models=largest_p(pair))
    told = superiority(values_a, values_b)
    pair = replace(pair, superiority=told, look=terms.at.number)
    if terms.ranked:
        return _by_ranks(pair, values_a, values_b, terms)
    return _by_cells(pair, values_a, values_b, terms)


def _by_folds(
    pair: Pair, models: Sequence[ModelPair], texts: int, terms: _Terms
) -> Pair:
    """Adds what the folds tell that both were tested on, by the differences on each."""
    ahead = [model.difference for model in models]
    wins = sum((one > 0) + (one == 0) / 2 for one in ahead)
    told = Superiority(ahead=wins, pairs=len(ahead), p=statistics.sign_test(ahead, 0.0))
    pair = replace(pair, superiority=told)
    if terms.ranked:
        apart = float(np.median(ahead))
        return replace(
            pair, by=BY_RANKS, p=told.p, p_unadjusted=told.p, difference=apart
        )
    estimate = statistics.over_folds(ahead, terms.folds or 0)
    if terms.metric.is_share:
        estimate = estimate.at_least(texts)
    low, high = estimate.interval()
    most = terms.metric.most
    return replace(
        pair,
        by=BY_FOLDS,
        difference=estimate.mean,
        p_equal=estimate.p_within(terms.margin),
        low=max(low, -most),
        high=min(high, most),
        p=estimate.p,
        p_unadjusted=estimate.p,
    )


def _by_ranks(pair: Pair, values_a: Values, values_b: Values, terms: _Terms) -> Pair:
    """Adds what the ranks of all trainings tell of the cells, on other texts too."""
    told = pair.superiority
    if told is None:
        return pair
    a, b = trainings(values_a), trainings(values_b)
    by_text = [np.mean(list(one.values()), axis=0) for one in (values_a, values_b)]
    error = statistics.texts_mean(by_text[0] - by_text[1]).standard_error

    def shifted(shift: float, side: str) -> float:
        return p_of_ranks([one + shift for one in a], b, side)

    p = statistics.over_texts(shifted, error)
    is_apart = told.ahead in (0, told.pairs)  # else no number can be promised
    needed = statistics.ranks_to_settle(terms.strictest) if is_apart else None
    return replace(
        pair,
        by=BY_RANKS,
        p=p,
        p_unadjusted=p,
        settled_by=SettledBy(seeds=needed),
        difference=float(np.median([x - y for x in a for y in b])),
    )


def _ahead(
    values_a: Values, values_b: Values, seeds: Collection[int] | None, ranked: bool
) -> float | Fraction:
    """Returns by how much a is ahead, by what the pair is judged by.

    By ranks it is how many pairs of trainings more than half; if that is none, or
    otherwise, the difference of the means.
    """
    if seeds is None:
        a, b = trainings(values_a), trainings(values_b)
        by_ranks = ahead_of(a, b) - len(a) * len(b) / 2
        by_means = _mean(values_a) - _mean(values_b)
    else:
        each = [_mean({0: values_a[s]}) - _mean({0: values_b[s]}) for s in seeds]
        by_ranks = sum((one > 0) - (one < 0) for one in each)
        by_means = sum(each, Fraction(0)) / len(each)
    return by_ranks if ranked and by_ranks else by_means


def _mean(values: Values) -> Fraction:
    """Returns the mean over all seeds; exactly, of what is exact."""
    total = sum(Fraction(float(one.sum())) for one in values.values())
    return Fraction(total, sum(map(len, values.values())))


def _by_cells(pair: Pair, values_a: Values, values_b: Values, terms: _Terms) -> Pair:
    """Adds what all their seeds tell of the cells."""
    a, b = (np.array(list(values.values())) for values in (values_a, values_b))
    estimate = statistics.cells_difference(a, b)
    if terms.metric.is_share:
        estimate = estimate.at_least(a.shape[1])
    low, high = estimate.interval(1 - SIGNIFICANCE * terms.at.share)
    asked = (terms.strictest, terms.margin, terms.metric.is_share)
    seeds, rows = statistics.to_settle(a, b, *asked)
    most = terms.metric.most  # scores differ by no more
    return replace(
        pair,
        by=BY_CELLS,
        p_equal=estimate.p_within(terms.margin),
        low=max(low, -most),
        high=min(high, most),
        p=estimate.p,
        p_unadjusted=estimate.p,
        settled_by=SettledBy(seeds=seeds, rows=rows),
    )


def compare_models(a: np.ndarray, b: np.ndarray) -> ModelPair:
    """Compares two models by the values of the same texts, [texts].

    Of bool, which of them they have right, by McNemar's test and a bootstrap; of
    others, of which there are two at least, by a paired t-test.
    """
    if a.dtype != bool:
        estimate = statistics.texts_mean(a - b)
        low, high = estimate.interval()
        return ModelPair(difference=estimate.mean, low=low, high=high, p=estimate.p)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    low, high = statistics.paired_bootstrap(only_a, only_b, len(a))
    return ModelPair(
        only_a=only_a,
        only_b=only_b,
        difference=(only_a - only_b) / len(a),
        low=low,
        high=high,
        mcnemar_p=statistics.mcnemar_mid_p(only_a, only_b),
    )
