"""Claims: planted findings get the verdict they deserve; the page holds every claim."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from asked import Silent
from conftest import TINY, run_cli

from seqclf.config import DataConfig, RunConfig
from seqclf.errors import ConfigError, DataError
from seqclf.records.estimates import Difference, Mean, MeanShare
from seqclf.records.inside import (
    AccuracyAt,
    CellGates,
    CellMemory,
    CellOrder,
    Effect,
    GatesFindings,
    GradientsFindings,
    MemoryFindings,
    OrderFindings,
    Ratio,
    SeriesMemory,
)
from seqclf.records.side_by_side import (
    ConvergenceFindings,
    CostFindings,
    Level,
    Median,
    OverDataSets,
    ToldApart,
    WinsFindings,
)
from seqclf.records.sweeps import (
    Crossing,
    Gaps,
    SizeFindings,
    SizePair,
    Spread,
    SpreadPair,
    TrialsFindings,
    Variant,
    VariantsFindings,
)
from seqclf.report.table import Table
from seqclf.steps import Target
from seqclf.studies import STUDIES, claims_page
from seqclf.studies.claims import (
    CLAIMS,
    CONTRADICTED,
    EQUAL,
    NOT_JUDGED,
    NOT_RUN,
    SUPPORTED,
    UNDECIDED,
    Claim,
    Ruling,
    agreed,
    all_of,
    by_interval,
    by_ratio,
    depends_on,
    inside,
    side_by_side,
    sweeps,
)
from seqclf.studies.claims.ruling import any_of
from seqclf.studies.intervals import CELLS, MODELS
from seqclf.studies.lab import Lab
from seqclf.studies.question import About, Answer, Question
from seqclf.workflows import study as workflow


def answer(findings: Any, seeds: int = 3, study: str = "x") -> Answer[Any]:
    if isinstance(findings, dict):
        findings = findings | {"seeds": seeds}
    return Answer(
        study=study,
        title="",
        sentence="",
        table=Table(header=("a",), rows=()),
        rows=(),
        findings=findings,
        trials=3 * seeds,
        about=About(seeds=tuple(range(seeds))),
    )


def typed(findings: Any, seeds: int = 3) -> Answer:
    """An answer whose findings are a record."""
    return dataclasses.replace(answer({}, seeds), findings=findings)


@pytest.mark.parametrize(
    ("low", "high", "bound", "verdict"),
    [
        (0.1, 0.3, 0.0, SUPPORTED),
        (-0.3, -0.1, 0.0, CONTRADICTED),
        (-0.1, 0.3, 0.0, UNDECIDED),
        (0.0, 0.3, 0.0, UNDECIDED),  # not above it
        (1.1, 2.0, 1.0, SUPPORTED),
        (0.5, 0.9, 1.0, CONTRADICTED),
        (None, None, 0.0, UNDECIDED),
    ],
)
def test_an_interval_decides_only_if_it_leaves_the_bound_out(low, high, bound, verdict):
    assert by_interval(low, high, bound) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.009, 0.008, EQUAL),
        (0.001, 0.009, EQUAL),  # surely more, by less than anyone would notice
        (0.001, 0.02, SUPPORTED),
        (-0.02, -0.001, CONTRADICTED),
        (-0.01, 0.005, CONTRADICTED),  # the margin itself is not within it
        (-0.009, 0.01, UNDECIDED),
        (None, None, UNDECIDED),
    ],
)
def test_what_keeps_within_a_margin_is_practically_equal(low, high, verdict):
    assert by_interval(low, high, margin=0.01) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.6, 1.9, EQUAL),
        (0.51, 0.9, EQUAL),
        (2.1, 9.0, SUPPORTED),
        (0.1, 0.4, CONTRADICTED),
        (0.4, 1.9, CONTRADICTED),  # if it is more, then not by that much
        (0.6, 2.1, UNDECIDED),
        (None, 2.0, UNDECIDED),
    ],
)
def test_a_ratio_is_judged_alike_both_ways(low, high, verdict):
    assert by_ratio(low, high, alike=2.0) == verdict
    if low and high and verdict == SUPPORTED:
        assert by_ratio(1 / high, 1 / low, alike=2.0) == CONTRADICTED
    if verdict == EQUAL:
        assert by_ratio(1 / high, 1 / low, alike=2.0) == EQUAL


def test_one_cell_contradicts_what_is_said_of_all():
    assert all_of([SUPPORTED, SUPPORTED]) == SUPPORTED
    assert all_of([SUPPORTED, CONTRADICTED]) == CONTRADICTED
    assert all_of([UNDECIDED, CONTRADICTED]) == CONTRADICTED
    assert all_of([SUPPORTED, UNDECIDED]) == UNDECIDED
    assert all_of([EQUAL, UNDECIDED]) == UNDECIDED
    assert all_of([EQUAL, EQUAL]) == EQUAL
    assert all_of([SUPPORTED, EQUAL]) == depends_on("the cell")


def test_ways_of_asking_that_disagree_are_what_it_depends_on():
    assert agreed([SUPPORTED, SUPPORTED], "x") == SUPPORTED
    assert agreed([SUPPORTED, UNDECIDED], "x") == UNDECIDED
    assert agreed([SUPPORTED, UNDECIDED, EQUAL], "x") == "depends on x"
    assert agreed([SUPPORTED, CONTRADICTED], "x") == "depends on x"
    assert agreed([SUPPORTED, NOT_JUDGED], "x") == UNDECIDED
    assert agreed([NOT_JUDGED, NOT_JUDGED], "x") == NOT_JUDGED


def found_gradients(span: int, texts: int, **found: Any) -> GradientsFindings:
    nothing = {"accuracy": {}, "memory": {}, "cells": {}, "against_rnn": {}}
    return GradientsFindings(
        texts=texts, batches=9, clip_norm=1.0, span=span, threshold=100.0,
        **nothing | found,
    )  # fmt: skip


def test_few_texts_or_tokens_say_nothing_of_long_distances():
    better = {"after": Ratio(ratio=4, low=2, high=8)}
    found = {"accuracy": {"lstm": 0.8}, "against_rnn": {"lstm": better}}
    for span, texts, verdict in (
        (50, 10, SUPPORTED), (49, 10, NOT_JUDGED), (50, 9, NOT_JUDGED),
    ):  # fmt: skip
        one = typed(found_gradients(span, texts, **found))
        assert inside.gradients_of_gates(one).verdict == verdict
    # Nor do gradients of a model that always guesses.
    guessing = typed(found_gradients(50, 10, guessing=("rnn",), **found))
    ruling = inside.gradients_of_gates(guessing)
    assert ruling.verdict == NOT_JUDGED
    assert "SimpleRNN may have learnt nothing" in ruling.evidence


@pytest.mark.parametrize(
    ("gru", "lstm", "expected"),
    [
        ((10, 1000), (2, 5), SUPPORTED),
        ((0.01, 0.1), (0.2, 0.5), CONTRADICTED),
        ((10, 1000), (0.2, 0.5), CONTRADICTED),
        ((10, 1000), (0.5, 2), UNDECIDED),
        ((0.6, 1.4), (0.7, 1.9), EQUAL),
        ((10, 1000), (0.7, 1.9), depends_on("the cell")),
    ],
)
def test_the_last_stage_tells_whether_gates_cure_it(gru, lstm, expected):
    def stages(low, high):
        last = Ratio(ratio=(low * high) ** 0.5, low=low, high=high)
        return {"before": Ratio(ratio=1, low=1, high=1), "after": last}

    found = found_gradients(
        50,
        200,
        accuracy={"gru": 0.9, "lstm": 0.8},
        against_rnn={"gru": stages(*gru), "lstm": stages(*lstm)},
    )
    assert inside.gradients_of_gates(typed(found)).verdict == expected


def memory(
    distance: int,
    rnn: tuple[float, float | None] | None,
    lstm: tuple[float | None, float | None] | None,
) -> Answer:
    """Cells whose recall falls half-way within an interval, or that learnt nothing."""

    def cell(ends):
        """Ends that fall from 1 to 0.2 at those distances, by steps of one token."""
        low, high = ends or (None, None)
        middle = low and (low + (high or distance)) // 2

        def at(d):
            before, between, after = (
                1.0 if end is None or d < end else 0.2 for end in (low, middle, high)
            )
            return AccuracyAt(distance=d, accuracy=between, low=before, high=after)

        curve = tuple(map(at, range(1, distance + 1)))
        return CellMemory(
            accuracy=curve, best=1.0, learnt=ends is not None,
            half_way=float(middle) if middle else None,
        )  # fmt: skip

    cells = {"rnn": cell(rnn), "lstm": cell(lstm)}
    recall = SeriesMemory(title="first token", chance=0.25, n=9, cells=cells)
    return typed(MemoryFindings(distances=(distance,), series={"recall": recall}))


NEAR, FAR, BEYOND = (30, 36), (60, 90), (None, None)


@pytest.mark.parametrize(
    ("rnn", "lstm", "expected"),
    [
        (NEAR, FAR, SUPPORTED),
        (NEAR, BEYOND, SUPPORTED),
        (FAR, NEAR, CONTRADICTED),
        (BEYOND, FAR, CONTRADICTED),
        (BEYOND, BEYOND, EQUAL),  # within what was tested
        (NEAR, (33, 80), UNDECIDED),
        ((60, None), BEYOND, UNDECIDED),
        (None, FAR, SUPPORTED),  # SimpleRNN learnt nothing
        (NEAR, None, CONTRADICTED),
        (None, None, UNDECIDED),
    ],
)
def test_memory_is_judged_by_the_distance_at_which_half_is_left(rnn, lstm, expected):
    assert inside.memory_of_gates(memory(100, rnn, lstm)).verdict == expected


def test_memory_counts_only_over_a_long_distance():
    said = inside.memory_of_gates(memory(100, NEAR, BEYOND)).evidence
    assert "SimpleRNN at 33 (29 to 35) and LSTM does not (100.0 % at the" in said
    assert "LSTM learnt nothing" in (
        inside.memory_of_gates(memory(100, NEAR, None)).evidence
    )
    assert inside.memory_of_gates(memory(50, NEAR, FAR)).verdict == NOT_JUDGED


DIFFERS = depends_on("training texts and initialisation")


@pytest.mark.parametrize(
    ("other", "series", "expected"),
    [
        ((NEAR, FAR), "recall_small", SUPPORTED),
        ((BEYOND, BEYOND), "recall_short", DIFFERS),
        ((FAR, NEAR), "recall_small", DIFFERS),
        ((NEAR, (33, 80)), "recall_small", UNDECIDED),
        ((FAR, NEAR), "adding", SUPPORTED),  # is not a matter of the first token
    ],
)
def test_memory_is_judged_in_every_way_it_was_asked_for(other, series, expected):
    found = memory(100, NEAR, FAR)
    second = memory(100, *other).findings.series["recall"]
    second = dataclasses.replace(second, title="otherwise")
    found.findings.series[series] = second
    ruling = inside.memory_of_gates(found)
    assert ruling.verdict == expected
    assert ("otherwise: SimpleRNN" in ruling.evidence) == (series != "adding")


def shuffled(p: float = 0.01, of: str = CELLS, **lost: float | None) -> Answer:
    def points(value: float) -> Difference:
        return Difference(
            difference=value, low=value - 0.02, high=value + 0.02, p=p, of=of
        )

    # Where the test alone is shuffled, everything is lost: that decides nothing.
    cells = {
        cell: CellOrder(
            accuracy={},
            lost_at_test=points(0.3),
            lost=None if value is None else points(value),
        )
        for cell, value in lost.items()
    }
    return typed(OrderFindings(n=9, cells=cells))


def test_cells_that_learnt_nothing_say_nothing_of_order_or_recurrence():
    alike = shuffled(gru=0.0, lstm=0.1)
    one = dataclasses.replace(alike.findings, guessing=("gru",))
    ruling = inside.order(typed(one))
    assert ruling.verdict == SUPPORTED
    assert ruling.evidence.startswith("GRU may have learnt nothing: ")
    assert "LSTM 10.0 points" in ruling.evidence
    both = dataclasses.replace(alike.findings, guessing=("none", "gru", "lstm"))
    assert inside.order(typed(both)).verdict == NOT_JUDGED
    found = beaten(gru=(0.0, 0.0), lstm=(0.1, 0.1)).findings
    one = dataclasses.replace(found, guessing=("gru",))
    assert inside.recurrence(typed(one)).verdict == SUPPORTED
    both = dataclasses.replace(found, guessing=("gru", "lstm"))
    assert inside.recurrence(typed(both)).verdict == NOT_JUDGED
    nothing = variants((0.0, 1.0)).findings
    learnt = dataclasses.replace(nothing, guessing=("lstm",))
    assert sweeps.variants(answer(learnt, 3)).verdict == UNDECIDED
    guessed = dataclasses.replace(nothing, guessing=("gru",))
    assert sweeps.variants(answer(guessed, 3)).verdict == NOT_JUDGED


def test_a_page_goes_on_where_a_study_that_is_not_run_would_refuse(monkeypatch):
    def refuse(question, lab):
        raise ConfigError("it adds a convolution by itself")

    study = dataclasses.replace(workflow.STUDIES["mix"], run=refuse)
    monkeypatch.setitem(workflow.STUDIES, "mix", study)
    question = Question(config=RunConfig(), cells=("gru",), seeds=(0,))
    lab = Lab(Path("x"), Target(Path("x"), Path("y")), None, 1)
    assert workflow._price("mix", 3, question, lab) == (
        " it adds a convolution by itself"
    )


def test_order_matters_if_one_cell_trained_without_it_is_behind():
    assert inside.order(shuffled(none=None, gru=0.1, lstm=0.0)).verdict == SUPPORTED
    assert inside.order(shuffled(none=0.1, gru=0.01, lstm=None)).verdict == UNDECIDED
    assert inside.order(shuffled(gru=-0.1, lstm=-0.05)).verdict == CONTRADICTED
    assert inside.order(shuffled(none=None, gru=None)).verdict == UNDECIDED
    # The p adjusted for all cells, not an interval alone, and not one training each.
    assert inside.order(shuffled(p=0.06, gru=0.1)).verdict == UNDECIDED
    assert inside.order(shuffled(of=MODELS, gru=0.1)).verdict == UNDECIDED


def beaten(of: str = CELLS, p: float = 0.01, **over: tuple | None) -> Answer:
    """Each cell's lead over none and over dense, give or take 0.02."""

    def lead(value: float) -> Difference:
        return Difference(
            difference=value, low=value - 0.02, high=value + 0.02, p=p, of=of
        )

    nothing = Difference(difference=0.0, low=0.0, high=0.0, p=1.0, of=of)
    cells = {
        cell: CellOrder(
            accuracy={}, lost_at_test=nothing,
            over_none=None if pair is None else lead(pair[0]),
            over_dense=None if pair is None else lead(pair[1]),
        )
        for cell, pair in over.items()
    }  # fmt: skip
    return typed(OrderFindings(n=9, cells=cells))


