"""From what was asked for to the weights that every twin begins with."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from seqclf.config import RunConfig
from seqclf.errors import RunError
from seqclf.model.build import EMBEDDING
from seqclf.model.keras_file import open_keras
from seqclf.runs import Run, open_run
from seqclf.runs.files import MODEL_FILE
from seqclf.start.cooccurrence import cooccurrence_vectors
from seqclf.start.files import read_vectors
from seqclf.start.start import Start, layers_to_keep
from seqclf.start.texts import FreeTexts, free_texts
from seqclf.text.encoding import EncodedDataset
from seqclf.text.tokens import RESERVED, UNKNOWN_ID
from seqclf.text.vocabulary import Vocabulary


def prepared(config: RunConfig, data: EncodedDataset, models: Path) -> RunConfig:
    """Makes the weights to begin with, once for all twins; they stay beside the data.

    Args:
      config: What was asked for.
      data: The encoded data set; a file in its folder has the weights.
      models: Where runs are looked for.

    Returns:
      The config, with the width of the embedding and the digest that the weights give.

    Raises:
      DataError: If a file has no vectors.
      RunError: If a run does not suit.
    """
    if config.start.is_random:
        return config
    ready = weights_file(data.path, config)
    if config.start.pretrain and ready.exists():
        return config
    start = start_of(
        config, data.vocabulary, models, lambda: free_texts(data, config.text)
    )
    config = settled(config, start)
    start.save(weights_file(data.path, config))
    return config


def weights_file(folder: Path, config: RunConfig) -> Path:
    """Returns the file of the weights to begin with in the folder of encoded data."""
    start = config.start
    name = start.digest or f"svd-{config.model.embedding_size}"
    return folder / f"start-{name}.npz"


def settled(config: RunConfig, start: Start) -> RunConfig:
    """Returns the config with what the weights give; those of texts go by the data."""
    if config.start.pretrain:
        return config
    model = dataclasses.replace(config.model, embedding_size=start.size)
    named = dataclasses.replace(config.start, digest=start.digest)
    return dataclasses.replace(config, model=model, start=named)


def start_of(
    config: RunConfig,
    vocabulary: Vocabulary,
    models: Path,
    texts: Callable[[], FreeTexts],
) -> Start:
    """Returns the weights to begin with; `texts` gives those to learn words from.

    Raises:
      DataError: If a file has no vectors.
      RunError: If a run does not suit.
    """
    asked = config.start
    if asked.vectors is not None:
        return read_vectors(asked.vectors, vocabulary)
    if asked.init_from is not None:
        return weights_of(open_run(Path(asked.init_from), models), vocabulary)
    return words_of(texts(), len(vocabulary), config.model.embedding_size)


def words_of(texts: FreeTexts, tokens: int, size: int) -> Start:
    """Returns vectors, of `size` numbers, of a vocabulary of so many tokens."""
    arrays = texts.token_ids, texts.offsets
    begun = time.perf_counter()
    start = Start(*cooccurrence_vectors(*arrays, tokens, size), "")
    seconds = time.perf_counter() - begun
    about = f"vectors learnt from {len(texts):,} texts, for {start.share}"
    if texts.dropped:
        about += f"; {texts.dropped:,} texts that are in validation or test left out"
    return dataclasses.replace(start, about=about, seconds=seconds)


def weights_of(run: Run, vocabulary: Vocabulary) -> Start:
    """Returns a run's embedding of the tokens that it knows too, and its other layers.

    Raises:
      RunError: If it is a linear model, or knows none of the tokens.
    """
    if run.is_linear:
        raise RunError(f"{run.path} is a linear model; it has weights of n-grams only.")
    model = open_keras(run.file(MODEL_FILE))
    places = run.vocabulary.ids(vocabulary.array)
    known = (places != UNKNOWN_ID) | (np.arange(len(places)) == UNKNOWN_ID)
    if not known[len(RESERVED) :].any():
        raise RunError(f"{run.path} knows none of the {len(vocabulary):,} tokens.")
    vectors = model.get_layer(EMBEDDING).get_weights()[0][places]
    start = Start(vectors, known, "")
    about = f"weights of {run.name}, its embedding for {start.share}"
    return dataclasses.replace(start, about=about, layers=layers_to_keep(model))
