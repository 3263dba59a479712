"""Each figure against its source, a second implementation, or numbers by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from seqclf import statistics
from seqclf.statistics import (
    Estimate,
    cells_difference,
    crossed_mean,
    holm,
    mcnemar_mid_p,
)
from seqclf.statistics.cells import mean_squares


def test_mcnemar_mid_p_of_the_published_example():
    # Fagerland, Lydersen & Laake 2013, table 1: 1 and 7 discordant pairs; the exact
    # conditional test gives 0.070, the mid-p test 0.039.
    assert mcnemar_mid_p(1, 7) == pytest.approx(0.0391, abs=5e-5)
    assert mcnemar_mid_p(7, 1) == mcnemar_mid_p(1, 7)


def test_mcnemar_mid_p_counts_half_of_what_was_seen():
    for first in range(12):
        for second in range(12):
            n = first + second
            chance = [math.comb(n, k) / 2**n for k in range(n + 1)]
            seen = chance[first]
            more = sum(c for c in chance if c < seen * (1 - 1e-9))
            as_likely = sum(c for c in chance if math.isclose(c, seen))
            expected = 1.0 if first == second else more + as_likely / 2
            assert mcnemar_mid_p(first, second) == pytest.approx(expected), n


def test_the_bootstrap_agrees_with_drawing_texts_one_by_one():
    generator = np.random.default_rng(0)
    values = np.repeat([1, -1, 0], [40, 25, 435])
    drawn = [generator.choice(values, 500).mean() for _ in range(4000)]
    low, high = statistics.paired_bootstrap(40, 25, 500)
    expected = np.quantile(drawn, [0.025, 0.975])
    assert (low, high) == pytest.approx(expected, abs=0.003)
    assert statistics.paired_bootstrap(40, 25, 500) == (low, high)
    assert statistics.paired_bootstrap(0, 0, 500) == (0, 0)


def test_holm_of_a_worked_example():
    # Smallest times three, next times two, last as it is; never falling.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def by_definition(values: np.ndarray) -> tuple[float, float, float]:
    """Returns the mean squares of seeds, texts and rest, term by term."""
    seeds, rows = values.shape
    mean = values.mean()
    of_seeds = sum(rows * (values[s].mean() - mean) ** 2 for s in range(seeds))
    of_rows = sum(seeds * (values[:, r].mean() - mean) ** 2 for r in range(rows))
    rest = sum(
        (values[s, r] - values[s].mean() - values[:, r].mean() + mean) ** 2
        for s in range(seeds)
        for r in range(rows)
    )
    return (
        of_seeds / (seeds - 1), of_rows / (rows - 1), rest / ((seeds - 1) * (rows - 1))
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(2, 2), (3, 40), (5, 7)])
def test_mean_squares_agree_with_their_definition(shape):
    values = np.random.default_rng(sum(shape)).integers(-1, 2, shape).astype(np.int8)
    mean, squares = mean_squares(values)
    assert mean == pytest.approx(values.mean())
    assert squares == pytest.approx(by_definition(values.astype(float)), abs=1e-12)


def test_the_estimate_of_a_worked_example():
    # Seed means 1/2 and 0, text means 1/2 and 0, mean 1/4; every mean square is 1/4,
    # so the variance is (1/4 + 1/4 - 1/4) / 4 = 1/16, all of it that of the seeds.
    estimate = crossed_mean(np.array([[1, 0], [0, 0]]))
    assert estimate.mean == 0.25
    assert estimate.standard_error == pytest.approx(0.25)
    assert estimate.share_of_seeds == pytest.approx(1)
    # Student's t with one degree of freedom is Cauchy's: 12.7062 at 2.5 %.
    assert estimate.interval()[1] == pytest.approx(0.25 + 0.25 * 12.7062, abs=1e-4)
    assert estimate.p == pytest.approx(0.5)


def test_the_quantile_is_weighted_by_the_parts_of_the_variance():
    # A third that of 3 seeds (4.3027), two thirds that of 101 texts (1.9840).
    estimate = Estimate(0.0, 1.0, 1 / 3, 2, 100)
    expected = 4.3027 / 3 + 2 * 1.9840 / 3
    assert estimate.interval()[1] == pytest.approx(expected, abs=1e-4)


def test_where_texts_do_not_differ_it_is_a_t_test_over_seeds():
    by_seed = np.array([0.2, -0.1, 0.4, 0.3])
    estimate = crossed_mean(np.repeat(by_seed[:, None], 50, axis=1))
    expected = stats.ttest_1samp(by_seed, 0)
    assert estimate.p == pytest.approx(expected.pvalue)
    assert estimate.interval() == pytest.approx(tuple(expected.confidence_interval()))


def test_where_seeds_do_not_differ_it_is_a_t_test_over_texts():
    by_row = np.random.default_rng(0).normal(0.1, 1, 60)
    estimate = crossed_mean(np.repeat(by_row[None], 3, axis=0))
    expected = stats.ttest_1samp(by_row, 0)
    assert estimate.p == pytest.approx(expected.pvalue)
    assert estimate.interval() == pytest.approx(tuple(expected.confidence_interval()))


def test_nothing_that_varies_is_certain():
    assert crossed_mean(np.zeros((3, 5))).p == 1.0
    assert crossed_mean(np.ones((3, 5))).p == 0.0
    assert crossed_mean(np.ones((3, 5))).interval() == (1.0, 1.0)


def test_one_seed_has_no_variance_over_seeds():
    with pytest.raises(ValueError, match="two seeds"):
        crossed_mean(np.ones((1, 5)))


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_interval_leaves_0_out_where_p_is_small(weight):
    for mean in np.linspace(0.001, 0.05, 40):
        estimate = Estimate(mean, 0.01, 0.4, 2, 499, weight)
        assert 0 < estimate.p < 1
        assert (estimate.interval()[0] > 0) == (estimate.p < 0.05)
        other = Estimate(-mean, 0.01, 0.4, 2, 499, weight)
        assert other.p == estimate.p


def drawn(seeds: int, rows: int, effect: float, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    by_seed = generator.normal(0, 0.01, (seeds, 1))
    by_row = generator.normal(0, 0.2, (1, rows))
    return effect + by_seed + by_row + generator.normal(0, 0.2, (seeds, rows))


def test_variances_are_found_again():
    a, b = drawn(200, 4000, 0.0, 1), drawn(200, 4000, 0.0, 2)
    found = statistics.variances(a, b)
    assert found.of_seeds == pytest.approx(2 * 0.01**2, rel=0.2)
    assert found.of_rows == pytest.approx(2 * 0.2**2, rel=0.1)
    assert found.of_rest == pytest.approx(2 * 0.2**2, rel=0.02)


def test_the_difference_of_two_cells_of_a_worked_example():
    # Of a, seeds have 1 and 1/2, of b 1/2 and 0: their variances are 1/8 each, 1/16 of
    # a mean. The texts differ by 1 - 1/2 and 1/2 - 0: not at all. So the variance is
    # 1/8, all of it that of the seeds, with Welch's 2 degrees of freedom.
    a, b = np.array([[1, 1], [1, 0]]), np.array([[1, 0], [0, 0]])
    estimate = cells_difference(a, b)
    assert estimate.mean == 0.5
    assert estimate.standard_error == pytest.approx(math.sqrt(1 / 8))
    assert estimate.share_of_seeds == pytest.approx(1)
    assert estimate.freedom_of_seeds == pytest.approx(2)
    assert estimate.weight == pytest.approx(1)


def by_seed_alone(accuracies: list[float], rows: int) -> np.ndarray:
    """Returns values in which nothing but the seed varies."""
    return np.repeat(np.array(accuracies)[:, None], rows, axis=1)


@pytest.mark.parametrize("b", [[0.1, 0.4, 0.3], [0.0, 0.9], [0.2, 0.21, 0.19, 0.2]])
def test_where_texts_do_not_differ_it_is_welchs_test_over_seeds(b):
    a = [0.6, 0.5, 0.75]
    estimate = cells_difference(by_seed_alone(a, 50), by_seed_alone(b, 50))
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert estimate.p == pytest.approx(expected.pvalue)
    assert estimate.interval() == pytest.approx(tuple(expected.confidence_interval()))


def test_where_seeds_do_not_differ_the_difference_is_a_paired_t_test_over_texts():
    generator = np.random.default_rng(0)
    a, b = generator.normal(0.1, 1, 60), generator.normal(0, 1, 60)
    estimate = cells_difference(np.tile(a, (3, 1)), np.tile(b, (2, 1)))
    expected = stats.ttest_rel(a, b)
    assert estimate.p == pytest.approx(expected.pvalue)
    assert estimate.interval() == pytest.approx(tuple(expected.confidence_interval()))


def test_beside_what_is_fitted_once_it_is_the_crossed_mean():
    a = drawn(4, 90, 0.3) > 0.2
    b = np.tile(drawn(1, 90, 0.1, 5) > 0.2, (4, 1))
    expected = crossed_mean(a.astype(np.int8) - b)
    found = cells_difference(a, b)
    assert found.mean == pytest.approx(expected.mean)
    assert found.standard_error == pytest.approx(expected.standard_error)
    assert found.interval() == pytest.approx(expected.interval())


def test_the_quantile_goes_from_satterthwaites_to_cochrans():
    # Half the variance is that of 3 and 3 seeds. Alike they have 4 degrees of freedom,
    # pooled with the texts' 1 / (0.25 / 4 + 0.25 / 100) = 15.4: 2.1267.
    alike = Estimate(0.0, 1.0, 0.5, 4, 100, 1.0)
    assert alike.interval()[1] == pytest.approx(stats.t.isf(0.025, 15.3846), abs=1e-6)
    # Where one cell's alone vary they have 2: (4.3027 + 1.9840) / 2.
    one = Estimate(0.0, 1.0, 0.5, 2, 100, 0.0)
    assert one.interval()[1] == pytest.approx((4.3027 + 1.9840) / 2, abs=1e-4)
    between = Estimate(0.0, 1.0, 0.5, 3, 100, 0.5).interval()[1]
    assert alike.interval()[1] < between < one.interval()[1]


def group(middle: float, spread: float) -> np.ndarray:
    """Three seeds with that standard deviation, on texts that all read alike."""
    return by_seed_alone([middle - spread, middle, middle + spread], 40)


def test_groups_of_a_study_share_what_their_seeds_vary():
    # Variances of seeds 4, 4, 1 and 1 (1e-4): on average 2.5. The first two keep
    # theirs, the others are not taken to vary less than all.
    a, b, c, d = group(0.6, 0.02), group(0.5, 0.02), group(0.7, 0.01), group(0.4, 0.01)
    among = [a, b, c, d]
    expected = {(0, 1): 4 + 4, (0, 2): 4 + 2.5, (2, 3): 2.5 + 2.5}
    for (i, j), variance in expected.items():
        found = cells_difference(among[i], among[j], among)
        assert found.standard_error == pytest.approx((variance * 1e-4 / 3) ** 0.5)
        assert (found.freedom_of_seeds, found.weight) == (8, 1.0)
        reach = stats.t.isf(0.025, 8) * found.standard_error
        assert found.interval()[1] == pytest.approx(found.mean + reach)


def test_a_group_that_varies_far_more_is_left_to_itself():
    wild, others = group(0.5, 0.2), [group(0.6 + i / 50, 0.01) for i in range(6)]
    among = [wild, *others]
    # Its pairs are as they were, and the others' are not blurred by it.
    assert cells_difference(wild, others[0], among) == cells_difference(wild, others[0])
    found = cells_difference(others[0], others[1], among)
    assert found.standard_error == pytest.approx((2e-4 / 3) ** 0.5)
    assert found.freedom_of_seeds == 12


@pytest.mark.parametrize(("seeds", "groups"), [(2, 4), (3, 2)])
def test_nothing_is_shared_between_two_groups_or_with_two_seeds(seeds, groups):
    spread = np.linspace(-0.02, 0.02, seeds)
    among = [by_seed_alone(list(0.5 + i / 10 + spread), 40) for i in range(groups)]
    alone = cells_difference(among[0], among[1])
    assert cells_difference(among[0], among[1], among) == alone


def test_a_group_is_outlying_only_if_it_is_for_the_largest_of_so_many():
    # Beside three of variance 1, of 2 and 6 degrees of freedom, one in a hundred is
    # above 10.92, and one in four hundred, the largest of four, above 19.1. 14 stays.
    calm = [group(0.5 + i / 10, 0.01) for i in range(3)]
    found = cells_difference(calm[0], calm[1], [*calm, group(0.9, 0.01 * 14**0.5)])
    assert found.standard_error == pytest.approx((2 * 17 / 4 * 1e-4 / 3) ** 0.5)
    assert found.freedom_of_seeds == 8
    found = cells_difference(calm[0], calm[1], [*calm, group(0.9, 0.01 * 25**0.5)])
    assert found.standard_error == pytest.approx((2e-4 / 3) ** 0.5)
    assert found.freedom_of_seeds == 6


def test_half_of_the_groups_stay_however_they_vary():
    several = [group(0.5, 1e-6 * 10**power) for power in range(6)]
    found = cells_difference(several[0], several[1], several)
    assert found.freedom_of_seeds == 6
    shared = (1 + 1e2 + 1e4) / 3 * 1e-12  # of the three that vary least
    assert found.standard_error == pytest.approx((2 * shared / 3) ** 0.5)


@pytest.mark.parametrize(("a", "b"), [((1, 5), (2, 5)), ((2, 1), (2, 1))])
def test_two_cells_need_two_seeds_each_and_two_texts(a, b):
    with pytest.raises(ValueError, match="two seeds and two texts"):
        cells_difference(np.ones(a), np.ones(b))


def test_a_tail_is_the_chance_beyond_a_bound():
    estimate = Estimate(0.02, 0.01, 0.5, 4, 100, 1.0)
    freedom = 1 / (0.25 / 4 + 0.25 / 100)
    assert estimate.tail(0.01) == pytest.approx(stats.t.sf(1, freedom))
    assert estimate.tail(0.05) == pytest.approx(stats.t.sf(3, freedom))
    assert estimate.tail(0.0) == pytest.approx(estimate.p / 2)
    assert Estimate(0.02, 0.0, 0.0, 4, 100).tail(0.02) == 0.5


# Deaths and survivors with and without the vaccine: Colditz et al. 1994, JAMA 271:698.
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
    (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619),
    (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip


def test_random_effects_of_a_well_known_example():
    ratios = [math.log(a / (a + b) / (c / (c + d))) for a, b, c, d in BCG]
    errors = [
        math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)) for a, b, c, d in BCG
    ]
    found = statistics.overall(ratios, errors)
    # Between studies 0.318, as published for the method of Paule and Mandel.
    assert found.spread**2 == pytest.approx(0.318, abs=5e-4)
    assert found.mean == pytest.approx(-0.715, abs=5e-4)
    weights = np.array([1 / (e**2 + found.spread**2) for e in errors])
    residuals = np.array(ratios) - found.mean
    assert (weights * residuals**2).sum() == pytest.approx(12, abs=1e-6)


def test_equally_sure_differences_are_put_together_by_students_t():
    values = [0.03, -0.01, 0.02, 0.05, 0.01]
    found = statistics.overall(values, [0.001] * 5)
    expected = stats.ttest_1samp(values, 0)
    assert found.interval() == pytest.approx(tuple(expected.confidence_interval()))
    assert 2 * found.p_beyond(0) == pytest.approx(expected.pvalue)


def test_differences_that_agree_too_well_are_no_surer_than_their_errors():
    found = statistics.overall([0.01, 0.01, 0.01, 0.01], [0.02] * 4)
    assert found.spread == 0
    assert found.standard_error == pytest.approx(0.02 / 2)
    assert found.freedom == 3


def test_equality_over_data_sets_is_two_one_sided_tests():
    found = statistics.overall([0.002, -0.002, 0.001, 0.0, -0.001], [0.001] * 5)
    low, high = found.interval(0.9)
    for margin in (max(high, -low) - 1e-7, max(high, -low) + 1e-7):
        assert (found.p_within(margin) < 0.05) == (margin > max(high, -low))
    assert statistics.overall([0.02, 0.03], [0.01] * 2).p_within(0.01) > 0.5


@pytest.mark.parametrize(
    ("a", "b"), [([3, 5, 8], [1, 2, 4]), ([1, 1, 2], [1, 3, 3, 3]), ([0, 1], [0, 1])]
)
def test_the_rank_test_counts_every_way_to_divide_the_values(a, b):
    values, n = [*a, *b], len(a)

    def distance(chosen: tuple[int, ...]) -> float:
        first = [values[i] for i in chosen]
        second = [values[i] for i in range(len(values)) if i not in chosen]
        ahead = sum((x > y) + (x == y) / 2 for x in first for y in second)
        return abs(ahead - n * len(b) / 2)

    every = list(itertools.combinations(range(len(values)), n))
    seen = distance(tuple(range(n)))
    expected = sum(distance(one) >= seen for one in every) / len(every)
    assert statistics.rank_test(a, b) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("level", "seeds"), [(0.5, 2), (0.11, 3), (0.05, 4), (0.05 / 3, 5)]
)
def test_the_fewest_seeds_whose_ranks_can_decide(level, seeds):
    assert statistics.ranks_to_settle(level) == seeds
    apart = list(range(seeds)), list(range(seeds, 2 * seeds))
    assert statistics.rank_test(*apart) < level


def test_p_is_averaged_over_what_other_texts_would_make_of_a_difference():
    assert statistics.over_texts(lambda shift, side: 0.2 + shift, 0.0) == 0.2

    def step(shift: float, side: str) -> float:
        # Without any chance but the texts': a is ahead by two standard errors.
        return float((shift > -0.2) == (side == "less"))

    assert statistics.over_texts(step, 0.1) == pytest.approx(
        2 * stats.norm.sf(2), rel=0.2
    )
    a, b = [0.70, 0.72, 0.74, 0.76, 0.78], [0.60, 0.62, 0.64, 0.66, 0.68]

    def test(shift: float, side: str) -> float:
        return statistics.rank_test([one + shift for one in a], b, side)

    drawn = np.random.default_rng(0).normal(0, 0.05, 400)
    expected = 2 * np.mean([test(float(shift), "greater") for shift in drawn])
    assert test(0.0, "two-sided") == pytest.approx(2 / 252)
    assert statistics.over_texts(test, 0.05) == pytest.approx(expected, abs=0.02)
    assert statistics.over_texts(test, 1e-6) == pytest.approx(2 / 252)


def test_the_sign_test_of_a_worked_example():
    # One of five above: (1 + 5) / 32, twice; a tie says nothing.
    assert statistics.sign_test([1, 2, 3, 4, 9, 5], 5) == pytest.approx(12 / 32)
    assert statistics.sign_test([5, 5], 5) == 1.0


def test_what_would_settle_it_does_settle_it():
    a, b = drawn(3, 2000, 0.0, 1), drawn(3, 2000, 0.0, 2)
    a += 0.014 - a.mean() + b.mean()
    assert cells_difference(a, b).p > 0.05
    seeds, rows = statistics.to_settle(a, b, level=0.05)
    assert seeds is not None
    assert seeds > 3
    found = statistics.variances(a, b)
    variance = (
        found.of_seeds / seeds + found.of_rows / 2000 + found.of_rest / (seeds * 2000)
    )
    assert 1.96 * math.sqrt(variance) < 0.014
    assert rows is None or rows > 2000


def test_a_difference_of_nothing_is_never_settled():
    a = drawn(3, 500, 0.0)
    assert statistics.to_settle(a, a, level=0.05) == (None, None)


def test_what_never_varies_is_settled_by_more_texts_whatever_its_type():
    a = np.ones((3, 10))
    b = np.zeros_like(a)
    b[:, :9] = 1  # one text in ten
    as_bool = statistics.to_settle(a == 1, b == 1, 0.05, 0.01)
    assert statistics.to_settle(a, b, 0.05, 0.01) == as_bool
    same = statistics.to_settle(a, a, 0.05, 0.01)
    assert same == statistics.to_settle(a == 1, a == 1, 0.05, 0.01)
    assert same[0] is None
    assert same[1] > 100  # 1 / (n + 2), twice, is below a point
    assert statistics.to_settle(a, a, 0.05, 0.01, is_share=False) == (3, 10)


def test_what_is_equal_is_settled_by_fewer_where_the_margin_is_wider():
    a, b = drawn(3, 2000, 0.0, 1), drawn(3, 2000, 0.0, 2)
    a += 0.001 - a.mean() + b.mean()
    # So far apart that more than a hundred seeds would tell, they are equal sooner.
    assert statistics.to_settle(a, b, 0.05)[0] is None
    needed = [statistics.to_settle(a, b, 0.05, m)[0] for m in (0.0125, 0.0135, 0.03)]
    assert needed == sorted(needed, reverse=True)
    assert needed[0] > needed[-1] == 3
    assert cells_difference(a, b).p_within(0.03) < 0.05
