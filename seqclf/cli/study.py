"""`seqclf study`."""

from __future__ import annotations

import copy
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqclf.about_studies import ABOUT
from seqclf.cells import recurrent_names
from seqclf.cli import _options as options
from seqclf.cli._screen import Screen, print_json, stdout
from seqclf.config import RunConfig

if TYPE_CHECKING:
    from seqclf.studies.question import Answer

ALL_CELLS = ",".join(recurrent_names())

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


# All that a study of finished comparisons takes.
_OUTPUT = {"fresh", "models_dir", "json", "markdown", "quiet", "config_file"}


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


@options.with_config(without=("cell", "seed", "baseline"))
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
    from seqclf.workflows.study import question_of, run_study

    form = options.one_form(json=json, markdown=markdown)
    screen = Screen(quiet)
    if name in ABOUT and not ABOUT[name].trains:
        taken, why = (
            {*_OUTPUT, "name", "cache_dir"},
            f"{name} reads finished comparisons",
        )
        options.refuse_given(context, taken, why)
    elif name in ABOUT:
        _note_idle(context, name, screen)
    question = question_of(
        config,
        cells,
        seeds,
        quick=quick,
        texts=tuple(text or ()),
        range_test=range_test,
        given=options.given_settings(context, "model", "training"),
    )
    target = steps.Target(models_dir, cache_dir, fresh=fresh)
    answer, path = run_study(name, question, target, screen, jobs)
    _print(answer, form)
    screen.note(f"Written: {path}")


def _note_idle(context: typer.Context, name: str, screen: Screen) -> None:
    """Says which of the given options the study sets itself, or has no use for.

    They are not refused: one recipe may be given to all studies.
    """
    own = ABOUT[name].idle - {"text", "range_test"}  # which the workflow refuses
    for option in sorted(o for o in own if options.is_given(context, o)):
        flag = f"--{option.replace('_', '-')}"
        screen.note(f"Note: {flag} does nothing in the study {name}.")


def _print(answer: Answer[Any], form: str) -> None:
    from seqclf.studies import saved, sections

    if form == "json":
        print_json(saved.to_values(answer))
    elif form:
        typer.echo(sections.markdown(answer))
    else:
        sections.to_terminal(answer, stdout())
