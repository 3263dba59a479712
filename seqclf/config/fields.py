"""How a setting is declared: its default, and what the help says of it."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NamedTuple

# Panels of the help for settings that are not in the panel of their part.
BASIC, FILES, LABELS = "Options", "Reading files", "Labels and splits"
ELSEWHERE, DIALS = "Knowledge from elsewhere", "Dials"
HELP = "help"  # where a field's metadata has its Help


class Help(NamedTuple):
    """The help of a setting: `panel` None is that of its part, `shown` the default."""

    text: str
    panel: str | None
    shown: str | None


def setting(
    default: Any, text: str, panel: str | None = None, shown: str | None = None
) -> Any:
    """Returns a dataclass's field with its default and its `Help`."""
    return field(default=default, metadata={HELP: Help(text, panel, shown)})
