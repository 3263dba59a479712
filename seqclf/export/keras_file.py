"""One `.keras` file that stock Keras opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seqclf.model.keras_file import open_keras
from seqclf.model.kernels import use_kernel
from seqclf.runs import Run
from seqclf.runs.run import MODEL_FILE


def open_model(run: Run) -> Any:
    """Opens a run's Keras model for export: without optimizer, on TensorFlow's loop.

    Keras would otherwise trace cuDNN into a graph on a machine that has a GPU.

    Raises:
      RunError: If it cannot be opened.
    """
    model = open_keras(run.file(MODEL_FILE))
    use_kernel(model, "loop")
    return model


def write(run: Run, folder: Path) -> None:
    """Writes `model.keras`: token_ids int32 [n, time] to logits; no optimizer."""
    open_model(run).save(folder / MODEL_FILE)
