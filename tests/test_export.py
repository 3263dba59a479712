from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from conftest import TINY, invoke, run_cli, seal
from hypothesis import given, settings
from hypothesis import strategies as st
from test_text import ORDINARY, TABLE

from seqclf.classifier import Classifier
from seqclf.config import KEEP_NAMES, ModelConfig, TextConfig
from seqclf.errors import RunError
from seqclf.export import (
    About,
    artefacts,
    card,
    card_scores,
    formats,
    graph_text,
    loading,
    portable,
    texts,
)
from seqclf.export.formats import FORMATS
from seqclf.export.verify import Answers, Check
from seqclf.export.verify import compared as compare_answers
from seqclf.records.export import Agreement
from seqclf.records.plain import to_plain
from seqclf.runs import Run
from seqclf.storage import write_json
from seqclf.text.tokens import TEXT_RULES, WORD_RULES, tokenize
from seqclf.text.vocabulary import Vocabulary, encode_texts, kept_ends
from seqclf.workflows import export as workflow

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import exports  # noqa: E402

ALL_TEXTS = [*(text for text, _ in TABLE), *texts.PEOPLE_WRITE, *texts.NASTY]
ONNX_FILES = {
    "README.md", "export.json", "labels.txt", "model.onnx", "tokenizer.json",
    "vocabulary.txt",
}  # fmt: skip


def exported(workplace: Path, *arguments: object):
    """Exports the finished run; its data is in the workplace's cache."""
    folders = [f"--models-dir={workplace / 'models'}"]
    folders += [f"--cache-dir={workplace / 'data' / 'cache'}"]
    return invoke("export", "reviews-gru-0", *folders, *arguments)


def refused(result) -> str:
    """Returns what was said of an artefact that stands in the way."""
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "already holds another artefact: " in said
    assert "pass --overwrite to replace it" in said
    return said


