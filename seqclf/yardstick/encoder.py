"""Opens a pre-trained encoder with KerasHub, and divides texts into its pieces.

The network is KerasHub's; the pieces are those of `tokenizer.json`, read by the package
that wrote it. KerasHub's own tokenizers would need files that newer encoders lack.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seqclf.errors import ConfigError
from seqclf.model.backend import import_keras
from seqclf.text.encoding import Examples
from seqclf.yardstick.files import EncoderFiles
from seqclf.yardstick.network import (
    CONFIG_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    WORDS,
    prefix_of,
    read_config,
    require_weights,
    shapes_of,
)

BERT, DISTILBERT = "bert", "distilbert"
POOLER = "pooler.dense.weight", "pooler.dense.bias"
READ_AS = {"roberta": "xlm-roberta"}
TEXTS_AT_A_TIME = 1_000  # of the tokenizer, whose own records of a text are large
# Of the network when it predicts: 16 texts of 512 pieces have 200 MB of attention a
# layer in an encoder of usual size, 256 of them 3 GB.
ROWS_AT_A_TIME = 16
# Of a text. Attention grows with their square: 16 texts of 8,192 have 50 GB a layer.
MOST_PIECES = 512


@dataclass(frozen=True, slots=True)
class Encoder:
    """A pre-trained encoder.

    Attributes:
      backbone: The network, a `keras_hub.models.Backbone`.
      tokenizer: A `tokenizers.Tokenizer`, which cuts texts after `most_pieces`.
      most_pieces: Pieces of a text that it reads, special ones included.
    """

    backbone: Any
    tokenizer: Any
    most_pieces: int


def open_encoder(files: EncoderFiles) -> Encoder:
    """Opens an encoder.

    Raises:
      ConfigError: If a file is damaged, or they do not belong together.
    """
    import_keras()
    from keras_hub.models import Backbone
    from tokenizers import Tokenizer

    config = read_config(files.source, files.folder)  # they may have changed meanwhile
    require_weights(files.source, files.folder, config)
    try:
        with _as_preset(files, config) as folder:
            backbone = Backbone.from_preset(str(folder))
        tokenizer = Tokenizer.from_file(str(files.folder / TOKENIZER_FILE))
    except Exception as error:  # of KerasHub, of Rust: all are theirs to name
        raise ConfigError(
            f"the encoder {files.source} could not be opened: "
            f"{type(error).__name__}: {error!s:.300}"
        ) from error
    most = min(int(backbone.max_sequence_length), MOST_PIECES)
    tokenizer.no_padding()
    tokenizer.enable_truncation(most)
    return Encoder(backbone, tokenizer, most)


@contextmanager
def _as_preset(files: EncoderFiles, config: Mapping[str, Any]) -> Iterator[Path]:
    """Gives a folder with an encoder as KerasHub opens it rightly, and nothing else.

    RoBERTa is read as XLM-RoBERTa, which is the same network: KerasHub's reader of the
    first leaves out what is added to all pieces as the type of their sentence. Of
    `config.json` only what was checked is passed on, see `read_config`: KerasHub would
    build whatever a `registered_name` in it asks for.
    """
    model_type = READ_AS.get(files.encoder, files.encoder)
    own = json.dumps({**config, "model_type": model_type})
    with tempfile.TemporaryDirectory(prefix="seqclf-") as name:
        folder = Path(name).resolve()
        (folder / CONFIG_FILE).write_text(own, "utf-8")
        _give_weights(files, folder / WEIGHTS_FILE)
        yield folder


def _give_weights(files: EncoderFiles, place: Path) -> None:
    """Puts the weights where KerasHub reads them, by names that it knows.

    Tensors of DistilBERT have to have its name before theirs, which transformers leaves
    out where there was no task. BERT has to have a pooler, which it leaves out where
    words were to be guessed; it is of zeros, and nothing here reads what it says.
    """
    weights = files.folder / WEIGHTS_FILE
    shapes = shapes_of(files.source, files.folder)
    start = prefix_of(shapes)
    if files.encoder == DISTILBERT:
        own = f"{DISTILBERT}."
        _write(weights, place, lambda name: own + name.removeprefix(own), {})
    elif files.encoder == BERT and start + POOLER[0] not in shapes:
        size = shapes[start + WORDS][1]
        zeros = np.zeros((size, size), np.float32), np.zeros(size, np.float32)
        more = {start + name: x for name, x in zip(POOLER, zeros, strict=True)}
        _write(weights, place, lambda name: name, more)
    else:
        _link(weights.resolve(), place)


def _link(file: Path, place: Path) -> None:
    try:
        place.symlink_to(file)
    except OSError:  # there are systems that do not let everybody
        shutil.copyfile(file, place)


def _write(
    weights: Path,
    file: Path,
    named: Callable[[str], str],
    more: Mapping[str, np.ndarray],
) -> None:
    """Writes weights by other names, and some more."""
    from safetensors.numpy import load_file, save_file

    tensors = {named(name): x for name, x in load_file(weights).items()}
    save_file(tensors | dict(more), file)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A split in an encoder's pieces.

    Attributes:
      examples: As those of the twins, so that what trains and scores them takes these
        too: 0 is padding, and the ids of pieces are one more than the encoder's.
      cut: Texts that had more pieces than the encoder reads.
    """

    examples: Examples
    cut: int


