"""Seeds are added until every pair is decided: looks, and what is trained next.

Plain values in and out; `workflows.until` trains between them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from seqclf import statistics
from seqclf.cells import CELLS
from seqclf.comparison.at_look import ONCE, AtLook
from seqclf.comparison.design import Design, Limits
from seqclf.comparison.groups import group_runs
from seqclf.comparison.judged import SIGNIFICANCE, is_open
from seqclf.comparison.metric import ACCURACY, Metric, Values
from seqclf.comparison.pairs import compare_pairs
from seqclf.errors import ConfigError
from seqclf.evaluation.failed import failed_seeds
from seqclf.records.comparison import BY_CELLS, Pair
from seqclf.records.looks import LeftOpen, Look, UntilDecided, Why
from seqclf.records.plain import from_plain, to_plain
from seqclf.runs import Run
from seqclf.storage import read_object, write_json

LOOKS_FILE = "looks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What was looked at so far, and what was asked for; the file `looks.json`.

    Attributes:
      max_seeds: For which the looks were planned.
      asked: By cell, the seeds that are trained, or were to be.
      looks: From the first on.
      decided: The pairs that they decided, as they were then.
    """

    max_seeds: int
    asked: dict[str, tuple[int, ...]]
    looks: tuple[Look, ...] = ()
    decided: tuple[Pair, ...] = ()

    @property
    def left(self) -> float:
        """What of the level no look has spent yet, in [0, 1]."""
        spent = sum(look.level for look in self.looks) / SIGNIFICANCE
        return max(1.0 - spent, 0.0)

    @property
    def at(self) -> AtLook:
        """Where the last look compares pairs; at once where there was none."""
        if not self.looks:
            return ONCE
        share = self.looks[-1].level / SIGNIFICANCE
        return AtLook(len(self.looks), share, max(self.left, share), self._by_names())

    def _by_names(self) -> dict[frozenset[str], Pair]:
        return {frozenset((pair.a, pair.b)): pair for pair in self.decided}


@dataclass(frozen=True, slots=True)
class Trained:
    """What the finished trainings tell, by cell.

    `values` are those of the test texts in the `metric`; `seconds` is how long one
    training took, in the mean; of the cells in `failed` some failed.
    """

    values: Mapping[str, Values]
    seconds: Mapping[str, float]
    failed: Collection[str] = field(default_factory=tuple)
    metric: Metric = ACCURACY

    @classmethod
    def of(cls, finished: Sequence[Run], metric: Metric = ACCURACY) -> Self:
        """Reads it from runs of equal settings but cell and seed."""
        groups = group_runs(finished)
        return cls(
            {cell: metric.gains(group) for cell, group in groups.items()},
            {
                cell: float(np.mean([run.environment.seconds for run in group]))
                for cell, group in groups.items()
            },
            [cell for cell in groups if failed_seeds(groups[cell], metric.field)],
            metric,
        )

    @property
    def seeds(self) -> dict[str, tuple[int, ...]]:
        """The seeds that are finished."""
        return {cell: tuple(sorted(one)) for cell, one in self.values.items()}

    @property
    def scores(self) -> dict[str, list[float]]:
        """The score of each training, the more the better."""
        return {
            cell: [float(one.mean()) for one in values.values()]
            for cell, values in self.values.items()
        }

    def pairs(self, margin: float, at: AtLook) -> tuple[Pair, ...]:
        """Compares the cells at a look, see `pairs.compare_pairs`."""
        recurrent = [cell for cell in self.values if CELLS[cell].recurs]
        terms = (recurrent, self.failed, margin, at, self.metric)
        return compare_pairs(self.values, *terms)


def begin(folder: Path, design: Design) -> Looks:
    """Returns the looks that a comparison in a folder has had, and what it asked for.

    A new one asks for the first seeds of each cell; so does one that adds none.

    Raises:
      ConfigError: If it was begun with another number of seeds at most: the looks that
        it has had were planned by that.
    """
    limits = design.until
    asked = dict.fromkeys(design.cells, design.seeds)
    if limits is None:
        return Looks(max_seeds=len(design.seeds), asked=asked)
    try:
        found = from_plain(Looks, read_object(folder / LOOKS_FILE))
    except ValueError:
        return Looks(max_seeds=limits.max_seeds, asked=asked)
    if found.max_seeds != limits.max_seeds:
        raise ConfigError(
            f"{folder} was begun with --max-seeds {found.max_seeds}, and the looks it "
            f"has had were planned by that, got {limits.max_seeds}; type "
            f"--max-seeds {found.max_seeds}, or begin another with --name."
        )
    return found


def keep(folder: Path, looks: Looks) -> None:
    """Writes what was looked at, and what was asked for."""
    write_json(folder / LOOKS_FILE, to_plain(looks))


def take_look(trained: Trained, so_far: Looks, margin: float) -> Looks:
    """Looks at all pairs that are open, unless nothing new is there to be seen.

    To look at the same trainings again is the same look, and spends nothing; nor does a
    look at cells that have one seed, of which nothing can be decided.

    Args:
      trained: What is finished by now.
      so_far: The looks before.
      margin: Difference, a fraction or in nats, below which two are practically equal.

    Returns:
      The looks with this one, and with the pairs that it decided.
    """
    share = _share(trained, so_far)
    if not share:
        return so_far
    look = Look(level=SIGNIFICANCE * share, seeds=trained.seeds)
    looking = replace(so_far, looks=(*so_far.looks, look))
    pairs = trained.pairs(margin, looking.at)
    decided = tuple(
        pair for pair in pairs if pair.look == looking.at.number and not is_open(pair)
    )
    look = replace(look, decided=tuple((pair.a, pair.b) for pair in decided))
    return replace(
        so_far, looks=(*so_far.looks, look), decided=(*so_far.decided, *decided)
    )