# The command line.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "onxx"], "did you mean 'onnx'"),
        (["--format", "pickle"], "keras, saved_model, onnx, litert, all"),
        (["--format", "onnx-int8"], "unknown format"),
        (["--format", "onnx", "--quantize", "int4"], "unknown --quantize 'int4'"),
        (["--format", "keras", "--quantize", "int8"], "is for onnx, got --format kera"),
        (["--format", "onnx", "--license", "My Own"], "--license takes an identifier"),
        (["--format", "onnx", "--language", "English"], "--language takes codes"),
        ([], "Missing option '--format'"),
    ],
)
def test_wrong_usage_is_refused_and_says_what_would_do(arguments, message):
    result = invoke("export", "some-run", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_run_that_is_not_there_is_refused(tmp_path):
    result = invoke("export", "x", "--format=onnx", f"--models-dir={tmp_path}")
    assert result.exit_code == 1
    assert "no run 'x'" in result.output


@pytest.mark.parametrize(
    ("formats", "quantize", "names"),
    [
        (["keras", "litert"], None, ["keras", "litert"]),
        (["onnx", "onnx"], None, ["onnx"]),
        (["onnx", "all"], None, list(workflow.NAMES)),
        (["keras", "onnx"], "int8", ["keras", "onnx-int8"]),
        (["all"], "int8", [*workflow.NAMES, "onnx-int8"]),
    ],
)
def test_every_format_that_is_named_is_written_once(formats, quantize, names):
    assert workflow.formats_of(formats, quantize) == names


def test_one_unknown_format_refuses_them_all(workplace, tmp_path):
    asked = ["--format=onnx", "--format=onxx", f"--output={tmp_path / 'x'}"]
    result = exported(workplace, *asked)
    assert result.exit_code == 2
    assert "did you mean 'onnx'" in " ".join(result.output.split())
    assert list(tmp_path.iterdir()) == []


def test_an_onnx_artefact_is_whole_checked_and_not_replaced_unasked(
    workplace, tmp_path
):
    place = tmp_path / "it's süß"
    asked = ["--format=onnx", f"--output={place}", "--json"]
    result = exported(workplace, *asked, "--license=mit", "--language=en,de")
    assert result.exit_code == 0, result.output
    [record] = json.loads(result.stdout)
    assert {p.name for p in place.iterdir()} == ONNX_FILES
    assert record["path"] == str(place)
    stored = json.loads((place / "export.json").read_text())
    assert stored == {key: record[key] for key in record if key != "path"}
    assert record["texts"] >= 200
    assert record["own_texts"] == 48  # the whole test split, from the cache
    assert record["greatest_difference"] <= record["bound"] == 1e-5
    assert record["label_agreement"] == 1.0
    assert record["about"] == {"license": "mit", "languages": ["en", "de"]}
    assert set(record["sha256"]) == ONNX_FILES - {"export.json"}
    source = workplace / "models" / "reviews-gru-0" / "model.onnx"
    assert (place / "model.onnx").read_bytes() == source.read_bytes()

    # Typed twice it is found, and printed as before.
    again = exported(workplace, *asked, "--license=mit", "--language=en,de")
    assert again.exit_code == 0
    assert "is there already, of this run and settings" in again.stderr
    assert "Writing, opening and comparing" not in again.stderr
    assert json.loads(again.stdout) == [record]
    # What is another artefact is not taken for it, nor replaced unasked.
    assert "its card names another --license" in refused(exported(workplace, *asked))
    mine = [*asked, "--license=mit", "--language=en,de"]
    other = exported(workplace, *mine, "--quantize=int8")
    assert "it is of another format" in refused(other)
    whole = (place / "labels.txt").read_bytes()
    (place / "labels.txt").write_bytes(whole + b"x\n")
    damaged = refused(exported(workplace, *mine))
    assert "labels.txt is not as it was written" in damaged
    (place / "labels.txt").write_bytes(whole)
    write_json(place / "export.json", stored | {"run_sha256": "0" * 64})
    assert "it is of another run" in refused(exported(workplace, *mine))
    (place / "left.txt").write_text("over")
    replaced = exported(workplace, *asked, "--overwrite", "--quiet")
    assert replaced.exit_code == 0
    assert {p.name for p in place.iterdir()} == ONNX_FILES
    assert [p.name for p in tmp_path.iterdir()] == [place.name]


@pytest.mark.parametrize("record", [None, "{}", "[]", "{", '{"sha256": {}}'])
def test_a_folder_that_is_no_artefact_is_never_replaced(record, workplace, tmp_path):
    (tmp_path / "thesis.txt").write_text("years")
    if record is not None:  # another program may have an export.json, too
        (tmp_path / "export.json").write_text(record)
    asked = ["--format=onnx", f"--output={tmp_path}", "--overwrite"]
    result = exported(workplace, *asked)
    assert result.exit_code == 1
    assert "exists and is no artefact" in result.output
    assert (tmp_path / "thesis.txt").read_text() == "years"


def test_int8_is_smaller_keeps_the_metadata_and_says_what_it_costs(workplace, tmp_path):
    import onnx

    place = tmp_path / "small"
    asked = ["--format=onnx", "--quantize=int8", f"--output={place}"]
    result = exported(workplace, *asked)
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stderr.split())
    assert re.search(r"test accuracy [\d.]+ % instead of [\d.]+ %", shown)
    record = json.loads((place / "export.json").read_text())
    assert record["bound"] == 0.05
    run = Run(workplace / "models" / "reviews-gru-0")
    assert record["test"]["run"]["accuracy"] == run.metrics["test"].accuracy
    assert record["test"]["artefact"]["n"] == 48
    whole, small = (onnx.load(p / "model.onnx") for p in (run.path, place))
    kinds = [{t.data_type for t in m.graph.initializer} for m in (whole, small)]
    assert kinds[1] - kinds[0] == {onnx.TensorProto.UINT8}  # the token vectors
    metadata = [{p.key: p.value for p in m.metadata_props} for m in (whole, small)]
    assert metadata[1] == metadata[0] | {"quantized": "int8"}


@pytest.mark.slow
def test_int8_without_the_data_says_that_the_cost_is_not_known(finished_run, tmp_path):
    place, nowhere = tmp_path / "small", tmp_path / "no-cache"
    [made] = artefacts.export(finished_run, {"onnx-int8": place}, About(), nowhere)
    assert made.record.test is None
    assert made.record.own_texts == 0
    assert "could not be measured" in workflow._told(made)


# An artefact that differs is an error, and none is left.


def broken_onnx(run: Run, folder: Path) -> None:
    import onnx
    from onnx import numpy_helper

    model = onnx.load(run.path / "model.onnx")
    tensor = next(t for t in model.graph.initializer if len(t.dims) == 2)
    weights = numpy_helper.to_array(tensor) * np.float32(1.01)
    tensor.CopyFrom(numpy_helper.from_array(weights, tensor.name))
    onnx.save(model, folder / "model.onnx")


def test_a_model_that_differs_too_much_leaves_nothing(
    finished_run, tmp_path, monkeypatch
):
    def build(task):
        broken_onnx(finished_run, task.folders["onnx"])

    monkeypatch.setattr(artefacts, "_build", build)
    place = tmp_path / "artefact"
    with pytest.raises(RunError, match=r"onnx differs from the run by .* 1e-05 it may"):
        list(artefacts.export(finished_run, {"onnx": place}, About(), tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_opened_leaves_nothing_and_an_old_one_stands(
    workplace, finished_run, tmp_path, monkeypatch
):
    place = tmp_path / "artefact"
    assert exported(workplace, "--format=onnx", f"--output={place}").exit_code == 0
    before = (place / "export.json").read_bytes()

    def build(task):
        (task.folders["onnx"] / "model.onnx").write_bytes(b"half a mod")

    monkeypatch.setattr(artefacts, "_build", build)
    with pytest.raises(RunError, match="could not be opened again"):
        list(artefacts.export(finished_run, {"onnx": place}, About(), tmp_path, True))
    assert [p.name for p in tmp_path.iterdir()] == ["artefact"]
    assert (place / "export.json").read_bytes() == before


def test_a_run_without_onnx_model_is_refused_in_one_sentence(finished_run, tmp_path):
    run = Run(tmp_path / "run")
    shutil.copytree(finished_run.path, run.path)
    (run.path / "model.onnx").unlink()
    seal(run.path)
    build = artefacts._Build(run.path, {"onnx": tmp_path})
    with pytest.raises(RunError, match="has no model.onnx.*another --format.$"):
        artefacts._build(build)


ANSWERS = {
    "labels": ["no", "yes"],
    "probabilities": [[0.9, 0.1], [0.2, 0.8]],
    "milliseconds_per_text": 1.5,
    "project_modules": [],
}


def compared(expected: list[list[float]] | None = None, **changed: object) -> Agreement:
    probabilities = np.array(expected or ANSWERS["probabilities"], np.float32)
    check = Check("onnx", Path(), ["a", "b"], probabilities, ("no", "yes"), "")
    return compare_answers(check, Answers(**ANSWERS | changed))


def test_agreement_is_counted_by_hand():
    found = compared([[0.899995, 0.100005], [0.2, 0.8]])
    assert found.greatest_difference == pytest.approx(5e-6, rel=0.01)
    assert (found.texts, found.label_agreement) == (2, 1.0)
    assert found.milliseconds_per_text == 1.5


def test_label_agreement_is_a_share_of_the_texts(monkeypatch):
    monkeypatch.setitem(FORMATS, "onnx", FORMATS["onnx-int8"])
    near = {"probabilities": [[0.51, 0.49], [0.2, 0.8]]}
    assert compared([[0.49, 0.51], [0.2, 0.8]], **near).label_agreement == 0.5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"probabilities": [[0.90002, 0.09998], [0.2, 0.8]]}, "differs from the run"),
        (
            {"probabilities": [[0.9, 0.1], [0.2, float("nan")]]},
            "differs from the run by nan",
        ),
        ({"probabilities": [[0.9, 0.1]], "labels": ["no"]}, "of shape"),
        ({"labels": ["yes", "no"]}, "labels that its own probabilities do not"),
        ({"project_modules": ["seqclf.text"]}, "must do without"),
    ],
)
def test_what_is_no_agreement_is_an_error(changed, message):
    with pytest.raises(RunError, match=message):
        compared(**changed)


