"""One table over data sets: what is read, what counts, what may be said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pages
import pyarrow as pa
import pytest
from asked import Silent
from conftest import run_in, seal
from pyarrow import parquet
from test_comparison import copy

from seqclf import statistics
from seqclf.comparison import rows
from seqclf.config import RunConfig
from seqclf.data.load import GENERATED
from seqclf.errors import RunError
from seqclf.records.comparison import ComparisonResult, ModelPair, Pair
from seqclf.records.dataset import DatasetInfo
from seqclf.records.plain import to_plain
from seqclf.records.side_by_side import ToldApart
from seqclf.records.twins import TwinCard
from seqclf.steps import Target
from seqclf.storage import write_json
from seqclf.studies import saved, wins
from seqclf.studies.question import Question
from seqclf.workflows.study import run_study


def comparison(
    models: Path, name: str, difference: float, *, seeds: int = 3, **more: object
) -> None:
    """Writes a finished comparison in which the better cell stands first."""
    a, b = ("gru", "lstm") if difference >= 0 else ("lstm", "gru")
    size = abs(difference)
    p = more.get("p", 0.5) if seeds > 1 else None
    around = {"low": size - 0.01, "high": size + 0.02}
    model = ModelPair(
        seed=0, only_a=9, only_b=4, difference=size, mcnemar_p=0.5, **around
    )
    pair = Pair(
        a=a, b=b, seeds=tuple(range(seeds)), difference=size, p=p, models=(model,),
        mcnemar_p=(0.5,), **(around if seeds > 1 else {}),
    )  # fmt: skip
    accuracies = {"gru": 0.8 + difference, "lstm": 0.8}
    dataset = DatasetInfo(
        name=name.removesuffix("-compare"),
        fingerprint=str(more.get("fingerprint", name)),
        source=more.get("source", f"{name}.csv"),
        labels=(),
        sizes={},
    )
    result = ComparisonResult(
        rows=tuple(pages.twin(cell, mean, 1.0) for cell, mean in accuracies.items()),
        pairs=(pair,),
        verdict="–",
        card=TwinCard(
            equal={}, different=(), dataset=dataset,
            chosen=tuple(more.get("chosen", ())),
        ),
    )  # fmt: skip
    folder = models / name
    folder.mkdir(parents=True)
    write_json(folder / "comparison.json", to_plain(result))
    seal(folder, command="compare")


def test_signs_are_turned_to_gru_over_lstm(tmp_path):
    comparison(tmp_path, "ahead-compare", 0.02)
    comparison(tmp_path, "behind-compare", -0.03)
    (ahead, behind), _ = wins.compared(tmp_path)
    assert (ahead.difference, ahead.low, ahead.high) == (
        0.02, pytest.approx(0.01), pytest.approx(0.04),
    )  # fmt: skip
    assert behind.difference == -0.03
    assert behind.low == pytest.approx(-0.05)
    assert behind.high == pytest.approx(-0.02)
    assert behind.gru == pytest.approx(0.77)


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ((0.04, 0.05, 0.06, 0.05, 0.045), "GRU is ahead."),
        ((-0.04, -0.05, -0.06, -0.05, -0.045), "LSTM is ahead."),
        ((0.001, -0.002, 0.0, 0.002, -0.001) * 4, "practically equal, within 1 point."),
        ((0.05, -0.04), "not decided."),
    ],
)
def test_the_data_sets_are_put_together(tmp_path, differences, words):
    for number, difference in enumerate(differences):
        comparison(tmp_path, f"a{number}", difference)
    rows, _ = wins.compared(tmp_path)
    findings = wins.count(rows)
    errors = [(row.high - row.low) / 2 / 1.959964 for row in rows]
    expected = statistics.overall([row.difference for row in rows], errors)
    assert findings.overall.mean == pytest.approx(expected.mean)
    bounds = findings.overall.low, findings.overall.high
    assert bounds == pytest.approx(expected.interval())
    assert words in wins.sentence(findings)
    signs = [sum(d > 0 for d in differences), sum(d < 0 for d in differences)]
    assert [findings.first, findings.second] == signs
    assert findings.ties == len(differences) - sum(signs)


def test_one_data_set_says_nothing_of_others(tmp_path):
    comparison(tmp_path, "a", 0.05, p=0.001)
    findings = wins.count(wins.compared(tmp_path)[0])
    assert findings.overall is None
    assert "That says nothing of other data sets." in wins.sentence(findings)


def test_a_data_set_counts_once_and_the_outcome_does_not_choose(tmp_path):
    comparison(tmp_path, "x-compare", 0.01, seeds=5, fingerprint="x")
    comparison(tmp_path, "x-compare-2", -0.05, seeds=3, fingerprint="x")
    comparison(tmp_path, "y-compare-2", 0.01, fingerprint="y", chosen=["units"])
    comparison(tmp_path, "y-compare-3", -0.01, fingerprint="y")
    counting = [r.comparison for r in wins.compared(tmp_path)[0] if r.counts]
    assert counting == ["x-compare", "y-compare-3"]


def test_the_built_in_corpus_is_shown_and_does_not_count(tmp_path):
    comparison(tmp_path, "demo-compare", 0.02, source=GENERATED)
    rows, _ = wins.compared(tmp_path)
    findings = wins.count(rows)
    assert findings.data_sets == 0
    assert findings.overall is None
    assert "does not count" in wins.sentence(findings)
    assert wins.table(rows).rows[0][0] == "demo (not counted)"


def test_one_seed_tells_of_two_models_and_is_marked(tmp_path):
    comparison(tmp_path, "one-compare", 0.02, seeds=1)
    comparison(tmp_path, "two-compare", 0.03, seeds=3, p=0.01)
    rows, _ = wins.compared(tmp_path)
    findings = wins.count(rows)
    assert findings.told_apart == ToldApart(first=1, second=0, of=1)
    marked = {row[0]: row[4].endswith("*") for row in wins.table(rows).rows}
    assert marked == {"one": True, "two": False}
    assert findings.overall is None  # of two, one has several seeds
    assert "no part of the mean" in " ".join(wins.notes(rows, findings))


def test_the_answer_follows_the_comparisons(tmp_path):
    comparison(tmp_path / "models", "a-compare", 0.02)
    target = Target(tmp_path / "models", tmp_path / "cache")
    question = Question(config=RunConfig())
    answer, path = run_study("wins", question, target, Silent())
    assert answer.findings.first == 1
    assert saved.read(path) == answer
    svg = (path / saved.FIGURE_FILE).read_text()
    ElementTree.fromstring(svg)
    assert ">a<" in svg
    assert run_study("wins", question, target, Silent())[1] == path
    comparison(tmp_path / "models", "b-compare", -0.02)
    newer, other = run_study("wins", question, target, Silent())
    assert newer.findings.second == 1
    assert other != path
    assert not (tmp_path / "cache").exists()  # no data was loaded


def test_without_a_comparison_the_command_says_how_to_make_one(tmp_path):
    with pytest.raises(RunError, match="seqclf compare --data FILE"):
        wins.about(tmp_path)
    done = run_in(tmp_path, "study", "wins")
    assert done.exit_code == 1
    assert "seqclf compare" in done.stderr


def test_options_that_would_do_nothing_are_refused(tmp_path):
    done = run_in(tmp_path, "study", "wins", "--seeds=3", "--units=8")
    assert done.exit_code == 2
    assert "--seeds does nothing when wins takes no data and no recipe" in done.stderr


def test_a_comparison_by_ranks_has_no_interval_and_is_left_out(tmp_path):
    comparison(tmp_path, "a-compare", 0.02)
    comparison(tmp_path, "b-compare", 0.03)
    file = tmp_path / "a-compare" / "comparison.json"
    result = json.loads(file.read_text())
    result["pairs"][0] |= {"by": "ranks", "low": None, "high": None}
    write_json(file, result)
    seal(file.parent, command="compare")
    rows, left_out = wins.compared(tmp_path)
    assert [row.comparison for row in rows] == ["b-compare"]
    assert "a training of gru or lstm failed in it" in " ".join(left_out)


def test_a_damaged_comparison_is_named_and_stops_no_other(tmp_path):
    comparison(tmp_path, "a-compare", 0.02)
    (tmp_path / "a-compare" / "comparison.json").write_text("{}")
    with pytest.raises(RunError, match="a-compare"):
        wins.compared(tmp_path)
    comparison(tmp_path, "b-compare", 0.01)
    comparison(tmp_path, "old-compare", 0.03)
    file = tmp_path / "old-compare" / "comparison.json"
    result = json.loads(file.read_text())
    del result["pairs"][0]["models"], result["pairs"][0]["low"]
    write_json(file, result)
    seal(file.parent, command="compare")
    target = Target(tmp_path, tmp_path / "cache")
    answer, _ = run_study("wins", Question(config=RunConfig()), target, Silent())
    assert [row.comparison for row in answer.rows] == ["b-compare"]
    for name in ("a-compare", "old-compare"):
        assert any(f"{name} is left out" in note for note in answer.notes)


def flipped(run, folder, cell: str, seed: int, texts: int):
    """Copies a run as one of a cell that answers the first texts the other way."""
    run = copy(run, folder / f"reviews-{cell}-{seed}", model__cell=cell,
               training__seed=seed)  # fmt: skip
    file = run.path / "predictions" / "test.parquet"
    table = parquet.read_table(file)
    said = table["probabilities"].to_pylist()
    turned = [one[::-1] if i < texts else one for i, one in enumerate(said)]
    column = table.column_names.index("probabilities")
    typed = pa.array(turned, table.schema.field("probabilities").type)
    parquet.write_table(table.set_column(column, "probabilities", typed), file)
    seal(run.path)
    return run


def test_what_ranks_otherwise_is_judged_anew_by_accuracy(
    finished_run, tmp_path, monkeypatch
):
    monkeypatch.setattr(rows, "failed_seeds", lambda *_: ())
    runs = [flipped(finished_run, tmp_path, "gru", seed, seed) for seed in (0, 1)]
    runs += [flipped(finished_run, tmp_path, "lstm", seed, 5 + seed) for seed in (0, 1)]
    by_f1 = rows.compare_runs(runs, metric="macro-f1")
    folder = tmp_path / "reviews-compare"
    folder.mkdir()
    write_json(folder / "comparison.json", to_plain(by_f1))
    seal(folder, command="compare")
    ((found,), left_out) = wins.compared(tmp_path)
    (pair,) = rows.compare_runs(runs, metric="accuracy").pairs
    assert left_out == []
    assert abs(found.difference) == pytest.approx(pair.difference)
    assert found.p == pytest.approx(pair.p)
    assert by_f1.pairs[0].difference != pytest.approx(pair.difference)
    shutil.rmtree(runs[0].path)
    with pytest.raises(RunError, match="reviews-gru-0"):
        wins.compared(tmp_path)
