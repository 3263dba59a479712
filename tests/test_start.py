"""What a network knows before it is trained: vectors of files, of texts, of a run."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import TINY, invoke, reviews, run_cli, tasks_in_this_process
from loopback_hub import LoopbackHub, repository

from seqclf import SequenceClassifier
from seqclf.comparison.design import Design
from seqclf.config import (
    ModelConfig,
    RunConfig,
    StartConfig,
    TextConfig,
    TrainingConfig,
    question,
)
from seqclf.errors import ConfigError, DataError, ParameterError
from seqclf.keywords import DEFAULT_CACHE, DEFAULT_MODELS
from seqclf.model.build import build_model
from seqclf.runs import Run
from seqclf.start.cooccurrence import (
    SPREAD,
    cooccurrence_vectors,
    pair_counts,
    spread_out,
)
from seqclf.start.files import read_vectors
from seqclf.start.start import Start, begin_with, layers_to_keep
from seqclf.start.texts import without
from seqclf.steps import Target
from seqclf.text.tokens import RESERVED
from seqclf.text.vocabulary import Vocabulary
from seqclf.workflows.compare import _command
from seqclf.workflows.study import question_of

WORDS = Vocabulary((*RESERVED, "the", "film", "good", "zebra"))
GLOVE = "the 1 0 -1\nThe 9 9 9\nFilm 2 0 2\ngood 0 3 -3\n"


def written(folder: Path, text: str, name: str = "vectors.txt") -> str:
    path = folder / name
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


def unscaled(start: Start) -> np.ndarray:
    """Returns the known vectors in the file's own scale: that of its first is 1."""
    return start.vectors[2:] / start.vectors[2, 0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GLOVE, "glove.txt"),
        (f"4 3\n{GLOVE}", "word2vec.vec"),  # with a header
        (GLOVE.replace("\n", " \n"), "fasttext.vec"),  # a space at the line's end
        (GLOVE.replace(" ", "\t"), "tabs.tsv"),
        (GLOVE, "glove.txt.gz"),
    ],
)
def test_vectors_are_read_from_every_way_of_writing_them(tmp_path, text, name):
    start = read_vectors(written(tmp_path, text, name), WORDS)
    # `the` has its own line, `film` only one that is folded to it, `zebra` none.
    assert start.known.tolist() == [False, False, True, True, True, False]
    expected = [[1, 0, -1], [2, 0, 2], [0, 3, -3], [0, 0, 0]]
    np.testing.assert_allclose(unscaled(start), expected, atol=1e-6)
    assert start.about == f"vectors of {name} for 3 of 4 tokens"
    assert start.size == 3


def test_the_own_spelling_goes_before_a_folded_one_that_stands_first(tmp_path):
    start = read_vectors(written(tmp_path, "THE 5 5\nThe 6 6\nthe 1 2\n"), WORDS)
    np.testing.assert_allclose(unscaled(start)[0], [1, 2], rtol=1e-6)
    folded = read_vectors(written(tmp_path, "THE 1 5\nThe 6 6\n"), WORDS)
    np.testing.assert_allclose(unscaled(folded)[0], [1, 5], rtol=1e-6)


def test_vectors_of_files_have_one_spread_whatever_the_file_has(tmp_path):
    small = read_vectors(written(tmp_path, GLOVE), WORDS)
    large = read_vectors(written(tmp_path, "the 100 0 -100\nfilm 200 0 200\n"), WORDS)
    assert small.vectors[small.known].std() == pytest.approx(SPREAD)
    assert large.vectors[large.known].std() == pytest.approx(SPREAD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("der 1 2\ndie 3 4\n", "no vector for any of the 6 tokens.*the, film"),
        ("the 1 2\nfilm 3\n", "line 2 has 1 numbers, not 2"),
        ("the 1 2\nfilm 3 x\n", "line 2 is no token with numbers"),
        ("text,label\nfine,1\n", "no vector for any"),
        ("text label\nfine 1\n", "line 1 is no token with numbers"),
        ("the 1 nan\n", "line 1 has a number that is not finite"),
        ("", "no vector for any"),
    ],
)
def test_what_is_no_file_of_vectors_is_refused(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_vectors(written(tmp_path, text), WORDS)


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(GLOVE.encode() * 1000)[:60])
    with pytest.raises(DataError, match="x.txt.gz could not be read"):
        read_vectors(str(path), WORDS)


