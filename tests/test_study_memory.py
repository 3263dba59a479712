import dataclasses
import random
from xml.etree import ElementTree

import numpy as np
import pytest
from asked import comes_back

from seqclf.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from seqclf.data import demo
from seqclf.data.demo import grammar as demo_grammar
from seqclf.records.inside import AccuracyAt, MemoryFindings
from seqclf.report.table import Table
from seqclf.studies import memory, memory_tasks
from seqclf.studies.memory_tasks import TASKS, texts
from seqclf.studies.question import Answer, Question
from seqclf.text.tokens import tokenize

SIZES = {"train": 80, "validation": 8, "test": 12}
SVG = "{http://www.w3.org/2000/svg}"


def draws(seed=0):
    return random.Random(seed)


def test_recall_asks_for_the_first_of_distance_plus_one_tokens():
    for label, marker in enumerate(memory_tasks.MARKERS):
        first, *others = memory_tasks.recall(draws(), label, 17).split()
        assert first == marker
        assert len(others) == 17
        assert set(others) <= set(memory_tasks.DISTRACTORS)


@pytest.mark.parametrize("length", [10, 40, 200])
def test_adding_marks_two_digits_early_whose_sum_is_the_answer(length):
    rng = draws()
    for label in [0, 1] * 30:
        tokens = memory_tasks.adding(rng, label, length).split()
        marked = [i for i, token in enumerate(tokens) if token[0] == "m"]
        assert len(tokens) == length
        assert len(marked) == 2
        assert min(marked) < length / 10
        assert max(marked) < length / 2
        total = sum(int(tokens[i][1:]) for i in marked)
        assert total != memory_tasks.MIDDLE
        assert (total > memory_tasks.MIDDLE) == bool(label)


def test_adding_has_room_for_its_marks_at_the_least_distance():
    for seed in range(20):
        tokens = memory_tasks.adding(draws(seed), 1, 0).split()
        assert sum(token[0] == "m" for token in tokens) == 2


def test_an_opinion_pushed_away_is_the_same_review_with_more_behind_it():
    for seed in range(10):
        near = demo.compose(draws(seed), 1)
        far = demo.compose(draws(seed), 1, tail=60)
        assert far.tail >= 60
        assert far.text.startswith(near.text)
        added = far.text[len(near.text) :]
        lexicon = demo_grammar.load("lexicon.toml")["any"]
        polar = {
            word
            for kind in ("good", "bad")
            for line in (lexicon[kind]["trait"], lexicon[kind]["adj"])
            for word in demo_grammar.split_words(line)
        }
        assert not polar & set(added.lower().replace(".", "").split())


@pytest.mark.parametrize("task", TASKS)
def test_texts_are_balanced_repeatable_and_as_far_as_promised(task):
    made = texts(task, 30, SIZES)
    again = texts(task, 30, SIZES)
    assert all(made[split].equals(again[split]) for split in made)
    assert made["train"]["text"] != texts(task, 30, SIZES, seed=1)["train"]["text"]
    for split, size in SIZES.items():
        labels = made[split]["label"].to_pylist()
        counts = [labels.count(label) for label in TASKS[task].labels]
        assert sum(counts) == size
        assert max(counts) - min(counts) <= 1
    lengths = np.diff(tokenize(made["test"]["text"].combine_chunks()).offsets)
    assert (lengths >= 30).all()
    assert (lengths <= 30 + TASKS[task].longest_extra).all()


@pytest.mark.parametrize(
    ("spread", "least", "most", "middle"),
    [("even", 0, 30, 15), ("log", 0, 30, 32**0.5 - 1), ("none", 30, 30, 30)],
)
def test_training_distances_are_spread_as_asked(spread, least, most, middle):
    made = texts("recall", 30, {"train": 2000, "validation": 4, "test": 4}, spread)
    distances = np.diff(tokenize(made["train"]["text"].combine_chunks()).offsets) - 1
    assert (distances.min(), distances.max()) == (least, most)
    assert abs(np.median(distances) - middle) <= 1
    tested = np.diff(tokenize(made["test"]["text"].combine_chunks()).offsets) - 1
    assert (tested == 30).all()


