"""Labels in doubt by hand, near-duplicates beside brute force, planted leaks."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pyarrow as pa
import pytest
from conftest import reviews

from seqclf.linear.folds import FOLDS, deal, out_of_fold
from seqclf.linear.ngrams import tokenized
from seqclf.suspects import copies, labels, leaks

NAMES = ("bad", "good")


def strings(values: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


# Labels.

# Six texts, two labels; the columns are probabilities of 0 and 1.
GIVEN = np.array([0, 0, 0, 1, 1, 1])
BY_MODELS = np.array(
    [[0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.1, 0.9], [0.4, 0.6], [0.8, 0.2]]
)


def test_the_confident_joint_of_six_texts_by_hand():
    limits = labels.thresholds(BY_MODELS, GIVEN)
    assert limits == pytest.approx([(0.9 + 0.5 + 0.3) / 3, (0.9 + 0.6 + 0.2) / 3])
    confident = labels.confident_labels(BY_MODELS, limits)
    # 0.5 of the second reaches neither 0.567 nor 0.567.
    assert confident.tolist() == [0, labels.UNSURE, 1, 1, 1, 0]
    # The joint is [[1, 1], [1, 2]]; three texts have each label: 3 / 2 + 3 / 3.
    assert labels.expected_wrong(GIVEN, confident, 2) == pytest.approx(2.5)
    # The sixth text has its label with 0.2, the third with 0.3.
    assert labels.doubted(BY_MODELS, GIVEN, confident).tolist() == [5, 2]


def test_a_label_that_no_text_has_is_never_suggested():
    wide = np.column_stack([BY_MODELS, np.ones(6)])
    limits = labels.thresholds(wide, GIVEN)
    assert limits[2] == np.inf
    assert 2 not in labels.confident_labels(wide, limits)


def test_a_likelier_label_is_likelier_than_the_given_one():
    # Label 1 is hardly ever probable, so 0.3 of it is much; and yet 0.7 is more.
    probabilities = np.array([[0.7, 0.3], [0.99, 0.01], [0.9, 0.1]])
    given = np.array([0, 0, 1])
    limits = labels.thresholds(probabilities, given)
    confident = labels.confident_labels(probabilities, limits)
    assert confident.tolist() == [1, 0, 0]  # 0.7 is below 0.845
    assert labels.doubted(probabilities, given, confident).tolist() == [2]


def test_folds_have_labels_evenly_and_groups_whole():
    rng = np.random.default_rng(3)
    label_ids = rng.integers(0, 3, 200)
    folds = deal(label_ids, np.arange(200))
    counts = np.array([np.bincount(folds[label_ids == k]) for k in range(3)])
    assert counts.shape == (3, FOLDS)
    assert np.ptp(counts, axis=1).max() <= 1
    groups = rng.integers(0, 40, 200) * 7
    folds = deal(label_ids, groups)
    for group in np.unique(groups):
        assert len(np.unique(folds[groups == group])) == 1
    assert set(folds) == set(range(FOLDS))


def test_no_text_has_a_say_in_its_own_probabilities():
    """Another label changes those of other folds alone, but for the temperature."""
    texts = {"train": tokenized(strings([text for text, _ in reviews(60)]))}
    label_ids = np.arange(60) % 2
    folds = deal(label_ids, np.arange(60))
    changed = label_ids.copy()
    changed[0] = 1 - changed[0]
    before, after = (
        out_of_fold(texts, ids, folds, 2, lambda *_: None)["train"].astype(float)
        for ids in (label_ids, changed)
    )
    odds = [np.log(one[:, 1] / one[:, 0]) for one in (before, after)]
    ratio = odds[0] / odds[1]
    own = folds == folds[0]
    assert np.ptp(ratio[own]) < 1e-3 * abs(ratio[0])
    assert np.ptp(ratio[~own]) > 0.05 * abs(ratio[0])


def test_other_splits_have_the_mean_of_all_models():
    texts = {
        "train": tokenized(strings([text for text, _ in reviews(60)])),
        "test": tokenized(strings(["awful dull film", "a superb lovely meal"])),
    }
    label_ids = np.arange(60) % 2
    folds = deal(label_ids, np.arange(60))
    found = out_of_fold(texts, label_ids, folds, 2, lambda *_: None)
    assert found["test"].shape == (2, 2)
    assert found["test"].sum(axis=1) == pytest.approx([1, 1])
    assert found["test"].argmax(axis=1).tolist() == [0, 1]


# Near-duplicates.

WORDS = [f"{a}{b}" for a in ("ko", "ra", "mi", "tel") for b in ("san", "der", "v", "x")]


def made_up(n: int, words: int, seed: int) -> list[str]:
    """Texts of a few words, each followed by an edited copy of itself."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(n):
        some = rng.choice(WORDS, words).tolist()
        texts.append(" ".join(some))
        for place in rng.integers(0, words, rng.integers(0, 3)):
            some[place] = some[place] + "s" if place % 2 else str(rng.choice(WORDS))
        texts.append(" ".join(some))
    return list(dict.fromkeys(texts))


