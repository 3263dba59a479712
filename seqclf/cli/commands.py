"""The commands of seqclf, and how their errors are shown.

Commands import what they need when they run, and of the others nothing is imported, so
that help and a prediction are there at once.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import seqclf
from seqclf.cli._letters import use_plain_letters
from seqclf.cli._options import Command, joined_lines
from seqclf.cli._screen import clean
from seqclf.errors import SeqclfError

# In the order of the help: the module, and the function or group of commands in it.
COMMANDS = {
    "train": ("train", "train"),
    "compare": ("compare", "compare"),
    "predict": ("predict.command", "predict"),
    "evaluate": ("evaluate", "evaluate"),
    "export": ("export", "export"),
    "serve": ("serve", "serve"),
    "push": ("push", "push"),
    "study": ("study", "study"),
    "claims": ("study", "claims"),
    "data": ("data", "app"),
    "runs": ("runs", "app"),
    "doctor": ("doctor", "doctor"),
    "classroom": ("classroom", "app"),
}
CLASSES = {"study": "StudyCommand"}  # those that show themselves in another way
PANELS = {"classroom": "For a class"}
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
        except ModuleNotFoundError as error:
            from seqclf.installed import incomplete_said

            _show(incomplete_said(error) or _unknown(error))
            raise typer.Exit(1) from error
        except Exception as error:
            if isinstance(error, typer.Exit) or hasattr(error, "show"):
                raise  # an exit, or a usage error that shows itself
            _show(_unknown(error))
            raise typer.Exit(1) from error


def _unknown(error: Exception) -> str:
    return (
        f"something inside seqclf failed ({type(error).__name__}: {error}). "
        f"SEQCLF_DEBUG=1 shows where; please report it."
    )


def _show(message: str) -> None:
    if os.environ.get("SEQCLF_DEBUG") == "1":
        traceback.print_exc()
    if len(message) > SCREEN:  # it may quote a name as long as a book
        message = f"{message[: SCREEN // 2]} … {message[-SCREEN // 2 :]}"
    lines = [clean(line) for line in message.split("\n")]  # they may quote a file
    typer.echo("\n".join(["Error: " + lines[0], *lines[1:]]), err=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqclf {seqclf.__version__}")
        raise typer.Exit


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


def command_line(*names: str) -> typer.Typer:
    """Returns the command line: all its commands, or those of these names alone."""
    app = typer.Typer(
        cls=_Group,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=os.environ.get("SEQCLF_DEBUG") == "1",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_app)
    for name in names or COMMANDS:
        place, attribute = COMMANDS[name]
        module = importlib.import_module(f"seqclf.cli.{place}")
        found = getattr(module, attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, rich_help_panel=PANELS.get(name))
        else:
            shown_by = getattr(module, CLASSES[name]) if name in CLASSES else Command
            app.command(name, cls=shown_by)(found)
    return app


def main() -> None:
    """Runs the command line; the entry point of the console script."""
    use_plain_letters()
    app = command_line(*(name for name in sys.argv[1:2] if name in COMMANDS))
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
