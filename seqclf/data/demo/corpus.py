"""Built-in corpus of short English reviews, composed from clauses and words.

A review is about a film, a meal, a hotel or a gadget.  Its label is the writer's
own overall opinion.  One sentence, the verdict, always states that opinion: straight
out, by denial, against an expectation, over a concession, against somebody else's
opinion, by comparison or as what might have been.  Hearsay about the thing and
neutral remarks surround the verdict, so that words of praise and of blame occur in
both classes and their order and distance decide.
"""

from __future__ import annotations

import functools
import random
from bisect import bisect
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple

import pyarrow as pa

from seqclf.data.dataset import schema
from seqclf.data.demo.grammar import Composer, count_tokens

LABELS = ("negative", "positive")
SPLITS = {"train": 5000, "validation": 500, "test": 1500}
# The grammar was developed on seed 0; the corpus itself is one that nobody had seen.
SEED = 2026

DOMAIN_WEIGHTS = {"film": 14, "meal": 2, "hotel": 2, "gadget": 2}
VERDICT_WEIGHTS = {
    "direct": 45, "negated": 20, "contrast": 13, "concession": 13, "reported": 10,
    "compared": 7, "counterfactual": 3,
}  # fmt: skip
# How often a review has 0, 1, 2 ... sentences of a kind.
NOTES_BEFORE = (76, 19, 4, 1)
SUPPORTS = {"direct": (55, 35, 10)}
SUPPORTS_ELSEWHERE = (8, 66, 26)
NOTES_AFTER = (36, 37, 14, 6, 3, 1, 1, 1, 1)
MIN_TOKENS = 8
# Parts in 100.
HEARSAY_SHARE = 42
SUPPORT_FIRST_SHARE = 25


class Review(NamedTuple):
    """A review of a label, 0 negative or 1 positive.

    `tail` counts the tokens behind the last deciding sentence.
    """

    text: str
    label: int
    tail: int


def _count(rng: random.Random, weights: Iterable[int]) -> int:
    sums = list(accumulate(weights))
    return bisect(sums, rng.random() * sums[-1])


def _pick(rng: random.Random, weights: dict[str, int]) -> str:
    return list(weights)[_count(rng, weights.values())]


def _notes(composer: Composer, weights: tuple[int, ...]) -> list[str]:
    rng, kinds = composer.rng, {"hearsay": HEARSAY_SHARE, "filler": 100 - HEARSAY_SHARE}
    return [composer.sentence(_pick(rng, kinds)) for _ in range(_count(rng, weights))]


def compose(rng: random.Random, label: int, tail: int = 0) -> Review:
    """Composes one review of a label, 0 negative or 1 positive.

    Neutral sentences are added until there are at least `tail` tokens behind the last
    deciding sentence.
    """
    composer = Composer(rng, _pick(rng, DOMAIN_WEIGHTS), label)
    before = _notes(composer, NOTES_BEFORE)
    kind = _pick(rng, VERDICT_WEIGHTS)
    opinions = [composer.sentence(kind)]
    number = _count(rng, SUPPORTS.get(kind, SUPPORTS_ELSEWHERE))
    supports = [composer.sentence("support") for _ in range(number)]
    is_first = rng.random() * 100 < SUPPORT_FIRST_SHARE
    opinions = supports + opinions if is_first else opinions + supports
    after = _notes(composer, NOTES_AFTER)
    while count_tokens(" ".join(after)) < tail:
        after.append(composer.sentence("filler"))
    text = " ".join(before + opinions + after)
    return Review(text, label, tail=count_tokens(" ".join(after)))


def compose_all(seed: int = SEED) -> dict[str, list[Review]]:
    """Composes the reviews of every split, half of them positive, no two alike.

    Equal seeds give equal reviews, on every machine.
    """
    # Only Random.random is promised to draw the same numbers in every version.
    rng = random.Random(seed)
    seen: set[str] = set()
    splits: dict[str, list[Review]] = {}
    for split, size in SPLITS.items():
        reviews: list[Review] = []
        while len(reviews) < size:
            review = compose(rng, len(reviews) % len(LABELS))
            if review.text not in seen and count_tokens(review.text) >= MIN_TOKENS:
                seen.add(review.text)
                reviews.append(review)
        splits[split] = sorted(reviews, key=lambda review: rng.random())
    return splits


def generate(seed: int = SEED) -> dict[str, pa.Table]:
    """Generates the corpus; equal seeds give equal tables, on every machine.

    Returns:
      Tables "train" (5,000 rows), "validation" (500) and "test" (1,500) with the
      columns text (string) and label (int32, 0 negative or 1 positive), balanced.
    """
    return dict(_tables(seed))


@functools.cache  # a second's work, and a page of claims asks for it some thirty times
def _tables(seed: int) -> Mapping[str, pa.Table]:
    return {
        split: pa.table(
            [[r.text for r in some], [r.label for r in some]], schema=schema()
        )
        for split, some in compose_all(seed).items()
    }
