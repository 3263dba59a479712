"""`seqclf claims` as a function: every study asked, every claim judged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqclf.config import require_count
from seqclf.data.dataset import TRAIN
from seqclf.errors import RunError, SeqclfError
from seqclf.report.page.sections import Section, sections_page
from seqclf.steps import Listener, Target, optional, shortly
from seqclf.storage import write_json, write_text
from seqclf.studies import STUDIES, saved
from seqclf.studies.claims import CLAIMS
from seqclf.studies.claims_page import JSON_FILE, PAGE_FILE, Judged, Page, judge
from seqclf.studies.question import About, Answer, Question
from seqclf.studies.sections import section_of
from seqclf.wording import counted
from seqclf.workflows.study import run_study

SYNTHETIC = (
    "The built-in corpus is synthetic, built so that order matters: what holds on it "
    "need not hold on your texts."
)


def judge_all(
    question: Question, target: Target, listener: Listener, jobs: int | None = None
) -> Page:
    """Asks every study that a claim needs, and writes the page.

    Args:
      question: What each study is asked.
      target: The folders.
      listener: Receives the progress, and which study has no answer.
      jobs: Processes at a time.

    Returns:
      The claims, judged; `claims.json` and `claims.html` are beside the answers.
    """
    if jobs is not None:
        require_count("--jobs", jobs)
    about: About | None = None
    rulings, sections, notes, folder = [], [], [], target.models
    once = _Once(listener)
    for name in dict.fromkeys(claim.study for claim in CLAIMS):
        listener.note(f"Study: {name}")
        try:
            answer, path = run_study(name, question, target, once, jobs)
            ruled, section = _used(answer, path)
        except SeqclfError as error:
            if not about and not isinstance(error, _UnusableError):
                raise  # not the fault of one study
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
    """An answer exists but cannot be judged or shown."""


def _used(answer: Answer[Any], path: Path) -> tuple[list[Judged], Section]:
    """Returns an answer's rulings and its section of the page.

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
        said = f"it could not be judged ({shortly(error)}); {saved.remedy(path)}."
        raise _UnusableError(said) from error


def _write(page: Page, sections: Sequence[Section]) -> None:
    """Writes `claims.json` and the HTML page."""
    write_json(page.file.with_name(JSON_FILE), page.values())
    first = Section(title="Claims", table=page.table())
    html = sections_page(page.title, [first, *sections], " ".join(page.notes))
    write_text(page.file, html)


class _Once:
    """A listener that passes a sentence on once: each study loads the data again."""

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


def _title(about: About) -> str:
    quick = ", quick" if about.quick else ""
    sizes = (
        f"{about.sizes[TRAIN]:,} training texts, {counted(len(about.seeds), 'seed')}"
    )
    return f"What people write of RNN, GRU and LSTM, on {about.data} ({sizes}{quick})"
