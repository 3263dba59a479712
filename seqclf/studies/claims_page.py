"""The page of claims: every study asked, every claim judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.records.plain import to_plain
from seqclf.records.sweeps import TrialsFindings
from seqclf.report.table import Table, to_markdown
from seqclf.studies.claims import NOT_JUDGED, NOT_RUN, UNDECIDED, Claim
from seqclf.studies.question import Answer
from seqclf.wording import counted

PAGE_FILE, JSON_FILE = "claims.html", "claims.json"
TRAININGS = 3  # the column of numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A claim, judged: see `claims.Claim`, `claims.Ruling` and the study's `Answer`."""

    claim: str
    verdict: str
    evidence: str
    study: str
    source: str
    trials: int
    seeds: int
    by_formula: bool = False

    @property
    def is_decided(self) -> bool:
        """Whether the verdict says something of the claim, not of what was asked."""
        return self.verdict not in (UNDECIDED, NOT_JUDGED, NOT_RUN)


@dataclass(frozen=True, slots=True)
class Page:
    """All claims, judged, and the HTML page with them.

    The title names the data that they were judged on; the notes are what a reader must
    know, a sentence each.
    """

    title: str
    rulings: tuple[Judged, ...]
    notes: tuple[str, ...]
    file: Path

    def values(self) -> dict[str, object]:
        """Returns plain values, as in `claims.json`."""
        return {
            "title": self.title,
            "claims": to_plain(self.rulings),
            "notes": list(self.notes),
        }

    def table(self) -> Table:
        """Returns the claims as a table."""
        header = ("claim", "verdict", "evidence", "trainings", "study", "source")
        rows = [
            (o.claim, o.verdict, o.evidence, str(o.trials), o.study, o.source)
            for o in self.rulings
        ]
        return Table(header=header, rows=tuple(rows), numbers=(TRAININGS,))

    def markdown(self) -> str:
        """Returns title, table and notes as Markdown."""
        return "\n\n".join(
            [f"### {self.title}", to_markdown(self.table()), *self.notes]
        )


def decided(rulings: Sequence[Judged]) -> str:
    """Says how many claims are decided, and how many of them were true by formula."""
    sure = [one for one in rulings if one.is_decided]
    algebra = sum(one.by_formula for one in sure)
    said = f"Decided: {len(sure)} of {counted(len(rulings), 'claim')}"
    return f"{said}, {algebra} of them by formula." if algebra else f"{said}."


def not_run(claim: Claim, why: str) -> Judged:
    """Returns a claim that was not put to the test, and what keeps it from that."""
    return Judged(
        claim=claim.text, verdict=NOT_RUN, evidence=why, study=claim.study,
        source=claim.source, trials=0, seeds=0, by_formula=claim.by_formula,
    )  # fmt: skip


def judged(claim: Claim, answer: Answer[Any]) -> Judged:
    """Judges a claim by the answer of its study."""
    ruling, found = claim.judge(answer), answer.findings
    # `sensitivity` takes the first seed only of those that were asked for.
    is_one = isinstance(found, TrialsFindings)
    return Judged(
        claim=claim.text, verdict=ruling.verdict, evidence=ruling.evidence,
        study=claim.study, source=claim.source, trials=answer.trials,
        seeds=found.seeds if is_one else len(answer.about.seeds),
        by_formula=claim.by_formula,
    )  # fmt: skip
