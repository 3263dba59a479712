"""The comparison as tables: for a terminal of 80 columns, and as Markdown."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from csv import DictWriter
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from seqclf.comparison.pairs import NO_RECURRENCE, bounds, is_border_case, is_decided
from seqclf.comparison.verdict import compared as number_of_pairs
from seqclf.comparison.words import percent, signed

Row = dict[str, Any]
Column = tuple[str, Callable[[Row], str]]

MISSING = "–"
MARK = "*"  # at an interval that decides nothing, though it may look so


def _accuracy(row: Row) -> str:
    return percent(row["accuracy"]["mean"])


def _interval(row: Row) -> str:
    """Returns how far the accuracy reaches, such as `89.5–90.3`."""
    return f"{percent(row['accuracy']['low'])}–{percent(row['accuracy']['high'])}"


def _range(row: Row) -> str:
    """Returns the least and the most accuracy over the seeds; of one there is none."""
    if len(row["runs"]) == 1:
        return MISSING
    return f"{percent(row['accuracy']['least'])}–{percent(row['accuracy']['most'])}"


def _optional(key: str, show: Callable[[Any], str]) -> Callable[[Row], str]:
    return lambda row: MISSING if row.get(key) is None else show(row[key])


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


RANGE: Column = ("range over\nseeds", _range)
QUALITY: tuple[Column, ...] = (
    ("cell", lambda row: row["cell"]),
    ("accuracy %", _accuracy),
    ("95 %\ninterval", _interval),
    RANGE,
    ("macro\nF1 %", lambda row: percent(row["macro_f1"])),
    ("log\nloss", lambda row: f"{row['log_loss']:.3f}"),
)
COST: tuple[Column, ...] = (
    ("cell", lambda row: row["cell"]),
    ("parameters\nrecurrent", _optional("recurrent_parameters", "{:,}".format)),
    ("\ntotal", _optional("parameters", "{:,}".format)),
    ("s per\nepoch", _optional("seconds_per_epoch", _seconds)),
    ("s to\nbest", _optional("seconds_to_best", _seconds)),
    ("tokens\nper s", _optional("tokens_per_second", lambda v: f"{v / 1000:.0f}k")),
    ("ms per\ntext", _optional("milliseconds_per_prediction", _milliseconds)),
    ("peak\nMB", _optional("peak_memory_bytes", lambda v: f"{v / 1e6:.0f}")),
)


def _reach(pair: Row) -> str:
    low, high = bounds(pair)
    mark = MARK if is_border_case(pair) else ""
    return f"{signed(100 * low)} to {signed(100 * high)}{mark}"


def _p(pair: Row) -> str:
    p = pair["mcnemar_p"][0] if pair["p"] is None else pair["p"]
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _of_a_thousand(pair: Row) -> str:
    """Returns how many more texts a has right, such as `4 (−1 to 9)`."""
    counts = (signed(1000 * v, 0) for v in (pair["difference"], *bounds(pair)))
    return "{} ({} to {})".format(*counts)


PAIRS: tuple[Column, ...] = (
    ("a, b", lambda pair: f"{pair['a']}, {pair['b']}"),
    ("a − b,\npoints", lambda pair: signed(100 * pair["difference"])),
    ("95 %\ninterval", _reach),
    ("p", _p),
    ("net more right\nof 1,000 texts", _of_a_thousand),
)


def units_said(cell: str, units: int) -> str:
    """Returns the units of a trial; without recurrence there are none."""
    return MISSING if cell.split()[0] == NO_RECURRENCE else str(units)


UNITS: Column = ("units", _optional("units", str))
TUNED: tuple[Column, ...] = (
    ("cell", lambda row: row["cell"]),
    ("learning\nrate", lambda row: f"{row['learning_rate']:g}"),
    ("dropout", lambda row: f"{row['dropout_rate']:g}"),
    ("units", lambda row: units_said(row["cell"], row["units"])),
    ("validation\nloss", lambda row: f"{row['validation_loss']:.3f}"),
    ("validation\naccuracy %", lambda row: percent(row["validation_accuracy"])),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, not yet drawn.

    Attributes:
      name: `quality`, `tuned`, `pairs` or `cost`.
      title: What it answers.
      columns: Header, perhaps of two lines, and what shows a row's value.
      rows: Records of `comparison.json`.
      note: What stands below it; empty for nothing.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""

    @property
    def headers(self) -> list[str]:
        """The headers, each on one line."""
        return [" ".join(header.split()) for header, _ in self.columns]

    @property
    def cells(self) -> list[list[str]]:
        """What stands in each row."""
        return [[show(row) for _, show in self.columns] for row in self.rows]


def sheets(result: dict[str, Any]) -> list[Sheet]:
    """Returns the tables of a comparison: quality, what tuning chose, pairs, cost."""
    rows, pairs, tuned = result["rows"], compared(result), _tuned(result)
    found = [Sheet("quality", _quality_title(rows), _quality(rows), rows)]
    if tuned:
        found.append(Sheet("tuned", _tuned_title(result), TUNED, tuned))
    if pairs:
        note = _pairs_note(pairs)
        found.append(Sheet("pairs", _pairs_title(pairs), PAIRS, pairs, note))
    price = f"At what price ({_conditions(rows)})"
    return [*found, Sheet("cost", price, _cost(rows), rows)]


def terminal(result: dict[str, Any]) -> list[Table]:
    """Returns the tables, each within 80 columns."""
    return [_rich(sheet) for sheet in sheets(result)]


def _tuned(result: dict[str, Any]) -> list[Row]:
    """Returns the settings that tuning chose, a row a cell."""
    return [
        {"cell": cell} | tried["trials"][tried["chosen"] - 1]
        for cell, tried in (result.get("tuning") or {}).items()
    ]


def _tuned_title(result: dict[str, Any]) -> str:
    count = len(next(iter(result["tuning"].values()))["trials"])
    return f"What was chosen for each cell, by validation, from {count} trials"


def _quality_title(rows: Sequence[Row]) -> str:
    return f"How good (test, n = {rows[0]['n']:,}; {seeds_said(rows)})"


def _pairs_title(pairs: Sequence[Row]) -> str:
    models = [pair["p"] is None for pair in pairs]
    if all(models):
        return "Is a better than b? These trained models, not the cells (p: McNemar)"
    if any(models):
        return "Is a better than b? (p: Holm over seeds; of one seed McNemar, models)"
    return "Is a better than b? Over seeds and texts (p: Holm among recurrent cells)"


def _pairs_note(pairs: Sequence[Row]) -> str:
    """Explains the mark at intervals that decide nothing, where there is one."""
    marked = [pair for pair in pairs if is_border_case(pair)]
    if not marked:
        return ""
    if marked[0]["p"] is None:
        return f"{MARK} Interval and McNemar's test disagree: a border case, undecided."
    return (
        f"{MARK} The pair's own interval: it leaves 0 out, but not after allowing for "
        f"the {number_of_pairs(marked[0])} compared, as p does."
    )


def compared(result: dict[str, Any]) -> list[Row]:
    """Returns the pairs of twins, and the best baseline with the best twin."""
    pairs = [*result.get("pairs", []), *_best_reference(result)]
    return [pair for pair in pairs if pair["seeds"]]


def _best_reference(result: dict[str, Any]) -> list[Row]:
    names = {
        row["cell"]: row["accuracy"]["mean"]
        for row in result["rows"]
        if row["kind"] == "baseline"
    }
    best = max(names, key=lambda name: names[name], default=None)
    references = result.get("references", [])
    return [pair for pair in references if best in (pair["a"], pair["b"])]


def seeds_said(rows: Sequence[Row]) -> str:
    """Returns on how many seeds the twins stand."""
    counts = sorted({len(row["seeds"]) for row in rows if row["kind"] == "recurrent"})
    unit = "seed" if counts == [1] else "seeds"
    return f"{' or '.join(map(str, counts))} {unit} per cell"


def _quality(rows: Sequence[Row]) -> list[Column]:
    """Returns the columns of quality; one seed has no range."""
    several = any(len(row["runs"]) > 1 for row in rows)
    return [column for column in QUALITY if several or column is not RANGE]


def _cost(rows: Sequence[Row]) -> list[Column]:
    """Returns the columns of cost; units where they are not all equal."""
    units = {row["units"] for row in rows if row.get("units")}
    return [COST[0], *([UNITS] if len(units) > 1 else []), *COST[1:]]


def _rich(sheet: Sheet) -> Table:
    table = Table(title=sheet.title, title_justify="left", title_style="bold")
    if sheet.note:
        table.caption, table.caption_justify = escape(sheet.note), "left"
    for index, (header, _) in enumerate(sheet.columns):
        table.add_column(header, justify="right" if index else "left")
    for row, cells in zip(sheet.rows, sheet.cells, strict=True):
        is_baseline = row.get("kind") == "baseline"
        table.add_row(*map(escape, cells), style="dim" if is_baseline else None)
    return table


def _conditions(rows: Sequence[Row]) -> str:
    """Returns the kernels, and whether the twins were timed alone."""
    timed = sorted({row["timed"] for row in rows if row.get("timed")})
    return "; ".join([_kernels(rows), *(f"timed {how}" for how in timed)])


def _kernels(rows: Sequence[Row]) -> str:
    """Returns the kernels that ran; by cell where they are not all the same."""
    ran = {r["cell"]: r["kernel"] for r in rows if r.get("kernel", "none") != "none"}
    if len(set(ran.values())) == 1:
        return f"kernel of all twins: {next(iter(ran.values()))}"
    return "; ".join(f"{cell}: {kernel}" for cell, kernel in ran.items()) or "no kernel"


def closing(result: dict[str, Any]) -> str:
    """Returns the verdict and what is missing, for a terminal."""
    lines = [escape(result["verdict"]), escape(held_equal(result["card"]))]
    for name, error in result.get("missing", {}).items():
        lines.append(f"[bold]Missing:[/bold] {escape(name)}: {escape(error)}")
    return "\n".join(lines)


def held_equal(card: dict[str, Any]) -> str:
    """Returns what was checked to be equal in all runs, and what was not."""
    checks = card.get("checks", [])
    names = {
        equal: "; ".join(c["what"] for c in checks if c["equal"] == equal)
        for equal in (True, False)
    }
    said = [f"Equal in all runs: {names[True]}."] if names[True] else []
    if names[False]:
        said.append(f"Not equal: {names[False]}.")
    return " ".join(said)


def markdown(result: dict[str, Any]) -> str:
    """Returns the same tables, verdict and gaps as Markdown."""
    parts = []
    for sheet in sheets(result):
        parts += [sheet.title, _markdown_table(sheet)]
        parts += [sheet.note.replace(MARK, f"\\{MARK}")] if sheet.note else []
    parts += [result["verdict"], held_equal(result["card"])]
    parts += [f"Missing: {n}: {e}" for n, e in result.get("missing", {}).items()]
    return "\n\n".join(parts)


def _markdown_table(sheet: Sheet) -> str:
    lines = [sheet.headers, ["---"] + ["---:"] * (len(sheet.columns) - 1)]
    lines += [[_in_markdown(value) for value in cells] for cells in sheet.cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _in_markdown(value: str) -> str:
    return value.replace("|", "\\|").replace(MARK, f"\\{MARK}")


CSV_OF_ROW = (
    "n", "seeds", "macro_f1", "log_loss", "units", "recurrent_parameters", "parameters",
    "seconds_per_epoch", "seconds_to_best", "tokens_per_second",
    "milliseconds_per_prediction", "peak_memory_bytes", "kernel", "timed",
)  # fmt: skip
CSV_COLUMNS = (
    "kind", "name", "accuracy", "difference", "low", "high", "p", "mcnemar_p",
    "p_unadjusted", "adjusted_for", "is_decided", *CSV_OF_ROW,
)  # fmt: skip


def csv(result: dict[str, Any]) -> str:
    """Returns a line for each cell, baseline and pair, as comma-separated values.

    Numbers are whole (accuracies and differences are fractions); low and high belong
    to the accuracy or the difference. Lists are joined by spaces.
    """
    file = io.StringIO()
    writer = DictWriter(file, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in result["rows"]:
        own = {key: _csv_value(row.get(key)) for key in CSV_OF_ROW}
        accuracy = row["accuracy"]
        reach = {"low": accuracy["low"], "high": accuracy["high"]}
        name = {"kind": row["kind"], "name": _harmless(row["cell"])}
        writer.writerow(name | own | reach | {"accuracy": accuracy["mean"]})
    for pair in compared(result):
        low, high = bounds(pair)
        writer.writerow(
            {
                "kind": "pair",
                "name": _harmless(f"{pair['a']} - {pair['b']}"),
                "seeds": _csv_value(pair["seeds"]),
                "difference": pair["difference"],
                "low": low,
                "high": high,
                "p": _csv_value(pair["p"]),
                "mcnemar_p": _csv_value(pair["mcnemar_p"]),
                "p_unadjusted": pair.get("p_unadjusted"),
                "adjusted_for": pair.get("adjusted_for"),
                "is_decided": is_decided(pair),
            }
        )
    return file.getvalue()


def _csv_value(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return _harmless(value) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    """Returns text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
