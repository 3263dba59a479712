"""`seqclf study` as a function: a question asked once, its answer kept in files."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqclf import keywords, marker
from seqclf.about_studies import ABOUT
from seqclf.comparison.design import parse_cells
from seqclf.config import RunConfig, require_count
from seqclf.data import GENERATED
from seqclf.errors import ConfigError, unknown
from seqclf.machine import jobs_for
from seqclf.model import backend
from seqclf.records.dataset import DatasetInfo
from seqclf.report.page.sections import sections_page
from seqclf.steps import (
    Listener,
    Target,
    load_and_encode,
    optional,
    refuse_idle_settings,
)
from seqclf.storage import write_text
from seqclf.studies import STUDIES, saved, sections, timed
from seqclf.studies.lab import Lab
from seqclf.studies.question import About, Answer, Question

PAGE_FILE = "study.html"
OPTIONS = {"texts": "text", "range_test": "range_test"}  # by field of the question


def question_of(config: RunConfig, cells: str, seeds: int, **others: Any) -> Question:
    """Returns the question of a study.

    Args:
      config: The recipe and the data.
      cells: Cells to study, separated by commas.
      seeds: Trainings of each cell, at least 1.
      **others: The other fields of `Question`.

    Raises:
      ConfigError: If there is no such cell, or no seed.
    """
    require_count("--seeds", seeds)
    chosen = parse_cells(cells)
    return Question(config=config, cells=chosen, seeds=tuple(range(seeds)), **others)


def run_study(
    name: str,
    question: Question,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
) -> tuple[Answer[Any], Path]:
    """Answers a question, or reuses its saved answer.

    Args:
      name: Of the study, one of `STUDIES`.
      question: What is asked.
      target: The folders.
      listener: Receives the progress.
      jobs: Processes at a time; None takes as many as cores and memory allow.

    Returns:
      The answer and its directory.

    Raises:
      ConfigError: If there is no such study, or a setting does nothing.
      DataError: If the data cannot be used.
      RunError: If a measurement failed.
      TrainingError: If a training failed.
    """
    if name not in ABOUT:
        raise ConfigError(unknown("study", name, list(ABOUT)))
    _refuse_idle_fields(name, question)
    if jobs is not None:
        require_count("--jobs", jobs)
    backend.refuse_other_backends()
    refuse_idle_settings(question.config, question.cells, target, question.given)
    study = STUDIES[name]
    if study.about is None:
        about = load_and_encode(question.config, target.cache, listener).about
    else:
        about = study.about(target.models)
    folder = saved.folder_of(target.models, about.name)
    asked = question.asked(name, about.fingerprint)
    if study.is_timed:
        asked |= {"machine": timed.machine()}
    path = saved.place(folder, asked)
    if saved.is_written(path, asked) and not target.fresh:
        with optional(listener.insist, "The study runs again"):
            answer = saved.read(path)
            listener.note(f"{path} has the answer to this question: reused.")
            return answer, path
    marker.begin_new(folder, marker.STUDIES)
    jobs = jobs or jobs_for(len(question.cells) * len(question.seeds))
    answer = study.run(question, Lab(folder, target, listener, jobs))
    answer = replace(answer, about=_about(name, question, about))
    figure = ""
    with optional(listener.insist, "The answer has no figure"):
        figure = study.figure(answer)
    saved.write(path, asked, answer, figure)
    with optional(listener.insist, f"No {path / PAGE_FILE} could be written"):
        page = sections_page(answer.title, [sections.section(answer, figure)])
        write_text(path / PAGE_FILE, page)
        listener.note(f"Report: {path / PAGE_FILE}")
    return answer, path


def _refuse_idle_fields(name: str, question: Question) -> None:
    """Refuses what has a meaning for another study only."""
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
