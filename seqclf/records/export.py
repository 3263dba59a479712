"""What an exported model says of itself: `export.json`."""

from __future__ import annotations

from dataclasses import dataclass

from seqclf.records.scores import Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What only the user who exports can say: the licence and the texts' languages.

    The licence is an identifier of the Hugging Face Hub, languages are codes; the card
    leaves them out if there are none.
    """

    license: str = "unknown"
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How an artefact's predictions of so many texts compare with those of its run.

    Attributes:
      greatest_difference: Of any probability of any text; a fraction.
      label_agreement: Fraction of the texts that get the same label.
      milliseconds_per_text: Median, from a text to its label, one text at a time.
    """

    texts: int
    greatest_difference: float
    label_agreement: float
    milliseconds_per_text: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCost:
    """The test accuracy before and after an export with coarser weights."""

    run: Accuracy
    artefact: Accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord(Agreement):
    """The `export.json` of an artefact of a run, in a `format` of `export.FORMATS`.

    Attributes:
      run_sha256: Hash of the files of the run that the artefact is made of.
      seqclf_version: Version that wrote it.
      bound: Greatest difference that the format may have.
      bytes: Size of all its files but `export.json`.
      sha256: Hash of each of them, by its path in the artefact.
      own_texts: How many of the texts compared are of the run's test split.
      test: What coarser weights cost in test accuracy; None where the run's data is not
        in the cache, and of formats that lose nothing, whose file has no such field.
    """

    format: str
    run: str
    run_sha256: str
    seqclf_version: str
    bound: float
    bytes: int
    sha256: dict[str, str]
    own_texts: int
    about: About
    test: TestCost | None = None
