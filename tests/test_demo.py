"""Tests of the built-in corpus."""

from __future__ import annotations

import hashlib
import random
import re
import sys
from itertools import combinations
from pathlib import Path
from statistics import median

import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from seqclf.data.demo import corpus as demo
from seqclf.data.demo import grammar

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import demo_corpus

NEGATIVE, POSITIVE = 0, 1


@pytest.fixture(scope="module")
def splits() -> dict[str, list[demo.Review]]:
    return demo.compose_all()


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return demo.generate()


@pytest.fixture(scope="module")
def texts(splits: dict[str, list[demo.Review]]) -> list[str]:
    return [review.text for split in splits.values() for review in split]


def composer(label: int, domain: str = "film", seed: int = 0) -> grammar.Composer:
    return grammar.Composer(random.Random(seed), domain, label)


def words(slot: str, polarity: int, domain: str = "film") -> set[str]:
    return set(grammar.load_bank(domain)[slot, polarity].fillers)


def test_tables_have_the_promised_columns_and_sizes(
    tables: dict[str, pa.Table],
) -> None:
    assert {name: table.num_rows for name, table in tables.items()} == {
        "train": 5000,
        "validation": 500,
        "test": 1500,
    }
    for table in tables.values():
        assert [(f.name, str(f.type)) for f in table.schema] == [
            ("text", "string"),
            ("label", "int32"),
        ]


def test_equal_seeds_give_equal_reviews(
    splits: dict[str, list[demo.Review]], tables: dict[str, pa.Table]
) -> None:
    for name, table in tables.items():
        assert table["text"].to_pylist() == [r.text for r in splits[name]]
        assert table["label"].to_pylist() == [r.label for r in splits[name]]


def test_different_seeds_give_different_reviews() -> None:
    first, second = (
        [demo.compose(rng, POSITIVE).text for _ in range(20)]
        for rng in (random.Random(0), random.Random(1))
    )
    assert not set(first) & set(second)


def test_the_corpus_is_the_same_on_every_machine(texts: list[str]) -> None:
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    assert digest[:16] == "6f5843701a647688"


def test_every_split_is_balanced(splits: dict[str, list[demo.Review]]) -> None:
    for split in splits.values():
        assert sum(review.label for review in split) * 2 == len(split)


def test_labels_are_not_in_a_pattern(splits: dict[str, list[demo.Review]]) -> None:
    labels = [review.label for review in splits["train"]]
    switches = sum(a != b for a, b in zip(labels, labels[1:], strict=False))
    assert 2300 < switches < 2700


def test_no_text_occurs_twice(
    splits: dict[str, list[demo.Review]], texts: list[str]
) -> None:
    assert len(set(texts)) == len(texts)
    by_split = [{review.text for review in split} for split in splits.values()]
    assert not any(a & b for a, b in combinations(by_split, 2))


def test_there_are_enough_clauses_and_words() -> None:
    assert demo_corpus.count_clauses() >= 150
    assert len(demo_corpus.content_words()) >= 600


def test_lengths_are_those_of_short_reviews(texts: list[str]) -> None:
    lengths = [grammar.count_tokens(text) for text in texts]
    assert min(lengths) >= 8
    assert 35 <= median(lengths) <= 50
    assert 140 <= max(lengths) <= 260


def test_the_verdict_may_stand_far_from_the_end(
    splits: dict[str, list[demo.Review]],
) -> None:
    tails = sorted(review.tail for review in splits["train"])
    assert tails[len(tails) // 2] >= 5
    assert tails[-50] >= 60


def test_four_word_runs_are_varied(splits: dict[str, list[demo.Review]]) -> None:
    runs = []
    for review in splits["test"]:
        tokens = grammar.TOKEN.findall(review.text.lower())
        runs += list(
            zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False),
        )
    assert len(set(runs)) / len(runs) >= 0.4


def test_texts_are_finished(texts: list[str]) -> None:
    for text in texts:
        assert not re.search(r"[{}]|  | [,.;:]|,,|\.\.|,\.", text), text
        assert text[0].isupper() or text[0] == '"', text
        assert text.endswith((".", '."')), text
        assert not re.search(r"[.!?] [a-z]", text), text
        assert not re.search(r"\ba [aeio]", text.replace("a one", "")), text


def test_polar_words_occur_in_both_classes(
    splits: dict[str, list[demo.Review]],
) -> None:
    texts = {
        label: " ".join(r.text.lower() for r in splits["train"] if r.label == label)
        for label in (NEGATIVE, POSITIVE)
    }
    for word in ("funny", "moving", "wonderful", "dull", "predictable", "awful"):
        counts = [len(re.findall(rf"\b{word}\b", texts[label])) for label in texts]
        assert min(counts) / max(counts) > 0.4, (word, counts)