def test_recurrence_helps_if_one_cell_beats_both_twins_that_do_not_recur():
    some = inside.recurrence(beaten(dense=None, rnn=(0.05, 0.01), gru=(0.1, 0.06)))
    assert some.verdict == SUPPORTED
    assert "SimpleRNN beats none and GRU beats none and dense" in some.evidence
    # By Holm over two cells: 2 x 0.01.
    assert "adjusted for 2 cells: 0.02" in some.evidence
    # Capacity alone explains it.
    one = inside.recurrence(beaten(rnn=(0.1, 0.01), gru=(0.1, 0.0)))
    assert one.verdict == UNDECIDED
    none = inside.recurrence(beaten(rnn=(0.1, -0.05), gru=(-0.1, 0.1)))
    assert none.verdict == CONTRADICTED
    assert (
        inside.recurrence(beaten(p=0.03, rnn=(0, 0), gru=(1, 1))).verdict == UNDECIDED
    )
    assert inside.recurrence(beaten(of=MODELS, gru=(0.1, 0.1))).verdict == UNDECIDED
    # Both have to be beaten: the larger p counts.
    found = beaten(gru=(0.1, 0.1))
    cell = found.findings.cells["gru"]
    unsure = dataclasses.replace(cell.over_dense, p=0.06)
    found.findings.cells["gru"] = dataclasses.replace(cell, over_dense=unsure)
    assert inside.recurrence(found).verdict == UNDECIDED
    assert "adjusted for 1 cell: 0.06" in inside.recurrence(found).evidence
    assert inside.recurrence(beaten(gru=None)).verdict == UNDECIDED


