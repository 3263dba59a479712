"""`seqclf data list` and `seqclf data show`; `data check` is in a file of its own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import clean, note, print_json, print_table, stdout
from seqclf.cli.check import check
from seqclf.config import RunConfig

if TYPE_CHECKING:
    from seqclf.records.dataset import Summary
    from seqclf.report.table import Table

app = typer.Typer(help="List and inspect data sets.", no_args_is_help=True)
app.command("check", cls=options.Command)(check)

Source = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Data set: demo, a short name or OWNER/NAME on the Hugging Face Hub, a "
        "file, a folder, '*.csv', or - for JSON Lines or CSV on standard input.",
    ),
]

LABELS_SHOWN = 10
BARS = " ▁▂▃▄▅▆▇█"


@app.command("list", cls=options.Command)
def list_sources(json: options.Json = False) -> None:
    """List the data sets with a short name, and say how to use your own.

    Example: seqclf data list
    """
    from seqclf.data.files import READERS
    from seqclf.data.load import names_of_sources

    names = names_of_sources()
    if json:
        print_json({"names": names, "formats": list(READERS)})
        return
    console = stdout()
    for name, about in names.items():
        console.print(f"[bold]{name:<16}[/bold] {about}", soft_wrap=True)
    console.print(
        f"\nOr any data set on the Hugging Face Hub, by OWNER/NAME. Or yours: a file "
        f"({', '.join(READERS)}, labelled lines; compressed or not), a folder "
        f"with train and, if there are any, validation and test files, .txt files in a "
        f"folder per label, a pattern such as '*.csv', or - for standard input."
    )


@app.command("show", cls=options.Command)
@options.with_config(parts=("data", "text"), without=("source",))
def show(
    config: RunConfig,
    source: Source,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show splits, labels, lengths and doubtful things of a data set.

    Example: seqclf data show reviews.csv
    """
    from seqclf.data.hub.load import hide_downloads
    from seqclf.data.load import load_dataset
    from seqclf.records.plain import to_plain
    from seqclf.text.summary import summarize

    if quiet:
        hide_downloads()
    dataset = load_dataset(dataclasses.replace(config.data, source=source))
    summary = summarize(dataset, config.text)
    if json:
        print_json(to_plain(summary))
        return
    for sentence in dataset.notes:
        note(f"Note: {sentence}", quiet)
    _print(summary, config.text.max_length)


def _print(summary: Summary, max_length: int) -> None:
    from rich.markup import escape

    console = stdout()
    revision = f", revision {summary.revision}" if summary.revision else ""
    console.print(
        f"[bold]{escape(summary.name)}[/bold] from {escape(summary.source)}"
        f"{revision}, fingerprint {summary.fingerprint}",
        soft_wrap=True,
    )
    console.print(_splits_table(summary, max_length))
    print_table(_labels_table(summary))
    console.print(_lengths_line(summary), soft_wrap=True)
    shared = ", ".join(f"{where} {n:,}" for where, n in summary.shared.items())
    console.print(f"Texts that stand in two splits: {shared}.", soft_wrap=True)
    groups = [f"{s} {x.groups:,}" for s, x in summary.splits.items() if x.groups]
    if groups:
        console.print(f"Groups: {', '.join(groups)}.", soft_wrap=True)
    console.print(
        f"Unknown tokens in test: {100 * summary.unknown_share:.1f} % (vocabulary "
        f"of train: {summary.vocabulary:,}).",
        soft_wrap=True,
    )
    for example in summary.examples:
        text = clean(example.text)
        shown = text if len(text) <= 200 else text[:199] + "…"
        console.print(f"[bold]{escape(example.label)}[/bold]  {escape(shown)}")


def _splits_table(summary: Summary, max_length: int) -> Any:
    from rich.table import Table

    table = Table()
    table.add_column("split", no_wrap=True)
    headers = ("texts", "empty", "copies", "tokens", "95 %", "longest")
    for header in (*headers, f">{max_length} %"):
        table.add_column(header, justify="right")
    for name, split in summary.splits.items():
        tokens = split.tokens
        counts = [split.texts, split.empty, split.copies]
        counts += [tokens["p50"], tokens["p95"], tokens["p100"]]
        over = f"{100 * split.longer_than_max_length:.1f}"
        table.add_row(name, *(f"{count:,}" for count in counts), over)
    return table


def _labels_table(summary: Summary) -> Table:
    """Returns the labels with their shares, the commonest in train first."""
    from seqclf.data.dataset import TRAIN
    from seqclf.report.table import Table

    splits = {n: s for n, s in summary.splits.items() if sum(s.labels.values())}
    ranked = sorted(summary.labels, key=lambda x: -splits[TRAIN].labels[x])
    rows = []
    for label in ranked[:LABELS_SHOWN]:
        shares = [s.labels[label] / s.texts for s in splits.values()]
        rows.append((clean(label), *(f"{100 * share:.1f}" for share in shares)))
    if len(ranked) > LABELS_SHOWN:
        rows.append((f"and {len(ranked) - LABELS_SHOWN} more", *[""] * len(splits)))
    header = ("label", *(f"{name} %" for name in splits))
    return Table(header=header, rows=tuple(rows))


def _lengths_line(summary: Summary) -> str:
    from seqclf.data.dataset import TRAIN

    histogram = summary.splits[TRAIN].histogram
    counts, width = histogram.counts, histogram.width
    top = max(counts)
    bars = "".join(BARS[-(-count * (len(BARS) - 1) // top)] for count in counts)
    last = width * (len(counts) - 1)
    return f"Lengths of train, 0 to {last:,} tokens and more: [bold]{bars}[/bold]"
