"""The learning-rate range test: which learning rates a cell tolerates.

One training each, in which the learning rate rises exponentially from step to step,
from 1e-5 to 1 (Smith 2017, arXiv:1506.01186): the loss falls while the rate is useful
and rises where it is too large. All cells see the same batches and have the recipe's
optimizer, with this rise instead of warm-up and cosine decay.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN
from seqclf.errors import TrainingError
from seqclf.records.sweeps import RangeFindings, RangeStep, RangeTurns
from seqclf.records.training import Report, Started
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.studies.sweeps import range_test_shown
from seqclf.studies.sweeps.range_test_shown import LEAST_RATE, MOST_RATE
from seqclf.text.batching import Batch, training_batches
from seqclf.text.encoding import Examples, open_encoded

STEPS, QUICK_STEPS = 400, 120
WINDOW = 0.05  # of the steps, of which the loss is averaged


@dataclass(frozen=True, slots=True)
class RangeTask:
    """A twin to train on a folder of encoded data, the rate rising over `steps`."""

    config: RunConfig
    encoded: Path
    threads: int
    steps: int


def rates(steps: int) -> np.ndarray:
    """Returns the learning rate of each step, float64 [steps], rising evenly by log."""
    return np.geomspace(LEAST_RATE, MOST_RATE, steps)


def measure(task: RangeTask, report: Report) -> list[float]:
    """Trains with a rising learning rate; called in a separate process.

    Returns:
      The training loss before each step; it ends early if the loss diverges to
      infinity or NaN.
    """
    from seqclf.model import backend
    from seqclf.model.build import build_model
    from seqclf.model.kernels import use_kernel
    from seqclf.training.fit import as_tf_dataset, compile_model, label_weights

    report(Started())
    backend.set_threads(task.threads)
    data = open_encoded(task.encoded)
    config, labels = task.config, len(data.labels)
    model = build_model(
        config.model, len(data.vocabulary), labels, config.training.seed
    )
    use_kernel(model, config.training.kernel)
    compile_model(model, config.training, task.steps)
    model.optimizer.learning_rate = _rise(task.steps)
    batches = first_batches(data.splits[TRAIN], config, task.steps)
    weights = label_weights(data.splits[TRAIN].label_ids, labels, config.training)
    dataset = as_tf_dataset(batches, task.steps, labels, weights)
    losses: list[float] = []
    model.fit(dataset, shuffle=False, verbose=0, callbacks=[_recorder(losses)])
    return list(itertools.takewhile(math.isfinite, losses))


def _rise(steps: int) -> Any:
    """Returns the schedule of `rates`."""
    from seqclf.model.backend import import_keras

    factor = MOST_RATE / LEAST_RATE
    schedules = import_keras().optimizers.schedules
    return schedules.ExponentialDecay(LEAST_RATE, max(steps - 1, 1), factor)


def first_batches(train: Examples, config: RunConfig, steps: int) -> Iterator[Batch]:
    """Yields the recipe's batches, epoch after epoch, one for each step."""
    epochs = (training_batches(train, config.training, e) for e in itertools.count(1))
    return itertools.islice(itertools.chain.from_iterable(epochs), steps)


def _recorder(losses: list[float]) -> Any:
    """Returns a callback that appends the loss of each batch."""
    from seqclf.model.backend import import_keras

    class Recorder(import_keras().callbacks.Callback):  # type: ignore
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.reset_metrics()  # the loss would be the mean of all batches

        def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
            losses.append(float(logs["loss"]))
            self.model.stop_training = not math.isfinite(losses[-1])

    return Recorder()


def run(question: Question, lab: Lab, seeds: int) -> Answer[RangeFindings]:
    """Runs a range test of each cell.

    Args:
      question: Of one seed.
      lab: Where to train.
      seeds: Number of seeds that were asked for, for the notes.

    Raises:
      TrainingError: If a loss is not a number from the start.
    """
    base = question.recipe
    steps = QUICK_STEPS if question.quick else STEPS
    encoded = lab.load(base).path
    tasks = [
        RangeTask(config, encoded, lab.threads, steps)
        for config in trainings(question, base)
    ]
    names = [f"range test {cell}" for cell in question.cells]
    losses = lab.measure(measure, tasks, names)
    by_cell = dict(zip(question.cells, losses, strict=True))
    for cell, own in by_cell.items():
        if not own:
            raise TrainingError(
                f"{cell}: the loss is not a number at the first step of the range "
                f"test, at a learning rate of {LEAST_RATE:g}; look at the data (seqclf "
                f"data)."
            )
    found = [turns(cell, values, steps) for cell, values in by_cell.items()]
    rows = [_rows(cell, values, steps) for cell, values in by_cell.items()]
    return Answer(
        study="sensitivity",
        title="Learning-rate range test",
        sentence=range_test_shown.sentence(found),
        table=range_test_shown.table(found),
        rows=tuple(itertools.chain.from_iterable(rows)),
        findings=RangeFindings(steps=steps, range=tuple(found)),
        trials=len(tasks),
        notes=range_test_shown.notes(question, base, steps, width(steps), seeds),
    )


def width(steps: int) -> int:
    """Returns the steps over which the loss is averaged, an odd number."""
    return 2 * round(WINDOW * steps / 2) + 1


def smoothed(losses: Sequence[float], width: int) -> np.ndarray:
    """Returns the mean of the losses around each step, of fewer at the ends."""
    values, half = np.asarray(losses, np.float64), width // 2
    found = np.empty(len(values))
    for step in range(len(values)):
        aside = min(half, step, len(values) - 1 - step)
        found[step] = values[step - aside : step + aside + 1].mean()
    return found


def turns(cell: str, losses: Sequence[float], steps: int) -> RangeTurns:
    """Finds the least loss, and where the loss is back at its initial value.

    Args:
      cell: The cell.
      losses: Of each step; fewer than `steps` if it diverged.
      steps: Steps of the whole rise.
    """
    along, curve = rates(steps), smoothed(losses, width(steps))
    start = float(np.mean(losses[: width(steps)]))
    least = int(np.argmin(curve))
    beyond = np.flatnonzero(curve[least:] > start)
    diverging = None
    if len(beyond):
        diverging = float(along[least + beyond[0]])
    elif len(losses) < steps:
        diverging = float(along[len(losses)])
    return RangeTurns(
        cell=cell,
        least_rate=float(along[least]),
        least_loss=float(curve[least]),
        diverging_rate=diverging,
    )


def _rows(cell: str, losses: Sequence[float], steps: int) -> Iterator[RangeStep]:
    curve = smoothed(losses, width(steps))
    for step, rate in enumerate(rates(steps)[: len(losses)]):
        yield RangeStep(
            cell=cell,
            step=step + 1,
            learning_rate=float(rate),
            loss=losses[step],
            smoothed_loss=float(curve[step]),
        )