# The texts.


def test_the_texts_are_many_nasty_and_always_the_same(finished_run):
    found, own = texts.verification_texts(finished_run)
    assert own == 0
    assert len(found) >= 200
    assert found == texts.verification_texts(finished_run)[0]
    assert {"", "a", "word " * 10_000} <= set(found)
    assert any("😀" in text for text in found)
    known = set(finished_run.vocabulary.tokens)
    most = finished_run.config.text.max_length
    lengths = [len(text.split()) for text in found if set(text.split()) <= known]
    assert min(lengths) <= 1
    assert max(lengths) > most


def test_only_the_data_that_the_run_was_trained_on_is_its_own(workplace, tmp_path):
    run = Run(workplace / "models" / "reviews-gru-0")
    cache = workplace / "data" / "cache"
    data = texts.own_data(run, cache)
    assert len(texts.own_texts(data)) == 48
    other = Run(tmp_path / "run")
    shutil.copytree(run.path, other.path)
    proof = to_plain(run.proof)
    proof["splits"]["test"] = "another"
    (other.path / "proof.json").write_text(json.dumps(proof))
    assert texts.own_data(other, cache) is None
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "dataset.json").write_text("{damaged")
    assert texts.own_data(run, tmp_path) is None


# The rules in other engines.


def rules_folder(folder: Path, config: TextConfig, words: Vocabulary) -> Path:
    (folder / "tokenizer.json").write_text(portable.portable_json(config), "ascii")
    (folder / "vocabulary.txt").write_text(words.to_text(), "utf-8")
    (folder / "labels.txt").write_text("a\n", "utf-8")
    return folder


def plain_python(folder: Path, monkeypatch):
    """Returns what a model card tells a stranger to turn texts into ids with."""
    monkeypatch.chdir(folder)
    namespace: dict[str, object] = {}
    exec(loading._loader("token_ids"), namespace)
    return namespace["token_ids"]


def some_vocabulary() -> Vocabulary:
    settings = TextConfig(min_count=1)
    return Vocabulary.build([tokenize(pa.array(ALL_TEXTS))], settings)


def ids_of(texts_: list[str], words: Vocabulary, config: TextConfig) -> list[list[int]]:
    ids, offsets = encode_texts(pa.array(texts_, pa.string()), words, config)
    return [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)]


@pytest.mark.parametrize(
    ("keep", "length"), [*itertools.product(KEEP_NAMES, (1, 4, 7)), ("both", 10_000)]
)
def test_plain_python_gives_the_same_ids(keep, length, tmp_path, monkeypatch):
    words, config = some_vocabulary(), TextConfig(keep=keep, max_length=length)
    found = plain_python(rules_folder(tmp_path, config, words), monkeypatch)
    expected = ids_of(ALL_TEXTS, words, config)
    assert [found(text) for text in ALL_TEXTS] == expected


