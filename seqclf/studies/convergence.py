"""How fast the cells learn: training until a validation loss is first reached.

Twins, a training for each cell and seed, as `compare` makes them and shared with it. Of
each the validation loss after every epoch is known, and that of a model that guesses
evenly, the logarithm of the number of labels, which is where an untrained one stands.
Straight lines join them. Chung et al. (2014) compared GRU and LSTM by such curves, over
updates and over seconds, and found GRU ahead on some of their data sets.

Losses to reach lie on the way from guessing to the best loss of the training of GRU or
LSTM that came least far, so that all of these reach all of them. GRU is set beside LSTM
seed by seed, for twins of one seed see the same batches: the mean logarithm of the
ratio of their steps, with Student's interval over seeds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.comparison.words import joined
from seqclf.errors import ConfigError
from seqclf.report.figures import drawn, legend, style
from seqclf.runs import Run
from seqclf.statistics import CONFIDENCE
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
from seqclf.studies.timed import twins_timed
from seqclf.text.batching import num_batches

FIRST, SECOND = "gru", "lstm"
SHARES = (0.5, 0.75, 1.0)  # of the way from guessing to the hardest loss
LEAST_WAY = 0.05  # of the loss of guessing; below, hardly anything was learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How a training went; all lists begin before the first epoch, at step 0.

    Attributes:
      cell: The cell.
      seed: The training seed.
      steps: Steps made by the end of each epoch.
      seconds: Seconds of training by then, as they passed.
      losses: Validation loss; the first is that of guessing evenly.
    """

    cell: str
    seed: int
    steps: tuple[int, ...]
    seconds: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def best_epoch(self) -> int:
        """The epoch of the least validation loss, from 1."""
        return self.losses.index(min(self.losses[1:]), 1)

    def reached(self, loss: float) -> float | None:
        """Returns the epochs after which the loss is first reached; None if never.

        Within an epoch the loss falls along a straight line.
        """
        for epoch in range(1, len(self.losses)):
            before, after = self.losses[epoch - 1 : epoch + 1]
            if before <= loss:
                return float(epoch - 1)
            if after <= loss:
                return epoch - 1 + (before - loss) / (before - after)
        return None

    def steps_to(self, loss: float) -> float | None:
        """Returns the steps until the loss is first reached; None if never."""
        return _at(self.steps, self.reached(loss))

    def seconds_to(self, loss: float) -> float | None:
        """Returns the seconds until then, as they passed."""
        return _at(self.seconds, self.reached(loss))


def _at(values: Sequence[float], epochs: float | None) -> float | None:
    if epochs is None:
        return None
    whole = min(int(epochs), len(values) - 2)
    return values[whole] + (epochs - whole) * (values[whole + 1] - values[whole])


def run(question: Question, lab: Lab) -> Answer:
    """Trains the twins, unless that was done, and reads how fast they learnt.

    Returns:
      The answer. Its findings: `levels`, the losses to reach, the easiest first, each
      with loss, trainings (by cell, how many reach it), steps and seconds_alone (by
      cell, means over seeds, None unless all reach it) and, None if GRU and LSTM
      learnt nothing, ratio and seconds_ratio: mean, low and high of GRU's steps, and
      of its seconds alone, over those of LSTM, low and high None with one seed;
      `hardest`, the last of the levels, None if there are none; `fewer` and `more`, to
      how many of the levels GRU needs fewer, or more, steps by the interval; best_epoch
      and milliseconds_per_step by cell; guessing, its loss; way, the share of it that
      was made good; last, the steps and the seconds alone to the hardest loss of the
      GRU or LSTM that needs most; and seeds.

    Raises:
      ConfigError: If GRU or LSTM is not among the cells.
      TrainingError: If a training failed.
    """
    if not {FIRST, SECOND} <= set(question.cells):
        raise ConfigError(
            f"convergence sets gru beside lstm; name both in --cells, got "
            f"{','.join(question.cells)}."
        )
    config = quick_config(question.config) if question.quick else question.config
    finished = lab.train(trainings(question, config))
    # Not the data that a run names, which may have been moved since.
    lengths = lab.load(config).splits["train"].lengths
    curves = [_curve(run, lengths) for run in finished]
    one_each = trainings(question, config)[: len(question.cells)]
    timed = twins_timed(one_each, lab)
    steps_alone = {
        one.model.cell: time["milliseconds_per_step"]["median"]
        for one, time in zip(one_each, timed, strict=True)
    }
    findings = found(curves, steps_alone)
    return Answer(
        study="convergence",
        title="How fast the cells learn",
        sentence=sentence(findings),
        table=_table(findings),
        rows=tuple(_rows(curves)),
        findings=findings,
        trials=len(curves),
        notes=_notes(question, finished, findings),
    )


