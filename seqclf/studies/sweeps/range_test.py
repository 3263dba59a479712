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

from seqclf.comparison.said import title
from seqclf.config import RunConfig, TrainingConfig
from seqclf.data.dataset import TRAIN
from seqclf.errors import TrainingError
from seqclf.model import backend
from seqclf.records.sweeps import RangeFindings, RangeStep, RangeTurns
from seqclf.records.training import Report, Started
from seqclf.report import figures
from seqclf.report.readings import Place, readable
from seqclf.report.table import Table
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, trainings
from seqclf.studies.timed import built
from seqclf.text.batching import Batch, training_batches
from seqclf.text.encoding import Examples, open_encoded
from seqclf.training.fit import as_tf_dataset, compile_model, label_weights
from seqclf.training.recipe import resolved
from seqclf.wording import MISSING

STEPS, QUICK_STEPS = 400, 120
WINDOW = 0.05  # of the steps, of which the loss is averaged

LEAST_RATE, MOST_RATE = 1e-5, 1.0


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
    report(Started())
    backend.set_threads(task.threads)
    data = open_encoded(task.encoded)
    config, labels = task.config, len(data.labels)
    model = built(config, data)
    recipe = resolved(config.training, data.splits[TRAIN].lengths)
    compile_model(model, recipe, task.steps)
    rise = backend.import_keras().optimizers.schedules.ExponentialDecay  # as `rates`
    model.optimizer.learning_rate = rise(
        LEAST_RATE, max(task.steps - 1, 1), MOST_RATE / LEAST_RATE
    )
    batches = first_batches(data.splits[TRAIN], config, task.steps)
    weights = label_weights(data.splits[TRAIN].label_ids, labels, config.training)
    dataset = as_tf_dataset(batches, task.steps, labels, weights)
    losses: list[float] = []
    model.fit(dataset, shuffle=False, verbose=0, callbacks=[_recorder(losses)])
    return list(itertools.takewhile(math.isfinite, losses))


def first_batches(train: Examples, config: RunConfig, steps: int) -> Iterator[Batch]:
    """Yields the recipe's batches, epoch after epoch, one for each step."""
    epochs = (training_batches(train, config.training, e) for e in itertools.count(1))
    return itertools.islice(itertools.chain.from_iterable(epochs), steps)


def _recorder(losses: list[float]) -> Any:
    """Returns a callback that appends the loss of each batch."""

    class Recorder(backend.import_keras().callbacks.Callback):  # type: ignore
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.reset_metrics()  # the loss would be the mean of all batches

        def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
            losses.append(float(logs["loss"]))
            self.model.stop_training = not math.isfinite(losses[-1])

    return Recorder()


