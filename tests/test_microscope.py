"""The page in which one watches the twins: what it computes, holds and refuses."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pages
import pyarrow as pa
import pytest
from asked import Silent
from conftest import invoke, run_in_node
from made_up_twins import made_up_run, microscope, random_weights, small
from test_text import TABLE

from seqclf.cells import CELLS
from seqclf.comparison import typical
from seqclf.config import TextConfig
from seqclf.errors import RunError
from seqclf.explain import effects_of
from seqclf.export.microscope import artefact, twins, weights
from seqclf.export.microscope.page import core, network
from seqclf.export.microscope.sentences import sentences
from seqclf.export.portable import portable_rules
from seqclf.export.texts import NASTY, PEOPLE_WRITE
from seqclf.model.scoring import probabilities_of
from seqclf.offline import escaped
from seqclf.poolings import POOLINGS
from seqclf.steps import Target
from seqclf.studies.inside.gates_counted import activations, half_life
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import Vocabulary, encode_texts
from seqclf.workflows import compare as comparing

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import exports  # noqa: E402

IDS = ([5], [1, 2], [3, 9, 4, 4, 2, 7, 1, 8, 6, 5, 2], [1, 1, 1], [9, 8, 7, 6, 5, 4])


@pytest.fixture
def node(tmp_path):
    """Runs JavaScript behind the page's core; `asked` is given to it, `answer` back."""
    return functools.partial(run_in_node, tmp_path, core())


def data_of(model, values) -> dict[str, object]:
    return network(model, weights.packed(values, "float32"))


ANSWERS = """
const answer = asked.map(([twin, texts]) => {
  const opened = openTwin(twin);
  return texts.map((ids) => [...opened.read(ids).probabilities]);
});
"""


def by_onnx(model, values, texts=IDS) -> np.ndarray:
    predict = weights.predict_of(values, model)
    rows = [predict(np.array([ids], np.int32))[0] for ids in texts]
    return probabilities_of(np.array(rows))


def test_the_page_computes_what_the_networks_do(node):
    models = [
        small(**options)
        for options in exports.pairwise()
        if twins.has_steps(small(**options))
    ]
    assert len(models) >= 16
    made = [(model, random_weights(model)) for model in models]
    found = node(ANSWERS, [[data_of(*one), IDS] for one in made])
    for one, answers in zip(made, found, strict=True):
        np.testing.assert_allclose(answers, by_onnx(*one), atol=1e-5, err_msg=str(one))


@pytest.mark.slow
def test_the_page_computes_what_keras_does_in_every_kind_of_model(node):
    from seqclf.model.build import build_model

    asked, expected = [], []
    padded = np.zeros((len(IDS), max(map(len, IDS))), np.int32)
    for row, ids in zip(padded, IDS, strict=True):
        row[: len(ids)] = ids
    shown = [one for one in exports.GRID if twins.has_steps(small(**one))]
    for options in shown:
        model, rng = small(**options), np.random.default_rng(1)
        built = build_model(model, 10, 3, seed=0)
        drawn = [rng.normal(0, 0.5, one.shape) for one in built.get_weights()]
        built.set_weights(drawn)
        logits = np.asarray(built(padded, training=False))
        expected.append(probabilities_of(logits))
        asked.append([data_of(model, weights.weights_of(built, model)), IDS])
    assert len(asked) == 4 * len(POOLINGS) * 8
    np.testing.assert_allclose(node(ANSWERS, asked), expected, atol=1e-5)


