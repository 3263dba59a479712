"""What travels between machines: files as bytes, and calls whose paths have moved."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from seqclf.storage import write_bytes


def pack(path: Path, without: Collection[str] = (), last: str = "") -> bytes:
    """Returns a file or a folder as a tar, equal for equal contents.

    A link counts as what it leads to.

    Args:
      path: What to pack; its name is the first part of every name in the tar.
      without: Names in the folder that are left out.
      last: The name in the folder that comes last.
    """
    buffer = io.BytesIO()
    inside = sorted(path.rglob("*")) if path.is_dir() else []
    inside = [one for one in inside if one.relative_to(path).parts[0] not in without]
    inside.sort(key=lambda one: one.relative_to(path).as_posix() == last)
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for one in [path, *inside]:
            name = one.relative_to(path.parent).as_posix()
            tar.add(one, name, recursive=False, filter=_plain)
    return buffer.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leaves out of a file's entry who made it, and when."""
    return member.replace(mtime=0, uid=0, gid=0, uname="", gname="", deep=False)


def unpack(content: bytes, parent: Path, keep: Collection[str] = ()) -> None:
    """Writes what was packed into a folder, each file whole, in its order.

    Of a folder that is there already, files that were not packed are removed before the
    last one is written, but for the names to `keep`.

    Raises:
      OSError: If it cannot be written.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        # Refuses names that lead out of the folder, and what is no file or folder.
        members = [tarfile.data_filter(one, str(parent)) for one in tar.getmembers()]
        for index, member in enumerate(members):
            if index == len(members) - 1:
                _remove_others(parent, members, keep)
            path = parent / member.name
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
            elif (file := tar.extractfile(member)) is not None:
                write_bytes(path, file.read())


def _remove_others(
    parent: Path, members: Sequence[tarfile.TarInfo], keep: Collection[str]
) -> None:
    packed = {parent / member.name for member in members}
    root = parent / members[0].name
    for path in sorted(root.rglob("*"), reverse=True) if root.is_dir() else ():
        if path in packed or path.relative_to(root).parts[0] in keep:
            continue
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def digest_of(content: bytes) -> str:
    """Returns the first 24 hex digits of the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()[:24]


class _Leaving(pickle.Pickler):
    """Pickles paths as what they are below one of the roots."""

    def __init__(self, file: io.BytesIO, roots: Sequence[Path]) -> None:
        super().__init__(file)
        self._roots = [root.resolve() for root in roots]

    def persistent_id(self, obj: Any) -> tuple[int, str] | None:
        """Returns the number of the root of a path, and the way from there."""
        if not isinstance(obj, Path):
            return None
        path = obj.resolve()
        for index, root in enumerate(self._roots):
            if path.is_relative_to(root):
                return index, path.relative_to(root).as_posix()
        raise ValueError(f"{obj} is neither read nor written by its task")


class _Arriving(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, roots: Sequence[Path]) -> None:
        super().__init__(file)
        self._roots = roots

    def persistent_load(self, pid: Any) -> Path:
        index, way = pid
        return self._roots[index] / way


def pickled(value: Any, roots: Sequence[Path]) -> bytes:
    """Returns a value as bytes, to be unpickled where its paths are elsewhere.

    Raises:
      ValueError: If it has a path that is not below one of the roots.
    """
    buffer = io.BytesIO()
    _Leaving(buffer, roots).dump(value)
    return buffer.getvalue()


def unpickled(content: bytes, roots: Sequence[Path]) -> Any:
    """Returns the value, with its paths below these roots, in the order of `pickled`.

    Only for bytes of one's own other machines: to unpickle runs code.
    """
    return _Arriving(io.BytesIO(content), roots).load()
