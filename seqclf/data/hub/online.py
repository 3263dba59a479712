"""Downloads a data set from the Hub, or says within seconds why it cannot be had.

The Hub is asked once and briefly which commit it has, so that a missing network or a
wrong name is reported in seconds; the library's own tries take half a minute. What is
loaded is then that commit and no other.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seqclf.data.hub.names import HubName, if_local, refuse_subset
from seqclf.errors import DataError
from seqclf.private import limit_hub_waiting
from seqclf.wording import first_line

if TYPE_CHECKING:
    from huggingface_hub import DatasetInfo


# Seconds the Hub has to say what it holds: it takes under one as a rule, and an error
# has to come within five, imports included. HF_HUB_ETAG_TIMEOUT sets another number.
ANSWER_SECONDS = 3.0
# Seconds for the first small file. A server that answers but keeps its files back
# would otherwise hold the library for minutes.
FIRST_FILE_SECONDS = 10.0
# Seconds for what is asked about each file. The library gives 60, six times over, to a
# network that went away in the middle of a download.
FILE_SECONDS = 5
QUIET_VARIABLE = "SEQCLF_QUIET_DOWNLOADS"
# How the Hub lays out the Parquet it makes itself: subset, split, number.
CONVERTED = re.compile(r"([^/]+)/[^/]+/\d{4}\.parquet")

_T = TypeVar("_T")


class UnreachableError(Exception):
    """The Hub gave no answer; says why, in words."""


def download(entry: HubName, revision: str | None) -> Path:
    """Downloads and prepares the commit the Hub has now; what is there is not fetched.

    Raises:
      DataError: If the Hub has it, but not so that it can be loaded.
      UnreachableError: If the Hub gives no answer.
    """
    commit = _ask(entry, revision)
    _refuse_script(entry, commit)
    _fetch_card(entry, revision)
    builder = _builder(entry, commit)
    folder = Path(builder.cache_dir)
    if entry.subset:
        # The same, but where a subset is a folder of files: there the library's name
        # is a hash, by which the subset would not be found again.
        folder = folder.parents[2] / entry.subset / folder.parent.name / folder.name
    try:
        builder.download_and_prepare(str(folder))
    except Exception as error:  # of httpx, pyarrow, pandas, the file system, ...
        raise _load_error(entry, commit, error) from error
    return folder


def quieten_hub() -> bool:
    """Silences the Hub's library: log lines, and bars where nobody would see them.

    Returns:
      Whether bars are hidden.
    """
    # Documented, if not marked as an export.
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    # What matters is raised too.
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    is_hidden = not sys.stderr.isatty() or os.environ.get(QUIET_VARIABLE) == "1"
    if is_hidden:
        disable_progress_bars()
    return is_hidden


def limit_waiting() -> None:
    """Shortens what the library waits for each file, unless the user chose a time."""
    if "HF_HUB_ETAG_TIMEOUT" not in os.environ:
        limit_hub_waiting(FILE_SECONDS)


def _ask(entry: HubName, revision: str | None) -> DatasetInfo:
    """Asks the Hub, once, for the commit of a revision and the names of its files."""
    from huggingface_hub import HfApi

    def ask() -> DatasetInfo:
        return HfApi().dataset_info(entry.id, revision=revision, timeout=seconds)

    seconds = patience()
    return _within(seconds, entry, revision, ask)


def _fetch_card(entry: HubName, revision: str | None) -> None:
    """Fetches the README by the revision's own name.

    The library then notes in its cache which commit that name stands for, and the name
    can be asked for again without a network. A closed data set is closed here.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def fetch() -> None:
        try:
            hf_hub_download(
                entry.id, "README.md", repo_type="dataset", revision=revision
            )
        except EntryNotFoundError as error:  # it has none, which does not matter
            if isinstance(error, LocalEntryNotFoundError):
                raise

    _within(max(FIRST_FILE_SECONDS, patience()), entry, revision, fetch)


