from __future__ import annotations

import json
import threading
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_text import tokens as reference

from seqclf.config import TextConfig
from seqclf.errors import RunError
from seqclf.text import tokens, vocabulary
from seqclf.text.tokens import folding, rules_to_json, tokenize
from seqclf.text.vocabulary import Vocabulary, encode, encode_texts

TABLE = [
    ("I can't believe it's over!", "i can't believe it's over !"),
    ("<br /><br />Great—really GREAT.", "great — really great ."),
    ("'quoted' rock'n'roll", "' quoted ' rock'n'roll"),
    ("4.5/5 stars, $10", "4 . 5 / 5 stars , $ 10"),
    ("今天天气很好，I love it", "今 天 天 气 很 好 ， i love it"),
    ("とても良い", "と て も 良 い"),
    ("สวัสดี", "ส วั ส ดี"),
    ("Größe DER Straße", "größe der straße"),
    ("مرحبا بالعالم!", "مرحبا بالعالم !"),
    ("좋은 영화", "좋은 영화"),
    ("", ""),
    ("<p> <br/>\t\n ", ""),
    # Beyond the agreed table: what else people write.
    ("He can’t: ‘never’", "he can't : ‘ never '"),
    ("''tis 'em'", "' ' tis ' em '"),
    ("1 < 2 and 3 > 2, I <3 it", "1 < 2 and 3 > 2 , i < 3 it"),
    ("a\u0000b\u200bc\u2028d\ufeff", "a b c d"),
    ("ΟΔΟΣ οδος İstanbul", "οδοσ οδοσ istanbul"),
    ("wow❤️!!", "wow ❤️ ! !"),
    ("[PAD] [UNK]", "[ pad ] [ unk ]"),
]


def arrow(text: str) -> list[str]:
    return tokenize(pa.array([text], pa.string())).to_pylist()[0]


def in_a_graph(text: str) -> list[str]:
    """Carries out tokenizer.json with TensorFlow operations alone."""
    import tensorflow as tf

    value = tf.constant([text.encode()])
    for step in rules_to_json(TextConfig())["steps"]:
        if "replace" in step:
            value = tf.strings.regex_replace(value, step["replace"], step["with"])
        elif "translate" in step:
            table = np.arange(0x110000, dtype=np.int32)
            pairs = step["translate"]
            table[[ord(c) for c in pairs["from"]]] = [ord(c) for c in pairs["to"]]
            points = tf.strings.unicode_decode(value, "UTF-8").to_tensor()
            points = tf.gather(tf.constant(table), points)
            value = tf.strings.unicode_encode(points, "UTF-8")
            value = tf.strings.regex_replace(value, "\\x{0}+$", "")
        else:
            value = tf.strings.split(value, step["split"]).values
    return [token.decode() for token in value.numpy() if token]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_tokens_are_as_agreed(text, expected):
    assert arrow(text) == expected.split()


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_tokens_agree_in_plain_python(text, expected):
    assert reference(text, folding()) == expected.split()


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_tokens_agree_in_a_tensorflow_graph(text, expected):
    assert in_a_graph(text) == expected.split()


ORDINARY = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cn", "Co"])
    | st.sampled_from("aB9'’ <>/.,-—çΣ今ทั❤\ufe0f"),
    max_size=40,
)


def check_agreement(text: str) -> None:
    found = arrow(text)
    assert in_a_graph(text) == found
    # Python's own Unicode tables may be older or newer than RE2's: a character
    # that only one of them knows is no disagreement of the rules.
    if all(unicodedata.category(c) != "Cn" for c in text):
        assert reference(text, folding()) == found


@settings(max_examples=60, deadline=None)
@given(ORDINARY)
def test_three_engines_agree_on_any_text(text):
    check_agreement(text)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(ORDINARY)
def test_three_engines_agree_on_any_text_at_length(text):
    check_agreement(text)


@pytest.mark.slow
def test_every_character_is_read_as_the_reference_reads_it():
    known = (chr(point) for point in range(1, 0x110000))
    known = [c for c in known if unicodedata.category(c) not in ("Cn", "Co", "Cs")]
    texts = [f"0{character}a" for character in known]
    found = tokenize(pa.array(texts)).to_pylist()
    different = [
        text
        for text, tokens in zip(texts, found, strict=True)
        if tokens != reference(text, folding())
    ]
    assert different == []


def test_many_texts_give_what_each_gives_alone():
    texts = [text for text, _ in TABLE]
    together = tokenize(pa.array(texts)).to_pylist()
    assert together == [arrow(text) for text in texts]


def test_a_slice_of_an_array_is_tokenized_as_such():
    texts = pa.array(["zero", "one two", "three", "four"])
    assert tokenize(texts[1:3]).to_pylist() == [["one", "two"], ["three"]]


def test_folding_is_lower_casing_but_for_four_decisions():
    pairs = dict(zip(folding()["from"], folding()["to"], strict=True))
    decided = {"İ": "i", "ς": "σ", "Σ": "σ", "’": "'"}
    for character, to in pairs.items():
        assert to == decided.get(character, character.lower()), character
    assert not set(pairs) & set(pairs.values())