@pytest.mark.parametrize(
    ("curve", "chance", "expected"),
    [
        ([(10, 1.0), (100, 0.5)], 0.5, 10 * 10**0.5),
        ([(10, 1.0), (100, 0.25)], 0.25, 10 * 10**0.5),
        ([(10, 0.6), (30, 1.0), (120, 0.25)], 0.25, 60.0),
        ([(10, 1.0), (100, 0.75)], 0.5, 100.0),
        ([(10, 1.0), (100, 0.76)], 0.5, None),
        ([(10, 0.9), (100, 0.9)], 0.5, None),
    ],
)
def test_half_way_is_interpolated_on_the_logarithm(curve, chance, expected):
    half_way, low, high = memory.half_ways(reached(curve), chance)
    assert half_way == pytest.approx(expected)
    assert low == high == half_way  # of intervals without width


def reached(curve, width=0.0):
    return [
        AccuracyAt(distance=d, accuracy=a, low=a - width, high=a + width)
        for d, a in curve
    ]


def test_the_ends_of_the_intervals_fall_earlier_and_later():
    # The level is 0.6: the lower ends, 0.95, 0.45 and 0.15, and the upper ones, 1.05,
    # 0.55 and 0.25, cross it between the first two distances.
    curve = [(10, 1.0), (100, 0.5), (1000, 0.2)]
    half_way, low, high = memory.half_ways(reached(curve, 0.05), 0.2)
    assert half_way == pytest.approx(10 * 10**0.8)
    assert low == pytest.approx(10 * 10 ** (0.35 / 0.5))
    assert high == pytest.approx(10 * 10 ** (0.45 / 0.5))
    # Wide ones cross it at once, and never.
    assert memory.half_ways(reached(curve, 0.45), 0.2)[1:] == (10.0, None)


def rights(accuracies, seeds=1, n=200):
    """Returns what would be right at those accuracies, texts in an order of chance."""
    generator = np.random.default_rng(0)
    return {
        key: {s: generator.permutation(n) < round(value * n) for s in range(seeds)}
        for key, value in accuracies.items()
    }


PLANTED = {
    ("recall", 10, "rnn"): 1.0,
    ("recall", 100, "rnn"): 0.25,
    ("recall", 10, "lstm"): 1.0,
    ("recall", 100, "lstm"): 0.99,
}


def planted(accuracies=PLANTED, seeds=1):
    one = memory.SERIES["recall"]
    found = memory._findings(
        "recall", one, (10, 100), ("rnn", "lstm"), rights(accuracies, seeds)
    )
    return MemoryFindings(distances=(10, 100), series={"recall": found})


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_planted_fall_is_found_and_a_cell_that_holds_too(seeds):
    findings = planted(seeds=seeds)
    cells = findings.series["recall"].cells
    assert cells["rnn"].half_way == pytest.approx(10 * 10**0.5)
    assert cells["lstm"].half_way is None
    near, far = cells["lstm"].over_rnn
    assert near.difference == 0
    assert far.difference == pytest.approx(0.74)
    assert 0.6 < far.low < 0.74 < far.high < 0.85
    assert cells["rnn"].over_rnn is None
    assert comes_back(findings)
    said = memory.sentence(findings, seeds)
    assert "SimpleRNN falls half-way to chance at about 32 tokens" in said
    assert "LSTM does not up to 100 (99.0 %" in said
    assert ("one model each" if seeds == 1 else "3 models each") in said


def test_what_was_never_learnt_is_not_said_to_be_forgotten():
    guessing = PLANTED | {("recall", 10, "rnn"): 0.26}
    findings = planted(guessing)
    found = findings.series["recall"].cells["rnn"]
    assert not found.learnt
    assert found.half_way is None
    assert "SimpleRNN did not learn it" in memory.sentence(findings, 1)