@pytest.mark.parametrize(
    ("keep", "length"), [*itertools.product(KEEP_NAMES, (1, 4, 7)), ("both", 10_000)]
)
def test_the_graph_gives_the_same_ids(keep, length):
    words, config = some_vocabulary(), TextConfig(keep=keep, max_length=length)
    table = graph_text.vocabulary_table(words)
    found = graph_text.token_ids_in_graph(ALL_TEXTS, table, config).numpy()
    assert found.dtype == np.int32
    trimmed = [row[: np.flatnonzero(row).max() + 1].tolist() for row in found]
    assert trimmed == ids_of(ALL_TEXTS, words, config)
    assert found.shape[1] == max(map(len, trimmed))


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_the_graph_gives_the_tokens_that_were_agreed(text, expected):
    found = graph_text.tokens_in_graph([text]).to_list()
    assert [token.decode() for token in found[0]] == expected.split()


@pytest.mark.parametrize("batch", [[], [""], ["", "<p>"]])
def test_the_graph_takes_no_text_and_empty_ones(batch):
    import tensorflow as tf

    table = graph_text.vocabulary_table(some_vocabulary())
    given_ = tf.constant(batch, tf.string)
    found = graph_text.token_ids_in_graph(given_, table, TextConfig())
    assert found.numpy().tolist() == [[1]] * len(batch)
    assert found.shape[1] == 1


def check_engines(words: Vocabulary, python, table, some: list[str]) -> None:
    config = TextConfig(max_length=9, keep="both")
    expected = ids_of(some, words, config)
    assert [python(text) for text in some] == expected
    rows = graph_text.token_ids_in_graph(some, table, config).numpy()
    assert [row[row > 0].tolist() for row in rows] == expected


@pytest.mark.slow
def test_three_engines_agree_on_any_texts(tmp_path, monkeypatch):
    words = some_vocabulary()
    config = TextConfig(max_length=9, keep="both")
    python = plain_python(rules_folder(tmp_path, config, words), monkeypatch)
    table = graph_text.vocabulary_table(words)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(ORDINARY, min_size=1, max_size=4))
    def check(some):
        check_engines(words, python, table, some)

    check()


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [p for p, _ in (*TEXT_RULES, *WORD_RULES)])
def test_portable_patterns_find_what_re2_finds_of_every_character(pattern):
    written = portable.portable(pattern)
    assert "\\p" not in written
    points = [p for p in range(1, 0x110000) if not 0xD800 <= p <= 0xDFFF]
    for before, after in (("", ""), ("a", "'b"), ("\x01", "")):
        # In one long text, a line a character, so that one call finds them all.
        text = "".join(f"{before}{chr(p)}{after}\n" for p in points if p != 10)
        found = re.sub(written, "[\\g<0>]", text)
        expected = pc.replace_substring_regex(pa.array([text]), pattern, "[\\0]")
        assert found == expected[0].as_py()


@pytest.mark.parametrize(
    ("keep", "expected"), [("head", (7, 0)), ("tail", (0, 7)), ("both", (4, 3))]
)
def test_the_kept_ends_are_told_as_numbers(keep, expected):
    config = TextConfig(max_length=7, keep=keep)
    assert kept_ends(config) == expected
    rules = portable.portable_rules(config)
    assert (rules["head"], rules["tail"]) == expected


# The model card.

HOSTILE = "</td><script>alert(1)</script> | `x` [a](http://b) *c* _d_ \\ \x1b[31m\n# e"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """A run that nobody trained; its third label is `exports.LABELS[2]`."""
    path = tmp_path_factory.mktemp("untrained") / "run"
    model = ModelConfig(cell="rnn", units=4, embedding_size=4)
    return exports.untrained_run(path, model, TextConfig(min_count=1, max_length=30))


AGREEMENT = Agreement(
    texts=216,
    greatest_difference=1.2e-7,
    label_agreement=1.0,
    milliseconds_per_text=0.5,
)


def parts_of(text: str) -> tuple[dict[str, object], str]:
    _, metadata, markdown = text.split("---\n", 2)
    return yaml.safe_load(metadata), markdown