def test_rules_are_plain_json_with_all_steps_in_order():
    rules = rules_to_json(TextConfig(max_length=7, keep="tail"))
    assert json.loads(json.dumps(rules)) == rules
    kinds = [next(iter(step)) for step in rules["steps"]]
    assert kinds == ["replace"] * 2 + ["translate"] + ["replace"] * 4 + ["split"]
    assert (rules["max_length"], rules["keep"]) == (7, "tail")


def build(texts: list[str], **values: int) -> Vocabulary:
    settings = TextConfig(**{"min_count": 1} | values)
    return Vocabulary.build([tokenize(pa.array(texts))], settings)


def test_vocabulary_orders_by_count_then_token():
    vocabulary = build(["b a c", "c b", "d c"])
    assert vocabulary.tokens == ("[PAD]", "[UNK]", "c", "b", "a", "d")


def test_vocabulary_does_not_depend_on_blocks_or_order():
    blocks = [tokenize(pa.array(texts)) for texts in (["d c", "c b"], ["b a c"])]
    built = Vocabulary.build(blocks, TextConfig(min_count=1))
    assert built == build(["b a c", "c b", "d c"])


def test_vocabulary_keeps_to_size_and_least_count():
    texts = ["a a a b b c"]
    assert build(texts, vocabulary_size=2).tokens[2:] == ("a", "b")
    assert build(texts, min_count=2).tokens[2:] == ("a", "b")


def test_vocabulary_survives_a_round_trip():
    vocabulary = build(["x y z"])
    assert Vocabulary.from_text(vocabulary.to_text()) == vocabulary


def test_a_damaged_vocabulary_is_refused():
    with pytest.raises(RunError, match="damaged"):
        Vocabulary.from_text("a\nb\n")


def ids(text: str, **values: object) -> list[int]:
    vocabulary = build(["a b c d e f"])
    encoded, _ = encode_texts(pa.array([text]), vocabulary, TextConfig(**values))
    return encoded.tolist()


def test_encoding_gives_ids_and_one_for_the_unknown():
    assert ids("a f zebra b") == [2, 7, 1, 3]


def test_an_empty_text_becomes_one_unknown_token():
    assert ids("") == [1]
    assert ids("<br />") == [1]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [("head", [2, 3, 4]), ("tail", [5, 6, 7]), ("both", [2, 3, 7])],
)
def test_a_long_text_keeps_the_ends_that_were_asked_for(keep, expected):
    assert ids("a b c d e f", max_length=3, keep=keep) == expected


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_a_text_that_fits_is_kept_whole(keep):
    assert ids("a b c", max_length=3, keep=keep) == [2, 3, 4]
    assert ids("a", max_length=1, keep=keep) == [2]


def test_texts_stay_apart_when_encoded_together():
    vocabulary = build(["a b c d e f"])
    tokenized = tokenize(pa.array(["a b c d", "", "e", "f f f f f"]))
    encoded, offsets = encode(tokenized, vocabulary, TextConfig(max_length=3))
    parts = [encoded[a:b].tolist() for a, b in zip(offsets, offsets[1:], strict=False)]
    assert parts == [[2, 3, 5], [1], [6], [7, 7, 7]]


def test_no_text_at_all_is_no_error():
    encoded, offsets = encode_texts(
        pa.array([], pa.string()), build(["a"]), TextConfig()
    )
    assert encoded.tolist() == []
    assert offsets.tolist() == [0]


def test_spaces_that_stay_make_no_difference():
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = pa.array([f"{one}a{one}{one} b {one} c" for one in every])
    told = tokens._split(tokens._replace(texts, tokens.TEXT_RULES))
    assert tokens._split(tokens._replace(texts, tokens._TEXT_RULES)).equals(told)


@pytest.mark.parametrize(("at_most", "cores", "blocks"), [(3, 1, 7), (9, 4, 4)])
def test_blocks_bound_memory_and_are_for_threads_and_change_no_results(
    at_most, cores, blocks, monkeypatch
):
    table = pa.table({"text": [text for text, _ in TABLE]})
    monkeypatch.setattr(tokens, "cores", lambda: 1)
    (whole,) = tokens.tokenize_table(table)
    monkeypatch.setattr(tokens, "BLOCK_ROWS", at_most)
    monkeypatch.setattr(tokens, "cores", lambda: cores)
    parts = tokens.tokenize_table(table)
    assert len(parts) == blocks
    assert [row for part in parts for row in part.to_pylist()] == whole.to_pylist()


@pytest.mark.parametrize("kind", ["word", "char"])
def test_many_texts_are_encoded_in_threads_in_their_order(kind, monkeypatch):
    config = TextConfig(tokens=kind, max_length=7)
    texts = pa.array([f"{text} {i % 101}" for i in range(3) for text, _ in TABLE])
    words = Vocabulary.build([tokenize(texts, kind)], config)
    expected = encode(tokenize(texts, kind), words, config)
    threads: set[int] = set()

    def noted(*arguments):
        threads.add(threading.get_ident())
        return encode(*arguments)

    monkeypatch.setattr(vocabulary, "encode", noted)
    monkeypatch.setattr(vocabulary, "MANY", 1)
    monkeypatch.setattr(vocabulary, "cores", lambda: 5)
    monkeypatch.setattr(tokens, "cores", lambda: 5)
    found = encode_texts(texts, words, config)
    assert [one.tolist() for one in found] == [one.tolist() for one in expected]
    assert threads
    assert threading.get_ident() not in threads