def cost(**found: Any) -> Answer[CostFindings]:
    nothing = {field.name: {} for field in dataclasses.fields(CostFindings)}
    return answer(CostFindings(**nothing | found))


def test_parameters_have_to_fall_from_lstm_to_rnn():
    counts = {"rnn": 1, "gru": 3, "lstm": 4}
    found = cost(recurrent_parameters=counts)
    assert side_by_side.parameters(found).verdict == SUPPORTED
    equal = cost(recurrent_parameters=dict.fromkeys(counts, 4))
    assert side_by_side.parameters(equal).verdict == CONTRADICTED


Ends = tuple[float, float]


def timed(
    step: Ends, single: Ends, cell: str = "rnn", adds: int = 4
) -> Answer[CostFindings]:
    """A cell beside GRU, whose matrices have 3: steps, predictions, multiply-adds."""

    def ratio(low, high):
        return {cell: Median(median=(low + high) / 2, low=low, high=high)}

    return cost(
        step_ratio=ratio(*step), prediction_ratio=ratio(*single),
        multiply_adds_per_token={"gru": 3, cell: adds},
    )  # fmt: skip


COUNTED = depends_on("what is counted")


@pytest.mark.parametrize(
    ("step", "single", "expected"),
    [
        ((0.4, 0.6), (0.5, 0.8), SUPPORTED),
        ((1.1, 1.3), (1.2, 1.3), CONTRADICTED),
        ((0.97, 1.03), (0.98, 1.02), EQUAL),
        ((0.4, 0.6), (1.1, 1.3), COUNTED),
        ((0.4, 0.6), (0.97, 1.03), COUNTED),
        ((0.4, 0.6), (0.8, 1.2), UNDECIDED),
    ],
)
def test_gates_cost_time_if_training_and_prediction_say_so(step, single, expected):
    assert side_by_side.price_of_gates(timed(step, single)).verdict == expected


