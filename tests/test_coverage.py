"""Accuracy on the surest texts: by hand, against a plain loop, and at the ties."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import invoke

from seqclf.evaluation.coverage import _least, coverage_of, covered, reaching
from seqclf.metrics import wilson
from seqclf.report.scores import (
    answered_said,
    coverage_table,
    reaching_said,
    threshold,
)


def of(sure: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Label ids and probabilities of two labels; label 0 is always the answer."""
    high = np.array(sure, np.float32)
    return (~np.array(right)).astype(int), np.stack([high, 1 - high], axis=1)


def test_figures_are_those_worked_out_by_hand():
    # From the surest: right, wrong, right, right, wrong.
    right = [True, True, False, False, True]
    found = coverage_of(*of([0.7, 0.95, 0.9, 0.6, 0.8], right))
    shares = [round(one.coverage, 9) for one in found.surest]
    assert shares == [1, 1, 0.8, 0.8, 0.6, 0.6, 0.4, 0.4, 0.2, 0.2]
    assert [one.n for one in found.surest] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    by_hand = [3 / 5, 3 / 5, 3 / 4, 3 / 4, 2 / 3, 2 / 3, 1 / 2, 1 / 2, 1, 1]
    assert [one.accuracy for one in found.surest] == pytest.approx(by_hand)
    assert [one.at_least for one in found.surest[::2]] == pytest.approx(
        [0.6, 0.7, 0.8, 0.9, 0.95]
    )
    low, high = wilson(3, 4)
    assert (found.surest[2].accuracy_low, found.surest[2].accuracy_high) == (low, high)
    # Errors of the surest 1, 2, 3, 4, 5: none, 1/2, 1/3, 1/4, 2/5.
    assert found.aurc == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4 + 2 / 5) / 5)


def by_loops(label_ids: np.ndarray, probabilities: np.ndarray) -> float:
    """The area, as its definition reads: each text's own probability is a threshold."""
    risks = []
    for row in probabilities:
        chosen = [
            other.argmax() != label
            for other, label in zip(probabilities, label_ids, strict=True)
            if other.max() >= row.max()
        ]
        risks.append(sum(chosen) / len(chosen))
    return sum(risks) / len(risks)


@pytest.mark.parametrize("digits", [1, 2, 7])
def test_ties_stand_or_fall_together(digits):
    rng = np.random.default_rng(digits)
    probabilities = rng.dirichlet([1, 1, 1], 83).round(digits).astype(np.float32)
    label_ids = rng.integers(3, size=83)
    found = coverage_of(label_ids, probabilities)
    assert found.aurc == pytest.approx(by_loops(label_ids, probabilities))
    order = rng.permutation(83)
    assert coverage_of(label_ids[order], probabilities[order]) == found
    sure = probabilities.max(axis=1)
    for one, share in zip(found.surest, np.arange(10, 0, -1) / 10, strict=True):
        # What --at-least would give, and no threshold above it covers as much.
        chosen = sure >= one.at_least
        assert covered(label_ids, probabilities, chosen) == one
        assert one.coverage == chosen.mean() >= share
        assert (sure > one.at_least).mean() < share


def test_equally_sure_texts_are_one_row(capsys):
    from rich.console import Console

    found = coverage_of(*of([0.8] * 4, [True, True, True, False]))
    assert {one.n for one in found.surest} == {4}
    assert found.aurc == 0.25
    Console(width=80).print(coverage_table(found, "A note."))
    shown = capsys.readouterr().out
    assert shown.count("100.0") == 1
    assert "0.800" in shown
    assert "A note." in shown


def test_a_threshold_that_is_shown_covers_its_texts():
    for sure in (0.5004, 0.7999, 0.6, 1.0, float(np.float32(0.9))):
        assert float(threshold(sure)) <= sure
        assert 0 < float(threshold(sure)) < 1
    assert threshold(1.0) == "0.999"


