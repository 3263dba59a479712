"""Whatever comes in, an answer or a sentence comes out: 500 cases each.

`make fuzz` runs 10,000.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import reference_text
from conftest import seal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqclf import config as configs
from seqclf.classifier import Classifier
from seqclf.config import KEEP_NAMES, RunConfig, TextConfig
from seqclf.data.files import read_file
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.runs import Run
from seqclf.text.arrays import strings
from seqclf.text.few import encode_few
from seqclf.text.tokens import PADDING_ID, UNKNOWN_ID, folding, tokenize
from seqclf.text.vocabulary import Vocabulary, encode_texts

pytestmark = pytest.mark.slow
CASES = int(os.environ.get("SEQCLF_FUZZ", "500"))
many = settings(
    max_examples=CASES,
    deadline=None,
    derandomize=CASES == 500,  # the same cases in every check of a change
    suppress_health_check=list(HealthCheck),
)

# Any code point but half characters, and often the ones that rules look at.
TELLING = st.sampled_from("<>/'’br \t\n\x00\x01\x85\u200b\u0301İßΣςſ今のส วั🙂[]\ufeff")
TEXT = st.text(st.characters(codec="utf-8") | TELLING, max_size=60)
# Python 3.11 knows Unicode 14, RE2 newer letters too.
OLD = st.characters(codec="utf-8", exclude_categories=["Cn"])


@many
@given(st.text(OLD | TELLING, max_size=60))
def test_arrow_and_plain_python_find_the_same_tokens(text):
    found = tokenize(strings([text])).to_pylist()[0]
    assert found == reference_text.tokens(text, folding())


@pytest.fixture(scope="module")
def graph():
    """The text rules as a TensorFlow graph, as a SavedModel carries them."""
    import tensorflow as tf

    from seqclf.export.graph_text import tokens_in_graph

    return tf.function(
        tokens_in_graph,
        input_signature=[tf.TensorSpec([None], tf.string)],
    )


@many
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_arrow_and_a_graph_find_the_same_tokens(graph, texts):
    encoded = [text.encode() for text in texts]
    found = [[token.decode() for token in row] for row in graph(encoded).to_list()]
    assert found == tokenize(strings(texts)).to_pylist()


@many
@given(
    st.lists(TEXT, min_size=1, max_size=8),
    st.integers(1, 12),
    st.sampled_from(KEEP_NAMES),
    st.integers(1, 30),
)
def test_token_ids_are_in_range_and_the_same_each_time(texts, most, keep, size):
    config = TextConfig(
        max_length=most, keep=keep, vocabulary_size=size, min_count=1
    )  # fmt: skip
    array = strings(texts)
    vocabulary = Vocabulary.build([tokenize(array)], config)
    ids, offsets = encode_texts(array, vocabulary, config)
    assert len(offsets) == len(texts) + 1
    lengths = np.diff(offsets)
    assert lengths.min() >= 1
    assert lengths.max() <= most
    assert ids.min() >= UNKNOWN_ID > PADDING_ID
    assert ids.max() < len(vocabulary)
    again = encode_texts(array, vocabulary, config)
    assert np.array_equal(ids, again[0])
    alone = [encode_texts(strings([text]), vocabulary, config)[0] for text in texts]
    assert np.array_equal(np.concatenate(alone), ids)


@many
@given(
    st.lists(TEXT, min_size=1, max_size=4),
    st.sampled_from(["word", "char", "subword"]),
    st.integers(1, 12),
    st.sampled_from(KEEP_NAMES),
)
def test_few_texts_have_the_ids_of_many(texts, kind, most, keep):
    config = TextConfig(
        tokens=kind, max_length=most, keep=keep, vocabulary_size=20, min_count=1
    )  # fmt: skip
    array = strings(texts)
    vocabulary = Vocabulary.build([tokenize(array, kind)], config)
    ids, offsets = encode_few(texts, vocabulary, config)
    expected = encode_texts(array, vocabulary, config)
    assert np.array_equal(ids, expected[0])
    assert np.array_equal(offsets, expected[1])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = [
    (part, name)
    for part, values in configs.to_dict(RunConfig()).items()
    for name in values
]


@many
@given(st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=4), VALUES)
def test_a_config_is_read_or_refused(changes, anything):
    values = configs.to_dict(RunConfig())
    for (part, name), value in changes:
        values[part][name] = value
    for given_ in (values, anything):
        try:
            read = configs.from_dict(given_)
        except ConfigError:
            continue
        assert configs.from_dict(configs.to_dict(read)) == read


@many
@given(st.binary(max_size=300) | TEXT.map(str.encode))
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz"])
def test_a_data_file_is_read_or_refused(suffix, content):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"rows{suffix}"
        file.write_bytes(content)
        with contextlib.suppress(DataError):
            assert read_file(file).table.num_rows


LINES = st.lists(
    st.fixed_dictionaries({"text": TEXT, "label": st.sampled_from(["a", "b"])}),
    min_size=1,
    max_size=6,
)


@many
@given(LINES)
def test_what_json_lines_hold_is_what_is_read(rows):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert read_file(file).table.to_pylist() == rows


READ = {
    "config.json": lambda run: run.config,
    "dataset.json": lambda run: run.dataset,
    "metrics.json": lambda run: run.metrics,
    "history.jsonl": lambda run: run.history,
    "labels.txt": lambda run: run.labels,
    "vocabulary.txt": lambda run: run.vocabulary,
    "predictions/test.parquet": lambda run: run.predictions("test"),
    "complete": lambda run: run.verify(),
}


@pytest.fixture(scope="module")
def copied(finished_run, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "run"
    shutil.copytree(finished_run.path, path)
    return path


@many
@given(st.data())
@pytest.mark.parametrize("name", READ)
def test_a_file_of_a_run_is_read_or_refused(name, copied, data):
    """Also where a stranger has made the checksums fit."""
    file = copied / name
    whole = file.read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    other = data.draw(st.binary(max_size=20) | VALUES.map(repr).map(str.encode))
    length = data.draw(st.integers(0, 20))
    file.write_bytes(whole[:place] + other + whole[place + length :])
    if name != "complete":
        seal(copied)
    with contextlib.suppress(RunError, ConfigError):
        READ[name](Run(copied))
    file.write_bytes(whole)


@many
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_any_text_has_probabilities(finished_run, texts):
    classifier = _opened(finished_run)
    probabilities = classifier.predict_proba(texts)
    assert probabilities.shape == (len(texts), 2)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


_open: dict[Path, Classifier] = {}


def _opened(run: Run) -> Classifier:
    if run.path not in _open:
        _open[run.path] = Classifier.open(run)
    return _open[run.path]
