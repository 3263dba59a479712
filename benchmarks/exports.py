"""Exports untrained models of every kind, opens them anew and compares.

Run as ``python benchmarks/exports.py`` (``make export-grid``); writes docs/exports.md.
The weights are random and large, so that an error in their order would show; what is
compared is the network, not what it learnt.
"""

from __future__ import annotations

import datetime
import itertools
import platform
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seqclf.cells import CELLS
from seqclf.classifier import Classifier
from seqclf.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    TextConfig,
)
from seqclf.data.demo import compose
from seqclf.export.artefacts import write_common
from seqclf.export.formats import FORMATS
from seqclf.export.loading import code_of
from seqclf.export.texts import PEOPLE_WRITE, verification_texts
from seqclf.export.verify import Check, verify
from seqclf.model.build import build_model
from seqclf.model.onnx_graph import to_onnx
from seqclf.poolings import POOLINGS
from seqclf.records.dataset import DatasetInfo
from seqclf.records.export import Agreement
from seqclf.records.plain import to_plain
from seqclf.records.training import Environment
from seqclf.runs import Predictions, Run, files, writing
from seqclf.storage import write_bytes, write_json
from seqclf.text.tokens import tokenize
from seqclf.text.vocabulary import Vocabulary
from seqclf.versions import package_versions

DOCUMENT = Path(__file__).parents[1] / "docs" / "exports.md"
LABELS = ("bad", "good", "| `odd` <b>")
UNITS, MAX_LENGTH, SPREAD = 6, 40, 0.5
MODELS_A_PROCESS = 16

OPTIONS = {
    "cell": CELLS,
    "pooling": POOLINGS,
    "bidirectional": (False, True),
    "layers": (1, 2),
    "conv_width": (None, 4),
}
GRID = [
    dict(zip(OPTIONS, values, strict=True))
    for values in itertools.product(*OPTIONS.values())
]


class Row(NamedTuple):
    """One kind of model, and how its artefacts agree with it, by format."""

    options: dict[str, object]
    agreements: dict[str, Agreement]


def pairs(options: dict[str, object]) -> set[frozenset[tuple[str, object]]]:
    """Returns all pairs of two of the options' values."""
    return {frozenset(pair) for pair in itertools.combinations(options.items(), 2)}


def pairwise() -> list[dict[str, object]]:
    """Returns a few of the grid in which any two values meet somewhere."""
    missing = set().union(*map(pairs, GRID))
    chosen = []
    while missing:
        chosen.append(max(GRID, key=lambda options: len(pairs(options) & missing)))
        missing -= pairs(chosen[-1])
    return chosen


def untrained_run(path: Path, model: ModelConfig, text: TextConfig) -> Run:
    """Writes a run as training would, with random weights and made-up scores."""
    rng = random.Random(0)
    texts = [compose(rng, i % 2).text for i in range(100)] + list(PEOPLE_WRITE)
    vocabulary = Vocabulary.build([tokenize(pa.array(texts))], text)
    config = RunConfig(data=DataConfig(), text=text, model=model)
    sizes = {"train": 8, "validation": 4, "test": 6}
    about = DatasetInfo(
        name="untrained", source="made up", fingerprint="0" * 16, labels=LABELS,
        sizes=sizes, notes=("No text was ever shown to it.",),
    )  # fmt: skip
    run = writing.create_run(path, config, about, vocabulary)
    network = build_model(model, len(vocabulary), len(LABELS), seed=3)
    weights = np.random.default_rng(0)
    network.set_weights(
        [weights.normal(0, SPREAD, w.shape) for w in network.get_weights()]
    )
    network.save(path / files.MODEL_FILE)
    made = to_onnx(network, model, {"labels": str(LABELS)})
    write_bytes(path / files.ONNX_FILE, made.SerializeToString())
    _write_scores(run, network.count_params())
    writing.mark_complete(path, "train")
    return run