@pytest.mark.parametrize(
    ("step", "single", "adds", "expected"),
    [
        ((1.1, 1.4), (1.2, 1.3), 4, SUPPORTED),
        ((0.97, 1.03), (1.2, 1.3), 4, COUNTED),
        ((0.8, 0.9), (1.2, 1.3), 4, COUNTED),
        ((0.8, 1.2), (1.2, 1.3), 4, UNDECIDED),
        ((0.8, 0.9), (0.8, 0.9), 2, CONTRADICTED),
    ],
)
def test_lstm_is_slower_if_arithmetic_training_and_prediction_say_so(
    step, single, adds, expected
):
    ruling = side_by_side.speed_of_gru(timed(step, single, "lstm", adds))
    assert ruling.verdict == expected
    assert f"LSTM beside GRU: {adds / 3:.2f} times the arithmetic" in ruling.evidence


@pytest.mark.parametrize(
    ("high", "said"), [(999_999, "(150 to 999,999)"), (3.7e19, "(150 to 3.7e+19)")]
)
def test_ratios_of_a_million_and_more_are_said_in_powers_of_ten(high, said):
    found = timed((150, high), (1, 1), "lstm")
    assert said in side_by_side.speed_of_gru(found).evidence


def converged(*ratios: Mean, seeds: int = 3) -> Answer[ConvergenceFindings]:
    levels = tuple(
        Level(
            loss=0.3, trainings={}, steps={}, seconds_alone={}, ratio=ratio,
            seconds_ratio=ratio,
        )
        for ratio in ratios
    )  # fmt: skip
    found = ConvergenceFindings(
        levels=levels, hardest=levels[-1] if levels else None, best_epoch={},
        milliseconds_per_step={}, guessing=0.7, way=0.5, fewer=0, more=0,
        last=(None, None), seeds=seeds,
    )  # fmt: skip
    return answer(found, seeds)


FEWER, MORE, ALIKE, OPEN = (0.5, 0.8), (1.2, 1.5), (0.95, 1.05), (0.8, 1.2)


@pytest.mark.parametrize(
    ("easy", "hard", "expected"),
    [
        (FEWER, FEWER, SUPPORTED),
        (MORE, MORE, CONTRADICTED),
        (ALIKE, ALIKE, EQUAL),
        (OPEN, FEWER, UNDECIDED),
        (FEWER, MORE, depends_on("the loss to reach")),
    ],
)
def test_fewer_steps_are_a_ratio_below_one_at_every_level(easy, hard, expected):
    ratios = [
        Mean(mean=sum(ends) / 2, low=ends[0], high=ends[1]) for ends in (easy, hard)
    ]
    ruling = side_by_side.convergence(converged(*ratios))
    assert ruling.verdict == expected
    assert "to a validation loss of 0.300 " in ruling.evidence