def test_what_is_kept_of_an_earlier_reading_changes_nothing(node):
    kinds = itertools.product(("none", "rnn", "lstm"), (1, 2), (False, True), (None, 4))
    models = [
        small(cell=cell, layers=layers, bidirectional=both, conv_width=width)
        for cell, layers, both, width in kinds
    ]
    code = """
    const texts = [[2], [2, 3, 4, 5], [2, 3, 4, 5, 6], [7, 2, 3, 4, 5, 6],
      [7, 2, 3, 9, 4, 5, 6], [7, 2, 4, 5, 6], [4, 5, 6], [4, 5, 6], [6], [6, 6, 6, 6],
      [6, 6, 6], [6, 6, 6, 6, 6, 6, 6]];
    let steps = 0;
    for (const [name, step] of Object.entries(STEPS))
      STEPS[name] = (...given) => { steps += 1; return step(...given); };
    const answer = asked.map((twin) => {
      const opened = openTwin(twin);
      let old, saved = 0;
      const pairs = texts.map((ids) => {
        let before = steps;
        const fresh = opened.read(ids);
        saved += steps - before;
        before = steps;
        old = opened.read(ids, old);
        saved -= steps - before;
        return [[...old.probabilities], [...fresh.probabilities]];
      });
      return { pairs, saved };
    });
    """
    found = node(code, [data_of(model, random_weights(model)) for model in models])
    for model, one in zip(models, found, strict=True):
        assert all(kept == fresh for kept, fresh in one["pairs"]), model
        assert (one["saved"] > 0) == CELLS[model.cell].recurs


@pytest.mark.parametrize("both", [False, True])
def test_what_moved_the_answer_is_what_predict_explains(node, both):
    model = small(cell="gru", bidirectional=both)
    values = random_weights(model)
    ids = np.array(IDS[2], np.int32)
    expected = effects_of(weights.predict_of(values, model), ids, 3)
    code = """
    const twin = openTwin(asked[0]);
    const whole = twin.read(asked[1]);
    const work = effectsOf(twin, whole);
    let step = work.next();
    while (!step.done) step = work.next();
    const { label, effects, trace } = step.value;
    const running = whole.ids.map((_, t) => twin.cut(whole, t)[label]);
    const answer = { label, effects: [...effects], running, trace };
    """
    found = node(code, [data_of(model, values), ids.tolist()])
    assert found["label"] == expected.label
    np.testing.assert_allclose(found["effects"], expected.effects, atol=1e-6)
    np.testing.assert_allclose(found["running"], expected.running, atol=1e-6)
    assert found["trace"]["left"][0] == 1
    assert len(found["trace"]["left"]) == len(ids) // 2 + 1


def test_a_trace_is_gone_where_nothing_is_carried_on(node):
    model = small(cell="rnn", bidirectional=False)
    values = random_weights(model)
    values["recurrent_0.forward.recurrent"][:] = 0
    code = """
    const twin = openTwin(asked[0]);
    const work = effectsOf(twin, twin.read(asked[1]));
    let step = work.next();
    while (!step.done) step = work.next();
    const answer = [step.value.trace, traceOf([2, 1.2, 0.9, 0], [2, 2, 2, 0]),
      traceOf([1, 0.9], [1, 1])];
    """
    own, by_hand, endless = node(code, [data_of(model, values), IDS[4]])
    assert own == {"left": [1, 0, 0, 0], "half": 1}
    assert by_hand == {"left": [1, 0.6, 0.45], "half": 2}
    assert endless["half"] is None


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_gates_and_half_lives_are_those_of_the_study(node, cell):
    model = small(cell=cell, bidirectional=False)
    values = random_weights(model)
    ids = IDS[2]
    parts = [
        values[f"recurrent_0.forward.{n}"] for n in ("kernel", "recurrent", "bias")
    ]
    inputs = values["embedding"][list(ids)][None]
    expected = activations(cell, parts, inputs, np.ones((1, len(ids)), bool))
    code = """
    const twin = openTwin(asked[0]);
    const [steps] = twin.read(asked[1]).layers[0].directions;
    const all = Object.fromEntries(twin.values.map(
      (name) => [name, steps.map((step) => [...step[name]])]));
    const answer = [all, [...halfLives(steps, twin.keeps)]];
    """
    found, lives = node(code, [data_of(model, values), ids])
    assert set(found) == {*CELLS[cell].inside.gates, *CELLS[cell].inside.states}
    for name, one in found.items():
        np.testing.assert_allclose(one, expected[name][0], atol=1e-6, err_msg=name)
    kept = expected[CELLS[cell].inside.keeps][0]
    np.testing.assert_allclose(lives, np.sort(half_life(kept)), rtol=1e-6)


