"""`seqclf study` and `seqclf claims`, which asks every study."""

from __future__ import annotations

import copy
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.about_studies import ABOUT
from seqclf.cells import recurrent_names
from seqclf.cli import _options as options
from seqclf.cli._machines import Machines, with_machines
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import START_FIELDS, RunConfig

if TYPE_CHECKING:
    from seqclf.studies.claims_page import Page
    from seqclf.studies.question import Answer

ALL_CELLS = ",".join(recurrent_names())
NOT_ASKED = ("cell", "seed", "baseline", *START_FIELDS)

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="The study; left out, all of them are listed.",
        autocompletion=lambda incomplete: [
            name for name in ABOUT if name.startswith(incomplete)
        ],
    ),
]
Cells = Annotated[str, option("--cells", "Cells to study.")]
Seeds = Annotated[int, option("--seeds", "Trainings of each cell.")]
Quick = Annotated[bool, option("--quick", "Fewer and shorter trainings; says which.")]
Texts = Annotated[
    list[str] | None,
    option("--text", "A text to look at (gates); may be given again."),
]
RangeTest = Annotated[
    bool,
    option(
        "--range-test",
        "Raise the learning rate step by step in one training (sensitivity).",
    ),
]
WithPage = Annotated[
    bool,
    option("--page", "Write an interactive page, flow.html, beside the answer (flow)."),
]
Jobs = Annotated[
    int | None,
    option(
        "--jobs", "Trainings at a time; left out, as many as cores and memory allow."
    ),
]
Markdown = Annotated[bool, option("--markdown", "Print Markdown.")]
COLOURS = {
    "supported": "green", "contradicted": "red", "practically equal": "cyan",
    "not decided here": "yellow", "not judged": "dim", "not run": "dim",
}  # fmt: skip

# All that a study without data takes.
_OUTPUT = {
    "page", "fresh", "models_dir", "json", "markdown", "quiet", "config_file",
}  # fmt: skip


class StudyCommand(options.Command):
    """The command, whose help with a study's name is about that study."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses as usual; the help, which comes first, knows the name as well."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[__name__] = given.get("name")
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Shows the page of the study, or the general one with a list of them."""
        page = copy.copy(self)
        name = ctx.meta.get(__name__)
        if name in ABOUT:
            ctx.info_name = f"study {name}"
            page.help = _help_of(name)
            page.params = [p for p in self.params if _has_meaning(name, p.name)]
        else:
            page.help = f"{self.help}\n\n\b\n{_list_of_studies()}"
        super(StudyCommand, page).format_help(ctx, formatter)


def _has_meaning(study: str, parameter: str | None) -> bool:
    if parameter == "page":
        return ABOUT[study].has_page
    if not ABOUT[study].trains:
        return parameter in _OUTPUT
    return parameter != "name" and parameter not in ABOUT[study].idle


def _help_of(study: str) -> str:
    about = ABOUT[study]
    example = f"Example: seqclf study {study} {about.example}"
    return f"Test the claim: {about.claim}\n\n{about.method}\n\n{example}"


def _list_of_studies() -> str:
    return "\n".join(
        textwrap.fill(f"{name:13}{one.claim}", 78, subsequent_indent=" " * 13)
        for name, one in ABOUT.items()
    )


@options.with_config(without=NOT_ASKED)
@with_machines
def study(
    context: typer.Context,
    config: RunConfig,
    machines: Machines,
    name: Name = None,
    cells: Cells = ALL_CELLS,
    seeds: Seeds = 1,
    quick: Quick = False,
    text: Texts = None,
    range_test: RangeTest = False,
    page: WithPage = False,
    jobs: Jobs = None,
    fresh: options.Fresh = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    markdown: Markdown = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Test a claim about these cells on your own data.

    Writes its answer, with all figures and a picture, to models/<data>-studies. An
    answer to the same question is reused, and so are finished trainings. `seqclf study
    NAME --help` is about one study.

    Example: seqclf study gradients --data reviews.csv
    """
    if name is None:
        typer.echo(_list_of_studies())
        return
    from seqclf import steps
    from seqclf.cluster.opened import opened
    from seqclf.engine import fork_from
    from seqclf.workflows.study import question_of, run_study

    form = options.one_form(json=json, markdown=markdown)
    screen = Screen(quiet)
    if name in ABOUT and not ABOUT[name].trains:
        why = f"{name} takes no data and no recipe"
        options.refuse_given(context, _OUTPUT | {"name", "cache_dir"}, why)
    elif name in ABOUT:
        _note_idle(context, name, screen)
    given = options.given_settings(context, "model", "training")
    others = {"texts": tuple(text or ()), "range_test": range_test, "given": given}
    question = question_of(config, cells, seeds, quick=quick, **others)
    target = steps.Target(models_dir, cache_dir, fresh=fresh)
    fork_from(options.TRAINING)
    with opened(machines(), screen.insist) as cluster:
        asked = (name, question, target, screen, jobs, page, cluster)
        answer, path = run_study(*asked)
    _print_answer(answer, form)
    screen.note(f"Written: {path}")


def _note_idle(context: typer.Context, name: str, screen: Screen) -> None:
    """Says which given options do nothing; one recipe may be given to all studies."""
    own = ABOUT[name].idle - {"text", "range_test"}  # which the workflow refuses
    for given in sorted(o for o in own if options.is_given(context, o)):
        flag = f"--{given.replace('_', '-')}"
        screen.note(f"Note: {flag} does nothing in the study {name}.")


def _print_answer(answer: Answer[Any], form: str) -> None:
    from seqclf.studies import saved, sections

    if form == "json":
        print_json(saved.to_values(answer))
    elif form:
        typer.echo(sections.markdown(answer))
    else:
        sections.to_terminal(answer, stdout())


@options.with_config(without=NOT_ASKED)
@with_machines
def claims(
    context: typer.Context,
    config: RunConfig,
    machines: Machines,
    seeds: Seeds = 3,
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
    from seqclf.cluster.opened import opened
    from seqclf.engine import fork_from
    from seqclf.workflows.study import judge_all, question_of

    form = options.one_form(json=json, markdown=markdown)
    given = options.given_settings(context, "model", "training")
    question = question_of(config, ALL_CELLS, seeds, quick=quick, given=given)
    screen = Screen(quiet)
    target = steps.Target(models_dir, cache_dir, fresh=fresh)
    fork_from(options.TRAINING)
    with opened(machines(), screen.insist) as cluster:
        page = judge_all(question, target, screen, jobs, cluster)
    if form == "json":
        print_json(page.values())
    elif form:
        typer.echo(page.markdown())
    else:
        _show_page(page)
    screen.note(f"Report: {page.file}")


def _show_page(page: Page) -> None:
    """Prints each claim with its verdict and what it rests on."""
    from rich.markup import escape
    from rich.table import Table

    console = stdout()
    table = Table(title=escape(page.title), title_justify="left", title_style="bold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim, and the evidence")
    for one in page.rulings:
        colour = COLOURS.get(one.verdict, "magenta")  # it depends on something
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
