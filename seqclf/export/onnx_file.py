"""The run's own `model.onnx`, as it is or with 8-bit weights."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from seqclf.cells import CELLS
from seqclf.errors import RunError
from seqclf.linear.model import LinearModel
from seqclf.linear.onnx_graph import to_onnx
from seqclf.model.onnx_graph import has_onnx, import_onnxruntime
from seqclf.runs import Run
from seqclf.runs.run import LINEAR_FILE, ONNX_FILE
from seqclf.training.trial import onnx_metadata

# The token vectors, most of the file, and those recurrent operators of which ONNX
# Runtime has an 8-bit twin. The output layer has a few hundred weights: to quantize it
# would cost accuracy and save nothing.
EMBEDDING = "Gather"
QUANTIZED_KEY = "quantized"


def write(run: Run, folder: Path) -> None:
    """Copies `model.onnx`, its metadata with it; makes that of a linear model.

    Raises:
      RunError: If the run has none.
    """
    if run.is_linear:
        model = LinearModel.open(run.file(LINEAR_FILE), run.vocabulary, len(run.labels))
        made = to_onnx(model, onnx_metadata(run.text, run.vocabulary, run.dataset))
        (folder / ONNX_FILE).write_bytes(made.SerializeToString())
    else:
        shutil.copyfile(_model_of(run), folder / ONNX_FILE)


def write_int8(run: Run, folder: Path) -> None:
    """Writes `model.onnx` with 8-bit embeddings and, of an LSTM, 8-bit weights.

    ONNX Runtime measures the range of an LSTM's inputs as it runs, over the whole
    batch, so that a text's probabilities depend a little on the other texts.

    Raises:
      RunError: If the run has none.
    """
    import onnx
    from onnx import helper

    import_onnxruntime()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source, target = _model_of(run), folder / ONNX_FILE
    logging.disable(logging.WARNING)  # advice that does not fit such models
    try:
        quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=[EMBEDDING, *_recurrent_operators()],
            weight_type=QuantType.QInt8,
        )
    finally:
        logging.disable(logging.NOTSET)
    metadata = {p.key: p.value for p in onnx.load(source).metadata_props}
    model = onnx.load(target)
    del model.metadata_props[:]
    helper.set_model_props(model, metadata | {QUANTIZED_KEY: "int8"})
    onnx.save(model, target)


def _recurrent_operators() -> list[str]:
    onnx = [cell.onnx for cell in CELLS.values() if cell.onnx]
    return [one.operator for one in onnx if one.has_int8]


def _model_of(run: Run) -> Path:
    cell = run.config.model.cell
    if not has_onnx(cell):
        raise RunError(f"ONNX has no operator for {cell}. Choose another --format.")
    if not run.has_onnx:
        raise RunError(
            f"{run.path} has no {ONNX_FILE}: it was not written, for it did not agree "
            f"with Keras. Choose another --format."
        )
    return run.file(ONNX_FILE)
