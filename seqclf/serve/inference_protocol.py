"""The requests and answers of the Open Inference Protocol, version 2, for texts.

https://github.com/kserve/open-inference-protocol, with the extension for binary
tensors, which Triton's own client takes unless it is told otherwise: the JSON of a body
is followed by the bytes of its tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import seqclf
from seqclf.serve import bodies
from seqclf.serve.models import Served
from seqclf.serve.refusal import RefusedError

HEADER_LENGTH = "inference-header-content-length"
TEXT, BYTES = "text", "BYTES"
MOST_DIGITS = 20  # of a number of bytes
LENGTH_BYTES = 4  # before each text in a tensor of bytes, little-endian
LABEL, PROBABILITIES, APPLIES = "label", "probabilities", "applies"
DATATYPES = {LABEL: BYTES, PROBABILITIES: "FP32", APPLIES: "BOOL"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
      id: What the client named it; None if it did not.
      texts: The texts, in order.
      shape: Of the texts: [n], or [n, 1], as some clients send them.
      outputs: The outputs to give by name, and whether each as bytes behind the JSON.
    """

    id: str | None
    texts: list[str]
    shape: tuple[int, ...]
    outputs: dict[str, bool]


def server() -> dict[str, Any]:
    """Returns what the server is."""
    return {
        "name": "seqclf",
        "version": seqclf.__version__,
        "extensions": ["binary_tensor_data"],
    }


def model(served: Served) -> dict[str, Any]:
    """Returns what a model takes and gives."""
    width = len(served.classifier.labels)
    shapes = {LABEL: [-1], APPLIES: [-1, width], PROBABILITIES: [-1, width]}
    return {
        "name": served.name,
        "platform": "seqclf",
        "inputs": [{"name": TEXT, "datatype": BYTES, "shape": [-1]}],
        "outputs": [
            {"name": name, "datatype": DATATYPES[name], "shape": shapes[name]}
            for name in _outputs_of(served)
        ],
        "parameters": {"labels": list(served.classifier.labels)},
    }


def asked(body: bytes, header_length: str | None, served: Served, most: int) -> Asked:
    """Reads a request; `header_length` is the header `HEADER_LENGTH`, if it has one.

    Raises:
      RefusedError: If it is none, or has more than `most` texts.
    """
    length = len(body)
    if header_length is not None:
        is_number = header_length.isdecimal() and len(header_length) < MOST_DIGITS
        if not is_number or int(header_length) > length:
            raise RefusedError(
                400, f"{HEADER_LENGTH} is {header_length[:20]!r} of {length:,} bytes."
            )
        length = int(header_length)
    values = bodies.read(body[:length])
    tensor = _only_input(values)
    parameters = _parameters(tensor)
    if "binary_data_size" in parameters:
        texts = list(_texts_of_bytes(body[length:], parameters["binary_data_size"]))
        bodies.refuse_too_many(len(texts), most)
    else:
        data = tensor.get("data")
        rows = data if isinstance(data, list) else None
        if rows and all(isinstance(r, list) and len(r) == 1 for r in rows):
            data = [row[0] for row in rows]
        texts = bodies.texts_in(data, f"inputs.{TEXT}.data", most)
    shape = _shape(tensor, len(texts))
    identity = values.get("id")
    return Asked(
        id=None if identity is None else str(identity),
        texts=texts,
        shape=shape,
        outputs=_outputs_asked(values, served),
    )


