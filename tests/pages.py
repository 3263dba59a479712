"""A comparison with hostile texts and labels, for the tests of its page."""

from __future__ import annotations

from typing import Any

SCRIPT = "<script>document.title = 'owned'</script>"
IMAGE = '"><img src=x onerror="document.title = \'owned\'">'
CELLS = ("none", "rnn", "gru", "lstm")
LABELS = [IMAGE, "$\\alpha$ & <b>good</b>", "好评"]


def accuracy(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.02, "high": mean + 0.02,
            "least": mean - 0.01, "most": mean + 0.01}  # fmt: skip


def twin(cell: str, mean: float, cost: float) -> dict[str, Any]:
    return {
        "cell": cell, "kind": "recurrent", "seeds": [0, 1], "n": 1500,
        "runs": [f"models/x-{cell}-0", f"models/x-{cell}-1"],
        "accuracy": accuracy(mean), "macro_f1": mean, "log_loss": 1 - mean,
        "units": 128, "recurrent_parameters": int(1000 * cost),
        "parameters": int(10_000 + 1000 * cost), "seconds_per_epoch": cost,
        "seconds_to_best": 7 * cost, "tokens_per_second": 50_000 / (1 + cost),
        "milliseconds_per_prediction": 0.1 + cost, "peak_memory_bytes": 10**9,
        "kernel": "TensorFlow loop", "timed": "alone",
    }  # fmt: skip


def pair(a: str, b: str, difference: float) -> dict[str, Any]:
    models = [
        {"seed": seed, "only_a": 40, "only_b": 30, "difference": difference,
         "low": difference - 0.02, "high": difference + 0.02, "mcnemar_p": 0.2}
        for seed in (0, 1)
    ]  # fmt: skip
    return {
        "a": a, "b": b, "seeds": [0, 1], "difference": difference,
        "low": difference - 0.03, "high": difference + 0.03, "p": 0.04,
        "mcnemar_p": [0.2, 0.2], "models": models, "settled_by": None,
    }  # fmt: skip


def comparison() -> dict[str, Any]:
    """Returns what a `comparison.json` may hold."""
    baseline = {
        "cell": "tf-idf + logistic regression", "kind": "baseline", "n": 1500,
        "runs": ["models/x-baselines/tf-idf"], "parameters": None,
        "accuracy": accuracy(0.81), "macro_f1": 0.8, "log_loss": 0.4,
        "seconds_to_best": 2.0, "peak_memory_bytes": 3 * 10**8,
    }  # fmt: skip
    twins = [twin(c, 0.7 + 0.05 * i, 1.0 + i) for i, c in enumerate(CELLS)]
    trial = {"learning_rate": 0.001, "dropout_rate": 0.4, "units": 96,
             "validation_loss": 0.4, "validation_accuracy": 0.8}  # fmt: skip
    check = {"what": "vocabulary", "value": "ab12", "equal": True, "differing": [],
             "concerns": "scores"}  # fmt: skip
    return {
        "rows": [baseline, *twins],
        "pairs": [pair("lstm", "gru", 0.01), pair("lstm", "rnn", 0.05)],
        "references": [pair("lstm", "tf-idf + logistic regression", 0.04)],
        "verdict": f"LSTM is best. {SCRIPT}",
        "missing": {"x-rnn-2": SCRIPT},
        "tuning": {cell: {"trials": [trial, trial], "chosen": 2} for cell in CELLS},
        "command": f"seqclf compare --data '{SCRIPT}'",
        "date": "2026-01-02",
        "seconds": 12.0,
        "card": {
            "equal": {"data.source": SCRIPT, "model.units": 128},
            "different": ["model.cell"],
            "chosen": [],
            "dataset": {"name": IMAGE, "fingerprint": "beef"},
            "checks": [check, check | {"what": "data", "equal": False,
                                       "differing": [SCRIPT]}],
        },
    }  # fmt: skip


def details() -> dict[str, Any]:
    """Returns what a `details.json` may hold."""
    reach = {"accuracy": 0.8, "low": 0.7, "high": 0.9}
    groups = [("length", f"{n}–{n + 9} tokens") for n in (1, 10, 20)]
    groups += [("label", label) for label in LABELS]
    examples = [
        {
            "id": number, "text": f"{SCRIPT} word{number} {IMAGE}", "length": 9,
            "label": LABELS[number % 3], "only_right": CELLS[number % 4],
            "answers": {c: {"label": LABELS[0], "probability": 0.6} for c in CELLS},
        }
        for number in range(12)
    ]  # fmt: skip
    curve = {"seed": 0, "best_epoch": 2, "epochs": [1, 2, 3],
             "seconds": [1.0, 2.0, 3.0], "loss": [0.6, 0.5, 0.4],
             "validation_loss": [0.6, 0.5, 0.5],
             "validation_accuracy": [0.6, 0.7, 0.7]}  # fmt: skip
    shorter = {key: value[:2] if isinstance(value, list) else value
               for key, value in curve.items()}  # fmt: skip
    bins = [{"n": 10, "confidence": 0.55, "accuracy": 0.5},
            {"n": 90, "confidence": 0.9, "accuracy": 0.8}]  # fmt: skip
    fit = {"train_accuracy": 0.9, "validation_accuracy": 0.8, "train_log_loss": 0.2,
           "validation_log_loss": 0.4}  # fmt: skip
    return {
        "labels": LABELS,
        "agreement": {"seeds": [0, 1], "all_alike": 0.7, "all_right": 0.6,
                      "none_right": 0.1, "only_right": dict.fromkeys(CELLS, 0.05)},
        "examples": examples,
        "groups": [{"by": by, "group": group, "n": 500,
                    "cells": dict.fromkeys(CELLS, reach)} for by, group in groups],
        "word_order": {c: {"accuracy": 0.9, "shuffled": 0.7, "lost": 0.2, "low": 0.1,
                           "high": 0.3} for c in CELLS},
        "fit": dict.fromkeys(CELLS, fit),
        "curves": dict.fromkeys(CELLS, [curve, shorter]),
        "confusion": dict.fromkeys(CELLS, [[50, 3, 2], [4, 40, 6], [0, 0, 0]]),
        "calibration": dict.fromkeys(CELLS, {"bins": bins, "error": 0.095}),
        "environment": {"versions": {"keras": "3"}, "python": "3.11", "device": "CPU",
                        "platform": SCRIPT},
    }  # fmt: skip


def study(title: str = "How far back", **values: Any) -> dict[str, Any]:
    """Returns a section of a study, as hostile as the rest."""
    from seqclf.report import figures

    return {
        "title": title,
        "claim": f"LSTM remembers longer. {SCRIPT}",
        "sentence": f"It does, by 3.0 points. {IMAGE}",
        "notes": [f"Quick: few epochs. {SCRIPT}"],
        "svg": figures.accuracies([{"cell": c, "accuracy": accuracy(0.8)}
                                   for c in (*CELLS, SCRIPT)]),
        "alt": f"Accuracy of each cell by distance. {IMAGE}",
        "table": {"header": ["cell", "accuracy %", IMAGE],
                  "rows": [["gru", "83.1", SCRIPT], ["lstm", "86.1", "as claimed"]]},
        "command": f"python benchmarks/memory.py --data '{SCRIPT}'",
    } | values  # fmt: skip
