"""Studies: each puts a sentence that people write about these cells to the test.

Four look inside a model; the others sweep a setting through the engine of `compare`, or
read what comparisons left. A study is a function from a question to an answer and one
that draws it; `STUDIES` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from seqclf.machine import jobs_for
from seqclf.model import backend
from seqclf.steps import Listener, Target, load_and_encode, refuse_idle_settings
from seqclf.studies import gates, gradients, saved
from seqclf.studies.lab import Lab
from seqclf.studies.question import Answer, Question, Record


@dataclass(frozen=True, slots=True)
class Study:
    """An entry of the table of studies.

    Attributes:
      run: From a question, and a place to train and to measure, to an answer.
      figure: Draws an answer: SVG.
      claim: The sentence that it puts to the test.
      options: Fields of the question that have a meaning for it and for no other.
    """

    run: Callable[[Question, Lab], Answer]
    figure: Callable[[Answer], str]
    claim: str
    options: frozenset[str] = frozenset()


STUDIES: dict[str, Study] = {
    "gradients": Study(
        run=gradients.run,
        figure=gradients.figure,
        claim="Gradients vanish or explode in plain RNNs, and gates cure it.",
    ),
    "gates": Study(
        run=gates.run,
        figure=gates.figure,
        claim="z near 1 copies the old state, r near 0 drops it; LSTM hides part of "
        "its memory, GRU does not.",
        options=frozenset(("texts",)),
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
    backend.refuse_other_backends()
    refuse_idle_settings(question.config, question.cells, target)
    study = STUDIES[name]
    data = load_and_encode(question.config, target.cache, listener)
    folder = saved.folder_of(target.models, str(data.about["name"]))
    asked = question.asked(name, data.about["fingerprint"])
    path = saved.place(folder, asked)
    if saved.is_written(path) and not target.fresh:
        listener.note(f"{path} has the answer to this question: reused.")
        return saved.read(path), path
    jobs = jobs or jobs_for(len(question.cells) * len(question.seeds))
    answer = study.run(question, Lab(folder, target, listener, jobs))
    answer = replace(answer, about=_about(question, data.about))
    saved.write(path, asked, answer, study.figure(answer))
    return answer, path


def _about(question: Question, data: Mapping[str, object]) -> Record:
    return {
        "data": data["name"],
        "fingerprint": data["fingerprint"],
        "sizes": data["sizes"],
        "is_synthetic": question.config.data.source == "demo",
        "quick": question.quick,
        "seeds": list(question.seeds),
    }
