"""Reads a kept state as numbers and nothing else, whoever wrote the file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from seqclf.errors import RunError
from seqclf.records.plain import from_plain
from seqclf.records.training import Epoch
from seqclf.storage import strict_json
from seqclf.training.checkpoint import HISTORY, STATE, state_file

MOST_OF_HEADER = 4096  # bytes of an array's header, and
MOST_OF_HISTORY = 1 << 24  # of the finished epochs


@dataclass(frozen=True, slots=True)
class State:
    """A state between two epochs.

    Attributes:
      values: As `training.checkpoint.variables_of` has them.
      history: The finished epochs; `batches` is a hash of the batches of each.
    """

    values: tuple[np.ndarray, ...]
    history: tuple[Epoch, ...]
    batches: tuple[str, ...]


def read_state(states: Path, finished: int, variables: Sequence[Any]) -> State:
    """Reads the state behind so many epochs, in a folder of states.

    An array is read only if it has shape and type of the variable that it is for, so
    that no file makes this machine reserve more memory than the model itself takes.

    Args:
      states: The folder.
      finished: Epochs, from 0.
      variables: Of the model and its optimizer, in their order.

    Raises:
      RunError: If it is not what `seqclf train --keep-states` writes.
    """
    file = state_file(states, finished)
    try:
        with zipfile.ZipFile(file) as archive:
            values = [
                _array(archive, f"model_{i}", tuple(one.shape), np.dtype(one.dtype))
                for i, one in enumerate(variables)
            ]
            said = strict_json(_history(archive).decode())
        history = from_plain(tuple[Epoch, ...], said[HISTORY])
        batches = from_plain(tuple[str, ...], said["batches"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, EOFError,
            zipfile.BadZipFile) as error:  # fmt: skip
        raise RunError(f"{file} is no kept state ({error}).") from error
    return State(tuple(values), history, batches)


def _array(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray:
    with _member(archive, name) as member:
        found, fortran, kind = _header(member)
        if (found, kind) != (shape, dtype) or fortran:
            raise ValueError(f"{name} is {kind} {found}, not {dtype} {shape}")
        content = member.read(dtype.itemsize * int(np.prod(shape)))
    return np.frombuffer(content, dtype).reshape(shape)


def _history(archive: zipfile.ZipFile) -> bytes:
    with _member(archive, STATE) as member:
        (length,), _, kind = _header(member)
        if kind != np.uint8 or length > MOST_OF_HISTORY:
            raise ValueError(f"{STATE} is {kind} of {length:,}")
        return bytes(member.read(length))


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    about = archive.getinfo(f"{name}.npy")
    if about.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    return archive.open(about)


def _header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"an array has version {version}")
    shape, fortran, kind = npy.read_array_header_1_0(
        member, max_header_size=MOST_OF_HEADER
    )
    return shape, fortran, kind
