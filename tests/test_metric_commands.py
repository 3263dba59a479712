"""Imbalanced labels from the command line to the page: macro F1, and said so."""

from __future__ import annotations

import json

import pytest
from conftest import TINY, reviews, run_cli, write_csv

pytestmark = pytest.mark.slow


def test_imbalanced_labels_are_ranked_by_macro_f1_until_somebody_asks_otherwise(
    tmp_path,
):
    rows = [row for i, row in enumerate(reviews(420)) if i % 2 == 0 or i % 12 == 1]
    write_csv(tmp_path / "mail.csv", rows)
    asked = ["compare", "--data=mail.csv", "--cells=gru,lstm", "--seeds=2", *TINY,
             "--until-decided", "--max-seeds=2", "--json"]  # fmt: skip
    done = run_cli(asked, tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["metric"], found["pairs"][0]["metric"]) == ("macro-f1", "macro-f1")
    assert found["metric_why"] == "labels are imbalanced (86 % bad)"
    assert found["verdict"].startswith(
        "Labels are imbalanced (86 % bad): ranked by macro F1; --metric accuracy ranks "
        "by accuracy."
    )
    assert found["pairs"][0]["look"] == 1
    folder = tmp_path / "models" / "mail-compare"
    assert json.loads((folder / "question.json").read_text())["metric"] == "macro-f1"
    assert "Test macro F1 on the same" in (folder / "report.html").read_text("utf-8")
    # A finished comparison is shown as it was judged, and not otherwise.
    shown = run_cli(["compare", "mail-compare", "--json"], tmp_path)
    assert json.loads(shown.stdout) == found
    refused = run_cli(["compare", "mail-compare", "--metric=accuracy"], tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--metric does nothing when a finished comparison is shown" in refused.stderr
    # Its runs can be judged anew.
    runs = [f"mail-{cell}-{seed}" for cell in ("gru", "lstm") for seed in (0, 1)]
    done = run_cli(["compare", *runs, "--metric=accuracy", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["metric"], found["metric_why"]) == ("accuracy", "")
