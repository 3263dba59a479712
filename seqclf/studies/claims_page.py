"""The page of claims: every study asked, every claim judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.config import require_count
from seqclf.errors import RunError, SeqclfError
from seqclf.report.page.sections import sections_page
from seqclf.steps import Listener, Target, optional, shortly
from seqclf.storage import write_json, write_text
from seqclf.studies import STUDIES, run_study, saved, section_of, shown
from seqclf.studies.claims import CLAIMS
from seqclf.studies.question import Answer, Question, Record, Table

PAGE_FILE, JSON_FILE = "claims.html", "claims.json"
SYNTHETIC = (
    "The built-in corpus is synthetic, built so that order matters: what holds on it "
    "need not hold on your texts."
)


@dataclass(frozen=True, slots=True)
class Page:
    """All claims, judged.

    Attributes:
      title: What they were judged on.
      rulings: Records with claim, verdict, evidence, study, source, trials and seeds.
      notes: What a reader must know, a sentence each.
      file: The HTML page.
    """

    title: str
    rulings: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    file: Path

    def values(self) -> dict[str, Any]:
        """Returns plain values, as in `claims.json`."""
        return {
            "title": self.title, "claims": list(self.rulings), "notes": list(self.notes)
        }  # fmt: skip

    def table(self) -> Table:
        """Returns the claims as a table."""
        keys = ("claim", "verdict", "evidence", "trials", "study", "source")
        rows = tuple(tuple(str(one[key]) for key in keys) for one in self.rulings)
        header = tuple("trainings" if key == "trials" else key for key in keys)
        return Table(header=header, rows=rows)

    def markdown(self) -> str:
        """Returns title, table and notes as Markdown."""
        parts = [f"### {self.title}", shown.markdown_table(self.table(), numbers=False)]
        return "\n\n".join([*parts, *self.notes])


def judge_all(
    question: Question, target: Target, listener: Listener, jobs: int | None = None
) -> Page:
    """Asks every study that a claim needs, and writes the page.

    Args:
      question: What each study is asked.
      target: The folders.
      listener: Told of the progress, and of a study that has no answer.
      jobs: Processes at a time.

    Returns:
      The claims, judged; `claims.json` and `claims.html` lie beside the answers.
    """
    if jobs is not None:
        require_count("--jobs", jobs)
    about: Mapping[str, Any] = {}
    rulings, sections, notes, folder = [], [], [], target.models
    once = _Once(listener)
    for name in dict.fromkeys(claim.study for claim in CLAIMS):
        listener.note(f"Study: {name}")
        try:
            answer, path = run_study(name, question, target, once, jobs)
            ruled, section = _used(answer, path)
        except SeqclfError as error:
            if not about and not isinstance(error, _UnusableError):
                raise  # it is no fault of one study
            notes.append(f"{name} has no answer: {error}")
            listener.insist(notes[-1])
            continue
        rulings += ruled
        if STUDIES[name].about is None:  # else it is not of this data set
            about, folder = about or answer.about, path.parent
        sections.append(section)
    if not about:
        raise RunError(" ".join(notes))
    if question.config.data.source == "demo":
        notes.insert(0, SYNTHETIC)
    page = Page(_title(about), tuple(rulings), tuple(notes), folder / PAGE_FILE)
    with optional(listener.insist, f"No {page.file} could be written"):
        _write(page, sections)
    return page


class _UnusableError(RunError):
    """An answer that is there, and cannot be judged or shown."""


def _used(answer: Answer, path: Path) -> tuple[list[Record], Record]:
    """Returns what an answer says of its claims, and its section of the page.

    Raises:
      _UnusableError: If it is damaged, or of another version.
    """
    try:
        section = section_of(STUDIES[answer.study], answer, path)
        if STUDIES[answer.study].about is None:
            _title(answer.about)
        return judge({answer.study: answer}), section
    except RunError as error:
        raise _UnusableError(str(error)) from error
    except Exception as error:
        said = f"it could not be judged ({shortly(error)}); {saved.anew(path)}."
        raise _UnusableError(said) from error


def _write(page: Page, sections: Sequence[Record]) -> None:
    """Writes `claims.json` and the HTML page."""
    write_json(page.file.with_name(JSON_FILE), page.values())
    first = {
        "title": "Claims",
        "claim": "", "notes": [], "sentence": "", "svg": "", "alt": "", "command": "",
        "table": {"header": list(page.table().header), "rows": list(page.table().rows)},
    }  # fmt: skip
    html = sections_page(page.title, [first, *sections], " ".join(page.notes))
    write_text(page.file, html)


class _Once:
    """A listener that passes a sentence on once, for each study loads the data anew."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._heard: set[str] = set()
        self.insist, self.progress = listener.insist, listener.progress

    @property
    def quiet(self) -> bool:
        return self._listener.quiet

    def note(self, sentence: str) -> None:
        if sentence not in self._heard:
            self._heard.add(sentence)
            self._listener.note(sentence)


def _title(about: Mapping[str, Any]) -> str:
    size = about["sizes"]["train"]
    quick = ", quick" if about["quick"] else ""
    seeds = len(about["seeds"])
    return (
        f"What people write of RNN, GRU and LSTM, on {about['data']} "
        f"({size:,} training texts, {seeds} seed{'s' if seeds > 1 else ''}{quick})"
    )


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
                # What was asked for, or as many as the study says that it took.
                "seeds": _seeds(answer),
            }
        )
    return records


def _seeds(answer: Answer) -> int:
    asked = len(answer.about["seeds"])
    found = answer.findings
    return found.get("seeds", asked) if isinstance(found, dict) else asked
