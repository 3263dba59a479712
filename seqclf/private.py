"""What seqclf uses of other packages that they do not promise to keep; all of it.

Each part says what it is for and what to do when it is gone. Checked with keras 3.15.1,
tensorflow 2.21.0, datasets 5.2.0 and huggingface-hub 2.4.0; `pyproject.toml` keeps each
package below the next version that may drop a part. Before a bound is raised, run
`tests/test_private_parts.py` with the new version: it checks every part.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any


def moments(optimizer: Any, variable: Any) -> tuple[Any, Any]:
    """Returns the running means of a weight's gradient and of the gradient's square.

    Keras's `Optimizer._get_variable_index`, which its docstring shows to who writes an
    optimizer, and `Adam._momentums` and `_velocities`, for one pass over both. When
    they are gone: `optimizer.variables` ends with both of each weight, in the order in
    which the optimizer was built with the weights.

    Args:
      optimizer: A keras.optimizers.Adam, or one derived from it, that is built.
      variable: One of its weights, as `update_step` gets it.

    Returns:
      Two keras.Variable of the weight's shape.
    """
    index = optimizer._get_variable_index(variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def replace_update(
    optimizer: Any, apply: Callable[..., None], update_step: Callable[..., None]
) -> None:
    """Gives one optimizer another step, and keeps its class, under which it is saved.

    Keras documents `apply` and `update_step`, but not that an instance may have its
    own, and `Optimizer._all_reduce_sum_gradients` not at all. That one sums gradients
    over replicas, of which there is one here; it does so by a gradient of its own,
    which TensorFlow registers, and with it the whole graph, for good. When they are
    gone: a class derived from AdamW, and a file of the model without its optimizer.

    Args:
      optimizer: Of Keras, on TensorFlow.
      apply: Takes the gradients and, as they may be left out, the weights.
      update_step: Takes a gradient, its weight as a tf.Variable and the learning rate.
    """
    optimizer.apply, optimizer.update_step = apply, update_step
    optimizer._all_reduce_sum_gradients = list


def choose_cudnn(layer: Any, wanted: bool) -> bool:
    """Sets whether a recurrent layer may run on cuDNN, if it has that choice.

    Keras documents `use_cudnn` as an argument of GRU and LSTM, but not that it may be
    set later. When it is gone: give the argument where the layers are made.

    Returns:
      Whether it has the choice.
    """
    if not hasattr(layer, "use_cudnn"):
        return False
    layer.use_cudnn = "auto" if wanted else False
    return True


def replace_loop(layer: Any, loop: Callable[..., tuple[Any, Any, list[Any]]]) -> None:
    """Gives one recurrent layer another loop over time, and keeps its class.

    Keras's `RNN.inner_loop`, which GRU and LSTM replace in the same way. When it is
    gone: SimpleRNN takes TensorFlow's loop on a GPU too, and docs/speed.md says so.

    Args:
      layer: A keras.layers.SimpleRNN.
      loop: Takes the layer, sequences, initial_state, mask and training, by name or in
        this order; returns the last output, all outputs, and the states in a list.
    """
    layer.inner_loop = types.MethodType(loop, layer)


def train_function(model: Any) -> Callable[[Any], Any]:
    """Returns what `fit` calls for each step, to time steps and nothing else.

    Keras's `Model.train_function`. When it is gone: a callback that takes the time of
    `fit` between the first batch and the last.

    Args:
      model: A keras.Model that has been fitted.

    Returns:
      Takes an iterator over a tf.data.Dataset and trains on its next batch.
    """
    step: Callable[[Any], Any] = model.train_function
    return step


def litert_operators(content: bytes) -> set[str]:
    """Returns the names of the operators in a LiteRT file, custom ones by their own.

    TensorFlow's `tensorflow.lite.python.schema_py_generated`. When it is gone: read the
    file with LiteRT's own schema, or trust the converter, which refuses what is not
    built in.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    builtin = {
        value: name
        for name, value in vars(schema.BuiltinOperator).items()
        if isinstance(value, int)
    }
    return {
        code.customCode.decode()
        if code.customCode
        else builtin[max(code.builtinCode, code.deprecatedBuiltinCode)]
        for code in model.operatorCodes
    }


def limit_hub_waiting(seconds: int) -> None:
    """Sets how long huggingface_hub waits for an answer about each file it downloads.

    HF_HUB_ETAG_TIMEOUT sets the same, but is read when the library is imported, and it
    does not cover `file_download._ETAG_RETRY_TIMEOUT`: 60 s, six times over, for a
    network that went away in the middle of a download. When that is gone: this sets an
    idle name; look for a setting of the retries, or let people wait.
    """
    from huggingface_hub import constants, file_download

    constants.HF_HUB_ETAG_TIMEOUT = seconds
    file_download._ETAG_RETRY_TIMEOUT = seconds


def cached_name(name: str) -> str:
    """Returns what the datasets library calls a data set, without owner, in its cache.

    Its `naming.camelcase_to_snakecase`. When it is gone: list the cache's folders of
    the owner and compare names without capitals and underscores.
    """
    from datasets.naming import camelcase_to_snakecase

    return str(camelcase_to_snakecase(name))
