"""A pre-trained encoder beside the twins: found, opened, fitted, compared, reused."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import importlib.util
import json
import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest
from conftest import TINY, invoke
from loopback_hub import repository
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_docs import ROOT
from tiny_encoder import (
    LONGEST,
    SIZE,
    config_of,
    named,
    said,
    weights_of,
    write_encoder,
)
from writable_hub import WritableHub, visit

import seqclf
from seqclf import marker
from seqclf.comparison import rows as rows_of
from seqclf.comparison.design import Design
from seqclf.comparison.metric import ACCURACY
from seqclf.comparison.others.given import Given
from seqclf.comparison.others.other import Other, keep_answers
from seqclf.comparison.others.yardstick import as_other
from seqclf.comparison.rows import compare_runs
from seqclf.config import DataConfig, RunConfig
from seqclf.data.dataset import TEST, VALIDATION
from seqclf.data.load import load_dataset
from seqclf.engine import Outcome
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.installed import install_line
from seqclf.model.scoring import LEAST_LOG, probabilities_of
from seqclf.records.comparison import ComparisonResult
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.training import Epoch, Resumed, Stepped
from seqclf.records.yardstick import TrainedYardstick
from seqclf.report import csv_lines, sentences, tables
from seqclf.report.page.comparison_page import page
from seqclf.runs import Predictions, writing
from seqclf.storage import write_json
from seqclf.text.batching import pad
from seqclf.text.encoding import encode_dataset
from seqclf.training import fit as fitting
from seqclf.training.checkpoint import Checkpoints
from seqclf.workflows import yardstick as training
from seqclf.workflows.yardstick import train_yardstick
from seqclf.yardstick import asked, train
from seqclf.yardstick.asked import Yardstick, as_options, question, yardstick_of
from seqclf.yardstick.files import FILES, EncoderFiles, found
from seqclf.yardstick.network import KINDS, MOST_BYTES, WEIGHTS_FILE, read_config
from seqclf.yardstick.trial import RESULT_FILE, reused, trials_of

COMMIT = "c" * 40
TEXTS = ("A dull film", "", "good " * 30, "very fine soup , a good play")
IDS = (
    [2, 1, 6, 16, 3], [2, 3], [2, *[10] * (LONGEST - 2), 3],
    [2, 23, 13, 21, 25, 1, 10, 20, 3],
)  # fmt: skip


def has_packages() -> bool:
    return all(importlib.util.find_spec(name) for name in asked.PACKAGES)


# CI has them; it fails where a test is skipped.
needs_packages = pytest.mark.skipif(
    not has_packages(), reason="the extra `yardstick` is not installed"
)


@pytest.fixture
def installed(monkeypatch):
    """Lets what does not open an encoder pass for want of the packages."""
    monkeypatch.setattr(asked, "_require_packages", lambda: None)


def write_files(folder: Path, **config: object) -> Path:
    """Writes what is enough to be found."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = str(config.get("model_type", "bert"))
    kind = kind if kind in KINDS else "bert"
    values = json.dumps(config_of(kind) | config)
    contents = values.encode(), without_numbers(kind), b"{}"
    for name, content in zip(FILES, contents, strict=True):
        (folder / name).write_bytes(content)
    return folder


def without_numbers(kind: str) -> bytes:
    """Returns weights of the right names and shapes, all of them 0."""
    header, end = {}, 0
    for name, tensor in named(kind, weights_of(kind)).items():
        start, end = end, end + tensor.nbytes
        about = {"dtype": "F32", "shape": tensor.shape, "data_offsets": (start, end)}
        header[name] = about
    told = json.dumps(header).encode()
    return len(told).to_bytes(8, "little") + told + bytes(end)


# Finding the files.


@needs_packages
def test_a_folder_and_a_repository_of_the_same_files_are_one_encoder(
    tmp_path, monkeypatch
):
    folder = write_files(tmp_path / "mini", model_type="roberta")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    server = WritableHub()
    server.repositories["some/mini"] = repository(files, COMMIT)
    visit(monkeypatch, tmp_path / "hf", server.url, None)
    try:
        here, there = found(str(folder)), found("hf://some/mini")
    finally:
        server.close()
    assert (here.name, here.encoder, here.revision) == ("mini", "roberta", None)
    assert (there.name, there.encoder, there.revision) == ("mini", "roberta", COMMIT)
    assert there.source == "hf://some/mini"
    assert here.digest == there.digest
    # No file was asked for but the three.
    resolved = {path.rpartition("/")[2] for path in server.asked if "resolve" in path}
    assert resolved == {*FILES}
    # Without a network it comes from the cache.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert found("hf://some/mini") == there
    assert found(f"hf://some/mini@{COMMIT}").folder == there.folder
    with pytest.raises(RunError, match="HF_HUB_OFFLINE is set, and the cache"):
        found("hf://some/other")
    (folder / "tokenizer.json").write_text("{ }")
    assert found(str(folder)).digest != there.digest


