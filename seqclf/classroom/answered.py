"""Checks of what a run says that its model answers, and of the model for ONNX."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqclf.classroom.agreement import AGREES, Bounds, compared, differs, same
from seqclf.classroom.case import Case
from seqclf.data.dataset import TRAIN
from seqclf.model.keras_file import open_keras
from seqclf.model.kernels import use_kernel
from seqclf.model.onnx_graph import greatest_difference
from seqclf.records.classroom import Finding
from seqclf.runs import Predictions, files
from seqclf.training.answers import answers
from seqclf.training.trial import MOST_DIFFERENCE, checked_onnx, onnx_metadata

# Absolute, of probabilities of one model on two machines.
ANSWERED = Bounds(near=1e-4, far=1e-2)
# Of scores that follow from the same probabilities, which are rounded once each.
SCORED = 1e-9


def of_answers(case: Case) -> Iterator[Finding]:
    """Checks predictions against the model file, and the scores against them."""
    model = open_keras(case.run.file(files.MODEL_FILE))
    use_kernel(model, case.config.training.kernel)
    found = answers(model, case.data, case.config.text)
    metrics = case.run.metrics
    yield same("splits with scores", sorted(found), sorted(metrics))
    for split, expected in found.items():
        came = expected
        if split != TRAIN:
            came = _read(case, split)
            rows = [_of_rows(one) for one in (expected, came)]
            what = f"predictions of {split}"
            yield compared(what, rows[0], rows[1], case.bounds(ANSWERED))
        elif case.otherwise:
            continue  # of the training texts no probabilities are kept
        scored = came.scores(case.data.labels)
        yield same(f"scores of {split}", scored, metrics[split], tolerance=SCORED)
    yield from _of_onnx(case, model)


def _read(case: Case, split: str) -> Predictions:
    """Reads predictions; a file of other columns has none."""
    try:
        return case.run.predictions(split)
    except (KeyError, ValueError, TypeError):
        nothing = np.zeros(0, np.int32)
        return Predictions(nothing, np.zeros((0, 0), np.float32), nothing)


def _of_rows(predictions: Predictions) -> dict[str, np.ndarray]:
    least = predictions.thresholds
    own = {} if least is None else {"thresholds": np.asarray(least, np.float32)}
    return own | {
        "label": np.asarray(predictions.label_ids, np.int32),
        "length": np.asarray(predictions.lengths, np.int32),
        "probabilities": np.asarray(predictions.probabilities, np.float32),
    }


def _of_onnx(case: Case, model: Any) -> Iterator[Finding]:
    """Checks the model for ONNX: there if it can be, and answering as the other."""
    what = files.ONNX_FILE
    asked = (case.config, case.data.vocabulary, case.data.about)
    made, _ = checked_onnx(model, *asked)
    if made is None or not case.run.has_onnx:
        yield same(what, _there(made is not None), _there(case.run.has_onnx))
        return
    content = case.run.file(what).read_bytes()
    if content == made:
        yield Finding(what=what, result=AGREES)
        return
    reading = case.config.text.reading
    expected = onnx_metadata(reading, case.data.vocabulary, case.data.about)
    yield _of_metadata(expected, content)
    try:
        size, longest = len(case.data.vocabulary), reading.max_length
        several = case.data.about.has_several
        difference = greatest_difference(model, content, size, longest, several)
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with a stranger's file
        yield differs(what, "a model that runs", f"{type(error).__name__}: {error}")
        return
    agrees = difference <= MOST_DIFFERENCE
    expected_ = f"probabilities within {MOST_DIFFERENCE:g} of {files.MODEL_FILE}"
    yield (
        Finding(what=what, result=AGREES, distance=difference)
        if agrees
        else differs(what, expected_, f"{difference:.3g} apart")
    )


def _there(is_there: bool) -> str:
    return "a file" if is_there else "no file"


def _of_metadata(expected: dict[str, str], content: bytes) -> Finding:
    """Compares what an ONNX file says of itself, whichever version wrote it."""
    import onnx

    what = f"metadata of {files.ONNX_FILE}"
    try:
        said = {p.key: p.value for p in onnx.load_from_string(content).metadata_props}
    except Exception as error:  # noqa: BLE001 -- protobuf has errors of its own
        return differs(what, "a model of ONNX", f"{type(error).__name__}: {error}")
    for name in expected:
        if name != "seqclf_version" and said.get(name) != expected[name]:
            return differs(what, f"{name} {expected[name]}", json.dumps(said.get(name)))
    return Finding(what=what, result=AGREES)
