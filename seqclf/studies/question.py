"""The question that a study receives and the answer it gives, both kept in files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, Generic, TypeVar

from seqclf import config as settings
from seqclf.cells import recurrent_names
from seqclf.config import RunConfig, twin
from seqclf.report.table import Table

F = TypeVar("F")
K = TypeVar("K")
V = TypeVar("V")
Settings = TypeVar("Settings")
# Of `answer.json`. 1 had no `version`.
VERSION = 2
QUICK_ROWS, QUICK_EPOCHS = 2000, 6
# With the recipe, so few steps teach next to nothing where order decides: GRU has 51 %
# on `demo`, and 86 with these (docs/recipe.md has the same of SimpleRNN, at length).
TO_LEARN_SOON = {"word_dropout_rate": 0.0, "warmup_fraction": 0.3}
QUICK_CELLS = 2  # whose answers quick studies compare: the last ones
ANSWERS = 7  # raised whenever the same trainings give another answer than before


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a study is asked.

    Attributes:
      config: The recipe and the data; cell and seed are replaced.
      cells: Recurrent cells to study.
      seeds: Training seeds, the same for all cells.
      quick: Whether to run fewer and shorter trainings; the answer says which.
      texts: Texts to draw, for `gates` only; empty takes some of the test split.
      range_test: Whether to run the learning-rate range test instead of random
        trials, for `sensitivity` only.
      given: Fields of model and training that the user set, as options or in a file.
        A study's own recipe never overrides them, even at their default.
    """

    config: RunConfig
    cells: tuple[str, ...] = field(default_factory=recurrent_names)
    seeds: tuple[int, ...] = (0,)
    quick: bool = False
    texts: tuple[str, ...] = ()
    range_test: bool = False
    given: frozenset[str] = frozenset()

    @property
    def recipe(self) -> RunConfig:
        """The recipe; a quick question has fewer texts and epochs, and `learning_soon`.

        What the user set is kept.
        """
        if not self.quick:
            return self.config
        return quick_config(learning_soon(self.config, self.given))

    @property
    def narrowed(self) -> Question:
        """The question itself, but a quick one of its last two cells alone.

        For studies that compare cells by what they reach.
        """
        cells = self.cells[-QUICK_CELLS:] if self.quick else self.cells
        return replace(self, cells=cells)

    def quick_note(self, what: str) -> tuple[str, ...]:
        """Says what a quick answer left out and changed; nothing of a full one."""
        if not self.quick:
            return ()
        changed = "; ".join(settings.differences(self.config, self.recipe))
        here = f" Changed from what was asked (asked, here): {changed}."
        return (f"Quick: {what}{here if changed else ''}",)

    def asked(self, study: str, fingerprint: str) -> dict[str, object]:
        """Returns plain values that distinguish this question from others."""
        values = settings.question(self.config)
        del values["model"]["cell"], values["training"]["seed"]
        own = {
            "cells": list(self.cells), "seeds": list(self.seeds), "quick": self.quick,
            "texts": list(self.texts), "range_test": self.range_test,
            "given": sorted(self.given),
        }  # fmt: skip
        # Another version may find something else, and may not read this answer.
        made_by = {"seqclf": version("seqclf"), "answers": ANSWERS}
        return values | own | made_by | {"study": study, "fingerprint": fingerprint}


def textbook(config: RunConfig) -> RunConfig:
    """Returns the recipe with one layer, one direction and the last state read out.

    As in the textbooks: a gradient has one way back, and without a convolution each
    step of the layer is a token.
    """
    model = replace(
        config.model, layers=1, bidirectional=False, pooling="last", conv_width=None
    )
    return replace(config, model=model)


def learning_soon(config: RunConfig, given: Collection[str]) -> RunConfig:
    """Returns the recipe without word dropout and with a warm-up over 0.3 of the steps.

    For trainings that are short, or of SimpleRNN. What the user set (`given`) is kept.
    """
    training = unless_given(config.training, TO_LEARN_SOON, given)
    return replace(config, training=training)


def unless_given(
    values: Settings, own: Mapping[str, object], given: Collection[str]
) -> Settings:
    """Returns settings with a study's own where the user set no other."""
    default = type(values)()
    if getattr(values, "grow_word_dropout", False):  # for which there has to be some
        given = {*given, "word_dropout_rate"}
    fitting = {
        name: value
        for name, value in own.items()
        if name not in given and getattr(values, name) == getattr(default, name)
    }
    return replace(values, **fitting)  # type: ignore[type-var]


def quick_config(
    config: RunConfig, most_rows: int = QUICK_ROWS, epochs: int = QUICK_EPOCHS
) -> RunConfig:
    """Returns the recipe on at most 2,000 training texts, for 6 epochs if none are set.

    The same for all studies but those inside a layer, so that they share trainings.
    """
    rows = min(config.data.limit or most_rows, most_rows)
    data = replace(config.data, limit=rows)
    training = replace(config.training, epochs=config.training.epochs or epochs)
    return replace(config, data=data, training=training)


def trainings(
    question: Question, config: RunConfig, cells: Sequence[str] | None = None
) -> list[RunConfig]:
    """Returns the recipe for each seed and cell, of the question or as given."""
    chosen = question.cells if cells is None else cells
    return [twin(config, cell, seed) for seed in question.seeds for cell in chosen]


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Returns the values of each key, in their order."""
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an answer is about; earlier versions did not save all of it.

    `claim` is the sentence that was tested, `command` asks the same again, `sizes` are
    texts by split, `is_synthetic` tells whether it is the built-in corpus, and `seeds`
    are those that were asked for.
    """

    claim: str = ""
    command: str = ""
    data: str = ""
    fingerprint: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    is_synthetic: bool = False
    quick: bool = False
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[F]):
    """What a study found.

    Attributes:
      study: Its name, as in `STUDIES`.
      title: What it looked at, in a few words.
      sentence: The result, in one or two careful sentences.
      table: The numbers to read.
      rows: All numbers, one flat record a point; also written as Parquet.
      findings: What claims are judged by; each study has a type for it.
      trials: Number of trainings behind it.
      notes: What was left out or held fixed, a sentence each.
      about: What it is about.
      version: Of this record.
    """

    study: str
    title: str
    sentence: str
    table: Table
    rows: tuple[Any, ...]
    findings: F
    trials: int
    notes: tuple[str, ...] = ()
    about: About = field(default_factory=About)
    version: int = VERSION
