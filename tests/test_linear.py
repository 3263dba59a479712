"""Linear models on n-grams, beside scikit-learn's and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import write_csv

from seqclf.config import DataConfig, TextConfig
from seqclf.data.dataset import Dataset
from seqclf.data.load import load_dataset
from seqclf.errors import RunError
from seqclf.linear import fit
from seqclf.linear.model import LinearModel, features_of
from seqclf.linear.ngrams import NGrams, fit_ngrams, tokenized
from seqclf.linear.onnx_graph import to_onnx
from seqclf.model.onnx_graph import open_session
from seqclf.model.scoring import fit_temperature, probabilities_of
from seqclf.runs.files import LINEAR_FILE
from seqclf.text import tokens
from seqclf.text.batching import pad
from seqclf.text.encoding import EncodedDataset, Examples, encode_dataset
from seqclf.text.vocabulary import encode_texts

TEXTS = pa.array(
    ["a b a b", "", "b a c", "A  B, a!", "c", "don't stop", "好的 好", "b a c b a c d"]
)

linear = pytest.mark.parametrize("fitted", [fit.fit_tfidf, fit.fit_nb])


def spaced(texts: pa.Array) -> list[str]:
    return [" ".join(one) for one in tokens.tokenize(texts).to_pylist()]


def encoded(source: Path, folder: Path) -> EncodedDataset:
    config = DataConfig(source=str(source))
    return encode_dataset(load_dataset(config), config, TextConfig(), folder / "cache")


def says(model: LinearModel, data: EncodedDataset) -> np.ndarray:
    return probabilities_of(model.logits_of(tokenized(data.texts("test"))))


@pytest.mark.parametrize("block", [1, 3, 20_000])
@pytest.mark.parametrize("least", [1, 2])
@pytest.mark.parametrize("longest", [1, 2, 3])
def test_ngrams_are_those_of_scikit_learn(longest, least, block, monkeypatch):
    from sklearn.feature_extraction.text import CountVectorizer

    monkeypatch.setattr(tokens, "BLOCK_ROWS", block)
    ngrams = fit_ngrams(tokenized(TEXTS), longest, least)
    peer = CountVectorizer(
        ngram_range=(1, longest), min_df=least, lowercase=False, token_pattern=r"\S+"
    )
    peer.fit(spaced(TEXTS))
    names = ngrams.names()
    assert sorted(names) == sorted(peer.vocabulary_)
    others = pa.array(["c a b a b", "b a x c", "x", "", "d d d"])
    counts = ngrams.counts(tokenized(others)).toarray()
    columns = [peer.vocabulary_[name] for name in names]
    assert (counts == peer.transform(spaced(others)).toarray()[:, columns]).all()


def test_an_ngram_ends_where_its_text_ends():
    ngrams = fit_ngrams(tokenized(pa.array(["a b", "c d"])), 3, 1)
    assert sorted(ngrams.names()) == ["a", "a b", "b", "c", "c d", "d"]


def test_tf_idf_is_that_of_scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer

    ngrams = fit_ngrams(tokenized(TEXTS), 2, 1)
    counts = ngrams.counts(tokenized(TEXTS))
    in_texts = np.bincount(counts.indices, minlength=len(ngrams.keys))
    features = features_of(counts, np.log((1 + len(TEXTS)) / (1 + in_texts)) + 1)
    peer = TfidfVectorizer(
        ngram_range=(1, 2), lowercase=False, token_pattern=r"\S+", sublinear_tf=True
    )
    expected = peer.fit_transform(spaced(TEXTS)).toarray()
    columns = [peer.vocabulary_[name] for name in ngrams.names()]
    np.testing.assert_allclose(features.toarray(), expected[:, columns], atol=1e-6)


def test_presence_counts_once():
    ngrams = fit_ngrams(tokenized(TEXTS), 1, 1)
    features = features_of(ngrams.counts(tokenized(TEXTS)), None)
    assert set(features.data.tolist()) == {1.0}


def test_logits_are_a_sum_of_weights():
    words = pa.array(["good", "bad"])
    # To the base 3: good, bad, "good bad".
    ngrams = NGrams(words, np.array([1, 2, 1 * 3 + 2]), 2)
    weights = np.array([[1, -1], [-2, 2], [10, 0]], np.float32)
    model = LinearModel(ngrams, None, weights, np.array([0.5, 0], np.float32))
    texts = pa.array(["good good", "bad good", "so good bad", ""])
    logits = model.logits_of(tokenized(texts))
    assert logits.tolist() == [[1.5, -1], [-0.5, 1], [9.5, 1], [0.5, 0]]


def test_log_count_ratios_are_those_of_a_worked_example():
    from scipy.sparse import csr_array

    # Two texts of the label, hold a twice and b once; one other, holds b and c.
    features = csr_array([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    ratios = fit.log_count_ratios(features, np.array([True, True, False]))
    # Smoothed: (3, 2, 1) of 6 against (1, 2, 2) of 5.
    expected = [(3 / 6) / (1 / 5), (2 / 6) / (2 / 5), (1 / 6) / (2 / 5)]
    np.testing.assert_allclose(ratios, np.log(expected))


def test_a_temperature_follows_the_size_of_the_logits():
    rng = np.random.default_rng(0)
    label_ids = rng.integers(0, 3, 400)
    logits = rng.normal(size=(400, 3)) + 1.5 * np.eye(3)[label_ids]
    (one, loss), (ten, same) = (
        fit_temperature(logits * factor, label_ids) for factor in (1, 10)
    )
    assert ten == pytest.approx(10 * one, rel=1e-3)
    assert same == pytest.approx(loss, rel=1e-6)


def test_a_few_texts_that_are_all_right_do_not_make_it_certain():
    label_ids = np.arange(30) % 2
    logits = np.where(np.eye(2)[label_ids] > 0, 1.0, -1.0)
    # The best two-way answer states (30 + 1) / (30 + 2): log odds of log(31).
    temperature, _ = fit_temperature(logits, label_ids)
    assert temperature == pytest.approx(2 / np.log(31), rel=1e-3)


def test_the_majority_baseline_gives_the_shares_of_train(tmp_path):
    rows = [(f"text {i}", "ab"[i % 4 == 0]) for i in range(100)]
    data = encoded(write_csv(tmp_path / "shares.csv", rows), tmp_path)
    fitted = fit.fit_majority(data)
    assert fitted.chosen == {"label": "a"}
    np.testing.assert_allclose(says(fitted.model, data), [[0.75, 0.25]] * 20, rtol=1e-6)


@pytest.mark.parametrize(
    ("fitted", "first", "second"),
    [
        (fit.fit_tfidf, "not good but bad", "not bad but good"),
        # The same pairs on both sides: triples alone tell them apart.
        (fit.fit_nb, "a b c b a c b", "a c b a b c b"),
    ],
)
def test_words_in_another_order_are_told_apart(fitted, first, second, tmp_path):
    rows = [(f"{first} {i}", "x") for i in range(40)]
    rows += [(f"{second} {i}", "y") for i in range(40)]
    data = encoded(write_csv(tmp_path / "x.csv", rows), tmp_path)
    found = fitted(data)
    true = data.splits["test"].label_ids
    assert (says(found.model, data).argmax(1) == true).all()
    assert found.chosen["C"] in fit.REGULARIZATIONS + fit.TFIDF_REGULARIZATIONS


@linear
def test_validation_chooses_and_calibrates(fitted, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(40)]
    rows = []
    for _ in range(400):  # one word in two tells, and a quarter of the labels are wrong
        label = int(rng.integers(2))
        text = " ".join(rng.choice(words[20 * label : 20 * label + 30], 4))
        rows.append((text, "ab"[label ^ int(rng.random() < 0.25)]))
    data = encoded(write_csv(tmp_path / "x.csv", rows), tmp_path)
    true = data.splits["validation"].label_ids
    texts = tokenized(data.texts("validation"))

    def loss_of(found: fit.Fitted) -> float:
        # Calibrated logits want no other temperature.
        temperature, loss = fit_temperature(found.model.logits_of(texts), true)
        assert temperature == pytest.approx(1, abs=0.01)
        return loss

    best, name = fitted(data), "REGULARIZATIONS"
    name = f"TFIDF_{name}" if fitted is fit.fit_tfidf else name
    losses = {}
    for c in getattr(fit, name):
        with monkeypatch.context() as patch:
            patch.setattr(fit, name, (c,))
            losses[c] = loss_of(fitted(data))
    assert best.chosen["C"] == min(losses, key=lambda c: losses[c])
    assert loss_of(best) == pytest.approx(min(losses.values()))


@linear
def test_scripts_without_spaces_are_split(fitted, tmp_path):
    rows = [(f"{'好' if i % 2 else '坏'}酒店{i}", "ab"[i % 2]) for i in range(80)]
    data = encoded(write_csv(tmp_path / "x.csv", rows), tmp_path)
    true = data.splits["test"].label_ids
    assert (says(fitted(data).model, data).argmax(1) == true).all()


@linear
@pytest.mark.parametrize("known", [2, 3])
def test_a_label_that_train_lacks_has_probability_zero(fitted, known, tmp_path):
    ids = pa.array([i % known for i in range(18)], pa.int32())
    table = pa.table({"text": [f"word{i} a" for i in ids.to_pylist()], "label": ids})
    dataset = Dataset(
        name="x",
        splits={"train": table, "validation": table, "test": table},
        labels=("one", "two", "three", "four"),
        source="here",
        fingerprint="f",
    )
    data = encode_dataset(dataset, DataConfig(), TextConfig(), tmp_path)
    probabilities = says(fitted(data).model, data)
    assert (probabilities[:, known:] == 0).all()
    assert (probabilities.argmax(1) == table["label"].to_numpy()).all()


@linear
def test_a_model_is_saved_and_opened(fitted, tmp_path):
    rows = [(f"{'so' * (i % 2)} good {i % 7}", "ab"[i % 2]) for i in range(60)]
    data = encoded(write_csv(tmp_path / "x.csv", rows), tmp_path)
    model = fitted(data).model
    model.save(tmp_path)
    again = LinearModel.open(tmp_path / LINEAR_FILE, model.vocabulary, 2)
    texts = tokenized(data.texts("test"))
    assert (again.logits_of(texts) == model.logits_of(texts)).all()
    whole = (tmp_path / LINEAR_FILE).read_bytes()
    for broken in (b"", whole[:100], whole[: len(whole) // 2], b"PK" + whole[50:]):
        (tmp_path / LINEAR_FILE).write_bytes(broken)
        with pytest.raises(RunError, match="could not be read"):
            LinearModel.open(tmp_path / LINEAR_FILE, model.vocabulary, 2)


@pytest.mark.parametrize("fitted", [fit.fit_majority, fit.fit_tfidf, fit.fit_nb])
@pytest.mark.parametrize("labels", ["ab", "abc"])
def test_padded_ids_and_onnx_give_the_same_logits(fitted, labels, tmp_path):
    rng = np.random.default_rng(0)
    words = [*"uvwxyz", "好", "don't"]
    rows = [
        (
            f"{labels[i % len(labels)]} {' '.join(rng.choice(words, i % 7))}",
            labels[i % len(labels)],
        )
        for i in range(90)
    ]
    data = encoded(write_csv(tmp_path / "x.csv", rows), tmp_path)
    model = fitted(data).model
    texts = pa.array(["a u v u v", "b", "zzz", "", "好 b c w x y z a", "u u u u"])
    ids, offsets = encode_texts(texts, model.vocabulary, TextConfig(max_length=1000))
    batch = pad(Examples(ids, offsets, np.zeros(6, np.int32)), np.arange(6)).token_ids
    session = open_session(to_onnx(model, {}).SerializeToString())
    logits, probabilities = session.run(
        ["logits", "probabilities"], {"token_ids": batch}
    )
    expected = model.logits_of(tokenized(texts))
    np.testing.assert_allclose(model.predict(batch), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(probabilities, probabilities_of(logits), atol=1e-6)