def _curve(run: Run, lengths: np.ndarray) -> Curve:
    config, history = run.config, run.history
    steps, seconds = [0], [0.0]
    for record in history:
        number = num_batches(lengths, config.training, record.epoch)
        steps.append(steps[-1] + number)
        seconds.append(seconds[-1] + record.seconds)
    guessing = math.log(len(run.labels))
    return Curve(
        cell=config.model.cell,
        seed=config.training.seed,
        steps=tuple(steps),
        seconds=tuple(seconds),
        losses=(guessing, *(record.validation_loss for record in history)),
    )


def found(curves: Sequence[Curve], milliseconds: dict[str, float]) -> Record:
    """Returns the findings of `run`.

    Args:
      curves: A training each, GRU and LSTM with the same seeds.
      milliseconds: Of a training step timed alone, by cell.
    """
    cells = list(dict.fromkeys(curve.cell for curve in curves))
    guessing = curves[0].losses[0]
    hardest = hardest_loss(curves)
    way = max(1 - hardest / guessing, 0.0)
    levels = []
    if way >= LEAST_WAY:
        losses = [guessing + share * (hardest - guessing) for share in SHARES[:-1]]
        levels = [_level(curves, loss, milliseconds) for loss in (*losses, hardest)]
    return {
        "levels": levels,
        "hardest": levels[-1] if levels else None,
        "best_epoch": {
            cell: statistics.fmean(c.best_epoch for c in curves if c.cell == cell)
            for cell in cells
        },
        "milliseconds_per_step": dict(milliseconds),
        "guessing": guessing,
        "way": way,
        **_decided(levels),
        "last": _last(curves, hardest, milliseconds) if levels else [None, None],
        "seeds": sum(curve.cell == FIRST for curve in curves),
    }


def _decided(levels: Sequence[Record]) -> Record:
    """Counts the losses to which one of the two needs fewer steps, by intervals."""
    ratios = [level["ratio"] for level in levels if level["ratio"]["low"] is not None]
    return {
        "fewer": sum(ratio["high"] < 1 for ratio in ratios),
        "more": sum(ratio["low"] > 1 for ratio in ratios),
    }


def _last(
    curves: Sequence[Curve], loss: float, milliseconds: Record
) -> list[float | None]:
    """Returns the most steps, and seconds alone, that GRU or LSTM needs to a loss."""
    steps = [(c.steps_to(loss), c.cell) for c in curves if c.cell in (FIRST, SECOND)]
    there = [(value, cell) for value, cell in steps if value is not None]
    seconds = [value * milliseconds[cell] / 1000 for value, cell in there]
    return [max(value for value, _ in there), max(seconds)]


def hardest_loss(curves: Sequence[Curve]) -> float:
    """Returns the least loss that every training of GRU and LSTM reaches."""
    return max(min(c.losses[1:]) for c in curves if c.cell in (FIRST, SECOND))


