"""`seqclf predict --input` as functions: rows of files in, rows with labels out."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from seqclf.bulk import Answered, parts, predict_rows, with_predictions, writers
from seqclf.bulk.chunks import Chunk, Options, Problem, Rows
from seqclf.bulk.folder import Outputs, begun_folder
from seqclf.bulk.folder import refuse_unfit as refuse_folder
from seqclf.bulk.parts import Parts
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import Source, find_source
from seqclf.classifier import Classifier
from seqclf.data.files import TEXT_SUFFIX
from seqclf.engine import Cluster, Report, Task, run_tasks
from seqclf.errors import DataError
from seqclf.records.reading import Reading
from seqclf.runs import AnyRun, members_of, unit_of
from seqclf.runs.files import LOG_FILE
from seqclf.unsure import AtLeast, Tally, floors_of, refuse_of_several
from seqclf.wording import listed

SHOWN_PROBLEMS = 5


class Listener(Protocol):
    """Hears what happens, as `steps.Listener`, and follows rows."""

    def note(self, sentence: str) -> None:
        """Hears what the user may want to know."""

    def insist(self, sentence: str) -> None:
        """Hears what the user wants to know even with --quiet."""

    def rows(
        self, parts: Iterable[Answered], total: int, done: int
    ) -> Iterator[Answered]:
        """Passes rows on, of `total` rows of which `done` were finished before."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Files that are open to be read: their rows, and how they are read."""

    rows: Rows
    options: Options

    @property
    def is_named(self) -> bool:
        """Whether each text is a file of its own, and the first column its name."""
        return self.rows.source.suffix == TEXT_SUFFIX and not self.options.lines


def open_files(
    run: AnyRun,
    given: Path,
    reading: Reading,
    listener: Listener,
    on_error: str = "fail",
    lines: bool = False,
) -> Opened:
    """Opens files to classify.

    `given` is a file, folder or pattern, `reading` what the user said of how the files
    are written; `on_error` is what to do with a row that cannot be classified, `fail`
    or `keep`; with `lines` each line of a plain text file is a text.

    Raises:
      DataError: If there are no such files, or they cannot be read.
    """
    options = Options(reading, run.reading, on_error, lines)
    return open_source(found_source(given, listener), options, listener)


def found_source(given: Path, listener: Listener) -> Source:
    """Finds files, see `find_source`, and says which are left aside."""
    source = find_source(given)
    if source.aside:
        listener.note(f"Left aside in {source.name}: {listed(source.aside)}.")
    return source


def open_source(source: Source, options: Options, listener: Listener) -> Opened:
    """Opens files that were found; see `open_files`."""
    rows = open_rows(source, options)
    for sentence in rows.notes:
        listener.note(f"Note: {sentence}")
    return Opened(rows, options)


def texts_of(opened: Opened, listener: Listener) -> Iterator[list[str]]:
    """Yields the texts of rows, some at a time; rows without one are left out."""
    problems = _Problems()
    for chunk in problems.watch(opened.rows.read()):
        yield chunk.texts.drop_null().to_pylist()
    problems.tell(opened.rows, listener)


def classified(run: AnyRun, opened: Opened, listener: Listener) -> Iterator[Answered]:
    """Yields rows with the probabilities of their labels, some at a time."""
    problems = _Problems()
    yield from predict_rows(Classifier.open(run), problems.watch(opened.rows.read()))
    problems.tell(opened.rows, listener)


def write_classified(
    run: AnyRun,
    opened: Opened,
    output: Path,
    listener: Listener,
    resume: bool = False,
    overwrite: bool = False,
    at_least: AtLeast | None = None,
) -> None:
    """Writes rows with their predictions, into one file.

    The suffix of `output` says in which format. An interrupted output is resumed with
    `resume`, an existing one replaced with `overwrite`. An answer that is not
    `at_least` so probable is written without its label.

    Raises:
      ConfigError: If thresholds are of labels that the run does not have, or of texts
        that may have several; or the format cannot hold the labels.
      DataError: If the output cannot be written, or is there already.
    """
    writing = Writing(run, listener, at_least)
    writing.write(opened, output, resume, overwrite)


