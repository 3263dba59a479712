"""Texts with several labels: however they are written, they are read alike."""

from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqclf.config import DataConfig
from seqclf.data.dataset import fingerprint_of, members_of
from seqclf.data.label_rows import separated
from seqclf.data.load import load_dataset, read_source
from seqclf.errors import ConfigError, DataError

LABELS = ("love", "fun", "war")
COLUMNS = "love,fun,war"
EVERY = [
    [label for bit, label in enumerate(LABELS) if number >> bit & 1]
    for number in range(8)
]


def rows(count=80):
    """Texts whose labels are each of the eight sets in turn."""
    return [(f"text number {i}", EVERY[i % 8]) for i in range(count)]


def lines(some):
    return "".join(json.dumps({"text": t, "label": v}) + "\n" for t, v in some)


def write_table(path, header, some):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *some])


def as_lists(path):
    (path / "x.jsonl").write_text(lines(rows()))
    return {"source": str(path / "x.jsonl")}


def as_parquet_lists(path):
    texts, labels = zip(*rows(), strict=True)
    table = pa.table({"text": texts, "label": pa.array(labels, pa.list_(pa.string()))})
    pq.write_table(table, path / "x.parquet")
    return {"source": str(path / "x.parquet")}


def as_names(path):
    some = [(text, "|".join(labels)) for text, labels in rows()]
    write_table(path / "x.csv", ("text", "label"), some)
    return {"source": str(path / "x.csv"), "labels_separator": "|"}


def as_written_lists(path):
    some = [(text, str(labels)) for text, labels in rows()]
    write_table(path / "x.csv", ("text", "label"), some)
    return {"source": str(path / "x.csv"), "labels_separator": ","}


def as_columns(path):
    some = [(text, *(int(n in labels) for n in LABELS)) for text, labels in rows()]
    write_table(path / "x.csv", ("text", *LABELS), some)
    return {"source": str(path / "x.csv"), "label_column": COLUMNS}


def as_flags(path):
    some = [
        {"text": text} | {name: name in labels for name in LABELS}
        for text, labels in rows()
    ]
    (path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))
    return {"source": str(path / "x.jsonl"), "label_column": COLUMNS}


def as_cats(path):
    some = [(text, {n: float(n in labels) for n in LABELS}) for text, labels in rows()]
    content = (json.dumps({"text": t, "cats": v}) + "\n" for t, v in some)
    (path / "x.jsonl").write_text("".join(content))
    return {"source": str(path / "x.jsonl")}


WAYS = (
    as_lists, as_parquet_lists, as_names, as_written_lists, as_columns, as_flags,
    as_cats,
)  # fmt: skip


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_however_labels_are_written_the_data_set_is_the_same(write, tmp_path):
    raw = read_source(DataConfig(**write(tmp_path)))
    (tmp_path / "lists").mkdir()
    other = read_source(DataConfig(**as_lists(tmp_path / "lists")))
    assert fingerprint_of(raw) == fingerprint_of(other)
    assert raw.labels == ("fun", "love", "war")
    members = members_of(raw.label_sets, 3)[raw.label_ids("train")]
    names = [{raw.labels[i] for i in np.flatnonzero(row)} for row in members]
    assert names == [set(labels) for _, labels in rows()]
    assert raw.label_counts("train").tolist() == [40, 40, 40]
    assert any("10 texts without a label" in note for note in raw.notes)


def test_fasttext_lines_with_several_labels_are_lists(tmp_path):
    some = [(t, labels) for t, labels in rows() if labels]
    text = "".join(
        " ".join(f"__label__{n}" for n in labels) + f" {t}\n" for t, labels in some
    )
    (tmp_path / "x.txt").write_text(text)
    raw = read_source(DataConfig(source=str(tmp_path / "x.txt")))
    assert raw.label_counts("train").tolist() == [40, 40, 40]
    assert len(raw.label_sets) == 7
    (tmp_path / "y.txt").write_text(text + "__label__fun\n a line without a label\n")
    with pytest.raises(DataError, match="has no label"):
        read_source(DataConfig(source=str(tmp_path / "y.txt")))


