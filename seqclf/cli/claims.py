"""`seqclf claims`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from seqclf.cli import _options as options
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.cli.study import ALL_CELLS, Jobs, Markdown, Quick, Seeds
from seqclf.config import RunConfig

if TYPE_CHECKING:
    from seqclf.studies.claims_page import Page

COLOURS = {"supported": "green", "contradicted": "red"}


@options.with_config(without=("cell", "seed", "baseline"))
def claims(
    context: typer.Context,
    config: RunConfig,
    seeds: Seeds = 1,
    quick: Quick = False,
    jobs: Jobs = None,
    fresh: options.Fresh = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    markdown: Markdown = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Judge what people write about RNN, GRU and LSTM, on your own data.

    Asks for every study and prints each claim with its evidence and a verdict. What is
    answered already is not asked again. Writes models/<data>-studies/claims.html.

    Example: seqclf claims --quick
    """
    from seqclf import steps
    from seqclf.workflows.claims import judge_all
    from seqclf.workflows.study import question_of

    form = options.one_form(json=json, markdown=markdown)
    given = options.given_settings(context, "model", "training")
    question = question_of(config, ALL_CELLS, seeds, quick=quick, given=given)
    screen = Screen(quiet)
    target = steps.Target(models_dir, cache_dir, fresh=fresh)
    page = judge_all(question, target, screen, jobs)
    if form == "json":
        print_json(page.values())
    elif form:
        typer.echo(page.markdown())
    else:
        _show(page)
    screen.note(f"Report: {page.file}")


def _show(page: Page) -> None:
    """Prints each claim with its verdict and what it rests on."""
    from rich.markup import escape
    from rich.table import Table

    console = stdout()
    table = Table(title=escape(page.title), title_justify="left", title_style="bold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim, and the evidence")
    for one in page.rulings:
        colour = COLOURS.get(one.verdict, "yellow")
        where = f"{one.study}, {one.trials} trainings; {one.source}"
        table.add_row(
            f"[{colour}]{one.verdict}[/{colour}]",
            f"[bold]{escape(one.claim)}[/bold]\n{escape(one.evidence)}\n"
            f"[dim]{escape(where)}[/dim]",
            end_section=True,
        )
    console.print(table)
    for line in page.notes:
        console.print(line, markup=False)