def pieces_of(
    encoder: Encoder, texts: pa.ChunkedArray, label_ids: np.ndarray
) -> Pieces:
    """Divides texts, string [n], into an encoder's pieces; labels are int32 [n]."""
    ids: list[np.ndarray] = []
    cut = 0
    for start in range(0, len(texts), TEXTS_AT_A_TIME):
        some = texts.slice(start, TEXTS_AT_A_TIME).to_pylist()
        for one in encoder.tokenizer.encode_batch(some):
            # Without special pieces an empty text would have none to average.
            ids.append(np.array(one.ids or [0], np.int32) + 1)
            cut += bool(one.overflowing)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in ids])])
    return Pieces(Examples(np.concatenate(ids), offsets, label_ids), cut)


def averaging(backbone: Any) -> Any:
    """Returns a Keras model from pieces to the mean of what an encoder says of them.

    The mean over the pieces of a text tells more than its first piece where the encoder
    stays as it is (Reimers & Gurevych 2019, arXiv:1908.10084, table 1).

    Returns:
      From token_ids int32 [batch, time], see `Pieces`, to float32 [batch, size].
    """
    keras = import_keras()
    ops = keras.ops
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    is_piece = ops.cast(ops.not_equal(token_ids, 0), "int32")
    inputs = {"token_ids": ops.maximum(token_ids - 1, 0), "padding_mask": is_piece}
    if "segment_ids" in backbone.input:
        inputs["segment_ids"] = ops.zeros_like(token_ids)
    said = _network_of_pieces(backbone)(inputs)
    weights = ops.expand_dims(ops.cast(is_piece, "float32"), -1)
    mean = ops.sum(said * weights, axis=1) / ops.sum(weights, axis=1)
    return in_parts(token_ids, mean)


def _network_of_pieces(backbone: Any) -> Any:
    """Returns an encoder without the layer that BERT has for whole texts.

    It was trained to tell whether two sentences follow each other.
    """
    said = backbone.output
    if not isinstance(said, Mapping):
        return backbone
    return import_keras().Model(backbone.input, said["sequence_output"])


def in_parts(inputs: Any, outputs: Any) -> Any:
    """Returns a Keras model that predicts a few texts at a time, however many it gets.

    Whatever scores networks asks for the large batches of the twins, for which an
    encoder of twelve layers has no memory.
    """
    keras = import_keras()

    class InParts(keras.Model):  # type: ignore
        def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
            starts, predict = range(0, len(x), ROWS_AT_A_TIME), super().predict_on_batch
            parts = [x[start : start + ROWS_AT_A_TIME] for start in starts]
            return np.concatenate([predict(_narrowed(part)) for part in parts])

    return InParts(inputs, outputs)


def _narrowed(token_ids: np.ndarray) -> np.ndarray:
    """Returns some rows without the columns in which all of them have padding."""
    return token_ids[:, : max(int((token_ids != 0).sum(axis=1).max()), 1)]
