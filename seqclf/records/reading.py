"""How a source is read: what the user said of it, and what was found."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

from seqclf.config import DELIMITER_NAMES, DataConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How files are read; None where it is not said.

    A training keeps what it found in the run's `dataset.json`, and predicting and
    evaluating read other files in the same way, wherever these allow it.

    Attributes:
      encoding: Character encoding of text files, by a name that Python knows.
      delimiter: The one character between the fields of a delimited file.
      header: Whether its first line has the names of its columns.
      columns: Names of its columns, separated by commas, where it has none itself.
      text_column: Column of the texts, or several to join, separated by commas.
      label_column: Column of the labels, or several, separated by commas.
      labels_separator: What stands between the labels of a text.
      has_several: Whether a text may have several labels.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    columns: str | None = None
    text_column: str | None = None
    label_column: str | None = None
    labels_separator: str | None = None
    has_several: bool | None = None

    @classmethod
    def of(cls, config: DataConfig) -> Self:
        """Returns what a config says."""
        names = {field.name for field in dataclasses.fields(cls)} - {"has_several"}
        values = {name: getattr(config, name) for name in names}
        delimiter = config.delimiter or ""
        return cls(
            **values | {"delimiter": DELIMITER_NAMES.get(delimiter, delimiter or None)}
        )

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names in `columns`, one by one."""
        return tuple(split_names(self.columns)) if self.columns else ()


NOTHING_SAID = Reading()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of files before they are opened.

    What the user said of them (`given`), and how the training read its files (`usual`),
    which counts where nothing is given, as far as the files allow it.
    """

    given: Reading = NOTHING_SAID
    usual: Reading = NOTHING_SAID


NOTHING_KNOWN = Known()


def split_names(names: str) -> list[str]:
    """Returns the names of columns that are separated by commas."""
    return [name.strip() for name in names.split(",")]
