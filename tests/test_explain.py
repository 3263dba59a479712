"""Which words moved the answer, against models that can be worked out by hand."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import BAD, GOOD, TINY, run_cli
from rich.cells import cell_len
from test_cli import invoke

from seqclf.classifier import Classifier
from seqclf.cli.predict.answers import Form
from seqclf.cli.predict.explained import blocks, most_moving, points, show
from seqclf.explain import MOST_TOKENS, Effects, Explanation, effects_of, explain
from seqclf.runs import Run
from seqclf.text.tokens import PADDING_ID, UNKNOWN_ID

# Of a token id, what it adds to the logit of label 1; label 0 stays at 0.
WEIGHTS = np.array([0.0, 0.25, 2.0, -1.5, 0.0, -4.0])


def bag(token_ids: np.ndarray) -> np.ndarray:
    """A model that adds up the weights of its tokens."""
    assert (token_ids >= PADDING_ID).all()
    logit = WEIGHTS[token_ids].sum(axis=1)
    return np.stack([np.zeros_like(logit), logit], axis=1).astype(np.float32)


def last_known(token_ids: np.ndarray) -> np.ndarray:
    """A model that looks at its last known token alone: order matters."""
    logits = []
    for row in token_ids:
        known = [t for t in row if t not in (PADDING_ID, UNKNOWN_ID)]
        logits.append([0.0, WEIGHTS[known[-1]] if known else 0.0])
    return np.array(logits, np.float32)


def sigmoid(x: float) -> float:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("threads", [1, 3])
def test_effects_are_those_worked_out_by_hand(threads):
    # Logits after each token: 2, 0.5, 0.75, 0.75, 2.75; so label 1 throughout.
    found = effects_of(bag, np.array([2, 3, 1, 4, 2], np.int32), 2, threads)
    assert found.label == 1
    np.testing.assert_allclose(found.probabilities[1], sigmoid(2.75), rtol=1e-6)
    after = [sigmoid(x) for x in (2, 0.5, 0.75, 0.75, 2.75)]
    np.testing.assert_allclose(found.running, after, rtol=1e-6)
    # Without a token its weight is gone and the unknown token's 0.25 comes instead.
    whole = sigmoid(2.75)
    without = [2.75 - 2 + 0.25, 2.75 + 1.5 + 0.25, 2.75, 2.75 + 0.25, 2.75 - 2 + 0.25]
    expected = [whole - sigmoid(x) for x in without]
    np.testing.assert_allclose(found.effects, expected, atol=1e-6)
    assert found.effects[2] == 0  # unknown anyway
    assert found.decided == 1


def test_effects_are_of_the_predicted_label():
    found = effects_of(bag, np.array([2, 5], np.int32), 2)  # logits 2, -2
    assert found.label == 0
    np.testing.assert_allclose(found.running, [1 - sigmoid(2), 1 - sigmoid(-2)])
    assert found.effects[0] < 0 < found.effects[1]
    assert found.decided == 2


def test_the_mind_is_made_up_behind_the_last_turn():
    # The sign after each token: +, -, -, +, +.
    found = effects_of(last_known, np.array([2, 3, 5, 2, 1], np.int32), 2)
    np.testing.assert_allclose(
        found.running, [sigmoid(x) for x in (2, -1.5, -4, 2, 2)], rtol=1e-6
    )
    assert found.decided == 4
    # Without the second 2 the last known token is the 5.
    expected = [0, 0, 0, sigmoid(2) - sigmoid(-4), 0]
    np.testing.assert_allclose(found.effects, expected, atol=1e-6)


def test_one_token_is_enough():
    found = effects_of(bag, np.array([UNKNOWN_ID], np.int32), 2)
    assert found.effects.tolist() == [0]
    assert found.decided == 1
    assert found.running.shape == (1,)


def test_batches_are_bounded_and_each_text_is_read_once():
    shapes = []

    def watched(token_ids):
        shapes.append(token_ids.shape)
        return bag(token_ids)

    effects_of(watched, np.full(MOST_TOKENS, 2, np.int32), 2)
    assert max(rows * length for rows, length in shapes) <= 4000
    assert sum(rows for rows, _ in shapes) == 2 * MOST_TOKENS


@pytest.fixture(scope="module")
def classifier(finished_run) -> Classifier:
    return Classifier.open(finished_run)


@pytest.fixture(scope="module")
def learnt(workplace, tmp_path_factory) -> Classifier:
    """A run that has learnt; the one in the workplace has hardly begun to."""
    folder = tmp_path_factory.mktemp("learnt")
    command = ["train", "--cell=gru", f"--data={workplace / 'reviews'}", *TINY]
    done = run_cli([*command, "--epochs=12", "-q"], folder)
    assert done.returncode == 0, done.stderr
    return Classifier.open(Run(folder / "models" / "reviews-gru-0"))


@pytest.mark.slow
@pytest.mark.parametrize("word", [GOOD[0], BAD[1], GOOD[4], BAD[2]])
def test_the_planted_word_comes_first(word, learnt):
    found = explain(learnt, f"very {word} film, number 3")
    order = np.argsort(-np.abs(found.effects.effects))
    assert found.tokens[order[0]] == word
    label = ("bad", "good")[word in GOOD]
    assert learnt.labels[found.effects.label] == label
    assert found.effects.effects[order[0]] > 0
    assert found.tokens[found.effects.decided - 1] in (word, "very")


def test_an_explanation_agrees_with_predict(classifier):
    text = "A GOOD film; <br /> nothing dull here, xyzzy"
    found = explain(classifier, text)
    assert " ".join(found.tokens) == "a good film ; nothing dull here , xyzzy"
    assert not found.known[-1]
    np.testing.assert_allclose(
        found.effects.probabilities, classifier.predict_proba([text])[0], atol=1e-6
    )
    half = classifier.predict_proba(["a good film ;"])[0]
    assert found.effects.running[3] == pytest.approx(
        half[found.effects.label], abs=1e-6
    )
    without = classifier.predict_proba(["a xyzzy film ; nothing dull here , xyzzy"])[0]
    label = found.effects.label
    assert found.effects.effects[1] == pytest.approx(
        found.effects.probabilities[label] - without[label], abs=1e-6
    )


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
def test_of_long_texts_the_tokens_that_are_read_are_explained(keep, classifier):
    import dataclasses

    settings = dataclasses.replace(classifier.text, max_length=5, keep=keep)
    short = dataclasses.replace(classifier, text=settings)
    found = explain(short, "a good film b bad meal c view")
    tokens = {
        "head": "a good film b bad", "tail": "b bad meal c view",
        "both": "a good film c view",
    }  # fmt: skip
    assert " ".join(found.tokens) == tokens[keep]
    assert (found.num_tokens, found.num_read) == (8, 5)
    long = dataclasses.replace(settings, max_length=1000)
    found = explain(dataclasses.replace(classifier, text=long), "film " * 700)
    assert len(found.tokens) == MOST_TOKENS
    assert (found.num_tokens, found.num_read) == (700, 700)


@pytest.mark.parametrize("text", ["", "   ", "<br />"])
def test_a_text_without_words_has_nothing_to_explain(text, classifier, models):
    found = explain(classifier, text)
    assert found.tokens == ()
    np.testing.assert_allclose(
        found.effects.probabilities, classifier.predict_proba([text])[0], atol=1e-6
    )
    done = invoke("predict", "--explain", text, models)
    assert "no words" in done.stdout
    (line,) = invoke("predict", "-q", "--explain", "--json", text, models).stdout.split(
        "\n"
    )[:-1]
    assert json.loads(line)["words"] == []
    assert json.loads(line)["decided_at"] is None


@pytest.fixture
def models(workplace) -> str:
    return f"--models-dir={workplace / 'models'}"


def test_json_holds_the_numbers(models, classifier):
    text = "a good film"
    done = invoke("predict", "-q", "--explain", "--json", text, "awful", models)
    first, second = map(json.loads, done.stdout.splitlines())
    found = explain(classifier, text)
    assert list(first) == [
        "text", "label", "probability", "probabilities", "unknown", "tokens",
        "tokens_read", "tokens_explained", "decided_at", "words",
    ]  # fmt: skip
    assert first["decided_at"] == found.effects.decided
    assert [word["token"] for word in first["words"]] == ["a", "good", "film"]
    effects = [word["effect"] for word in first["words"]]
    assert effects == found.effects.effects.tolist()
    running = [word["running"] for word in first["words"]]
    assert running[-1] == pytest.approx(first["probability"], abs=1e-6)
    assert second["text"] == "awful"


def made(tokens: list[str], effects: list[float], decided: int) -> Explanation:
    """An explanation by hand; the first token is unknown."""
    count = len(tokens)
    known = np.arange(count) > 0
    running = np.linspace(0, 1, count, dtype=np.float32)
    probabilities = np.array([0.03, 0.97], np.float32)
    numbers = np.array(effects, np.float32)
    moved = Effects(probabilities, 1, numbers, running, decided)
    return Explanation(tuple(tokens), known, "word", count + 20, count, moved)


LABELS = ("bad", "good")
SHOWN = made(["a", "lovely", "but", "dull", "film"], [0, 0.6, 0.004, -0.25, 0.01], 2)


def test_it_can_be_read_without_colours(capsys):
    show(SHOWN, Form(LABELS, 2))
    assert capsys.readouterr().out.splitlines() == [
        "good 97.0 %  bad 3.0 %",
        "a lovely[+60] but dull[−25] film[+1]",
        "word    at  points  for good (+) or against it (−)",
        "lovely   2     +60  ████████████████████          ",
        "dull     4     −25  ████████                      ",
        "film     5      +1  █                             ",
        "good, word by word, 0 to 100 %: ▁▃▅▇█",
        "Made up its mind at word 2 of 5 (lovely): from there on it is good.",
        "The model reads 5 of the 25 words.",
        "Words it does not know, struck through on a terminal: 1.",
        "",
    ]


def test_it_keeps_to_eighty_columns(capsys):
    tokens = [f"token{i}" for i in range(300)] + ["w" * 200, "漢字" * 30]
    show(made(tokens, [0.01 * (i % 90 - 45) for i in range(302)], 3), Form(LABELS, 1))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert len([line for line in lines if "█" in line]) > 10


def test_it_has_colours_on_a_terminal_unless_one_says_no(capsys, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    show(SHOWN, Form(LABELS, 1))
    coloured = capsys.readouterr().out
    assert "\x1b[1;32mlovely[+60]" in coloured
    assert "\x1b[1;31mdull[−25]" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    show(SHOWN, Form(LABELS, 1))
    plain = capsys.readouterr().out
    assert "32m" not in plain
    assert "31m" not in plain


def test_words_that_hardly_move_it_are_not_shown(capsys):
    show(made(["a", "b"], [0.001, -0.004], 1), Form(LABELS, 1))
    assert "No word alone moves it by half a point." in capsys.readouterr().out


def test_texts_do_not_steer_the_terminal_or_the_markup(models, capsys):
    done = invoke(
        "predict", "--explain", "good\x1b]0;t\x07 [red]x[/red] \u202e", models
    )
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output
    assert "\u202e" not in done.output
    show(made(["\x1b[2J", "[red]x"], [0, 0.9], 2), Form(("b\x1b[2J", "[bold]g\x07"), 2))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.startswith("[bold]g  97.0 %  b [2J 3.0 %")
    assert "[red]x[+90]" in shown


def test_texts_come_from_standard_input_too(workplace):
    done = run_cli(
        ["predict", "-q", "--explain", "--json", "-"], workplace, input="good\n\nbad\n"
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["good", "", "bad"]


def test_an_explanation_imports_neither_keras_nor_pandas(workplace):
    code = (
        "import sys\nfrom seqclf.cli import command_line\n"
        "try:\n    command_line()(['predict', '-q', '--explain', 'a good film'])\n"
        "except SystemExit as leaving:\n    assert not leaving.code\n"
        "assert not {'keras', 'tensorflow', 'pandas', 'sklearn'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=workplace, check=True)


def test_blocks_show_the_end_of_each_group():
    assert blocks([0, 0.1249, 0.125, 0.5, 0.99, 1]) == "▁▁▂▅██"
    many = [0.0] * 119 + [1.0]
    assert blocks(many) == "▁" * 59 + "█"
    assert points(0.126) == "+13"
    assert points(-0.4) == "−40"


def test_the_words_that_moved_most_come_first_and_small_ones_not_at_all():
    effects = [0.0, 0.3, -0.4, 0.0049, 0.005, *[0.1 + 0.001 * i for i in range(12)]]
    shown = most_moving(made([f"t{i}" for i in range(17)], effects, 1))
    assert shown == [2, 1, *range(16, 8, -1)]
    assert most_moving(made(["a", "b", "c"], [0, 0.0049, 0.0051], 1)) == [2]
