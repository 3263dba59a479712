"""Words and patterns of the built-in corpus, and how a review is filled from them.

``lexicon.toml`` holds the words and ``patterns.toml`` the clauses; both explain
their own notation.
"""

from __future__ import annotations

import random
import re
import tomllib
from bisect import bisect
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

# A domain reads the layers of both TOML files in this order.
DOMAINS = {
    "film": ("any", "now", "film"),
    "meal": ("any", "then", "meal"),
    "hotel": ("any", "then", "hotel"),
    "gadget": ("any", "now", "gadget"),
}
# In how many of 100 cases a slot of either polarity contradicts the label.
CONTRARY_SHARE = 56
# A filler of rank r, from 0, is drawn in proportion to 1 / (r + offset).
WORD_OFFSET = 7
PATTERN_OFFSET = 4
# These keep their first filler throughout a review.
BOUND_SLOTS = frozenset({"thing"})
# These verbs are also listed in the third person, under their name and "_s".
FORM_SLOTS = ("shine", "grip")
POLARITIES = {"": (0, 1), "good": (1,), "bad": (0,), "plain": (0, 1)}
SLOT = re.compile(r"\{(\w+)([=!?]?)\}")
TOKEN = re.compile(r"\w+(?:'\w+)*|[^\w\s]")
VOWEL_SOUND = re.compile(r"\b([Aa]) (?=(?:[aeiou]|ho(?:nest|ur)))", re.IGNORECASE)
CONSONANT_SOUND = re.compile(r"\b([Aa])n (?=(?:one\b|once\b|us[eu]|uni[qvfo]|Eu))")
SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")


@dataclass(slots=True)
class Options:
    """The fillers of one slot, the sums of their weights, and whether to draw once."""

    once: bool = True
    fillers: list[str] = field(default_factory=list)
    sums: list[float] = field(default_factory=lambda: [0.0])

    def add(self, filler: str, weight: float) -> None:
        """Adds a filler; its chance is in proportion to its positive weight."""
        self.fillers.append(filler)
        self.sums.append(self.sums[-1] + weight)

    def draw(self, rng: random.Random) -> str:
        """Draws a filler."""
        return self.fillers[bisect(self.sums, rng.random() * self.sums[-1]) - 1]


Bank = dict[tuple[str, int], Options]


def load(name: str) -> dict[str, Any]:
    """Reads one of the two TOML files beside this module."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


def split_words(line: str) -> list[str]:
    """Returns the comma-separated words of a lexicon entry, in their order."""
    return [" ".join(word.split()) for word in line.split(",")]


def third_person(verb: str) -> str:
    """Returns a verb phrase in the third person, "fall flat" as "falls flat"."""
    head, _, rest = verb.partition(" ")
    if head.endswith(("s", "sh", "ch", "x", "z", "go")):
        head += "es"
    elif head.endswith("y") and head[-2] not in "aeiou":
        head = head[:-1] + "ies"
    else:
        head += "s"
    return f"{head} {rest}".rstrip()


def _add_words(bank: Bank, kind: str, words: dict[str, str]) -> None:
    for slot, line in words.items():
        for rank, word in enumerate(split_words(line)):
            for polarity in POLARITIES[kind]:
                weight = 1 / (rank + WORD_OFFSET)
                bank.setdefault((slot, polarity), Options()).add(word, weight)
                if slot in FORM_SLOTS:
                    form = bank.setdefault((f"{slot}_s", polarity), Options())
                    form.add(third_person(word), weight)


def _add_patterns(bank: Bank, patterns: dict[str, list[str]], once: bool) -> None:
    for name, fillers in patterns.items():
        slot, _, suffix = name.rpartition("_")
        if suffix not in ("good", "bad"):
            slot, suffix = name, ""
        # One-sided clauses rank behind those that work for both polarities.
        first = PATTERN_OFFSET + (len(patterns.get(slot, [])) if suffix else 0)
        for polarity in POLARITIES[suffix]:
            options = bank.setdefault((slot, polarity), Options(once=once))
            for rank, filler in enumerate(fillers):
                options.add(filler, 1 / (first + rank) if once else 1)


@cache
def load_bank(domain: str) -> Bank:
    """Collects the words and patterns of a domain, by slot and polarity."""
    lexicon, patterns = load("lexicon.toml"), load("patterns.toml")
    bank: Bank = {}
    for layer in DOMAINS[domain]:
        for kind, words in lexicon.get(layer, {}).items():
            _add_words(bank, kind, words)
        _add_patterns(bank, patterns["phrases"].get(layer, {}), once=False)
        for group in patterns["clauses"].get(layer, {}).values():
            _add_patterns(bank, group, once=True)
    return bank


class Composer:
    """Fills the patterns of one review of a domain and a label, 0 or 1."""

    def __init__(self, rng: random.Random, domain: str, label: int) -> None:
        """Starts a review with nothing used yet."""
        self.rng = rng
        self.bank = load_bank(domain)
        self.label = label
        self.used: set[str] = set()
        self.bound: dict[str, str] = {}

    def fill(self, pattern: str, polarity: int) -> str:
        """Fills the slots of a pattern that expresses `polarity`, 0 or 1."""

        def expand(match: re.Match[str]) -> str:
            slot, mark = match.groups()
            asked = 1 - polarity if mark == "!" else polarity
            if mark == "?":
                contrary = self.rng.random() * 100 < CONTRARY_SHARE
                asked = 1 - self.label if contrary else self.label
            return self.expand(slot, asked)

        return SLOT.sub(expand, pattern)

    def expand(self, slot: str, polarity: int) -> str:
        """Draws a filler for a slot and fills it in turn."""
        if slot in self.bound:
            return self.bound[slot]
        text = self.fill(self._draw(self.bank[slot, polarity]), polarity)
        if slot in BOUND_SLOTS:
            self.bound[slot] = text
        return text

    def sentence(self, slot: str) -> str:
        """Returns a finished sentence that expresses the label."""
        return finish(self.expand(slot, self.label))

    def _draw(self, options: Options) -> str:
        for _ in range(7):  # then a filler may come again
            filler = options.draw(self.rng)
            if not options.once or filler not in self.used:
                break
        self.used.add(filler)
        return filler


def finish(text: str) -> str:
    """Mends the articles and sets the capitals of a composed sentence."""
    text = CONSONANT_SOUND.sub(r"\1 ", VOWEL_SOUND.sub(r"\1n ", text))
    return SENTENCE_START.sub(lambda match: match.group().upper(), text)


def count_tokens(text: str) -> int:
    """Counts the words and punctuation marks of a text."""
    return len(TOKEN.findall(text))
