"""Rows that belong together stay on one side of every hold-out that seqclf makes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn
from conftest import (
    TINY,
    invoke,
    reviews,
    run_in,
    shared,
    tasks_in_this_process,
    write_csv,
)
from pyarrow import feather, parquet
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, cross_val_score

from seqclf import Run, SequenceClassifier, config
from seqclf.config import DataConfig, RunConfig, TextConfig
from seqclf.data.dataset import Dataset, RawData, fingerprint
from seqclf.data.groups import whole_groups
from seqclf.data.load import load_dataset, read_source
from seqclf.errors import ConfigError, DataError, InputError
from seqclf.estimator import fitting
from seqclf.text.encoding import encode_dataset
from seqclf.training.fit import History

SPLITS = ("train", "validation", "test")
Row = tuple[str, str, object]


def films(n: int = 200, start: int = 0) -> list[Row]:
    """Returns texts of 25 films, whose rows stand apart and have both labels."""
    some = enumerate(reviews(n, start))
    return [(text, label, f"film {start + i % 25}") for i, (text, label) in some]


def table(rows: list[Row], column: str = "film") -> pa.Table:
    texts, labels, groups = map(list, zip(*rows, strict=True))
    return pa.table({"text": texts, "label": labels, column: groups})


def write(path: Path, rows: list[Row], column: str = "film") -> Path:
    """Writes rows in the format that a suffix names, or with `datasets`."""
    whole = table(rows, column)
    frame = whole.to_pandas()
    if path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif path.suffix == ".parquet":
        parquet.write_table(whole, path)
    elif path.suffix == ".arrow":
        feather.write_feather(whole, path)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        import datasets

        datasets.Dataset(whole).save_to_disk(path)
    return path


def load(path: Path, column: str = "film", **values: object) -> Dataset:
    return load_dataset(DataConfig(source=str(path), group_column=column, **values))


def read(path: Path, column: str = "film", **values: object) -> RawData:
    return read_source(DataConfig(source=str(path), group_column=column, **values))


def texts_of(data: RawData, split: str) -> list[str]:
    return data.texts(split).to_pylist()


def sides(data: RawData, rows: list[Row]) -> list[set[object]]:
    """Returns the films of each split, looked up by their texts."""
    film_of = {text: film for text, _, film in rows}
    return [{film_of[text] for text in texts_of(data, s)} for s in SPLITS]


def assert_apart(data: RawData, rows: list[Row]) -> None:
    train, validation, test = sides(data, rows)
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert train | validation | test == {film for _, _, film in rows}


# Reading.


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".arrow", ""])
def test_no_group_is_on_both_sides_of_a_hold_out(suffix, tmp_path):
    rows = films()
    path = write(tmp_path / f"x{suffix}", rows)
    data = load(path)
    assert_apart(data, rows)
    # A fifth of 25 films of 8 rows, then a tenth of those that are left.
    assert [data.splits[s].num_rows for s in SPLITS] == [144, 16, 40]
    assert data.label_counts("test").tolist() == [20, 20]
    alone = load_dataset(DataConfig(source=str(path)))
    assert sides(alone, rows)[0] & sides(alone, rows)[2]


def test_the_notes_say_how_many_rows_and_groups_were_held_out(tmp_path):
    path = write(tmp_path / "x.csv", films())
    held = "training rows out"
    assert load(path).notes == (
        f"no test split in {path}: held 40 of 200 {held} (20.0 %, 5 of 25 groups; "
        f"stratified, seed 0).",
        f"no validation split in {path}: held 16 of 160 {held} (10.0 %, 2 of 20 "
        f"groups; stratified, seed 0).",
    )


def test_the_split_seed_decides_and_the_names_of_groups_do_not(tmp_path):
    rows = films()
    path = write(tmp_path / "x.csv", rows)
    films_there = sorted({film for _, _, film in rows})
    numbers = random.Random(0).sample(range(10**6), len(films_there))
    number_of = dict(zip(films_there, numbers, strict=True))  # each its own
    renamed = [(text, label, number_of[film]) for text, label, film in rows]
    other = write(tmp_path / "y.csv", renamed)

    def held(path: Path, seed: int) -> list[str]:
        return texts_of(load(path, split_seed=seed), "test")

    assert held(path, 0) == held(path, 0) == held(other, 0)
    assert held(path, 0) != held(path, 1)


def test_a_group_may_be_a_number_and_white_space_does_not_count(tmp_path):
    numbers = [(text, label, i // 5) for i, (text, label, _) in enumerate(films())]
    spaced = [(text, label, f" {film} ") for text, label, film in numbers]
    floats = [(text, label, float(film)) for text, label, film in numbers]
    prints = {
        load(write(tmp_path / name, rows)).fingerprint
        for name, rows in (
            ("a.parquet", numbers),
            ("b.csv", spaced),
            ("c.jsonl", numbers),
            ("d.parquet", floats),
        )  # fmt: skip
    }
    assert len(prints) == 1


@pytest.mark.parametrize("nothing", [None, float("nan"), "", "  "])
def test_rows_without_a_group_are_groups_of_their_own(nothing, tmp_path):
    films_of = ["a", nothing, "a", nothing, "b", nothing] * 10
    if isinstance(nothing, float):
        films_of = [nothing if f is nothing else float(f == "a") for f in films_of]
    rows = [(text, label, f) for (text, label), f in zip(reviews(60), films_of)]  # noqa: B905
    groups = read(write(tmp_path / "x.parquet", rows)).groups("train")
    alone = np.array([film is nothing for film in films_of])
    assert len(set(groups[alone])) == 30
    assert len(set(groups[~alone])) == 2
    assert not set(groups[alone]) & set(groups[~alone])
    [said] = read(tmp_path / "x.parquet").notes
    assert said == "30 of 60 rows have no 'film': each is its own group."


def test_groups_are_carried_through_all_that_changes_rows(tmp_path):
    rows = films()
    rows[3:6] = [(text, "nan", film) for text, _, film in rows[3:6]]
    rows[7:9] = [(text, "BAD", film) for text, _, film in rows[7:9]]
    rows[9] = (rows[9][0], "rare", rows[9][2])
    write(tmp_path / "train.csv", [*rows, rows[20]])
    write(tmp_path / "test.csv", [rows[20], *films(40, start=200)])
    data = load(
        tmp_path, drop_unlabeled=True, merge_labels=True, min_per_label=2,
        drop_duplicates=True, limit=80,
    )  # fmt: skip
    film_of = {text: film for text, _, film in [*rows, *films(40, start=200)]}
    pairs = {
        (film_of[text], group)
        for split in SPLITS
        for text, group in zip(
            texts_of(data, split), data.groups(split).tolist(), strict=True
        )
    }
    assert len({film for film, _ in pairs}) == len({g for _, g in pairs}) == len(pairs)
    assert data.splits["train"].num_rows == 80
    assert data.groups("train").dtype == np.int32


def test_other_splits_have_groups_where_their_files_have_the_column(tmp_path):
    write(tmp_path / "train.csv", films(100))
    write(tmp_path / "unlabeled.csv", [("new", "", "film 3"), ("newer", "", "film x")])
    write_csv(tmp_path / "test.csv", reviews(20, start=300))
    data = load(tmp_path)
    known, new = data.groups("unlabeled").tolist()
    third = films(100)[3][0]
    group_of = {
        text: group
        for split in ("train", "validation")
        for text, group in zip(
            texts_of(data, split), data.groups(split).tolist(), strict=True
        )
    }
    assert group_of[third] == known
    assert new not in group_of.values()
    assert data.groups("test").tolist() == [-1] * 20
    assert load_dataset(DataConfig(source=str(tmp_path))).groups("train") is None


def test_the_group_column_is_never_taken_for_texts_or_labels(tmp_path):
    rows = films(100)
    names = {"film": "category", "label": "mood"}

    def file(name: str, some: list[Row], without: str = "") -> None:
        frame = table(some).to_pandas().rename(columns=names)
        frame.drop(columns=[without] if without else []).to_csv(
            tmp_path / name, index=False
        )

    file("x.csv", rows)
    assert read_source(DataConfig(source=str(tmp_path / "x.csv"))).labels[0] == "film 0"
    assert read(tmp_path / "x.csv", "category").labels == ("bad", "good")
    (tmp_path / "x.csv").unlink()
    # Nor in another split, where the label of train is missing.
    file("train.csv", rows)
    file("test.csv", rows[:9], without="mood")
    assert "test.csv has no labels" in " ".join(read(tmp_path, "category").notes)


def folder_of_labels(folder: Path) -> Path:
    for i in range(6):
        place = folder / ("good", "bad")[i % 2]
        place.mkdir(exist_ok=True)
        (place / f"{i}.txt").write_text(f"text {i}")
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group_column": "flim"}, "unknown column 'flim'; did you mean 'film'?"),
        ({"group_column": "label"}, "is the column of labels; name one that says"),
        ({"group_column": "Text"}, "--group-column 'Text' is the column of texts"),
        ({"group_column": "film", "label_column": "film"}, "the column of labels"),
        ({"group_column": "film", "text_column": "text,film"}, "the column of texts"),
        ({"source": "demo"}, "group_column does nothing with the data set demo"),
    ],
)
def test_a_column_that_cannot_be_that_of_groups_is_refused(options, message, tmp_path):
    path = write(tmp_path / "x.csv", films(40))
    values = {"source": str(path), "group_column": "film"} | options
    kind = DataError if "unknown" in message else ConfigError
    with pytest.raises(kind, match=message.replace("?", r"\?")):
        load_dataset(DataConfig(**values))


def test_a_source_without_columns_is_refused(tmp_path):
    with pytest.raises(DataError, match="texts and labels alone, and no column 'film'"):
        load(folder_of_labels(tmp_path))


def test_a_group_of_several_values_is_refused(tmp_path):
    rows = [(text, label, [film, "x"]) for text, label, film in films(40)]
    path = write(tmp_path / "x.parquet", rows)
    with pytest.raises(DataError, match=r"'film' holds list<.*must be one value"):
        load(path)


# Dividing.


def chi_square(held: np.ndarray, wanted: np.ndarray) -> float:
    return float(((held - wanted) ** 2 / wanted).sum())


def random_data(seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns labels, groups and a fraction: groups of 1 to 12 that lean to a label."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 13, 150)
    groups = rng.permutation(np.repeat(np.arange(150), sizes))
    usual = rng.integers(0, 4, 150)[groups]
    label_ids = np.where(rng.random(len(groups)) < 0.7, usual, rng.integers(0, 4))
    return label_ids, groups, float(rng.choice([0.05, 0.1, 0.2, 0.33, 0.6]))


@pytest.mark.parametrize("seed", range(40))
def test_what_is_held_out_is_whole_and_as_near_as_groups_permit(seed):
    label_ids, groups, fraction = random_data(seed)
    drawn = whole_groups(label_ids, groups, fraction, seed)
    left = np.delete(np.arange(len(groups)), drawn)
    assert (np.diff(drawn) > 0).all()
    assert not set(groups[drawn]) & set(groups[left])
    assert set(label_ids[left]) == set(label_ids)
    assert len(drawn) <= max(len(groups) / 2, round(fraction * len(groups)))
    renumbered = np.random.default_rng(seed).permutation(1000)[groups]
    assert (whole_groups(label_ids, renumbered, fraction, seed) == drawn).all()

    def counts(rows: np.ndarray) -> np.ndarray:
        return np.bincount(label_ids[rows], minlength=label_ids.max() + 1)

    total = counts(np.arange(len(groups)))
    there, held = total > 0, counts(drawn)
    wanted = fraction * total[there]
    # Within half of the rows of a large group of what is wanted, of each label.
    assert (abs(held[there] - wanted) <= 6).all()
    nearest = chi_square(held[there], wanted)
    for group in set(groups[left]):
        more = held + counts(np.flatnonzero(groups == group))
        is_too_much = more.sum() > max(len(groups) / 2, round(fraction * len(groups)))
        if (more[there] < total[there]).all() and not is_too_much:
            assert chi_square(more[there], wanted) >= nearest


def test_labels_are_nearer_their_shares_than_in_a_draw_that_does_not_look():
    ours, theirs = [], []
    for seed in range(30):
        label_ids, groups, _ = random_data(seed)
        wanted = 0.1 * np.bincount(label_ids, minlength=4)
        blind = GroupShuffleSplit(1, test_size=0.1, random_state=seed)
        [(_, held)] = blind.split(label_ids, label_ids, groups)
        for found, rows in (
            (ours, whole_groups(label_ids, groups, 0.1, seed)), (theirs, held)
        ):  # fmt: skip
            counts = np.bincount(label_ids[rows], minlength=4)
            found.append(chi_square(counts[wanted > 0], wanted[wanted > 0]))
    assert np.mean(ours) < 0.2 * np.mean(theirs)


@pytest.mark.parametrize("seed", range(8))
def test_by_hand(seed):
    # A fifth of ten rows is one of each label: groups 7, 8, 9 have that, 5 too many.
    groups = np.array([5, 7, 5, 8, 5, 9, 5, 7, 8, 9])
    label_ids = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 1])
    drawn = whole_groups(label_ids, groups, 0.2, seed)
    assert set(groups[drawn]) in ({7}, {8}, {9})
    assert len(drawn) == 2
    # A label in one group alone stays in train.
    label_ids[groups == 7] = 2
    assert set(groups[whole_groups(label_ids, groups, 0.2, seed)]) in ({8}, {9})


def test_groups_too_large_for_the_fraction_give_one_and_its_size_is_said(tmp_path):
    rows = [(text, label, i // 2 % 4) for i, (text, label) in enumerate(reviews(40))]
    data = load(write(tmp_path / "x.csv", rows), test_fraction=0.1)
    assert "held 10 of 40 training rows out (25.0 %, 1 of 4 groups;" in data.notes[0]
    assert "held 10 of 30 training rows out (33.3 %, 1 of 3 groups;" in data.notes[1]
    assert_apart(data, rows)


def test_beside_a_giant_the_others_are_held_out(tmp_path):
    rows = [(t, y, 0 if i < 90 else i // 2) for i, (t, y) in enumerate(reviews(100))]
    data = load(write(tmp_path / "x.csv", rows), test_fraction=0.04)
    assert [data.splits[s].num_rows for s in SPLITS] == [90, 6, 4]


@pytest.mark.parametrize(
    ("film_of", "numbers"),
    [
        (lambda i: "a", "40 training rows in 1 group, the largest of 40"),
        (lambda i: "ab"[i % 2], "40 training rows in 2 groups, the largest of 20"),
        (lambda i: "ab"[i < 10], "30 training rows in 1 group, the largest of 30"),
    ],
    ids=["one group", "a group a label", "one group left"],
)
def test_too_few_groups_are_refused_with_their_numbers(film_of, numbers, tmp_path):
    rows = [(text, label, film_of(i)) for i, (text, label) in enumerate(reviews(40))]
    with pytest.raises(DataError, match=f"from {numbers}.*three or more groups, or gi"):
        load(write(tmp_path / "x.csv", rows))


def test_a_group_of_more_than_half_is_not_held_out_unless_as_much_is_asked_for():
    # Group 1 has all rows of label 2; group 0, which could go, has 25 of 40 rows.
    groups = np.repeat([0, 1], [25, 15])
    label_ids = np.array([0, 1] * 12 + [0] + [0, 1, 2] * 5)
    assert whole_groups(label_ids, groups, 0.1, seed=0).tolist() == []
    assert whole_groups(label_ids, groups, 0.65, seed=0).tolist() == [*range(25)]


# What is told, and what is the same question.


def test_groups_that_the_source_has_on_both_sides_are_noted(tmp_path):
    rows = films(100)
    write(tmp_path / "train.csv", rows)
    new = [(f"{text}!", label, f"{film} new") for text, label, film in rows[:20]]
    new[4:7] = [
        ("a!", "bad", "film 0"),
        ("b!", "good", "film 1"),
        ("c", "bad", "film 0"),
    ]
    write(tmp_path / "test.csv", new)
    new[4:7] = [("e!", "bad", "film 2"), ("f!", "good", ""), ("g", "bad", "")]
    write(tmp_path / "validation.csv", new)
    notes = load(tmp_path).notes
    said = [note for note in notes if note.startswith("SQ012")]
    assert "validation shares 1 group with train, 1 of its 20 rows" in said[0]
    assert "test shares 2 groups with train, 3 of its 20 rows" in said[1]
    assert not any(
        "SQ012" in n for n in load_dataset(DataConfig(source=str(tmp_path))).notes
    )
    assert texts_of(load(tmp_path), "test")[4] == "a!"  # left as it is


def test_files_without_the_column_share_no_group(tmp_path):
    write(tmp_path / "train.csv", films(100))
    write_csv(tmp_path / "test.csv", reviews(20, start=300))
    write_csv(tmp_path / "validation.csv", reviews(20, start=400))
    assert load(tmp_path).notes == ()


def test_the_fingerprint_depends_on_which_rows_belong_together(tmp_path):
    rows = films(60)
    swapped = [*rows]
    swapped[0], swapped[1] = ((*rows[0][:2], rows[1][2]), (*rows[1][:2], rows[0][2]))

    def of(name: str, some: list[Row], **values: object) -> str:
        raw = read(write(tmp_path / name, some), **values)
        return fingerprint(raw.splits, raw.labels)

    whole = of("a.csv", rows)
    assert of("b.csv", swapped) != whole
    assert of("c.csv", [(t, y, f"the {film}") for t, y, film in rows]) == whole
    unlabelled = [("x", "nan", "film x"), *rows[:30], ("y", "", "film 1"), *rows[30:]]
    assert of("d.csv", unlabelled, drop_unlabeled=True) == whole
    plain = read_source(DataConfig(source=str(tmp_path / "a.csv")))
    assert fingerprint(plain.splits, plain.labels) != whole
    file = write_csv(tmp_path / "e.csv", [row[:2] for row in rows])
    bare = read_source(DataConfig(source=str(file)))
    assert fingerprint(bare.splits, bare.labels) == fingerprint(
        plain.splits, plain.labels
    )


def test_groups_are_part_of_the_question():
    none, film = RunConfig(), RunConfig(data=DataConfig(group_column="film"))
    assert config.differences(none, film) == ["data.group_column: None, film"]
    assert config.differences(film, none) == ["data.group_column: film, None"]
    assert config.question(film)["data"]["group_column"] == "film"
    assert config.division(film.data)["group_column"] == "film"
    assert config.from_dict(config.to_dict(film)) == film


def test_a_config_from_before_asks_the_same_question():
    before = config.to_dict(RunConfig())
    del before["data"]["group_column"]
    assert config.same_question(config.from_dict(before), RunConfig())
    assert "group_column" not in config.question(RunConfig())["data"]
    assert "group_column" not in config.division(DataConfig())


def test_without_groups_all_is_as_it_was_before_there_were_any(tmp_path):
    # What the commit before the setting printed.
    text = TextConfig(predict_length=400)  # so far were texts read then
    question = config.question(RunConfig(text=text))
    asked = json.dumps(question, sort_keys=True).encode()
    assert hashlib.sha256(asked).hexdigest()[:16] == "74e126cbf64c5759"
    data = DataConfig(source=str(write_csv(tmp_path / "x.csv", reviews(60))))
    dataset = load_dataset(data)
    assert dataset.fingerprint == "e8e33118e8afb9c3"
    encoded = encode_dataset(dataset, data, text, tmp_path / "cache")
    assert encoded.path.name == "x-194a5d33c3df"
    numbers = [int(text.split()[-1]) for text in texts_of(dataset, "test")]
    assert numbers == [4, 11, 13, 17, 20, 26, 27, 33, 41, 48, 52, 56]
    numbers = [int(text.split()[-1]) for text in texts_of(dataset, "validation")]
    assert numbers == [6, 12, 21, 35, 39]
    assert dataset.splits["train"].column_names == ["text", "label"]


# Commands.


def test_data_show_counts_groups(tmp_path):
    path = write(tmp_path / "x.csv", films())
    done = invoke("data", "show", path, "--group-column", "film")
    assert "Groups: train 18, validation 2, test 5." in done.stdout
    printed = invoke("data", "show", path, "--group-column=film", "--json").stdout
    splits = json.loads(printed)["splits"]
    assert [splits[split]["groups"] for split in SPLITS] == [18, 2, 5]
    plain = invoke("data", "show", path).stdout
    assert "Groups" not in plain
    assert "Unknown tokens" in plain


def test_the_example_of_the_docs_is_what_the_command_prints(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "data.md").read_text("utf-8")
    section = page.split("## Rows that belong together")[1].split("\n## ")[0]
    rows, printed, *_ = re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)
    (tmp_path / "films.csv").write_text(textwrap.dedent(rows))
    [command] = re.findall(r"`seqclf (data show .*)`", section)
    with contextlib.chdir(tmp_path):
        done = invoke(*command.split())
    groups = [line for line in done.stdout.splitlines() if line.startswith("Groups")]
    said = " ".join([*done.stderr.split("\n"), *groups])
    assert said.split() == printed.split()


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with films.csv and a run on it, by film; read only."""
    folder = tmp_path_factory.mktemp("films")
    write(folder / "films.csv", films(120))
    command = ["train", "--data=films.csv", "--group-column=film", "--cell=none"]
    with tasks_in_this_process():
        done = run_in(folder, *command, *[o for o in TINY if "units" not in o])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("data", [[], ["--data=films.csv"]], ids=["own", "named"])