def _write_scores(run: Run, parameters: int) -> None:
    probabilities = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 0]] * 0.7 + 0.1
    label_ids = np.array([0, 1, 2, 0, 1, 1], np.int32)
    predictions = Predictions(label_ids, probabilities, np.full(6, 5, np.int32))
    writing.write_predictions(run.path, "test", predictions)
    scores = predictions.scores(LABELS)
    metrics = {"validation": scores, "test": scores}
    write_json(run.path / files.METRICS_FILE, to_plain(metrics))
    environment = Environment(
        versions=package_versions(), python="", platform="", device="CPU",
        threads=1, kernel="none", best_epoch=1, epochs=1, parameters=parameters,
        recurrent_parameters=0, seconds_per_epoch=0.0, seconds_to_best=0.0,
        tokens_per_second=0.0, milliseconds_per_prediction=0.0, padding_share=0.0,
        peak_memory_bytes=0, seconds=0.0,
    )  # fmt: skip
    write_json(run.path / files.ENVIRONMENT_FILE, to_plain(environment))


def checked(
    folder: Path, grid: Sequence[dict[str, object]], formats: Sequence[str]
) -> Iterator[Row]:
    """Exports each kind of model in each format and compares; raises if one differs.

    All are opened in one fresh process, for a start of TensorFlow takes seconds.
    """
    text = TextConfig(max_length=MAX_LENGTH, min_count=1, keep="both")
    checks = []
    for index, options in enumerate(grid):
        model = ModelConfig(units=UNITS, embedding_size=UNITS, **options)
        run = untrained_run(folder / f"run-{index}", model, text)
        texts, _ = verification_texts(run)
        expected = Classifier.open(run).predict_proba(texts)
        for name in formats:
            place = folder / f"{name}-{index}"
            place.mkdir()
            FORMATS[name].write(run, place)
            write_common(run, place)
            code = code_of(run, name)
            checks.append(Check(name, place, texts, expected, run.labels, code))
    agreements = iter(verify(checks))
    for options in grid:
        yield Row(options, {name: next(agreements) for name in formats})


def document(rows: Sequence[Row], seconds: float) -> str:
    """Returns docs/exports.md."""
    names = list(rows[0].agreements)
    texts = rows[0].agreements[names[0]].texts
    bounds = ", ".join(f"{name} {FORMATS[name].bound:g}" for name in names)
    worst = min(a.label_agreement for row in rows for a in row.agreements.values())
    head = ["cell", "pooling", "directions", "layers", "convolution", *names]
    lines = [
        "# Exports: every kind of model in every format",
        "",
        f"By `make export-grid`, {datetime.date.today()}, {platform.machine()}, "
        f"{seconds / 60:.0f} minutes. Untrained models of {UNITS} units with large "
        f"random weights; each artefact was opened in a fresh process without seqclf "
        f"and asked about {texts} texts. The figures are the greatest difference of a "
        f"probability from the run's own; allowed are {bounds}. The label was the same "
        f"for {100 * worst:.2f} % of the texts or more.",
        "",
        f"| {' | '.join(head)} |",
        f"|{' --- |' * 2}{' ---: |' * (len(head) - 2)}",
    ]
    for row in rows:
        options = row.options
        cells = [options["cell"], options["pooling"], 1 + options["bidirectional"]]
        cells += [options["layers"], options["conv_width"] or "–"]
        cells += [f"{row.agreements[n].greatest_difference:.1e}" for n in names]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Checks the whole grid and writes the document."""
    start = datetime.datetime.now()
    formats = [name for name in FORMATS if not FORMATS[name].is_lossy]
    rows: list[Row] = []
    for at in range(0, len(GRID), MODELS_A_PROCESS):
        some = GRID[at : at + MODELS_A_PROCESS]
        with tempfile.TemporaryDirectory() as folder:
            rows += checked(Path(folder), some, formats)
        print(f"{len(rows)} of {len(GRID)}", flush=True)
    seconds = (datetime.datetime.now() - start).total_seconds()
    DOCUMENT.write_text(document(rows, seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