@pytest.mark.parametrize("name", FORMATS)
def test_the_card_has_the_hubs_metadata_and_the_code_that_was_run(untrained, name):
    about = About(license="apache-2.0", languages=("en",))
    metadata, markdown = parts_of(card.model_card(untrained, name, AGREEMENT, about))
    assert metadata["license"] == "apache-2.0"
    assert metadata["language"] == ["en"]
    assert metadata["pipeline_tag"] == "text-classification"
    [result] = metadata["model-index"][0]["results"]
    accuracy = untrained.metrics["test"].accuracy
    assert result["metrics"][0]["value"] == pytest.approx(accuracy, abs=1e-6)
    assert all("95 % interval" in metric["name"] for metric in result["metrics"])
    assert loading.loading_code(name).rstrip() in markdown
    for heading in ("Scores", "Data", "Recipe", "Limits"):
        assert f"\n## {heading}\n" in markdown


def test_what_is_not_known_is_left_out_of_the_card(untrained):
    metadata, _ = parts_of(card.model_card(untrained, "onnx", AGREEMENT, About()))
    assert metadata["license"] == "unknown"
    assert not {"language", "datasets"} & set(metadata)


def test_a_data_set_of_the_hub_is_named_by_its_id(untrained, tmp_path):
    run = Run(tmp_path / "run")
    shutil.copytree(untrained.path, run.path)
    config = json.loads((run.path / "config.json").read_text())
    config["data"]["source"] = "imdb"
    (run.path / "config.json").write_text(json.dumps(config))
    about = to_plain(run.dataset) | {
        "revision": "e6281661ce1c48d982bc483cf8a173c1bbeb5d31"
    }
    (run.path / "dataset.json").write_text(json.dumps(about))
    seal(run.path)
    metadata, _ = parts_of(card.model_card(run, "onnx", AGREEMENT, About()))
    assert metadata["datasets"] == ["stanfordnlp/imdb"]
    [result] = metadata["model-index"][0]["results"]
    assert result["dataset"]["revision"] == about["revision"]


def test_what_comes_from_data_means_nothing_in_the_card(untrained, tmp_path):
    run = Run(tmp_path / "run")
    shutil.copytree(untrained.path, run.path)
    hostile = {"name": HOSTILE, "source": HOSTILE, "notes": [HOSTILE]}
    about = to_plain(run.dataset) | hostile
    (run.path / "dataset.json").write_text(json.dumps(about))
    seal(run.path)
    metadata, markdown = parts_of(card.model_card(run, "onnx", AGREEMENT, About()))
    [result] = metadata["model-index"][0]["results"]
    assert result["dataset"]["name"] == HOSTILE
    assert "<script" not in markdown
    assert "\x1b" not in markdown
    assert "[a](" not in markdown
    assert "\n# e" not in markdown
    assert r"\| \`odd\` &lt;b>" in markdown  # the third label, in its row


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", r"a\|b"),
        ("- x", r"\- x"),
        ("up-to-date #1", "up-to-date #1"),
        ("<b>&amp;", "&lt;b>&amp;amp;"),
        ("a\nb\x00\u202ec", "a b  c"),
    ],
)
def test_text_is_plain_in_markdown(text, expected):
    assert card.plain(text) == expected


def test_intervals_are_those_of_the_scores(untrained):
    by_type = {score.type: score for score in card_scores.scores(untrained)}
    test = untrained.metrics["test"]
    assert by_type["accuracy"].low == test.accuracy_low
    # Six texts, the right label has 0.8 five times and 0.1 once.
    losses = -np.log([0.8] * 5 + [0.1])
    loss = by_type["log_loss"]
    assert loss.value == pytest.approx(losses.mean(), abs=1e-6)
    reach = 1.96 * losses.std() / np.sqrt(6)
    assert loss.high - loss.value == pytest.approx(reach, abs=1e-6)
    f1 = by_type["f1"]
    assert 0 < f1.low < f1.value < f1.high <= 1
    assert card_scores.macro_f1(
        np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]])
    ) == pytest.approx((2 * 2 / 5 + 2 * 1 / 3) / 2)