@pytest.mark.parametrize("kind", ["word", "char", "subword"])
def test_the_page_reads_the_same_tokens(node, kind):
    config = TextConfig(max_length=7, tokens=kind, keep="both").reading
    config = dataclasses.replace(config, max_length=7)
    ordinary = [text for text, _ in TABLE]
    texts = [*ordinary, *PEOPLE_WRITE, *(text[:3000] for text in NASTY)]
    words = tokenize(pa.array(texts[::2]), kind)
    known = {piece for word in words.tokens.to_pylist() for piece in (word, word[:3])}
    vocabulary = Vocabulary(("[PAD]", "[UNK]", *sorted(known)))
    code = """
    const read = openText(asked[0], asked[1]);
    const answer = asked[2].map((text) => read(text).ids);
    """
    tokens = vocabulary.tokens
    found = node(code, [portable_rules(config), tokens, texts])
    ids, offsets = encode_texts(pa.array(texts), vocabulary, config)
    expected = [ids[a:b].tolist() for a, b in itertools.pairwise(offsets)]
    assert found == expected
    assert len({len(one) for one in found}) == 7  # of 1 to 7 tokens


# What the page holds.


def test_weights_come_back_as_they_were_or_within_half_a_step():
    model = small(cell="lstm", conv_width=3, pooling="attention")
    values = random_weights(model)
    values["embedding"][3] = 0
    exact = weights.unpacked(weights.packed(values, "float32"))
    coarse = weights.unpacked(weights.packed(values, "int8"))
    for name, one in values.items():
        assert exact[name].dtype == np.float32
        np.testing.assert_array_equal(exact[name], one)
        if name != "embedding":
            np.testing.assert_array_equal(coarse[name], one)
    steps = np.abs(values["embedding"]).max(axis=1, keepdims=True) / 127
    moved = np.abs(coarse["embedding"] - values["embedding"])
    assert (moved <= steps / 2 + 1e-7).all()
    assert moved.max() > 0
    assert weights.bytes_of({"a": np.zeros(3, np.float32)}) == 16


def test_vectors_in_8_bits_are_read_by_the_page(node):
    model = small(cell="gru")
    coarse = weights.packed(random_weights(model), "int8")
    found = node(ANSWERS, [[network(model, coarse), IDS]])
    expected = by_onnx(model, weights.unpacked(coarse))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_words_and_labels_do_not_end_the_data():
    bad = ("</script><script>alert(1)</script>", "<!--", "]]>", "\u2028&amp;")
    html = microscope([small(cell="gru")], words=bad, labels=("</script>", "b", "c"))
    assert html.count("</script") == html.count("<script") == 2
    start = html.index('id="data">') + len('id="data">')
    data = json.loads(html[start : html.index("</script>", start)])
    assert data["vocabulary"][2:] == list(bad)
    assert data["labels"][0] == "</script>"
    assert json.loads(escaped(bad)) == list(bad)


def test_sentences_are_those_that_the_twins_disagree_on():
    answers = [[0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0]]
    lengths = np.array([6, 6, 6, 60, 2, 30])
    runs = [
        made_up_run(
            has_scores=True,
            predictions=lambda split, row=row: SimpleNamespace(
                lengths=lengths, label_ids=np.array([0, 1, 0, 1, 0, 1]),
                answers=np.array(row),
            ),
        )
        for row in answers
    ]  # fmt: skip
    own = SimpleNamespace(texts=lambda split: pa.array([f"text {i}" for i in range(6)]))
    found = sentences(runs, own)
    assert [one.text for one in found] == ["text 0", "text 1", "text 2", "text 5"]
    assert [one.label for one in found] == ["bad", "good", "bad", "good"]
    assert sentences([made_up_run()], own) == []


# What it refuses.


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"words": ("x", "y")}, r"their vocabularies differ \(10 and 4 tokens\)"),
        ({"labels": ("a", "b")}, "labels: bad, good, so so and a, b"),
        ({"model": small(cell="lstm", pooling="mean")}, "pooling: max and mean"),
        ({"text": TextConfig(max_length=9).reading}, "tokens read: 100 and 22"),
        (
            {"text": TextConfig(max_length=40, keep="head").reading},
            "keep: both and hea",
        ),
        ({"is_linear": True}, "two is a linear model"),
    ],
)
def test_runs_that_do_not_fit_are_refused_by_what_differs(other, said):
    with pytest.raises(RunError, match=said):
        twins.refuse_unfit([made_up_run("one"), made_up_run("two", **other)])