def test_a_run_is_evaluated_on_the_groups_that_were_held_out(trained, data):
    with contextlib.chdir(trained):
        run = Run(trained / "models" / "films-none-0")
        done = invoke("evaluate", run.name, "--json", *data)
    assert done.exit_code == 0, done.output
    scores, recorded = json.loads(done.stdout), run.metrics["test"]
    assert scores["n"] == recorded.n
    assert scores["log_loss"] == pytest.approx(recorded.log_loss, rel=1e-5)


def test_other_data_needs_no_groups(trained, tmp_path):
    other = write_csv(tmp_path / "other.csv", reviews(20, start=500))
    run = trained / "models" / "films-none-0"
    done = invoke("evaluate", run, "--json", f"--data={other}")
    assert done.exit_code == 0, done.output
    assert "all its rows are evaluated" in done.stderr
    output = tmp_path / "out.csv"
    done = invoke("predict", f"--run={run}", f"--input={other}", f"--output={output}")
    assert done.exit_code == 0, done.output
    assert len(output.read_text().splitlines()) == 21


def test_a_run_with_groups_is_another_run_and_the_card_says_so(trained):
    from seqclf.comparison.card import twin_card

    run = Run(trained / "models" / "films-none-0")
    assert twin_card([run]).equal["data.group_column"] == "film"
    assert run.config.data.group_column == "film"
    with contextlib.chdir(trained):
        command = ["train", "--cell=none", *[o for o in TINY if "units" not in o]]
        again = invoke(*command, "--data=films.csv", "--group-column=film")
        assert "films-none-0-2" not in again.output
        assert not (trained / "models" / "films-none-0-2").exists()


