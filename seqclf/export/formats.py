"""The formats: how each is written, how far it may differ, what a stranger needs.

TensorFlow and ONNX are imported where they are used: in the process that writes.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.cells import CELLS
from seqclf.errors import RunError
from seqclf.export.graph_text import token_ids_in_graph, vocabulary_table
from seqclf.linear.model import LinearModel
from seqclf.linear.onnx_graph import to_onnx
from seqclf.model.keras_file import open_keras
from seqclf.model.kernels import use_kernel
from seqclf.model.onnx_graph import has_onnx, import_onnxruntime
from seqclf.private import litert_operators
from seqclf.runs import Run
from seqclf.runs.files import LINEAR_FILE, MODEL_FILE, ONNX_FILE
from seqclf.training.trial import onnx_metadata

# A folder that TensorFlow Serving watches holds a model's versions, by number.
VERSION_FOLDER = "1"
CUDNN = "Cudnn"
LITERT_FILE = "model.tflite"
_SHORTEST = 32  # tokens: below, a call costs more than its positions
# The token vectors, most of the file, and the cell's operator, if ONNX Runtime has an
# 8-bit twin of it. The output layer has a few hundred weights: to quantize it
# would cost accuracy and save nothing.
EMBEDDING = "Gather"
QUANTIZED_KEY = "quantized"

Tensor = Any


@dataclass(frozen=True, slots=True)
class Format:
    """One format of an artefact.

    Attributes:
      write: Writes the model of a run into a folder.
      bound: Greatest difference of a probability from the run's own; a fraction.
      library: What the Hugging Face Hub calls the library that opens it.
      needs: Packages that the loading code needs, as one gives them to pip.
      loader: The loading code in `loaders/` that the model card shows and that
        verification runs; behind `token_ids`, unless the model takes raw text. Where a
        text may have several labels, that in `loaders/several/`.
      takes_text: Whether the model takes raw text.
      is_lossy: Whether it gives up accuracy for size; what that costs is measured.
      takes_linear: Whether it can hold a linear model.
    """

    write: Callable[[Run, Path], None]
    bound: float
    library: str
    needs: str
    loader: str
    takes_text: bool = False
    is_lossy: bool = False
    takes_linear: bool = False


def _open_model(run: Run) -> Any:
    """Opens a run's Keras model: without optimizer, on TensorFlow's loop.

    Keras would otherwise trace cuDNN into a graph on a machine that has a GPU.
    """
    model = open_keras(run.file(MODEL_FILE))
    use_kernel(model, "loop")
    return model


def write_keras(run: Run, folder: Path) -> None:
    """Writes `model.keras`: token_ids int32 [n, time] to logits; no optimizer."""
    _open_model(run).save(folder / MODEL_FILE)


def write_saved_model(run: Run, folder: Path) -> None:
    """Writes `1/`, a SavedModel with two signatures and no other file.

    `serving_default` takes text, string [n]; `token_ids` takes token_ids, int32
    [n, time], padded on the right with 0. Both give label, string [n], and
    probabilities, float32 [n, labels]; where a text may have several labels, in place
    of label applies, bool [n, labels].

    Raises:
      RunError: If the graph holds an operation that runs on a GPU alone.
    """
    import tensorflow as tf

    model, text = _open_model(run), run.text
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    module.table = vocabulary_table(run.vocabulary)
    names, thresholds = tf.constant(list(run.labels)), run.thresholds

    def answer(token_ids: Tensor) -> dict[str, Tensor]:
        probabilities = _probabilities(run, model(token_ids, training=False))
        if thresholds is not None:
            return {
                "applies": probabilities >= thresholds,
                "probabilities": probabilities,
            }
        best = tf.argmax(probabilities, axis=1)
        return {"label": tf.gather(names, best), "probabilities": probabilities}

    def from_text(texts: Tensor) -> dict[str, Tensor]:
        return answer(token_ids_in_graph(texts, module.table, text))

    texts = tf.TensorSpec([None], tf.string, name="text")
    token_ids = tf.TensorSpec([None, None], tf.int32, name="token_ids")
    module.from_text = tf.function(from_text, input_signature=[texts])
    module.from_token_ids = tf.function(answer, input_signature=[token_ids])
    signatures = {
        "serving_default": module.from_text.get_concrete_function(),
        "token_ids": module.from_token_ids.get_concrete_function(),
    }
    target = folder / VERSION_FOLDER
    tf.saved_model.save(module, str(target), signatures=signatures)
    refuse_cudnn(target)


def _probabilities(run: Run, logits: Tensor) -> Tensor:
    """Returns probabilities in a graph, as `model.scoring.probabilities_of`."""
    import tensorflow as tf

    return (tf.sigmoid if run.dataset.has_several else tf.nn.softmax)(logits)


def operations(saved: Path) -> set[str]:
    """Returns the kinds of operation that a SavedModel's signatures run."""
    import tensorflow as tf

    found = set()
    for signature in tf.saved_model.load(str(saved)).signatures.values():
        graph = signature.graph.as_graph_def()
        found |= {node.op for node in graph.node}
        for function in graph.library.function:
            found |= {node.op for node in function.node_def}
    return found


def refuse_cudnn(saved: Path) -> None:
    """Raises a RunError if a SavedModel needs cuDNN, which no CPU has."""
    found = sorted(name for name in operations(saved) if name.startswith(CUDNN))
    if found:
        raise RunError(
            f"the graph holds {', '.join(found)}, which runs on a GPU alone; a "
            f"SavedModel must run anywhere. Please report it."
        )


