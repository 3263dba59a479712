"""Accuracy on the surest texts, and calibration before and after the temperature.

Run as ``python benchmarks/coverage.py``; writes two tables into docs/predict.md, from
what finished runs said of test. It takes the runs of ``seqclf compare`` from
``SEQCLF_MODELS``, seeds 0 to 2 of every cell and `nb-svm`, and trains nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import marked
import numpy as np

from seqclf import metrics
from seqclf.data.dataset import TEST, TRAIN
from seqclf.evaluation.coverage import coverage_of
from seqclf.model.scoring import probabilities_of
from seqclf.records.scores import Coverage
from seqclf.report.table import Table, to_markdown
from seqclf.runs import Run
from seqclf.wording import counted, joined, percent

ROOT = Path(__file__).parents[1]
MODELS = Path(os.environ.get("SEQCLF_MODELS", ROOT / "models"))
PAGE = ROOT / "docs" / "predict.md"
DATA = ("trec6", "mr", "tweeteval_emotion")
CELLS, SEEDS, BASELINE = ("none", "rnn", "gru", "lstm"), range(3), "nb-svm"
SHOWN = (0, 1, 2, 3, 5)  # of `Coverage.surest`


@dataclass(frozen=True, slots=True)
class Found:
    """What one run is like on test; `before` its temperature and `after` it.

    Calibration errors are fractions, losses in nats.
    """

    coverage: Coverage
    error_before: float
    error_after: float
    loss_before: float
    loss_after: float


def found(run: Run) -> Found:
    """Returns the figures of a run from its saved predictions."""
    said = run.predictions(TEST)
    ids, after = said.label_ids, said.probabilities
    # Logits were divided by the temperature; what is added to all of a text is lost,
    # and does not matter.
    least = np.finfo(np.float32).tiny
    logs = np.log(np.maximum(after, least).astype(np.float64))
    before = probabilities_of(logs * temperature(run))
    return Found(
        coverage_of(ids, after),
        metrics.calibration_error(ids, before),
        metrics.calibration_error(ids, after),
        float(metrics.losses(ids, before).mean()),
        float(metrics.losses(ids, after).mean()),
    )


def temperature(run: Run) -> float:
    """Returns what a run's logits were divided by."""
    if run.is_linear:
        return float(run.baseline_environment.chosen["temperature"])
    value = run.environment.temperature
    if value is None:
        raise SystemExit(f"{run.path} is of 0.1.0 and has no temperature.")
    return value


def groups(data: str) -> dict[str, list[Run]]:
    """Returns the runs on a data set by what they are: seeds of a cell, or a baseline.

    All must have been trained on equally many texts.
    """
    names = {cell: [f"{data}-{cell}-{seed}" for seed in SEEDS] for cell in CELLS}
    names[BASELINE] = [f"{data}-{BASELINE}"]
    runs = {kind: [Run(MODELS / name) for name in of] for kind, of in names.items()}
    sizes = {run.dataset.sizes[TRAIN] for of in runs.values() for run in of}
    if len(sizes) > 1:
        raise SystemExit(f"{data}: runs on {joined([str(n) for n in sorted(sizes)])}.")
    return runs


def mean(values: list[float]) -> float:
    """Returns the mean over seeds."""
    return float(np.mean(values))


def main() -> None:
    """Writes both tables."""
    covered, calibrated, said = [], [], []
    for data in DATA:
        runs = groups(data)
        sizes = runs[BASELINE][0].dataset.sizes
        about = counted(sizes[TRAIN], "training text")
        said.append(f"{data}: {about}, {sizes[TEST]:,} of test")
        for kind, of in runs.items():
            every = [found(run) for run in of]
            accuracies = [
                percent(mean([f.coverage.surest[i].accuracy for f in every]))
                for i in SHOWN
            ]
            aurc = mean([f.coverage.aurc for f in every])
            covered.append((data, kind, *accuracies, f"{aurc:.3f}"))
            figures = ("error_before", "error_after", "loss_before", "loss_after")
            means = (mean([getattr(f, name) for f in every]) for name in figures)
            calibrated.append((data, kind, *(f"{value:.3f}" for value in means)))
    shares = tuple(f"surest {100 - 10 * i} %" for i in SHOWN)
    numbers = tuple(range(2, 8))
    text = "\n\n".join(
        [
            f"Accuracy on test in %, cells as means over {len(SEEDS)} seeds. "
            f"{'; '.join(said)}.",
            to_markdown(
                Table(header=("data set", "model", *shares, "AURC"),
                      rows=tuple(covered), numbers=numbers)
            ),
            "The same runs before and after their logits were divided by the "
            "temperature that fits validation:",
            to_markdown(
                Table(header=("data set", "model", "calibration error before", "after",
                              "log loss before", "after"),
                      rows=tuple(calibrated), numbers=numbers[:4])
            ),
        ]
    )  # fmt: skip
    marked.write("coverage", "python benchmarks/coverage.py", text, PAGE)


if __name__ == "__main__":
    main()