def test_a_folder_or_nothing_is_no_file_of_vectors(tmp_path):
    with pytest.raises(DataError, match="takes a file, and .* is a folder"):
        read_vectors(str(tmp_path), WORDS)
    with pytest.raises(DataError, match="there is no file glove.txt; --vectors takes"):
        read_vectors("glove.txt", WORDS)


def test_neighbours_are_counted_by_hand():
    # Two texts: a b a, and b; ids 2 and 3. Nothing is counted across their border.
    token_ids = np.array([2, 3, 2, 3], np.int32)
    counts = pair_counts(token_ids, np.array([0, 3, 4]), 5).toarray()
    # a b and b a at distance 1, both ways round; a a at distance 2 counts 4 / 5, twice.
    assert counts[2, 3] == counts[3, 2] == pytest.approx(2)
    assert counts[2, 2] == pytest.approx(1.6)
    assert counts.sum() == pytest.approx(2 * 2 + 1.6)


def test_padding_unknown_tokens_and_what_is_far_away_have_no_neighbours():
    token_ids = np.array([2, 1, 0, 3, 1, 1, 1, 2], np.int32)
    counts = pair_counts(token_ids, np.array([0, 8]), 4).toarray()
    # 2 and 3 are 3 apart, then 4: (6 - 3) / 5 + (6 - 4) / 5. 2 and 2 are 7 apart.
    assert counts[2, 3] == pytest.approx(1)
    assert counts.sum() == pytest.approx(2)