# scikit-learn.

TINIEST = {
    "cell": "none", "embedding_size": 4, "epochs": 1, "min_count": 1, "max_length": 8,
    "random_state": 0,
}  # fmt: skip
TEXTS, LABELS = map(list, zip(*reviews(60), strict=True))
FILMS = [f"film {i // 2 % 10}" for i in range(60)]
FILM_OF = dict(zip(TEXTS, FILMS, strict=True))


@pytest.fixture
def divided(monkeypatch) -> Iterator[list[tuple[set[str], set[str]]]]:
    """The texts of train and of validation of each fit, which learns nothing."""
    found: list[tuple[set[str], set[str]]] = []
    tokenized, halves = fitting._tokenized, []

    def watched(texts: list[str], rows: np.ndarray, config: object) -> object:
        halves.append({texts[row] for row in rows})
        if len(halves) % 2 == 0:
            found.append((halves[-2], halves[-1]))
        return tokenized(texts, rows, config)

    monkeypatch.setattr(fitting, "_tokenized", watched)
    nothing = History([], best_epoch=0, padding_share=0.0, batches=[], temperature=1.0)
    monkeypatch.setattr(fitting, "fit", lambda *others: nothing)
    return found


def films_of(texts: set[str]) -> set[str]:
    return {FILM_OF[text] for text in texts}