def test_runs_that_fit_may_differ_in_cell_width_and_direction():
    model = dataclasses.replace(small(cell="lstm"), units=9, bidirectional=False)
    twins.refuse_unfit([made_up_run("one"), made_up_run("two", model)])
    with pytest.raises(RunError, match="named twice"):
        twins.refuse_unfit([made_up_run(), made_up_run()])


def test_what_the_page_does_not_know_is_refused_by_its_name(monkeypatch):
    dense = made_up_run(model=small(cell="dense"))
    with pytest.raises(RunError, match="cell dense, which has no description"):
        twins.refuse_unfit([dense])
    inside = dataclasses.replace(CELLS["gru"].inside, script=None)
    for without in (None, inside):
        cell = dataclasses.replace(CELLS["gru"], inside=without)
        monkeypatch.setitem(CELLS, "gru", cell)
        with pytest.raises(RunError, match="cell gru, which has no description"):
            twins.refuse_unfit([made_up_run()])
    monkeypatch.undo()
    pooling = dataclasses.replace(POOLINGS["max"], script=None)
    monkeypatch.setitem(POOLINGS, "max", pooling)
    with pytest.raises(RunError, match="pooling max, which has no description"):
        twins.refuse_unfit([made_up_run()])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a", "b", "--format=onnx"], "onnx is of one run, got 2"),
        (["a", "b", "--run=c", "--format=page"], "--run c names a run beside others"),
        (["a", "--format=page", "--format=onnx"], "export it alone"),
        (["a", "--format=page", "--format=all"], "export it alone"),
        (["a", "--format=page", "--quantize=int8"], "--quantize does nothing"),
        (["a", "--format=page", "--license=mit"], "--license does nothing"),
        (["a", "--format=page", "--language=en"], "--language does nothing"),
        (["--format=page"], "export takes a run"),
    ],
)
def test_wrong_usage_is_refused(arguments, said):
    result = invoke("export", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_page_beside_nothing_is_refused():
    result = invoke("compare", "a", "b", "--page")
    assert result.exit_code == 2
    assert "give --name" in result.output


def test_the_typical_run_is_the_nearest_to_the_median(monkeypatch):
    losses = {"a-0": 0.9, "a-1": 0.2, "a-2": 0.4, "b-0": 0.5, "b-1": 0.7}
    gone = {"b-1"}

    @dataclasses.dataclass(frozen=True)
    class Saved:
        path: Path

        @property
        def is_finished(self):
            return self.path.name not in gone

        @property
        def validation_loss(self):
            return losses[self.path.name]

    monkeypatch.setattr(typical, "Run", Saved)
    rows = [SimpleNamespace(runs=(f"models/{c}-0", f"x/{c}-1")) for c in "ab"]
    rows[0].runs += ("models/a-2",)
    result = SimpleNamespace(twins=rows, card=SimpleNamespace(vary="seed"))
    chosen = typical.typical_runs(result, Path("here"))
    assert [run.path for run in chosen] == [Path("here/a-2"), Path("here/b-0")]
    gone.add("b-0")
    with pytest.raises(RunError, match="no longer there"):
        typical.typical_runs(result, Path("here"))


@pytest.mark.slow
def test_a_twin_that_differs_too_much_is_refused(finished_run):
    values = random_weights(finished_run.config.model, len(finished_run.vocabulary), 2)
    with pytest.raises(RunError, match="would differ in the page by"):
        artefact.compared(finished_run, values, ["a good film"], 1e-5)


# Beside a comparison.


def test_a_report_links_to_the_microscope_beside_it(tmp_path, monkeypatch):
    heard, result = Silent(), pages.comparison()
    target = Target(tmp_path, tmp_path / "cache")
    report = tmp_path / "report.html"
    chosen = [made_up_run("a-0"), made_up_run("b-0")]
    monkeypatch.setattr(comparing, "typical_runs", lambda result, models: chosen)

    def write(runs, file, cache):
        assert (runs, cache) == (chosen, target.cache)
        file.write_text("it")

    monkeypatch.setattr(comparing, "write_microscope", lambda *given: 1 / 0)
    comparing.write_pages(tmp_path, result, target, heard, True)
    assert "No " in heard.notes[0]
    assert "microscope.html could be written: ZeroDivisionError" in heard.notes[0]
    assert "microscope.html" not in report.read_text("utf-8")
    monkeypatch.setattr(comparing, "write_microscope", write)
    comparing.write_pages(tmp_path, result, target, heard, True)
    assert heard.notes[-1].endswith("with the vocabulary and a-0, b-0.")
    assert '<a href="microscope.html">' in report.read_text("utf-8")


def test_a_twin_that_has_no_steps_is_left_out_and_named(tmp_path, monkeypatch):
    dense = made_up_run("d-0", small(cell="dense"))
    gru, shown, heard = made_up_run("g-0"), [], Silent()
    monkeypatch.setattr(comparing, "typical_runs", lambda *given: [dense, gru])
    monkeypatch.setattr(
        comparing, "write_microscope", lambda *given: shown.append(given)
    )
    target = Target(tmp_path, tmp_path / "cache")
    comparing.write_pages(tmp_path, pages.comparison(), target, heard, True)
    [(runs, *_)] = shown
    assert runs == [gru]
    assert "d-0 has no steps to show there." in heard.notes


@pytest.mark.parametrize("given", [[], ["--page"]])
def test_the_option_reaches_the_comparison(given, monkeypatch):
    asked = []

    def compare_twins(*arguments, cluster):
        asked.append(arguments[-1])
        raise RunError("enough")

    monkeypatch.setattr(comparing, "compare_twins", compare_twins)
    assert invoke("compare", *given).exit_code == 1
    assert asked == [bool(given)]


# As a whole.


@pytest.mark.slow
def test_a_page_is_written_found_again_and_not_replaced_unasked(
    workplace, tmp_path, monkeypatch
):
    place = tmp_path / "page"
    folders = [f"--models-dir={workplace / 'models'}", f"--output={place}"]
    folders += [f"--cache-dir={workplace / 'data' / 'cache'}"]
    asked = ("export", "reviews-gru-0", *folders, "--json")
    first = invoke(*asked, "--format=microscope")
    assert first.exit_code == 0, first.output
    [record] = json.loads(first.stdout)
    assert record["vectors"] == "float32"
    assert record["own_texts"] == 48
    assert record["sentences"] == 10
    assert "10 texts of the test split" in " ".join(first.stderr.split())
    [twin] = record["twins"]
    assert twin["greatest_difference"] <= record["bound"] == 1e-5
    assert twin["other_labels"] == 0
    assert twin["texts"] >= 200
    assert {one.name for one in place.iterdir()} == {"microscope.html", "export.json"}
    assert (place / "microscope.html").stat().st_size == record["bytes"]
    again = invoke(*asked, "--format=page")
    assert json.loads(again.stdout) == [record]
    assert "of these runs: reused" in again.stderr

    monkeypatch.setattr(artefact, "MOST_CHARACTERS", 0)
    small = invoke(*asked, "--format=page", "--overwrite")
    [coarse] = json.loads(small.stdout)
    assert coarse["vectors"] == "int8"
    assert coarse["bytes"] < record["bytes"]
    assert 0 < coarse["twins"][0]["greatest_difference"] <= coarse["bound"] == 0.05
    html = place / "microscope.html"
    html.write_text(html.read_text("utf-8") + "x", "utf-8")
    damaged = invoke(*asked, "--format=page")
    assert damaged.exit_code == 1
    assert "its files are not as they were written" in " ".join(damaged.output.split())
    (place / "export.json").write_text("{}")
    foreign = invoke(*asked, "--format=page", "--overwrite")
    assert "exists and is no microscope" in " ".join(foreign.output.split())
