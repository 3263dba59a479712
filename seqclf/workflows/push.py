"""`seqclf push` as functions: what would be uploaded, and the upload."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from seqclf.data.hub.online import quieten_hub, status_of
from seqclf.errors import ConfigError, RunError
from seqclf.export.run_card import run_card
from seqclf.export.shared import write_shared
from seqclf.records.export import About
from seqclf.runs import AnyRun, Mean
from seqclf.runs.files import COMPLETE_FILE, SHARED
from seqclf.runs.hub import BESIDE, CARD_FILE
from seqclf.runs.repository import Repository, is_id
from seqclf.storage import write_text
from seqclf.wording import first_line, listed


@dataclass(frozen=True, slots=True)
class Pushable:
    """What is uploaded: a folder and, by path in it, the bytes of each file."""

    repository: Repository
    folder: Path
    sizes: dict[str, int]


@contextlib.contextmanager
def prepared(
    run: AnyRun, repository: str, about: About, branch: str | None = None
) -> Iterator[Pushable]:
    """Writes what of a run goes to the Hub, with its model card, for as long as needed.

    Args:
      run: A finished run with scores.
      repository: Where it goes, OWNER/NAME.
      about: Licence and languages, for the card.
      branch: Branch of the repository; None takes its main one.

    Raises:
      ConfigError: If it is a mean, or `repository` is no OWNER/NAME.
      RunError: If it was saved from Python without scores, is damaged, or would name a
        folder of this machine.
    """
    if not is_id(repository):
        raise ConfigError(
            f"push takes OWNER/NAME, a repository of the Hub, got {repository!r}."
        )
    if isinstance(run, Mean):
        raise ConfigError(
            f"{run.name} is a mean, which has no files of its own; push its runs one "
            f"by one, and name their mean with +: hf://OWNER/A+hf://OWNER/B."
        )
    run.require_scores()
    place = Repository(repository, branch)
    with TemporaryDirectory(prefix="seqclf-push-") as made:
        copy = write_shared(run, Path(made) / place.name)
        write_text(copy.path / CARD_FILE, run_card(copy, repository, about))
        files = sorted(file for file in copy.path.rglob("*") if file.is_file())
        sizes = {
            file.relative_to(copy.path).as_posix(): file.stat().st_size
            for file in files
        }
        yield Pushable(place, copy.path, sizes)


def upload(what: Pushable, message: str, private: bool = False) -> str:
    """Uploads a run in one commit, into a repository that is made if it is not there.

    A run that was there before is replaced, and stays in the repository's history.
    `private` makes a new repository a private one.

    Returns:
      The commit, 40 hexadecimal digits.

    Raises:
      RunError: If the Hub cannot be reached or refuses, or if the repository holds what
        is no run, or is public where it shall be `private`.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    quieten_hub()
    api, place = HfApi(), what.repository
    id, branch = place.id, place.revision
    with _worded(place):
        api.create_repo(id, private=private or None, exist_ok=True)
        if branch:
            api.create_branch(id, branch=branch, exist_ok=True)
        about = api.model_info(id, revision=branch)
    there = {file.rfilename for file in about.siblings or ()}
    _refuse_others(place, there)
    if private and about.private is False:
        raise RunError(
            f"{id} is there already, and public: --private is for a new one. Make it "
            f"private on its page, or leave --private out."
        )
    gone = sorted((there & set(SHARED)) - set(what.sizes))
    changes: list[CommitOperationAdd | CommitOperationDelete] = []
    changes += [CommitOperationAdd(name, what.folder / name) for name in what.sizes]
    changes += [CommitOperationDelete(name) for name in gone]
    with _worded(place), warnings.catch_warnings():
        # That predictions, as Parquet, are none of a model's files.
        warnings.simplefilter("ignore", UserWarning)
        commit = api.create_commit(
            id,
            changes,
            commit_message=message,
            revision=branch,
            parent_commit=about.sha,
        )
    return str(commit.oid)


def _refuse_others(place: Repository, there: set[str]) -> None:
    """Refuses a repository of something else, which would no longer open, or mix."""
    others = sorted(there - set(SHARED) - BESIDE)
    if others or (there - BESIDE and COMPLETE_FILE not in there):
        raise RunError(
            f"{place.id} holds what is no run of seqclf "
            f"({listed(others or sorted(there - BESIDE))}), and was left as it is; "
            f"push to another OWNER/NAME."
        )


@contextlib.contextmanager
def _worded(place: Repository) -> Iterator[None]:
    """Puts errors of the Hub, and of the way to it, into words."""
    from huggingface_hub import constants, errors

    try:
        yield
    except errors.OfflineModeIsEnabled as error:
        raise RunError(
            f"{place.id} was not pushed: HF_HUB_OFFLINE is set; unset it to push."
        ) from error
    except (errors.HFValidationError, ValueError) as error:
        raise RunError(f"{place.id} was not pushed: {first_line(error)}.") from error
    except Exception as error:  # of httpx, of the Hub's library, ...
        status = status_of(error)
        if status == 401 or isinstance(error, errors.LocalTokenNotFoundError):
            why = f"{constants.ENDPOINT} knows no access token of yours"
            what = "Log in with hf auth login, or set HF_TOKEN."
        elif status == 403:
            why = f"your access token may not write to {place.id}"
            what = "Take an OWNER that is yours, or a token with the right to write."
        elif status == 412:
            why = "someone else changed it at the same time"
            what = "Push again."
        else:
            why = f"{constants.ENDPOINT} did not take it ({first_line(error)})"
            what = "Push again when the Hub can be reached."
        raise RunError(f"{place.id} was not pushed: {why}. {what}") from error
