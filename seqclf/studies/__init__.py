"""Studies: each puts a sentence that people write about these cells to the test.

Four look inside a model; the others sweep a setting through the engine of `compare`, or
read what comparisons left. A study is a function from a question to an answer and one
that draws it; `STUDIES` names them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqclf import keywords, marker
from seqclf.config import require_count
from seqclf.data import GENERATED
from seqclf.errors import RunError
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
    shortly,
    write_report,
)
from seqclf.storage import write_text
from seqclf.studies import (
    convergence,
    cost,
    depth,
    memory,
    memory_shown,
    mix,
    order,
    order_shown,
    saved,
    sensitivity,
    shown,
    size,
    size_shown,
    timed,
    variants,
    wins,
)
from seqclf.studies.inside import gates, gates_drawn, gradients, gradients_shown
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, Record

PAGE_FILE = "study.html"


@dataclass(frozen=True, slots=True)
class Study:
    """An entry of the table of studies.

    Attributes:
      run: From a question, and a place to train and to measure, to an answer.
      figure: Draws an answer: SVG.
      claim: The sentence that it puts to the test.
      options: Fields of the question that have a meaning for it and for no other.
      is_timed: Whether its answer holds on the machine alone on which it was found.
      about: For a study of what lies in the folder of the runs, and of no data set of
        its own: from that folder to what stands for one.
    """

    run: Callable[[Question, Lab], Answer]
    figure: Callable[[Answer], str]
    claim: str
    options: frozenset[str] = frozenset()
    is_timed: bool = False
    about: Callable[[Path], DatasetInfo] | None = None


STUDIES: dict[str, Study] = {
    "gradients": Study(
        run=gradients.run,
        figure=gradients_shown.figure,
        claim="Gradients vanish or explode in plain RNNs, and gates cure it.",
    ),
    "memory": Study(
        run=memory.run,
        figure=memory_shown.figure,
        claim="Gates keep long-range dependencies.",
    ),
    "gates": Study(
        run=gates.run,
        figure=gates_drawn.figure,
        claim="z near 1 copies the old state, r near 0 drops it; LSTM hides part of "
        "its memory, GRU does not.",
        options=frozenset({"texts"}),
    ),
    "order": Study(
        run=order.run,
        figure=order_shown.figure,
        claim="The order of words matters here at all.",
    ),
    "size": Study(
        run=size.SWEEP.run,
        figure=size_shown.figure,
        claim="LSTM is better where data is plentiful, and overfits more.",
    ),
    "sensitivity": Study(
        run=sensitivity.run,
        figure=sensitivity.figure,
        claim="The cells differ in how much their settings matter.",
        options=frozenset({"range_test"}),
    ),
    "depth": Study(
        run=depth.SWEEP.run,
        figure=variants.figure,
        claim="Recurrent layers stack, and read in two directions.",
    ),
    "mix": Study(
        run=mix.SWEEP.run,
        figure=variants.figure,
        claim="Recurrent layers combine with convolution and attention.",
    ),
    "convergence": Study(
        run=convergence.run,
        figure=convergence.figure,
        claim="GRU converges in fewer steps than LSTM.",
        is_timed=True,
    ),
    "cost": Study(
        run=cost.run,
        figure=cost.figure,
        claim="LSTM has the most parameters; GRU is cheaper.",
        is_timed=True,
    ),
    "wins": Study(
        run=wins.run,
        figure=wins.figure,
        claim="GRU is slightly ahead in many uses.",
        about=wins.about,
    ),
}


def run_study(
    name: str,
    question: Question,
    target: Target,
    listener: Listener,
    jobs: int | None = None,
) -> tuple[Answer, Path]:
    """Answers a question, unless that was done, and keeps what was found.

    Args:
      name: Of the study, one of `STUDIES`.
      question: What is asked.
      target: The folders.
      listener: Told of the progress.
      jobs: Processes at a time; None takes as many as cores and memory allow.

    Returns:
      The answer, and the directory it is kept in.

    Raises:
      ConfigError: If a setting does nothing or cannot be had.
      DataError: If the data cannot be used.
      RunError: If a measurement failed.
      TrainingError: If a training failed.
    """
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
        with optional(listener.insist, "The question is asked anew"):
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
        page = sections_page(answer.title, [shown.section(answer, figure)])
        write_text(path / PAGE_FILE, page)
        listener.note(f"To look at: {path / PAGE_FILE}")
    return answer, path


def write_page(
    folder: Path, result: Mapping[str, Any], models: Path, listener: Listener
) -> None:
    """Writes the page of a comparison, with what studies found on the same data.

    Args:
      folder: Of the comparison.
      result: What `comparison.json` holds.
      models: Folder of the runs.
      listener: Told where the page is, and what had to be left out of it.
    """
    found: list[dict[str, Any]] = []
    with optional(listener.insist, "The page is written without studies"):
        fingerprint = result["card"]["dataset"]["fingerprint"]
        found = sections_on(fingerprint, models, listener)
    write_report(folder, dict(result), listener, found)


def sections_on(
    fingerprint: object, models: Path, listener: Listener
) -> list[dict[str, Any]]:
    """Returns what was found on the data of a comparison, as sections of its page.

    Args:
      fingerprint: Of the data.
      models: Folder of the runs.
      listener: Told which answer could not be used; it is left out.

    Returns:
      A section a finished study; figures are drawn anew from the answers.
    """
    sections = []
    for path in saved.answered(models, fingerprint):
        what = f"{path / saved.ANSWER_FILE} is left out of the page"
        with optional(listener.insist, what):
            answer = saved.read(path)
            if answer.study in STUDIES:
                sections.append(section_of(STUDIES[answer.study], answer, path))
    return sections


def section_of(study: Study, answer: Answer, path: Path) -> dict[str, Any]:
    """Returns an answer as a section of a page; its figure is drawn anew.

    Args:
      study: Which study it is of.
      answer: What was found.
      path: The directory it is kept in.

    Raises:
      RunError: If it cannot be drawn or shown, as one of another version.
    """
    try:
        return shown.section(answer, study.figure(answer))
    except Exception as error:
        raise RunError(
            f"it could not be used ({shortly(error)}); {saved.anew(path)}."
        ) from error


def _about(name: str, question: Question, data: DatasetInfo) -> Record:
    return {
        "claim": STUDIES[name].claim,
        "command": _command(name, question),
        "data": data.name,
        "fingerprint": data.fingerprint,
        "sizes": data.sizes,
        "is_synthetic": data.source == GENERATED,
        "quick": question.quick,
        "seeds": list(question.seeds),
    }


def _command(name: str, question: Question) -> str:
    """Returns what to type to ask the same again."""
    parts = ["seqclf", "study", name, "--cells", ",".join(question.cells)]
    parts += ["--seeds", str(len(question.seeds))]
    parts += ["--quick"] if question.quick else []
    parts += ["--range-test"] if question.range_test else []
    for text in question.texts:
        parts += ["--text", text]
    return shlex.join(parts + keywords.as_options(question.config, ("cell", "seed")))
