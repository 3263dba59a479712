"""Keeps the finished parts of a bulk prediction, so that it can be resumed.

Beside the output, in `.<output>.partial/`, are the finished parts (one for each chunk
of rows, each under its name only when it is whole) and `question.json`, which says what
they answer. At the end they become one file. The parts are Arrow files: whether the
work was interrupted or not, the same tables make the output in the same order.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow as pa

import seqclf
from seqclf.bulk import chunks
from seqclf.bulk.chunks import Options
from seqclf.bulk.sources import Source
from seqclf.bulk.writers import WRITERS
from seqclf.data.formats.contents import format_of
from seqclf.errors import ConfigError, DataError
from seqclf.marker import QUESTION_FILE
from seqclf.runs import AnyRun, files, members_of
from seqclf.storage import strict_object, write_json, write_whole
from seqclf.system import locked, sync
from seqclf.unsure import OPTION, AtLeast

LOCK_FILE = "lock"
DIGITS = 16  # of a hash, in hexadecimal

Question = Mapping[str, object]  # all that decides what the parts hold, by name


def question_of(
    source: Source, run: AnyRun, options: Options, at_least: AtLeast | None = None
) -> Question:
    """Returns all that decides what the parts hold, by the name for messages.

    An input is known by the names, sizes and times of change of its files, a run by
    the bytes of its model, vocabulary, labels and rules, and of its thresholds if a
    text may have several labels.
    """
    named = f"{source.name} ({_hash_of_files(source)})"
    return question_about(named, run, options, at_least)


def question_about(
    named: str, run: AnyRun, options: Options, at_least: AtLeast | None = None
) -> Question:
    """Returns the same of an input of which `named` says all, see `question_of`."""
    return {
        "input": named,
        "run": f"{run.name} ({_hash_of_run(run)})",
        **{
            f"--{name.replace('_', '-')}": value
            for name, value in asdict(options.given).items()
        },
        "--lines": options.lines,
        "--on-error": options.on_error,
        OPTION: at_least and str(at_least),
        "version of seqclf": seqclf.__version__,
        "rows a part": chunks.CHUNK_ROWS,
    }


def _hash_of_files(source: Source) -> str:
    digest = hashlib.sha256()
    for file in source.files:
        about = file.stat()
        line = f"{file.resolve()}\0{about.st_size}\0{about.st_mtime_ns}\n"
        digest.update(os.fsencode(line))
    return digest.hexdigest()[:DIGITS]


def _hash_of_run(run: AnyRun) -> str:
    shared = (files.VOCABULARY_FILE, files.LABELS_FILE, files.TOKENIZER_FILE)
    more = (files.THRESHOLDS_FILE,) if run.dataset.has_several else ()
    together = "".join(
        member.checksums[name]
        for member in members_of(run)
        for name in (member.model_file, *shared, *more)
    )
    return hashlib.sha256(together.encode()).hexdigest()[:DIGITS]


@dataclass(slots=True)
class Parts:
    """The finished parts of one output: how many rows each has.

    The schema has the columns of each, the added ones too.
    """

    output: Path
    schema: pa.Schema
    rows: list[int] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where they are."""
        return folder_of(self.output)

    def add(self, table: pa.Table) -> None:
        """Keeps the next part, on the disk when this returns."""

        def write(partial: Path) -> None:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with (
                pa.OSFile(str(partial), "wb") as file,
                pa.ipc.new_file(file, self.schema, options=options) as writer,
            ):
                writer.write_table(table.unify_dictionaries())
            sync(partial)

        write_whole(self._file(len(self.rows) + 1), write)
        self.rows.append(table.num_rows)

    def join(self) -> None:
        """Makes the output of them, the whole file or none, and removes them."""
        whole = self.folder / f"whole{self.output.suffix}"
        with WRITERS[format_of(self.output)](whole, self.schema) as write:
            for number in range(1, len(self.rows) + 1):
                write(self._read(number))
        sync(whole)
        whole.replace(self.output)
        (self.folder / QUESTION_FILE).unlink()  # from here on nothing is begun
        shutil.rmtree(self.folder)

    def find(self) -> None:
        """Takes the parts up to the first that is missing or damaged."""
        with contextlib.suppress(OSError, pa.ArrowException, DataError):
            while True:
                self.rows.append(self._read(len(self.rows) + 1).num_rows)

    def _read(self, number: int) -> pa.Table:
        file = self._file(number)
        with pa.OSFile(str(file)) as stream:
            table = pa.ipc.open_file(stream).read_all()
        if not table.schema.equals(self.schema):
            raise DataError(f"{file} has other columns than the rows.")
        return table

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:06}.arrow"