def patience() -> float:
    """Returns the seconds that the Hub has to say what it holds."""
    from huggingface_hub import constants

    if "HF_HUB_ETAG_TIMEOUT" in os.environ:
        return float(constants.HF_HUB_ETAG_TIMEOUT)
    return ANSWER_SECONDS


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """Returns what `call` returns, or raises what it raises.

    Raises:
      TimeoutError: If that takes longer than so many seconds.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # handed over to the thread that waits
            future.set_exception(error)

    # No time-out of the library's covers the look-up of the host's name, which takes
    # 20 s behind some firewalls. A daemon: the program may end while it waits.
    threading.Thread(target=run, daemon=True).start()
    return future.result(timeout=seconds)


def _within(
    seconds: float, entry: HubName, revision: str | None, call: Callable[[], _T]
) -> _T:
    """Returns what `call` returns; its errors are put into words."""
    try:
        return within(seconds, call)
    except Exception as error:
        raise _refusal(entry, revision, error, seconds) from error


def _refusal(
    entry: HubName, revision: str | None, error: Exception, seconds: float
) -> Exception:
    """Returns the error to raise for one of the Hub's, or of the way to it."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/datasets/{entry.id}"
    if isinstance(error, errors.GatedRepoError):
        return _gated(entry)
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return DataError(
            f"{constants.ENDPOINT} has no data set {entry.id}, or it is private. Check "
            f"the spelling (seqclf data list shows the short names); if it is private, "
            f"log in with hf auth login, or set HF_TOKEN.{if_local(entry)}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return DataError(
            f"{entry.id} has no revision {revision!r}. Its branches and commits are "
            f"listed at {page}/tree/main; without --revision the newest is loaded."
        )
    if (status := status_of(error)) in (401, 403):
        return DataError(
            f"{constants.ENDPOINT} refused the access token ({status}). Log in again "
            f"with hf auth login, or set or unset HF_TOKEN."
        )
    return UnreachableError(without_answer(error, seconds))


def status_of(error: Exception) -> int | None:
    """Returns the HTTP status of an error of the Hub's; None if it has none."""
    status: int | None = getattr(getattr(error, "response", None), "status_code", None)
    return status


def without_answer(error: Exception, seconds: float) -> str:
    """Says why the Hub gave no answer, or none of use, after so many seconds."""
    from huggingface_hub import constants

    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        why = f"gave no answer within {seconds:g} s (HF_HUB_ETAG_TIMEOUT sets another)"
    elif status := status_of(error):
        why = f"answered {status}"
    else:
        why = f"is out of reach ({first_line(error)})"
    return f"{constants.ENDPOINT} {why}"


def _gated(entry: HubName) -> DataError:
    from huggingface_hub import constants

    return DataError(
        f"{entry.id} is gated: its owners want to be asked first. Ask for access at "
        f"{constants.ENDPOINT}/datasets/{entry.id}, then log in with hf auth login, or "
        f"set HF_TOKEN."
    )


def _refuse_script(entry: HubName, commit: DatasetInfo) -> None:
    script = f"{entry.id.rpartition('/')[2]}.py"
    if any(file.rfilename == script for file in commit.siblings or ()):
        raise DataError(
            f"{entry.id} is a loading script, {script}, and scripts are no longer run. "
            f"The Hub keeps many such data sets as Parquet too: add --revision "
            f"refs/convert/parquet."
        )


def _builder(entry: HubName, commit: DatasetInfo) -> Any:
    """Returns the library's builder of one subset of one commit."""
    import datasets

    folders = _converted_subsets(commit)
    if folders:
        refuse_subset(entry, folders)
    which = {"data_dir" if folders else "name": entry.subset}
    try:
        builder = datasets.load_dataset_builder(entry.id, revision=commit.sha, **which)
    except Exception as error:
        if isinstance(error, ValueError):
            with suppress(OSError, ValueError, RuntimeError):
                names = datasets.get_dataset_config_names(entry.id, revision=commit.sha)
                refuse_subset(entry, names)
        raise _load_error(entry, commit, error) from error
    if builder.hash != commit.sha:  # it takes what it has rather than fail
        raise DataError(
            f"{entry.id}: instead of commit {commit.sha} something else was loaded, "
            f"from {builder.cache_dir}. Run the command again, in a folder without "
            f"{entry.id} in it."
        )
    return builder


def _converted_subsets(commit: DatasetInfo) -> list[str]:
    """Lists the subsets of a commit of the Hub's own making, where each is a folder."""
    files = [file.rfilename for file in commit.siblings or ()]
    matches = [CONVERTED.fullmatch(file) for file in files if file.endswith(".parquet")]
    subsets = {match[1] for match in matches if match}
    return sorted(subsets) if all(matches) else []


def _load_error(entry: HubName, commit: DatasetInfo, error: Exception) -> DataError:
    if commit.gated and "gated" in str(error):
        return _gated(entry)
    return DataError(
        f"{entry.id} could not be loaded ({first_line(error.__cause__ or error)}). If "
        f"that is the network, run the command again; else another --revision or "
        f"--subset may do, and a file of your own does."
    )
