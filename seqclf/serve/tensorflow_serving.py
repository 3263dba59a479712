"""The requests and answers of TensorFlow Serving's REST interface, for texts.

As the exported SavedModel behind TensorFlow Serving answers them (docs/serving.md):
https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqclf.explain import Explanation, explained_values
from seqclf.serve.bodies import one_of, texts_in
from seqclf.serve.models import Served
from seqclf.serve.refusal import RefusedError

TEXT, BASE64 = "text", "b64"
ROWS, COLUMNS = "instances", "inputs"
SIGNATURES = (None, "serving_default", "serve")


def texts_of(body: dict[str, Any], most: int) -> list[str]:
    """Returns the texts of a request, at most so many.

    They are under `instances`, each a text, `{"text": TEXT}` or `{"b64": BYTES}`; or
    under `inputs`, as a list or as `{"text": LIST}`.

    Raises:
      RefusedError: If the body is another.
    """
    signature = body.get("signature_name")
    if signature not in SIGNATURES:
        raise RefusedError(
            422,
            f"there is no signature {signature!r} here, but serving_default, which "
            f"takes texts. Token ids are what an exported SavedModel takes.",
        )
    where = one_of(body, ROWS, COLUMNS)
    values = body[where]
    if where == COLUMNS and isinstance(values, dict):
        where, values = f"{COLUMNS}.{TEXT}", values.get(TEXT)
    if isinstance(values, list):
        values = [_text(value) for value in values]
    return texts_in(values, where, most)


def predictions(
    body: dict[str, Any], served: Served, probabilities: np.ndarray
) -> dict[str, Any]:
    """Returns the answer to a request, by rows or by columns as it asked.

    Of each text `label` and `probabilities`, in the order of the run's `labels.txt`;
    where a text may have several labels, `labels`, those that apply, and `applies`, a
    truth value for each label, in place of `label`.
    """
    classifier, columns = served.classifier, {}
    if classifier.thresholds is None:
        likeliest = probabilities.argmax(axis=1).tolist()
        columns["label"] = [classifier.labels[i] for i in likeliest]
    else:
        columns["labels"] = [list(one) for one in classifier.applying(probabilities)]
        columns["applies"] = (probabilities >= classifier.thresholds).tolist()
    columns["probabilities"] = probabilities.tolist()
    if COLUMNS in body:
        return {"outputs": columns}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


def explanations(served: Served, found: Sequence[Explanation]) -> dict[str, Any]:
    """Returns explanations, each as `seqclf predict --explain --json` prints it."""
    labels = served.classifier.labels
    return {
        "explanations": [
            {
                "label": labels[one.effects.label],
                "probability": float(one.effects.probabilities[one.effects.label]),
                **explained_values(one),
            }
            for one in found
        ]
    }


def status(served: Served) -> dict[str, Any]:
    """Returns the state of a model: it is there."""
    return {
        "model_version_status": [
            {
                "version": str(served.version),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def _text(value: Any) -> Any:
    """Returns the text of an instance; of what is none, the value, to be refused."""
    if isinstance(value, dict) and list(value) == [TEXT]:
        value = value[TEXT]
    if isinstance(value, dict) and list(value) == [BASE64]:
        try:
            return base64.b64decode(str(value[BASE64]), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise RefusedError(
                422, f"a text in b64 is no UTF-8 in base64: {error}."
            ) from error
    return value
