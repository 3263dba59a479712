from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
from conftest import TINY, reviews, run_cli, run_in, shared, write_csv

from seqclf.config import DataConfig, RunConfig, TextConfig, same_question
from seqclf.data import quality
from seqclf.data.load import load_dataset
from seqclf.text.summary import summarize

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight")


def split_rows(n: int, start: int = 0) -> list[tuple[str, str]]:
    return [(f"{WORDS[i % 8]} {i}", "xy"[i % 2]) for i in range(start, start + n)]


@pytest.fixture
def folder(tmp_path):
    """Three splits; two texts of test and one of validation stand in train."""
    train = split_rows(40)
    write_csv(tmp_path / "train.csv", [*train, train[0], ("  ", "x")])
    write_csv(tmp_path / "validation.csv", [train[1], *split_rows(9, 100)])
    write_csv(
        tmp_path / "test.csv", [train[2], train[3], train[3], *split_rows(9, 200)]
    )
    return tmp_path


def load(path, **values):
    return load_dataset(DataConfig(source=str(path), **values))


def test_copies_shared_and_empty_texts_are_counted(folder):
    data = load(folder)
    assert quality.copies(data, "train") == 1
    assert quality.copies(data, "test") == 1
    assert quality.shared(data, "test", "train") == 3
    assert quality.shared(data, "validation", "train") == 1
    assert quality.shared(data, "test", "validation") == 0
    assert quality.empty(data, "train") == 1
    assert quality.empty(data, "test") == 0


def test_what_looks_wrong_is_said_with_counts(folder):
    said = " ".join(load(folder).notes)
    assert "1 of 10 validation texts are in train too" in said
    assert "3 of 12 test texts are in train too" in said
    assert "empty texts: 1 in train;" in said
    assert "out of balance" not in said


def test_nothing_wrong_nothing_said(tmp_path):
    data = load(write_csv(tmp_path / "x.csv", split_rows(80)))
    assert all("held" in note for note in data.notes)


def test_dropping_duplicates_takes_them_out_of_train_and_no_other_row(folder):
    whole, dropped = load(folder), load(folder, drop_duplicates=True)
    gone = {"two 1", "three 2", "four 3"}
    kept = [t for t in whole.splits["train"]["text"].to_pylist() if t not in gone]
    assert dropped.splits["train"]["text"].to_pylist() == kept
    for split in ("validation", "test"):
        assert dropped.splits[split].equals(whole.splits[split])
    said = " ".join(dropped.notes)
    assert "took 3 of 42 rows out of train" in said
    assert "are in train too" not in said


def test_dropped_duplicates_make_another_question():
    a = RunConfig(data=DataConfig(source="a"))
    b = RunConfig(data=DataConfig(source="b", text_column="x", encoding="cp1252"))
    c = RunConfig(data=DataConfig(source="a", drop_duplicates=True))
    assert same_question(a, b)
    assert not same_question(a, c)


@pytest.mark.parametrize(("rare", "is_said"), [(9, False), (8, True)])
def test_heavy_imbalance_is_said(rare, is_said, tmp_path):
    rows = [(f"text {i}", "x") for i in range(81)]
    rows += [(f"rare {i}", "y") for i in range(rare)]
    write_csv(tmp_path / "train.csv", rows)
    write_csv(tmp_path / "validation.csv", split_rows(10, 300))
    write_csv(tmp_path / "test.csv", split_rows(10, 400))
    said = " ".join(load(tmp_path).notes)
    assert (f"'x' has 81 texts (91 %), 'y' {rare}" in said) == is_said


def test_a_label_that_a_split_lacks_is_said(tmp_path):
    write_csv(tmp_path / "train.csv", split_rows(30))
    write_csv(tmp_path / "validation.csv", split_rows(10, 300))
    write_csv(tmp_path / "test.csv", [("new", "z"), ("old", "x")])
    said = " ".join(load(tmp_path).notes)
    assert "no train text has the label 'z': they cannot be learnt" in said
    assert "no test text has the label 'y'" in said


def test_the_summary_counts_by_hand(folder):
    text = TextConfig(min_count=1, max_length=1, predict_length=1)
    summary = summarize(load(folder), text)
    train = summary.splits["train"]
    assert train.texts == 42
    assert (train.copies, train.empty) == (1, 1)
    assert train.labels == {"x": 22, "y": 20}
    # All texts have two tokens, but for the empty one.
    assert train.tokens == {
        "p5": 2, "p25": 2, "p50": 2, "p75": 2, "p95": 2, "p100": 2
    }  # fmt: skip
    assert train.longer_than_max_length == pytest.approx(41 / 42)
    assert sum(train.histogram.counts) == 42
    assert summary.shared["test in train"] == 3
    # One token is kept of each test text, its word: every word stands in train.
    assert summary.unknown_share == 0
    # With the second, its number, 9 of 24 are new.
    further = dataclasses.replace(text, predict_length=2)
    assert summarize(load(folder), further).unknown_share == 9 / 24
    both = summarize(load(folder), TextConfig(min_count=1))
    # 12 test texts of two tokens; the numbers of nine are not in train.
    assert both.unknown_share == pytest.approx(9 / 24)


def test_data_show_prints_all_of_it(folder):
    done = run_in(folder, "data", "show", ".", "--max-length=1")
    assert done.exit_code == 0, done.stderr
    for words in (">1 %", "copies", "Lengths of train", "test in train 3", "Unknown"):
        assert words in done.stdout
    assert "are in train too" in done.stderr
    printed = run_in(folder, "data", "show", ".", "--json")
    assert json.loads(printed.stdout)["splits"]["test"]["copies"] == 1


@pytest.mark.slow
def test_training_warns_too(folder):
    done = run_cli(["train", "--cell=rnn", "--data=.", *TINY], folder)
    assert done.returncode == 0, done.stderr
    assert "3 of 12 test texts are in train too" in done.stderr


@pytest.mark.slow
def test_a_large_data_set_is_read_and_encoded_in_little_memory(tmp_path):
    """644,000 texts: at most 700 MB more than the bare interpreter holds."""
    code = """
import sys
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

before = peak()
from seqclf.config import DataConfig, RunConfig, TextConfig, same_question
from seqclf.data.load import load_dataset
from seqclf.text.encoding import encode_dataset

config = DataConfig(source=sys.argv[1])
encode_dataset(load_dataset(config), config, TextConfig(), Path(sys.argv[2]))
print(peak() - before)
"""
    source = shared("nsmc_raw_3class")
    command = [sys.executable, "-c", code, str(source), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 700


def test_what_seqclf_makes_of_reviews_is_clean(tmp_path):
    data = load(write_csv(tmp_path / "x.csv", reviews(80)))
    assert quality.shared(data, "test", "train") == 0