# The models themselves.


@pytest.mark.slow
def test_any_two_options_meet_in_the_pairwise_cover():
    met = set().union(*map(exports.pairs, exports.pairwise()))
    assert met == set().union(*map(exports.pairs, exports.GRID))
    assert len(exports.pairwise()) < len(exports.GRID) / 3


@pytest.mark.slow
def test_every_format_agrees_with_its_run(tmp_path):
    names = [name for name in FORMATS if not FORMATS[name].is_lossy]
    rows = list(exports.checked(tmp_path, exports.pairwise(), names))
    assert [list(row.agreements) for row in rows] == [names] * len(rows)
    for row in rows:  # beyond the bounds, which raise: these models are tiny
        for name, agreement in row.agreements.items():
            assert agreement.greatest_difference < 2e-6, (row.options, name)
            assert agreement.label_agreement == 1.0
            assert agreement.texts >= 200


@pytest.fixture(scope="module")
def everything(workplace, tmp_path_factory):
    """The finished run in every format, through the command line; read only."""
    folder = tmp_path_factory.mktemp("served")
    asked = ["--format=all", "--quantize=int8", f"--output={folder}", "--license=mit"]
    result = exported(workplace, *asked)
    assert result.exit_code == 0, result.output
    return folder, result.stdout


@pytest.mark.slow
def test_all_formats_stand_in_one_table(everything):
    folder, shown = everything
    assert {p.name for p in folder.iterdir()} == set(FORMATS)
    for name in FORMATS:
        assert re.search(rf"{name}\s*│\s*[\d,]+ │ +\d\.\de-\d\d │", shown), name


