"""`seqclf study` and `seqclf claims` as functions.

A question is asked once, and its answer kept in files; each claim is judged by them.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqclf import keywords, marker, steps
from seqclf.about_studies import ABOUT
from seqclf.comparison.design import parse_cells
from seqclf.config import RunConfig, require_count
from seqclf.data.dataset import TRAIN
from seqclf.data.load import GENERATED
from seqclf.engine import Cluster
from seqclf.errors import ConfigError, RunError, SeqclfError, unknown
from seqclf.machine import jobs_for
from seqclf.model import backend
from seqclf.records.dataset import DatasetInfo
from seqclf.report.page.sections import Section, sections_page
from seqclf.steps import (
    Listener,
    Target,
    optional,
    shortly,
)
from seqclf.storage import write_json, write_text
from seqclf.studies import STUDIES, saved, sections, timed
from seqclf.studies.claims import CLAIMS, Claim
from seqclf.studies.claims_page import JSON_FILE, Judged, Page, decided, judged, not_run
from seqclf.studies.claims_page import PAGE_FILE as CLAIMS_PAGE
from seqclf.studies.lab import Lab, Planned, Planner
from seqclf.studies.question import About, Answer, Question, grouped
from seqclf.studies.sections import section_of
from seqclf.wording import counted

PAGE_FILE = "study.html"
SYNTHETIC = (
    "The built-in corpus is synthetic, built so that order matters: what holds on it "
    "need not hold on your texts."
)
OPTIONS = {"texts": "text", "range_test": "range_test"}  # by field of the question


def question_of(config: RunConfig, cells: str, seeds: int, **others: Any) -> Question:
    """Returns the question of a study.

    `cells` are separated by commas, `seeds` is the number of trainings of each, at
    least 1, and `others` are the other fields of `Question`.

    Raises:
      ConfigError: If there is no such cell, or no seed, or the networks know something
        from elsewhere.
    """
    if not config.start.is_random or config.training.teach is not None:
        raise ConfigError(
            "studies ask about the cells alone: leave --vectors, --init-from, "
            "--pretrain and --teach out."
        )
    require_count("--seeds", seeds)
    chosen = parse_cells(cells)
    return Question(config=config, cells=chosen, seeds=tuple(range(seeds)), **others)


def run_study(
    name: str,
    question: Question,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
    page: bool = False,
    cluster: Cluster | None = None,
) -> tuple[Answer[Any], Path]:
    """Answers a question, or reuses its saved answer.

    `name` is that of the study, one of `STUDIES`, and `page` whether its interactive
    page is written beside the answer; the other arguments and the errors are those of
    all workflows, see `seqclf.workflows`.

    Returns:
      The answer and its directory.
    """
    if name not in ABOUT:
        raise ConfigError(unknown("study", name, list(ABOUT)))
    _refuse_idle_fields(name, question, page)
    if jobs is not None:
        require_count("--jobs", jobs)
    backend.refuse_other_backends()
    asked_of = (question.config, question.cells, target, question.given)
    question = replace(question, config=steps.checked(*asked_of))
    study = STUDIES[name]
    if study.about is None:
        about = steps.load_and_encode(question.config, target.cache, listener).about
        _refuse_several(about)
    else:
        about = study.about(target.models)
    folder = saved.folder_of(target.models, about.name)
    asked = question.asked(name, about.fingerprint)
    if study.is_timed:
        asked |= {"machine": timed.machine()}
    path = saved.place(folder, asked)
    lab = Lab(folder, target, listener, jobs or _jobs_for(question), cluster)
    old = None if target.fresh else _old_answer(path, asked, listener)
    if old and not page:
        return old, path
    marker.begin_new(folder, marker.STUDIES)
    answer = old or replace(
        study.run(question, lab), about=_about(name, question, about)
    )
    figure = ""
    with optional(listener.insist, "The answer has no figure"):
        figure = study.figure(answer)
    if not old:
        saved.write(path, asked, answer, figure)
    if page:
        _write_interactive(name, path, lab)
    _write_report(answer, figure, path, listener)
    return answer, path


def _refuse_several(about: DatasetInfo) -> None:
    if about.has_several:
        raise ConfigError(
            f"studies and claims are of one label a text; {about.name} gives a text "
            f"several: seqclf compare compares cells on it."
        )


def _old_answer(
    path: Path, asked: saved.Asked, listener: Listener
) -> Answer[Any] | None:
    """Returns the saved answer to this very question, if it is there and whole."""
    if saved.is_written(path, asked):
        with optional(listener.insist, "The study runs again"):
            answer = saved.read(path)
            listener.note(f"{path} has the answer to this question: reused.")
            return answer
    return None


def _write_interactive(name: str, path: Path, lab: Lab) -> None:
    """Writes the interactive page of a study beside its answer, if it has one."""
    file, make = path / sections.page_file(name), STUDIES[name].page
    with optional(lab.listener.insist, f"No {file} could be written"):
        if make:
            write_text(file, make(lab))
            lab.listener.note(f"Interactive page: {file}")


def _write_report(
    answer: Answer[Any], figure: str, path: Path, listener: Listener
) -> None:
    with optional(listener.insist, f"No {path / PAGE_FILE} could be written"):
        one = sections.section(answer, figure)
        one = replace(one, link=sections.link_to(answer.study, path, path))
        write_text(path / PAGE_FILE, sections_page(answer.title, [one]))
        listener.note(f"Report: {path / PAGE_FILE}")


def _jobs_for(question: Question) -> int:
    return jobs_for(len(question.cells) * len(question.seeds))


def _refuse_idle_fields(name: str, question: Question, page: bool) -> None:
    """Refuses what has a meaning for another study only."""
    if page and not ABOUT[name].has_page:
        owner = next(n for n, one in ABOUT.items() if one.has_page)
        raise ConfigError(f"--page is for the study {owner} alone.")
    for field, option in OPTIONS.items():
        if getattr(question, field) and option in ABOUT[name].idle:
            owner = next(n for n, one in ABOUT.items() if option not in one.idle)
            flag = f"--{option.replace('_', '-')}"
            raise ConfigError(f"{flag} is for the study {owner} alone.")


def _about(name: str, question: Question, data: DatasetInfo) -> About:
    return About(
        claim=ABOUT[name].claim,
        command=_command(name, question),
        data=data.name,
        fingerprint=data.fingerprint,
        sizes=data.sizes,
        is_synthetic=data.source == GENERATED,
        quick=question.quick,
        seeds=question.seeds,
    )


def _command(name: str, question: Question) -> str:
    """Returns the command that asks the same again."""
    parts = ["seqclf", "study", name, "--cells", ",".join(question.cells)]
    parts += ["--seeds", str(len(question.seeds))]
    parts += ["--quick"] if question.quick else []
    parts += ["--range-test"] if question.range_test else []
    for text in question.texts:
        parts += ["--text", text]
    return shlex.join(parts + keywords.as_options(question.config, ("cell", "seed")))


def judge_all(
    question: Question,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
    cluster: Cluster | None = None,
) -> Page:
    """Asks every study that a claim needs, and writes the page.

    Returns:
      The claims, judged; `claims.json` and `claims.html` are beside the answers.
    """
    if jobs is not None:
        require_count("--jobs", jobs)
    asked_of = (question.config, question.cells, target, question.given)
    question = replace(question, config=steps.checked(*asked_of))
    about: About | None = None
    rulings: list[Judged] = []
    folder = target.models
    found: list[tuple[Section, Answer[Any], Path]] = []
    once = _Once(listener)
    texts = functools.cache(lambda: _training_texts(question, target))
    for name, claims in grouped((one.study, one) for one in CLAIMS).items():
        lacking = {one: why for one in claims if (why := one.lacks(question, texts))}
        if len(lacking) == len(claims):
            lab = Lab(folder, target, once, jobs or _jobs_for(question), cluster)
            more = _price(name, max(one.seeds for one in claims), question, lab)
            rulings += [not_run(one, f"{why}{more}") for one, why in lacking.items()]
            continue
        listener.note(f"Study: {name}")
        try:
            asked = _sparing(question, claims)
            answer, path = run_study(name, asked, target, once, jobs, cluster=cluster)
            ruled, one = _used(answer, path, claims, lacking)
        except SeqclfError as error:
            if not about and not isinstance(error, _UnusableError):
                raise  # not the fault of one study
            rulings += [not_run(claim, str(error)) for claim in claims]
            listener.insist(f"{name} has no answer: {error}")
            continue
        rulings += ruled
        if STUDIES[name].about is None:  # else it is not of this data set
            about, folder = about or answer.about, path.parent
        found.append((one, answer, path))
    if not about:
        raise RunError(" ".join(one.evidence for one in rulings))
    about_data = (SYNTHETIC,) if question.config.data.source == "demo" else ()
    notes = (decided(rulings), *about_data)
    title = _title_of(replace(about, seeds=question.seeds))
    page = Page(title, tuple(rulings), notes, folder / CLAIMS_PAGE)
    with optional(listener.insist, f"No {page.file} could be written"):
        linked = [
            replace(one, link=sections.link_to(answer.study, path, folder))
            for one, answer, path in found
        ]
        _write_page(page, linked)
    return page


def _sparing(question: Question, claims: Sequence[Claim]) -> Question:
    """Returns a quick question with one seed where no claim needs more."""
    if question.quick and max(claim.seeds for claim in claims) == 1:
        return replace(question, seeds=question.seeds[:1])
    return question


def _training_texts(question: Question, target: Target) -> int:
    """Counts the training texts that the answer to a question rests on."""
    return steps.load_and_encode(question.recipe, target.cache, None).about.sizes[TRAIN]


def _price(name: str, seeds: int, question: Question, lab: Lab) -> str:
    """Says what the trainings of a study would take, by those of the page so far.

    `lab` is that of the page; nothing is said of a study that has the seeds it needs.
    """
    if len(question.seeds) >= seeds:
        return ""
    planner = Planner(lab.folder, lab.target, lab.listener, lab.jobs, lab.cluster)
    try:
        STUDIES[name].run(replace(question, seeds=tuple(range(seeds))), planner)
    except Planned as planned:
        count = counted(len(planned.configs), "training")
        took = lab.seconds_a_training()
        if took is None:
            return f" {count}."
        minutes = max(round(len(planned.configs) * took / 60), 1)
        return f" About {counted(minutes, 'minute')}: {count}."
    except SeqclfError as error:  # which it would refuse
        return f" {error}"
    return ""


class _UnusableError(RunError):
    """An answer exists but cannot be judged or shown."""


def _used(
    answer: Answer[Any],
    path: Path,
    claims: Sequence[Claim],
    lacking: Mapping[Claim, str],
) -> tuple[list[Judged], Section]:
    """Returns an answer's rulings and its section of the page.

    `lacking` says of some claims what keeps the answer from deciding them.
    """
    try:
        section = section_of(STUDIES[answer.study], answer, path)
        if STUDIES[answer.study].about is None:
            _title_of(answer.about)
        ruled = [
            not_run(claim, lacking[claim])
            if claim in lacking
            else judged(claim, answer)
            for claim in claims
        ]
        return ruled, section
    except RunError as error:
        raise _UnusableError(str(error)) from error
    except Exception as error:
        said = f"it could not be judged ({shortly(error)}); {saved.remedy(path)}."
        raise _UnusableError(said) from error


def _write_page(page: Page, sections: Sequence[Section]) -> None:
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


def _title_of(about: About) -> str:
    quick = ", quick" if about.quick else ""
    sizes = (
        f"{about.sizes[TRAIN]:,} training texts, {counted(len(about.seeds), 'seed')}"
    )
    return f"What people write of RNN, GRU and LSTM, on {about.data} ({sizes}{quick})"
