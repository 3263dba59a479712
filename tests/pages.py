"""A comparison with hostile texts and labels, for the tests of its page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from seqclf.records.comparison import (
    AccuracySummary,
    ComparisonResult,
    ModelPair,
    Pair,
    Row,
)
from seqclf.records.dataset import DatasetInfo
from seqclf.records.details import (
    Agreement,
    Bin,
    Calibration,
    Curve,
    Details,
    Example,
    Fit,
    Group,
    Reach,
    Said,
    WordOrder,
)
from seqclf.records.training import Environment
from seqclf.records.twins import Check, Tried, Tuned, TwinCard
from seqclf.report.page.sections import Section
from seqclf.report.table import Table

SCRIPT = "<script>document.title = 'owned'</script>"
IMAGE = '"><img src=x onerror="document.title = \'owned\'">'
CELLS = ("none", "rnn", "gru", "lstm")
LABELS = (IMAGE, "$\\alpha$ & <b>good</b>", "好评")


def accuracy(mean: float) -> AccuracySummary:
    return AccuracySummary(
        mean=mean, low=mean - 0.02, high=mean + 0.02, least=mean - 0.01,
        most=mean + 0.01,
    )  # fmt: skip


def twin(cell: str, mean: float, cost: float) -> Row:
    return Row(
        kind="twin", name=cell, cell=cell, seeds=(0, 1), n=1500,
        runs=(f"models/x-{cell}-0", f"models/x-{cell}-1"),
        accuracy=accuracy(mean), macro_f1=mean, log_loss=1 - mean,
        units=128, recurrent_parameters=int(1000 * cost),
        parameters=int(10_000 + 1000 * cost), seconds_per_epoch=cost,
        seconds_to_best=7 * cost, tokens_per_second=50_000 / (1 + cost),
        milliseconds_per_prediction=0.1 + cost, peak_memory_bytes=10**9,
        kernel="TensorFlow loop", timed="alone",
    )  # fmt: skip


def baseline(name: str, mean: float = 0.81) -> Row:
    return Row(
        kind="baseline", name=name, n=1500, runs=("models/x-baselines/tf-idf",),
        accuracy=accuracy(mean), macro_f1=0.8, log_loss=0.4, seconds_to_best=2.0,
        peak_memory_bytes=3 * 10**8,
    )  # fmt: skip


def pair(a: str, b: str, difference: float) -> Pair:
    models = tuple(
        ModelPair(seed=seed, only_a=40, only_b=30, difference=difference,
                  low=difference - 0.02, high=difference + 0.02, mcnemar_p=0.2)
        for seed in (0, 1)
    )  # fmt: skip
    return Pair(
        a=a, b=b, seeds=(0, 1), difference=difference, low=difference - 0.03,
        high=difference + 0.03, p=0.04, mcnemar_p=(0.2, 0.2), models=models,
    )  # fmt: skip


def comparison() -> ComparisonResult:
    """Returns what a `comparison.json` may hold."""
    twins = [twin(c, 0.7 + 0.05 * i, 1.0 + i) for i, c in enumerate(CELLS)]
    trial = Tried(learning_rate=0.001, dropout_rate=0.4, units=96, epochs=7,
                  clip_norm=0.5, warmup_fraction=0.25, losses=(0.3, 0.5),
                  validation_loss=0.4, validation_accuracy=0.8)  # fmt: skip
    check = Check(what="vocabulary", value="ab12", equal=True, differing=(),
                  concerns="scores")  # fmt: skip
    broken = replace(check, what="data", equal=False, differing=(SCRIPT,))
    return ComparisonResult(
        rows=(baseline("tf-idf + logistic regression"), *twins),
        pairs=(pair("lstm", "gru", 0.01), pair("lstm", "rnn", 0.05)),
        references=(pair("lstm", "tf-idf + logistic regression", 0.04),),
        verdict=f"LSTM is best. {SCRIPT}",
        missing={"x-rnn-2": SCRIPT},
        tuning={cell: Tuned(trials=(trial, trial), chosen=2) for cell in CELLS},
        command=f"seqclf compare --data '{SCRIPT}'",
        date="2026-01-02",
        seconds=12.0,
        card=TwinCard(
            equal={"data.source": SCRIPT, "model.units": 128},
            different=("model.cell",),
            dataset=DatasetInfo(
                name=IMAGE, source=SCRIPT, fingerprint="beef", labels=LABELS, sizes={}
            ),
            checks=(check, broken),
        ),
    )


ENVIRONMENT = Environment(
    versions={"keras": "3"}, python="3.11", platform=SCRIPT, device="CPU", threads=1,
    jobs=1, kernel="TensorFlow loop", parameters=9, recurrent_parameters=5,
    best_epoch=2, epochs=3, seconds_per_epoch=1.0, seconds_to_best=2.0,
    tokens_per_second=3.0, milliseconds_per_prediction=0.1, padding_share=0.1,
    peak_memory_bytes=1, seconds=4.0,
)  # fmt: skip


def details() -> Details:
    """Returns what a `details.json` may hold."""
    reach = Reach(accuracy=0.8, low=0.7, high=0.9)
    groups = [("length", f"{n}–{n + 9} tokens") for n in (1, 10, 20)]
    groups += [("label", label) for label in LABELS]
    answer = Said(label=LABELS[0], probability=0.6)
    examples = tuple(
        Example(
            id=number, text=f"{SCRIPT} word{number} {IMAGE}", length=9,
            label=LABELS[number % 3], only_right=CELLS[number % 4],
            answers=dict.fromkeys(CELLS, answer),
        )
        for number in range(12)
    )  # fmt: skip
    curve = Curve(
        seed=0, best_epoch=2, epochs=(1, 2, 3), seconds=(1.0, 2.0, 3.0),
        loss=(0.6, 0.5, 0.4), validation_loss=(0.6, 0.5, 0.5),
        validation_accuracy=(0.6, 0.7, 0.7),
    )  # fmt: skip
    shorter = Curve(
        seed=0, best_epoch=2, epochs=(1, 2), seconds=(1.0, 2.0), loss=(0.6, 0.5),
        validation_loss=(0.6, 0.5), validation_accuracy=(0.6, 0.7),
    )  # fmt: skip
    bins = (Bin(n=10, confidence=0.55, accuracy=0.5),
            Bin(n=90, confidence=0.9, accuracy=0.8))  # fmt: skip
    fit = Fit(train_accuracy=0.9, validation_accuracy=0.8, train_log_loss=0.2,
              validation_log_loss=0.4)  # fmt: skip
    order = WordOrder(accuracy=0.9, shuffled=0.7, lost=0.2, low=0.1, high=0.3)
    return Details(
        labels=LABELS,
        agreement=Agreement(seeds=(0, 1), all_alike=0.7, all_right=0.6, none_right=0.1,
                            only_right=dict.fromkeys(CELLS, 0.05)),
        examples=examples,
        groups=tuple(Group(by=by, group=group, n=500, cells=dict.fromkeys(CELLS, reach))
                     for by, group in groups),
        word_order=dict.fromkeys(CELLS, order),
        fit=dict.fromkeys(CELLS, fit),
        curves=dict.fromkeys(CELLS, (curve, shorter)),
        confusion=dict.fromkeys(CELLS, ((50, 3, 2), (4, 40, 6), (0, 0, 0))),
        calibration=dict.fromkeys(CELLS, Calibration(bins=bins, error=0.095)),
        environment=ENVIRONMENT,
    )  # fmt: skip


def study(title: str = "How far back", **values: Any) -> Section:
    """Returns a section of a study, as hostile as the rest."""
    from seqclf.report import figures

    rows = [*(twin(cell, 0.8, 1.0) for cell in CELLS), baseline(SCRIPT, 0.8)]
    section = Section(
        title=title,
        claim=f"LSTM remembers longer. {SCRIPT}",
        sentence=f"It does, by 3.0 points. {IMAGE}",
        notes=(f"Quick: few epochs. {SCRIPT}",),
        svg=figures.accuracies(rows),
        alt=f"Accuracy of each cell by distance. {IMAGE}",
        table=Table(header=("cell", "accuracy %", IMAGE),
                    rows=(("gru", "83.1", SCRIPT), ("lstm", "86.1", "as claimed"))),
        command=f"python benchmarks/memory.py --data '{SCRIPT}'",
    )  # fmt: skip
    return replace(section, **values)