def test_lists_of_one_label_are_one_label(tmp_path):
    (tmp_path / "x.jsonl").write_text(lines((t, v[:1] or ["fun"]) for t, v in rows()))
    raw = read_source(DataConfig(source=str(tmp_path / "x.jsonl")))
    assert raw.label_sets is None


def test_texts_without_a_label_stay_unless_they_are_to_go(tmp_path):
    given = as_lists(tmp_path)
    assert read_source(DataConfig(**given)).splits["train"].num_rows == 80
    left = read_source(DataConfig(**given, drop_unlabeled=True))
    assert left.splits["train"].num_rows == 70
    assert any("left out 10 texts without a label" in note for note in left.notes)


def test_a_label_that_stands_twice_counts_once_and_that_is_said(tmp_path):
    some = [*rows(), ("again", ["fun", "war", "fun"])]
    (tmp_path / "x.jsonl").write_text(lines(some))
    raw = read_source(DataConfig(source=str(tmp_path / "x.jsonl")))
    assert raw.label_counts("train").tolist() == [41, 40, 41]
    assert any("1 text had a label twice" in note for note in raw.notes)


def test_ids_are_named_by_the_source(tmp_path):
    some = [(t, [LABELS.index(n) for n in labels]) for t, labels in rows()]
    (tmp_path / "train.jsonl").write_text(lines(some))
    (tmp_path / "labels.json").write_text(json.dumps(LABELS))
    raw = read_source(DataConfig(source=str(tmp_path)))
    assert raw.labels == LABELS
    assert raw.label_counts("train").tolist() == [40, 40, 40]
    assert raw.label_sets[1] == (0,)


def test_a_set_that_train_lacks_is_known_by_its_labels(tmp_path):
    train = [(t, v) for t, v in rows() if len(v) < 3]
    (tmp_path / "train.jsonl").write_text(lines(train))
    (tmp_path / "test.jsonl").write_text(lines([("x y", list(LABELS)), ("z", [])]))
    data = load_dataset(DataConfig(source=str(tmp_path)))
    test = members_of(data.label_sets, 3)[data.label_ids("test")]
    assert test.tolist() == [[True] * 3, [False] * 3]