def test_vectors_are_those_of_the_positive_information_of_pairs():
    token_ids = np.random.default_rng(0).integers(2, 12, 400).astype(np.int32)
    token_ids[::7] = 3
    offsets = np.arange(0, 401, 8)
    vectors, known = cooccurrence_vectors(token_ids, offsets, 12, 12)
    assert known.tolist() == [False, False] + [True] * 10
    counts = pair_counts(token_ids, offsets, 12).toarray()
    counts[counts < 1.5] = 0
    shares = counts.sum(axis=0) ** 0.75
    chance = np.outer(counts.sum(axis=1), shares / shares.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.nan_to_num(np.maximum(np.log(counts / chance), 0), neginf=0)
    # With M = U S V', the products of the vectors, U S U', are the root of M M'.
    squares, axes = np.linalg.eigh(information @ information.T)
    root = axes * np.sqrt(np.maximum(squares, 0)) @ axes.T
    products = (vectors @ vectors.T).astype(np.float64)
    products *= np.trace(root) / np.trace(products)
    np.testing.assert_allclose(products, root, atol=2e-3)
    assert vectors[known].std() == pytest.approx(SPREAD, rel=1e-5)


def test_few_texts_have_vectors_of_the_wanted_width_or_none():
    two = np.array([2, 3] * 4, np.int32)
    vectors, known = cooccurrence_vectors(two, np.array([0, 8]), 4, 16)
    assert vectors.shape == (4, 16)
    assert known.tolist() == [False, False, True, True]
    lone, known = cooccurrence_vectors(two[:1], np.array([0, 1]), 4, 16)
    assert not known.any()
    assert not lone.any()
    assert not spread_out(lone, known).any()


def table(*chunks: list[str], groups: list[int] | None = None) -> pa.Table:
    rows = pa.table({"text": pa.chunked_array(chunks)})
    if groups is None:
        return rows
    return rows.append_column("group", pa.array(groups, pa.int32()))


def texts_of(free) -> list[list[int]]:
    return [ids.tolist() for ids in np.split(free.token_ids, free.offsets[1:-1])]


def test_texts_that_are_held_out_teach_nothing():
    given = [
        table(["A film.", "the  Good\nfilm", "zebra"], ["THE good film "]),
        table(["good good", "zebra"]),
    ]
    free = without(
        given, [table(["The good film"]), table(["ZEBRA"])], WORDS, TextConfig()
    )
    assert (len(free), free.dropped) == (2, 4)
    assert texts_of(free) == [[1, 3, 1], [4, 4]]


def test_groups_that_are_held_out_teach_nothing():
    given = [
        table(["the", "film", "good"], groups=[0, 1, 2]),
        table(["zebra", "the the"], groups=[3, -1]),
    ]
    # Rows of -1 have no group, and so none in common.
    held_out = [table(["x", "y"], groups=[1, -1]), table(["z"], groups=[3])]
    free = without(given, held_out, WORDS, TextConfig())
    assert texts_of(free) == [[2], [4], [2, 2]]
    assert free.dropped == 2


def small(cell: str = "gru", **options: object) -> ModelConfig:
    return ModelConfig(cell=cell, units=3, embedding_size=4, **options)


def test_a_model_begins_with_the_known_vectors_and_with_layers_of_its_shape():
    source, model = build_model(small(), 6, 2, 1), build_model(small(), 6, 2, 0)
    drawn = model.get_layer("embedding").get_weights()[0]
    known = np.array([False, False, True, False, False, True])
    vectors = np.arange(24, dtype=np.float32).reshape(6, 4)
    layers = layers_to_keep(source)
    assert len(layers) == 6  # kernel, recurrent kernel and bias in both directions
    done = begin_with(model, Start(vectors, known, "", 0.0, layers))
    begun = model.get_layer("embedding").get_weights()[0]
    np.testing.assert_array_equal(begun, np.where(known[:, None], vectors, drawn))
    assert set(done) == {"embedding/embeddings", *layers}
    for variable in model.weights:
        if variable.path in layers:
            np.testing.assert_array_equal(variable.numpy(), layers[variable.path])


def test_layers_of_another_cell_stay_as_they_were_drawn():
    source, model = build_model(small("lstm"), 6, 2, 1), build_model(small(), 6, 2, 0)
    before = [weights.copy() for weights in model.get_weights()]
    start = Start(np.ones((6, 5), np.float32), np.ones(6, bool), "")
    assert begin_with(model, start) == ()  # vectors of another width
    start = Start(before[0], np.zeros(6, bool), "", 0.0, layers_to_keep(source))
    assert begin_with(model, start) == ("embedding/embeddings",)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_start_survives_its_file_and_every_part_of_it_counts_in_its_digest(tmp_path):
    known = np.array([True, False])
    start = Start(
        np.eye(2, dtype=np.float32), known, "é", 1.5, {"a/b": np.ones(2, "f4")}
    )
    start.save(tmp_path / "x.npz")
    read = Start.load(tmp_path / "x.npz")
    assert (read.digest, read.about, read.seconds) == (start.digest, "é", 1.5)
    np.testing.assert_array_equal(read.layers["a/b"], [1, 1])
    hidden = start.vectors.copy()
    hidden[1] = 7  # of a token that is not known
    layers = start.layers
    assert Start(hidden, known, "", 0.0, layers).digest == start.digest
    others = [
        Start(2 * start.vectors, known, "", 0.0, layers),
        Start(start.vectors, ~known, "", 0.0, layers),
        Start(start.vectors, known, "", 0.0, {"a/c": layers["a/b"]}),
        Start(start.vectors, known, "", 0.0, {"a/b": 2 * layers["a/b"]}),
        Start(start.vectors, known, ""),
    ]
    assert len({one.digest for one in (start, *others)}) == 6


def test_a_frozen_embedding_is_not_trained():
    free, frozen = (
        build_model(small(freeze_embedding=f), 6, 2, 0) for f in (False, True)
    )
    paths = [
        {variable.path for variable in model.trainable_variables}
        for model in (free, frozen)
    ]
    assert paths[0] - paths[1] == {"embedding/embeddings"}
    assert free.count_params() == frozen.count_params()


# Through the commands.


@pytest.fixture
def place(workplace, tmp_path, monkeypatch) -> Path:
    """A copy of the workplace, with unlabelled texts and a file of vectors."""
    shutil.copytree(workplace, tmp_path, dirs_exist_ok=True)
    lines = [text for text, _ in reviews(60, start=300)]
    lines += [text.upper() for text, _ in reviews(5, start=200)]  # of test
    file = tmp_path / "reviews" / "unlabeled.csv"
    file.write_text("\n".join(["text", *(f'"{line}"' for line in lines)]) + "\n")
    words = ["good", "bad", "film", "very", "number", ","]
    numbers = np.random.default_rng(0).normal(size=(len(words), 5))
    rows = [f"{w} {' '.join(map(str, n))}" for w, n in zip(words, numbers, strict=True)]
    (tmp_path / "words.vec").write_text("\n".join([f"{len(words)} 5", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


WITHOUT_SIZE = [option for option in TINY if "embedding-size" not in option]


def trained(*options: str) -> Run:
    done = invoke("train", "--cell=gru", "--data=reviews", "--json", *options)
    assert done.exit_code == 0, done.output
    return Run(Path(json.loads(done.stdout)["run"]))


@pytest.mark.slow
def test_train_with_vectors_is_as_wide_as_they_are_and_exports(place):
    run = trained("--vectors=words.vec", "--name=wide", *WITHOUT_SIZE)
    assert run.config.model.embedding_size == 5
    known = len(run.vocabulary) - len(RESERVED)
    assert run.proof.start == f"vectors of words.vec for 6 of {known} tokens"
    assert run.has_onnx
    done = invoke("export", "wide", "--format=keras", "--output=out")
    assert done.exit_code == 0, done.output
    done = invoke("predict", "--run=wide", "good film")
    assert done.exit_code == 0, done.output


@pytest.mark.slow
def test_the_content_of_a_file_counts_and_not_its_name(place):
    first = trained("--vectors=words.vec", *WITHOUT_SIZE)
    (place / "words.vec").rename(place / "other.vec")
    assert trained("--vectors=other.vec", *WITHOUT_SIZE).path == first.path
    changed = (place / "other.vec").read_text().replace("good ", "good 1", 1)
    (place / "words.vec").write_text(changed)
    assert trained("--vectors=words.vec", *WITHOUT_SIZE).path != first.path


@pytest.mark.slow
def test_vectors_of_texts_are_learnt_without_those_that_are_held_out(place):
    run = trained("--pretrain=svd", *TINY)
    # 160 training texts and 65 unlabelled ones, 5 of which are test's in capitals.
    assert run.proof.start.startswith("vectors learnt from 220 texts, for ")
    assert run.proof.start.endswith("; 5 texts that are in validation or test left out")
    plain = trained(*TINY, "--name=plain")
    assert plain.proof.start is None
    # Numbers of unlabelled texts are words that no training text has; of test none is.
    words, more = (set(r.vocabulary.tokens) for r in (plain, run))
    assert {"300", "359"} <= more - words
    assert "200" not in more
    weights = run.proof.initial_weights, plain.proof.initial_weights
    assert weights[0]["logits/kernel [16, 2]"] == weights[1]["logits/kernel [16, 2]"]


@pytest.mark.slow
def test_twins_begin_with_the_same_vectors_and_their_card_says_so(place):
    done = invoke(
        "compare", "--data=reviews", "--cells=none,rnn,gru", "--seeds=2", *TINY,
        "--pretrain=svd", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)["card"]
    assert all(
        check["equal"] for check in card["checks"] if check["concerns"] == "scores"
    )
    said = {check["what"]: check["value"] for check in card["checks"]}
    assert said["weights to begin with"].startswith("vectors learnt from 220 texts")
    assert card["equal"]["start.pretrain"] == "svd"


@pytest.mark.slow
def test_a_run_hands_on_its_embedding_and_the_layers_of_its_cell(place):
    run = trained("--init-from=reviews-gru-0", *WITHOUT_SIZE)
    assert run.proof.start.startswith("weights of reviews-gru-0, its embedding for ")
    source = Run(Path("models/reviews-gru-0"))
    assert run.config.start.digest
    # One epoch further, it knows what the other knew.
    assert run.history[0].loss < source.history[0].loss


@pytest.mark.slow
def test_a_frozen_embedding_stays_as_the_file_has_it(place):
    run = trained("--vectors=words.vec", "--freeze-embedding", *WITHOUT_SIZE)
    from seqclf.model.keras_file import open_keras

    table = open_keras(run.file("model.keras")).get_layer("embedding").get_weights()[0]
    start = read_vectors("words.vec", run.vocabulary)
    np.testing.assert_array_equal(table[start.known], start.vectors[start.known])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--freeze-embedding"], "give one of them"),
        (["--grow-word-dropout", "--word-dropout-rate=0"], "does nothing at"),
        (["--vectors=a", "--pretrain=svd"], "--vectors and --pretrain exclude"),
        (["--init-from=a", "--vectors=b"], "--vectors and --init-from exclude"),
        (["--vectors=words.vec", "--embedding-size=8"], "it is that of words.vec"),
        (["--init-from=reviews-gru-0", "--embedding-size=8"], "that of reviews-gru-0"),
        (["--init-from=nix"], "unknown run 'nix'"),
        (["--pretrain=svx"], "did you mean 'svd'"),
        (["--baseline=nb-svm", "--pretrain=svd"], "pretrain does nothing for nb-svm"),
    ],
)
def test_what_would_do_nothing_is_refused(place, options, said):
    cell = [] if options[0].startswith("--baseline") else ["--cell=gru"]
    done = invoke("train", *cell, "--data=reviews", *options)
    assert done.exit_code != 0
    assert said in " ".join(done.output.split())


def test_a_linear_model_has_no_weights_to_begin_with(place):
    with tasks_in_this_process():
        assert invoke("train", "--baseline=nb-svm", "--data=reviews").exit_code == 0
    done = invoke("train", "--data=reviews", "--init-from=reviews-nb-svm")
    assert "is a linear model" in " ".join(done.output.split())


def test_studies_begin_with_random_weights(place):
    done = invoke("study", "cost", "--data=reviews", "--pretrain=svd")
    assert done.exit_code != 0
    assert "No such option" in done.output


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(start=StartConfig(pretrain="svd")),
        RunConfig(training=TrainingConfig(teach="a-run")),
    ],
)
def test_studies_from_python_refuse_it_too(config):
    with pytest.raises(ConfigError, match="studies ask about the cells alone"):
        question_of(config, "rnn,gru", 1)


