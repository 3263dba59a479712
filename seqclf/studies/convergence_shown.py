"""What `convergence` found: sentence, table, notes and figure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from seqclf.records.estimates import Mean
from seqclf.records.side_by_side import ConvergenceFindings, EpochReached, Level
from seqclf.report.figures import drawn, legend, short, style
from seqclf.report.readings import Place, readable
from seqclf.report.table import Table
from seqclf.runs import Run
from seqclf.studies.question import Answer, Question, grouped
from seqclf.wording import MISSING, joined, with_interval

LABELS = ("training steps", "seconds, with steps timed alone")


def sentence(findings: ConvergenceFindings) -> str:
    """Says what the findings support, and no more."""
    hardest, levels = findings.hardest, findings.levels
    if hardest is None:
        return (
            "Not every training of GRU and LSTM learnt enough to compare their speed: "
            f"the least successful ended {100 * findings.way:.0f} % below the loss "
            "of guessing."
        )
    those = joined([f"{level.loss:.3f}" for level in levels])
    steps = joined([_ratio(level.ratio) for level in levels])
    seconds = joined([f"{level.seconds_ratio.mean:.2f}" for level in levels])
    lead = f"To validation losses of {those} GRU needed {steps} times the steps of LSTM"
    alone = f"with steps timed alone, {seconds} times its seconds"
    if hardest.ratio.low is None:
        return (
            f"{lead}, and {alone}: one training each, which says nothing of the cells."
        )
    undecided = len(levels) - findings.fewer - findings.more
    rest = f"; to {undecided} that is not decided here" if undecided else ""
    return (
        f"{lead} (95 % intervals over {findings.seeds} seeds), and {alone}. GRU "
        f"converges in fewer steps to {findings.fewer} of these {len(levels)} losses, "
        f"LSTM to {findings.more}{rest}."
    )


def _ratio(ratio: Mean) -> str:
    return with_interval(ratio.mean, ratio.low, ratio.high, scale=1, digits=2)


def table(findings: ConvergenceFindings) -> Table:
    """Returns a line a loss and cell; without losses, a line a cell."""
    cells = list(findings.best_epoch)
    levels = findings.levels or (None,)
    rows = [_line(level, cell, findings) for level in levels for cell in cells]
    return Table(
        header=(
            "validation loss", "cell", "reached by", "steps", "seconds, timed alone",
            "best epoch",
        ),
        rows=tuple(rows),
    )  # fmt: skip


def _line(
    level: Level | None, cell: str, findings: ConvergenceFindings
) -> tuple[str, ...]:
    best = f"{findings.best_epoch[cell]:.1f}"
    if level is None:
        return (MISSING, cell, MISSING, MISSING, MISSING, best)
    steps, seconds = level.steps[cell], level.seconds_alone[cell]
    steps_said = MISSING if steps is None else f"{steps:,.0f}"
    seconds_said = MISSING if seconds is None else f"{seconds:.1f}"
    reached = f"{level.trainings[cell]} of {findings.seeds}"
    return (f"{level.loss:.3f}", cell, reached, steps_said, seconds_said, best)


def notes(
    question: Question, finished: Sequence[Run], findings: ConvergenceFindings
) -> tuple[str, ...]:
    """Says what was timed how, and what was held fixed."""
    jobs = sorted({run.environment.jobs for run in finished})
    passed = "alone."
    if jobs != [1]:
        several = joined([str(n) for n in jobs])
        passed = f"with {several} trainings at a time: they do not rank the cells."
    medians = findings.milliseconds_per_step.items()
    times = joined([f"{value:.1f} ms ({cell})" for cell, value in medians])
    said = [
        f"Seconds timed alone are steps times {times}, timed in "
        f"turns on the same batches.",
        f"Wall-clock seconds, in the rows, were measured {passed}",
        f"Within an epoch the loss is taken to fall along a line, in the first from "
        f"that of guessing evenly; to state the labels' shares costs "
        f"{findings.guessing:.3f}.",
        "The learning rate is that of the recipe, the same for all cells, and follows "
        "its schedule: tuned for each cell, the order may be another.",
    ]
    return (*said, *question.quick_note(f"{joined(question.cells)} alone."))


def figure(answer: Answer[ConvergenceFindings]) -> str:
    """Draws the validation loss by step and by second alone, with the levels.

    Seeds are faint, their mean is strong up to the last epoch of all. The axis ends
    soon after the last training of GRU or LSTM has reached the hardest loss.
    """
    findings = answer.findings

    def draw(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for index, cell in enumerate(findings.best_epoch):
            own = grouped((row.seed, row) for row in answer.rows if row.cell == cell)
            seconds = findings.milliseconds_per_step[cell] / 1000
            for axes, unit in zip(panels, (1, seconds), strict=True):
                _draw_cell(axes, list(own.values()), unit, style(cell, index))
        for axes, label, last in zip(panels, LABELS, findings.last, strict=True):
            for level in findings.levels:
                axes.axhline(level.loss, color="#888888", linewidth=0.7, zorder=0)
            axes.set(xlim=(0, 1.1 * last if last else None), xlabel=label)
        panels[0].set_ylabel("validation loss")
        legend(figure, panels[:1])

    return drawn(draw, "convergence", 9.2, 3.8)


def _draw_cell(
    axes: Any,
    lines: Sequence[Sequence[EpochReached]],
    unit: float,
    look: dict[str, object],
) -> None:
    parts: list[Any] = []
    for line in lines if len(lines) > 1 else ():
        x = [unit * row.steps for row in line]
        faint = look | {"marker": "", "linewidth": 1, "alpha": 0.3}
        parts += axes.plot(x, [row.validation_loss for row in line], **faint)
    together = list(zip(*lines, strict=False))  # epochs that all seeds have
    means = [statistics.fmean(r.validation_loss for r in rows) for rows in together]
    steps = [unit * statistics.fmean(r.steps for r in rows) for rows in together]
    cell = lines[0][0].cell
    parts += axes.plot(steps, means, label=cell, markersize=4, **look)
    places = [
        Place(step, short(float(f"{step:.3g}")), _losses(rows))
        for step, rows in zip(steps, together, strict=True)
    ]
    readable(axes, cell, places, parts, "least and most of the seeds")


def _losses(rows: Sequence[EpochReached]) -> str:
    """Returns the mean loss of an epoch, with the range over seeds if there are any."""
    losses = [row.validation_loss for row in rows]
    mean = f"{statistics.fmean(losses):.3f}"
    is_one = len(losses) == 1
    return mean if is_one else f"{mean} ({min(losses):.3f} to {max(losses):.3f})"