@pytest.mark.parametrize(
    ("value", "separator", "names"),
    [
        ("war|love", "|", ("war", "love")),
        (" war | love |", "|", ("war", "love")),
        ("war", "|", ("war",)),
        ("", "|", ()),
        ("['a b', \"c\"]", ",", ("['a b'", '"c"]')),
        ("a, b;c", ";", ("a, b", "c")),
    ],
)
def test_names_are_taken_apart(value, separator, names):
    assert separated(value, separator) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("['a b', \"c\"]", ("a b", "c")),
        (
            "['war, civil', \"Rock 'n'\", 'caf\\xe9']",
            ("war, civil", "Rock 'n'", "café"),
        ),
        ("[war, love]", ("war", "love")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_lists_that_were_written_as_text_are_read(value, names):
    assert separated(value, ",", as_list=True) == names


def test_brackets_belong_to_names_unless_all_are_lists(tmp_path):
    some = [("a", "[x]"), ("b", "[x]|y"), ("c", "y")]
    write_table(tmp_path / "x.csv", ("text", "label"), some)
    given = DataConfig(source=str(tmp_path / "x.csv"), labels_separator="|")
    assert read_source(given).labels == ("[x]", "y")


def test_lists_with_a_label_or_none_are_several(tmp_path):
    (tmp_path / "x.jsonl").write_text(lines((t, v[:1]) for t, v in rows()))
    raw = read_source(DataConfig(source=str(tmp_path / "x.jsonl")))
    assert raw.label_sets == ((), (0,), (1,), (2,))
    cats = ({n: float(n in v[:1]) for n in LABELS} for _, v in rows())
    content = (json.dumps({"text": f"t {i}", "cats": c}) for i, c in enumerate(cats))
    (tmp_path / "y.jsonl").write_text("\n".join(content))
    again = read_source(DataConfig(source=str(tmp_path / "y.jsonl")))
    assert again.label_sets == raw.label_sets


def test_ids_of_names_that_are_numbers_are_ids(tmp_path):
    (tmp_path / "train.jsonl").write_text(lines([("a", [0, 2]), ("b", [1]), ("c", [])]))
    (tmp_path / "labels.json").write_text('["1", "2", "3"]')
    raw = read_source(DataConfig(source=str(tmp_path)))
    assert [raw.named(i) for i in raw.label_ids("train")] == ["1 | 3", "2", "(none)"]


def test_other_has_as_many_texts_as_it_needs(tmp_path):
    some = [*rows(), *((f"odd {i}", [f"rare {i}", f"scarce {i}"]) for i in range(2))]
    (tmp_path / "x.jsonl").write_text(lines(some))
    given = {"source": str(tmp_path / "x.jsonl"), "other": True}
    raw = read_source(DataConfig(**given, min_per_label=3))
    assert raw.labels == ("fun", "love", "war")  # two texts, though four labels
    raw = read_source(DataConfig(**given, min_per_label=2))
    assert "other" in raw.labels
    assert raw.label_counts("train")[raw.labels.index("other")] == 2


def test_what_is_missing_or_looks_so_is_left_out_if_asked(tmp_path):
    some = [*rows(16), ("no list", None), ("exported", ["nan"]), ("rare", ["x"])]
    (tmp_path / "x.jsonl").write_text(lines(some))
    source = str(tmp_path / "x.jsonl")
    raw = read_source(DataConfig(source=source, drop_unlabeled=True, min_per_label=2))
    assert raw.labels == ("fun", "love", "war")
    assert raw.splits["train"].num_rows == 14
    assert any("left out 5 texts without a label" in note for note in raw.notes)


def test_what_prodigy_rejects_is_left_out_if_asked(tmp_path):
    some = [{"text": t, "accept": v, "answer": "accept"} for t, v in rows(16)]
    some[7]["answer"] = "reject"
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, some)))
    given = {"source": str(tmp_path / "x.jsonl")}
    with pytest.raises(DataError, match="row 8 has no list"):
        read_source(DataConfig(**given))
    raw = read_source(DataConfig(**given, drop_unlabeled=True))
    assert raw.splits["train"].num_rows == 13


def test_many_labels_do_not_eat_the_training_texts(tmp_path):
    rng = np.random.default_rng(0)
    some = [(f"t {i}", [f"l{n}" for n in rng.integers(0, 100, 4)]) for i in range(300)]
    (tmp_path / "x.jsonl").write_text(lines(some))
    source = str(tmp_path / "x.jsonl")
    data = load_dataset(DataConfig(source=source, test_fraction=0.1))
    sizes = {split: table.num_rows for split, table in data.splits.items()}
    assert sizes == {"train": 243, "validation": 27, "test": 30}
    assert (
        load_dataset(DataConfig(source=source, limit=5)).splits["train"].num_rows == 5
    )
    tenth = load_dataset(DataConfig(source=source, fold="1/10"))
    assert tenth.splits["test"].num_rows == 30


def test_a_single_column_of_lists_holds_the_labels(tmp_path):
    content = (
        json.dumps({"text": f"a text {i}", "tags": v})
        for i, (_, v) in enumerate(rows())
    )
    (tmp_path / "x.jsonl").write_text("\n".join(content))
    raw = read_source(DataConfig(source=str(tmp_path / "x.jsonl")))
    assert raw.reading.label_column == "tags"
    assert raw.labels == ("fun", "love", "war")


