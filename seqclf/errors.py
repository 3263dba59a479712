"""The errors that seqclf raises for a person to read.

Each message says what is wrong, what came, and what would do. The command line
prints it as one sentence and turns the class into an exit code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SeqclfError(Exception):
    """Base of every error that is meant to be read by the person at the keyboard."""

    exit_code = 1


class ConfigError(SeqclfError):
    """A setting that is out of range, unknown, or would do nothing."""

    exit_code = 2


class ParameterError(ConfigError, ValueError):
    """A parameter of an estimator that is out of range or of another type."""


class DataError(SeqclfError):
    """A data set that cannot be found, read or used."""


class InputError(DataError, ValueError):
    """Texts or labels given from Python that cannot be used."""


class RunError(SeqclfError):
    """A run that is missing, unfinished, damaged, or in the way."""


class TrainingError(SeqclfError):
    """A training that cannot continue, such as one whose loss is not a number."""


def unknown(what: str, came: object, choices: Iterable[str]) -> str:
    """Returns one sentence that names what came, the nearest match and the choices.

    Args:
      what: The thing that was named, such as "cell".
      came: What was given.
      choices: What would do, in the order to list it.

    Returns:
      For example: unknown cell 'lstn'; did you mean 'lstm'? Choices: rnn, lstm.
    """
    choices = list(choices)
    near = difflib.get_close_matches(str(came).lower(), choices, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {str(came)!r};{hint} choices: {', '.join(choices)}."
