"""The comparison as tables: for a terminal of 80 columns, and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich import table as terminal_table
from rich.markup import escape

from seqclf.cells import CELLS
from seqclf.comparison.draws import FOLDS, SPLIT
from seqclf.comparison.metric import ACCURACY, EXAMPLE_F1, METRICS, Metric, metric_of
from seqclf.comparison.summary import FEWEST_OF_LABEL
from seqclf.records.comparison import MEAN, OTHER, YARDSTICK, ComparisonResult, Row
from seqclf.records.twins import Tried, Tuned
from seqclf.report.columns import MARK, MEDIAN, Column, if_known, table_of
from seqclf.report.pair_table import pair_table
from seqclf.report.sentences import (
    failed_said,
    files_said,
    held_equal,
    yardstick_said,
)
from seqclf.report.table import Table, to_markdown, to_terminal
from seqclf.wording import (
    MISSING,
    percent,
    plural,
)


def _middle(row: Row) -> str:
    """Returns the mean of what ranks; the median, marked, where trainings failed."""
    mark = "" if row.score.median is None else MEDIAN
    return metric_of(row).number(row.score.middle) + mark


def _span(row: Row) -> str:
    """Returns the interval of what ranks; where trainings failed there is none."""
    one = row.score
    if one.low is None or one.high is None:
        return MISSING
    return metric_of(row).span(one.low, one.high)


def _range(row: Row) -> str:
    """Returns the least and the most over the seeds; of one there is none."""
    if _trainings(row) == 1:
        return MISSING
    return metric_of(row).span(row.score.least, row.score.most)


def _trainings(row: Row) -> int:
    """Returns how many scores a row is the mean of; an other system has no runs."""
    return len(row.seeds) or 1 if row.kind in (OTHER, YARDSTICK) else len(row.runs)


def _count(value: int | None) -> str:
    return if_known(value, "{:,}".format)


def _seconds(value: float | None) -> str:
    return if_known(value, lambda v: f"{v:.1f}" if v < 100 else f"{v:.0f}")


def _milliseconds(value: float | None) -> str:
    return if_known(value, lambda v: f"{v:.1f}" if v >= 1 else f"{v:.2f}")


def _in(unit: float, value: float | None, name: str = "") -> str:
    return if_known(value, lambda v: f"{v / unit:.0f}{name}")


CELL: Column[Row] = ("cell", lambda row: row.name)
HEADERS = {
    "accuracy": "accuracy %",
    "macro-f1": "macro\nF1 %",
    "example-f1": "example\nF1 %",
    "log-loss": "log\nloss",
}


def _ranking(result: ComparisonResult, rows: Sequence[Row]) -> list[Column[Row]]:
    """Returns the columns of what ranks: mean, interval, and range if it has one."""
    metric = METRICS[result.metric]
    of = "" if metric is ACCURACY else f"{metric.title}:\n"
    columns: list[Column[Row]] = [CELL, (HEADERS[metric.name], _middle)]
    columns.append((f"{of}95 %\ninterval", _span))
    if result.card.vary == FOLDS:
        columns.append(("range over\nfolds", _range))
    elif any(_trainings(row) > 1 for row in rows):  # one seed has none
        columns.append(("range over\nseeds", _range))
    return columns


def _quality(result: ComparisonResult, rows: Sequence[Row]) -> list[Column[Row]]:
    """Returns the columns of scores: what ranks, then the others."""
    metric = METRICS[result.metric]
    others = [one for one in METRICS.values() if one is not metric]
    if all(row.example_f1 is None for row in rows):  # of several labels a text
        others.remove(EXAMPLE_F1)
    return [*_ranking(result, rows), *map(_mean_of, others)]


def _mean_of(metric: Metric) -> Column[Row]:
    def show(row: Row) -> str:
        value = getattr(row, metric.field)
        return if_known(value.mean if metric is ACCURACY else value, metric.number)

    return HEADERS[metric.name], show


# Of several labels a text, and of labels that are numbers.
FURTHER: dict[str, tuple[str, Callable[[float], str]]] = {
    "micro_f1": ("micro\nF1 %", percent),
    "average_precision": ("mean average\nprecision", "{:.3f}".format),
    "mean_absolute_error": ("mean absolute\nerror", "{:.3f}".format),
    "quadratic_kappa": ("quadratic\nkappa", "{:.3f}".format),
}
UNITS: Column[Row] = ("units", lambda row: if_known(row.units, str))
TO_BEST: Column[Row] = ("s to\nbest", lambda row: _seconds(row.seconds_to_best))
TO_PREDICT: Column[Row] = (
    "ms per\ntext",
    lambda row: _milliseconds(row.milliseconds_per_prediction),
)
COST: tuple[Column[Row], ...] = (
    CELL,
    UNITS,
    ("parameters\nrecurrent", lambda row: _count(row.recurrent_parameters)),
    ("\ntotal", lambda row: _count(row.parameters)),
    ("s per\nepoch", lambda row: _seconds(row.seconds_per_epoch)),
    TO_BEST,
    ("tokens\nper s", lambda row: _in(1e3, row.tokens_per_second, "k")),
    TO_PREDICT,
    ("peak\nMB", lambda row: _in(1e6, row.peak_memory_bytes)),
)


# Of a trial, as `settings_said` tells them.
SETTINGS = ("learning\nrate", "dropout", "units", "epochs", "clip\nnorm", "warm\nup")


def settings_said(cell: str, tried: Tried) -> tuple[str, ...]:
    """Returns the `SETTINGS` of a trial; units where it has any."""
    units = str(tried.units) if CELLS[cell].has_layer else MISSING
    later = (tried.epochs, tried.clip_norm, tried.warmup_fraction)
    return (
        f"{tried.learning_rate:g}",
        f"{tried.dropout_rate:g}",
        units,
        *(if_known(one, "{:g}".format) for one in later),
    )


def loss_said(tried: Tried) -> str:
    """Returns the validation loss of a trial."""
    return if_known(tried.validation_loss, "{:.3f}".format)


def accuracy_said(tried: Tried) -> str:
    """Returns the validation accuracy of a trial, in per cent."""
    return if_known(tried.validation_accuracy, percent)


def tables_of(result: ComparisonResult) -> dict[str, Table]:
    """Returns the tables by name; those that have no row here are left out."""
    means = [row for row in result.rows if row.kind == MEAN]
    rows = [row for row in result.rows if row.kind != MEAN]
    faint = _faint(rows)
    several_units = len({row.units for row in rows if row.units}) > 1
    quality = _quality(result, rows)
    cost = [column for column in COST if several_units or column is not UNITS]
    notes = " ".join(filter(None, [_ranked_note(result), _interval_note(rows)]))
    found = {"quality": table_of(_title(result), quality, rows, faint, notes)}
    if means:
        title = "Combined: the mean of probabilities"
        note = _interval_note(means)
        found["combined"] = table_of(title, quality, means, note=note)
    further = _further(rows)
    if further:
        title = "Further test scores, the mean over a row's trainings"
        found["further"] = table_of(title, further, rows, faint)
    if result.tuning:
        found["tuned"] = _tuned(result.tuning)
    pairs = pair_table(result)
    if pairs:
        found["pairs"] = pairs
    title, before = f"Cost ({_conditions(rows)})", _before(rows)
    priced = [row for row in rows if row.kind != OTHER]
    return found | {"cost": table_of(title, cost, priced, faint, before)}


def _title(result: ComparisonResult) -> str:
    return f"Test scores (n = {result.rows[0].n:,}; {seeds_said(result)})"


def _faint(rows: Sequence[Row]) -> tuple[int, ...]:
    return tuple(i for i, row in enumerate(rows) if row.kind == "baseline")


def _further(rows: Sequence[Row]) -> list[Column[Row]]:
    """Returns the columns of scores that only some labels have; none without any."""

    def column(name: str) -> Column[Row]:
        header, show = FURTHER[name]
        return header, lambda row: if_known(row.further.get(name), show)

    known = [name for name in FURTHER if any(name in row.further for row in rows)]
    return [CELL, *map(column, known)] if known else []


def _ranked_note(result: ComparisonResult) -> str:
    """Says by what rows are ranked, if not accuracy; the verdict has the reason."""
    if result.metric == ACCURACY.name:
        return ""
    return f"Ranked by {METRICS[result.metric].title}."


def _interval_note(rows: Sequence[Row]) -> str:
    """Explains the mark at a median, and why else there is no interval."""
    notes = []
    if any(row.score.median is not None for row in rows):
        notes.append(
            f"{MEDIAN} The median, for trainings failed: no interval over seeds holds "
            f"then."
        )
    if any(row.score.low is None and row.score.median is None for row in rows):
        title = metric_of(rows[0]).title
        notes.append(
            f"{MISSING} No interval of {title} holds where a label has fewer than "
            f"{FEWEST_OF_LABEL} test texts, or nothing varies."
        )
    return " ".join(notes)


def _before(rows: Sequence[Row]) -> str:
    """Says what came before training, such as a language model, and what it took."""
    took = [
        f"{row.name} {_seconds(row.seconds_before)} s"
        for row in rows
        if row.seconds_before
    ]
    return f"Pre-training, before these seconds: {', '.join(took)}." if took else ""


def short(result: ComparisonResult) -> terminal_table.Table:
    """Returns what ranks, and what it costs: a row a cell and baseline, 80 columns."""
    rows = [row for row in result.rows if row.kind != MEAN]
    seconds = (
        "s to best: to train up to the best epoch; ms per text: to predict "
        f"({_conditions(rows)})."
    )
    notes = (_ranked_note(result), _interval_note(rows), _before(rows), seconds)
    columns = [*_ranking(result, rows), TO_BEST, TO_PREDICT]
    note = " ".join(filter(None, notes))
    return to_terminal(table_of(_title(result), columns, rows, _faint(rows), note))


def terminal(result: ComparisonResult) -> list[terminal_table.Table]:
    """Returns all tables, each within 80 columns."""
    return [to_terminal(table) for table in tables_of(result).values()]


def _tuned(tuning: Mapping[str, Tuned]) -> Table:
    count = max(len(tuned.trials) for tuned in tuning.values())
    best = {cell: tuned.best for cell, tuned in tuning.items()}
    return Table(
        title="Tuned settings of each cell, chosen by validation loss from "
        f"{count} trials, and the means of validation",
        header=("cell", *SETTINGS, "loss", "accuracy\n%"),  # 80 columns, all of them
        rows=tuple(
            (cell, *settings_said(cell, one), loss_said(one), accuracy_said(one))
            for cell, one in best.items()
        ),
    )  # fmt: skip


def seeds_said(result: ComparisonResult) -> str:
    """Returns how many seeds the twins have."""
    counts = sorted({len(row.seeds) for row in result.twins})
    is_folds = result.card.vary == FOLDS
    unit = plural(max(counts), "fold" if is_folds else "seed")
    each = ", each with its own draw" if result.card.vary == SPLIT else ""
    return f"{' or '.join(map(str, counts))} {unit} per cell{each}"


def _conditions(rows: Sequence[Row]) -> str:
    """Returns the kernels, and whether the twins were timed alone."""
    timed = sorted({row.timed for row in rows if row.timed})
    return "; ".join([_kernels(rows), *(f"timed {how}" for how in timed)])


def _kernels(rows: Sequence[Row]) -> str:
    """Returns the kernels that ran; by cell where they are not all the same."""
    ran = {row.name: row.kernel for row in rows if row.recurs and row.kernel}
    if len(set(ran.values())) == 1:
        return f"kernel of all twins: {next(iter(ran.values()))}"
    return "; ".join(f"{cell}: {kernel}" for cell, kernel in ran.items()) or "no kernel"


def closing(result: ComparisonResult) -> str:
    """Returns the verdict and what is missing, for a terminal."""
    said = (
        result.verdict,
        failed_said(result),
        held_equal(result.card),
        files_said(result.card),
        yardstick_said(result.card),
    )
    lines = [escape(text) for text in said if text]
    for name, error in result.missing.items():
        lines.append(f"[bold]Missing:[/bold] {escape(name)}: {escape(error)}")
    return "\n".join(lines)


def markdown(result: ComparisonResult) -> str:
    """Returns the same tables, verdict and gaps as Markdown."""
    parts = []
    for table in tables_of(result).values():
        parts += [table.title, to_markdown(table)]
        # Else a paragraph that begins with the mark would be a list.
        parts += [table.note.replace(MARK, f"\\{MARK}")] if table.note else []
    parts += [result.verdict]
    card = result.card
    parts += filter(None, [failed_said(result), held_equal(card)])
    parts += filter(None, [files_said(card), yardstick_said(card)])
    parts += [f"Missing: {name}: {why}" for name, why in result.missing.items()]
    return "\n\n".join(parts)
