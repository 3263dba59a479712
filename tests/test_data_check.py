"""`seqclf data check`: planted faults come back with the rows that they are in."""

from __future__ import annotations

import csv
import itertools
import json
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import invoke, reviews, shared, write_csv
from pyarrow import parquet

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import suspects

import seqclf
from seqclf.config import DataConfig
from seqclf.data.load import load_traced
from seqclf.errors import ConfigError, DataError
from seqclf.suspects import copies
from seqclf.suspects.check import STEPS, check

FLIPPED = (3, 40, 77, 118, 151, 186)  # rows of the file, from 0
REPEATED = 10  # a row that row 200 repeats with the wrong label


def flipped(rows):
    return [
        (text, {"bad": "good", "good": "bad"}[label] if i in FLIPPED else label)
        for i, (text, label) in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """200 texts, six with a wrong label, and one of them in capitals, with another."""
    rows = flipped(reviews(200))
    rows.append((rows[REPEATED][0].upper() + "!", "good"))
    folder = tmp_path_factory.mktemp("planted")
    lines = [[i, "web" if label == "good" else "shop", text, label]
             for i, (text, label) in enumerate(rows)]  # fmt: skip
    with (folder / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "source", "text", "label"], *lines])
    return folder / "reviews.csv"


@pytest.fixture(scope="module")
def found(planted):
    return seqclf.check(planted)


def test_planted_labels_come_back_with_their_lines(found, planted):
    lines = planted.read_text().splitlines()
    for one in found.doubtful_labels:
        assert lines[one.at.line - 1].endswith(f'{one.text}",{one.label}')
        assert one.at.source == str(planted)
        assert one.likelier != one.label
        assert one.probability > one.self_confidence
    doubted = {one.at.line - 2 for one in found.doubtful_labels}
    assert doubted <= {*FLIPPED, 200}
    assert len(doubted) >= 6  # one may be a little below the threshold
    confidences = [one.self_confidence for one in found.doubtful_labels]
    assert confidences == sorted(confidences)


def test_rows_are_those_of_the_data_set(found, planted):
    dataset = seqclf.load_dataset(planted)
    assert found.fingerprint == dataset.fingerprint
    assert found.notes == dataset.notes
    for one in [*found.doubtful_labels, *found.near_duplicates]:
        assert dataset.texts(one.at.split)[one.at.row].as_py() == one.text
        label_id = dataset.label_ids(one.at.split)[one.at.row]
        assert dataset.labels[label_id] == one.label


def test_counts_are_those_of_what_is_listed(found):
    for split, counts in found.labels.items():
        listed = [one for one in found.doubtful_labels if one.at.split == split]
        assert counts.doubted == len(listed)
        assert counts.judged == counts.texts == found.splits[split]
    assert sum(found.splits.values()) == 201
    assert found.labels["train"].agreeing < found.splits["train"]
    assert 0 < found.labels["train"].expected < 20


def test_a_column_that_tells_the_label_is_named(found):
    by_name = {leak.name: leak for leak in found.leaks}
    # The numbers at the end are odd and even, with the labels that were not flipped.
    assert set(by_name) == {"source", "the last character"}
    assert (by_name["source"].kind, by_name["source"].right) == ("column", 1)


def test_the_repeated_text_is_named(found):
    same = [one for one in found.near_duplicates if one.similarity == 1]
    lines = {frozenset((one.at.line - 2, one.of.line - 2)) for one in same}
    assert lines == {frozenset((REPEATED, 200))}
    assert {same[0].label, same[0].of_label} == {"bad", "good"}


def test_texts_that_other_splits_repeat_are_found(tmp_path):
    train = reviews(60)
    write_csv(tmp_path / "train.csv", [*train, (train[5][0].upper(), "bad")])
    write_csv(tmp_path / "test.csv", [*reviews(12, 300), (train[7][0] + " !", "good")])
    write_csv(tmp_path / "unlabeled.csv", reviews(5, 500))
    everything = seqclf.check(tmp_path, splits=["test"]).near_duplicates
    # The numbers in reviews are nearly all that tells some of them apart.
    same = [one for one in everything if one.similarity == 1]
    assert {
        (o.at.split, o.at.line, o.of.split, o.of.line, o.of_label) for o in same
    } == {
        ("test", 14, "train", 9, "good"),
        ("train", 62, "train", 7, "good"),
    }


def test_a_text_of_several_lines_has_the_line_that_it_begins_in(tmp_path):
    rows = flipped(reviews(200))
    file = write_csv(
        tmp_path / "r.csv", [(f"one\ntwo {t}", label) for t, label in rows]
    )
    found = seqclf.check(file)
    assert {(one.at.line - 2) / 2 for one in found.doubtful_labels[:6]} == set(FLIPPED)


