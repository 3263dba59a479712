"""The commands of seqclf, and how their errors are shown.

Commands import what they need when they run, so that help is instant.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import seqclf
from seqclf.cli import (
    classroom,
    compare,
    data,
    doctor,
    evaluate,
    export,
    push,
    runs,
    study,
    train,
)
from seqclf.cli._options import Command, joined_lines
from seqclf.cli._screen import clean
from seqclf.cli.predict.command import predict
from seqclf.errors import SeqclfError

INTERRUPTED = 130
SCREEN = 2000  # characters of an error, at most


class _Group(TyperGroup):
    """Shows errors as one sentence."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = joined_lines(self.help or "")

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SeqclfError as error:
            _show(str(error))
            raise typer.Exit(error.exit_code) from error
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("Interrupted. What was finished is kept.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output is gone, as with `| head`: not an error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None
        except OSError as error:
            _show(str(error))
            raise typer.Exit(1) from error
        except Exception as error:
            if isinstance(error, typer.Exit) or hasattr(error, "show"):
                raise  # an exit, or a usage error that shows itself
            _show(
                f"something inside seqclf failed ({type(error).__name__}: {error}). "
                f"SEQCLF_DEBUG=1 shows where; please report it."
            )
            raise typer.Exit(1) from error


def _show(message: str) -> None:
    if os.environ.get("SEQCLF_DEBUG") == "1":
        traceback.print_exc()
    if len(message) > SCREEN:  # it may quote a name as long as a book
        message = f"{message[: SCREEN // 2]} … {message[-SCREEN // 2 :]}"
    lines = [clean(line) for line in message.split("\n")]  # they may quote a file
    typer.echo("\n".join(["Error: " + lines[0], *lines[1:]]), err=True)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=os.environ.get("SEQCLF_DEBUG") == "1",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqclf {seqclf.__version__}")
        raise typer.Exit


@app.callback()
def _app(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Train twin text classifiers that differ only in the recurrent layer.

    SimpleRNN, GRU or LSTM? Which one, how much better, at what price, and is any of
    them better than no recurrence at all? Answered on your own text.
    """


app.command("train", cls=Command)(train.train)
app.command("compare", cls=Command)(compare.compare)
app.command("predict", cls=Command)(predict)
app.command("evaluate", cls=Command)(evaluate.evaluate)
app.command("export", cls=Command)(export.export)
app.command("push", cls=Command)(push.push)
app.command("study", cls=study.StudyCommand)(study.study)
app.command("claims", cls=Command)(study.claims)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.command("doctor", cls=Command)(doctor.doctor)
app.add_typer(classroom.app, name="classroom", rich_help_panel="For a class")


def main() -> None:
    """Runs the command line; the entry point of the console script."""
    try:
        app(prog_name="seqclf")
    except SystemExit as leaving:
        code = leaving.code or 0
        _leave_at_once(code if isinstance(code, int) else 1)


def _leave_at_once(code: int) -> None:
    """Ends the process with this exit code, without Python's own shutdown.

    A finished command must not end as a crashed one: a C++ thread that a library still
    runs can abort the process during shutdown ("terminate called without an active
    exception"). Commands clean up before they return; only the standard streams are
    left to be flushed.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        pass  # the reader of our output is gone
    except OSError as error:
        _show(str(error))
        code = code or 1
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
