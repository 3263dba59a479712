"""Networks with random weights, without Keras, and pages of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from seqclf.cells import CELLS
from seqclf.config import ModelConfig, TextConfig
from seqclf.export.microscope.page import Shown, page
from seqclf.export.microscope.sentences import Sentence
from seqclf.export.microscope.weights import names_of, packed
from seqclf.records.export import TwinAgreement
from seqclf.text.tokens import RESERVED
from seqclf.text.vocabulary import Vocabulary

SPREAD = 0.5  # of the weights: an error in their order would show
UNITS, WIDTH, LABELS = 5, 6, 3
WORDS = ("a", "good", "bad", "film", "not", "very", ".", "dull")


def shape_of(name: str, model: ModelConfig, words: int, labels: int) -> tuple[int, ...]:
    """Returns the shape of one of the weights of `names_of`."""
    layer, *rest = name.split(".")
    cell, ways = CELLS[model.cell], 1 + model.bidirectional
    if layer == "embedding":
        return words, model.embedding_size
    width = ways * model.units if cell.recurs else model.embedding_size
    inputs = model.embedding_size
    if layer == "convolution":
        own = (model.conv_width, inputs, inputs)
    elif layer == "attention":
        own = (width, 1)
    elif layer == "logits":
        own = (width, labels)
    else:
        columns = cell.parts * model.units
        if rest[1] == "bias":
            return (columns,) if cell.biases == cell.parts else (2, columns)
        first = layer == "recurrent_0"
        rows = model.units if rest[1] == "recurrent" else inputs if first else width
        return rows, columns
    return own if rest[0] == "kernel" else own[-1:]


def random_weights(
    model: ModelConfig, words: int = 10, labels: int = LABELS, seed: int = 0
) -> dict[str, np.ndarray]:
    """Returns weights of a network, drawn from a normal distribution."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, SPREAD, shape_of(name, model, words, labels)).astype("f4")
        for names in names_of(model).values()
        for name in names
    }


def small(**options: Any) -> ModelConfig:
    return ModelConfig(units=UNITS, embedding_size=WIDTH, **options)


def vocabulary(words: tuple[str, ...] = WORDS) -> Vocabulary:
    return Vocabulary((*RESERVED, *words))


def made_up_run(
    name: str = "one",
    model: ModelConfig | None = None,
    words: tuple[str, ...] = WORDS,
    labels: tuple[str, ...] = ("bad", "good", "so so"),
    **others: Any,
) -> Any:
    """Returns what the microscope asks of a run that was saved without scores."""
    values = {
        "name": name, "path": Path("/nowhere") / name, "is_linear": False,
        "config": SimpleNamespace(model=model or small(cell="gru")),
        "vocabulary": vocabulary(words), "labels": labels,
        "text": TextConfig(max_length=40).reading,
        "dataset": SimpleNamespace(name="made up", has_several=False),
        "has_scores": False,
    }  # fmt: skip
    return SimpleNamespace(**values | others)


def shown(run: Any) -> Shown:
    model, words = run.config.model, len(run.vocabulary)
    weights = random_weights(model, words, len(run.labels))
    agreement = TwinAgreement(
        run=run.name, cell=model.cell, texts=7, greatest_difference=0.0, other_labels=0
    )
    return Shown(run, packed(weights, "float32"), agreement)


def microscope(models: list[ModelConfig], **options: Any) -> str:
    """Returns the page of networks; options are those of `made_up_run`."""
    runs = [made_up_run(model.cell, model, **options) for model in models]
    sentences = [Sentence("a good film .", "good"), Sentence("not good", "bad")]
    return page(list(map(shown, runs)), "float32", sentences)