def write_each(  # noqa: PLR0913 -- those of `write_classified`, and where
    run: AnyRun,
    source: Source,
    options: Options,
    folder: Path,
    listener: Listener,
    resume: bool = False,
    overwrite: bool = False,
    at_least: AtLeast | None = None,
    cluster: Cluster | None = None,
) -> None:
    """Writes the rows of each file with their predictions, by its name into a folder.

    As `write_classified`; files that are finished are left alone with `resume`. With a
    `cluster` each file is a task for it, and one that fails ends no other.

    Raises:
      ConfigError: As there; or the files cannot have an output each.
      DataError: If one cannot be read.
    """
    refuse_folder(source, folder, options.lines)
    writing = Writing(run, listener, at_least)
    question = parts.question_of(source, run, options, at_least)
    names = [file.name for file in source.files]
    begun = begun_folder(folder, names, question, resume=resume, overwrite=overwrite)
    with begun as outputs:
        if outputs.finished:
            done, every = len(outputs.finished), len(names)
            listener.note(f"{done:,} of {every:,} files are done; continuing.")
        left = [file for file in source.files if file.name not in outputs.finished]
        if cluster is not None:
            others = (run, options, at_least, cluster.threads)
            tasks = [FileTask(one, outputs.place_of(one.name), *others) for one in left]
            _write_elsewhere(tasks, outputs, listener, cluster)
            left = []
        for file in left:
            opened = open_source(find_source(file), options, listener)
            writing.write(opened, folder / file.name, resume, outputs.replaces)
            outputs.add(file.name)
    listener.note(f"Written: {folder}, {len(names):,} files")


@dataclass(frozen=True, slots=True)
class FileTask:
    """A file to classify, as a task of its own.

    Attributes:
      file: The file.
      place: The folder for its output, which has the same name.
      run: What answers.
      options: How it is read.
      at_least: See `write_classified`.
      threads: Batches that are predicted at a time.
    """

    file: Path
    place: Path
    run: AnyRun
    options: Options
    at_least: AtLeast | None
    threads: int


def _write_elsewhere(
    tasks: Sequence[FileTask], outputs: Outputs, listener: Listener, cluster: Cluster
) -> None:
    """Has files classified by other machines, and puts each where it belongs.

    Raises:
      DataError: If some failed; the others are finished.
    """
    sent = [
        Task(
            classify_file,
            task,
            task.place / LOG_FILE,
            reads=(task.file, *(member.path for member in members_of(task.run))),
            writes=task.place,
        )
        for task in tasks
    ]
    failed = {}
    for outcome in run_tasks(sent, cluster=cluster):
        task = tasks[outcome.index]
        if outcome.error:
            failed[task.file.name] = outcome.error
            continue
        for is_urgent, sentence in outcome.value:
            (listener.insist if is_urgent else listener.note)(sentence)
        outputs.keep(task.place / task.file.name, task.file.name)
        shutil.rmtree(task.place, ignore_errors=True)
        listener.note(f"Written: {outputs.folder / task.file.name}")
    if failed:
        why = "; ".join(f"{name}: {error}" for name, error in failed.items())
        raise DataError(
            f"{len(failed):,} of {len(tasks):,} files could not be classified: {why} "
            f"The same command with --resume tries them again."
        )


def classify_file(task: FileTask, report: Report) -> list[tuple[bool, str]]:
    """Classifies a file, in a process of its own.

    Returns:
      What there is to say of it, and whether even to those who want no notes.
    """
    heard = Heard()
    source = find_source(task.file)
    opened = open_source(source, task.options, heard)
    writing = Writing(task.run, heard, task.at_least, task.threads)
    # Begun anew: what another machine left was of a file in another place.
    writing.write(opened, task.place / task.file.name, resume=False, overwrite=True)
    return heard.taken()[:-1]  # but for where it was written there


