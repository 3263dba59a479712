from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest
from conftest import reviews, write_csv

from seqclf.config import DataConfig, TextConfig
from seqclf.data.load import load_dataset
from seqclf.records.dataset import TokenCounts
from seqclf.text.encoding import encode_dataset

TEXT = TextConfig(min_count=1)


@pytest.fixture
def data(tmp_path):
    config = DataConfig(source=str(write_csv(tmp_path / "x.csv", reviews(60))))
    return load_dataset(config), config


def test_encoded_examples_are_those_of_the_texts(data, tmp_path):
    dataset, config = data
    encoded = encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    tokens = np.array(encoded.vocabulary.tokens)
    for split, examples in encoded.splits.items():
        table = dataset.splits[split]
        assert examples.label_ids.tolist() == table["label"].to_pylist()
        assert (examples.token_ids > 0).all()
        start, end = examples.offsets[:2]
        words = tokens[examples.token_ids[start:end]].tolist()
        raw = table["text"][0].as_py().lower().replace(",", " ,").split()
        assert [
            w for w, t in zip(words, raw, strict=True) if w not in (t, "[UNK]")
        ] == []


def test_what_a_killed_process_of_this_number_left_is_in_nobodys_way(data, tmp_path):
    asked = (*data, TEXT, tmp_path / "cache")
    path = encode_dataset(*asked).path
    path.rename(path.with_name(f".{path.name}.{os.getpid()}"))
    assert encode_dataset(*asked).path == path
    assert [*path.parent.iterdir()] == [path]


def test_held_out_texts_are_read_further_than_training_texts(tmp_path):
    for split in ("train", "validation", "test"):
        rows = [("a b c d e f g h i", "xy"[i % 2]) for i in range(8)]
        write_csv(tmp_path / f"{split}.csv", rows)
    config = DataConfig(source=str(tmp_path))
    dataset = load_dataset(config)

    def lengths(**settings: int) -> list[int]:
        text = TextConfig(min_count=1, **settings)
        splits = encode_dataset(dataset, config, text, tmp_path / "cache").splits
        return [int(splits[s].lengths[0]) for s in ("train", "validation", "test")]

    assert lengths(max_length=2) == [2, 5, 5]
    assert lengths(max_length=3) == [3, 8, 8]  # 7.5, to the even number
    assert lengths(max_length=2, predict_length=7) == [2, 7, 7]
    assert lengths(max_length=4, predict_length=4) == [4, 4, 4]


def test_a_wide_vocabulary_knows_unlabelled_words_but_none_that_are_held_out(tmp_path):
    for split in ("train", "validation", "test"):
        rows = [(f"{split} text {i}", "xy"[i % 2]) for i in range(8)]
        write_csv(tmp_path / f"{split}.csv", rows)
    texts = ["zebra zebra", "Test  TEXT 3", "test text 3", "zebra text"]
    (tmp_path / "unlabeled.csv").write_text("\n".join(["text", *texts]) + "\n")
    config = DataConfig(source=str(tmp_path))
    dataset, text = load_dataset(config), TextConfig(min_count=2)
    cache = tmp_path / "cache"

    def known(is_wide: bool) -> set[str]:
        encoded = encode_dataset(dataset, config, text, cache, is_wide)
        return set(encoded.vocabulary.tokens[2:])

    assert known(is_wide=False) == {"train", "text"}
    assert known(is_wide=True) == {"train", "text", "zebra"}  # and no "test"
    assert known(is_wide=False) == {"train", "text"}  # they do not share a cache


def test_lengths_before_the_cut_are_counted_also_in_a_cache_of_before(tmp_path):
    # Texts of 1 to 5 tokens in each split; two of five are longer than 3.
    for split in ("train", "validation", "test"):
        rows = [(f"{split} " * (i % 5) + str(i), "ab"[i % 2]) for i in range(20)]
        write_csv(tmp_path / f"{split}.csv", rows)
    config = DataConfig(source=str(tmp_path))
    dataset, text = (
        load_dataset(config),
        TextConfig(min_count=1, max_length=3, predict_length=3),
    )
    encoded = encode_dataset(dataset, config, text, tmp_path / "cache")
    expected = {
        s: TokenCounts(median=3, cut=8) for s in ("train", "validation", "test")
    }
    assert encoded.about.tokens == expected
    file = encoded.path / "dataset.json"
    about = json.loads(file.read_text())
    del about["tokens"]  # as version 0.1.0 wrote it
    file.write_text(json.dumps(about))
    again = encode_dataset(dataset, config, text, tmp_path / "cache")
    assert again.about.tokens == expected
    assert again.path == encoded.path


def test_the_vocabulary_is_from_train_alone(data, tmp_path):
    dataset, config = data
    encoded = encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    numbers = {t for t in encoded.vocabulary.tokens if t.isdigit()}
    for split in ("validation", "test"):
        texts = dataset.splits[split]["text"].to_pylist()
        assert not numbers & {text.split()[-1] for text in texts}


def test_equal_settings_are_encoded_once(data, tmp_path, monkeypatch):
    dataset, config = data
    cache = tmp_path / "cache"
    first = encode_dataset(dataset, config, TEXT, cache)
    monkeypatch.setattr("seqclf.text.encoding._write", None)  # would fail if called
    assert encode_dataset(dataset, config, TEXT, cache).path == first.path
    # The source's name changes no number.
    renamed = dataclasses.replace(config, source="elsewhere")
    assert encode_dataset(dataset, renamed, TEXT, cache).path == first.path


@pytest.mark.parametrize(
    ("of_data", "of_text"),
    [({"split_seed": 1}, {}), ({"limit": 20}, {}), ({}, {"max_length": 3}),
     ({}, {"vocabulary_size": 5}), ({}, {"min_count": 2}), ({}, {"keep": "head"})],
)  # fmt: skip
def test_other_settings_are_encoded_apart(of_data, of_text, data, tmp_path):
    dataset, config = data
    first = encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    config = dataclasses.replace(config, **of_data)
    text = dataclasses.replace(TEXT, **of_text)
    other = encode_dataset(load_dataset(config), config, text, tmp_path / "cache")
    assert other.path != first.path


@pytest.mark.parametrize("name", ["train.ids", "test.offsets.npy", "test.labels.npy"])
@pytest.mark.parametrize("kept", [0, 3, -4, None], ids=str)
def test_a_damaged_cache_is_made_again(name, kept, data, tmp_path):
    dataset, config = data
    first = encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    file = first.path / name
    whole = file.read_bytes()
    file.unlink()
    if kept is not None:  # else the file is gone
        file.write_bytes(whole[:kept])
    encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    assert file.read_bytes() == whole


def test_the_cache_does_not_rename_the_source(data, tmp_path):
    dataset, config = data
    encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    other = dataclasses.replace(dataset, source="elsewhere")
    encoded = encode_dataset(other, config, TEXT, tmp_path / "cache")
    assert encoded.about.source == "elsewhere"


def test_a_cut_encoding_leaves_nothing_that_could_be_taken_for_whole(
    data, tmp_path, monkeypatch
):
    dataset, config = data

    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("seqclf.text.encoding._write_split", fail)
    with pytest.raises(KeyboardInterrupt):
        encode_dataset(dataset, config, TEXT, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
