"""`seqclf data list` and `seqclf data show`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import clean, note, print_json, stdout
from seqclf.config import DataConfig

app = typer.Typer(help="List and look at data sets.", no_args_is_help=True)

Source = Annotated[
    str, typer.Argument(metavar="NAME", help="A data set: demo, a file, a folder.")
]


@app.command("list")
def list_sources(json: options.Json = False) -> None:
    """List the data sets that have a name, and how to use your own.

    Example: seqclf data list
    """
    from seqclf.data import SOURCES
    from seqclf.data.files import READERS

    formats = ", ".join(READERS)
    if json:
        print_json({"names": list(SOURCES), "formats": list(READERS)})
        return
    console = stdout()
    for name, source in SOURCES.items():
        console.print(f"[bold]{name}[/bold]  {source.about}")
    console.print(
        f"Or a file of yours ({formats}) with the columns text and label, or a folder "
        f"with train, and if there are any validation and test, in one of these.",
        soft_wrap=True,
    )


@app.command("show")
def show(
    source: Source,
    text_column: Annotated[
        str, typer.Option(help="Column that holds the texts.")
    ] = DataConfig().text_column,
    label_column: Annotated[
        str, typer.Option(help="Column that holds the labels.")
    ] = DataConfig().label_column,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show splits, labels and lengths of a data set, and a few examples.

    Example: seqclf data show reviews.csv
    """
    from seqclf.data import load_dataset
    from seqclf.text.summary import summarize

    config = DataConfig(
        source=source, text_column=text_column, label_column=label_column
    )
    dataset = load_dataset(config)
    for sentence in dataset.notes:
        note(f"Note: {sentence}", quiet)
    summary = summarize(dataset)
    if json:
        print_json(summary)
    else:
        _print(summary)


def _print(summary: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    console = stdout()
    console.print(
        f"[bold]{escape(summary['name'])}[/bold] from {escape(summary['source'])}, "
        f"fingerprint {summary['fingerprint']}",
        soft_wrap=True,
    )
    table = Table()
    headers = ("split", "texts", "tokens: median", "95 %", "longest", "label shares %")
    for index, header in enumerate(headers):
        table.add_column(header, justify="right" if 0 < index < 5 else "left")
    for name, split in summary["splits"].items():
        counts = [split["texts"], *split["tokens"].values()]
        table.add_row(name, *(f"{count:,}" for count in counts), _shares(split))
    console.print(table)
    for example in summary["examples"]:
        text = clean(example["text"])
        shown = text if len(text) <= 200 else text[:199] + "…"
        console.print(f"[bold]{escape(example['label'])}[/bold]  {escape(shown)}")


def _shares(split: dict[str, Any]) -> str:
    from rich.markup import escape

    counts = split["labels"]
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{escape(name)} {100 * n / total:.1f}" for name, n in ranked[:6] if total]
    return ", ".join(shown) + (f", {len(ranked) - 6} more" if len(ranked) > 6 else "")
