"""`seqclf classroom assign`, `grade` and `check-cell`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cells import CELLS, recurrent_names
from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, clean, note, print_json, print_table
from seqclf.config import START_FIELDS, RunConfig

if TYPE_CHECKING:
    from seqclf.records.classroom import Grade
    from seqclf.report.table import Table

app = typer.Typer(
    help="For a lecturer and a class: assign seeds, grade runs, check cells.",
    no_args_is_help=True,
)

ALL_CELLS = ",".join(recurrent_names())
WRITTEN = tuple(name for name, cell in CELLS.items() if cell.inside)

Students = Annotated[
    int | None, option("--students", "How many students, if there is no roster.")
]
Roster = Annotated[
    Path | None,
    option("--roster", "Text file with a name a line.", metavar="NAMES.txt"),
]
Cells = Annotated[str, option("--cells", "Cells, given to the students in turns.")]
FirstSeed = Annotated[
    int,
    option("--first-seed", "Seed of the first student; the others have the next ones."),
]
Questions = Annotated[
    Path | None,
    option(
        "--questions",
        "Your own questions, in Markdown.",
        "made of cell and data",
        metavar="FILE.md",
    ),
]
Output = Annotated[Path, option("--output", "Folder of the assignment.")]
Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...",
        help="Runs trained with --keep-states, by name or path, or folders of them.",
        autocompletion=options.complete_run,
    ),
]
OfAssignment = Annotated[
    Path | None,
    option(
        "--assignment",
        "Folder that assign wrote; left out, runs are held to their own config.",
        metavar="DIR",
    ),
]
Replay = Annotated[
    str,
    option("--replay", "Epochs of each run to train again, drawn at random, or all."),
]
Draw = Annotated[
    int | None,
    option("--draw", "Seed by which epochs are drawn.", "another each time, and told"),
]

File = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE.py]", help="The cell, as --example shows one."),
]
Cell = Annotated[str, option("--cell", "The cell that it is to be.", choices=WRITTEN)]
Example = Annotated[
    str | None,
    option(
        "--example",
        "Print a file to be filled in for this cell, and nothing else.",
        choices=WRITTEN,
        metavar="CELL",
    ),
]
Seconds = Annotated[int, option("--seconds", "How long the file may run.")]


@app.command("assign", cls=options.Command)
@options.with_config(without=("cell", "seed", "baseline", *START_FIELDS))
def assign(
    context: typer.Context,
    config: RunConfig,
    students: Students = None,
    roster: Roster = None,
    cells: Cells = ALL_CELLS,
    first_seed: FirstSeed = 0,
    questions: Questions = None,
    output: Output = Path("assignment"),
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Give each student of a class a cell and a seed of the same recipe.

    Writes a folder: assignment.json, a sheet a student with what to type and what to
    answer, and an overview. The same call again writes the same; another assignment
    is never replaced.

    Example: seqclf classroom assign --roster names.txt --data reviews.csv
    """
    from seqclf.steps import Target
    from seqclf.workflows.classroom import assign_class, class_names

    given = options.given_settings(context, "model", "training")
    names, target = class_names(students, roster), Target(output, cache_dir)
    asked = (config, names, cells, first_seed, target, Screen(quiet))
    assignment = assign_class(*asked, questions, given)
    typer.echo(
        f"{len(assignment.students)} sheets and an overview: {output / 'overview.md'}"
    )


@app.command("grade", cls=options.Command)
def grade(
    runs: Runs,
    assignment: OfAssignment = None,
    replay: Replay = "2",
    draw: Draw = None,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    cache_dir: options.CacheDir = options.DEFAULT_CACHE,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check that runs are what their config, data and seed give.

    Each is honest, altered, or cannot be told here, as on another processor or with
    other versions numbers are compared within tolerances. Epochs are trained again
    from the states that seqclf train --keep-states kept. Nothing that a run holds is
    executed. Exit code 0: all are honest.

    Example: seqclf classroom grade handed-in --assignment assignment
    """
    from seqclf.records.plain import to_plain
    from seqclf.workflows.classroom import grade_runs

    screen = Screen(quiet)
    asked = (runs, assignment, replay, draw, models_dir, cache_dir, screen)
    grades, drawn = grade_runs(*asked)
    if json:
        print_json({"draw": drawn, "grades": to_plain(grades)})
    else:
        print_table(_table(grades))
        for sentence in _sentences(grades, drawn):
            note(sentence, quiet)
    if any(one.verdict != "honest" for one in grades):
        raise typer.Exit(1)


@app.command("check-cell", cls=options.Command)
def check_cell(
    context: typer.Context,
    file: File = None,
    cell: Cell = "gru",
    example: Example = None,
    seconds: Seconds = 20,
    quiet: options.Quiet = False,
) -> None:
    """Check a cell that is written in numpy against Keras's layer.

    Names the first entry of the states, and of the gradient if there is one, that
    differs. The file runs with your rights in a process of its own, with limits of
    time and memory: that stops an accident, and is no sandbox. Exit code 0: right,
    1: wrong.

    Example: seqclf classroom check-cell my_cell.py --cell gru
    """
    from seqclf.workflows.classroom import check_file, example_of

    if example is not None:
        options.refuse_given(context, {"example"}, "an example is printed")
        typer.echo(example_of(example), nl=False)
        return
    found = check_file(file, cell, seconds, Screen(quiet))
    if found.printed:
        note(f"The file printed: {found.printed}", quiet)
    if not found.is_right:
        hint = f" It looks as if {found.hint}." if found.hint else ""
        typer.echo(f"Wrong: {clean(found.wrong)}.{hint}")
        raise typer.Exit(1)
    typer.echo(f"Right, as Keras's {cell}: {' and '.join(found.checked)}.")
    if len(found.checked) == 1:
        note("The file has no gradient, so that none was checked.", quiet)


def _table(grades: list[Grade]) -> Table:
    from seqclf.classroom.grade import decisive
    from seqclf.report.table import Table

    has_students = any(one.student for one in grades)
    rows = []
    for one in grades:
        finding = decisive(one)
        why = ""
        if finding is not None:
            why = f"{finding.what}: {finding.came}"
        if finding is not None and finding.expected:
            why = f"{finding.what}: expected {finding.expected}; came {finding.came}"
        student = (one.student or "–",) if has_students else ()
        rows.append((one.run, *student, one.verdict, why))
    header = ("run", *(("student",) * has_students), "verdict", "why")
    return Table(header=header, rows=tuple(rows), numbers=())


def _sentences(grades: list[Grade], drawn: int) -> list[str]:
    from seqclf.classroom.grade import NOT_CHECKED

    said = []
    for one in grades:
        if one.replayed:
            epochs = ", ".join(map(str, one.replayed))
            said.append(f"{one.run}: trained again: epoch {epochs}.")
        if one.otherwise:
            said.append(
                f"{one.run}: compared within tolerances, for it was trained elsewhere: "
                f"{'; '.join(one.otherwise)}."
            )
    return [*said, f"Drawn with --draw {drawn}.", NOT_CHECKED]
