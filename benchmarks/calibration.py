"""Simulates comparisons and studies and counts how often the statistics are wrong.

Run as ``python benchmarks/calibration.py [TABLE ...] [COMPARISONS]``, with tables of
`TABLES`; writes them between the markers of docs/statistics.md. No network is trained:
right and wrong answers are drawn.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import norm, ttest_1samp

from seqclf.comparison.pairs import compare_pairs
from seqclf.evaluation.failed import LEAST_OF_LEAD
from seqclf.metrics import f1_shares, losses
from seqclf.statistics import cells_difference, crossed_mean, holm, over_folds

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
TABLES = ("cells", "studies", "metric", "draws", "failures", "folds")
COMPARISONS, ALPHA = 2000, 0.05
# Standard deviations of the two cells' accuracies over seeds, in points.
SPREADS = ((0.2, 0.2), (0.8, 0.8), (2.0, 2.0), (0.3, 1.0), (0.2, 2.0))
SETTINGS = [
    (seeds, rows, spreads)
    for seeds in (2, 3, 5, 10)
    for rows in (500, 2000, 25_000)
    for spreads in SPREADS
    if seeds * rows <= 125_000  # more takes hours, and differs from it in nothing
]
ACCURACY = 0.88
DIFFERENCE = 0.01  # planted, to see whether intervals cover it
# Shares of the variance of how hard a text is: for every model, for one cell in all of
# its seeds, and for one training alone.
SHARED, OF_CELL, OF_TRAINING = 0.6, 0.15, 0.25
# Where the cells of a seed share a draw: texts and spreads, and how their accuracies
# hang together over seeds.
DRAWN, TOGETHER = (2000, (1.5, 1.5)), (-0.3, 0.0, 0.5, 0.9)
# Cells that fail one time in four, where guessing has half of the texts right.
FAILS, FALLEN, CHANCE, FAILING_SPREAD = 0.25, 0.52, 0.5, 0.8
# Cross-validation: two learners of one kind, each of which sees its own half of the
# features, on texts made up as points of two labels.
FEATURES, FOLD_FEATURES = 20, 10
SEPARATION, MORE_SEPARATION = 0.35, 0.45  # of a feature, in standard deviations
# Studies of one plain network and variants of it, on so few texts that seeds count as
# much: the spreads of the groups over seeds, in points, the plain one first.
STUDY_ROWS, STUDIES, FOUND = 2000, 500, 0.05
MANY = 16
STUDY_SPREADS = {
    "all alike": (1.5,) * MANY,
    "half of them twice": (1.5, 3.0) * (MANY // 2),
    "half of them ten times": (0.5, 5.0) * (MANY // 2),
    "one variant thrice": (1.5, 4.5, *(1.5,) * (MANY - 2)),
    "one variant ten times": (0.5, 5.0, *(0.5,) * (MANY - 2)),
    "the plain one thrice": (4.5, *(1.5,) * (MANY - 1)),
    "the plain one ten times": (5.0, *(0.5,) * (MANY - 1)),
}
# Of macro F1 and log loss: shares of the rarer of two labels; how far the scores of the
# labels stand apart, how far that varies over seeds (about a point of macro F1), and
# how much farther it is for a cell that is better, about two points.
METRIC_COMPARISONS = 2000
RARE = (0.13, 0.03, 0.01)
APART, APART_SPREAD, APART_MORE = 3.0, 0.1, 0.25


def draw(
    seeds: int,
    rows: int,
    spreads: Sequence[float],
    more: Sequence[float],
    rng: np.random.Generator,
    together: float = 0.0,
) -> list[np.ndarray]:
    """Draws right answers of cells, bool [seeds, texts] each.

    Args:
      seeds: Trainings of each cell.
      rows: Test texts.
      spreads: Standard deviation of each cell's accuracy over seeds, in points.
      more: How far each cell is above `ACCURACY`, a fraction.
      rng: Draws everything anew: texts, cells and trainings.
      together: Correlation of each cell's accuracy with the first one's over seeds, as
        where all cells of a seed learn from the same draw of texts.
    """
    hardness = rng.normal(0, np.sqrt(SHARED), rows).astype(np.float32)
    right: list[np.ndarray] = []
    for above, spread in zip(more, spreads, strict=True):
        # A shift of s moves the accuracy by about s times the density at the edge.
        edge = np.float32(norm.ppf(ACCURACY + above))
        shifts = rng.standard_normal((seeds, 1), np.float32)
        if not right:
            first = shifts
        else:
            alone = np.float32((1 - together**2) ** 0.5)
            shifts = together * first + alone * shifts
        shifts = shifts * np.float32(spread / 100 / norm.pdf(edge))
        of_cell = rng.standard_normal(rows, np.float32) * np.float32(OF_CELL**0.5)
        own = rng.standard_normal((seeds, rows), np.float32)
        own *= np.float32(OF_TRAINING**0.5)
        right.append(edge + shifts + hardness + of_cell + own > 0)
    return right


def rates(
    seeds: int,
    rows: int,
    spreads: tuple[float, float],
    comparisons: int,
    seed: int = 0,
    together: float = 0.0,
) -> dict[str, float]:
    """Returns how often equal cells are told apart, and how often intervals hold.

    `together` is as in `draw`.

    Returns:
      false_alarms: Share of comparisons of equal cells whose interval says otherwise.
      coverage: Share of intervals that hold the planted difference.
      found: Share of comparisons that tell a planted difference.
    """
    rng = np.random.default_rng([seed, seeds, rows, *(round(10 * s) for s in spreads)])
    alarms = covered = found = 0
    equal, truth = (
        _accuracy(ACCURACY + more, spreads[0]) - _accuracy(ACCURACY, spreads[1])
        for more in (0.0, DIFFERENCE)
    )
    for _ in range(comparisons):
        a, b = draw(seeds, rows, spreads, (0.0, 0.0), rng, together)
        low, high = cells_difference(a, b).interval()
        alarms += not low <= equal <= high
        a, b = draw(seeds, rows, spreads, (DIFFERENCE, 0.0), rng, together)
        low, high = cells_difference(a, b).interval()
        covered += low <= truth <= high
        found += low > 0 or high < 0
    return {
        "false_alarms": alarms / comparisons,
        "coverage": covered / comparisons,
        "found": found / comparisons,
    }


def _accuracy(accuracy: float, spread: float) -> float:
    """Returns the mean accuracy over seeds: their shifts widen the distribution."""
    edge = norm.ppf(accuracy)
    shift = spread / 100 / norm.pdf(edge)
    return float(norm.cdf(edge / np.sqrt(1 + shift**2)))


def study_rates(
    seeds: int, spreads: Sequence[float], studies: int, seed: int = 0
) -> dict[str, float]:
    """Returns how often a study of equal variants finds one, and misses a good one.

    Returns:
      pooled, apart: Share of studies of equal variants in which one is told from the
        plain network, p adjusted by Holm; seed variances pooled, and each pair's own.
      pooled_found, apart_found: Share of studies that tell the first variant, 5 points
        better, from the plain network.
    """
    rng = np.random.default_rng([seed, seeds, *(round(10 * s) for s in spreads)])
    equal = np.zeros(len(spreads))
    # Over seeds, accuracies of different spreads are equal on average.
    for index, spread in enumerate(spreads):
        equal[index] = ACCURACY - _accuracy(ACCURACY, spread)
    better = equal + FOUND * (np.arange(len(spreads)) == 1)
    counted = dict.fromkeys(("pooled", "apart", "pooled_found", "apart_found"), 0)
    for _ in range(studies):
        for suffix, more in (("", equal), ("_found", better)):
            groups = draw(seeds, STUDY_ROWS, spreads, more, rng)
            for name, among in (("pooled", groups), ("apart", ())):
                p = holm(
                    [cells_difference(one, groups[0], among).p for one in groups[1:]]
                )
                is_found = p[0] < ALPHA if suffix else min(p) < ALPHA
                counted[name + suffix] += is_found
    return {name: count / studies for name, count in counted.items()}


def of_studies(studies: int) -> None:
    """Prints and writes the table of studies."""
    header = (
        "| seeds | spread over seeds | false alarms, pooled | each pair's own | "
        "5 points found, pooled | each pair's own |"
    )
    lines = [header, "|---:|---|---:|---:|---:|---:|"]
    for seeds in (2, 3, 5):
        for name, spreads in STUDY_SPREADS.items():
            r = study_rates(seeds, spreads, studies)
            lines.append(
                f"| {seeds} | {name} | {100 * r['pooled']:.1f} % | "
                f"{100 * r['apart']:.1f} % | {100 * r['pooled_found']:.0f} % | "
                f"{100 * r['apart_found']:.0f} % |"
            )
            print(lines[-1], flush=True)
    said = (
        f"`python benchmarks/calibration.py studies`, {studies:,} studies each of "
        f"{MANY} groups, {STUDY_ROWS:,} texts (false alarms: a study of equal groups "
        f"that tells one of {MANY - 1} from the plain one, p adjusted, at 5 %):"
    )
    write("studies", said, lines)


def of_draws(comparisons: int) -> None:
    """Prints and writes the table of cells that share what each seed drew."""
    lines = ["| seeds | correlation | false alarms | coverage | found |"]
    lines.append("|---:|---:|---:|---:|---:|")
    for seeds in (3, 5, 10):
        for together in TOGETHER:
            r = rates(seeds, *DRAWN, comparisons, together=together)
            lines.append(
                f"| {seeds} | {together:g} | {100 * r['false_alarms']:.1f} % | "
                f"{100 * r['coverage']:.1f} % | {100 * r['found']:.0f} % |"
            )
            print(lines[-1], flush=True)
    rows, spreads = DRAWN
    said = (
        f"`python benchmarks/calibration.py draws`, {comparisons:,} comparisons each, "
        f"{rows:,} texts, seed spreads {spreads[0]} and {spreads[1]}:"
    )
    write("draws", said, lines)


def failing(
    seeds: int, rows: int, fails: Sequence[float], rng: np.random.Generator
) -> list[np.ndarray]:
    """Draws right answers as `draw`, of cells of which some trainings fail.

    `fails` are the shares of trainings that do; these know hardly more than chance.
    """
    spreads, more = (FAILING_SPREAD,) * len(fails), (0.0,) * len(fails)
    groups = draw(seeds, rows, spreads, more, rng)
    for group, share in zip(groups, fails, strict=True):
        fallen = rng.random(seeds) < share
        group[fallen] = rng.random((int(fallen.sum()), rows)) < FALLEN
    return groups


def shows_failure(group: np.ndarray) -> bool:
    """Tells whether a training failed; as `evaluation.failed`, by the test texts."""
    leads = group.mean(axis=1) - CHANCE
    return bool((leads <= 0).any() or (leads < LEAST_OF_LEAD * np.median(leads)).any())


def failure_rates(
    seeds: int, rows: int, comparisons: int, seed: int = 0
) -> dict[str, float]:
    """Returns how often cells of which trainings fail are told apart.

    Returns:
      ranked: Share of comparisons of equal cells that a failed training has judged by
        ranks; the others show none, and have Welch's interval.
      false_alarms: Share of all comparisons of equal cells that tell them apart.
      unseen: The same of those that show no failure.
      found: Share of comparisons that tell a cell that fails from one that never does.
    """
    rng = np.random.default_rng([seed, seeds, rows])
    ranked = alarms = unseen = found = 0
    for _ in range(comparisons):
        groups = failing(seeds, rows, (FAILS, FAILS), rng)
        by_ranks, p = _failing_p(groups)
        ranked += by_ranks
        alarms += p < ALPHA
        unseen += p < ALPHA and not by_ranks
        found += _failing_p(failing(seeds, rows, (0.0, FAILS), rng))[1] < ALPHA
    return {
        "ranked": ranked / comparisons,
        "false_alarms": alarms / comparisons,
        "unseen": unseen / max(comparisons - ranked, 1),
        "found": found / comparisons,
    }


def _failing_p(groups: Sequence[np.ndarray]) -> tuple[bool, float]:
    """Returns whether ranks decide, and p."""
    cells = {name: dict(enumerate(one)) for name, one in zip("ab", groups, strict=True)}
    failed = [name for name in cells if shows_failure(groups["ab".index(name)])]
    (pair,) = compare_pairs(cells, list(cells), failed)
    return bool(failed), pair.p or 0.0


def of_failures(comparisons: int) -> None:
    """Prints and writes the table of cells of which trainings fail."""
    header = (
        "| seeds | texts | judged by ranks | false alarms | of those without a failure "
        "| found |"
    )
    lines = [header, "|---:|---:|---:|---:|---:|---:|"]
    for seeds in (2, 3, 4, 5, 10):
        for rows in (500, 2000, 10_000):
            r = failure_rates(seeds, rows, comparisons)
            lines.append(
                f"| {seeds} | {rows:,} | {100 * r['ranked']:.0f} % | "
                f"{100 * r['false_alarms']:.1f} % | {100 * r['unseen']:.1f} % | "
                f"{100 * r['found']:.0f} % |"
            )
            print(lines[-1], flush=True)
    said = (
        f"`python benchmarks/calibration.py failures`, {comparisons:,} comparisons "
        f"each of cells that fail one time in four and are equal otherwise (false "
        f"alarms at 5 %), and of one that does and one that never fails (found):"
    )
    write("failures", said, lines)


def folded(
    rows: int, folds: int, repeats: int, better: bool, rng: np.random.Generator
) -> np.ndarray:
    """Returns the differences of two learners' accuracies, [folds x repeats].

    The learner is the nearest mean; both are equally good, unless one is `better`,
    whose features stand farther apart.
    """
    signs = np.repeat([-1.0, 1.0], rows // 2)
    apart = np.full(FEATURES, SEPARATION)
    if better:
        apart[:FOLD_FEATURES] = MORE_SEPARATION
    points = rng.normal(size=(rows, FEATURES)) + signs[:, None] * apart / 2
    halves = points[:, :FOLD_FEATURES], points[:, FOLD_FEATURES:]
    found = []
    for _ in range(repeats):
        # Each label by itself, so that parts are stratified.
        each = [rng.permutation(rows // 2) % folds for _ in range(2)]
        part = np.concatenate(each)
        for fold in range(folds):
            test = part == fold
            a, b = (_nearest_mean(half, signs, test) for half in halves)
            found.append(a - b)
    return np.array(found)


def _nearest_mean(points: np.ndarray, signs: np.ndarray, test: np.ndarray) -> float:
    """Returns the accuracy on test points of the nearest mean of the others."""
    low, high = (points[~test & (signs == sign)].mean(axis=0) for sign in (-1, 1))
    answers = (points[test] - (low + high) / 2) @ (high - low) > 0
    return float((answers == (signs[test] > 0)).mean())


def fold_rates(
    rows: int, folds: int, repeats: int, comparisons: int, seed: int = 0
) -> dict[str, float]:
    """Returns how often equal learners are told apart by cross-validation.

    Returns:
      false_alarms: Share of comparisons of equal learners that tell them apart.
      plain: The same if folds were taken to be independent.
      found: Share of comparisons that tell the better learner.
    """
    rng = np.random.default_rng([seed, rows, folds, repeats])
    alarms = plain = found = 0
    for _ in range(comparisons):
        values = folded(rows, folds, repeats, better=False, rng=rng)
        alarms += over_folds(values, folds).p < ALPHA
        plain += ttest_1samp(values, 0).pvalue < ALPHA
        values = folded(rows, folds, repeats, better=True, rng=rng)
        found += over_folds(values, folds).p < ALPHA
    counts = {"false_alarms": alarms, "plain": plain, "found": found}
    return {name: count / comparisons for name, count in counts.items()}


def of_folds(comparisons: int) -> None:
    """Prints and writes the table of cross-validation."""
    header = (
        "| texts | folds | repeated | false alarms | as if folds were independent "
        "| found |"
    )
    lines = [header, "|---:|---:|---:|---:|---:|---:|"]
    for rows in (100, 400, 1000):
        for folds, repeats in ((2, 5), (5, 1), (5, 3), (10, 1), (10, 10)):
            r = fold_rates(rows, folds, repeats, comparisons)
            lines.append(
                f"| {rows:,} | {folds} | {repeats} | "
                f"{100 * r['false_alarms']:.1f} % | {100 * r['plain']:.1f} % | "
                f"{100 * r['found']:.0f} % |"
            )
            print(lines[-1], flush=True)
    said = (
        f"`python benchmarks/calibration.py folds`, {comparisons:,} comparisons each "
        f"of two learners that are equally good (false alarms at 5 %), and of one that "
        f"is 5 points better with many texts (found):"
    )
    write("folds", said, lines)


def of_cells(comparisons: int) -> None:
    """Prints and writes the table of comparisons."""
    header = "| seeds | texts | seed spreads | false alarms | coverage | found |"
    lines = [header, "|---:|---:|---:|---:|---:|---:|"]
    start = time.perf_counter()
    for seeds, rows, spreads in SETTINGS:
        r = rates(seeds, rows, spreads, comparisons)
        shown = ", ".join(map(str, spreads))
        lines.append(
            f"| {seeds} | {rows:,} | {shown} | {100 * r['false_alarms']:.1f} % | "
            f"{100 * r['coverage']:.1f} % | {100 * r['found']:.0f} % |"
        )
        print(lines[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
    said = (
        f"`python benchmarks/calibration.py`, {comparisons:,} comparisons each of "
        f"equal cells (false alarms at 5 %) and of cells {100 * DIFFERENCE:.0f} point "
        f"apart (coverage of the 95 % interval, and how often the difference is found):"
    )
    write("calibration", said, lines)


def draw_scored(
    seeds: int, rows: int, rare: float, apart: Sequence[float], rng: np.random.Generator
) -> dict[str, list[np.ndarray]]:
    """Draws test texts of two labels, and values of cells on them, by metric.

    A training sees a score of each text, which is normal about the label's own, with
    parts for all, for the cell and for itself as in `draw`; it answers with the label's
    probability by that score.

    Args:
      seeds: Trainings of each cell.
      rows: Test texts.
      rare: Share of the rarer label.
      apart: How far the labels' scores stand apart, by cell.
      rng: Draws everything anew.

    Returns:
      By metric a value of each training and text, [seeds, texts], for each cell.
    """
    label = rng.random(rows) < rare
    shared = rng.normal(0, np.sqrt(SHARED), rows)
    found: dict[str, list[np.ndarray]] = {"macro F1": [], "log loss": []}
    for distance in apart:
        of_cell = shared + rng.normal(0, np.sqrt(OF_CELL), rows)
        own = rng.normal(0, np.sqrt(OF_TRAINING), (seeds, rows))
        distances = distance + APART_SPREAD * rng.standard_normal((seeds, 1))
        odds = np.exp(_log_odds(distances * (label - 0.5) + of_cell + own, rare))
        p = odds / (1 + odds)
        ids, answers = label.astype(int), (p > 0.5).astype(int)
        both = np.stack([1 - p, p], axis=2)
        found["macro F1"].append(np.array([f1_shares(ids, one) for one in answers]))
        found["log loss"].append(np.array([losses(ids, one) for one in both]))
    return found


def _log_odds(score: np.ndarray, rare: float) -> np.ndarray:
    """Returns those of the rarer label, by Bayes's rule where scores are `APART`."""
    return np.log(rare / (1 - rare)) + APART * score


