"""Kills trainings for real; `make kills` does it at many more moments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import kills

pytestmark = pytest.mark.slow


def test_killed_trainings_go_on_to_the_same_numbers(tmp_path):
    results = list(kills.campaign(["gru"], 8, tmp_path))
    assert len(results) == 8
    assert [(one.moment, one.differing) for one in results if one.differing] == []
    assert "a checkpoint" in {one.state for one in results}


def test_a_killed_language_model_goes_on_to_the_same_numbers(tmp_path):
    results = list(kills.campaign(["gru --pretrain=lm"], 3, tmp_path))
    assert [(one.moment, one.differing) for one in results] == [
        (moment, ()) for moment, _ in kills.PLANTED_BEFORE
    ]
    assert [one.state for one in results] == ["no checkpoint", *["a checkpoint"] * 2]


def test_a_difference_would_be_seen(tmp_path):
    kills.write_reviews(tmp_path)
    process = kills.train(tmp_path, "none")
    assert process.communicate()[1]
    assert process.returncode == 0
    run = tmp_path / "models" / "run"
    expected = kills.numbers(run)
    for name in ("metrics.json", "model.onnx"):
        (run / name).write_bytes((run / name).read_bytes().replace(b"1", b"2", 1))
        assert kills.numbers(run)[name] != expected[name]