def test_who_has_texts_without_a_label_hears_of_the_separator(tmp_path):
    some = [(t, "|".join(v)) for t, v in rows()]
    write_table(tmp_path / "x.csv", ("text", "label"), some)
    with pytest.raises(DataError, match=r"or none: --labels-separator '\|'"):
        read_source(DataConfig(source=str(tmp_path / "x.csv")))


BAD = {
    "nothing says which label": (
        [("a", [0, 1, 1]), ("b", [1, 1, 0]), ("c", [0, 0, 0])], {}, DataError,
    ),
    "numbers of 0 and 1": ([("a", [0, 1]), ("b", [1, 0])], {}, DataError),
    "holds 2 numbers": ([("a", ["0", "1"]), ("b", ["1", "1"])], {}, DataError),
    "no labels. Probabilities": ([("a", [0.2, 0.8]), ("b", [0.5])], {}, DataError),
    "a label in the list is null": ([("a", ["x", None]), ("b", [])], {}, DataError),
    "has no list of labels": ([("a", ["x", "y"]), ("b", None)], {}, DataError),
    "is no label": ([("a", ["x", " "]), ("b", ["y"])], {}, DataError),
    "does nothing here": (
        [("a", ["x", "y"]), ("b", ["x"])], {"labels_separator": "|"}, ConfigError,
    ),
    "no label in column 'label' has '|'": (
        [("a", "x"), ("b", "y")], {"labels_separator": "|"}, DataError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", BAD)
def test_what_is_no_list_of_labels_is_refused(said, tmp_path):
    some, given, error = BAD[said]
    (tmp_path / "x.jsonl").write_text(lines(some))
    with pytest.raises(error) as caught:
        read_source(DataConfig(source=str(tmp_path / "x.jsonl"), **given))
    assert said in str(caught.value)


def test_columns_that_hold_no_flags_are_refused_with_the_row(tmp_path):
    some = [("one", 1, 0), ("two", 0, "0.7")]
    write_table(tmp_path / "x.csv", ("text", "a", "b"), some)
    given = DataConfig(source=str(tmp_path / "x.csv"), label_column="a,b")
    with pytest.raises(DataError, match=r"row 3: column 'b' holds .*0\.7"):
        read_source(given)
    other = DataConfig(source=str(tmp_path / "x.csv"), label_column="a,c")
    with pytest.raises(DataError, match="no column 'c'"):
        read_source(other)


def test_a_separator_of_blanks_is_refused():
    with pytest.raises(ConfigError, match="labels_separator must be"):
        DataConfig(labels_separator=" ")


def uneven(path, count=600):
    """Sets of unequal frequency, one of them in three texts alone."""
    rng = np.random.default_rng(0)
    flags = rng.random((count, 3)) < (0.5, 0.2, 0.05)
    some = [
        (f"t {i}", [n for n, f in zip(LABELS, row, strict=True) if f])
        for i, row in enumerate(flags)
    ]
    (path / "x.jsonl").write_text(lines(some))
    return DataConfig(source=str(path / "x.jsonl"))


def test_held_out_texts_have_each_label_in_its_share(tmp_path):
    data = load_dataset(uneven(tmp_path))
    total = sum(data.label_counts(s) for s in ("train", "validation", "test"))
    for split, share in (("test", 0.2), ("validation", 0.08)):
        # Rounding a stratum moves a label by a row at most; there are seven or so.
        assert np.abs(data.label_counts(split) - share * total).max() <= 4
        assert (data.label_counts(split) > 0).all()


def test_rare_sets_are_divided_by_their_rarest_label(tmp_path):
    raw = read_source(uneven(tmp_path))
    ids, strata = raw.label_ids("train"), raw.strata("train")
    members = members_of(raw.label_sets, 3)
    sizes = np.bincount(ids)
    rare = [s for s, size in enumerate(sizes) if size < 10 and members[s].any()]
    assert rare
    of_labels = raw.label_counts("train")
    for label_set in rare:
        rarest = min(raw.label_sets[label_set], key=lambda label: of_labels[label])
        together = np.unique(ids[strata == strata[ids == label_set][0]])
        assert all(members[other, rarest] for other in together)
    common = [s for s, size in enumerate(sizes) if size >= 10]
    for label_set in common:
        assert len(np.unique(ids[strata == strata[ids == label_set][0]])) == 1


def test_rare_sets_with_one_rarest_label_are_one_stratum(tmp_path):
    some = (
        [["war", "fun"]] * 3 + [["war", "love"]] * 4 + [["fun"]] * 20 + [["love"]] * 20
    )
    (tmp_path / "x.jsonl").write_text(lines((f"t {i}", v) for i, v in enumerate(some)))
    raw = read_source(DataConfig(source=str(tmp_path / "x.jsonl")))
    assert np.bincount(raw.strata("train")).tolist() == [20, 20, 7]


def test_a_sample_and_a_fold_keep_the_shares(tmp_path):
    given = uneven(tmp_path).source
    limited = load_dataset(DataConfig(source=given, limit=200))
    whole = load_dataset(DataConfig(source=given))
    share = 200 / whole.splits["train"].num_rows
    expected = share * whole.label_counts("train")
    assert np.abs(limited.label_counts("train") - expected).max() <= 4
    tested = [load_dataset(DataConfig(source=given, fold=f"{k}/5")) for k in (1, 2)]
    texts = [set(one.texts("test").to_pylist()) for one in tested]
    assert not texts[0] & texts[1]
    assert np.abs(np.subtract(*(o.label_counts("test") for o in tested))).max() <= 5


def test_rare_labels_leave_their_sets_and_no_text_is_lost(tmp_path):
    some = [*rows(), ("odd", ["fun", "rare"]), ("odder", ["rare"])]
    (tmp_path / "x.jsonl").write_text(lines(some))
    source = str(tmp_path / "x.jsonl")
    raw = read_source(DataConfig(source=source, min_per_label=3))
    assert raw.labels == ("fun", "love", "war")
    assert raw.splits["train"].num_rows == 82
    assert [raw.named(i) for i in raw.label_ids("train")[-2:]] == ["fun", "(none)"]
    assert any("1 labels with fewer texts" in note for note in raw.notes)


def test_spellings_are_merged_within_sets(tmp_path):
    some = [*rows(), ("shout", ["FUN", "war"]), ("both", ["fun", "FUN"])]
    (tmp_path / "x.jsonl").write_text(lines(some))
    raw = read_source(DataConfig(source=str(tmp_path / "x.jsonl"), merge_labels=True))
    assert raw.labels == ("fun", "love", "war")
    last = raw.label_ids("train")[-2:]
    assert [raw.named(i) for i in last] == ["fun | war", "fun"]


def test_a_separator_of_the_training_reads_other_files_alike(tmp_path):
    given = as_names(tmp_path)
    trained = read_source(DataConfig(**given))
    assert trained.reading.labels_separator == "|"
    other = DataConfig(source=given["source"])
    again = read_source(other, usual=trained.reading)
    assert fingerprint_of(again) == fingerprint_of(trained)


def test_lists_of_ids_of_the_hub_have_their_names(tmp_path):
    import datasets

    names = datasets.ClassLabel(names=list(LABELS))
    features = datasets.Features(
        {"text": datasets.Value("string"), "labels": datasets.Sequence(names)}
    )
    texts, labels = zip(*rows(), strict=True)
    values = {"text": texts, "labels": labels}
    made = datasets.Dataset.from_dict(values, features=features)
    datasets.DatasetDict({"train": made}).save_to_disk(str(tmp_path / "mine"))
    raw = read_source(DataConfig(source=str(tmp_path / "mine")))
    assert raw.labels == LABELS
    assert raw.label_counts("train").tolist() == [40, 40, 40]