@pytest.mark.slow
def test_a_run_with_a_convolution_is_written_in_every_format(workplace, tmp_path):
    data = f"--data={workplace / 'reviews'}"
    asked = ["train", "--cell=lstm", "--conv-width=4", "--layers=2", data, *TINY]
    done = run_cli(asked, tmp_path)
    assert done.returncode == 0, done.stderr
    result = invoke(
        "export", "reviews-lstm-0", "--format=all", "--quantize=int8",
        f"--output={tmp_path / 'out'}", f"--models-dir={tmp_path / 'models'}",
        f"--cache-dir={tmp_path / 'data' / 'cache'}",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    for name in FORMATS:  # each was compared with the run before it stood there
        assert (tmp_path / "out" / name / "export.json").is_file()
    markdown = (tmp_path / "out" / "litert" / "README.md").read_text()
    assert re.search(r"\| conv width \| +4 +\|", markdown)


def expected_of(finished_run: Run, some: list[str]) -> np.ndarray:
    return Classifier.open(finished_run).predict_proba(some)


@pytest.mark.slow
def test_a_saved_model_moves_takes_ids_and_needs_no_gpu(
    everything, finished_run, tmp_path
):
    import tensorflow as tf

    moved = tmp_path / "elsewhere" / "model"
    shutil.copytree(everything[0] / "saved_model" / "1", moved)
    model = tf.saved_model.load(str(moved))
    assert not any((moved / "assets").glob("*"))
    some = ["very good film", "", "dull and poor and awful"]
    answer = model.signatures["serving_default"](text=tf.constant(some))
    expected = expected_of(finished_run, some)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    rows = ids_of(some, finished_run.vocabulary, finished_run.config.text)
    width = max(map(len, rows)) + 3
    ids = np.array([row + [0] * (width - len(row)) for row in rows], np.int32)
    of_ids = model.signatures["token_ids"](token_ids=tf.constant(ids))
    np.testing.assert_allclose(of_ids["probabilities"], expected, atol=1e-6)
    best = [finished_run.labels[i].encode() for i in expected.argmax(axis=1)]
    assert answer["label"].numpy().tolist() == best
    assert of_ids["label"].numpy().tolist() == best
    none = model.signatures["serving_default"](text=tf.constant([], tf.string))
    assert none["probabilities"].shape == (0, len(finished_run.labels))
    kinds = formats.operations(moved)
    assert "While" in kinds or "StatelessWhile" in kinds
    assert not any(kind.startswith("Cudnn") for kind in kinds)


@pytest.mark.slow
def test_a_graph_with_cudnn_is_refused(tmp_path):
    import tensorflow as tf

    def on_a_gpu(x):
        return tf.raw_ops.CudnnRNNV3(
            input=x, input_h=x[:1], input_c=0.0, params=x[0, 0],
            sequence_lengths=tf.constant([1]), rnn_mode="rnn_tanh",
        )[0]  # fmt: skip

    module = tf.Module()
    specification = tf.TensorSpec([None, None, 3], tf.float32)
    module.call = tf.function(on_a_gpu, input_signature=[specification])
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(RunError, match="CudnnRNNV3, which runs on a GPU alone"):
        formats.refuse_cudnn(tmp_path)


@pytest.mark.slow
def test_a_litert_file_has_built_in_operators_alone(everything):
    from seqclf.private import litert_operators

    content = (everything[0] / "litert" / "model.tflite").read_bytes()
    found = litert_operators(content)
    assert {"WHILE", "FULLY_CONNECTED", "SOFTMAX"} <= found
    formats.refuse_flex(found)


def test_the_lengths_of_litert_halve_down_to_32():
    lengths = formats.litert_lengths(1000)
    assert list(lengths.values()) == [1000, 500, 250, 125, 63, 32]
    assert list(lengths)[::5] == ["serving_default", "tokens_32"]
    assert formats.litert_lengths(7) == {"serving_default": 7}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # that it moves to a package
def test_a_litert_file_has_its_weights_once_and_any_length_that_fits(
    everything, finished_run
):
    import keras
    import tensorflow as tf

    content = (everything[0] / "litert" / "model.tflite").read_bytes()
    model = keras.saving.load_model(everything[0] / "keras" / "model.keras")
    assert content.count(model.get_layer("embedding").get_weights()[0].tobytes()) == 1
    interpreter = tf.lite.Interpreter(model_content=content)
    longest = finished_run.text.max_length
    # What an interpreter without signatures sees holds every text.
    assert list(interpreter.get_input_details()[0]["shape"]) == [1, longest]
    names = formats.litert_lengths(longest)
    assert set(interpreter.get_signature_list()) == set(names)
    assert len(names) > 1
    text = "good and fine film"
    [row] = ids_of([text], finished_run.vocabulary, finished_run.text)
    expected = expected_of(finished_run, [text])
    for name, length in names.items():
        ids = np.array([row + [0] * (length - len(row))], np.int32)
        answer = interpreter.get_signature_runner(name)(token_ids=ids)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


def test_foreign_litert_operators_are_refused():

    with pytest.raises(RunError, match="FlexTensorListReserve, which the plain"):
        formats.refuse_flex({"WHILE", "FlexTensorListReserve"})


@pytest.mark.slow
def test_stock_keras_opens_the_file_and_finds_stock_layers(everything):
    import keras

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = keras.saving.load_model(
            everything[0] / "keras" / "model.keras", compile=False, safe_mode=True
        )
    assert getattr(model, "optimizer", None) is None
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}


@pytest.mark.slow
def test_a_keras_file_of_other_weights_is_an_error(finished_run, tmp_path):
    import keras

    run = Run(tmp_path / "run")
    shutil.copytree(finished_run.path, run.path)
    model = keras.saving.load_model(run.path / "model.keras", compile=False)
    model.set_weights([weights * 1.01 for weights in model.get_weights()])
    model.save(run.path / "model.keras")
    seal(run.path)
    places = {"keras": tmp_path / "out"}
    with pytest.raises(RunError, match="keras differs from the run"):
        list(artefacts.export(run, places, About(), tmp_path))
    assert {p.name for p in tmp_path.iterdir()} == {"run"}
