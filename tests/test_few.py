"""A few texts are read in plain Python, and many by Arrow: with the same answers."""

from __future__ import annotations

import json
import re

import character_classes
import numpy as np
import pyarrow as pa
import pytest

from seqclf.classifier import Classifier
from seqclf.config import TextConfig
from seqclf.text import few
from seqclf.text.arrays import strings
from seqclf.text.portable import portable
from seqclf.text.tokens import RESERVED, tokenize
from seqclf.text.vocabulary import Vocabulary, encode_texts

WORDS = Vocabulary((*RESERVED, "good", "film", "don't", ".", "é", "映"))


def ids(*texts: str, **settings: object) -> list[list[int]]:
    found, offsets = few.encode_few(texts, WORDS, TextConfig(**settings))
    assert found.dtype == np.int32
    return [part.tolist() for part in np.split(found, offsets[1:-1])]


def test_token_ids_as_by_hand():
    texts = ("Good<br>FILM.", "DON\u2019T 映é", "", "x")
    assert ids(*texts) == [[2, 3, 5], [4, 7, 6], [1], [1]]


@pytest.mark.parametrize(
    ("keep", "kept"), [("head", [2, 3, 4]), ("tail", [4, 5, 6]), ("both", [2, 3, 6])]
)
def test_the_same_ends_of_a_long_text_are_kept(keep, kept):
    text = "good film don't . é"
    assert ids(text, max_length=3, keep=keep) == [kept]
    whole = encode_texts(strings([text]), WORDS, TextConfig(max_length=3, keep=keep))
    assert whole[0].tolist() == kept


def test_of_a_token_that_a_damaged_file_has_twice_the_first_counts():
    twice = Vocabulary((*RESERVED, "a", "b", "a"))
    found = few.encode_few(["a b"], twice, TextConfig())[0]
    assert found.tolist() == [2, 3]
    assert encode_texts(strings(["a b"]), twice, TextConfig())[0].tolist() == [2, 3]


def test_half_a_surrogate_pair_is_refused_either_way():
    for text in ("\ud83d", "good \ude00 film"):
        with pytest.raises(UnicodeEncodeError):
            ids(text)
        with pytest.raises(UnicodeEncodeError):
            strings([text])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], True),
        (["a" * (few.FEW - 1)], True),
        (["a" * few.FEW], False),
        (["a" * 10_000, "b" * 9_999], True),
        (["a" * 10_000, "b" * 10_000], False),
        ([""] * few.FEW, False),
    ],
)
def test_few_is_counted_in_characters(texts, expected):
    assert few.are_few(texts) is expected


def test_a_classifier_answers_alone_as_among_many(finished_run, monkeypatch):
    classifier = Classifier.open(finished_run)
    texts = ["A good film.", "", "dull, DULL\u2026 and <i>late</i>", "今日は 良い"] * 20
    many = classifier.answer(pa.array(texts))
    monkeypatch.setattr(few, "FEW", 10**9)
    together = classifier.answer(texts)
    alone = [classifier.answer([text]) for text in texts]
    for one in (together, *alone):
        assert one.probabilities.dtype == np.float32
    assert np.array_equal(together.unknown, many.unknown)
    assert np.array_equal(together.probabilities, many.probabilities)
    for name in ("unknown", "probabilities"):
        rows = np.concatenate([getattr(one, name) for one in alone])
        assert np.abs(rows - getattr(many, name)).max() < 1e-6


def test_one_text_asks_nothing_of_arrow(finished_run, monkeypatch):
    classifier = Classifier.open(finished_run)
    monkeypatch.setattr("seqclf.classifier.strings", None)
    monkeypatch.setattr("seqclf.classifier.encode_texts", None)
    assert len(classifier.predict(["a good film"])) == 1


# Character classes.


@pytest.mark.slow
def test_the_classes_are_those_of_re2():
    written = json.loads(character_classes.FILE.read_text("ascii"))
    assert written == character_classes.classes()


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        (r"\p{Thai}", "กๆ", "a今"),
        (r"[\pL\x{41}-]", "aÉ今-A", "1 ]"),
        (r"[^\pN\x{1} ]", "a-", "1٣\x01 "),
    ],
)
def test_a_class_is_written_out_as_its_characters(pattern, inside, outside):
    written = portable(pattern)
    assert "\\p" not in written
    for characters, expected in ((inside, True), (outside, False)):
        found = [bool(re.fullmatch(written, one)) for one in characters]
        assert found == [expected] * len(characters)


def test_ranges_that_touch_become_one():
    assert portable(r"[\p{Hiragana}\x{3096}\x{3097}]").count("\u3096") == 0
    assert portable(r"\p{Lao}").startswith("[\u0e81-\u0e82\u0e84")


@pytest.mark.parametrize("kind", ["word", "char", "subword"])
def test_all_ways_to_split_agree_on_ordinary_texts(kind):
    texts = [
        "Not half as dull as I feared; 'twas rock'n'roll, 3.5 stars!",
        "Der Film (2019) ist großartig\u2014wirklich\u2026 Größe: 1,80 m",
        "这部电影很好看。我喜欢 it",
        "ภาพยนตร์เรื่องนี้ดีมาก",
        "İstanbul ΣΊΣΥΦΟΣ naïve co\u0302te\u0301 🙂👍🏽",
    ]
    config = TextConfig(tokens=kind, min_count=1, max_length=50, vocabulary_size=90)
    words = Vocabulary.build([tokenize(strings(texts), kind)], config)
    found, offsets = few.encode_few(texts, words, config)
    expected = encode_texts(strings(texts), words, config)
    assert np.array_equal(found, expected[0])
    assert np.array_equal(offsets, expected[1])
