"""The sentences that explainers write about these cells, each put to the test.

Nothing is trained here: a claim names a study, and a function that judges its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from seqclf.studies.question import Answer

SUPPORTED, CONTRADICTED = "supported", "contradicted"
UNDECIDED = "not decided here"
SYNTHETIC = (
    "The built-in corpus is synthetic, built so that order matters: what holds on it "
    "need not hold on your texts."
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an answer says of a claim.

    Attributes:
      verdict: SUPPORTED, CONTRADICTED or UNDECIDED.
      evidence: The figures it rests on, with their interval, in a line.
    """

    verdict: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that people write.

    Attributes:
      text: The sentence.
      study: The study that puts it to the test.
      source: Where it is said, or shown, by author and year.
      judge: From the study's answer to a ruling.
    """

    text: str
    study: str
    source: str
    judge: Callable[[Answer], Ruling]


def by_interval(
    low: float | None, high: float | None, evidence: str, least: float = 0.0
) -> Ruling:
    """Rules by an interval: supported above `least`, contradicted below.

    Args:
      low: Lower end of the interval of what the claim says is above `least`.
      high: Its upper end; without both, as of a single training, nothing is decided.
      evidence: What to say.
      least: The bound, 0 for a difference and 1 for a ratio.
    """
    if low is None or high is None:
        return Ruling(UNDECIDED, evidence)
    if low > least:
        return Ruling(SUPPORTED, evidence)
    return Ruling(CONTRADICTED if high < least else UNDECIDED, evidence)


CLAIMS: tuple[Claim, ...] = ()


def judge(answers: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """Judges each claim whose study has an answer.

    Returns:
      Records with claim, verdict, evidence, study, source, trials and seeds.
    """
    records = []
    for claim in CLAIMS:
        if claim.study not in answers:
            continue
        answer = answers[claim.study]
        ruling = claim.judge(answer)
        records.append(
            {
                "claim": claim.text,
                "verdict": ruling.verdict,
                "evidence": ruling.evidence,
                "study": claim.study,
                "source": claim.source,
                "trials": answer.trials,
                "seeds": len(answer.about.get("seeds", [])),
            }
        )
    return records
