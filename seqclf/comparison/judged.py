"""What a compared pair says: decided, equal or open, by which p, by how much."""

from __future__ import annotations

from seqclf.records.comparison import BY_RANKS, Pair

SIGNIFICANCE = 0.05


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
    return largest_p(pair)


def largest_p(pair: Pair) -> float | None:
    """Returns the largest p of the models, not adjusted; None if there are none."""
    own = pair.mcnemar_p or [model.own_p for model in pair.models]
    return max(own, default=None)


def is_small_alone(pair: Pair) -> bool:
    """Tells whether a pair's own p is below 0.05, before it is adjusted.

    Of cells it is where their interval leaves 0 out.
    """
    if pair.p is not None:
        return leaves_out_0(pair)
    largest = largest_p(pair)
    return largest is not None and largest < SIGNIFICANCE


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
