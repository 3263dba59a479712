"""What an exported model says of itself: `export.json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinAgreement:
    """How a twin, with its weights as a page holds them, compares with its run.

    Attributes:
      texts: How many both were asked about.
      greatest_difference: Of any probability of any text; a fraction.
      other_labels: How many of the texts get another label.
    """

    run: str
    cell: str
    texts: int
    greatest_difference: float
    other_labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroscopeRecord:
    """The `export.json` beside a page with several runs in it, the microscope.

    Attributes:
      format: `microscope`.
      runs_sha256: Of each run, a hash of the files that its twin is made of.
      seqclf_version: Version that wrote it.
      vectors: How the page holds the vectors of tokens, `float32` or `int8`.
      bound: Greatest difference that a twin may have.
      bytes: Size of the page.
      sha256: Hash of it, by its name.
      own_texts: How many of the texts compared are of the runs' test split.
      sentences: How many texts of the test split are in the page, to choose from.
      twins: In the order of the runs.
    """

    format: Literal["microscope"] = "microscope"
    runs_sha256: tuple[str, ...]
    seqclf_version: str
    vectors: Literal["float32", "int8"]
    bound: float
    bytes: int
    sha256: dict[str, str]
    own_texts: int
    sentences: int
    twins: tuple[TwinAgreement, ...]