def _share(trained: Trained, so_far: Looks) -> float:
    """Returns what a look may spend; 0 if it would see nothing new."""
    before = so_far.looks[-1].seeds if so_far.looks else {}
    there = {cell: len(seeds) for cell, seeds in trained.seeds.items()}
    several = [cell for cell, count in there.items() if count > 1]
    pairs = itertools.combinations(several, 2)
    tested = [names for names in pairs if frozenset(names) not in so_far.at.decided]
    return statistics.share_of_look(
        so_far.left,
        {cell: len(seeds) for cell, seeds in before.items()},
        there,
        set(itertools.chain(*tested)),
        so_far.max_seeds,
    )


@dataclass(frozen=True, slots=True)
class Open:
    """A pair that no look has decided.

    `of_rows` is the part of the variance that no seed takes away, 0 of ranks, which
    know no texts. If it `needs_texts`, no number of seeds would decide it; if it is not
    `within_reach`, as many as there may be hardly would.
    """

    pair: Pair
    of_rows: float = 0.0
    needs_texts: bool = False
    within_reach: bool = True


def open_pairs(trained: Trained, so_far: Looks, margin: float) -> list[Open]:
    """Returns the pairs that no look has decided, as the last look saw them."""
    at = so_far.at
    return [
        _open(pair, trained, so_far, margin)
        for pair in trained.pairs(margin, at)
        if frozenset((pair.a, pair.b)) not in at.decided
    ]


def _open(pair: Pair, trained: Trained, so_far: Looks, margin: float) -> Open:
    if pair.by != BY_CELLS:
        return Open(pair)
    a, b = (np.array(list(trained.values[name].values())) for name in (pair.a, pair.b))
    level = SIGNIFICANCE * so_far.at.later / (pair.adjusted_for or 1)
    with_any, with_most = (
        statistics.is_within_reach(a, b, level, margin, seeds, trained.metric.is_share)
        for seeds in (math.inf, so_far.max_seeds)
    )
    of_rows = statistics.variances(a, b).of_rows / a.shape[1]
    return Open(pair, of_rows, not with_any, with_most)


def next_seeds(
    trained: Trained, so_far: Looks, pairs: Sequence[Open], jobs: int
) -> dict[str, tuple[int, ...]]:
    """Chooses the trainings before the next look, by cell: those that tell most.

    Args:
      trained: What is finished by now.
      so_far: The looks, and what was asked for.
      pairs: See `open_pairs`; those that are out of reach get none.
      jobs: Trainings at a time.

    Returns:
      New seeds; nothing where no seed would help, or no cell may have more.
    """
    wanted = [
        statistics.OpenPair(one.pair.a, one.pair.b, one.of_rows)
        for one in pairs
        if one.within_reach
    ]
    variances = statistics.steadied(trained.scores)
    there = {cell: len(so_far.asked[cell]) for cell in trained.values}
    cells = {
        cell: statistics.Sampled(count, variances[cell], trained.seconds[cell])
        for cell, count in there.items()
    }
    asking = {cell for pair in wanted for cell in (pair.a, pair.b)}
    number = statistics.round_size([there[cell] for cell in asking], jobs)
    chosen = statistics.next_seeds(number, cells, wanted, so_far.max_seeds)
    return {
        cell: tuple(range(there[cell], there[cell] + count))
        for cell, count in chosen.items()
    }


def with_asked(so_far: Looks, more: Mapping[str, tuple[int, ...]]) -> Looks:
    """Returns the looks with more seeds asked for."""
    asked = {cell: seeds + more.get(cell, ()) for cell, seeds in so_far.asked.items()}
    return replace(so_far, asked=asked)


def about_round(
    number: int,
    more: Mapping[str, tuple[int, ...]],
    pairs: Sequence[Open],
    trained: Trained,
) -> str:
    """Says what a round adds, and for what.

    Such as `Round 2: adding gru 3, lstm 3; open: gru-lstm (needs about 4 more).`
    """
    added = ", ".join(f"{cell} {len(seeds)}" for cell, seeds in more.items())
    still = ", ".join(_needs(one, trained) for one in pairs)
    return f"Round {number}: adding {added}; open: {still}."


def _needs(one: Open, trained: Trained) -> str:
    """Names an open pair, and how many seeds of both it needs if all stays as it is."""
    pair, name = one.pair, f"{one.pair.a}-{one.pair.b}"
    if one.needs_texts:
        return f"{name} (needs more texts, not more seeds)"
    if pair.settled_by is None or pair.settled_by.seeds is None:
        return name
    there = [len(trained.values[cell]) for cell in (pair.a, pair.b)]
    more = sum(max(pair.settled_by.seeds - count, 0) for count in there)
    return f"{name} (needs about {more} more)" if more else name


def outcome(
    so_far: Looks,
    trained: Trained,
    pairs: Sequence[Open],
    limits: Limits,
    why: Why | None = None,
) -> UntilDecided:
    """Returns how it went.

    Args:
      so_far: All looks.
      trained: What was finished at the end.
      pairs: See `open_pairs`; those that seeds could decide are open for `why`.
      limits: Where it ended.
      why: What cut it off; None if nothing did.
    """
    left = [
        LeftOpen(
            a=one.pair.a,
            b=one.pair.b,
            why="texts" if one.needs_texts else why or "max_seeds",
        )
        for one in pairs
    ]
    left += [
        LeftOpen(a=a, b=b, why=why or "missing")
        for a, b in itertools.combinations(so_far.asked, 2)
        if not {a, b} <= trained.values.keys()
    ]
    return UntilDecided(
        looks=so_far.looks,
        max_seeds=limits.max_seeds,
        budget_seconds=limits.budget_seconds,
        left_open=tuple(left),
    )