@pytest.mark.parametrize("words", [8, 20, 60])
def test_near_pairs_are_those_of_brute_force(words):
    texts = made_up(60, words, seed=words)
    sets = [{t[i : i + 5] for i in range(max(len(t) - 4, 1))} for t in texts]
    expected = {}
    for a, b in itertools.combinations(range(len(texts)), 2):
        value = len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        if value >= 0.8:
            expected[a, b] = value
    first, second, values = copies.near_pairs(texts)
    found = dict(
        zip(zip(first.tolist(), second.tolist(), strict=True), values, strict=True)
    )
    assert len(expected) > 5
    assert found == expected


def test_near_pairs_of_none_and_of_one():
    for texts in ([], ["alone"]):
        assert [len(one) for one in copies.near_pairs(texts)] == [0, 0, 0]


def test_case_blanks_and_signs_are_no_difference():
    texts = strings(["A lovely  film!", "a LOVELY film", "?!", "!?", " ", ""])
    plain = copies.plain(texts).to_pylist()
    assert plain[0] == plain[1] == "a lovely film"
    assert plain[2:] == ["?!", "!?", "", ""]


def test_a_row_repeats_the_most_similar_earlier_row_of_another_kind():
    long = "the quick brown fox jumps over the lazy dog by the river"
    texts = strings(
        [
            f"{long}s",  # 0
            long,  # 1
            f"{long.upper()}!",  # 2: of the kind of 1, but not of 0
            "something else entirely",  # 3
            long,  # 4
            "  ",  # 5
            " ",  # 6: blanks repeat nothing
        ]
    )
    kinds = np.array([0, 1, 1, 0, 2, 0, 1])
    found = list(copies.repeated(texts, kinds))
    near = copies.similarity(copies.plain(texts)[0].as_py(), long)
    assert 0.9 < near < 1
    assert found == [(1, 0, near), (2, 0, near), (4, 1, 1.0)]


def test_a_crowd_of_copies_is_found_whole_and_fast():
    """300 texts that differ in a number: each of test has one of train beside it."""
    shared = "you have won a prize of our summer draw, call us now on line "
    texts = strings([f"{shared}{i}" for i in range(300)] + ["no such thing"] * 300)
    kinds = np.arange(600) % 2
    start = time.process_time()
    found = list(copies.repeated(texts, kinds))
    assert time.process_time() - start < 5
    rows = [row for row, _, _ in found]
    assert set(range(300, 600)) - {300} <= set(rows)
    assert len(set(rows) & set(range(300))) > 280  # the first have few before them
    assert all(kinds[row] != kinds[other] and other < row for row, other, _ in found)


def test_only_the_beginning_of_a_huge_text_is_compared():
    huge = "".join(chr(97 + i * i * 7 % 26) for i in range(2_000_000))
    start = time.process_time()
    found = list(copies.repeated(strings([huge, huge + "x", "y"]), np.array([0, 1, 2])))
    assert found == [(1, 0, 1.0)]
    assert time.process_time() - start < 3


# Leaks.


def told(columns: dict[str, list], label_ids: np.ndarray) -> dict[str, leaks.Leak]:
    arrays = {name: pa.chunked_array([pa.array(v)]) for name, v in columns.items()}
    return {one.name: one for one in leaks.telling_columns(arrays, label_ids, NAMES)}


