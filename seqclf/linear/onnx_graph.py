"""A linear model as ONNX, with the inputs and outputs of a twin's graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.linear.model import LinearModel
from seqclf.linear.ngrams import NGrams
from seqclf.model.onnx_graph import LOGITS, PROBABILITIES, TOKEN_IDS, model_of
from seqclf.text.tokens import RESERVED

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto


def to_onnx(
    linear: LinearModel, metadata: Mapping[str, str], several: bool = False
) -> ModelProto:
    """Builds the graph of a linear model.

    Args:
      linear: The model.
      metadata: Stored in the file, by key.
      several: Whether each label has a probability of its own.

    Returns:
      A model from token_ids int32 [batch, time] to logits and probabilities, float32
      [batch, labels]. Ids are 0 for padding on the right, 1 for an unknown token, and
      from 2 on the words of the n-grams in their order; texts are not cut.
    """
    from onnx import helper, numpy_helper

    constants = {"bias": linear.bias}
    if len(linear.ngrams.keys):
        nodes = [_ngrams(linear.ngrams)]
        nodes += _tfidf() if linear.idf is not None else _presence()
        nodes.append(helper.make_node("MatMul", ["features", "weights"], ["product"]))
        constants |= {"weights": linear.weights}
        constants |= _tfidf_constants(linear.idf) if linear.idf is not None else {}
    else:  # no text says anything: nothing per row, so that the bias is all
        constants |= {"zero": np.zeros((1,), np.float32)}
        nodes = [
            helper.make_node("Cast", [TOKEN_IDS], ["ids"], to=1),
            helper.make_node("ReduceMax", ["ids"], ["any"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["any", "zero"], ["product"]),
        ]
    nodes.append(helper.make_node("Add", ["product", "bias"], [LOGITS]))
    probabilities = "Sigmoid" if several else "Softmax"  # over the last axis
    nodes.append(helper.make_node(probabilities, [LOGITS], [PROBABILITIES]))
    tensors = [numpy_helper.from_array(v, name) for name, v in constants.items()]
    return model_of("seqclf_linear", nodes, tensors, len(linear.bias), metadata)


def _ngrams(ngrams: NGrams) -> NodeProto:
    """Returns the node that counts n-grams; reserved ids are in none of them."""
    from onnx import helper

    base = len(ngrams.words) + 1
    length = 1 + sum((ngrams.keys >= base**n).astype(int) for n in range(1, 3))
    pool: list[int] = []
    starts, columns = [], []
    for n in range(1, ngrams.longest + 1):
        own = np.flatnonzero(length == n)
        starts.append(len(pool))
        columns += own.tolist()
        digits = [ngrams.keys[own] // base**i % base for i in range(n - 1, -1, -1)]
        ids = np.stack(digits, axis=1) + len(RESERVED) - 1
        pool += ids.ravel().tolist()
    return helper.make_node(
        "TfIdfVectorizer",
        [TOKEN_IDS],
        ["counts"],
        mode="TF",
        min_gram_length=1,
        max_gram_length=ngrams.longest,
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=columns,
        pool_int64s=pool,
    )


def _presence() -> list[NodeProto]:
    from onnx import helper

    return [helper.make_node("Sign", ["counts"], ["features"])]


def _tfidf() -> list[NodeProto]:
    """Returns nodes that make (1 + ln t) idf of counts, and texts of length 1."""
    from onnx import helper

    node = helper.make_node
    return [
        node("Max", ["counts", "one"], ["counted"]),
        node("Log", ["counted"], ["log"]),
        node("Sign", ["counts"], ["present"]),
        node("Add", ["log", "present"], ["damped"]),  # ln max(t, 1) + (t > 0)
        node("Mul", ["damped", "idf"], ["weighted"]),
        node("ReduceL2", ["weighted"], ["norm"], axes=[1], keepdims=1),
        node("Max", ["norm", "least"], ["length"]),
        node("Div", ["weighted", "length"], ["features"]),
    ]


def _tfidf_constants(idf: np.ndarray) -> dict[str, Any]:
    least = np.array(np.finfo(np.float32).tiny)  # a text without n-grams stays 0
    return {"one": np.ones((), np.float32), "least": least, "idf": idf}
