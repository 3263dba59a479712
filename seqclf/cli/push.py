"""`seqclf push`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqclf.cli import _options as options
from seqclf.cli._options import option
from seqclf.cli._screen import Screen, print_json, print_table
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.report.table import Table
    from seqclf.workflows.push import Pushable

Pushed = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A finished run, by name or path.",
        autocompletion=options.complete_run,
        show_default=False,
    ),
]
Place = Annotated[
    str,
    typer.Argument(
        metavar="OWNER/NAME",
        help="Repository of the Hub; it is made if it is not there.",
        show_default=False,
    ),
]
Private = Annotated[
    bool, option("--private", "Make a new repository that only you and yours can see.")
]
Branch = Annotated[
    str | None, option("--revision", "Branch to push to.", "main", metavar="BRANCH")
]
Message = Annotated[
    str | None, option("--message", "Message of the commit.", "names the run")
]
License = Annotated[
    str, option("--license", "Licence of the model, for its model card: mit.")
]
Language = Annotated[
    str | None,
    option("--language", "Languages of the texts, for its model card: en,de."),
]
DryRun = Annotated[
    bool, option("--dry-run", "List the files with their sizes, and upload nothing.")
]
Yes = Annotated[bool, option("--yes -y", "Do not ask for confirmation.")]


def push(
    run: Pushed,
    repository: Place,
    private: Private = False,
    revision: Branch = None,
    message: Message = None,
    license: License = "unknown",
    language: Language = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    models_dir: options.ModelsDir = options.DEFAULT_MODELS,
    json: options.Json = False,
    quiet: options.Quiet = False,
    config_file: options.ConfigFile = None,
) -> None:
    """Upload a run to the Hugging Face Hub, from where --run hf://OWNER/NAME opens it.

    What is uploaded lets others predict, evaluate and export: settings, weights,
    scores, vocabulary, and a model card; no text of the data and no folder of this
    machine. Words of the training texts are in the vocabulary. The access token is
    that of hf auth login, or HF_TOKEN.

    Example: seqclf push demo-lstm-0 OWNER/NAME --private
    """
    from seqclf.export.run_card import REVEALED
    from seqclf.runs import open_any
    from seqclf.workflows.export import about_of
    from seqclf.workflows.push import prepared, upload

    about, screen = about_of(license, language), Screen(quiet)
    chosen = open_any(run, models_dir)
    with prepared(chosen, repository, about, revision) as what:
        values = {"repository": repository, "files": what.sizes}
        if not json:
            print_table(_table(what))
        screen.note(REVEALED.replace("`", ""))
        if dry_run:
            screen.note("Nothing was uploaded: --dry-run.")
            commit = None
        else:
            _confirm(repository, private, yes)
            commit = upload(what, message or f"Push {chosen.name}", private)
            screen.note(f"Use it: seqclf predict --run hf://{repository}@{commit}")
        if json:
            print_json(values | {"commit": commit})


def _confirm(repository: str, private: bool, yes: bool) -> None:
    import sys

    if yes:
        return
    who = "you and yours" if private else "everybody, if the repository is public,"
    if sys.stdin is None or not sys.stdin.isatty():
        raise ConfigError(
            f"push shows these files to {who} and asks first, but nobody is at the "
            f"keyboard; add --yes, or --dry-run to look only."
        )
    if not typer.confirm(f"Upload these files to {repository}, for {who} to see?"):
        raise typer.Exit(1)


def _table(what: Pushable) -> Table:
    from seqclf.report.table import Table
    from seqclf.runs.files import SHARED

    rows = tuple(
        (name, f"{size / 1000:,.1f}", SHARED.get(name, "model card"))
        for name, size in what.sizes.items()
    )
    total = sum(what.sizes.values()) / 1000
    title = f"{what.repository}, {total:,.0f} kB"
    header = ("file", "kB", "what it has")
    return Table(header=header, rows=rows, title=title, numbers=(1,))
