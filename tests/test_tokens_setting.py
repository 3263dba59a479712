"""The setting `tokens`: words, characters, or pieces of words."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import reference_text
from conftest import invoke, not_here, reviews, tasks_in_this_process, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st
from test_export import ALL_TEXTS, plain_python, rules_folder
from test_serving import blocks
from test_text import ORDINARY

from seqclf import config as configs
from seqclf.classifier import Classifier
from seqclf.config import DataConfig, RunConfig, TextConfig, linear
from seqclf.data.load import load_dataset
from seqclf.errors import ConfigError
from seqclf.estimator import SequenceClassifier
from seqclf.evaluation.baselines import baseline_tasks
from seqclf.explain import explain
from seqclf.export import graph_text
from seqclf.export.card import _limits_of
from seqclf.export.texts import verification_texts
from seqclf.installed import install_line
from seqclf.runs import Run
from seqclf.studies import memory, order
from seqclf.studies.memory_tasks import SERIES
from seqclf.studies.question import Question
from seqclf.text.arrays import strings
from seqclf.text.batching import shuffle_words
from seqclf.text.encoding import EncodedDataset, Examples, encode_dataset
from seqclf.text.pieces import learn
from seqclf.text.summary import summarize
from seqclf.text.tokens import RESERVED, folding, rules_to_json, tokenize
from seqclf.text.vocabulary import Vocabulary, encode_texts, tokens_of

SMALL = ["--units=8", "--embedding-size=8", "--epochs=1", "--min-count=1"]
PIECES = (
    "▁",
    "▁go",
    "▁good",
    "▁un",
    "od",
    "oo",
    "o",
    "ing",
    "ig",
    "天气",
    "▁今",
    "很好",
)

# Of a text: its characters, and its pieces of PIECES; ? is unknown.
BY_HAND = [
    ("not good", "▁n o t ▁g o o d", "▁ ? o ? ▁good"),
    ("Goodooing", "▁g o o d o o i n g", "▁good oo ing"),
    ("goody go", "▁g o o d y ▁g o", "▁good ? ▁go"),
    ("it's!", "▁i t ' s ▁!", "▁ ? ? ? ? ▁ ?"),
    # The sign of a beginning in a text: a word, as any other sign.
    ("▁good go▁od", "▁▁ ▁g o o d ▁g o ▁▁ ▁o d", "▁ ▁ ▁good ▁go ▁ ▁ ▁ od"),
    # Marks stay with their letter; of pieces they are characters of their own.
    ("a\u0301ở\u0301", "▁a\u0301 ở\u0301", "▁ ? ? ? ?"),
    ("\u0301o", "▁\u0301 o", "▁ ? o"),
    # A script without spaces: a letter is a word, but pieces have several.
    ("今天气很好，go", "▁今 ▁天 ▁气 ▁很 ▁好 ▁， ▁g o", "▁今 天气 很好 ▁ ? ▁go"),
    ("ดีวั", "▁ดี ▁วั", "▁ ? ? ? ?"),
    ("un<b>ing</b>", "▁u n ▁i n g", "▁un ▁ ing"),
    ("<br />", "", ""),
    ("", "", ""),
]


def vocabulary_of(*tokens: str) -> Vocabulary:
    return Vocabulary((*RESERVED, *tokens))


def built(texts: list[str], **values: object) -> tuple[Vocabulary, TextConfig]:
    config = TextConfig(**{"min_count": 1} | values)
    return Vocabulary.build([tokenize(pa.array(texts), config.tokens)], config), config


def tokens(text: str, kind: str, vocabulary: Vocabulary) -> list[str]:
    config = TextConfig(tokens=kind)
    return tokens_of(pa.array([text]), vocabulary, config).to_pylist()[0]


def ids_of(texts: list[str], words: Vocabulary, config: TextConfig) -> list[list[int]]:
    ids, offsets = encode_texts(pa.array(texts, pa.string()), words, config)
    return [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)]


# The split.


@pytest.mark.parametrize(("text", "characters", "_"), BY_HAND)
def test_characters_are_those_of_each_word(text, characters, _):
    assert tokens(text, "char", vocabulary_of()) == characters.split()


@pytest.mark.parametrize(("text", "_", "pieces"), BY_HAND)
def test_pieces_are_the_longest_that_the_vocabulary_has(text, _, pieces):
    found = tokens(text, "subword", vocabulary_of(*PIECES))
    known = [piece if piece in PIECES else "?" for piece in found]
    assert known == pieces.split()


@pytest.mark.parametrize(("text", "_", "pieces"), BY_HAND)
def test_nothing_is_lost_between_the_pieces(text, _, pieces):
    words = tokenize(pa.array([text]), "subword").to_pylist()[0]
    assert "".join(tokens(text, "subword", vocabulary_of(*PIECES))) == "".join(words)


def reference_characters(text: str) -> list[str]:
    """Splits into characters with the marks behind them, from the description alone."""
    found = []
    for word in reference_text.tokens(text, folding()):
        first = len(found)
        for character in word:
            if len(found) > first and unicodedata.category(character)[0] == "M":
                found[-1] += character
            else:
                found.append(character)
        found[first] = "▁" + found[first]
    return found


def reference_pieces(text: str, known: set[str]) -> list[str]:
    found = []
    for word in reference_text.tokens(text, folding()):
        rest = "▁" + word
        while rest:
            longest = max(filter(rest.startswith, known), key=len, default=rest[0])
            found.append(longest)
            rest = rest.removeprefix(longest)
    return found


def is_known_to_python(text: str) -> bool:
    return all(unicodedata.category(character) != "Cn" for character in text)


@settings(max_examples=200, deadline=None)
@given(ORDINARY.filter(is_known_to_python))
def test_characters_agree_with_plain_python_on_any_text(text):
    assert tokens(text, "char", vocabulary_of()) == reference_characters(text)


@settings(max_examples=200, deadline=None)
@given(
    ORDINARY.filter(is_known_to_python),
    st.sets(st.text("▁aBb9'çσ今ทั❤e", min_size=1, max_size=5)),
)
def test_pieces_agree_with_plain_python_on_any_text_and_vocabulary(text, known):
    never = re.compile("(?!)")  # no script is set apart
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference_text, "UNSPACED", never)
        expected = reference_pieces(text, known)
    assert tokens(text, "subword", vocabulary_of(*known)) == expected


def test_many_texts_give_what_each_gives_alone():
    words, config = built(ALL_TEXTS[::2], tokens="subword", vocabulary_size=300)
    alone = [ids_of([text], words, config)[0] for text in ALL_TEXTS]
    assert ids_of(ALL_TEXTS, words, config) == alone


# What was before.


def test_words_are_as_before_the_setting(tmp_path):
    """The hashes are of the commit before it."""
    rows = [
        f"It's {word} film №{i}—今天!,{'ab'[i % 2]}\n"
        for i, word in enumerate(["good", "BAD"] * 20)
    ]
    (tmp_path / "r.csv").write_text("text,label\n" + "".join(rows), "utf-8")
    data = DataConfig(source=str(tmp_path / "r.csv"))
    text = TextConfig(predict_length=400)  # so far were texts read then
    encoded = encode_dataset(load_dataset(data), data, text, tmp_path / "cache")
    assert encoded.path.name == "r-07a89874242c"
    found = {
        "rules": rules_to_json(TextConfig()),
        "question": configs.question(RunConfig(text=text)),
        "vocabulary": encoded.vocabulary.to_text(),
        "ids": encoded.splits["train"].token_ids.tolist(),
        "shuffled": shuffle_words(
            encoded.splits["test"], encoded.vocabulary.begins_word(TextConfig())
        ).token_ids.tolist(),
    }
    assert {name: digest(value) for name, value in found.items()} == {
        "rules": "49c3c3b72f270c78",
        "question": "74e126cbf64c5759",
        "vocabulary": "72845a2fccfab912",
        "ids": "af2c51d2d3cff3ae",
        "shuffled": "b147429f23d4746d",
    }


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def test_a_config_without_the_setting_asks_for_words():
    older = configs.to_dict(RunConfig())
    del older["text"]["tokens"]
    assert configs.same_question(configs.from_dict(older), RunConfig())
    other = RunConfig(text=TextConfig(tokens="char"))
    assert configs.differences(RunConfig(), other) == ["text.tokens: word, char"]
    assert configs.question(other)["text"]["tokens"] == "char"


def test_each_kind_has_a_cache_of_its_own(tmp_path):
    kinds = {kind: encoded(tmp_path, kind) for kind in configs.TOKENS_NAMES}
    assert len({data.path for data in kinds.values()}) == 3
    length = {k: data.about.tokens["train"].median for k, data in kinds.items()}
    assert length["word"] < length["subword"] < length["char"]


def encoded(folder: Path, kind: str, **values: object) -> EncodedDataset:
    if not (folder / "reviews.csv").exists():
        write_csv(folder / "reviews.csv", reviews(400))
    data = DataConfig(source=str(folder / "reviews.csv"))
    text = TextConfig(**{"tokens": kind, "vocabulary_size": 60} | values)
    return encode_dataset(load_dataset(data), data, text, folder / "cache")


# Learning pieces.


def learnt(words: dict[str, int], size: int, least: int = 1) -> frozenset[str]:
    config = TextConfig(tokens="subword", vocabulary_size=size, min_count=least)
    return learn(pa.array(words), np.array([*words.values()]), config)


# After Sennrich et al. 2016: e s occurs 9 times, so does es t; then 8 w e were 2.
NEWEST = {"▁low": 5, "▁lower": 2, "▁newest": 6, "▁widest": 3}
LETTERS = set("▁lowernstid")


@pytest.mark.parametrize(
    ("size", "least", "more"),
    [
        (11, 1, set()),
        (12, 1, {"es"}),
        (13, 1, {"es", "est"}),
        (14, 1, {"es", "est", "lo"}),
        (100, 8, {"es", "est"}),
        (100, 10, set()),
    ],
)
def test_the_most_frequent_pairs_become_pieces(size, least, more):
    assert learnt(NEWEST, size, least) == LETTERS | more


def test_a_piece_has_sixteen_characters_at_most():
    """Characters, not bytes."""
    assert learnt({"▁" + "я" * 64: 9}, 1000) == {"▁", *("я" * 2**n for n in range(5))}


def test_pieces_that_train_hardly_has_get_no_id():
    """After es and est, train has no es by itself."""
    texts = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    words, config = built(texts, tokens="subword", vocabulary_size=13)
    known = words.tokens[2:]
    assert known == ("w", "▁", "est", "e", "l", "o", "n", "d", "i", "r")
    counts = np.bincount(np.concatenate(ids_of(texts, words, config)))
    assert counts[2:].tolist() == [16, 16, 9, 8, 7, 7, 6, 3, 3, 2]
    fewer, _ = built(texts, tokens="subword", vocabulary_size=13, min_count=3)
    assert {*known} - {*fewer.tokens} == {"r"}


VARIABLES = ("PYTHONHASHSEED", "RAYON_NUM_THREADS")


def test_the_vocabulary_does_not_depend_on_order_threads_or_process():
    texts = [text for text, _ in reviews(300)]
    code = (
        "import json, sys; import pyarrow as pa\n"
        "from seqclf.config import TextConfig\n"
        "from seqclf.text.tokens import tokenize\n"
        "from seqclf.text.vocabulary import Vocabulary\n"
        "texts = pa.array(json.load(sys.stdin))\n"
        "text = TextConfig(min_count=1, tokens='subword', vocabulary_size=90)\n"
        "words = Vocabulary.build([tokenize(texts, 'subword')], text)\n"
        "print(json.dumps(words.tokens))\n"
    )
    paths = {"PYTHONPATH": f"{Path(__file__).parents[1]}"}
    found = set()
    for seed, given_ in (("1", texts), ("2", texts[::-1])):
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(given_),
            env=os.environ | paths | dict.fromkeys(VARIABLES, seed),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    here, _ = built(texts, tokens="subword", vocabulary_size=90)
    assert [json.loads(one) for one in found] == [list(here.tokens)]


def test_the_vocabulary_is_of_train_alone(tmp_path):
    data = encoded(tmp_path, "subword")
    text = TextConfig(tokens="subword", vocabulary_size=60)
    train = data.texts("train").combine_chunks()
    own = Vocabulary.build([tokenize(train, "subword")], text)
    assert data.vocabulary.tokens == own.tokens


def test_characters_are_chosen_by_count_and_size():
    words, _ = built(["aab ab"], tokens="char")
    assert words.tokens[2:] == ("b", "▁a", "a")
    words, config = built(["aab ab"], tokens="char", vocabulary_size=2)
    assert ids_of(["aab"], words, config) == [[3, 1, 2]]


# In other engines.


@pytest.mark.parametrize("kind", configs.TOKENS_NAMES)
def test_plain_python_gives_the_same_ids(kind, tmp_path, monkeypatch):
    words, config = built(
        ALL_TEXTS[::2], tokens=kind, vocabulary_size=300, max_length=900
    )
    found = plain_python(rules_folder(tmp_path, config, words), monkeypatch)
    assert [found(text) for text in ALL_TEXTS] == ids_of(ALL_TEXTS, words, config)


@pytest.mark.parametrize("kind", configs.TOKENS_NAMES)
def test_the_graph_gives_the_same_ids(kind):
    words, config = built(
        ALL_TEXTS[::2], tokens=kind, vocabulary_size=300, max_length=900
    )
    table = graph_text.vocabulary_table(words)
    rows = graph_text.token_ids_in_graph(ALL_TEXTS, table, config).numpy()
    found = [row[row > 0].tolist() for row in rows]
    assert found == ids_of(ALL_TEXTS, words, config)


@pytest.mark.parametrize("batch", [[], [""], ["", "<p>"]])
def test_the_graph_takes_no_text_and_empty_ones_in_pieces(batch):
    import tensorflow as tf

    words, config = built(["good"], tokens="subword")
    given_ = tf.constant(batch, tf.string)
    table = graph_text.vocabulary_table(words)
    found = graph_text.token_ids_in_graph(given_, table, config)
    assert found.numpy().tolist() == [[1]] * len(batch)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(ORDINARY, min_size=1, max_size=4), st.sampled_from(["char", "subword"]))
def test_the_graph_agrees_on_any_texts(some, kind):
    words, config = built([*some, "aab ab"], tokens=kind, vocabulary_size=40)
    table = graph_text.vocabulary_table(words)
    rows = graph_text.token_ids_in_graph(some, table, config).numpy()
    assert [row[row > 0].tolist() for row in rows] == ids_of(some, words, config)


@pytest.mark.parametrize("kind", configs.TOKENS_NAMES)
def test_the_javascript_of_the_page_gives_the_same_ids(kind, tmp_path):
    """Without ONNX Runtime: the way from text to ids alone."""
    if not shutil.which("node"):
        not_here("node is not here")
    words, config = built(
        ALL_TEXTS[::2], tokens=kind, vocabulary_size=300, max_length=900
    )
    rules_folder(tmp_path, config, words)
    [code] = blocks("js")
    code = code.replace('import * as ort from "onnxruntime-node";\n', "")
    code = code.split("const session")[0]
    asked = "const asked = JSON.parse(read('texts.json'));\n"
    told = "console.log(JSON.stringify(asked.map(tokenIds)));\n"
    (tmp_path / "ids.mjs").write_text(code + asked + told, "utf-8")
    (tmp_path / "texts.json").write_text(json.dumps(ALL_TEXTS), "utf-8")
    done = subprocess.run(
        ["node", "ids.mjs"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ids_of(ALL_TEXTS, words, config)


def test_the_rules_say_what_a_token_is():
    steps = {
        kind: rules_to_json(TextConfig(tokens=kind)) for kind in configs.TOKENS_NAMES
    }
    assert [rules["version"] for rules in steps.values()] == [1, 1, 2]
    word, char, subword = (rules["steps"] for rules in steps.values())
    assert char[: len(word) - 1] == word[:-1]
    assert char[len(word) - 1 :] == [
        {"replace": "([^ ]+)", "with": r"▁\1"},
        {"replace": r"(▁?[^ ]\pM*)", "with": r"\1 "},
        {"split": " "},
    ]
    assert subword[-2:] == [{"split": " "}, {"pieces": 16}]


# Refusals.


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'subword'"):
        TextConfig(tokens="subwords")


def test_learning_without_the_package_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ConfigError, match=re.escape(install_line("subword"))):
        built(["good"], tokens="subword")


def test_only_learning_needs_the_package(monkeypatch, subword_run):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert len(Classifier.open(subword_run).predict(["a good film"])) == 1


def test_a_linear_model_has_words(workplace):
    given_ = ["--data", workplace / "reviews", "--baseline", "nb-svm"]
    done = invoke("train", *given_, "--tokens", "char")
    assert done.exit_code == 2
    assert "tokens does nothing for nb-svm" in done.stderr


def test_the_linear_rows_are_shared(tmp_path):
    places = {
        kind: [
            task.path
            for task in baseline_tasks(
                RunConfig(text=TextConfig(tokens=kind)), encoded(tmp_path, kind), Path()
            )
        ]
        for kind in configs.TOKENS_NAMES
    }
    assert places["word"] == places["char"] == places["subword"]
    assert linear(RunConfig(text=TextConfig(tokens="char")), "nb-svm").text.tokens == (
        "word"
    )


# Studies, and texts with their words shuffled.


def test_words_are_shuffled_whole():
    words = vocabulary_of("▁a", "b", "▁c", "d", "e")
    text = TextConfig(tokens="char")
    begins = words.begins_word(text)
    assert np.flatnonzero(begins).tolist() == [2, 4]
    ids = np.array([2, 3, 4, 5, 6, 2, 1, 6, 2, 3], np.int32)
    texts = Examples(ids, np.array([0, 7, 10]), np.zeros(2, np.int32))
    row = tuple(shuffle_words(texts, begins).token_ids.tolist())
    first = {
        (*a, *b, *c) for a, b, c in itertools.permutations([(2, 3), (4, 5, 6), (2, 1)])
    }
    assert row[:7] in first
    assert row[7:] in {(6, 2, 3), (2, 3, 6)}


def test_what_begins_a_text_begins_a_word():
    """The first two numbers of the generator fall: the two words change places."""
    begins = np.array([False, False, True, False])
    text = Examples(np.array([3, 2, 3], np.int32), np.array([0, 3]), np.zeros(1))
    assert shuffle_words(text, begins).token_ids.tolist() == [2, 3, 3]


@pytest.mark.parametrize("kind", ["char", "subword"])
def test_studies_of_words_take_words(kind, monkeypatch):
    asked = RunConfig(text=TextConfig(tokens=kind))
    question = Question(config=asked)
    one = SERIES["recall"]
    assert memory._recipe(question, one, 10, DataConfig()).text.tokens == "word"

    class Lab:
        def load(self, config):
            raise LookupError(config.text.tokens)

    with pytest.raises(LookupError, match="word$"):
        order.run(question, Lab())


# Whole runs.


@pytest.fixture(scope="module", params=["char", "subword"])
def any_run(request) -> Run:
    return request.getfixturevalue(f"{request.param}_run")


def trained(folder: Path, kind: str) -> Run:
    write_csv(folder / "reviews.csv", reviews(240))
    given_ = ["--data", folder / "reviews.csv", "--cell", "rnn", *SMALL]
    given_ += ["--vocabulary-size", "60", "--tokens", kind, "--name", "made"]
    given_ += ["--no-bidirectional"]
    places = ["--models-dir", folder / "models", "--cache-dir", folder / "cache"]
    with tasks_in_this_process():
        done = invoke("train", *given_, *places)
    assert done.exit_code == 0, done.stderr
    return Run(folder / "models" / "made")


@pytest.fixture(scope="module")
def char_run(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("char"), "char")


@pytest.fixture(scope="module")
def subword_run(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("subword"), "subword")


def test_a_run_predicts_as_it_was_tested(any_run):
    """One path: what was encoded for training, and what a text is encoded to."""
    folder = any_run.path.parents[1]
    data = DataConfig(source=str(folder / "reviews.csv"))
    encoded = encode_dataset(
        load_dataset(data), data, any_run.config.text, folder / "cache"
    )
    texts = encoded.texts("test").combine_chunks()
    expected = any_run.predictions("test").probabilities
    found = Classifier.open(any_run).predict_proba(texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_explanation_is_of_its_tokens(any_run):
    classifier = Classifier.open(any_run)
    explained = explain(classifier, "A good film")
    words, text = any_run.vocabulary, any_run.config.text
    assert list(explained.tokens) == tokens("a good film", text.tokens, words)
    assert "".join(explained.tokens) == "▁a▁good▁film"
    assert explained.num_tokens == len(explained.tokens)
    assert classifier.lengths(strings(["A good film"])) == [len(explained.tokens)]


def test_an_explanation_names_what_a_token_is(any_run, capsys):
    given_ = ["--run", any_run.path, "--explain", "A good film"]
    shown = invoke("predict", *given_).stdout
    unit = {"char": "character", "subword": "piece"}[any_run.config.text.tokens]
    assert f"Made up its mind at {unit} " in shown


def test_the_summary_counts_tokens(any_run):
    folder = any_run.path.parents[1]
    data = load_dataset(DataConfig(source=str(folder / "reviews.csv")))
    summary = summarize(data, any_run.config.text)
    assert summary.vocabulary == len(any_run.vocabulary)
    per_word = summarize(data, TextConfig()).splits["train"].tokens["p50"]
    assert summary.splits["train"].tokens["p50"] > per_word


def test_the_texts_of_verification_are_of_the_vocabulary(any_run):
    """Whatever a token is, most tokens of the texts made of them are known."""
    texts, _ = verification_texts(any_run)
    made = texts[80:120]  # behind those of demo: 1 to 40 tokens long
    ids = ids_of(made, any_run.vocabulary, any_run.text)
    assert (np.concatenate(ids) > 1).mean() > 0.9


def test_the_card_says_what_a_token_is(any_run):
    [said] = _limits_of(any_run, "onnx")
    unit = {"char": "characters", "subword": "pieces of words"}
    assert f"It reads 1,000 {unit[any_run.config.text.tokens]} of a text" in said
    assert "are all one unknown character to it" in said


@pytest.mark.slow
def test_every_format_agrees_with_its_run(any_run, tmp_path):
    """Each is opened in a process without seqclf, see `export.verify`."""
    done = invoke(
        "export", any_run.path, "--format", "all", "--output", tmp_path / "out",
        "--cache-dir", any_run.path.parents[1] / "cache",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("same label for 100.00 %") == 4


# What it is good for.


def inflected(n: int, seed: int) -> tuple[list[str], list[str]]:
    """Returns made-up words, no stem twice; the ending says the label."""
    rng = np.random.default_rng(seed)
    stems = ["".join(rng.choice(list("bdfgklmnprtaeiou"), 6)) for _ in range(n)]
    endings = ["ung", "lich"]
    labels = ["noun", "adjective"]
    return (
        [f"{stem}{endings[i % 2]}" for i, stem in enumerate(stems)],
        [labels[i % 2] for i in range(n)],
    )


@pytest.mark.slow
def test_endings_of_new_words_are_seen_by_characters_and_pieces_alone(tmp_path):
    texts, labels = inflected(400, 0)
    new, expected = inflected(200, 1)
    right = {}
    for kind in configs.TOKENS_NAMES:
        model = SequenceClassifier(
            "gru", tokens=kind, units=16, embedding_size=16, epochs=10,
            vocabulary_size=200, random_state=0,
        ).fit(texts, labels)  # fmt: skip
        right[kind] = np.mean(model.predict(new) == np.array(expected))
    assert right["word"] == 0.5
    assert min(right["char"], right["subword"]) > 0.95
    model.save(tmp_path / "saved")
    opened = SequenceClassifier.load(tmp_path / "saved")
    assert opened.get_params()["tokens"] == "subword"
    assert (opened.predict(new) == model.predict(new)).all()