def test_a_repository_without_safe_files_is_refused_before_it_is_downloaded(
    tmp_path, monkeypatch
):
    server = WritableHub()
    files = {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}
    server.repositories["some/old"] = repository(files, COMMIT)
    visit(monkeypatch, tmp_path / "hf", server.url, None)
    try:
        with pytest.raises(RunError, match=r"no model.safetensors and tokenizer.json;"):
            found("hf://some/old")
        assert not any("resolve" in path for path in server.asked)
        with pytest.raises(RunError, match="has no model some/new"):
            found("hf://some/new")
        with pytest.raises(ConfigError, match="named hf://OWNER/NAME"):
            found("hf://bert")
    finally:
        server.close()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "gpt2"}, "of the kind 'gpt2'; .* bert, distilbert, roberta"),
        ({"model_type": None}, "of the kind None"),
        ({"model_type": []}, r"of the kind \[\]; a yardstick is"),
        ({"hidden_act": "relu"}, "hidden_act 'relu' .* would open it as 'gelu'"),
        ({"model_type": "distilbert", "activation": "relu"}, "activation 'relu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ({"is_decoder": True}, "is_decoder True .* would open it as False"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-05 .* would open it as 1e-12"),
        ({"model_type": "roberta", "layer_norm_eps": 1e-12}, "open it as 1e-05"),
        ({"model_type": "xlm-roberta", "pad_token_id": 0}, "pad_token_id 0 .* as 1;"),
        ({"type_vocab_size": 4}, "type_vocab_size 4 .* would open it as 2"),
        ({"hidden_size": True}, "hidden_size True .* a whole number of 1 or more"),
        ({"vocab_size": None}, "vocab_size None"),
        ({"num_hidden_layers": 0}, "num_hidden_layers 0"),
        ({"model_type": "distilbert", "dropout": "0.1"}, "dropout '0.1' .* fraction"),
        ({"model_type": "distilbert", "dropout": 1}, "dropout 1 "),
    ],
)
def test_an_encoder_that_would_be_another_is_refused(config, message, tmp_path):
    folder = write_files(tmp_path / "x", **config)
    with pytest.raises(ConfigError, match=message):
        found(str(folder))


@needs_packages
@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_have_to_have_the_sizes_of_the_config(kind, tmp_path):
    folder = write_files(tmp_path / "x", model_type=kind)
    assert found(str(folder)).encoder == kind
    vocabulary, layers, heads, size, inner, positions = KINDS[kind].sizes
    for changed, message in (
        ({size: 10**7, layers: 10**6}, rf"{size} 10,000,000 .* has 26 × 16 as"),
        ({vocabulary: 27}, rf"vocab_size 27 and {size} 16 in config.* has 26 × 16"),
        ({positions: 10**9}, f"{positions} 1,000,000,000"),
        ({inner: 23}, f"{inner} 23 and {size} 16 .* has 24 × 16"),
        ({layers: 10**6}, f"{layers} 1,000,000 in .* has 2 layers"),
        ({heads: 3}, f"{size} 16 and {heads} 3 .* equal parts"),
    ):
        write_files(folder, model_type=kind, **changed)
        with pytest.raises(ConfigError, match=message):
            found(str(folder))
    # A header that promises what the file has not.
    content = (folder / WEIGHTS_FILE).read_bytes()
    (folder / WEIGHTS_FILE).write_bytes(content[:-1])
    with pytest.raises(ConfigError, match="model.safetensors of .* could not be read"):
        found(str(folder))


def test_nothing_else_of_a_config_is_read_on(tmp_path):
    strange = {
        "registered_name": "x>Y", "module": "os", "class_name": "system",
        "config": {}, "architecture": "resnet", "quantization_config": {},
    }  # fmt: skip
    folder = write_files(tmp_path / "x", model_type="distilbert", **strange)
    assert read_config("x", folder) == {
        "model_type": "distilbert", "vocab_size": 26, "n_layers": 2, "n_heads": 2,
        "dim": 16, "hidden_dim": 24, "max_position_embeddings": 12, "dropout": 0.1,
    }  # fmt: skip


def test_files_that_are_too_large_are_refused_before_they_are_read(
    tmp_path, monkeypatch
):
    folder = write_files(tmp_path / "x")
    with (folder / "config.json").open("ab") as file:
        file.truncate(MOST_BYTES["config.json"] + 1)
    with pytest.raises(ConfigError, match=r"its config.json has 4,194,305 bytes, more"):
        found(str(folder))
    write_files(tmp_path / "x")
    with (folder / "tokenizer.json").open("ab") as file:
        file.truncate(MOST_BYTES["tokenizer.json"] + 1)
    with pytest.raises(ConfigError, match=r"its tokenizer.json has 134,217,729 bytes"):
        found(str(folder))


def test_what_a_config_refuses_is_not_downloaded(tmp_path, monkeypatch):
    folder = write_files(tmp_path / "mini", hidden_act="relu")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    large = files | {"config.json": bytes(MOST_BYTES["config.json"] + 1)}
    server = WritableHub()
    server.repositories["some/mini"] = repository(files, COMMIT)
    server.repositories["some/large"] = repository(large, COMMIT)
    visit(monkeypatch, tmp_path / "hf", server.url, None)
    try:
        with pytest.raises(ConfigError, match="its config.json has 4,194,305 bytes"):
            found("hf://some/large")
        assert not any("resolve" in path for path in server.asked)
        with pytest.raises(ConfigError, match="hf://some/mini has hidden_act 'relu'"):
            found("hf://some/mini")
    finally:
        server.close()
    resolved = {path.rpartition("/")[2] for path in server.asked if "resolve" in path}
    assert resolved == {"config.json"}


