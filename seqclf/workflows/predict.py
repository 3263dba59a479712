"""`seqclf predict --input` as functions: rows of files in, rows with labels out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from seqclf.bulk import Answered, parts, predict_rows, with_predictions, writers
from seqclf.bulk.chunks import Chunk, Options, Problem, Rows
from seqclf.bulk.rows import open_rows
from seqclf.bulk.sources import find_source
from seqclf.classifier import Classifier
from seqclf.data.files import TEXT_SUFFIX
from seqclf.records.reading import Reading
from seqclf.runs import AnyRun, unit_of
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
    source = find_source(given)
    if source.aside:
        listener.note(f"Left aside in {source.name}: {listed(source.aside)}.")
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
    """Writes rows with their predictions.

    The suffix of `output` says in which format. An interrupted output is resumed with
    `resume`, an existing one replaced with `overwrite`. An answer that is not
    `at_least` so probable is written without its label.

    Raises:
      ConfigError: If thresholds are of labels that the run does not have, or of texts
        that may have several; or the format cannot hold the labels.
      DataError: If the output cannot be written, or is there already.
    """
    rows, several = opened.rows, run.dataset.has_several
    writers.refuse_output(output, rows, several)
    if several:
        writers.refuse_labels(output, run.labels)
    refuse_of_several(at_least, run.name, several)
    floors = floors_of(at_least, run.labels)
    classifier = Classifier.open(run)
    question = parts.question_of(rows.source, run, opened.options, at_least)
    schema = writers.predicted_schema(rows.schema, several)
    problems = _Problems()
    with parts.begun(
        output, schema, question, resume=resume, overwrite=overwrite
    ) as finished:
        done = sum(finished.rows)
        if done:
            listener.note(f"{done:,} of {rows.num_rows:,} rows are done; continuing.")
        chunks = problems.watch(rows.read())
        for _ in finished.rows:
            next(chunks)
        answered = predict_rows(classifier, chunks)
        tally = Tally(at_least, run.labels, done)
        try:
            for part in listener.rows(answered, rows.num_rows, done):
                tally.add(part.probabilities, part.unknown)
                asked = (part, run.labels, floors, classifier.thresholds)
                finished.add(with_predictions(*asked))
        except BaseException:
            if done := sum(finished.rows):
                listener.note(
                    f"{done:,} of {rows.num_rows:,} rows are done; the same command "
                    f"with --resume continues."
                )
            raise
        finished.join()
    problems.tell(rows, listener)
    for sentence in tally.said(run.name, unit_of(run)):
        listener.note(sentence)
    listener.note(f"Written: {output}, {rows.num_rows:,} rows")


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
