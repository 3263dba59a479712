"""Simulates comparisons that add seeds until every pair is decided.

Run as ``python benchmarks/until_decided.py [COMPARISONS]``: right and wrong answers are
drawn as `calibration.py` draws them, and the tables between the markers of
docs/statistics.md say how often equal cells were told apart, how many trainings it
took, and how many a fixed number of seeds takes that decides as much. `until_bank.py`
goes the same way with real trainings.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import calibration
import numpy as np
from scipy.stats import mannwhitneyu, norm

from seqclf import statistics
from seqclf.comparison.design import MOST_SEEDS
from seqclf.comparison.judged import SIGNIFICANCE
from seqclf.comparison.pairs import MARGIN

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
COMPARISONS = 1000
FIRST_SEEDS, JOBS = 3, 2
# About what a training takes beside one of a GRU.
SECONDS = {"none": 0.4, "rnn": 0.7, "gru": 1.0, "lstm": 1.2}
FIXED = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30)  # seeds of every cell

Names = tuple[str, str]


@dataclass(frozen=True)
class Drawn:
    """Trainings in the order in which they are asked for, by cell.

    `right` are bool [seeds, texts], `failed` bool [seeds].
    """

    right: Mapping[str, np.ndarray]
    failed: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Truth:
    """Cells to draw: accuracies (fractions), spreads over seeds (points), failures.

    Those in `failing` fail one time in four, and are then right half of the time.
    """

    about: str
    accuracies: Mapping[str, float]
    spreads: Mapping[str, float]
    rows: int
    failing: Sequence[str] = ()

    @property
    def questions(self) -> list[list[Names]]:
        """The pairs of each question: recurrent cells, and each beside `none`."""
        recurrent = [cell for cell in self.accuracies if cell != "none"]
        beside = [("none", cell) for cell in recurrent if "none" in self.accuracies]
        return [list(itertools.combinations(recurrent, 2)), beside]

    def mean(self, cell: str) -> float:
        """The cell's accuracy over all seeds: its spread takes a little off."""
        edge = norm.ppf(self.accuracies[cell])
        shift = self.spreads[cell] / 100 / norm.pdf(edge)
        lasting = float(norm.cdf(edge / np.sqrt(1 + shift**2)))
        return 0.75 * lasting + 0.125 if cell in self.failing else lasting


@dataclass
class Went:
    """How a comparison went: trainings, looks, and what was found, by pair."""

    seeds: dict[str, int]
    looks: int = 0
    found: dict[Names, str] = field(default_factory=dict)


def draw(truth: Truth, seeds: int, rng: np.random.Generator) -> Drawn:
    """Draws so many trainings of each cell, as `calibration.draw` does of two."""
    hardness = rng.standard_normal(truth.rows, np.float32)
    hardness *= np.float32(calibration.SHARED**0.5)
    right, failed = {}, {}
    for cell, accuracy in truth.accuracies.items():
        edge = np.float32(norm.ppf(accuracy))
        shifts = rng.standard_normal((seeds, 1), np.float32)
        shifts *= np.float32(truth.spreads[cell] / 100 / norm.pdf(edge))
        fails = rng.random(seeds) < (0.25 if cell in truth.failing else 0.0)
        shifts -= fails[:, None] * edge
        of_cell = rng.standard_normal(truth.rows, np.float32)
        of_cell *= np.float32(calibration.OF_CELL**0.5)
        own = rng.standard_normal((seeds, truth.rows), np.float32)
        own *= np.float32(calibration.OF_TRAINING**0.5)
        right[cell] = edge + shifts + hardness + of_cell + own > 0
        failed[cell] = fails
    return Drawn(right, failed)


def tested(drawn: Drawn, seeds: Mapping[str, int], pair: Names) -> tuple[float, ...]:
    """Returns p of no difference and, unless ranks decide, of one beyond the margin.

    Ties of the ranks are broken by the order of the seeds, which are drawn.
    """
    a, b = (drawn.right[cell][: seeds[cell]] for cell in pair)
    if _is_ranked(drawn, seeds, pair):
        means = [one.mean(axis=1) + 1e-9 * np.arange(len(one)) for one in (a, b)]
        return (float(mannwhitneyu(*means, method="exact").pvalue),)
    estimate = statistics.cells_difference(a, b)
    return estimate.p, estimate.p_within(MARGIN)


def _is_ranked(drawn: Drawn, seeds: Mapping[str, int], pair: Names) -> bool:
    return any(drawn.failed[cell][: seeds[cell]].any() for cell in pair)


def look(
    drawn: Drawn, went: Went, questions: Sequence[Sequence[Names]], share: float
) -> None:
    """Tests what is open at a share of the level, and notes what is found."""
    for pairs in questions:
        live = [pair for pair in pairs if pair not in went.found]
        kinds = [went.found[pair] for pair in pairs if pair in went.found]
        p_values = {pair: tested(drawn, went.seeds, pair) for pair in live}
        differ = {pair: p[0] for pair, p in p_values.items()}
        within = {pair: p[1] for pair, p in p_values.items() if len(p) > 1}
        differ = statistics.adjusted(differ, share, kinds.count("equal"))
        within = statistics.adjusted(within, share, kinds.count("better"))
        for pair in live:
            if differ[pair] < SIGNIFICANCE:
                went.found[pair] = "better"
            elif within.get(pair, 1.0) < SIGNIFICANCE:
                went.found[pair] = "equal"