def truths(rare: float, apart: float) -> dict[str, float]:
    """Returns what a cell reaches on all texts, the mean over all its trainings."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights = weights / weights.sum()
    centres = (apart + APART_SPREAD * nodes[:, None]) / 2  # of the rarer; minus these
    edge = np.log((1 - rare) / rare) / APART
    hit, alarm = rare * norm.sf(edge - centres), (1 - rare) * norm.sf(edge + centres)
    of_rare = 2 * hit / (rare + hit + alarm)
    of_other = 2 * (1 - rare - alarm) / (2 * (1 - rare) + rare - hit - alarm)
    of_rarer, of_others = (_log_odds(s * centres + nodes, rare) for s in (1, -1))
    lost = rare * np.logaddexp(0, -of_rarer)
    lost += (1 - rare) * np.logaddexp(0, of_others)
    return {
        "macro F1": float((of_rare + of_other)[:, 0] @ weights / 2),
        "log loss": float(weights @ lost @ weights),
    }


def metric_rates(
    seeds: int, rows: int, rare: float, comparisons: int, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Returns, by metric, how often equal cells are told apart and intervals hold.

    Returns:
      false_alarms, coverage, found: As of `rates`.
      of_one: Share of the intervals of one cell's score that hold it.
    """
    rng = np.random.default_rng([seed, seeds, rows, round(1000 * rare)])
    better, usual = (truths(rare, apart) for apart in (APART + APART_MORE, APART))
    return judged(
        comparisons,
        lambda *apart: draw_scored(seeds, rows, rare, apart, rng),
        better,
        usual,
    )


