"""A LiteRT (TensorFlow Lite) file for phones and small machines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seqclf.errors import RunError
from seqclf.export.keras_file import open_model
from seqclf.private import litert_operators
from seqclf.runs import Run

LITERT_FILE = "model.tflite"

Tensor = Any


def write(run: Run, folder: Path) -> None:
    """Writes `model.tflite`, which the plain interpreter runs, without Flex operators.

    Such operators are free of shapes that are known only at run time, so it takes one
    text at a time, of a fixed length: token_ids, int32 [1, max_length], padded on the
    right with 0. It gives probabilities, float32 [1, labels].

    Raises:
      RunError: If the model cannot be had from built-in operators.
    """
    import tensorflow as tf

    module = _servable(run)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.from_token_ids.get_concrete_function()], module
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        content = converter.convert()
    except Exception as error:  # of classes that the converter keeps to itself
        raise RunError(
            f"{run.name} could not be written with built-in LiteRT operators: {error}"
        ) from error
    refuse_flex(litert_operators(content))
    (folder / LITERT_FILE).write_bytes(content)


def _servable(run: Run) -> Any:
    import tensorflow as tf

    model = open_model(run)
    shape = tf.TensorSpec([1, run.config.text.max_length], tf.int32, name="token_ids")
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]

    def from_token_ids(token_ids: Tensor) -> dict[str, Tensor]:
        return {"probabilities": tf.nn.softmax(model(token_ids, training=False))}

    module.from_token_ids = tf.function(from_token_ids, input_signature=[shape])
    return module


def refuse_flex(names: Iterable[str]) -> None:
    """Raises a RunError if an operator is not one of LiteRT's own, in capitals."""
    foreign = sorted(name for name in names if name != name.upper())
    if foreign:
        raise RunError(
            f"the file holds {', '.join(foreign)}, which the plain LiteRT interpreter "
            f"does not have. Please report it."
        )