def run(question: Question, lab: Lab, seeds: int) -> Answer[RangeFindings]:
    """Runs a range test of each cell with the question's one seed.

    `seeds` is the number that was asked for, for the notes.

    Raises:
      TrainingError: If a loss is not a number from the start.
    """
    base = question.recipe
    steps = QUICK_STEPS if question.quick else STEPS
    data = lab.load(base)
    recipe = resolved(base.training, data.splits[TRAIN].lengths)
    tasks = [
        RangeTask(config, data.path, lab.threads, steps)
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
        study="sensitivity", title="Learning-rate range test", sentence=sentence(found),
        table=table(found), rows=tuple(itertools.chain.from_iterable(rows)),
        findings=RangeFindings(steps=steps, range=tuple(found)), trials=len(tasks),
        notes=notes(question, recipe, steps, width(steps), seeds),
    )  # fmt: skip


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
    """Finds the least loss of a cell, and where the loss is back at its initial value.

    The losses are those of each of `steps` of the rise, fewer if it diverged.
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
        cell=cell, least_rate=float(along[least]), least_loss=float(curve[least]),
        diverging_rate=diverging,
    )  # fmt: skip


def _rows(cell: str, losses: Sequence[float], steps: int) -> Iterator[RangeStep]:
    curve = smoothed(losses, width(steps))
    for step, rate in enumerate(rates(steps)[: len(losses)]):
        yield RangeStep(
            cell=cell, step=step + 1, learning_rate=float(rate), loss=losses[step],
            smoothed_loss=float(curve[step]),
        )  # fmt: skip


def sentence(found: Sequence[RangeTurns]) -> str:
    """Says where the loss of each cell turns."""
    said = [
        f"{title(one.cell)}'s loss is lowest at {one.least_rate:.1g} and "
        + (
            f"back at its initial value at {one.diverging_rate:.1g}"
            if one.diverging_rate
            else f"not back at its initial value up to {MOST_RATE:g}"
        )
        for one in found
    ]
    return (
        f"As the learning rate rises, {'; '.join(said)}. One training each: how far "
        "another seed would move these is not known."
    )


def table(found: Sequence[RangeTurns]) -> Table:
    """Returns a line a cell."""
    header = (
        "cell", "learning rate of the lowest loss", "lowest loss", "diverges at"
    )  # fmt: skip
    rows = []
    for one in found:
        diverges = f"{one.diverging_rate:.1e}" if one.diverging_rate else MISSING
        lowest = f"{one.least_rate:.1e}", f"{one.least_loss:.3f}"
        rows.append((one.cell, *lowest, diverges))
    return Table(header=header, rows=tuple(rows))


def notes(
    question: Question, recipe: TrainingConfig, steps: int, width: int, seeds: int
) -> tuple[str, ...]:
    """Says how the losses were measured, over `width` steps each."""
    return (
        f"One training each, {steps} steps from {LEAST_RATE:g} to {MOST_RATE:g}, "
        f"the same batches for each cell; the loss is the mean of {width} "
        f"steps. The recipe's peak learning rate is {recipe.learning_rate:.2g}. "
        f"{_about_clipping(recipe.clip_norm)}",
        *about_seeds(seeds),
        *question.quick_note("fewer steps."),
    )


def _about_clipping(norm: float) -> str:
    if not norm:
        return "Gradients are not clipped."
    return (
        f"Gradients are clipped to its norm of {norm:g}, which hides some of the "
        "effect of too high a rate."
    )


def about_seeds(seeds: int) -> tuple[str, ...]:
    """Says that only the first of several seeds was used."""
    said = f"Of the {seeds} seeds that were asked for this study takes the first."
    return () if seeds == 1 else (said,)


def figure(answer: Answer[RangeFindings]) -> str:
    """Draws the smoothed loss against the learning rate, the least marked."""
    found = answer.findings.range
    rows: Sequence[RangeStep] = answer.rows

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for index, one in enumerate(found):
            own = [row for row in rows if row.cell == one.cell]
            x, y = zip(*((r.learning_rate, r.smoothed_loss) for r in own), strict=True)
            marked = [i for i, rate in enumerate(x) if rate == one.least_rate]
            look = figures.style(one.cell, index)
            line = axes.plot(x, y, label=one.cell, markevery=marked, **look)
            places = [
                Place(
                    r.learning_rate, f"{r.learning_rate:.2g}", f"{r.smoothed_loss:.3f}"
                )
                for r in own
            ]
            readable(axes, one.cell, places, line)
        start = max(row.smoothed_loss for row in rows if row.step == 1)
        least = min(one.least_loss for one in found)
        # A diverged loss would flatten the rest.
        axes.set_ylim(least - 0.15 * (start - least), start + 0.8 * (start - least))
        axes.set(xscale="log", xlabel="learning rate (marked: lowest loss)")
        axes.set(ylabel="training loss, smoothed")
        axes.xaxis.set_major_formatter(lambda value, _: figures.short(value))
        axes.grid(alpha=0.25)
        figures.legend(figure, [axes])

    return figures.drawn(draw, "range_test", 6.4, 3.8)