def test_no_text_may_be_sure_enough():
    label_ids, probabilities = of([0.6, 0.7], [True, True])
    assert covered(label_ids, probabilities, np.zeros(2, bool)) is None
    assert answered_said(None, 2, "0.9") == "With --at-least 0.9, all 2 are unsure."


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (47, 50), (198, 203)])
def test_the_bound_is_that_of_clopper_and_pearson(hits, n):
    from scipy.stats import binomtest

    exact = binomtest(hits, n, alternative="greater").proportion_ci(0.99, "exact")
    assert _least(hits, n, 0.01) == pytest.approx(exact.low, abs=1e-9)


def test_a_wanted_accuracy_holds_for_new_texts():
    # An answer of probability p is right with p: above t in (0.5, 1), (1 + t) / 2 are.
    rng, failures, covers = np.random.default_rng(0), 0, []
    for _ in range(60):
        sure = rng.uniform(0.5, 1, 1000)
        found = reaching(*of(sure, rng.uniform(size=1000) < sure), 0.85)
        if found is not None:
            covers.append(found.coverage)
            failures += (1 + found.at_least) / 2 < 0.85
    assert failures <= 0.05 * 60
    # Exactly 0.85 needs a threshold of 0.7, which covers 60 %.
    assert len(covers) > 55
    assert 0.3 < np.mean(covers) < 0.6


def test_an_accuracy_that_is_not_shown_has_no_threshold():
    label_ids, probabilities = of([0.9] * 40, [True] * 40)
    assert reaching(label_ids, probabilities, 0.85).n == 40
    assert reaching(label_ids, probabilities, 0.9) is None  # 0.005 ** (1 / 40) is less
    assert "No threshold" in reaching_said(None, 0.95)
    wrong = of([0.6, 0.9] * 200, [False, True] * 200)
    found = reaching(*wrong, 0.9)
    assert (found.n, found.accuracy) == (200, 1)
    assert "--at-least 0.8999" in reaching_said(found, 0.9)


def test_evaluate_tells_what_predict_would_answer(workplace, finished_run):
    from seqclf.data.dataset import TEST

    where = [f"--models-dir={workplace / 'models'}", f"--data={workplace / 'reviews'}"]
    plain = json.loads(invoke("evaluate", *where, "--json").stdout)
    assert "at_least" not in plain
    surest = plain["coverage"]["surest"]
    assert surest[0]["accuracy"] == plain["accuracy"]
    assert (surest[0]["coverage"], len(surest)) == (1, 10)
    at_least = surest[5]["at_least"]
    command = ["evaluate", *where, f"--at-least={at_least!r}"]
    said = json.loads(invoke(*command, "--json").stdout)
    assert said["answered"] == surest[5]
    assert said["at_least"] == {"every": at_least, "of_label": {}}
    found = finished_run.predictions(TEST)
    assert plain["coverage"]["aurc"] == pytest.approx(
        by_loops(found.label_ids, found.probabilities), abs=1e-3
    )
    shown = invoke(*command).stdout
    assert f"{surest[5]['n']} of {plain['n']} are answered" in shown
    assert "Where it is surest" in shown
    assert "choose by --split validation" in " ".join(shown.split())
    shown = invoke("evaluate", *where, "--split=validation").stdout
    assert "choose by" not in shown
    none = invoke("evaluate", *where, "--at-least=0.9999", "--json")
    assert json.loads(none.stdout)["answered"] is None


def test_a_wanted_accuracy_is_chosen_on_validation_alone(workplace):
    where = [f"--models-dir={workplace / 'models'}", f"--data={workplace / 'reviews'}"]
    command = ["evaluate", *where, "--wanted-accuracy=0.3"]
    refused = invoke(*command)
    assert refused.exit_code == 2
    assert "add --split validation" in refused.stderr
    said = json.loads(invoke(*command, "--split=validation", "--json").stdout)
    assert said["wanted_accuracy"] == 0.3
    assert said["reaching"] is None or said["reaching"]["accuracy"] > 0.3
    shown = invoke(*command, "--split=validation").stdout
    assert "an accuracy of 30 %" in shown
    for wrong in ("95", "0", "1"):
        asked = ["--split=validation", f"--wanted-accuracy={wrong}"]
        refused = invoke(*command[:-1], *asked)
        assert refused.exit_code == 2
        assert "a fraction between 0 and 1" in refused.stderr