class Heard:
    """Keeps what there is to say, and whether it is urgent; a `Listener`.

    Its sentences are said later, or in another process; rows go by `beside`, too.
    """

    def __init__(self, beside: Listener | None = None) -> None:
        self._sentences: list[tuple[bool, str]] = []
        self._beside = beside

    def taken(self) -> list[tuple[bool, str]]:
        """Returns what was said since the last time."""
        taken, self._sentences = self._sentences, []
        return taken

    def note(self, sentence: str) -> None:
        """Keeps it."""
        self._sentences.append((False, sentence))

    def insist(self, sentence: str) -> None:
        """Keeps it, as urgent."""
        self._sentences.append((True, sentence))

    def rows(
        self, parts: Iterable[Answered], total: int, done: int
    ) -> Iterator[Answered]:
        """Passes rows on."""
        return self._beside.rows(parts, total, done) if self._beside else iter(parts)


class Writing:
    """Writes rows with the answers of one run, which is opened once."""

    def __init__(
        self,
        run: AnyRun,
        listener: Listener,
        at_least: AtLeast | None,
        threads: int | None = None,
    ) -> None:
        refuse_of_several(at_least, run.name, run.dataset.has_several)
        self._threads = threads
        self._run, self._listener, self._at_least = run, listener, at_least
        self._floors = floors_of(at_least, run.labels)
        self._classifier: Classifier | None = None

    def write(
        self, opened: Opened, output: Path, resume: bool, overwrite: bool
    ) -> None:
        """Writes one file, see `write_classified`."""
        rows, several = opened.rows, self._run.dataset.has_several
        writers.refuse_output(output, rows, several)
        if several:
            writers.refuse_labels(output, self._run.labels)
        question = parts.question_of(
            rows.source, self._run, opened.options, self._at_least
        )
        schema = writers.predicted_schema(rows.schema, several)
        problems = _Problems()
        tally = Tally(self._at_least, self._run.labels)
        with parts.begun(
            output, schema, question, resume=resume, overwrite=overwrite
        ) as finished:
            done = sum(finished.rows)
            if done:
                tally = Tally(self._at_least, self._run.labels, done)
                self._note(f"{done:,} of {rows.num_rows:,} rows are done; continuing.")
            chunks = problems.watch(rows.read())
            for _ in finished.rows:
                next(chunks)
            try:
                self._answer(chunks, rows.num_rows, finished, tally)
            except BaseException:
                if done := sum(finished.rows):
                    self._note(
                        f"{done:,} of {rows.num_rows:,} rows are done; the same "
                        f"command with --resume continues."
                    )
                raise
            finished.join()
        problems.tell(rows, self._listener)
        for sentence in tally.said(self._run.name, unit_of(self._run)):
            self._note(sentence)
        self._note(f"Written: {output}, {rows.num_rows:,} rows")

    def _answer(
        self, chunks: Iterable[Chunk], total: int, finished: Parts, tally: Tally
    ) -> None:
        """Answers chunk after chunk and keeps each as a part."""
        classifier = self._classifier = self._classifier or self._opened()
        answered, done = predict_rows(classifier, chunks), sum(finished.rows)
        for part in self._listener.rows(answered, total, done):
            tally.add(part.probabilities, part.unknown)
            asked = (part, self._run.labels, self._floors, classifier.thresholds)
            finished.add(with_predictions(*asked))

    def _opened(self) -> Classifier:
        classifier = Classifier.open(self._run)
        if self._threads is None:
            return classifier
        return replace(classifier, threads=min(classifier.threads, self._threads))

    def _note(self, sentence: str) -> None:
        self._listener.note(sentence)


class _Problems:
    """Counts bad rows as they go by, and remembers the first."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Problem] = []

    def watch(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            self.count += len(chunk.problems)
            missing = SHOWN_PROBLEMS - len(self.first)
            self.first += list(chunk.problems.values())[:missing]
            yield chunk

    def tell(self, rows: Rows, listener: Listener) -> None:
        """Says it even where notes are not wanted: these rows have no label."""
        if not self.count:
            return
        is_one = len(rows.source.files) == 1
        shown = [f"{p.at} {p.why}" if is_one and p.at else str(p) for p in self.first]
        more = self.count - len(shown)
        listener.insist(
            f"Without a label: {self.count:,} of {rows.num_rows:,} rows: "
            f"{'; '.join(shown)}{f'; and {more:,} more' if more else ''}."
        )