@pytest.mark.parametrize("given", [list, np.array, pd.Series, pa.array])
def test_fit_keeps_groups_together(given, divided):
    SequenceClassifier(**TINIEST).fit(TEXTS, LABELS, groups=given(FILMS))
    [(train, validation)] = divided
    assert not films_of(train) & films_of(validation)
    assert (len(train), len(validation)) == (54, 6)


def test_without_groups_fit_divides_as_before(divided):
    model = SequenceClassifier(**TINIEST).fit(TEXTS, LABELS)
    by_film = SequenceClassifier(**TINIEST).fit(TEXTS, LABELS, groups=FILMS)
    each = SequenceClassifier(**TINIEST).fit(TEXTS, LABELS, groups=[None] * 60)
    assert films_of(divided[0][0]) & films_of(divided[0][1])
    assert len(divided[2][1]) == 6
    prints = {m._trained.about.fingerprint for m in (model, by_film, each)}
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (FILMS[:-1], "inconsistent numbers of samples"),
        (
            [["a", "b"]] * 60,
            "groups must be all strings or all numbers, one a text, got",
        ),
        ([object()] * 60, "groups must be all strings or all numbers"),
        (["a"] * 60, "from 60 training rows in 1 group, the largest of 60"),
    ],
)
def test_groups_that_cannot_be_are_a_value_error(groups, message):
    with pytest.raises(ValueError, match=message) as caught:
        SequenceClassifier(**TINIEST).fit(TEXTS, LABELS, groups=groups)
    if "inconsistent" not in message:
        assert isinstance(caught.value, InputError)


