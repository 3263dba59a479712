"""Labels as people really bring them: what is typed, and what comes of it.

Each case of the kind has a second input that is unlike the first.
"""

from __future__ import annotations

import json
import re
import shlex

import pytest
from conftest import TINY, invoke, run_cli
from data_matrix import as_csv, as_json_lines, as_parquet, as_tsv

GOOD, BAD = ("warm", "great", "fresh", "kind"), ("stale", "rude", "torn", "bland")
THINGS = ("soup", "film", "hotel", "song", "train")


def texts(n: int, start: int = 0) -> list[tuple[str, bool]]:
    """Returns different short texts, and whether they praise."""
    made = []
    for i in range(start, start + n):
        word = (BAD, GOOD)[i % 2][i // 2 % 4]
        made.append((f"the {THINGS[i % 5]} was {word}, number {i}", i % 2 == 1))
    return made


def labelled(n: int, bad: object, good: object, start: int = 0) -> list:
    return [(text, good if praises else bad) for text, praises in texts(n, start)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str):
    """Runs `seqclf data show` in this process; stdout is JSON if it went well."""
    return invoke("data", "show", "--json", *arguments)


def said(*arguments: str) -> str:
    """Returns what `seqclf data show` says beside its result."""
    done = invoke("data", "show", *arguments)
    assert done.exit_code == 0, done.output
    return " ".join(done.stderr.split())


def refused(*arguments: str) -> str:
    done = show(*arguments)
    assert done.exit_code in (1, 2), done.output
    return " ".join(done.stderr.split())


def labels(*arguments: str) -> dict[str, int]:
    """Returns the labels with their texts in all splits."""
    done = show(*arguments)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    counts = [split["labels"] for split in values["splits"].values()]
    return {label: sum(c[label] for c in counts) for label in values["labels"]}


def option(message: str, name: str) -> list[str]:
    """Returns an option that a message names, with its value if it has one."""
    return shlex.split(re.search(rf"--{name}(?: \d+)?", message)[0])


# F08: labels of test differ from those of train by case alone.


def case_between_splits(folder):
    (folder / "train.csv").write_bytes(as_csv(labelled(60, "negative", "positive")))
    test = labelled(20, "Negative", "Positive", 60)
    (folder / "test.csv").write_bytes(as_csv(test))


def accents_and_blanks_between_splits(folder):
    rows = labelled(60, "n\u00e9gatif", "positif")
    (folder / "train.jsonl").write_bytes(as_json_lines(rows))
    test = labelled(20, "ne\u0301gatif", "positif\xa0", 60)
    (folder / "test.tsv").write_bytes(as_tsv(test))


@pytest.mark.parametrize(
    ("write", "named", "how", "merged"),
    [
        (case_between_splits, ("'Negative' (10 rows)", "'Positive' (10 rows)"), "case",
            {"negative": 40, "positive": 40}),
        (accents_and_blanks_between_splits,
            (r"'ne\u0301gatif' (10 rows)", r"'positif\xa0' (10 rows)"),
            "the form of accents", {"n\u00e9gatif": 40, "positif": 40}),
    ],
)  # fmt: skip
def test_labels_that_test_spells_otherwise_are_an_error(
    write, named, how, merged, folder
):
    write(folder)
    error = refused(".")
    assert all(name in error for name in named)
    assert f"only by {how}" in error
    train = invoke("train", "--data", ".", "--cell", "gru")
    assert train.exit_code == 1
    assert " ".join(train.stderr.split()) == error
    assert labels(".", *option(error, "merge-labels")) == merged


# F09: `nan` from an export became a class.


def test_nan_among_labels_is_said(folder):
    rows = labelled(60, "negative", "positive")
    rows[::8] = [(text, "nan") for text, _ in rows[::8]]
    (folder / "reviews.csv").write_bytes(as_csv(rows))
    note = said("reviews.csv")
    assert "'nan' looks like a missing label (8 rows)" in note
    assert labels("reviews.csv")["nan"] == 8
    left = labels("reviews.csv", *option(note, "drop-unlabeled"))
    assert left == {"negative": 22, "positive": 30}


def test_none_and_na_among_labels_are_said_and_empty_ones_with_them(folder):
    rows = labelled(60, "down", "up")
    rows[3], rows[5], rows[9] = (("x", "None"), ("y", "<NA>"), ("z", "<NA>"))
    (folder / "moves.jsonl").write_bytes(as_json_lines(rows))
    lone = "one text only of 'None'; it looks missing: --drop-unlabeled"
    assert lone in refused("moves.jsonl")
    rows[11] = ("v", "None")
    (folder / "moves.jsonl").write_bytes(as_json_lines(rows))
    note = said("moves.jsonl")
    assert "'None' looks like a missing label (2 rows)" in note
    assert "'<NA>' looks like a missing label (2 rows)" in note
    rows[7] = ("w", None)
    (folder / "moves.jsonl").write_bytes(as_json_lines(rows))
    error = refused("moves.jsonl")
    assert "1 rows without a label, the first is row 8" in error
    assert "the 4 whose label looks missing" in error
    left = labels("moves.jsonl", *option(error, "drop-unlabeled"))
    assert left == {"down": 30, "up": 25}


# F16: a long tail of labels with one text each.


def tickets(rare: int) -> list[tuple[str, str]]:
    names = [f"category {i % 9 + 1}" for i in range(200)]
    names += [f"category {i}" for i in range(50, 50 + rare)]
    return [
        (text, name) for (text, _), name in zip(texts(len(names)), names, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "write", "header", "rare"),
    [
        ("tickets.csv", as_csv, ("text", "category"), 15),
        ("tickets.parquet", as_parquet, ("body", "topic"), 2),
        ("tickets.jsonl", as_json_lines, ("message", "intent"), 1),
    ],
)
def test_labels_with_one_text_can_be_left_out_or_put_together(
    name, write, header, rare, folder
):
    (folder / name).write_bytes(write(tickets(rare), header))
    error = refused(name)
    assert "train has one text only of 'category 50'" in error
    least = option(error, "min-per-label")
    assert least == ["--min-per-label", "2"]
    kept = labels(name, *least)
    assert sum(kept.values()) == 200
    assert f"left out {rare} labels" in said(name, *least)
    assert ("--other" in error) == (rare > 1)
    if rare > 1:
        together = labels(name, *least, "--other")
        assert together == {**kept, "other": rare}


# F17: several labels in one.


def films(separator: str) -> list[tuple[str, str]]:
    genres = ("War", "Love", "Crime", "Horror")
    pairs = [separator.join(p) for p in zip(genres, genres[1:], strict=False)]
    triple = separator.join(genres[:3])
    names = [*genres, *pairs, triple]
    return [(text, names[i % len(names)]) for i, (text, _) in enumerate(texts(160))]


@pytest.mark.parametrize(
    ("name", "write", "separator"),
    [("movies.csv", as_csv, "|"), ("movies.tsv", as_tsv, "; ")],
)
def test_labels_that_are_lists_are_recognised(name, write, separator, folder):
    (folder / name).write_bytes(write(films(separator), ("description", "category")))
    note = said(name)
    assert "SQ011: 4 of the 8 labels in column 'category' look like lists" in note
    assert separator.join(("War", "Love", "Crime")) in note
    assert len(labels(name)) == 8
    # What the note says takes them apart.
    option = shlex.split(re.search(r"--labels-separator \S+", note)[0])
    assert list(labels(name, *option)) == ["Crime", "Horror", "Love", "War"]
    assert "SQ011" not in said(name, *option)


def test_several_label_columns_are_a_label_each(folder):
    rows = [(str(i), text, int(p), 1 - p) for i, (text, p) in enumerate(texts(60))]
    header = ("id", "comment_text", "toxic", "obscene")
    (folder / "train.csv").write_bytes(as_csv(rows, header))
    command = ["train.csv", "--text-column", "comment_text", "--label-column"]
    assert labels(*command, "toxic,obscene") == {"obscene": 30, "toxic": 30}
    rows = [(text, "x", p) for text, p in texts(60)]
    (folder / "x.parquet").write_bytes(as_parquet(rows, ("text", "tag", "is good")))
    error = refused("x.parquet", "--label-column", "tag, is good")
    assert "column 'tag' holds 'x'; of several label columns each holds 1" in error
    assert "no column 'gone'" in refused("x.parquet", "--label-column", "tag,gone")


# F20: the same labels, 1.0 from one program and 1 from another.


def test_float_labels_of_parquet_and_csv_are_one_data_set(folder):
    floats = labelled(60, 0.0, 1.0)
    (folder / "float_label.parquet").write_bytes(as_parquet(floats))
    (folder / "reviews.csv").write_bytes(as_csv(floats))
    (folder / "whole.jsonl").write_bytes(as_json_lines(labelled(60, 0, 1)))
    shown = [show(n) for n in ("float_label.parquet", "reviews.csv", "whole.jsonl")]
    prints = {json.loads(done.stdout)["fingerprint"] for done in shown}
    assert len(prints) == 1
    assert labels("reviews.csv") == {"0": 30, "1": 30}
    assert "0.0 is 0, 1.0 is 1" in said("reviews.csv")


def test_stars_after_a_gap_are_one_data_set_with_stars_without(folder):
    stars = [(text, 1 + i % 5) for i, (text, _) in enumerate(texts(100))]
    gappy = [(text, float(y)) for text, y in stars]
    (folder / "stars.tsv").write_bytes(as_tsv([*gappy, ("no stars", None)]))
    (folder / "stars.parquet").write_bytes(as_parquet([*gappy, ("no stars", None)]))
    (folder / "whole.csv").write_bytes(as_csv(stars))
    dropped = [show(n, "--drop-unlabeled") for n in ("stars.tsv", "stars.parquet")]
    prints = {
        json.loads(d.stdout)["fingerprint"] for d in (*dropped, show("whole.csv"))
    }
    assert len(prints) == 1
    assert list(labels("whole.csv")) == ["1", "2", "3", "4", "5"]


@pytest.mark.slow
def test_a_run_on_whole_numbers_is_evaluated_on_floats(folder):
    (folder / "whole.csv").write_bytes(as_csv(labelled(80, 0, 1)))
    (folder / "floats.csv").write_bytes(as_csv(labelled(40, 0.0, 1.0, 80)))
    (folder / "mixed.csv").write_bytes(
        as_csv([*labelled(40, "0.0", "1", 80), ("odd", "x")])
    )
    done = run_cli(["train", "--cell=rnn", "--data=whole.csv", *TINY], folder)
    assert done.returncode == 0, done.stderr
    done = run_cli(["evaluate", "--data=floats.csv", "--json"], folder)
    assert json.loads(done.stdout)["n"] == 40
    done = run_cli(["evaluate", "--data=mixed.csv"], folder)
    assert "the run does not: unknown label 'x'" in done.stderr


@pytest.mark.slow
def test_a_run_is_evaluated_as_its_labels_were_read(folder):
    """Merged, rare and missing labels: its own data is known again, other data met."""
    rows = labelled(120, "bad", "good") + [("u", "odd"), ("v", "queer"), ("w", "NA")]
    rows[:40:10] = [(text, "Bad") for text, _ in rows[:40:10]]
    (folder / "x.csv").write_bytes(as_csv(rows))
    given = ["--merge-labels", "--min-per-label=2", "--other", "--drop-unlabeled"]
    train = ["train", "--cell=rnn", "--data=x.csv", "--json", *given, *TINY]
    done = run_cli(train, folder)
    assert done.returncode == 0, done.stderr
    trained = json.loads(done.stdout)["metrics"]["test"]
    assert [label["label"] for label in trained["per_label"]] == [
        "bad",
        "good",
        "other",
    ]
    (folder / "copy.csv").write_bytes(as_csv(rows))
    for source in ([], ["--data=x.csv"], ["--data=copy.csv"]):
        done = run_cli(["evaluate", *source, "--json"], folder)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["n"], found["accuracy"]) == (trained["n"], trained["accuracy"])
    other = [*labelled(20, "BAD", "good", 200), ("y", "unheard of")]
    (folder / "other.csv").write_bytes(as_csv(other))
    done = run_cli(["evaluate", "--data=other.csv", "--json"], folder)
    assert json.loads(done.stdout)["n"] == 21
    assert "taken for 'other', as rare ones were" in done.stderr