def test_one_training_or_none_that_learnt_decides_no_convergence():
    one = converged(Mean(mean=0.5), seeds=1)
    assert side_by_side.convergence(one).verdict == UNDECIDED
    assert "One training each" in side_by_side.convergence(one).evidence
    assert side_by_side.convergence(converged()).verdict == NOT_JUDGED


def size(seeds: int = 3, **found: Any) -> Answer[SizeFindings]:
    nothing = {
        "sizes": (64,), "guess": 0.5, "curves": (), "fits": {}, "pairs": (),
        "gaps": None, "seeds": seeds,
    }  # fmt: skip
    return answer(SizeFindings(**nothing | found), seeds)


@pytest.mark.parametrize("turned", [False, True])
def test_plenty_of_data_is_judged_for_lstm_whoever_stands_first(turned):
    pair = {"a": "lstm", "b": "gru", "difference": 0.02, "low": 0.01, "high": 0.03}
    if turned:
        pair = {"a": "gru", "b": "lstm", "difference": -0.02} | {
            "low": -0.03, "high": -0.01
        }  # fmt: skip
    pairs = (SizePair(**pair, p=0.01, of=CELLS, crossing=Crossing()),)
    found = {"sizes": (64, 10_000), "pairs": pairs}
    ruling = sweeps.plenty(size(**found))
    assert ruling.verdict == SUPPORTED
    assert "10,000 texts: 2.0 points (1.0 to 3.0)" in ruling.evidence
    assert sweeps.plenty(size(seeds=1, **found)).verdict == UNDECIDED
    few = sweeps.plenty(size(**found | {"sizes": (64, 9999)}))
    assert few.verdict == NOT_JUDGED
    assert "Plenty begins at 10,000" in few.evidence


def test_cells_that_guess_are_not_judged_by_their_learning_curves():
    pair = SizePair(
        a="lstm", b="gru", difference=0.0, low=-0.009, high=0.009, p=0.5, of=CELLS,
        crossing=Crossing(),
    )  # fmt: skip
    found = {"sizes": (64, 10_000), "pairs": (pair,)}
    assert sweeps.plenty(size(**found)).verdict == EQUAL
    assert sweeps.plenty(size(**found, guessing=("rnn",))).verdict == EQUAL
    ruling = sweeps.plenty(size(**found, guessing=("rnn", "gru")))
    assert ruling.verdict == NOT_JUDGED
    assert ruling.evidence.endswith(" GRU may have learnt nothing.")


def test_a_larger_gap_of_lstm_is_overfitting():
    def gaps(mean, low, high):
        return Gaps(a="lstm", b="gru", by_size=(), mean=mean, low=low, high=high)

    more, less = gaps(0.03, 0.01, 0.05), gaps(-0.03, -0.05, -0.01)
    assert sweeps.overfitting(size(gaps=more)).verdict == SUPPORTED
    assert sweeps.overfitting(size(gaps=less)).verdict == CONTRADICTED
    one = gaps(0.03, None, None)
    assert sweeps.overfitting(size(seeds=1, gaps=one)).verdict == UNDECIDED


def variants(*differences: tuple[float, float], seeds: int = 3) -> Answer[Any]:
    plain = Variant(
        cell="gru", variant="plain", log_loss=0.5, parameters=10,
        accuracy=MeanShare(mean=0.8, low=0.7, high=0.9),
    )  # fmt: skip
    others = [
        dataclasses.replace(
            plain, variant=f"v{i}", difference=d, p=p, low=d - 0.01, high=d + 0.01
        )
        for i, (d, p) in enumerate(differences)
    ]
    found = VariantsFindings(plain="plain", variants=(plain, *others), seeds=seeds)
    return answer(found, seeds)


def test_a_variant_helps_if_one_is_better_beyond_chance():
    good = (0.05, 0.001), (-0.02, 0.4)
    assert sweeps.variants(variants(*good)).verdict == SUPPORTED
    assert sweeps.variants(variants(*good, seeds=1)).verdict == UNDECIDED
    assert sweeps.variants(variants((0.05, 0.2))).verdict == UNDECIDED
    worse = variants((-0.05, 0.001), (-0.03, 0.01))
    assert sweeps.variants(worse).verdict == CONTRADICTED
    # None gains a point, the interval's upper end included; one that may is open.
    none = sweeps.variants(variants((-0.05, 0.001), (-0.005, 0.4)))
    assert none.verdict == CONTRADICTED
    assert none.evidence.endswith("None gains 1 point.")
    assert sweeps.variants(variants((-0.05, 0.001), (0.0, 0.9))).verdict == UNDECIDED
    # What decided is shown, not a larger difference that chance would make.
    ruling = sweeps.variants(variants((0.02, 0.001), (0.05, 0.3)))
    assert ruling.verdict == SUPPORTED
    assert "v0: 2.0 points (1.0 to 3.0), adjusted p = 0.001." in ruling.evidence