def test_the_command_of_a_comparison_can_be_typed_again():
    start = StartConfig(vectors="w.vec", digest="12")
    config = RunConfig(model=ModelConfig(embedding_size=50), start=start)
    design = Design(config=config, cells=("rnn", "gru"), seeds=(0,))
    command = _command(design, Target(DEFAULT_MODELS, DEFAULT_CACHE))
    assert "--vectors w.vec" in command
    assert "--embedding-size" not in command  # beside --vectors it is refused
    config = dataclasses.replace(config, start=StartConfig())
    plain = dataclasses.replace(design, config=config)
    command = _command(plain, Target(DEFAULT_MODELS, DEFAULT_CACHE))
    assert "--embedding-size 50" in command


def test_a_config_of_before_asks_the_same_question():
    assert "start" not in question(RunConfig())
    assert "freeze_embedding" not in question(RunConfig())["model"]
    svd = RunConfig(start=StartConfig(pretrain="svd"))
    assert question(svd)["start"] == {"pretrain": "svd"}
    named = RunConfig(start=StartConfig(vectors="a.txt", digest="12"))
    assert question(named)["start"] == {"digest": "12"}


def test_only_names_of_pretraining_are_taken():
    with pytest.raises(ConfigError, match="svd"):
        StartConfig(pretrain="cbow")


