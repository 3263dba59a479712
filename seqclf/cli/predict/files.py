"""The part of `seqclf predict` that reads files: `--input`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.cli._screen import clean, note, show_rows
from seqclf.cli.predict.answers import answer_values, dumped, plain_answer, shortened

if TYPE_CHECKING:
    from seqclf.bulk import Answered
    from seqclf.bulk.chunks import Chunk, Options, Problem, Rows
    from seqclf.records.reading import Reading
    from seqclf.runs import Run

SHOWN_PROBLEMS = 5
# Of a bad row, in the shape of an answer.
NO_ANSWER: dict[str, Any] = {
    "text": None, "label": None, "probability": None, "probabilities": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    """What `--input` and the options beside it say.

    Attributes:
      given: A file, folder or pattern.
      reading: What was said of how they are written.
      on_error: `fail` or `keep`.
      lines: Whether each line of a plain text file is a text.
    """

    given: Path
    reading: Reading
    on_error: str
    lines: bool


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

    def tell(self, rows: Rows) -> None:
        """Says it even where notes are not wanted: these rows have no answer."""
        if not self.count:
            return
        is_one = len(rows.source.files) == 1
        shown = [f"{p.at} {p.why}" if is_one and p.at else str(p) for p in self.first]
        more = self.count - len(shown)
        note(
            f"Without a label: {self.count:,} of {rows.num_rows:,} rows: "
            f"{'; '.join(shown)}{f'; and {more:,} more' if more else ''}."
        )


def _opened(files: Files, run: Run, quiet: bool) -> tuple[Rows, Options]:
    from seqclf.bulk.chunks import Options
    from seqclf.bulk.rows import open_rows
    from seqclf.bulk.sources import find_source
    from seqclf.wording import listed

    options = Options(files.reading, run.reading, files.on_error, files.lines)
    source = find_source(files.given)
    if source.aside:
        note(f"Left aside in {source.name}: {listed(source.aside)}.", quiet)
    rows = open_rows(source, options)
    for sentence in rows.notes:
        note(f"Note: {sentence}", quiet)
    return rows, options


def text_batches(run: Run, files: Files, quiet: bool) -> Iterator[list[str]]:
    """Yields the texts of rows, some at a time; rows without one are left out.

    Args:
      run: The run that answers.
      files: The rows.
      quiet: Whether to keep notes back.
    """
    rows, _ = _opened(files, run, quiet)
    problems = _Problems()
    for chunk in problems.watch(rows.read()):
        yield chunk.texts.drop_null().to_pylist()
    problems.tell(rows)


def print_rows(run: Run, files: Files, top: int, as_json: bool, quiet: bool) -> None:
    """Prints a line a row; of a bad one, what is wrong with it.

    Args:
      run: The run that answers.
      files: The rows.
      top: How many labels to show.
      as_json: Whether the lines are JSON objects.
      quiet: Whether to keep notes back.
    """
    from seqclf.bulk import predict_rows
    from seqclf.classifier import Classifier
    from seqclf.data.files import TEXT_SUFFIX

    rows, _ = _opened(files, run, quiet)
    classifier = Classifier.open(run)
    problems = _Problems()
    is_named = rows.source.suffix == TEXT_SUFFIX and not files.lines
    for part in predict_rows(classifier, problems.watch(rows.read())):
        for line in _lines(part, run.labels, top, as_json, is_named):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()
    problems.tell(rows)


def _lines(
    part: Answered, labels: Sequence[str], top: int, as_json: bool, is_named: bool
) -> Iterator[str]:
    texts = part.chunk.texts.to_pylist()
    names = part.chunk.table.column(0).to_pylist() if is_named else None
    for place, row in enumerate(part.probabilities.tolist()):
        problem = part.chunk.problems.get(place)
        if as_json:
            values = {} if names is None else {"file": names[place]}
            if problem:
                values |= NO_ANSWER | {"error": str(problem)}
            else:
                values |= answer_values(labels, top, texts[place], row)
            yield dumped(values)
        elif problem:
            yield f"no label\t{clean(str(problem))}"
        else:
            shown = clean(names[place]) if names else shortened(texts[place])
            yield f"{plain_answer(labels, top, row)}\t{shown}"


def write_rows(
    run: Run, files: Files, output: Path, resume: bool, overwrite: bool, quiet: bool
) -> None:
    """Writes the rows with their predictions.

    Args:
      run: The run that answers.
      files: The rows.
      output: The file to write.
      resume: Whether to resume what was begun.
      overwrite: Whether to replace what is there.
      quiet: Whether to keep notes back.
    """
    from seqclf.bulk import parts, predict_rows, with_predictions, writers
    from seqclf.classifier import Classifier

    rows, options = _opened(files, run, quiet)
    writers.refuse_output(output, rows)
    classifier = Classifier.open(run)
    question = parts.question_of(rows.source, run, options)
    schema = writers.predicted_schema(rows.schema)
    problems = _Problems()
    with parts.begun(
        output, schema, question, resume=resume, overwrite=overwrite
    ) as finished:
        done = sum(finished.rows)
        if done:
            note(f"{done:,} of {rows.num_rows:,} rows are done; continuing.", quiet)
        chunks = problems.watch(rows.read())
        for _ in finished.rows:
            next(chunks)
        answered = predict_rows(classifier, chunks)
        try:
            for part in show_rows(answered, rows.num_rows, quiet, done):
                finished.add(with_predictions(part, run.labels))
        except BaseException:
            _tell_what_is_done(sum(finished.rows), rows.num_rows, quiet)
            raise
        finished.join()
    problems.tell(rows)
    note(f"Written: {output}, {rows.num_rows:,} rows", quiet)


def _tell_what_is_done(done: int, total: int, quiet: bool) -> None:
    if done:
        note(
            f"{done:,} of {total:,} rows are done; the same command with --resume "
            f"continues.",
            quiet,
        )
