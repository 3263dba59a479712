"""Numbered notes: each is on its page, with the very sentence that is shown there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from seqclf import metrics
from seqclf.config import DataConfig, RunConfig, TextConfig
from seqclf.data import quality
from seqclf.data.choice import with_columns
from seqclf.data.dataset import GROUP, Dataset, Found, Part
from seqclf.data.quality import torn, warnings
from seqclf.data.raw import to_raw
from seqclf.evaluation.doubts import doubts
from seqclf.notes import TITLES, is_numbered, note
from seqclf.records.dataset import DatasetInfo, TokenCounts

PAGE = (Path(__file__).parents[1] / "docs" / "notes.md").read_text("utf-8")
LABELS = ("bad", "fine", "good")


def table(rows: list[tuple[str, int]]) -> pa.Table:
    texts, labels = zip(*rows, strict=True)
    return pa.table({"text": list(texts), "label": pa.array(labels, pa.int32())})


def dataset(train: list[tuple[str, int]], test: list[tuple[str, int]]) -> Dataset:
    held_out = table([(f"validation {i}", i % 3) for i in range(9)])
    splits = {"train": table(train), "validation": held_out, "test": table(test)}
    return Dataset(
        name="x", splits=splits, labels=LABELS, source="x.csv", fingerprint="f"
    )


def rows(n: int, split: str, labels: int = 3) -> list[tuple[str, int]]:
    return [(f"{split} {i}", i % labels) for i in range(n)]


def of_groups() -> list[str]:
    """Returns what is said of groups 0 to 9 in train, some of which are in test."""
    data = dataset(rows(30, "train"), rows(9, "test"))
    groups = {
        "train": [i // 3 for i in range(30)], "validation": [-1] * 9,
        "test": [4, 7, 4, 10, 11, 12, 13, -1, -1],
    }  # fmt: skip
    for split, of_rows in groups.items():
        whole = data.splits[split].append_column(GROUP, pa.array(of_rows, pa.int32()))
        data.splits[split] = whole
    return list(warnings(data))


def run(
    confusion: list[list[int]],
    name: str = "x-gru-0",
    train: tuple[int, ...] = (40, 40, 40),
    **tokens: int,
):
    """Returns what `doubts` reads of a run, scored as by that confusion in test."""
    import numpy as np

    pairs = [
        (true, said)
        for true, line in enumerate(confusion)
        for said, count in enumerate(line)
        for _ in range(count)
    ]
    true, said = np.array(pairs).T
    scores = metrics.scores(true, np.eye(3)[said], LABELS, np.ones(len(true)))
    return SimpleNamespace(
        name=name,
        is_linear=False,
        config=RunConfig(text=TextConfig(max_length=50, keep="tail")),
        dataset=DatasetInfo(
            name="x",
            source="x.csv",
            fingerprint="f",
            labels=LABELS,
            sizes={"train": sum(train)},
            label_counts={"train": train},
            tokens={"train": TokenCounts(**{"median": 301, "cut": 120} | tokens)},
        ),
        metrics={"validation": scores, "test": scores},
    )


def notes_of(values: list[str], separator: str = ";") -> list[str]:
    """Returns what is said of a column of such labels."""
    labels = [label for value in values for label in value.split(separator)]
    columns = {"text": [f"text {i}" for i in range(len(labels))], "label": labels}
    parts = {"train": [Part("x.csv", pa.table(columns))]}
    found = Found(name="x", source="x.csv", parts=parts, label_names={})
    config = DataConfig()
    return list(to_raw(with_columns(found, config), config).notes)


def of_data(train: list[tuple[str, int]], test: list[tuple[str, int]]) -> list[str]:
    return list(warnings(dataset(train, test)))


RIGHT = [[20, 0, 0], [0, 20, 0], [0, 0, 20]]
# What makes each note, and nothing but it.
MAKERS = {
    "SQ001": lambda: doubts([run(RIGHT)]),
    "SQ002": lambda: doubts([run([[8, 6, 6], [7, 7, 6], [6, 7, 7]], cut=0)]),
    "SQ003": lambda: doubts([run([[20, 0, 0], [4, 0, 16], [0, 0, 20]], cut=0)]),
    "SQ004": lambda: of_data(
        [*rows(30, "train"), *rows(4, "train", 2)], rows(9, "test")
    ),
    "SQ005": lambda: of_data(rows(30, "train"), [*rows(9, "test"), ("train 3", 0)]),
    "SQ006": lambda: of_data([*rows(30, "train"), ("  ", 0)], rows(9, "test")),
    "SQ007": lambda: of_data(
        [*rows(30, "train"), *((f"more {i}", 0) for i in range(90))], rows(9, "test")
    ),
    "SQ008": lambda: of_data(rows(30, "train"), rows(9, "test", 2)),
    "SQ009": lambda: notes_of(["bad;good;nan;good;bad"]),
    "SQ010": lambda: notes_of(["good;Good;bad;good;GOOD"]),
    "SQ011": lambda: notes_of(["war;drama;war|crime;crime|drama;war|drama;war"]),
    "SQ012": of_groups,
}


@pytest.mark.parametrize("code", TITLES)
def test_every_note_stands_on_its_page_with_what_it_says(code):
    [said] = MAKERS[code]()
    assert said.startswith(f"{code}: ")
    assert f"## {code}: {TITLES[code]}\n" in PAGE
    section = PAGE.split(f"## {code}: ")[1].split("\n## ")[0]
    shown = " ".join(re.search(r"\n> (.*?)\n\n", section, re.S)[1].split())
    assert shown.replace("> ", "") == said
    assert "**What to do.**" in section


def test_the_page_has_no_note_that_is_not_there():
    assert re.findall(r"^## (SQ\d+): (.*)$", PAGE, re.M) == list(TITLES.items())


def test_a_number_that_is_not_there_cannot_be_given():
    with pytest.raises(KeyError):
        note("SQ999", "something")
    assert is_numbered(note("SQ006", "something"))
    assert not is_numbered("no test split in x.csv: held 1 of 5 rows out.")


def test_nothing_doubtful_nothing_said():
    assert doubts([run(RIGHT, cut=0)]) == []
    assert of_data(rows(30, "train"), rows(9, "test")) == []


def test_half_of_the_texts_cut_is_many():
    [said] = doubts([run(RIGHT, cut=60)])
    assert "60 of 120 training texts were cut" in said
    assert doubts([run(RIGHT, cut=59)]) == []


@pytest.mark.parametrize(
    ("right", "is_said"), [(20, True), (26, True), (28, False), (60, False)]
)
def test_what_guessing_gives_is_compared_with_the_interval(right, is_said):
    # 60 texts, 20 of each label. Guessing gives 1/3; Wilson's interval of 26 of 60
    # begins at 0.316, that of 28 at 0.347.
    left = [right // 3 + (i < right % 3) for i in range(3)]
    confusion = [
        [left[i] if j == i else (20 - left[i]) * (j == (i + 1) % 3) for j in range(3)]
        for i in range(3)
    ]
    said = doubts([run(confusion, cut=0)])
    assert bool(said) == is_said
    if is_said:
        assert "above 33.3 %, what always guessing 'bad'" in said[0]


def test_the_commonest_label_is_that_of_train():
    # good is commonest in train; in test it has 10 of 60 texts, and 20 are right.
    confusion = [[10, 0, 20], [10, 0, 10], [0, 0, 10]]
    said = doubts([run(confusion, cut=0, train=(10, 10, 90))])
    assert [s[:5] for s in said] == ["SQ003"]
    said = doubts([run(confusion, cut=0, train=(90, 10, 10))])
    assert "SQ002" in said[0]
    assert "above 50.0 %, what always guessing 'bad'" in said[0]


def test_of_many_runs_each_kind_is_said_once_with_counts():
    silent = [[20, 0, 0], [20, 0, 0], [0, 0, 20]]
    wrong = [[7, 7, 6], [7, 7, 6], [7, 7, 6]]
    runs = [run(RIGHT, "a"), run(silent, "b"), run(wrong, "c"), run(silent, "d")]
    cut, guessing, never = doubts(runs)
    assert cut.startswith("SQ001: all 120")
    assert guessing.startswith("SQ002: 1 of 4 runs (c): ")
    assert never.startswith("SQ003: 2 of 4 runs (b, d): ")
    assert "'fine'" in never


def test_a_label_without_texts_need_not_be_predicted():
    assert doubts([run([[20, 0, 0], [0, 0, 0], [0, 0, 20]], cut=0)]) == []


def test_a_run_of_before_tells_nothing_of_lengths():
    old = run(RIGHT)
    old.dataset = dataclasses.replace(old.dataset, tokens={})
    assert doubts([old]) == []


@pytest.mark.parametrize("kept", [0, 1, quality.HALF])
def test_texts_with_two_labels_are_counted_over_chunks(kept, monkeypatch):
    monkeypatch.setattr(quality, "HALF", kept)  # of a hash: with 0 all are alike
    train = pa.concat_tables(
        [
            table([("a", 0), ("b", 1), ("c", 2), ("a", 0)]),
            table([("b", 2), ("b", 1), ("c", 0), ("d", 1), ("d", 1)]),
        ]
    )
    data = dataset(rows(9, "train"), rows(9, "test"))
    data.splits["train"] = train  # type: ignore[index]
    assert torn(data, "train") == (2, 5)
