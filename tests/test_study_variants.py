from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import TINY, Silent, tiny_question

from seqclf import steps
from seqclf.errors import ConfigError
from seqclf.records.estimates import Difference, MeanShare
from seqclf.records.sweeps import Variant, VariantsFindings
from seqclf.studies import intervals
from seqclf.studies.question import Question
from seqclf.studies.sweeps import variants
from seqclf.studies.sweeps.sweep import Trained
from seqclf.workflows.study import run_study


def test_depth_varies_layers_and_directions_alone():
    points = variants.depths(Question(config=TINY), None)
    assert [p.name for p in points] == [
        "1 layer, two-way", "2 layers, two-way", "3 layers, two-way",
        "1 layer, one-way", "2 layers, one-way", "3 layers, one-way",
    ]  # fmt: skip
    assert points[0].config == TINY
    one_way = dataclasses.replace(
        TINY, model=dataclasses.replace(TINY.model, bidirectional=False)
    )
    assert points[3].config == one_way
    assert variants.depths(Question(config=one_way), None)[0].config == one_way


def test_mix_adds_a_convolution_attention_and_both():
    points = variants.mixtures(Question(config=TINY), None)
    assert points[0].config == TINY
    assert [(p.values["conv_width"], p.values["pooling"]) for p in points] == [
        (None, "max"), (3, "max"), (None, "attention"), (3, "attention")
    ]  # fmt: skip
    attentive = dataclasses.replace(
        TINY, model=dataclasses.replace(TINY.model, pooling="attention")
    )
    with pytest.raises(ConfigError, match="--pooling"):
        variants.mixtures(Question(config=attentive), None)


def test_quick_ones_share_their_plain_training():
    question = Question(config=TINY, quick=True)
    plain = variants.depths(question, None)[0].config
    assert plain == variants.mixtures(question, None)[0].config
    assert len(variants.depths(question, None)) == 2
    assert len(variants.mixtures(question, None)) == 2


def right(shares: list[float], seed: int) -> dict[int, np.ndarray]:
    """Returns right answers of 4,000 texts, a share of them a seed."""
    hard = np.random.default_rng(seed).random(4000)
    return {number: hard < share for number, share in enumerate(shares)}


def test_a_planted_difference_is_found_over_seeds_and_of_two_models():
    better, worse = right([0.86, 0.87, 0.85], 1), right([0.80, 0.79, 0.81], 1)
    found = intervals.difference(better, worse)
    assert found.of == intervals.CELLS
    assert found.low < 0.06 < found.high
    assert found.low > 0
    assert found.p < 0.05
    one = intervals.difference(right([0.86], 1), right([0.80], 1))
    assert one.of == intervals.MODELS
    assert one.low < 0.06 < one.high
    equal = intervals.difference(right([0.8, 0.8], 1), right([0.8, 0.8], 2))
    assert equal.low < 0 < equal.high


def test_students_interval_by_hand():
    # 1 and 3: mean 2, standard error 1, t of one degree of freedom 12.706.
    found = intervals.student_mean([1, 3])
    assert found.low == pytest.approx(2 - 12.7062, abs=1e-3)
    assert intervals.student_mean([1]).low is None


def variant(name: str, p: float | None, difference: float | None = None) -> Variant:
    bounds = (None, None) if p is None else (difference - 0.01, difference + 0.01)
    return Variant(
        cell="gru", variant=name, difference=difference, p=p,
        low=bounds[0], high=bounds[1], log_loss=0.5, parameters=10,
        accuracy=MeanShare(mean=0.8, low=0.79, high=0.81),
    )  # fmt: skip


def test_p_values_are_adjusted_and_the_sentence_claims_no_more():
    own = [variant("plain", None), variant("a", 0.02, 0.04), variant("b", 0.04, 0.01)]
    adjusted = tuple(intervals.adjusted(own))
    # Holm: 2 x 0.02, and 0.04 is not below it.
    assert [one.p for one in adjusted] == [None, 0.04, 0.04]
    question = Question(config=TINY, seeds=(0, 1))
    found = VariantsFindings(plain="plain", variants=adjusted, seeds=2)
    assert "GRU, a: 4.0 points" in variants.sentence(question, found)
    unsure = (own[0], *(dataclasses.replace(one, p=0.5) for one in own[1:]))
    said = variants.sentence(question, dataclasses.replace(found, variants=unsure))
    assert said.startswith("None of 2 comparisons with the plain network")


def test_all_groups_of_a_study_tell_how_far_seeds_vary(monkeypatch):
    asked = []

    def difference(a, b, among=()):
        asked.append((a, b, list(among)))
        return Difference(difference=0.0, low=-1.0, high=1.0, p=1.0, of="cells")

    def run(share):
        scores = SimpleNamespace(log_loss=0.5)
        return SimpleNamespace(
            share=share, metrics={"test": scores},
            environment=SimpleNamespace(parameters=3),
        )  # fmt: skip

    monkeypatch.setattr(variants.intervals, "difference", difference)
    monkeypatch.setattr(
        variants, "right_answers", lambda runs: right([one.share for one in runs], 1)
    )
    monkeypatch.setattr(variants.sweep, "row", lambda one: {})
    monkeypatch.setattr(
        variants.sweep, "beats_guessing", lambda runs: runs[0].share > 0.5
    )
    points = variants.depths(Question(config=TINY), None)[:3]
    trained = [
        Trained(point=point, cell=cell, seed=seed, run=run(0.5 + i / 10 + seed / 100))
        for i, point in enumerate(points)
        for cell in ("gru", "lstm")
        for seed in range(3)
    ]
    question = Question(config=TINY, cells=("gru", "lstm"), seeds=(0, 1, 2))
    variants.read_depths(question, trained)
    assert len(asked) == 4  # two variants of two cells
    for _, plain, among in asked:
        assert len(among) == 6
        assert any(one is plain for one in among)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["depth", "mix"])
def test_the_studies_from_end_to_end(name, workplace, tmp_path):
    question = tiny_question(workplace / "reviews", quick=True)
    target = steps.Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study(name, question, target, Silent(), jobs=2)
    assert [one.cell for one in answer.findings.variants[:2]] == ["gru", "lstm"]
    names = [one.variant for one in answer.findings.variants]
    assert answer.trials == len(names) == len(answer.rows)
    assert answer.findings.variants[0].difference is None
    assert answer.findings.variants[-1].of == intervals.MODELS
    assert "one model each" in answer.sentence
    root = ElementTree.fromstring((path / "figure.svg").read_text())
    texts = {element.text for element in root.iter() if element.text}
    assert {"gru", "lstm", *names} <= texts
