"""A TensorFlow SavedModel that takes raw text, for TensorFlow Serving and its kin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqclf.errors import RunError
from seqclf.export.graph_text import token_ids_in_graph, vocabulary_table
from seqclf.export.keras_file import open_model
from seqclf.runs import Run

# A folder that TensorFlow Serving watches holds a model's versions, by number.
VERSION_FOLDER = "1"
CUDNN = "Cudnn"

Tensor = Any


def write(run: Run, folder: Path) -> None:
    """Writes `1/`, a SavedModel with two signatures and no other file.

    `serving_default` takes text, string [n]; `token_ids` takes token_ids, int32
    [n, time], padded on the right with 0. Both give label, string [n], and
    probabilities, float32 [n, labels].

    Raises:
      RunError: If the graph holds an operation that runs on a GPU alone.
    """
    import tensorflow as tf

    module = _servable(run)
    signatures = {
        "serving_default": module.from_text.get_concrete_function(),
        "token_ids": module.from_token_ids.get_concrete_function(),
    }
    target = folder / VERSION_FOLDER
    tf.saved_model.save(module, str(target), signatures=signatures)
    refuse_cudnn(target)


def _servable(run: Run) -> Any:
    import tensorflow as tf

    model, text = open_model(run), run.config.text
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    module.table = vocabulary_table(run.vocabulary)
    names = tf.constant(list(run.labels))

    def answer(token_ids: Tensor) -> dict[str, Tensor]:
        probabilities = tf.nn.softmax(model(token_ids, training=False))
        best = tf.argmax(probabilities, axis=1)
        return {"label": tf.gather(names, best), "probabilities": probabilities}

    def from_text(texts: Tensor) -> dict[str, Tensor]:
        return answer(token_ids_in_graph(texts, module.table, text))

    texts = tf.TensorSpec([None], tf.string, name="text")
    token_ids = tf.TensorSpec([None, None], tf.int32, name="token_ids")
    module.from_text = tf.function(from_text, input_signature=[texts])
    module.from_token_ids = tf.function(answer, input_signature=[token_ids])
    return module


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
