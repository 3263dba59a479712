"""Repositories of the Hugging Face Hub: named, pinned to a commit, downloaded.

What may lie in one, and what is done with it, is up to who asks; see `hub` for runs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from seqclf.data.hub.online import (
    ANSWER_SECONDS,
    patience,
    status_of,
    within,
    without_answer,
)
from seqclf.errors import ConfigError, RunError

SCHEME = "hf://"
COMMIT = re.compile(r"[0-9a-f]{40}")
_AS_PATH = "hf:/"  # a path joins both slashes
_PART = r"\w(?:[\w.-]*\w)?"  # what the Hub allows as an owner or a name
_T = TypeVar("_T")

# Refuses what is not what was asked for, by the size of each file, before it is
# downloaded.
Check = Callable[[Mapping[str, int | None]], None]


class _UnreachableError(Exception):
    """The Hub gave no answer; says why, in words."""


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
    """Tells whether a path names a repository of the Hub."""
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
            f"what lies on the Hub is named {SCHEME}OWNER/NAME or "
            f"{SCHEME}OWNER/NAME@REVISION, got {SCHEME}{text}."
        )
    return Repository(id, revision or None)


def is_id(text: str) -> bool:
    """Tells whether a text is OWNER/NAME as the Hub allows it."""
    return re.fullmatch(f"{_PART}/{_PART}", text, re.ASCII) is not None


def commit_of(asked: Repository, check: Check) -> tuple[str, bool]:
    """Returns the commit of a revision, and whether the Hub itself named it.

    Without an answer of the Hub it is the one that the cache knows, and a warning.

    Raises:
      RunError: If there is no such repository, or neither Hub nor cache has it; also
        what `check` raises.
    """
    from huggingface_hub import constants

    why = "HF_HUB_OFFLINE is set"
    if not constants.HF_HUB_OFFLINE:
        try:
            return _ask(asked, check), True
        except _UnreachableError as error:
            why = str(error)
    known = _known_commit(asked)
    if known is None:
        raise RunError(
            f"{asked} could not be opened: {why}, and the cache "
            f"({constants.HF_HUB_CACHE}) has nothing of it. Open it once where the Hub "
            f"can be reached, or copy HF_HOME from such a machine."
        )
    if not constants.HF_HUB_OFFLINE:
        said = f"{why}: {asked} comes from the cache, commit {known}."
        logging.getLogger("seqclf").warning(said)
    return known, False


def _ask(asked: Repository, check: Check) -> str:
    """Asks the Hub for the commit, and checks it before it is downloaded.

    Raises:
      _UnreachableError: If it gives no answer.
    """
    from huggingface_hub import HfApi

    seconds = patience()

    def ask() -> tuple[str, dict[str, int | None]]:
        about = HfApi().model_info(
            asked.id, revision=asked.revision, timeout=seconds, files_metadata=True
        )
        return str(about.sha), {f.rfilename: f.size for f in about.siblings or ()}

    commit, sizes = _worded(asked, seconds, lambda: within(seconds, ask))
    check(sizes)
    return commit


def _known_commit(asked: Repository) -> str | None:
    """Returns the commit that a revision stood for when it was last asked for."""
    from huggingface_hub import constants

    revision = asked.revision or "main"
    if COMMIT.fullmatch(revision):
        return revision
    folder = Path(constants.HF_HUB_CACHE) / f"models--{asked.id.replace('/', '--')}"
    try:
        return (folder / "refs" / revision).read_text("utf-8").strip()
    except (OSError, ValueError):
        return None


def downloaded(asked: Repository, name: str, revision: str, commit: str) -> Path:
    """Returns a file of a repository in the cache of the Hub's library.

    Raises:
      RunError: If it is neither there nor to be downloaded, or is of another commit.
    """
    from huggingface_hub import HfApi, constants

    offline = constants.HF_HUB_OFFLINE
    download = HfApi().hf_hub_download

    def get() -> Path:
        found = download(asked.id, name, revision=revision, local_files_only=offline)
        return Path(str(found))

    try:
        cached = _worded(asked, ANSWER_SECONDS, get)
    except _UnreachableError as error:
        raise RunError(
            f"{name} of {asked}, commit {commit}, is not in the cache, and could not "
            f"be downloaded: {error}. Run the command again where the Hub can be "
            f"reached."
        ) from error
    if commit not in cached.parts:
        raise RunError(f"{asked} changed while it was downloaded; try again.")
    return cached


def _worded(asked: Repository, seconds: float, call: Callable[[], _T]) -> _T:
    """Returns what `call` returns; its errors are put into words."""
    from huggingface_hub import constants, errors

    try:
        return call()
    except errors.GatedRepoError as error:
        raise RunError(
            f"{asked} is gated: ask for access at {constants.ENDPOINT}/{asked.id}, "
            f"then log in with hf auth login, or set HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise RunError(
            f"{asked.id} has no revision {asked.revision!r}; its branches and commits "
            f"are listed at {constants.ENDPOINT}/{asked.id}/tree/main."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise RunError(
            f"{constants.ENDPOINT} has no model {asked.id}, or it is private. Check "
            f"the spelling; if it is private, log in with hf auth login, or set "
            f"HF_TOKEN."
        ) from error
    except Exception as error:  # of httpx, of the file system, ...
        if status_of(error) in (401, 403):
            raise RunError(
                f"{constants.ENDPOINT} refused the access token for {asked.id}. Log in "
                f"again with hf auth login, or set or unset HF_TOKEN."
            ) from error
        raise _UnreachableError(without_answer(error, seconds)) from error
