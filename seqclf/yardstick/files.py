"""The three files of an encoder, of a folder or of the Hub: found, checked, hashed.

Weights are tensors, the others text, and nothing of them is run as a program. What else
lies beside them is not read.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
FILES = (CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE)
# Kinds of encoders, by transformers' names, and what they call the activation.
ENCODERS = {
    "bert": "hidden_act",
    "distilbert": "activation",
    "roberta": "hidden_act",
    "xlm-roberta": "hidden_act",
}


@dataclass(frozen=True, slots=True)
class EncoderFiles:
    """The files of an encoder.

    Attributes:
      source: As they were named: `hf://OWNER/NAME`, or a folder.
      folder: Where they lie.
      name: Its own name, or that of the repository.
      revision: The commit of the Hub; None of a folder of this machine.
      encoder: Its kind, a key of `ENCODERS`.
      digest: SHA-256 of the files, 64 hexadecimal digits.
    """

    source: str
    folder: Path
    name: str
    revision: str | None
    encoder: str
    digest: str


def found(source: str) -> EncoderFiles:
    """Finds the files of an encoder, and downloads them if need be.

    Args:
      source: `hf://OWNER/NAME`, with `@REVISION` if wanted, or a folder.

    Raises:
      ConfigError: If the folder lacks a file, or is of another kind of encoder.
      RunError: If the repository does, or it cannot be had.
    """
    revision = None
    if is_on_hub(Path(source)):
        asked = repository_of(Path(source))
        source, name = str(asked), asked.name
        folder, revision = _downloaded(asked)
    else:
        # By the name that was given, though it be a link's.
        folder = Path(source).absolute()
        name = folder.name if ".." not in folder.parts else folder.resolve().name
        _require_files(source, folder)
    encoder = _encoder_of(source, folder)
    return EncoderFiles(source, folder, name, revision, encoder, _digest(folder))


def _downloaded(asked: Repository) -> tuple[Path, str]:
    """Returns the folder of a repository in the Hub's cache, and the commit."""
    quieten_hub()
    limit_waiting()
    commit, is_online = commit_of(asked, functools.partial(_require_in, asked))
    # The first by the revision's own name, which is then known without a network too.
    first, *others = FILES
    revision = asked.revision or "main"
    file = downloaded(asked, first, revision if is_online else commit, commit)
    for name in others:
        downloaded(asked, name, commit, commit)
    return file.parent, commit


def _require_in(asked: Repository, sizes: Mapping[str, int | None]) -> None:
    if missing := [name for name in FILES if name not in sizes]:
        raise RunError(
            f"{asked} has no {joined(missing)}; it holds "
            f"{listed(sorted(sizes)) or 'no files'}. {_needed()}"
        )


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


def _encoder_of(source: str, folder: Path) -> str:
    """Returns the kind of an encoder; refuses what KerasHub would open otherwise."""
    config = _config(source, folder)
    kind = config.get("model_type")
    if kind not in ENCODERS:
        raise ConfigError(
            f"{source} is of the kind {kind!r}; a yardstick is an encoder of the kinds "
            f"{joined(list(ENCODERS))} (model_type in {CONFIG_FILE})."
        )
    plain = {ENCODERS[kind]: "gelu", "position_embedding_type": "absolute"}
    for key, only in plain.items():
        if (came := config.get(key, only)) != only:
            raise ConfigError(
                f"{source} has {key} {came!r} in {CONFIG_FILE}, and KerasHub would "
                f"open it as {only!r}; take another encoder."
            )
    return str(kind)


def _config(source: str, folder: Path) -> Mapping[str, Any]:
    try:
        values = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{CONFIG_FILE} of {source} could not be read: {error}"
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"{CONFIG_FILE} of {source} holds no object.")
    return values


def _digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()
