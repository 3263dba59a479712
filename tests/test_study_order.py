import dataclasses
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from asked import comes_back
from conftest import reviews, write_csv

from seqclf.config import DataConfig, ModelConfig, RunConfig, TextConfig, TrainingConfig
from seqclf.records.inside import CellOrder, Difference, OrderFindings
from seqclf.report.table import Table
from seqclf.studies import order
from seqclf.studies.question import Answer, Question
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import Vocabulary, encode_texts

SVG = "{http://www.w3.org/2000/svg}"
NASTY = pa.array(
    [
        "Don't <br /> stop: it's 'fine', isn't it?",
        "a < b / c > d <i>tag</i> x<y",
        "",
        "日本語の text, naïve café — e\u0301 ’tis İ Σας",
        "one",
        " ".join(f"w{i}" for i in range(40)),
    ]
)


def tokens(texts):
    return tokenize(texts).to_pylist()


def test_shuffled_texts_have_the_same_tokens_in_another_order():
    before = tokens(NASTY)
    after = tokens(order.shuffled_words(NASTY, TextConfig(), 0))
    assert [Counter(t) for t in after] == [Counter(t) for t in before]
    assert after[-1] != before[-1]
    assert after == tokens(order.shuffled_words(NASTY, TextConfig(), 0))
    assert after != tokens(order.shuffled_words(NASTY, TextConfig(), 1))


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_of_a_long_text_the_tokens_that_the_network_sees_are_shuffled(keep):
    config = TextConfig(max_length=5, keep=keep, min_count=1)
    vocabulary = Vocabulary.build([tokenize(NASTY)], config)
    seen, offsets = encode_texts(NASTY, vocabulary, config)
    shuffled = order.shuffled_words(NASTY, config, 0)
    ids, ends = encode_texts(shuffled, vocabulary, config)
    np.testing.assert_array_equal(ends, offsets)
    for start, end in zip(offsets[:-1], offsets[1:], strict=True):
        assert sorted(ids[start:end]) == sorted(seen[start:end])


def right(share, seeds, n=200):
    generator = np.random.default_rng(0)
    return {s: generator.permutation(n) < round(share * n) for s in range(seeds)}


SHARES = {
    "neither": {"none": 0.7, "dense": 0.8, "rnn": 0.65, "gru": 0.95},
    "test": {"none": 0.7, "dense": 0.8, "rnn": 0.6, "gru": 0.55},
    "training": {"gru": 0.6},
    "both": {"gru": 0.7},
}


def planted(seeds=1):
    rights = {
        condition: {cell: right(share, seeds) for cell, share in by_cell.items()}
        for condition, by_cell in SHARES.items()
    }
    cells = {cell: order._cell(cell, rights) for cell in SHARES["neither"]}
    return OrderFindings(n=200, cells=order.adjusted(cells))


@pytest.mark.parametrize("seeds", [1, 3])
def test_planted_losses_are_found(seeds):
    findings = planted(seeds)
    assert comes_back(findings)
    gru = findings.cells["gru"]
    assert gru.accuracy["training"].accuracy == pytest.approx(0.6)
    assert gru.lost.difference == pytest.approx(0.25)
    assert 0.1 < gru.lost.low < 0.25 < gru.lost.high < 0.4
    assert gru.lost_at_test.difference == pytest.approx(0.4)
    assert gru.over_none.difference == pytest.approx(0.25)
    assert gru.over_dense.difference == pytest.approx(0.15)
    assert findings.cells["rnn"].over_dense.difference == pytest.approx(-0.15)


def test_all_that_was_trained_tells_how_far_seeds_vary(monkeypatch):
    asked = []
    own = order.difference

    def difference(a, b, among=()):
        asked.append(len(among))
        return own(a, b, among)

    monkeypatch.setattr(order, "difference", difference)
    planted(3)
    # Four cells in order and one out of order: each of GRU's three differences, and
    # two of SimpleRNN, is told with all five.
    assert asked == [5] * 5


