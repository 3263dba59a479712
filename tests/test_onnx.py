from __future__ import annotations

import itertools
import os

import numpy as np
import onnxruntime
import pytest
from conftest import pairs, run_cli

from seqclf.cells import CELLS
from seqclf.config import ModelConfig
from seqclf.model import onnx_graph
from seqclf.model.build import build_model
from seqclf.model.onnx_graph import TELEMETRY_VARIABLE
from seqclf.model.scoring import probabilities_of
from seqclf.poolings import POOLINGS

VOCABULARY, LABELS = 30, 3
OPTIONS = list(itertools.product(CELLS, POOLINGS, (True, False), (1, 2)))


def twin(cell: str, pooling: str, bidirectional: bool, layers: int):
    """Returns a Keras model with random weights, and the same as an ONNX session."""
    config = ModelConfig(
        cell=cell, pooling=pooling, bidirectional=bidirectional, layers=layers,
        units=5, embedding_size=5,
    )  # fmt: skip
    model = build_model(config, VOCABULARY, LABELS, seed=3)
    rng = np.random.default_rng(0)
    # Biases and attention start from zero, which would hide an error in their order.
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    made = onnx_graph.to_onnx(model, config, {"cell": cell})
    return model, onnxruntime.InferenceSession(made.SerializeToString())


def padded() -> np.ndarray:
    token_ids = np.random.default_rng(1).integers(1, VOCABULARY, (7, 12))
    for row, length in enumerate((12, 1, 5, 11, 2, 7, 3)):
        token_ids[row, length:] = 0
    return token_ids.astype(np.int32)


def assert_agreement(model, session, token_ids):
    logits = model.predict_on_batch(token_ids)
    got = session.run(["logits", "probabilities"], {"token_ids": token_ids})
    np.testing.assert_allclose(got[0], logits, atol=1e-5)
    np.testing.assert_allclose(got[1], probabilities_of(logits), atol=1e-6)


@pytest.mark.parametrize(("cell", "pooling"), pairs(CELLS, POOLINGS))
def test_onnx_and_keras_agree(cell, pooling):
    assert_agreement(*twin(cell, pooling, True, 1), padded())


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "pooling", "bidirectional", "layers"), OPTIONS)
def test_onnx_and_keras_agree_for_every_option(cell, pooling, bidirectional, layers):
    model, session = twin(cell, pooling, bidirectional, layers)
    longest = np.random.default_rng(2).integers(1, VOCABULARY, (2, 400))
    for token_ids in (
        padded(),
        padded()[:, :1],  # one token each
        np.ones((3, 9), np.int32),  # unknown tokens only
        longest.astype(np.int32),
    ):
        assert_agreement(model, session, token_ids)


def test_the_difference_is_measured():
    model, _ = twin("gru", "max", True, 1)
    config = ModelConfig(cell="gru", units=5, embedding_size=5)
    made = onnx_graph.to_onnx(model, config, {}).SerializeToString()
    assert onnx_graph.greatest_difference(model, made, VOCABULARY, 30) < 1e-6
    model.set_weights([w + 0.1 for w in model.get_weights()])
    assert onnx_graph.greatest_difference(model, made, VOCABULARY, 30) > 1e-4


def test_metadata_is_in_the_file():
    _, session = twin("gru", "max", True, 1)
    assert session.get_modelmeta().custom_metadata_map == {"cell": "gru"}


def test_recurrence_runs_on_native_operators():
    config = ModelConfig(cell="lstm", units=3, embedding_size=3)
    made = onnx_graph.to_onnx(build_model(config, 9, 2, 0), config, {})
    kinds = {node.op_type for node in made.graph.node}
    assert "LSTM" in kinds
    assert not kinds & {"Loop", "Scan"}


def test_onnx_runtime_keeps_no_record_of_its_use(finished_run, tmp_path):
    # Its telemetry, on since 1.31, begins with a data base in the user's cache.
    surroundings = {k: v for k, v in os.environ.items() if k != TELEMETRY_VARIABLE}
    surroundings |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = run_cli(
        ["predict", "--run", str(finished_run.path), "fine"], tmp_path, env=surroundings
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []
