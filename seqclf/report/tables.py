"""The comparison as tables: for a terminal of 80 columns, and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

Row = dict[str, Any]
Column = tuple[str, Callable[[Row], str]]

MISSING = "–"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _accuracy(row: Row) -> str:
    return _percent(row["accuracy"]["mean"])


def _interval(row: Row) -> str:
    """Returns how far the accuracy reaches, such as `89.5–90.3`."""
    return f"{_percent(row['accuracy']['low'])}–{_percent(row['accuracy']['high'])}"


def _range(row: Row) -> str:
    """Returns the least and the most accuracy over the seeds."""
    return f"{_percent(row['accuracy']['least'])}–{_percent(row['accuracy']['most'])}"


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
    ("macro\nF1 %", lambda row: _percent(row["macro_f1"])),
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


def terminal(result: dict[str, Any]) -> list[Table]:
    """Returns the tables of quality and of cost, each within 80 columns."""
    rows = result["rows"]
    n = rows[0]["n"]
    return [
        _rich(f"How good (test, n = {n:,}; {_seeds(rows)})", _quality(rows), rows),
        _rich(f"At what price ({_conditions(rows)})", COST, rows),
    ]


def _seeds(rows: Sequence[Row]) -> str:
    """Returns on how many seeds the twins stand."""
    counts = sorted({len(row["seeds"]) for row in rows if row["kind"] == "recurrent"})
    return f"seeds a twin: {', '.join(map(str, counts))}"


def _quality(rows: Sequence[Row]) -> list[Column]:
    """Returns the columns of quality; one seed has no range."""
    several = any(len(row["runs"]) > 1 for row in rows)
    return [column for column in QUALITY if several or column is not RANGE]


def _rich(title: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for index, (header, _) in enumerate(columns):
        table.add_column(header, justify="right" if index else "left")
    for row in rows:
        cells = [escape(show(row)) for _, show in columns]
        table.add_row(*cells, style=None if row["kind"] == "recurrent" else "dim")
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
    lines = [escape(result["verdict"])]
    for name, error in result.get("missing", {}).items():
        lines.append(f"[bold]Missing:[/bold] {escape(name)}: {escape(error)}")
    return "\n".join(lines)


def markdown(result: dict[str, Any]) -> str:
    """Returns the same tables, verdict and gaps as Markdown."""
    rows = result["rows"]
    parts = [
        f"How good (test, n = {rows[0]['n']:,}; {_seeds(rows)})",
        _markdown_table(_quality(rows), rows),
        f"At what price ({_conditions(rows)})",
        _markdown_table(COST, rows),
        result["verdict"],
    ]
    parts += [f"Missing: {n}: {e}" for n, e in result.get("missing", {}).items()]
    return "\n\n".join(parts)


def _markdown_table(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    headers = [" ".join(header.split()) for header, _ in columns]
    lines = [headers, ["---"] + ["---:"] * (len(columns) - 1)]
    lines += [[show(row).replace("|", "\\|") for _, show in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
