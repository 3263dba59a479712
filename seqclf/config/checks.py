"""What a value of a setting may be; what is refused is named with what is expected."""

from __future__ import annotations

import codecs
import math
import numbers
import operator
from collections.abc import Collection
from typing import Any

from seqclf.errors import ConfigError, unknown

DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}


def require(holds: bool, name: str, expected: str, given: object) -> None:
    """Raises ConfigError, which says what was `expected`, unless it `holds`."""
    if not holds:
        raise ConfigError(f"{name} must be {expected}, got {given!r}.")


def require_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Raises ConfigError unless a value is one of the choices; the nearest is named."""
    if value not in choices:
        raise ConfigError(unknown(name, value, choices))


def require_count(name: str, value: Any, least: int = 1) -> None:
    """Raises ConfigError unless a value is a whole number of at least `least`."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    expected = f"a whole number of at least {least}"
    require(is_whole and operator.index(value) >= least, name, expected, value)


def require_rate(name: str, value: float) -> None:
    """Raises ConfigError unless a value is a fraction in [0, 1)."""
    require(0 <= value < 1, name, "a fraction in [0, 1)", value)


def require_positive(name: str, value: float) -> None:
    """Raises ConfigError unless a value is a positive, finite number."""
    require(value > 0 and math.isfinite(value), name, "a positive number", value)


def require_encoding(name: str) -> None:
    """Raises ConfigError unless Python knows an encoding of that name."""
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):  # a NUL is in no name
        raise ConfigError(
            f"encoding must be a name that Python knows, such as utf-8, cp1252, "
            f"latin-1 or utf-16, got {name!r}."
        ) from None


def require_delimiter(value: str) -> None:
    """Raises ConfigError unless a value is one character, or names one."""
    is_one = len(value) == 1 and value not in '"\r\n\\'
    expected = "one character, such as ';', or tab"
    require(is_one or value in DELIMITER_NAMES, "delimiter", expected, value)
