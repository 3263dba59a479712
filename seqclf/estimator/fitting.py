"""A training in this process, on texts in memory."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.cells import CELLS
from seqclf.config import LANGUAGE_MODEL, RunConfig, TextConfig
from seqclf.data.dataset import GROUP, TRAIN, VALIDATION, fingerprint
from seqclf.data.splits import held_out
from seqclf.errors import DataError, InputError
from seqclf.estimator.parameters import SOURCE
from seqclf.estimator.trained import Trained
from seqclf.keywords import models_folder
from seqclf.model.build import build_model
from seqclf.model.kernels import use_kernel
from seqclf.records.dataset import DatasetInfo
from seqclf.runs import files
from seqclf.start.prepare import settled, start_of
from seqclf.start.start import Start, begin_with
from seqclf.start.texts import FreeTexts, without
from seqclf.text.arrays import integers, strings
from seqclf.text.encoding import Examples
from seqclf.text.tokens import BLOCK_ROWS, TokenizedTexts, tokenize
from seqclf.text.vocabulary import Vocabulary, encode
from seqclf.training.checkpoint import Checkpoints
from seqclf.training.fit import fit
from seqclf.training.language_model import language_model
from seqclf.training.trial import checked_onnx


def train_on(
    texts: Sequence[str],
    label_ids: np.ndarray,
    labels: tuple[str, ...],
    config: RunConfig,
    groups: np.ndarray | None,
) -> Trained:
    """Holds some texts out for validation, and trains on the others.

    Args:
      texts: All of them [n].
      label_ids: int32 [n], positions in `labels`.
      labels: Names of the classes.
      config: What is trained, and how.
      groups: int32 [n], see `SequenceClassifier.fit`.

    Raises:
      InputError: If too few can be held out.
      TrainingError: If the loss diverged.
    """
    seed, fraction = config.data.split_seed, config.data.validation_fraction
    counts = np.bincount(label_ids)
    if counts.min() < 2:
        raise InputError(
            f"y needs two texts of each class; the rarest, "
            f"{labels[int(counts.argmin())]!r}, has 1."
        )
    try:
        out = held_out(label_ids, labels, VALIDATION, fraction, seed, groups)
    except DataError as error:
        raise InputError(str(error)) from error
    left = np.delete(np.arange(len(texts)), out)
    blocks = _tokenized(texts, left, config.text)
    vocabulary = Vocabulary.build(blocks, config.text)
    train = _examples(blocks, label_ids[left], vocabulary, config.text)
    blocks = _tokenized(texts, out, config.text)
    validation = _examples(blocks, label_ids[out], vocabulary, config.text.reading)
    free = functools.partial(_free, texts, left, out, vocabulary, config.text)
    start = None
    if not config.start.is_random:
        start = start_of(config, vocabulary, models_folder(), free)
        config = settled(config, start)
    shape = (config.model, len(vocabulary), len(labels), config.training.seed)
    model = build_model(*shape)
    use_kernel(model, config.training.kernel)
    if start is not None:
        _begin(model, start, config, free)
    history = fit(model, train, validation, config.training)
    splits = {TRAIN: left, VALIDATION: out}
    about = _about(texts, label_ids, labels, splits, groups)
    return Trained(
        config=config,
        about=about,
        vocabulary=vocabulary.to_text(),
        keras=_keras_file(build_model(*shape), model.get_weights()),
        onnx=checked_onnx(model, config, vocabulary, about)[0],
        history=history.epochs,
    )


def _begin(
    model: Any, start: Start, config: RunConfig, texts: Callable[[], FreeTexts]
) -> None:
    """Gives a model what it knows before it is trained; `texts` are to learn from."""
    begin_with(model, start)
    if config.start.pretrain == LANGUAGE_MODEL and CELLS[config.model.cell].recurs:
        kept = Checkpoints()  # nowhere
        learnt = language_model(config, start, texts(), lambda event: None, kept)
        begin_with(model, learnt)


def _free(
    texts: Sequence[str],
    train: np.ndarray,
    validation: np.ndarray,
    vocabulary: Vocabulary,
    config: TextConfig,
) -> FreeTexts:
    """Returns the texts of train that are not in validation, int [rows] of each."""
    given, hidden = (
        [pa.table({"text": strings([texts[row] for row in rows])})]
        for rows in (train.tolist(), validation.tolist())
    )
    return without(given, hidden, vocabulary, config)


def _tokenized(
    texts: Sequence[str], rows: np.ndarray, config: TextConfig
) -> list[TokenizedTexts]:
    starts = range(0, len(rows), BLOCK_ROWS)
    parts = [rows[start : start + BLOCK_ROWS].tolist() for start in starts]
    return [
        tokenize(strings([texts[row] for row in part]), config.tokens) for part in parts
    ]


def _examples(
    blocks: Sequence[TokenizedTexts],
    label_ids: np.ndarray,
    vocabulary: Vocabulary,
    config: TextConfig,
) -> Examples:
    parts = [
        encode(vocabulary.read(block, config), vocabulary, config) for block in blocks
    ]
    lengths = np.concatenate([np.diff(offsets) for _, offsets in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Examples(np.concatenate([ids for ids, _ in parts]), offsets, label_ids)


def _keras_file(model: Any, weights: Sequence[np.ndarray]) -> bytes:
    """Returns the `.keras` file of a model that was never compiled."""
    model.set_weights(weights)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / files.MODEL_FILE
        model.save(file)
        return file.read_bytes()


def _about(
    texts: Sequence[str],
    label_ids: np.ndarray,
    labels: tuple[str, ...],
    splits: Mapping[str, np.ndarray],
    groups: np.ndarray | None,
) -> DatasetInfo:
    """Returns what `dataset.json` says of texts from Python; `splits` has the rows."""
    table = pa.table({"text": strings(texts), "label": integers(label_ids)})
    if groups is not None:
        table = table.append_column(GROUP, integers(groups))
    return DatasetInfo(
        name="fit",
        source=SOURCE,
        fingerprint=fingerprint({TRAIN: table}, labels),
        labels=labels,
        sizes={name: len(rows) for name, rows in splits.items()},
        label_counts={
            name: tuple(np.bincount(label_ids[rows], minlength=len(labels)).tolist())
            for name, rows in splits.items()
        },
    )