def test_a_folder_that_is_none_or_lacks_files_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"gone is no folder\. It takes hf://OWNER"):
        found(str(tmp_path / "gone"))
    folder = write_files(tmp_path / "x")
    (folder / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="config.json of .* could not be read"):
        found(str(folder))
    (folder / "config.json").write_text("[]")
    with pytest.raises(ConfigError, match="holds no object"):
        found(str(folder))
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"has no model.safetensors\. A yardstick is"):
        found(str(folder))


# What is asked.


def test_what_does_nothing_is_refused(tmp_path, installed):
    folder = str(write_files(tmp_path / "x"))
    assert yardstick_of(None) is None
    for options, message in (
        ((None, "features"), "--yardstick-mode features does nothing without"),
        ((None, None, 2), "--yardstick-seeds 2 does nothing without --yardstick"),
        ((folder, "features", 2), "--yardstick-seeds 2 does nothing with"),
        ((folder, "feature"), "did you mean 'features'"),
        ((folder, None, 0), "--yardstick-seeds"),
    ):
        with pytest.raises(ConfigError, match=message):
            yardstick_of(*options)


def test_packages_that_are_missing_are_named_by_their_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=re.escape(install_line("yardstick"))):
        yardstick_of(str(write_files(tmp_path / "x")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["yardstick"]
    named = {line.partition(">")[0].replace("-", "_") for line in extra}
    assert named == {*asked.PACKAGES}


def yardstick(mode: str = "fine-tune", seeds: int = 1, **files: object) -> Yardstick:
    values = {
        "source": "hf://some/mini", "folder": Path("nowhere"), "name": "mini",
        "revision": COMMIT, "encoder": "bert", "digest": "d" * 64,
    } | files  # fmt: skip
    return Yardstick(EncoderFiles(**values), mode, seeds)


def design(**options: object) -> Design:
    values = {"config": RunConfig(), "cells": ("gru",), "seeds": (0, 1)}
    return Design(**values | {"yardstick": yardstick()} | options)


def test_a_comparison_is_another_one_with_a_yardstick():
    without = design(yardstick=None).question("beef")
    assert "yardstick" not in without  # as before there were yardsticks
    asked_of = [
        yardstick(), yardstick("features"), yardstick(seeds=2), yardstick(digest="e")
    ]  # fmt: skip
    questions = [design(yardstick=one).question("beef") for one in asked_of]
    assert all(one not in questions[:i] for i, one in enumerate(questions))
    moved = yardstick(source="elsewhere", revision=None)
    assert question(moved) == question(yardstick())  # the files tell


def test_the_options_ask_for_the_same_again():
    assert as_options(None) == []
    assert as_options(yardstick()) == ["--yardstick", "hf://some/mini"]
    assert as_options(yardstick("features"))[2:] == ["--yardstick-mode", "features"]
    assert as_options(yardstick(seeds=3))[2:] == ["--yardstick-seeds", "3"]


def test_a_design_refuses_what_a_yardstick_cannot_be_with():
    with pytest.raises(ConfigError, match="give --seeds 2 or more"):
        design(yardstick=yardstick(seeds=2), seeds=(0,))
    with pytest.raises(ConfigError, match="--folds and --yardstick exclude each other"):
        design(folds=5, seeds=tuple(range(5)))
    with pytest.raises(ConfigError, match="--yardstick and --vary split exclude"):
        design(vary="split")
    with pytest.raises(ConfigError, match="gru is what another row is called"):
        design(yardstick=yardstick(name="gru"))
    other = Given("mini", Path("a.csv"), "a")
    with pytest.raises(ConfigError, match="mini is what another row is called"):
        design(others=(other,))
    design(others=(other,), yardstick=yardstick("features"))  # `mini (frozen)`
    finished = invoke("compare", "a", "b", "--yardstick=x")
    assert "--yardstick does nothing when finished runs" in finished.stderr


def test_what_is_impossible_is_refused_before_anything_is_downloaded(
    installed, monkeypatch
):
    def download(source: str) -> EncoderFiles:
        raise ConfigError(f"{source} is downloaded.")

    monkeypatch.setattr(asked, "found", download)
    compare = ["compare", "--yardstick=hf://some/mini"]
    for options, message in (
        (["--folds=5"], "--folds and --yardstick exclude each other"),
        (["--vary=split"], "--yardstick and --vary split exclude each other"),
        (["--cells=gruu"], "unknown cell"),
        (["--match=parameters", "--cells=none"], "two cells with a layer"),
        (["--yardstick=hf://some/gru"], "what another row is called"),
        (["--yardstick=hf://some"], "named hf://OWNER/NAME"),
        ([], "hf://some/mini is downloaded"),
    ):
        done = invoke(*compare, *options)
        assert message in " ".join(done.stderr.split())
    with pytest.raises(ConfigError, match="gru is what another row is called"):
        seqclf.compare(yardstick="hf://some/gru")


def test_texts_with_several_labels_are_refused_before_anything_is_removed(
    installed, tmp_path, monkeypatch
):
    monkeypatch.setattr(asked, "with_files", lambda one: yardstick())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cache").mkdir()
    films = [{"text": f"film {i}", "label": ["a", "b"][: i % 3]} for i in range(60)]
    (tmp_path / "films.jsonl").write_text("\n".join(map(json.dumps, films)))
    kept = tmp_path / "models" / "kept"
    marker.begin(kept, marker.COMPARISON)
    for name in (marker.QUESTION_FILE, marker.COMPARISON_FILE):
        write_json(kept / name, {"of": "another"})
    done = invoke(
        "compare", "--data=films.jsonl", "--yardstick=mini", "--name=kept",
        "--overwrite", "--cache-dir=cache",
    )  # fmt: skip
    assert "--yardstick learns one label a text; films has several" in done.stderr
    assert (kept / marker.COMPARISON_FILE).exists()


# Opening encoders and fitting them.


@needs_packages
@pytest.mark.parametrize(
    ("kind", "prefix", "bound"),
    [
        # KerasHub's BERT has the approximate GELU (Hendrycks & Gimpel 2016).
        pytest.param("bert", "bert.", 2e-3, marks=pytest.mark.slow),
        pytest.param("bert", "", 2e-3, marks=pytest.mark.slow),
        pytest.param("roberta", "roberta.", 1e-5, marks=pytest.mark.slow),
        ("roberta", "", 1e-5),
        pytest.param("distilbert", "distilbert.", 1e-5, marks=pytest.mark.slow),
        pytest.param("distilbert", "", 1e-5, marks=pytest.mark.slow),
        pytest.param("xlm-roberta", "roberta.", 1e-5, marks=pytest.mark.slow),
    ],
)
def test_an_encoder_says_what_it_says_in_numpy(kind, prefix, bound, tmp_path):
    from seqclf.yardstick.encoder import averaging, open_encoder, pieces_of

    encoder = open_encoder(found(str(write_encoder(tmp_path / "x", kind, prefix))))
    texts = pa.chunked_array([TEXTS])
    pieces = pieces_of(encoder, texts, np.zeros(4, np.int32))
    examples = pieces.examples
    ids = np.split(examples.token_ids - 1, examples.offsets[1:-1])
    assert [one.tolist() for one in ids] == [*IDS]
    assert (pieces.cut, encoder.most_pieces) == (1, LONGEST)
    # More texts than go through the network together, of all lengths.
    rows = np.arange(40) % 4
    batch = pad(examples, rows).token_ids
    got = averaging(encoder.backbone).predict_on_batch(batch)
    expected = np.array([said(kind, IDS[row]).mean(axis=0) for row in rows])
    assert np.abs(got - expected).max() < bound


@needs_packages
def test_a_damaged_encoder_is_named(tmp_path):
    from seqclf.yardstick.encoder import open_encoder

    folder = write_encoder(tmp_path / "x")
    files = found(str(folder))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ConfigError, match="x could not be opened: "):
        open_encoder(files)
    (folder / "model.safetensors").write_bytes(b"nothing")
    for call in (lambda: open_encoder(files), lambda: found(str(folder))):
        with pytest.raises(ConfigError, match="model.safetensors of .* could not be"):
            call()


@needs_packages
def test_a_strange_config_opens_no_other_network(tmp_path):
    from seqclf.yardstick.encoder import open_encoder

    folder = write_encoder(tmp_path / "x", "distilbert")
    values = json.loads((folder / "config.json").read_text())
    values |= {
        "registered_name": "keras_hub>GPT2Backbone", "class_name": "GPT2Backbone",
        "module": "keras_hub.src.models.gpt2.gpt2_backbone",
        "config": {
            "vocabulary_size": 26, "num_layers": 1, "num_heads": 1, "hidden_dim": 2,
            "intermediate_dim": 2,
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(values))
    backbone = open_encoder(found(str(folder))).backbone
    assert type(backbone).__name__ == "DistilBertBackbone"


@needs_packages
@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "bert."])
def test_an_encoder_without_a_pooler_says_the_same(prefix, tmp_path):
    from safetensors.numpy import load_file, save_file

    from seqclf.yardstick.encoder import averaging, open_encoder

    folder = write_encoder(tmp_path / "x", "bert", prefix)
    tensors = load_file(folder / WEIGHTS_FILE)
    kept = {name: x for name, x in tensors.items() if "pooler" not in name}
    assert len(kept) == len(tensors) - 2
    kept["cls.predictions.bias"] = np.zeros(26, np.float32)  # of what guesses words
    save_file(kept, folder / WEIGHTS_FILE)
    model = averaging(open_encoder(found(str(folder))).backbone)
    got = model.predict_on_batch(np.array([IDS[3]]) + 1)
    expected = said("bert", IDS[3]).mean(axis=0)
    assert got.shape == (1, SIZE)
    assert np.abs(got[0] - expected).max() < 2e-3