def folder_of(output: Path) -> Path:
    """Returns where the parts of an output are."""
    return output.with_name(f".{output.name}.partial")


@contextlib.contextmanager
def begun(
    output: Path, schema: pa.Schema, question: Question, *,
    resume: bool, overwrite: bool,
) -> Iterator[Parts]:  # fmt: skip
    """Begins an output with columns `schema`, or resumes one.

    `resume` continues behind the parts that are there, `overwrite` starts over,
    whatever is there; `question` is what the parts answer.

    Yields:
      The parts that are finished; none if nothing was begun.

    Raises:
      ConfigError: If the output is there, or was begun and neither `resume` nor
        `overwrite` is given, or `resume` is and the parts answer another question, or
        another process is at work on it.
    """
    parts = Parts(output, schema)
    was_begun = (parts.folder / QUESTION_FILE).exists()
    if was_begun and resume:
        refuse_other_question(parts.folder / QUESTION_FILE, question, parts.output)
    elif not overwrite:
        _refuse_what_is_there(parts, was_begun)
    parts.folder.mkdir(exist_ok=True)
    refusal = ConfigError(
        f"another process is writing {output}; wait for it, or name another --output."
    )
    with locked(parts.folder / LOCK_FILE, refusal):
        if was_begun and resume:
            parts.find()
        else:
            for file in parts.folder.iterdir():
                if file.name != LOCK_FILE:
                    file.unlink()
            _try_writer(parts)
            write_json(parts.folder / QUESTION_FILE, question)
        try:
            yield parts
        except BaseException:
            if not parts.rows:
                shutil.rmtree(parts.folder, ignore_errors=True)
            raise


def _refuse_what_is_there(parts: Parts, was_begun: bool) -> None:
    output = parts.output
    if was_begun:
        raise ConfigError(
            f"{output} was begun before and interrupted; --resume continues it, "
            f"--overwrite starts over."
        )
    if output.exists():
        raise ConfigError(f"{output} is there already; --overwrite replaces it.")


def refuse_other_question(file: Path, question: Question, output: Path) -> None:
    """Raises ConfigError if what was begun answers another question, as `file` says."""
    try:
        before = strict_object(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{file} cannot be read ({error}); --overwrite instead of --resume begins "
            f"again."
        ) from error
    refuse_other_answers(before, question, str(output))


def refuse_other_answers(
    before: Mapping[str, object], question: Question, output: str
) -> None:
    """Raises ConfigError if one question is not the other, and says in what."""
    if differing := [k for k in question if before.get(k) != question[k]]:
        told = "; ".join(
            f"{k} was {_told(before.get(k))}, now {_told(question[k])}"
            for k in differing
        )
        raise ConfigError(
            f"--resume cannot continue {output}: {told}. Give the options of "
            f"then, or --overwrite instead of --resume to start over."
        )


def _told(value: object) -> str:
    return "not given" if value is None else str(value)


def _try_writer(parts: Parts) -> None:
    """Refuses columns that the format cannot hold, before hours of work are lost."""
    suffix = format_of(parts.output)
    file = parts.folder / f"trial{suffix}"
    try:
        with WRITERS[suffix](file, parts.schema) as write:
            write(parts.schema.empty_table())
    except pa.ArrowException as error:
        shutil.rmtree(parts.folder)
        raise ConfigError(
            f"{suffix} cannot hold these columns ({error}); write another format."
        ) from error
    file.unlink()
