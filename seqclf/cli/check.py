"""`seqclf data check`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import Screen, clean, print_json, print_table, stdout
from seqclf.config import RunConfig
from seqclf.config.checks import require_count
from seqclf.records.suspects import COLUMN, TOKEN
from seqclf.wording import percent

if TYPE_CHECKING:
    from seqclf.records.suspects import NearDuplicate, RowOf, Suspects
    from seqclf.report.table import Table

SHOWN = 80  # characters of a text
NAMED = (COLUMN, TOKEN)  # leaks that have a name of the user's

Source = Annotated[
    str, typer.Argument(metavar="NAME", help="Data set, as in seqclf data show.")
]
Splits = Annotated[
    str,
    options.option(
        "--splits",
        "Splits whose labels are doubted, separated by commas.",
        panel="Data",
    ),
]
Most = Annotated[
    int, options.option("--most", "Show at most N of each kind.", panel=options.OUTPUT)
]
Output = Annotated[
    Path | None,
    options.option(
        "--output -o",
        "Write all of them, a row each: .csv, .tsv, .parquet or .jsonl.",
        panel=options.OUTPUT,
        metavar="FILE",
    ),
]
Overwrite = Annotated[
    bool,
    options.option(
        "--overwrite", "Replace an existing --output.", panel=options.OUTPUT
    ),
]


@options.with_config(parts=("data",), without=("source", "resample"))
def check(
    config: RunConfig,
    source: Source,
    splits: Splits = "train,validation,test",
    most: Most = 20,
    output: Output = None,
    overwrite: Overwrite = False,
    config_file: options.ConfigFile = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Name likely wrong labels, near-duplicates and what gives labels away.

    Nothing is changed: the rows are for you to look at.

    Example: seqclf data check reviews.csv --output suspects.csv
    """
    from seqclf.records.plain import to_plain
    from seqclf.workflows.check import check_data

    require_count("most", most)
    data = dataclasses.replace(config.data, source=source)
    found = check_data(data, Screen(quiet), splits, output, overwrite)
    if json:
        print_json(to_plain(found))
        return
    _print_labels(found, most)
    _print_duplicates(found, most)
    _print_leaks(found, most)


def _print_labels(found: Suspects, most: int) -> None:
    say, doubtful = stdout().print, found.doubtful_labels
    print_table(_counts(found))
    if not doubtful:
        say("No label is in doubt.\n")
        return
    where = _Where(found)
    rows = [
        (
            where(one.at), clean(one.label), clean(one.likelier),
            f"{100 * one.probability:.0f}", _short(one.text),
        )
        for one in doubtful[:most]
    ]  # fmt: skip
    title = _title("likely wrong labels", doubtful, most, "the most doubtful first")
    print_table(_table(title, ("row", "label", "likelier", "%", "text"), rows, (3,)))
    say(
        "Where the linear models err, right labels are doubted too, and more are "
        "expected to be wrong than are: look at each.\n"
    )


def _counts(found: Suspects) -> Table:
    """Returns how many labels of each split are in doubt."""
    rows = []
    for split, one in found.labels.items():
        judged = max(one.judged, 1)
        expected = f"{one.expected:,.0f} ({percent(one.expected / judged)} %)"
        agreeing, doubted = percent(one.agreeing / judged), f"{one.doubted:,}"
        numbers = f"{one.texts:,}", f"{one.judged:,}"
        rows.append((split, *numbers, agreeing, doubted, expected))
    header = (
        "labels",
        "texts",
        "judged",
        "models agree %",
        "doubted",
        "expected wrong",
    )
    return _table("", header, rows, tuple(range(1, len(header))))


def _print_duplicates(found: Suspects, most: int) -> None:
    say, duplicates = stdout().print, found.near_duplicates
    if not duplicates:
        say("No near-duplicates in two splits, and none with two labels.\n")
        return
    where = _Where(found)
    rows = [
        (
            where(one.at), where(one.of), _labels(one), f"{one.similarity:.2f}",
            _short(one.text),
        )
        for one in duplicates[:most]
    ]  # fmt: skip
    title = _title("near-duplicates", duplicates, most, "the most similar first")
    header = ("row", "repeats", "label", "alike", "text")
    print_table(_table(title, header, rows, (3,)))
    across = sum(one.at.split != one.of.split for one in duplicates)
    other = sum(one.label != one.of_label for one in duplicates)
    say(
        f"Repeated from another split, so that a score is partly memory: {across:,}. "
        f"With another label than what is repeated: {other:,}.\n"
    )


def _labels(one: NearDuplicate) -> str:
    if one.label == one.of_label:
        return clean(one.label)
    return f"{clean(one.label)}, not {clean(one.of_label)}"


def _print_leaks(found: Suspects, most: int) -> None:
    say, leaks = stdout().print, found.leaks
    if not leaks:
        say("No column, order of rows, form or token of texts gives labels away.")
        return
    rows = [
        (
            clean(f"{one.kind} {one.name}" if one.kind in NAMED else one.name),
            clean(one.label or "all"), f"{one.rows:,}", percent(one.right),
            percent(one.usual), clean(one.example),
        )
        for one in leaks[:most]
    ]  # fmt: skip
    title = _title("what gives labels of train away", leaks, most, "the surest first")
    header = ("what", "label", "rows", "right %", "guessing %", "such as")
    print_table(_table(title, header, rows, (2, 3, 4)))
    say("Is that known, too, when a text is to be classified?")


class _Where:
    """Says where rows are: split and number, and the file where a split has several."""

    def __init__(self, found: Suspects) -> None:
        of = found.sources.items()
        self._several = {split for split, some in of if len(some) > 1}

    def __call__(self, at: RowOf) -> str:
        source = f" {Path(at.source).name}" if at.split in self._several else ""
        return clean(f"{at.split}{source} {at.line:,}")


def _title(what: str, every: Sequence[object], most: int, order: str) -> str:
    shown = f"{len(every):,}"
    if len(every) > most:
        shown = f"{most:,} of {shown}"
    return f"{what[0].upper()}{what[1:]}: {shown}, {order}"


def _short(text: str) -> str:
    shown = clean(text)
    return shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"


def _table(
    title: str,
    header: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    numbers: tuple[int, ...],
) -> Table:
    from seqclf.report.table import Table

    return Table(title=title, header=header, rows=tuple(rows), numbers=numbers)
