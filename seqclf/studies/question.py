"""What a study is asked, and what it answers: plain values, kept in files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seqclf import config as settings
from seqclf.config import RunConfig, twin

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultedTypeVar

    F = DefaultedTypeVar("F", default=Any)
else:
    F = TypeVar("F")
Record = dict[str, Any]
QUICK_ROWS, QUICK_EPOCHS = 2000, 3
QUICK_CELLS = 2  # of which some studies make do, the last ones
# Another number wherever equal trainings give another answer than before.
ANSWERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a study is asked.

    Attributes:
      config: The recipe and the data; cell and seed are replaced.
      cells: Cells that recur, to be looked at.
      seeds: Training seeds, each for all cells.
      quick: Whether to make do with fewer and shorter trainings; each study says in
        its answer what it left out.
      texts: Texts to look at; empty takes some of the test split. `gates` alone.
      range_test: Whether to run the learning-rate range test instead of the random
        trials. `sensitivity` alone.
      given: Fields of model and training that a person typed or wrote in a file. Where
        a study has a recipe of its own these stand, even at their default.
    """

    config: RunConfig
    cells: tuple[str, ...] = ("rnn", "gru", "lstm")
    seeds: tuple[int, ...] = (0,)
    quick: bool = False
    texts: tuple[str, ...] = ()
    range_test: bool = False
    given: frozenset[str] = frozenset()

    def asked(self, study: str, fingerprint: object) -> Record:
        """Returns plain values that tell this question from others."""
        values = settings.question(self.config)
        del values["model"]["cell"], values["training"]["seed"]
        own = {
            "cells": list(self.cells),
            "seeds": list(self.seeds),
            "quick": self.quick,
            "texts": list(self.texts),
            "range_test": self.range_test,
            "given": sorted(self.given),
        }
        # Another version may find other things, and would not understand this answer.
        made_by = {"seqclf": version("seqclf"), "answers": ANSWERS}
        return values | own | made_by | {"study": study, "fingerprint": fingerprint}


def textbook(config: RunConfig) -> RunConfig:
    """Returns the recipe with one layer, one direction and the last state read out.

    The plain network of the textbooks, in which a gradient has one way back, and each
    step of the layer is a token: no convolution in front.
    """
    model = dataclasses.replace(
        config.model, layers=1, bidirectional=False, pooling="last", conv_width=None
    )
    return dataclasses.replace(config, model=model)


def quick_config(config: RunConfig) -> RunConfig:
    """Returns the recipe on at most 2,000 training texts, for 3 epochs if left open.

    The same for all studies, so that they share their trainings.
    """
    rows = min(config.data.limit or QUICK_ROWS, QUICK_ROWS)
    data = dataclasses.replace(config.data, limit=rows)
    epochs = config.training.epochs or QUICK_EPOCHS
    training = dataclasses.replace(config.training, epochs=epochs)
    return dataclasses.replace(config, data=data, training=training)


def trainings(
    question: Question, config: RunConfig, cells: Sequence[str] | None = None
) -> list[RunConfig]:
    """Returns a config for each cell and seed, seed by seed.

    Args:
      question: Whose cells and seeds are taken.
      config: The recipe.
      cells: Other cells than the question's.
    """
    chosen = question.cells if cells is None else cells
    return [twin(config, cell, seed) for seed in question.seeds for cell in chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is shown.

    Attributes:
      header: Names of the columns, with their units.
      rows: Lines of text, as wide as the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[F]):
    """What a study found.

    Attributes:
      study: Its name, as in `STUDIES`.
      title: What it looked at, in a few words.
      sentence: What came out, in one careful sentence, or two.
      table: The figures a person reads.
      rows: All figures, a flat record a point; written as Parquet too.
      findings: What the claims are judged by, a record of the study's own.
      trials: Trainings it stands on.
      notes: What was left out or held fixed, a sentence each.
    """

    study: str
    title: str
    sentence: str
    table: Table
    rows: tuple[Any, ...]
    findings: F
    trials: int
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
