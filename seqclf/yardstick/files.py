"""The three files of an encoder, of a folder or of the Hub: found, checked, hashed.

Weights are tensors, the others text, and nothing of them is run as a program. What else
lies beside them is not read.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seqclf.data.hub.online import limit_waiting, quieten_hub
from seqclf.errors import ConfigError, RunError
from seqclf.runs.repository import (
    Repository,
    commit_of,
    downloaded,
    is_on_hub,
    repository_of,
)
from seqclf.wording import joined, listed
from seqclf.yardstick.network import (
    CONFIG_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    read_config,
    require_bytes,
    require_weights,
)

FILES = (CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE)


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """The files of an encoder.

    Before they are found, see `named`, only their source and name are known.

    Attributes:
      source: As they were named: `hf://OWNER/NAME`, or a folder.
      folder: Where they lie.
      name: Its own name, or that of the repository.
      revision: The commit of the Hub; None of a folder of this machine.
      encoder: Its kind, a key of `network.KINDS`.
      digest: SHA-256 of the files, 64 hexadecimal digits.
    """

    source: str
    folder: Path
    name: str
    revision: str | None = None
    encoder: str = ""
    digest: str = ""


def named(source: str) -> EncoderFiles:
    """Returns the files of an encoder as they are asked for, without a look at them.

    Args:
      source: `hf://OWNER/NAME`, with `@REVISION` if wanted, or a folder.

    Raises:
      ConfigError: If nothing on the Hub can be called so.
    """
    if is_on_hub(Path(source)):
        asked = repository_of(Path(source))
        return EncoderFiles(str(asked), Path(), asked.name)
    # By the name that was given, though it be a link's.
    folder = Path(source).absolute()
    name = folder.name if ".." not in folder.parts else folder.resolve().name
    return EncoderFiles(source, folder, name)


def found(source: str) -> EncoderFiles:
    """Finds the files of an encoder, and downloads them if need be.

    Args:
      source: As in `named`.

    Raises:
      ConfigError: If the folder lacks a file, a file is damaged or too large, they do
        not belong together, or it is another kind of encoder.
      RunError: If the repository lacks a file, or cannot be had.
    """
    asked = named(source)
    source, folder, revision = asked.source, asked.folder, None
    if is_on_hub(Path(source)):
        folder, revision = _downloaded(repository_of(Path(source)))
    else:
        _require_files(source, folder)
    config = read_config(source, folder)
    require_bytes(source, {one: (folder / one).stat().st_size for one in FILES})
    require_weights(source, folder, config)
    kind = config["model_type"]
    return EncoderFiles(source, folder, asked.name, revision, kind, _digest(folder))


def _downloaded(asked: Repository) -> tuple[Path, str]:
    """Returns the folder of a repository in the Hub's cache, and the commit.

    What its config refuses is refused before the rest of it, by far the most, comes.
    """
    quieten_hub()
    limit_waiting()
    commit, is_online = commit_of(asked, functools.partial(_require_in, asked))
    # The first by the revision's own name, which is then known without a network too.
    revision = asked.revision or "main"
    first = revision if is_online else commit
    folder = downloaded(asked, CONFIG_FILE, first, commit).parent
    read_config(str(asked), folder)
    for name in FILES:
        downloaded(asked, name, commit, commit)
    return folder, commit


def _require_in(asked: Repository, sizes: Mapping[str, int | None]) -> None:
    if missing := [name for name in FILES if name not in sizes]:
        raise RunError(
            f"{asked} has no {joined(missing)}; it holds "
            f"{listed(sorted(sizes)) or 'no files'}. {_needed()}"
        )
    require_bytes(str(asked), sizes)


def _require_files(source: str, folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(
            f"--yardstick {source} is no folder. It takes hf://OWNER/NAME, an encoder "
            f"of the Hugging Face Hub, or a folder with its files."
        )
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise ConfigError(f"{source} has no {joined(missing)}. {_needed()}")


def _needed() -> str:
    return (
        f"A yardstick is a pre-trained encoder as transformers saves it, with "
        f"{joined([*FILES])}; formats that can hold programs are not read."
    )


def _digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()
