"""The time of a training step of each twin, alone on the machine; kept in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from seqclf import config as settings
from seqclf.config import RunConfig
from seqclf.machine import processor
from seqclf.model.build import build_model, cell_layers
from seqclf.model.kernels import kernel_of, use_kernel
from seqclf.records.plain import from_plain, to_plain
from seqclf.records.training import Report, TimedTwin, Timing
from seqclf.storage import read_object, write_json
from seqclf.studies.lab import Lab
from seqclf.system import cores
from seqclf.text.encoding import EncodedDataset, open_encoded
from seqclf.training.fit import compile_model
from seqclf.training.timing import SINGLE_TEXTS, TimingTask, run_timing
from seqclf.versions import package_versions

FOLDER = "timings"
ROUNDS = 15  # the interval of their median is that from the fourth to the twelfth


def twins_timed(configs: Sequence[RunConfig], lab: Lab) -> list[TimedTwin]:
    """Times twins in turns, in a separate process, or reuses earlier times.

    `configs` are equal but for the cell.
    """
    data = lab.load(configs[0])
    asked: dict[str, object] = {
        "questions": [settings.question(config) for config in configs],
        "fingerprint": data.about.fingerprint,
        "rounds": ROUNDS,
        "predictions": SINGLE_TEXTS,
        **machine(),
    }
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    file = lab.folder / FOLDER / f"{digest.hexdigest()[:16]}.json"
    if not lab.target.fresh and (found := _read(file, asked)):
        return found
    task = TimingTask(tuple(configs), data.path, cores(), ROUNDS)
    measured: list[TimedTwin]
    (measured,) = lab.measure(time_and_count, [task], ["timing alone"])
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, asked | {"measured": to_plain(measured)})
    return measured


def machine() -> dict[str, object]:
    """Returns what measured times depend on: threads, processor, package versions."""
    versions = package_versions()
    return {"threads": cores(), "processor": processor(), "versions": versions}


def _read(file: Path, asked: dict[str, object]) -> list[TimedTwin]:
    """Returns the times that were kept for that question; empty if there are none."""
    values = read_object(file)
    try:
        measured = from_plain(list[TimedTwin], values.pop("measured", []))
    except ValueError:
        return []
    return measured if values == asked else []


def time_and_count(task: TimingTask, report: Report) -> list[TimedTwin]:
    """Times twins, then counts their parameters; see `twins_timed`."""
    timings = run_timing(task, report)
    return [
        counted(timing, config, task.encoded)
        for config, timing in zip(task.configs, timings, strict=True)
    ]


def counted(timing: Timing, config: RunConfig, encoded: Path) -> TimedTwin:
    """Builds a twin and adds its kernel and parameter counts to its times.

    Tokens and labels of the encoded data set, a folder, decide the model's size.
    """
    model = built(config, open_encoded(encoded))
    compile_model(model, config.training, steps=1000)
    return TimedTwin(
        **{one.name: getattr(timing, one.name) for one in fields(timing)},
        kernel=kernel_of(model),
        parameters=model.count_params(),
        recurrent_parameters=sum(
            model.get_layer(name).count_params() for name in cell_layers(config.model)
        ),
    )


def built(config: RunConfig, data: EncodedDataset) -> Any:
    """Builds the untrained model of a twin for some data, with the recipe's kernel."""
    sizes = len(data.vocabulary), len(data.labels)
    model = build_model(config.model, *sizes, config.training.seed)
    use_kernel(model, config.training.kernel)
    return model