def test_what_was_not_trained_is_missing_and_not_zero():
    cells = planted().cells
    assert cells["rnn"].lost is None
    assert cells["rnn"].accuracy["both"] is None
    for name in ("none", "dense"):
        assert (cells[name].over_none, cells[name].over_dense) == (None, None)


def test_the_same_answers_lose_nothing():
    none = planted().cells["none"].lost_at_test
    assert none == Difference(difference=0.0, low=0.0, high=0.0, p=1.0, of="models")


def test_the_sentence_claims_order_only_of_several_seeds_beyond_chance():
    findings = planted(3)
    said = order.sentence(findings, 3)
    assert said.startswith("Order matters here to GRU.")
    assert "GRU 25.0 (" in said
    assert "above the dense twin: SimpleRNN −15.0 (" in said
    without = {c: dataclasses.replace(one, over_dense=None)
               for c, one in findings.cells.items()}  # fmt: skip
    before = order.sentence(dataclasses.replace(findings, cells=without), 3)
    assert "above the twin without recurrence" in before
    assert "dense" not in before  # which earlier versions did not train
    gru = findings.cells["gru"]
    lost = dataclasses.replace(gru.lost, p=0.06)
    findings.cells["gru"] = dataclasses.replace(gru, lost=lost)
    said = order.sentence(findings, 3)
    assert said.startswith("Order is not shown to matter here to GRU.")
    said = order.sentence(planted(), 1)
    assert said.startswith("One training each cannot tell")
    assert "one model each" in said


def test_losses_are_adjusted_for_the_cells_that_recur():
    def lost(p):
        return Difference(difference=0.2, low=0.1, high=0.3, p=p, of="cells")

    values = {"none": 0.001, "rnn": 0.02, "gru": 0.04, "lstm": None}
    cells = {
        cell: CellOrder(accuracy={}, lost_at_test=lost(0.5), lost=p and lost(p))
        for cell, p in values.items()
    }
    found = order.adjusted(cells)
    assert found["none"].lost.p == 0.001
    assert found["rnn"].lost == lost(0.04)  # 2 x 0.02
    assert found["gru"].lost.p == 0.04
    assert found["lstm"].lost is None


def test_the_figure_shows_each_cell_and_both_trainings():
    answer = Answer(
        study="order", title="", sentence="", rows=(), findings=planted(), trials=4,
        table=Table(header=(), rows=()),
    )  # fmt: skip
    root = ElementTree.fromstring(order.figure(answer))
    said = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    for word in ("none", "rnn", "gru", "trained on words shuffled"):
        assert word in said


@pytest.mark.slow
def test_the_study_trains_all_conditions(tmp_path):
    from seqclf.cli._screen import Screen
    from seqclf.steps import Target
    from seqclf.workflows.study import run_study

    data = tmp_path / "reviews"
    data.mkdir()
    for split, rows in (("train", 160), ("validation", 40), ("test", 48)):
        write_csv(data / f"{split}.csv", reviews(rows))
    config = RunConfig(
        data=DataConfig(source=str(data)),
        text=TextConfig(min_count=1),
        model=ModelConfig(units=8, embedding_size=8),
        training=TrainingConfig(epochs=2, batch_size=16, learning_rate=0.02),
    )
    question = Question(config=config, cells=("gru",), seeds=(0, 1))
    target = Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("order", question, target, Screen(True), 2)
    assert answer.trials == 12
    assert len(answer.rows) == 3 * 4
    cells = answer.findings.cells
    # Without recurrence, and with the maximum over the words, order is nothing at all.
    assert cells["none"].lost_at_test.difference == 0
    assert cells["dense"].lost_at_test.difference == 0
    assert all(0 <= r["low"] <= r["accuracy"] <= r["high"] <= 1 for r in answer.rows)
    assert (path / "figure.svg").exists()