def judged(
    comparisons: int,
    draw_cells: Callable[[float, float], dict[str, list[np.ndarray]]],
    better: Mapping[str, float],
    usual: Mapping[str, float],
) -> dict[str, dict[str, float]]:
    """Returns, by metric, how often equal cells are told apart and intervals hold.

    Args:
      comparisons: Of equal cells, and as many of a better one with a usual one.
      draw_cells: From how far apart two cells tell labels, to their values by metric.
      better: By metric what the better cell reaches.
      usual: What the other does.
    """
    counted = {name: np.zeros(4) for name in usual}
    for _ in range(comparisons):
        equal = draw_cells(APART, APART)
        other = draw_cells(APART + APART_MORE, APART)
        for name, count in counted.items():
            low, high = cells_difference(*equal[name]).interval()
            count[0] += not low <= 0 <= high
            low, high = cells_difference(*other[name]).interval()
            count[1] += low <= better[name] - usual[name] <= high
            count[2] += low > 0 or high < 0
            low, high = crossed_mean(other[name][1]).interval()
            count[3] += low <= usual[name] <= high
    names = ("false_alarms", "coverage", "found", "of_one")
    return {
        metric: dict(zip(names, (count / comparisons).tolist(), strict=True))
        for metric, count in counted.items()
    }