def write_onnx(run: Run, folder: Path) -> None:
    """Copies `model.onnx`, its metadata with it; makes that of a linear model.

    Raises:
      RunError: If the run has none.
    """
    if run.is_linear:
        model = LinearModel.open(run.file(LINEAR_FILE), run.vocabulary, len(run.labels))
        about = run.dataset
        metadata = onnx_metadata(run.text, run.vocabulary, about)
        made = to_onnx(model, metadata, about.has_several)
        (folder / ONNX_FILE).write_bytes(made.SerializeToString())
    else:
        shutil.copyfile(_onnx_of(run), folder / ONNX_FILE)


def write_int8(run: Run, folder: Path) -> None:
    """Writes `model.onnx` with 8-bit embeddings and, of LSTM and dense, 8-bit weights.

    ONNX Runtime measures the range of their inputs as it runs, over the whole batch, so
    that a text's probabilities depend a little on the other texts.

    Raises:
      RunError: If the run has none.
    """
    import onnx
    from onnx import helper

    import_onnxruntime()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source, target = _onnx_of(run), folder / ONNX_FILE
    own = CELLS[run.config.model.cell].onnx
    operators = [EMBEDDING, *([own.operator] if own and own.has_int8 else [])]
    logging.disable(logging.WARNING)  # advice that does not fit such models
    try:
        quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=operators,
            weight_type=QuantType.QInt8,
        )
    finally:
        logging.disable(logging.NOTSET)
    metadata = {p.key: p.value for p in onnx.load(source).metadata_props}
    model = onnx.load(target)
    del model.metadata_props[:]
    helper.set_model_props(model, metadata | {QUANTIZED_KEY: "int8"})
    onnx.save(model, target)


def _onnx_of(run: Run) -> Path:
    cell = run.config.model.cell
    if not has_onnx(cell):
        raise RunError(f"ONNX has no operator for {cell}. Choose another --format.")
    if not run.has_onnx:
        raise RunError(
            f"{run.path} has no {ONNX_FILE}: it was not written, for it did not agree "
            f"with Keras. Choose another --format."
        )
    return run.file(ONNX_FILE)


def write_litert(run: Run, folder: Path) -> None:
    """Writes `model.tflite`, which the plain interpreter runs, without Flex operators.

    Such operators are free of shapes that are known only at run time, so it takes one
    text at a time, padded on the right with 0: token_ids, int32 [1, length]. It gives
    probabilities, float32 [1, labels]. A text costs what its padded length costs, so
    there is a signature for each of `litert_lengths`, on the same weights.

    Raises:
      RunError: If the model cannot be had from built-in operators.
    """
    import tensorflow as tf

    model, module = _open_model(run), tf.Module()
    module.weights = [weight.value for weight in model.weights]

    def from_token_ids(token_ids: Tensor) -> dict[str, Tensor]:
        return {"probabilities": _probabilities(run, model(token_ids, training=False))}

    signatures = {}
    for name, length in litert_lengths(run.text.max_length).items():
        shape = tf.TensorSpec([1, length], tf.int32, name="token_ids")
        traced = tf.function(from_token_ids, input_signature=[shape])
        signatures[name] = traced.get_concrete_function()
    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(module, saved, signatures=signatures)
        names = list(signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved, names)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            content = converter.convert()
        except Exception as error:  # of classes that the converter keeps to itself
            raise RunError(
                f"{run.name} could not be written with built-in LiteRT operators: "
                f"{error}"
            ) from error
    refuse_flex(litert_operators(content))
    (folder / LITERT_FILE).write_bytes(content)


def litert_lengths(longest: int) -> dict[str, int]:
    """Returns the lengths of a LiteRT model's signatures, in tokens, by their names.

    The longest is `serving_default`, and the model's first, for interpreters that know
    no signatures. Each further one, `tokens_N`, is half as long, down to 32 or fewer.

    >>> litert_lengths(100)
    {'serving_default': 100, 'tokens_50': 50, 'tokens_25': 25}
    """
    lengths = {"serving_default": longest}
    while longest > _SHORTEST:
        longest = -(-longest // 2)
        lengths[f"tokens_{longest}"] = longest
    return lengths


def refuse_flex(names: Iterable[str]) -> None:
    """Raises a RunError if an operator is not one of LiteRT's own, in capitals."""
    foreign = sorted(name for name in names if name != name.upper())
    if foreign:
        raise RunError(
            f"the file holds {', '.join(foreign)}, which the plain LiteRT interpreter "
            f"does not have. Please report it."
        )


# Of a probability: some hundred roundings of float32, more of them in LiteRT's other
# order of sums. With 8-bit weights docs/serving.md has the measurements.
FORMATS: dict[str, Format] = {
    "keras": Format(write_keras, 1e-5, "keras", "keras tensorflow", "keras"),
    "saved_model": Format(
        write_saved_model,
        1e-5,
        "tensorflow",
        "tensorflow",
        "saved_model",
        takes_text=True,
    ),
    "onnx": Format(
        write_onnx, 1e-5, "onnx", "onnxruntime numpy", "onnx", takes_linear=True
    ),
    "litert": Format(write_litert, 1e-4, "litert", "ai-edge-litert numpy", "litert"),
    "onnx-int8": Format(
        write_int8, 0.05, "onnx", "onnxruntime numpy", "onnx", is_lossy=True
    ),
}
