"""The page of claims: every study asked, every claim judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.records.plain import to_plain
from seqclf.records.sweeps import TrialsFindings
from seqclf.studies import shown
from seqclf.studies.claims import CLAIMS
from seqclf.studies.question import Answer, Table

PAGE_FILE, JSON_FILE = "claims.html", "claims.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A claim, judged.

    Attributes:
      claim: The sentence.
      verdict: See `claims.Ruling`.
      evidence: Likewise.
      study: Which study it rests on.
      source: Where it is said or shown.
      trials: Trainings that the study made.
      seeds: Of them.
    """

    claim: str
    verdict: str
    evidence: str
    study: str
    source: str
    trials: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Page:
    """All claims, judged.

    Attributes:
      title: What they were judged on.
      rulings: Each claim with its verdict.
      notes: What a reader must know, a sentence each.
      file: The HTML page.
    """

    title: str
    rulings: tuple[Judged, ...]
    notes: tuple[str, ...]
    file: Path

    def values(self) -> dict[str, Any]:
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
        return Table(header=header, rows=tuple(rows))

    def markdown(self) -> str:
        """Returns title, table and notes as Markdown."""
        parts = [f"### {self.title}", shown.markdown_table(self.table(), numbers=False)]
        return "\n\n".join([*parts, *self.notes])


def judge(answers: Mapping[str, Answer[Any]]) -> list[Judged]:
    """Judges each claim whose study has an answer."""
    judged = []
    for claim in CLAIMS:
        if claim.study not in answers:
            continue
        answer = answers[claim.study]
        ruling = claim.judge(answer)
        found = answer.findings
        judged.append(
            Judged(
                claim=claim.text,
                verdict=ruling.verdict,
                evidence=ruling.evidence,
                study=claim.study,
                source=claim.source,
                trials=answer.trials,
                # What was asked for, but `sensitivity` takes the first seed alone.
                seeds=found.seeds
                if isinstance(found, TrialsFindings)
                else len(answer.about.seeds),
            )
        )
    return judged