def test_a_gain_of_less_than_a_point_is_none():
    little, open_ = (0.001, 0.007, 0.001), (0.001, 0.02, 0.2)
    worse, more = (-0.05, -0.02, 0.001), (0.002, 0.02, 0.01)
    assert any_of([little]) == EQUAL
    assert any_of([(-0.005, 0.005, 0.9), worse]) == EQUAL
    assert any_of([worse, (-0.03, 0.005, 0.2)]) == CONTRADICTED
    assert any_of([open_, little, worse]) == UNDECIDED
    assert any_of([open_, worse, more]) == SUPPORTED


def test_spreads_differ_if_one_pair_does_by_the_adjusted_p():
    def trials(*p_values: float | None) -> Answer[TrialsFindings]:
        spread = Spread(
            cell="gru", n=16, best=0.9, sd=0.02, quartiles=(0.7, 0.8, 0.9),
            quartile_range=0.2, deviation=0.02,
        )  # fmt: skip
        pairs = [SpreadPair(a="rnn", b="gru", deviation=0.0, p=p) for p in p_values]
        found = TrialsFindings(
            draws=16, best_so_far={}, spreads=(spread,), differences=tuple(pairs),
            correlations={}, reached={}, diverged={},
        )  # fmt: skip
        return answer(found)

    assert sweeps.sensitivity(trials(0.2, 0.01)).verdict == SUPPORTED
    assert sweeps.sensitivity(trials(0.2, 0.06)).verdict == UNDECIDED
    assert sweeps.sensitivity(trials(None)).verdict == UNDECIDED
    assert "Least p, adjusted for 2 pairs: 0.06." in (
        sweeps.sensitivity(trials(0.2, 0.06)).evidence
    )


def test_wins_are_judged_by_the_mean_over_data_sets():
    def over(low, high, p, p_equal):
        mean = OverDataSets(
            mean=(low + high) / 2, low=low, high=high, spread=0.0, p=p,
            p_equal=p_equal, margin=0.01,
        )  # fmt: skip
        return answer(wins_of(mean))

    def wins_of(mean):
        return WinsFindings(
            data_sets=4, first=3, second=1, ties=0, overall=mean,
            told_apart=ToldApart(first=0, second=0, of=4),
        )  # fmt: skip

    assert side_by_side.wins(over(0.01, 0.03, 0.01, 0.9)).verdict == SUPPORTED
    assert side_by_side.wins(over(-0.03, -0.01, 0.01, 0.9)).verdict == CONTRADICTED
    assert side_by_side.wins(over(-0.01, 0.03, 0.3, 0.6)).verdict == UNDECIDED
    assert side_by_side.wins(over(-0.004, 0.006, 0.3, 0.01)).verdict == EQUAL
    # Ahead by less than anyone would notice is no lead.
    little = side_by_side.wins(over(0.001, 0.005, 0.01, 0.01))
    assert little.verdict == EQUAL
    assert "GRU is ahead, and practically equal, within 1 point" in little.evidence
    assert side_by_side.wins(answer(wins_of(None))).verdict == UNDECIDED


def found_gates(**found: Any) -> GatesFindings:
    nothing = {"tokens": 9, "difference": 0.0, "cells": {}, "texts": 3, "accuracy": {}}
    return GatesFindings(**nothing | found)


def gates(copying: float | None, dropping: float) -> Answer:
    def effect(ratio):
        one = Effect(n_small=9, n_large=9)
        if ratio is None:
            return one
        return dataclasses.replace(one, ratio=ratio, low=0.9 * ratio, high=1.1 * ratio)

    return typed(
        found_gates(
            copying=effect(copying), dropping=effect(dropping),
            copying_tenths=effect(0.5), dropping_tenths=effect(0.5),
        )
    )  # fmt: skip


def test_what_update_and_reset_do():
    assert inside.copy_and_drop(gates(0.1, 0.2)).verdict == SUPPORTED
    assert inside.copy_and_drop(gates(3.0, 2.0)).verdict == CONTRADICTED
    assert inside.copy_and_drop(gates(0.1, 2.0)).verdict == CONTRADICTED
    assert inside.copy_and_drop(gates(0.1, 0.5)).verdict == UNDECIDED
    # Moving nearly as far is no copying, and tenths of a gate are not near its ends.
    assert inside.copy_and_drop(gates(0.1, 0.93)).verdict == CONTRADICTED
    of_guesser = dataclasses.replace(gates(0.1, 0.2).findings, guessing=("gru",))
    assert inside.copy_and_drop(typed(of_guesser)).verdict == NOT_JUDGED
    others = dataclasses.replace(of_guesser, guessing=("rnn", "lstm"))
    assert inside.copy_and_drop(typed(others)).verdict == SUPPORTED
    never = inside.copy_and_drop(gates(None, 0.2))
    assert never.verdict == UNDECIDED
    assert "z is never near both its ends" in never.evidence


def test_an_lstm_that_shows_nearly_all_hides_nothing():
    def shown(mean):
        one = MeanShare(mean=mean, low=mean - 0.02, high=mean + 0.02)
        lstm = CellGates(gates={}, size=0.5, saturated=0.0, exposed=one)
        return typed(found_gates(cells={"lstm": lstm}))

    assert inside.hidden_memory(shown(0.5)).verdict == SUPPORTED
    assert inside.hidden_memory(shown(0.97)).verdict == CONTRADICTED
    assert inside.hidden_memory(shown(0.9)).verdict == UNDECIDED
    guessing = dataclasses.replace(shown(0.5).findings, guessing=("lstm",))
    assert inside.hidden_memory(typed(guessing)).verdict == NOT_JUDGED


