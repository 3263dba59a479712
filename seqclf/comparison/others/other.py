"""Another system beside the twins: its answers to the test texts, read and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from seqclf import storage
from seqclf.comparison.metric import LOG_LOSS, Metric, Values, ranked_by
from seqclf.comparison.others.columns import Answers, answers_in, place, possible_ids
from seqclf.comparison.others.given import Given
from seqclf.comparison.others.matching import Matched, matched
from seqclf.data.dataset import TEST, Part
from seqclf.data.files import read_file
from seqclf.data.formats.contents import kind_of
from seqclf.data.formats.delimited import DELIMITERS
from seqclf.errors import ConfigError, DataError
from seqclf.evaluation.failed import failed_among
from seqclf.records.reading import NOTHING_KNOWN, Known, Reading
from seqclf.records.scores import Scores
from seqclf.records.twins import AnswerFile
from seqclf.records.yardstick import TrainedYardstick
from seqclf.runs import Predictions
from seqclf.text.encoding import EncodedDataset
from seqclf.yardstick.asked import FINE_TUNE

FOLDER = "answers"  # of a comparison: a file for each that was given, in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A system of which the answers to the test texts are known.

    Nothing else is of one whose answers came in files. A yardstick was trained here.

    Attributes:
      name: Its row.
      labels: Label names; the position is the label id.
      predictions: Of each file, or seed of a yardstick, in the order of the test texts;
        probabilities are float64 as they came, or 1 for the answer where a file has
        labels alone.
      has_probabilities: Whether all files have them.
      files: What was read; nothing of a yardstick.
      trained: Of each seed of a yardstick, how it was trained.
      validation: Of each, its scores on validation.
      notes: How, a sentence each.
      doubts: Why these may be no answers, a sentence each.
    """

    name: str
    labels: tuple[str, ...]
    predictions: tuple[Predictions, ...]
    has_probabilities: bool
    files: tuple[AnswerFile, ...] = ()
    trained: tuple[TrainedYardstick, ...] = ()
    validation: tuple[Scores, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def scores(self) -> list[Scores]:
        """Of each file; log losses mean nothing without probabilities."""
        return [one.scores(self.labels) for one in self.predictions]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Numbers of its files, or seeds; none of one file, or if nothing is drawn."""
        return self._numbers if len(self.predictions) > 1 or self.is_drawn else ()

    @property
    def is_drawn(self) -> bool:
        """Whether it was trained here, by chance: a yardstick that was fine-tuned."""
        return any(one.mode == FINE_TUNE for one in self.trained)

    @property
    def _numbers(self) -> tuple[int, ...]:
        own = tuple(one.seed for one in self.trained)
        return own or tuple(range(len(self.predictions)))

    def failed(self, field: str) -> tuple[int, ...] | None:
        """Returns the seeds of which a training failed, see `failed_among`.

        None of answers that came in files, for nothing is known of their trainings, and
        where nothing is drawn.
        """
        if not self.is_drawn:
            return None
        return failed_among(self._numbers, self.validation, field)

    def gains(self, metric: Metric) -> Values:
        """Returns the values of the files on test, by number, the more the better."""
        every = zip(self._numbers, self.predictions, strict=True)
        return {number: metric.gain_of(one) for number, one in every}


def read_others(
    given: Sequence[Given], data: EncodedDataset, metric: str
) -> tuple[Other, ...]:
    """Reads answers to the test split of a data set, by the name of their row.

    Raises:
      DataError: If a file cannot be read, or does not answer each test text once.
      ConfigError: If the rows are ranked by log loss, see `metric.ranked_by`, and one
        has no probabilities; if a text may have several labels.
    """
    if given and data.about.has_several:
        raise ConfigError(
            f"--with reads one label a text; {data.about.name} gives a text several."
        )
    by_name: dict[str, list[Given]] = {}
    for one in given:
        by_name.setdefault(one.name, []).append(one)
    found = tuple(_other(name, files, data) for name, files in by_name.items())
    if ranked_by(metric, data.about).metric is LOG_LOSS:
        for other in found:
            if not other.has_probabilities:
                raise ConfigError(
                    f"--metric log-loss needs probabilities, and {other.name} has "
                    f"labels alone; give a column of probabilities for each label, or "
                    f"rank by accuracy or macro-f1."
                )
    return found


def _other(name: str, files: Sequence[Given], data: EncodedDataset) -> Other:
    read = [_read(one.file, data) for one in files]
    return Other(
        name=name,
        labels=data.labels,
        predictions=tuple(one.predictions for one in read),
        has_probabilities=all(one.has_probabilities for one in read),
        files=tuple(
            AnswerFile(
                name=name,
                file=str(one.file),
                digest=one.digest,
                rows=len(data.splits[TEST]),
            )
            for one in files
        ),
        notes=tuple(f"{name}: {one.note}" for one in read),
        doubts=tuple(f"{name}: {one.doubt}" for one in read if one.doubt),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    predictions: Predictions
    has_probabilities: bool
    note: str
    doubt: str


def _read(file: Path, data: EncodedDataset) -> _Read:
    part, reading = read_file(file, _known(file)), data.about.reading or Reading()
    answers = answers_in(part, data.labels, reading.label_column or "label")
    found = matched(part, data.texts(TEST), reading.text_column or "text")
    if not found.is_in_order:
        _refuse_unclear(part, answers, found)
    test = data.splits[TEST]
    _refuse_other_labels(part, answers, found, test.label_ids, data.labels)
    probabilities = answers.probabilities
    if probabilities is None:
        probabilities = np.eye(len(data.labels))[answers.label_ids]
    said = Predictions(test.label_ids, probabilities[found.rows], test.lengths)
    note = (
        f"{len(found.rows):,} answers in {part.place}, {answers.column}, matched by "
        f"{found.by}."
    )
    doubt = ""
    if said.right.all() and answers.probabilities is None:
        doubt = (
            f"all {len(found.rows):,} answers in {part.place} are right: is "
            f"{answers.column} that of the true labels?"
        )
    return _Read(said, answers.probabilities is not None, note, doubt)


def _known(file: Path) -> Known:
    """Says that tables name their columns: without names nothing tells the answers."""
    if kind_of(file) in DELIMITERS:
        return Known(given=Reading(header=True))
    return NOTHING_KNOWN


def _refuse_unclear(part: Part, answers: Answers, found: Matched) -> None:
    """Refuses rows of one text with several answers, where no order tells whose."""
    _, first, numbers = np.unique(found.texts, return_index=True, return_inverse=True)
    before = first[numbers]
    differs = answers.label_ids != answers.label_ids[before]
    if answers.probabilities is not None:
        alike = answers.probabilities == answers.probabilities[before]
        differs |= ~alike.all(axis=1)
    if differs.any():
        row = int(differs.argmax())
        other = part.row(int(before[row]))
        raise DataError(
            f"{place(part, row)} has the text of row {other:,} and "
            f"another answer, and the rows are not in the order of the test split: put "
            f"them in that order."
        )


def _refuse_other_labels(
    part: Part,
    answers: Answers,
    found: Matched,
    true: np.ndarray,
    labels: Sequence[str],
) -> None:
    """Refuses a column of true labels that are not those of the test split.

    Where nothing else names the answers, it may be one of answers instead.
    """
    for column in answers.beside:
        readings = possible_ids(part, column, labels)
        right = [ids[found.rows] == true for ids in readings]
        if any(one.all() for one in right):
            continue
        same = [ids == answers.label_ids for ids in readings]
        if not answers.has_column and any(one.all() for one in same):
            continue
        wrong = ~max(right, key=np.count_nonzero)
        text = int(wrong.argmax())
        row = int(found.rows[text])
        raise DataError(
            f"{place(part, row)}: column {column!r} has "
            f"{part.table[column][row].as_py()!r} where the test split has "
            f"{labels[true[text]]!r}: are these answers to other data? A column that "
            f"has no true labels, take out."
        )


def keep_answers(folder: Path, others: Sequence[Other]) -> None:
    """Writes answers from files into the folder of a comparison: `answers/0.parquet`...

    In the order of the card. They can be given again as any other file.
    """
    from_files = [one for one in others if one.files]
    tables = [_table(other, one) for other in from_files for one in other.predictions]
    for number, table in enumerate(tables):
        _write(folder / FOLDER / f"{number}.parquet", table)


def _table(other: Other, said: Predictions) -> pa.Table:
    names = pa.array(other.labels, pa.string())
    columns = {
        "id": pa.array(np.arange(len(said.label_ids))),
        "label": names.take(pa.array(said.label_ids)),
        "predicted_label": names.take(pa.array(said.answers)),
    }
    if other.has_probabilities:
        flat = pa.array(said.probabilities.ravel(), pa.float64())
        width = len(other.labels)
        columns["probabilities"] = pa.FixedSizeListArray.from_arrays(flat, width)
    return pa.table(columns)


def _write(file: Path, table: pa.Table) -> None:
    from pyarrow import parquet

    file.parent.mkdir(parents=True, exist_ok=True)
    storage.write_whole(file, lambda partial: parquet.write_table(table, partial))


def answer_files(others: Sequence[Other]) -> tuple[AnswerFile, ...]:
    """Returns the files of all, in the order in which they are kept."""
    return tuple(file for other in others for file in other.files)


def beside(values: Mapping[int, np.ndarray], of_other: Values) -> Values:
    """Returns an other system's values by the seeds of a twin, as far as it has them.

    Its files have no seeds: their order stands for one.
    """
    seeds = [*values, *(max(values) + 1 + i for i in range(len(of_other)))]
    return dict(zip(seeds, of_other.values(), strict=False))
