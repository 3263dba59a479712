"""What a run keeps of the data set it was trained on."""

from __future__ import annotations

from dataclasses import dataclass, field

from seqclf.records.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """Tokens of a split's median text, before it is cut, and how many texts are cut."""

    median: int
    cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """A data set, as `dataset.json` has it.

    Attributes:
      source: Where it came from, as it was given.
      fingerprint: Tells equal texts and labels from others.
      labels: Label names; the position is the label id.
      sizes: Texts by split.
      revision: Commit of a data set of the Hub; None of others.
      label_counts: By split, the texts of each label; a version before counted none.
      notes: What was held out, sampled or looks doubtful, a sentence each.
      reading: How its files were read; None of a version that did not keep it.
      tokens: By split; empty of a version that did not count them.
      label_sets: Where a text may have several labels, the ids of each set of them that
        occurs; else None.
    """

    name: str
    source: str
    fingerprint: str
    labels: tuple[str, ...]
    sizes: dict[str, int]
    revision: str | None = None
    label_counts: dict[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reading: Reading | None = None
    tokens: dict[str, TokenCounts] = field(default_factory=dict)
    label_sets: tuple[tuple[int, ...], ...] | None = None

    @property
    def has_several(self) -> bool:
        """Whether a text may have several labels, or none."""
        return self.label_sets is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Texts by length, in bins of `width` tokens; the last has all that are longer."""

    width: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSummary:
    """A split in numbers.

    Attributes:
      labels: Texts by label name.
      empty: Texts of nothing but blanks.
      copies: Texts that occurred before.
      tokens: Percentiles of their lengths, `p5` to `p100`.
      longer_than_max_length: Fraction of more tokens than training reads.
      histogram: Of their lengths.
      groups: How many groups they are; None if it is not known.
    """

    texts: int
    labels: dict[str, int]
    empty: int
    copies: int
    tokens: dict[str, int]
    longer_than_max_length: float
    histogram: Histogram
    groups: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text and the name of its label."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is worth knowing of a data set before training; see also `DatasetInfo`.

    Attributes:
      shared: Texts that two splits share, such as `test in train`.
      vocabulary: Tokens with an id.
      unknown_share: Fraction of the test tokens without one.
      examples: Some training texts.
    """

    name: str
    source: str
    revision: str | None
    fingerprint: str
    labels: tuple[str, ...]
    splits: dict[str, SplitSummary]
    shared: dict[str, int]
    vocabulary: int
    unknown_share: float
    examples: tuple[LabelledText, ...]
    notes: tuple[str, ...]