def test_what_says_nothing_of_the_claim_is_not_counted_as_decided():
    def judged(verdict, by_formula=False):
        return claims_page.Judged(
            claim="", verdict=verdict, evidence="", study="", source="", trials=0,
            seeds=1, by_formula=by_formula,
        )  # fmt: skip

    nothing = [UNDECIDED, NOT_JUDGED, NOT_RUN]
    something = [SUPPORTED, CONTRADICTED, EQUAL, depends_on("the cell")]
    assert not any(judged(one).is_decided for one in nothing)
    assert all(judged(one).is_decided for one in something)
    rulings = [judged(one) for one in (*nothing, *something)]
    assert claims_page.decided(rulings) == "Decided: 4 of 7 claims."
    algebra = [judged(SUPPORTED, by_formula=True), judged(NOT_RUN, by_formula=True)]
    assert (
        claims_page.decided(algebra) == "Decided: 1 of 2 claims, 1 of them by formula."
    )


def test_an_answer_of_before_says_nothing_of_predictions():
    found = dataclasses.replace(
        timed((0.4, 0.6), (0.5, 0.8), "lstm").findings, prediction_ratio={}
    )
    for judge in (side_by_side.price_of_gates, side_by_side.speed_of_gru):
        assert judge(answer(found)).verdict == UNDECIDED


def test_every_claim_names_a_study_that_there_is():
    assert {claim.study for claim in CLAIMS} == set(STUDIES)


def says_so(answer):
    return Ruling(SUPPORTED, "")


def judged(
    monkeypatch, tmp_path, outcomes: dict[str, object], judge=None
) -> claims_page.Page:
    """Judges claims on studies with these outcomes: an answer or what was raised."""
    fake = {
        name: dataclasses.replace(STUDIES[name], figure=lambda answer: "<svg/>")
        for name in outcomes
    }
    chosen = [
        Claim(f"{name} says so.", name, "nobody", judge or says_so) for name in outcomes
    ]
    about = About(sizes={"train": 9}, seeds=(0,), data="reviews")

    def run_study(name, question, target, listener, jobs, cluster):
        if isinstance(outcomes[name], Exception):
            raise outcomes[name]
        done = dataclasses.replace(answer({}, study=name), about=about)
        return done, tmp_path / str(outcomes[name]) / name

    monkeypatch.setattr(workflow, "STUDIES", fake)
    monkeypatch.setattr(workflow, "CLAIMS", chosen)
    monkeypatch.setattr(workflow, "run_study", run_study)
    (tmp_path / "reviews-studies").mkdir(exist_ok=True)
    target = Target(tmp_path, tmp_path / "cache")
    return workflow.judge_all(Question(config=RunConfig()), target, Silent(), 1)


def test_a_study_without_an_answer_leaves_the_others_theirs(monkeypatch, tmp_path):
    outcomes = {
        "cost": "reviews-studies",
        "mix": ConfigError("leave --pooling attention out."),
        "size": DataError("--limit of at least 12 texts."),
        "wins": "comparisons-studies",
    }
    page = judged(monkeypatch, tmp_path, outcomes)
    assert [(one.study, one.verdict) for one in page.rulings] == [
        ("cost", SUPPORTED), ("mix", NOT_RUN), ("size", NOT_RUN), ("wins", SUPPORTED),
    ]  # fmt: skip
    said = [one.evidence for one in page.rulings if one.verdict == NOT_RUN]
    assert said == ["leave --pooling attention out.", "--limit of at least 12 texts."]
    assert page.notes[0] == "Decided: 2 of 4 claims."
    # What is of all comparisons does not draw the page to its own folder.
    assert page.file == tmp_path / "reviews-studies" / claims_page.PAGE_FILE
    assert page.file.exists()


def test_an_answer_of_another_time_leaves_the_others_theirs(monkeypatch, tmp_path):
    def judge(answer):
        if answer.study in ("gates", "mix"):
            return Ruling(SUPPORTED, answer.findings["what later ones have"])
        return says_so(answer)

    outcomes = dict.fromkeys(("gates", "cost", "mix"), "reviews-studies")
    page = judged(monkeypatch, tmp_path, outcomes, judge)
    assert [one.study for one in page.rulings] == ["gates", "cost", "mix"]
    for one in page.rulings[::2]:
        assert one.verdict == NOT_RUN
        assert one.evidence.startswith("it could not be judged (KeyErr")
        assert f"type seqclf study {one.study} --fresh" in one.evidence
    assert page.file.exists()


def test_claims_stand_where_their_page_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "reviews-studies" / claims_page.PAGE_FILE).mkdir(parents=True)
    page = judged(monkeypatch, tmp_path, {"cost": "reviews-studies"})
    assert [one.study for one in page.rulings] == ["cost"]


def test_what_no_study_can_be_asked_is_an_error(monkeypatch, tmp_path):
    refused = {"cost": ConfigError("units must be positive"), "mix": "reviews-studies"}
    with pytest.raises(ConfigError, match="positive"):
        judged(monkeypatch, tmp_path, refused)


def test_of_a_study_that_is_asked_each_claim_is_judged_or_says_what_it_lacks(
    monkeypatch, tmp_path
):
    others = (Claim("It also helps.", "gates", "nobody", says_so, seeds=2),)
    found = asked_seeds(monkeypatch, tmp_path, 1, quick=False, others=others)
    assert found["gates"] == 1
    assert found["verdicts"] == [SUPPORTED, NOT_RUN, NOT_RUN]


