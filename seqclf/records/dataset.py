"""What a run keeps of the data set it was trained on."""

from __future__ import annotations

from dataclasses import dataclass, field

from seqclf.records.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """How long the texts of a split are.

    Attributes:
      median: Tokens of the median text, before it is cut.
      cut: Texts that are longer than the model reads.
    """

    median: int
    cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """A data set, as `dataset.json` has it.

    Attributes:
      name: Its short name.
      source: Where it came from, as it was given.
      fingerprint: Tells equal texts and labels from others.
      labels: Label names; the position is the label id.
      sizes: Texts by split.
      revision: Commit of a data set of the Hub; None of others.
      label_counts: By split, the texts of each label; a version before counted none.
      notes: What was held out, sampled or looks doubtful, a sentence each.
      reading: How its files were read; None of a version that did not keep it.
      tokens: By split; empty of a version that did not count them.
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
