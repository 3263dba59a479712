"""What looks wrong in a data set, row by row."""

from __future__ import annotations

from dataclasses import dataclass

COLUMN, ORDER, FORM, TOKEN = "column", "order", "form", "token"  # kinds of leaks


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOf:
    """Which row of a data set.

    Attributes:
      split: As the data set is divided here.
      row: From 0, in that split, as `load_dataset` gives it.
      source: What messages call the file it is from.
      line: Its number there: of a text file the line that it begins in, of others the
        row from 1.
    """

    split: str
    row: int
    source: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulLabel:
    """A text whose label is likely wrong.

    Attributes:
      at: Its row.
      label: As it is given.
      likelier: The label that models which have not seen the text find likelier.
      probability: Of the likelier label, by these models.
      self_confidence: Of the given label; the least is the most doubtful.
    """

    at: RowOf
    text: str
    label: str
    likelier: str
    probability: float
    self_confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDoubts:
    """How many labels of a split are doubted.

    Attributes:
      texts: All of the split.
      judged: Those whose label has texts enough to be judged.
      agreeing: Those whose label the models find the likeliest, too.
      doubted: Those that are listed.
      expected: How many labels are wrong by the calibrated confident joint; too many
        where the models themselves err often.
    """

    texts: int
    judged: int
    agreeing: int
    doubted: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """A text that nearly repeats one of another split, or one with another label.

    Attributes:
      at: Its row, in the later split, or the later one of a split.
      of: The row that it repeats.
      similarity: Of the two, in (0, 1]; 1 if they differ at most by case, blanks and
        signs.
    """

    at: RowOf
    text: str
    label: str
    of: RowOf
    of_text: str
    of_label: str
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something beside the words' meaning that gives labels of train away.

    Attributes:
      kind: `column`, `order` (of rows), `form` (of texts) or `token`.
      name: Which column, form or token.
      label: The label that a token tells; None if it is about all labels.
      rows: Rows in which it says something: that have a value, or the token.
      right: Of a token, the share of these rows that have the label; else the share of
        labels that are told on rows held out.
      usual: What guessing has right: the share of the label, or of the commonest one.
      share: Of a token, the share of the label's texts that have it; else of all rows.
      example: Values and the labels they tell, in words.
    """

    kind: str
    name: str
    label: str | None
    rows: int
    right: float
    usual: float
    share: float
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """What looks wrong in a data set.

    Attributes:
      name: Of the data set.
      source: Where it came from.
      fingerprint: Tells equal data sets from others.
      splits: Texts by split.
      sources: By split, the files or folders that its rows are from.
      labels: The labels in doubt, by split, in numbers.
      doubtful_labels: The most doubtful first, of all splits.
      near_duplicates: The most similar first.
      leaks: Those that tell the most first.
      notes: What was held out, sampled or left out, a sentence each.
    """

    name: str
    source: str
    fingerprint: str
    splits: dict[str, int]
    sources: dict[str, tuple[str, ...]]
    labels: dict[str, LabelDoubts]
    doubtful_labels: tuple[DoubtfulLabel, ...]
    near_duplicates: tuple[NearDuplicate, ...]
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...]
