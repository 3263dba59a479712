"""`seqclf study`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cells import recurrent_names
from seqclf.cli import _options as options
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import RunConfig
from seqclf.errors import ConfigError
from seqclf.keywords import PARTS

if TYPE_CHECKING:
    from seqclf.studies.question import Answer

ALL_CELLS = ",".join(recurrent_names())

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="The study; left out, all of them are listed.",
        autocompletion=lambda incomplete: [
            name for name in _names() if name.startswith(incomplete)
        ],
    ),
]
Cells = Annotated[str, typer.Option("--cells", help="Cells to study.")]
Seeds = Annotated[int, typer.Option("--seeds", help="Trainings of each cell.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="Fewer and shorter trainings; says which.")
]
Texts = Annotated[
    list[str] | None,
    typer.Option("--text", help="A text to look at (gates); may be given again."),
]
RangeTest = Annotated[
    bool,
    typer.Option(
        "--range-test",
        help="Raise the learning rate step by step in one training (sensitivity).",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        help="Trainings at a time; left out, as many as cores and memory allow.",
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown.")]


def _names() -> list[str]:
    from seqclf.studies import STUDIES

    return list(STUDIES)


@options.with_config(without=("cell", "seed"))
def study(
    context: typer.Context,
    config: RunConfig,
    name: Name = None,
    cells: Cells = ALL_CELLS,
    seeds: Seeds = 1,
    quick: Quick = False,
    text: Texts = None,
    range_test: RangeTest = False,
    jobs: Jobs = None,
    fresh: options.Fresh = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    markdown: Markdown = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Put a sentence about these cells to the test, on your own data.

    Writes its answer, with all figures and a picture, to models/<data>-studies. An
    equal question is not asked twice, and finished trainings are reused.

    Example: seqclf study gradients --data reviews.csv
    """
    if name is None:
        _list_studies()
        return
    from seqclf import steps
    from seqclf.workflows.study import question_of, run_study

    form = options.one_form(json=json, markdown=markdown)
    _refuse_idle_options(
        name,
        {
            "--cells": options.is_given(context, "cells"),
            "--seeds": options.is_given(context, "seeds"),
            "--quick": quick,
            "--jobs": jobs is not None,
            "a recipe or data": bool(options.given_settings(context, *PARTS)),
        },
    )
    question = question_of(
        config,
        cells,
        seeds,
        quick=quick,
        texts=tuple(text or ()),
        range_test=range_test,
        given=options.given_settings(context, "model", "training"),
    )
    screen = Screen(quiet)
    target = steps.Target(models_dir, cache_dir, fresh=fresh)
    answer, path = run_study(name, question, target, screen, jobs)
    _print(answer, form)
    screen.note(f"Written: {path}")


def _refuse_idle_options(name: str, given: dict[str, bool]) -> None:
    """Refuses what would do nothing for a study of finished comparisons."""
    from seqclf.studies import STUDIES

    idle = [option for option, is_given in given.items() if is_given]
    is_of_runs = name in STUDIES and STUDIES[name].about is not None
    if is_of_runs and idle:
        raise ConfigError(
            f"{name} reads what lies in --models-dir and trains nothing; leave out: "
            f"{', '.join(idle)}."
        )


def _list_studies() -> None:
    from rich.table import Table

    from seqclf.studies import STUDIES

    table = Table(title="Studies", title_justify="left", title_style="bold")
    table.add_column("seqclf study")
    table.add_column("puts to the test")
    for name, one in STUDIES.items():
        table.add_row(name, one.claim)
    stdout().print(table)


def _print(answer: Answer[Any], form: str) -> None:
    from seqclf.studies import saved, shown

    if form == "json":
        print_json(saved.to_values(answer))
    elif form:
        typer.echo(shown.markdown(answer))
    else:
        shown.to_terminal(answer, stdout())