def until_decided(
    drawn: Drawn, questions: Sequence[Sequence[Names]], most: int = MOST_SEEDS
) -> Went:
    """Goes through a comparison that adds seeds, as `seqclf.comparison.until` does."""
    went = Went(dict.fromkeys(drawn.right, FIRST_SEEDS))
    every = [pair for pairs in questions for pair in pairs]
    left, before = 1.0, dict.fromkeys(drawn.right, 0)
    while True:
        still = [pair for pair in every if pair not in went.found]
        cells = set(itertools.chain(*still))
        share = statistics.share_of_look(left, before, went.seeds, cells, most)
        left, before, went.looks = left - share, dict(went.seeds), went.looks + 1
        look(drawn, went, questions, share)
        later = max(left, share)
        wanted = [
            statistics.OpenPair(*pair, of_rows)
            for pairs in questions
            for pair in pairs
            if pair not in went.found
            and (of_rows := _of_rows(drawn, went.seeds, pair, later / len(pairs), most))
            is not None
        ]
        more = _more(drawn, went.seeds, wanted, most)
        if not more:
            return went
        for cell, count in more.items():
            went.seeds[cell] += count


def _of_rows(
    drawn: Drawn, seeds: Mapping[str, int], pair: Names, share: float, most: int
) -> float | None:
    """Returns the texts' part of a pair's variance; None if it is out of reach."""
    if _is_ranked(drawn, seeds, pair):
        return 0.0
    a, b = (drawn.right[cell][: seeds[cell]] for cell in pair)
    if not statistics.is_within_reach(a, b, SIGNIFICANCE * share, MARGIN, most):
        return None
    return statistics.variances(a, b).of_rows / a.shape[1]


def _more(
    drawn: Drawn,
    seeds: Mapping[str, int],
    wanted: Sequence[statistics.OpenPair],
    most: int,
) -> dict[str, int]:
    accuracies = {
        cell: right[: seeds[cell]].mean(axis=1).tolist()
        for cell, right in drawn.right.items()
    }
    variances = statistics.steadied(accuracies)
    cells = {
        cell: statistics.Sampled(count, variances[cell], SECONDS.get(cell, 1.0))
        for cell, count in seeds.items()
    }
    asking = {cell for pair in wanted for cell in (pair.a, pair.b)}
    number = statistics.round_size([seeds[cell] for cell in asking], JOBS)
    return statistics.next_seeds(number, cells, wanted, most)


def fixed(drawn: Drawn, questions: Sequence[Sequence[Names]], seeds: int) -> Went:
    """Looks once, at so many seeds of every cell."""
    went = Went(dict.fromkeys(drawn.right, seeds), looks=1)
    look(drawn, went, questions, 1.0)
    return went


@dataclass(frozen=True)
class Rates:
    """Over comparisons: means of trainings and looks, and shares of what was found.

    Attributes:
      alarms: In which a cell was better than an equal one, of the question in which
        that was more often: each has the level.
      false_equal: In which two were equal that differ by the margin; likewise.
      pairs: Share of all pairs that were decided.
      all: In which all were.
    """

    trainings: float
    looks: float
    alarms: float
    false_equal: float
    pairs: float
    all: float


def rates(truth: Truth, went: Sequence[Went]) -> Rates:
    """Counts what was right and wrong."""
    pairs = [pair for several in truth.questions for pair in several]
    apart = {p: round(abs(truth.mean(p[0]) - truth.mean(p[1])), 4) for p in pairs}

    def share(has: Callable[[Went], float]) -> float:
        return float(np.mean([has(one) for one in went]))

    def wrongly(kind: str, is_wrong: Callable[[Names], bool]) -> float:
        """Returns how often a question has such a finding that is wrong."""

        def among(pairs: Sequence[Names]) -> float:
            wrong = [pair for pair in pairs if is_wrong(pair)]
            return share(lambda one: any(one.found.get(p) == kind for p in wrong))

        return max(map(among, truth.questions))

    return Rates(
        trainings=share(lambda one: sum(one.seeds.values())),
        looks=share(lambda one: one.looks),
        alarms=wrongly("better", lambda pair: not apart[pair]),
        false_equal=wrongly("equal", lambda pair: apart[pair] >= MARGIN),
        pairs=share(lambda one: len(one.found) / len(pairs)),
        all=share(lambda one: len(one.found) == len(pairs)),
    )


def simulated(truth: Truth, comparisons: int, seed: int = 0) -> Rates:
    """Draws comparisons and lets each go on until it ends."""
    rng = np.random.default_rng([seed, truth.rows])
    return rates(
        truth,
        [
            until_decided(draw(truth, MOST_SEEDS, rng), truth.questions)
            for _ in range(comparisons)
        ],
    )