@needs_packages
def test_no_more_pieces_are_read_than_memory_allows(tmp_path, monkeypatch):
    from seqclf.yardstick import encoder as of_encoder

    monkeypatch.setattr(of_encoder, "MOST_PIECES", 5)
    encoder = of_encoder.open_encoder(found(str(write_encoder(tmp_path / "x"))))
    pieces = of_encoder.pieces_of(
        encoder, pa.chunked_array([TEXTS]), np.zeros(4, np.int32)
    )
    assert encoder.most_pieces == 5
    assert pieces.examples.lengths.tolist() == [5, 2, 5, 5]
    assert pieces.cut == 2  # the first has 5 pieces


def split_of(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws features of two labels of three, one of them far away and large."""
    generator = np.random.default_rng(seed)
    label_ids = generator.integers(0, 2, n) * 2
    features = generator.normal(size=(n, 5)) + 0.3 * label_ids[:, None]
    features[:, 1] = 500 + 100 * features[:, 1]
    features[:, 4] = 7  # says nothing
    return features.astype(np.float32), label_ids


def test_a_linear_head_is_scaled_logistic_regression_of_the_best_c(monkeypatch):
    (features, ids), (others, other_ids) = split_of(200, 0), split_of(60, 1)
    losses = {}
    for c in train.REGULARIZATIONS:
        monkeypatch.setattr(train, "REGULARIZATIONS", (c,))
        head = train.linear_head(features, ids, others, other_ids, 3)
        logits = head.logits_of(others)
        own = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
        own.fit(features, ids)
        margin = (logits[:, 2] - logits[:, 0]) * head.temperature
        assert margin == pytest.approx(own.decision_function(others), abs=2e-2)
        assert (logits[:, 1] < LEAST_LOG).all()  # train has none of it
        said_of = probabilities_of(logits)[np.arange(60), other_ids]
        losses[c] = -np.log(said_of).mean()
    monkeypatch.undo()
    head = train.linear_head(features, ids, others, other_ids, 3)
    assert head.c == min(losses, key=losses.__getitem__)


def test_little_data_has_more_epochs():
    texts = (10, 1_600, 3_200, 4_000, 100_000)
    assert [train.recipe_for(n, 7).epochs for n in texts] == [10, 10, 5, 4, 4]
    assert train.recipe_for(10, 7).seed == 7


def test_a_fine_tuning_that_diverges_is_told_what_a_yardstick_can_do(monkeypatch):
    record = Epoch(
        epoch=2, loss=float("nan"), accuracy=0.5, validation_loss=0.7,
        validation_accuracy=0.5, seconds=1.0, tokens_per_second=1.0,
    )  # fmt: skip

    def diverge(*_: object) -> None:
        fitting._refuse_divergence(record, train.RECIPE)

    monkeypatch.setattr(train, "_with_head", lambda *_: None)
    monkeypatch.setattr(train, "fit", diverge)
    said_of = r"^the loss is not a number in epoch 2 .*\. A smaller encoder, or --yard"
    with pytest.raises(TrainingError, match=said_of) as raised:
        train.fine_tuned(None, None, None, 2, train.RECIPE)
    assert "--learning-rate" not in str(raised.value)
    with pytest.raises(TrainingError, match="Try --learning-rate 3e-06"):
        diverge()  # of a twin's


@pytest.mark.parametrize("mode", asked.MODES)
def test_a_yardstick_without_memory_is_told_what_it_can_do(
    mode, encoded, tmp_path, monkeypatch
):
    def run(tasks, on_report):
        return [Outcome(0, error=tasks[0].less_memory)]

    monkeypatch.setattr(training, "run_tasks", run)
    asked_of = design(yardstick=yardstick(mode))
    _, failures = train_yardstick(asked_of, encoded, tmp_path / "one", Heard())
    (told,) = failures.values()
    assert told.startswith("a smaller encoder ")
    assert ("--yardstick-mode features" in told) == (mode == "fine-tune")


# Beside the twins.


@pytest.fixture(scope="module")
def encoded(workplace, tmp_path_factory):
    """The data of the run in the workplace."""
    config = DataConfig(source=str(workplace / "reviews"))
    cache = tmp_path_factory.mktemp("cache")
    return encode_dataset(load_dataset(config), config, RunConfig().text, cache)


def trained(seed: int, of: Yardstick, **others: object) -> TrainedYardstick:
    values = {
        "name": of.name, "source": of.files.source, "revision": of.files.revision,
        "digest": of.files.digest, "encoder": of.files.encoder, "mode": of.mode,
        "seed": seed, "question": {}, "most_pieces": 512, "cut": 3,
        "chosen": {"epoch": 2 + seed, "temperature": 1.25}, "validation_loss": 0.25,
        "parameters": 1_234_567, "seconds_per_epoch": 10.0 + seed,
        "seconds_to_best": 20.0 + seed, "tokens_per_second": 500.0,
        "milliseconds_per_prediction": 8.0, "peak_memory_bytes": (1 + seed) * 10**9,
        "versions": {},
    }  # fmt: skip
    return TrainedYardstick(**values | others)


def finish(trials, data, wrong: int = 6) -> None:
    """Leaves what trainings leave, right but for every so manieth text."""
    for trial in trials:
        for split in (VALIDATION, TEST):
            examples = data.splits[split]
            true = examples.label_ids
            fails = np.arange(len(true)) % (wrong + trial.seed) == 0
            said_of = np.eye(2, dtype=np.float32)[np.where(fails, 1 - true, true)]
            own = Predictions(true, 0.1 + 0.8 * said_of, examples.lengths)
            trial.path.mkdir(parents=True, exist_ok=True)
            writing.write_predictions(trial.path, split, own)
        chosen = {"epoch": 2 + trial.seed, "temperature": 1.25}
        if trial.yardstick.mode == "features":
            chosen = {"C": 0.01, "temperature": 1.25}
        one = trained(trial.seed, trial.yardstick, chosen=chosen,
                      question=dict(trial.question))  # fmt: skip
        write_json(trial.path / RESULT_FILE, to_plain(one))
        writing.mark_complete(trial.path, "compare")


def test_a_finished_training_is_found_again_in_other_comparisons(encoded, tmp_path):
    config = RunConfig(data=DataConfig(source="reviews"))

    def trials(name: str, of: Yardstick, asked_of: RunConfig = config):
        return trials_of(of, asked_of, encoded, tmp_path / name)

    first = trials("one", yardstick())
    assert reused(first, tmp_path) == []
    finish(first, encoded)
    assert reused(first, tmp_path) == first
    second = trials("two", yardstick(seeds=2))
    assert reused(second, tmp_path) == second[:1]  # seed 1 is still to be trained
    kept = tmp_path / "two" / "yardstick" / "0"
    assert (kept / RESULT_FILE).read_bytes() == (
        first[0].path / RESULT_FILE
    ).read_bytes()
    less = dataclasses.replace(config, data=DataConfig(source="reviews", limit=50))
    for others in (
        trials("three", yardstick("features")),
        trials("four", yardstick(digest="e" * 64)),
        trials("five", yardstick(), less),
    ):
        assert reused(others, tmp_path) == []
    # Damaged files are no answers; the copy still is one.
    file = first[0].path / "predictions" / "test.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    assert reused(first, tmp_path) == first
    shutil.rmtree(tmp_path / "two")
    file.write_bytes(b"")
    assert reused(first, tmp_path) == []


def test_a_training_that_is_unfinished_or_read_more_is_not_found_again(
    encoded, tmp_path
):
    config = RunConfig(data=DataConfig(source="reviews"))
    (one,) = trials_of(yardstick(), config, encoded, tmp_path / "one")
    finish([one], encoded)
    complete = one.path / marker.COMPLETE_FILE
    content = complete.read_bytes()
    complete.unlink()  # nobody knows the checksums
    assert reused([one], tmp_path) == []
    complete.write_bytes(content)
    assert reused([one], tmp_path) == [one]
    read_more = trained(0, yardstick(), question=dict(one.question), most_pieces=513)
    write_json(one.path / RESULT_FILE, to_plain(read_more))
    writing.mark_complete(one.path, "compare")
    assert reused([one], tmp_path) == []


def test_a_training_that_is_reused_has_the_name_that_is_asked_for_now(
    encoded, tmp_path
):
    config = RunConfig(data=DataConfig(source="reviews"))
    finish(trials_of(yardstick(), config, encoded, tmp_path / "one"), encoded)
    moved = yardstick(source="encoders/maxi", name="maxi", revision=None)
    trials = trials_of(moved, config, encoded, tmp_path / "two")
    assert reused(trials, tmp_path) == trials
    other = as_other(trials, encoded)
    (one,) = other.trained
    assert other.name == "maxi"
    assert (one.name, one.source, one.revision) == ("maxi", "encoders/maxi", None)
    assert one.chosen == {"epoch": 2, "temperature": 1.25}  # as it was trained


@pytest.fixture
def compared(finished_run, encoded, tmp_path, monkeypatch):
    """A cell of one seed, a yardstick of two and a frozen one."""
    monkeypatch.setattr(rows_of, "failed_seeds", lambda *_: ())
    others = []
    for of in (yardstick(seeds=2), yardstick("features")):
        trials = trials_of(of, RunConfig(), encoded, tmp_path / of.mode)
        finish(trials, encoded)
        others.append(as_other(trials, encoded))
    return compare_runs([finished_run], others=others), others


def test_a_yardstick_is_a_row_with_its_costs(compared, finished_run, encoded):
    result, (tuned, frozen) = compared
    rows = {row.name: row for row in result.rows}
    one, other = rows["mini"], rows["mini (frozen)"]
    assert {one.kind, other.kind} == {"yardstick"}
    assert (one.seeds, other.seeds) == ((0, 1), ())
    assert one.accuracy.mean == pytest.approx(1 - (8 / 48 + 7 / 48) / 2)
    assert other.accuracy.mean == pytest.approx(1 - 8 / 48)
    # Of 48 answers a seed has 8 wrong and the other 7; the true label gets 0.1 or 0.9.
    by_hand = -(7.5 * np.log(0.1) + 40.5 * np.log(0.9)) / 48
    assert one.log_loss == pytest.approx(by_hand)
    costs = (
        one.parameters, one.seconds_per_epoch, one.seconds_to_best,
        one.tokens_per_second, one.milliseconds_per_prediction, one.peak_memory_bytes,
    )  # fmt: skip
    assert costs == (1_234_567, 10.5, 20.5, 500, 8, 2 * 10**9)
    # Paired with the twin by test text.
    pair = next(p for p in result.references if "mini (frozen)" in (p.a, p.b))
    right = frozen.predictions[0].right, finished_run.predictions(TEST).right
    only = [int((a & ~b).sum()) for a, b in (right, right[::-1])]
    (models,) = pair.models
    told = [models.only_a, models.only_b]
    assert told == (only if pair.a == "mini (frozen)" else only[::-1])


def test_a_yardstick_stands_in_all_that_is_shown(compared):
    result, _ = compared
    kept = json.loads(json.dumps(to_plain(result)))
    assert from_plain(ComparisonResult, kept) == result
    del kept["card"]["yardstick"]  # as before there were yardsticks
    assert from_plain(ComparisonResult, kept).card.yardstick == ()
    found_tables = tables.tables_of(result)
    names = ["gru", "mini", "mini (frozen)"]
    assert [row[0] for row in found_tables["quality"].rows] == names
    assert [row[0] for row in found_tables["cost"].rows] == names
    assert "1,234,567" in found_tables["cost"].rows[1]
    shown = tables.markdown(result)
    assert "encoder from hf://some/mini at commit cccc" in shown
    assert "reads the first 512 pieces (3 of 48 test texts have more)" in shown
    assert "Validation chose epoch 2, epoch 3 and C = 0.01." in shown
    assert "The yardstick mini (frozen) " in result.verdict
    lines = list(csv.DictReader(csv_lines.csv(result).splitlines()))
    (line,) = [one for one in lines if one["name"] == "mini"]
    assert (line["kind"], line["seeds"], line["parameters"]) == (
        "yardstick", "0 1", "1234567",
    )  # fmt: skip
    html = page(result)
    assert "d" * 64 in html
    assert "bert, features" in html


def test_answers_of_a_yardstick_are_kept_once(compared, tmp_path):
    _, others = compared
    keep_answers(tmp_path / "x", others)
    assert not (tmp_path / "x").exists()


# All of it.


def opened(folder: Path, encoded):
    """Returns an encoder's network, and the splits in its pieces."""
    from seqclf.yardstick.encoder import open_encoder, pieces_of

    keras.utils.set_random_seed(0)
    encoder = open_encoder(found(str(folder)))
    splits = {
        split: pieces_of(encoder, encoded.texts(split), examples.label_ids).examples
        for split, examples in encoded.splits.items()
    }
    return encoder.backbone, splits


@needs_packages
@pytest.mark.slow
def test_fine_tuning_learns_and_the_best_epoch_is_kept(encoded, tmp_path):
    backbone, splits = opened(write_encoder(tmp_path / "x", "roberta"), encoded)
    recipe = train.recipe_for(160, 0)
    recipe = dataclasses.replace(recipe, learning_rate=1e-2, epochs=20)
    fitted = train.fine_tuned(
        backbone, splits["train"], splits["validation"], 2, recipe
    )
    assert 1 <= fitted.chosen["epoch"] <= 20
    test = splits["test"]
    logits = fitted.predict(pad(test, np.arange(len(test))).token_ids)
    assert (logits.argmax(1) == test.label_ids).mean() > 0.9
    # Embeddings, two layers and the head; the pooler of whole texts is not there.
    layer = 4 * (16 * 16 + 16) + 16 * 24 + 24 + 24 * 16 + 16 + 2 * 2 * 16
    tables_of = (26 + 12) * 16 + 2 * 16
    assert fitted.parameters == tables_of + 2 * layer + 16 * 2 + 2


@needs_packages
@pytest.mark.slow
def test_an_interrupted_fine_tuning_resumes_to_the_same_answers(encoded, tmp_path):
    folder = write_encoder(tmp_path / "x")
    recipe = dataclasses.replace(train.recipe_for(160, 0), learning_rate=1e-2, epochs=2)

    def tuned(checkpoints: Checkpoints, report) -> np.ndarray:
        backbone, splits = opened(folder, encoded)
        asked_of = (backbone, splits["train"], splits["validation"], 2, recipe)
        fitted = train.fine_tuned(*asked_of, report, checkpoints)
        test = splits["test"]
        return fitted.predict(pad(test, np.arange(len(test))).token_ids)

    def interrupt(event: object) -> None:
        if isinstance(event, Stepped) and event.epoch == 2:
            raise KeyboardInterrupt

    kept, events = Checkpoints(tmp_path / "checkpoint.npz"), []
    expected = tuned(Checkpoints(), events.append)
    assert not any(isinstance(event, Resumed) for event in events)
    with pytest.raises(KeyboardInterrupt):
        tuned(kept, interrupt)
    assert tuned(kept, events.append) == pytest.approx(expected, abs=1e-4)
    (resumed,) = [event for event in events if isinstance(event, Resumed)]
    assert (resumed.epoch, resumed.step) == (2, 0)


@needs_packages
@pytest.mark.slow
def test_from_a_folder_to_a_row_and_again_without_training(
    workplace, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews").symlink_to(workplace / "reviews")
    shutil.copytree(workplace / "models", tmp_path / "models")
    write_encoder(tmp_path / "mini")
    compare = ["compare", "--data=reviews", "--cells=gru", "--seeds=1", *TINY, "--json"]
    done = invoke(*compare, "--yardstick=mini")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    row = next(row for row in result["rows"] if row["name"] == "mini")
    assert (row["kind"], row["n"], row["runs"]) == ("yardstick", 48, [])
    assert row["seconds_per_epoch"] > 0
    assert "--yardstick mini" in result["command"]
    (one,) = result["card"]["yardstick"]
    folder = tmp_path / "models" / "reviews-compare"
    assert "bert, fine-tune" in (folder / "report.html").read_text()
    kept = folder / "yardstick" / "0"
    assert not list(kept.glob("checkpoint*"))
    before = (kept / RESULT_FILE).stat().st_mtime_ns
    again = seqclf.compare(
        "reviews", cells="gru", seeds=1, yardstick=Path("mini"), units=8,
        embedding_size=8, epochs=2, batch_size=16, min_count=1, learning_rate=0.02,
    )  # fmt: skip
    said_again = json.loads(json.dumps(to_plain(again.result)))
    assert said_again["rows"] == result["rows"]
    assert said_again["card"]["yardstick"] == [one]
    assert (kept / RESULT_FILE).stat().st_mtime_ns == before


@needs_packages
@pytest.mark.slow
def test_each_training_has_a_process_and_one_that_fails_stops_no_other(
    encoded, tmp_path
):
    folder = write_encoder(tmp_path / "mini")
    heard = Heard()

    def trained_with(mode: str, name: str, fresh: bool = False):
        asked_of = design(yardstick=Yardstick(found(str(folder)), mode))
        path = tmp_path / "models" / name
        return train_yardstick(asked_of, encoded, path, heard, fresh)

    (frozen,), failures = trained_with("features", "one")
    assert not failures
    assert frozen.scores[0].accuracy > 0.8  # its random layers keep words apart
    assert frozen.trained[0].seconds_per_epoch is None
    assert heard.said == []
    # Another comparison takes it over, and trains nothing.
    (again,), _ = trained_with("features", "two")
    assert heard.said.pop() == (
        "Finished with these settings and data, reused: mini (frozen)."
    )
    assert (again.gains(ACCURACY)[0] == frozen.gains(ACCURACY)[0]).all()
    (folder / "tokenizer.json").write_text("{}")
    checkpoint = tmp_path / "models" / "three" / "yardstick" / "0" / "checkpoint.npz"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    others, failures = trained_with("fine-tune", "three", fresh=True)
    assert not checkpoint.exists()
    assert others == ()
    assert "mini could not be opened" in failures["mini"]
    assert heard.said == [f"mini is missing: {failures['mini']}"]


class Heard:
    """A listener that keeps what it is told."""

    quiet = False

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, sentence: str) -> None:
        self.said.append(sentence)

    insist = note

    @contextlib.contextmanager
    def progress(self, costs, jobs=1):
        yield lambda name, event: None


def some(encoded, folder: Path, seeds: Sequence[int], of: Yardstick) -> Other:
    """Returns a yardstick of which these trainings are finished."""
    trials = [trials_of(of, RunConfig(), encoded, folder)[seed] for seed in seeds]
    finish(trials, encoded)
    return as_other(trials, encoded)


def test_a_training_that_only_guesses_has_failed(encoded, finished_run, tmp_path):
    of = yardstick(seeds=3)
    some(encoded, tmp_path, (0, 1, 2), of)
    last = trials_of(of, RunConfig(), encoded, tmp_path)[2]
    for split in (VALIDATION, TEST):
        examples = encoded.splits[split]
        same = np.tile(np.array([0.6, 0.4], np.float32), (len(examples), 1))
        said_of = Predictions(examples.label_ids, same, examples.lengths)
        writing.write_predictions(last.path, split, said_of)
    writing.mark_complete(last.path, "compare")
    other = as_other(trials_of(of, RunConfig(), encoded, tmp_path), encoded)
    assert other.failed("accuracy") == (2,)
    result = compare_runs([finished_run], others=[other])
    (row,) = [row for row in result.rows if row.name == "mini"]
    assert row.failed == (2,)
    assert row.accuracy.low is None
    assert row.accuracy.median == pytest.approx(1 - 8 / 48)
    assert "failed in 1 of 3 trainings" in result.verdict
    assert "mini, seed 2" in sentences.failed_said(result)


def test_a_row_has_the_seeds_that_were_finished(encoded, finished_run, tmp_path):
    other = some(encoded, tmp_path, (1, 2), yardstick(seeds=3))
    assert other.seeds == (1, 2)
    assert list(other.gains(ACCURACY)) == [1, 2]
    result = compare_runs([finished_run], others=[other])
    assert next(r for r in result.rows if r.name == "mini").seeds == (1, 2)


def test_one_training_is_said_to_be_one(encoded, finished_run, tmp_path):
    lone = some(encoded, tmp_path / "a", (0,), yardstick())
    frozen = some(encoded, tmp_path / "b", (0,), yardstick("features"))
    said = "Of mini one training is compared"
    assert said in compare_runs([finished_run], others=[lone]).verdict
    assert "one training" not in compare_runs([finished_run], others=[frozen]).verdict
    assert (lone.seeds, frozen.seeds) == ((0,), ())
    assert frozen.failed("accuracy") is None
