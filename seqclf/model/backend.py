"""The one door to Keras and TensorFlow: quiet, lazy, and on TensorFlow only."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seqclf.errors import ConfigError
from seqclf.system import PLACE_VARIABLE, may_have_gpu

BACKEND_VARIABLE = "KERAS_BACKEND"
# What Keras imports where it finds it, for wrappers and pictures: two fifths of the
# time that it takes to be imported.
OPTIONAL = ("sklearn", "pandas", "matplotlib")


def import_keras() -> Any:
    """Imports Keras on TensorFlow, without the start-up chatter; returns the module.

    Raises:
      ConfigError: If the environment asks for another Keras backend.
    """
    refuse_other_backends()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        import keras

        return keras
    with _silent_stderr():
        import keras
    return keras


def refuse_other_backends() -> None:
    """Raises a ConfigError unless Keras will run on TensorFlow."""
    backend = os.environ.get(BACKEND_VARIABLE, "tensorflow")
    if backend != "tensorflow":
        raise ConfigError(
            f"{BACKEND_VARIABLE} is {backend!r}, but seqclf runs on TensorFlow only, "
            f"the one backend whose cuDNN kernels serve masked text; unset it."
        )
    os.environ[BACKEND_VARIABLE] = backend  # over what ~/.keras/keras.json may say


def gpus() -> list[str]:
    """Returns the names of the GPUs that TensorFlow sees; takes no memory there.

    TensorFlow is not loaded for it where none can be.
    """
    if "tensorflow" not in sys.modules and not may_have_gpu():
        return []
    import_keras()
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    return [
        str(details(gpu).get("device_name", gpu.name))
        for gpu in tf.config.get_visible_devices("GPU")
    ]


@contextlib.contextmanager
def many_models() -> Iterator[None]:
    """Hides TensorFlow's warnings about retracing, as every model traces its graphs."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def import_lean_keras() -> None:
    """Imports Keras without what is optional to it, so without wrappers for others.

    For processes that do nothing but train or measure.
    """
    with _without(OPTIONAL):
        import_keras()


def set_threads(threads: int) -> None:
    """Bounds the threads of TensorFlow, and lets it see one GPU of several.

    That is the one of this process's place among those of a command. It must come
    before TensorFlow's first operation. It imports a lean Keras.
    """
    import_lean_keras()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    devices = tf.config.list_physical_devices("GPU")
    if len(devices) > 1:
        place = int(os.environ.get(PLACE_VARIABLE, 0))
        tf.config.set_visible_devices(devices[place % len(devices)], "GPU")


@contextlib.contextmanager
def _without(names: Sequence[str]) -> Iterator[None]:
    """Hides packages that are not imported yet from what is imported meanwhile."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    # TensorFlow's C++ side writes to the descriptor before any log level holds.
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr to keep quiet
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