def beside_fixed(truth: Truth, comparisons: int) -> tuple[Rates, dict[int, Rates]]:
    """Returns the same, and what so many seeds of every cell find in the same draws."""
    rng = np.random.default_rng([0, truth.rows])
    went: list[Went] = []
    others: dict[int, list[Went]] = {seeds: [] for seeds in FIXED}
    for _ in range(comparisons):
        drawn = draw(truth, max(FIXED), rng)
        went.append(until_decided(drawn, truth.questions))
        for seeds, several in others.items():
            several.append(fixed(drawn, truth.questions, seeds))
    by_seeds = {seeds: rates(truth, several) for seeds, several in others.items()}
    return rates(truth, went), by_seeds


def alike(value: float) -> dict[str, float]:
    """Gives all cells the same value."""
    return dict.fromkeys(SECONDS, value)


def of_all(none: float, rnn: float, gru: float, lstm: float) -> dict[str, float]:
    """Gives each cell its own."""
    return {"none": none, "rnn": rnn, "gru": gru, "lstm": lstm}


GRU_RNN = ("rnn", "gru")
EQUAL = (
    Truth("equal, spreads 0.8", alike(0.88), alike(0.8), 2000),
    Truth("equal, spreads 0.8", alike(0.88), alike(0.8), 10_000),
    Truth("equal, spreads 0.3 to 2.0", alike(0.88), of_all(0.3, 2, 1, 0.5), 10_000),
    Truth("rnn, gru fail 1 in 4", alike(0.88), alike(0.8), 2000, GRU_RNN),
    Truth("two, 1 point apart", {"gru": 0.88, "lstm": 0.8699}, alike(0.5), 10_000),
)
FAR, NEAR = of_all(0.83, 0.80, 0.88, 0.86), of_all(0.86, 0.84, 0.88, 0.87)
TWO_EQUAL = of_all(0.84, 0.80, 0.88, 0.88)
APART = (
    Truth("83, 80, 88, 86", FAR, of_all(0.5, 1.5, 0.8, 0.8), 10_000),
    Truth("83, 80, 88, 86", FAR, alike(0.8), 2000),
    Truth("84, 80, 88, 88", TWO_EQUAL, of_all(0.2, 1.0, 0.4, 0.4), 10_000),
    Truth("86, 84, 88, 87", NEAR, alike(0.8), 10_000),
)


def seeds_for(by_seeds: Mapping[int, Rates], wanted: float) -> float | None:
    """Returns with how many seeds of each cell so many comparisons are all decided.

    Between those that were tried it is interpolated; None if the most do not do.
    """
    known = sorted(by_seeds)
    shares = np.maximum.accumulate([by_seeds[seeds].all for seeds in known])
    if wanted > shares[-1]:
        return None
    above = int(np.argmax(shares >= wanted))
    if not above:
        return float(known[0])
    step = (wanted - shares[above - 1]) / (shares[above] - shares[above - 1])
    return known[above - 1] + float(step) * (known[above] - known[above - 1])


def line_of_equal(truth: Truth, comparisons: int) -> str:
    """Simulates, and returns a line of the first table."""
    r = simulated(truth, comparisons)
    return (
        f"| {truth.about} | {truth.rows:,} | {100 * r.alarms:.1f} % | "
        f"{100 * r.false_equal:.1f} % | {r.trainings:.0f} | {r.looks:.1f} |"
    )


def line_of_apart(truth: Truth, comparisons: int) -> str:
    """Simulates, and returns a line of the second table."""
    r, by_seeds = beside_fixed(truth, comparisons)
    seeds = seeds_for(by_seeds, r.all)
    needed = len(truth.accuracies) * (seeds or max(FIXED))
    more = "" if seeds else "over "
    return (
        f"| {truth.about} | {truth.rows:,} | {100 * r.all:.0f} % | {r.trainings:.0f} | "
        f"{r.looks:.1f} | {more}{needed:.0f} | "
        f"{100 * (1 - r.trainings / needed):.0f} % |"
    )


def write(name: str, text: str) -> None:
    """Writes text between the markers of a name in docs/statistics.md."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, rest = PAGE.read_text("utf-8").split(start, 1)
    after = rest.split(end, 1)[1]
    PAGE.write_text(f"{before}{start}{text}\n{end}{after}", "utf-8")


def main(comparisons: int) -> None:
    """Prints and writes both tables."""
    start = time.perf_counter()

    def shown(line: str) -> str:
        print(line, f"{time.perf_counter() - start:.0f} s", flush=True)
        return line

    few = comparisons // 4
    text = [
        f"`python benchmarks/until_decided.py`, {comparisons:,} comparisons each:",
        "",
        "| none, rnn, gru, lstm | texts | false alarms | false equality | trainings | "
        "looks |",
        "|---|---:|---:|---:|---:|---:|",
        *(shown(line_of_equal(truth, comparisons)) for truth in EQUAL),
        "",
        f"And {few:,} each of cells that differ:",
        "",
        "| none, rnn, gru, lstm, % | texts | all decided | trainings | looks | fixed "
        "number | fewer |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(shown(line_of_apart(truth, few)) for truth in APART),
    ]
    write("until", "\n".join(text))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COMPARISONS)