def answer(
    asked: Asked, served: Served, probabilities: np.ndarray
) -> tuple[bytes, int | None]:
    """Returns the body of the answer to a request.

    Returns:
      The bytes, and how many of them are JSON where tensors follow as bytes; else None.
    """
    classifier = served.classifier
    found: dict[str, Any] = {PROBABILITIES: probabilities}
    if classifier.thresholds is None:
        likeliest = probabilities.argmax(axis=1).tolist()
        found[LABEL] = np.array([classifier.labels[i] for i in likeliest], object)
        found[LABEL] = found[LABEL].reshape(asked.shape)
    else:
        found[APPLIES] = probabilities >= classifier.thresholds
    outputs, behind = [], []
    for name, is_binary in asked.outputs.items():
        array = found[name]
        described: dict[str, Any] = {
            "name": name,
            "datatype": DATATYPES[name],
            "shape": list(array.shape),
        }
        if is_binary:
            behind.append(_as_bytes(array))
            described["parameters"] = {"binary_data_size": len(behind[-1])}
        else:
            described["data"] = array.ravel().tolist()
        outputs.append(described)
    values = {
        "model_name": served.name,
        **({} if asked.id is None else {"id": asked.id}),
        "outputs": outputs,
    }
    head = bodies.written(values)
    return b"".join([head, *behind]), len(head) if behind else None


def _outputs_of(served: Served) -> Sequence[str]:
    has_several = served.classifier.thresholds is not None
    return (APPLIES if has_several else LABEL, PROBABILITIES)


def _only_input(values: dict[str, Any]) -> dict[str, Any]:
    """Returns the one input, the texts."""
    inputs = values.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1:
        raise RefusedError(
            422, f"the body needs 'inputs' with one tensor, {TEXT!r} of {BYTES}."
        )
    tensor = inputs[0]
    if not isinstance(tensor, dict):
        raise RefusedError(422, "inputs[0] is no object.")
    name, datatype = tensor.get("name"), tensor.get("datatype")
    if (name, datatype) != (TEXT, BYTES):
        raise RefusedError(
            422,
            f"inputs[0] is {name!r} of {datatype!r}; {TEXT!r} of {BYTES!r} was "
            f"expected.",
        )
    return tensor


def _shape(tensor: dict[str, Any], texts: int) -> tuple[int, ...]:
    shape = tensor.get("shape")
    is_shape = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if not is_shape or shape not in ([texts], [texts, 1]):
        raise RefusedError(
            422, f"the shape of {TEXT!r} is {shape!r}; [{texts}] was expected."
        )
    return tuple(shape)


def _outputs_asked(values: dict[str, Any], served: Served) -> dict[str, bool]:
    """Returns the outputs to give, each with whether as bytes."""
    known = _outputs_of(served)
    as_bytes = _parameters(values).get("binary_data_output") is True
    wanted = values.get("outputs")
    if wanted is None:
        return dict.fromkeys(known, as_bytes)
    outputs: dict[str, bool] = {}
    for one in wanted if isinstance(wanted, list) else [wanted]:
        name: Any = one.get("name") if isinstance(one, dict) else one
        if not isinstance(one, dict) or name not in known:
            raise RefusedError(
                422, f"there is no output {name!r}, but {' and '.join(known)}."
            )
        outputs[name] = _parameters(one).get("binary_data", as_bytes) is True
    return outputs


def _parameters(values: dict[str, Any]) -> dict[str, Any]:
    parameters = values.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise RefusedError(422, "'parameters' is no object.")
    return parameters


def _texts_of_bytes(content: bytes, size: Any) -> Iterator[str]:
    """Yields texts that stand one behind the other, each behind its length, 4 bytes."""
    if size != len(content):
        raise RefusedError(
            422, f"binary_data_size is {size!r}; {len(content):,} bytes follow."
        )
    start = 0
    while start < len(content):
        length = int.from_bytes(content[start : start + LENGTH_BYTES], "little")
        start += LENGTH_BYTES
        if start + length > len(content):
            raise RefusedError(422, f"the bytes of {TEXT!r} end within a text.")
        try:
            yield content[start : start + length].decode()
        except UnicodeDecodeError as error:
            raise RefusedError(422, f"a text is no UTF-8: {error}.") from error
        start += length


def _as_bytes(array: np.ndarray) -> bytes:
    if array.dtype != object:
        return array.tobytes()
    texts = [text.encode() for text in array.ravel()]
    return b"".join(len(t).to_bytes(LENGTH_BYTES, "little") + t for t in texts)