def test_columns_that_tell_labels_are_found_and_others_are_not():
    rng = np.random.default_rng(0)
    label_ids = rng.integers(0, 2, 400)
    noise = rng.random(400)
    found = told(
        {
            "site": ["ab"[label] for label in label_ids],
            "file": [f"{'np'[k]}/{i}.txt" for i, k in enumerate(label_ids)],
            "stars": (label_ids * 2 + noise).tolist(),
            "as text": [str(k * 2 + n) for k, n in zip(label_ids, noise, strict=True)],
            "nothing": [f"{n:.1f}" for n in noise],
            "id": [f"x{i}" for i in range(400)],
            "one": ["same"] * 400,
            "empty": [None] * 400,
            "half": [["ab"[k], None][i % 2] for i, k in enumerate(label_ids)],
        },
        label_ids,
    )
    assert set(found) == {"site", "file", "stars", "as text", "half"}
    assert found["site"].right == 1
    assert found["file"].right == 1
    assert found["site"].usual == pytest.approx(
        max(np.bincount(label_ids)) / 400, abs=0.05
    )
    assert found["half"].rows == 200
    assert found["half"].share == 0.5
    counts = np.bincount(label_ids)
    assert f"a: bad ({counts[0]} of {counts[0]})" in found["site"].example


def test_a_column_is_judged_on_rows_held_out():
    """Values that occur twice say much of the rows that they were counted in."""
    label_ids = np.random.default_rng(1).integers(0, 2, 400)
    assert told({"id": [str(i // 2) + "x" for i in range(400)]}, label_ids) == {}


def test_too_few_rows_tell_nothing():
    label_ids = np.arange(40) % 2
    assert told({"site": ["ab"[k] for k in label_ids]}, label_ids) == {}
    label_ids = np.arange(60) % 2
    assert "site" in told({"site": ["ab"[k] for k in label_ids]}, label_ids)


def test_a_sorted_file_is_found_and_a_mixed_one_is_not():
    label_ids = np.repeat([0, 1], 100)
    [found] = leaks.telling_order(np.arange(200), label_ids, NAMES)
    assert found.right > 0.95
    mixed = np.random.default_rng(0).permutation(label_ids)
    assert list(leaks.telling_order(np.arange(200), mixed, NAMES)) == []


def test_forms_of_texts_that_tell_labels_are_found():
    rows = reviews(200)
    label_ids = np.array([NAMES.index(label) for _, label in rows])

    def names(texts: list[str]) -> set[str]:
        found = leaks.telling_forms(strings(texts), label_ids, NAMES)
        return {one.name for one in found}

    plain = [text.rpartition(",")[0] for text, _ in rows]
    assert names(plain) == set()
    ends = [f"{text}{'.!'[k]}" for text, k in zip(plain, label_ids, strict=True)]
    assert names(ends) == {"the last character"}
    case = [t.upper() if k else t for t, k in zip(plain, label_ids, strict=True)]
    assert "upper and lower case" in names(case)
    long = [t + " x" * 50 * k for t, k in zip(plain, label_ids, strict=True)]
    assert "the length in characters" in names(long)


def tokens_found(texts: list[str], label_ids: np.ndarray) -> list[leaks.Leak]:
    return list(leaks.telling_tokens(tokenized(strings(texts)), label_ids, NAMES))


def test_a_marker_in_the_texts_of_one_label_is_found_once():
    label_ids = np.arange(120) % 2
    plain = [f"number {i % 7} of things" for i in range(120)]
    marked = [f"{text} ( Reuters ) -" for text in plain]
    texts = [
        marked[i] if label and i % 10 != 9 else plain[i]
        for i, label in enumerate(label_ids)
    ]
    found = tokens_found(texts, label_ids)
    assert {one.label for one in found} == {"good"}
    assert {"reuters", "(", ")", "-"} == {one.name for one in found}
    assert {one.rows for one in found} == {48}
    assert found[0].share == 0.8
    assert found[0].right == 1
    # Where the other label has it too, or few have it, it is no marker.
    assert tokens_found(marked, label_ids) == []
    assert tokens_found(texts[:40], label_ids[:40]) == []