def asked_seeds(
    monkeypatch, tmp_path, seeds: int, quick: bool, others: tuple[Claim, ...] = ()
) -> dict[str, Any]:
    """Returns how many seeds each study is asked for, and the verdicts."""
    fake = {
        name: dataclasses.replace(STUDIES[name], figure=lambda answer: "<svg/>")
        for name in ("gates", "order")
    }
    claims = [
        Claim("It opens.", "gates", "nobody", says_so),
        *others,
        Claim("It helps.", "order", "nobody", says_so, seeds=2),
    ]
    asked: dict[str, Any] = {}

    def run_study(name, question, target, listener, jobs, cluster):
        asked[name] = len(question.seeds)
        sizes, seeds = {"train": 9}, question.seeds
        about = About(sizes=sizes, seeds=seeds, data="reviews", quick=question.quick)
        done = dataclasses.replace(answer({}, study=name), about=about)
        return done, tmp_path / "reviews-studies" / name

    monkeypatch.setattr(workflow, "STUDIES", fake)
    monkeypatch.setattr(workflow, "CLAIMS", claims)
    monkeypatch.setattr(workflow, "run_study", run_study)
    monkeypatch.setattr(workflow, "_price", lambda *given: " About a minute.")
    question = Question(config=RunConfig(), seeds=tuple(range(seeds)), quick=quick)
    target = Target(tmp_path, tmp_path / "cache")
    page = workflow.judge_all(question, target, Silent(), 1)
    return asked | {"verdicts": [one.verdict for one in page.rulings], "page": page}


def test_a_quick_page_trains_once_where_no_claim_needs_more(monkeypatch, tmp_path):
    found = asked_seeds(monkeypatch, tmp_path, 3, quick=True)
    assert (found["gates"], found["order"]) == (1, 3)
    assert "3 seeds, quick" in found["page"].title
    found = asked_seeds(monkeypatch, tmp_path, 3, quick=False)
    assert (found["gates"], found["order"]) == (3, 3)


def test_what_cannot_be_decided_is_not_asked(monkeypatch, tmp_path):
    found = asked_seeds(monkeypatch, tmp_path, 1, quick=False)
    assert "order" not in found
    assert found["verdicts"] == [SUPPORTED, NOT_RUN]
    assert found["page"].rulings[1].evidence == (
        "Needs 2 seeds (--seeds 2), here is 1. About a minute."
    )


@pytest.mark.parametrize(
    ("seeds", "texts", "quick", "said"),
    [
        (2, 10_000, False, ""),
        (1, 10_000, False, "Needs 2 seeds (--seeds 2), here is 1."),
        (2, 9_999, False, "Needs 10,000 training texts, here are 9,999."),
        (2, 10_000, True, "Needs more than a quick answer: leave --quick out."),
    ],
)
def test_a_claim_says_what_it_lacks(seeds, texts, quick, said):
    claim = Claim(
        "It is.", "size", "nobody", says_so, seeds=2, texts=10_000, takes_quick=False
    )
    question = Question(config=RunConfig(), seeds=tuple(range(seeds)), quick=quick)
    assert claim.lacks(question, lambda: texts) == said


def test_what_a_study_would_train_is_counted_without_training(workplace, tmp_path):
    config = dataclasses.replace(
        RunConfig(), data=DataConfig(source=str(workplace / "reviews"))
    )
    question = Question(config=config, seeds=(0,))
    target = Target(tmp_path / "models", tmp_path / "cache")
    lab = Lab(tmp_path / "models" / "x-studies", target, Silent(), 2)
    # Of each cell a plain network and three variants of it, twice.
    assert workflow._price("mix", 2, question, lab) == " 24 trainings."
    assert workflow._price("mix", 1, question, lab) == ""
    assert not list((tmp_path / "models").glob("**/model.keras"))


@pytest.mark.slow
def test_the_page_holds_every_claim_that_could_be_asked(workplace, tmp_path):
    command = ["claims", f"--data={workplace / 'reviews'}", "--quick", *TINY]
    done = run_cli([*command, "--json"], tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "models" / "reviews-studies"
    said = json.loads(done.stdout)
    assert said == json.loads((folder / claims_page.JSON_FILE).read_text())
    asked = [claim.text for claim in CLAIMS]
    assert [one["claim"] for one in said["claims"]] == asked
    by_study = {one["study"]: one for one in said["claims"]}
    assert by_study["flow"]["verdict"] == depends_on("initialisation")  # on no data
    assert by_study["wins"]["verdict"] == NOT_RUN
    assert "no finished comparison" in by_study["wins"]["evidence"]
    assert by_study["sensitivity"]["verdict"] == NOT_RUN  # of a quick page
    assert said["notes"][0].startswith("Decided: ")
    page = (folder / claims_page.PAGE_FILE).read_text()
    assert all(text in page for text in asked)
    # Nothing is trained or measured twice.
    again = run_cli([*command, "--markdown"], tmp_path)
    assert again.returncode == 0, again.stderr
    assert "trainings" not in again.stderr
    rows = [line for line in again.stdout.splitlines() if line.startswith("| ")]
    assert [row[2:].partition(" | ")[0] for row in rows[2:]] == asked
