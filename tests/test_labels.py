"""Labels: their order, spellings, missing ones, rare ones, and samples of them."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from data_matrix import WRITERS, as_csv, as_parquet
from sklearn.model_selection import train_test_split

from seqclf.config import DataConfig, RunConfig, same_question
from seqclf.data import spelling
from seqclf.data.load import load_dataset, read_source
from seqclf.data.splits import held_out
from seqclf.data.stratified import _sample, stratified
from seqclf.errors import ConfigError, DataError, InputError
from seqclf.estimator import SequenceClassifier
from seqclf.evaluation.evaluate import match_labels

STRANGE = ("nan", "10", "inf", "9", "1e999", "1_000", "٣", "-2.5", "1e1", "NaN", "b")


def test_the_order_of_labels_is_the_same_whatever_order_they_come_in():
    wanted = sorted(STRANGE, key=spelling.order)
    # Finite numbers by value, then all else by name.
    assert wanted[:4] == ["-2.5", "9", "10", "1e1"]
    assert wanted[4:] == sorted(wanted[4:])
    shuffle = random.Random(0)
    for _ in range(200):
        labels = shuffle.sample(STRANGE, len(STRANGE))
        assert sorted(labels, key=spelling.order) == wanted


@pytest.mark.slow
def test_the_fingerprint_is_the_same_in_every_process(tmp_path):
    rows = [(f"text {i}", STRANGE[i % len(STRANGE)]) for i in range(44)]
    (tmp_path / "x.csv").write_bytes(as_csv(rows))
    code = (
        "from seqclf.config import DataConfig\n"
        "from seqclf.data.load import read_source\n"
        "from seqclf.data.dataset import fingerprint\n"
        "raw = read_source(DataConfig(source='x.csv'))\n"
        "print(fingerprint(raw.splits, raw.labels), raw.labels)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in range(6)
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    ("names", "difference"),
    [
        (("pos", "POS"), "case"),
        (("straße", "STRASSE"), "case"),
        (("pos", " pos\xa0"), "blanks"),
        (("very good", "very\xa0 good"), "blanks"),
        (("caf\u00e9", "cafe\u0301"), "the form of accents"),
        (("É", "e\u0301"), "case and the form of accents"),
        (("1", "1.0"), "the form of the number"),
        (("Pos", "pos\t"), "blanks and case"),
    ],
)
def test_names_of_one_label_are_found_and_their_difference_named(names, difference):
    assert spelling.key(names[0]) == spelling.key(names[1])
    assert spelling.difference(names) == difference


@pytest.mark.parametrize(
    "names", [("1", "01"), ("1.5", "1"), ("cafe", "café"), ("a b", "ab"), ("1", "-1")]
)
def test_names_of_two_labels_stay_two(names):
    assert spelling.key(names[0]) != spelling.key(names[1])


@pytest.mark.parametrize(
    ("name", "whole"),
    [("1.0", "1"), ("-3.00", "-3"), ("7", "7"), ("-0.0", "0"), ("007.", "007"),
     ("1.5", None), ("1e0", None), ("٣", None), ("1_0", None), (" 1", None),
     ("", None), ("1.0.0", None)],
)  # fmt: skip
def test_whole_numbers_are_those_written_as_such(name, whole):
    assert spelling.as_whole(name) == whole


def found(tmp_path, rows, name="x.csv", **options):
    (tmp_path / name).write_bytes(as_csv(rows))
    return read_source(DataConfig(source=str(tmp_path / name), **options))


def names_of(raw, split="train"):
    return [raw.labels[i] for i in raw.splits[split]["label"].to_pylist()]


def test_a_column_with_one_other_value_keeps_its_points(tmp_path):
    raw = found(tmp_path, [("a", "1.0"), ("b", "0.0"), ("c", "both")])
    assert raw.labels == ("0.0", "1.0", "both")
    assert raw.notes == ()


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 1, 2], [0.0, 1.0, 1.0, 2.0], [0.5, 1.0, 1.5, 2.0], [-1.5, 3.0, 10.0, 2.25],
     ["x", "y", "NA", "1.0"], [1e6, 2.0, 3.0, 1e6]],
    ids=str,
)  # fmt: skip
def test_equal_rows_are_one_data_set_whatever_they_came_in(labels, tmp_path):
    rows = [(f"text {i}", labels[i % 4]) for i in range(40)]
    if all(isinstance(label, float) for label in labels):
        rows = [(text, float(label)) for text, label in rows]
    kind = "x" if isinstance(labels[0], str) else float
    prints = {}
    for source, (suffix, write) in WRITERS.items():
        path = tmp_path / f"x{suffix}"
        path.write_bytes(
            write(rows if kind is float else [(t, str(y)) for t, y in rows])
        )
        prints[source] = load_dataset(DataConfig(source=str(path))).fingerprint
    assert len(set(prints.values())) == 1, prints


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()])
def test_floats_of_every_width_are_named_alike(kind, tmp_path):
    from pyarrow import parquet

    table = pa.table(
        {"text": list("abcd"), "label": pa.array(np.float16([1, 0, 2.5, 0]), kind)}
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    raw = read_source(DataConfig(source=str(tmp_path / "x.parquet")))
    assert raw.labels == ("0.0", "1.0", "2.5")


def test_the_commonest_spelling_of_train_names_the_merged_label(tmp_path):
    train = [("a", "Good"), ("b", "good"), ("c", "good"), ("d", "GOOD"), ("e", "bad")]
    test = [("f", "GOOD"), ("g", "GOOD"), ("h", "GOOD"), ("i", "bad")]
    (tmp_path / "train.csv").write_bytes(as_csv(train))
    (tmp_path / "test.csv").write_bytes(as_csv(test))
    raw = read_source(DataConfig(source=str(tmp_path), merge_labels=True))
    assert raw.labels == ("bad", "good")
    assert names_of(raw) == ["good"] * 4 + ["bad"]
    assert names_of(raw, "test") == ["good"] * 3 + ["bad"]
    assert "'GOOD' (4 rows), 'Good' (1 row) became 'good'" in raw.notes[-1]


def test_merging_is_equal_to_labels_that_were_written_so(tmp_path):
    rows = [(f"text {i}", ("ja", "nein", "ja", "weiß nicht")[i % 4]) for i in range(40)]
    messy = [(t, y.upper() if i % 5 == 0 else y) for i, (t, y) in enumerate(rows)]
    plain = found(tmp_path, rows)
    merged = found(tmp_path, messy, "messy.csv", merge_labels=True)
    assert merged.labels == plain.labels
    assert merged.splits["train"].equals(plain.splits["train"])


def test_nothing_to_merge_drop_or_leave_out_is_said(tmp_path):
    rows = [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y")]
    options = {"merge_labels": True, "drop_unlabeled": True, "min_per_label": 2}
    notes = found(tmp_path, rows, **options).notes
    assert [note.split(":")[0] for note in notes] == [
        "--drop-unlabeled", "--merge-labels", "--min-per-label 2"
    ]  # fmt: skip


def test_two_spellings_in_train_are_no_error_where_test_has_one_of_them(tmp_path):
    (tmp_path / "train.csv").write_bytes(as_csv([("a", "x"), ("b", "X"), ("c", "y")]))
    (tmp_path / "test.csv").write_bytes(as_csv([("d", "X"), ("e", "y")]))
    raw = read_source(DataConfig(source=str(tmp_path)))
    assert raw.labels == ("X", "x", "y")
    assert "SQ010" in raw.notes[0]


def test_names_that_the_source_gives_are_met_by_other_spellings(tmp_path):
    (tmp_path / "train.csv").write_bytes(as_csv([("a", "pos"), ("b", "NEG ")]))
    (tmp_path / "labels.json").write_text(json.dumps(["pos", "neg"]))
    data = DataConfig(source=str(tmp_path))
    with pytest.raises(DataError, match="differ only by blanks and case: --merge"):
        read_source(data)
    raw = read_source(DataConfig(source=str(tmp_path), merge_labels=True))
    assert raw.labels == ("pos", "neg")
    assert names_of(raw) == ["pos", "neg"]


def test_a_name_with_a_point_that_the_source_gives_stays(tmp_path):
    (tmp_path / "train.csv").write_bytes(as_csv([("a", "2.0"), ("b", "1.0")]))
    (tmp_path / "labels.json").write_text(json.dumps(["1.0", "2.0"]))
    raw = read_source(DataConfig(source=str(tmp_path)))
    assert names_of(raw) == ["2.0", "1.0"]


def test_ids_written_with_a_point_find_their_names(tmp_path):
    (tmp_path / "train.csv").write_bytes(as_csv([("a", "1.0"), ("b", "0.0")]))
    (tmp_path / "labels.json").write_text(json.dumps(["neg", "pos"]))
    raw = read_source(DataConfig(source=str(tmp_path)))
    assert names_of(raw) == ["pos", "neg"]


def test_rows_without_a_label_go_with_their_texts_from_every_split(tmp_path):
    columns = ("text", "label", "label_text")
    train = [("a", 1, "pos"), ("b", None, "neg"), ("c", 0, "neg"), ("d", 1, "pos")]
    (tmp_path / "train.parquet").write_bytes(as_parquet(train, columns))
    test = [("e", None, "pos"), ("f", 0, "neg")]
    (tmp_path / "test.parquet").write_bytes(as_parquet(test, columns))
    raw = read_source(DataConfig(source=str(tmp_path), drop_unlabeled=True))
    assert raw.labels == ("neg", "pos")
    assert raw.splits["train"]["text"].to_pylist() == ["a", "c", "d"]
    assert names_of(raw) == ["pos", "neg", "pos"]
    assert raw.splits["test"]["text"].to_pylist() == ["f"]
    assert raw.notes == (
        "--drop-unlabeled left out 2 rows: 2 with nothing for a label.",
    )


def test_the_error_says_what_else_the_option_takes_for_missing(tmp_path):
    rows = [("a", "EU"), ("b", "NA"), ("c", ""), ("d", "NA")]
    said = "1 rows without a label, the first is row 4; .* and the 2 whose label looks"
    with pytest.raises(DataError, match=said):
        found(tmp_path, rows)


RARE = [(f"text {i}", label) for i, label in enumerate("aaaabbbbccdef")]


def test_rare_labels_join_an_other_that_is_there(tmp_path):
    rows = [*RARE, ("o", "Other"), ("p", "Other"), ("q", "Other")]
    raw = found(tmp_path, rows, min_per_label=3, other=True)
    assert raw.labels == ("Other", "a", "b")
    assert names_of(raw) == [*"aaaabbbb", *["Other"] * 8]


def test_an_other_that_would_be_too_rare_itself_is_left_out(tmp_path):
    raw = found(tmp_path, RARE[:11], min_per_label=4, other=True)
    assert raw.labels == ("a", "b")
    assert "even together they are fewer than 4" in raw.notes[-1]


def test_other_is_equal_to_labels_that_were_written_so(tmp_path):
    rows = [*RARE, *((f"more {i}", "z") for i in range(4))]
    renamed = [(text, y if y in "abz" else "other") for text, y in rows]
    written = found(tmp_path, renamed)
    made = found(tmp_path, rows, "x2.csv", min_per_label=4, other=True)
    assert made.labels == written.labels == ("a", "b", "other", "z")
    assert made.splits["train"].equals(written.splits["train"])


def test_labels_that_train_lacks_are_rare_too(tmp_path):
    (tmp_path / "train.csv").write_bytes(as_csv(RARE[:8]))
    (tmp_path / "test.csv").write_bytes(as_csv([("x", "a"), ("y", "z"), ("z", "z")]))
    raw = read_source(DataConfig(source=str(tmp_path), min_per_label=2))
    assert raw.labels == ("a", "b")
    assert names_of(raw, "test") == ["a"]
    assert "2 of 11 rows: 'z'" in raw.notes[-1]


def test_what_the_error_on_rare_labels_names_then_works(tmp_path):
    rows = [(f"text {i}", label) for i, label in enumerate("a" * 30 + "b" * 20 + "cd")]
    path = tmp_path / "x.csv"
    path.write_bytes(as_csv(rows))
    with pytest.raises(DataError, match="--min-per-label 2 leaves out .* 2 rows, and"):
        load_dataset(DataConfig(source=str(path)))
    for other in (False, True):
        options = {"min_per_label": 2, "other": other}
        data = load_dataset(DataConfig(source=str(path), **options))
        assert sum(t.num_rows for t in data.splits.values()) == 50 + 2 * other
        assert (data.label_counts("train") > 0).all()


def test_many_rare_labels_are_not_taken_for_texts_once_they_are_left_out(tmp_path):
    rows = [(f"text {i}", "ab"[i % 2] if i < 20 else f"tag {i}") for i in range(60)]
    with pytest.raises(DataError, match="labels have few.* --min-per-label 2 leaves"):
        found(tmp_path, rows)
    assert found(tmp_path, rows, min_per_label=2).labels == ("a", "b")


def test_the_new_settings_are_checked_and_are_no_part_of_the_question():
    with pytest.raises(ConfigError, match="--min-per-label 2 --other"):
        DataConfig(other=True)
    with pytest.raises(ConfigError, match="at least 2, got 1"):
        DataConfig(min_per_label=1)
    options = {"min_per_label": 3, "other": True, "merge_labels": True}
    changed = RunConfig(data=DataConfig(drop_unlabeled=True, **options))
    assert same_question(RunConfig(), changed)


@pytest.mark.parametrize(
    "names",
    [
        ["science/technology", "sports", "art"],
        ["1,5", "2,5", "3,5", "1,0"],
        ["01/02/2020", "02/02/2020", "01/01/2020"],
        ["a|b", "c|d", "e|f", "g"],  # nothing in common
        ["a|b", "b|a", *"cdefghij"],  # too few
        ["|", "a|", "|b", "a"],
    ],
)
def test_names_that_are_no_lists(names):
    assert spelling.lists_among(names) is None


@pytest.mark.parametrize(
    ("names", "separator"),
    [
        (["1|2", "2|3", "1|3"], "|"),
        (["['a', 'b']", "['b']", "['a']", "['b', 'c']", "['a', 'c']"], ","),
        (["war / love", "love", "war", "love / crime", "war / crime"], "/"),
    ],
)
def test_names_that_are_lists(names, separator):
    assert spelling.lists_among(names)[0] == separator


@pytest.mark.parametrize("limit", [7, 8, 50, 4998, 4999])
def test_any_limit_from_the_number_of_labels_gives_that_many_rows(limit, tmp_path):
    rows = [(f"text {i}", f"label {i % 7}") for i in range(5000)]
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.csv").write_bytes(as_csv(rows))
    data = load_dataset(DataConfig(source=str(tmp_path), limit=limit))
    counts = data.label_counts("train")
    assert counts.sum() == limit
    assert counts.max() - counts.min() <= 1


def test_a_limit_below_the_number_of_labels_is_refused(tmp_path):
    rows = [(f"text {i}", f"label {i % 7}") for i in range(500)]
    (tmp_path / "x.csv").write_bytes(as_csv(rows))
    with pytest.raises(DataError, match="at least 7: --limit 7$"):
        load_dataset(DataConfig(source=str(tmp_path / "x.csv"), limit=6))


def test_rows_are_those_that_scikit_learn_draws():
    # Labels without rows, ties between remainders, sizes near the ends.
    generator, compared = np.random.default_rng(5), 0
    for seed in range(300):
        counts = generator.integers(2, generator.choice([4, 30, 400]), 6)
        if seed % 3 == 0:  # balanced, so that what rounding leaves is drawn among them
            counts[:] = counts[0]
        counts[generator.random(6) < 0.3] = 0
        label_ids = generator.permutation(np.repeat(np.arange(6), counts))
        least = int((counts > 0).sum())
        if not least or len(label_ids) < 2 * least:
            continue
        size = int(generator.integers(least, len(label_ids) - least + 1))
        wanted, _ = train_test_split(
            np.arange(len(label_ids)),
            train_size=size,
            stratify=label_ids,
            random_state=seed,
        )
        assert stratified(label_ids, size, seed).tolist() == sorted(wanted)
        compared += 1
    assert compared > 200


def test_a_tenth_is_held_out_as_ever():
    label_ids = np.random.default_rng(5).integers(0, 4, 300)
    drawn = held_out(label_ids, tuple("abcd"), "test", 0.1, 1)
    wanted, _ = train_test_split(
        np.arange(300), train_size=30, stratify=label_ids, random_state=1
    )
    assert drawn.tolist() == sorted(wanted)


def test_a_sample_has_every_label_and_the_shares_of_the_whole():
    generator = np.random.default_rng(0)
    for trial in range(200):
        counts = generator.integers(0, 12, 6) * (generator.random(6) < 0.8)
        counts[0] = 40
        label_ids = generator.permutation(np.repeat(np.arange(6), counts))
        present = (counts > 0).sum()
        size = int(generator.integers(present, len(label_ids) + 1))
        rows = _sample(label_ids, size, trial)
        assert len(np.unique(rows)) == size == len(rows)
        drawn = np.bincount(label_ids[rows], minlength=6)
        assert (drawn[counts > 0] >= 1).all()
        share = size * counts / len(label_ids)
        # Nobody is beyond its share by a row, but for the one row that each has.
        assert (drawn <= np.maximum(np.ceil(share), 1)).all()
        assert rows.tolist() == _sample(label_ids, size, trial).tolist()


def test_two_texts_a_label_can_be_divided_where_there_are_enough_others(tmp_path):
    rows = [(f"text {i}", "ab"[i % 2]) for i in range(200)]
    rows += [(f"rare {i}", f"rare {i // 2}") for i in range(8)]
    (tmp_path / "x.csv").write_bytes(as_csv(rows))
    data = load_dataset(DataConfig(source=str(tmp_path / "x.csv")))
    assert sum(t.num_rows for t in data.splits.values()) == 208
    assert (data.label_counts("train") > 0).all()
    texts = [t for table in data.splits.values() for t in table["text"].to_pylist()]
    assert sorted(texts) == sorted(text for text, _ in rows)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", float("nan"), "b", "a"], "row 1 .*: nan is no label"),
        (("a", "b", None, "a"), "row 2 .*: None is no label"),
        ([1.0, 0.0, 1.0, float("nan")], "row 3 .*: nan is no label"),
        (np.array(["a", "b", float("nan"), "a"], dtype=object), "row 2 .*: nan"),
    ],
)
def test_a_missing_label_given_from_python_is_named(labels, said):
    with pytest.raises(InputError, match=said):
        SequenceClassifier().fit(["one", "two", "three", "four"], labels)


def test_labels_are_matched_as_numbers_and_by_spelling_if_asked_for():
    assert match_labels(("0.0", "1"), ("0", "1.0")).tolist() == [0, 1]
    with pytest.raises(DataError, match="'Good' and 'good' differ only by case: --mer"):
        match_labels(("bad", "Good"), ("bad", "good"))
    with pytest.raises(DataError, match="'NULL' looks missing: --drop-unlabeled"):
        match_labels(("bad", "NULL"), ("bad", "good"))
    merged = match_labels(("BAD", " good", "Good"), ("bad", "good"), merge=True)
    assert merged.tolist() == [0, 1, 1]
    # Which of two is meant cannot be known.
    with pytest.raises(DataError, match="the run does not"):
        match_labels(("GOOD",), ("Good", "good"), merge=True)


def test_every_way_of_writing_no_label_is_known():
    ways = ("nan", "NaN", "None", "NULL", "null", "<NA>", "N/A", "#N/A", "NaT", " NA ")
    assert all(map(spelling.looks_missing, ways))
    honest = ("none", "nil", "missing", "", "N", "A", "0", "no", "Nan")
    assert not any(map(spelling.looks_missing, honest))


def test_what_cannot_be_seen_is_spelled_out():
    assert spelling.quoted("cafe\u0301") == "'cafe\\u0301'"
    assert spelling.quoted("a\xa0") == "'a\\xa0'"
    pairs = itertools.combinations(["caf\u00e9", "cafe\u0301", "café\xa0"], 2)
    assert all(spelling.quoted(a) != spelling.quoted(b) for a, b in pairs)
