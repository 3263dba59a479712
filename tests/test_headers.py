"""Real texts as CSV, with a header and without, the columns in any order.

Over 200 files of each shared data set's texts: either they come back row for row, or
nothing is read and the options that the message names bring them back.
"""

from __future__ import annotations

import csv
import json
import random

import pytest
from conftest import SHARED, shared
from pyarrow import parquet
from test_written_by_others import hinted

from seqclf.config import DataConfig
from seqclf.data.formats.header import is_header
from seqclf.data.load import read_source
from seqclf.errors import SeqclfError

NAMES = {
    "text": ("text", "Review Text", "tweet", "sentence", "question_text", "v2"),
    "label": ("label", "Sentiment", "category", "airline_sentiment", "v1"),
    "id": ("id", "tweet_id", ""),
    "user": ("user_name", "author"),
}
FILES = 25  # of each data set


def test_what_tells_a_header():
    rows = [("a fine film", "1"), ("dull", "0"), ("so so", "1"), ("good", "0")]
    assert is_header([("text", "label"), *rows]) is True
    assert is_header([("a fine film",)]) is None  # alone it may be either
    assert is_header([("text",)]) is True
    assert is_header([*rows, *rows]) is False
    assert is_header([("v2", "v1"), *rows * 3]) is True
    assert is_header([("v2", "v1"), *rows]) is None  # so few rows tell nothing
    assert is_header([("What is it?", "7"), *rows]) is None
    assert is_header([("question", "1"), *rows * 2]) is None  # a name, and a label


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(p.name for p in SHARED.iterdir()) if SHARED.is_dir() else ["imdb"]
)
def test_no_file_is_read_wrong(name, tmp_path):
    rng = random.Random(name)  # noqa: S311 -- the same files each time
    folder = shared(name)
    table = parquet.read_table(folder / "train.parquet", columns=["text", "label"])
    labels = json.loads((folder / "labels.json").read_text())
    asked = 0
    for number in range(FILES):
        path = tmp_path / f"{number}.csv"
        rows = table.take([rng.randrange(len(table)) for _ in range(size(rng))])
        expected = write(path, rows.to_pylist(), labels, rng)
        try:
            found = read(path)
        except SeqclfError as error:
            asked += 1
            found = read_as_told(path, str(error))
        assert found in (expected, None), path.read_text()[:500]
    assert asked < FILES  # most need no word


def size(rng: random.Random) -> int:
    return rng.choice([6, 20, 60, 300, 1000])


def write(path, rows, labels, rng) -> list[tuple[str, str]]:
    columns = ["text", "label", *rng.choice([[], ["id"], ["id", "user"]])]
    rng.shuffle(columns)
    is_named, has_header = rng.random() < 0.5, rng.random() < 0.5
    values = [
        {
            "text": row["text"],
            "label": labels[row["label"]] if is_named else str(row["label"]),
            "id": str(number),
            "user": f"user{rng.randrange(9)}",
        }
        for number, row in enumerate(rows)
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if has_header:
            writer.writerow([rng.choice(NAMES[column]) for column in columns])
        writer.writerows([[row[c] for c in columns] for row in values])
    return [(row["text"], row["label"]) for row in values]


def read(path, **options) -> list[tuple[str, str]]:
    raw = read_source(DataConfig(source=str(path), **options))
    train = raw.splits["train"]
    names = [raw.labels[i] for i in train["label"].to_pylist()]
    return list(zip(train["text"].to_pylist(), names, strict=True))


def read_as_told(path, message: str) -> list[tuple[str, str]] | None:
    """Reads with the options that a message names, one after the other.

    None where the hint is about something else, such as labels that are too many, or
    where it names another column of few values, which only the person can tell.
    """
    if "different values in" in message:
        return None
    options = hinted(message)
    with path.open(newline="", encoding="utf-8") as file:
        count = sum(1 for _ in csv.reader(file))
    try:
        found = read(path, **options)
    except SeqclfError as error:
        assert "different values in" in str(error), (message, error)  # noqa: PT017
        return None
    assert len(found) in (count, count - 1)
    return None
