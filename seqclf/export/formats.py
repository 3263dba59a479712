"""The formats: what writes each, how far it may differ, and how a stranger opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from seqclf.export import keras_file, litert, onnx_file, saved_model
from seqclf.runs import Run


@dataclass(frozen=True, slots=True)
class Format:
    """One format of an artefact.

    Attributes:
      write: Writes the model of a run into a folder.
      bound: Greatest difference of a probability from the run's own; a fraction.
      library: What the Hugging Face Hub calls the library that opens it.
      needs: Packages that the loading code needs, as one gives them to pip.
      loader: The loading code in `loaders/` that the model card shows and that
        verification runs; behind `token_ids`, unless the model takes raw text.
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


# Of a probability: some hundred roundings of float32, more of them in LiteRT's other
# order of sums. With 8-bit weights docs/serving.md has the measurements.
FORMATS: dict[str, Format] = {
    "keras": Format(keras_file.write, 1e-5, "keras", "keras tensorflow", "keras"),
    "saved_model": Format(
        saved_model.write,
        1e-5,
        "tensorflow",
        "tensorflow",
        "saved_model",
        takes_text=True,
    ),
    "onnx": Format(
        onnx_file.write,
        1e-5,
        "onnx",
        "onnxruntime numpy",
        "onnx",
        takes_linear=True,
    ),
    "litert": Format(litert.write, 1e-4, "litert", "ai-edge-litert numpy", "litert"),
    "onnx-int8": Format(
        onnx_file.write_int8,
        0.05,
        "onnx",
        "onnxruntime numpy",
        "onnx",
        is_lossy=True,
    ),
}


def loading_code(name: str) -> str:
    """Returns the Python code that opens an artefact of a format, without seqclf.

    It is run in the artefact's folder and defines `predict`, from a list of texts to
    their labels and probabilities, float32 [n, labels].
    """
    form = FORMATS[name]
    parts = [] if form.takes_text else [_loader("token_ids")]
    return "\n\n".join([*parts, _loader(form.loader)])


def checking_code() -> str:
    """Returns the script that runs loading code on texts and notes the answers."""
    return _loader("check")


def _loader(name: str) -> str:
    file = resources.files("seqclf.export").joinpath("loaders", f"{name}.py.txt")
    return file.read_text("utf-8")