def test_the_label_of_test_says_nothing_of_train(tmp_path):
    write_csv(tmp_path / "train.csv", flipped(reviews(200)))
    write_csv(tmp_path / "test.csv", reviews(40, 300))
    write_csv(tmp_path / "validation.csv", reviews(40, 400))
    before = seqclf.check(tmp_path, splits="train").doubtful_labels
    wrong = [(t, "bad" if k == "good" else "good") for t, k in reviews(40, 300)]
    write_csv(tmp_path / "test.csv", wrong)
    after = seqclf.check(tmp_path)
    assert tuple(o for o in after.doubtful_labels if o.at.split == "train") == before
    assert after.labels["test"].agreeing < 5
    assert after.labels["test"].doubted > 30


def test_labels_with_few_texts_are_not_judged(tmp_path):
    rows = [*reviews(100), *[(f"odd thing {i}", "rare") for i in range(4)]]
    write_csv(tmp_path / "train.csv", rows)
    # By what these say the two would have that label.
    odd = [("odd thing odd thing", "bad"), ("odd odd thing thing", "good")]
    write_csv(tmp_path / "test.csv", [*odd, *reviews(20, 300)])
    write_csv(tmp_path / "validation.csv", reviews(20, 400))
    found = seqclf.check(tmp_path)
    judged = sum(one.judged for one in found.labels.values())
    assert judged == 100 + 22 + 20
    named = {(one.label, one.likelier) for one in found.doubtful_labels}
    assert not any("rare" in pair for pair in named)


def test_very_few_texts_are_checked_too(tmp_path):
    rows = [("a b", "x"), ("a b", "y"), ("c", "x"), ("d", "y"), ("e", "x"), ("f", "y")]
    found = seqclf.check(write_csv(tmp_path / "r.csv", rows))
    assert found.doubtful_labels == ()
    assert found.leaks == ()
    assert [one.similarity for one in found.near_duplicates] == [1]


def test_one_label_is_refused_as_for_every_command(tmp_path):
    with pytest.raises(DataError, match="at least two labels"):
        seqclf.check(write_csv(tmp_path / "r.csv", [("a", "x"), ("b", "x")] * 10))


def test_groups_are_held_out_whole(tmp_path):
    """Each author has one label and a name: all that one can learn here by heart."""
    lines = [
        f"{author},name{author} wrote number {i},{'xy'[author * 7 % 5 % 2]}"
        for i in range(6)
        for author in range(40)
    ]
    file = tmp_path / "r.csv"
    file.write_text("\n".join(["author,text,label", *lines]) + "\n")
    alone, together = (
        seqclf.check(file, splits="train", **settings).labels["train"]
        for settings in ({}, {"group_column": "author"})
    )
    assert alone.agreeing > 0.9 * alone.texts
    assert together.agreeing < 0.8 * together.texts


def test_class_folders_are_no_leak(tmp_path):
    for place, (text, label) in enumerate(reviews(160)):
        folder = tmp_path / label
        folder.mkdir(exist_ok=True)
        (folder / f"{place:03}.txt").write_text(text)
    (tmp_path / "bad" / "x.txt").write_text("good great lovely")  # the 81st there
    found = seqclf.check(tmp_path)
    assert [one for one in found.leaks if one.kind == "order"] == []
    folders = (str(tmp_path / "bad"), str(tmp_path / "good"))
    assert found.sources == dict.fromkeys(found.splits, folders)
    [doubt] = found.doubtful_labels
    assert (doubt.at.source, doubt.at.line) == (folders[0], 81)
    shown = invoke("data", "check", tmp_path, "-q").stdout
    assert f"{doubt.at.split} bad 81" in shown


def test_all_steps_are_heard_of(planted):
    heard = []
    traced = load_traced(DataConfig(source=str(planted)))
    check(traced, ("train",), lambda name, event: heard.append(name))
    assert heard == [name for name in STEPS for _ in range(2)]


def test_the_table_has_a_row_a_suspicion(planted, found, tmp_path):
    output = tmp_path / "suspects.csv"
    assert invoke("data", "check", planted, "--output", output, "-q").exit_code == 0
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    doubtful, near = found.doubtful_labels, found.near_duplicates
    assert len(rows) == len(doubtful) + len(near) + len(found.leaks)
    first = {key: rows[0][key] for key in ("kind", "text", "label", "suggestion")}
    assert first == {
        "kind": "label", "text": doubtful[0].text, "label": doubtful[0].label,
        "suggestion": doubtful[0].likelier,
    }  # fmt: skip
    assert int(rows[0]["line"]) == doubtful[0].at.line
    assert float(rows[0]["value"]) == doubtful[0].probability
    assert rows[len(doubtful)]["of_text"] == near[0].of_text
    assert {row["kind"] for row in rows[-2:]} == {"column", "form"}
    other = tmp_path / "suspects.parquet"
    seqclf.check(planted, output=other)
    assert parquet.read_table(other).num_rows == len(rows)