# F23: a training that learnt nothing, and why.


@pytest.mark.slow
def test_a_training_says_that_all_texts_were_cut_and_that_it_guesses(folder):
    filler = " ".join(("the", "and", "of", "a", "film", "soup") * 50)
    rows = [(f"{(BAD, GOOD)[i % 2][i // 2 % 4]} {filler}", f"{'np'[i % 2]}")
        for i in range(200)]  # fmt: skip
    (folder / "long_start.csv").write_bytes(as_csv(rows))
    options = ["--max-length=50", "--keep=tail", *TINY]
    command = ["train", "--data=long_start.csv", "--cell=gru", *options]
    done = run_cli([*command, "--drop-duplicates"], folder)
    assert done.returncode == 1  # all texts are copies of eight
    rows = [(f"{text} {i}", label) for i, (text, label) in enumerate(rows)]
    (folder / "long_start.csv").write_bytes(as_csv(rows))
    first = run_cli(command, folder)
    assert first.returncode == 0, first.stderr
    assert "SQ001: all 144 training texts were cut" in first.stderr
    assert "50 of 302 tokens were read, its end is kept" in first.stderr
    assert "SQ002: test accuracy, " in first.stderr
    assert "is not shown to be above 50.0 %, what always guessing" in first.stderr
    again = run_cli([*command, "--json"], folder)  # reused, and said as well
    notes = json.loads(again.stdout)["notes"]
    assert [note.split(":")[0] for note in notes][:2] == ["SQ001", "SQ002"]
    assert all(note in first.stderr for note in notes)


@pytest.mark.slow
def test_a_comparison_says_each_doubt_once_for_all_its_runs(folder):
    rows = [(f"{'word ' * 20}{i}", ("much", "much", "much", "rare")[i % 4])
        for i in range(160)]  # fmt: skip
    rows += [(f"{'word ' * 20}{i}", "rare") for i in range(0, 12, 4)]  # two labels
    (folder / "news.csv").write_bytes(as_csv(rows))
    command = [
        "compare",
        "--data=news.csv",
        "--cells=none,rnn",
        "--seeds=1",
        "--jobs=1",
    ]
    done = run_cli([*command, "--max-length=8", "--keep=head", *TINY], folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("SQ001: all ") == 1
    assert "8 of 21 tokens were read, its beginning is kept" in done.stderr
    assert len(re.findall(r"SQ002: 2 of 2 runs \(", done.stderr)) == 1
    assert len(re.findall(r"SQ003: 2 of 2 runs .*'rare'", done.stderr)) == 1
    assert "SQ004: " in done.stderr
