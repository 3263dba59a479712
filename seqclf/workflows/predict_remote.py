"""`seqclf predict --input URL --output URL`: files fetched, answered, and put."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from seqclf.bulk import folder as folders
from seqclf.bulk import parts, remote, writers
from seqclf.bulk.chunks import Options
from seqclf.bulk.parts import DIGITS, Question
from seqclf.bulk.sources import find_source
from seqclf.data.files import TEXT_SUFFIX
from seqclf.data.formats.contents import format_of
from seqclf.errors import ConfigError
from seqclf.runs import AnyRun
from seqclf.unsure import AtLeast
from seqclf.wording import listed
from seqclf.workflows.predict import Heard, Listener, Writing, found_source, open_source


class Outputs(Protocol):
    """A folder of outputs, on this disk or elsewhere."""

    @property
    def finished(self) -> list[str]:
        """The names of those that are whole."""

    def keep(self, file: Path, name: str) -> None:
        """Puts a finished file there, and keeps that it is whole."""


class _Inputs:
    """Files to classify, here or elsewhere: their names, and where they are got."""

    def __init__(self, given: Path, listener: Listener) -> None:
        url = remote.url_of(given)
        self.name = url or str(given)
        self.fetch: Callable[[str, Path], Path]
        if url is None:
            source = found_source(given, listener)
            files = {file.name: file for file in source.files}
            folders.refuse_same_names(source)
            self.folders = {remote.here(file.parent) for file in files.values()}
            self.about = {name: _state(file) for name, file in files.items()}
            self.fetch = lambda name, folder: files[name]
            return
        place = remote.open_remote(url)
        self.about, aside = remote.inputs_of(place)
        self.folders = {place.where}
        if aside:
            listener.note(f"Left aside in {url}: {listed(aside)}.")
        self.fetch = place.fetch


def write_remote(
    run: AnyRun,
    given: Path,
    output: Path,
    options: Options,
    listener: Listener,
    resume: bool = False,
    overwrite: bool = False,
    at_least: AtLeast | None = None,
) -> None:
    """Writes the rows of each file with their predictions, by its name into a folder.

    As `predict.write_each`, where input or output, or both, are named by a URL.

    Raises:
      ConfigError: As there; or a store cannot be used.
      DataError: If a file cannot be read, fetched or put.
    """
    inputs = _Inputs(given, listener)
    _refuse_unfit(inputs, output, options)
    question = parts.question_about(_said(inputs), run, options, at_least)
    names, there = [*inputs.about], remote.url_of(output) or str(output)
    heard = Heard(listener)
    writing = Writing(run, heard, at_least)
    with _begun(output, names, question, resume, overwrite) as outputs:
        if outputs.finished:
            done = f"{len(outputs.finished):,} of {len(names):,}"
            listener.note(f"{done} files are done; continuing.")
        for name in [name for name in names if name not in outputs.finished]:
            with TemporaryDirectory(prefix="seqclf-") as own:
                for part in ("in", "out"):
                    (Path(own) / part).mkdir()
                file = inputs.fetch(name, Path(own) / "in")
                made = Path(own) / "out" / name
                opened = open_source(find_source(file), options, heard)
                writing.write(opened, made, resume=False, overwrite=True)
                outputs.keep(made, name)
            for is_urgent, sentence in heard.taken()[:-1]:  # the last is of `made`
                (listener.insist if is_urgent else listener.note)(sentence)
            listener.note(f"Written: {there}/{name}")
    listener.note(f"Written: {there}, {len(names):,} files")


def _begun(
    output: Path, names: list[str], question: Question, resume: bool, overwrite: bool
) -> AbstractContextManager[Outputs]:
    how = {"resume": resume, "overwrite": overwrite}
    if url := remote.url_of(output):
        return remote.begun_remote(remote.open_remote(url), names, question, **how)
    return folders.begun_folder(output, names, question, **how)


def _refuse_unfit(inputs: _Inputs, output: Path, options: Options) -> None:
    url = remote.url_of(output)
    if url is None:
        folders.refuse_folder(output)
    elif "*" in output.name:
        raise ConfigError(f"--output {output.name}: a pattern names no folder.")
    where = remote.here(output) if url is None else remote.open_remote(url).where
    if where in inputs.folders:
        raise ConfigError(f"{url or output} has the files of the input; name another.")
    for name in inputs.about:
        if format_of(Path(name)) == TEXT_SUFFIX and not options.lines:
            raise ConfigError(
                f"each .txt file of {inputs.name} is one text, which needs no file of "
                f"its own; --lines reads a text a line."
            )
        writers.refuse_format(Path(name))


def _said(inputs: _Inputs) -> str:
    """Returns what is asked about: the name of the input, and a hash of its files."""
    lines: Mapping[str, str] = inputs.about
    whole = "".join(f"{name}\0{about}\n" for name, about in lines.items())
    return f"{inputs.name} ({hashlib.sha256(whole.encode()).hexdigest()[:DIGITS]})"


def _state(file: Path) -> str:
    about = file.stat()
    return f"{file.resolve()} {about.st_size} {about.st_mtime_ns}"
