"""`size`: how good the cells are with few training texts, and with many.

Each cell is trained on stratified samples of the training texts, powers of two up to
all of them; the vocabulary comes from the sample. Two claims are tested: that LSTM is
ahead where data is plentiful, and that it overfits more. Learning curves are fitted as
power laws, after Hestness et al. 2017 (arXiv:1712.00409), and crossings are looked for
between the fitted curves only.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from seqclf.cells import GRU, LSTM
from seqclf.comparison.pairs import Right, right_answers
from seqclf.config import RunConfig
from seqclf.data.dataset import TEST, TRAIN, VALIDATION
from seqclf.records import sweeps
from seqclf.records.estimates import Mean
from seqclf.runs import Run
from seqclf.studies import intervals
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.studies.sweeps import learning_curve, size_shown, sweep
from seqclf.studies.sweeps.learning_curve import PowerLaw
from seqclf.studies.sweeps.sweep import Point, Sweep, Trained

LEAST_TEXTS, TEXTS_A_LABEL = 64, 4
NEAR_ALL = 0.8  # a power of two above this share of all texts tells little more
SMALLEST_BATCH = 8
GAP_OF = (LSTM.name, GRU.name)


def points(question: Question, lab: Lab) -> list[Point]:
    """Returns the recipe on samples of the training texts, the smallest first."""
    base = question.recipe
    data = lab.load(base)
    everything = len(data.splits[TRAIN])
    sizes = sample_sizes(everything, len(data.labels), question.quick)
    return [_point(base, rows, everything) for rows in sizes]


def sample_sizes(everything: int, labels: int, quick: bool) -> list[int]:
    """Returns the sizes of the samples, ascending, all training texts last."""
    if quick:
        least = min(TEXTS_A_LABEL * labels, everything)
        return sorted({max(everything // 4, least), everything})
    least = max(LEAST_TEXTS, TEXTS_A_LABEL * labels)
    powers = (2**k for k in range(everything.bit_length()))
    chosen = [size for size in powers if least <= size <= NEAR_ALL * everything]
    return [*chosen, everything]


def _point(base: RunConfig, rows: int, everything: int) -> Point:
    config = base
    if rows != everything:
        data = replace(base.data, limit=rows)
        training = replace(base.training, batch_size=_batch_size(base, rows))
        config = replace(base, data=data, training=training)
    return Point(name=f"{rows:,}", config=config, values={"rows": rows})


def _batch_size(config: RunConfig, rows: int) -> int | None:
    """Returns a batch size that gives an epoch enough steps; a token budget decides."""
    own = config.training.batch_size
    if own is None:
        return None  # it goes by the number of texts anyway
    fitting = 1 << max(rows // size_shown.FEWEST_STEPS, 1).bit_length() - 1
    smaller = min(own, max(fitting, SMALLEST_BATCH))
    return smaller if config.training.batch_tokens is None else own


def read(question: Question, trained: Sequence[Trained]) -> Answer[sweeps.SizeFindings]:
    """Evaluates the learning curves."""
    every, guess = sweep.points_of(trained), sweep.guess(trained[0].run, TEST)
    rights = {
        cell: [right_answers(sweep.runs_of(trained, cell, point)) for point in every]
        for cell in question.cells
    }
    curves = [
        _curve(cell, point, trained, rights[cell][index])
        for index, point in enumerate(every)
        for cell in question.cells
    ]
    sizes = [_rows(point) for point in every]
    usable = {
        cell: usable_from([sweep.runs_of(trained, cell, point) for point in every])
        for cell in question.cells
    }
    fitted, pairs = judge(rights, np.array(sizes), usable)
    findings = sweeps.SizeFindings(
        sizes=tuple(sizes), guess=guess, curves=tuple(curves), fits=fitted,
        pairs=tuple(pairs), gaps=gap_differences(trained, usable),
        seeds=len(question.seeds),
        guessing=tuple(cell for cell, at in usable.items() if at == len(every)),
    )  # fmt: skip
    return Answer(
        study="size", title="Accuracy by the number of training texts",
        sentence=size_shown.sentence(question, findings),
        table=size_shown.table(curves), rows=tuple(map(sweep.row, trained)),
        findings=findings, trials=len(trained), notes=size_shown.notes(question),
    )  # fmt: skip


def _rows(point: Point) -> int:
    return int(point.values["rows"] or 0)


def _curve(
    cell: str, point: Point, trained: Sequence[Trained], right: Right
) -> sweeps.SizePoint:
    group = sweep.runs_of(trained, cell, point)
    return sweeps.SizePoint(
        cell=cell,
        rows=_rows(point),
        accuracy=sweep.accuracy(right),
        log_loss=float(np.mean([run.metrics[TEST].log_loss for run in group])),
        gap=intervals.student_mean([_gap(run) for run in group]),
    )


def _gap(run: Run) -> float:
    metrics = run.metrics
    return metrics[TRAIN].accuracy - metrics[VALIDATION].accuracy


def usable_from(runs: Sequence[Sequence[Run]]) -> int:
    """Returns the index of the first size from which on a cell beats guessing.

    That is on validation. Below it there is no power law yet (Hestness et al. 2017).
    `runs` are those of the cell, by size.
    """
    place = len(runs)
    while place and sweep.beats_guessing(runs[place - 1]):
        place -= 1
    return place


def judge(
    rights: Mapping[str, Sequence[Right]], sizes: np.ndarray, usable: Mapping[str, int]
) -> tuple[dict[str, sweeps.FittedLaw | None], list[sweeps.SizePair]]:
    """Fits the cells' learning curves, by cell, and compares each two cells.

    The right test texts are by cell, for each size, by seed; sizes are ascending;
    `usable` has, by cell, the index of the first size that is fitted.
    """
    cells = list(rights)
    wrong = ~np.array(
        [[[r[seed] for seed in sorted(r)] for r in rights[cell]] for cell in cells]
    )
    resampled = learning_curve.resampled_errors(wrong, learning_curve.RESAMPLES)
    errors = wrong.mean(axis=(2, 3))

    def fits(errors: np.ndarray) -> list[PowerLaw | None]:
        return [
            learning_curve.fit(sizes[usable[cell] :], own[usable[cell] :])
            for cell, own in zip(cells, errors, strict=True)
        ]

    laws, drawn = fits(errors), [fits(one) for one in resampled]
    described = {
        cell: _described(law, [one[i] for one in drawn], sizes[usable[cell] :])
        for i, (cell, law) in enumerate(zip(cells, laws, strict=True))
    }
    pairs = []
    for i, j in itertools.combinations(range(len(cells)), 2):
        start = max(usable[cells[i]], usable[cells[j]])
        advantage = resampled[:, j, start:] - resampled[:, i, start:]
        gain = errors[j, start:] - errors[i, start:]
        bounds = (float(sizes[min(start, len(sizes) - 1)]), float(sizes[-1]))
        both = [(one[i], one[j]) for one in drawn]
        apart = intervals.difference(rights[cells[i]][-1], rights[cells[j]][-1])
        crossing = learning_curve.crossing_of((laws[i], laws[j]), both, *bounds)
        slope = per_doubling(sizes[start:], gain, advantage)
        mean, low, high = (slope.mean, slope.low, slope.high) if slope else [None] * 3
        one = sweeps.SizePair(
            a=cells[i], b=cells[j], **asdict(apart), per_doubling=mean,
            per_doubling_low=low, per_doubling_high=high, crossing=crossing,
        )  # fmt: skip
        pairs.append(one)
    return described, pairs


def _described(
    law: PowerLaw | None, drawn: Sequence[PowerLaw | None], sizes: np.ndarray
) -> sweeps.FittedLaw | None:
    exponents = [one.b for one in drawn if one]
    if law is None or not exponents:
        return None
    low, high = intervals.middle(exponents)
    return sweeps.FittedLaw(
        **asdict(law), b_low=low, b_high=high, sizes=tuple(sizes.tolist()),
        has_floor=len(sizes) >= learning_curve.FEWEST_FOR_FLOOR,
    )  # fmt: skip


def per_doubling(sizes: np.ndarray, gain: np.ndarray, drawn: np.ndarray) -> Mean | None:
    """Returns the slope of a difference of accuracies per doubling of the data.

    `gain` is the difference at each size, `drawn` that of each resample, [resamples,
    sizes]. None with fewer than three sizes.
    """
    if len(sizes) < learning_curve.FEWEST_SIZES:
        return None
    x = np.log2(sizes) - np.log2(sizes).mean()
    weights = x / (x**2).sum()
    low, high = intervals.middle(drawn @ weights)
    return Mean(mean=float(gain @ weights), low=low, high=high)


def gap_differences(
    trained: Sequence[Trained], usable: Mapping[str, int]
) -> sweeps.Gaps | None:
    """Returns LSTM's train-validation gap less GRU's, over seeds, on the same texts.

    Their mean is over the sizes from which on both beat guessing (`usable`, indices by
    cell), or the largest: a cell that has learnt nothing has no gap either.
    """
    if not usable.keys() >= set(GAP_OF):
        return None
    every = sweep.points_of(trained)
    lstm, gru = (
        np.array([[*map(_gap, sweep.runs_of(trained, cell, one))] for one in every])
        for cell in GAP_OF
    )
    by_size = [  # of [sizes, seeds]
        sweeps.SizeGap(rows=_rows(point), **asdict(intervals.welch_difference(*own)))
        for point, *own in zip(every, lstm.tolist(), gru.tolist(), strict=True)
    ]
    first = min(max(usable[cell] for cell in GAP_OF), len(every) - 1)
    means = lstm[first:].mean(axis=0), gru[first:].mean(axis=0)
    a, b = GAP_OF
    return sweeps.Gaps(
        a=a, b=b, by_size=tuple(by_size), **asdict(intervals.welch_difference(*means))
    )


SWEEP = Sweep(points, read)