@pytest.mark.slow
def test_a_bag_of_words_does_not_suffice(
    splits: dict[str, list[demo.Review]],
) -> None:
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=2,
        token_pattern=r"\w+(?:'\w+)*",
    )
    train = vectorizer.fit_transform([review.text for review in splits["train"]])
    test = vectorizer.transform([review.text for review in splits["test"]])
    labels = [review.label for review in splits["train"]]
    truth = [review.label for review in splits["test"]]
    model = LogisticRegression(C=10, max_iter=1000).fit(train, labels)
    assert 0.65 < model.score(test, truth) <= 0.85


@pytest.mark.parametrize("domain", grammar.DOMAINS)
def test_every_slot_is_known_and_every_list_is_used(domain: str) -> None:
    bank = grammar.load_bank(domain)
    mentioned = {
        slot
        for options in bank.values()
        for filler in options.fillers
        for slot, _ in grammar.SLOT.findall(filler)
    }
    entries = {*demo.VERDICT_WEIGHTS, "support", "hearsay", "filler"}
    known = {slot for slot, _ in bank}
    assert mentioned | entries <= known
    # Verbs are listed in both forms; some domains use only one.
    forms = {form for verb in grammar.FORM_SLOTS for form in (verb, f"{verb}_s")}
    assert known - forms <= mentioned | entries


def test_no_list_names_a_filler_twice() -> None:
    for kinds in grammar.load("lexicon.toml").values():
        for lists in kinds.values():
            for slot, line in lists.items():
                fillers = grammar.split_words(line)
                assert len(fillers) == len(set(fillers)), slot
                assert all(fillers), slot


def test_no_word_is_both_good_and_bad() -> None:
    for domain in grammar.DOMAINS:
        for slot in ("adj", "trait", "gem", "mass", "shine", "grip", "loved"):
            both = words(slot, POSITIVE, domain) & words(slot, NEGATIVE, domain)
            assert not both, (domain, slot)


@pytest.mark.parametrize("polarity", [NEGATIVE, POSITIVE])
def test_marks_choose_the_polarity(polarity: int) -> None:
    writer = composer(polarity)
    for _ in range(50):
        assert writer.fill("{adj=}", polarity) in words("adj", polarity)
        assert writer.fill("{adj!}", polarity) in words("adj", 1 - polarity)


def test_a_denied_word_of_praise_is_blame() -> None:
    writer = composer(NEGATIVE)
    for _ in range(50):
        text = writer.fill("never {adj!}", NEGATIVE)
        assert text.removeprefix("never ") in words("adj", POSITIVE)


def test_marks_add_up_through_nested_patterns() -> None:
    writer = composer(POSITIVE)
    blame = words("adj", NEGATIVE) | words("trait", NEGATIVE)
    for _ in range(50):
        terms = re.split(r" or ", writer.fill("{term!}", POSITIVE))
        assert set(terms) <= blame


def test_the_main_clause_outweighs_the_concession() -> None:
    text = composer(POSITIVE).fill("although {adj!}, {adj=}", POSITIVE)
    conceded, main = text.removeprefix("although ").split(", ")
    assert conceded in words("adj", NEGATIVE)
    assert main in words("adj", POSITIVE)


def test_hearsay_takes_both_sides() -> None:
    praise = words("adj", POSITIVE)
    heard = [composer(NEGATIVE, seed=s).fill("{adj?}", NEGATIVE) for s in range(200)]
    share = sum(word in praise for word in heard) * 100 / len(heard)
    assert abs(share - grammar.CONTRARY_SHARE) < 12


def test_a_review_keeps_to_one_thing() -> None:
    writer = composer(POSITIVE)
    assert len({writer.fill("{thing}", POSITIVE) for _ in range(20)}) == 1


@pytest.mark.parametrize(
    ("plain", "finished"),
    [
        (
            "a engaging film. it is a honest one.",
            "An engaging film. It is an honest one.",
        ),
        ("a useful or a uneven thing?", "A useful or an uneven thing?"),
        ("it took a hour; a unique hour.", "It took an hour; a unique hour."),
    ],
)
def test_sentences_are_finished_in_good_english(plain: str, finished: str) -> None:
    assert grammar.finish(plain) == finished


@pytest.mark.parametrize(
    ("verb", "form"),
    [
        ("fall flat", "falls flat"),
        ("miss the mark", "misses the mark"),
        ("go nowhere", "goes nowhere"),
        ("satisfy", "satisfies"),
        ("annoy", "annoys"),
        ("preach", "preaches"),
    ],
)
def test_verbs_agree_with_a_singular_subject(verb: str, form: str) -> None:
    assert grammar.third_person(verb) == form


def test_tokens_are_words_and_punctuation_marks() -> None:
    assert grammar.count_tokens("It isn't first-rate, is it?") == 9
