"""Which trainings count as failed, and that every comparison says so."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from conftest import seal
from test_comparison import copy
from test_report import of, row

from seqclf.comparison.rows import compare_runs
from seqclf.evaluation.failed import failed_seeds
from seqclf.report.sentences import failed_said
from seqclf.report.tables import closing, markdown
from seqclf.storage import write_json


def with_accuracies(finished_run, folder, accuracies):
    """Copies a run for each validation accuracy; 20 of 40 texts have either label."""
    runs = []
    for seed, accuracy in enumerate(accuracies):
        run = copy(finished_run, folder / f"s{seed}", training__seed=seed)
        values = json.loads((run.path / "metrics.json").read_text())
        for label in values["validation"]["per_label"]:
            label["support"] = 20
        values["validation"] |= {"n": 40, "accuracy": accuracy}
        write_json(run.path / "metrics.json", values)
        seal(run.path)
        runs.append(run)
    return runs


@pytest.mark.parametrize(
    ("accuracies", "failed"),
    [
        ([0.9], ()),
        ([0.5], (0,)),  # guessing
        ([0.9, 0.92, 0.5], (2,)),
        ([0.9, 0.9, 0.69], (2,)),  # 19 points over chance, where the median has 40
        ([0.9, 0.9, 0.71], ()),
        ([0.5, 0.45, 0.5], (0, 1, 2)),
        ([0.52, 0.54, 0.53], ()),  # weak, and all alike: a result
        ([0.45, 0.45, 0.6], (0, 1)),  # a median below chance excuses nothing
    ],
)
def test_a_failed_training_is_one_without_half_its_cell_s_lead(
    accuracies, failed, finished_run, tmp_path
):
    runs = with_accuracies(finished_run, tmp_path, accuracies)
    assert failed_seeds(runs) == failed
    [found] = [one for one in compare_runs(runs).rows if one.kind == "twin"]
    assert found.failed == failed
    one = found.accuracy
    assert (one.low is None, one.high is None, one.median is None) == (
        bool(failed), bool(failed), not failed,
    )  # fmt: skip
    assert (one.of_others is None) == (len(failed) in (0, len(accuracies)))


def test_every_comparison_says_how_many_failed():
    gru, rnn = (row(cell, runs=3, failed=()) for cell in ("gru", "rnn"))
    assert failed_said(of(gru, rnn)) == "Failed trainings: none of 6."
    some = of(gru, replace(rnn, failed=(2,)))
    assert failed_said(some).startswith("Failed trainings: SimpleRNN, seed 2. On valid")
    more = of(replace(gru, failed=(0,)), replace(rnn, failed=(0, 2)))
    assert ": GRU, seed 0; SimpleRNN, seeds 0 and 2. On" in failed_said(more)
    for text in (closing(more), markdown(more)):
        assert failed_said(more) in text
    # Comparisons of before do not know.
    assert failed_said(of(replace(gru, failed=None))) == ""
    assert "Failed" not in closing(of(replace(gru, failed=None)))
