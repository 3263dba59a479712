"""Claims: planted findings get the verdict they deserve; the page holds every claim."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from asked import Silent
from conftest import TINY, run_cli

from seqclf.config import RunConfig
from seqclf.errors import ConfigError, DataError
from seqclf.records.estimates import Difference, Mean, MeanShare
from seqclf.records.inside import (
    AccuracyAt,
    CellGates,
    CellMemory,
    CellOrder,
    DifferenceAt,
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
    DEPENDS,
    EQUAL,
    SUPPORTED,
    UNDECIDED,
    Claim,
    Ruling,
    all_of,
    by_interval,
    inside,
    side_by_side,
    sweeps,
)
from seqclf.studies.intervals import CELLS, MODELS
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


def test_one_cell_contradicts_what_is_said_of_all():
    assert all_of([SUPPORTED, SUPPORTED]) == SUPPORTED
    assert all_of([SUPPORTED, CONTRADICTED]) == CONTRADICTED
    assert all_of([UNDECIDED, CONTRADICTED]) == CONTRADICTED
    assert all_of([SUPPORTED, UNDECIDED]) == UNDECIDED


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
        (50, 10, SUPPORTED), (49, 10, UNDECIDED), (50, 9, UNDECIDED),
    ):  # fmt: skip
        one = typed(found_gradients(span, texts, **found))
        assert inside.gradients_of_gates(one).verdict == verdict


@pytest.mark.parametrize(
    ("gru", "lstm", "expected"),
    [
        ((10, 1000), (2, 5), SUPPORTED),
        ((0.01, 0.1), (0.2, 0.5), CONTRADICTED),
        ((10, 1000), (0.2, 0.5), CONTRADICTED),
        ((10, 1000), (0.5, 2), UNDECIDED),
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


def memory(distance: int, over_rnn: float) -> Answer:
    far = AccuracyAt(distance=distance, accuracy=0.9, low=0.8, high=1.0)
    apart = DifferenceAt(
        distance=distance, difference=over_rnn, low=over_rnn - 0.05,
        high=over_rnn + 0.05, p=0.5, of=CELLS,
    )  # fmt: skip
    rnn = CellMemory(accuracy=(far,), best=0.9, learnt=True, half_way=33.4)
    lstm = dataclasses.replace(rnn, over_rnn=(apart,), half_way=None)
    cells = {"rnn": rnn, "lstm": lstm}
    recall = SeriesMemory(title="first token", chance=0.25, n=9, cells=cells)
    return typed(MemoryFindings(distances=(distance,), series={"recall": recall}))


def test_memory_counts_only_over_a_long_distance():
    assert inside.memory_of_gates(memory(100, 0.5)).verdict == SUPPORTED
    said = inside.memory_of_gates(memory(100, 0.5)).evidence
    assert "SimpleRNN 90.0 % (half-way to chance at 33) and LSTM 90.0 %." in said
    assert inside.memory_of_gates(memory(100, -0.5)).verdict == CONTRADICTED
    assert inside.memory_of_gates(memory(100, 0.01)).verdict == UNDECIDED
    assert inside.memory_of_gates(memory(50, 0.5)).verdict == UNDECIDED


@pytest.mark.parametrize(
    ("other", "series", "expected"),
    [
        (0.5, "recall_small", SUPPORTED),
        (0.0, "recall_short", UNDECIDED),
        (-0.5, "recall_small", CONTRADICTED),
        (-0.5, "adding", SUPPORTED),  # is not a matter of the first token
    ],
)
def test_memory_is_judged_in_every_way_it_was_asked_for(other, series, expected):
    found = memory(100, 0.5)
    second = memory(100, other).findings.series["recall"]
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


def steps(rnn: tuple[float, float], lstm: tuple[float, float]) -> Answer[CostFindings]:
    def ratio(low, high):
        return Median(median=(low + high) / 2, low=low, high=high)

    return cost(step_ratio={"rnn": ratio(*rnn), "lstm": ratio(*lstm)})


def test_times_are_judged_by_all_rounds():
    assert side_by_side.price_of_gates(steps((0.4, 0.6), (1, 1))).verdict == SUPPORTED
    assert (
        side_by_side.price_of_gates(steps((1.1, 1.3), (1, 1))).verdict == CONTRADICTED
    )
    assert side_by_side.price_of_gates(steps((0.9, 1.1), (1, 1))).verdict == UNDECIDED
    assert side_by_side.speed_of_gru(steps((1, 1), (1.1, 1.4))).verdict == SUPPORTED
    assert (
        side_by_side.speed_of_gru(steps((1, 1), (0.98, 1.03))).verdict == CONTRADICTED
    )
    assert side_by_side.speed_of_gru(steps((1, 1), (0.9, 1.4))).verdict == UNDECIDED
    slightly = side_by_side.speed_of_gru(steps((1, 1), (1.01, 1.04)))
    assert slightly.verdict == SUPPORTED
    assert "1.02 times (1.01 to 1.04)" in slightly.evidence


@pytest.mark.parametrize(
    ("high", "said"), [(999_999, "(150 to 999,999)"), (3.7e19, "(150 to 3.7e+19)")]
)
def test_ratios_of_a_million_and_more_are_said_in_powers_of_ten(high, said):
    assert said in side_by_side.speed_of_gru(steps((1, 1), (150, high))).evidence


def converged(ratio: Mean | None, seeds: int = 3) -> Answer[ConvergenceFindings]:
    hardest = ratio and Level(
        loss=0.3, trainings={}, steps={}, seconds_alone={}, ratio=ratio,
        seconds_ratio=ratio,
    )  # fmt: skip
    found = ConvergenceFindings(
        levels=(), hardest=hardest, best_epoch={}, milliseconds_per_step={},
        guessing=0.7, way=0.5, fewer=0, more=0, last=(None, None), seeds=seeds,
    )  # fmt: skip
    return answer(found, seeds)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.5, 0.9, SUPPORTED), (1.1, 1.5, CONTRADICTED), (0.9, 1.2, UNDECIDED)],
)
def test_fewer_steps_are_a_ratio_below_one(low, high, expected):
    ratio = Mean(mean=(low + high) / 2, low=low, high=high)
    assert side_by_side.convergence(converged(ratio)).verdict == expected


def test_one_training_or_none_that_learnt_decides_no_convergence():
    one = converged(Mean(mean=0.5), seeds=1)
    assert side_by_side.convergence(one).verdict == UNDECIDED
    assert "One training each" in side_by_side.convergence(one).evidence
    assert side_by_side.convergence(converged(None)).verdict == UNDECIDED


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
    assert few.verdict == UNDECIDED
    assert "Plenty begins at 10,000" in few.evidence


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
    # What decided is shown, not a larger difference that chance would make.
    ruling = sweeps.variants(variants((0.02, 0.001), (0.05, 0.3)))
    assert ruling.verdict == SUPPORTED
    assert "v0: 2.0 points (1.0 to 3.0), adjusted p = 0.001." in ruling.evidence


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

    def run_study(name, question, target, listener, jobs):
        if isinstance(outcomes[name], Exception):
            raise outcomes[name]
        done = dataclasses.replace(answer({}, study=name), about=about)
        return done, tmp_path / str(outcomes[name]) / name

    monkeypatch.setattr(workflow, "STUDIES", fake)
    monkeypatch.setattr(workflow, "CLAIMS", chosen)
    monkeypatch.setattr(claims_page, "CLAIMS", chosen)
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
    assert [one.study for one in page.rulings] == ["cost", "wins"]
    assert page.notes[1:] == (
        "mix has no answer: leave --pooling attention out.",
        "size has no answer: --limit of at least 12 texts.",
    )
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
    assert [one.study for one in page.rulings] == ["cost"]
    for name, note in zip(("gates", "mix"), page.notes[1:], strict=True):
        assert note.startswith(f"{name} has no answer: it could not be judged (KeyErr")
        assert f"type seqclf study {name} --fresh" in note
    assert page.file.exists()


def test_claims_stand_where_their_page_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "reviews-studies" / claims_page.PAGE_FILE).mkdir(parents=True)
    page = judged(monkeypatch, tmp_path, {"cost": "reviews-studies"})
    assert [one.study for one in page.rulings] == ["cost"]


def test_what_no_study_can_be_asked_is_an_error(monkeypatch, tmp_path):
    refused = {"cost": ConfigError("units must be positive"), "mix": "reviews-studies"}
    with pytest.raises(ConfigError, match="positive"):
        judged(monkeypatch, tmp_path, refused)


@pytest.mark.slow
def test_the_page_holds_every_claim_that_could_be_asked(workplace, tmp_path):
    command = ["claims", f"--data={workplace / 'reviews'}", "--quick", *TINY]
    done = run_cli([*command, "--json"], tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "models" / "reviews-studies"
    said = json.loads(done.stdout)
    assert said == json.loads((folder / claims_page.JSON_FILE).read_text())
    asked = [claim.text for claim in CLAIMS if claim.study != "wins"]
    assert [one["claim"] for one in said["claims"]] == asked
    by_study = {one["study"]: one["verdict"] for one in said["claims"]}
    assert by_study.pop("flow") == DEPENDS  # on no data
    assert set(by_study.values()) <= {SUPPORTED, CONTRADICTED, UNDECIDED}
    assert any("wins has no answer" in note for note in said["notes"])
    page = (folder / claims_page.PAGE_FILE).read_text()
    assert all(text in page for text in asked)
    # Nothing is trained or measured twice.
    again = run_cli([*command, "--markdown"], tmp_path)
    assert again.returncode == 0, again.stderr
    assert "trainings" not in again.stderr
    rows = [line for line in again.stdout.splitlines() if line.startswith("| ")]
    assert [row[2:].partition(" | ")[0] for row in rows[2:]] == asked
