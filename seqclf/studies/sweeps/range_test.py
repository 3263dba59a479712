"""The learning-rate range test: which learning rates a cell can bear.

One training each, in which the learning rate rises from step to step, as an exponential
from 1e-5 to 1 (Smith 2017, arXiv:1506.01186): the loss falls while the rate is useful,
and rises again where it is too large. All cells see the same batches and have the
recipe's own optimizer, its warm-up and cosine replaced by the rise.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.comparison.verdict import title
from seqclf.config import RunConfig
from seqclf.data.dataset import TRAIN
from seqclf.errors import TrainingError
from seqclf.records.training import Report, Started
from seqclf.report import figures
from seqclf.studies.lab import Lab
from seqclf.studies.question import (
    QUICK_ROWS,
    Answer,
    Question,
    Record,
    Table,
    quick_config,
    trainings,
)
from seqclf.studies.sweeps import sweep
from seqclf.text.batching import Batch, training_batches
from seqclf.text.encoding import Examples, open_encoded

LEAST_RATE, MOST_RATE = 1e-5, 1.0
STEPS, QUICK_STEPS = 400, 120
WINDOW = 0.05  # of the steps, of which the loss is averaged
MODE = "range test"


@dataclass(frozen=True, slots=True)
class RangeTask:
    """A training with a rising learning rate.

    Attributes:
      config: The twin.
      encoded: Folder of the encoded data set.
      threads: Threads that TensorFlow may use.
      steps: How many steps the rise takes.
    """

    config: RunConfig
    encoded: Path
    threads: int
    steps: int


def rates(steps: int) -> np.ndarray:
    """Returns the learning rate of each step, float64 [steps], rising evenly by log."""
    return np.geomspace(LEAST_RATE, MOST_RATE, steps)


def measure(task: RangeTask, report: Report) -> list[float]:
    """Trains with a rising learning rate; called in a process of its own.

    Args:
      task: What to train.
      report: Told that it has begun.

    Returns:
      The training loss of each step, before the step; it ends early where the loss is
      no number.
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
    """Yields as many of the recipe's batches as there are steps, epoch after epoch."""
    epochs = (training_batches(train, config.training, e) for e in itertools.count(1))
    return itertools.islice(itertools.chain.from_iterable(epochs), steps)


def _recorder(losses: list[float]) -> Any:
    """Returns a callback that keeps the loss of each batch by itself."""
    from seqclf.model.backend import import_keras

    class Recorder(import_keras().callbacks.Callback):  # type: ignore
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.reset_metrics()  # the loss would be the mean of all batches

        def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
            losses.append(float(logs["loss"]))
            self.model.stop_training = not math.isfinite(losses[-1])

    return Recorder()


def run(question: Question, lab: Lab, seeds: int) -> Answer:
    """Makes a range test of each cell, and reads it.

    Args:
      question: Of one seed.
      lab: Where the cells are trained.
      seeds: Seeds that were asked for, to say what was done with them.

    Returns:
      The answer. Its findings: `mode`, MODE; `steps`; `range`, a record a cell with
      cell, least_rate, the learning rate of the least smoothed loss, least_loss,
      and diverging_rate, the first rate beyond it at which the smoothed loss is back
      where it began, None if there is none up to 1.
    """
    base = quick_config(question.config) if question.quick else question.config
    steps = QUICK_STEPS if question.quick else STEPS
    encoded = lab.load(base).path
    tasks = [
        RangeTask(config, encoded, lab.threads, steps)
        for config in trainings(question, base)
    ]
    names = [f"range test {cell}" for cell in question.cells]
    losses = lab.measure(measure, tasks, names)
    for cell, own in zip(question.cells, losses, strict=True):
        if not own:
            raise TrainingError(
                f"{cell}: the loss is no number at the first step of the range test, "
                f"at a learning rate of {LEAST_RATE:g}; look at the data (seqclf data)."
            )
    by_cell = dict(zip(question.cells, losses, strict=True))
    found = [{"cell": cell, **turns(values, steps)} for cell, values in by_cell.items()]
    return Answer(
        study="sensitivity",
        title="Learning-rate range test",
        sentence=_sentence(found),
        table=_table(found),
        rows=tuple(itertools.chain.from_iterable(
            _rows(cell, values, steps) for cell, values in by_cell.items()
        )),
        findings={"mode": MODE, "steps": steps, "range": found, "seeds": 1},
        trials=len(tasks),
        notes=(
            f"One training each, {steps} steps from {LEAST_RATE:g} to {MOST_RATE:g}, "
            f"the same batches for each cell; the loss is the mean of {width(steps)} "
            f"steps. The recipe has {base.training.learning_rate:g} at its peak, and a "
            f"largest gradient norm of {base.training.clip_norm:g}, which holds here "
            "too and hides some of what too large a rate does.",
            *about_seeds(seeds),
            *sweep.quick_notes(question, f"fewer steps, at most {QUICK_ROWS:,} texts."),
        ),
    )  # fmt: skip