def _level(curves: Sequence[Curve], loss: float, milliseconds: Record) -> Record:
    reached: dict[str, list[float | None]] = {}
    for curve in curves:
        reached.setdefault(curve.cell, []).append(curve.steps_to(loss))
    means = {cell: _mean(values) for cell, values in reached.items()}
    ratio = paired_ratio(_by_seed(curves, FIRST, loss), _by_seed(curves, SECOND, loss))
    faster = milliseconds[FIRST] / milliseconds[SECOND]
    return {
        "loss": loss,
        "trainings": {c: sum(s is not None for s in v) for c, v in reached.items()},
        "steps": means,
        "seconds_alone": {
            cell: None if steps is None else steps * milliseconds[cell] / 1000
            for cell, steps in means.items()
        },
        "ratio": ratio,
        "seconds_ratio": {
            key: None if value is None else value * faster
            for key, value in ratio.items()
        },
    }


def _by_seed(curves: Sequence[Curve], cell: str, loss: float) -> dict[int, float]:
    found = {c.seed: c.steps_to(loss) for c in curves if c.cell == cell}
    return {seed: steps for seed, steps in found.items() if steps is not None}


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if len(there) == len(values) else None


def paired_ratio(first: dict[int, float], second: dict[int, float]) -> Record:
    """Returns the mean ratio of what two cells needed, paired by seed.

    Args:
      first: Steps by seed, positive.
      second: The same seeds of the other cell.

    Returns:
      mean, the geometric one; low and high, the 95 % interval of Student's t on the
      logarithms, None with one seed.
    """
    from scipy.stats import t

    logs = [math.log(first[seed] / second[seed]) for seed in first]
    centre = statistics.fmean(logs)
    if len(logs) < 2:
        return {"mean": math.exp(centre), "low": None, "high": None}
    reach = float(t.isf((1 - CONFIDENCE) / 2, len(logs) - 1))
    reach *= statistics.stdev(logs) / math.sqrt(len(logs))
    low, high = math.exp(centre - reach), math.exp(centre + reach)
    return {"mean": math.exp(centre), "low": low, "high": high}


def sentence(findings: Record) -> str:
    """Says what the findings support, and no more."""
    hardest, seeds = findings["hardest"], findings["seeds"]
    if hardest is None:
        return (
            "Not every training of GRU and LSTM learnt enough to compare their speed: "
            f"the least successful ended {100 * findings['way']:.0f} % below the loss "
            "of guessing."
        )
    levels = findings["levels"]
    losses = joined([f"{level['loss']:.3f}" for level in levels])
    steps = joined([_ratio_said(level["ratio"]) for level in levels])
    seconds = joined([f"{level['seconds_ratio']['mean']:.2f}" for level in levels])
    lead = (
        f"To validation losses of {losses} GRU needed {steps} times the steps of LSTM"
    )
    alone = f"with steps timed alone, {seconds} times its seconds"
    if hardest["ratio"]["low"] is None:
        return (
            f"{lead}, and {alone}: one training each, which says nothing of the cells."
        )
    undecided = len(levels) - findings["fewer"] - findings["more"]
    rest = f"; to {undecided} that is not decided here" if undecided else ""
    return (
        f"{lead} (95 % intervals over {seeds} seeds), and {alone}. GRU converges in "
        f"fewer steps to {findings['fewer']} of these {len(levels)} losses, LSTM to "
        f"{findings['more']}{rest}."
    )


def _ratio_said(ratio: Record) -> str:
    if ratio["low"] is None:
        return f"{ratio['mean']:.2f}"
    return f"{ratio['mean']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"