def of_metrics(comparisons: int) -> None:
    """Prints and writes the table of macro F1 and log loss."""
    header = (
        "| seeds | texts | of the rarer label | metric | false alarms | coverage "
        "| found | coverage, one cell |"
    )
    lines = [header, "|---:|---:|---:|---|---:|---:|---:|---:|"]
    for rare in RARE:
        for seeds in (3, 5):
            for rows in (500, 2000):
                for name, r in metric_rates(seeds, rows, rare, comparisons).items():
                    lines.append(
                        f"| {seeds} | {rows:,} | {100 * rare:.0f} % | {name} "
                        f"| {100 * r['false_alarms']:.1f} % "
                        f"| {100 * r['coverage']:.1f} % | {100 * r['found']:.0f} % "
                        f"| {100 * r['of_one']:.1f} % |"
                    )
                    print(lines[-1], flush=True)
    said = (
        f"`python benchmarks/calibration.py metric`, {comparisons:,} comparisons each "
        f"of equal cells (false alarms at 5 %) and of cells that differ (coverage of "
        f"the 95 % intervals, of the difference and of one cell's score, and how often "
        f"the difference is found):"
    )
    write("metric", said, lines)


def write(name: str, said: str, lines: Sequence[str]) -> None:
    """Writes a table between the markers of its name."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = PAGE.read_text("utf-8").split(start, 1)
    text = "\n".join([said, "", *lines, ""])
    after = rest.split(end, 1)[1]
    PAGE.write_text(before + start + text + end + after, encoding="utf-8")


def main(names: Sequence[str]) -> None:
    """Writes the tables that are asked for, or all."""
    count = [int(name) for name in names if name.isdigit()]
    asked = [name for name in names if not name.isdigit()] or TABLES
    if "cells" in asked:
        of_cells(*count or [COMPARISONS])
    if "studies" in asked:
        of_studies(*count or [STUDIES])
    if "metric" in asked:
        of_metrics(*count or [METRIC_COMPARISONS])
    if "draws" in asked:
        of_draws(*count or [COMPARISONS])
    if "folds" in asked:
        of_folds(*count or [COMPARISONS])
    if "failures" in asked:
        of_failures(*count or [COMPARISONS])


if __name__ == "__main__":
    main(sys.argv[1:])