def about_seeds(seeds: int) -> tuple[str, ...]:
    """Says that only the first of several seeds was used."""
    if seeds == 1:
        return ()
    return (f"Of the {seeds} seeds that were asked for this study takes the first.",)


def width(steps: int) -> int:
    """Returns of how many steps the loss is averaged, an odd number."""
    return 2 * round(WINDOW * steps / 2) + 1


def smoothed(losses: Sequence[float], width: int) -> np.ndarray:
    """Returns the mean of the losses around each step, float64 [steps].

    At the ends fewer are averaged, as many on either side.
    """
    values, half = np.asarray(losses, np.float64), width // 2
    found = np.empty(len(values))
    for step in range(len(values)):
        aside = min(half, step, len(values) - 1 - step)
        found[step] = values[step - aside : step + aside + 1].mean()
    return found


def turns(losses: Sequence[float], steps: int) -> Record:
    """Finds where the loss is least, and where it is back where it began.

    Args:
      losses: Of each step; fewer than steps if it ran away.
      steps: Steps of the whole rise.

    Returns:
      least_rate, least_loss and diverging_rate, see `run`.
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
    return {
        "least_rate": float(along[least]),
        "least_loss": float(curve[least]),
        "diverging_rate": diverging,
    }


def _rows(cell: str, losses: Sequence[float], steps: int) -> Iterator[Record]:
    curve = smoothed(losses, width(steps))
    for step, rate in enumerate(rates(steps)[: len(losses)]):
        yield {
            "cell": cell,
            "step": step + 1,
            "learning_rate": float(rate),
            "loss": losses[step],
            "smoothed_loss": float(curve[step]),
        }


def _sentence(found: Sequence[Record]) -> str:
    said = [
        f"{title(one['cell'])}'s loss is least at {one['least_rate']:.1g} and "
        + (
            f"back where it began at {one['diverging_rate']:.1g}"
            if one["diverging_rate"]
            else f"not back where it began up to {MOST_RATE:g}"
        )
        for one in found
    ]
    return (
        f"As the learning rate rises, {'; '.join(said)}. One training each: how far "
        "another seed would move these is not known."
    )


def _table(found: Sequence[Record]) -> Table:
    header = (
        "cell", "learning rate of the least loss", "least loss", "diverges at"
    )  # fmt: skip
    rows = [
        (
            one["cell"],
            f"{one['least_rate']:.1e}",
            f"{one['least_loss']:.3f}",
            f"{one['diverging_rate']:.1e}" if one["diverging_rate"] else "–",
        )
        for one in found
    ]
    return Table(header=header, rows=tuple(rows))


def figure(answer: Answer) -> str:
    """Draws the smoothed loss against the learning rate, the least marked."""
    found = {one["cell"]: one for one in answer.findings["range"]}

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for index, (cell, one) in enumerate(found.items()):
            own = [row for row in answer.rows if row["cell"] == cell]
            _draw_curve(axes, own, one, figures.style(cell, index))
        start = max(row["smoothed_loss"] for row in answer.rows if row["step"] == 1)
        least = min(one["least_loss"] for one in found.values())
        # What has run away would press the rest flat.
        axes.set_ylim(least - 0.15 * (start - least), start + 0.8 * (start - least))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: figures.short(value))
        axes.set_xlabel("learning rate (marked: least loss)")
        axes.set_ylabel("training loss, smoothed")
        axes.grid(alpha=0.25)
        figures.legend(figure, [axes])

    return figures.drawn(draw, "range_test", 6.4, 3.8)


def _draw_curve(
    axes: Any, own: Sequence[Record], one: Mapping[str, Any], look: Record
) -> None:
    x = [row["learning_rate"] for row in own]
    y = [row["smoothed_loss"] for row in own]
    marked = [i for i, rate in enumerate(x) if rate == one["least_rate"]]
    axes.plot(x, y, label=one["cell"], markevery=marked, **look)
