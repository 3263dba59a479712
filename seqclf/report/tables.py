"""The comparison as tables: for a terminal of 80 columns, and as Markdown."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from csv import DictWriter
from typing import Any, TypeVar

from rich import table as terminal_table
from rich.markup import escape

from seqclf.cells import CELLS
from seqclf.comparison.pairs import (
    bounds,
    difference,
    is_border_case,
    is_decided,
    is_equal,
    is_small_alone,
    leaves_out_0,
    p_of,
)
from seqclf.comparison.verdict import compared as number_of_pairs
from seqclf.records.comparison import (
    BY_RANKS,
    MEAN,
    AccuracySummary,
    ComparisonResult,
    Pair,
    Row,
    Tried,
    Tuned,
    TwinCard,
)
from seqclf.report.table import Table, to_markdown, to_terminal
from seqclf.wording import (
    MISSING,
    interval,
    joined,
    margin_said,
    p_value,
    percent,
    plural,
    signed,
    span,
)

T = TypeVar("T")
V = TypeVar("V")
Column = tuple[str, Callable[[T], str]]  # its header, and what shows a row's value

MARK = "*"  # at an interval that decides nothing, though it may look so
MEDIAN = "†"  # at the median of a cell of which trainings failed


def _middle(row: Row) -> str:
    """Returns the mean accuracy; the median, marked, where trainings failed."""
    return percent(row.accuracy.middle) + (MEDIAN if row.accuracy.median else "")


def _span(one: AccuracySummary) -> str:
    """Returns the interval; where trainings failed there is none."""
    if one.low is None or one.high is None:
        return MISSING
    return span(one.low, one.high)


def _range(row: Row) -> str:
    """Returns the least and the most accuracy over the seeds; of one there is none."""
    if len(row.runs) == 1:
        return MISSING
    return span(row.accuracy.least, row.accuracy.most)


def _if_known(value: V | None, show: Callable[[V], str]) -> str:
    return MISSING if value is None else show(value)


def _count(value: int | None) -> str:
    return _if_known(value, "{:,}".format)


def _seconds(value: float | None) -> str:
    return _if_known(value, lambda v: f"{v:.1f}" if v < 100 else f"{v:.0f}")


def _milliseconds(value: float | None) -> str:
    return _if_known(value, lambda v: f"{v:.1f}" if v >= 1 else f"{v:.2f}")


def _in(unit: float, value: float | None, name: str = "") -> str:
    return _if_known(value, lambda v: f"{v / unit:.0f}{name}")


CELL: Column[Row] = ("cell", lambda row: row.name)
RANGE: Column[Row] = ("range over\nseeds", _range)
QUALITY: tuple[Column[Row], ...] = (
    CELL,
    ("accuracy %", _middle),
    ("95 %\ninterval", lambda row: _span(row.accuracy)),
    RANGE,
    ("macro\nF1 %", lambda row: percent(row.macro_f1)),
    ("log\nloss", lambda row: f"{row.log_loss:.3f}"),
)
UNITS: Column[Row] = ("units", lambda row: _if_known(row.units, str))
COST: tuple[Column[Row], ...] = (
    CELL,
    UNITS,
    ("parameters\nrecurrent", lambda row: _count(row.recurrent_parameters)),
    ("\ntotal", lambda row: _count(row.parameters)),
    ("s per\nepoch", lambda row: _seconds(row.seconds_per_epoch)),
    ("s to\nbest", lambda row: _seconds(row.seconds_to_best)),
    ("tokens\nper s", lambda row: _in(1e3, row.tokens_per_second, "k")),
    ("ms per\ntext", lambda row: _milliseconds(row.milliseconds_per_prediction)),
    ("peak\nMB", lambda row: _in(1e6, row.peak_memory_bytes)),
)


def _reach(pair: Pair) -> str:
    if pair.by == BY_RANKS:
        told = pair.superiority
        return f"{told.ahead:g} of {told.pairs}†" if told else MISSING
    return interval(*bounds(pair)) + (MARK if is_border_case(pair) else "")


def _found(pair: Pair) -> str:
    """Returns what was found, in a word or two."""
    if not is_decided(pair):
        return "equal" if is_equal(pair) else "open"
    return "a better, by little" if is_equal(pair) else "a better"


PAIRS: tuple[Column[Pair], ...] = (
    ("a, b", lambda pair: f"{pair.a}, {pair.b}"),
    ("a − b,\npoints", lambda pair: signed(100 * difference(pair))),
    ("95 %\ninterval", _reach),
    ("p", lambda pair: _if_known(p_of(pair), p_value)),
    ("found", _found),
)


def settings_said(cell: str, tried: Tried) -> tuple[str, str, str]:
    """Returns learning rate, dropout and units of a trial; units where it recurs."""
    units = str(tried.units) if CELLS[cell].recurs else MISSING
    return f"{tried.learning_rate:g}", f"{tried.dropout_rate:g}", units


def loss_said(tried: Tried) -> str:
    """Returns the validation loss of a trial."""
    return _if_known(tried.validation_loss, "{:.3f}".format)


def accuracy_said(tried: Tried) -> str:
    """Returns the validation accuracy of a trial, in per cent."""
    return _if_known(tried.validation_accuracy, percent)


def tables_of(result: ComparisonResult) -> dict[str, Table]:
    """Returns the tables by name; those that have no row here are left out."""
    pairs, means = compared(result), [row for row in result.rows if row.kind == MEAN]
    rows = [row for row in result.rows if row.kind != MEAN]
    faint = tuple(i for i, row in enumerate(rows) if row.kind == "baseline")
    has_range = any(len(row.runs) > 1 for row in rows)  # one seed has none
    several_units = len({row.units for row in rows if row.units}) > 1
    quality = [column for column in QUALITY if has_range or column is not RANGE]
    cost = [column for column in COST if several_units or column is not UNITS]
    scores = f"Test scores (n = {rows[0].n:,}; {seeds_said(result)})"
    found = {"quality": _table(scores, quality, rows, faint, _median_note(rows))}
    if means:
        title = "Combined: the mean of probabilities"
        note = _median_note(means)
        found["combined"] = _table(title, quality, means, note=note)
    if result.tuning:
        found["tuned"] = _tuned(result.tuning)
    if pairs:
        title, note = _pairs_title(pairs), _pairs_note(pairs, result.margin)
        found["pairs"] = _table(title, PAIRS, pairs, note=note)
    title, before = f"Cost ({_conditions(rows)})", _before(rows)
    return found | {"cost": _table(title, cost, rows, faint, before)}


def _median_note(rows: Sequence[Row]) -> str:
    """Explains the mark at a median, where there is one."""
    if not any(row.accuracy.median for row in rows):
        return ""
    return (
        f"{MEDIAN} The median, for trainings failed: no interval over seeds holds then."
    )


def _before(rows: Sequence[Row]) -> str:
    """Says what came before training, such as a language model, and what it took."""
    took = [
        f"{row.name} {_seconds(row.seconds_before)} s"
        for row in rows
        if row.seconds_before
    ]
    return f"Pre-training, before these seconds: {', '.join(took)}." if took else ""


def _table(
    title: str,
    columns: Sequence[Column[T]],
    rows: Sequence[T],
    faint: tuple[int, ...] = (),
    note: str = "",
) -> Table:
    return Table(
        title=title,
        header=tuple(header for header, _ in columns),
        rows=tuple(tuple(show(row) for _, show in columns) for row in rows),
        note=note,
        faint=faint,
    )


def terminal(result: ComparisonResult) -> list[terminal_table.Table]:
    """Returns the tables, each within 80 columns."""
    return [to_terminal(table) for table in tables_of(result).values()]


def _tuned(tuning: Mapping[str, Tuned]) -> Table:
    count = max(len(tuned.trials) for tuned in tuning.values())
    best = {cell: tuned.best for cell, tuned in tuning.items()}
    return Table(
        title="Tuned settings of each cell, chosen by validation loss from "
        f"{count} trials",
        header=("cell", "learning\nrate", "dropout", "units", "validation\nloss",
                "validation\naccuracy %"),
        rows=tuple(
            (cell, *settings_said(cell, one), loss_said(one), accuracy_said(one))
            for cell, one in best.items()
        ),
    )  # fmt: skip


def _pairs_title(pairs: Sequence[Pair]) -> str:
    models = [pair.p is None for pair in pairs]
    if all(models):
        return "Pairs of these models, not of the cells (p: McNemar, Holm)"
    if any(models):
        return "Pairs (p: Holm over seeds; one seed: McNemar, models)"
    return "Pairs, over seeds and texts (p: Holm for each question)"


def _pairs_note(pairs: Sequence[Pair], margin: float | None) -> str:
    """Explains what is marked, and what `equal` means, where there is such."""
    notes = [_ranks_note(pairs), _mark_note(pairs), _equal_note(pairs, margin)]
    return " ".join(filter(None, notes))


def _ranks_note(pairs: Sequence[Pair]) -> str:
    if not any(pair.by == BY_RANKS for pair in pairs):
        return ""
    return (
        f"{MEDIAN} Pairs of trainings in which a is ahead, for some failed; p is that "
        f"of the exact rank test."
    )


def _equal_note(pairs: Sequence[Pair], margin: float | None) -> str:
    if margin is None or not any(map(is_equal, pairs)):
        return ""
    return f"Equal, or by little: apart by less than {margin_said(margin)}."


def _mark_note(pairs: Sequence[Pair]) -> str:
    """Explains the mark at intervals that decide nothing, where there is one."""
    marked = [pair for pair in pairs if is_border_case(pair)]
    if not marked:
        return ""
    undone = [pair for pair in marked if leaves_out_0(pair) and is_small_alone(pair)]
    if not undone:
        return f"{MARK} Interval and McNemar's test disagree: a border case, undecided."
    return (
        f"{MARK} The pair's own interval: it leaves 0 out, but not after allowing for "
        f"the {number_of_pairs(undone[0])} compared, as p does."
    )


def compared(result: ComparisonResult) -> list[Pair]:
    """Returns the pairs of twins, and those with the best baseline or of a mean."""
    baselines = [row for row in result.rows if row.kind == "baseline"]
    best = max(baselines, key=lambda row: row.accuracy.mean, default=None)
    names = {best.name} if best else set()
    names |= {row.name for row in result.rows if row.kind == MEAN}
    found = [pair for pair in result.references if names & {pair.a, pair.b}]
    return [pair for pair in (*result.pairs, *found) if pair.difference is not None]


def seeds_said(result: ComparisonResult) -> str:
    """Returns how many seeds the twins have."""
    counts = sorted({len(row.seeds) for row in result.twins})
    unit = plural(max(counts), "seed")
    return f"{' or '.join(map(str, counts))} {unit} per cell"


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
    said = (result.verdict, failed_said(result), held_equal(result.card))
    lines = [escape(text) for text in said if text]
    for name, error in result.missing.items():
        lines.append(f"[bold]Missing:[/bold] {escape(name)}: {escape(error)}")
    return "\n".join(lines)


def failed_said(result: ComparisonResult) -> str:
    """Returns how many trainings failed, and which; nothing where it was not kept."""
    rows = [row for row in result.twins if row.failed is not None]
    total = sum(len(row.seeds) for row in rows)
    failed = [
        f"{row.title}, {plural(len(row.failed), 'seed')} "
        f"{joined(list(map(str, row.failed)))}"
        for row in rows
        if row.failed
    ]
    if not failed:
        return f"Failed trainings: none of {total}." if total else ""
    return (
        f"Failed trainings: {'; '.join(failed)}. On validation these are not above "
        f"guessing, or less than half as far as their cell's median."
    )


def held_equal(card: TwinCard) -> str:
    """Returns what was checked to be equal in all runs, and what was not."""
    names = {
        equal: "; ".join(c.what for c in card.checks if c.equal == equal)
        for equal in (True, False)
    }
    said = [f"Equal in all runs: {names[True]}."] if names[True] else []
    if names[False]:
        said.append(f"Not equal: {names[False]}.")
    return " ".join(said)


def markdown(result: ComparisonResult) -> str:
    """Returns the same tables, verdict and gaps as Markdown."""
    parts = []
    for table in tables_of(result).values():
        parts += [table.title, to_markdown(table)]
        # Else a paragraph that begins with the mark would be a list.
        parts += [table.note.replace(MARK, f"\\{MARK}")] if table.note else []
    parts += [result.verdict]
    parts += filter(None, [failed_said(result), held_equal(result.card)])
    parts += [f"Missing: {name}: {why}" for name, why in result.missing.items()]
    return "\n\n".join(parts)


CSV_OF_ROW = (
    "n", "seeds", "macro_f1", "log_loss", "units", "recurrent_parameters", "parameters",
    "seconds_per_epoch", "seconds_to_best", "tokens_per_second",
    "milliseconds_per_prediction", "peak_memory_bytes", "kernel", "timed",
)  # fmt: skip
CSV_OF_PAIR = (
    "seeds", "difference", "p", "mcnemar_p", "p_unadjusted", "adjusted_for", "p_models",
    "p_equal", "by",
)  # fmt: skip
CSV_KINDS = {"twin": "recurrent", "baseline": "baseline", MEAN: MEAN}  # the first: kept
CSV_COLUMNS = (
    "kind", "name", "accuracy", "difference", "low", "high", "p", "mcnemar_p",
    "p_unadjusted", "adjusted_for", "is_decided", *CSV_OF_ROW, "p_models", "p_equal",
    "is_equal", "by",
)  # fmt: skip


def csv(result: ComparisonResult) -> str:
    """Returns a line for each cell, baseline and pair, as comma-separated values.

    Numbers are whole (accuracies and differences are fractions); low and high belong
    to the accuracy or the difference. Lists are joined by spaces.
    """
    file = io.StringIO()
    writer = DictWriter(file, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_csv_of_row, result.rows))
    writer.writerows(map(_csv_of_pair, compared(result)))
    return file.getvalue()


def _csv_of_row(row: Row) -> dict[str, object]:
    values = {key: getattr(row, key) for key in CSV_OF_ROW}
    ends = {"low": row.accuracy.low, "high": row.accuracy.high}
    named = {"kind": CSV_KINDS[row.kind], "name": row.name}
    return _csv_values(values | named | ends | {"accuracy": row.accuracy.mean})


def _csv_of_pair(pair: Pair) -> dict[str, object]:
    values = {key: getattr(pair, key) for key in CSV_OF_PAIR}
    low, high = (None, None) if pair.by == BY_RANKS else bounds(pair)
    ends = {"low": low, "high": high}
    named = {"kind": "pair", "name": f"{pair.a} - {pair.b}"}
    found = {"is_decided": is_decided(pair), "is_equal": is_equal(pair)}
    return _csv_values(values | named | ends | found)


def _csv_values(values: Mapping[str, Any]) -> dict[str, object]:
    return {
        key: " ".join(map(str, value)) if isinstance(value, tuple)
        else _harmless(value) if isinstance(value, str) else value
        for key, value in values.items()
    }  # fmt: skip


def _harmless(text: str) -> str:
    """Returns text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
