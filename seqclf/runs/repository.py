"""Model repositories of the Hugging Face Hub: `hf://OWNER/NAME`, as runs are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from seqclf.errors import ConfigError

SCHEME = "hf://"
CARD_FILE = "README.md"
BESIDE = frozenset((CARD_FILE, "LICENSE", ".gitattributes"))  # may be there; not read
_AS_PATH = "hf:/"  # a path joins both slashes
_PART = r"\w(?:[\w.-]*\w)?"  # what the Hub allows as an owner or a name


@dataclass(frozen=True, slots=True)
class Repository:
    """A model repository of the Hub, OWNER/NAME, at a commit, branch or tag."""

    id: str
    revision: str | None = None

    @property
    def name(self) -> str:
        """Its name without its owner."""
        return self.id.partition("/")[2]

    def __str__(self) -> str:
        return f"{SCHEME}{self.id}" + (f"@{self.revision}" if self.revision else "")


def is_on_hub(named: Path) -> bool:
    """Tells whether a path is the name of a run on the Hub."""
    return named.as_posix().startswith(_AS_PATH)


def repository_of(named: Path) -> Repository:
    """Reads `hf://OWNER/NAME[@REVISION]`.

    Raises:
      ConfigError: If it is no such name.
    """
    text = named.as_posix().removeprefix(_AS_PATH).lstrip("/")
    id, at, revision = text.partition("@")
    if not is_id(id) or (at and not revision):
        raise ConfigError(
            f"a run of the Hub is named {SCHEME}OWNER/NAME or "
            f"{SCHEME}OWNER/NAME@REVISION, got {SCHEME}{text}."
        )
    return Repository(id, revision or None)


def is_id(text: str) -> bool:
    """Tells whether a text is OWNER/NAME as the Hub allows it."""
    return re.fullmatch(f"{_PART}/{_PART}", text, re.ASCII) is not None
