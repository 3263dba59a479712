"""One file of the Hub that is no data set, such as word vectors."""

from __future__ import annotations

from pathlib import Path

from seqclf.data.hub.load import quieten
from seqclf.data.hub.online import limit_waiting
from seqclf.errors import DataError
from seqclf.wording import first_line


def hub_file(repository: str, name: str) -> Path:
    """Downloads a file of a model repository; one that is in the cache is taken.

    `repository` is OWNER/NAME, `name` the file's path in it.

    Raises:
      DataError: If it cannot be had.
    """
    from huggingface_hub import constants, errors, hf_hub_download

    quieten()
    limit_waiting()
    try:
        return Path(hf_hub_download(repository, name))
    except errors.EntryNotFoundError as error:
        if isinstance(error, errors.LocalEntryNotFoundError):
            raise DataError(
                f"{repository}/{name} is neither in the cache nor to be had from "
                f"{constants.ENDPOINT} ({first_line(error)}). Run the command where "
                f"the Hub can be reached, or name a file of your own."
            ) from error
        raise DataError(
            f"{repository} has no file {name}; its files are listed at "
            f"{constants.ENDPOINT}/{repository}/tree/main."
        ) from error
    except errors.GatedRepoError as error:
        raise DataError(
            f"{repository} is gated: ask for access at {constants.ENDPOINT}/"
            f"{repository}, then log in with hf auth login, or set HF_TOKEN."
        ) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise DataError(
            f"there is no file {repository}/{name} here, and {constants.ENDPOINT} has "
            f"no repository {repository}, or it is private. Check the spelling; if it "
            f"is private, log in with hf auth login, or set HF_TOKEN."
        ) from error
    except Exception as error:  # of httpx, of the file system, ...
        raise DataError(
            f"{repository}/{name} could not be downloaded from {constants.ENDPOINT} "
            f"({first_line(error)}). Run the command again, or name a file of your own."
        ) from error