@pytest.mark.slow
def test_the_estimator_begins_with_vectors_too(place):
    texts, labels = zip(*reviews(80), strict=True)
    options = {"units": 4, "epochs": 1, "min_count": 1, "random_state": 0}
    fitted = SequenceClassifier(vectors="words.vec", freeze_embedding=True, **options)
    fitted.fit(texts, labels)
    assert fitted._trained.config.model.embedding_size == 5
    learnt = SequenceClassifier(pretrain="svd", embedding_size=6, **options)
    plain = SequenceClassifier(embedding_size=6, **options)
    told = SequenceClassifier("rnn", pretrain="lm", embedding_size=6, **options)
    silent = SequenceClassifier("rnn", pretrain="svd", embedding_size=6, **options)
    every = (learnt, plain, told, silent)
    losses = [one.fit(texts, labels).history_[0].loss for one in every]
    assert len(set(losses)) == 4
    with pytest.raises(ParameterError, match="conv_width exclude each other"):
        SequenceClassifier(pretrain="lm", conv_width=3).fit(texts, labels)


@pytest.mark.slow
def test_vectors_come_from_the_hub(place, tmp_path_factory):
    hub = LoopbackHub({"some/vectors": repository({"en/w.vec": b"6 2\ngood 1 2\n"})})
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")} | {
        "NO_PROXY": "*", "HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path_factory.mktemp("hf")), "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }  # fmt: skip

    def train(name: str, **changed: str):
        options = ["--data=reviews", f"--vectors={name}", "--epochs=1", "--units=4"]
        return run_cli(["train", *options], place, env=environment | changed)

    try:
        done = train("some/vectors/en/w.vec")
        assert done.returncode == 0, done.stderr
        assert "vectors of w.vec for 1 of" in done.stderr
        assert "has no file de.vec" in train("some/vectors/de.vec").stderr
        assert "has no repository no/such" in train("no/such/w.vec").stderr
        away = train("some/vectors/en/w.vec", HF_HUB_OFFLINE="1")  # from the cache
        assert away.returncode == 0, away.stderr
        asked = train("some/vectors/de.vec", HF_HUB_OFFLINE="1")
        assert "neither in the cache nor to be had" in asked.stderr
    finally:
        hub.close()
