"""Who is right more often, two at a time: models by seed, and cells over seeds."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from seqclf import statistics
from seqclf.comparison.at_look import ONCE, AtLook
from seqclf.data.dataset import TEST
from seqclf.metrics import wilson
from seqclf.records.comparison import (
    BY_CELLS,
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
SIGNIFICANCE = 0.05
MARGIN = 0.01  # of accuracy: less is practically nothing


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
    rights: Mapping[str, Right],
    recurrent: Collection[str],
    failed: Collection[str] = (),
    margin: float = MARGIN,
    at: AtLook = ONCE,
) -> tuple[Pair, ...]:
    """Compares all cells, two at a time, by what their rows have right.

    Two questions: which `recurrent` row is better, and what recurrence is worth, beside
    the others. The p-values are Holm's over the pairs of each, and adjusted_for is
    their number. low and high are the pair's own. Rows of which a training `failed` are
    compared by ranks. Pairs that were decided `at` a look stay as they were then.
    """
    every = list(itertools.combinations(rights, 2))
    known = [(a, b) for a, b in every if _can_be_compared(rights[a], rights[b])]
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
            tested[a, b] = _pair(
                a, b, rights[a], rights[b], len(asked), ranked, margin, at
            )
        pairs |= final | _adjusted(tested, at, tuple(final.values()))
    return tuple(
        pairs[a, b] if (a, b) in pairs else Pair(a=a, b=b, seeds=(), difference=None)
        for a, b in every
    )


def compare_with(
    name: str,
    right: Right,
    references: Mapping[str, Right],
    ranked: bool = False,
    margin: float = MARGIN,
    at: AtLook = ONCE,
) -> tuple[Pair, ...]:
    """Compares a cell with baselines, fitted once, or on what each seed drew.

    The p-values are Holm's over these. It is compared by ranks (`ranked`) if a training
    of it failed.
    """
    pairs = {}
    for other, fitted in references.items():
        again = fitted
        if len(fitted) == 1:
            again = dict.fromkeys(right, next(iter(fitted.values())))
        compared = len(references)
        pairs[name, other] = _pair(
            name, other, right, again, compared, ranked, margin, at
        )
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


def is_equal(pair: Pair) -> bool:
    """Tells whether two cells are known to differ by less than the margin."""
    return pair.p_equal is not None and pair.p_equal < SIGNIFICANCE


def is_open(pair: Pair) -> bool:
    """Tells whether a pair is neither decided nor known to be practically equal."""
    return not is_decided(pair) and not is_equal(pair)


def is_decided(pair: Pair) -> bool:
    """Tells whether a pair differs: its cells, or with one seed its two models.

    Of two models, test and interval are of two kinds; where they disagree, at the
    border, nothing is decided.
    """
    p = p_of(pair)
    if pair.p is not None or p is None:
        return p is not None and p < SIGNIFICANCE
    return p < SIGNIFICANCE and leaves_out_0(pair)


def p_of(pair: Pair) -> float | None:
    """Returns the p that decides: of the cells or, with one seed, of the two models.

    Earlier versions did not adjust that of models.
    """
    if pair.p is not None:
        return pair.p
    if pair.p_models is not None:
        return pair.p_models
    return max(pair.mcnemar_p, default=None)


def is_small_alone(pair: Pair) -> bool:
    """Tells whether a pair's own p is below 0.05, before it is adjusted.

    Of cells it is where their interval leaves 0 out.
    """
    if pair.p is not None:
        return leaves_out_0(pair)
    return bool(pair.mcnemar_p) and max(pair.mcnemar_p) < SIGNIFICANCE


def is_border_case(pair: Pair) -> bool:
    """Tells whether a pair is undecided although its interval or test alone is not.

    Of cells: its own interval leaves 0 out, and Holm's adjustment undoes that.
    """
    if is_decided(pair) or pair.difference is None or pair.by == BY_RANKS:
        return False
    return leaves_out_0(pair) or (pair.p is None and is_small_alone(pair))


def leaves_out_0(pair: Pair) -> bool:
    """Tells whether the interval of a difference excludes 0."""
    low, high = bounds(pair)
    return low > 0 or high < 0


def bounds(pair: Pair) -> tuple[float, float]:
    """Returns the interval of a difference: of the cells, or of two models.

    Raises:
      ValueError: If there is none, for a training failed.
    """
    if pair.by == BY_RANKS:
        raise ValueError(f"{pair.a} and {pair.b} have no interval, but ranks")
    if pair.low is not None and pair.high is not None:
        return pair.low, pair.high
    model = pair.models[0]
    return model.low, model.high


def difference(pair: Pair) -> float:
    """Returns the difference of two rows that can be compared."""
    if pair.difference is None:
        raise ValueError(f"{pair.a} and {pair.b} have one seed each, and not the same")
    return pair.difference


def _judged(pair: Pair) -> Pair:
    return replace(pair, is_decided=is_decided(pair), is_equal=is_equal(pair))


def _can_be_compared(right_a: Right, right_b: Right) -> bool:
    """Tells whether they tell of cells, or have two models of one seed."""
    return bool(right_a.keys() & right_b.keys()) or _tell_of_cells(right_a, right_b)


def _tell_of_cells(right_a: Right, right_b: Right) -> bool:
    """Tells whether both have two seeds, and two texts, at least."""
    rows = len(next(iter(right_a.values())))
    return min(len(right_a), len(right_b), rows) > 1


def _pair(
    a: str,
    b: str,
    right_a: Right,
    right_b: Right,
    compared: int,
    ranked: bool,
    margin: float,
    at: AtLook,
) -> Pair:
    seeds = tuple(sorted(right_a.keys() & right_b.keys()))
    of_cells = _tell_of_cells(right_a, right_b)
    counted = None if of_cells else seeds
    ahead = _accuracy(right_a, counted) - _accuracy(right_b, counted)
    if ahead < 0:
        a, b, right_a, right_b = b, a, right_b, right_a
    models = [replace(compare_models(right_a[s], right_b[s]), seed=s) for s in seeds]
    pair = Pair(
        a=a,
        b=b,
        seeds=seeds,
        difference=float(abs(ahead)),
        adjusted_for=compared,
        mcnemar_p=tuple(model.mcnemar_p for model in models),
        models=tuple(models),
    )
    if not of_cells:
        return replace(pair, by=BY_MODELS, p_models=max(pair.mcnemar_p))
    told = superiority(right_a, right_b)
    pair = replace(pair, superiority=told, look=at.number)
    if ranked:
        return _by_ranks(pair, at)
    return _by_cells(pair, right_a, right_b, margin, at)


def superiority(right_a: Right, right_b: Right) -> Superiority:
    """Counts how many trainings of a beat how many of b, each with each."""
    a, b = _trainings(right_a), _trainings(right_b)
    ahead = sum((x > y) + (x == y) / 2 for x in a for y in b)
    if 1 in (len(a), len(b)):
        once, several = sorted((a, b), key=len)
        p = statistics.sign_test(several, once[0])
    else:
        p = statistics.rank_test(a, b)
    return Superiority(ahead=ahead, pairs=len(a) * len(b), p=p)


def _trainings(right: Right) -> list[float]:
    """Returns the accuracies; that of a baseline, the same under every seed, once."""
    once = {id(one): one for one in right.values()}
    return [float(one.mean()) for one in once.values()]


def _by_ranks(pair: Pair, at: AtLook) -> Pair:
    """Adds what the ranks of all trainings tell of the cells."""
    told, compared = pair.superiority, pair.adjusted_for or 1
    if told is None:
        return pair
    is_apart = told.ahead in (0, told.pairs)  # else no number can be promised
    level = SIGNIFICANCE * at.later / compared
    needed = statistics.ranks_to_settle(level) if is_apart else None
    settled_by = SettledBy(seeds=needed)
    return replace(
        pair, by=BY_RANKS, p=told.p, p_unadjusted=told.p, settled_by=settled_by
    )


def _accuracy(right: Right, seeds: Collection[int] | None) -> Fraction:
    """Returns the mean accuracy over some seeds, or all."""
    counted = [right[seed] for seed in seeds or right]
    return Fraction(sum(int(one.sum()) for one in counted), sum(map(len, counted)))


def _by_cells(
    pair: Pair, right_a: Right, right_b: Right, margin: float, at: AtLook
) -> Pair:
    """Adds what all their seeds tell of the cells."""
    a, b = (np.array(list(right.values())) for right in (right_a, right_b))
    estimate = statistics.cells_difference(a, b)
    low, high = estimate.interval(1 - SIGNIFICANCE * at.share)
    # The strictest level that Holm's adjustment may ask of this pair.
    level = SIGNIFICANCE * at.later / (pair.adjusted_for or 1)
    seeds, rows = statistics.to_settle(a, b, level, margin)
    return replace(
        pair,
        by=BY_CELLS,
        p_equal=estimate.p_within(margin),
        low=max(low, -1.0),  # accuracies differ by no more
        high=min(high, 1.0),
        p=estimate.p,
        p_unadjusted=estimate.p,
        settled_by=SettledBy(seeds=seeds, rows=rows),
    )


def compare_models(right_a: np.ndarray, right_b: np.ndarray) -> ModelPair:
    """Compares two models by which of the same texts they have right, bool [texts]."""
    only_a = int((right_a & ~right_b).sum())
    only_b = int((right_b & ~right_a).sum())
    low, high = statistics.paired_bootstrap(only_a, only_b, len(right_a))
    return ModelPair(
        only_a=only_a,
        only_b=only_b,
        difference=(only_a - only_b) / len(right_a),
        low=low,
        high=high,
        mcnemar_p=statistics.mcnemar_mid_p(only_a, only_b),
    )
