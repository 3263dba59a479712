"""Opens a `.keras` file that may come from a stranger.

Keras imports and calls what such a file names, and its safe mode has had holes. So a
file is opened only if it is the plain archive that Keras writes and names nothing but
what `build_model` makes.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqclf.errors import RunError
from seqclf.model.backend import import_keras
from seqclf.storage import strict_object

WEIGHTS = "model.weights.h5"
MEMBERS = {"metadata.json": 2**16, "config.json": 2**20, WEIGHTS: 2**33}
MODULES = re.compile(r"keras|keras\.(initializers|layers|src\.(ops\.\w+|models\.\w+))")
CLASSES = frozenset((
    "Functional", "InputLayer", "Embedding", "Dropout", "Conv1D", "SimpleRNN", "GRU",
    "LSTM", "Bidirectional", "Dense", "DTypePolicy", "__keras_tensor__",
    "RandomUniform", "GlorotUniform", "Orthogonal", "Zeros",
    "Cast", "ExpandDims", "Max", "Multiply", "NotEqual", "Softmax", "Squeeze",
    "Subtract", "Sum", "TakeAlongAxis", "TrueDivide", "Where",
))  # fmt: skip

_BYTES = 4  # of a weight, float32


def open_keras(file: Path) -> Any:
    """Opens a plain `.keras` file that seqclf wrote, as an uncompiled keras.Model.

    Raises:
      RunError: If it is none, or names what seqclf's models do not have.
    """
    _check(file)
    keras = import_keras()
    try:
        with warnings.catch_warnings():
            # Keras only warns about missing weights, and leaves them random.
            warnings.simplefilter("error", UserWarning)
            return keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, UserWarning) as error:
        raise RunError(f"{file} could not be opened: {error}") from error


def _check(file: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {one.filename: one.file_size for one in archive.infolist()}
            if set(sizes) != set(MEMBERS) or len(archive.infolist()) != len(MEMBERS):
                raise RunError(f"{file} could not be opened: it holds {sizes}.")
            for name, most in MEMBERS.items():
                if sizes[name] > most:
                    raise RunError(f"{file} could not be opened: {name} is huge.")
            config = strict_object(archive.read("config.json").decode())
    except (OSError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise RunError(f"{file} could not be opened: {error}") from error
    for strange in _strange({**config, "compile_config": None}):
        raise RunError(
            f"{file} was not opened: it names {strange}, which no model of seqclf has."
        )
    if _BYTES * sum(_numbers(config)) > sizes[WEIGHTS]:
        raise RunError(f"{file} was not opened: it has fewer weights than layers need.")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yields every object within a value of JSON, the outer before the inner ones."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _numbers(config: Any) -> Iterator[float]:
    """Yields, for each layer, a lower bound of its weights.

    Keras allocates the layers before it looks for their weights.
    """
    for one in _objects(config):
        match one:
            case {"config": dict(config)}:
                units = _size(config, "units")
                yield units if one.get("class_name") == "Dense" else units * units
                yield _size(config, "input_dim") * _size(config, "output_dim")


def _size(config: Mapping[str, object], key: str) -> float:
    found = config.get(key)
    return max(found, 0) if isinstance(found, int | float) else 0


def _strange(config: Any) -> Iterator[str]:
    """Yields what a config names beyond what `build_model` makes."""
    for one in _objects(config):
        if "class_name" in one:
            module, name = one.get("module"), one["class_name"]
            known = name in CLASSES and one.get("registered_name") in (None, name)
            if not known or not (module is None or MODULES.fullmatch(str(module))):
                yield f"{module}.{name}"
        if "name" in one and not re.fullmatch(r"[\w.]+", str(one["name"])):
            yield f"a layer called {one['name']!r}"