def _table(findings: Record) -> Table:
    cells = list(findings["best_epoch"])
    rows = [
        tuple(_line(level, cell, findings))
        for level in findings["levels"]
        for cell in cells
    ]
    if not rows:
        rows = [
            ("–", cell, "–", "–", "–", f"{findings['best_epoch'][cell]:.1f}")
            for cell in cells
        ]
    return Table(
        header=(
            "validation loss", "cell", "reached by", "steps", "seconds, timed alone",
            "best epoch",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _line(level: Record, cell: str, findings: Record) -> list[str]:
    steps, seconds = level["steps"][cell], level["seconds_alone"][cell]
    return [
        f"{level['loss']:.3f}",
        cell,
        f"{level['trainings'][cell]} of {findings['seeds']}",
        "–" if steps is None else f"{steps:,.0f}",
        "–" if seconds is None else f"{seconds:.1f}",
        f"{findings['best_epoch'][cell]:.1f}",
    ]


def _rows(curves: Sequence[Curve]) -> list[Record]:
    return [
        {
            "cell": curve.cell,
            "seed": curve.seed,
            "epoch": epoch,
            "steps": curve.steps[epoch],
            "seconds": curve.seconds[epoch],
            "validation_loss": loss,
            "is_best": int(epoch == curve.best_epoch),
        }
        for curve in curves
        for epoch, loss in enumerate(curve.losses)
    ]


def _notes(
    question: Question, finished: Sequence[Run], findings: Record
) -> tuple[str, ...]:
    jobs = sorted({run.environment.jobs for run in finished})
    passed = (
        "alone" if jobs == [1] else f"{joined([str(n) for n in jobs])} trainings a time"
    )
    notes = [
        f"Seconds timed alone are steps times {_milliseconds(findings)}, timed in "
        f"turns on the same batches.",
        f"Seconds as they passed, in the rows, were measured {passed}"
        + ("." if jobs == [1] else ": these are not alone, and do not rank the cells."),
        f"Within an epoch the loss is taken to fall along a line, in the first from "
        f"that of guessing, {findings['guessing']:.3f}.",
        "The learning rate is that of the recipe, the same for all cells, and follows "
        "its schedule: tuned for each cell, the order may be another.",
    ]
    if question.quick:
        epochs = finished[0].config.training.epochs
        notes.append(
            f"Quick: at most {QUICK_ROWS:,} training texts, {epochs} epochs at most."
        )
    return tuple(notes)


def _milliseconds(findings: Record) -> str:
    times = findings["milliseconds_per_step"].items()
    return joined([f"{value:.1f} ms ({cell})" for cell, value in times])


def figure(answer: Answer) -> str:
    """Draws the validation loss by step and by second alone; levels lie across.

    Seeds are faint, their mean is strong as far as all of them go. It ends a little
    behind the last training of GRU or LSTM to reach the hardest loss.
    """
    findings = answer.findings

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for index, cell in enumerate(findings["best_epoch"]):
            seconds = findings["milliseconds_per_step"][cell] / 1000
            for axes, unit in zip(panels, (1, seconds), strict=True):
                _draw_cell(axes, _lines(answer.rows, cell), unit, style(cell, index))
        for axes, label, last in zip(panels, LABELS, findings["last"], strict=True):
            for level in findings["levels"]:
                axes.axhline(level["loss"], color="#888888", linewidth=0.7, zorder=0)
            axes.set_xlim(0, 1.1 * last if last else None)
            axes.set_xlabel(label)
        panels[0].set_ylabel("validation loss")
        legend(figure, panels[:1])

    return drawn(draw, "convergence", 9.2, 3.8)


LABELS = ("training steps", "seconds, with steps timed alone")


def _draw_cell(
    axes: Any, lines: Sequence[Sequence[Record]], unit: float, look: Record
) -> None:
    for line in lines if len(lines) > 1 else ():
        x = [unit * row["steps"] for row in line]
        faint = dict(look) | {"marker": "", "linewidth": 1, "alpha": 0.3}
        axes.plot(x, [row["validation_loss"] for row in line], **faint)
    together = list(zip(*lines, strict=False))  # epochs that all seeds have
    means = [statistics.fmean(r["validation_loss"] for r in rows) for rows in together]
    steps = [unit * statistics.fmean(r["steps"] for r in rows) for rows in together]
    axes.plot(steps, means, label=lines[0][0]["cell"], markersize=4, **look)


def _lines(rows: Sequence[Record], cell: str) -> list[list[Record]]:
    """Returns a cell's rows, a list a seed."""
    seeds = dict.fromkeys(row["seed"] for row in rows if row["cell"] == cell)
    return [
        [row for row in rows if row["cell"] == cell and row["seed"] == seed]
        for seed in seeds
    ]
