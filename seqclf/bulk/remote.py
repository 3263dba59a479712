"""Folders that are named by a URL, such as `s3://bucket/texts`, with fsspec.

A file is fetched whole before it is read, and put whole when it is finished. There
nothing is renamed and nothing locked, so that less is promised than on a disk: a store
such as S3 shows a file only when all of it has come, another may show a part of it
meanwhile; and two commands that write one folder at a time do not see each other.
Which files are finished is kept in `.partial/`, as in a folder of a disk.
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqclf.bulk.folder import FINISHED_FILE, STATE
from seqclf.bulk.parts import Question, refuse_other_answers
from seqclf.bulk.sources import FORMATS
from seqclf.data.formats.contents import format_of
from seqclf.data.layout import is_pattern
from seqclf.errors import ConfigError, DataError
from seqclf.marker import QUESTION_FILE
from seqclf.storage import strict_json, strict_object

# Two letters at least: one is a drive of Windows.
_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+):/+(?=[^/])")
# What tells that a file there has changed, by the names that stores have for it.
_CHANGES = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "created")


def here(folder: Path) -> tuple[str, str]:
    """Returns what `Remote.where` is of a folder of this disk."""
    return "file", str(folder.resolve())


def url_of(given: Path) -> str | None:
    """Returns the URL that was typed as a path, None if it is a path.

    `Path` makes one slash of two or three: of three where there can be no host.
    """
    text = given.as_posix()
    if not (found := _URL.match(text)):
        return None
    slashes = "///" if found[1].lower() in ("file", "local") else "//"
    return f"{found[1]}:{slashes}{text[found.end() :]}"


def is_a_file(given: Path) -> bool:
    """Tells by its name whether something elsewhere is a file, and no folder."""
    return format_of(given) in FORMATS


@dataclass(frozen=True, slots=True)
class Remote:
    """A folder elsewhere.

    Attributes:
      url: Its URL, without a slash behind.
      system: What fsspec has for it.
      root: What it is called there.
      pattern: Of the names in it, that of those that are meant; `*` all.
    """

    url: str
    system: Any
    root: str
    pattern: str = "*"

    @property
    def where(self) -> tuple[str, str]:
        """What is equal of two that are the same folder: how it is reached, and it."""
        if "file" in self.system.protocol:
            return here(Path(self.root))
        return str(self.system.to_json()), self.root

    def files(self) -> dict[str, str]:
        """Returns the files of the folder by name, with what tells of a change.

        Raises:
          DataError: If it cannot be listed, or there are none.
        """
        with _told(self.url):
            self.system.invalidate_cache()
            there = self.system.ls(self.root, detail=True)
        found = {}
        for one in sorted(there, key=lambda about: about["name"]):
            name = one["name"].rstrip("/").rsplit("/", 1)[-1]
            is_meant = fnmatch.fnmatchcase(name, self.pattern)
            if one["type"] == "file" and is_meant and not name.startswith("."):
                changes = [str(one[key]) for key in _CHANGES if key in one]
                found[name] = f"{one.get('size')} {' '.join(changes)}"
        return found

    def fetch(self, name: str, folder: Path) -> Path:
        """Fetches a file into a folder; returns where it is."""
        with _told(f"{self.url}/{name}"):
            self.system.get_file(f"{self.root}/{name}", str(folder / name))
        return folder / name

    def put(self, file: Path, name: str) -> None:
        """Puts a file there; what had its name is replaced."""
        with _told(f"{self.url}/{name}"):
            self.system.put_file(str(file), f"{self.root}/{name}")

    def read(self, name: str) -> str | None:
        """Returns a small text file, None if it is not there."""
        with _told(f"{self.url}/{name}"):
            self.system.invalidate_cache()
            try:
                return str(self.system.cat_file(f"{self.root}/{name}").decode())
            except FileNotFoundError:
                return None

    def write(self, name: str, text: str) -> None:
        """Writes a small text file."""
        with _told(f"{self.url}/{name}"):
            parent = f"{self.root}/{name}".rsplit("/", 1)[0]
            self.system.makedirs(parent, exist_ok=True)
            self.system.pipe_file(f"{self.root}/{name}", text.encode())

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with _told(f"{self.url}/{name}"), contextlib.suppress(FileNotFoundError):
            self.system.rm_file(f"{self.root}/{name}")


def open_remote(url: str) -> Remote:
    """Opens a folder by its URL; the last part may be a pattern of names.

    Raises:
      ConfigError: If fsspec knows no such store, or a package for it is missing, or
        another part of the URL is a pattern.
    """
    import fsspec

    folder, pattern = url.rstrip("/"), "*"
    if is_pattern(folder):
        folder, pattern = folder.rsplit("/", 1)
    if is_pattern(folder):
        raise ConfigError(f"{url}: only the last part of a URL may be a pattern.")
    try:
        system, root = fsspec.url_to_fs(folder)
    except ImportError as error:
        raise ConfigError(
            f"{url} needs a package that is not installed: {error}."
        ) from None
    except ValueError as error:
        raise ConfigError(f"{url} cannot be used: {error}.") from None
    return Remote(folder, system, str(root).rstrip("/"), pattern)


def inputs_of(remote: Remote) -> tuple[dict[str, str], list[str]]:
    """Returns the files of a folder that can be read, and the names of the others.

    Raises:
      DataError: If there is none, or they are of several formats.
    """
    there = remote.files()
    known = {name: about for name, about in there.items() if _format(name) in FORMATS}
    if not known:
        raise DataError(f"{remote.url} holds no {', '.join(FORMATS)} file.")
    formats = sorted({_format(name) for name in known})
    if len(formats) > 1:
        raise DataError(
            f"{remote.url} has files of several formats, {', '.join(formats)}; take "
            f"those of one by a pattern such as '{remote.url}/*{formats[0]}'."
        )
    return known, [name for name in there if name not in known]


@dataclass(slots=True)
class RemoteOutputs:
    """The outputs of one folder elsewhere, and the names of those that are whole."""

    remote: Remote
    finished: list[str] = field(default_factory=list)

    def keep(self, file: Path, name: str) -> None:
        """Puts a finished file there, and keeps that it is whole."""
        self.remote.put(file, name)
        self.finished.append(name)
        self.remote.write(f"{STATE}/{FINISHED_FILE}", json.dumps(self.finished))


@contextlib.contextmanager
def begun_remote(
    remote: Remote, names: Sequence[str], question: Question, *,
    resume: bool, overwrite: bool,
) -> Iterator[RemoteOutputs]:  # fmt: skip
    """Begins the outputs of these names, or resumes them, as `folder.begun_folder`.

    Raises:
      ConfigError: As there.
    """
    state = f"{STATE}/{QUESTION_FILE}"
    before = remote.read(state)
    outputs = RemoteOutputs(remote)
    if before is not None and resume:
        refuse_other_answers(
            _asked(before, f"{remote.url}/{state}"), question, remote.url
        )
        known = remote.read(f"{STATE}/{FINISHED_FILE}")
        with contextlib.suppress(ValueError):  # cut off: then all are written again
            outputs.finished = [*strict_json(known or "[]")]
    elif before is not None and not overwrite:
        raise ConfigError(
            f"{remote.url} was begun before and interrupted; --resume continues it, "
            f"--overwrite starts over."
        )
    else:
        if not overwrite:
            _refuse_what_is_there(remote, names)
        remote.remove(f"{STATE}/{FINISHED_FILE}")
        remote.write(state, json.dumps(question))
    try:
        yield outputs
    except BaseException:
        if not outputs.finished:  # nothing is to be continued
            remote.remove(state)
        raise
    for name in (state, f"{STATE}/{FINISHED_FILE}"):
        remote.remove(name)


def _refuse_what_is_there(remote: Remote, names: Sequence[str]) -> None:
    try:
        there = remote.files()
    except DataError:  # it is made with its first file
        return
    if taken := [name for name in names if name in there]:
        raise ConfigError(
            f"{remote.url}/{taken[0]} is there already; --overwrite replaces it."
        )


def _asked(text: str, place: str) -> Mapping[str, object]:
    try:
        return strict_object(text)
    except ValueError as error:
        raise ConfigError(
            f"{place} cannot be read ({error}); --overwrite instead of --resume begins "
            f"again."
        ) from error


def _format(name: str) -> str:
    return format_of(Path(name))


@contextlib.contextmanager
def _told(place: str) -> Iterator[None]:
    """Raises DataError, with the place, for whatever goes wrong on the way there."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{place}: there is no such file or folder.") from None
    except Exception as error:  # noqa: BLE001 -- each store has errors of its own
        why = str(error) or type(error).__name__
        raise DataError(f"{place} cannot be reached: {why}") from error