def test_folds_by_group_hold_out_by_group_too_where_groups_are_routed(divided):
    model = SequenceClassifier(**TINIEST)
    folds = list(GroupKFold(3).split(TEXTS, LABELS, FILMS))
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(groups=True)
        scores = cross_val_score(
            model, TEXTS, LABELS, cv=GroupKFold(3), params={"groups": FILMS}
        )
    assert len(scores) == len(divided) == 3
    for (fitted, tested), (train, validation) in zip(folds, divided, strict=True):
        assert train | validation == {TEXTS[i] for i in fitted}
        assert not films_of(train) & films_of(validation)
        assert not films_of(train | validation) & films_of({TEXTS[i] for i in tested})


def test_folds_by_group_need_no_routing(divided):
    model = SequenceClassifier(**TINIEST)
    scores = cross_val_score(model, TEXTS, LABELS, groups=FILMS, cv=GroupKFold(2))
    assert len(scores) == len(divided) == 2


# Real data.


@pytest.mark.slow
def test_no_film_of_imdb_is_on_both_sides_of_validation(tmp_path):
    folder = shared("imdb")
    movies = parquet.read_table(folder / "meta" / "train.parquet")["movie"]
    rows = parquet.read_table(folder / "train.parquet")
    parquet.write_table(rows.append_column("film", movies), tmp_path / "train.parquet")
    (tmp_path / "test.parquet").symlink_to(folder / "test.parquet")
    data = load(tmp_path)
    film_of = dict(zip(rows["text"].to_pylist(), movies.to_pylist(), strict=True))
    train, validation = ({*data.groups(s).tolist()} for s in ("train", "validation"))
    assert not train & validation
    assert len(train | validation) == len(set(movies.to_pylist()))
    # The text of a review may occur twice, of two films: then its film is not known.
    copies = len(movies) - len(film_of)
    shared_films = {film_of[t] for t in texts_of(data, "train")} & {
        film_of[t] for t in texts_of(data, "validation")
    }
    assert len(shared_films) <= copies
    bad, good = data.label_counts("validation")
    assert bad == pytest.approx(1250, abs=15)
    assert good == pytest.approx(1250, abs=15)
