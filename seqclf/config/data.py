"""The settings of the data: which texts, and how they are divided."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seqclf.config.checks import (
    require,
    require_count,
    require_delimiter,
    require_encoding,
)
from seqclf.config.fields import BASIC, FILES, LABELS, setting
from seqclf.errors import ConfigError

# Fields of DataConfig that say where the data is and how its rows are read. The content
# is compared by fingerprint, so they do not count when two questions are compared.
SOURCE_FIELDS = frozenset(
    ("source", "revision", "subset", "text_column", "label_column", "encoding",
     "delimiter", "header", "columns", "labels_separator", "drop_unlabeled",
     "merge_labels", "min_per_label", "other")
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Which texts, and how they are divided.

    The help of a field says what it does. Beside it:

    Attributes:
      source: Like the other fields of `SOURCE_FIELDS`, it does not change numbers: two
        sources of equal content are equal.
      revision: None takes the newest.
      subset: None takes its only one.
      text_column: None finds one by its name, as does `label_column`.
      encoding: By a name that Python knows.
      labels_separator: None takes a label as it stands, and lists as several labels.
      merge_labels: The spelling that is most frequent in train is kept.
      min_per_label: Their rows are dropped too; None keeps all. The source's own train
        counts, before any split is made here.
      limit: None uses all rows.
      group_column: No group is on both sides of a hold-out; a row without a value is a
        group of its own. None: every row is. Splits of the source stay as they are.
      validation_fraction: In (0, 1), stratified, as is `test_fraction`. A tenth is
        common practice.
      split_seed: Not the training seed, so that all seeds of a comparison share one
        split.
      resample: None trains on the texts as they are. It leaves the test split alone,
        and a validation split that the source has. See `data.resample`.
      fold: Such as `3/10`, see `fold_of`. None takes the test split of the source, or
        holds one out.
    """

    source: str = setting(
        "demo",
        "Data set: demo, imdb and others (seqclf data list), OWNER/NAME on the Hugging "
        "Face Hub, a file, a folder, '*.csv', or - for standard input.",
        BASIC,
    )
    revision: str | None = setting(None, "Commit, branch or tag of a Hub data set.")
    subset: str | None = setting(None, "Subset (configuration) of a Hub data set.")
    text_column: str | None = setting(
        None, "Text column, or several to join: title,content."
    )
    label_column: str | None = setting(
        None, "Label column, or several of 0 and 1, a column a label: joy,anger."
    )
    encoding: str | None = setting(
        None,
        "Character encoding of text files.",
        FILES,
        "by byte order mark, else utf-8",
    )
    delimiter: str | None = setting(
        None, "Delimiter of CSV files: one character, or tab.", FILES, "detected"
    )
    header: bool | None = setting(
        None,
        "Whether the first line of a CSV file names the columns.",
        FILES,
        "detected",
    )
    columns: str | None = setting(
        None, "Column names of CSV files without a header: label,title,text.", FILES
    )
    labels_separator: str | None = setting(
        None, "Separator of several labels in a text column: '|', ','.", LABELS
    )
    drop_unlabeled: bool = setting(
        False,
        "Drop rows whose label is empty or a missing-value marker such as nan.",
        LABELS,
    )
    merge_labels: bool = setting(
        False,
        "Merge labels that differ only in case, whitespace or Unicode form.",
        LABELS,
    )
    min_per_label: int | None = setting(
        None, "Drop classes with fewer than N training texts.", LABELS
    )
    other: bool = setting(
        False, "Merge these rare classes into one called other instead.", LABELS
    )
    limit: int | None = setting(None, "Train on a stratified sample of N rows.")
    group_column: str | None = setting(
        None,
        "Column whose equal values stay on one side of a split: film, author, patient.",
        LABELS,
    )
    validation_fraction: float = setting(
        0.1,
        "Fraction of train held out for validation, if there is no such split.",
        LABELS,
    )
    test_fraction: float = setting(
        0.2, "Fraction of train held out for test, if there is no such split.", LABELS
    )
    split_seed: int = setting(0, "Random seed of these splits and of --limit.", LABELS)
    resample: int | None = setting(
        None,
        "Draw the validation split and, with replacement, as many training texts by "
        "this random seed; compare --vary split gives each training seed its own.",
        LABELS,
    )
    fold: str | None = setting(
        None,
        "Test on part N of K of the training texts and train on the others, of a data "
        "set without a test split; compare --folds K does so for all parts.",
        LABELS,
    )
    drop_duplicates: bool = setting(
        False, "Remove training texts that also occur in validation or test.", LABELS
    )

    def __post_init__(self) -> None:
        for name, least in (("limit", 1), ("min_per_label", 2), ("resample", 0)):
            if (count := getattr(self, name)) is not None:
                require_count(name, count, least=least)
        separates = self.labels_separator is None or self.labels_separator.strip()
        require(bool(separates), "labels_separator", "such as |", self.labels_separator)
        if self.other and self.min_per_label is None:
            raise ConfigError(
                "--other says what becomes of the labels that --min-per-label finds "
                "too rare; give both, such as --min-per-label 2 --other."
            )
        for name in ("validation_fraction", "test_fraction"):
            value = getattr(self, name)
            require(0 < value < 1, name, "a fraction in (0, 1)", value)
        require_count("split_seed", self.split_seed, least=0)
        self._check_fold()
        if self.encoding is not None:
            require_encoding(self.encoding)
        if self.delimiter is not None:
            require_delimiter(self.delimiter)
        if self.columns is not None and self.header is not None:
            raise ConfigError(
                "--columns names the columns of a file without a header; leave "
                "--header and --no-header out."
            )

    def _check_fold(self) -> None:
        if self.fold is None:
            return
        fold_of(self.fold)
        if self.resample is not None:
            raise ConfigError(
                f"--fold {self.fold} and --resample {self.resample} exclude each "
                f"other: both say what is trained on."
            )


def fold_of(text: str) -> tuple[int, int]:
    """Returns N, from 1, and K, from 2, of a fold such as `3/10`.

    Above K, N counts on through other divisions into K parts: `13/10` is the third
    part of the second one.

    Raises:
      ConfigError: If it is none.
    """
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text.strip())
    if found is None or int(found[2]) < 2:
        raise ConfigError(
            f"--fold takes a part of two or more, as in 3/10, got {text}."
        )
    return int(found[1]), int(found[2])