def test_the_study_has_a_recipe_of_its_own_but_given_settings_stand():
    series, data = memory.SERIES["recall"], DataConfig(source="x")
    own = memory._recipe(Question(config=RunConfig()), series, 900, data)
    assert own.training.word_dropout_rate == 0
    assert own.training.label_smoothing == 0
    assert own.model.dropout_rate == 0
    assert (own.model.layers, own.model.bidirectional) == (1, False)
    assert own.model.pooling == "last"
    assert own.text.max_length >= 901
    given = RunConfig(
        model=ModelConfig(units=7, dropout_rate=0.1),
        training=TrainingConfig(epochs=2, learning_rate=0.5),
    )
    kept = memory._recipe(Question(config=given), series, 10, data)
    assert kept.model.units == 7
    assert kept.model.dropout_rate == 0.1
    assert kept.training.epochs == 2
    assert kept.training.learning_rate == 0.5
    # What was typed stands, be it the default.
    typed = frozenset({"learning_rate", "units"})
    question = Question(config=RunConfig(), given=typed)
    kept = memory._recipe(question, series, 10, data)
    assert kept.training.learning_rate == TrainingConfig().learning_rate != 1e-2
    assert kept.model.units == ModelConfig().units != 32
    assert kept.model.embedding_size == 16


def test_a_guesser_that_is_lucky_at_one_of_five_distances_learnt_nothing():
    def right(n):  # of 1,000 texts, chance 25 %
        return {0: np.arange(1000) < n}

    lucky = {d: right(250) for d in (10, 30, 100, 200)} | {500: right(280)}
    assert not memory._cell(lucky, 0.25).learnt  # p = 0.016 by itself
    assert memory._cell(lucky | {10: right(300)}, 0.25).learnt


def drawn(findings):
    answer = Answer(
        study="memory", title="", sentence="", rows=(), findings=findings, trials=4,
        table=Table(header=(), rows=()),
    )  # fmt: skip
    return memory.figure(answer)


def test_the_figure_shows_each_cell_task_and_chance():
    root = ElementTree.fromstring(drawn(planted()))
    said = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    for word in ("rnn", "lstm", "first token", "chance", "10", "100"):
        assert word in said


@pytest.mark.slow
def test_the_study_trains_measures_and_keeps_its_answer(
    tmp_path, workplace, monkeypatch
):
    from seqclf.cli._screen import Screen
    from seqclf.steps import Target
    from seqclf.workflows.study import run_study

    monkeypatch.setattr(memory, "QUICK_DISTANCES", (2, 4))
    monkeypatch.setattr(memory, "EVALUATED", {"validation": 20, "test": 40})
    config = RunConfig(
        data=DataConfig(limit=80),
        model=ModelConfig(units=8, embedding_size=8),
        training=TrainingConfig(epochs=2, batch_size=16, learning_rate=0.02),
    )
    question = Question(config=config, cells=("rnn", "gru"), quick=True)
    target = Target(tmp_path / "models", tmp_path / "cache")
    answer, path = run_study("memory", question, target, Screen(True), 2)
    assert answer.trials == 4
    assert {(r["cell"], r["distance"]) for r in answer.rows} == {
        (cell, distance) for cell in ("rnn", "gru") for distance in (2, 4)
    }
    assert all(0 <= r["low"] <= r["accuracy"] <= r["high"] <= 1 for r in answer.rows)
    assert all(row["n"] == 40 for row in answer.rows)
    assert (path / "figure.svg").exists()
    again, same = run_study("memory", question, target, Screen(True), 2)
    assert same == path
    assert again.findings == answer.findings
    # Asked about another data set, it trains nothing: its texts are its own.
    trained = sorted((tmp_path / "models").rglob("metrics.json"))
    other = dataclasses.replace(config.data, source=str(workplace / "reviews"))
    question = dataclasses.replace(
        question, config=dataclasses.replace(config, data=other)
    )
    answer, elsewhere = run_study("memory", question, target, Screen(True), 2)
    assert elsewhere != path
    assert answer.findings == again.findings
    assert sorted((tmp_path / "models").rglob("metrics.json")) == trained
    assert len(trained) == 4
