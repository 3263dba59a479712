"""One table over several data sets: is GRU ahead of LSTM, on average?

Reads the finished comparisons in the folder of the runs and trains nothing. A data set
counts once, however often it was compared: by the comparison with the most seeds, among
these one with the same settings for both cells, then by name, never by the result. What
ranks by another metric is judged anew by accuracy. The built-in corpus is shown but
does not count, because it is synthetic.

The differences are put together as a sample of data sets (random effects, see
`statistics.overall`), those over several seeds alone: one training each says nothing
of the cells. Jozefowicz et al. (2015) and Greff et al. (2017) compared the cells on
several tasks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seqclf import statistics
from seqclf.cells import GRU, LSTM, NO_RECURRENCE
from seqclf.comparison.judged import SIGNIFICANCE, bounds, difference
from seqclf.comparison.metric import ACCURACY
from seqclf.comparison.pairs import MARGIN
from seqclf.comparison.rows import compare_runs
from seqclf.data.load import GENERATED
from seqclf.errors import RunError
from seqclf.marker import COMPARISON_FILE
from seqclf.records.comparison import BY_RANKS, ComparisonResult
from seqclf.records.dataset import DatasetInfo
from seqclf.records.side_by_side import (
    Compared,
    OverDataSets,
    ToldApart,
    WinsFindings,
)
from seqclf.report.figures import drawn, style
from seqclf.report.svg import INK
from seqclf.report.table import Table
from seqclf.runs import open_run
from seqclf.runs.comparisons import find_comparisons, read_comparison
from seqclf.steps import optional
from seqclf.studies.drawing import bar, name_lines
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question
from seqclf.wording import (
    counted,
    interval,
    margin_said,
    percent,
    points_at_length,
    signed,
)

LEAST_ERROR = 1e-6  # of a difference that no seed and no text changes


def about(models: Path) -> DatasetInfo:
    """Returns a description of all comparisons, in place of that of a data set.

    Raises:
      RunError: If no finished comparison has both cells.
    """
    rows, left_out = compared(models)
    digest = hashlib.sha256("\n".join(left_out).encode())
    for row in rows:
        content = (models / row.comparison / COMPARISON_FILE).read_bytes()
        digest.update(row.comparison.encode() + b"\0" + content)
    return DatasetInfo(
        name="comparisons", source="", fingerprint=digest.hexdigest()[:16], labels=(),
        sizes={},
    )  # fmt: skip


def run(question: Question, lab: Lab) -> Answer[WinsFindings]:
    """Counts on how many data sets GRU is ahead of LSTM.

    Raises:
      RunError: If no finished comparison has both cells.
    """
    rows, left_out = compared(lab.target.models)
    findings = count(rows)
    return Answer(
        study="wins", title="GRU beside LSTM, over data sets",
        sentence=sentence(findings), table=table(rows), rows=tuple(rows),
        findings=findings, trials=sum(2 * row.seeds for row in rows if row.counts),
        notes=(*notes(rows, findings), *left_out),
    )  # fmt: skip


def compared(models: Path) -> tuple[list[Compared], list[str]]:
    """Returns GRU and LSTM of each finished comparison, those that count first.

    Beside them a sentence for each damaged comparison, which is left out.

    Raises:
      RunError: If there is none.
    """
    found: list[Compared] = []
    left_out: list[str] = []
    for folder in find_comparisons(models):
        with optional(left_out.append, f"{folder} is left out"):
            found += _pair(folder, read_comparison(folder))
    if not found:
        none = f"{models} has no finished comparison of gru and lstm."
        said = "Make one for each of your data sets: seqclf compare --data FILE"
        raise RunError(" ".join([none, *left_out, said]))
    return _once_a_data_set(found), left_out


def _pair(folder: Path, result: ComparisonResult) -> list[Compared]:
    """Returns the pair, if the comparison has it.

    Raises:
      RunError: If it has no interval, or ranks by another metric than accuracy and its
        runs are gone.
    """
    by_name = {row.name: row for row in result.rows}
    both = {GRU.name, LSTM.name}
    found = [
        one
        for one in result.pairs
        if {one.a, one.b} == both and one.difference is not None
    ]
    if not found:
        return []
    if result.metric != ACCURACY.name:
        return _pair(folder, _by_accuracy(result, folder.parent))
    pair = found[0]
    if pair.by == BY_RANKS:
        raise RunError("a training of gru or lstm failed in it, so no interval holds")
    sign = 1 if pair.a == GRU.name else -1
    low, high = sorted(sign * end for end in bounds(pair))
    dataset = result.card.dataset
    gru, lstm = by_name[GRU.name], by_name[LSTM.name]
    gain = sign * difference(pair) + 0.0  # no negative zero
    one = Compared(  # which of them count: see `_once_a_data_set`
        data=dataset.name, comparison=folder.name, fingerprint=dataset.fingerprint,
        n=gru.n, seeds=min(len(gru.seeds), len(lstm.seeds)),
        own_settings=int(bool(result.card.chosen)),
        gru=gru.accuracy.mean, lstm=lstm.accuracy.mean, difference=gain, low=low,
        high=high, p=pair.p, is_synthetic=int(dataset.source == GENERATED), counts=0,
    )  # fmt: skip
    return [one]


def _by_accuracy(result: ComparisonResult, models: Path) -> ComparisonResult:
    """Compares the runs of a comparison, in `models`, anew by their accuracy."""
    paths = [models / Path(one).name for row in result.twins for one in row.runs]
    finished = [open_run(path, models) for path in paths]
    return compare_runs(finished, chosen=result.card.chosen, metric=ACCURACY.name)


def _once_a_data_set(found: Sequence[Compared]) -> list[Compared]:
    """Marks the comparison of each data set that counts; see the module."""
    ordered = sorted(found, key=lambda r: (-r.seeds, r.own_settings, r.comparison))
    seen: set[str] = set()
    rows = []
    for row in ordered:
        is_first = row.fingerprint not in seen
        seen.add(row.fingerprint)
        counts = int(is_first and not row.is_synthetic)
        rows.append(replace(row, counts=counts))
    return sorted(rows, key=lambda row: (-row.counts, row.data))


def count(rows: Sequence[Compared], margin: float = MARGIN) -> WinsFindings:
    """Counts who is ahead, and puts the differences together."""
    chosen = [row for row in rows if row.counts]
    first, second = _signs(chosen)
    several = [row for row in chosen if row.p is not None]
    better = _signs([row for row in several if (row.p or 0.0) < SIGNIFICANCE])
    return WinsFindings(
        data_sets=len(chosen), first=first, second=second,
        ties=len(chosen) - first - second,
        told_apart=ToldApart(first=better[0], second=better[1], of=len(several)),
        overall=_overall(several, margin) if len(several) > 1 else None,
    )  # fmt: skip


def _signs(rows: Sequence[Compared]) -> tuple[int, int]:
    """Returns how often GRU is ahead, and how often LSTM."""
    first = sum(row.difference > 0 for row in rows)
    return first, sum(row.difference < 0 for row in rows)


def _overall(rows: Sequence[Compared], margin: float) -> OverDataSets:
    from scipy.stats import norm

    # An interval is as wide as Student's t makes it; taken for a normal one, it counts
    # a little less than it might.
    widths = [(row.high - row.low) / 2 / norm.isf(0.025) for row in rows]
    errors = np.maximum(widths, LEAST_ERROR)
    found = statistics.overall([row.difference for row in rows], errors.tolist())
    low, high = found.interval()
    return OverDataSets(
        mean=found.mean, low=low, high=high, spread=found.spread,
        p=2 * found.p_beyond(0.0), p_equal=found.p_within(margin), margin=margin,
    )  # fmt: skip


def sentence(findings: WinsFindings) -> str:
    """Says what the data sets support together, and no more."""
    n, first, second = findings.data_sets, findings.first, findings.second
    if not n:
        return (
            "No comparison of data of your own: that of the built-in corpus is shown, "
            "and does not count."
        )
    ties = f", and {findings.ties} equal" if findings.ties else ""
    lead = (
        f"GRU had the higher test accuracy on {first} of {counted(n, 'data set')}, "
        f"LSTM on {second}{ties}"
    )
    apart = findings.told_apart
    told = (
        f"over seeds and texts GRU is better on {apart.first}, LSTM on "
        f"{apart.second}, of {apart.of} with several seeds"
    )
    if findings.overall is None:
        return f"{lead}; {told}. That says nothing of other data sets."
    return f"{on_average(findings.overall, apart.of)} {lead}; {told}."


def on_average(found: OverDataSets, data_sets: int) -> str:
    """Says how far GRU is ahead of LSTM on such data sets, and what that shows."""
    size = points_at_length(found.mean, found.low, found.high)
    equal = f"practically equal, within {margin_said(found.margin)}"
    if found.p < SIGNIFICANCE:
        ahead = "GRU is ahead" if found.mean > 0 else "LSTM is ahead"
        little = f" {equal}" if found.p_equal < SIGNIFICANCE else ""
        shown = f"{ahead}, and{little}" if little else ahead
    elif found.p_equal < SIGNIFICANCE:
        shown = equal
    else:
        shown = "not decided"
    return f"GRU less LSTM over {data_sets} data sets: {size}: {shown}."


def table(rows: Sequence[Compared]) -> Table:
    """Returns a line a comparison."""
    return Table(
        header=("data", "GRU, %", "LSTM, %", "difference", "95 % interval", "seeds"),
        rows=tuple(
            (
                name_of(row) + ("" if row.counts else " (not counted)"),
                percent(row.gru),
                percent(row.lstm),
                signed(100 * row.difference, 2),
                interval(row.low, row.high, digits=2)
                + ("" if row.p is not None else " *"),
                str(row.seeds),
            )
            for row in rows
        ),
    )


def name_of(row: Compared) -> str:
    """Returns the name of a comparison in table and figure."""
    return row.comparison.removesuffix("-compare")


def notes(rows: Sequence[Compared], findings: WinsFindings) -> tuple[str, ...]:
    """Says what was held fixed, what counts, and what the marks mean."""
    said = [
        "Recipe, seeds and data are those of the comparisons found.",
        "In the figure, filled is over seeds, open one training of each, grey not "
        "counted.",
    ]
    if any(row.p is None for row in rows):
        said.append(
            "* one training of each: the interval is of these two models on such "
            "texts, not of the cells, and no part of the mean."
        )
    if any(row.is_synthetic for row in rows):
        said.append("The built-in corpus is synthetic, and does not count.")
    if any(not row.counts and not row.is_synthetic for row in rows):
        said.append(
            "A data set that was compared more than once counts once: the most seeds, "
            "then equal settings before tuned or matched ones."
        )
    return tuple(said)


def figure(answer: Answer[WinsFindings]) -> str:
    """Draws differences: filled over seeds, open of two models, grey not counted."""
    rows: Sequence[Compared] = answer.rows

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, row in enumerate(rows):
            ahead = GRU.name if row.difference >= 0 else LSTM.name
            look = style(ahead) | {"capsize": 3}
            if not row.counts:
                look["color"] = NO_RECURRENCE.look.colour
            if row.p is None:
                look["markerfacecolor"] = "none"
            bar(axes, place, row.difference, row.low, row.high, look)
        name_lines(axes, [name_of(row) for row in rows])
        axes.set_xlabel("GRU − LSTM, points of accuracy")
        above = {"transform": axes.transAxes, "va": "bottom", "fontsize": 9}
        axes.text(0, 1.02, "← LSTM better", ha="left", **above)
        axes.text(1, 1.02, "GRU better →", ha="right", **above)
        axes.grid(axis="x", alpha=0.25)

    return drawn(draw, "wins", 6.8, 1.2 + 0.36 * len(rows))
