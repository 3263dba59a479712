"""`seqclf study`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.cells import recurrent_names
from seqclf.cli import _options as options
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import RunConfig, require_count
from seqclf.errors import ConfigError, unknown
from seqclf.keywords import PARTS

if TYPE_CHECKING:
    from seqclf.studies.question import Answer, Question

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
    from seqclf import steps, studies

    if name not in studies.STUDIES:
        raise ConfigError(unknown("study", name, list(studies.STUDIES)))
    _refuse_options(name, {"texts": bool(text), "range_test": range_test})
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
    question = dataclasses.replace(
        question_of(context, config, cells, seeds, quick, json, markdown),
        texts=tuple(text or ()),
        range_test=range_test,
    )
    screen = Screen(quiet)
    target = steps.Target(models_dir, cache_dir, fresh=fresh)
    answer, path = studies.run_study(name, question, target, screen, jobs)
    _print(answer, "json" if json else "markdown" if markdown else "")
    screen.note(f"Written: {path}")


def question_of(
    context: typer.Context,
    config: RunConfig,
    cells: str,
    seeds: int,
    quick: bool,
    json: bool,
    markdown: bool,
) -> Question:
    """Returns what is asked, from what was typed.

    Raises:
      ConfigError: If it makes no sense.
    """
    from seqclf.comparison.design import parse_cells
    from seqclf.studies.question import Question

    if json and markdown:
        raise ConfigError("--json and --markdown exclude each other; choose one.")
    require_count("--seeds", seeds)
    chosen, several = parse_cells(cells), tuple(range(seeds))
    given = options.given_settings(context, "model", "training")
    return Question(
        config=config, cells=chosen, seeds=several, quick=quick, given=given
    )


def _refuse_options(name: str, given: dict[str, bool]) -> None:
    """Refuses what has a meaning for other studies only."""
    from seqclf.studies import STUDIES

    flags = {"texts": "--text", "range_test": "--range-test"}
    for option, is_given in given.items():
        if is_given and option not in STUDIES[name].options:
            owner = next(n for n, one in STUDIES.items() if option in one.options)
            raise ConfigError(f"{flags[option]} is for the study {owner} alone.")


def _refuse_idle_options(name: str, given: dict[str, bool]) -> None:
    """Refuses what would do nothing for a study of finished comparisons."""
    from seqclf.studies import STUDIES

    idle = [option for option, is_given in given.items() if is_given]
    if STUDIES[name].about is not None and idle:
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