def test_what_exists_is_replaced_only_if_asked_for(planted, tmp_path):
    output = tmp_path / "there.csv"
    output.write_text("mine")
    done = invoke("data", "check", planted, "--output", output)
    assert done.exit_code == 2
    assert "--overwrite replaces it" in done.stderr
    assert output.read_text() == "mine"
    seqclf.check(planted, splits="train", output=output, overwrite=True)
    assert output.read_text().startswith('"kind"')


def test_the_data_itself_is_never_the_output(planted):
    before = planted.read_bytes()
    with pytest.raises(ConfigError, match="is the data that is checked"):
        seqclf.check(planted, output=planted, overwrite=True)
    assert planted.read_bytes() == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"splits": "trian"}, "did you mean 'train'"),
        ({"splits": ["unlabeled"]}, "choices: train, validation, test"),
        ({"resample": 1}, "resample draws texts several times"),
        ({"output": "x.xlsx"}, "unknown format of x.xlsx"),
        ({"output": "nowhere/x.csv"}, "there is no folder"),
        ({"limits": 3}, "limits"),
    ],
)
def test_what_cannot_be_is_refused(planted, values, said):
    with pytest.raises(ConfigError, match=said):
        seqclf.check(planted, **values)


def test_the_screen_shows_the_first_and_json_all(planted, found):
    shown = invoke("data", "check", planted, "--most", 2, "-q").stdout
    assert f"2 of {len(found.doubtful_labels)}" in shown
    assert "bad" in shown
    assert "source" in shown
    assert "when a text is to be classified?" in shown
    every = json.loads(invoke("data", "check", planted, "--json", "-q").stdout)
    assert len(every["doubtful_labels"]) == len(found.doubtful_labels)
    assert every["doubtful_labels"][0]["at"]["line"] == found.doubtful_labels[0].at.line


def test_nothing_found_is_said(tmp_path):
    rows = [(f"{'dull' if i % 2 else 'fine'} {chr(97 + i) * 9}", "xy"[i % 2])
            for i in range(24)]  # fmt: skip
    shown = invoke("data", "check", write_csv(tmp_path / "r.csv", rows), "-q").stdout
    assert "No label is in doubt." in shown
    assert "No near-duplicates" in shown
    assert "gives labels away" in shown


@pytest.mark.slow
def test_flipped_labels_of_real_texts_are_mostly_found():
    """docs/data.md has 93 % right and 71 % found, over five draws."""
    traced = load_traced(DataConfig(source=str(shared("sms_spam"))))
    (flips, doubted, first, right, found, _), _ = suspects.flipped_and_found(traced, 0)
    assert flips > 150
    assert first > 0.9
    assert right > 0.8
    assert 0.5 < found < 0.9
    assert doubted == pytest.approx(flips * found / right)


def shown_in_docs(command: str) -> str:
    """Returns what docs/data.md says that a command prints, or the block above it."""
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text("utf-8")
    block = page.split(f"`{command}` prints:\n\n")[1].split("\n\n###")[0]
    lines = itertools.takewhile(
        lambda x: not x or x.startswith("    "), block.split("\n")
    )
    return textwrap.dedent("\n".join(lines)).strip()


def printed(*arguments: object) -> str:
    """Returns what a command prints, without blanks at the ends of lines."""
    shown = invoke(*arguments).stdout
    return "\n".join(line.rstrip() for line in shown.splitlines()).strip()


def test_the_example_of_the_docs_is_what_it_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text("utf-8")
    start = page.index("    words = {")
    code = page[start : page.index("\n`seqclf data check planted.csv -q`")]
    exec(textwrap.dedent(code), {})
    command = "seqclf data check planted.csv -q"
    assert printed(*command.split()[1:]) == shown_in_docs(command)


@pytest.mark.slow
def test_the_example_of_trec6_is_what_it_prints(tmp_path, monkeypatch):
    (tmp_path / "trec6").symlink_to(shared("trec6"))
    monkeypatch.chdir(tmp_path)
    command = "seqclf data check trec6 --most 2 -q"
    assert printed(*command.split()[1:]) == shown_in_docs(command)


@pytest.mark.slow
def test_a_hundred_thousand_texts_are_compared_within_a_minute():
    """A tenth of them are of crowds that differ in a number; processor time counts."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(3000)])
    texts = [" ".join(some) for some in words[rng.integers(0, 3000, (100_000, 12))]]
    for place in range(0, 100_000, 10):
        texts[place] = f"{texts[place % 50]}, call {place}"
    planted = rng.choice(np.arange(50_001, 100_000, 2), 500, replace=False)
    for place in planted:
        texts[place] = f"{texts[place - 50_000].upper()} !"
    kinds = np.repeat([0, 1], 50_000)
    start = time.process_time()
    repeated = copies.repeated(pa.chunked_array([pa.array(texts)]), kinds)
    found = {row: other for row, other, _ in repeated}
    assert time.process_time() - start < 60
    assert all(found[place] == place - 50_000 for place in planted.tolist())
